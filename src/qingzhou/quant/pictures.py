"""What pictures of the training look like: for the card, so that one that is unlike them gets a hint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ..errors import QingzhouError
from ..evaluate.result import Case
from ..runtime.model.answers import THROUGH, Look, look
from ..runtime.model.card import KEY, Card
from ..runtime.predict import Predictor
from ..whole_file import replacing
from .split import split

ENOUGH = 10  # pictures, of which fewer do not show what is usual


def usual_pictures(model: Predictor, cases: Sequence[Case]) -> dict[str, Any] | None:
    """card.pictures, from those that can be read; None of too few, and of what is no picture."""
    if model.card.input.kind != "image":
        return None
    looks: list[Look] = []
    for case in cases:
        try:
            looks.append(look(case.data, model.prepare(case.data), model.card.input))
        except QingzhouError:
            continue
    return usual(looks)


def usual(looks: Sequence[Look]) -> dict[str, Any] | None:
    """What the card keeps of training pictures; None of too few."""
    if len(looks) < ENOUGH:
        return None
    found: dict[str, Any] = {"count": len(looks)}
    for name in ("brightness", "contrast", "skew"):
        values = [getattr(one, name) for one in looks]
        found[name] = [round(float(np.mean(values)), 2), round(float(np.std(values)), 2)]
    found["transparent"] = round(sum(one.transparent >= THROUGH for one in looks) / len(looks), 4)
    return found


def with_pictures(model: Path, data: Path, place: Path) -> Path:
    """A copy of an .onnx whose card knows these pictures; the model itself where they say nothing."""
    try:
        asked = Predictor(model)
        seen = usual_pictures(asked, split(data).calibration) if asked.card.input.kind == "image" else None
    except QingzhouError:  # the data are for something else, such as the sample; what needs them says what is wrong
        return model
    if seen is None:
        return model
    save(onnx.load(model, load_external_data=False), replace(asked.card, pictures=seen), place)
    return place


def save(model: onnx.ModelProto, card: Card, place: Path) -> None:
    """Write a model with this card in the place of its own."""
    for entry in model.metadata_props:
        if entry.key == KEY:
            entry.value = card.to_json()
    with replacing(place) as part:
        part.write_bytes(model.SerializeToString())
