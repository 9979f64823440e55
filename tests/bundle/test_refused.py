"""What a bundle refuses, with the reason and what to do; and what its programs say in the wrong place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from test_build import run

import qingzhou
from passengers import ORACLE, basenn, mmedu
from qingzhou.bundle import wheels
from qingzhou.bundle.build import build
from qingzhou.bundle.estimate import check
from qingzhou.bundle.form import OnDevice
from qingzhou.cli import main
from qingzhou.devices import load
from qingzhou.errors import (
    BundleError,
    CheckpointTypeError,
    EngineError,
    FileMissing,
    OptionError,
    OutputError,
    QingzhouError,
)
from qingzhou.runtime.bundle import place

LENET = ORACLE / "trained/lenet_digits.pth"


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


CANNOT: list[tuple[dict[str, Any], type[QingzhouError], str]] = [
    ({"device": "toaster"}, OptionError, "unihiker"),
    ({"scene": "dance"}, OptionError, "camera"),
    ({"scene": "sensor"}, OptionError, "basic"),
    ({"engine": "tensorrt"}, OptionError, "onnxruntime, ncnn"),
    ({"precision": "int4"}, OptionError, "fp32"),
    ({"precision": "int8"}, OptionError, "--data"),
    ({"scene": "camera", "actions": ["dance"]}, OptionError, "speak"),
    ({"scene": "camera", "actions": ["cow=speak"]}, OptionError, "cow"),
    ({"scene": "basic", "actions": ["speak"]}, OptionError, "camera"),
    ({"device": "browser", "actions": ["speak"]}, OptionError, "browser"),
    ({"scene": "camera", "constants": {"COLOUR": "red"}}, OptionError, "COLOUR"),
    ({"scene": "cascade"}, OptionError, "--second"),
    ({"scene": "camera", "second": LENET}, OptionError, "--second"),
    ({"data": Path("/nowhere")}, QingzhouError, "nowhere"),
]


@pytest.mark.parametrize(("options", "error", "named"), CANNOT)
def test_what_cannot_be(options: dict[str, Any], error: type[QingzhouError], named: str, tmp_path: Path) -> None:
    """Refused in words, and nothing is left behind."""
    given = {"device": "unihiker", **options}
    with pytest.raises(error) as caught:
        build(LENET, out=tmp_path / "b", lang="en", **given)
    assert named in caught.value.en and len(caught.value.zh) > 10
    assert left(tmp_path) == []


def test_sensors_give_no_arrays_of_several_rows(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="classification of array 6 x 12"):
        build(basenn("npz_conv1d"), "pc", "sensor", out=tmp_path / "b", lang="en")


@pytest.mark.parametrize(("name", "error"), [("none.pth", FileMissing), ("page.pth", CheckpointTypeError)])
def test_no_model(name: str, error: type[QingzhouError], tmp_path: Path) -> None:
    (tmp_path / "page.pth").write_text("<html>404</html>")
    with pytest.raises(error):
        build(tmp_path / name, "pi5", out=tmp_path / "b")
    assert left(tmp_path) == ["page.pth"]


def test_too_slow_names_a_network_that_would_do(tmp_path: Path) -> None:
    """YOLOv3 on a Unihiker's camera: a fifth of a picture a second. --force makes it all the same."""
    checkpoint = mmedu("Yolov3", tmp_path)
    with pytest.raises(BundleError) as caught:
        build(checkpoint, "unihiker", "camera", out=tmp_path / "b", lang="en")
    assert "about 0.2 answers a second" in caught.value.en and "SSD_Lite would work" in caught.value.en
    assert "would run on: pi4-32" in caught.value.en and "SSD_Lite" in caught.value.zh and "--force" in caught.value.zh
    made = build(checkpoint, "unihiker", "camera", out=tmp_path / "b", lang="en", force=True)
    assert made.estimate.fps == pytest.approx(0.195, abs=0.01)


def a_form(size: float, macs: float = 1e9) -> OnDevice:
    return OnDevice((Path("model.onnx"),), int(size), _card(), "onnxruntime", "fp32", int(macs), None, ())


def _card() -> Any:
    from qingzhou.runtime.model.card import Card, Input, Output

    return Card(
        "classification",
        "VGG-16",
        "MMEdu",
        Input("x", "image", [1, 3, 224, 224], "RGB", []),
        Output("y", "probabilities"),
    )


def test_too_large() -> None:
    """VGG16 on a Unihiker. What is larger than all of the memory cannot be forced."""
    unihiker = load("unihiker")
    with pytest.raises(BundleError, match=r"1428 MB of memory.*MobileNet would work"):
        check(unihiker, "camera", a_form(537e6, 1e9), force=False)
    with pytest.raises(BundleError, match="512 MB"):
        check(unihiker, "basic", a_form(537e6), force=True)
    assert check(unihiker, "basic", a_form(200e6, 1e9), force=True).memory_mb > 300
    with pytest.raises(BundleError, match="--force"):
        check(unihiker, "basic", a_form(200e6, 1e9), force=False)


@pytest.mark.parametrize(("opset", "ir"), [(18, 8), (13, 9)])
def test_a_model_above_the_ceiling(opset: int, ir: int, tmp_path: Path) -> None:
    """onnxruntime 1.13.1 reads opset 17 and IR 8; the checkpoint itself can be bundled."""
    model = qingzhou.convert(LENET, tmp_path / "best.onnx", opset=opset, ir_version=ir)
    with pytest.raises(BundleError) as caught:
        build(model.path, "unihiker", out=tmp_path / "b", engine="onnxruntime")
    assert f"opset {opset}" in caught.value.en and "opset 17" in caught.value.en and "best.pth" in caught.value.zh
    assert build(model.path, "pi5", out=tmp_path / "b", engine="onnxruntime").path.is_dir()
    assert max(entry.version for entry in onnx.load(model.path).opset_import) == opset


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unihiker = load("unihiker")
    other = replace(unihiker, pythons={"3.7": {**unihiker.pythons["3.7"], "ncnn": "0.0.1"}})
    monkeypatch.setattr("qingzhou.bundle.build.load", lambda name: other)
    with pytest.raises(BundleError) as caught:
        build(LENET, "unihiker", out=tmp_path / "b", offline=True, engine="ncnn")
    assert "Python 3.7" in caught.value.en and "ncnn==0.0.1" in caught.value.zh
    assert left(tmp_path) == []


def test_requirements_are_for_the_pythons_that_can_have_them() -> None:
    found = wheels.requirements(load("pi4-32"), "onnxruntime")
    assert found == {"3.13": []} and wheels.system_packages(load("pi4-32"), "onnxruntime")["numpy"] == "python3-numpy"
    assert wheels.requirements(load("pi4-32"), "ncnn").keys() == {"3.11", "3.13"}
    assert "manylinux_2_28_aarch64" in wheels.target(load("unihiker"), "3.7")
    assert "manylinux_2_31_aarch64" not in wheels.target(load("unihiker"), "3.7")


# -- where it goes -----------------------------------------------------------------------------------------------------


def test_a_place_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="no bundle"):
        build(LENET, "pc", out=tmp_path / "file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/mine.txt").write_text("mine")
    made = build(LENET, "pc", out=tmp_path / "folder")
    assert made.path == tmp_path / "folder/lenet_digits-pc-basic" and (tmp_path / "folder/mine.txt").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(OutputError):
        build(LENET, "pc", out=closed / "b")


def test_a_failure_leaves_the_old_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = build(LENET, "pc", out=tmp_path / "b", lang="en")
    before = (made.path / "bundle.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qingzhou.bundle.build.write", full)
    with pytest.raises(OutputError):
        build(LENET, "pc", out=tmp_path / "b", lang="en")
    assert (made.path / "bundle.json").read_bytes() == before and left(tmp_path) == ["b"]


# -- in the wrong place ------------------------------------------------------------------------------------------------


@pytest.fixture
def board_bundle(tmp_path: Path) -> Path:
    return build(LENET, "unihiker", "camera", actions=["print"], out=tmp_path / "b", lang="en", engine="ncnn").path


@pytest.mark.parametrize("program", ["main.py", "selftest.py", "bench.py"])
def test_on_another_machine(program: str, board_bundle: Path) -> None:
    done = run(board_bundle, program)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "made for Unihiker M10 (aarch64)" in done.stderr and "--device pc" in done.stderr


def test_the_simulator_runs_anywhere(board_bundle: Path) -> None:
    done = run(board_bundle, "main.py", "--sim")
    assert done.returncode == 0 and "[sim]" in done.stdout, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="links are for administrators there")
def test_packages_in_the_bundle_are_found_before_any_is_called_missing(tmp_path: Path) -> None:
    """-S: as on a board whose Python has none of them, after install.sh."""
    made = build(LENET, "pc", out=tmp_path / "b", lang="en")
    lone = run(made.path, "-S", "main.py")
    assert lone.returncode == 1 and lone.stderr.startswith("Problem: numpy is not installed here. Install it: sh ")
    os.symlink(Path(np.__file__).parents[1], made.path / "packages")
    done = run(made.path, "-S", "main.py")
    assert done.returncode == 0 and "Result:" in done.stdout, done.stderr


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_can_be_had_anywhere(word: str, board_bundle: Path) -> None:
    done = run(board_bundle, "main.py", word)
    assert done.returncode == 0 and "Usage:" in done.stdout and not done.stderr


def test_another_python(board_bundle: Path) -> None:
    facts = json.loads((board_bundle / "bundle.json").read_text("utf-8"))
    (board_bundle / "bundle.json").write_text(json.dumps({**facts, "machine": "", "python": ["3.99"]}), "utf-8")
    done = run(board_bundle, "main.py")
    assert done.returncode == 1 and "needs Python 3.99" in done.stderr and "python3.99 main.py" in done.stderr
    script = (board_bundle / "install.sh").read_text("utf-8").replace("3.7", "3.99")
    (board_bundle / "install.sh").write_text(script, "utf-8")
    done = subprocess.run(["sh", "install.sh"], cwd=board_bundle, capture_output=True, text=True)
    assert done.returncode == 1 and "needs Python 3.99; found: 3." in done.stderr


def test_a_32_bit_system_under_a_64_bit_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert place.machine() == "aarch64"
    monkeypatch.setattr("struct.calcsize", lambda code: 4)
    assert place.machine() == "armv7l"
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    assert place.machine() == "x86_64"


def spoil_model(folder: Path) -> None:
    path = folder / "model.ncnn.bin"
    data = bytearray(path.read_bytes())
    data[1000:1400] = bytes(400)
    path.write_bytes(data)


def spoil_program(folder: Path) -> None:
    text = (folder / "main.py").read_text("utf-8")
    (folder / "main.py").write_text(text.replace("from pathlib", "import not_installed\nfrom pathlib", 1), "utf-8")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (spoil_model, "the model"),
        (spoil_program, "not_installed"),
        (lambda folder: (folder / "model.ncnn.bin").unlink(), "model.ncnn.bin"),
        (lambda folder: (folder / "sample.png").write_bytes(b"no picture"), "the sample"),
    ],
)
def test_the_self_test_finds_what_is_wrong(spoil: Callable[[Path], object], named: str, board_bundle: Path) -> None:
    spoil(board_bundle)
    done = run(board_bundle, "selftest.py", QINGZHOU_SIM="1")
    assert done.returncode == 1 and "FAIL" in done.stdout and "Traceback" not in done.stderr, done.stderr
    assert named in done.stdout


def test_installing_without_what_is_needed(tmp_path: Path) -> None:
    """Empty wheels: the reason is said, and the packages of before stay."""
    made = build(LENET, "pc", out=tmp_path / "b", lang="en", engine="onnxruntime")
    facts = json.loads((made.path / "bundle.json").read_text("utf-8"))
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    facts["requirements"] = {here: ["qingzhou-nothing==1.0", f"numpy=={np.__version__}"]}
    (made.path / "bundle.json").write_text(json.dumps(facts), "utf-8")
    (made.path / "wheels").mkdir()
    (made.path / "packages").mkdir()
    done = run(made.path, "-m", "qingzhou_runtime.bundle.install")
    assert done.returncode == 1 and "--offline" in done.stderr
    assert "numpy" in done.stdout  # packages/ is made anew as a whole
    assert (made.path / "packages").is_dir() and not (made.path / "packages.new").exists()
    shutil.rmtree(made.path / "wheels")
    facts["requirements"] = {here: []}
    (made.path / "bundle.json").write_text(json.dumps(facts), "utf-8")
    assert "Everything is installed" in run(made.path, "-m", "qingzhou_runtime.bundle.install").stdout


def test_errors_on_the_command_line_are_words(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["bundle", str(LENET), "--device", "toaster", "--json", "-o", str(tmp_path / "b")])
    assert done.exit_code == 1 and "toaster" in done.output and json.loads(done.output)["error"] == "OptionError"
    done = CliRunner().invoke(main, ["bundle", str(LENET), "--device", "pc", "--set", "PORT"])
    assert done.exit_code == 1 and "NAME=VALUE" in done.output


def test_two_stages_stay_with_onnxruntime(tmp_path: Path) -> None:
    """ncnn cannot run them, so another engine is taken, and that is said; where there is none, it is an error."""
    from qingzhou.bundle.form import Wish, best_form

    checkpoint = mmedu("SSD_Lite", tmp_path)
    model = qingzhou.convert(checkpoint, tmp_path / "boxes.onnx")
    (tmp_path / "work").mkdir()
    made = best_form(model.path, load("pi4-64"), Wish(), tmp_path / "work")
    assert made.engine == "onnxruntime" and any("ncnn fp32" in note for note in made.notes)
    with pytest.raises(EngineError):
        best_form(model.path, load("pi4-64"), Wish("ncnn"), tmp_path / "work")
