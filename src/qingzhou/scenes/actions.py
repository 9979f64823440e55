"""Actions named on the command line, as rules that a person can read and change, in English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import OptionError, say
from ..runtime.address import shown
from ..runtime.model.card import Card
from ..runtime.parts.rule_text import CHINESE
from .table import kind_of

ABOVE, FRAMES = 0.8, 3
# action -> what stands in the rule; {0} is what follows the colon, for example 24 in pin:24
ACTIONS = {
    "speak": ("speak({label})", "说({label})"),
    "print": ("print({label})", "打印({label})"),
    "show": ("show({label})", "显示({label})"),
    "sound": ('sound("{0}")', '声音("{0}")'),
    "pin": ("pin({0}, on)", "引脚({0}, 开)"),
    "servo": ("servo({0}, 90)", "舵机({0}, 90)"),
    "serial": ("serial({label})", "串口({label})"),
    "mqtt": ('mqtt("{0}", {label})', 'mqtt("{0}", {label})'),
    "http": ('http("{0}", {label})', 'http("{0}", {label})'),
    "key": ('key("{0}")', '按键("{0}")'),
}
UNDONE = {  # what happens when it is over
    "pin": ("pin({0}, off)", "引脚({0}, 关)"),
    "servo": ("servo({0}, 0)", "舵机({0}, 0)"),
}
EXAMPLES = {
    "sound": "ding.wav",
    "pin": "24",
    "servo": "21",
    "mqtt": "siot/cat",
    "http": "http://192.168.1.5:8000/cat",
    "key": "space",
}
NAMES = {word: name for word, name in CHINESE.items() if name in ACTIONS}  # 引脚 -> pin


class Words(NamedTuple):
    """How rules are worded in a language; `place` is where it stands in the tables above."""

    place: int
    seen: str
    gone: str
    low: str
    often: str
    any: str
    label: str
    value: str


WORDS = {
    "en": Words(0, "when {0} above {1}{2}: ", "when no {0} for {1} frames: ", "when value below {0}: ",
                " for {0} frames", "any", "label", "value"),
    "zh": Words(1, "当 {0} 高于 {1}{2}：", "当 没有 {0} 连续 {1} 帧：", "当 数值 低于 {0}：",
                " 连续 {0} 帧", "任何", "类别", "数值"),
}  # fmt: skip


class Action(NamedTuple):
    """text: for messages, without passwords;  label: of the class that it is for, "" where none was named;
    given: what followed the colon
    """

    text: str
    label: str
    name: str
    given: str


def rules_for(actions: Sequence[str], card: Card, frames: int = FRAMES, language: str = "en") -> list[str]:
    """ "speak" or "pin:24" as rules; a label and "=" before it make it one for that label: "cat=pin:24".

    Without a label, what is spoken is the answer itself, and a pin is for the first label: whom() says so. Names may
    be Chinese: 引脚:24. `frames`: in how many looks one after the other a thing must be seen, of Scene.frames.
    OptionError for an action that does not exist, lacks what it needs, or is for a label that the model does not know.

    >>> rules_for(["speak", "cat=pin:24"], card)
    ['when any above 0.8 for 3 frames: speak(label)', 'when "cat" above 0.8 for 3 frames: pin(24, on)',
     'when no "cat" for 3 frames: pin(24, off)']
    """
    return [rule for text in actions for rule in _rules(_read(text, card), card, frames, WORDS[language])]


def whom(actions: Sequence[str], card: Card) -> list[str]:
    """Which class triggers each action that names none, in the language in use; [] where there is no choice."""
    if len(card.labels) < 2 or kind_of(card) in ("values", "text"):
        return []
    return [_whom(action, card) for text in actions if not (action := _read(text, card)).label]


def _whom(action: Action, card: Card) -> str:
    first, example = card.labels[0], f"{card.labels[1]}={action.text}"
    who = ("every class triggers it", "每个类别都会触发它")
    if action.name in UNDONE:
        who = (f"only {first}, the first, triggers it", f"只有第一类“{first}”会触发它")
    return say(
        f"The action {action.text} names no class: {who[0]}. For one of your choice: {example}",
        f"动作 {action.text} 没有写类别：{who[1]}。指定类别的写法：{example}",
    )


def _read(text: str, card: Card) -> Action:
    """The parts of an action; labels may hold any mark, so those that the model has are looked for first."""
    label = max((one for one in card.labels if re.match(f"{re.escape(one)}[=＝]", text)), key=len, default="")
    name, *given = re.split("[:：]", text[len(label) + 1 if label else 0 :], maxsplit=1)
    if not label:
        label, _, name = name.replace("＝", "=").rpartition("=")
    action = Action(shown(text), label.strip(), NAMES.get(name.strip(), name.strip()), "".join(given).strip())
    _check(action, card)
    return action


def _rules(action: Action, card: Card, frames: int, words: Words) -> list[str]:
    values = kind_of(card) in ("values", "text")
    do, undo = (
        table[action.name][words.place]
        .replace("{label}", words.value if values else words.label)
        .replace("{0}", action.given)
        if action.name in table
        else ""
        for table in (ACTIONS, UNDONE)
    )
    if values:
        low = [words.low.format(ABOVE) + undo] if undo else []
        return [words.seen.format(words.value, ABOVE, "") + do, *low]
    # where a model may name several classes, one that it names is there
    above = (card.thresholds or {}).get("score") or ABOVE if card.output.scores == "sigmoids" else ABOVE
    often = words.often.format(frames) if frames > 1 else ""
    if not action.label and not undo:
        return [words.seen.format(words.any, above, often) + do]
    thing = _quoted(action.label or card.labels[0])
    gone = [words.gone.format(thing, FRAMES) + undo] if undo else []
    return [words.seen.format(thing, above, often) + do, *gone]


def _quoted(label: str) -> str:
    """A label as it stands in a rule: rules know no backslash, but several kinds of quotation marks."""
    for marks, inside in (('""', '"“”'), ("''", "'‘’")):
        if not set(inside) & set(label):
            return f"{marks[0]}{label}{marks[1]}"
    raise OptionError(
        en=f"The label {label!r} has both kinds of quotation marks, so no rule can name it. Rename the class.",
        zh=f"类别 {label!r} 里同时有单引号和双引号，规则中无法书写。请修改类别名称。",
    )


def _check(action: Action, card: Card) -> None:
    """OptionError for what cannot be."""
    name, given = action.name, action.given
    if name not in ACTIONS:
        chinese = [pattern[1].partition("(")[0] for pattern in ACTIONS.values()]
        raise OptionError(
            en=f"There is no action {name!r}; there are {', '.join(ACTIONS)}. For example --action speak.",
            zh=f"没有动作 {name!r}，可选的有：{'、'.join(chinese)}。例如 --action 说。",
        )
    form = {**dict.fromkeys(UNDONE, "[0-9]+"), "http": "(?i:https?)://.+"}.get(name, ".*")
    if ("{0}" in ACTIONS[name][0]) != bool(given) or set(given) & set('"“”') or not re.fullmatch(form, given):
        example = f"{name}:{EXAMPLES[name]}" if name in EXAMPLES else name
        raise OptionError(
            en=f"The action {action.text!r} cannot be understood; expected for example {example}.",
            zh=f"无法理解动作 {action.text!r}，正确的写法例如 {example}。",
        )
    if action.label and action.label not in card.labels:
        known = ", ".join(card.labels[:10]) or "none"
        raise OptionError(
            en=f"The model does not know the class {action.label!r} of the action {action.text!r}; it knows {known}. "
            "Name one of these, or leave the class out.",
            zh=f"模型没有动作 {action.text!r} 里的类别 {action.label!r}，它有："
            f"{'、'.join(card.labels[:10]) or '（没有类别）'}。请写其中一个，或不写类别。",
        )
