"""The answer to a card's sample, as the card keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..runtime.predict import Predictor
    from ..runtime.typed import Array


MOST_KEPT = 1 << 19  # numbers; with 12 characters each they are a third of the longest card


def kept_answer(predictor: Predictor, outputs: Sequence[Array]) -> list[Any]:
    """What the outputs for a sample say, to compare with later: a detector's rows of boxes, or the scores; nothing
    where they are too many.
    """
    if predictor.card.task == "detection":
        return _plain(predictor.found(list(outputs)).rows())
    names = [output.name for output in predictor.session.get_outputs()]
    answer = outputs[names.index(predictor.card.output.name)]
    return _plain(answer) if answer.size <= MOST_KEPT else []


def _plain(answer: Array) -> list[Any]:
    kept: list[Any] = np.atleast_1d(np.asarray(answer, np.float64)).round(7).tolist()
    return kept
