"""Answers to rows of a table, and to arrays: to one, or to several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

import numpy as np

from ..file import is_path
from .answers import Prediction

if TYPE_CHECKING:
    from ..typed import Array, Asked

ROWS = 1024  # that go in at once where the network says itself which class each is


def answers(model: Asked, data: Any) -> Any:
    """As Predictor.predict() has it: a list, or of one row or array its answer."""
    batch, entry = model.prepare(data), model.card.input
    found = (
        _decided(model, batch) if model.card.output.label else [model.prediction(row) for row in _rows(model, batch)]
    )
    if entry.columns:
        from .cells import is_single

        return found[0] if is_single(data, entry) else found
    single = not is_path(data) and np.ndim(data) == len(entry.shape) - 1
    return found[0] if single else found


def _decided(model: Asked, batch: Array) -> List[Prediction]:
    """Of a network that says which class each row is."""
    found: List[Prediction] = []
    for start in range(0, len(batch), ROWS):
        outputs = [np.asarray(one) for one in model.outputs(batch[start : start + ROWS])]
        rows = range(min(ROWS, len(batch) - start))
        found += [model.answer([one[row : row + 1] for one in outputs]) for row in rows]
    return found


def _rows(model: Asked, batch: Array) -> Array:
    """One flat row of scores for each input of a batch; one run each where the network takes no more at once."""
    at_once = model.card.input.shape[0]
    if at_once and at_once > 1:
        from .together import rows

        return rows(batch, at_once, model.scores)
    if len(batch) > 1 and at_once is not None:
        return _each(model, batch)
    found = model.scores(batch)
    if len(batch) > 1 and found.shape[:1] != (len(batch),):
        return _each(model, batch)
    return found.reshape(len(batch), -1)


def _each(model: Asked, batch: Array) -> Array:
    return np.concatenate([_rows(model, batch[i : i + 1]) for i in range(len(batch))])
