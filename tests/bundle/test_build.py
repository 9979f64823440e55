"""Bundles: what is in them, which form a device gets, and that it runs."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto
from PIL import Image

import qingzhou
from passengers import DIGITS, ORACLE, basenn
from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.cli_boards import _constants
from qingzhou.devices import Device, all_devices
from qingzhou.errors import EngineError, NothingToJudge, OptionError, use_language
from qingzhou.quant import quantize
from qingzhou.quant.signed import signed
from qingzhou.quant.timing import Timing
from qingzhou.runtime.engine.session import open_session

LENET = ORACLE / "trained/lenet_digits.pth"
PARTS = {
    "README.md",
    "bench.py",
    "bundle.json",
    "install.sh",
    "labels.txt",
    "main.py",
    "readme/result.png",
    "requirements.txt",
    "sample.png",
    "selftest.py",
}


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A program of a bundle, by this Python."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", **env},
    )


def test_what_is_in_it(tmp_path: Path) -> None:
    made = build(LENET, "unihiker", "camera", actions=["speak"], engine="onnxruntime", out=tmp_path / "包", lang="zh")
    assert {name for name in made.files if not name.startswith("qingzhou_runtime/")} == PARTS | {"model.onnx"}
    facts = json.loads((made.path / "bundle.json").read_text("utf-8"))
    assert facts["files"].keys() | {"bundle.json"} == set(made.files)
    for name, digest in facts["files"].items():
        assert hashlib.sha256((made.path / name).read_bytes()).hexdigest() == digest
    assert facts["requirements"] == {"3.7": ["numpy==1.21.6", "Pillow==9.5.0", "onnxruntime==1.13.1"]}
    assert (facts["device"], facts["machine"], facts["engine"]) == ("unihiker", "aarch64", "onnxruntime")
    program = (made.path / "main.py").read_text("utf-8")
    assert 'MODEL = "model.onnx"' in program and "ROTATE = 90" in program and "FULL_SCREEN = True" in program
    assert all(rule in program for rule in made.rules) and "说(类别)" in made.rules[0]
    assert (made.path / "labels.txt").read_text().split() == [str(n) for n in range(10)]
    assert made.size == sum((made.path / name).stat().st_size for name in made.files)
    with Image.open(made.path / "readme/result.png") as picture:
        assert min(picture.size) >= 100
    assert os.access(made.path / "install.sh", os.X_OK)


def test_it_runs_here_when_it_is_for_a_computer(tmp_path: Path) -> None:
    """The commands of its README; its packages are here already, whatever their version."""
    made = build(LENET, "pc", out=tmp_path / "b", lang="en", engine="onnxruntime", data=DIGITS / "test")
    tested = run(made.path, "selftest.py")
    assert tested.returncode == 0 and tested.stdout.count("OK") == 3, tested.stdout + tested.stderr
    said = run(made.path, "main.py", "sample.png").stdout.splitlines()[0]
    assert said.split()[1] == made.answer.split()[0]
    assert run(made.path, "bench.py", "0.2").returncode == 0
    report = json.loads((made.path / "report.json").read_text("utf-8"))
    (row,) = report["rows"]
    assert (report["format"], report["version"], report["source"]) == ("qingzhou.report", 1, "measured")
    assert row["fps"] > 0 and row["latency_ms_p50"] <= row["latency_ms_p95"] and row["memory_mb"] > 20
    assert row["size_bytes"] == (made.path / "model.onnx").stat().st_size and row["device"] == "pc"
    assert set(row) == {
        "model", "network", "device", "engine", "precision", "size_bytes", "accuracy", "latency_ms_p50",
        "latency_ms_p95", "fps", "load_s", "memory_mb", "temperature_c", "throttled", "how", "date", "note",
    }  # fmt: skip


def test_a_board_that_asks_another_gets_no_model(tmp_path: Path) -> None:
    """Nor an engine; and its own may be too slow for the model, or unable to run it."""
    made = build(LENET, "unihiker", "ask", actions=["print"], out=tmp_path / "ask", lang="en")
    names = {name for name in made.files if not name.startswith("qingzhou_runtime/")}
    assert names == PARTS - {"bench.py"} and made.size < 1e6
    facts = json.loads((made.path / "bundle.json").read_text("utf-8"))
    assert (facts["model"], facts["model_files"], facts["engine"]) == ("", [], "")
    assert facts["requirements"] == {"3.7": ["numpy==1.21.6", "Pillow==9.5.0"]}
    told = (made.path / "README.md").read_text("utf-8")
    assert "bench.py" not in told and "--scene api" in told and "on the other machine" in told
    here = build(LENET, "pc", "ask", out=tmp_path / "pc", lang="en")
    tested = run(here.path, "selftest.py")
    assert tested.returncode == 0 and tested.stdout.split() == ["OK", "the", "program", "main.py"]


def test_a_board_that_asks_another_chooses_no_engine(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="another machine runs the model"):
        build(LENET, "unihiker", "ask", engine="ncnn", out=tmp_path / "ask")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("scene", ["listen", "ask", "sensor", "api"])
def test_the_browser_has_no_such_scene(scene: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="basic or camera"):
        build(LENET, "browser", scene, out=tmp_path / "page")


@pytest.mark.parametrize("device", [one for one in all_devices() if not one.programs], ids=lambda device: device.name)
def test_a_table_goes_to_every_device(device: Device, tmp_path: Path) -> None:
    """Also to one with a small screen, whose camera would be asked for small pictures."""
    basic = {"browser": ("basic", "index.html"), "android": ("basic", "README.md")}
    scene, main = basic.get(device.name, ("sensor", "main.py"))
    made = build(basenn("tab_iris"), device.name, scene, out=tmp_path / "b", lang="en")
    assert (made.path / main).is_file()


@pytest.mark.parametrize("name", ["tab_iris", "npz_conv1d", "em_lstm", "tab_reg"])
def test_models_of_other_things(name: str, tmp_path: Path) -> None:
    made = build(basenn(name), "pc", out=tmp_path / "b", lang="en", engine="onnxruntime")
    tested = run(made.path, "selftest.py")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    words = re.findall(r"python3 (main.py.*)", (made.path / "README.md").read_text("utf-8"))[0].split()
    said = run(made.path, *words)
    assert len(words) == 2 and said.returncode == 0, said.stderr


def test_a_detector(tmp_path: Path) -> None:
    made = build(
        ORACLE / "trained_ssd/checkpoint.pth",
        "pi5",
        out=tmp_path / "b",
        lang="en",
        data=ORACLE / "trained_ssd/pictures",
        precision="fp32",
    )
    assert made.form.engine == "ncnn" and made.form.card.output.scores == "raw"
    tested = run(made.path, "selftest.py", QINGZHOU_SIM="1")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert made.answer != "nothing found"


def clock(monkeypatch: pytest.MonkeyPatch, ratio: float) -> None:
    """INT8 is so many times as fast on this computer."""
    timing = Timing(1.0, 1 / ratio, ratio, ratio - 0.05, ratio + 0.05)
    monkeypatch.setattr("qingzhou.quant.pipeline.compare", lambda before, after: timing)


def test_int8_that_is_slower_on_a_computer_is_not_handed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless it was asked for; then its speed is said. The estimate is that of what was measured."""
    clock(monkeypatch, 0.42)
    made = build(LENET, "pc", out=tmp_path / "a", data=DIGITS / "test", lang="en")
    assert (made.form.engine, made.form.precision, made.form.accuracy) == ("onnxruntime", "fp32", None)
    assert any("int8 was not taken: INT8 is not faster on this computer (0.42 times" in note for note in made.notes)
    asked = build(LENET, "pc", out=tmp_path / "b", data=DIGITS / "test", lang="en", precision="int8")
    assert (asked.form.precision, asked.form.gain) == ("int8", 0.42)
    assert any("runs 0.42 times as fast here" in note for note in asked.notes)
    assert asked.estimate.fps == pytest.approx(0.42 * made.estimate.fps)


@pytest.mark.parametrize(("pictures", "why"), [(9, "answers everything the same"), (1, "at least 2 are needed")])
def test_data_that_show_nothing_of_int8_make_fp32(tmp_path: Path, pictures: int, why: str) -> None:
    """They may be meant for the sample and the simulator; INT8 that was asked for is an error."""
    (tmp_path / "data/3").mkdir(parents=True)
    for picture in sorted((DIGITS / "test/3").iterdir())[:pictures]:
        shutil.copy(picture, tmp_path / "data/3")
    made = build(LENET, "pc", out=tmp_path / "b", data=tmp_path / "data", lang="en")
    assert made.form.precision == "fp32"
    assert any("int8 was not taken" in note and why in note for note in made.notes)
    with pytest.raises(NothingToJudge, match=why):
        build(LENET, "pc", out=tmp_path / "c", data=tmp_path / "data", lang="en", precision="int8")


@pytest.mark.slow
def test_the_page_decides_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from qingzhou.web.task import Teller, _bundle, _quantized

    model = qingzhou.convert(LENET, tmp_path / "m.onnx").path
    for device, ratio, written in (
        (None, 0.42, False),
        ("pc", 0.42, False),
        ("pc", 1.8, True),
        ("unihiker", 0.42, True),
    ):
        clock(monkeypatch, ratio)
        options = {"precision": "int8", "max_drop": 0.5, "device": device, "scene": "", "actions": [], "lang": "en"}
        out = tmp_path / f"{device}-{ratio}"
        out.mkdir()
        found, told = _quantized(model, options, DIGITS / "test", out, Teller(io.BytesIO()))
        assert found is not None and told is not None and (found.path is not None) is written
        assert written or "0.42 times the speed" in told["explanation"]
        if device == "unihiker":  # INT8 is fine as a file, but FP32 takes fewer instructions there
            made = _bundle(model, model, found, options, DIGITS / "test", out, Teller(io.BytesIO()))
            assert made is not None and (made["engine"], made["precision"]) == ("onnxruntime", "fp32")


@pytest.mark.parametrize(
    ("device", "data", "engine", "precision"),
    [
        ("unihiker", False, "onnxruntime", "fp32"),
        ("unihiker", True, "onnxruntime", "fp32"),  # INT8 takes more instructions of so small a network
        ("pi5", False, "ncnn", "fp32"),
        ("pi5", True, "litert", "int8"),  # the fewest there of nearly every network
        ("pi4-32", False, "ncnn", "fp32"),
        ("pc", False, "onnxruntime", "fp32"),
        ("pc", True, "onnxruntime", "int8"),
    ],
)
def test_the_form_that_is_best_there(
    device: str, data: bool, engine: str, precision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the instructions that this network takes there, INT8 only with data; and the reason is said."""
    clock(monkeypatch, 1.8)
    made = build(LENET, device, out=tmp_path / "b", data=DIGITS / "test" if data else None, lang="en")
    assert (made.form.engine, made.form.precision) == (engine, precision)
    assert any(engine in note for note in made.notes)
    if precision == "int8":
        assert made.form.accuracy is not None and made.form.accuracy > 0.9
        assert made.form.size < 0.45 * LENET.stat().st_size


@pytest.mark.slow
def test_int8_activations_are_signed_where_that_is_faster_and_nothing_else_changes(tmp_path: Path) -> None:
    wish = {"data": DIGITS / "test", "lang": "en", "engine": "onnxruntime", "precision": "int8"}
    plain = build(LENET, "pi5", out=tmp_path / "a", **wish).path / "model.onnx"
    model = onnx.load(plain)
    zeros = {node.input[2] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    types = {tensor.data_type for tensor in model.graph.initializer if tensor.name in zeros}
    assert types == {TensorProto.INT8}
    unsigned = build(LENET, "pc", out=tmp_path / "b", **wish).path / "model.onnx"
    again = tmp_path / "again.onnx"
    onnx.save(signed(onnx.load(unsigned)), again)
    x = np.random.default_rng(5).normal(size=(1, 1, 32, 32)).astype(np.float32)
    before, after = (open_session(path, once=True).run(None, {"input": x})[0] for path in (unsigned, again))
    np.testing.assert_allclose(after, before, atol=1e-6)
    assert (tmp_path / "again.onnx").read_bytes() != unsigned.read_bytes()


def test_what_was_made_int8_before_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is for the device's arithmetic; for another it is made anew."""
    model = qingzhou.convert(LENET, tmp_path / "lenet.onnx").path
    rounded = quantize(model, DIGITS / "test", tmp_path / "small.onnx", any_speed=True, target="arm")
    assert rounded.path is not None and rounded.verdict is not None

    def again(*_: object, **__: object) -> None:
        raise EngineError("made again", "又做了一次")

    monkeypatch.setattr("qingzhou.deploy.make.quantize", again)
    options = {"engine": "onnxruntime", "precision": "int8", "data": DIGITS / "test", "rounded": rounded}
    made = build(model, "pi4-64", out=tmp_path / "pi", **options)
    assert (made.path / "model.onnx").read_bytes() == rounded.path.read_bytes()
    assert made.form.accuracy == rounded.verdict.figures()[1]
    with pytest.raises(EngineError, match="made again"):
        build(model, "pc", out=tmp_path / "pc", **options)


def test_a_zip_and_a_converted_model(tmp_path: Path) -> None:
    model = qingzhou.convert(LENET, tmp_path / "数字.onnx")
    made = build(model.path, "pi4-64", out=tmp_path / "x.zip", lang="en", engine="onnxruntime")
    with zipfile.ZipFile(made.path) as archive:
        names = archive.namelist()
        assert {name.split("/")[0] for name in names} == {"x"} and "x/main.py" in names
        assert archive.getinfo("x/install.sh").external_attr >> 16 == 0o100755
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".zip") == ["x.zip"]


def test_compiled_models_are_taken_as_they_are(tmp_path: Path) -> None:
    from qingzhou.engines import compile_for

    model = qingzhou.convert(LENET, tmp_path / "best.onnx")
    made = build(compile_for("ncnn", model.path).path, "pi4-32", out=tmp_path / "b", lang="en")
    assert {"model.ncnn.param", "model.ncnn.bin"} <= set(made.files) and made.form.engine == "ncnn"
    assert run(made.path, "selftest.py", QINGZHOU_SIM="1").returncode == 0


def test_the_browser_gets_a_page(tmp_path: Path) -> None:
    made = build(LENET, "browser", out=tmp_path / "b", lang="zh")
    assert {"index.html", "model.onnx", "card.json", "bundle.json"} <= set(made.files)
    assert not (made.path / "main.py").exists()


def test_constants_that_are_numbers() -> None:
    """As the programs compare and multiply them; an address is none."""
    given = ("QUIET=0.02", "SECONDS=1.5", "PORT=8001", "ROTATE=-90", "FULL_SCREEN=True", "SERVER=10.0.0.5", "SOUND=a=b")
    assert _constants(given) == {
        "QUIET": 0.02,
        "SECONDS": 1.5,
        "PORT": 8001,
        "ROTATE": -90,
        "FULL_SCREEN": True,
        "SERVER": "10.0.0.5",
        "SOUND": "a=b",
    }


def test_on_the_command_line(tmp_path: Path) -> None:
    words = ["bundle", str(LENET), "--device", "pc", "--scene", "api", "--set", "PORT=8123", "-o", str(tmp_path / "b")]
    done = CliRunner().invoke(main, [*words, "--json", "--lang", "en"])
    use_language(None)
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["device"] == "pc" and told["engine"] == "onnxruntime" and told["estimate"]["fps"] > 1
    assert "PORT = 8123" in (tmp_path / "b/main.py").read_text("utf-8")
    shown = CliRunner().invoke(main, [*words[:-1], str(tmp_path / "c"), "--lang", "zh"])
    use_language(None)
    assert shown.exit_code == 0 and "LeNet-5" in shown.output and "qingzhou push" in shown.output
