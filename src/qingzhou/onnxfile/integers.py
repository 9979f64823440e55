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
class Steps:
    """What int8 stands for: (q - zero) * scale."""

    scale: float
    zero: int


@dataclass(frozen=True)
class Integers:
    """What is INT8 in a network: weights, by the name of the constant that their floats are made of, and the steps of
    activations that layers read, by theirs.
    """

    weights: Mapping[str, Rounded]
    steps: Mapping[str, Steps]

    @property
    def scales(self) -> dict[str, float]:
        """Those of the activations."""
        return {name: one.scale for name, one in self.steps.items()}


NOTHING = Integers({}, {})


def is_quantized(graph: Graph) -> bool:
    """Whether a network computes in integers."""
    return any(node.op in QUANTIZED for node in graph.nodes)


def has_zero_points(graph: Graph) -> bool:
    """Whether activations have zero points, which ncnn and TensorRT do not know."""
    unsigned = {name for name, constant in graph.constants.items() if constant.dtype == "uint8"}
    return any(node.op == "QuantizeLinear" and unsigned & set(node.inputs) for node in graph.nodes)


def set_apart(graph: Graph) -> tuple[Graph, Integers]:
    """The float network and its integers. A pair that is of no 8 bits, or of several scales, stays where it is."""
    makers, ends = graph.makers(), {value.name for value in graph.outputs}
    products = (node for node in graph.nodes if node.op in ("MatMul", "Gemm") and not node.attrs.get("transB"))
    turned = {node.inputs[1] for node in products}  # (in, out)
    names: dict[str, str] = {}
    weights: dict[str, Rounded] = {}
    steps: dict[str, Steps] = {}
    floats: dict[str, Constant] = {}
    for node in graph.nodes:
        if node.op != "DequantizeLinear":
            continue
        out, source = node.outputs[0], node.inputs[0]
        if source in graph.constants:
            found = _weight(node, graph, makers, out in turned)
            if found is not None:
                floats[out] = found[1]
                weights |= {out: found[0]} if found[0] else {}
            continue
        one = _steps(node, makers.get(source), graph)
        if one is not None:
            raw = makers[source].inputs[0]
            kept, gone = (out, raw) if out in ends else (raw, out)
            names[gone], steps[kept] = kept, one
    apart = _rewritten(graph, names, floats)
    return apart, Integers(weights, {names.get(name, name): one for name, one in steps.items()})


def _steps(node: Node, maker: Node | None, graph: Graph) -> Steps | None:
    """Of a pair: QuantizeLinear, and this DequantizeLinear with the same scale and zero point."""
    if maker is None or maker.op != "QuantizeLinear" or maker.inputs[1:] != node.inputs[1:]:
        return None
    scale, *zeros = (graph.constants.get(name) for name in node.inputs[1:])
    if scale is None or None in zeros or np.prod(scale.shape) != 1:
        return None
    zero = zeros[0].load().reshape(-1) if zeros and zeros[0] else np.zeros(1, np.uint8)
    if zero.dtype not in (np.uint8, np.int8):
        return None
    return Steps(float(scale.load().reshape(-1)[0]), int(zero[0]) - (128 if zero.dtype == np.uint8 else 0))


def _weight(
    node: Node, graph: Graph, makers: Mapping[str, Node], turned: bool
) -> tuple[Rounded | None, Constant] | None:
    """A weight's integers, output channels first, where they have no zero points; and the floats that they stand for,
    as they lie in the network. None where its scales are computed of more than constants.
    """
    stored, scales = graph.constants[node.inputs[0]].load(), _scales(node.inputs[1], graph, makers)
    zeros = [graph.constants[name].load() for name in node.inputs[2:3]]
    if scales is None:
        return None
    first = np.moveaxis(stored, -1, 0) if turned else stored
    wide = (-1, *[1] * (stored.ndim - 1)) if scales.size > 1 else ()

    def floats() -> Array:
        shift = zeros[0].astype(np.float32).reshape(wide) if zeros and zeros[0].any() else np.float32(0)
        array = (first - shift) * scales.reshape(wide).astype(np.float32)
        return np.ascontiguousarray(np.moveaxis(array, 0, -1) if turned else array)

    rounded = Rounded(first, scales.reshape(-1)) if stored.dtype == np.int8 and not any(map(np.any, zeros)) else None
    return rounded, Constant(stored.shape, "float32", floats, keys={node.outputs[0]: stored.shape})


def _scales(name: str, graph: Graph, makers: Mapping[str, Node]) -> Array | None:
    """Known numbers, or the product of such: that of a bias is the input's times the weight's."""
    if name in graph.constants:
        return graph.constants[name].load()
    maker = makers.get(name)
    if maker is None or maker.op != "Mul" or not set(maker.inputs) <= set(graph.constants):
        return None
    one, other = (graph.constants[part].load() for part in maker.inputs)
    return np.asarray(one * other)


def _rewritten(graph: Graph, names: Mapping[str, str], floats: Mapping[str, Constant]) -> Graph:
    """Without the pairs; what they made is called as what they read."""

    def new(row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names.get(name, name) for name in row)

    gone = {*names.values(), *names, *floats}
    kept = (node for node in graph.nodes if not (node.op == "DequantizeLinear" and node.outputs[0] in gone))
    nodes = tuple(replace(node, inputs=new(node.inputs), outputs=new(node.outputs)) for node in kept)
    values = {names.get(name, name): replace(value, name=names.get(name, name)) for name, value in graph.values.items()}
    return replace(graph, nodes=nodes, values=values, constants={**graph.constants, **floats}).without_dead()
