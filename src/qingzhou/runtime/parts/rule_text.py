"""The text of a rule, read by a small parser of our own; nothing in it is ever run as Python.

rule    when TERM {and TERM} [for 3 frames | for 2 seconds]: ACTION {, ACTION}
TERM    [no] SUBJECT [above 0.8 | below 20 | is "on"]
SUBJECT "cat" | any | count "cat" | value | value(1) | button(21) | serial("light") | mqtt("siot/light")
ACTION  speak("text") | pin(24, on) | … with label, score, count and value for what was found
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from typing import Any, List, Mapping, NamedTuple, Sequence, Tuple

from ..address import hidden
from ..errors import RuleError
from .sensing import SENSORS

CHINESE = {
    "当": "when", "如果": "when", "高于": "above", "大于": "above", "低于": "below", "小于": "below", "是": "is",
    "连续": "for", "持续": "for", "帧": "frames", "秒": "seconds", "任何": "any", "任意": "any", "没有": "no",
    "并且": "and", "且": "and", "开": "on", "关": "off", "数量": "count", "数值": "value", "类别": "label",
    "置信度": "score", "说": "speak", "朗读": "speak", "声音": "sound", "引脚": "pin", "舵机": "servo", "显示": "show",
    "打印": "print", "串口": "serial", "按钮": "button", "按键": "key", "点击": "click",
}  # fmt: skip
MARKS = {"：": ":", "，": ",", "、": ",", "（": "(", "）": ")", "“": '"', "”": '"', "‘": "'", "’": "'"}
WORDS = ("label", "score", "count", "value")  # that stand for what was found
TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"“”]*["”]|“[^"“”]*["”]|'[^'‘’]*['’]|‘[^'‘’]*['’])"""
    r"""|(?P<number>-?\d+(?:\.\d+)?%%?|-?\.\d+%%?)|(?P<word>%s|[A-Za-z_]+|[\u4e00-\u9fff]+)|(?P<mark>[:,()：，、（）])|(?P<odd>\S))"""
    % "|".join(sorted(CHINESE, key=len, reverse=True)),
)


class Name(NamedTuple):
    """label, score, count or value, to be filled in."""

    name: str


class Token(NamedTuple):
    """kind: "text", "number", "word", "mark", "odd" or "end";  value: what it means;  place, size: where it stands"""

    kind: str
    value: Any
    place: int
    size: int


class Term(NamedTuple):
    """kind: "label", "any", "count", "value" or "sensor";  compare: "above", "below", "is" or "" with its limit"""

    kind: str
    name: str
    given: Tuple[Any, ...]
    compare: str
    limit: Any
    negated: bool


class Call(NamedTuple):
    """An action with its arguments: texts, numbers, True and False, Names."""

    name: str
    given: Tuple[Any, ...]


class Rule(NamedTuple):
    """text: as it was written;  hold, unit: how many "frames" or "seconds" it must be true"""

    text: str
    terms: Tuple[Term, ...]
    hold: float
    unit: str
    calls: Tuple[Call, ...]


def parse(text: str, number: int, labels: Sequence[str], actions: Mapping[str, Any]) -> Rule:
    """A rule; RuleError that shows the place. `number` counts the rules, for the message."""
    return Parser(text, number, labels, actions).rule()


def parse_sensor(text: str, number: int) -> Term:
    """A sensor by itself, such as serial("light"); RuleError that shows the place."""
    return Parser(text, number, (), {}).sensor()


def tokens(text: str) -> List[Token]:
    """The words of a rule; Chinese ones in English."""
    found = []
    for match in TOKEN.finditer(text):
        kind = str(match.lastgroup)
        found.append(Token(kind, _meaning(kind, match.group(kind)), match.start(kind), len(match.group(kind))))
    return [*found, Token("end", "", len(text.rstrip()), 1)]


def _meaning(kind: str, text: str) -> Any:
    if kind == "text":
        return text[1:-1]
    if kind == "number":
        value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
        return int(value) if value == int(value) and "." not in text and "%" not in text else value
    if kind == "mark":
        return MARKS.get(text, text)
    return CHINESE.get(text, text.lower()) if kind == "word" else text


class Parser:
    """Reads one rule from left to right."""

    def __init__(self, text: str, number: int, labels: Sequence[str], actions: Mapping[str, Any]) -> None:
        if not isinstance(text, str):
            raise RuleError(
                en='Rule %d is %r, but a rule is a text such as \'when "cat" above 0.8: speak("cat")\'.'
                % (number, text),
                zh='第 %d 条规则是 %r，而规则应为文字，例如 \'当 "小猫" 高于 0.8：说("小猫")\'。' % (number, text),
            )
        self.text, self.number, self.labels, self.actions = text, number, labels, actions
        self.tokens = tokens(text)
        self.place = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def rule(self) -> Rule:
        self._word("when")
        terms = [self._term()]
        while self._accept("word", "and"):
            terms.append(self._term())
        hold, unit = self._hold()
        self._mark(":", 'above, below, is, and, for or ":"', "高于、低于、是、并且、连续或冒号")
        calls = [self._call()]
        while self._accept("mark", ","):
            calls.append(self._call())
        if self.next.kind != "end":
            raise self._wrong("逗号或行尾", '"," or the end of the line')
        return Rule(self.text, tuple(terms), hold, unit, tuple(calls))

    def sensor(self) -> Term:
        """All of the text as one sensor."""
        if self.next.value not in SENSORS:
            raise self._wrong("传感器：%s" % "、".join(SENSORS), "a sensor: %s" % ", ".join(SENSORS))
        kind, name, given = self._subject()
        if self.next.kind != "end":
            raise self._wrong("行尾", "the end of the line")
        return Term(kind, name, given, "", None, False)

    # -- when ---------------------------------------------------------------------------------------------------------

    def _term(self) -> Term:
        negated = self._accept("word", "no")
        kind, name, given = self._subject()
        compare, limit = "", None
        if self.next.kind == "word" and self.next.value in ("above", "below", "is"):
            compare = self._take().value
            limit = self._limit(compare)
        elif kind in ("count", "value"):
            raise self._wrong("above 或 below 和一个数", "above or below and a number")
        return Term(kind, name, given, compare, limit, negated)

    def _subject(self) -> Tuple[str, str, Tuple[Any, ...]]:
        token = self.next
        if token.kind == "text":
            return "label", self._label(), ()
        if token.kind == "word" and token.value == "any":
            self._take()
            return "any", "", ()
        if token.kind == "word" and token.value == "count":
            self._take()
            return "count", self._label() if self.next.kind == "text" else "", ()
        if token.kind == "word" and token.value == "value":
            self._take()
            return "value", "", self._arguments(("whole?",)) if self.next.value == "(" else ()
        if token.kind == "word" and token.value in SENSORS:
            self._take()
            return "sensor", token.value, self._arguments(SENSORS[token.value].takes)
        raise self._wrong(
            "带引号的类别、any、count、value 或传感器（%s）" % "、".join(SENSORS),
            "a label in quotes, any, count, value, or a sensor (%s)" % ", ".join(SENSORS),
        )

    def _label(self) -> str:
        name = str(self.next.value)
        if name not in self.labels:
            near = difflib.get_close_matches(name, self.labels, 3, 0.4) or list(self.labels[:8])
            raise self._wrong(
                "模型认识的类别，例如：%s" % ("、".join(near) or "（这个模型没有类别）"),
                "a label that the model knows, such as %s" % (", ".join(near) or "(this model has none)"),
            )
        self._take()
        return name

    def _limit(self, compare: str) -> Any:
        if compare == "is":
            if self.next.kind == "word" and self.next.value in ("on", "off"):
                return {"on": True, "off": False}[self._take().value]
            if self.next.kind in ("text", "number"):
                return self._take().value
            raise self._wrong("带引号的文字、数、on 或 off", "a text in quotes, a number, on or off")
        return self._number()

    def _hold(self) -> Tuple[float, str]:
        if not self._accept("word", "for"):
            return 1, "frames"
        if self.next.kind == "number" and self.next.value <= 0:
            raise self._wrong("大于 0 的数", "a number above 0")
        hold = self._number()
        unit = self.next.value if self.next.kind == "word" else ""
        if unit not in ("frame", "frames", "second", "seconds"):
            raise self._wrong("frames（帧）或 seconds（秒）", "frames or seconds")
        self._take()
        return hold, unit.rstrip("s") + "s"

    # -- actions ------------------------------------------------------------------------------------------------------

    def _call(self) -> Call:
        name = self.next.value
        if self.next.kind != "word" or name not in self.actions:
            near = difflib.get_close_matches(str(name), list(self.actions), 1, 0.6)
            raise self._wrong(
                "动作：%s" % "、".join(near or self.actions), "an action: %s" % ", ".join(near or self.actions)
            )
        self._take()
        return Call(name, self._arguments(self.actions[name].takes))

    def _arguments(self, takes: Sequence[str]) -> Tuple[Any, ...]:
        self._mark("(", '"("', "括号")
        given: List[Any] = []
        while not (self.next.kind == "mark" and self.next.value == ")"):
            if given:
                self._mark(",", '"," or ")"', "逗号或括号")
            if len(given) == len(takes):
                raise self._wrong(
                    '")"：这里最多有 %d 个值' % len(takes), '")": there are at most %d values here' % len(takes)
                )
            given.append(self._argument(takes[len(given)].rstrip("?")))
        if len(given) < len([kind for kind in takes if not kind.endswith("?")]):
            kind = takes[len(given)]
            raise self._wrong(KINDS[kind][1], KINDS[kind][0])
        self._take()
        return tuple(given)

    def _argument(self, kind: str) -> Any:
        token = self.next
        if token.kind == "word" and token.value in WORDS and kind in ("text", "number"):
            return Name(self._take().value)
        if kind in ("text", "any") and token.kind in ("text", "number"):
            return self._take().value
        if kind == "number" and token.kind == "number":
            return self._take().value
        if kind == "whole" and token.kind == "number" and isinstance(token.value, int) and token.value >= 0:
            return self._take().value
        if kind == "state" and token.kind == "word" and token.value in ("on", "off"):
            return self._take().value == "on"
        raise self._wrong(KINDS[kind][1], KINDS[kind][0])

    # -- tokens -------------------------------------------------------------------------------------------------------

    def _take(self) -> Token:
        token = self.next
        self.place += token.kind != "end"
        return token

    def _accept(self, kind: str, value: str) -> bool:
        if self.next.kind == kind and self.next.value == value:
            self._take()
            return True
        return False

    def _number(self) -> float:
        if self.next.kind != "number":
            raise self._wrong("一个数，例如 0.8", "a number such as 0.8")
        return float(self._take().value)

    def _word(self, word: str) -> None:
        if not self._accept("word", word):
            raise self._wrong("%s（当）" % word, word)

    def _mark(self, mark: str, en: str, zh: str) -> None:
        if not self._accept("mark", mark):
            raise self._wrong(zh, en)

    def _wrong(self, zh: str, en: str) -> RuleError:
        """What was expected at the next token, with the line and a mark below the place."""
        token = self.next
        got = hidden(self.text[token.place : token.place + token.size])
        mark = " " * _columns(hidden(self.text[: token.place])) + "^" * (_columns(got) or 1)
        shown = "\n    %s\n    %s" % (hidden(self.text), mark)
        return RuleError(
            en="Rule %d: found %s, expected %s." % (self.number, got or "the end of the line", en) + shown,
            zh="第 %d 条规则：这里是 %s，应为%s。" % (self.number, got or "行尾", zh) + shown,
        )


KINDS = {
    "text": ("a text in quotes, or label, score, count, value", "带引号的文字，或 label、score、count、value"),
    "number": ("a number", "一个数"),
    "whole": ("a whole number", "一个整数"),
    "state": ("on or off", "on（开）或 off（关）"),
    "any": ("a number or a text in quotes", "一个数或带引号的文字"),
}


def _columns(text: str) -> int:
    """How wide a text is in a terminal, where Chinese characters take two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
