"""Networks that take several inputs at once: each is given by its name, and prepared by its own part of the card."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping

import numpy as np

from ..errors import InputError
from ..file import is_path
from .card import Card, Input

if TYPE_CHECKING:
    from ..typed import Array


def of_each(
    data: Any,
    card: Card,
    prepared: Callable[[Input, Any], Array],
    run: Callable[[Dict[str, Array]], List[Array]],
    answer: Callable[[List[Array]], Any],
) -> Any:
    """The answer to the inputs of one, or a list of them."""
    at_once = (card.input.shape[0] if card.input.shape else 1) or 1
    found = [answer(one) for feed in feeds(data, card, prepared) for one in _apart(run(feed), at_once)]
    return found[0] if is_single(data, card) else found


def _apart(outputs: List[Array], count: int) -> List[List[Array]]:
    """The outputs for each of `count` inputs that went in at once; all of them where none is for each."""
    if count == 1 or all(one.shape[:1] != (count,) for one in outputs):
        return [outputs]
    return [[one[i : i + 1] if one.shape[:1] == (count,) else one for one in outputs] for i in range(count)]


def feeds(data: Any, card: Card, prepared: Callable[[Input, Any], Array]) -> List[Dict[str, Array]]:
    """What the network takes, by its inputs' names: once for each picture, row or array that all of them have, or for
    as many as it takes at once. Where one of them is no row of anything, a state or a number, all go in together.

    InputError where `data` is no mapping of just these names, or one input has more rows than another.
    """
    check(data, card)
    batches = {entry.name: prepared(entry, data[entry.name]) for entry in card.inputs}
    rows = [(entry.shape[0], len(batches[entry.name])) for entry in card.inputs if entry.shape]
    counts, at_once = [count for _, count in rows], rows[0][0] or 1 if rows else 1
    if all(own == count or (own is None and count == 1) for own, count in rows) or len(rows) < len(batches):
        return [batches]
    if len(set(counts)) > 1 or counts[0] % at_once:
        raise _uneven(list(batches), counts)
    return [{name: batch[i : i + at_once] for name, batch in batches.items()} for i in range(0, counts[0], at_once)]


def check(data: Any, card: Card) -> None:
    """InputError where `data` is no mapping of just the inputs' names: what is missing is no state, to begin with 0."""
    names = [entry.name for entry in card.inputs]
    if not isinstance(data, Mapping) or set(data) != set(names):
        raise _not_these(data, names)


def is_single(data: Mapping[str, Any], card: Card) -> bool:
    """Whether these are the inputs of one answer: no file or array of several rows is among them."""
    rows = [(entry, data[entry.name]) for entry in card.inputs if entry.kind != "image" and entry.shape]
    return all(not is_path(one) and np.ndim(one) == len(entry.shape) - 1 for entry, one in rows)


def _not_these(data: object, names: List[str]) -> InputError:
    one = os.path.basename(data) if is_path(data) else type(data).__name__
    found = ", ".join(str(name)[:60] for name in data) if isinstance(data, Mapping) else one
    wanted = ", ".join(name[:60] for name in names)
    shown = ", ".join('"%s": …' % name[:60] for name in names)
    return InputError(
        en="The model takes %d inputs at once (%s), and got: %s. Give each by its name: as an array "
        "in an .npz file, or in Python: predict({%s})" % (len(names), wanted, found, shown),
        zh="这个模型一次需要 %d 个输入（%s），收到的是：%s。请按名称给出每一个："
        "写成 .npz 文件里的数组，或在 Python 里：predict({%s})" % (len(names), wanted, found, shown),
    )


def _uneven(names: List[str], counts: List[int]) -> InputError:
    found = ", ".join("%s: %d" % (name[:60], count) for name, count in zip(names, counts))
    return InputError(
        en="The inputs have different numbers of rows (%s). Give each as many." % found,
        zh="各个输入的行数不同（%s）。请给出一样多的行。" % found,
    )
