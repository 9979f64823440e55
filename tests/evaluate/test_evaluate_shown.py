"""What the verb shows: small and large matrices, boxes, values, notes; and names that look like markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import ImageError, use_language
from qingzhou.evaluate import Classification, Dataset, DetectionScore, Evaluation, Failure, Regression
from qingzhou.evaluate.result import ClassPrecision, Example
from qingzhou.present.evaluation import evaluation


def shown(capsys: pytest.CaptureFixture[str], result: Any, lang: str = "en", **more: Any) -> str:
    use_language(lang)
    data = Dataset(Path("data [x]"), "coco", "val", "boxes", lambda: iter(()))
    evaluation(Evaluation(Path("m.onnx"), data, "detection", result, **more), json_wanted=False)
    return capsys.readouterr().out


def classes(number: int, label: str = "c{}") -> Classification:
    """Every class right twice, and once taken for the next."""
    labels = [label.format(i) for i in range(number)]
    confusion = 2 * np.eye(number, dtype=np.int64) + np.roll(np.eye(number, dtype=np.int64), 1, axis=1)
    confusion[3, 7 % number] += 4
    examples = [Example("a [red]b[/].png", labels[0], labels[1], 0.5)]
    judged = int(confusion.sum())
    return Classification(judged, 2 * number, (0.1, 0.9), 0.75, labels, confusion, examples)


def test_a_matrix_for_few_classes(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, classes(10))
    assert "Rows: what it is." in text and "a [red]b[/].png" in text
    row = next(line for line in text.splitlines() if line.split()[:5] == ["c3", "·", "·", "·", "2"])
    assert row.split() == ["c3", "·", "·", "·", "2", "1", "·", "·", "4", "·", "·"]


def test_a_matrix_with_long_names_has_numbered_columns(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, classes(20, "a long name {}"))
    head = next(i for i, line in enumerate(text.splitlines()) if "Rows: what it is." in line)
    lines = text.splitlines()[head + 1 :]
    assert lines[0].split() == [str(i) for i in range(1, 21)]
    assert lines[20].split()[:5] == ["20", "a", "long", "name", "19"] and max(map(len, lines)) <= 100


def test_the_worst_pairs_for_many_classes(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, classes(21))
    assert "Rows: what it is." not in text and "The worst of 21 classes" in text
    assert next(line for line in text.splitlines() if line.split() == ["c3", "c7", "4"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_boxes_values_and_what_was_not_judged(capsys: pytest.CaptureFixture[str], lang: str) -> None:
    scores = [ClassPrecision("[b]", 0.5, 0.75, 4), ClassPrecision("dog", None, None, 0)]
    boxes = DetectionScore(3, 0.5, 0.75, 0.25, scores, 4, 6, np.zeros((2, 2), np.int64))
    failure = Failure("1 [x].png", ImageError(en="broken", zh="坏了"))
    text = shown(capsys, boxes, lang, failed=1, failures=[failure], unknown={"cow": 2}, notes=["a note"])
    said = {"en": ("broken", "4 true, 6 found"), "zh": ("坏了", "标注 4 个，检出 6 个")}[lang]
    for words in ("50.00 %", "75.00 %", "25.00 %", "[b]", "–", "1 [x].png", "cow (2)", "a note", "data [x]", *said):
        assert words in text
    values = shown(capsys, Regression(4, 1.25, 2.5, None), lang)
    assert "1.25" in values and "2.5" in values and "–" in values
