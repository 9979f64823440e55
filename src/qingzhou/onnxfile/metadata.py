"""The card's facts in the forms that XEduHub reads, so that the model runs there unchanged."""

from __future__ import annotations

import json
from typing import Any

from ..nets.names import hub_name
from ..runtime.model.card import Card

DATASET_TYPES = {"image": "img", "table": "tab", "array": "npz", "tokens": "npz"}


def metadata(card: Card, family: str) -> dict[str, str]:
    """What XEduHub expects of an MMEdu model, or of a BaseNN model; nothing for one of bytes, since it feeds floats."""
    if card.input.dtype != "float32":
        return {}
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
