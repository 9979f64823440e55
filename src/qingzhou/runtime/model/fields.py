"""Checks of single JSON values, for parsing a card from an untrusted file: each gives the value back, or ModelError.

Each takes `at`, the place of the value in the card ("input.shape[2]"), for the message.
"""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, TypeVar

from ..errors import ModelError

T = TypeVar("T")
Parts = Tuple[Dict[str, Any], Dict[str, Any]]
LONGEST_TEXT = 10_000  # characters of a label, a word, a note
MOST_ITEMS = 1_000_000  # of labels, words, numbers in a sample
LARGEST_WHOLE = 1 << 63  # whole numbers above are kept as text
LARGEST_SIZE = 1 << 24  # of one axis of an array
LARGEST_SIDE = 1 << 13  # pixels; a card that asks for more would fill the memory
MOST_BOXES = 10_000  # in one picture; they are compared with each other
DEEPEST = 10  # nesting of a sample's or origin's values
DIGITS = 25  # of a whole number; turning millions of digits into an int takes Python minutes


def bad(at: str, found: object) -> ModelError:
    """The error for a field that cannot be what it is."""
    shown = ascii(found)[:60]
    return ModelError(
        en="The model's card is damaged: %s is %s. Convert the checkpoint again." % (at, shown),
        zh="模型里的说明卡已损坏：%s 是 %s。请重新转换权重文件。" % (at, shown),
    )


def loads(text: str, pairs: Optional[Callable[[List[Tuple[str, Any]]], Any]] = None) -> Any:
    """json.loads without its extensions and traps: NaN, repeated keys, numbers of a million digits. `pairs`: what makes
    an object. ValueError; RecursionError where it is nested deeply
    """
    return json.loads(text, parse_constant=_refuse, parse_int=integer, object_pairs_hook=pairs or _unique)


def parse_json(text: str, longest: int) -> Any:
    """loads() of a card."""
    if not isinstance(text, str) or len(text) > longest:
        raise bad("JSON", "%d characters" % len(text))
    try:
        return loads(text)
    except (ValueError, RecursionError) as err:
        raise bad("JSON", str(err)) from None


def _refuse(text: str) -> None:
    raise ValueError("%s is no JSON" % text)


def integer(text: str) -> int:
    """A whole number of a sensible length; ValueError."""
    if len(text) > DIGITS:
        raise ValueError("a number of %d digits" % len(text))
    return int(text)


def _unique(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def record(at: str, value: object, required: Sequence[str], optional: Sequence[str] = ()) -> Dict[str, Any]:
    """A dict with all the required keys, and no others than these and the optional ones."""
    if type(value) is not dict:
        raise bad(at, value)
    for key in required:
        if key not in value:
            raise bad("%s.%s" % (at, key), "missing")
    for key in value:
        if key not in required and key not in optional:
            raise bad("%s.%s" % (at, key[:40]), "unknown")
    return value


def parts(at: str, value: object, required: Sequence[str], optional: Sequence[str], newer: bool) -> Parts:
    """record() of what may be of a later version, and what that says besides, any JSON values."""
    if not newer or type(value) is not dict:
        return record(at, value, required, optional), {}
    known = {*required, *optional}
    found = record(at, {key: one for key, one in value.items() if key in known}, required, optional)
    return found, table(at, {key: one for key, one in value.items() if key not in known}, plain)


def text(at: str, value: object) -> str:
    """A text that can be printed and encoded."""
    if type(value) is not str or len(value) > LONGEST_TEXT:
        raise bad(at, value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        raise bad(at, value) from None
    return value


def one_of(at: str, value: object, allowed: Sequence[str]) -> str:
    """One of a few words."""
    if type(value) is not str or value not in allowed:
        raise bad(at, value)
    return value


def whole(at: str, value: object, least: int, most: int) -> int:
    """A whole number in a range; true and false are none."""
    if type(value) is not int or not least <= value <= most:
        raise bad(at, value)
    return value


def number(at: str, value: object) -> float:
    """A finite number."""
    if (type(value) is not int and type(value) is not float) or not math.isfinite(value):
        raise bad(at, value)
    return float(value)


def share(at: str, value: object) -> float:
    """A number from 0 to 1."""
    found = number(at, value)
    if not 0 <= found <= 1:
        raise bad(at, value)
    return found


def items(at: str, value: object, check: Callable[[str, Any], T], most: int = MOST_ITEMS) -> List[T]:
    """A list of bounded length, every item checked."""
    if type(value) is not list or len(value) > most:
        raise bad(at, value)
    return [check("%s[%d]" % (at, i), item) for i, item in enumerate(value)]


def exactly(count: int, at: str, value: object, check: Callable[[str, Any], T]) -> List[T]:
    """A list of just so many items, every one checked."""
    found = items(at, value, check, most=count)
    if len(found) != count:
        raise bad(at, value)
    return found


def table(at: str, value: object, check: Callable[[str, Any], T]) -> Dict[str, T]:
    """A dict of bounded length from texts to checked values."""
    if type(value) is not dict or len(value) > MOST_ITEMS:
        raise bad(at, value)
    return {text(at, key): check("%s[%s]" % (at, ascii(key)[:40]), item) for key, item in value.items()}


def size(at: str, value: object) -> Optional[int]:
    """The size of an axis, or None where it is free."""
    return None if value is None else whole(at, value, 1, LARGEST_SIZE)


def plain(at: str, value: object, depth: int = DEEPEST) -> Any:
    """Any JSON value, not too deep."""
    if value is None or type(value) is bool:
        return value
    if type(value) in (int, float):
        number(at, value)
        if type(value) is int and abs(value) >= LARGEST_WHOLE:
            raise bad(at, value)
        return value
    if type(value) is str:
        return text(at, value)
    if depth == 0:
        raise bad(at, "nested too deeply")
    if type(value) is list:
        return items(at, value, lambda place, item: plain(place, item, depth - 1))
    return table(at, value, lambda place, item: plain(place, item, depth - 1))


def numbers(at: str, value: object, depth: int = DEEPEST) -> Any:
    """A finite number, or lists of lists of them."""
    if type(value) is not list:
        number(at, value)
        return value
    if depth == 0:
        raise bad(at, "nested too deeply")
    return items(at, value, lambda place, item: numbers(place, item, depth - 1))


def clean(value: object) -> Any:
    """The same value in a form that these checks accept: what JSON cannot hold becomes None or a text."""
    if isinstance(value, dict):
        return {clean(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return str(value) if isinstance(value, int) and abs(value) >= LARGEST_WHOLE else value


def too_new(version: int, known: int) -> ModelError:
    """Of a card that is of a later version than those known here."""
    return ModelError(
        en="The model's card has version %d, but this program reads versions up to %d. Update Qingzhou, or take the "
        "folder qingzhou_runtime that was written beside the model." % (version, known),
        zh="模型里的说明卡是第 %d 版，而这个程序最多能读第 %d 版。请更新轻舟，或使用与模型一起生成的 "
        "qingzhou_runtime 文件夹。" % (version, known),
    )
