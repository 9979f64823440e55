"""Files that are there whole or not at all, and working folders that do not outlive their maker for long.

What is not finished lies in a folder `.NAME.xxxxxxxx.qingzhou` beside its place. The file in it that says so stays
locked as long as its maker lives, on network disks too; the system lets go of the lock, however a maker ends. So the
next one who writes there knows by the lock, and not by a name, what may be removed. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
import time
from typing import Any, Callable, Iterator, Optional, Set

from .errors import OutputError

SUFFIX = ".qingzhou"
OURS = re.compile(r"\..*\.[a-z0-9_]{8}\.qingzhou")
LOCK = "qingzhou-lock"  # in each folder; what it says makes the folder ours
SAYS = "A working folder of qingzhou, which the next run removes.\n"
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# Whatever lies there by that name: nothing is followed, nothing waited for.
THERE = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
DAY = 24 * 3600.0  # after which also another computer's is removed: some network disks keep locks to themselves
DEVICES = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)
KINDS = (  # what is no file, as people call it
    (stat.S_ISDIR, "a folder", "文件夹"),
    (stat.S_ISFIFO, "a named pipe (FIFO)", "命名管道（FIFO）"),
    (stat.S_ISSOCK, "a socket", "套接字"),
)
_swept: Set[str] = set()  # folders that this process has looked through


@contextlib.contextmanager
def replacing(path: str, follow: bool = True) -> Iterator[str]:
    """A file to write, which moves to `path` when the block ends well and vanishes otherwise; OutputError.

    `follow`: what a link names is replaced, and the link stays; else a link is refused. The block opens and closes the
    file as it likes: onnxruntime on Windows cannot read one that is open for writing.
    """
    place = place_of(path, follow)
    try:
        with working_folder(os.path.dirname(place), os.path.basename(place)) as folder:
            part = os.path.join(folder, os.path.basename(place))
            yield part
            os.replace(part, place)
    except OSError as err:
        raise cannot_write(path, err) from None


def place_of(path: str, follow: bool = True) -> str:
    """The file that is written under this name: itself, or the one that a link names. OutputError for what is no file,
    is write-protected, or is a link that leads nowhere.
    """
    is_link = os.path.islink(path)
    if sys.platform == "win32" and DEVICES.fullmatch(os.path.basename(path).rstrip(" .")):
        raise _refused(path, "is a name of Windows for a device", "是 Windows 的设备名")
    if is_link and not follow:
        raise _refused(path, "is a link, and what it leads to is not written to", "是链接，不会写入它指向的文件")
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if is_link:
            raise _refused(path, "is a link that leads nowhere", "是一个失效的链接") from None
        return path
    except (OSError, ValueError) as err:  # ValueError: a path with a null character
        raise cannot_write(path, err) from None
    if not stat.S_ISREG(found.st_mode):
        en, zh = next(((en, zh) for fits, en, zh in KINDS if fits(found.st_mode)), ("a device", "设备"))
        raise _refused(path, "is %s, not a file" % en, "是%s，不是文件" % zh)
    if not found.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise _refused(path, "is write-protected", "是只读文件")
    return os.path.realpath(path) if is_link else path


# -- working folders ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def working_folder(parent: str, name: str) -> Iterator[str]:
    """An empty folder in `parent`, which vanishes when the block ends; OSError. What was left there before goes too."""
    parent = parent or os.curdir
    sweep(parent)
    folder = tempfile.mkdtemp(prefix=".%s." % name[:40], suffix=SUFFIX, dir=parent)
    handle = None
    try:
        handle = os.open(os.path.join(folder, LOCK), NEW, 0o600)
        if lock(handle):  # else it says nothing, and nobody removes it: nobody could know when
            os.write(handle, (SAYS + computer()).encode("utf-8"))
        yield folder
    finally:
        _remove(folder, handle)


def sweep(folder: str) -> None:
    """Remove the working folders here that nobody needs any more, once in a process; what cannot be, stays."""
    place = os.path.realpath(folder)
    if place in _swept:
        return
    _swept.add(place)
    with contextlib.suppress(OSError):
        for name in filter(OURS.fullmatch, os.listdir(place)):
            with contextlib.suppress(OSError):
                _remove_if_left(os.path.join(place, name))


def _remove_if_left(folder: str) -> None:
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "geteuid") and found.st_uid != os.geteuid()):
        return
    handle = os.open(os.path.join(folder, LOCK), THERE)
    if stat.S_ISREG(os.fstat(handle).st_mode) and lock(handle) and _is_left(handle):
        _remove(folder, handle)
    else:
        os.close(handle)


def _is_left(handle: int) -> bool:
    """Whether it is a working folder's lock, and of this computer, or old."""
    said = os.read(handle, 4096).decode("utf-8", "replace")
    age = time.time() - os.fstat(handle).st_mtime
    return said == SAYS + computer() or (said.startswith(SAYS) and age > DAY)


def _remove(folder: str, handle: Optional[int]) -> None:
    """Everything in the folder, the lock last: what could not be removed is the next one's to remove."""
    with contextlib.suppress(OSError):
        for entry in os.listdir(folder):
            if entry != LOCK:
                with contextlib.suppress(OSError):
                    _remove_all(os.path.join(folder, entry))
    if handle is not None:
        os.close(handle)
    with contextlib.suppress(OSError):
        if os.listdir(folder) == [LOCK]:
            os.unlink(os.path.join(folder, LOCK))
        os.rmdir(folder)  # which takes none that is not empty


def _remove_all(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        ways: Any = {"onexc" if sys.version_info >= (3, 12) else "onerror": _once_more}
        shutil.rmtree(path, **ways)
    else:
        os.unlink(path)


def _once_more(remove: Callable[..., Any], path: str, _: object) -> None:
    """Windows removes nothing that is write-protected. What stays is the next one's to remove."""
    if os.name == "nt":
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)
            remove(path)


def computer() -> str:
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


if sys.platform == "win32":
    import msvcrt

    def lock(handle: int) -> bool:
        """Whether the file's lock is ours now."""
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(handle: int) -> bool:
        """Whether the file's lock is ours now: not where another has it, or the disk has no locks."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


# -- what is said ---------------------------------------------------------------------------------------------------


def cannot_write(path: str, err: Exception) -> OutputError:
    """What the system refuses, in words."""
    reason = getattr(err, "strerror", None) or str(err) or type(err).__name__
    return OutputError(
        en="Cannot write %s: %s. Nothing was left behind. Choose another place, or make room there." % (path, reason),
        zh="无法写入 %s：%s。没有留下不完整的文件。请换一个位置，或清理磁盘空间。" % (path, reason),
    )


def _refused(path: str, en: str, zh: str) -> OutputError:
    return OutputError(
        en="%s %s; nothing was written. Choose another place, or move away what is there." % (path, en),
        zh="%s %s，没有写入任何内容。请换一个位置，或移走那里的东西。" % (path, zh),
    )
