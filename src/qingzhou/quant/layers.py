"""What rounding does to each layer: for people who want to look inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from .network import Array, Network
from .signal import Feed, decibels
from .watch import watched

Drawn = Mapping[str, Array]  # by the tensor's name, some of its numbers

LOOKED_AT = 6  # inputs
BINS = 64


@dataclass(frozen=True)
class Histogram:
    """How often numbers lie between one edge and the next: N counts, N + 1 edges."""

    counts: Sequence[int]
    edges: Sequence[float]


@dataclass(frozen=True)
class Layer:
    """One layer with weights.

    sqnr     of what it gives, in dB; what layers before it lost counts as well
    kept     whether it stays in float
    weights  as they were trained;  integers  the same in INT8, None where it is kept
    """

    name: str
    sqnr: float
    kept: bool
    weights: Histogram
    integers: Histogram | None


def names_of(network: Network) -> list[str]:
    """What the layers with weights give, after a ReLU or Clip, in order of execution."""
    return [network.clipped(node.output[0]) for node in network.weighted]


def look_at(
    network: Network, model: ModelProto, kept: frozenset[str], feeds: Sequence[Feed], drawn: Sequence[Drawn] = ()
) -> list[Layer]:
    """All layers that could become INT8, in order of execution. `model` is the rounded form; `drawn` what was drawn in
    the network itself from the first LOOKED_AT of the feeds, where that is known already.
    """
    names = names_of(network)
    losses = _losses(network, model, names, feeds[:LOOKED_AT], drawn)
    stored = _integers(model)
    layers = []
    for node, name in zip(network.weighted, names, strict=True):
        weight = node.input[1]
        integers = None if node.output[0] in kept else stored.get(f"{weight}/int8")
        layers.append(
            Layer(
                _title(weight),
                losses[name],
                node.output[0] in kept,
                _histogram(network.weight(node)),
                None if integers is None else _histogram(numpy_helper.to_array(integers)),
            )
        )
    return layers


def _integers(model: ModelProto) -> dict[str, TensorProto]:
    """By the name of the floats that are made of them."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    return {
        node.output[0]: constants[node.input[0]]
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constants
    }


def _losses(
    before: Network, after: ModelProto, names: Sequence[str], feeds: Sequence[Feed], drawn: Sequence[Drawn]
) -> Mapping[str, float]:
    """SQNR by tensor, of the numbers that are drawn in both at the same places; of those whose shape depends on the
    answer (a second stage's) it is NaN.
    """
    made = {name for node in after.graph.node for name in node.output}
    others = [f"{name}/int8" if f"{name}/int8" in made else name for name in names]
    signal, error = np.zeros(len(names)), np.zeros(len(names))
    first = drawn or list(_drawn(before, names, feeds))  # one after the other: only one session is in memory
    for one, two in zip(first, _drawn(Network(after), others, feeds), strict=True):
        for i, (name, other) in enumerate(zip(names, others, strict=True)):
            a, b = one[name].astype(np.float64), two[other]
            signal[i] += np.square(a).sum()
            error[i] += np.square(a - b).sum() if a.shape == b.shape else np.nan
    return dict(zip(names, decibels(signal, error).tolist(), strict=True))


def _drawn(network: Network, names: Sequence[str], feeds: Sequence[Feed]) -> Iterator[Drawn]:
    for sight in watched(network, names, feeds, only_drawn=True):
        yield {name: glance.sample for name, glance in sight.glances.items()}


def _title(weight: str) -> str:
    """A layer's name without what all have in common: backbone.layer1.0.conv.0.bn.folded.weight -> layer1.0.conv.0."""
    for end in (".weight", ".folded", ".bn", ".conv"):
        weight = weight.removesuffix(end)
    return weight.removeprefix("backbone.")


def _histogram(weights: Array) -> Histogram:
    counts, edges = np.histogram(weights, BINS)
    return Histogram(counts.tolist(), edges.tolist())
