"""Keys of dicts and sets that come from a file.

Python salts the hash of text, so that nobody can choose texts that meet in a dict. Numbers, and tuples of them, hash as
they did yesterday: a file may choose them so that each is compared with all before it. So the steps that they could
take are counted; whole numbers in order (0, 1, 2, …) never meet and are free.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from .limits import Limits
from .refusals import unsafe
from .types import Opaque, TensorRef

FREE = {str, bytes, type(None), Opaque, TensorRef}  # salted, only one, or hashed by their place in memory
LARGEST = 2**61 - 1  # whole numbers beyond have the hash of a smaller one
MOST_PARTS = 64
PART = 8  # steps for each part of a tuple, beside one of a number

Key = TypeVar("Key")


class Keys:
    """The keys of one reading; UnsafeCheckpoint for what cannot be one, and once they may take too many steps."""

    def __init__(self, limits: Limits) -> None:
        self.limit, self.steps = limits.key_steps, 0

    def take(self, key: Key, before: int) -> Key:
        """The key itself, to be put beside so many others."""
        kind = type(key)
        if kind not in FREE and not (isinstance(key, int) and kind is int and 0 <= key <= before + 1):
            self.steps += _weight(key) * before
            if self.steps > self.limit:
                raise unsafe("it has too many numbers as keys", "用作键的数字过多")
        return key

    def set_of(self, items: Iterable[Any]) -> set[Any]:
        """A set of these."""
        return self.add(set(), items)

    def add(self, found: set[Any], items: Iterable[Any]) -> set[Any]:
        """The set with these."""
        for item in items:
            found.add(self.take(item, len(found)))
        return found

    def update(self, found: dict[Any, Any], pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
        """The dict with these."""
        for key, value in pairs:
            found[self.take(key, len(found))] = value
        return found


def _weight(key: object) -> int:
    """Steps for each key that it may meet: none for what is salted, or hashed by its place in memory."""
    if not isinstance(key, tuple):
        return _numbers(key, (key,))
    if len(key) > MOST_PARTS:
        raise _no_key(key)
    return PART * (1 + len(key)) if _numbers(key, key) else 0


def _numbers(key: object, parts: tuple[object, ...]) -> int:
    """1 if there is a number among them, else 0; UnsafeCheckpoint for what cannot be hashed in constant time."""
    found = 0
    for part in parts:
        if isinstance(part, (int, float)):
            found = 1
            if isinstance(part, int) and abs(part) >= LARGEST:
                raise _no_key(key)
        elif type(part) not in FREE and not isinstance(part, Opaque):
            raise _no_key(key)
    return found


def _no_key(key: object) -> Exception:
    return unsafe(f"a {type(key).__name__} is used as a key", f"{type(key).__name__} 被用作键")
