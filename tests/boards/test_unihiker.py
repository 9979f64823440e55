"""What a conversion writes runs on a Unihiker as it is: Python 3.7, onnxruntime 1.13.1, aarch64 (emulated)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import qingzhou
from passengers import DIGITS, ORACLE, basenn, mmedu, photo, reference

pytestmark = pytest.mark.board
LAB = Path(__file__).with_name("boardlab.py")
CLOSE = 1e-3
Run = Callable[..., str]

# How the answers of the model in argv[2] look from the runtime in argv[1]: the self-test's, then those for a file.
ANSWERS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from qingzhou_runtime import load
model = load(sys.argv[2])
answers = {"python": list(sys.version_info[:2]), "check": float(model.check())}
if len(sys.argv) > 3:
    found = model.predict(sys.argv[3])
    found = found if isinstance(found, list) else [found]
    answers.update(labels=[one.label for one in found], scores=[one.scores.tolist() for one in found])
print(json.dumps(answers))
"""


# The errors of a damaged model in argv[2], of things that are no picture, and of a file that is no model.
MISTAKES = """
import sys
sys.path.insert(0, sys.argv[1])
from qingzhou_runtime import load
from qingzhou_runtime.errors import QingzhouError
model = load(sys.argv[2])
acts = (model.check,), (model.predict, b"text"), (model.predict, "cat.jpg"), (load, sys.argv[1] + "/model.py")
for act, *args in acts:
    try:
        print(act(*args))
    except QingzhouError as err:
        print(type(err).__name__)
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


def assert_same_scores(there: list[list[float]], here: list[list[float]] | np.ndarray) -> None:
    """Row by row, relative to the largest of the row: values need not be probabilities."""
    expected = np.asarray(here)
    np.testing.assert_allclose(there, expected, atol=CLOSE * max(1, np.abs(expected).max()), rtol=0)


@pytest.mark.parametrize("name", ["lenet_digits", "MobileNet", "basenn_digits", "img_rgb_nonsq"])
def test_pictures(name: str, board: Run, tmp_path: Path) -> None:
    model = qingzhou.convert(checkpoint(name, tmp_path), tmp_path / "模型.onnx")
    picture, program = photo_for(name, tmp_path), model.path.with_suffix(".py")
    assert_same_answer(board(program, picture), host(program, picture))
    assert_same_answer(board(program), host(program))
    there, here = (json.loads(run("-c", ANSWERS, tmp_path, model.path, picture)) for run in (board, host))
    assert there["python"] == [3, 7]
    assert max(there["check"], here["check"]) <= CLOSE
    assert there["labels"] == here["labels"]
    assert_same_scores(there["scores"], here["scores"])


@pytest.mark.parametrize("name", ["tab_iris", "tab_reg", "npz_conv1d", "npz_lstm_stack", "em_lstm"])
def test_tables_arrays_and_words(name: str, board: Run, tmp_path: Path) -> None:
    """Also beside the numbers that BaseNN itself gave; a text's logits are probabilities in the runtime."""
    model = qingzhou.convert(basenn(name), tmp_path / "model.onnx")
    program, data = model.path.with_suffix(".py"), data_for(name, model, tmp_path)
    for args in ([], [data]):
        words, numbers = parts(board(program, *args))
        expected_words, expected = parts(host(program, *args))
        assert words == expected_words
        assert numbers == pytest.approx(expected, abs=100 * CLOSE + 0.05, rel=CLOSE)
    there, here = (json.loads(run("-c", ANSWERS, tmp_path, model.path, data)) for run in (board, host))
    assert there["python"] == [3, 7]
    assert max(there["check"], here["check"]) <= CLOSE
    assert there["labels"] == here["labels"]
    assert_same_scores(there["scores"], here["scores"])
    assert_same_scores(there["scores"], as_probabilities(reference(name, "y"), model))


def data_for(name: str, model: qingzhou.Model, folder: Path) -> str:
    """The case's own input as what its program is called with: a table, a file of arrays, or a word."""
    x = reference(name)
    if model.card.input.kind == "tokens":
        return next(word for word, number in model.card.vocabulary.items() if number == x.item())
    if model.card.input.kind == "array":
        np.savez(folder / "rows.npz", data=x)
        return str(folder / "rows.npz")
    np.savetxt(folder / "rows.csv", x, "%.9g", ",")
    return str(folder / "rows.csv")


def as_probabilities(raw: np.ndarray, model: qingzhou.Model) -> np.ndarray:
    """What the runtime makes of a network's output."""
    if model.card.output.scores != "logits":
        return raw
    powers = np.exp(raw - raw.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def test_what_went_wrong_is_said_on_the_board_too(board: Run, tmp_path: Path) -> None:
    """A damaged model fails its self-test there, and a picture that is none is an ordinary error."""
    model = qingzhou.convert(DIGITS / "basenn.pth", tmp_path / "model.onnx")
    whole = model.path.read_bytes()
    place = whole.index(model.proto.graph.initializer[-2].raw_data[:64])
    model.path.write_bytes(whole[:place] + bytes(64) + whole[place + 64 :])
    said = board("-c", MISTAKES, tmp_path, model.path).split()
    assert said == ["SelfTestFailed", "ImageError", "FileMissing", "ModelError"]
