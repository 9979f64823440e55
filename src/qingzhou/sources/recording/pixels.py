"""Networks that scale pictures themselves: what their first steps tell, and the card then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import say
from ...graph.form import Graph, Node
from ...runtime.model.card import Card

MOVED = (
    "Transpose",
    "Cast",
    "Resize",
    "Slice",
    "Pad",
    "Gather",
    "Identity",
    "Reshape",
)  # which change no number's meaning
INT64 = 7  # TensorProto.DataType of a Cast
FINE = 0.05  # what pixels are multiplied by at most: 1 / 255, 1 / 127.5, 1 / the deviation of pixels
FAR = 4.0  # ... or what is taken from them at least: means of pixels are about 120


def takes_pixels(graph: Graph, name: str) -> bool:
    """Whether the first thing that a network does is what only makes sense of values from 0 to 255: Rescaling(1 / 255),
    Normalization, x / 127.5 - 1.
    """
    scale, shift = np.ones(1), np.zeros(1)
    readers, found = graph.consumers(), False
    for _ in range(40):
        nodes = readers.get(name, [])
        step = None if len(nodes) != 1 else _affine(graph, nodes[0], name)
        if step is None:
            break
        if nodes[0].attrs.get("to") == INT64:  # its input is uint8
            return True
        name = nodes[0].outputs[0]
        a, b = step
        found = found or nodes[0].op not in MOVED
        scale, shift = scale * a, shift * a + b
    if not found or not np.all(scale):
        return False
    return bool(np.abs(scale).max() < FINE or np.abs(shift / scale).mean() > FAR)


def _affine(graph: Graph, node: Node, name: str) -> tuple[Any, Any] | None:
    """x -> a * x + b, by the mean over channels; None of any other step."""
    if node.domain or (node.op not in MOVED and node.op not in ("Mul", "Div", "Add", "Sub")):
        return None
    if node.op in MOVED:
        return (1.0, 0.0) if node.inputs[0] == name else None
    place = node.inputs.index(name)
    constant = graph.constants.get(node.inputs[1 - place])
    if constant is None or (constant.shape and max(constant.shape) > 4):
        return None
    value = float(np.mean(constant.load()))
    if node.op == "Mul":
        return value, 0.0
    if node.op == "Add":
        return 1.0, value
    if node.op == "Sub":
        return (1.0, -value) if place == 0 else (-1.0, value)
    return (1 / value, 0.0) if place == 0 and value else None


def of_pixels(card: Card) -> Card:
    """Values from 0 to 255 go in as they are."""
    steps = [step for step in card.input.steps if step["op"] != "normalize"]
    note = say(
        en="The network scales pictures itself: values from 0 to 255 go in.",
        zh="网络内部自带缩放：直接输入 0 到 255 的像素值。",
    )
    assumed = [one for one in card.assumed if one != "normalize"]
    return replace(card, input=replace(card.input, steps=steps), assumed=assumed, notes=[*card.notes, note])
