"""The part of a card that says what is done with a picture, step by step; parsed as card.py parses the rest.

    {"op": "resize", "short": 256, "interpolation": "pillow" | "bicubic" | "cv2"}   short side to 256
    {"op": "resize", "size": [h, w], "interpolation": ...}              squash to exactly h x w
    {"op": "resize", "within": [long, short], "interpolation": ...}     as large as fits, keep ratio
    {"op": "resize", "inside": [h, w], "interpolation": ...}            as large as fits, keep ratio
    {"op": "resize", "letterbox": [h, w], "interpolation": ...}         the same, but halves are rounded to even
    {"op": "center_crop", "size": [h, w]}                               zero-padded where too small
    {"op": "pad", "border": [left, top, right, bottom], "value": 0}
    {"op": "pad_to", "size": [h, w], "value": [...]}                    filled up at the right and bottom
    {"op": "pad_to", "multiple": 32, "value": [...]}                    of each side, the same way; per channel, zeros
                                                                        without `value`
    {"op": "pad_to", ..., "center": true}                               filled up all round; of an odd number of rows
                                                                        or columns the larger half at the end
    {"op": "gray"}                                                      0.299, 0.587, 0.114 of the channels in each,
                                                                        or in one
    {"op": "normalize", "mean": [...], "std": [...]}                    (x - mean) / std per channel

"pillow" is Pillow's antialiased bilinear, "bicubic" its antialiased bicubic; "cv2" is OpenCV's INTER_LINEAR on uint8,
bit for bit. "letterbox", then "pad_to" in the centre with 114, is what Ultralytics does before it predicts.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from . import fields
from .fields import LARGEST_SIDE, bad


def step(at: str, data: object) -> Dict[str, Any]:
    """One of Input.steps, as plain values; ModelError."""
    if type(data) is not dict or type(data.get("op")) is not str or data["op"] not in STEPS:
        raise bad(at, data)
    checks = STEPS[data["op"]]
    fields.record(at, data, ("op",), tuple(checks))
    choice = CHOICES.get(data["op"], ())
    if choice and sum(key in data for key in choice) != 1:
        raise bad(at, data)
    if any(key not in data for key in checks if key not in choice and key not in FREE.get(data["op"], ())):
        raise bad(at, data)
    return {"op": data["op"], **{key: checks[key]("%s.%s" % (at, key), data[key]) for key in data if key != "op"}}


def channels_after(at: str, steps: List[Dict[str, Any]], channels: int, wanted: Optional[int], as_is: bool) -> int:
    """How many channels a picture of so many has after the steps, which all name as many; ModelError, also where pixels
    that go in as they are would be normalised.
    """
    for i, one in enumerate(steps):
        channels = 1 if one["op"] == "gray" and wanted == 1 else channels
        several = any(len(one[name]) != channels for name in ("mean", "std", "value") if type(one.get(name)) is list)
        if several or (as_is and one["op"] == "normalize"):
            raise bad("%s[%d]" % (at, i), one)
    return channels


def _side(at: str, value: object) -> int:
    return fields.whole(at, value, 1, LARGEST_SIDE)


def _size(at: str, value: object) -> List[int]:
    return fields.exactly(2, at, value, _side)


def _border(at: str, value: object) -> List[int]:
    return fields.exactly(4, at, value, lambda place, n: fields.whole(place, n, 0, LARGEST_SIDE))


def _means(at: str, value: object) -> List[float]:
    return fields.items(at, value, fields.number, most=3)


def _stds(at: str, value: object) -> List[float]:
    """Numbers that can be divided by, also in float32."""
    found = _means(at, value)
    if not all(abs(std) > 1e-30 for std in found):
        raise bad(at, value)
    return found


def _true(at: str, value: object) -> bool:
    if value is not True:
        raise bad(at, value)
    return True


INTERPOLATIONS = ("pillow", "bicubic", "cv2")


def _interpolation(at: str, value: object) -> str:
    return fields.one_of(at, value, INTERPOLATIONS)


STEPS: Dict[str, Dict[str, Callable[[str, Any], Any]]] = {
    "resize": {
        "short": _side,
        "size": _size,
        "within": _size,
        "inside": _size,
        "letterbox": _size,
        "interpolation": _interpolation,
    },
    "center_crop": {"size": _size},
    "pad": {"border": _border, "value": fields.number},
    "pad_to": {"size": _size, "multiple": _side, "value": _means, "center": _true},
    "gray": {},
    "normalize": {"mean": _means, "std": _stds},
}
CHOICES = {
    "resize": ("short", "size", "within", "inside", "letterbox"),
    "pad_to": ("size", "multiple"),
}  # just one of these
FREE = {"pad_to": ("value", "center")}  # may be missing
