"""The ESP-IDF project: a C++ compiler takes it, with headers that say what ESP-DL's documentation says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fillings import NASTY, filling

from qingzhou.boards.programs import programs
from qingzhou.devices import load

STUBS = Path(__file__).with_name("idf_stubs")
DEVICES = ("unihiker-k10", "esp32-s3", "esp32-p4")
pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")


def project(folder: Path, device: str, **more: Any) -> Path:
    for name, text in programs(load(device), filling(**more)).items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
    return folder / "esp_idf"


def compiler(*arguments: object) -> None:
    flags = ("-std=gnu++20", "-Wall", "-Wextra", "-Werror", "-I", str(STUBS))
    done = subprocess.run(["g++", *flags, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("device", DEVICES)
def test_a_compiler_takes_it(tmp_path: Path, device: str, language: str) -> None:
    compiler("-fsyntax-only", project(tmp_path, device, language=language) / "main/main.cpp")


def test_labels_are_texts_and_nothing_else(tmp_path: Path) -> None:
    """Also those that would end a text, a line or a comment."""
    main = project(tmp_path, "unihiker-k10", labels=NASTY) / "main"
    compiler("-fsyntax-only", main / "main.cpp")
    (main / "show.cpp").write_text(
        '#include <cstdio>\n#include "settings.hpp"\nesp_err_t esp_camera_init(const camera_config_t *) { return 0; }\n'
        "int main() { (void)WAY; (void)OUTPUT_IS_FLOAT; for (int i = 0; i < CLASSES; i++) puts(LABELS[i]); }\n"
    )
    compiler(main / "show.cpp", "-o", tmp_path / "show")
    said = subprocess.run([tmp_path / "show"], capture_output=True, text=True, encoding="utf-8").stdout.split("\n")[:-1]
    assert said == [one.replace("\n", " ").replace("\u202e", "\ufffd") for one in NASTY]


RUN = """#include <cstdio>
#include "settings.hpp"
static unsigned char frame[320 * 240 * 2];
static signed char out[224 * 224 * 3];
int main()
{
    if (fread(frame, 1, sizeof frame, stdin) != sizeof frame)
        return 1;
    prepare(frame, 320, WAY, out);
    fwrite(out, 1, WAY.size[0] * WAY.size[1] * WAY.channels, stdout);
    return (int)OUTPUT_IS_FLOAT - 1 + CLASSES - CLASSES + (LABELS[0] == nullptr);
}
"""


@pytest.mark.parametrize("grey", [False, True])
def test_pictures_are_prepared_as_the_card_says(tmp_path: Path, grey: bool) -> None:
    """Against numpy: averages of the pixels that each covers, normalised, in steps of two to the -6th."""
    main = project(tmp_path, "esp32-p4", grey=grey) / "main"
    (main / "run.cpp").write_text(RUN)
    compiler(main / "run.cpp", "-o", tmp_path / "run")
    y, x = np.mgrid[0:240, 0:320]
    levels = np.stack([x * 31 // 319, y * 63 // 239, (x + y) * 31 // 558], -1)
    packed = (levels[..., 0] << 11 | levels[..., 1] << 5 | levels[..., 2]).astype(">u2")
    done = subprocess.run([tmp_path / "run"], input=packed.tobytes(), capture_output=True, check=True)
    side, channels = (32, 1) if grey else (224, 3)
    found = np.frombuffer(done.stdout, np.int8).reshape(side, side, channels)

    crop = (0, 0, 320, 240) if grey else (55, 15, 210, 210)
    colours = levels * np.array([255 / 31, 255 / 63, 255 / 31])
    small = shrunk(colours, crop, side)
    one = filling(grey=grey)
    level = small @ np.array([[0.299], [0.587], [0.114]]) if grey else small
    wanted = np.clip(np.round((level - one.mean) / one.std * 64), -128, 127)
    assert np.abs(found - wanted).max() <= 1 and (found != wanted).mean() < 0.01


def shrunk(picture: Any, crop: tuple[int, int, int, int], side: int) -> Any:
    left, top, width, height = crop
    rows = [
        (top + i * height // side, max(top + (i + 1) * height // side, top + i * height // side + 1))
        for i in range(side)
    ]
    columns = [
        (left + i * width // side, max(left + (i + 1) * width // side, left + i * width // side + 1))
        for i in range(side)
    ]
    return np.array([[picture[a:b, c:d].mean((0, 1)) for c, d in columns] for a, b in rows])


@pytest.mark.parametrize("device", DEVICES)
def test_the_project_is_for_its_chip(tmp_path: Path, device: str) -> None:
    """The model's partition holds it, the flash holds the partition, and what is asked for is there."""
    place, board = project(tmp_path, device), load(device)
    size = int(re.findall(r"factory.* (\d+)K", (place / "partitions.csv").read_text())[0]) * 1024
    assert 2_500_000 + (1 << 20) < size < board.flash_mb << 20 and size % 65536 == 0
    settings = (place / "sdkconfig.defaults").read_text()
    assert f"FLASHSIZE_{board.flash_mb}MB=y" in settings and ("SPIRAM_MODE_OCT" in settings) == (
        board.chip == "esp32s3"
    )
    wanted = (place / "main/idf_component.yml").read_text()
    assert "espressif/esp-dl" in wanted and ("esp32-camera" in wanted) == bool(board.camera_pins)
    assert board.chip in (place / "main/main.cpp").read_text()
