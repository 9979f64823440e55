"""A graph of plain operators as the bytes of an ONNX model, less its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..files import protobuf
from ..files.protobuf import DTYPES, INITIALIZER, NODE, OUTPUT
from ..graph.form import UNRANKED, Attr, Constant, Graph, Node, Raw, Value
from ..version import __version__
from .lower import Rules, lower


class Emitted(NamedTuple):
    """An ONNX model as bytes: what stands around its graph, the graph without its numbers, and how to make these."""

    inputs: tuple[Value, ...]
    outer: bytes
    graph: bytes
    constants: Mapping[str, Constant]


def emit(graph: Graph, opset: int, ir_version: int, other: Rules | None = None) -> Emitted:
    """The graph as ONNX operators of the given opset; `other` rules lower some of them in another way."""
    plain = lower(graph, opset, other)
    inner = protobuf.graph(
        "qingzhou", map(_node, plain.nodes), map(value_info, plain.inputs), map(value_info, plain.outputs)
    )
    outer = protobuf.model(plain.opsets, ir_version, "qingzhou", __version__)
    return Emitted(plain.inputs, outer, inner, plain.constants)


def additions(nodes: Iterable[Node], constants: Mapping[str, Constant], outputs: Iterable[Value]) -> bytes:
    """Fields of a model that stand at the end of one: more nodes, small constants, and outputs that it has not yet."""
    tensors = [small_tensor(name, constant) for name, constant in constants.items()]
    parts = (
        protobuf.parts(NODE, map(_node, nodes)),
        protobuf.parts(INITIALIZER, tensors),
        protobuf.parts(OUTPUT, map(value_info, outputs)),
    )
    return protobuf.in_graph(b"".join(parts)) if any(parts) else b""


def _node(node: Node) -> bytes:
    attrs = {name: _attribute(value) for name, value in node.attrs.items()}
    return protobuf.node(node.op, node.inputs, node.outputs, node.name, attrs, node.domain)


def _attribute(value: Attr) -> object:
    if isinstance(value, Raw):
        return memoryview(value.data)
    return small_tensor("", value) if isinstance(value, Constant) else value


def small_tensor(name: str, constant: Constant) -> bytes:
    """A TensorProto with its numbers, which are few."""
    numbers = np.ascontiguousarray(constant.load(), constant.dtype).tobytes()
    return protobuf.tensor(name, DTYPES[constant.dtype], constant.shape, len(numbers)) + numbers


def value_info(value: Value) -> bytes:
    """An input or output, by name, type and shape."""
    return protobuf.value_info(value.name, DTYPES[value.dtype], None if value.shape == UNRANKED else value.shape)
