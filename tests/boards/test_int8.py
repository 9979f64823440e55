"""INT8 on the boards is INT8 here: the same file gives the same answers on x86 and on three kinds of ARM processors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lab import BOARDS, LAB, LONGEST, up

from passengers import ORACLE, digits
from qingzhou.bundle.build import build
from qingzhou.onnxfile.facts import Facts
from qingzhou.runtime.engine.session import open_session
from qingzhou.runtime.predict import Predictor, load

pytestmark = pytest.mark.board
PICTURES = [path for path, _ in digits()][::25]  # 20 of them
STEP = 1 / 256  # of a score that was rounded to 8 bits
ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
from qingzhou_runtime import load
model = load(sys.argv[2])
print(json.dumps([model.predict(path).scores.tolist() for path in sys.argv[3:]]))
"""


def on_board(board: str, folder: Path, model: Path) -> np.ndarray:
    """Scores of every picture, a row each."""
    command = [sys.executable, LAB, "run", board, "--env", "QINGZHOU_SIM=1", "--", "-c", ASK, folder, model, *PICTURES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.asarray(json.loads(done.stdout.splitlines()[-1]))


def here(model: Path) -> np.ndarray:
    """The same on this machine; QDQ one operator at a time, since x86 without VNNI overflows otherwise."""
    plain = model.suffix == ".onnx" and Facts(model).quantized
    asked = Predictor(model, session=open_session(model, once=True)) if plain else load(model)
    return np.asarray([asked.predict(path).scores for path in PICTURES])


CASES = [("lenet_digits", board, engine) for board in BOARDS for engine in ("onnxruntime", "ncnn")]
CASES.remove(("lenet_digits", "pi4-32", "onnxruntime"))  # only the newest 32-bit system has it


@pytest.mark.parametrize(("name", "board", "engine"), [*CASES, ("mobilenet_digits", "unihiker", "onnxruntime")])
def test_the_same_answers(name: str, board: str, engine: str, tmp_path: Path) -> None:
    up(board)
    made = build(
        ORACLE / f"trained/{name}.pth",
        board,
        engine=engine,
        precision="int8",
        out=tmp_path / "b",
        data=ORACLE / "digits/test",
    )
    model = made.path / ("model.ncnn.param" if engine == "ncnn" else "model.onnx")
    there, expected = on_board(board, made.path, model), here(model)
    assert (there.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.abs(there - expected).max() <= 2 * STEP
