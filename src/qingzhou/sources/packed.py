"""A part of a model as bytes: as it lies in a file, a folder or a zip, or unpacked."""

from __future__ import annotations

from ..files.archive import directory, inflated
from ..files.hdf5 import Bytes, InFile, InMemory
from ..files.refusals import short, unsafe
from .source import Opened


def member(opened: Opened, name: str, most: int) -> Bytes:
    """A part as it lies there, or unpacked; UnsafeCheckpoint for more than `most`."""
    if opened.whole is None or not opened.head.startswith(b"PK"):
        found = opened.members[name]()
        return InFile(found.file, found.record)
    entry = next(one for one in directory(opened.file, opened.limits) if one.name == name)
    if entry.method == 0:
        found = opened.members[name]()
        return InFile(found.file, found.record)
    if entry.size > opened.limits.spread_floor and entry.size > 200 * entry.packed:
        raise unsafe(f"its part {short(name)} is packed strangely", f"数据块 {short(name)} 的压缩方式异常")
    return InMemory(inflated(opened.file, entry, most))


def small(opened: Opened, name: str, most: int) -> bytes:
    """All of a part that is read as a whole; UnsafeCheckpoint for one that is too large."""
    source = member(opened, name, most)
    if source.size > most:
        raise unsafe(f"its part {short(name)} has {source.size} bytes", f"数据块 {short(name)} 过大")
    return source.read(0, source.size)
