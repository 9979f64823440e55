"""Answers as plain values for JSON, and back: how one board tells another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Dict, Sequence

import numpy as np

from ..errors import InputError
from ..model.answers import Named, Prediction, hint_of, hinted
from ..model.detection import Detection

if TYPE_CHECKING:
    from ..model.answers import Answer

BOX = ("x1", "y1", "x2", "y2")


def as_plain(answer: Answer) -> Dict[str, Any]:
    """{"label", "index", "confidence", "scores"} and perhaps "named", {"detections": [...]} or {"values": [...]}; with
    "hint", a code of answers.TEXTS, where the picture is odd.
    """
    code = getattr(getattr(answer, "hint", ""), "code", "")
    return {**_values(answer), **({"hint": code} if code else {})}


def _values(answer: Answer) -> Dict[str, Any]:
    if isinstance(answer, list):
        return {"detections": [_thing(one) for one in answer]}
    values = [round(float(value), 6) for value in answer.scores.reshape(-1)]
    if not answer.label and answer.named is None:
        return {"values": values}
    found = {"label": answer.label, "index": answer.index, "confidence": float(answer.confidence), "scores": values}
    return found if answer.named is None else {**found, "named": [one._asdict() for one in answer.named]}


def _thing(one: Detection) -> Dict[str, Any]:
    box = dict(zip(BOX, (round(n, 2) for n in one.box)))
    found = {"label": one.label, "index": one.index, "confidence": float(one.confidence), "box": box}
    if one.keypoints is not None:
        found["keypoints"] = [[round(n, 2 if i < 2 else 4) for i, n in enumerate(point)] for point in one.keypoints]
    if one.rotated is not None:
        found["rotated"] = [round(n, 4) for n in one.rotated]
    return found


def from_plain(found: Any) -> Any:
    """The Prediction or list of Detection that as_plain() made this of; InputError for anything else."""
    try:
        return hinted(_answer(found), hint_of(str(found.get("hint", ""))))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        raise InputError(
            en='The answer that came over the network is none of ours. Is a program of the scene "api" running there?',
            zh="网络传回的不是识别结果。对方运行的是 api 场景的程序吗？",
        ) from None


def _answer(found: Any) -> Any:
    if "detections" in found:
        return [_detection(one) for one in found["detections"]]
    if "values" in found:
        return Prediction("", 0, math.nan, _row(found["values"]))
    row = _row(found["scores"])
    named = tuple(map(_named, found["named"])) if "named" in found else None
    return Prediction(str(found["label"]), int(found["index"]), float(found["confidence"]), row, named)


def _named(one: Dict[str, Any]) -> Named:
    return Named(str(one["label"]), int(one["index"]), float(one["confidence"]))


def _row(values: Sequence[Any]) -> Any:
    return np.asarray([float(value) for value in values], np.float32)


def _detection(one: Dict[str, Any]) -> Detection:
    x1, y1, x2, y2 = (float(one["box"][name]) for name in BOX)
    more: Dict[str, Any] = {}
    if "keypoints" in one:
        more["keypoints"] = tuple(tuple(map(float, point)) for point in one["keypoints"])
    if "rotated" in one:
        x, y, w, h, angle = map(float, one["rotated"])
        more["rotated"] = (x, y, w, h, angle)
    return Detection(str(one["label"]), int(one["index"]), float(one["confidence"]), (x1, y1, x2, y2), **more)
