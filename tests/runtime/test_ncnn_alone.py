"""A model for ncnn needs ncnn, numpy and Pillow, nothing else: many boards have no onnxruntime."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.engines import compile_for
from qingzhou.scenes import copy_runtime

pytest.importorskip("ncnn", reason="an extra")
# Nothing but the standard library, what the board has, and the copy of the runtime can be imported.
BARE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {refused!r}:
            raise ImportError("not on this board: " + name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, {folder!r})
"""
ASK = """
from qingzhou_runtime import load
model = load(sys.argv[1])
print(model.predict(sys.argv[2]).label, model.check() <= 1e-3, "onnxruntime" in sys.modules)
"""


def bare(folder: Path, code: str, *args: object, refused: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Runs code with the runtime in the folder, where some packages cannot be imported."""
    start = BARE.format(refused=refused, folder=str(folder))
    command = [sys.executable, "-c", start + code, *map(str, args)]
    env = {**os.environ, "PYTHONUTF8": "1", "QINGZHOU_LANG": "en"}
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env, cwd=folder)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A network of digits for ncnn, with the runtime beside it."""
    converted = qingzhou.convert(ORACLE / "trained/lenet_digits.pth", tmp_path / "模型.onnx")
    made = compile_for("ncnn", converted.path).path
    copy_runtime(tmp_path / "qingzhou_runtime")
    return made


def test_it_is_asked_without_onnxruntime(model: Path) -> None:
    done = bare(model.parent, ASK, model, DIGITS / "test/3/1004.png", refused=("onnxruntime", "onnx", "qingzhou"))
    assert done.stdout.split() == ["3", "True", "False"], done.stderr


def test_the_self_test_of_the_runtime_knows_it(model: Path) -> None:
    code = "import runpy\nsys.argv = ['', *sys.argv[1:]]\nrunpy.run_module('qingzhou_runtime', run_name='__main__')"
    done = bare(model.parent, code, model, refused=("onnxruntime", "qingzhou"))
    assert done.stdout.startswith("OK "), done.stdout + done.stderr
    weights = model.with_suffix(".bin")
    damaged = bytearray(weights.read_bytes())
    damaged[400:440] = np.full(10, 3, "<f4").tobytes()
    weights.write_bytes(damaged)
    done = bare(model.parent, code, model, refused=("onnxruntime", "qingzhou"))
    assert done.returncode == 1 and done.stdout.startswith("FAIL "), done.stdout + done.stderr


@pytest.mark.parametrize("script", [True, False])
def test_without_ncnn_the_line_that_installs_it_is_named(model: Path, script: bool) -> None:
    """In a bundle that is its own script, which knows the version that the board can have."""
    if script:
        (model.parent / "bundle.json").write_text('{"requirements": ["numpy==1.21.6", "ncnn==1.0.20250503"]}')
        (model.parent / ("install.bat" if os.name == "nt" else "install.sh")).write_text("")
    code = "from qingzhou_runtime import load\ntry:\n    load(sys.argv[1])\nexcept Exception as err:\n    print(err)"
    said = bare(model.parent, code, model, refused=("ncnn",)).stdout
    assert "ncnn is not installed here" in said and ("install." if script else "pip install ncnn") in said
