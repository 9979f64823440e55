"""Models that judge each class by itself: several may be named, or none, wherever an answer is shown or acted on."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import qingzhou
from passengers import photo
from programs import run
from qingzhou.answers import as_dict, csv_rows
from qingzhou.cli import main
from qingzhou.doors.answers import classified
from qingzhou.errors import InputError, ModelError, use_language
from qingzhou.evaluate.judge import evaluate
from qingzhou.present.answers import _cells
from qingzhou.run import Answer
from qingzhou.runtime import act
from qingzhou.runtime.bundle.selftest import agree, shown, summary
from qingzhou.runtime.draw import caption
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.parts.plain import as_plain, from_plain
from qingzhou.runtime.predict import Prediction, Predictor
from qingzhou.runtime.rules import Rules
from qingzhou.scenes.actions import rules_for

MULTI_LABEL = Path(__file__).parents[1] / "oracle/heads/multilabel.pth"
LABELS = ["cat", "dog", "bird"]
STEPS = [{"op": "resize", "size": [4, 4], "interpolation": "cv2"}]


def card(score: float = 0.5, most: int = 3, **more: Any) -> Card:
    entry, limits = Input("input", "image", [1, 3, 4, 4], "RGB", STEPS), {"score": score, "most": most}
    given = {"output": Output("probs", "sigmoids"), "thresholds": limits, **more}
    return Card("classification", "ResNet-18", "MMPretrain", entry, labels=LABELS, **given)


class Fixed:
    """A session that always gives the same row."""

    def __init__(self, row: list[float]) -> None:
        self.row = np.array([row], np.float32)

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="input", shape=[1, 3, 4, 4], type="tensor(float)")]

    def get_overridable_initializers(self) -> list[Any]:
        return []

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="probs")]

    def run(self, names: Any, feed: Any) -> list[Any]:
        return [self.row]


def says(*row: float, threshold: float | None = None, **limits: object) -> Prediction:
    model = Predictor("x.onnx", card(**limits), session=Fixed(list(row)))
    found: Prediction = model.predict(np.zeros((4, 4, 3), np.uint8), threshold=threshold)
    return found


BOTH, NONE, ONE = says(0.6, 0.2, 0.9), says(0.1, 0.4, 0.3), says(0.1, 0.8, 0.3)


@pytest.mark.parametrize(
    ("answer", "label", "named"),
    [
        (BOTH, "bird", ["bird", "cat"]),
        (NONE, "", []),
        (ONE, "dog", ["dog"]),
        (says(0.5, 0.2, 0.1), "cat", ["cat"]),  # "reaches", as in mmpretrain
        (says(0.7, 0.2, 0.1, score=0.7), "cat", ["cat"]),  # which float32 has no exact number for
        (says(0.6, 0.7, 0.9, most=2), "bird", ["bird", "dog"]),
        (says(0.1, 0.2, 0.3, score=0.0, most=2), "bird", ["bird", "dog"]),  # the surest two, whatever they are
        (says(0.6, 0.2, 0.9, threshold=0.8), "bird", ["bird"]),
        (says(0.6, 0.2, 0.9, threshold=0.1), "bird", ["bird", "cat", "dog"]),
    ],
)
def test_all_that_reach_the_least_score_are_named(answer: Prediction, label: str, named: list[str]) -> None:
    assert answer.named is not None and [one.label for one in answer.named] == named
    assert (answer.label, answer.index) == (label, int(answer.scores.argmax()))
    assert all(one.confidence == answer.scores[one.index] and LABELS[one.index] == one.label for one in answer.named)


def test_others_name_one_and_take_no_threshold() -> None:
    single = Predictor(
        "x", card(output=Output("probs", "probabilities"), thresholds=None), session=Fixed([0.3, 0.7, 0])
    )
    picture = np.zeros((4, 4, 3), np.uint8)
    assert single.predict(picture).named is None
    with pytest.raises(InputError):
        single.predict(picture, threshold=0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"thresholds": None},
        {"thresholds": {"score": 0.5, "iou": 0.5, "most": 3}},
        {"thresholds": {"score": 0.5}},
        {"thresholds": {"score": 1.5, "most": 3}},
        {"thresholds": {"score": 0.5, "most": 0}},
        {"output": Output("probs", "probabilities")},
    ],
)
def test_a_card_is_checked(change: dict[str, Any]) -> None:
    assert Card.from_json(card().to_json()) == card()
    with pytest.raises(ModelError):
        Card.from_json(card(**change).to_json())


@pytest.mark.parametrize(
    ("answer", "en", "zh", "row", "cells"),
    [
        (
            BOTH,
            "bird 90.0%, cat 60.0%",
            "bird 90.0%, cat 60.0%",
            ["x", "bird; cat", "0.9000; 0.6000"],
            ("bird, cat", "90.0%, 60.0%", "dog 20.0%"),
        ),
        (
            NONE,
            "none of its classes",
            "没有符合的类别",
            ["x", "", ""],
            ("none of its classes", "", "dog 40.0%  bird 30.0%  cat 10.0%"),
        ),
    ],
)
def test_wherever_it_is_shown(answer: Prediction, en: str, zh: str, row: list[str], cells: Any) -> None:
    for language, text in (("zh", zh), ("en", en)):
        use_language(language)
        assert caption(answer) == text
    assert _cells(answer, 3, LABELS) == cells
    assert csv_rows([Answer("x", answer)])[1:] == [row]
    plain = json.loads(json.dumps(as_dict(Answer("x", answer), 3, LABELS)))
    assert [one["label"] for one in plain["named"]] == [one.label for one in answer.named or ()]
    assert plain["label"] == answer.label and len(plain["top"]) == 3 and "values" not in plain


@pytest.mark.parametrize("answer", [BOTH, NONE, ONE])
def test_it_comes_over_the_network_as_it_is(answer: Prediction) -> None:
    found = from_plain(json.loads(json.dumps(as_plain(answer))))
    assert [one[:2] for one in found.named] == [one[:2] for one in answer.named or ()]
    assert (found.label, found.index) == (answer.label, answer.index)


@pytest.mark.parametrize(
    ("rule", "answer", "acts"),
    [
        ('when "cat": print("x")', BOTH, True),
        ('when "bird": print("x")', BOTH, True),
        ('when "dog": print("x")', BOTH, False),
        ('when "dog" above 0.1: print("x")', BOTH, True),
        ('when "cat" and "bird": print("x")', BOTH, True),
        ('when "cat" and no "dog": print("x")', BOTH, True),
        ("when any: print(label)", NONE, False),
        ("when any: print(label)", ONE, True),
        ('when no "dog": print("x")', NONE, True),
    ],
)
def test_a_rule_acts_for_each_named_class(
    rule: str, answer: Prediction, acts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    monkeypatch.setattr(act, "do", lambda *given: done.append(given))
    Rules([rule], LABELS).check(answer, now=0.0)
    assert bool(done) == acts


def test_the_self_test_of_a_bundle_compares_scores() -> None:
    """On another processor 0.501 may be 0.499, and another class is named."""
    assert agree(summary(says(0.501, 0.2, 0.9)), summary(says(0.499, 0.2, 0.9)))
    assert not agree(summary(says(0.6, 0.2, 0.9)), summary(says(0.2, 0.2, 0.9)))
    assert shown(summary(BOTH)) == "0.6 0.2 0.9"


@pytest.mark.parametrize(("limits", "above"), [({"score": 0.3}, 0.3), ({"score": 0.9}, 0.9), ({"score": 0.0}, 0.8)])
def test_rules_of_actions_take_what_is_named(limits: dict[str, float], above: float) -> None:
    rules = rules_for(["cat=pin:24", "speak"], card(**limits), frames=1)
    assert rules[0] == f'when "cat" above {above}: pin(24, on)' and rules[2] == f"when any above {above}: speak(label)"


def test_the_door_of_xeduhub_gives_a_list() -> None:
    found = classified(BOTH.scores[None], card())
    assert [one["预测结果"] for one in found] == ["bird", "cat"] and [one["标签"] for one in found] == [2, 0]
    assert classified(NONE.scores[None], card()) == []


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    folder = tmp_path_factory.mktemp("model") / "in"
    folder.mkdir()
    return qingzhou.convert(MULTI_LABEL, folder / "x.onnx", labels=LABELS)


def test_a_model_of_mmpretrain(model: qingzhou.Model) -> None:
    answer = model.predict(model.predictor.sample_input())
    assert [one.label for one in answer.named] == ["dog", "cat"]
    assert any("multi-label" in note or "多标签" in note for note in model.card.notes)


@pytest.mark.parametrize(("language", "first"), [("en", "Result: dog, cat"), ("zh", "结果：dog, cat")])
def test_its_program_names_them_all(language: str, first: str, tmp_path: Path) -> None:
    use_language(language)
    folder = tmp_path / "in"
    folder.mkdir()
    qingzhou.convert(MULTI_LABEL, folder / "x.onnx", labels=LABELS)
    lines = run(folder / "x.py").splitlines()
    assert lines[0].replace("、", ", ") == first and [line.split()[0] for line in lines[1:]] == ["dog", "cat"]


def test_data_with_one_class_for_each_picture(model: qingzhou.Model, tmp_path: Path) -> None:
    for label in LABELS:
        (tmp_path / label).mkdir()
        photo(tmp_path / label / "a.png")
    found = evaluate(model, tmp_path)
    assert found.result.judged == 3 and found.result.right == 1
    assert any("one class for each" in note or "只有一个类别" in note for note in found.notes)


def test_run_takes_a_threshold(model: qingzhou.Model, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", str(model.path), "--json", "--threshold", "0.95"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["results"][0]["named"] == []
