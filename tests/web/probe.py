"""What a job's process sees and may do, asked from within: in place of looking at a model. See test_forkserver.py."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qingzhou.web import task

LIBC = ctypes.CDLL(None, use_errno=True)
ATTACH = 16  # of ptrace


def outcome(function: Callable[..., int], *arguments: Any) -> str:
    """ "done", or the name of the error."""
    return errno.errorcode[ctypes.get_errno()] if function(*arguments) < 0 else "done"


def opened(path: str) -> str:
    """ "done", or the class of the error."""
    try:
        with Path(path).open("rb") as file:
            return "done" if file.read(1) else "nothing"
    except OSError as err:
        return type(err).__name__


def handles() -> dict[str, str]:
    """What is open, and what it is."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            place = os.readlink(f"/proc/self/fd/{name}").partition(":")[0]
            found[name] = place.replace(f"/proc/{os.getpid()}", "/proc/self")
    return found


def probe(order: dict[str, Any], tell: Any) -> dict[str, Any]:
    """The order's "lang" stays a language; what is asked for is in the model's name."""
    asked = Path(order["model"]).stem
    parent = os.getppid()
    if asked == "crash":
        ctypes.string_at(0)
    if asked == "chatter":
        for _ in range(40):
            tell({"stage": "x" * (1 << 19)})
    if asked == "sleep":
        tell({"stage": {"pid": os.getpid()}})
        time.sleep(60)
    return {
        "pid": os.getpid(),
        "parent": parent,
        "group": os.getpgrp(),
        "session": os.getsid(0),
        "handles": handles(),
        "threads": len(os.listdir("/proc/self/task")),
        "folder": os.getcwd(),
        "home": os.environ["HOME"],
        "held": HELD,
        "secret": os.environ.get("SECRET"),
        "memory of its parent": opened(f"/proc/{parent}/mem"),
        "its environment": opened(f"/proc/{parent}/environ"),
        "kill its parent": outcome(LIBC.kill, parent, 9),
        "trace its parent": outcome(LIBC.ptrace, ATTACH, parent, 0, 0),
        "fork": outcome(LIBC.fork),
        "socket": outcome(LIBC.socket, 2, 1, 0),
        "unix socket": outcome(LIBC.socket, 1, 1, 0),
        "write outside": outcome(LIBC.open, b"/tmp/qingzhou-evil", os.O_WRONLY | os.O_CREAT, 0o600),
        "capabilities": Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0],
        "oom": Path("/proc/self/oom_score_adj").read_text().strip(),
    }


HELD: list[str] = []
_confine = task.confine


def confine(*arguments: Any, **named: Any) -> list[str]:
    """Remembers what holds."""
    HELD[:] = _confine(*arguments, **named)
    return HELD


def install() -> None:
    """From now on jobs tell this."""
    task.confine = confine
    task._info = probe
