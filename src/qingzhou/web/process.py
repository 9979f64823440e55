"""Starting a job's process: forked from a process that has everything imported (Linux), else a fresh Python."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Protocol

from .forkserver import JOB, READY
from .log import log

# The folders to import from come as arguments, so that no variable of the server reaches a job.
START = "import sys; sys.path[:] = sys.argv[1:]; from qingzhou.web.task import main; main()"
START_FORKS = "import sys; sys.path[:] = sys.argv[2:]; from qingzhou.web.forkserver import main; main(int(sys.argv[1]))"
PYTHON, NOWHERE = [sys.executable, "-I", "-c"], Path("/")
STARTING = 60.0  # seconds that a fork server may take to import, and until one is tried again that did not start


class Process(Protocol):
    """A job's process. It reads one line from stdin and tells lines by stdout."""

    @property
    def stdin(self) -> IO[bytes]: ...
    @property
    def stdout(self) -> IO[bytes]: ...

    def wait(self, seconds: float) -> int | None:
        """Its exit status, as subprocess gives it; None if nobody can know any more. In the end it is killed: 1."""

    def kill(self) -> None:
        """End it and its group, and wait until it has."""


def start(folder: Path) -> Process:
    """A process in which task.main() waits for its order; this one is its parent, or its parent's."""
    return FORKS.fork() or _Fresh(folder)


class _Fresh:
    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [*PYTHON, START, *map(str, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(folder),
            start_new_session=os.name == "posix",
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self.stdin, self.stdout = self._process.stdin, self._process.stdout

    def wait(self, seconds: float) -> int | None:
        try:
            status: int = self._process.wait(seconds)
            return status
        except subprocess.TimeoutExpired:
            self.kill()
            return 1

    def kill(self) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                if os.name == "posix":
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.kill()
            self._process.wait()


class _Forked:
    def __init__(self, control: socket.socket) -> None:
        """OSError if there is nobody to fork it."""
        order, write = os.pipe()
        read, told = os.pipe()
        self._status, status = socket.socketpair()
        self.stdin, self.stdout = os.fdopen(write, "wb"), os.fdopen(read, "rb")
        try:
            socket.send_fds(control, [JOB], [order, told, status.fileno()])
        except OSError:
            for opened in (self.stdin, self.stdout, self._status):
                opened.close()
            raise
        finally:
            os.close(order)
            os.close(told)
            status.close()

    def wait(self, seconds: float) -> int | None:
        self._status.settimeout(seconds)
        try:
            return self._said()
        except TimeoutError:
            self.kill()
            return 1

    def kill(self) -> None:
        with contextlib.suppress(OSError):  # it has ended, or its parent has and took it along
            self._status.settimeout(None)
            self._status.shutdown(socket.SHUT_WR)
            self._said()
        self._status.close()

    def _said(self) -> int | None:
        """What the fork server says of its end; without a word if that is gone too."""
        said = b""
        try:
            while piece := self._status.recv(16):
                said += piece
        except ConnectionError:
            return None
        return int(said) if said else None


class ForkServer:
    """The one that jobs of this process are forked from; another is started when it is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._ready = False
        self._processes: list[subprocess.Popen[bytes]] = []  # the last one, and those before it whose jobs still run
        self._not_before = 0.0

    def warm(self) -> None:
        """Start it now, without waiting until it is ready."""
        with self._lock:
            self._start()

    def fork(self) -> Process | None:
        """A process for one job; None where there is no such server."""
        for _ in range(2):  # the second time from a new one
            with self._lock:
                control = self._started()
                if control is None:
                    return None
                with contextlib.suppress(OSError):
                    return _Forked(control)
                self._drop()
        return None

    def retire(self) -> None:
        """Let the next jobs come from a new one; those that run end with this one.

        After a crash: all that are forked from one have the same addresses, and crashes are how one looks for them.
        """
        with self._lock:
            self._drop()

    def close(self) -> None:
        """End it, and wait until it has."""
        with self._lock:
            self._drop()
            for process in self._processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(10)

    def _started(self) -> socket.socket | None:
        """The socket of one that is ready."""
        control = self._start()
        if control is None or self._ready:
            return control
        control.settimeout(STARTING)
        with contextlib.suppress(OSError):
            self._ready = control.recv(1) == READY
        control.settimeout(None)
        if not self._ready:
            log("no fork server", retry=STARTING)
            self._drop()
            self._not_before = time.monotonic() + STARTING
        return self._control

    def _start(self) -> socket.socket | None:
        if self._control is not None or sys.platform != "linux" or time.monotonic() < self._not_before:
            return self._control
        self._processes = [process for process in self._processes if process.poll() is None]
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._processes.append(
                subprocess.Popen(
                    [*PYTHON, START_FORKS, str(other.fileno()), *map(str, sys.path)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=NOWHERE,
                    env=_environment(NOWHERE),
                    start_new_session=True,
                    pass_fds=[other.fileno()],
                )
            )
        return self._control

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control, self._ready = None, False


FORKS = ForkServer()


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the server's but what the system itself needs."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(folder)),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
