"""Counting what a network costs: parameters and multiply-accumulates (MACs) of one inference."""

from __future__ import annotations

import math

from ..nets.graph import Graph, Layer


def parameters(graph: Graph) -> int:
    """Numbers that were learnt, BatchNorm's statistics not counted (as the frameworks count them)."""
    statistics = {layer.params[role] for layer in graph.layers for role in ("mean", "var") if role in layer.params}
    return sum(math.prod(shape) for key, shape in graph.params.items() if key not in statistics)


def macs(graph: Graph) -> int:
    """Multiply-accumulates of convolutions, linear layers and LSTMs for one input; a free dimension counts as 1."""
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
