"""A bundle whose engine is MNN: only where it is asked for, with its package, and it runs from the folder alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from passengers import ORACLE, digits
from qingzhou.bundle.build import build
from qingzhou.devices import all_devices
from qingzhou.engines import ENGINES
from qingzhou.errors import OptionError

pytest.importorskip("MNN")

LENET = ORACLE / "trained" / "lenet_digits.pth"


@pytest.mark.parametrize(("device", "precision", "wanted"), [("pi4-64", "fp32", "3.6.1"), ("pi5", "fp16", "3.6.1")])
def test_it_runs_from_its_folder(device: str, precision: str, wanted: str, tmp_path: Path) -> None:
    """With the board's programs, without qingzhou; onnxruntime is not asked for, and nothing else is printed."""
    made = build(LENET, device, out=tmp_path / "b", engine="mnn", precision=precision, lang="en")
    assert (made.form.engine, made.form.precision) == ("mnn", precision)
    text = (made.path / "requirements.txt").read_text("utf-8")
    assert f"MNN=={wanted}" in text and "onnxruntime" not in text
    picture, label = next(digits())
    code = (
        "import platform, sys; platform.machine = lambda: 'aarch64';"
        "sys.modules['onnxruntime'] = sys.modules['qingzhou'] = None; import qingzhou_runtime as q;"
        "print(q.load(sys.argv[1]).predict(sys.argv[2]).label)"
    )
    words = [sys.executable, "-c", code, str(made.path / "model.mnn"), str(picture.resolve())]
    done = subprocess.run(words, capture_output=True, text=True, cwd=made.path, check=False)
    assert done.stdout.split() == [label], done.stderr
    assert json.loads((made.path / "bundle.json").read_text("utf-8"))["engine"] == "mnn"


def test_no_device_has_it_by_itself() -> None:
    """Until a board's own figures say that it is faster."""
    assert not ENGINES["mnn"].offered
    assert {device.name for device in all_devices() if "mnn" in device.engines} >= {
        "generic-linux-arm64", "jetson", "pc", "pi4-64", "pi5", "unihiker",
    }  # fmt: skip


def test_32_bits_have_it_not(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="mnn"):
        build(LENET, "pi4-32", out=tmp_path / "b", engine="mnn")
    assert not (tmp_path / "b").exists()
