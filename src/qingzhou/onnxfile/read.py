"""ONNX -> Graph: an .onnx that onnx.py wrote, read back, for engines whose files are made from a Graph.

What onnx.py spells out in several operators (a linear layer with its bias, an activation, a normalisation) becomes one
layer again, known by the operators and by the names that it gave them. Whoever uses this compares the answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, numpy_helper

from ..graph.form import Graph, Shape, Value
from ..graph.record import Layer
from ..graph.weights import Array, Weights
from .ranks import Unbounded, check_ranks
from .read_layers import OPERATORS, check_operators, unread

SMALL = 4096  # numbers: constants up to this size are shown to the shape inference, since shapes depend on them
SLIGHTLY = np.float32(1 + 1e-6)
DTYPES: dict[int, str] = {TensorProto.FLOAT: "float32", TensorProto.INT64: "int64"}


def read_graph(model: ModelProto) -> tuple[Graph, Weights]:
    """The graph of a model for one input at a time, and its weights; ModelError names what onnx.py does not write.

    EngineError for what heads.py writes.
    """
    check_operators(model.graph.node)
    reader = Reader(model)
    layers = reader.layers()
    names = {name for layer in layers for name in (*layer.inputs, *layer.outputs)}
    inputs = tuple(reader.value(entry.name) for entry in model.graph.input)
    outputs = tuple(reader.value(entry.name) for entry in model.graph.output)
    values = {name: reader.value(name) for name in names} | {value.name: value for value in (*inputs, *outputs)}
    graph = Graph(inputs, outputs, layers, values, reader.params)
    return graph, Weights({}, reader.arrays)


class Reader:
    """Turns nodes into layers, from the last to the first, so that parts of a layer are passed over."""

    def __init__(self, model: ModelProto) -> None:
        graph = model.graph
        self.nodes: Sequence[NodeProto] = graph.node
        self.ends = {entry.name for entry in graph.output}
        self.optional = {entry.name for entry in graph.input} & {item.name for item in graph.initializer}
        self.constants = {item.name: item for item in graph.initializer if item.name not in self.optional}
        self.makers: dict[str, NodeProto] = {name: node for node in graph.node for name in node.output}
        self.infos = _shapes(model)
        self.params: dict[str, tuple[int, ...]] = {}
        self.arrays: dict[str, Callable[[], Array]] = {}
        self.read: set[str] = set()  # names of values that a layer makes

    def layers(self) -> tuple[Layer, ...]:
        """All that an output depends on."""
        needed, found = set(self.ends), []
        for node in reversed(self.nodes):
            wanted = needed & set(node.output) - self.read
            if wanted:
                layer = self.layer_of(node)
                needed |= set(layer.inputs)
                self.read |= set(layer.outputs)
                found.append(layer)
        return tuple(reversed(found))

    def layer_of(self, node: NodeProto) -> Layer:
        """The layer that ends with a node."""
        if node.op_type not in OPERATORS:
            raise unread(node.op_type)
        try:
            return OPERATORS[node.op_type](self, node)
        except (
            KeyError,
            IndexError,
            ValueError,
            TypeError,
            AssertionError,
        ):  # inputs or attributes that ours always have
            raise unread(node.op_type) from None

    # -- what is in the model ----------------------------------------------------------------------------------------

    def value(self, name: str) -> Value:
        """A value with its shape; ModelError where that is not known."""
        if name not in self.infos or not self.infos[name].type.tensor_type.HasField("shape"):
            raise unread(f"a value of unknown shape ({name[:60]})", f"形状未知的值（{name[:60]}）")
        kind = self.infos[name].type.tensor_type
        shape: Shape = tuple(d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in kind.shape.dim)
        return Value(name, shape, DTYPES.get(kind.elem_type, "other"), name in self.optional)

    def made_by(self, name: str, *kinds: str) -> NodeProto | None:
        """The node that makes a value, if it is of one of these kinds."""
        node = self.makers.get(name)
        return node if node is not None and node.op_type in kinds else None

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a constant."""
        return tuple(self.constants[name].dims)

    def numbers(self, name: str) -> list[Any]:
        """A small constant's numbers."""
        if name not in self.constants or math.prod(self.shape(name)) > SMALL:
            raise unread(f"a setting that is computed ({name[:60]})", f"运行时才计算的参数（{name[:60]}）")
        found: list[Any] = numpy_helper.to_array(self.constants[name]).reshape(-1).tolist()
        return found

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def layer(
        self, op: str, node: NodeProto, inputs: Sequence[str], params: Mapping[str, str] | None = None,
        outputs: Sequence[str] = (), **attrs: Any,
    ) -> Layer:  # fmt: skip
        """A layer named after its first output."""
        outs = tuple(outputs or node.output[:1])
        return Layer(op, outs[0], tuple(inputs), outs, dict(params or {}), attrs)

    def param(
        self, name: str, shape: Sequence[int] = (), change: Callable[[Array], Array] = lambda array: array
    ) -> str:
        """A constant as a parameter, changed on its way to that shape (its own if none is given); its key."""
        if name not in self.constants:
            raise unread(f"a weight that is computed ({name[:60]})", f"运行时才计算的权重（{name[:60]}）")
        return self.make(
            name, tuple(shape) or self.shape(name), lambda: change(numpy_helper.to_array(self.constants[name]))
        )

    def make(self, key: str, shape: tuple[int, ...], load: Callable[[], Array]) -> str:
        """A parameter that is computed; its key."""
        self.params[key] = shape
        self.arrays[key] = load
        return key

    def weights(self, node: NodeProto, first: int = 1) -> dict[str, str]:
        """A node's weight, and its bias if it has one."""
        return {
            role: self.param(name) for role, name in zip(("weight", "bias"), node.input[first:], strict=False) if name
        }


def _shapes(model: ModelProto) -> dict[str, ValueInfoProto]:
    """Shapes of all values, the first axis of the inputs being 1 where it is free. Large constants take no part."""
    try:
        check_ranks(model)
    except Unbounded as err:
        raise unread(*err.args) from None
    thin = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
    graph = thin.graph
    graph.name = "shapes"
    graph.node.extend(model.graph.node)
    graph.input.extend(model.graph.input)
    graph.output.extend(onnx.helper.make_empty_tensor_value_info(entry.name) for entry in model.graph.output)
    for entry in graph.input:
        first = entry.type.tensor_type.shape.dim[0] if entry.type.tensor_type.shape.dim else None
        if first is not None and not first.HasField("dim_value"):
            first.dim_value = 1
    known = {entry.name for entry in graph.input}
    scales = {node.input[2] for node in graph.node if node.op_type == "Resize" and len(node.input) == 3}
    for item in model.graph.initializer:
        if item.name in known:
            continue
        if item.name in scales:  # the inference rounds sizes down: 29 / 13, as float32, times 13 would be 28
            graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(item) * SLIGHTLY, item.name))
        elif math.prod(item.dims) <= SMALL:
            graph.initializer.append(item)
        else:
            graph.input.append(onnx.helper.make_tensor_value_info(item.name, item.data_type, item.dims))
    try:
        done = onnx.shape_inference.infer_shapes(thin, strict_mode=True, data_prop=True).graph
    except Exception:  # onnx has several classes for it
        raise unread("parts that do not fit together", "互不匹配的部分") from None
    return {entry.name: entry for entry in (*done.input, *done.value_info, *done.output)}
