"""What of a camera's picture a model sees: the steps of its card as one cut, one size, and what is added around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BundleError
from ..runtime.model.card import Card, Input
from ..runtime.model.letterbox import fit

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Cut:
    """In pixels of the camera's picture.

    crop   left, top, width, height of the part that is taken
    size   width and height that it is made
    pad    rows and columns added then: top, bottom, left, right;  value  their level in each channel
    color  "RGB", "BGR" or "GRAY"
    """

    crop: tuple[int, int, int, int]
    size: tuple[int, int]
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    value: tuple[float, ...] = ()
    color: str = "RGB"


def cut_of(card: Card, name: str, frame: tuple[int, int]) -> Cut:
    """For a camera's picture of this width and height; BundleError where no single cut does what the card says."""
    entry, (wide, high) = card.input, frame
    steps = [step for step in entry.steps if step["op"] not in ("normalize", "gray")]
    grey = entry.color == "GRAY" or (entry.channels == 1 and any(step["op"] == "gray" for step in entry.steps))
    if len(steps) > 2 or (not grey and any(step["op"] == "gray" for step in entry.steps)):
        raise _cannot(name, entry)
    match [_kind(step) for step in steps]:
        case ["size"]:
            found = Cut((0, 0, wide, high), _turned(steps[0]["size"]))
        case ["size", "center_crop"]:
            found = _middle(_scales(steps[0]["size"], frame), steps[1]["size"], frame)
        case ["short", "center_crop"]:
            scale = steps[0]["short"] / min(frame)
            found = _middle((scale, scale), steps[1]["size"], frame)
        case [("inside" | "letterbox" | "within"), "pad_to"]:
            found = _padded(steps[0], steps[1], frame)
        case _:
            raise _cannot(name, entry)
    sides = (found.size[0] + sum(found.pad[2:]), found.size[1] + sum(found.pad[:2]))
    left, top, width, height = found.crop
    inside = left >= 0 and top >= 0 and left + width <= wide and top + height <= high
    if sides[::-1] != tuple(entry.sides()) or min(found.pad) < 0 or not inside or min(width, height) < 1:
        raise _cannot(name, entry)
    return Cut(found.crop, found.size, found.pad, found.value, "GRAY" if grey else entry.color)


def _kind(step: Step) -> str:
    """ "short" for a resize to that; else the step's own name."""
    if step["op"] != "resize":
        return str(step["op"])
    return next(key for key in step if key not in ("op", "interpolation"))


def _turned(size: Sequence[int]) -> tuple[int, int]:
    """Width and height of height and width."""
    return size[1], size[0]


def _scales(size: Sequence[int], frame: tuple[int, int]) -> tuple[float, float]:
    return size[1] / frame[0], size[0] / frame[1]


def _middle(scales: tuple[float, float], size: Sequence[int], frame: tuple[int, int]) -> Cut:
    """The middle part that is of this size once the whole picture is scaled so."""
    sides = [round(side / scale) for side, scale in zip(_turned(size), scales, strict=True)]
    left, top = ((whole - side) // 2 for whole, side in zip(frame, sides, strict=True))
    return Cut((left, top, sides[0], sides[1]), _turned(size))


def _padded(resize: Step, pad: Step, frame: tuple[int, int]) -> Cut:
    """The whole picture, as large as fits, and bars."""
    kind, (wide, high) = _kind(resize), frame
    box = resize[kind]
    if kind == "within":  # the long and the short side
        box = (max(box), min(box)) if high > wide else (min(box), max(box))
    height, width = fit(box, high, wide)
    target = pad.get("size") or [-(-side // pad["multiple"]) * pad["multiple"] for side in (height, width)]
    rows, columns = target[0] - height, target[1] - width
    top, left = (rows // 2, columns // 2) if pad.get("center") else (0, 0)
    value = tuple(pad.get("value") or ())
    return Cut((0, 0, wide, high), (width, height), (top, rows - top, left, columns - left), value)


def _cannot(name: str, entry: Input) -> BundleError:
    steps = ", ".join(_kind(step) for step in entry.steps) or "nothing"
    return BundleError(
        en=f"The program on this board cannot prepare pictures as {name} wants them ({steps}): it takes a part, makes "
        "it smaller, and adds bars. Train or convert the model with such a preparation (--preprocess).",
        zh=f"这块板子上的程序无法按 {name} 要求的方式预处理图片（{steps}）：它只会取一块、缩小、补边。"
        "请用这样的预处理训练或转换模型（--preprocess）。",
    )
