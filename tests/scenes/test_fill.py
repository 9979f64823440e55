"""Programs with other values for their constants, and rules for the actions of a command line."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qingzhou.errors import OptionError, use_language
from qingzhou.runtime import act
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.parts.rule_text import parse
from qingzhou.scenes import SCENES, program
from qingzhou.scenes.actions import rules_for, whom
from qingzhou.scenes.fill import constants_of, fill

CODE = '''"""What it does."""

import sys

MODEL = "model.onnx"  # the file
RULES = [  # what happens when
    "one",
    "two",
]
LEVEL = 0.5
HERE = sys.argv[0]

print(MODEL, RULES, LEVEL)
'''
PLAIN = st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.none(), st.lists(st.text(max_size=9)))


def card(kind: str = "image", task: str = "classification", labels: Any = ("cat", "dog")) -> Card:
    shape: list[int | None] = [1, 4] if kind in ("table", "array") else [1, 1, 8, 8]
    return Card(task, "LeNet", "MMEdu", Input("input", kind, shape), Output("output", "logits"), list(labels))


@example(model="\x000", rules=None, level=0.0)  # as an octal number it would lose the 0
@given(model=PLAIN, rules=PLAIN, level=st.floats(allow_nan=False, allow_infinity=False))
def test_the_program_holds_the_values_and_all_else_as_it_was(model: Any, rules: Any, level: float) -> None:
    code = fill(CODE, {"MODEL": model, "RULES": rules, "LEVEL": level})
    found = {node.targets[0].id: node.value for node in ast.parse(code).body if isinstance(node, ast.Assign)}  # type: ignore[attr-defined]
    assert [ast.literal_eval(found[name]) for name in ("MODEL", "RULES", "LEVEL")] == [model, rules, level]
    assert fill(code, {"MODEL": "model.onnx", "RULES": ["one", "two"], "LEVEL": 0.5}) == CODE


@pytest.mark.parametrize("name", ["HERE", "NOWHERE", "model"])
def test_a_constant_that_is_not_there(name: str) -> None:
    with pytest.raises(OptionError, match="MODEL"):
        fill(CODE, {name: 1})


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_program_has_its_constants_and_is_short(scene: str, language: str) -> None:
    kinds = {"text": "tokens", "detect": "image", "values": "table"}
    tasks = {"detect": "detection", "values": "regression", "text": "generation"}
    for kind in SCENES[scene].kinds:
        entry = kinds.get(kind, kind)
        entry = entry if entry in SCENES[scene].inputs else SCENES[scene].inputs[0]
        text = program(scene, card(entry, tasks.get(kind, "classification")), language, {})
        assert set(SCENES[scene].constants) <= set(constants_of(text))
        assert len(text.splitlines()) <= 60
        comments = [line for line in text.splitlines() if "#" in line]
        assert any("一" <= letter <= "鿿" for letter in "".join(comments)) == (language == "zh")


@pytest.mark.parametrize("arguments", [("film", card()), ("basic", card("image", "detection"), {"RULES": []})])
def test_no_such_scene_or_constant(arguments: Any) -> None:
    scene, model, constants = (*arguments, {})[:3]
    with pytest.raises(OptionError):
        program(scene, model, "en", constants)


RULES = [
    ("speak", ["when any above 0.8 for 3 frames: speak(label)"]),
    ("pin:24", ['when "cat" above 0.8 for 3 frames: pin(24, on)', 'when no "cat" for 3 frames: pin(24, off)']),
    ("dog=servo:18", ['when "dog" above 0.8 for 3 frames: servo(18, 90)', 'when no "dog" for 3 frames: servo(18, 0)']),
    ("mqtt:siot/cat", ['when any above 0.8 for 3 frames: mqtt("siot/cat", label)']),
    ("http:http://a:8/?x=1", ['when any above 0.8 for 3 frames: http("http://a:8/?x=1", label)']),
]


@pytest.mark.parametrize("action, rules", RULES, ids=[action for action, _ in RULES])
def test_an_action_as_rules(action: str, rules: list[str]) -> None:
    assert rules_for([action], card()) == rules


CHINESE = [
    ("说", "speak"),
    ("朗读", "speak"),
    ("打印", "print"),
    ("显示", "show"),
    ("串口", "serial"),
    ("引脚:24", "pin:24"),
    ("声音：叮.wav", "sound:叮.wav"),
    ("小猫=引脚：24", "小猫=pin:24"),
    ("小猫＝舵机：21", "小猫=servo:21"),
    ("按键:space", "key:space"),
    ("mqtt:siot/{label}=1", "mqtt:siot/{label}=1"),
    ("小猫=http:http://a:8/?x=1：2", "小猫=http:http://a:8/?x=1：2"),
    ("a=b:c=pin:1", "a=b:c=pin:1"),
]


@pytest.mark.parametrize(("chinese", "english"), CHINESE)
@pytest.mark.parametrize("model", [card(labels=("大象", "小猫", "a=b:c")), card("table", "regression", ())])
def test_actions_and_rules_in_chinese(chinese: str, english: str, model: Card) -> None:
    """A Chinese name is the English one, and a rule in Chinese means what the English one does."""
    labels = model.labels
    if chinese.startswith(("小猫", "a=b")) and not labels:
        with pytest.raises(OptionError, match=r"it knows none|no action"):
            rules_for([chinese], model)
        return
    assert rules_for([chinese], model) == rules_for([english], model)
    spoken = rules_for([chinese], model, language="zh")
    meant = [parse(text, 1, labels, act.ACTIONS)[1:] for text in rules_for([english], model)]
    assert [parse(text, 1, labels, act.ACTIONS)[1:] for text in spoken] == meant
    assert all(text.startswith("当 ") and "：" in text and "when" not in text for text in spoken)


def test_what_a_pin_does_is_undone_for_values_too() -> None:
    found = rules_for(["pin:24"], card("table", "regression", ()))
    assert found == ["when value above 0.8: pin(24, on)", "when value below 0.8: pin(24, off)"]


WHOM = [
    ("speak", "every class", "每个类别"),
    ("pin:24", "only cat, the first", "第一类“cat”"),
    ("引脚:24", "only cat", "cat"),
    ("dog=pin:24", "", ""),
    ("dog=speak", "", ""),
]


@pytest.mark.parametrize(("action", "english", "chinese"), WHOM)
def test_an_action_without_a_class_says_which_triggers_it(action: str, english: str, chinese: str) -> None:
    for lang, part in (("en", english), ("zh", chinese)):
        use_language(lang)
        found = whom([action], card())
        use_language(None)
        assert len(found) == bool(part)
        assert all(part in text and f"dog={action}" in text for text in found)
    assert whom(["speak", "pin:24"], card(labels=["cat"])) == [], "there is no choice"


def test_what_shows_only_once_needs_no_three_frames() -> None:
    """A spoken word, which the scene "listen" has in the middle of a second once or twice."""
    assert SCENES["listen"].frames == 1
    said, *switched = rules_for(["speak", "dog=pin:24"], card(), 1)
    assert said == "when any above 0.8: speak(label)"
    assert switched == ['when "dog" above 0.8: pin(24, on)', 'when no "dog" for 3 frames: pin(24, off)']


def test_a_model_without_classes() -> None:
    assert rules_for(["serial"], card("table", "regression", ())) == ["when value above 0.8: serial(value)"]


NONE = ["", "fly", "pin", "pin:", "pin:on", "speak:x", "bird=speak", 'mqtt:a"b', "mqtt:a”b", "key", "引脚", "飞",
        "小鸟=说", "pin:２４", "pin:-1", "http://192.168.1.5/x", "http:192.168.1.5/x"]  # fmt: skip


@pytest.mark.parametrize("action", NONE)
def test_an_action_that_is_none(action: str) -> None:
    with pytest.raises(OptionError):
        rules_for([action], card())
