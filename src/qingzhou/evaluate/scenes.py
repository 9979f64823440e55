"""The pictures in which a detector is wrong most often, kept to be looked at."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

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
    left, surplus = list(true), 0
    for one in sorted(found, key=lambda one: -one.confidence):
        near = [(overlap(box.box, one.box), i) for i, box in enumerate(left) if box.label == one.index]
        share, place = max(near, key=lambda pair: pair[0], default=(0.0, 0))
        if share < OVERLAP:
            surplus += 1
        elif not left[place].crowd:
            del left[place]
    return sum(not box.crowd for box in left), surplus


def in_place(true: Sequence[Box], found: Sequence[Any]) -> Iterator[tuple[Any, int]]:
    """(its class, the class of the surest box found in its place) of each true box that one covers; crowds left out."""
    for box in true:
        near = [one for one in found if not box.crowd and overlap(box.box, one.box) >= OVERLAP]
        if near:
            yield box.label, int(max(near, key=lambda one: one.confidence).index)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """What two boxes (x1, y1, x2, y2) share, of what both cover (IoU)."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - shared
    return float(shared / both) if both > 0 else 0.0
