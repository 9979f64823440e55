"""The K230: nncase's own simulator on digits, against ONNX Runtime in FP32."""

from __future__ import annotations

from pathlib import Path

import pytest
from chips import DATA, LENET, MOBILENET, ends_in_time, full_disk, keeps_the_promise, names_the_layer, ready, told

from qingzhou.bundle.build import build
from qingzhou.deploy.export import export_for_chip
from qingzhou.errors import OptionError

pytestmark = pytest.mark.k230


def test_lenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export_for_chip(LENET, ready(monkeypatch, tmp_path, "k230"), "", f"{tmp_path}/out/", DATA, 1.0)
    print(told(made, "LeNet"))
    keeps_the_promise(made, 100)
    assert made.path.name == "lenet_digits.nncase2.11.0.kmodel" and made.path.read_bytes()[:4] == b"LDMK"
    assert made.versions == {"nncase": "2.11.0"}
    assert made.card.input.dtype == "uint8" and made.card.input.shape == [1, 1, 32, 32]


def test_mobilenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred pictures, or as many as forty minutes allow: one takes the simulator 5 to 40 seconds."""
    target = ready(monkeypatch, tmp_path, "k230", seconds=2400.0)
    made = export_for_chip(MOBILENET, target, "k230", f"{tmp_path}/out/", DATA, 1.0)
    print(told(made, "MobileNetV2"))
    keeps_the_promise(made, 10)
    assert made.held_out[1] == made.held_out[0] or any("simulator" in note for note in made.notes)


def test_a_bundle_for_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(monkeypatch, tmp_path, "k230")
    made = build(LENET, "01科技", "camera", out=tmp_path / "board", data=DATA, max_drop=1.0, lang="en")
    assert {"main.py", "lenet_digits.nncase2.11.0.kmodel", "README.md", "bundle.json", "labels.txt"} <= set(made.files)
    assert 'NNCASE = "2.11.0"' in (made.path / "main.py").read_text("utf-8")
    readme = (made.path / "README.md").read_text("utf-8")
    assert "must be **2.11.0**" in readme and "Not run on a board" in readme


def test_a_layer_that_it_does_not_know_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names_the_layer(monkeypatch, tmp_path, "k230", "k230")


def test_it_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_in_time(monkeypatch, tmp_path, "k230", "k230")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk(monkeypatch, tmp_path, "k230", "k230")


def test_another_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match=r"--chip is k210; .* k230"):
        export_for_chip(LENET, ready(monkeypatch, tmp_path, "k230"), "k210", f"{tmp_path}/out/", DATA)
