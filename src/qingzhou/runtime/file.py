"""Opening files that somebody gave: whatever else has a name, a folder, a pipe or a device, is refused."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, BinaryIO

from .errors import FileMissing, QingzhouError

if TYPE_CHECKING:
    from typing import TypeGuard

    from .typed import FilePath

KINDS = {  # of what has a name and is no file
    stat.S_IFDIR: ("a folder", "文件夹"),
    stat.S_IFIFO: ("a pipe", "管道"),
    getattr(stat, "S_IFSOCK", -1): ("a socket", "套接字"),
}


def open_file(path: FilePath, buffering: int = -1) -> BinaryIO:
    """A file that somebody gave, to read its bytes; as open(), and FileMissing for what is there and is no file: a pipe
    may keep us waiting, a device may never end.
    """
    is_file(path)  # before it is opened, which some devices take for a command
    return open(path, "rb", buffering, opener=_opened)


def is_file(path: FilePath) -> bool:
    """Whether there is a file of this name; FileMissing for a folder, a pipe, a socket or a device."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a path with a null character
        return False
    _check(path, mode)
    return True


def _opened(path: FilePath, flags: int) -> int:
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    try:
        _check(path, os.fstat(handle).st_mode)  # it may be another one by now
    except QingzhouError:
        os.close(handle)
        raise
    return handle


def _check(path: FilePath, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    en, zh = KINDS.get(stat.S_IFMT(mode), ("a device", "设备"))
    raise FileMissing(
        en="%s is %s, not a file, and was not opened. Give the path of a file." % (path, en),
        zh="%s 是%s，不是文件，没有打开。请给出文件的路径。" % (path, zh),
    )


def is_path(data: object) -> TypeGuard[FilePath]:
    """Whether this is the path of a file."""
    return isinstance(data, (str, os.PathLike))
