"""The part of a card that says what is done with a picture, step by step; parsed as card.py parses the rest."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

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


def _interpolation(at: str, value: object) -> str:
    return fields.one_of(at, value, ("pillow", "cv2"))


STEPS: Dict[str, Dict[str, Callable[[str, Any], Any]]] = {
    "resize": {"short": _side, "size": _size, "within": _size, "inside": _size, "interpolation": _interpolation},
    "center_crop": {"size": _size},
    "pad": {"border": _border, "value": fields.number},
    "pad_to": {"size": _size, "multiple": _side, "value": _means},
    "gray": {},
    "normalize": {"mean": _means, "std": _stds},
}
CHOICES = {"resize": ("short", "size", "within", "inside"), "pad_to": ("size", "multiple")}  # just one of these
FREE = {"pad_to": ("value",)}  # may be missing
