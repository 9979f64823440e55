"""Files that are somebody's own: which name a program of ours takes beside one, and under which name theirs stays."""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable, Container, Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar

JUNCTION = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT; folders kept in a cloud have other tags, and are folders
Name = TypeVar("Name", bound=PurePath)  # of a file here, or on a board


def program_place(path: Path, ours: Callable[[Path], bool]) -> Path:
    """Where a program of ours goes: one that somebody wrote or changed stays in use, and ours becomes best_run.py.

    ours  whether a file is just as we wrote it; it may be replaced
    """
    names = itertools.chain([path], numbered(path, "_run"))
    return next(name for name in names if not os.path.lexists(name) or (is_plain(name) and ours(name)))


def kept_name(path: Path) -> Path:
    """Under which name something of somebody's stays whose own name we need: labels.old.txt, labels.old2.txt, …"""
    return next(name for name in numbered(path, ".old") if not os.path.lexists(name))


def kept_there(name: str, taken: Container[str]) -> str:
    """The same for a file on another machine, where these names are taken."""
    return next(one for one in map(str, numbered(PurePosixPath(name), ".old")) if one not in taken)


def numbered(path: Name, mark: str) -> Iterator[Name]:
    """best_run.py, best_run2.py, best_run3.py, …: names beside a path, without end."""
    yield from (path.with_name(f"{path.stem}{mark}{n if n > 1 else ''}{path.suffix}") for n in itertools.count(1))


def is_plain(path: Path) -> bool:
    """Whether it is a file that lies there itself: no link, no folder, nothing that could wait or lead elsewhere."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether it is a folder that lies there itself, and no link to one (or junction, as Windows calls them)."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) and getattr(found, "st_reparse_tag", 0) != JUNCTION
