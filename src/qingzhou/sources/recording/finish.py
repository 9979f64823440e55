"""The end of a network: its outputs by their names, and nothing that they do not need."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...errors import ModelError
from ...graph.form import Graph, Value
from ...graph.infer import inferred
from .net import MAX_ELEMENTS, Net
from .words import Words

SIDE = 64  # of a sample whose size is free


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
        raise net.words.refused("it gives no tensor", "它没有输出任何张量")
    graph = net.freeze(*ends, names=names).without_dead()
    _check_sizes(graph, net.words)
    return graph


def _check_sizes(graph: Graph, words: Words) -> None:
    """A size that is made of free ones may be anything: how large it is for one small sample, is looked at."""
    free = {n for value in graph.inputs for n in value.shape if isinstance(n, str)}
    made = {name for node in graph.nodes for name in node.outputs}
    sizes = {n for name in made & graph.values.keys() for n in graph.values[name].shape if isinstance(n, str)}
    if sizes <= free:
        return
    try:
        small = inferred(graph, {name: SIDE if name in ("height", "width") else 1 for name in free})
    except ModelError:  # it is too small a sample; then it cannot run there either
        return
    for value in small.values.values():
        if math.prod(n for n in value.shape if isinstance(n, int)) > MAX_ELEMENTS:
            raise words.refused(f"one of its values is too large: {list(value.shape)}", "其中一个中间结果太大")
