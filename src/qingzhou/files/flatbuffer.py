"""Flatbuffers, read by position: https://flatbuffers.dev/internals/

Not by the package of that name: its readers follow every offset of a file without looking where it leads. Here each is
compared with the length of the file before anything is read there, and what is visited is counted. A schema is a text
for each table, its fields in the order of their numbers:

>>> SCHEMA = schema({"Model": "version u4=3, name text, parts [Part], weights [u1]", "Part": "size i4"})
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .refusals import damaged, unsafe

VISITED = 2_000_000  # tables and numbers of one file; the largest of honest ones have some ten thousands
NUMBERS = {"?": "?", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q", "f4": "f"}
FORMATS = {kind: struct.Struct(f"<{code}") for kind, code in NUMBERS.items()}
DTYPES = {kind: np.dtype(f"<{kind}" if kind != "?" else "?") for kind in NUMBERS}
OFFSET, VTABLE, SIGNED = struct.Struct("<I"), struct.Struct("<HH"), struct.Struct("<i")


@dataclass(frozen=True)
class Field:
    """One field of a table: its number, and what it is.

    kind     one of NUMBERS, "text", "table" (inner names it), or "union", whose table another field tells
    several  a row of such
    """

    number: int
    kind: str
    inner: str = ""
    several: bool = False
    default: float = 0


Fields = Mapping[str, Field]
Schema = Mapping[str, Fields]


def schema(texts: Mapping[str, str]) -> Schema:
    """Tables by name; a field that is called "_" is not read."""
    return {name: dict(_fields(text)) for name, text in texts.items()}


def _fields(text: str) -> list[tuple[str, Field]]:
    found = []
    for number, one in enumerate(text.split(", ") if text else ()):
        name, _, kind = one.partition(" ")
        kind, _, default = kind.partition("=")
        several, kind = kind.startswith("["), kind.strip("[]")
        plain = kind in NUMBERS or kind in ("text", "union", "")
        found.append((name, Field(number, kind if plain else "table", kind, several, float(default or 0))))
    return [(name, one) for name, one in found if name != "_"]


@dataclass
class Buffer:
    """A whole file, and how much of it may still be visited."""

    data: bytes
    schema: Schema
    left: int = VISITED
    known: dict[tuple[str, int], Table] = field(default_factory=dict)

    def root(self, name: str) -> Table:
        """The table with which it begins; CheckpointDamaged."""
        return self.table(name, self.follow(0))

    def count(self, things: int) -> None:
        """UnsafeCheckpoint where more is visited than any honest file has."""
        self.left -= things
        if self.left < 0:
            raise unsafe("its parts refer to each other without end", "其中的数据块互相引用，没有尽头")

    def unpack(self, form: struct.Struct, place: int) -> tuple[Any, ...]:
        """Numbers at a place; CheckpointDamaged outside of the file."""
        if not 0 <= place <= len(self.data) - form.size:
            raise outside()
        return form.unpack_from(self.data, place)

    def follow(self, place: int) -> int:
        """Where the offset at this place leads."""
        (offset,) = self.unpack(OFFSET, place)
        if not offset:
            raise outside()
        return int(place + offset)

    def row(self, place: int, size: int) -> tuple[int, int]:
        """Place and count of the numbers of a row, each of so many bytes."""
        start = self.follow(place)
        (count,) = self.unpack(OFFSET, start)
        if count * size > len(self.data) - start - 4:
            raise outside()
        return start + 4, int(count)

    def table(self, name: str, place: int) -> Table:
        """The table at a place."""
        self.count(1)
        if (name, place) not in self.known:
            start = place - self.unpack(SIGNED, place)[0]
            size, length = self.unpack(VTABLE, start)
            if size < 4 or size % 2 or start + size > len(self.data) or length < 4 or place + length > len(self.data):
                raise outside()
            offsets = struct.unpack_from(f"<{size // 2 - 2}H", self.data, start + 4)
            self.known[name, place] = Table(self, self.schema[name], place, offsets, length)
        return self.known[name, place]


@dataclass(frozen=True, eq=False)
class Table:
    """One table of a file; its fields are read when they are asked for."""

    buffer: Buffer
    fields: Fields
    place: int
    offsets: tuple[int, ...]
    length: int

    def __getitem__(self, name: str) -> Any:
        """A number, a text, a Table, an array or a list of Tables; what is not there is 0, "", None or empty."""
        one = self.fields[name]
        place = self.where(one)
        if one.kind == "text":
            return [] if one.several else self._text(place)
        if one.kind == "table":
            return self._tables(place, one.inner) if one.several else (place and self._table(place, one.inner)) or None
        if one.several:
            return self._numbers(place, one.kind)
        if not place:
            return one.default if one.kind == "f4" else bool(one.default) if one.kind == "?" else int(one.default)
        return self.buffer.unpack(FORMATS[one.kind], place)[0]

    def where(self, one: Field) -> int:
        """Where a field lies; 0 where it is left out."""
        offset = self.offsets[one.number] if one.number < len(self.offsets) else 0
        if offset and not 4 <= offset < self.length:
            raise outside()
        return self.place + offset if offset else 0

    def bytes(self, name: str) -> tuple[int, int]:
        """Place and length of a row of bytes in the file; (0, 0) where it is left out."""
        place = self.where(self.fields[name])
        return self.buffer.row(place, 1) if place else (0, 0)

    def union(self, name: str, inner: str) -> Table | None:
        """A table of a kind that another field tells."""
        place = self.where(self.fields[name])
        return self._table(place, inner) if place else None

    def _table(self, place: int, inner: str) -> Table:
        return self.buffer.table(inner, self.buffer.follow(place))

    def _text(self, place: int) -> str:
        if not place:
            return ""
        start, count = self.buffer.row(place, 1)
        self.buffer.count(1 + count // 16)
        return self.buffer.data[start : start + count].decode("utf-8", "backslashreplace")

    def _tables(self, place: int, inner: str) -> list[Table]:
        if not place:
            return []
        start, count = self.buffer.row(place, 4)
        self.buffer.count(count)
        return [self._table(start + 4 * i, inner) for i in range(count)]

    def _numbers(self, place: int, kind: str) -> np.ndarray[Any, Any]:
        dtype = DTYPES[kind]
        if not place:
            return np.zeros(0, dtype)
        start, count = self.buffer.row(place, dtype.itemsize)
        return np.frombuffer(self.buffer.data, dtype, count, start)

    def ints(self, name: str) -> tuple[int, ...]:
        """A row of whole numbers."""
        found = self[name]
        self.buffer.count(len(found))
        return tuple(found.tolist())


def outside() -> Exception:
    """What to raise where an offset leads out of the file, or into the middle of something."""
    return damaged("one of its offsets leads out of the file", "其中一个偏移量指向文件之外")
