"""Counting what a network costs: parameters and multiply-accumulates (MACs) of one inference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..files.limits import elements
from ..onnxfile.ranks import Unbounded, check_ranks
from .record import Graph, Layer

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Shapes = Mapping[str, tuple[int, ...]]


def parameters(graph: Graph) -> int:
    """Numbers that were learnt, BatchNorm's statistics not counted (as the frameworks count them)."""
    statistics = {layer.params[role] for layer in graph.layers for role in ("mean", "var") if role in layer.params}
    return sum(math.prod(shape) for key, shape in graph.params.items() if key not in statistics)


def macs(graph: Graph) -> int:
    """Multiply-accumulates of convolutions, linear layers and LSTMs for one input; 0 where its size is free.

    A free batch or length counts as 1.
    """
    if any(isinstance(n, str) for value in graph.inputs for n in value.shape[1:]):
        return 0
    return sum(_layer_macs(graph, layer) for layer in graph.layers)


def _layer_macs(graph: Graph, layer: Layer) -> int:
    positions = math.prod(n for n in graph.values[layer.outputs[0]].shape if isinstance(n, int))
    match layer.op:
        case "Conv" | "Linear":
            return positions * math.prod(graph.params[layer.params["weight"]][1:])
        case "Lstm":
            steps = graph.values[layer.inputs[0]].shape[0]
            weights = sum(math.prod(graph.params[k]) for r, k in layer.params.items() if r.startswith("weight"))
            return weights * (steps if isinstance(steps, int) else 1)
    return 0


def onnx_parameters(model: ModelProto) -> int:
    """Numbers of any floating or quantised type in an ONNX file; shapes and indices (int64) are not counted."""
    return sum(elements(item.dims) or 0 for item in model.graph.initializer if item.data_type != 7)


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
        check_ranks(model)
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Unbounded:
        return NOTHING
    except Exception:  # a broken or too large model; inference raises several classes
        return NOTHING
    shapes: dict[str, tuple[int, ...]] = {item.name: tuple(item.dims) for item in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes.setdefault(value.name, tuple(d.dim_value or 1 for d in value.type.tensor_type.shape.dim))
    counted = [(_node_macs(node, shapes), _groups(node)) for node in graph.node]
    written = [shapes.get(node.output[0], (0,)) for node in graph.node if node.output and node.op_type not in MERGED]
    return Work(
        sum(macs for macs, groups in counted if groups == 1), sum(macs for macs, groups in counted if groups > 1),
        sum(elements(shape) or 0 for shape in written), sum(macs > 0 for macs, _ in counted),
    )  # fmt: skip


def _groups(node: NodeProto) -> int:
    return next((int(entry.i) for entry in node.attribute if entry.name == "group"), 1)


def _node_macs(node: NodeProto, shapes: Shapes) -> int:
    sizes = [shapes.get(name, ()) for name in node.input]
    out = (elements(shapes.get(node.output[0], (0,))) or 0) if node.output else 0
    match node.op_type:
        case "Conv" if len(sizes) > 1:
            return out * (elements(sizes[1][1:]) or 0)
        case "Gemm" | "MatMul" if len(sizes) > 1 and sizes[0]:
            transposed = any(attr.name == "transA" and attr.i for attr in node.attribute)
            return out * (sizes[0][0] if transposed else sizes[0][-1])
        case "LSTM" if len(sizes) > 2 and sizes[0]:
            return sizes[0][0] * ((elements(sizes[1]) or 0) + (elements(sizes[2]) or 0))
    return 0
