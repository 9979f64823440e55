"""A process for one job, from outside: started, listened to, and ended with all it has, whatever becomes of it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import clock, process
from .problems import Problem
from .settings import Limits

LONGEST = 16 << 20  # bytes that a job may tell
LAST_MOMENTS = 5.0  # seconds between its last word and its end
STALE = 3600.0  # seconds after which a working folder belongs to nobody, where that cannot be known
Told = dict[str, Any]


@contextlib.contextmanager
def working_folder(work: Path) -> Iterator[Path]:
    """An empty folder, which vanishes."""
    work.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        while True:
            made = tempfile.TemporaryDirectory(dir=work, prefix=f"{int(clock.ticks())}-", ignore_cleanup_errors=True)
            path = Path(stack.enter_context(made))
            if stack.enter_context(_held(path)) is not False and path.is_dir():
                break  # else it was just taken for that of a dead one
        yield path


def clear_stale(work: Path, older: float) -> None:
    """Take away the folders of who was killed; where none can be held, those so many seconds old."""
    for path in work.iterdir() if work.is_dir() else ():
        with contextlib.suppress(OSError), _held(path) as free:
            if free or (free is None and not 0 <= clock.ticks() - _made(path) < older):
                shutil.rmtree(path, ignore_errors=True)


def _made(folder: Path) -> float:
    """The ticks of its name; those of another boot are mostly yet to come here, and if not, it goes when it is old."""
    ticks = folder.name.partition("-")[0]
    return float(ticks) if ticks.isdecimal() else math.inf


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[bool | None]:
    """Whether this folder could be made one's own, for the time that the process lives; None where nobody can."""
    if sys.platform == "win32":
        yield None
        return
    import fcntl

    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        yield False
        return
    held: bool | None = True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held = False
    except OSError:  # a file system without locks
        held = None
    try:
        yield held
    finally:
        os.close(handle)


def run(
    order: Mapping[str, Any], folder: Path, limits: Limits, seconds: float, beat: Callable[[Told | None], bool]
) -> Told:
    """{"result"} or {"error"}. beat is told the stage about once a second; False from it ends the job: {"given up"}.

    {"lost"}: its parent was killed, and it with it; nothing is known against the job. A look is tried again at once.
    """
    with _Process(order, folder, limits, seconds) as running:
        said = running.watch(beat)
    if "lost" in said and order["what"] == "info":
        with _Process(order, folder, limits, seconds) as running:
            said = running.watch(beat)
    return said


class _Process:
    def __init__(self, order: Mapping[str, Any], folder: Path, limits: Limits, seconds: float) -> None:
        self._limits, self._folder, self._seconds = limits, folder, seconds
        self._process = process.start(folder)
        self._end = time.monotonic() + seconds  # not before: the first one waits until it can be forked
        self._lines: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        confined = {
            "memory": limits.memory,
            "seconds": seconds,
            "file_size": limits.file_size,
            "open_files": limits.open_files,
            "folder": str(folder),
        }
        whole = {
            **order,
            "parent": os.getpid(),
            "confine": confined,
            "folder": str(folder),
            "unpacked": limits.unpacked,
            "entries": limits.entries,
        }
        with contextlib.suppress(OSError):  # it died; that is noticed below
            self._process.stdin.write(json.dumps(whole).encode("ascii") + b"\n")
            self._process.stdin.close()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._listener.join(5)
        self._process.stdout.close()

    def watch(self, beat: Callable[[Told | None], bool]) -> Told:
        """What it says in the end, or what became of it."""
        stage: Told | None = None
        while True:
            if problem := self._overdrawn():
                return {"error": Problem(problem).as_dict()}
            with contextlib.suppress(queue.Empty):
                said = self._lines.get(timeout=min(1.0, max(0.01, self._end - time.monotonic())))
                if said is None:
                    return self._death()
                if "result" in said or "error" in said:
                    return said
                stage = said.get("stage", stage)
            if not beat(stage):
                return {"given up": True}

    def _overdrawn(self) -> str:
        if time.monotonic() > self._end:
            return "timed_out"
        return "too_much_written" if _size(self._folder) > self._limits.folder else ""

    def _death(self) -> Told:
        """Why it says no more."""
        status = self._process.wait(LAST_MOMENTS)
        if status is None:
            return {"lost": True}
        known = {"SIGXCPU": "timed_out", "SIGXFSZ": "too_much_written", "SIGKILL": "killed"}
        causes = {-getattr(signal, name): cause for name, cause in known.items() if hasattr(signal, name)}
        if status not in causes:
            process.FORKS.retire()
        return {"error": Problem(causes.get(status, "crashed")).as_dict()}

    def _listen(self) -> None:
        """Lines as they come, and None at the end of all."""
        taken = 0
        with contextlib.suppress(OSError, ValueError):
            while taken < LONGEST and (line := self._process.stdout.readline(LONGEST - taken)):
                taken += len(line)
                self._lines.put(json.loads(line))
        self._lines.put(None)


def _size(folder: Path) -> int:
    """Bytes of all files in it. The job goes on meanwhile: what vanishes, folders too, is passed over."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
