"""Values that name classes: lists, arrays, dicts in both directions, records of checkpoints, parsed JSON."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import say
from ..files.types import Opaque, TensorRef
from ..spelling import class_names, option
from .decode import decode
from .text import parse
from .words import SHOWN, clean, had_control, label_error, unique, whole

# Where files of training tools keep their classes, the names themselves or a dict of them.
SURE = (
    "CLASSES",
    "classes",
    "class_names",
    "id2label",
    "label2id",
    "class_to_idx",
    "idx_to_class",
    "class_indices",
)
ENTRIES = (*SURE, "names", "labels", "categories")  # the others may be something else in a checkpoint
NAMES, NUMBERS = ("name", "display_name", "label", "class", "title"), ("id", "index", "class_id")  # of a record
ARRAY = "._reconstruct"  # the end of the name of a numpy array's record; those of texts as objects stay one
MOST = 1 << 16  # classes
DEEPEST = 3  # entries of dicts in entries of dicts


@dataclass(frozen=True)
class Labels:
    """What classes are called.

    names  in the order of their numbers
    first  the number of the first one, as the source counts: 0, or 1
    notes  what the user should know of how they were read
    assumed  whether nobody named the classes, so that they are numbered
    """

    names: tuple[str, ...] = ()
    first: int = 0
    notes: tuple[str, ...] = ()
    assumed: bool = False

    @property
    def by_number(self) -> tuple[str, ...]:
        """The names by the source's own numbers: "" at 0 where it counts from 1."""
        return ("",) * self.first + self.names


def read_labels(value: object) -> Labels:
    """The names in a value; no names where it names no classes (None, a number). LabelError where numbers are missing
    or double, or a name cannot be read. A text is read as parse() says: "cat", "cat,dog", JSON.
    """
    return _read(value, DEEPEST)


def _read(value: object, depth: int) -> Labels:
    value = _plain(value)
    if isinstance(value, (str, bytes)):
        value = parse(value if isinstance(value, str) else decode(value))
    if isinstance(value, (Mapping, list, tuple)) and len(value) > MOST:
        raise _too_many(len(value))
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    if not isinstance(value, (list, tuple)):
        return Labels()
    if value and all(isinstance(one, Mapping) for one in value):
        return _records(value)
    if value and all(isinstance(one, (list, tuple)) and len(one) == 2 for one in value) and _is_counted(value):
        return _mapping(unique([(one[0], one[1]) for one in value]), depth)
    return _named(value)


def _is_counted(pairs: Sequence[Sequence[Any]]) -> bool:
    """Whether one side of all pairs is a number: the items of a dict as a list."""
    return any(all(whole(pair[side]) is not None for pair in pairs) for side in (0, 1))


def _plain(value: Any) -> Any:
    """Arrays, records of subclasses of dict and list, and other iterables as what they hold."""
    if isinstance(value, TensorRef):
        return value.load().tolist() if math.prod(value.shape) <= MOST else None
    if isinstance(value, Opaque):
        return _record(value)
    if isinstance(value, np.ndarray):
        return value.squeeze().tolist() if value.size <= MOST else None
    if isinstance(value, (set, frozenset)):
        raise label_error(
            en=f"The class names are a set ({_some(sorted(map(str, value)))}), which has no order. Give a list in the "
            "order of training.",
            zh=f"类别名称是集合（{_some(sorted(map(str, value)))}），没有顺序。请按训练时的顺序给出列表。",
        )
    known = isinstance(value, (str, bytes, Mapping, list, tuple)) or not isinstance(value, Iterable)
    return value if known else list(value)


def _record(record: Opaque) -> Any:
    """A numpy array of objects, a subclass of dict or list; None for anything else."""
    state = record.state
    if record.name.endswith(ARRAY) and isinstance(state, tuple) and isinstance(state[-1], list):
        return state[-1]
    if record.items:
        pairs = all(isinstance(item, tuple) and len(item) == 2 for item in record.items)
        return dict(record.items) if pairs else record.items
    held = record.args[0] if len(record.args) == 1 else None
    return held if isinstance(held, (dict, list, tuple)) else None


# -- dicts ----------------------------------------------------------------------------------------------------------


def _mapping(value: Mapping[Any, Any], depth: int) -> Labels:
    if not value:
        return Labels()
    entries = {name: _plain(value[name]) for name in ENTRIES if name in value}
    entries = {name: found for name, found in entries.items() if isinstance(found, (Mapping, list, tuple))}
    if entries:
        return _agreeing(entries, depth - 1) if depth else Labels()
    keys, values = [whole(key) for key in value], [whole(item) for item in value.values()]
    counted = _which(value, keys, values)
    names, numbers = (value.values(), keys) if counted == "keys" else (value.keys(), values)
    return _ordered([(int(number or 0), name) for number, name in zip(numbers, names, strict=True)])


def _which(value: Mapping[Any, Any], keys: Sequence[int | None], values: Sequence[int | None]) -> str:
    """Which side counts. Where both could, a number beside a text is the position (JSON has texts for keys), else the
    side that counts from 0 without a gap.
    """
    sides = {"keys": None not in keys, "values": None not in values}
    if sum(sides.values()) == 1:
        return "keys" if sides["keys"] else "values"
    if not any(sides.values()):
        raise _not_counted(value)
    texts = [all(isinstance(one, str) for one in side) for side in (value.keys(), value.values())]
    if texts == [True, False] or texts == [False, True]:
        return "values" if texts[0] else "keys"
    right = {
        side: sorted(n or 0 for n in numbers) == list(range(len(value)))
        for side, numbers in (("keys", keys), ("values", values))
    }
    if not any(right.values()) or (all(right.values()) and not _is_symmetric(keys, values)):
        raise label_error(
            en=f"The class names are {_shown(value)}: both sides are numbers, and either could be the position. Give "
            f"the names in the order of training: {class_names('3', '5', '8')}",
            zh=f"类别名称是 {_shown(value)}：两边都是数字，无法判断哪边是编号。"
            f"请按训练时的顺序给出名称：{class_names('3', '5', '8')}",
        )
    return "keys" if right["keys"] else "values"


def _is_symmetric(keys: Sequence[int | None], values: Sequence[int | None]) -> bool:
    """Whether two orders of the same positions read alike in both directions."""
    return dict(zip(keys, values, strict=True)) == dict(zip(values, keys, strict=True))


def _agreeing(entries: Mapping[str, Any], depth: int) -> Labels:
    """The classes in a tool's file, which may name them several times."""
    read = {id(value): _read(value, depth) for value in {id(value): value for value in entries.values()}.values()}
    found = {entry: read[id(value)] for entry, value in entries.items() if read[id(value)].names}
    first = next(iter(found.items()), ("", Labels()))
    for entry, labels in found.items():
        if labels.names != first[1].names:
            raise label_error(
                en=f"{first[0]} says {_some(first[1].names)}, but {entry} says {_some(labels.names)}. Correct the one "
                f"that is wrong, or give the names themselves: {class_names('cat', 'dog')}",
                zh=f"{first[0]} 里是 {_some(first[1].names)}，而 {entry} 里是 {_some(labels.names)}。"
                f"请改正其中错误的一个，或直接写名称：{class_names('cat', 'dog')}",
            )
    return first[1]


def _single(value: Any) -> Any:
    """The name in a list of one, in a record, or beside a WordNet number (["n01440764", "tench"], as Keras has it)."""
    if isinstance(value, Mapping):
        return next((value[key] for key in NAMES if key in value), value)
    if isinstance(value, (list, tuple)) and len(value) == 2 and re.fullmatch(r"n[0-9]{8}", str(value[0])):
        return value[1]
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def _records(value: Sequence[Mapping[Any, Any]]) -> Labels:
    """A list of {"id": 1, "name": "cat"}, as COCO's categories; the ids may have gaps, but not another order."""
    name = next((key for key in NAMES if all(key in one for one in value)), None)
    if name is None:
        raise _not_counted(value[0])
    number = next((key for key in NUMBERS if all(key in one for one in value)), None)
    ids = [whole(one[number]) for one in value] if number else []
    if None not in ids and any(b <= a for a, b in pairwise(ids) if a is not None and b is not None):
        raise label_error(
            en=f"The classes are listed as {_some([str(one[name]) for one in value])}, but their ids count otherwise "
            f"({_some(list(map(str, ids)))}). Put them in the order of training.",
            zh=f"类别按 {_some([str(one[name]) for one in value])} 排列，但编号是 {_some(list(map(str, ids)))}。"
            "请按训练时的顺序排列。",
        )
    return _named([one[name] for one in value])


def _ordered(pairs: Sequence[tuple[int, Any]]) -> Labels:
    """Names by their numbers, which count from 0 or 1; LabelError where one is missing or double."""
    found = sorted(pairs, key=lambda pair: pair[0])
    numbers = [number for number, _ in found]
    first = 1 if numbers[0] == 1 else 0
    wanted = range(first, first + len(numbers))
    if numbers != list(wanted):
        raise _wrong_numbers(found, _missing(numbers, wanted))
    return _named([name for _, name in found], first)


def _missing(numbers: Sequence[int], wanted: range) -> list[int]:
    """Of the wanted numbers those that are not among these. A set of any numbers might take very long to make."""
    return sorted(set(wanted) - {number for number in numbers if number in wanted})


def _named(values: Sequence[Any], first: int = 0) -> Labels:
    """Checked names; none at all where all are empty."""
    values = [_single(value) for value in values]
    names = [clean(value) for value in values]
    if not any(names):
        return Labels()
    if "" in names:
        place = names.index("") + first
        raise label_error(
            en=f"Class {place} has an empty name among {_some([name for name in names if name])}. Give each a name.",
            zh=f"第 {place} 类的名称是空的（其他类别：{_some([name for name in names if name])}）。请给每个类别起名。",
        )
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    notes = [
        *([_twice_note(twice)] if twice else []),
        *([_first_note()] if first else []),
        *([_control_note()] if any(map(had_control, values)) else []),
    ]
    return Labels(tuple(names), first, tuple(notes))


# -- what is said ---------------------------------------------------------------------------------------------------


def _twice_note(twice: Sequence[str]) -> str:
    return say(f"Several classes have the same name: {_some(twice)}", f"有几个类别的名称相同：{_some(twice)}")


def _first_note() -> str:
    return say(
        "The class numbers count from 1; 1 was taken for the network's first output.",
        "类别编号从 1 开始；1 对应网络的第一个输出。",
    )


def _control_note() -> str:
    return say("Control characters in the class names became blanks.", "类别名称里的控制字符已换成空格。")


def _wrong_numbers(found: Sequence[tuple[int, Any]], missing: Sequence[int]) -> Exception:
    shown = ", ".join(f"{number} {str(name)[:SHOWN]}" for number, name in found[:6]) + (" …" if len(found) > 6 else "")
    lost = _some([str(number) for number in missing])
    return label_error(
        en=f"The numbers of the classes must count from 0 without gaps, but they are {shown}; missing: {lost}. "
        f"Correct them, or give the names in the order of training: {class_names('cat', 'dog')}",
        zh=f"类别编号应从 0 开始、不缺不重，而这里是 {shown}；缺少：{lost}。"
        f"请改正，或按训练时的顺序给出名称：{class_names('cat', 'dog')}",
    )


def _too_many(count: int) -> Exception:
    return label_error(
        en=f"There are {count} class names; expected at most {MOST}. Give the names with {option('labels')}.",
        zh=f"有 {count} 个类别名称，最多应为 {MOST} 个。请用 {option('labels')} 指定名称。",
    )


def _not_counted(value: Mapping[Any, Any]) -> Exception:
    return label_error(
        en=f"The class names are {_shown(value)}, which says of no class which number it has. Expected a list, or "
        'numbers with names such as {"0": "cat", "1": "dog"}. Give the names in the order of training: '
        f"{class_names('cat', 'dog')}",
        zh=f'类别名称是 {_shown(value)}，没有给出类别的编号。应为列表，或编号与名称，例如 {{"0": "cat", "1": "dog"}}。'
        f"请按训练时的顺序给出名称：{class_names('cat', 'dog')}",
    )


def _shown(value: object) -> str:
    text = repr(dict(list(value.items())[:6]) if isinstance(value, Mapping) else value)
    return text[:120] + (" …" if len(text) > 120 else "")


def _some(names: Sequence[str], most: int = 6) -> str:
    return ", ".join(name[:SHOWN] for name in names[:most]) + (" …" if len(names) > most else "")
