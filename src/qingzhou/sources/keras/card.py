"""What the card says of a model of Keras beside what its graph tells: labels, and how its pictures are prepared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import say
from ...graph.form import Graph, Node
from ...runtime.model.card import Card, Input
from ..network import Network
from ..recording.labels import numbered
from .container import Whole

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
OTHER_PROJECTS = {  # what goes in, which their files cannot make
    "sound": (
        "From Teachable Machine's sound project: a spectrogram goes in, as only its own page makes it from a sound.",
        "来自 Teachable Machine 的声音项目：输入是频谱图，只有它自己的网页能从声音得到。",
    ),
    "pose": (
        "From Teachable Machine's pose project: PoseNet's answer to a picture goes in, and PoseNet is not in the file.",
        "来自 Teachable Machine 的姿态项目：输入是 PoseNet 对图片的输出，而文件里没有 PoseNet。",
    ),
}
INT64 = 7  # TensorProto.DataType of a Cast
FINE = 0.05  # what pixels are multiplied by at most: 1 / 255, 1 / 127.5, 1 / the deviation of pixels
FAR = 4.0  # ... or what is taken from them at least: means of pixels are about 120


def told(found: Network, whole: Whole) -> Network:
    """With labels, and with how pictures are prepared where the file tells it."""
    card = found.card
    if whole.known is not None:
        card = whole.known.prepared(card)
    elif card.input.kind == "image" and takes_pixels(found.graph, card.input.name):
        card = _of_pixels(card)
    elif whole.teachable == "image" and card.input.kind == "image":
        card = _teachable(card)
    elif whole.teachable in OTHER_PROJECTS:
        card = replace(card, tool="Teachable Machine", notes=[*card.notes, say(*OTHER_PROJECTS[whole.teachable])])
    return replace(found, card=card, named=names_of(whole.labels))


def _teachable(card: Card) -> Card:
    """Its page crops the square in the middle, and maps 0..255 to -1..1: @teachablemachine/image, utils/tf.ts."""
    entry: Input = card.input
    height, width = entry.sides()
    steps: list[dict[str, Any]] = []
    if isinstance(height, int) and isinstance(width, int):
        steps = [
            {"op": "resize", "short": max(height, width), "interpolation": "pillow"},
            {"op": "center_crop", "size": [height, width]},
        ]
    channels = entry.channels or 3
    steps.append({"op": "normalize", "mean": [127.5] * channels, "std": [127.5] * channels})
    note = say(
        en="From Teachable Machine: the square in the middle of a picture, with values from -1 to 1.",
        zh="来自 Teachable Machine：取图片中间的正方形，数值范围 -1 到 1。",
    )
    return replace(
        card, tool="Teachable Machine", input=replace(entry, steps=steps), assumed=[], notes=[*card.notes, note]
    )


def names_of(labels: Any) -> Any:
    """The classes' names, from a text or as they are."""
    return numbered(labels) if isinstance(labels, str) else labels


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


def _of_pixels(card: Card) -> Card:
    """Values from 0 to 255 go in as they are."""
    steps = [step for step in card.input.steps if step["op"] != "normalize"]
    note = say(
        en="The network scales pictures itself: values from 0 to 255 go in.",
        zh="网络内部自带缩放：直接输入 0 到 255 的像素值。",
    )
    assumed = [one for one in card.assumed if one != "normalize"]
    return replace(card, input=replace(card.input, steps=steps), assumed=assumed, notes=[*card.notes, note])
