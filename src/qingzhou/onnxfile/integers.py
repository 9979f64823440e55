"""QDQ -> the float network inside it, with the integers set apart, for engines that write INT8 in their own way.

Between QuantizeLinear and DequantizeLinear a network stays the float one that was quantised: without these pairs, and
with weights made floats again, it is recognised as before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..graph.form import Array, Constant, Graph, Node

QUANTIZED = (
    "QuantizeLinear",
    "DequantizeLinear",
    "DynamicQuantizeLinear",
    "ConvInteger",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
)


STEPS = 0.02  # of the self-test: another processor may round a number to the next of 256 levels
PER_CHANNEL = 13  # the opset since which there is a scale for each channel


@dataclass(frozen=True)
class Rounded:
    """A weight's integers, int8 of (out, in / groups, *kernel) or (out, in), and the scale of each output channel."""

    integers: Array
    scales: Array


@dataclass(frozen=True)
class Integers:
    """What is INT8 in a network: weights, by the name of the constant that their floats are made of, and the scales of
    activations that layers read, by theirs.
    """

    weights: Mapping[str, Rounded]
    scales: Mapping[str, float]


NOTHING = Integers({}, {})


def is_quantized(graph: Graph) -> bool:
    """Whether a network computes in integers."""
    return any(node.op in QUANTIZED for node in graph.nodes)


def has_zero_points(graph: Graph) -> bool:
    """Whether activations have zero points, which ncnn and TensorRT do not know."""
    unsigned = {name for name, constant in graph.constants.items() if constant.dtype == "uint8"}
    return any(node.op == "QuantizeLinear" and unsigned & set(node.inputs) for node in graph.nodes)


def set_apart(graph: Graph) -> tuple[Graph, Integers]:
    """The float network and its integers, which have no zero points."""
    makers, ends = graph.makers(), {value.name for value in graph.outputs}
    turned = {node.inputs[1] for node in graph.nodes if node.op == "MatMul"}  # (in, out)
    names: dict[str, str] = {}
    weights: dict[str, Rounded] = {}
    scales: dict[str, float] = {}
    floats: dict[str, Constant] = {}
    for node in graph.nodes:
        if node.op != "DequantizeLinear":
            continue
        out, source = node.outputs[0], node.inputs[0]
        if source in graph.constants:
            weights[out], floats[out] = _weight(node, graph, out in turned)
            continue
        raw = makers[source].inputs[0]
        kept, gone = (out, raw) if out in ends else (raw, out)
        names[gone] = kept
        scales[kept] = float(graph.constants[node.inputs[1]].load())
    apart = _rewritten(graph, names, floats)
    return apart, Integers(weights, {names.get(name, name): scale for name, scale in scales.items()})


def _weight(node: Node, graph: Graph, turned: bool) -> tuple[Rounded, Constant]:
    """Its integers, output channels first, and the floats that they stand for, as they lie in the network."""
    stored, scales = (graph.constants[name].load() for name in node.inputs[:2])
    first = np.moveaxis(stored, -1, 0) if turned else stored

    def floats() -> Array:
        array = first * scales.reshape(-1, *[1] * (stored.ndim - 1)).astype(np.float32)
        return np.ascontiguousarray(np.moveaxis(array, 0, -1) if turned else array)

    return Rounded(first, scales), Constant(stored.shape, "float32", floats, keys={node.outputs[0]: stored.shape})


def _rewritten(graph: Graph, names: Mapping[str, str], floats: Mapping[str, Constant]) -> Graph:
    """Without the pairs; what they made is called as what they read."""

    def new(row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names.get(name, name) for name in row)

    kept = (node for node in graph.nodes if node.op not in ("QuantizeLinear", "DequantizeLinear"))
    nodes = tuple(replace(node, inputs=new(node.inputs), outputs=new(node.outputs)) for node in kept)
    values = {names.get(name, name): replace(value, name=names.get(name, name)) for name, value in graph.values.items()}
    return replace(graph, nodes=nodes, values=values, constants={**graph.constants, **floats}).without_dead()
