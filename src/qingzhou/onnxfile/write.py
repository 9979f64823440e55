"""Writing an ONNX file number by number: the model never lies in memory as a whole, and never half on disk."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..files import protobuf
from ..files.protobuf import DTYPES, GRAPH, INITIALIZER, OUTPUT
from ..graph.form import Constant, Value
from .emit import Emitted, value_info

if TYPE_CHECKING:
    from .outside import Piece


def write_onnx(path: Path, emitted: Emitted) -> dict[str, int]:
    """Write the model; each initializer's numbers are made, written and forgotten. Says at which byte each has them."""
    places = {}
    heads = [_head(name, constant) for name, constant in emitted.constants.items()]
    bodies = [len(head) + bytes_of(one) for head, one in zip(heads, emitted.constants.values(), strict=True)]
    total = len(emitted.graph) + sum(len(protobuf.start(INITIALIZER, body)) + body for body in bodies)
    with path.open("wb") as file:
        file.write(emitted.outer + protobuf.start(GRAPH, total) + emitted.graph)
        for (name, constant), head, body in zip(emitted.constants.items(), heads, bodies, strict=True):
            file.write(protobuf.start(INITIALIZER, body) + head)
            places[name] = file.tell()
            _write_numbers(file, constant)
    return places


def write_pieces(path: Path, parts: Iterable[bytes | memoryview | Piece]) -> None:
    """Write bytes one after the other; those of another file as that has them."""
    with path.open("wb") as file:
        for part in parts:
            for chunk in (part,) if isinstance(part, (bytes, memoryview)) else part.chunks():
                file.write(chunk)


def append_metadata(path: Path, entries: Mapping[str, str]) -> None:
    """Add metadata to a finished ONNX file."""
    append_fields(path, protobuf.metadata(entries))


def append_fields(path: Path, data: bytes) -> None:
    """Add fields to a finished ONNX file: protobuf lets those of a message stand in any order, and in several parts."""
    with path.open("ab") as file:
        file.write(data)


@contextlib.contextmanager
def showing(path: Path, values: Sequence[Value]) -> Iterator[None]:
    """The file gives these inner values as further outputs while the block runs, and is as it was if that ends well.

    A field of a message may come in several parts, which protobuf puts together: one more stands at the end.
    """
    size = path.stat().st_size
    if values:
        with path.open("ab") as file:
            file.write(protobuf.in_graph(protobuf.parts(OUTPUT, map(value_info, map(_own_sizes, values)))))
    yield
    os.truncate(path, size)


def _own_sizes(value: Value) -> Value:
    """With a name of its own for every free size: onnxruntime lets values of one shape share memory, and the levels of
    a detector are all called (1, channels, height, width).
    """
    return replace(
        value, shape=tuple(f"{value.name}/{i}" if isinstance(n, str) else n for i, n in enumerate(value.shape))
    )


def _write_numbers(file: BinaryIO, constant: Constant) -> None:
    chunks = None if constant.chunks is None else constant.chunks()
    if chunks is not None:
        written = sum(map(file.write, chunks))
        assert written == bytes_of(constant), f"{written} bytes of {constant.shape}"
        return
    array = np.ascontiguousarray(constant.load(), constant.dtype)
    assert array.size == math.prod(constant.shape), f"{array.shape} for {constant.shape}"
    file.write(array.reshape(-1).view(np.uint8).data)


def _head(name: str, constant: Constant) -> bytes:
    """A tensor up to its numbers."""
    return protobuf.tensor(name, DTYPES[constant.dtype], constant.shape, bytes_of(constant))


def bytes_of(constant: Constant) -> int:
    """How many its numbers take."""
    return math.prod(constant.shape) * np.dtype(constant.dtype).itemsize
