"""--min: a score that is asked for, and the exit status of one that is not reached."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.cli import main
from qingzhou.evaluate import Evaluation, Regression
from qingzhou.evaluate.result import Dataset
from qingzhou.present.evaluation import is_enough


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lenet")
    for name in "0123456789":
        (folder / "some" / name).mkdir(parents=True)
        for file in sorted((DIGITS / "test" / name).iterdir())[:4]:
            shutil.copy(file, folder / "some" / name)
    return qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", folder / "lenet.onnx").path


@pytest.mark.parametrize(("least", "status"), [("0.9", 0), ("0.975", 0), ("0", 0), ("0.9751", 1)])
def test_a_score_that_is_reached(lenet: Path, least: str, status: int) -> None:
    done = CliRunner().invoke(main, ["evaluate", str(lenet), str(lenet.parent / "some"), "--min", least, "--json"])
    found = json.loads(done.stdout)
    assert found["accuracy"] == 0.975 and done.exit_code == status, done.output


def test_a_score_that_is_not(lenet: Path, tmp_path: Path) -> None:
    data = shutil.copytree(lenet.parent / "some", tmp_path / "some")
    (data / "1").rename(data / "x")
    (data / "7").rename(data / "1")
    (data / "x").rename(data / "7")
    for lang, words in (("en", "top-1 is 0.7750, below the 0.97"), ("zh", "top-1 为 0.7750，低于要求的 0.97")):
        done = CliRunner().invoke(main, ["evaluate", str(lenet), str(data), "--min", "0.97", "--lang", lang])
        assert done.exit_code == 1 and words in done.output.replace("\n", " ")
    assert CliRunner().invoke(main, ["evaluate", str(lenet), str(data), "--min", "0.77"]).exit_code == 0
    assert CliRunner().invoke(main, ["evaluate", str(lenet), str(data), "--min", "97"]).exit_code == 2


def test_a_score_that_is_no_number_is_none_that_was_asked_for() -> None:
    data = Dataset(Path("x.csv"), "csv", "all", "cells", lambda: iter(()))
    assert not is_enough(Evaluation(None, data, "regression", Regression(3, 1.0, 1.0, None)), 0.0)
    assert is_enough(Evaluation(None, data, "regression", Regression(3, 1.0, 1.0, 0.5)), 0.5)
