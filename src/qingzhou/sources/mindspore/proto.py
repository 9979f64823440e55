"""The messages of a `.mindir`, as plain data: attributes, tensors, nodes.

https://gitee.com/mindspore/mindspore/blob/v2.7.0/mindspore/core/proto/mind_ir.proto; the numbers are not those of ONNX.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...files.limits import MOST_AXES, elements
from ...files.refusals import short, unsafe
from ...files.wire import FIXED64, Field, Message
from .refuse import garbled

MOST_INSIDE = 50  # tuples inside tuples
# TensorProto.DataType; the second double is one that no file was seen to use
DTYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "str", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
    17: "float64", 18: "qint4x2", 19: "float8_e4m3fn", 20: "float8_e5m2", 21: "hifloat8", 22: "int4",
}  # fmt: skip
FLOAT, BOOL, STRING, TENSOR, TENSORS, TUPLE, LIST, DICT, UMONAD, IOMONAD, NONE = 1, 9, 8, 17, 19, 20, 21, 22, 23, 24, 25
INTEGERS, DOUBLE = (2, 3, 4, 5, 6, 7, 12, 13), 11
SKIPPED = "skipped"  # of a kind that no network needs


@dataclass(frozen=True)
class Elsewhere:
    """Where the numbers of a tensor lie: a run of bytes of the file itself, or of another one with this name."""

    start: int
    size: int
    name: str = ""


@dataclass(frozen=True)
class TensorProto:
    """A tensor as the file tells it; sizes of -1 are free. key: what the parameter is called in a checkpoint."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    place: Elsewhere | None = None
    key: str = ""
    odd: str = ""  # numbers that are packed or quantised


@dataclass(frozen=True)
class NodeProto:
    """One call. op: its primitive, or a name in the list of primitives; layer: the path of its Cell."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layer: str
    attrs: Mapping[str, Any]


@dataclass
class GraphProto:
    """One function."""

    name: str = ""
    nodes: list[NodeProto] = field(default_factory=list)
    parameters: list[TensorProto] = field(default_factory=list)
    inputs: list[TensorProto] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attrs: dict[str, Any] = field(default_factory=dict)
    maps: int = 0  # parameters that are hash maps


@dataclass(frozen=True)
class Primitive:
    """An operation with what is fixed of it."""

    op: str
    attrs: Mapping[str, Any]


def read_graph(m: Message, into: GraphProto) -> None:
    """A GraphProto; one that comes in several parts is put together."""
    for one in m.fields():
        if one.number == 1:
            into.nodes.append(_node(m.inside(one)))
        elif one.number == 2:
            into.name = m.text(one)
        elif one.number == 3:
            into.parameters.append(tensor(m.inside(one)))
        elif one.number == 5:
            into.inputs.append(_value(m.inside(one)))
        elif one.number == 6:
            into.outputs.append(_value(m.inside(one)).name)
        elif one.number == 8:
            name, value = attribute(m.inside(one))
            into.attrs[name] = value
        elif one.number == 10:
            into.maps += 1


def read_primitive(m: Message) -> tuple[str, Primitive]:
    """A PrimitiveProto, and what nodes call it."""
    name, op, attrs = "", "", {}
    for one in m.fields():
        if one.number == 1:
            name = m.text(one)
        elif one.number == 2:
            op = m.text(one)
        elif one.number == 3:
            key, value = attribute(m.inside(one))
            attrs[key] = value
    return name, Primitive(op, attrs)


def _node(m: Message) -> NodeProto:
    inputs: list[str] = []
    outputs: list[str] = []
    op = layer = ""
    attrs: dict[str, Any] = {}
    for one in m.fields():
        if one.number == 1:
            inputs.append(m.text(one))
        elif one.number == 2:
            outputs.append(m.text(one))
        elif one.number == 4:
            op = m.text(one)
        elif one.number == 5:
            name, value = attribute(m.inside(one))
            attrs[name] = value
        elif one.number == 7:
            layer = m.text(one)
    return NodeProto(op, tuple(inputs), tuple(outputs), layer, attrs)


def _value(m: Message) -> TensorProto:
    """A ValueInfoProto: name and shape."""
    name, found, odd = "", TensorProto("", (), ""), ""
    for one in m.fields():
        if one.number == 1:
            name = m.text(one)
        elif one.number == 2:
            found = tensor(m.inside(one))
        elif one.number == 5:
            odd = "of no tensor"
    return TensorProto(name, found.shape, found.dtype, odd=odd)


def tensor(m: Message) -> TensorProto:
    """A TensorProto; CheckpointDamaged for a shape that no tensor has."""
    shape: list[int] = []
    name, key, dtype, odd = "", "", "", ""
    place: Elsewhere | None = None
    for one in m.fields():
        if one.number == 1:
            shape += m.numbers(one)
            if len(shape) > MOST_AXES:
                raise garbled("a tensor has too many axes", "张量的维数过多")
        elif one.number == 2:
            dtype = DTYPES.get(one.value, f"type {one.value}")
        elif one.number in (3, 4, 5, 6, 10, 11):
            odd = "written number by number"
        elif one.number == 7:
            name = m.text(one)
        elif one.number == 9:
            place = Elsewhere(one.start, one.end - one.start)
        elif one.number == 12:
            place = _elsewhere(m.inside(one))
        elif one.number == 13:
            key = m.text(one)
        elif (one.number == 16 and one.value) or one.number == 17:
            odd = "compressed or quantised"
    if elements([max(n, 0) for n in shape]) is None or min(shape, default=0) < -2:
        raise garbled(f"the tensor {short(name)} has the shape {shape}", f"张量 {short(name)} 的形状是 {shape}")
    return TensorProto(name, tuple(shape), dtype, place, key, odd)


def _elsewhere(m: Message) -> Elsewhere:
    name, start, size = "", 0, 0
    for one in m.fields():
        if one.number == 1:
            name = m.text(one)
        elif one.number == 2:
            start = m.number(one)
        elif one.number == 3:
            size = m.number(one)
    return Elsewhere(start, size, name)


def attribute(m: Message, depth: int = 0) -> tuple[str, Any]:
    """An AttributeProto as a plain value: numbers, texts, None, tuples of these, tensors; SKIPPED for all else."""
    name, kind = "", 0
    found: dict[int, list[Field]] = {}
    for one in m.fields():
        if one.number == 1:
            name = m.text(one)
        elif one.number == 16:
            kind = one.value
        elif one.number in (2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 17):
            found.setdefault(one.number, []).append(one)
    return name, _plain(m, kind, found, depth)


def _plain(m: Message, kind: int, found: Mapping[int, Sequence[Field]], depth: int) -> Any:
    """Inside a tuple a number stands in the field for many, alone in that for one."""

    def first(*numbers: int) -> Field | None:
        return next((found[number][0] for number in numbers if number in found), None)

    if kind in (TUPLE, LIST):
        if depth > MOST_INSIDE:
            raise unsafe("its tuples contain each other too often", "其中的元组嵌套过深")
        return tuple(attribute(m.inside(one), depth + 1)[1] for one in found.get(17, ()))
    if kind in (TENSOR, TENSORS):
        one = first(6, 12)
        return tensor(m.inside(one)) if one is not None else SKIPPED
    if kind in (UMONAD, IOMONAD, NONE):
        return None
    if kind == FLOAT or (kind == DOUBLE and first(2, 8)):
        one = first(2, 8)
        return m.reals(one)[0] if one is not None and m.reals(one) else 0.0
    if kind == DOUBLE:
        return _double(m, first(4, 9))
    if kind == BOOL or kind in INTEGERS:
        one = first(3, 10)
        value = m.numbers(one)[0] if one is not None and m.numbers(one) else 0
        return bool(value) if kind == BOOL else value
    if kind == STRING:
        one = first(5, 11)
        return "" if one is None else m.text(one)
    return SKIPPED


def _double(m: Message, one: Field | None) -> float:
    if one is None or one.end - one.start != 8 or one.kind != FIXED64:
        return 0.0
    return float(struct.unpack_from("<d", m.data, one.start)[0])
