"""Actions named on the command line, as rules that a person can read and change."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import OptionError
from ..runtime.card import Card
from .table import kind_of

ABOVE, FRAMES = 0.8, 3
# action -> what stands in the rule; {0} is what follows the colon, for example 24 in pin:24
ACTIONS = {
    "speak": "speak({label})", "print": "print({label})", "show": "show({label})", "sound": 'sound("{0}")',
    "pin": "pin({0}, on)", "servo": "servo({0}, 90)", "serial": "serial({label})", "mqtt": 'mqtt("{0}", {label})',
    "http": 'http("{0}", {label})', "key": 'key("{0}")',
}  # fmt: skip
UNDONE = {"pin": "pin({0}, off)", "servo": "servo({0}, 0)"}  # what happens when it is over
EXAMPLES = {"sound": "ding.wav", "pin": "24", "servo": "18", "mqtt": "siot/cat", "http": "http://192.168.1.5:8000/cat",
            "key": "space"}  # fmt: skip


def rules_for(actions: Sequence[str], card: Card, frames: int = FRAMES) -> list[str]:
    """ "speak" or "pin:24" as rules; a label and "=" before it make it one for that label: "cat=pin:24".

    Without a label, what is spoken is the answer itself, and a pin is for the first label. `frames`: in how many looks
    one after the other a thing must be seen, of Scene.frames. OptionError for an action
    that does not exist, lacks what it needs, or is for a label that the model does not know.

    >>> rules_for(["speak", "cat=pin:24"], card)
    ['when any above 0.8 for 3 frames: speak(label)', 'when "cat" above 0.8 for 3 frames: pin(24, on)',
     'when no "cat" for 3 frames: pin(24, off)']
    """
    return [rule for action in actions for rule in _rules(action, card, frames)]


def _rules(text: str, card: Card, frames: int) -> list[str]:
    label, _, action = text.rpartition("=") if "=" in text.partition(":")[0] else ("", "", text)
    name, _, given = action.strip().partition(":")
    _check(text, name, given, label, card)
    if kind_of(card) in ("values", "text"):
        return [f"when value above {ABOVE}: {_call(ACTIONS[name], given, 'value')}"]
    often = f" for {frames} frames" if frames > 1 else ""
    if not label and name not in UNDONE:
        return [f"when any above {ABOVE}{often}: {_call(ACTIONS[name], given, 'label')}"]
    shown = _quoted(label or card.labels[0])
    rules = [f"when {shown} above {ABOVE}{often}: {_call(ACTIONS[name], given, 'label')}"]
    if name in UNDONE:
        rules.append(f"when no {shown} for {FRAMES} frames: {_call(UNDONE[name], given, 'label')}")
    return rules


def _quoted(label: str) -> str:
    """A label as it stands in a rule: rules know no backslash, but several kinds of quotation marks."""
    for marks, inside in (('""', '"“”'), ("''", "'‘’")):
        if not set(inside) & set(label):
            return f"{marks[0]}{label}{marks[1]}"
    raise OptionError(
        en=f"The label {label!r} has both kinds of quotation marks, so no rule can name it. Rename the class.",
        zh=f"类别 {label!r} 里同时有单引号和双引号，规则中无法书写。请修改类别名称。",
    )


def _call(pattern: str, given: str, what: str) -> str:
    return pattern.replace("{0}", given).replace("{label}", what)


def _check(text: str, name: str, given: str, label: str, card: Card) -> None:
    if name not in ACTIONS:
        raise OptionError(
            en=f"There is no action {name!r}; there are {', '.join(ACTIONS)}. For example --action speak.",
            zh=f"没有动作 {name!r}，可选的有：{'、'.join(ACTIONS)}。例如 --action speak。",
        )
    if ("{0}" in ACTIONS[name]) != bool(given) or '"' in given or (name in UNDONE and not given.isdigit()):
        example = f"{name}:{EXAMPLES[name]}" if name in EXAMPLES else name
        raise OptionError(
            en=f"The action {text!r} cannot be understood; expected for example {example}.",
            zh=f"无法理解动作 {text!r}，正确的写法例如 {example}。",
        )
    if label and label not in card.labels:
        raise OptionError(
            en=f"The model does not know the label {label!r}; it knows {', '.join(card.labels[:10])}.",
            zh=f"模型没有类别 {label!r}，它有：{'、'.join(card.labels[:10])}。",
        )
