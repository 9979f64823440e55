"""The part of a card that says how a detector's raw outputs become boxes; parsed as card.py parses the rest.

{"kind": "ssd" | "yolo", "levels": [{"scores": output, "deltas": output (ssd only), "anchors": [[x1, y1, x2, y2], ...]
around the first position, "stride": pixels}, ...], "stds": of the deltas, "candidates": best scores of a level that are
looked at (ssd), "confidence": least objectness (yolo)}, or {"kind": "ultralytics"}: the output is (1, 4 + classes +
more, N) of cx, cy, w, h in pixels of the network's input, a score for each class, and what output.also says.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

from . import fields
from .fields import LARGEST_SIDE, MOST_BOXES, bad

# For each kind: the outputs that a level has (none where there is one output without levels), what has to be said
# besides, and whether boxes are cut at the picture's border. bundle/page/kinds.js is the same for browsers.
KINDS: Dict[str, Dict[str, Any]] = {
    "ssd": {"outputs": ["scores", "deltas"], "settings": ["stds", "candidates"], "cut": True},
    "yolo": {"outputs": ["scores"], "settings": ["confidence"], "cut": False},
    "ultralytics": {"outputs": [], "settings": [], "cut": False},
}


def decoding(data: object) -> Dict[str, Any]:
    """A card's field of that name, as plain values; ModelError."""
    given = fields.record("decoding", data, ("kind",), ("levels", *SETTINGS))
    kind = fields.one_of("decoding.kind", given["kind"], tuple(KINDS))
    how, settings = KINDS[kind], [name for name in SETTINGS if name in given]
    if not how["outputs"]:
        return {**fields.record("decoding", given, ("kind",))}
    fields.record("decoding", given, ("kind", "levels", *how["settings"]), settings)
    levels = fields.items("decoding.levels", given["levels"], lambda at, one: _level(at, one, how["outputs"]), most=16)
    if not levels:
        raise bad("decoding", data)
    return {"kind": kind, "levels": levels, **{name: SETTINGS[name](given[name]) for name in settings}}


def _stds(data: object) -> List[float]:
    stds = fields.exactly(4, "decoding.stds", data, fields.number)
    if not all(0 < std <= LARGEST_SIDE for std in stds):
        raise bad("decoding.stds", data)
    return stds


SETTINGS: Dict[str, Callable[[object], object]] = {
    "stds": _stds,
    "candidates": lambda data: fields.whole("decoding.candidates", data, 1, MOST_BOXES),
    "confidence": lambda data: fields.share("decoding.confidence", data),
}


def _level(at: str, data: object, heads: Sequence[str]) -> Dict[str, Any]:
    given = fields.record(at, data, (*heads, "anchors", "stride"))
    anchors = fields.items("%s.anchors" % at, given["anchors"], _anchor, most=64)
    stride = fields.number("%s.stride" % at, given["stride"])
    if not anchors or not 0 < stride <= LARGEST_SIDE:
        raise bad(at, data)
    names = {head: fields.text("%s.%s" % (at, head), given[head]) for head in heads}
    return {**names, "anchors": anchors, "stride": stride}


def _anchor(at: str, value: object) -> List[float]:
    """x1, y1, x2, y2 of a box that has an area."""
    box = fields.exactly(4, at, value, fields.number)
    if not all(abs(n) <= 2 * LARGEST_SIDE for n in box) or box[0] >= box[2] or box[1] >= box[3]:
        raise bad(at, value)
    return box
