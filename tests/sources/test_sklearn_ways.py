"""One model saved in many ways: all protocols, all packings, dill; and pickles of several objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import qingzhou
from qingzhou.errors import CheckpointTypeError, UnsupportedCheckpoint
from qingzhou.info import read_info

WAYS = Path(__file__).parents[1] / "oracle" / "sklearn" / "ways"
ANSWERS = np.load(WAYS / "answers.npz")
SAVED = sorted(path.name for path in WAYS.iterdir() if path.name.startswith(("tree_", "boosted_", "alone")))


def scores(model: qingzhou.Model) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([one.scores for one in model.predict(ANSWERS["x"])])


@pytest.mark.parametrize("name", SAVED)
def test_read_however_it_was_saved(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(WAYS / name, tmp_path / "model.onnx")
    wanted = ANSWERS["boosted" if name.startswith("boosted") else "tree"]
    np.testing.assert_allclose(scores(model), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["dict", "tuple"])
def test_several_objects_are_asked_about(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=r"StandardScaler.*part=(scaler\+model|0\+1)"):
        qingzhou.convert(WAYS / f"{name}.pkl", tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []
    inside = [part.name for part in read_info(WAYS / f"{name}.pkl").parts]
    assert inside == (["model", "scaler", "labels"] if name == "dict" else ["0", "1"])


@pytest.mark.parametrize(
    ("name", "part", "wanted"),
    [("dict", "scaler+model", "chain"), ("dict", "model", "model"), ("tuple", "0+1", "chain"), ("tuple", "1", "model")],
)
def test_part_says_which(name: str, part: str, wanted: str, tmp_path: Path) -> None:
    model = qingzhou.convert(WAYS / f"{name}.pkl", tmp_path / "model.onnx", details={"part": part})
    np.testing.assert_allclose(scores(model), ANSWERS[wanted], rtol=0, atol=1e-6)
    if name == "dict":
        assert list(model.card.labels) == ["blue", "green", "red"] and "LabelEncoder" in " ".join(model.card.notes)


def test_a_part_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=r"model \(LogisticRegression\)"):
        qingzhou.convert(WAYS / "dict.pkl", tmp_path / "model.onnx", details={"part": "classifier"})


def test_pickles_one_after_the_other(tmp_path: Path) -> None:
    with pytest.raises(CheckpointTypeError, match="several pickles"):
        qingzhou.convert(WAYS / "one_after_the_other.pkl", tmp_path / "model.onnx")
