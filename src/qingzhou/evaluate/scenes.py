"""The pictures in which a detector is wrong most often, kept to be looked at."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .result import Box, Case, Scene

MOST_SCENES = 24
OVERLAP = 0.5  # IoU from which a box is in the right place
SURE = 0.3  # mmdet draws boxes from this score on; the mean average precision counts the others too


class Scenes:
    """Those with the most mistakes among all that passed; of equal ones the first."""

    def __init__(self, sure: float = SURE) -> None:
        self.sure = sure
        self.crossed: Counter[tuple[Any, int]] = Counter()  # (true class, class found in its place)
        self._worst: list[tuple[int, int, Scene]] = []

    def passing(self, answered: Iterable[tuple[Case, Any]]) -> Iterator[tuple[Case, Any]]:
        """The same, looked at on the way."""
        for number, (case, answer) in enumerate(answered):
            found = [one._replace(mask=None, mask_box=None) for one in answer if one.confidence >= self.sure]
            self.crossed.update(in_place(case.truth, found))
            scene = Scene(case.source, case.data, case.truth, found, *mistakes(case.truth, found))
            add = heapq.heappush if len(self._worst) < MOST_SCENES else heapq.heappushpop
            add(self._worst, (scene.mistakes, -number, scene))  # the numbers differ, so scenes are never compared
            yield case, answer

    @property
    def worst(self) -> list[Scene]:
        """Most mistakes first."""
        return [scene for _, _, scene in sorted(self._worst, key=lambda entry: entry[:2], reverse=True)]


def mistakes(true: Sequence[Box], found: Sequence[Any]) -> tuple[int, int]:
    """(missed, surplus): true boxes that no found one covers, and found ones that cover none. Each covers one at most,
    the surest first; a crowd is covered by any number, and never missed.
    """
    shares, labels = shared(true, found), np.array([box.label for box in true])
    left, surplus = np.ones(len(true), bool), 0
    for i in sorted(range(len(found)), key=lambda i: -found[i].confidence):
        near = np.where(left & (labels == found[i].index), shares[:, i], 0.0) if true else np.zeros(1)
        place = int(near.argmax())
        if near[place] < OVERLAP:
            surplus += 1
        elif not true[place].crowd:
            left[place] = False
    return sum(not box.crowd for box, missed in zip(true, left, strict=True) if missed), surplus


def in_place(true: Sequence[Box], found: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """(its class, the class of the surest box found in its place) of each true box that one covers; crowds left out."""
    sure = np.array([one.confidence for one in found])
    for box, shares in zip(true, shared(true, found), strict=True):
        near = np.flatnonzero(shares >= OVERLAP)
        if near.size and not box.crowd:
            yield box.label, int(found[near[sure[near].argmax()]].index)


def shared(true: Sequence[Box], found: Sequence[Any]) -> Any:
    """What each two boxes (x1, y1, x2, y2) share, of what both cover (IoU), (true, found); 0 of those without area."""
    one = np.array([box.box for box in true], np.float64).reshape(-1, 1, 4)
    other = np.array([box.box for box in found], np.float64).reshape(1, -1, 4)
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    both = np.maximum(sides, 0.0).prod(axis=2)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(axis=2) for boxes in (one, other)]
    whole = areas[0] + areas[1] - both
    return np.divide(both, whole, out=np.zeros_like(both), where=whole > 0)
