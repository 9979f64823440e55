"""Devices as data: every profile is whole, and what is wrong with one is named."""

from __future__ import annotations

import importlib.util
import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from qingzhou.boards.programs import PROGRAMS
from qingzhou.bundle.wheels import PACKAGE
from qingzhou.cli import main
from qingzhou.devices import Npu, Price, all_devices, load
from qingzhou.devices.named import meant_by
from qingzhou.devices.read import parse
from qingzhou.engines import ENGINES
from qingzhou.errors import OptionError, ProfileError, use_language
from qingzhou.present.devices import _facts
from qingzhou.targets import TARGETS

BOARDS = ["01studio-k230", "canmv-k230", "esp32-p4", "esp32-s3", "lushan-k230", "unihiker-k10"]  # without Linux
COMPUTERS = ["android", "browser", "generic-linux-arm64", "jetson", "pc", "pi4-32", "pi4-64", "pi5", "unihiker"]
NPUS = ["lubancat2", "orangepi3b", "orangepi5", "rock4d"]
NAMES = sorted([*BOARDS, *COMPUTERS, *NPUS], key=lambda name: f"{name}.toml")
TEXT = (files("qingzhou") / "devices/unihiker.toml").read_text("utf-8")


def test_all_are_there() -> None:
    assert [device.name for device in all_devices()] == NAMES


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_without_linux_is_whole(name: str) -> None:
    """Its one engine is a vendor's compiler that knows its chip; it has programs, and memory that is said."""
    device = load(name)
    assert set(device.title) == {"zh", "en"} and len(device.notes["zh"]) == len(device.notes["en"])
    assert 0 < device.free_mb < device.memory_mb and device.speed_source and not device.pythons
    (engine,) = device.engines
    assert TARGETS[engine].chip(device.chip) == device.chip and device.chip
    assert device.programs and set(device.programs) <= set(PROGRAMS) and not device.is_page
    assert bool(device.flash_mb) == (engine == "esp32") and all(-1 <= pin < 56 for pin in device.camera_pins.values())


@pytest.mark.parametrize("name", COMPUTERS)
def test_a_profile_is_whole(name: str) -> None:
    """Every engine has a version for some Python there, or a package of the system's; both languages have as much."""
    device = load(name)
    assert set(device.title) == {"zh", "en"} and len(device.notes["zh"]) == len(device.notes["en"])
    assert 0 < device.free_mb < device.memory_mb and device.speed["fp32"] > 0 and device.speed_source
    assert device.opset >= 11 and device.ir >= 6 and set(device.camera) == {"zh", "en"}
    for engine in device.engines if device.pythons else ():
        assert engine in ENGINES or device.chip in TARGETS[engine].chips
        assert any(PACKAGE.get(engine, engine) in {*found, *device.system} for found in device.pythons.values())
    for python, found in device.pythons.items():
        assert python.startswith("3.")
        assert {"numpy", "Pillow"} <= set(found) | set(device.system)


def test_borrowed_counts_are_the_other_devices() -> None:
    """And are said to be: only a device whose processor was emulated has counts of its own."""
    borrowed = [device for device in all_devices() if device.counted_on != device.name]
    assert {device.name for device in borrowed} == {
        "jetson",
        "generic-linux-arm64",
        "lubancat2",
        "orangepi3b",
        "orangepi5",
        "rock4d",
    }
    for device in borrowed:
        counted = load(device.counted_on).instructions
        assert device.instructions and device.instructions.items() <= counted.items()


def lab() -> Any:
    """tests/boards/boards.py, whatever else is called boards on the path."""
    spec = importlib.util.spec_from_file_location("lab_boards", Path(__file__).parents[1] / "boards" / "boards.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_boards_of_the_lab_have_the_same_packages() -> None:
    """What is emulated is what the profile installs: tests/boards/boards.py."""
    boards = lab()
    assert load("unihiker").pythons["3.7"]["onnxruntime"] in str(boards.BOARDS["unihiker"].wheels)
    for name, board in boards.BOARDS.items():
        device = load(name)
        assert board.minor in device.pythons and device.machine == boards.MACHINE[board.arch]
        assert device.dot_product == ("asimddp" in board.features) and device.glibc <= max(board.glibc, 36)


NAMED = [
    ("行空板", "unihiker"),
    ("行空板 M10", "unihiker"),
    ("UNIHIKER", "unihiker"),
    ("Unihiker M10", "unihiker"),
    ("香橙派5", "orangepi5"),
    ("香橙派 3B", "orangepi3b"),
    ("RK3588", "orangepi5"),
    ("树莓派5", "pi5"),
    ("树莓派 ５", "pi5"),
    ("树莓派4", "pi4-64"),
    ("树莓派 4（32 位系统）", "pi4-32"),
    ("树莓派4-32位", "pi4-32"),
    ("电脑", "pc"),
    ("浏览器", "browser"),
    ("行空板 K10", "unihiker-k10"),
    ("庐山派", "lushan-k230"),
    ("01科技", "01studio-k230"),
    ("k230", "canmv-k230"),
    ("ESP32-S3", "esp32-s3"),
    ("Raspberry Pi 5", "pi5"),
    ("M10", "unihiker"),
]


@pytest.mark.parametrize(("given", "name"), NAMED)
def test_a_device_by_another_name(given: str, name: str) -> None:
    assert load(given).name == name


def test_no_name_is_two_devices() -> None:
    names = [name for one in all_devices() for name in {one.name, *one.names, *one.title.values()}]
    assert len(names) == len(set(names)) and all(one.names for one in all_devices())


WRONG = [
    ('pin = "0-4', 'pin = "0-x', "pin_numbers.pin"),
    ("cores = 4", 'cores = "four"', "cores"),
    ("cores = 4\n", "", "cores"),
    ("cores = 4", "cores = 4\ncolour = 'red'", "colour"),
    ("opset = 17", "", "opset"),
    ("width = 240", "breadth = 240", "breadth"),
    ('en = "Unihiker M10"', 'fr = "Unihiker M10"', "en"),
    ("fp32 = 530", "fp32 = 'fast'", "fast"),
    ("cores = 4", "cores = ", "line"),
    ("memory_mb = 512", "memory_mb = 0", "memory_mb"),
    ("memory_mb = 512", "memory_mb = true", "memory_mb"),
    ("cores = 4", "cores = 4\npsram_mb = 0.5", "psram_mb"),
    ("cores = 4", 'cores = 4\nnpu = { colour = "red" }', "colour"),
    ("cores = 4", "cores = 4\nprice = { under = 300 }", "source"),
    ("cores = 4", 'cores = 4\nprice = { source = "DFRobot" }', "under"),
    ("cores = 4", 'cores = 4\nprice = { source = "DFRobot", under = "300" }', "price.under"),
    ("cores = 4", 'cores = 4\ndisplay = { zh = "HDMI" }', "en"),
]


@pytest.mark.parametrize(("old", "new", "named"), WRONG)
def test_what_is_wrong_with_a_profile_is_named(old: str, new: str, named: str) -> None:
    assert old in TEXT
    with pytest.raises(ProfileError) as caught:
        parse("board", TEXT.replace(old, new, 1))
    assert named in caught.value.en and "board.toml" in caught.value.zh


def test_an_unknown_device_names_those_there_are() -> None:
    with pytest.raises(OptionError, match=r"unihiker.*qingzhou devices") as caught:
        load("toaster")
    assert "unihiker（行空板）" in caught.value.zh


MEANT = [
    ("树莓派", ["pi4-32", "pi4-64", "pi5"]),
    ("树莓派五", ["pi4-64", "pi5"]),
    ("行空版", ["unihiker"]),
    ("unihikr", ["unihiker", "unihiker-k10"]),
    ("toaster", []),
    ("", []),
]


@pytest.mark.parametrize(("given", "names"), MEANT)
def test_what_a_wrong_name_may_have_meant(given: str, names: list[str]) -> None:
    assert sorted(device.name for device in meant_by(given)) == names


def test_a_wrong_name_is_asked_about_in_both_languages() -> None:
    with pytest.raises(OptionError) as caught:
        load("行空版\x1b")
    assert "Did you mean unihiker?" in caught.value.en and "是指 行空板（unihiker） 吗？" in caught.value.zh
    assert "\x1b" not in caught.value.en + caught.value.zh


MICRO = """
ram_kb = 512
psram_mb = 8
flash_mb = 16
npu = { name = "KPU", engine = "k230" }
price = { under = 300, over = 100, source = "somebody" }
display = { zh = "插座", en = "a socket" }
"""


def test_what_only_some_devices_have() -> None:
    """A microcontroller: less than a MB, an NPU, a price that somebody said."""
    text = MICRO + TEXT[: TEXT.index('[python."3.7"]')] + TEXT[TEXT.index("[ceiling]") :]
    one = parse("board", text.replace("memory_mb = 512", "memory_mb = 0.5").replace("free_mb = 300", "free_mb = 0.25"))
    assert (one.memory_mb, one.ram_kb, one.psram_mb, one.flash_mb) == (0.5, 512, 8, 16)
    assert one.npu == Npu("KPU", "k230") and one.price == Price("somebody", 300, 100)
    assert json.loads(json.dumps(one.as_dict()))["price_yuan"] == {"source": "somebody", "under": 300, "over": 100}
    use_language("zh")
    try:
        told = dict(_facts(one))
    finally:
        use_language(None)
    assert told["NPU"] == "KPU (k230)" and told["价格"] == "100～300 元（somebody）"
    assert told["内存"] == "0.5 MB（程序可用 0.25 MB），片内 RAM 512 KB，PSRAM 8 MB，闪存 16 MB"
    assert told["屏幕"] == "自带 240 × 320，插座" and told["引脚"].startswith("pinpong\n输出 0–4, 8–16, 19–25\n")


@pytest.mark.parametrize("given", ["行空板", "unihiker"])
def test_one_is_shown(given: str) -> None:
    shown = CliRunner().invoke(main, ["devices", given, "--lang", "zh"])
    use_language(None)
    assert shown.exit_code == 0
    for text in (
        "行空板 M10",
        "Cortex-A35",
        "程序可用 300 MB",
        "240 × 320",
        "舵机 0, 2–3",
        "onnxruntime 1.13.1",
        "214",
    ):
        assert text in shown.output, text
    told = json.loads(CliRunner().invoke(main, ["devices", given, "--json"]).output)
    assert told == load("unihiker").as_dict()


def test_one_that_is_not_there() -> None:
    shown = CliRunner().invoke(main, ["devices", "unihikr", "--lang", "en"])
    use_language(None)
    assert shown.exit_code == 1 and "Did you mean unihiker, unihiker-k10?" in shown.output.replace("\n", " ")


def test_they_are_listed() -> None:
    shown = CliRunner().invoke(main, ["devices", "--lang", "zh"])
    use_language(None)
    assert shown.exit_code == 0 and "行空板" in shown.output and "1.13.1" in shown.output
    listed = json.loads(CliRunner().invoke(main, ["devices", "--json"]).output)["devices"]
    assert [device["name"] for device in listed] == NAMES
    assert listed[-1]["python"]["3.7"]["onnxruntime"] == "1.13.1" and listed[-1]["opset"] == 17


def test_an_unknown_speed_is_said_in_the_language_in_use() -> None:
    done = CliRunner().invoke(main, ["devices", "K10", "--lang", "zh"])
    assert done.exit_code == 0 and "没有人测过" in done.output and "nobody" not in done.output
