"""MindSpore's `.ckpt`: a protobuf message of named tensors, cut into pieces where they are large.

https://gitee.com/mindspore/mindspore/blob/v2.7.0/mindspore/ccsrc/utils/checkpoint.proto
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from ...files.file import Record
from ...files.limits import MOST_AXES, elements
from ...files.refusals import naming, short, unsafe
from ...files.types import TensorRef
from ...files.wire import BYTES, Message
from ...graph.form import Array
from ..source import Opened
from .numbers import ENCRYPTED, Run, encrypted, widened
from .refuse import garbled, refused

KINDS = {
    "Float32": "float32", "Float64": "float64", "Float16": "float16", "BFloat16": "bfloat16", "Bool": "bool",
    **{f"{u}Int{n}": f"{u.lower()}int{n}" for u in ("", "U") for n in (8, 16, 32, 64)},
}  # fmt: skip
CHECKSUM = b"crc_num"  # and ten bytes, behind the message


@dataclass
class Pieces:
    """A tensor with the places of its pieces, one after the other."""

    shape: tuple[int, ...]
    kind: str
    places: list[tuple[int, int]] = field(default_factory=list)


def checkpoint_in(opened: Opened) -> Mapping[str, TensorRef]:
    """Its tensors by name, those of the training among them; CheckpointDamaged, UnsafeCheckpoint."""
    with naming(opened.path):
        file = opened.file
        if opened.head.startswith(ENCRYPTED):
            raise encrypted()
        size = file.size
        if size >= 17 and file.read(size - 17, 7) == CHECKSUM:
            size -= 17
        run = Run(file, Record(0, size))
        with file.mapped() as data:
            found = _read(Message(data, 0, size), opened)
        return {key: _ref(run, key, one) for key, one in found.items()}


def _read(m: Message, opened: Opened) -> dict[str, Pieces]:
    found: dict[str, Pieces] = {}
    for one in m.fields():
        if one.number != 1 or one.kind != BYTES:
            raise garbled("it is no list of tensors", "它不是张量列表")
        key, piece = _value(m.inside(one))
        if not key or len(key) > opened.limits.name or len(found) >= opened.limits.tensors:
            raise unsafe(
                f"a tensor has the name {short(key)}, or there are too many", f"张量 {short(key)} 名称异常或过多"
            )
        known = found.setdefault(key, Pieces(piece.shape, piece.kind))
        if (known.shape, known.kind) != (piece.shape, piece.kind):
            raise garbled(f"the pieces of {short(key)} do not belong together", f"张量 {short(key)} 的各部分不一致")
        known.places += piece.places
    return found


def _value(m: Message) -> tuple[str, Pieces]:
    key, piece = "", Pieces((), "")
    for one in m.fields():
        if one.number == 1:
            key = m.text(one)
        elif one.number == 2:
            piece = _tensor(m.inside(one))
        elif one.number == 3:
            raise refused("some of its parameters are hash maps", "其中有哈希表类型的参数（MapParameter）")
    return key, piece


def _tensor(m: Message) -> Pieces:
    shape: list[int] = []
    kind, places = "", []
    for one in m.fields():
        if one.number == 1:
            shape += m.numbers(one)
            if len(shape) > MOST_AXES:
                raise garbled("a tensor has too many axes", "张量的维数过多")
        elif one.number == 2:
            kind = m.text(one)
        elif one.number == 3:
            places.append((one.start, one.end - one.start))
    if elements(shape) is None:
        raise garbled(f"a tensor has the shape {shape}", f"张量的形状是 {shape}")
    return Pieces(tuple(shape), kind, places)


def _ref(run: Run, key: str, one: Pieces) -> TensorRef:
    """A tensor of as many bytes as its shape says; texts, which append_dict writes, are no numbers."""
    dtype = KINDS.get(one.kind, "")
    if not dtype:
        return TensorRef((), np.dtype("V1"), "", lambda: _untyped(key, one.kind))
    kind = np.dtype("<u2" if dtype == "bfloat16" else dtype).newbyteorder("<")
    size = kind.itemsize * math.prod(one.shape)
    if sum(count for _, count in one.places) != size:
        raise garbled(f"the tensor {short(key)} of {list(one.shape)} has another size", f"张量 {short(key)} 的大小不符")

    def load() -> Array:
        parts = [run.load(start, count) for start, count in one.places]
        array = (parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, np.uint8)).view(kind)
        return widened(array, dtype).reshape(one.shape)

    def pieces() -> Iterator[memoryview]:
        return chain.from_iterable(run.chunks(start, count) for start, count in one.places)

    chunks = pieces if dtype == "float32" and size else None
    return TensorRef(one.shape, np.dtype("float32" if dtype == "bfloat16" else dtype), "", load, chunks)


def _untyped(key: str, kind: str) -> Array:
    raise refused(f"its tensor {short(key)} is of {short(kind, 30)}", f"张量 {short(key)} 的类型是 {short(kind, 30)}")
