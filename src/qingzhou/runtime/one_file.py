"""Whether an .onnx file holds all of its weights itself: onnxruntime would open any other file that it names.

Read is only what tells: the fields of protobuf messages that lead to a tensor, by their numbers in onnx.proto.
"""

from __future__ import annotations

import mmap
from typing import Any, Dict, Iterator, Tuple

from .errors import ModelError

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5  # protobuf's wire types
EXTERNAL_DATA, DATA_LOCATION = 13, 14  # fields of a TensorProto
DEEPEST = 64  # graphs within nodes within graphs

# The messages on the way to a tensor: their fields, and what each holds.
INSIDE: Dict[str, Dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}


def check_one_file(model: Any) -> None:
    """ModelError if a tensor's numbers are said to be in another file; ValueError if this is no ONNX file.

    `model` is its path, or its bytes. An .ort file has no such tensors; onnxruntime, too, knows it by its name.
    """
    if isinstance(model, bytes):
        if _names_a_file(model, 0, len(model), "model", 0):
            raise _outside("model")
        return
    if str(model)[-4:] == ".ort":
        return
    with open(model, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # ValueError for an empty file
        with data:
            outside = _names_a_file(data, 0, len(data), "model", 0)
    if outside:
        raise _outside(str(model))


def _outside(name: str) -> ModelError:
    return ModelError(
        en="%s wants to read weights from another file, which models of ours never do; it is not opened. Convert the "
        "checkpoint with qingzhou convert, or save a model of another tool as one file (onnx.save)." % name,
        zh="%s 要从另一个文件读取权重，轻舟的模型从不这样做，因此不打开。请用 qingzhou convert 转换权重文件；"
        "其他工具的模型请存成单个文件（onnx.save）。" % name,
    )


def _names_a_file(data: Any, start: int, end: int, kind: str, depth: int) -> bool:
    if depth > DEEPEST:
        raise ValueError("graphs within graphs without end")
    for number, value, stop in _fields(data, start, end):
        if kind == "tensor":
            if number == EXTERNAL_DATA or (number == DATA_LOCATION and value == 1):
                return True
        elif number in INSIDE[kind] and stop and _names_a_file(data, value, stop, INSIDE[kind][number], depth + 1):
            return True
    return False


def _fields(data: Any, place: int, end: int) -> Iterator[Tuple[int, int, int]]:
    """Of each field its number, then the value of a varint and 0, or where its bytes begin and end."""
    while place < end:
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield number, value, 0
            continue
        size = {EIGHT: 8, FOUR: 4}.get(wire, 0)
        if wire == BYTES:
            size, place = _varint(data, place)
        elif not size:
            raise ValueError("a field of an unknown type")
        if place + size > end:
            raise ValueError("the file is cut off")
        yield number, place, place + size
        place += size


def _varint(data: Any, place: int) -> Tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    value = shift = 0
    while shift < 70 and place < len(data):
        byte = data[place]
        value |= (byte & 127) << shift
        place += 1
        if byte < 128:
            return value, place
        shift += 7
    raise ValueError("the file is cut off")
