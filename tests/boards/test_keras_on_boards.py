"""Digits that Keras trained, as bundles on an emulated Unihiker: in each format the answers that Python gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lab import shell, up
from test_int8 import PICTURES, STEP, here, on_board

import qingzhou
from passengers import ORACLE
from qingzhou.bundle.build import build

pytestmark = pytest.mark.board
FORMATS = {  # and how far answers may differ
    "keras/digits_trained/model.keras": 1e-5,
    "keras/digits_trained/tfjs/model.json": 1e-5,
    "tflite/digits_int8.tflite": 2 * STEP,
}


@pytest.mark.parametrize("source", FORMATS)
def test_digits(source: str, tmp_path: Path) -> None:
    up("unihiker")
    made = build(ORACLE / source, "unihiker", out=tmp_path / "bundle", lang="zh")
    run = shell("unihiker", tmp_path / "bin")
    assert "通过" in run.ok("python3 selftest.py", made.path)
    assert run.ok(f"python3 main.py '{PICTURES[2]}'", made.path).startswith(f"结果：{PICTURES[2].parent.name} ")
    model = next(path for path in made.path.iterdir() if path.name.startswith("model.") and path.suffix != ".bin")
    own = qingzhou.convert(ORACLE / source, tmp_path / "own.onnx", check=False).path
    there, expected = on_board("unihiker", made.path, model), here(own)
    assert (there.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert (expected.argmax(axis=1) == [int(path.parent.name) for path in PICTURES]).sum() >= len(PICTURES) - 1
    assert np.abs(there - expected).max() <= FORMATS[source]
