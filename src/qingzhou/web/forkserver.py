"""The process that jobs are forked from: it has imported what they need, so that each does not do so anew. Linux only.

It reads no file of a user and no order; it has one thread, or it serves nobody. Each job is a process as before, which
drops all that it inherited, confines itself, and only then reads its order. process.py is the other side.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import tempfile
from collections.abc import Iterable, Iterator

NEEDED = (
    "qingzhou.info",
    "qingzhou.conversion",
    "qingzhou.model",
    "qingzhou.scenes",
    "qingzhou.runtime.model.sample",
    "qingzhou.quant",
    "qingzhou.present.quantized_page",
    "qingzhou.bundle.build",
    "qingzhou.web.problems",
    "qingzhou.web.task",
    "qingzhou.web.unzip",
    "importlib.readers",
    "rich.progress",
)
# Of these rooms everything: a command imports there what its file needs, a job has it already.
ROOMS = ("files", "graph", "nets", "onnxfile", "runtime.model", "sources")
READY, JOB = b"+", b"j"
PR_SET_DUMPABLE = 4
FIRST_TO_GO = "500"  # when the system is out of memory: jobs before their server


def main(control: int) -> None:
    """Fork for whoever holds the other end of this socket, until it is closed and every job has ended."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # the server's affair; who stops a service signals all its processes
    channel = socket.socket(fileno=control)
    _import_all()
    os.close(os.pidfd_open(os.getpid()))  # an old kernel refuses here, and is served in the old way
    if len(os.listdir("/proc/self/task")) == 1:
        _dumpable(False)  # no process of this user may look into it
        channel.send(READY)
        _Server(channel).run()


def _import_all() -> None:
    from PIL import Image

    from ..runtime.engine.session import onnxruntime_package
    from ..scenes.needs import module, modules

    for name in (*NEEDED, *_modules_of(ROOMS)):
        importlib.import_module(name)
    Image.preinit()
    onnxruntime_package()
    for name in modules():
        module(name)  # its text, which it keeps: most jobs write a program
    gc.collect()
    gc.freeze()  # what is never looked at again stays shared with the jobs


def _modules_of(rooms: Iterable[str]) -> Iterator[str]:
    """The names of their modules, also of rooms within."""
    for room in rooms:
        package = importlib.import_module(f"qingzhou.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield module.name


def _dumpable(yes: bool) -> None:
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, int(yes), 0, 0, 0)


class _Server:
    """One thread, no clock: it waits for orders to fork, for jobs that end, and for those that are given up."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)
        self._open = True
        self._jobs: dict[int, tuple[int, int, int]] = {}  # process, its pidfd, its status socket; by either of the two

    def run(self) -> None:
        while self._open or self._jobs:
            handle = self._poll.poll()[0][0]  # one at a time: what it closes may be opened again under the same number
            if handle in self._jobs:
                self._look_after(handle)
            else:
                self._take()

    def _take(self) -> None:
        """An order's pipe, what the job tells, and where its end is to be reported; or the end of the server."""
        word, handles, _, _ = socket.recv_fds(self._channel, 1, 3)
        if word == JOB and len(handles) == 3:
            self._fork(*handles)
            return
        self._poll.unregister(self._channel.fileno())
        self._open = False

    def _fork(self, order: int, told: int, status: int) -> None:
        parent = os.getpid()
        process = -1
        with contextlib.suppress(OSError):  # no room for a process: the status closes without a word
            process = os.fork()
        if process == 0:
            self._become_job(parent, order, told)
        os.close(order)
        os.close(told)
        if process < 0:
            os.close(status)
            return
        pidfd = os.pidfd_open(process)
        for handle in (pidfd, status):
            self._jobs[handle] = process, pidfd, status
            self._poll.register(handle, select.POLLIN)

    def _become_job(self, parent: int, order: int, told: int) -> None:
        """Never returns. Nothing of this process stays open, neither its own handles nor those of other jobs."""
        code = 1
        try:
            os.setsid()
            self._channel.detach()
            os.dup2(order, 0)
            os.dup2(told, 1)
            os.closerange(3, max(map(int, os.listdir("/proc/self/fd"))) + 1)
            tempfile.tempdir = None
            _dumpable(True)  # its own /proc is its own again
            with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
                file.write(FIRST_TO_GO)
            from .task import main as job

            job(parent)
            code = 0
        finally:
            os._exit(code)

    def _look_after(self, handle: int) -> None:
        """It ended, or its order is taken back: then it ends now."""
        process, pidfd, status = self._jobs[handle]
        if handle == status:
            for kill in (os.kill, os.killpg):  # it leads a group as soon as it says so
                with contextlib.suppress(OSError):
                    kill(process, signal.SIGKILL)
        _, how = os.waitpid(process, 0)
        for each in (pidfd, status):
            self._poll.unregister(each)
            del self._jobs[each]
        with contextlib.suppress(OSError):  # nobody listens any more
            os.write(status, str(os.waitstatus_to_exitcode(how)).encode())
        os.close(pidfd)
        os.close(status)
