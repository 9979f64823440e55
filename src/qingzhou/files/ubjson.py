"""Universal Binary JSON, draft 12 (https://ubjson.org), as far as XGBoost writes it; every length is compared."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from .refusals import damaged, unsafe

NUMBERS = {b"i": "i1", b"U": "u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8"}
DEEPEST = 60
CONSTANTS: dict[bytes, Any] = {b"T": True, b"F": False, b"Z": None}


class _Reader:
    """A place in the bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, size: int) -> bytes:
        """The next so many bytes; CheckpointDamaged."""
        if size < 0 or size > len(self.data) - self.place:
            raise damaged("it ends too early", "文件不完整，提前结束")
        self.place += size
        return self.data[self.place - size : self.place]

    def peek(self) -> bytes:
        return self.data[self.place : self.place + 1]

    def length(self) -> int:
        kind = self.take(1)
        if kind not in NUMBERS or kind in b"dD":
            raise damaged("a length is no number", "长度不是数字")
        return int(self.number(kind))

    def number(self, kind: bytes) -> Any:
        code = NUMBERS[kind]
        return np.frombuffer(self.take(np.dtype(code).itemsize), code)[0].item()

    def text(self) -> str:
        try:
            return self.take(self.length()).decode("utf-8")
        except UnicodeDecodeError:
            raise damaged("its text is garbled", "文本混乱") from None

    def value(self, kind: bytes, depth: int) -> Any:
        """What stands behind this mark."""
        if depth > DEEPEST:
            raise unsafe(f"it is nested more than {DEEPEST} deep", f"嵌套超过 {DEEPEST} 层")
        if kind in NUMBERS:
            return self.number(kind)
        if kind in CONSTANTS:
            return CONSTANTS[kind]
        if kind == b"S":
            return self.text()
        if kind == b"C":
            return self.take(1).decode("latin-1")
        if kind == b"[":
            return self.array(depth)
        if kind == b"{":
            return self.table(depth)
        raise damaged("a mark in it is unknown", "包含未知标记")

    def head(self) -> tuple[bytes, int]:
        """The kind that all items have, or b"", and how many they are, or -1."""
        kind, count = b"", -1
        if self.peek() == b"$":
            self.take(1)
            kind = self.take(1)
        if self.peek() == b"#":
            self.take(1)
            count = self.length()
            if count < 0 or count > len(self.data):
                raise damaged("a length is larger than the file", "长度超过文件大小")
        elif kind:
            raise damaged("an array has a type, but no length", "数组有类型而没有长度")
        return kind, count

    def array(self, depth: int) -> Any:
        kind, count = self.head()
        if kind in NUMBERS:
            code = np.dtype(NUMBERS[kind])
            return np.frombuffer(self.take(count * code.itemsize), code).astype(code.newbyteorder("="))
        found: list[Any] = []
        while count < 0 or len(found) < count:
            mark = kind or self.take(1)
            if count < 0 and mark == b"]":
                break
            found.append(self.value(mark, depth + 1))
        return found

    def table(self, depth: int) -> dict[str, Any]:
        kind, count = self.head()
        found: dict[str, Any] = {}
        while count < 0 or len(found) < count:
            if count < 0 and self.peek() == b"}":
                self.take(1)
                break
            key = self.text()
            if key in found:
                raise unsafe("two of its entries have the same name", "有重名的项")
            found[key] = self.value(kind or self.take(1), depth + 1)
        return found


def is_ubjson(head: bytes) -> bool:
    """Whether bytes begin as an object whose first key has its length as a whole number of 8 bytes, as XGBoost's do."""
    return head[:2] == b"{L" and len(head) > 10 and 0 < struct.unpack(">q", head[2:10])[0] < 100


def read_ubjson(data: bytes) -> Any:
    """Dicts, lists, texts, numbers, and arrays of numbers of one kind. CheckpointDamaged, UnsafeCheckpoint."""
    reader = _Reader(data)
    found = reader.value(reader.take(1), 0)
    if reader.place != len(data):
        raise unsafe("something follows its last value", "数据之后还有内容")
    return found
