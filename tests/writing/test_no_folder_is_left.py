"""Folders that were made for a result which then failed, or was not worth writing, vanish with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from qingzhou.cli import main
from qingzhou.engines import artifact
from qingzhou.errors import EngineError
from qingzhou.quant import Quantized

FAILS = {  # each is found out after the place was looked at
    "a broken checkpoint": "convert broken.pth -o =",
    "nothing to calibrate with": "export best.pth --engine onnxruntime --precision int8 -o =",
    "one answer for everything": "quantize ready.onnx --data grey -o =",
    "INT8 already": "quantize small.onnx --precision fp16 -o =",
    "an engine that fails": "export ready.onnx --engine onnxruntime -o =",
    "a checkpoint and an engine that fails": "export best.pth --engine onnxruntime -o =",
}


def failing(*_: object) -> None:
    raise EngineError("It broke down.", "出故障了。")


@pytest.fixture
def prepared(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from PIL import Image

    (desk / "broken.pth").write_bytes((desk / "best.pth").read_bytes()[:4000])
    (desk / "grey").mkdir()
    for shade in range(4):
        Image.new("L", (28, 28), 100 + shade).save(desk / "grey" / f"{shade}.png")
    done = CliRunner().invoke(
        main, ["quantize", "ready.onnx", "--data", "data", "--min-agreement", "0", "--any-speed", "-o", "small.onnx"]
    )
    assert (desk / "small.onnx").exists(), done.output
    monkeypatch.setattr(artifact, "_build", failing)
    return desk


@pytest.mark.parametrize("place", ["out/new/folder/a", "out/new/folder/"])
@pytest.mark.parametrize("why", FAILS)
def test_it_vanishes(why: str, place: str, prepared: Path) -> None:
    done = CliRunner().invoke(main, FAILS[why].replace("=", place).split())
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.output
    assert not list((prepared / "out").iterdir()), done.output


def test_where_it_is_not_worth_having(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure: the model stays as it is, and no folder for another is left."""
    monkeypatch.setattr(Quantized, "better", property(lambda _: False))
    line = "quantize ready.onnx --precision fp16 -o out/new/a.onnx --json"
    done = CliRunner().invoke(main, line.split())
    assert '"model": null' in done.output, done.output
    assert not list((prepared / "out").iterdir()), done.output
