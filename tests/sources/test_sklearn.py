"""Files of scikit-learn and BaseML against what the originals answer: no label may differ (tests/oracle/sklearn)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from qingzhou.errors import QingzhouError
from qingzhou.sources.sklearn import trees

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
CASES: dict[str, dict[str, Any]] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
ANSWERED = sorted(name for name, case in CASES.items() if case["expect"] == "answers")


def asked(case: dict[str, Any], name: str) -> tuple[Any, Any, str]:
    """Its rows as predict() takes them, all that is known of them, and the ending of the answers for float32."""
    known = np.load(ORACLE / f"{name}.npz")
    if "columns" not in case:
        return known["x"], known, "_f32"
    return {title: known[f"c{i}"].tolist() for i, title in enumerate(case["columns"])}, known, ""


def text(label: Any) -> str:
    return label if isinstance(label, str) else str(int(label))


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_as_the_original(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    model = qingzhou.convert(ORACLE / case["file"], tmp_path / "model.onnx")
    rows, known, ending = asked(case, name)
    found = model.predict(rows)
    scores = np.array([one.scores for one in found])
    if model.card.task == "classification":
        assert [one.label for one in found] == [text(one) for one in known["predict" + ending].tolist()]
        if "proba" + ending in known:
            np.testing.assert_allclose(scores, known["proba" + ending], rtol=0, atol=1e-6)
        return
    wanted = known[("predict" if model.card.task == "regression" else "transform") + ending]
    assert np.abs(scores.reshape(wanted.shape) - wanted).max() <= 1e-6 * np.abs(wanted).max()


MORE = sorted(path for path in (ORACLE / "more").iterdir() if path.suffix != ".npz")


@pytest.mark.parametrize("path", MORE, ids=[path.stem for path in MORE])
def test_more_of_those_that_the_slow_suite_trains(path: Path, tmp_path: Path) -> None:
    """Of tests/by_sklearn/make_models.py: texts, CatBoost, LightGBM in a joblib, and others without a case."""
    known = np.load(path.with_suffix(".npz"))
    model = qingzhou.convert(path, tmp_path / "model.onnx")
    found = model.predict(known["x"] if known["x"].dtype.kind == "f" else known["x"].tolist())
    if model.card.task == "classification":
        assert [one.label for one in found] == [text(one) for one in known["predict"].ravel().tolist()]
        np.testing.assert_allclose([one.scores for one in found], known["proba"], rtol=0, atol=1e-6)
    else:
        wanted = known["predict"]
        values = np.array([one.scores for one in found]).reshape(wanted.shape)
        assert np.abs(values - wanted).max() <= 1e-6 * np.abs(wanted).max()


REFUSED = {
    "refuse_own_class": "MyVote",
    "refuse_function_transformer": "FunctionTransformer",
    "refuse_hostile_reduce": "mkdir",
    "baseml_spectral": "SpectralClustering",
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_refused_by_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QingzhouError, match=REFUSED[name]) as caught:
        qingzhou.convert(ORACLE / CASES[name]["file"], tmp_path / "model.onnx")
    assert REFUSED[name] in caught.value.zh and list(tmp_path.iterdir()) == []


def test_each_case_has_a_test() -> None:
    assert {*ANSWERED, *REFUSED} == set(CASES)


@pytest.mark.parametrize("opset", [11, 13, 17, 21])
@pytest.mark.parametrize("name", ["columns_forest", "svc_binary_probability", "hist_boosting_categories"])
def test_other_opsets(name: str, opset: int, tmp_path: Path) -> None:
    model = qingzhou.convert(ORACLE / CASES[name]["file"], tmp_path / "model.onnx", opset=opset)
    rows, known, ending = asked(CASES[name], name)
    wanted = known[("proba" if "proba" + ending in known else "predict") + ending]
    found = np.array([one.scores for one in model.predict(rows)]).reshape(wanted.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["extra_trees_mid", "forest_regressor", "gradient_boosting_multi", "xgb_multi_unbalanced"]
)
def test_large_ensembles(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As several operators of ai.onnx.ml, each with a part of the trees."""
    monkeypatch.setattr(trees, "LARGE", 1)
    monkeypatch.setattr(trees, "PIECE", 40)
    test_answers_as_the_original(name, tmp_path)
    assert (tmp_path / "model.onnx").read_bytes().count(b"TreeEnsembleRegressor") > 3
