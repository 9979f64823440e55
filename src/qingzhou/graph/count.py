"""Counting what a network costs: parameters and multiply-accumulates (MACs) of one inference."""

from __future__ import annotations

import math
from typing import NamedTuple

from ..files.limits import elements
from .form import Graph, Node, roles


def parameters(graph: Graph) -> int:
    """Numbers that were learnt, BatchNorm's statistics not counted (as the frameworks count them)."""
    named = [roles(node) for node in graph.nodes]
    statistics = {found[role] for found in named for role in ("mean", "var") if role in found}
    learnt = (constant for name, constant in graph.constants.items() if name not in statistics)
    return sum(math.prod(shape) for constant in learnt for shape in constant.keys.values())


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


def macs(graph: Graph) -> int:
    """Multiply-accumulates of convolutions, linear layers and LSTMs for one input; 0 where its size is free.

    A free batch or length counts as 1.
    """
    if any(isinstance(n, str) for value in graph.inputs for n in value.shape[1:]):
        return 0
    return sum(_macs(graph, node) for node in graph.nodes)


def work(graph: Graph) -> Work:
    """What a network has to do whose shapes are known; a free size counts as 1."""
    counted = [(_macs(graph, node), int(node.attrs.get("group", 1))) for node in graph.nodes]
    written = [_size(graph, node.outputs[0]) for node in graph.nodes if node.outputs and node.op not in MERGED]
    return Work(
        sum(macs for macs, groups in counted if groups == 1),
        sum(macs for macs, groups in counted if groups > 1),
        sum(written),
        sum(macs > 0 for macs, _ in counted),
    )


def numbers(graph: Graph) -> int:
    """Of any floating or quantised type that a file holds; shapes and indices (int64) are not counted."""
    counted = (item.shape for item in graph.constants.values() if item.dtype not in ("int64", "str"))
    return sum(elements(shape) or 0 for shape in counted)


def _macs(graph: Graph, node: Node) -> int:
    """Of one node; 0 of what is not counted, or whose shapes are not known."""
    sizes = [_shape(graph, name) for name in node.inputs]
    out = _size(graph, node.outputs[0]) if node.outputs else 0
    match node.op:
        case "Conv" | "ConvInteger" | "Linear" if len(sizes) > 1:
            return out * (elements(sizes[1][1:]) or 0)
        case "Gemm" | "MatMul" | "MatMulInteger" if len(sizes) > 1 and sizes[0]:
            return out * sizes[0][0 if node.attrs.get("transA") else -1]
        case "LSTM" if len(sizes) > 2 and sizes[0]:
            return sizes[0][0] * ((elements(sizes[1]) or 0) + (elements(sizes[2]) or 0))
        case "Lstm":
            found = roles(node)
            return sizes[0][0] * sum(math.prod(_shape(graph, found[role])) for role in found if "weight" in role)
    return 0


def _shape(graph: Graph, name: str) -> tuple[int, ...]:
    """A free size counts as 1; () where nothing is known."""
    known = graph.values.get(name) or graph.constants.get(name)
    return () if known is None else tuple(n if isinstance(n, int) else 1 for n in known.shape)


def _size(graph: Graph, name: str) -> int:
    return (elements(_shape(graph, name)) or 0) if name in graph.values else 0
