"""Packed whole numbers of protobuf, many at once, mean what they mean one by one."""

from __future__ import annotations

import numpy as np
import pytest

from qingzhou.errors import QingzhouError
from qingzhou.files.protobuf import part, varint
from qingzhou.files.wire import MANY, Message


def read(data: bytes) -> list[int]:
    message = Message(memoryview(part(8, data)))
    (field,) = message.fields()
    return message.numbers(field)


@pytest.mark.parametrize("most", [1 << 6, 1 << 14, 1 << 40, 1 << 62])
def test_many_numbers(most: int) -> None:
    values = [*np.random.default_rng(0).integers(-most, most, 3000).tolist(), 0, -1, (1 << 63) - 1, -(1 << 63)]
    packed = b"".join(map(varint, values))
    assert len(packed) > MANY and read(packed) == values
    assert [number for value in values for number in read(varint(value))] == values


@pytest.mark.parametrize("end", [b"\x80", b"\xff" * 11 + b"\x01"])
def test_broken(end: bytes) -> None:
    """Cut off within a number, and one that is longer than any."""
    for data in (end, b"\x01" * 2 * MANY + end):
        with pytest.raises(QingzhouError):
            read(data)
