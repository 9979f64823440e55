"""Writing an ONNX file number by number: the model never lies in memory as a whole, and never half on disk."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..files import protobuf
from ..files.protobuf import GRAPH, INITIALIZER, ITEMSIZE, OUTPUT
from ..graph.record import Value
from .lower import Emitted, Initializer, value_info


def write_onnx(path: Path, emitted: Emitted) -> None:
    """Write the model; each initializer's numbers are made, written and forgotten."""
    heads = [_head(i) for i in emitted.initializers]
    sizes = [_size(i) for i in emitted.initializers]
    bodies = [len(head) + size for head, size in zip(heads, sizes, strict=True)]
    total = len(emitted.graph) + sum(len(protobuf.start(INITIALIZER, body)) + body for body in bodies)
    with path.open("wb") as file:
        file.write(emitted.outer + protobuf.start(GRAPH, total) + emitted.graph)
        for initializer, head, body in zip(emitted.initializers, heads, bodies, strict=True):
            file.write(protobuf.start(INITIALIZER, body) + head)
            _write_numbers(file, initializer)


def append_metadata(path: Path, entries: Mapping[str, str]) -> None:
    """Add metadata to a finished ONNX file: protobuf lets the fields of a message stand in any order."""
    with path.open("ab") as file:
        file.write(protobuf.metadata(entries))


@contextlib.contextmanager
def showing(path: Path, values: Sequence[Value]) -> Iterator[None]:
    """The file gives these inner values as further outputs while the block runs, and is as it was if that ends well.

    A field of a message may come in several parts, which protobuf puts together: one more stands at the end.
    """
    size = path.stat().st_size
    if values:
        with path.open("ab") as file:
            file.write(protobuf.in_graph(protobuf.parts(OUTPUT, map(value_info, values))))
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
    """A tensor up to its numbers."""
    return protobuf.tensor(initializer.name, initializer.data_type, initializer.shape, _size(initializer))


def _size(initializer: Initializer) -> int:
    return math.prod(initializer.shape) * ITEMSIZE[initializer.data_type]
