"""The part of a card that says what a network tells of a thing besides its box; parsed as card.py parses the rest.

What output.scores of detectors are:

    "boxes"  the output `name` is (1, K, 5) of x1, y1, x2, y2, score in pixels of the network's input, "labels" (1, K),
             and "masks" (1, K, 28, 28) may be there; rows with a score of 0 are none
    "rows"   the output `name` is (1, K, 6 + more) of x1, y1, x2, y2, score, label; what does not score more than the
             threshold is none. As networks of Ultralytics end, with NMS or without
    "raw"    the predictions on each feature map, still to be decoded as the card says

Besides, at most one of these; its numbers come after the label in the rows, or after the scores in what is still to be
decoded:

    {"masks": {"prototypes": output, "coefficients": 32, "stride": 4}}   the mask is sigmoid(coefficients @ prototypes),
                                    (1, 32, H, W), of which a cell is `stride` pixels of the network's input
    {"keypoints": [17, 3]}          so many points of x, y in pixels and how sure each is seen; with 2 without that
    {"rotated": true}               an angle in radians, clockwise; the box is cx, cy, w, h, before it is turned
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List

from . import fields
from .fields import bad

LARGEST = 4096  # coefficients of a mask, or keypoints of a thing


def also(data: object) -> Dict[str, Any]:
    """Output.also, as plain values: one of KINDS; ModelError."""
    given = fields.record("output.also", data, (), tuple(KINDS))
    if len(given) != 1:
        raise bad("output.also", data)
    return {kind: KINDS[kind]("output.also.%s" % kind, value) for kind, value in given.items()}


def numbers(found: Dict[str, Any]) -> int:
    """How many numbers of a row they take."""
    if "masks" in found:
        return int(found["masks"]["coefficients"])
    count, each = found.get("keypoints", (0, 0))
    return int(count * each) + ("rotated" in found)


def _masks(at: str, data: object) -> Dict[str, Any]:
    given = fields.record(at, data, ("prototypes", "coefficients", "stride"))
    return {
        "prototypes": fields.text("%s.prototypes" % at, given["prototypes"]),
        "coefficients": fields.whole("%s.coefficients" % at, given["coefficients"], 1, LARGEST),
        "stride": fields.whole("%s.stride" % at, given["stride"], 1, 64),
    }


def _keypoints(at: str, data: object) -> List[int]:
    """How many, and how many numbers each."""
    count, each = fields.exactly(2, at, data, lambda place, n: fields.whole(place, n, 1, LARGEST))
    if each not in (2, 3):
        raise bad(at, data)
    return [count, each]


def _rotated(at: str, data: object) -> bool:
    if data is not True:
        raise bad(at, data)
    return True


KINDS: Dict[str, Callable[[str, object], object]] = {"masks": _masks, "keypoints": _keypoints, "rotated": _rotated}
