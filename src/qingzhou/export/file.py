"""Writing an ONNX file number by number: the model never lies in memory as a whole, and never half on disk."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from onnx import ModelProto, TensorProto

from ..nets.graph import Value
from .onnx import Emitted, Initializer, value_info

# Field numbers of onnx.proto that are written by hand: all of the wire type "length-delimited".
GRAPH, INITIALIZER, RAW_DATA = 7, 5, 9


def write_onnx(path: Path, emitted: Emitted) -> None:
    """Write the model; each initializer's numbers are made, written and forgotten."""
    outer = ModelProto()
    outer.CopyFrom(emitted.skeleton)
    outer.ClearField("graph")
    inner = emitted.skeleton.graph.SerializeToString()
    heads = [_head(i) for i in emitted.initializers]
    sizes = [_size(i) for i in emitted.initializers]
    bodies = [len(head) + size for head, size in zip(heads, sizes, strict=True)]
    total = len(inner) + sum(len(_field(INITIALIZER, body)) + body for body in bodies)
    with path.open("wb") as file:
        file.write(outer.SerializeToString() + _field(GRAPH, total) + inner)
        for initializer, head, body in zip(emitted.initializers, heads, bodies, strict=True):
            file.write(_field(INITIALIZER, body) + head)
            _write_numbers(file, initializer)


def append_metadata(path: Path, entries: Mapping[str, str]) -> None:
    """Add metadata to a finished ONNX file: protobuf lets the fields of a message stand in any order."""
    tail = ModelProto()
    for key, value in entries.items():
        tail.metadata_props.add(key=key, value=value)
    with path.open("ab") as file:
        file.write(tail.SerializeToString())


@contextlib.contextmanager
def showing(path: Path, values: Sequence[Value]) -> Iterator[None]:
    """The file gives these inner values as further outputs while the block runs, and is as it was if that ends well.

    A field of a message may come in several parts, which protobuf puts together: one more stands at the end.
    """
    size, tail = path.stat().st_size, ModelProto()
    tail.graph.output.extend(map(value_info, values))
    if values:
        with path.open("ab") as file:
            file.write(tail.SerializeToString())
    yield
    os.truncate(path, size)


def _write_numbers(file: BinaryIO, initializer: Initializer) -> None:
    chunks = initializer.chunks()
    if chunks is not None:
        written = sum(map(file.write, chunks))
        assert written == _size(initializer), f"{initializer.name}: {written} bytes"
        return
    array = np.ascontiguousarray(initializer.load())
    assert array.size == math.prod(initializer.shape), f"{initializer.name}: {array.shape}"
    file.write(array.reshape(-1).view(np.uint8).data)


def _head(initializer: Initializer) -> bytes:
    """A TensorProto up to its numbers."""
    tensor = TensorProto(dims=initializer.shape, data_type=initializer.data_type, name=initializer.name)
    named: bytes = tensor.SerializeToString()
    return named + _field(RAW_DATA, _size(initializer))


def _size(initializer: Initializer) -> int:
    itemsize = 8 if initializer.data_type == TensorProto.INT64 else 4
    return math.prod(initializer.shape) * itemsize


def _field(number: int, length: int) -> bytes:
    """The tag and length that precede a length-delimited field (protobuf encoding, wire type 2)."""
    return _varint(number << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
