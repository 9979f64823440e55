"""ESP32-S3 and ESP32-P4: the simulation of Espressif's quantiser on digits, against ONNX Runtime in FP32."""

from __future__ import annotations

from pathlib import Path

import pytest
from chips import (
    DATA,
    LENET,
    MOBILENET,
    ends_in_time,
    full_disk,
    keeps_the_promise,
    names_the_layer,
    ready,
    told,
    with_a_layer,
)

from qingzhou.bundle.build import build
from qingzhou.deploy.export import export_for_chip
from qingzhou.errors import EngineError, OptionError

pytestmark = pytest.mark.esp32


@pytest.mark.parametrize("chip", ["esp32s3", "esp32p4"])
@pytest.mark.parametrize("model", [LENET, MOBILENET], ids=["lenet", "mobilenet"])
def test_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path, chip: str) -> None:
    made = export_for_chip(model, ready(monkeypatch, tmp_path, "esp32"), chip, f"{tmp_path}/out/", DATA, 1.0)
    print(told(made, f"{model.stem} {chip}"))
    keeps_the_promise(made, 100)
    assert made.path.name == f"{model.stem}.{chip}.espdl" and made.path.read_bytes()[:4] == b"EDL2"
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [made.path.name, f"{made.path.name}.json"]
    assert made.versions == {"esp-ppq": "1.3.12"}
    assert (
        made.facts["memory"] >= (28 * 28 * 6 if model == LENET else 112 * 112 * 96) and made.facts["float_output"] == 1
    )


def test_scores_move_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export_for_chip(LENET, ready(monkeypatch, tmp_path, "esp32"), "esp32s3", f"{tmp_path}/out/", DATA, 1.0)
    assert made.far[0] > 0.05
    assert any("go by the answer" in note or "以回答为准" in note for note in made.notes)


def test_a_bundle_for_the_unihiker_k10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(monkeypatch, tmp_path, "esp32")
    made = build(LENET, "行空板K10", "camera", out=tmp_path / "board", data=DATA, max_drop=1.0, lang="zh")
    assert {"esp_idf/main/main.cpp", "esp_idf/main/model.espdl", "README.md", "bundle.json"} <= set(made.files)
    assert (made.path / "esp_idf/main/model.espdl").read_bytes()[:4] == b"EDL2"
    assert "没有在板子上运行过" in (made.path / "README.md").read_text("utf-8")
    assert any(" 8 MB" in note for note in made.notes)  # of the board's memory


@pytest.mark.parametrize("op", ["GridSample", "Celu"])
def test_a_layer_that_it_does_not_know_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, op: str) -> None:
    if op == "GridSample":
        names_the_layer(monkeypatch, tmp_path, "esp32", "esp32s3")
        return
    target, model = ready(monkeypatch, tmp_path, "esp32"), with_a_layer(tmp_path, op, {})
    with pytest.raises(EngineError, match=f"cannot take the layer {op}"):
        export_for_chip(model, target, "esp32p4", f"{tmp_path}/out/", DATA)


def test_it_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends_in_time(monkeypatch, tmp_path, "esp32", "esp32p4")


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full_disk(monkeypatch, tmp_path, "esp32", "esp32s3")


def test_another_chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match=r"--chip is esp32; .* esp32s3, esp32p4"):
        export_for_chip(LENET, ready(monkeypatch, tmp_path, "esp32"), "esp32", f"{tmp_path}/out/", DATA)
