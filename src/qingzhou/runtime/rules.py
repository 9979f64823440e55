"""Rules: one readable line each, of what happens when.

    when "cat" above 0.8 for 3 frames: speak("I see a cat"), pin(24, on)
    when no "cat" for 2 seconds: pin(24, off)
    当 "小猫" 高于 0.8 连续 3 帧：说("小猫")，引脚(24, 开)

A rule acts once when it comes true, and again only after it was false for as long as it must be true.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Sequence

from . import act
from .parts import sensing
from .parts.facts import Facts, facts
from .parts.rule_text import Call, Name, Rule, Term, parse

if TYPE_CHECKING:
    from .model.answers import Answer

SURE = 0.5  # of "cat" without "above": a classifier's answer counts from here on


class Rules:
    """The rules of a program.

    >>> with Rules(RULES, model.labels) as rules:
    ...     for picture in camera:
    ...         rules.check(model.predict(picture))

    RuleError if one cannot be understood, or speaks of a label that the model does not know; DeviceError if a pin or
    port that one needs is not there.
    """

    def __init__(self, lines: Sequence[str], labels: Sequence[str]) -> None:
        self.labels = list(labels)
        self.rules = [parse(line, number, self.labels, act.ACTIONS) for number, line in enumerate(lines, start=1)]
        self._states: List[Dict[str, State]] = [{} for _ in self.rules]
        for rule in self.rules:
            for term in rule.terms:
                if term.kind == "sensor":
                    sensing.ready(term.name, term.given)
            for call in rule.calls:
                act.ACTIONS[call.name].ready(*_filled(call, {}))

    def __enter__(self) -> Rules:
        return self

    def __exit__(self, *_: object) -> None:
        act.close()

    def check(self, answer: Optional[Answer], now: Optional[float] = None) -> List[str]:
        """Looks at an answer of the model (None: only at sensors), and acts; the texts of the rules that came true."""
        found = facts(answer, self.labels)
        now = time.monotonic() if now is None else now
        return [rule.text for rule, states in zip(self.rules, self._states) if self._step(rule, states, found, now)]

    def _step(self, rule: Rule, states: Dict[str, State], found: Facts, now: float) -> bool:
        """One look; whether the rule acted. A rule with "any" is kept for every label by itself."""
        true = _true(rule, found)
        acted = False
        for key in set(states) - set(true):
            if states[key].gone(rule, now):
                del states[key]
        for key, values in true.items():
            if states.setdefault(key, State()).there(rule, now):
                acted = True
                for call in rule.calls:
                    act.do(call.name, *_filled(call, values))
        return acted


class State:
    """How long a rule has been true or false."""

    def __init__(self) -> None:
        self.frames = 0
        self.since = 0.0
        self.fired = False
        self.was = False

    def there(self, rule: Rule, now: float) -> bool:
        """It is true now; whether it acts."""
        self._count(True, now)
        if self.fired or not self._enough(rule, now):
            return False
        self.fired = True
        return True

    def gone(self, rule: Rule, now: float) -> bool:
        """It is false now; whether that was for long enough to forget it."""
        self._count(False, now)
        return not self.fired or self._enough(rule, now)

    def _count(self, true: bool, now: float) -> None:
        if true != self.was or not self.frames:
            self.frames, self.since, self.was = 0, now, true
        self.frames += 1

    def _enough(self, rule: Rule, now: float) -> bool:
        return self.frames >= rule.hold if rule.unit == "frames" else now - self.since >= rule.hold


def _true(rule: Rule, found: Facts) -> Dict[str, Dict[str, Any]]:
    """key -> what label, score, count and value stand for, for every way in which all terms are true."""
    ways: Dict[str, Dict[str, Any]] = {"": {}}
    for term in rule.terms:
        more = _ways(term, found)
        ways = {key or other: {**have, **new} for key, have in ways.items() for other, new in more.items()}
    return ways


def _ways(term: Term, found: Facts) -> Dict[str, Dict[str, Any]]:
    """The same for one term; a negated one has one way, without values, if there is none."""
    ways = WAYS[term.kind](term, found)
    return ({} if ways else {"": {}}) if term.negated else ways


def _label(term: Term, found: Facts) -> Dict[str, Dict[str, Any]]:
    score = found.scores.get(term.name, 0.0)
    there = term.name in found.seen and score >= (SURE if found.single else 0)
    if not (_compare(score, term) if term.compare else there):
        return {}
    return {"": {"label": term.name, "score": score, "count": found.seen.count(term.name)}}


def _any(term: Term, found: Facts) -> Dict[str, Dict[str, Any]]:
    least = SURE if found.single else 0
    return {
        label: {"label": label, "score": found.scores[label], "count": found.seen.count(label)}
        for label in found.seen
        if (_compare(found.scores[label], term) if term.compare else found.scores[label] >= least)
    }


def _count(term: Term, found: Facts) -> Dict[str, Dict[str, Any]]:
    number = found.seen.count(term.name) if term.name else len(found.seen)
    return {"": {"label": term.name, "count": number}} if _compare(number, term) else {}


def _value(term: Term, found: Facts) -> Dict[str, Dict[str, Any]]:
    place = int(term.given[0]) if term.given else 0
    if not 0 <= place < len(found.values):
        return {}
    return {"": {"value": found.values[place]}} if _compare(found.values[place], term) else {}


def _sensor(term: Term, found: Facts) -> Dict[str, Dict[str, Any]]:
    value = sensing.read(term.name, term.given)
    if value is None:
        return {}
    good = _compare(value, term) if term.compare else value not in (0, "", "0", "off")
    return {"": {"value": value}} if good else {}


WAYS = {"label": _label, "any": _any, "count": _count, "value": _value, "sensor": _sensor}


def _compare(value: Any, term: Term) -> bool:
    if term.compare == "is":
        return str(value) == str(term.limit)
    try:
        number = float(value)
    except (TypeError, ValueError):  # a sensor that sends words
        return False
    return bool(number > term.limit if term.compare == "above" else number < term.limit)


def _filled(call: Call, values: Mapping[str, Any]) -> List[Any]:
    """The arguments of an action: names and {names} in texts as what they stand for now, as text where it takes one."""
    takes = act.ACTIONS[call.name].takes
    return [_fill(one, kind.rstrip("?"), values) for one, kind in zip(call.given, takes)]


def _fill(one: Any, kind: str, values: Mapping[str, Any]) -> Any:
    if isinstance(one, Name):
        one = values.get(one.name, 0 if kind != "text" else "")
    elif isinstance(one, str):
        for name in ("label", "score", "count", "value"):
            one = one.replace("{%s}" % name, readable(values.get(name, "")))
    if kind == "text":
        return readable(one)
    return _number(one) if kind in ("number", "whole") else one


def _number(one: Any) -> float:
    try:
        return float(one) if not isinstance(one, int) else one
    except (TypeError, ValueError):
        return 0


def readable(value: object) -> str:
    """A number with as many digits as a person wants to read or hear; on and off in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "%.3g" % value if isinstance(value, float) else str(value)
