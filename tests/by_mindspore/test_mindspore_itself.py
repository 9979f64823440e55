"""MindSpore itself writes new files, with other numbers each time, and the result answers as it does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))
from mindspore_cases import names
from test_mindspore import answers, compare

from environments import python_of
from qingzhou.sources.read import read_network

HERE = Path(__file__).parent
pytestmark = pytest.mark.mindspore


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case, by a seed of its own."""
    folder, seed = tmp_path_factory.mktemp("models"), int(np.random.default_rng().integers(1 << 30))
    argv = [python_of("mindspore"), HERE / "make_models.py", folder, str(seed)]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=1500)
    assert done.returncode == 0, f"seed {seed}: {done.stderr[-3000:]}"
    return folder


@pytest.mark.parametrize("name", names())
def test_new_files(name: str, models: Path, tmp_path: Path) -> None:
    numbers = dict(np.load(models / f"{name}.npz"))
    xs = [numbers[key] for key in sorted(numbers) if key[0] == "x"]
    network = read_network(models / f"{name}.mindir")
    for opset in (13, 17):
        compare(answers(network, tmp_path / "x.onnx", opset, xs), numbers, 2e-5)
