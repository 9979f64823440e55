"""The MicroPython programs: parsed by MicroPython's compiler, and run by its unix port with a camera of two pictures.

What a board's firmware brings is played by fake_canmv/ and fake_esp_vision/, which print what they are told.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fillings import NASTY, filling

from environments import python_of
from qingzhou.boards.programs import programs
from qingzhou.devices import load

HERE = Path(__file__).parent
CANMV = pytest.param("01studio-k230", "fake_canmv", marks=pytest.mark.k230)
ESP = pytest.param("esp32-s3", "fake_esp_vision", marks=pytest.mark.esp32)
LABELS = ["cat", "小猫", "dog"]


def run(folder: Path, device: str, fakes: str, **more: Any) -> tuple[list[str], str]:
    """What it printed until the camera had no more pictures, and its last words."""
    tools = python_of("micropython").parent
    main = folder / "main.py"
    main.write_text(programs(load(device), filling(**{"labels": LABELS, **more}))["main.py"], "utf-8")
    subprocess.run([tools / "mpy-cross", "-o", folder / "main.mpy", main], check=True)
    assert (folder / "main.mpy").read_bytes()[:1] == b"M"
    done = subprocess.run(
        [tools / "micropython", "-X", "heapsize=32m", main],
        capture_output=True,
        encoding="utf-8",
        env={"MICROPYPATH": f"{HERE / fakes}:.frozen"},
    )
    return done.stdout.splitlines(), done.stderr.strip() or done.stdout.strip().splitlines()[-1]


@pytest.mark.k230
@pytest.mark.parametrize("language", ["en", "zh"])
def test_canmv_sees_what_the_model_was_trained_with(tmp_path: Path, language: str) -> None:
    said, last = run(tmp_path, "01studio-k230", "fake_canmv", language=language)
    assert "KeyboardInterrupt" in last, said
    assert said[:5] == [
        "camera: [640, 360] lcd",
        "model: /sdcard/best.file",
        "crop: (True, 162, 22, 315, 315)",
        "pad: (False, [0, 0, 0, 0, 0, 0, 0, 0], 0, [0, 0, 0])",
        "build: [1, 3, 360, 640] [1, 3, 224, 224]",
    ]
    assert said[5:10] == [
        "given: (1, 3, 224, 224) [10, 20, 30]",
        "小猫  200%",
        "screen: clear",
        "screen: 小猫  200%",
        "screen: shown",
    ]
    assert said.count("screen: shown") == 2 and "camera: off" in said


@pytest.mark.k230
def test_canmv_in_grey_and_without_probabilities(tmp_path: Path) -> None:
    one = filling(grey=True)
    card = one.card
    logits = replace(card, labels=LABELS, output=replace(card.output, scores="logits"))
    said, _ = run(tmp_path, "canmv-k230", "fake_canmv", grey=True, card=logits)
    grey = round(0.299 * 10 + 0.587 * 20 + 0.114 * 30)
    assert f"given: (1, 1, 32, 32) [{grey}]" in said
    assert "小猫  73%" in said  # e^2 / (e^0.125 + e^2 + e^0.5)


@pytest.mark.esp32
@pytest.mark.parametrize("language", ["en", "zh"])
def test_esp_vision_sees_what_the_model_was_trained_with(tmp_path: Path, language: str) -> None:
    said, last = run(tmp_path, "esp32-s3", "fake_esp_vision", language=language)
    assert "KeyboardInterrupt" in last, said
    assert said[0] == "model: /sdcard/best.file [123.675, 116.28, 103.53] [58.395, 57.12, 57.375] False"
    assert said[1:6] == [
        "camera: colour",
        "given: (224, 224)",
        "小猫  75%",
        "box: (55, 15, 210, 210)",
        "screen: 1  75%",
    ]
    assert "model: off" in said


@pytest.mark.esp32
def test_esp_vision_in_grey(tmp_path: Path) -> None:
    said, _ = run(tmp_path, "esp32-p4", "fake_esp_vision", grey=True)
    assert said[0] == "model: /sdcard/best.file [33.46, 33.46, 33.46] [78.87, 78.87, 78.87] False"
    assert said[1:3] == ["camera: grey", "given: (32, 32)"]


@pytest.mark.parametrize(("device", "fakes"), [CANMV, ESP])
def test_labels_are_texts_and_nothing_else(tmp_path: Path, device: str, fakes: str) -> None:
    """Also those that would end a text or a line: seven are read, and the second one is told."""
    labels = [*NASTY[1:4]]
    said, last = run(tmp_path, device, fakes, labels=labels)
    assert "KeyboardInterrupt" in last
    assert any(one.startswith("back\\slash  ") for one in said), said
