"""The rules of a bundle: what its actions become, and the check that model and device have what each speaks of."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices import Device
from ..errors import DeviceError, OptionError
from ..runtime import act
from ..runtime.parts import pins
from ..runtime.parts.rule_text import Rule, parse


def as_rules(given: object) -> tuple[str, ...]:
    """What RULES was set to: one text is one rule. OptionError for anything else than texts."""
    rules = (given,) if isinstance(given, str) else given
    if not isinstance(rules, (list, tuple)) or not all(isinstance(rule, str) for rule in rules):
        raise OptionError(
            en=f"RULES is {given!r}; expected rules as text. Write for example 'when any above 0.8: speak(label)'.",
            zh=f"RULES 的值是 {given!r}，应为文字形式的规则。例如 '当 任何 高于 0.8：说(类别)'。",
        )
    return tuple(rules)


def check_rules(rules: Sequence[str], labels: Sequence[str], device: Device) -> None:
    """RuleError for one that cannot be understood or is for an unknown class, OptionError for a pin not there."""
    for number, text in enumerate(rules, start=1):
        for kind, pin in _pins(parse(text, number, labels, act.ACTIONS)):
            _check_pin(kind, pin, device)


def _pins(rule: Rule) -> list[tuple[str, int | str]]:
    """What it switches, turns and reads: "pin", "servo" or "button", and which."""
    found = [(call.name, call.given[0]) for call in rule.calls if call.name in ("pin", "servo")]
    return found + [(term.name, term.given[0]) for term in rule.terms if term.name == "button"]


def _check_pin(kind: str, pin: int | str, device: Device) -> None:
    title = device.title
    if not device.pins:
        raise OptionError(
            en=f"{title['en']} has no pins that a program of ours could use. Leave pins, servos and buttons out, or "
            "choose another device: qingzhou devices shows which have pins.",
            zh=f"{title['zh']}没有程序可以使用的引脚。请去掉引脚、舵机和按钮，或换一个设备："
            "qingzhou devices 会列出哪些设备有引脚。",
        )
    try:
        pins.check(kind, pin, {name: list(numbers) for name, numbers in device.pin_numbers.items()})
    except DeviceError as err:
        raise OptionError(en=f"{title['en']}: {err.en}", zh=f"{title['zh']}：{err.zh}") from None
