"""What the card says of a model of Keras beside what its graph tells: labels, and how its pictures are prepared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...errors import say
from ...runtime.model.card import Card, Input
from ..network import Network
from ..recording.labels import numbered
from ..recording.pixels import of_pixels, takes_pixels
from .container import Whole

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


def told(found: Network, whole: Whole) -> Network:
    """With labels, and with how pictures are prepared where the file tells it."""
    card = found.card
    if whole.known is not None:
        card = whole.known.prepared(card)
    elif card.input.kind == "image" and takes_pixels(found.graph, card.input.name):
        card = of_pixels(card)
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
