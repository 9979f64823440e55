"""The few messages of a model, as bytes: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

By hand, since to import onnx takes longer than to convert a small network. Messages put together are one message, in
which a repeated field has the parts of all: so a file can be written, and added to, piece by piece.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FLOAT, INT64 = 1, 7  # TensorProto.DataType
MANY = 4096  # numbers of an attribute, from which on they are packed
GRAPH = 7  # field of a model
NODE, NAME, INITIALIZER, INPUT, OUTPUT = 1, 2, 5, 11, 12  # fields of a graph
# numpy's name -> TensorProto.DataType
DTYPES = {
    "float32": FLOAT,
    "uint8": 2,
    "int8": 3,
    "uint16": 4,
    "int16": 5,
    "int32": 6,
    "int64": INT64,
    "str": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
    "uint32": 12,
    "uint64": 13,
}
NAMES = {number: name for name, number in DTYPES.items()}


def varint(value: int) -> bytes:
    """A whole number in 7-bit groups, the lowest first; of a negative one its 64-bit complement."""
    if 0 <= value <= 0x7F:
        return value.to_bytes(1, "little")
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def whole(field: int, value: int) -> bytes:
    """A field that is a whole number."""
    if field < 0x10 and 0 <= value <= 0x7F:  # as most are
        return bytes((field << 3, int(value)))
    return varint(field << 3) + varint(int(value))


def real(field: int, value: float) -> bytes:
    """A field that is a float32."""
    return varint(field << 3 | 5) + struct.pack("<f", value)


def start(field: int, length: int) -> bytes:
    """What precedes a field of so many bytes."""
    if field < 0x10 and length <= 0x7F:  # as most are
        return bytes((field << 3 | 2, length))
    return varint(field << 3 | 2) + varint(length)


def part(field: int, data: bytes | str) -> bytes:
    """A field that is a text, or a message."""
    data = data.encode("utf-8") if isinstance(data, str) else data
    return start(field, len(data)) + data


def parts(field: int, items: Iterable[bytes | str]) -> bytes:
    """A repeated field."""
    return b"".join(part(field, item) for item in items)


def model(opsets: Mapping[str, int] | int, ir_version: int, producer: str, version: str) -> bytes:
    """A ModelProto without its graph; one opset is that of ONNX's own operators."""
    head = whole(1, ir_version) + part(2, producer) + part(3, version)
    named = {"": opsets} if isinstance(opsets, int) else opsets
    return head + b"".join(part(8, part(1, domain) + whole(2, opset)) for domain, opset in named.items())


def in_graph(data: bytes) -> bytes:
    """Fields of the model's graph."""
    return part(GRAPH, data)


def graph(name: str, nodes: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]) -> bytes:
    """A GraphProto without initializers."""
    return parts(NODE, nodes) + part(NAME, name) + parts(INPUT, inputs) + parts(OUTPUT, outputs)


def node(
    op: str, inputs: Sequence[str], outputs: Sequence[str], name: str, attrs: Mapping[str, Any], domain: str = ""
) -> bytes:
    """A NodeProto."""
    ends = parts(1, inputs) + parts(2, outputs) + part(3, name) + part(4, op)
    found = parts(5, (_attribute(key, attrs[key]) for key in sorted(attrs)))
    return ends + found + (part(7, domain) if domain else b"")


def _attribute(name: str, value: Any) -> bytes:
    """An AttributeProto: a float, an int, a text, a list of one of these, a tensor as tensor() writes it; a memoryview
    is the whole message as it stood in a file. An array is a list of many, of whole numbers or
    "f", that takes little memory.
    """
    match value:
        case memoryview():
            return bytes(value)
        case array(typecode="f"):
            kind, data = 6, part(7, value.tobytes())
        case array():
            kind, data = 7, _packed(8, value)
        case float():
            kind, data = 1, real(2, value)
        case int():
            kind, data = 2, whole(3, value)
        case str():
            kind, data = 3, part(4, value)
        case bytes():
            kind, data = 4, part(5, value)
        case _ if all(isinstance(one, int) for one in value):
            kind, data = 7, _packed(8, value) if len(value) > MANY else b"".join(whole(8, one) for one in value)
        case _ if all(isinstance(one, str) for one in value):
            known = {one: part(9, one) for one in set(value)}
            kind, data = 8, b"".join(map(known.__getitem__, value))
        case _ if len(value) > MANY:
            kind, data = 6, part(7, struct.pack(f"<{len(value)}f", *value))
        case _:
            kind, data = 6, b"".join(real(7, one) for one in value)
    return part(1, name) + data + whole(20, kind)


def _packed(field: int, values: Sequence[int]) -> bytes:
    """A repeated whole number in one piece, which every reader of protobuf takes as well."""
    known = {value: varint(value) for value in set(values)}
    return part(field, b"".join(map(known.__getitem__, values)))


def value_info(name: str, kind: int, shape: Sequence[int | str] | None) -> bytes:
    """A ValueInfoProto: a tensor of this type, each of whose sides is a number or a name; None: nobody knows."""
    sides = (whole(1, side) if isinstance(side, int) else part(2, side) for side in shape or ())
    form = b"" if shape is None else part(2, parts(1, sides))
    return part(1, name) + part(2, part(1, whole(1, kind) + form))


def tensor(name: str, kind: int, shape: Sequence[int], size: int) -> bytes:
    """A TensorProto up to its numbers, `size` bytes that follow."""
    return b"".join(whole(1, side) for side in shape) + whole(2, kind) + part(8, name) + start(9, size)


def tensor_elsewhere(name: str, kind: int, shape: Sequence[int], file: str, place: int, size: int) -> bytes:
    """A TensorProto whose numbers are so many bytes of another file in the folder, from this place on."""
    where = {"location": file, "offset": str(place), "length": str(size)}
    entries = parts(13, (part(1, key) + part(2, value) for key, value in where.items()))
    return b"".join(whole(1, side) for side in shape) + whole(2, kind) + part(8, name) + entries + whole(14, 1)


def metadata(entries: Mapping[str, str]) -> bytes:
    """The metadata of a model."""
    return parts(14, (part(1, key) + part(2, value) for key, value in entries.items()))
