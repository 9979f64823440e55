"""Frames of LZ4, as joblib writes them with compress="lz4".

https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md, lz4_Block_format.md. Checksums, which joblib does not ask
for, are stepped over: a pickle that was damaged is noticed by its reader.
"""

from __future__ import annotations

import struct

from ..errors import QingzhouError
from .refusals import damaged, unsafe

MAGIC = b"\x04\x22\x4d\x18"
VERSION = 1
WINDOW = 1 << 16  # how far back a match may lie


def unpacked(data: bytes, most: int) -> bytes:
    """What a file of one frame holds, at most so many bytes; CheckpointDamaged, UnsafeCheckpoint."""
    try:
        return _frame(data, most)
    except (IndexError, struct.error):
        raise damaged("it ends too early", "文件不完整，提前结束") from None


def _frame(data: bytes, most: int) -> bytes:
    """FLG: version, independent blocks, checksums of blocks, size, checksum of all, dictionary; BD; HC; then blocks."""
    flags = data[4]
    if flags >> 6 != VERSION or flags & 1:
        raise _garbled()
    summed, sized, closed = (bool(flags & bit) for bit in (16, 8, 4))
    size = struct.unpack_from("<Q", data, 6)[0] if sized else None
    if size is not None and size > most:
        raise _large(most)
    place, found = 7 + 8 * sized, bytearray()
    while True:
        (head,) = struct.unpack_from("<I", data, place)
        place, length = place + 4, head & 0x7FFFFFFF
        if not head:
            break
        if place + length > len(data):
            raise damaged("it ends too early", "文件不完整，提前结束")
        if head >> 31:
            found += data[place : place + length]
        else:
            _block(data, place, place + length, found, most)
        if len(found) > most:
            raise _large(most)
        place += length + 4 * summed
    if (size is not None and size != len(found)) or place + 4 * closed != len(data):
        raise _garbled()
    return bytes(found)


def _block(data: bytes, place: int, end: int, found: bytearray, most: int) -> None:
    """Sequences of literals and of a match: bytes that stand some way back, which may run into themselves."""
    while place < end:
        token = data[place]
        length, place = _length(data, place + 1, token >> 4)
        if place + length > end:
            raise _garbled()
        found += data[place : place + length]
        place += length
        if place == end:  # the last one has no match
            return
        back = data[place] | data[place + 1] << 8
        length, place = _length(data, place + 2, token & 15)
        length += 4
        if not 0 < back <= min(len(found), WINDOW) or place > end:
            raise _garbled()
        if len(found) + length > most:
            raise _large(most)
        start = len(found) - back
        if length <= back:
            found += found[start : start + length]
        else:
            found += (bytes(found[start:]) * (length // back + 1))[:length]


def _length(data: bytes, place: int, length: int) -> tuple[int, int]:
    """15 goes on in bytes as long as they are 255."""
    if length == 15:
        while (more := data[place]) == 255:
            length, place = length + 255, place + 1
        length, place = length + more, place + 1
    return length, place


def _garbled() -> QingzhouError:
    return damaged("what is packed in it is garbled", "其中压缩的数据混乱")


def _large(most: int) -> QingzhouError:
    return unsafe(f"it unpacks to more than {most} bytes", f"解压后超过 {most} 字节")
