"""Rules of bundles: only for classes that the model has and pins that the device has, in the bundle's language."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from passengers import ORACLE
from qingzhou.bundle.build import build
from qingzhou.bundle.rules import as_rules, check_rules
from qingzhou.devices import all_devices, load
from qingzhou.errors import DeviceError, OptionError, RuleError
from qingzhou.runtime.parts import pins

LENET = ORACLE / "trained/lenet_digits.pth"
REFUSED = [  # device, rule, what its message says in both languages
    ("unihiker", "when any: pin(99, on)", "0-4, 8-16, 19-25"),
    ("unihiker", "when any: pin(5, on)", "0-4, 8-16, 19-25"),
    ("unihiker", "当 任何：舵机(1, 90)", "0, 2-3, 8-10, 16, 21-23"),
    ("unihiker", "when button(25): print(1)", "0-4, 8-16, 19-24"),
    ("pi5", "when any: print(1), pin(99, on)", "2-27"),
    ("pi4-64", "when any: pin(1, on)", "2-27"),
    ("pi4-32", "when any and button(28): print(1)", "2-27"),
    ("pc", "when any: pin(24, on)", "qingzhou devices"),
    ("jetson", "when any: servo(18, 90)", "qingzhou devices"),
]
TAKEN = [
    ("unihiker", "when any: pin(24, on)"),
    ("unihiker", "当 任何：舵机(21, 90)"),
    ("unihiker", 'when button("a"): pin(25, on)'),
    ("pi5", "when any: pin(2, on), servo(27, 0)"),
    ("pi4-64", "when button(21): print(1)"),
    ("pc", "when any: speak(label)"),
]


@pytest.mark.parametrize(("device", "rule", "named"), REFUSED)
def test_a_pin_that_is_not_there(device: str, rule: str, named: str) -> None:
    with pytest.raises(OptionError) as caught:
        check_rules([rule], ["cat"], load(device))
    for text, title in ((caught.value.en, load(device).title["en"]), (caught.value.zh, load(device).title["zh"])):
        assert named in text and title in text


@pytest.mark.parametrize(("device", "rule"), TAKEN)
def test_a_pin_that_is_there(device: str, rule: str) -> None:
    check_rules([rule], ["cat"], load(device))


def test_devices_with_pins_say_which() -> None:
    for device in all_devices():
        assert set(device.pin_numbers) == ({"pin", "servo", "button"} if device.pins else set())


@pytest.mark.parametrize(("given", "rules"), [((), ()), ("a", ("a",)), (["a", "b"], ("a", "b")), (("a",), ("a",))])
def test_rules_given_as_they_are(given: object, rules: tuple[str, ...]) -> None:
    assert as_rules(given) == rules


@pytest.mark.parametrize("given", [3, None, [1], {"a": 1}])
def test_what_is_no_rule(given: object) -> None:
    with pytest.raises(OptionError, match="RULES"):
        as_rules(given)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"actions": ["pin:99"]}, OptionError),
        ({"actions": ["cat=pin:24"]}, OptionError),
        ({"constants": {"RULES": ['when "cat": pin(24, on)']}}, RuleError),
        ({"constants": {"RULES": ["when any: pin(99, on)"]}}, OptionError),
    ],
)
def test_refused_before_anybody_waits(options: dict[str, list[str]], error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        build(LENET, "unihiker", "camera", out=tmp_path / "b", **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_chinese_bundle(tmp_path: Path) -> None:
    """Device and actions by Chinese names, rules in Chinese; actions and rules given beside them both stand in it."""
    given = '当 "3" 高于 0.9：打印(类别)'
    made = build(
        LENET,
        "行空板",
        "camera",
        actions=["说", "7=引脚：24", "引脚:0"],
        out=tmp_path / "b",
        lang="zh",
        engine="onnxruntime",
        constants={"RULES": given},
    )
    assert made.device.name == "unihiker"
    assert made.rules == (
        "当 任何 高于 0.8 连续 3 帧：说(类别)",
        '当 "7" 高于 0.8 连续 3 帧：引脚(24, 开)',
        '当 没有 "7" 连续 3 帧：引脚(24, 关)',
        '当 "0" 高于 0.8 连续 3 帧：引脚(0, 开)',
        '当 没有 "0" 连续 3 帧：引脚(0, 关)',
        given,
    )
    program, readme = ((made.path / name).read_text("utf-8") for name in ("main.py", "README.md"))
    assert all(rule in program and rule in readme for rule in made.rules)
    assert sum("引脚:0" in note for note in made.notes) == 1, "without a class, it is said which triggers it"
    facts = json.loads((made.path / "bundle.json").read_text("utf-8"))
    assert facts["pins"]["servo"] == list(load("unihiker").pin_numbers["servo"])
    wrong = program.replace("引脚(24, 开)", "引脚(99, 开)")
    (made.path / "main.py").write_text(wrong, "utf-8")
    env = {**os.environ, "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "main.py", "--sim"], cwd=made.path, env=env, capture_output=True, encoding="utf-8"
    )
    assert done.returncode and "0-4, 8-16, 19-25" in done.stdout + done.stderr, "the simulator has the board's pins"
    assert "Traceback" not in done.stderr


def test_spans() -> None:
    assert pins.spans([3, 1, 2, 7, 9, 10]) == "1-3, 7, 9-10"
    with pytest.raises(DeviceError, match="1-3"):
        pins.check("pin", 4, {"pin": [1, 2, 3]})
    for kind, pin in (("pin", 3), ("button", "a"), ("servo", 99)):  # named buttons, and boards that nothing is known of
        pins.check(kind, pin, {"pin": [1, 2, 3], "button": [1]})
