"""Estimators of tests/by_sklearn/every.py, a file of each, against what scikit-learn answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import qingzhou

EVERY = Path(__file__).parents[1] / "oracle" / "sklearn" / "every"
NAMES = sorted(path.stem for path in EVERY.glob("*.joblib"))


@pytest.mark.parametrize("name", NAMES)
def test_answers_as_the_original(name: str, tmp_path: Path) -> None:
    known = np.load(EVERY / f"{name}.npz")
    model = qingzhou.convert(EVERY / f"{name}.joblib", tmp_path / "model.onnx")
    found = model.predict(known["x"])
    if model.card.output.scores == "sigmoids":
        said = [sorted(one.index for one in answer.named or ()) for answer in found]
        assert said == [np.flatnonzero(row).tolist() for row in known["predict"]]
        return
    scores = np.array([one.scores for one in found], np.float64)
    if model.card.task != "classification":
        wanted = known["predict" if "predict" in known else "transform"]
        assert np.abs(scores.reshape(wanted.shape) - wanted).max() <= 1e-6 * np.abs(wanted).max()
        return
    texts = [one if isinstance(one, str) else str(int(one)) for one in known["predict"].tolist()]
    assert [one.label for one in found] == texts
    if "proba" in known:
        np.testing.assert_allclose(scores, known["proba"], rtol=0, atol=1e-6)


def test_classes_of_their_own_for_each_question_are_numbers(tmp_path: Path) -> None:
    model = qingzhou.convert(EVERY / "trees_several.joblib", tmp_path / "model.onnx")
    known = np.load(EVERY / "trees_several.npz")
    assert model.card.task == "values" and known["predict"].max() == 2
    assert "several questions" in " ".join(model.card.notes)


def test_one_line_says_what_an_outlier_is(tmp_path: Path) -> None:
    model = qingzhou.convert(EVERY / "ellipse.joblib", tmp_path / "model.onnx")
    assert list(model.card.labels) == ["-1", "1"]
