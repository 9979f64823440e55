"""numpy as an engine: classical models answer as the originals, with nothing but numpy there (tests/oracle/sklearn)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from passengers import basenn
from programs import environment
from qingzhou.deploy.export import export_model
from qingzhou.engines import compile_for
from qingzhou.errors import EngineError
from qingzhou.runtime import load
from qingzhou.sources.sklearn import trees

ORACLE = Path(__file__).parents[1] / "oracle" / "sklearn"
CASES: dict[str, dict[str, Any]] = json.loads((ORACLE / "manifest.json").read_text("utf-8"))
FILES = {name: ORACLE / case["file"] for name, case in CASES.items() if case["expect"] == "answers"}
FILES |= {path.stem: path for path in (ORACLE / "more").iterdir() if path.suffix != ".npz"}


def known_of(name: str) -> tuple[Any, Any, str]:
    """Rows as predict() takes them, what the original says, and the ending of its answers for float32."""
    known = np.load(FILES[name].with_suffix(".npz"))
    if "columns" in CASES.get(name, {}):
        return {title: known[f"c{i}"].tolist() for i, title in enumerate(CASES[name]["columns"])}, known, ""
    rows = known["x"] if known["x"].dtype.kind == "f" else known["x"].tolist()
    return rows, known, "_f32" if name in CASES else ""


def compare(model: Any, name: str) -> None:
    """No label differs; numbers by a millionth."""
    rows, known, ending = known_of(name)
    found = model.predict(rows)
    scores = np.array([one.scores for one in found])
    if model.card.task == "classification":
        wanted = [one if isinstance(one, str) else str(int(one)) for one in known["predict" + ending].ravel().tolist()]
        assert [one.label for one in found] == wanted
        if "proba" + ending in known:
            np.testing.assert_allclose(scores, known["proba" + ending], rtol=0, atol=1e-6)
        return
    key = "predict" if model.card.task == "regression" or name not in CASES else "transform"
    wanted = known[key + ending]
    assert np.abs(scores.reshape(wanted.shape) - wanted).max() <= 1e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("name", sorted(FILES))
def test_answers_as_the_original(name: str, tmp_path: Path) -> None:
    made = export_model(FILES[name], "numpy", tmp_path / "m.numpy.npz")
    assert made.difference is not None and made.difference.small
    model = load(made.path)
    assert model.check() < 1e-4
    compare(model, name)


@pytest.mark.parametrize("name", ["extra_trees_mid", "forest_regressor", "xgb_multi_unbalanced"])
def test_large_ensembles(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that onnxruntime has an operator of its own for."""
    monkeypatch.setattr(trees, "LARGE", 1)
    monkeypatch.setattr(trees, "PIECE", 100)
    source = qingzhou.convert(FILES[name], tmp_path / "m.onnx").path
    assert b"TreeEnsembleRegressor" in source.read_bytes()
    compare(load(compile_for("numpy", source).path), name)
