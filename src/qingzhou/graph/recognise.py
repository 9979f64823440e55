"""Layers found again in a graph of plain operators, by how these are connected and never by their names.

Engines that want layers, such as ncnn, read any .onnx through this: what a linear layer, an activation or an LSTM was
spelled out in becomes one block. A pattern is one function: from the node that ends it to the node that stands for all
of it, or None. What else reads a part of it still does: only what nobody reads any more is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from . import recognise_acts as acts
from . import recognise_layers as layers
from .find import Finder, Pattern
from .form import Graph, Node


def recognised(graph: Graph) -> Graph:
    """The graph with blocks where it spells them out; shapes of all values must be known."""
    graph = _without_identities(graph)
    finder = Finder(graph)
    nodes = _placed(graph.nodes, [_first(finder, node) for node in graph.nodes])
    return replace(graph, nodes=nodes, constants=finder.constants).without_dead()


def _placed(old: Sequence[Node], new: Sequence[Node]) -> tuple[Node, ...]:
    """The new nodes; one that also makes what an earlier node made, as an LSTM's last state, stands in its place."""
    taken = {
        name: node
        for node, before in zip(new, old, strict=True)
        for name in node.outputs[1:]
        if node.outputs != before.outputs and name
    }
    found: dict[int, Node] = {}
    for node in new:
        instead = next((taken[name] for name in node.outputs if name in taken), node)
        found.setdefault(id(instead), instead)
    return tuple(found.values())


def _first(finder: Finder, node: Node) -> Node:
    for pattern in PATTERNS.get(node.op, ()) if node.domain == "" else ():
        found = pattern(finder, node)
        if found is not None:
            return replace(found, name=node.outputs[0])
    return replace(node, name=node.outputs[0])


def _without_identities(graph: Graph) -> Graph:
    """Identity only gives a value another name. One that is an output keeps it, and what makes it takes that name."""
    makers, ends = graph.makers(), {value.name for value in graph.outputs}
    same: dict[str, str] = {}  # name -> the one that is left of both
    gone: set[str] = set()
    for node in graph.nodes:
        if node.op != "Identity" or node.domain:
            continue
        source, name = node.inputs[0], node.outputs[0]
        source = same.get(source, source)
        if name not in ends:
            same[name] = source
        elif source in makers and source not in ends:
            same |= {**{old: name for old, new in same.items() if new == source}, source: name}
        else:
            continue
        gone.add(name)

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(same.get(name, name) for name in names)

    kept = [node for node in graph.nodes if node.op != "Identity" or node.outputs[0] not in gone]
    nodes = tuple(replace(node, inputs=named(node.inputs), outputs=named(node.outputs)) for node in kept)
    return replace(graph, nodes=nodes)


PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "Gemm": (layers.gemm,),
    "MatMul": (layers.matmul,),
    "Add": (layers.matmul_and_bias, layers.affine_group_norm, layers.affine),
    "Mul": (acts.gated, acts.hard_swish, acts.hard_by_six, acts.gelu, layers.affine),
    "Div": (acts.hard_by_six,),
    "Reshape": (layers.group_norm, layers.lstm, layers.softmax),
    "Squeeze": (layers.lstm,),
    "ReduceMean": (layers.global_mean,),
    "Transpose": (layers.turned,),
    "Conv": (layers.window,),
    "ConvTranspose": (layers.window,),
    "MaxPool": (layers.window,),
    "AveragePool": (layers.window,),
}
