"""export --precision int8: quantised with the data within the promise, then compiled; the accuracy counted again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import qingzhou
from dear import but_slow
from passengers import DIGITS, ORACLE, digits
from qingzhou.cli import main
from qingzhou.deploy import export_model
from qingzhou.errors import AccuracyLost, OptionError
from qingzhou.evaluate import evaluate

CHECKPOINT = ORACLE / "trained" / "lenet_digits.pth"
DATA = DIGITS / "test"
RIGHT = 488  # of 497, with FP32


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(CHECKPOINT, tmp_path_factory.mktemp("lenet")).path


@pytest.mark.parametrize(
    "engine", but_slow(["onnxruntime", "openvino", "ncnn"], ["ncnn", "openvino"])
)  # see test_ncnn_int8.py
def test_digits_are_right_as_often(engine: str, lenet: Path, tmp_path: Path) -> None:
    pytest.importorskip(engine)
    made = export_model(lenet, engine, tmp_path, "int8", DATA)
    assert made.precision == "int8" and made.difference is not None and made.difference.small
    assert any("397" in note for note in made.notes)  # what it cost, on how many inputs
    assert evaluate(made.path, DATA).result.right >= RIGHT - 2
    assert {path.suffix for path in tmp_path.iterdir()} == {path.suffix for path in made.files}  # no .onnx is left


def test_straight_from_the_checkpoint(tmp_path: Path) -> None:
    made = export_model(CHECKPOINT, "onnxruntime", tmp_path, "int8", DATA)
    assert (made.source, made.precision) == (CHECKPOINT, "int8")
    picture = next(path for path, digit in digits() if digit == "3")
    assert qingzhou.load(made.path).predict(picture).label == "3"


def test_a_model_that_is_int8_already_needs_no_data(lenet: Path, tmp_path: Path) -> None:
    small = qingzhou.quantize(lenet, DATA, tmp_path / "small.onnx", any_speed=True)
    made = export_model(small.path, "onnxruntime", tmp_path / "out", "int8")
    assert made.precision == "int8" and made.difference is not None and made.difference.small


def test_without_data(lenet: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--data FOLDER"):
        export_model(lenet, "onnxruntime", tmp_path, "int8")
    assert not list(tmp_path.iterdir())


def test_a_precision_that_there_is_not(lenet: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="fp32, fp16, int8"):
        export_model(lenet, "ncnn", tmp_path, "int4", DATA)


@pytest.mark.slow
def test_too_much_lost(lenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise that nothing can keep: that it gets better by a point."""
    from qingzhou.quant.result import Limits

    monkeypatch.setattr(Limits, "allow", lambda self, verdict: verdict.drop.drop <= -0.01)
    with pytest.raises(AccuracyLost, match="Nothing was written"):
        export_model(lenet, "onnxruntime", tmp_path, "int8", DATA)
    assert not list(tmp_path.iterdir())


def test_the_verb(lenet: Path, tmp_path: Path) -> None:
    words = [
        "export",
        lenet,
        "--engine",
        "onnxruntime",
        "--precision",
        "int8",
        "--data",
        DATA,
        "-o",
        tmp_path,
        "--json",
    ]
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["precision"] == "int8"
