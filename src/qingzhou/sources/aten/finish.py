"""The end of a network: its outputs by their names, and nothing that they do not need."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.form import Graph, Value
from .net import Net
from .refuse import refused


def finished(net: Net, outputs: Sequence[Value], names: Sequence[str]) -> Graph:
    """The graph; an output that is an input, a constant, or another output is a copy of that."""
    inputs = {value.name for value in net.inputs}
    seen: set[str] = set()
    ends = []
    for value in outputs:
        if value.name in inputs or value.name in seen or value.name in net.constants:
            net.here = f"{value.name}.copy"
            value = net.op("Identity", net.here, [value], value.shape, value.dtype)
        seen.add(value.name)
        ends.append(value)
    if not ends:
        raise refused("it gives no tensor", "它没有输出任何张量")
    return net.freeze(*ends, names=names).without_dead()
