"""What a long task is doing now, told to whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Tell = Callable[[str], None]  # takes what is being done, in a few words


def silent(text: str) -> None:
    """Tell nobody."""


def counted(items: Iterable[Item], many: int, tell: Tell, text: str) -> Iterator[Item]:
    """The items, each announced by its number: "calibrating 3/100"."""
    for number, item in enumerate(items, start=1):
        tell(f"{text} {number}/{many}")
        yield item
