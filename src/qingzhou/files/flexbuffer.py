"""FlexBuffers, as far as custom operators of TensorFlow Lite use them: one map of plain numbers.

https://flatbuffers.dev/flatbuffers_internals/#flexbuffers; every place is compared with the length of the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from .refusals import damaged

INT, UINT, FLOAT, MAP, BOOL = 1, 2, 3, 9, 26
CODES = {INT: "bhiq", UINT: "BHIQ", BOOL: "BHIQ", FLOAT: "\0efd"}
LONGEST = 100  # entries of a map, and characters of a key


def numbers(data: bytes) -> Mapping[str, float]:
    """The numbers of a map by their names; CheckpointDamaged."""
    if len(data) < 3:
        raise _broken()
    kind, width = data[-2], data[-1]
    if kind >> 2 != MAP:
        raise _broken()
    place, wide = _follow(data, len(data) - 2 - width, width), 1 << (kind & 3)
    count, key_width = _number(data, place - wide, wide, UINT), _number(data, place - 2 * wide, wide, UINT)
    keys = _follow(data, place - 3 * wide, wide)
    if not 0 <= count <= LONGEST or key_width not in (1, 2, 4, 8):
        raise _broken()
    found = {}
    for i in range(int(count)):
        name = _key(data, _follow(data, keys + i * int(key_width), int(key_width)))
        told = int(_number(data, place + int(count) * wide + i, 1, UINT))
        if told >> 2 in CODES:
            found[name] = _number(data, place + i * wide, wide, told >> 2)
    return found


def _number(data: bytes, place: int, width: int, kind: int) -> float:
    code = CODES[kind][(1, 2, 4, 8).index(width)] if width in (1, 2, 4, 8) else "\0"
    if code == "\0" or not 0 <= place <= len(data) - width:
        raise _broken()
    found: float = struct.unpack_from(f"<{code}", data, place)[0]
    return found


def _follow(data: bytes, place: int, width: int) -> int:
    return place - int(_number(data, place, width, UINT))


def _key(data: bytes, place: int) -> str:
    end = data.find(b"\0", place, place + LONGEST) if place >= 0 else -1
    if end < 0:
        raise _broken()
    return data[place:end].decode("utf-8", "backslashreplace")


def _broken() -> Exception:
    return damaged("the settings of an operator are garbled", "某个算子的参数混乱")
