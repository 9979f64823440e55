"""The types between the parts: what a data set is, and what came out of judging by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import QingzhouError, as_plain
from ..labels import Matcher
from ..runtime.model.card import Card

Matrix = npt.NDArray[np.int64]
MOST_NAMED = 20  # failures that are kept by name; all are counted
MOST_EXAMPLES = 48  # wrong answers that are kept


class Box(NamedTuple):
    """One true object: its class by name or by the data's number, (x1, y1, x2, y2) in pixels, COCO's crowd mark."""

    label: str | int
    box: tuple[float, float, float, float]
    crowd: bool = False
    area: float = 0.0  # as COCO records it (of the mask); 0: width times height
    outline: Any = None  # polygons [[x1, y1, x2, y2, …], …] in pixels, or COCO's run lengths; None if not known
    keypoints: Sequence[float] | None = None  # x, y and COCO's mark of visibility (0, 1, 2) of each


class Case(NamedTuple):
    """One input and its true answer: a label, a number, boxes, values; or why it has none."""

    source: str
    data: Any
    truth: Any


@dataclass(frozen=True)
class Dataset:
    """Data to judge by.

    layout   one of LAYOUTS
    split    "test", "val", "train" or "all": the part that is judged
    answers  "labels" (classes of pictures), "boxes", or "cells" (last column of a table, label array)
    names    the classes by the data's own numbers; () where it has no list of them
    truths   the names and numbers of classes that stand in the data, where that is known before all is read
    positions  whether a number that no list explains counts the model's classes from 0, and is never a name
    cases    gives them one by one, in a fixed order, each time anew
    """

    path: Path
    layout: str
    split: str
    answers: str
    cases: Callable[[], Iterator[Case]]
    names: Sequence[str] = ()
    notes: Sequence[str] = ()
    truths: Collection[str | int] = ()
    positions: bool = False

    def matcher(self, card: Card) -> Matcher:
        """The data's classes beside the model's."""
        if card.task not in ("classification", "detection"):
            return Matcher(())
        return Matcher(card.labels, self.names, self.truths, self.positions)


class Failure(NamedTuple):
    """One input that could not be judged."""

    source: str
    error: QingzhouError


class Example(NamedTuple):
    """One wrong answer."""

    source: str
    truth: str
    answer: str
    confidence: float


class ClassScore(NamedTuple):
    """One class. precision: right among those it was answered for (None: never); recall: found among its own."""

    label: str
    precision: float | None
    recall: float | None
    support: int


@dataclass(frozen=True)
class Classification:
    """How often the likeliest class was the true one.

    interval   Wilson's 95 % interval of the accuracy: where it would lie on endless data of the same kind
    top5       how often the true one was among the five likeliest; None with fewer than six classes
    confusion  (classes, classes) counts, a row for each true class, a column for each answer
    examples   the first wrong ones
    """

    judged: int
    right: int
    interval: tuple[float, float]
    top5: float | None
    labels: Sequence[str]
    confusion: Matrix
    examples: Sequence[Example]

    @property
    def accuracy(self) -> float:
        """Right ones among the judged, 0 to 1."""
        return self.right / self.judged

    @property
    def wrong(self) -> int:
        """The number of wrong answers."""
        return self.judged - self.right

    @property
    def classes(self) -> list[ClassScore]:
        """Every class with its precision and recall."""
        hits, support, answered = self.confusion.diagonal(), self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        return [
            ClassScore(label, _share(hits[i], answered[i]), _share(hits[i], support[i]), int(support[i]))
            for i, label in enumerate(self.labels)
        ]

    @property
    def mistakes(self) -> list[tuple[str, str, int]]:
        """(truth, answer, how often), the most frequent first."""
        return mistaken(self.confusion, self.labels)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; of the confusion matrix what is not zero."""
        return {
            "accuracy": self.accuracy,
            "interval95": list(self.interval),
            "top5": self.top5,
            "right": self.right,
            "wrong": self.wrong,
            "classes": [score._asdict() for score in self.classes],
            "confusion": [
                {"truth": self.labels[i], "answer": self.labels[j], "count": int(self.confusion[i, j])}
                for i, j in np.argwhere(self.confusion)
            ],
            "examples": [example._asdict() for example in self.examples],
        }


@dataclass(frozen=True)
class Regression:
    """How far the values lie from the true ones. r2 is None where the true ones do not differ."""

    judged: int
    mae: float
    rmse: float
    r2: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {name: value for name, value in asdict(self).items() if name != "judged"}


class ClassPrecision(NamedTuple):
    """One class of a detector; None where the data hold no such object."""

    label: str
    ap: float | None
    ap50: float | None
    boxes: int


class BesideScore(NamedTuple):
    """COCO's mean average precisions of "masks", "keypoints" or "rotated" boxes, as of DetectionScore."""

    kind: str
    map: float
    map50: float
    map75: float


class Scene(NamedTuple):
    """One picture of a detector's: the true boxes, their labels as positions in the card's, and what was found there.

    missed  true boxes without a found one in their place;  surplus  found ones where there is nothing such
    """

    source: str
    picture: Any
    true: Sequence[Box]
    found: Sequence[Any]
    missed: int
    surplus: int

    @property
    def mistakes(self) -> int:
        """How many in all."""
        return self.missed + self.surplus


@dataclass(frozen=True)
class DetectionScore:
    """COCO's mean average precision: over IoU 0.50 to 0.95 (map), at 0.50 and at 0.75; over the classes with objects.

    boxes  true objects, without crowds;  found  boxes that the model gave;  scenes  pictures with the most mistakes
    confusion  (classes, classes) counts of true boxes by the class of the surest box that was found in their place
    besides  the same of masks, keypoints and turned boxes, where model and data have them; unjudged: where only the
             model has
    """

    judged: int
    map: float
    map50: float
    map75: float
    classes: Sequence[ClassPrecision]
    boxes: int
    found: int
    confusion: Matrix
    scenes: Sequence[Scene] = ()
    besides: Sequence[BesideScore] = ()
    unjudged: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "map": self.map,
            "map50": self.map50,
            "map75": self.map75,
            "boxes": self.boxes,
            "found": self.found,
            "classes": [score._asdict() for score in self.classes],
            **{name: {k: v for k, v in score._asdict().items() if k != "kind"} for name, score in self._named},
        }

    @property
    def _named(self) -> Iterator[tuple[str, BesideScore]]:
        return ((score.kind, score) for score in self.besides)


@dataclass(frozen=True)
class Evaluation:
    """What was judged, and how it came out.

    failed   inputs that could not be judged, all counted; `failures` names the first
    unknown  labels in the data that the model does not know, and how many inputs (or boxes) have them: not judged
    """

    model: Path | None
    data: Dataset
    task: str
    result: Classification | Regression | DetectionScore
    failed: int = 0
    failures: Sequence[Failure] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether everything in the data was judged."""
        return not self.failed and not self.unknown

    @property
    def score(self) -> tuple[str, float | None]:
        """The one number of it, 0 to 1, by which a model is taken or not: accuracy, COCO's mAP, or R2 (None: the true
        values do not differ).
        """
        match self.result:
            case Classification():
                return "top-1", self.result.accuracy
            case DetectionScore():
                return "mAP", self.result.map
            case Regression():
                return "R2", self.result.r2

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for --json."""
        return {
            "model": None if self.model is None else str(self.model),
            "data": str(self.data.path),
            "task": self.task,
            "layout": self.data.layout,
            "split": self.data.split,
            "judged": self.result.judged,
            **self.result.as_dict(),
            "failed": self.failed,
            "failures": [{"source": f.source, **as_plain(f.error)} for f in self.failures],
            "unknown": dict(self.unknown),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }


def mistaken(confusion: Matrix, labels: Sequence[str]) -> list[tuple[str, str, int]]:
    """(truth, answer, how often), the most frequent first."""
    wrong = confusion - np.diag(confusion.diagonal())
    found = [(int(wrong[i, j]), int(i), int(j)) for i, j in np.argwhere(wrong)]
    return [(labels[i], labels[j], n) for n, i, j in sorted(found, key=lambda m: (-m[0], m[1], m[2]))]


def _share(part: Any, whole: Any) -> float | None:
    return float(part) / float(whole) if whole else None
