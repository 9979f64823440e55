"""Rules: what they mean, when they act, and how a mistake in one is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qingzhou.errors import RuleError, use_language
from qingzhou.runtime import act
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.detect import Detection
from qingzhou.runtime.parts.rule_text import parse, tokens
from qingzhou.runtime.predict import Prediction
from qingzhou.runtime.rules import Rules
from qingzhou.scenes.actions import rules_for

LABELS = ["cat", "dog", "小猫"]
Done = list[tuple[Any, ...]]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Done:
    """What rules did, in the simulator."""
    found: Done = []
    monkeypatch.setenv("QINGZHOU_SIM", "1")
    monkeypatch.setattr(act, "do", lambda *given: found.append(given))
    return found


def says(label: str, score: float = 0.9) -> Prediction:
    """A classifier's answer; the others share the rest."""
    scores = np.full(len(LABELS), (1 - score) / (len(LABELS) - 1), np.float32)
    scores[LABELS.index(label)] = score
    best = int(scores.argmax())
    return Prediction(LABELS[best], best, float(scores[best]), scores)


def things(*labels: str, score: float = 0.9) -> list[Detection]:
    return [Detection(label, LABELS.index(label), score, (0.0, 0.0, 5.0, 5.0)) for label in labels]


def fired(line: str, answers: list[Any], done: Done, pause: float = 0.1) -> list[int]:
    """The numbers of the answers at which a rule acted."""
    rules, places = Rules([line], LABELS), []
    for place, answer in enumerate(answers):
        before = len(done)
        rules.check(answer, now=place * pause)
        if len(done) > before:
            places.append(place)
    return places


CAT, DOG, UNSURE = says("cat"), says("dog"), says("cat", 0.6)
# rule, answers, at which of them it acts
TIMES: list[tuple[str, list[Any], list[int]]] = [
    ('when "cat" above 0.8: print("x")', [DOG, CAT, CAT, CAT, DOG, CAT], [1, 5]),
    ('when "cat" above 0.8 for 3 frames: print("x")', [CAT, CAT, DOG, CAT, CAT, CAT, CAT], [5]),
    # a flicker is no end: it was not away for three frames
    ('when "cat" above 0.8 for 3 frames: print("x")', [CAT] * 3 + [UNSURE] + [CAT] * 9, [2]),
    ('when "cat" above 0.8 for 3 frames: print("x")', [CAT] * 3 + [DOG] * 3 + [CAT] * 3, [2, 8]),
    ('when "cat" above 80%: print("x")', [UNSURE, CAT], [1]),
    ('when "cat" for 0.5 seconds: print("x")', [CAT] * 9, [5]),
    ('when "dog" below 0.1: print("x")', [DOG, CAT], [1]),
    ('when "cat": print("x")', [says("cat", 0.4), CAT], [1]),
    ('when no "cat": print("x")', [CAT, DOG], [1]),
    ('when no "cat" for 2 frames: print("x")', [CAT, DOG, CAT, DOG, DOG, DOG], [4]),
    ('when any above 0.8: print("x")', [CAT, CAT, DOG, DOG, CAT], [0, 2, 4]),
    ('when "cat" and no "dog": print("x")', [things("dog", "cat"), things("cat")], [1]),
    ('when count "cat" above 1: print("x")', [things("cat"), things("cat", "dog"), things("cat", "cat")], [2]),
    ('when count above 1: print("x")', [[], things("cat", "dog")], [1]),
    ('when no any: print("x")', [things("cat"), []], [1]),
    ('when "cat" above 0.5: print("x")', [[], things("cat"), things("cat"), [], things("cat")], [1, 4]),
    ('当 "小猫" 高于 0.8 连续 2 帧：打印("x")', [says("小猫")] * 3, [1]),
    ("当“小猫”高于0.8连续2帧：打印(“x”)，说（类别）", [says("小猫")] * 3, [1]),
    ('如果没有"小猫"持续2帧：引脚(24，关)', [DOG] * 3, [1]),
]


@pytest.mark.parametrize("line, answers, places", TIMES, ids=[f"{i}-{one[0]}" for i, one in enumerate(TIMES)])
def test_it_acts_when_it_comes_true_and_not_thirty_times(
    line: str, answers: list[Any], places: list[int], done: Done
) -> None:
    assert fired(line, answers, done) == places


def test_any_of_a_detector_is_each_thing_by_itself(done: Done) -> None:
    rules = Rules(["when any above 0.5: speak(label)"], LABELS)
    for seen in (things("cat"), things("dog", "cat"), things("dog"), things("dog", "cat")):
        rules.check(seen)
    assert [given for _, given in done] == ["cat", "dog", "cat"]


ARGUMENTS = [
    ('pin(24, on, 0.5), speak("I see {label}, {score}")', [("pin", 24, True, 0.5), ("speak", "I see cat, 0.9")]),
    ('mqtt("siot/a", score), servo(18, 90)', [("mqtt", "siot/a", "0.9"), ("servo", 18, 90)]),
    ('speak("{count} {value} {0} {label.__class__} %s")', [("speak", "1  {0} {label.__class__} %s")]),
    ("serial(count), click()", [("serial", "1"), ("click",)]),
    ("speak('it\"s')", [("speak", 'it"s')]),
    ("说(“你好，世界：(1)”), 舵机(18, 45)", [("speak", "你好，世界：(1)"), ("servo", 18, 45)]),
]


@pytest.mark.parametrize("calls, wanted", ARGUMENTS, ids=[one[0] for one in ARGUMENTS])
def test_what_actions_are_given(calls: str, wanted: Done, done: Done) -> None:
    Rules([f'when "cat" above 0.8: {calls}'], LABELS).check(says("cat"))
    assert done == wanted


def test_a_model_without_classes(done: Done) -> None:
    rules = Rules(["when value above 30: print(value)", "when value(1) below 0: print(value)"], [])
    rules.check(Prediction("", 0, float("nan"), np.array([31.25, -1.0], np.float32)))
    assert done == [("print", "31.2"), ("print", "-1")]


MISTAKES = [
    ('when "cat" abvoe 0.8: speak("x")', "abvoe"),
    ('when "bird": speak("x")', '"bird"'),
    ("", "the end of the line"),
    ('when "cat" above: speak("x")', ":"),
    ('when "cat" above 0.8 for 3: speak("x")', ":"),
    ('if "cat": speak("x")', "if"),
    ('when "cat": fly("x")', "fly"),
    ('when "cat": pin("24", on)', '"24"'),
    ('when "cat": pin(24)', ")"),
    ('when "cat": pin(24, on, 1, 2)', "2"),
    ('when "cat": speak("x"', "the end of the line"),
    ('when "cat', '"'),
    ('when "cat": speak(__import__("os"))', "__import__"),
    ('when cat: speak("x")', "cat"),
    ('when "cat": pin(2.5, on)', "2.5"),
    ('when "cat" for 0 frames: speak("x")', "0"),
    ('when "cat": speak("x") speak("y")', "speak"),
    ("when any: 小狗叫()", "小狗叫"),
    ('when value: speak("x")', ":"),
    ('when button(): speak("x")', ")"),
    ('when "cat" is: speak("x")', ":"),
]


@pytest.mark.parametrize("line, place", MISTAKES, ids=[one[0] for one in MISTAKES])
def test_a_mistake_is_shown_where_it_is(line: str, place: str) -> None:
    with pytest.raises(RuleError) as caught:
        Rules(["when any: print(label)", line], LABELS)
    use_language("en")
    first, shown, mark = str(caught.value).split("\n")
    assert first.startswith(f"Rule 2: found {place}, expected") and shown == "    " + line
    at = mark.index("^")
    if place != "the end of the line":  # ASCII lines: a column is a character
        assert shown[at : at + len(place)].startswith(place[0])
    use_language("zh")
    assert str(caught.value).startswith("第 2 条规则")


def test_the_mark_stands_below_chinese() -> None:
    """Chinese characters are two columns wide in a terminal."""
    with pytest.raises(RuleError) as caught:
        Rules(['当 "小猫" 大鱼 0.8：说("x")'], LABELS)
    mark = str(caught.value).split("\n")[2]
    assert mark == " " * (4 + len("当 ") + 1 + len('"小猫" ') + 2) + "^^^^"


@given(text=st.text(max_size=60), more=st.text(alphabet='when"cat:()，,0.8for3frames ', max_size=40))
def test_any_text_is_a_rule_or_a_rule_error(text: str, more: str) -> None:
    for line in (text, more, 'when "cat"' + text, 'when "cat": ' + more):
        tokens(line)
        try:
            parse(line, 1, LABELS, act.ACTIONS)
        except RuleError as err:
            assert err.en and err.zh


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_rules_in_the_documentation(language: str, done: Done) -> None:
    """Those under RULES, one by one; and the mistake looks as it is printed there."""
    text = (DOCS / language / "scenes.md").read_text("utf-8")
    lines = re.findall(r"^    '(.*)',$", text, re.M)
    assert len(Rules(lines, ["cat", "person", "小猫", "人"]).rules) == 5
    use_language(language)
    wrong = re.findall(r"^    ((?:when|当) .*(?:abvoe|大鱼).*)$", text, re.M)
    with pytest.raises(RuleError) as caught:
        Rules(wrong, LABELS)
    assert str(caught.value) in text


def test_what_is_no_text() -> None:
    with pytest.raises(RuleError):
        Rules([None], LABELS)  # type: ignore[list-item]


def test_rules_for_the_command_line_are_rules(done: Done) -> None:
    """Also with labels that hold quotes."""
    actions = ["speak", "pin:24", "servo:18", "show", "print", "serial", "mqtt:siot/a", "key:space", "sound:beep"]
    actions.append("http:http://a:8/b")
    for labels in (["cat"], ['a "b"'], ["it's"]):
        entry = Input("x", "image", [1, 1, 8, 8])
        card = Card("classification", "LeNet", "MMEdu", entry, Output("y", "logits"), labels)
        assert len(Rules(rules_for(actions, card), labels).rules) == 12
