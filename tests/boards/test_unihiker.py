"""What a conversion writes runs on a Unihiker as it is: Python 3.7, onnxruntime 1.13.1, aarch64 (emulated)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import qingzhou
from passengers import DIGITS, ORACLE, basenn, mmedu, photo, reference

pytestmark = pytest.mark.board
LAB = Path(__file__).with_name("boardlab.py")
CLOSE = 1e-3
Run = Callable[..., str]

# How the answers of the model in argv[2] look from the runtime in argv[1]: of the self-test, and for a picture.
ANSWERS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from qingzhou_runtime import load
model = load(sys.argv[2])
answers = {"python": list(sys.version_info[:2]), "check": float(model.check())}
if len(sys.argv) > 3:
    found = model.predict(sys.argv[3])
    answers.update(label=found.label, scores=[float(score) for score in found.scores])
print(json.dumps(answers))
"""


def execute(*argv: str | Path) -> str:
    """The standard output of a command that must succeed."""
    done = subprocess.run(argv, capture_output=True, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-3000:]
    return done.stdout.decode("utf-8")


@pytest.fixture(scope="session")
def board() -> Run:
    """Runs Python on the emulated board, which is built first if it is not there."""
    execute(sys.executable, LAB, "up", "unihiker")
    return lambda *args: execute(sys.executable, LAB, "run", "unihiker", "--", *args)


def host(*args: str | Path) -> str:
    """Runs Python here."""
    return execute(sys.executable, *args)


def parts(text: str) -> tuple[list[str], list[float]]:
    """What a program printed, as words and numbers."""
    return re.sub(r"-?\d+\.\d+", "#", text).split(), [float(n) for n in re.findall(r"-?\d+\.\d+", text)]


def assert_same_answer(there: str, here: str) -> None:
    """The first line holds the answer and its confidence in percent, rounded to a tenth."""
    words, numbers = parts(there.splitlines()[0])
    expected_words, expected = parts(here.splitlines()[0])
    assert words == expected_words
    assert numbers == pytest.approx(expected, abs=100 * CLOSE + 0.05)


def photo_for(name: str, folder: Path) -> Path:
    """A picture that the model may be asked about."""
    return DIGITS / "test/3/1004.png" if "digits" in name else photo(folder / "photo.png")


def checkpoint(name: str, folder: Path) -> Path:
    """The file of a case."""
    known = {"lenet_digits": ORACLE / "trained/lenet_digits.pth", "basenn_digits": DIGITS / "basenn.pth"}
    return known.get(name) or (mmedu(name, folder) if name[0].isupper() else basenn(name))


@pytest.mark.parametrize("name", ["lenet_digits", "MobileNet", "basenn_digits", "img_rgb_nonsq"])
def test_pictures(name: str, board: Run, tmp_path: Path) -> None:
    model = qingzhou.convert(checkpoint(name, tmp_path), tmp_path / "模型.onnx")
    picture, program = photo_for(name, tmp_path), model.path.with_suffix(".py")
    assert_same_answer(board(program, picture), host(program, picture))
    assert_same_answer(board(program), host(program))
    there, here = (json.loads(run("-c", ANSWERS, tmp_path, model.path, picture)) for run in (board, host))
    assert there["python"] == [3, 7]
    assert max(there["check"], here["check"]) <= CLOSE
    assert there["label"] == here["label"]
    assert there["scores"] == pytest.approx(here["scores"], abs=CLOSE)


@pytest.mark.parametrize("name", ["tab_iris", "tab_reg", "npz_conv1d", "npz_lstm_stack", "em_lstm"])
def test_tables_arrays_and_words(name: str, board: Run, tmp_path: Path) -> None:
    model = qingzhou.convert(basenn(name), tmp_path / "model.onnx")
    program = model.path.with_suffix(".py")
    for args in arguments(name, model, tmp_path):
        words, numbers = parts(board(program, *args))
        expected_words, expected = parts(host(program, *args))
        assert words == expected_words
        assert numbers == pytest.approx(expected, abs=2 * CLOSE, rel=CLOSE)
    there: dict[str, Any] = json.loads(board("-c", ANSWERS, tmp_path, model.path))
    assert there["check"] <= CLOSE


def arguments(name: str, model: qingzhou.Model, folder: Path) -> list[list[str]]:
    """What the program of a case is called with: nothing, then a row, a file or a word."""
    if name.startswith("tab"):
        return [[], [str(n) for n in reference(name)[0]]]
    if name.startswith("npz"):
        np.savez(folder / "rows.npz", data=reference(name))
        return [[], [str(folder / "rows.npz")]]
    return [[], [next(iter(model.card.vocabulary))]]
