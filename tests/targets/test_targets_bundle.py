"""A bundle for a board with an NPU: made by a compiler that does not exist, run with a library that pretends one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_chips import CHIPS, put

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.bundle.build import build
from qingzhou.bundle.order import Bundle
from qingzhou.cli import main
from qingzhou.errors import BundleError, EngineError, ExtraMissing, FileMissing, OptionError
from qingzhou.runtime import load
from qingzhou.targets import TARGETS

LENET, DATA, HERE = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test", Path(__file__).parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    folder = tmp_path_factory.mktemp("npu")
    with pytest.MonkeyPatch.context() as monkeypatch:
        pretend(monkeypatch, folder)
        yield build(LENET, "香橙派5", "basic", data=DATA, out=folder / "包", lang="zh")


def pretend(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Rockchip's compiler is the fake one."""
    target = put(monkeypatch, folder, name="rknn", chips=(*CHIPS, "rk3588", "rk3566"), ending=".{chip}.rknn")
    monkeypatch.setitem(TARGETS, "rknn", target)
    monkeypatch.setenv("QINGZHOU_TARGET_RKNN", sys.executable)


@pytest.fixture
def board(made: Bundle, tmp_path: Path) -> dict[str, str]:
    """The environment of programs there."""
    model = qingzhou.convert(LENET, tmp_path / "bytes.onnx", input_type="uint8").path
    path = os.pathsep.join([str(HERE / "board"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "PRETENDED": str(model), "CORES": "7", "QINGZHOU_LANG": "en"}


def run(folder: Path, *words: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, encoding="utf-8", check=False
    )
    return done.stdout + done.stderr


def test_what_is_in_it(made: Bundle) -> None:
    assert (made.form.engine, made.form.precision, made.form.accuracy) == ("rknn", "int8", 1.0)
    assert [path.name for path in made.form.files] == ["model.rk3588.rknn", "model.rk3588.rknn.json"]
    facts = json.loads((made.path / "bundle.json").read_text("utf-8"))
    assert facts["model_files"] == ["model.rk3588.rknn", "model.rk3588.rknn.json"]
    assert facts["requirements"]["3.11"][-1] == "rknn-toolkit-lite2==2.5.0"
    assert 'MODEL = "model.rk3588.rknn"' in (made.path / "main.py").read_text("utf-8")
    assert "qingzhou_runtime/engine/rknn.py" in made.files and "qingzhou_runtime/model/steps.py" in made.files
    assert any("not on a board" in note or "没有在板子上" in note for note in made.notes)
    assert any("33.46" in note for note in made.notes)  # what was assumed is the model's, not its chip's


def test_its_programs_run(made: Bundle, board: dict[str, str], tmp_path: Path) -> None:
    """As on the board: the self-test, the program on the sample, the measurement, and the table of a class."""
    folder = shutil.copytree(made.path, tmp_path / "there")
    told = run(folder, "selftest.py", env=board)
    assert told.count("OK") == 3 and "FAIL" not in told, told
    answer = json.loads((folder / "bundle.json").read_text("utf-8"))["sample"]["answer"]
    assert answer[0][0] in run(folder, "main.py", "sample.png", env=board)
    run(folder, "bench.py", "0.2", env=board)
    shown = CliRunner().invoke(main, ["report", str(folder / "report.json"), "--lang", "en"])
    assert shown.exit_code == 0 and "rknn" in shown.output and "int8" in shown.output.lower(), shown.output


def test_an_npu_that_refuses_is_said_with_chip_and_version(made: Bundle, board: dict[str, str]) -> None:
    told = run(made.path, "main.py", "sample.png", env={**board, "FAILS": "1"})
    assert "Traceback" not in told and "for rk3588 alone" in told and "librknnrt.so of version" in told


def test_without_the_library_its_line_is_named(made: Bundle, board: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text((HERE / "board/sitecustomize.py").read_text())
    told = run(made.path, "main.py", "sample.png", env={**board, "PYTHONPATH": str(tmp_path)})
    assert "RKNNLite is not installed here" in told and "sh install.sh" in told


def test_the_card_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "m.rknn").write_bytes(b"x")
    with pytest.raises(FileMissing, match=r"m\.rknn\.json"):
        load(tmp_path / "m.rknn")


def test_one_chip_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path)
    made = build(LENET, "orangepi3b", data=DATA, out=tmp_path / "b")
    assert made.form.files[0].name == "model.rk3566.rknn"


def test_without_data_or_compiler_the_processor_runs_it_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, tmp_path)
    assert build(LENET, "orangepi5", out=tmp_path / "a").form.engine == "ncnn"
    with pytest.raises(OptionError, match="INT8 needs data"):
        build(LENET, "orangepi5", out=tmp_path / "b", engine="rknn")
    monkeypatch.delenv("QINGZHOU_TARGET_RKNN")
    other = build(LENET, "orangepi5", out=tmp_path / "c", data=DATA, lang="en")
    assert other.form.engine == "ncnn"
    assert any("rknn int8 was not taken" in note or "没有采用 rknn int8" in note for note in other.notes)
    with pytest.raises(ExtraMissing, match="qingzhou targets install rknn"):
        build(LENET, "orangepi5", out=tmp_path / "d", data=DATA, engine="rknn")
    assert not (tmp_path / "d").exists()


def test_a_layer_that_the_npu_has_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, tmp_path)
    monkeypatch.setattr("qingzhou.targets.target.Target.chip", lambda self, name: "layer")
    with pytest.raises(EngineError, match="GridSample"):
        build(LENET, "orangepi5", out=tmp_path / "a", data=DATA, engine="rknn")
    assert not (tmp_path / "a").exists()
    with pytest.raises((BundleError, OptionError)):
        build(LENET, "pi5", out=tmp_path / "a", data=DATA, engine="rknn")
