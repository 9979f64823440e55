"""Files of MindSpore, written by hand: .mindir of a few operations, one whose numbers lie beside it, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qingzhou.files.protobuf import part, real, whole
from qingzhou.files.wire import Message

FLOAT, INT32, INT64, BOOL = 1, 6, 7, 9  # TensorProto.DataType
KINDS = {"float32": FLOAT, "int32": INT32, "int64": INT64, "bool": BOOL, "float16": 10}
TYPE = {"float": 1, "int": 7, "bool": 9, "text": 8, "tensors": 19, "tuple": 20, "monad": 23, "none": 25}


def tensor(name: str, array: Any = None, shape: Sequence[int] = (), kind: int = FLOAT, key: str = "") -> bytes:
    """A TensorProto; without numbers only its shape."""
    if array is not None:
        shape, kind = array.shape, KINDS[array.dtype.name]
    head = b"".join(whole(1, n) for n in shape) + whole(2, kind) + part(7, name)
    return head + (part(9, array.tobytes()) if array is not None else b"") + (part(13, key) if key else b"")


def attribute(name: str, value: Any) -> bytes:
    """An AttributeProto."""
    return part(1, name) + _value(value, single=True)


def _value(value: Any, single: bool) -> bytes:
    match value:
        case None:
            return whole(16, TYPE["none"])
        case "U":
            return whole(16, TYPE["monad"])
        case bool():
            return whole(3 if single else 10, value) + whole(16, TYPE["bool"])
        case int():
            return whole(3 if single else 10, value) + whole(16, TYPE["int"])
        case float():
            return real(2 if single else 8, value) + whole(16, TYPE["float"])
        case str():
            return part(5 if single else 11, value) + whole(16, TYPE["text"])
        case tuple():
            return b"".join(part(17, _value(one, single=False)) for one in value) + whole(16, TYPE["tuple"])
        case bytes():
            return part(12, value) + whole(16, TYPE["tensors"])
    return part(12, tensor("value", np.asarray(value))) + whole(16, TYPE["tensors"])


def node(op: str, inputs: Sequence[str], output: str, shape: Sequence[int] | None = None, **attrs: Any) -> bytes:
    """A NodeProto with a primitive's name of its own."""
    fields = [attribute(key, value) for key, value in attrs.items()]
    if shape is not None:
        fields.append(attribute("shape", tensor("", None, shape)))
    ends = b"".join(part(1, name) for name in inputs) + part(2, output) + part(4, op)
    return ends + b"".join(part(5, one) for one in fields) + part(7, f"Default/{output}-Cell/{op}-op0")


def constant(name: str, value: Any) -> bytes:
    """A Constant."""
    return part(2, name) + part(4, "Constant") + part(5, attribute("value", value))


def mindir(
    nodes: Sequence[bytes],
    inputs: Mapping[str, Sequence[int]],
    output: str,
    parameters: Mapping[str, Any] = {},
    more: bytes = b"",
) -> bytes:
    """A ModelProto."""
    graph = b"".join(part(1, one) for one in nodes) + part(2, "1_1___main___Net_construct_1")
    graph += b"".join(part(3, tensor(name, array, key=name)) for name, array in parameters.items())
    graph += b"".join(part(5, part(1, name) + part(2, tensor("", None, shape))) for name, shape in inputs.items())
    graph += part(6, part(1, output))
    return part(1, "1.1") + part(2, "MindSpore") + part(5, "2.10.0") + part(7, graph) + whole(10, 1) + more


def split(source: Path, folder: Path, name: str = "net") -> Path:
    """A .mindir as MindSpore writes one of more than 1 GB: NAME_graph.mindir, and NAME_variables with its numbers."""
    data = source.read_bytes()
    message, model = Message(memoryview(data)), b""
    (folder / f"{name}_variables").mkdir(parents=True)
    numbers = bytearray(b"\1" + bytes(63))
    for one in message.fields():
        if one.number != 7:
            model += (
                data[_start(data, one.start, one.number) : one.end] if one.kind == 2 else whole(one.number, one.value)
            )
            continue
        model += part(7, _split_graph(message.inside(one), data, numbers, f"{name}_variables/data_0"))
    (folder / f"{name}_graph.mindir").write_bytes(model)
    (folder / f"{name}_variables" / "data_0").write_bytes(bytes(numbers))
    return folder / f"{name}_graph.mindir"


def _split_graph(graph: Message, data: bytes, numbers: bytearray, where: str) -> bytes:
    found = b""
    for one in graph.fields():
        if one.number != 3:
            found += part(one.number, data[one.start : one.end])
            continue
        parameter, kept = graph.inside(one), b""
        for inner in parameter.fields():
            if inner.number == 9:
                raw = data[inner.start : inner.end]
                kept += part(12, part(1, where) + whole(2, len(numbers)) + whole(3, len(raw)))
                numbers += raw + bytes(-len(raw) % 64)
            elif inner.kind == 2:
                kept += part(inner.number, data[inner.start : inner.end])
            else:
                kept += whole(inner.number, inner.value)
        found += part(3, kept)
    return found


def _start(data: bytes, start: int, number: int) -> int:
    """Where a field of bytes begins, with what stands before it."""
    return next(at for at in range(start - 2, start - 12, -1) if data[at] == number << 3 | 2)


def checkpoint(tensors: Mapping[str, Any], pieces: int = 1) -> bytes:
    """A .ckpt; every tensor in so many pieces."""
    kinds = {"float32": "Float32", "int64": "Int64", "float16": "Float16", "uint16": "BFloat16"}
    found = b""
    for key, array in tensors.items():
        raw, dims = array.tobytes(), b"".join(whole(1, n) for n in array.shape)
        step = max(-(-len(raw) // pieces) // 4 * 4, 4)
        for start in range(0, max(len(raw), 1), step):
            content = part(2, kinds[array.dtype.name]) + part(3, raw[start : start + step])
            found += part(1, part(1, key) + part(2, dims + content))
    return found
