"""A network whose sizes are all known, as engines want it that read no shapes while they run.

Other tools' exporters leave the arithmetic of shapes in the network (Shape, Gather, Concat, Reshape): once the sizes
are known it gives the same numbers whatever goes in, so the numbers stand in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import accumulate

import numpy as np

from .form import Array, Constant, Graph, Node
from .infer import reckoned


def settled(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """The graph with the shapes of all values, and constants for what depends on sizes alone. ModelError where inputs
    do not fit a node.

    sizes  free size -> what it is, such as {"batch": 1}
    """
    graph, numbers = reckoned(graph, sizes)
    ends = {value.name for value in graph.outputs}
    known = {
        name: _constant(array)
        for name, array in numbers.items()
        if name not in graph.constants and name not in ends and array.dtype != object
    }
    nodes = tuple(node for node in graph.nodes if not all(name in known for name in node.outputs if name))
    values = {name: value for name, value in graph.values.items() if name not in known}
    return replace(graph, nodes=nodes, values=values, constants={**graph.constants, **known}).without_dead()


def _constant(array: Array) -> Constant:
    return Constant(array.shape, array.dtype.name, lambda: array)


def split_apart(graph: Graph) -> Graph:
    """Every Split of known sizes as one Slice for each part, for engines that have no layer of several results."""
    made: dict[str, Constant] = {}
    nodes = [one for node in graph.nodes for one in _slices(node, graph, made)]
    return replace(graph, nodes=tuple(nodes), constants={**graph.constants, **made}).without_dead()


def _slices(node: Node, graph: Graph, made: dict[str, Constant]) -> Iterator[Node]:
    parts = [graph.values.get(name) for name in node.outputs]
    axis = node.attrs.get("axis", 0)
    sizes = [part.shape[axis] for part in parts if part is not None and -len(part.shape) <= axis < len(part.shape)]
    if node.op != "Split" or node.domain or len(sizes) < len(parts) or not all(isinstance(n, int) for n in sizes):
        yield node
        return
    ends = list(accumulate(int(n) for n in sizes))
    for name, start, end in zip(node.outputs, [0, *ends], ends, strict=False):
        rows = {f"{name}/{what}": np.array([n]) for what, n in (("start", start), ("end", end), ("axis", axis))}
        made |= {key: _constant(row) for key, row in rows.items()}
        yield Node("Slice", (node.inputs[0], *rows), (name,), name=name)
