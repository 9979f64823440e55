"""A network whose sizes are all known, as engines want it that read no shapes while they run.

Other tools' exporters leave the arithmetic of shapes in the network (Shape, Gather, Concat, Reshape): once the sizes
are known it gives the same numbers whatever goes in, so the numbers stand in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import accumulate

import numpy as np

from .form import Array, Constant, Graph, Node, Value
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


THROUGH = ("Add", "BatchNormalization", "Cast", "Div", "Identity", "Mul", "Sub")  # what leaves channels as they are


def with_channels(graph: Graph) -> Graph:
    """Channels of pictures that the file leaves open, as exporters write that leave all sizes open: as many as the
    first convolution takes.
    """
    readers = graph.consumers()
    return replace(graph, inputs=tuple(_with_channels(value, graph, readers) for value in graph.inputs))


def _with_channels(value: Value, graph: Graph, readers: Mapping[str, list[Node]]) -> Value:
    name, is_open = value.name, len(value.shape) == 4 and isinstance(value.shape[1], str)
    while is_open and len(readers.get(name, ())) == 1:
        node = readers[name][0]
        weight = graph.constants.get(node.inputs[1]) if node.op == "Conv" and len(node.inputs) > 1 else None
        if weight is not None and node.inputs[0] == name and len(weight.shape) == 4:
            channels = weight.shape[1] * int(node.attrs.get("group", 1))
            return replace(value, shape=(value.shape[0], channels, *value.shape[2:]))
        if node.op not in THROUGH or node.domain or len(node.outputs) != 1:
            break
        name = node.outputs[0]
    return value


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
