"""The answer to a card's sample, as the card keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..runtime.predict import Predictor
    from ..runtime.typed import Array


def kept_answer(predictor: Predictor, outputs: Sequence[Array]) -> list[Any]:
    """What the outputs for a sample say, to compare with later: a detector's rows of boxes, or the scores."""
    if predictor.card.task == "detection":
        return _plain(predictor.found(list(outputs)).rows())
    names = [output.name for output in predictor.session.get_outputs()]
    return _plain(outputs[names.index(predictor.card.output.name)])


def _plain(answer: Array) -> list[Any]:
    kept: list[Any] = np.asarray(answer, np.float64).round(7).tolist()
    return kept
