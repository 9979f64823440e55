"""What a job's process may not do, asked of the kernel as native code would ask it, past Python's own hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qingzhou

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are Linux's")
SOURCE = str(Path(qingzhou.__file__).parent.parent)
# Passwords stand in arguments and units; a job of root could read a disk.
OTHERS = (
    "/proc",
    "/proc/1/cmdline",
    "/proc/1/status",
    "/proc/self/root/proc/1/cmdline",
    "/etc",
    "/etc/passwd",
    "/dev",
    "/dev/shm",
    "/dev/full",
    "/sys",
    "/sys/class",
)
NEEDED = (
    "/proc/self/status",
    "/proc/self/fd",
    "/proc/thread-self/stat",
    "/proc/cpuinfo",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
    "/usr",
)
PROGRAM = """
import ctypes, errno, json, os, sys, threading
sys.path.insert(0, sys.argv[1])
from qingzhou.confine import confine
libc = ctypes.CDLL(None, use_errno=True)
def code(function, *arguments):
    return errno.errorcode[ctypes.get_errno()] if function(*arguments) < 0 else "done"
held = confine(os.getppid(), 1 << 30, 60, 1 << 20, 64, sys.argv[2])
O_WRITE = os.O_WRONLY | os.O_CREAT
said = {
    "held": held,
    "socket": code(libc.socket, 2, 1, 0),
    "unix socket": code(libc.socket, 1, 1, 0),
    "fork": code(libc.fork),
    "exec": code(libc.execv, b"/bin/true", None),
    "kill the parent": code(libc.kill, os.getppid(), 0),
    "write outside": code(libc.open, sys.argv[3].encode() + b"/evil", O_WRITE, 0o600),
    "read outside": code(libc.open, sys.argv[3].encode() + b"/secret", os.O_RDONLY),
    "write inside": code(libc.open, sys.argv[2].encode() + b"/fine", O_WRITE, 0o600),
    "beside it": code(libc.open, sys.argv[2].encode() + b"/../beside", os.O_RDONLY),
    **{place: code(libc.open, place.encode(), os.O_RDONLY) for place in sys.argv[4:]},
    "the parent's arguments": code(libc.open, b"/proc/%d/cmdline" % os.getppid(), os.O_RDONLY),
}
thread = threading.Thread(target=lambda: said.update(thread="done"))
thread.start(); thread.join()
for name, act in {"memory": lambda: bytearray(2 << 30), "python socket": lambda: __import__("socket").socket(),
                  "a large file": lambda: open(sys.argv[2] + "/large", "wb").write(bytes(2 << 20)),
                  "popen": lambda: __import__("subprocess").Popen(["true"])}.items():
    try:
        act()
        said[name] = "done"
    except BaseException as err:
        said[name] = type(err).__name__
print(json.dumps(said))
"""


@pytest.fixture
def said(tmp_path: Path) -> dict[str, object]:
    """What became of each attempt."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("answers")
    (tmp_path / "beside").write_text("another job")
    program = f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{PROGRAM}"
    argv = [sys.executable, "-c", program, SOURCE, str(inside), str(outside), *OTHERS, *NEEDED]
    paths = {**os.environ, "PYTHONPATH": str(tmp_path)}  # as if the server had been started in its own folder
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env=paths)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_what_a_job_may_not(said: dict[str, object]) -> None:
    held = said["held"]
    assert isinstance(held, list) and {"cpu", "memory", "file size", "dies with its parent", "hook"} <= set(held)
    assert said["memory"] == "MemoryError" and said["a large file"] == "OSError"
    assert said["python socket"] == said["popen"] == "PermissionError"
    assert said["thread"] == said["write inside"] == "done"


def test_what_the_kernel_refuses(said: dict[str, object]) -> None:
    held = said["held"]
    assert isinstance(held, list)
    if "sockets" not in held:
        pytest.skip("this kernel or container has no seccomp filters")
    assert {said[name] for name in ("socket", "unix socket", "fork", "exec", "kill the parent")} == {"EPERM"}


def test_what_lies_outside(said: dict[str, object]) -> None:
    held = said["held"]
    assert isinstance(held, list)
    if "files" not in held:
        pytest.skip("this kernel has no Landlock")
    assert said["write outside"] == said["read outside"] == said["beside it"] == "EACCES"


def test_what_it_sees_of_the_system(said: dict[str, object]) -> None:
    """Of other processes nothing, their arguments included; of the machine what numerical libraries ask."""
    held = said["held"]
    assert isinstance(held, list)
    if "files" not in held:
        pytest.skip("this kernel has no Landlock")
    assert {name: said[name] for name in NEEDED} == dict.fromkeys(NEEDED, "done")
    assert said["the parent's arguments"] == "EACCES"
    assert {said[name] for name in OTHERS} <= {"EACCES", "ENOENT"}
