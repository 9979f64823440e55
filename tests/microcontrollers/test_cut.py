"""What a board's program cuts out is what the model was trained with: compared with the runtime's own steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from qingzhou.boards.cut import Cut, cut_of
from qingzhou.errors import BundleError
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.prepare import prepare

FRAME = (640, 360)
SHORT: Any = [
    {"op": "resize", "short": 256, "interpolation": "pillow"},
    {"op": "center_crop", "size": [224, 224]},
]
WHOLE: Any = [{"op": "resize", "size": [96, 160], "interpolation": "cv2"}]
NORMAL: Any = {"op": "normalize", "mean": [1.0, 2.0, 3.0], "std": [4.0, 5.0, 6.0]}


def bars(kind: str, size: list[int], center: bool) -> Any:
    middle = {"center": True} if center else {}
    box = sorted(size, reverse=True) if kind == "within" else size
    return [
        {"op": "resize", kind: box, "interpolation": "cv2"},
        {"op": "pad_to", "size": size, "value": [114.0, 114.0, 114.0], **middle},
    ]


def card(steps: Any, high: int, wide: int, color: str = "RGB") -> Card:
    channels = 1 if color == "GRAY" else 3
    entry = Input("input", "image", [1, channels, high, wide], color, steps)
    return Card("classification", "Net", "MMEdu", entry, Output("probs", "probabilities"), labels=["a", "b"])


def smooth(size: tuple[int, int]) -> Any:
    """A picture without fine detail, in which every place has another colour: how it was shrunk hardly shows."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    return Image.fromarray((255 * np.stack([x, y, (x + y) / 2], -1)).astype(np.uint8))


def applied(cut: Cut, picture: Any) -> Any:
    """As the board does it: crop, shrink, add bars."""
    left, top, width, height = cut.crop
    part = picture.crop((left, top, left + width, top + height)).resize(cut.size, Image.Resampling.BILINEAR)
    above, below, before, after = cut.pad
    level = cut.value[0] if cut.value else 0
    return np.pad(np.asarray(part, np.float64), ((above, below), (before, after), (0, 0)), constant_values=level)


CASES = [
    (SHORT, 224, 224, FRAME),
    ([*SHORT, NORMAL], 224, 224, (320, 240)),
    (WHOLE, 96, 160, FRAME),
    ([WHOLE[0], {"op": "center_crop", "size": [80, 80]}], 80, 80, FRAME),
    (bars("inside", [224, 224], False), 224, 224, FRAME),
    (bars("letterbox", [224, 224], True), 224, 224, FRAME),
    (bars("within", [128, 192], False), 128, 192, (320, 240)),
]


@pytest.mark.parametrize(("steps", "high", "wide", "frame"), CASES)
def test_it_is_what_the_card_says(steps: Any, high: int, wide: int, frame: tuple[int, int]) -> None:
    picture, bare = smooth(frame), [step for step in steps if step["op"] != "normalize"]
    wanted = prepare(np.asarray(picture), card(bare, high, wide).input)[0].transpose(1, 2, 0)
    found = applied(cut_of(card(steps, high, wide), "best.pth", frame), picture)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 4  # levels of 255: half a pixel of the slope


def test_grey_and_blue_first() -> None:
    grey: Any = [{"op": "gray"}, {"op": "resize", "size": [32, 32], "interpolation": "cv2"}]
    assert cut_of(card(grey, 32, 32, "GRAY"), "x", FRAME).color == "GRAY"
    assert cut_of(card(WHOLE, 96, 160, "BGR"), "x", FRAME).color == "BGR"


REFUSED: Any = [
    ([], 224, 224),
    ([SHORT[0]], 256, 256),
    ([SHORT[0], {"op": "center_crop", "size": [300, 300]}], 300, 300),  # larger than the picture: zeros around it
    ([*WHOLE, {"op": "pad", "border": [1, 1, 1, 1], "value": 0}], 98, 162),
    ([*SHORT, {"op": "pad_to", "size": [224, 224]}], 224, 224),
    ([{"op": "gray"}, *WHOLE], 96, 160),  # three times the same
    (WHOLE, 97, 160),
]


@pytest.mark.parametrize(("steps", "high", "wide"), REFUSED)
def test_other_preparations_are_refused(steps: Any, high: int, wide: int) -> None:
    with pytest.raises(BundleError, match=r"best\.pth.*--preprocess"):
        cut_of(card(steps, high, wide), "best.pth", FRAME)
