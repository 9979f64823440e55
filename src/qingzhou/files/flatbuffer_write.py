"""Flatbuffers, written by the tables that they are read by: a table is a dict, a union such a name with a dict.

Parents come before their children, so every offset leads forwards, and long rows of numbers, which are made when they
are written, come last: a file is never whole in memory. https://flatbuffers.dev/internals/
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .flatbuffer import DTYPES, FORMATS, OFFSET, SIGNED, Field, Schema

LARGEST = 1 << 31  # bytes: offsets of tables to their own layouts have a sign
ROW = 16  # what rows of numbers are aligned to: force_align of the buffers of a .tflite
TABLE = 8  # tables begin 4 behind a multiple of this, so that numbers of eight bytes may come first


@dataclass(frozen=True)
class Later:
    """A row of bytes, made when it is written."""

    size: int
    load: Callable[[], bytes]


def pieces(schema: Schema, name: str, content: Mapping[str, Any], identifier: bytes) -> Iterator[bytes]:
    """A whole file, part by part; OverflowError where it would be longer than a flatbuffer can be."""
    writer = _Writer(schema, bytearray(4) + identifier)
    OFFSET.pack_into(writer.data, 0, writer.table(name, content))
    end, padded = len(writer.data), []
    for place, row in writer.late:
        before = -(end + 4) % ROW
        OFFSET.pack_into(writer.data, place, end + before - place)
        padded.append((before, row))
        end += before + 4 + row.size
        if end > LARGEST:
            raise OverflowError(end)
    yield bytes(writer.data)
    for before, row in padded:
        yield bytes(before) + OFFSET.pack(row.size)
        yield row.load()


@dataclass
class _Writer:
    """late: where the offset of a row stands that is yet to be written."""

    schema: Schema
    data: bytearray
    late: list[tuple[int, Later]] = field(default_factory=list)

    def align(self, size: int, ahead: int = 0) -> None:
        """So that what comes after so many bytes begins at a multiple of the size."""
        self.data += bytes(-(len(self.data) + ahead) % size)

    def table(self, name: str, content: Mapping[str, Any]) -> int:
        """Where the table begins; its layout lies before it, its children behind."""
        fields = [(self.schema[name][key], value) for key, value in content.items() if value is not None]
        fields.sort(key=lambda one: -_size(one[0]))
        body, children = bytearray(4), []
        offsets = [0] * (1 + max((one.number for one, _ in fields), default=-1))
        for one, value in fields:
            body += bytes(-(len(body) + 4) % _size(one))
            offsets[one.number] = len(body)
            if one.kind in FORMATS and not one.several:
                body += FORMATS[one.kind].pack(value)
            else:
                children.append((len(body), one, value))
                body += bytes(4)
        layout = struct.pack(f"<HH{len(offsets)}H", 4 + 2 * len(offsets), len(body), *offsets)
        self.align(2)
        start = len(self.data)
        self.data += layout
        self.align(TABLE, 4)
        place = len(self.data)
        self.data += body
        SIGNED.pack_into(self.data, place, place - start)
        for offset, one, value in children:
            self.child(place + offset, one, value)
        return place

    def child(self, place: int, one: Field, value: Any) -> None:
        """What a field leads to, and the offset to it."""
        if isinstance(value, Later):
            self.late.append((place, value))
        elif one.kind == "union":
            self.point(place, self.table(*value))
        elif one.kind == "table" and not one.several:
            self.point(place, self.table(one.inner, value))
        elif one.kind == "table":
            self.tables(place, one.inner, value)
        elif one.kind == "text":
            self.row(place, value.encode(), 1, 4, b"\0")
        else:
            array = np.asarray(value, DTYPES[one.kind])
            self.row(place, array.tobytes(), array.itemsize, ROW)

    def row(self, place: int, found: bytes, size: int, aligned: int, end: bytes = b"") -> None:
        """Numbers of so many bytes each, behind their count."""
        self.align(aligned, 4)
        self.point(place, len(self.data))
        self.data += OFFSET.pack(len(found) // size) + found + end

    def tables(self, place: int, name: str, several: Sequence[Mapping[str, Any]]) -> None:
        """A row of offsets, and the tables behind it."""
        self.align(4)
        start = len(self.data)
        self.point(place, start)
        self.data += OFFSET.pack(len(several)) + bytes(4 * len(several))
        for i, content in enumerate(several):
            self.point(start + 4 + 4 * i, self.table(name, content))

    def point(self, place: int, target: int) -> None:
        """An offset counts from where it stands."""
        OFFSET.pack_into(self.data, place, target - place)


def _size(one: Field) -> int:
    return FORMATS[one.kind].size if one.kind in FORMATS and not one.several else 4
