"""Two models asked the same, and how far their answers are apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Any, NamedTuple, TypeVar

import numpy as np

from ..evaluate.classify import Z95
from ..runtime.model.card import Card
from ..runtime.predict import Predictor
from .besides import light
from .network import Array

Item = TypeVar("Item")
GROUPS = 10
STUDENT = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}  # 97.5 % points of t


class Both(NamedTuple):
    """The answers of the two to one input; digest: of the prepared picture, by which copies are known."""

    before: Any  # a Prediction, or a list of Detection
    after: Any
    digest: bytes = b""

    @property
    def scores(self) -> Array:
        """All numbers of both; none for boxes."""
        if isinstance(self.before, list):
            return np.zeros(0)
        return np.concatenate([self.before.scores, self.after.scores])


@dataclass(frozen=True)
class Pair:
    """A model before and after; an input is read and prepared once for both.

    known  the first's answers to pictures, by what they depend on; other pairs may have filled it
    """

    before: Predictor
    after: Predictor
    known: dict[object, Any] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """What both have in common."""
        return self.before.card

    def predict(self, data: object, threshold: float | None = None) -> Both | list[Both]:
        """Both answers to one input; for several rows a list."""
        if self.card.input.kind != "image":
            first, second = self.before.predict(data), self.after.predict(data)
            one = not isinstance(first, list)
            return Both(first, second) if one else [Both(*pair) for pair in zip(first, second, strict=True)]
        from ..runtime.model.image import read_for
        from ..runtime.model.prepare import prepare_view

        batch, view = prepare_view(read_for(data, self.card.input, exact=self.before.exact), self.card.input)
        same = digest(batch)
        if (same, view, threshold) not in self.known:
            first = self.before.answer(self.before.outputs(batch), view, threshold)
            self.known[same, view, threshold] = light(first)
        second = self.after.answer(self.after.outputs(self._laid(batch)), view, threshold)
        return Both(self.known[same, view, threshold], light(second), same)

    def _laid(self, batch: Array) -> Array:
        """What was prepared for the first, with its channels where the second has them."""
        same = self.after.card.input.layout == self.card.input.layout
        return batch if same else np.ascontiguousarray(batch.transpose(0, 2, 3, 1))


def digest(prepared: Array) -> bytes:
    """The same for copies of a picture, in whatever files, as long as their pixels are the same."""
    return hashlib.sha1(np.ascontiguousarray(prepared).data, usedforsecurity=False).digest()  # twice as fast as blake2b


class Drop(NamedTuple):
    """What was lost, as a share (0.01: one percentage point), with its 95 % interval; negative where it got better."""

    drop: float
    low: float
    high: float


def paired_drop(lost: int, won: int, judged: int) -> Drop:
    """Of an accuracy, from the inputs that only one of the two got right.

    The interval is that of Bonett and Price 2012, "Adjusted Wald confidence interval for a difference of binomial
    proportions based on paired data": one is added to both counts.
    """
    a, b = (lost + 1) / (judged + 2), (won + 1) / (judged + 2)
    half = Z95 * sqrt((a + b - (a - b) ** 2) / (judged + 2))
    return Drop((lost - won) / judged, max(-1.0, a - b - half), min(1.0, a - b + half))


def unseen(judged: int) -> float:
    """The largest drop that so many inputs leave possible when no answer changed: the end of the 95 % interval."""
    return paired_drop(0, 0, judged).high


def enough(drop: float) -> int:
    """How many inputs show such a drop: for them unseen() is no more, Z95 sqrt(2) / (judged + 2)."""
    return ceil(Z95 * sqrt(2) / drop) - 2


def jackknifed_drop(pairs: Sequence[Item], drop_of: Callable[[Sequence[Item]], float]) -> Drop:
    """Of any figure: its spread when one tenth of the inputs after the other is left out (Tukey 1958, in groups).

    With fewer than three inputs nothing is known of the spread: the interval is everything.
    """
    drop, groups = drop_of(pairs), min(GROUPS, len(pairs))
    if groups < 3:
        return Drop(drop, -1.0, 1.0)
    without = [drop_of([pair for i, pair in enumerate(pairs) if i % groups != g]) for g in range(groups)]
    half = STUDENT[groups - 1] * sqrt((groups - 1) * float(np.var(without)))
    return Drop(drop, drop - half, drop + half)
