"""TensorFlow converts its SavedModels in the confined process, and the result answers as it does."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from environments import python_of

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / "tests/oracle/saved_models"
pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python with TensorFlow."""
    return python_of("tensorflow")


def run(python: Path, folder: Path, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "QINGZHOU_LANG": "en", "PYTHONUTF8": "1"}
    return subprocess.run([python, *argv], cwd=folder, env=env, capture_output=True, text=True, timeout=600)


def convert(python: Path, source: Path, folder: Path) -> dict[str, Any]:
    done = run(python, folder, "-m", "qingzhou", "convert", source, "-o", folder / "out.onnx", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def check(path: Path, reference: Path) -> None:
    """Every output of the model, by Keras' own order."""
    numbers, session = np.load(reference), ort.InferenceSession(path)
    entry, x = session.get_inputs()[0], numbers["x0"]
    x = x.transpose(0, 3, 1, 2) if x.ndim == 4 else x
    for i, found in enumerate(session.run(None, {entry.name: x})):
        wanted = numbers[f"y{i}"]
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["frozen.pb", "saved_model.zip", "saved_model"])
def test_the_oracle(name: str, python: Path, tmp_path: Path) -> None:
    source = ORACLE / name
    if name == "saved_model":
        source = tmp_path / name
        with zipfile.ZipFile(ORACLE / "saved_model.zip") as packed:
            packed.extractall(source)
    before = {path: path.read_bytes() for path in [source, *source.rglob("*")] if path.is_file()}
    made = convert(python, source, tmp_path)
    check(tmp_path / "out.onnx", ORACLE / f"{name.partition('.')[0]}.npz")
    assert any("TensorFlow ran this file's program" in str(note) for note in made["results"][0]["notes"])
    assert before == {path: path.read_bytes() for path in before}


@pytest.fixture(scope="session")
def models(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels with other numbers each time."""
    folder = tmp_path_factory.mktemp("models")
    done = run(python, folder, Path(__file__).with_name("make_models.py"), folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", ["two_outputs", "lstm"])
def test_other_models(name: str, models: Path, python: Path, tmp_path: Path) -> None:
    convert(python, models / name, tmp_path)
    check(tmp_path / "out.onnx", models / f"{name}.npz")


@pytest.mark.parametrize("name", ["exact_gelu", "sparse_transpose"])
def test_what_the_tool_gets_wrong_is_never_written(name: str, models: Path, python: Path, tmp_path: Path) -> None:
    """Or it is right: tf2onnx may have learned it."""
    done = run(python, tmp_path, "-m", "qingzhou", "convert", models / name, "-o", tmp_path / "out.onnx")
    if done.returncode == 0:
        check(tmp_path / "out.onnx", models / f"{name}.npz")
    else:
        assert "nothing was written" in done.stderr and not list(tmp_path.iterdir()), done.stderr


def test_the_process_is_confined(python: Path, models: Path, tmp_path: Path) -> None:
    """What Linux can take away is away before the file is opened."""
    code = (
        "import sys, shutil; from pathlib import Path; from qingzhou.sources.tensorflow.isolated import ask\n"
        "folder = Path(sys.argv[1]); shutil.copytree(sys.argv[2], folder / 'saved')\n"
        "print(sorted(ask({'frozen': False, 'tag': 'serve', 'signature': 'serving_default'}, folder)['held']))"
    )
    done = run(python, tmp_path, "-c", code, tmp_path, models / "two_outputs")
    assert done.returncode == 0, done.stderr
    for held in ("cpu", "memory", "file size", "sockets", "programs", "hook"):
        assert held in done.stdout


@pytest.fixture(scope="session")
def weights(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights alone, with other numbers each time."""
    folder = tmp_path_factory.mktemp("weights")
    done = run(python, folder, Path(__file__).with_name("make_weights.py"), folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2", "MobileNetV3Small", "DenseNet121"])
def test_weights_alone_of_both_ages(name: str, weights: Path, python: Path, tmp_path: Path) -> None:
    for file, reference in ((f"{name}-{age}.weights.h5", f"{name}-{age}.npz") for age in (2, 3)):
        compare(python, weights / file, weights / reference, tmp_path)
    compare(python, weights / f"{name}-old.h5", weights / f"{name}-2.npz", tmp_path)


# What tests/oracle/saved_models has no numbers of: the same pages in other sizes
SIZES = [f"EfficientNetB{n}" for n in range(1, 8)] + [
    "ResNet101", "ResNet152", "ResNet101V2", "ResNet152V2", "VGG19", "DenseNet169", "DenseNet201",
]  # fmt: skip


@pytest.mark.parametrize("name", SIZES)
def test_the_other_sizes(name: str, python: Path, tmp_path: Path) -> None:
    made = run(python, tmp_path, Path(__file__).with_name("make_weights.py"), tmp_path, name)
    assert made.returncode == 0, made.stderr[-3000:]
    compare(python, tmp_path / f"{name}.weights.h5", tmp_path / f"{name}.npz", tmp_path, 32)
    compare(python, tmp_path / f"{name}.keras", tmp_path / f"{name}.npz", tmp_path, 0)


def compare(python: Path, file: Path, reference: Path, folder: Path, side: int = 64) -> None:
    size = ["--input-size", f"{side},{side}"] if side else []
    done = run(python, folder, "-m", "qingzhou", "convert", file, "-o", folder / "w.onnx", *size)
    assert done.returncode == 0, done.stdout + done.stderr
    check(folder / "w.onnx", reference)
