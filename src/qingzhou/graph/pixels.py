"""A network that is given bytes, and makes the numbers of them that it was trained on."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

from .form import Array, Constant, Graph, Node

FLOAT = 1  # TensorProto.DataType of a Cast


def normalising_bytes(graph: Graph, name: str, steps: Sequence[tuple[str, Array]], axis: int) -> Graph:
    """The graph whose picture `name`, (N, C, H, W), or (N, H, W, C) with axis 3, is uint8. steps: ("Sub", mean) and
    ("Div", std), (C,) float32, one after another, as numpy does them outside: so answers stay equal to the last bit.
    """
    source = next(value for value in graph.inputs if value.name == name)
    made, nodes, constants = f"{name}/float32", list[Node](), dict[str, Constant]()
    nodes.append(Node("Cast", (name,), (made,), {"to": FLOAT}, name=made))
    values = {made: replace(source, name=made)}
    for op, row in steps:
        out, numbers = f"{name}/{op}", f"{name}/{op}/numbers"
        laid = row.reshape(-1, *[1] * (len(source.shape) - 1 - axis))
        constants[numbers] = Constant(laid.shape, "float32", functools.partial(laid.copy))
        nodes.append(Node(op, (made, numbers), (out,), name=out))
        values[out] = replace(source, name=out)
        made = out
    entry = replace(source, dtype="uint8")
    rest = [replace(n, inputs=tuple(made if x == name else x for x in n.inputs)) for n in graph.nodes]
    return replace(
        graph,
        inputs=tuple(entry if value.name == name else value for value in graph.inputs),
        nodes=(*nodes, *rest),
        values={**graph.values, **values, name: entry},
        constants={**graph.constants, **constants},
    )
