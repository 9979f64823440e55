"""scikit-learn trains every kind of estimator with another seed, and answers 10,000 rows as our models do."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import qingzhou
from environments import python_of
from qingzhou.errors import UnsupportedCheckpoint

HERE = Path(__file__).parent
pytestmark = pytest.mark.sklearn
TIES = ("knn_chebyshev",)  # equal largest differences: which row is the last of the nearest is chance there
SEED = os.environ.get("QINGZHOU_SEED", "20261201")


def names(*files: str) -> list[str]:
    """What the lists hold, without importing what needs scikit-learn."""
    found = []
    for file in files:
        for node in ast.parse((HERE / file).read_text("utf-8")).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
                found += [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
    return found


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    argv = [python_of("sklearn"), HERE / "make_models.py", folder, SEED]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0 and not done.stderr, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", names("estimators.py", "every.py", "boosters.py"))
def test_the_same_answers(name: str, trained: Path, tmp_path: Path) -> None:
    known = np.load(trained / f"{name}.npz")
    (file,) = (path for path in trained.glob(f"{name}.*") if path.suffix != ".npz")
    model = qingzhou.convert(file, tmp_path / "model.onnx")
    answers = model.predict(known["x"] if known["x"].dtype.kind == "f" else known["x"].tolist())
    scores = np.array([one.scores for one in answers], np.float64)
    if model.card.output.scores == "sigmoids":
        found = [sorted(one.index for one in answer.named or ()) for answer in answers]
        assert found == [np.flatnonzero(row).tolist() for row in known["predict"]]
        return
    if model.card.task != "classification":
        wanted = known["predict" if "predict" in known else "transform"]
        assert np.abs(scores.reshape(wanted.shape) - wanted).max() <= 1e-6 * np.abs(wanted).max()
        return
    labels = [one if isinstance(one, str) else str(int(one)) for one in known["predict"].ravel().tolist()]
    if name in TIES:
        differ = np.abs(scores - known["proba"]).max(axis=1) > 1e-6
        assert differ.mean() < 0.002
        return
    wrong = [i for i, one in enumerate(answers) if one.label != labels[i]]
    assert not wrong, f"{len(wrong)} labels differ, the first in row {wrong[0]}"
    if "proba" in known:
        np.testing.assert_allclose(scores, known["proba"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", names("refused.py"))
def test_refused_by_its_name(name: str, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedCheckpoint, match=name) as caught:
        qingzhou.convert(trained / f"{name}.joblib", tmp_path / "model.onnx")
    assert name in caught.value.zh and list(tmp_path.iterdir()) == []


def test_no_estimator_is_left_out() -> None:
    """Each that scikit-learn has is trained and compared, or refused."""
    argv = [python_of("sklearn"), HERE / "refused.py"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr[-2000:]
