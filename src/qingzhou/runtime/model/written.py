"""A card as text. Programs only read cards, so this is not copied next to them; Python 3.7 all the same."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Dict

from . import fields

# Fields that are written only where they are used: a card without them is byte for byte as it was before them.
LATER: Dict[str, Any] = {"layout": "NCHW", "others": [], "dtype": "float32", "also": {}, "columns": [], "label": ""}


def as_json(card: Any, version: int) -> str:
    """A Card of card.py as ASCII JSON, of `version` where it needs that."""
    data = _data(card)
    if card.version == version and not _names_columns(card):
        data["version"] = 3 if _is_new(card) else 2
    return json.dumps(fields.clean(data))


def _names_columns(card: Any) -> bool:
    """Whether it says anything that version 3 has not."""
    return bool(card.output.label or any(entry.columns for entry in card.inputs))


def _is_new(card: Any) -> bool:
    """Whether it says anything that version 2 has not."""
    steps = [step for entry in card.inputs for step in entry.steps]
    new = any("letterbox" in step or "center" in step or step.get("interpolation") == "bicubic" for step in steps)
    new = new or any(entry.dtype != "float32" for entry in card.inputs)
    samples = [card.sample.input, *card.sample.others] if card.sample is not None else []
    new = new or any(one["encoding"] == "noise" for one in samples)
    new = new or any(not entry.shape for entry in card.inputs)
    return bool(new or card.output.scores == "rows" or (card.decoding or {}).get("kind") == "ultralytics")


def _data(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, list):
        return [_data(one) for one in value]
    if not dataclasses.is_dataclass(value):
        return value
    found = {field.name: _data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    rest = found.pop("rest")
    return {**{name: one for name, one in found.items() if name not in LATER or one != LATER[name]}, **rest}
