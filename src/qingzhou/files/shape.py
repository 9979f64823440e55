"""What may come out of a pickle: no cycles, no endless nesting, no endless repetition."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from .limits import Limits
from .refusals import unsafe
from .types import Opaque
from .values import sized

CONTAINERS = (dict, list, tuple, set, Opaque)
SINGLE = {int, float, bool, type(None)}


def check_shape(root: object, limits: Limits, unfolded: int) -> None:
    """No cycles, no endless nesting, no endless repetition; after this, any naive walk of the root ends.

    Each container is entered once, however often it is shared: 300 bytes can hold a list of 2 ** 60 lists.
    """
    known: dict[int, tuple[int, int]] = {}  # id -> (height, objects when unfolded)
    path: set[int] = set()
    todo: list[object] = [root]
    while todo:
        value = todo[-1]
        if id(value) in known:
            todo.pop()
            continue
        new, height, count = _look(value, known)
        if new:
            path.add(id(value))
            if not path.isdisjoint(map(id, new)):
                raise unsafe("it contains itself", "它包含自身（循环引用）")
            todo += new
            continue
        if height >= limits.depth:
            raise unsafe(f"it is nested more than {limits.depth} deep", f"嵌套超过 {limits.depth} 层")
        if count > unfolded:
            raise unsafe("it repeats its own parts without end", "它无止境地重复自身内容")
        known[id(todo.pop())] = height + 1, count
        path.discard(id(value))


def _look(value: object, known: dict[int, tuple[int, int]]) -> tuple[list[object], int, int]:
    """The containers in a value that are not measured yet; the height and the objects of all else in it."""
    new: list[object] = []
    height, count = 0, 1
    for item in _inside(value):
        if type(item) in SINGLE:
            count += 1
        elif not isinstance(item, CONTAINERS) or not item:
            count += sized(item)
        elif (found := known.get(id(item))) is None:
            new.append(item)
        else:
            height = max(height, found[0])
            count += found[1]
    return new, height, count


def _inside(value: object) -> Iterable[object]:
    """What a container holds."""
    if isinstance(value, (list, tuple, set)):
        return value
    if isinstance(value, dict):
        return itertools.chain(value, value.values()) if value else ()
    return (value.args, value.state, value.items) if isinstance(value, Opaque) else ()
