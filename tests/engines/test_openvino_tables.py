"""Classical models in OpenVINO, which has float32 alone: each answers as the original, or is refused by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from qingzhou.deploy.export import export_model
from qingzhou.errors import EngineError
from qingzhou.sources.sklearn import trees

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
CASES: dict[str, dict[str, Any]] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
REFUSED = {
    "columns_forest": "trees behind arithmetic",
    "ordinal_infrequent": "trees behind arithmetic",
    "hist_boosting_categories": "trees behind arithmetic",
    "gaussian_nb_tiny_variance": "GaussianNB",
}
TAKEN = ["tree_text_labels", "tree_missing_values", "gradient_boosting_binary_1_0", "extra_trees_mid", "ridge_1_0"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_float32_would_answer_otherwise_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=REFUSED[name]) as caught:
        export_model(ORACLE / CASES[name]["file"], "openvino", tmp_path / "m.xml")
    assert "onnxruntime or numpy" in caught.value.en and REFUSED[name] in caught.value.zh
    assert not list(tmp_path.iterdir())


def test_a_large_forest_has_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one operator of ai.onnx.ml it is refused; in plain ones it is taken."""
    monkeypatch.setattr(trees, "LARGE", 4)
    file = ORACLE / CASES["extra_trees_mid"]["file"]
    with pytest.raises(EngineError, match="--set trees=tensors") as caught:
        export_model(file, "openvino", tmp_path / "m.xml")
    assert "--set trees=tensors" in caught.value.zh
    plain = qingzhou.convert(file, tmp_path / "plain.onnx", details=["trees=tensors"])
    assert export_model(plain.path, "openvino", tmp_path / "m.xml").path.exists()


@pytest.mark.parametrize("name", TAKEN)
def test_all_else_answers_as_the_original(name: str, tmp_path: Path) -> None:
    """Thresholds of float32 trees are rounded so that no row changes its side."""
    made = export_model(ORACLE / CASES[name]["file"], "openvino", tmp_path / "m.xml")
    known = np.load(ORACLE / f"{name}.npz")
    found = qingzhou.load(made.path).predict(known["x"])
    if CASES[name].get("task", "") == "regression" or "proba_f32" not in known:
        wanted = known["predict_f32"]
        values = np.array([one.scores for one in found]).reshape(wanted.shape)
        assert np.abs(values - wanted).max() <= 1e-5 * np.abs(wanted).max()
        return
    said = [one if isinstance(one, str) else str(int(one)) for one in known["predict_f32"].tolist()]
    assert [one.label for one in found] == said
    np.testing.assert_allclose([one.scores for one in found], known["proba_f32"], rtol=0, atol=1e-5)
