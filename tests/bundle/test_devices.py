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

from qingzhou.bundle.wheels import PACKAGE
from qingzhou.cli import main
from qingzhou.devices import all_devices, load
from qingzhou.devices.read import parse
from qingzhou.engines import ENGINES
from qingzhou.errors import OptionError, ProfileError, use_language
from qingzhou.targets import TARGETS

NAMES = [
    "browser",
    "generic-linux-arm64",
    "jetson",
    "lubancat2",
    "orangepi3b",
    "orangepi5",
    "pc",
    "pi4-32",
    "pi4-64",
    "pi5",
    "rock4d",
    "unihiker",
]
TEXT = (files("qingzhou") / "devices/unihiker.toml").read_text("utf-8")


def test_all_are_there() -> None:
    assert [device.name for device in all_devices()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_whole(name: str) -> None:
    """Every engine has a version for some Python there, or a package of the system's; both languages have as much."""
    device = load(name)
    assert set(device.title) == {"zh", "en"} and len(device.notes["zh"]) == len(device.notes["en"])
    assert 0 < device.free_mb < device.memory_mb and device.speed["fp32"] > 0 and device.speed_source
    assert device.opset >= 11 and device.ir >= 6
    for engine in device.engines if not device.is_page else ():
        assert engine in ENGINES or device.chip in TARGETS[engine].chips
        assert any(PACKAGE.get(engine, engine) in found for found in device.pythons.values())
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
        assert device.instructions == load(device.counted_on).instructions


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
    ("Raspberry Pi 5", "pi5"),
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


def test_they_are_listed() -> None:
    shown = CliRunner().invoke(main, ["devices", "--lang", "zh"])
    use_language(None)
    assert shown.exit_code == 0 and "行空板" in shown.output and "1.13.1" in shown.output
    listed = json.loads(CliRunner().invoke(main, ["devices", "--json"]).output)["devices"]
    assert [device["name"] for device in listed] == NAMES
    assert listed[-1]["python"]["3.7"]["onnxruntime"] == "1.13.1" and listed[-1]["opset"] == 17
