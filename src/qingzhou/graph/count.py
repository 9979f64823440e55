"""Counting what a network costs: parameters and multiply-accumulates (MACs) of one inference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from .form import Graph, Node, Shape, roles

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Shapes = Mapping[str, tuple[int, ...]]


def parameters(graph: Graph) -> int:
    """Numbers that were learnt, BatchNorm's statistics not counted (as the frameworks count them)."""
    named = [roles(node) for node in graph.nodes]
    statistics = {found[role] for found in named for role in ("mean", "var") if role in found}
    learnt = (constant for name, constant in graph.constants.items() if name not in statistics)
    return sum(math.prod(shape) for constant in learnt for shape in constant.keys.values())


def macs(graph: Graph) -> int:
    """Multiply-accumulates of convolutions, linear layers and LSTMs for one input; 0 where its size is free.

    A free batch or length counts as 1.
    """
    if any(isinstance(n, str) for value in graph.inputs for n in value.shape[1:]):
        return 0
    return sum(_macs(graph, node) for node in graph.nodes)


def _macs(graph: Graph, node: Node) -> int:
    sizes = {role: graph.constants[name].shape for role, name in roles(node).items()}
    match node.op:
        case "Conv" | "Linear":
            return _known(graph.values[node.outputs[0]].shape) * math.prod(sizes["weight"][1:])
        case "Lstm":
            weights = sum(math.prod(size) for role, size in sizes.items() if role.startswith("weight"))
            return weights * _known(graph.values[node.inputs[0]].shape[:1])
    return 0


def _known(shape: Shape) -> int:
    return math.prod(n for n in shape if isinstance(n, int))


def onnx_parameters(model: ModelProto) -> int:
    """Numbers of any floating or quantised type in an ONNX file; shapes and indices (int64) are not counted."""
    return sum(math.prod(item.dims) for item in model.graph.initializer if item.data_type != 7)


class Work(NamedTuple):
    """What one inference has to do: multiply-accumulates of layers that read all channels, and of those in groups
    (depthwise); numbers that are written (not by what engines merge into the layer before); layers.
    """

    dense: int
    grouped: int
    numbers: int
    layers: int

    @property
    def macs(self) -> int:
        """All multiply-accumulates."""
        return self.dense + self.grouped


NOTHING = Work(0, 0, 0, 0)
MERGED = {"Constant", "Reshape", "Flatten", "Shape", "Identity", "Relu", "Clip", "QuantizeLinear", "DequantizeLinear"}


def onnx_macs(model: ModelProto) -> int:
    """Multiply-accumulates of an ONNX model, counted as macs() does; 0 where its shapes cannot be inferred."""
    return onnx_work(model).macs


def onnx_work(model: ModelProto) -> Work:
    """What an ONNX model has to do; NOTHING where its shapes cannot be inferred."""
    import onnx

    if model.functions:  # nothing is counted inside them, and inference goes into each call: 2^n of them in n functions
        return NOTHING
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # a broken or too large model; inference raises several classes
        return NOTHING
    shapes: dict[str, tuple[int, ...]] = {item.name: tuple(item.dims) for item in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes.setdefault(value.name, tuple(d.dim_value or 1 for d in value.type.tensor_type.shape.dim))
    counted = [(_node_macs(node, shapes), _groups(node)) for node in graph.node]
    written = [shapes.get(node.output[0], (0,)) for node in graph.node if node.output and node.op_type not in MERGED]
    return Work(
        sum(macs for macs, groups in counted if groups == 1), sum(macs for macs, groups in counted if groups > 1),
        sum(map(math.prod, written)), sum(macs > 0 for macs, _ in counted),
    )  # fmt: skip


def _groups(node: NodeProto) -> int:
    return next((int(entry.i) for entry in node.attribute if entry.name == "group"), 1)


def _node_macs(node: NodeProto, shapes: Shapes) -> int:
    sizes = [shapes.get(name, ()) for name in node.input]
    out = math.prod(shapes.get(node.output[0], (0,))) if node.output else 0
    match node.op_type:
        case "Conv" if len(sizes) > 1:
            return out * math.prod(sizes[1][1:])
        case "Gemm" | "MatMul" if len(sizes) > 1 and sizes[0]:
            transposed = any(attr.name == "transA" and attr.i for attr in node.attribute)
            return out * (sizes[0][0] if transposed else sizes[0][-1])
        case "LSTM" if len(sizes) > 2 and sizes[0]:
            return sizes[0][0] * (math.prod(sizes[1]) + math.prod(sizes[2]))
    return 0
