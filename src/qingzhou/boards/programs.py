"""A board's programs, filled with what a model needs, as texts by the names that they have in the bundle."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from ..devices import Device
from ..errors import BundleError
from ..runtime.errors import line
from ..runtime.model.card import Card
from ..scenes.fill import fill
from .cut import Cut, cut_of

HERE = Path(__file__).parent
CANMV_FRAME, ESP_FRAME = (640, 360), (320, 240)  # width and height of the camera's picture
APP = 1536  # kilobytes of ESP-IDF's program without the model
REQUIRES = "esp-dl esp32-camera"


@dataclass(frozen=True)
class Filling:
    """What goes into the programs.

    model      the name of the chip's file;  versions  that the board's library must have
    mean, std  of each channel, in levels of 255
    facts      of the compiler: exponents of the file's input and output
    """

    card: Card
    name: str
    model: str
    size: int
    versions: Mapping[str, str]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    facts: Mapping[str, float]
    language: str


def programs(device: Device, filling: Filling) -> dict[str, str]:
    """Text by name, with /; BundleError for a model that they cannot use."""
    check_model(device, filling.card, filling.name)
    found: dict[str, str] = {}
    for one in device.programs:
        found |= PROGRAMS[one](device, filling)
    return found


def check_model(device: Device, card: Card, name: str) -> None:
    """BundleError unless it says what one picture is, and prepares pictures as the programs can."""
    if card.kind != "image" or card.others or card.output.scores not in ("probabilities", "logits"):
        raise BundleError(
            en=f"The program for {device.title['en']} says what a picture is, and {name} does something else "
            f"({card.task}). Make the chip's file alone: qingzhou export --engine {device.engines[0]}",
            zh=f"{device.title['zh']}的程序用于判断图片是什么，而 {name} 不是（{card.task}）。"
            f"可以只生成芯片文件：qingzhou export --engine {device.engines[0]}",
        )
    for one in device.programs:
        cut = cut_of(card, name, FRAMES[one])
        if one != "canmv" and (any(cut.pad) or (cut.color == "BGR" and one == "esp_vision")):
            raise BundleError(
                en=f"The program for {device.title['en']} neither adds bars nor changes the order of colours, as "
                f"{name} wants it. Train or convert it with another preparation (--preprocess), in RGB.",
                zh=f"{device.title['zh']}的程序不会补边，也不会改变颜色顺序，而 {name} 需要。"
                "请用其他预处理（--preprocess）、RGB 顺序训练或转换。",
            )


def _python(folder: str, filling: Filling, cut: Cut, more: Mapping[str, object]) -> str:
    constants = {
        "MODEL": f"/sdcard/{filling.model}",
        "LABELS": list(filling.card.labels),
        "CROP": list(cut.crop),
        "SIZE": list(cut.size),
        "SOFTMAX": filling.card.output.scores == "logits",
        **more,
    }
    return fill((HERE / folder / f"main_{filling.language}.py").read_text("utf-8"), constants)


def _canmv(device: Device, filling: Filling) -> dict[str, str]:
    cut = cut_of(filling.card, filling.name, CANMV_FRAME)
    more = {
        "NNCASE": filling.versions.get("nncase", ""),
        "CAMERA": list(CANMV_FRAME),
        "PAD": list(cut.pad),
        "PAD_COLOR": [round(one) for one in (cut.value or (0.0,) * 3)],
        "COLOR": cut.color,
    }
    return {"main.py": _python("canmv", filling, cut, more)}


def _esp_vision(device: Device, filling: Filling) -> dict[str, str]:
    cut, three = cut_of(filling.card, filling.name, ESP_FRAME), 3 // len(filling.mean)
    more = {"MEAN": list(filling.mean * three), "STD": list(filling.std * three), "GRAY": cut.color == "GRAY"}
    return {"main.py": _python("esp_vision", filling, cut, more)}


def _esp_idf(device: Device, filling: Filling) -> dict[str, str]:
    """A project for idf.py; the model's file goes into main/ as model.espdl."""
    camera, folder = bool(device.camera_pins), HERE / "esp_idf"
    kilobytes = (filling.size // 1024 + APP + 127) // 64 * 64
    values = {
        "chip": device.chip,
        "name": "qingzhou_model",
        "requires": REQUIRES if camera else "esp-dl",
        "camera": '  espressif/esp32-camera: "^2.0.15"' if camera else "",
        "kilobytes": f"{kilobytes}K",
        "flash": str(device.flash_mb),
        "memory": "CONFIG_SPIRAM_MODE_OCT=y\nCONFIG_SPIRAM_SPEED_80M=y" if device.chip == "esp32s3" else "",
    }
    names = ("CMakeLists.txt", "partitions.csv", "sdkconfig.defaults", "main/CMakeLists.txt", "main/idf_component.yml")
    found = {f"esp_idf/{name}": Template((folder / name).read_text("utf-8")).substitute(values) for name in names}
    program = (folder / f"main/main_{filling.language}.cpp").read_text("utf-8")
    return {
        **found,
        "esp_idf/main/main.cpp": Template(program).substitute(values),
        "esp_idf/main/picture.hpp": (folder / "main/picture.hpp").read_text("utf-8"),
        "esp_idf/main/settings.hpp": _settings(device, filling),
    }


def _settings(device: Device, filling: Filling) -> str:
    """settings.hpp: all that differs from model to model and board to board."""
    cut, labels = cut_of(filling.card, filling.name, ESP_FRAME), filling.card.labels
    channels, pins = 1 if cut.color == "GRAY" else 3, device.camera_pins
    numbers = {name: [*row, *(1.0,) * (3 - len(row))] for name, row in (("mean", filling.mean), ("std", filling.std))}
    floats = {name: ", ".join(f"{float(one)!r}f" for one in row) for name, row in numbers.items()}
    lines = [
        "#pragma once",
        '#include "picture.hpp"',
        f"#define HAS_CAMERA {int(bool(pins))}",
        f"static const int CLASSES = {len(labels)};",
        f"static const char *const LABELS[] = {{{', '.join(map(_quoted, labels))}}};",
        f"static const bool OUTPUT_IS_FLOAT = {str(bool(filling.facts.get('float_output', 1))).lower()};",
        "static const Way WAY = {",
        f"    {{{', '.join(map(str, cut.crop))}}}, {{{cut.size[0]}, {cut.size[1]}}}, {channels}, "
        f"{str(cut.color == 'BGR').lower()},",
        f"    {{{floats['mean']}}}, {{{floats['std']}}}, {int(filling.facts.get('input_exponent', 0))}}};",
    ]
    return "\n".join([*lines, *(_camera(pins) if pins else ()), ""])


def _quoted(text: str) -> str:
    """A text of C++, on one line and with nothing in it that ends it; ??/ would be a backslash."""
    return '"' + re.sub(r'[\\"?]', r"\\\g<0>", line(text)) + '"'


def _camera(pins: Mapping[str, int]) -> list[str]:
    """The camera's wires; fields in the order of camera_config_t, as C++ wants it."""
    wires = (
        "pwdn",
        "reset",
        "xclk",
        "sda",
        "scl",
        "d7",
        "d6",
        "d5",
        "d4",
        "d3",
        "d2",
        "d1",
        "d0",
        "vsync",
        "href",
        "pclk",
    )
    called = {"sda": "sccb_sda", "scl": "sccb_scl"}
    return [
        '#include "esp_camera.h"',
        "static camera_config_t camera_settings()",
        "{",
        "    camera_config_t found = {};",
        *(f"    found.pin_{called.get(one, one)} = {pins.get(one, -1)};" for one in wires),
        "    found.xclk_freq_hz = 20000000;",
        "    found.ledc_timer = LEDC_TIMER_0;",
        "    found.ledc_channel = LEDC_CHANNEL_0;",
        "    found.pixel_format = PIXFORMAT_RGB565;",
        "    found.frame_size = FRAMESIZE_QVGA;",
        "    found.fb_count = 2;",
        "    found.fb_location = CAMERA_FB_IN_PSRAM;",
        "    found.grab_mode = CAMERA_GRAB_LATEST;",
        "    return found;",
        "}",
        "static const camera_config_t CAMERA = camera_settings();",
    ]


PROGRAMS: dict[str, Callable[[Device, Filling], dict[str, str]]] = {
    "canmv": _canmv,
    "esp_vision": _esp_vision,
    "esp_idf": _esp_idf,
}
FRAMES = {"canmv": CANMV_FRAME, "esp_vision": ESP_FRAME, "esp_idf": ESP_FRAME}
