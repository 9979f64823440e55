"""Reading protobuf messages without a schema compiler: fields by number, nothing copied, nothing made that is not asked
for. https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .refusals import damaged, unsafe

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types
LONGEST_VARINT = 10
MANY = 256  # bytes of packed numbers, from which on they are read all at once
MOST_FIELDS = 20_000_000  # of one file; an honest one has some dozens for each node


class Field(NamedTuple):
    """One field of a message. start, end: where its bytes lie; value: of a varint."""

    number: int
    kind: int
    start: int
    end: int
    value: int = 0


class Message:
    """A message as it lies in a buffer; its parts are messages over the same buffer."""

    def __init__(self, data: memoryview, start: int = 0, end: int | None = None, left: list[int] | None = None) -> None:
        self.data, self.start, self.end = data, start, len(data) if end is None else end
        self.left = [MOST_FIELDS] if left is None else left  # how many fields may still be read, of the whole file

    def fields(self) -> Iterator[Field]:
        """All fields in order; CheckpointDamaged where they do not fit into the message, UnsafeCheckpoint where they
        are more than a model can have.
        """
        data, at, end, left = self.data, self.start, self.end, self.left
        while at < end:
            left[0] -= 1
            if left[0] < 0:
                raise unsafe(f"it holds more than {MOST_FIELDS:,} fields", f"其中的字段超过 {MOST_FIELDS:,} 个")
            key, at = (data[at], at + 1) if data[at] < 0x80 else varint(data, at, end)  # nearly all have one byte
            kind = key & 7
            if kind == VARINT:
                short = at < end and data[at] < 0x80
                value, stop = (data[at], at + 1) if short else varint(data, at, end)
                yield Field(key >> 3, VARINT, at, stop, value)
            elif kind == BYTES:
                size, at = varint(data, at, end)
                stop = at + size
                if stop > end:
                    raise _broken()
                yield Field(key >> 3, BYTES, at, stop)
            elif kind in (FIXED32, FIXED64):
                stop = at + (4 if kind == FIXED32 else 8)
                if stop > end:
                    raise _broken()
                yield Field(key >> 3, kind, at, stop)
            else:
                raise _broken()
            at = stop

    def inside(self, field: Field) -> Message:
        """The message that a field is."""
        if field.kind != BYTES:
            raise _broken()
        return Message(self.data, field.start, field.end, self.left)

    def bytes(self, field: Field) -> bytes:
        """The bytes of a field."""
        return bytes(self.data[field.start : field.end])

    def text(self, field: Field) -> str:
        """A field as text; what is no UTF-8 is replaced."""
        return self.bytes(field).decode("utf-8", "replace")

    def number(self, field: Field) -> int:
        """A varint as a signed whole number of 64 bits."""
        return field.value - (1 << 64) if field.value >> 63 else field.value

    def real(self, field: Field) -> float:
        """A float32."""
        if field.kind != FIXED32:
            raise _broken()
        return float(struct.unpack_from("<f", self.data, field.start)[0])

    def numbers(self, field: Field) -> list[int]:
        """A repeated whole number: one, or several that are packed."""
        if field.kind == VARINT:
            return [self.number(field)]
        if field.end - field.start > MANY:
            return _at_once(self.data[field.start : field.end])
        found, at = [], field.start
        while at < field.end:
            value, at = varint(self.data, at, field.end)
            found.append(value - (1 << 64) if value >> 63 else value)
        return found

    def reals(self, field: Field) -> list[float]:
        """A repeated float32: one, or several that are packed."""
        if field.kind == FIXED32:
            return [self.real(field)]
        size = field.end - field.start
        if size % 4:
            raise _broken()
        return list(struct.unpack_from(f"<{size // 4}f", self.data, field.start))


def varint(data: memoryview, at: int, end: int) -> tuple[int, int]:
    """(value below 2**64, where it ends)."""
    value = shift = 0
    for place in range(at, min(end, at + LONGEST_VARINT)):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & ((1 << 64) - 1), place + 1
        shift += 7
    raise _broken()


def _at_once(data: memoryview) -> list[int]:
    """Signed whole numbers of 64 bits that fill the data: of each byte seven bits, moved to their place, and added."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    if not len(ends) or ends[-1] + 1 != len(raw) or sizes.max() > LONGEST_VARINT:
        raise _broken()
    place = np.arange(len(raw)) - np.repeat(starts, sizes)
    bits = (raw & 0x7F).astype(np.uint64) << (7 * place).astype(np.uint64)
    found: list[int] = np.add.reduceat(bits, starts).view(np.int64).tolist()
    return found


def _broken() -> Exception:
    return damaged("its fields do not fit into it", "其中的字段超出范围")
