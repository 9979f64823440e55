"""One name: what may stand in it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from ..errors import LabelError
from ..spelling import option
from .decode import decode

AROUND = " \t\r\n\v\f\0\xa0\u2028\u2029\u3000\u200b\ufeff"  # harmless at the ends: blanks, padding, marks of files
CONTROL = re.compile("[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")  # and what turns text round
LOST = re.compile(
    "[\x80-\x9f\ufffd\ufffe\uffff]"
)  # in place of letters; the first are parts of UTF-8 taken for Latin-1
FOREIGN = re.compile(r"[^\x00-\x7f]")
SHOWN = 40  # characters of a name in a message


def clean(value: Any) -> str:
    """A name as text: blanks around it taken off, control characters made blanks (see had_control).

    LabelError for what is no text, and where letters were lost on the way.
    """
    text = _text(value).strip(AROUND)
    if text.isascii() and text.isprintable():
        return text
    text = CONTROL.sub(" ", text).strip(AROUND)
    lost = LOST.search(text) or (FOREIGN.search(text) if _read_as_latin(text) else None)
    if lost is not None:
        raise label_error(
            en=f"The class name {text[:SHOWN]!r} holds {lost[0]!r}: letters were garbled on their way. Save the names "
            f"again as UTF-8, or give them with {option('labels')}.",
            zh=f"类别名称 {text[:SHOWN]!r} 里有 {lost[0]!r}：文字在保存时已乱码。请用 UTF-8 重新保存，"
            f"或用 {option('labels')} 指定名称。",
        )
    return text


def _read_as_latin(text: str) -> bool:
    """Whether it is UTF-8 that was read as the letters of Western Windows: å¸ƒ for 布, Ã© for é."""
    try:
        return text.encode("cp1252").decode("utf-8") != text
    except UnicodeError:
        return False


def had_control(value: Any) -> bool:
    """Whether clean() changed more than blanks and the ends of lines."""
    text = _text(value).strip(AROUND)
    return not text.isprintable() and any(not letter.isspace() for letter in "".join(CONTROL.findall(text)))


def whole(value: Any) -> int | None:
    """The whole number that a key or a value is or writes ("3", 3, 3.0), or None."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        number = float(value)
        return int(number) if math.isfinite(number) and number == int(number) else None
    if isinstance(value, str) and re.fullmatch(r"\s*\+?[0-9]{1,12}\s*", value):
        return int(value)
    return None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bytes):
        return decode(value)
    number = whole(value)
    if number is not None or isinstance(value, bool) or (isinstance(value, Real) and math.isfinite(value)):
        return str(value) if number is None else str(number)
    raise label_error(
        en=f"A class is called {type(value).__name__} {repr(value)[:SHOWN]}; expected a text or a number. Give the "
        f"names with {option('labels')}, in the order of training.",
        zh=f"类别名称是 {type(value).__name__} {repr(value)[:SHOWN]}，应为文本或数字。"
        f"请用 {option('labels')} 按训练时的顺序指定名称。",
    )


def label_error(en: str, zh: str) -> LabelError:
    """Names that cannot be used."""
    return LabelError(en=en, zh=zh)


def unique(pairs: Sequence[tuple[Any, Any]]) -> dict[Any, Any]:
    """A dict as it was written in a file; LabelError where a key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
        raise label_error(
            en=f"{str(twice)[:SHOWN]!r} stands twice among the class names. Each number and each name may stand once; "
            "correct it.",
            zh=f"类别名称里 {str(twice)[:SHOWN]!r} 出现了两次。每个编号和名称只能出现一次，请改正。",
        )
    return found
