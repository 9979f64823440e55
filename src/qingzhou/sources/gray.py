"""Grey pictures without an axis for their channel, (N, 28, 28), as Keras' first lesson feeds them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import say
from ..graph.form import Constant, Graph, Node
from ..runtime.model.card import Input
from ..spelling import option
from .network import Network
from .recording.card import meaning
from .torch.transforms import preparation

LEAST = 8  # pixels that a picture is high and wide at least


def as_gray(found: Network) -> Network:
    """The same taking grey pictures, (N, 1, H, W), where its one input may be that; else as it is."""
    card, sides = found.card, _sides(found)
    if not sides:
        return found
    graph = _with_channel(found.graph)
    steps, _ = preparation(None, 1, sides)
    entry = Input(card.input.name, "image", [card.input.shape[0], 1, *sides], "GRAY", steps)
    task, scores = (card.task, card.output.scores)
    if task == "values":
        task, scores = meaning(graph, entry)
    output = replace(card.output, scores=scores)
    assumed = ["resize", "color", "normalize"]
    return replace(found, graph=graph, card=replace(card, task=task, input=entry, output=output, assumed=assumed))


def said_of_squares(found: Network) -> Network:
    """With a note, where what goes in looks like grey pictures and nobody said that it is."""
    sides = _sides(found)
    if not sides or sides[0] != sides[1]:
        return found
    size, asked = f"{sides[0]} x {sides[1]}", option("preprocess", "0-1")
    note = say(
        en=f"It takes {size} numbers. If these are grey pictures, say how they were prepared, and it takes pictures: "
        f"{asked}, or raw for pixels from 0 to 255.",
        zh=f"它的输入是 {size} 个数。如果是灰度图片，请说明预处理方法，它就能直接输入图片：{asked}，"
        "像素为 0 到 255 时写 raw。",
    )
    return replace(found, card=replace(found.card, notes=[*found.card.notes, note]))


def _sides(found: Network) -> tuple[int, ...]:
    """Height and width; () where it is no such network."""
    card, value = found.card, found.graph.inputs[0]
    sides = tuple(n for n in value.shape[1:] if isinstance(n, int) and n >= LEAST)
    fits = card.input.kind == "array" and len(value.shape) == 3 and len(sides) == 2 and value.dtype == "float32"
    free = not isinstance(value.shape[:1] and value.shape[0], int) or value.shape[0] == 1
    return sides if fits and free and len(found.graph.inputs) == 1 and found.heads is None else ()


def _with_channel(graph: Graph) -> Graph:
    """The channel is taken off inside."""
    entry = graph.inputs[0]
    inner, axis = f"{entry.name}/flat", f"{entry.name}/channel"
    wide = replace(entry, shape=(entry.shape[0], 1, *entry.shape[1:]))
    nodes = [replace(n, inputs=tuple(inner if x == entry.name else x for x in n.inputs)) for n in graph.nodes]
    return replace(
        graph,
        inputs=(wide,),
        nodes=(Node("Squeeze", (entry.name, axis), (inner,), name=inner), *nodes),
        values={**graph.values, entry.name: wide, inner: replace(entry, name=inner)},
        constants={**graph.constants, axis: Constant((1,), "int64", lambda: np.array([1], np.int64))},
    )
