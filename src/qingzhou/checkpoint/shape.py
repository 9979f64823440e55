"""What may come out of a pickle: no cycles, no endless nesting, no endless repetition."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from .limits import Limits
from .refusals import unsafe
from .types import Opaque
from .values import sized

CONTAINERS = (dict, list, tuple, set, Opaque)


def check_shape(root: Any, limits: Limits, unfolded: int) -> None:
    """No cycles, no endless nesting, no endless repetition; after this, any naive walk of the root ends.

    Each container is entered once, however often it is shared: 300 bytes can hold a list of 2 ** 60 lists.
    """
    known: dict[int, tuple[int, int]] = {}  # id -> (height, objects when unfolded)
    path: set[int] = set()
    todo: list[Any] = [root]
    while todo:
        value = todo[-1]
        if id(value) in known:
            todo.pop()
            continue
        new = [] if id(value) in path else _new(value, known)
        if new:
            path.add(id(value))
            if not path.isdisjoint(map(id, new)):
                raise unsafe("it contains itself", "它包含自身（循环引用）")
            todo += new
        else:
            path.discard(id(value))
            known[id(value)] = _measure(todo.pop(), known, limits, unfolded)


def _new(value: Any, known: dict[int, tuple[int, int]]) -> list[Any]:
    """The containers in a value that hold something and are not measured yet."""
    return [item for item in _inside(value) if isinstance(item, CONTAINERS) and item and id(item) not in known]


def _measure(value: Any, known: dict[int, tuple[int, int]], limits: Limits, unfolded: int) -> tuple[int, int]:
    """(height, objects) of a container whose containers are measured already."""
    height, count = 0, 1
    for item in _inside(value):
        found = known.get(id(item)) if isinstance(item, CONTAINERS) else None
        if found is None:
            count += sized(item)
        else:
            height = found[0] if found[0] > height else height
            count += found[1]
    if height >= limits.depth:
        raise unsafe(f"it is nested more than {limits.depth} deep", f"嵌套超过 {limits.depth} 层")
    if count > unfolded:
        raise unsafe("it repeats its own parts without end", "它无止境地重复自身内容")
    return height + 1, count


def _inside(value: Any) -> Iterable[Any]:
    """What a container holds."""
    if isinstance(value, (list, tuple, set)):
        return value
    if isinstance(value, dict):
        return itertools.chain(value, value.values()) if value else ()
    return (value.args, value.state, value.items) if isinstance(value, Opaque) else ()
