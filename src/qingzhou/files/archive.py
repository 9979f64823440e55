"""The zip container (torch >= 1.6), read strictly: PKWARE APPNOTE 6.3.10 as far as torch uses it.

Not `zipfile`: it believes the central directory, inflates, and takes a file apart before it can be limited.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from .file import File, Record
from .limits import Limits
from .refusals import damaged, short, unsafe, wrong_type

END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16
END64_PLACE = struct.Struct("<4sLQL")  # 4.3.15
END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
ENTRY = struct.Struct("<4s6H3L5H2L")  # 4.3.12
LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
ENCRYPTED, STREAMED = 1, 8  # flag bits, 4.4.4
FULL = 0xFFFFFFFF  # "see the zip64 field"


class Entry(NamedTuple):
    """One line of the central directory."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int  # offset of the local header
    name_size: int  # bytes


def read_archive(file: File, limits: Limits) -> dict[str, Record]:
    """The records of a torch checkpoint by name below its root: {"data.pkl": Record, "data/0": Record, …}."""
    entries = list(directory(file, limits))
    names = _below_root([entry.name for entry in entries])
    if sum(entry.size for entry in entries) > file.size:
        raise unsafe("its parts overlap each other", "其中的数据块互相重叠")
    with file.held():
        return {name: record(file, entry) for name, entry in zip(names, entries, strict=True)}


def appended(file: File, limits: Limits) -> list[Entry]:
    """The same of a zip that stands behind another file, as label lists do behind a .tflite; its places are counted
    from where it begins, or from the start of the file. [] where there is none.
    """
    if file.read(max(file.size - END.size, 0), min(END.size, file.size))[:4] != b"PK\x05\x06":
        return []
    return list(directory(file, limits, behind=True))


def directory(file: File, limits: Limits, behind: bool = False) -> Iterator[Entry]:
    """What any zip says that it holds; CheckpointDamaged, UnsafeCheckpoint. behind: something else stands before it."""
    count, size, offset, before = _end(file, behind)
    if count > limits.records or size > limits.header_bytes:
        raise unsafe(f"its directory lists {count} parts", f"目录中有 {count} 个数据块")
    data, place = file.read(offset, size), 0
    for _ in range(count):
        entry, place = _entry(data, place)
        yield entry._replace(header=entry.header + before) if before else entry
    if place != size:
        raise damaged("its directory has the wrong size", "目录大小不符")


def _end(file: File, behind: bool = False) -> tuple[int, int, int, int]:
    """(number of entries, size, offset) of the central directory, which must end where the end record starts, and how
    much stands before the place that its places are counted from.
    """
    tail_size = min(file.size, END.size + 0xFFFF)
    tail = file.read(file.size - tail_size, tail_size)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) < place + END.size:
        raise damaged("its end is missing, as after an interrupted download", "缺少结尾部分，可能下载中断")
    _, disk, disk2, _, count, size, offset, comment = END.unpack_from(tail, place)
    start = file.size - tail_size + place
    if len(tail) != place + END.size + comment or disk or disk2:
        raise damaged("there is something after its end", "结尾之后还有多余内容")
    if wide := _end64(file, start):
        if any(n not in (w, FULL, 0xFFFF) for n, w in zip((count, size, offset), wide, strict=False)):
            raise unsafe("its two ends say different things", "两处结尾信息不一致")
        count, size, offset, start = wide
    before = start - offset - size
    if before and not (behind and before > 0):
        raise damaged("its directory is not where it should be", "目录位置不符")
    return count, size, offset + before, before


def _end64(file: File, end: int) -> tuple[int, int, int, int] | None:
    """The zip64 end record and its place; torch always writes one."""
    place = end - END64_PLACE.size
    magic, _, start, _ = END64_PLACE.unpack(file.read(place, END64_PLACE.size)) if place >= 0 else (b"", 0, 0, 0)
    if magic != b"PK\x06\x07":
        return None
    magic, _, _, _, disk, disk2, _, count, size, offset = END64.unpack(file.read(start, END64.size))
    if magic != b"PK\x06\x06" or disk or disk2:
        raise damaged("its zip64 end is broken", "zip64 结尾已损坏")
    return count, size, offset, start


def _entry(data: bytes, place: int) -> tuple[Entry, int]:
    """The directory entry at this place, and the place of the next."""
    try:
        fields = ENTRY.unpack_from(data, place)
    except struct.error:
        raise damaged("its directory ends too early", "目录不完整") from None
    magic, _, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment, _, _, _, header = fields
    name_at = place + ENTRY.size
    extra_at = name_at + name_size
    end = extra_at + extra_size + comment
    if magic != b"PK\x01\x02" or end > len(data):
        raise damaged("its directory is broken", "目录已损坏")
    wide = _zip64(data[extra_at : extra_at + extra_size], [size, packed, header])
    name = data[name_at:extra_at].decode("utf-8", "backslashreplace")
    return Entry(name, flags, method, crc, packed=wide[1], size=wide[0], header=wide[2], name_size=name_size), end


def _zip64(extra: bytes, values: list[int]) -> list[int]:
    """Replace the values that say FULL by those of the zip64 field, in order (4.5.3)."""
    while len(extra) >= 4 and FULL in values:
        kind, size = struct.unpack_from("<2H", extra)
        if kind == 1:
            wide = iter([n for (n,) in struct.iter_unpack("<Q", extra[4 : 4 + size // 8 * 8])])
            return [next(wide, FULL) if value == FULL else value for value in values]
        extra = extra[4 + size :]
    return values


def _below_root(names: list[str]) -> list[str]:
    """The names without their one common root; refuses zips that are something else."""
    roots = {name.removesuffix("/data.pkl") for name in names if name.endswith("/data.pkl")}
    if any(name.endswith("/constants.pkl") for name in names):
        raise wrong_type(
            "a TorchScript program (torch.jit.save)",
            "TorchScript 程序（torch.jit.save）",
            "Save the model itself with torch.save(model.state_dict(), 'model.pth')",
            "请用 torch.save(model.state_dict(), 'model.pth') 保存模型本身",
        )
    if not roots:
        raise _ordinary_zip(names)
    root = min(roots, key=len) + "/"
    if len(roots) > 1 or not all(name.startswith(root) for name in names):
        raise unsafe("it holds more than one archive", "其中有不止一个存档")
    if len(set(names)) != len(names):
        raise unsafe("two of its parts have the same name", "其中有重名的数据块")
    return [name.removeprefix(root) for name in names]


def _ordinary_zip(names: list[str]) -> Exception:
    inside = ", ".join(short(name, 40) for name in names[:3]) or "-"
    return wrong_type(
        f"an ordinary zip file (with {inside})",
        f"普通 zip 压缩包（包含 {inside}）",
        "Unpack it, and give the file of the model inside",
        "请解压后使用其中的模型文件",
    )


def record(file: File, entry: Entry) -> Record:
    """Where an entry's bytes are; UnsafeCheckpoint unless they lie there as they are.

    torch pads the local header, so only that one knows.
    """
    if entry.flags & ENCRYPTED:
        raise unsafe(f"its part {short(entry.name)} is encrypted", f"数据块 {short(entry.name)} 已加密")
    if entry.method != 0 or entry.packed != entry.size:
        raise unsafe(f"its part {short(entry.name)} is compressed", f"数据块 {short(entry.name)} 经过压缩")
    head = file.read(entry.header, LOCAL.size + entry.name_size)
    fields = LOCAL.unpack_from(head)
    magic, _, flags, method, _, _, crc, packed, size, name_size, extra_size = fields
    name = head[LOCAL.size :].decode("utf-8", "backslashreplace")
    told = (packed, size, crc) if not flags & STREAMED else ()
    if (
        magic != b"PK\x03\x04"
        or (name_size, name) != (entry.name_size, entry.name)
        or method != entry.method
        or flags & ENCRYPTED
    ):
        raise unsafe(
            f"its part {short(entry.name)} has two different headers", f"数据块 {short(entry.name)} 的两处说明不一致"
        )
    if told and told != (entry.packed, entry.size, entry.crc) and FULL not in told[:2]:
        raise unsafe(
            f"its part {short(entry.name)} has two different sizes", f"数据块 {short(entry.name)} 的两处大小不一致"
        )
    found = Record(entry.header + LOCAL.size + name_size + extra_size, entry.size, entry.crc)
    if found.offset + found.size > file.size:
        raise damaged(f"its part {short(entry.name)} is incomplete", f"数据块 {short(entry.name)} 不完整")
    return found


def inflated(file: File, entry: Entry, most: int) -> bytes:
    """What a compressed part holds, at most so many bytes; UnsafeCheckpoint, CheckpointDamaged."""
    if entry.method == 0:
        found = record(file, entry)
        if found.size > most:
            raise unsafe(f"its part {short(entry.name)} has {found.size} bytes", f"数据块 {short(entry.name)} 过大")
        return file.load(found, 0, found.size).tobytes()
    if entry.flags & ENCRYPTED or entry.method != 8 or entry.size > most or entry.packed > file.size:
        raise unsafe(f"its part {short(entry.name)} is packed strangely", f"数据块 {short(entry.name)} 的压缩方式异常")
    head = file.read(entry.header, LOCAL.size)
    magic, _, _, method, _, _, _, _, _, name_size, extra_size = LOCAL.unpack_from(head)
    if magic != b"PK\x03\x04" or method != entry.method or name_size != entry.name_size:
        raise unsafe(
            f"its part {short(entry.name)} has two different headers", f"数据块 {short(entry.name)} 的两处说明不一致"
        )
    packed = file.read(entry.header + LOCAL.size + name_size + extra_size, entry.packed)
    unpacker = zlib.decompressobj(-15)
    try:
        data = unpacker.decompress(packed, entry.size + 1)
    except zlib.error:
        raise damaged(f"its part {short(entry.name)} is garbled", f"数据块 {short(entry.name)} 混乱") from None
    if len(data) != entry.size or not unpacker.eof or zlib.crc32(data) != entry.crc:
        raise damaged(f"its part {short(entry.name)} has the wrong size", f"数据块 {short(entry.name)} 大小不符")
    return data
