"""When a score says nothing: guessing, one answer to everything, labels that mean other classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from qingzhou.errors import use_language
from qingzhou.evaluate.classify import wilson
from qingzhou.evaluate.doubt import beats_guessing, blind, doubt, hints, misnamed, renamed
from qingzhou.evaluate.result import Classification, ClassPrecision, DetectionScore, Matrix, Regression

ANIMALS = ["cat", "dog", "owl"]
NUMBERS = [str(n) for n in range(10)]
RNG = np.random.default_rng(4)


def result(confusion: Matrix, labels: Sequence[str]) -> Classification:
    judged, right = int(confusion.sum()), int(confusion.trace())
    return Classification(judged, right, wilson(right, judged), None, labels, confusion, [])


def answered(each: int, right: float, places: Sequence[int]) -> Matrix:
    """So many of every class, each answered as places says, or else as any class at random."""
    confusion = np.zeros((len(places), len(places)), np.int64)
    for truth, answer in enumerate(places):
        for _ in range(each):
            confusion[truth, answer if RNG.random() < right else RNG.integers(len(places))] += 1
    return confusion


def counts(*rows: Sequence[int]) -> Matrix:
    return np.array(rows, np.int64)


SHIFTED = [*range(1, 10), 0]  # the class n is answered as n + 1
MISNAMED = {
    "each number one less": (answered(20, 0.98, [9, *range(9)])[1:], NUMBERS, "minus 1 (1 as 0, 2 as 1, 3 as 2 …)"),
    "two numbers more": (np.eye(12, k=2, dtype=np.int64) * 9, [str(n) for n in range(12)], "plus 2 (0 as 2, 1 as 3"),
    "by position in the list": (answered(12, 1, [1, 2, 0]), ANIMALS, "cat is answered as dog, dog as owl, owl as cat"),
    "a list in another order": (answered(20, 0.95, [3, 0, 1, 2, 9, 8, 7, 6, 5, 4]), NUMBERS, "0 is answered as 3"),
    "two exchanged": (counts([0, 6], [6, 0]), ["no", "yes"], "no is answered as yes, yes as no"),
    "few of each": (np.eye(10, k=1, dtype=np.int64) * 2, NUMBERS, "plus 1"),
    "weak as well": (answered(40, 0.4, SHIFTED), NUMBERS, "0 is answered as 1"),
}


@pytest.mark.parametrize("name", MISNAMED)
def test_labels_that_mean_other_classes(name: str) -> None:
    confusion, labels, words = MISNAMED[name]
    whole = np.zeros((len(labels),) * 2, np.int64)
    whole[len(labels) - len(confusion) :] = confusion
    found = result(whole, labels)
    error = misnamed(found)
    assert error is not None and words in error.en and "答成" in error.zh
    use_language("en")
    assert hints(found) == [str(error)]


GUESSED = {
    "one answer to everything": (counts([0, 20, 0], [0, 20, 0], [0, 20, 0]), ANIMALS, "Everything is answered as dog"),
    "at random": (answered(20, 0, range(10)), NUMBERS, "is not clearly better than guessing"),
    "always the most frequent": (counts([90, 0], [10, 0]), ["yes", "no"], "always saying yes gets 90.0 %"),
    "worse than the most frequent": (counts([80, 10], [5, 5]), ["yes", "no"], "always saying yes gets 90.0 %"),
    "always wrong, without a pattern": (counts([0, 9, 9], [9, 0, 9], [9, 9, 0]), ANIMALS, "0 of 54 right"),
    "too few to tell": (counts([3, 1], [2, 2]), ["yes", "no"], "chance 50.0 %"),
    "one class": (counts([20, 0, 0], [0, 0, 0], [0, 0, 0]), ANIMALS, "would get 100 %. Add other classes"),
    "one class, as another": (counts([1, 20, 0], [0, 0, 0], [0, 0, 0]), ANIMALS, "100 %; most often: cat → dog (20)"),
}


@pytest.mark.parametrize("name", GUESSED)
def test_no_better_than_guessing(name: str) -> None:
    confusion, labels, words = GUESSED[name]
    found = result(confusion, labels)
    use_language("en")
    assert not beats_guessing(found) and misnamed(found) is None
    assert words in doubt(found) and hints(found) == [doubt(found)]
    use_language("zh")
    assert "类" in doubt(found) or "猜" in doubt(found)


HONEST = {
    "thirty percent of ten": (np.eye(10, dtype=np.int64) * 3 + 0.7 * (1 - np.eye(10)) * 10 / 9, NUMBERS),
    "thirty percent of few": (np.diag([3, 0] * 5) + np.roll(np.eye(10), 3, 1) * 2, NUMBERS),
    "sixty-five of two": (counts([33, 17], [18, 32]), ["yes", "no"]),
    "rare ones found": (counts([178, 2], [8, 12]), ["yes", "no"]),
    "all right": (np.eye(3, dtype=np.int64) * 4, ANIMALS),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_models_pass(name: str) -> None:
    confusion, labels = HONEST[name]
    assert hints(result(np.rint(confusion).astype(np.int64), labels)) == []


@pytest.mark.parametrize("each", [1, 2, 3, 10])
@pytest.mark.parametrize(("classes", "right"), [(2, 0.3), (3, 0.3), (10, 0.25), (10, 0.0)])
def test_weak_or_guessing_models_hardly_ever_seem_renamed(each: int, classes: int, right: float) -> None:
    """A guessing one by chance of 5 % at most, and it is far less."""
    found = [renamed(answered(each, right, range(classes)), NUMBERS[:classes]) for _ in range(200)]
    assert sum(one is not None for one in found) <= 4


def test_two_that_are_exchanged_among_others_are_a_hint() -> None:
    use_language("en")
    (hint,) = hints(result(answered(20, 1, [0, 1, 7, 3, 4, 5, 6, 2, 8, 9]), NUMBERS))
    assert "exchanged" in hint and "2 is answered as 7, 7 as 2 (40 of 40)" in hint


def test_the_floor_is_never_below_chance() -> None:
    """The most frequent of n classes has a share of 1 / n or more."""
    assert blind(result(np.eye(10, dtype=np.int64) * 5, NUMBERS)) == pytest.approx(0.1)
    assert blind(result(counts([90, 0], [0, 10]), ["yes", "no"])) == pytest.approx(0.9)


def boxes(map_: float, confusion: Matrix) -> DetectionScore:
    classes = [
        ClassPrecision(label, map_, map_, int(n)) for label, n in zip(ANIMALS, confusion.sum(axis=1), strict=True)
    ]
    return DetectionScore(20, map_, map_, map_, classes, int(confusion.sum()), 40, confusion)


def test_detectors() -> None:
    use_language("en")
    shifted = misnamed(boxes(0.0, answered(10, 1, [1, 2, 0])))
    assert shifted is not None and "cat is answered as dog, dog as owl, owl as cat" in shifted.en
    assert "most often: cat → dog (30)" in doubt(boxes(0.0, counts([0, 30, 0], [0, 0, 0], [0, 0, 0])))
    assert "hardly anywhere (mAP 0.50 %)" in doubt(boxes(0.005, np.zeros((3, 3), np.int64)))
    assert hints(boxes(0.1, answered(10, 1, range(3)))) == []


@pytest.mark.parametrize(("r2", "words"), [(-0.2, "R² -0.20"), (0.0, "the mean"), (0.1, ""), (None, "")])
def test_values(r2: float | None, words: str) -> None:
    use_language("en")
    said = doubt(Regression(20, 1.0, 1.0, r2))
    assert words in said and bool(said) == bool(words)
