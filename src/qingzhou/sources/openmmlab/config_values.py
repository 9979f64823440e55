"""The values of a config text: what lies at a path, and numbers of the kinds that settings are; nothing is trusted."""

from __future__ import annotations

from typing import TypeVar

from ...nets.settings import Numbers
from .config_text import Unknown

T = TypeVar("T")
MOST_SHAPES = 64  # numbers in a row; more is no setting
LEAST, MOST_COUNT = 1e-3, 1 << 13  # of sizes; of boxes and pixels


def at(value: object, *path: str) -> object:
    """What lies at the end of a path of keys; None where nothing does, or nothing that we read."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return None if isinstance(value, Unknown) else value


def first(*values: T | None) -> T | None:
    """The first that is there."""
    return next((value for value in values if value is not None), None)


def type_name(made: object) -> str | None:
    """The type's own name, without package and scope: "mmdet.AnchorGenerator" is AnchorGenerator."""
    kind = at(made, "type")
    return kind.rpartition(".")[2] if isinstance(kind, str) else None


def truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def number(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def share(value: object) -> float | None:
    found = number(value)
    return float(found) if found is not None and 0 <= found <= 1 else None


def count(value: object) -> int | None:
    """A positive whole number; mmdet writes -1 for "all", which is no number here."""
    return value if type(value) is int and 0 < value <= MOST_COUNT else None


def pair(value: object) -> tuple[int, int] | None:
    """Two positive numbers, from one or two; the first where several scales are listed."""
    while isinstance(value, tuple) and value and isinstance(value[0], tuple):
        value = value[0]
    one, *rest = value if isinstance(value, tuple) and value else (value,)
    width, height = count(one), count(rest[0] if rest else one)
    return None if width is None or height is None or len(rest) > 1 else (width, height)


def numbers(value: object) -> Numbers:
    """A tuple of numbers, from one or several; else empty."""
    items = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
    return tuple(items) if all(number(item) is not None for item in items) else ()


def sizes(value: object) -> Numbers:
    """Positive numbers, where one may stand for a pair of equal ones; else empty."""
    items = value[:MOST_SHAPES] if isinstance(value, tuple) else (value,)
    pairs = [numbers(item) for item in items]
    good = all(pair and LEAST <= min(pair) == max(pair) <= MOST_COUNT for pair in pairs)
    return tuple(pair[0] for pair in pairs) if good else ()


def rows(value: object) -> tuple[Numbers, ...]:
    """A tuple of tuples of positive numbers."""
    rows = tuple(map(sizes, value[:MOST_SHAPES])) if isinstance(value, tuple) else ()
    return rows if all(rows) else ()
