"""A network whose sizes are all known, as engines want it that read no shapes while they run.

Other tools' exporters leave the arithmetic of shapes in the network (Shape, Gather, Concat, Reshape): once the sizes
are known it gives the same numbers whatever goes in, so the numbers stand in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np

from .form import Array, Constant, Graph, Node, Value
from .infer import reckoned
from .propagate import NUMERIC


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
    return _of_constants(replace(graph, nodes=nodes, values=values, constants={**graph.constants, **known}))


FLOAT, HALF = 1, 10  # TensorProto.DataType
LARGEST = 1 << 28  # numbers that are made of others
# What makes weights of weights: the same numbers in another shape, order or type, or one number again and again.
MAKING: Mapping[str, Callable[[Array, Node, tuple[int, ...]], Array]] = {
    **dict.fromkeys(("Identity", "Cast"), lambda array, node, shape: array),
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), lambda array, node, shape: array.reshape(shape)),
    "Transpose": lambda array, node, shape: array.transpose(node.attrs.get("perm")),
    "ConstantOfShape": lambda array, node, shape: np.full(shape, _filling(node)),
}


def _of_constants(graph: Graph) -> Graph:
    """Weights that nodes make of constants, as constants, which are computed when they are asked for."""
    constants, kept = dict(graph.constants), []
    ends = {value.name for value in graph.outputs}
    for node in graph.nodes:
        made = _made(node, graph, constants) if node.op in MAKING and not node.domain else None
        if made is None or node.outputs[0] in ends:
            kept.append(node)
        else:
            constants[node.outputs[0]] = made
    values = {name: value for name, value in graph.values.items() if name not in constants or name in graph.constants}
    return replace(graph, nodes=tuple(kept), values=values, constants=constants).without_dead()


def _made(node: Node, graph: Graph, constants: Mapping[str, Constant]) -> Constant | None:
    value = graph.values.get(node.outputs[0])
    shape = tuple(n for n in value.shape if isinstance(n, int)) if value else ()
    if value is None or len(shape) < len(value.shape) or math.prod(shape) > LARGEST:
        return None
    if not all(name in constants for name in node.inputs) or value.dtype not in NUMERIC:
        return None
    source, make = constants[node.inputs[0]], MAKING[node.op]
    return Constant(shape, value.dtype, lambda: make(source.load(), node, shape).astype(value.dtype))


def _filling(node: Node) -> Any:
    value = node.attrs.get("value")
    return value.load().reshape(-1)[0] if isinstance(value, Constant) else np.float32(0)


def _constant(array: Array) -> Constant:
    return Constant(array.shape, array.dtype.name, lambda: array)


def widened(graph: Graph) -> Graph:
    """float16 as float32 everywhere, whose numbers it has: for engines that compute in float32."""
    if not any(value.dtype == "float16" for value in (*graph.values.values(), *graph.inputs)):
        return graph
    constants = {name: _wide(constant) for name, constant in graph.constants.items()}
    values = {name: _wide_value(value) for name, value in graph.values.items()}
    ends = [tuple(map(_wide_value, side)) for side in (graph.inputs, graph.outputs)]
    nodes = tuple(
        replace(node, attrs={**node.attrs, "to": FLOAT}) if node.op == "Cast" and node.attrs["to"] == HALF else node
        for node in graph.nodes
    )
    return replace(graph, inputs=ends[0], outputs=ends[1], nodes=nodes, values=values, constants=constants)


def _wide_value(value: Value) -> Value:
    return replace(value, dtype="float32") if value.dtype == "float16" else value


def _wide(constant: Constant) -> Constant:
    if constant.dtype != "float16":
        return constant
    return replace(constant, dtype="float32", load=lambda: constant.load().astype(np.float32), chunks=None)


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


def padded_inside(graph: Graph) -> Graph:
    """Zeros that a Pad puts around pictures as padding of the convolution behind it, as TensorFlow's strides want."""
    makers = graph.makers()
    nodes = tuple(_with_pads(node, makers.get(node.inputs[0]), graph) if node.inputs else node for node in graph.nodes)
    return replace(graph, nodes=nodes).without_dead()


def _with_pads(node: Node, pad: Node | None, graph: Graph) -> Node:
    plain = node.attrs.get("auto_pad", "NOTSET") in ("NOTSET", "VALID")
    if node.op != "Conv" or pad is None or pad.op != "Pad" or pad.domain or not plain:
        return node
    amounts, value, axes = ([*pad.inputs, "", "", ""])[1:4]
    known = [name in graph.constants for name in (amounts, value, axes) if name]
    if pad.attrs.get("mode", "constant") != "constant" or axes or not all(known):
        return node
    row = graph.constants[amounts].load().tolist()
    zero = not value or not graph.constants[value].load().any()
    rank = len(row) // 2
    sides = [*row[2:rank], *row[rank + 2 :]]
    own = node.attrs.get("pads", (0,) * len(sides))
    if not zero or any([*row[:2], *row[rank : rank + 2]]) or min(sides, default=-1) < 0 or len(own) != len(sides):
        return node
    attrs = {**node.attrs, "auto_pad": "NOTSET", "pads": tuple(a + b for a, b in zip(own, sides, strict=True))}
    return replace(node, inputs=(pad.inputs[0], *node.inputs[1:]), attrs=attrs)


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
