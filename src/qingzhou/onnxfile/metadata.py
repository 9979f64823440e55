"""The card's facts in the forms that XEduHub and Ultralytics read, so that the model runs there unchanged."""

from __future__ import annotations

import json
from typing import Any

from ..nets.names import hub_name
from ..runtime.model.card import Card

ULTRALYTICS = "Ultralytics"
DATASET_TYPES = {"image": "img", "table": "tab", "array": "npz", "tokens": "npz"}


def metadata(card: Card, family: str) -> dict[str, str]:
    """What XEduHub expects of MMEdu's and BaseNN's models, and Ultralytics of its own; nothing for one of bytes, since
    they feed floats.
    """
    if card.input.dtype != "float32":
        return {}
    if card.tool == ULTRALYTICS:
        return _ultralytics(card)
    return _mmedu(card, family) if card.tool.startswith("MM") else _basenn(card)


def _mmedu(card: Card, family: str) -> dict[str, str]:
    """MODEL_INFO must be ASCII: the hub decodes it with unicode_escape before it parses the JSON."""
    if card.output.scores == "raw":  # the hub cannot decode predictions
        return {}
    codebase = "MMDet" if card.task == "detection" else "MMCls"
    info = {"codebase": codebase, "modelname": hub_name(family, card.network), "classes": card.labels}
    return {"MODEL_INFO": json.dumps(info, ensure_ascii=True)}


def _basenn(card: Card) -> dict[str, str]:
    """The hub evaluates input_size, so it is a plain list of numbers; 1 stands for a free dimension."""
    found: dict[str, Any] = {"input_size": [n or 1 for n in card.input.shape]}
    found["dataset_type"] = card.origin.get("training", {}).get("dataset_type") or DATASET_TYPES[card.input.kind]
    if card.vocabulary:
        found["word2idx"] = card.vocabulary
    return {key: str(value) for key, value in found.items()}


def _ultralytics(card: Card) -> dict[str, str]:
    """What ultralytics/engine/exporter.py (8.4) writes; `nms` and `end2end` say that the output is rows."""
    said = card.origin.get("training", {})
    rows, several = card.output.scores == "rows", "iou" in (card.thresholds or {})
    args: dict[str, object] = {"batch": 1, "dynamic": False}
    found: dict[str, object] = {
        "description": f"Ultralytics {card.network} model",
        "author": ULTRALYTICS,
        **{name: said[name] for name in ("date", "version", "license", "docs") if name in said},
        "stride": said.get("stride", 32),
        "task": ultralytics_task(card),
        "batch": 1,
        "imgsz": list(card.input.sides()),
        "names": dict(enumerate(card.labels)),
        "args": {**args, "nms": rows} if several else args,
        "channels": card.input.channels,
        "end2end": rows,
    }
    points = card.output.also.get("keypoints")
    return {key: str(value) for key, value in {**found, **({"kpt_shape": points} if points else {})}.items()}


def ultralytics_task(card: Card) -> str:
    """As Ultralytics calls it."""
    if card.task == "classification":
        return "classify"
    names = {"masks": "segment", "keypoints": "pose", "rotated": "obb"}
    return next((name for kind, name in names.items() if kind in card.output.also), "detect")
