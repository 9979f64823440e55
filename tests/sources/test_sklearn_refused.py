"""What scikit-learn can answer and a list of classes cannot: refused in words, never answered otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import qingzhou
from qingzhou.errors import CheckpointDamaged, UnsupportedCheckpoint
from qingzhou.files.types import Opaque
from qingzhou.sources.sklearn.sparse import dense

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
SAYS = {
    "boosting_init": "begins with another model",
    "ada_one_class": "a single class",
    "hashed_texts": "HashingVectorizer makes numbers of texts by a hash",
    "union_of_counts": "inside its FeatureUnion",
    "catboost_inside": r"save_model\('model.json'",
    "catboost_categories": "CatBoost has columns of categories",
    "texts_in_columns": "texts are counted inside its ColumnTransformer",
    "layers_one_class": "a single class",
}


@pytest.mark.parametrize("name", SAYS)
def test_refused_in_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=SAYS[name]):
        qingzhou.convert(next((ORACLE / "refused").glob(f"{name}.*")), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_margins_of_older_xgboosts_are_refused(tmp_path: Path) -> None:
    """Before 3.1 base_score has no brackets, and binary:logitraw starts at its log odds."""
    text = (ORACLE / "more" / "xgb_logitraw.json").read_text("utf-8")
    start = text.index('"base_score":"[') + len('"base_score":"')
    end = text.index("]", start)
    (tmp_path / "old.json").write_text(text[:start] + text[start + 1 : end] + text[end + 1 :], "utf-8")
    with pytest.raises(UnsupportedCheckpoint, match="logitraw"):
        qingzhou.convert(tmp_path / "old.json", tmp_path / "model.onnx")


def test_sparse_matrices_of_texts_need_no_scipy(tmp_path: Path) -> None:
    shutil.copy(ORACLE / "more" / "tfidf_svc.joblib", tmp_path)
    model = qingzhou.convert(tmp_path / "tfidf_svc.joblib")
    assert model.predict("rain and snow").label == "1"


WHOLE = {"_shape": (2, 3), "indptr": np.array([0, 1, 3]), "indices": np.array([2, 0, 0]), "data": np.array([1.0, 2, 3])}
WRONG = {
    "negative": {"_shape": (-2, 3)},
    "no shape": {"_shape": None},
    "short ends": {"indptr": np.array([0, 3])},
    "falling ends": {"indptr": np.array([0, 4, 3])},
    "ends beyond": {"indptr": np.array([0, 1, 30])},
    "column beyond": {"indices": np.array([2, 0, 3])},
    "column before": {"indices": np.array([2, 0, -1])},
    "no data": {"data": None},
    "objects": {"data": np.array(["a", "b", "c"])},
}


def test_a_sparse_matrix_with_its_zeros() -> None:
    assert dense(Opaque("scipy.sparse._csr.csr_matrix", state=WHOLE)).tolist() == [[0, 0, 1], [5, 0, 0]]


@pytest.mark.parametrize("name", WRONG)
def test_a_sparse_matrix_that_lies(name: str) -> None:
    with pytest.raises(CheckpointDamaged, match="sparse"):
        dense(Opaque("scipy.sparse._csr.csr_matrix", state={**WHOLE, **WRONG[name]}))


def test_a_sparse_matrix_whose_zeros_would_fill_the_memory() -> None:
    large = {**WHOLE, "_shape": (1 << 20, 1 << 20)}
    with pytest.raises(UnsupportedCheckpoint, match="cells"):
        dense(Opaque("scipy.sparse._csr.csr_matrix", state=large))


def test_an_isotonic_line_ends_where_its_training_did(tmp_path: Path) -> None:
    """out_of_bounds="nan", which is the default: predict([-1, 0, 2.25, 100]) of the original."""
    model = qingzhou.convert(ORACLE / "refused" / "isotonic_outside.joblib", tmp_path / "model.onnx")
    found = [one.scores for one in model.predict(np.array([[-1], [0], [2.25], [100]], np.float32))]
    np.testing.assert_allclose(np.ravel(found), [np.nan, 0.39473684210526316, 0.71875, np.nan], rtol=1e-6)
