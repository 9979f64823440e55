"""What was lost: the intervals against simulations with a known truth, the counts against answers written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import DataError, LabelError
from qingzhou.evaluate.result import Box, Case, Dataset
from qingzhou.quant.judge import judge
from qingzhou.quant.pair import Both, jackknifed_drop, paired_drop
from qingzhou.quant.result import Limits
from qingzhou.quant.split import Split
from qingzhou.runtime.model.answers import Named, Prediction
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.detect import Detection

RNG = np.random.default_rng(11)
LABELS = ["cat", "dog", "owl"]


def card(task: str) -> Card:
    return Card(task, "Tiny", "BaseNN", Input("x", "image", [1, 3, 8, 8], "RGB"), Output("y", "values"), LABELS)


class Written:
    """Two models whose answers to an input's name are written down."""

    def __init__(self, task: str, answers: Mapping[str, tuple[Any, Any]]) -> None:
        self.card, self.answers = card(task), answers

    def predict(self, data: Any, threshold: float | None = None) -> Both:
        return Both(*self.answers[data])


def answer(index: int) -> Prediction:
    return Prediction(LABELS[index], index, 0.9, np.eye(3, dtype=np.float32)[index])


def value(number: float) -> Prediction:
    return Prediction("", 0, float("nan"), np.array([number], np.float32))


def data(truths: Mapping[str, Any], labelled: bool = True, answers: str = "labels") -> Split:
    cases = [Case(name, name, truth) for name, truth in truths.items()]
    return Split(Dataset(Path("data"), "folders", "all", answers, lambda: iter(cases)), [], cases, labelled)


# -- intervals ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lost", "won", "judged"), [(0.02, 0.01, 100), (0.05, 0.05, 397), (0.004, 0.0, 400)])
def test_the_interval_of_a_drop_holds_the_truth_nineteen_times_of_twenty(lost: float, won: float, judged: int) -> None:
    draws = RNG.multinomial(judged, [lost, won, 1 - lost - won], size=4000)
    inside = [low <= lost - won <= high for _, low, high in (paired_drop(int(a), int(b), judged) for a, b, _ in draws)]
    assert 0.94 <= np.mean(inside) <= 1.0


def test_the_interval_of_a_drop_is_no_wider_than_need_be() -> None:
    """Twice the standard deviation of the difference, nearly."""
    _, low, high = paired_drop(20, 10, 1000)
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.03 - 0.01**2) / np.sqrt(1000), rel=0.05)


def test_nothing_changed_is_no_proof_that_nothing_would() -> None:
    assert paired_drop(0, 0, 20).high > 0.1
    assert paired_drop(0, 0, 20000).high < 0.001


def test_the_jackknife_holds_the_truth_too() -> None:
    inside = []
    for _ in range(400):
        drop = jackknifed_drop(list(RNG.normal(0.02, 0.1, 60)), lambda some: float(np.mean(some)))
        inside.append(drop.low <= 0.02 <= drop.high)
    assert 0.92 <= np.mean(inside) <= 0.985


def test_of_two_inputs_nothing_is_known() -> None:
    assert jackknifed_drop([1, 2], lambda some: 0.0)[1:] == (-1.0, 1.0)


# -- counts ---------------------------------------------------------------------------------------------------------


MANY = 10  # of each input, so that the answers are no guesses


def test_classes() -> None:
    truths = {"a": "cat", "b": "dog", "c": "owl", "d": "owl"}
    answers = {
        "a": (answer(0), answer(0)),
        "b": (answer(1), answer(0)),
        "c": (answer(0), answer(2)),
        "d": (answer(2), answer(1)),
    }
    pair = Written("classification", {f"{name}{n}": both for n in range(MANY) for name, both in answers.items()})
    found = judge(pair, data({name: truths[name[0]] for name in pair.answers}))
    assert (found.measure, found.labelled, found.judged, found.failed) == ("top-1", True, 4 * MANY, 0)
    assert found.figures() == (0.75, 0.5)
    assert found.drop.drop == 0.25
    assert [(one.source, one.truth, one.before, one.after) for one in found.changed][:3] == [
        ("b0", "dog", "dog", "cat"),
        ("c0", "owl", "cat", "owl"),
        ("d0", "owl", "owl", "dog"),
    ]
    assert found.changes == 3 * MANY


def test_several_classes_say_how_they_were_judged() -> None:
    """The likeliest class as ever; and how often exactly the same ones are named."""

    def named(index: int, *others: int) -> Prediction:
        found = [Named(LABELS[i], i, 0.9) for i in (index, *others)]
        return answer(index)._replace(named=tuple(found) if others != (-1,) else (), label="")

    answers = {
        "a": (named(0, 1), named(0, 1)),
        "b": (named(1, 0), named(1)),
        "c": (named(2, -1), named(2, -1)),
        "d": (named(0, 2, 1), named(0, 1, 2)),
    }
    pair = Written("classification", {f"{name}{n}": both for n in range(MANY) for name, both in answers.items()})
    truths = {"a": "cat", "b": "dog", "c": "owl", "d": "cat"}
    assert judge(pair, data({name: truths[name[0]] for name in pair.answers})).hints == []
    output, limits = Output("y", "sigmoids"), {"score": 0.5, "most": 3}
    pair.card = replace(pair.card, output=output, thresholds=limits)
    found = judge(pair, data({name: truths[name[0]] for name in pair.answers}))
    assert found.figures() == (1.0, 1.0)
    (hint,) = found.notes
    assert "30 of 40" in hint or ("40 个" in hint and "30 个" in hint)


def test_without_answers_the_first_model_is_the_measure() -> None:
    pair = Written(
        "classification", {"a": (answer(0), answer(0)), "b": (answer(1), answer(0)), "c": (answer(2), answer(2))}
    )
    found = judge(pair, data(dict.fromkeys("abc", ""), labelled=False))
    assert not found.labelled
    assert found.figures() == pytest.approx((1.0, 2 / 3))
    assert not Limits(max_drop=100, min_agreement=67).allow(found)
    assert Limits(max_drop=0, min_agreement=66).allow(found)


def test_boxes() -> None:
    pytest.importorskip("pycocotools")
    box, shifted = (10.0, 10.0, 50.0, 50.0), (10.0, 10.0, 50.0, 30.0)
    one = [Detection("cat", 0, 0.9, box)]
    pair = Written("detection", {"a": (one, one), "b": (one, [Detection("cat", 0, 0.9, shifted)])})
    found = judge(pair, data({"a": [Box("cat", box)], "b": [Box("cat", box)]}, answers="boxes"))
    assert found.measure == "mAP"
    before, after = found.figures()
    assert before == pytest.approx(1) and 0.3 < after < 0.7


def test_numbers() -> None:
    truths = {name: float(n) for n, name in enumerate("abcd")}
    pair = Written("regression", {name: (value(number), value(number + 0.5)) for name, number in truths.items()})
    found = judge(pair, data(truths, answers="cells"))
    assert found.measure == "R²"
    assert found.figures() == pytest.approx((1.0, 1 - 4 * 0.25 / 5))


def test_numbers_that_are_all_the_same() -> None:
    pair = Written("regression", {name: (value(2), value(2)) for name in "ab"})
    with pytest.raises(DataError, match="do not differ"):
        judge(pair, data({"a": 2.0, "b": 2.0}, answers="cells"))


@pytest.mark.parametrize(("limit", "kept"), [(25.0, True), (24.9, False)])
def test_the_promise(limit: float, kept: bool) -> None:
    """A quarter of the answers become others."""
    truths = {str(n): n % 3 for n in range(36)}
    pair = Written(
        "classification",
        {name: (answer(place), answer((place + (int(name) < 9)) % 3)) for name, place in truths.items()},
    )
    found = judge(pair, data({name: LABELS[place] for name, place in truths.items()}))
    assert found.drop.drop == 0.25
    assert Limits(max_drop=limit).allow(found) is kept


def test_labels_that_the_model_does_not_know() -> None:
    pair = Written("classification", {"a": (answer(0), answer(0))})
    with pytest.raises(LabelError, match="lion"):
        judge(pair, data({"a": "lion"}))


def test_the_kind_of_data_must_fit() -> None:
    """Boxes for a classifier, and classes for a detector."""
    looks: list[tuple[Any, Any, str]] = [
        (Written("classification", {"a": (answer(0), answer(0))}), [Box("cat", (0, 0, 1, 1))], "boxes"),
        (Written("detection", {"a": ([], [])}), "cat", "labels"),
    ]
    for model, truth, answers in looks:
        with pytest.raises(DataError):
            judge(model, data({"a": truth}, answers=answers))
