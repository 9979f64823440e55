"""Networks that take a fixed number of inputs at once, and more than one: as many are given, or a multiple of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, List

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from ..typed import Array


def rows(batch: Array, at_once: int, scores: Callable[[Array], Array]) -> Array:
    """One flat row of scores for each input of a batch; InputError where they are not as many."""
    if len(batch) % at_once:
        raise _not_as_many(len(batch), at_once)
    parts: List[Array] = [batch[i : i + at_once] for i in range(0, len(batch), at_once)]
    return np.concatenate([flat(scores(part), at_once) for part in parts])


def flat(scores: Array, count: int) -> Array:
    """A flat row of scores for each of `count` inputs that went in at once; one for all if they have one answer."""
    return scores.reshape(count if scores.shape[:1] == (count,) else 1, -1)


def _not_as_many(found: int, wanted: int) -> InputError:
    return InputError(
        en="The model takes just %d at once, as it was exported, and got %d. Give %d, or a multiple of that."
        % (wanted, found, wanted),
        zh="这个模型导出时固定为每次输入 %d 个，收到的是 %d 个。请给出 %d 个或其整数倍。" % (wanted, found, wanted),
    )
