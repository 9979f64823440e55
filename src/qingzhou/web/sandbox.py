"""A process for one job, from outside: started, listened to, and ended with all it has, whatever becomes of it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .problems import Problem
from .settings import Limits

# The folders to import from come as arguments, so that no variable of the server reaches a job.
START = "import sys; sys.path[:] = sys.argv[1:]; from qingzhou.web.task import main; main()"
LONGEST = 16 << 20  # bytes that a job may tell
STALE = 3600.0  # seconds after which a working folder belongs to nobody
Told = dict[str, Any]


@contextlib.contextmanager
def working_folder(work: Path) -> Iterator[Path]:
    """An empty folder, which vanishes."""
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work, ignore_cleanup_errors=True) as name:
        yield Path(name)


def clear_stale(work: Path, older: float) -> None:
    """Take away the folders that a killed server left."""
    for path in work.iterdir() if work.is_dir() else ():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - older:
                shutil.rmtree(path, ignore_errors=True)


def run(
    order: Mapping[str, Any], folder: Path, limits: Limits, seconds: float, beat: Callable[[Told | None], bool]
) -> Told:
    """{"result"} or {"error"}. beat is told the stage about once a second; False from it ends the job: {"given up"}."""
    with _Process(order, folder, limits, seconds) as process:
        return process.watch(beat)


class _Process:
    def __init__(self, order: Mapping[str, Any], folder: Path, limits: Limits, seconds: float) -> None:
        self._limits, self._folder, self._seconds = limits, folder, seconds
        self._end = time.monotonic() + seconds
        grouped: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", START, *map(str, sys.path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
            env=_environment(folder), **grouped,
        )  # fmt: skip
        self._lines: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        confined = {"memory": limits.memory, "seconds": seconds, "file_size": limits.file_size,
                    "open_files": limits.open_files, "folder": str(folder)}  # fmt: skip
        whole = {**order, "parent": os.getpid(), "confine": confined, "folder": str(folder),
                 "unpacked": limits.unpacked, "entries": limits.entries}  # fmt: skip
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it died; that is noticed below
            self._process.stdin.write(json.dumps(whole).encode("ascii") + b"\n")
            self._process.stdin.close()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._listener.join(5)
        assert self._process.stdout is not None
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
                    return {"error": Problem(self._death()).as_dict()}
                if "result" in said or "error" in said:
                    return said
                stage = said.get("stage", stage)
            if not beat(stage):
                return {"given up": True}

    def _overdrawn(self) -> str:
        if time.monotonic() > self._end:
            return "timed_out"
        return "too_much_written" if _size(self._folder) > self._limits.folder else ""

    def _death(self) -> str:
        """Why it is gone without a word."""
        status = self._process.wait()
        if status == -getattr(signal, "SIGXCPU", 0):
            return "timed_out"
        if status == -getattr(signal, "SIGXFSZ", 0):
            return "too_much_written"
        if status == -getattr(signal, "SIGKILL", 0):
            return "killed"
        return "crashed"

    def _listen(self) -> None:
        """Lines as they come, and None at the end of all."""
        taken = 0
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while taken < LONGEST and (line := self._process.stdout.readline(LONGEST - taken)):
                taken += len(line)
                self._lines.put(json.loads(line))
        self._lines.put(None)

    def _kill(self) -> None:
        """The whole group: a job has no children, but who knows."""
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the server's but what the system itself needs."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder),
            "LANG": "C.UTF-8", "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"}  # fmt: skip


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.lstat().st_size
    return total
