"""A program outside, with libraries that are none of ours: started, told what to do, waited for, ended with all it has.

It gets an order as a line of JSON on stdin, and answers with lines of JSON on what was its stdout: any number of
{"doing": …} for whoever watches, and at last the answer. What it and its libraries print goes into a file. The standard
library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .runtime.file import open_file

SAID = "said.txt"  # in its folder: what it and its libraries print
MOST_TOLD = 1 << 20  # bytes of an answer


@dataclass(frozen=True)
class Ended:
    """What came of it.

    answer  None where there was none
    what    how it ended: "exit 0", "SIGKILL"
    last    the last line that was printed
    late    whether its time was over
    """

    answer: dict[str, Any] | None
    what: str
    last: str
    late: bool = False

    @property
    def memory_full(self) -> bool:
        """Whether that is the likeliest reason why there is no answer."""
        words = ("MemoryError", "bad_alloc", "OutOfMemory", "Cannot allocate memory")
        return self.what in ("SIGKILL", "SIGABRT") or any(word in self.last for word in words)


def ask(
    command: Sequence[str],
    order: Mapping[str, Any],
    folder: Path,
    seconds: float,
    environment: Mapping[str, str],
    heard: Callable[[str], None] = lambda doing: None,
) -> Ended:
    """Run it in `folder`; OSError where no process can be started. It dies with all that it has started."""
    with open(folder / SAID, "wb") as said:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            cwd=folder,
            env=dict(environment),
            start_new_session=os.name == "posix",
        )
    told: list[bytes] = []
    try:
        assert process.stdin is not None and process.stdout is not None
        listener = threading.Thread(target=_listen, args=(process.stdout, told, heard), daemon=True)
        listener.start()
        with contextlib.suppress(OSError):  # it has ended already
            process.stdin.write(json.dumps({**order, "parent": os.getpid()}).encode("ascii") + b"\n")
            process.stdin.close()
        process.wait(seconds)
        listener.join(5)  # a child of its own may hold the pipe
        late = False
    except subprocess.TimeoutExpired:
        late = True
    finally:
        _end(process)
    return Ended(_answer(told), _signal(process.returncode), last_words(folder), late)


def _listen(stream: IO[bytes], told: list[bytes], heard: Callable[[str], None]) -> None:
    with contextlib.suppress(OSError, ValueError):  # the pipe was closed from this side
        while line := stream.readline(MOST_TOLD):
            found = _parsed(line)
            if found is not None and isinstance(found.get("doing"), str):
                heard(found["doing"])
            else:
                told[:] = [line]


def _answer(told: Sequence[bytes]) -> dict[str, Any] | None:
    return _parsed(told[-1]) if told else None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _end(process: subprocess.Popen[bytes]) -> None:
    """With all that it has started."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _signal(status: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(-status).name
    return f"exit {status}"


def last_words(folder: Path) -> str:
    """The last line that was printed, of its last 4 kB; "" where there is none."""
    with contextlib.suppress(OSError), open_file(folder / SAID) as said:
        said.seek(max(0, os.fstat(said.fileno()).st_size - 4096))
        lines = said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else ""
    return ""
