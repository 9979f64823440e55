"""scikit-learn trains every kind of estimator with another seed, and answers 10,000 rows as our models do."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from compare import difference, train

import qingzhou
from environments import python_of
from qingzhou.errors import UnsupportedCheckpoint

HERE = Path(__file__).parent
pytestmark = pytest.mark.sklearn


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
    said = train(python_of("sklearn"), folder)
    assert not said, said[-3000:]
    return folder


@pytest.mark.parametrize("name", names("estimators.py", "every.py", "boosters.py"))
def test_the_same_answers(name: str, trained: Path, tmp_path: Path) -> None:
    assert not difference(trained, name, tmp_path / "model.onnx")


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
