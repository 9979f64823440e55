"""The part of a card that says how a detector's raw outputs become boxes; parsed as card.py parses the rest."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from . import fields
from .fields import LARGEST_SIDE, MOST_BOXES, bad


def decoding(data: Any) -> Dict[str, Any]:
    """A card's field of that name, as plain values; ModelError."""
    fields.record("decoding", data, ("kind", "levels", "stds", "candidates", "confidence"))
    kind = fields.one_of("decoding.kind", data["kind"], ("ssd", "yolo"))
    heads = ("scores", "deltas") if kind == "ssd" else ("scores",)
    levels = fields.items("decoding.levels", data["levels"], lambda at, level: _level(at, level, heads), most=16)
    stds = fields.items("decoding.stds", data["stds"], fields.number, most=4)
    if not levels or len(stds) != 4 or not all(0 < std <= LARGEST_SIDE for std in stds):
        raise bad("decoding", data)
    return {
        "kind": kind,
        "levels": levels,
        "stds": stds,
        "candidates": fields.whole("decoding.candidates", data["candidates"], 1, MOST_BOXES),
        "confidence": fields.share("decoding.confidence", data["confidence"]),
    }


def _level(at: str, data: Any, heads: Sequence[str]) -> Dict[str, Any]:
    fields.record(at, data, (*heads, "anchors", "stride"))
    anchors = fields.items("%s.anchors" % at, data["anchors"], _anchor, most=64)
    stride = fields.number("%s.stride" % at, data["stride"])
    if not anchors or not 0 < stride <= LARGEST_SIDE:
        raise bad(at, data)
    names = {head: fields.text("%s.%s" % (at, head), data[head]) for head in heads}
    return {**names, "anchors": anchors, "stride": stride}


def _anchor(at: str, value: Any) -> List[float]:
    """x1, y1, x2, y2 of a box that has an area."""
    box = fields.items(at, value, fields.number, most=4)
    if len(box) != 4 or not all(abs(n) <= 2 * LARGEST_SIDE for n in box) or box[0] >= box[2] or box[1] >= box[3]:
        raise bad(at, value)
    return box
