"""The inputs that calibrate, prepared one by one; the first are kept, since ways of rounding are compared by them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ..errors import DataError, InputError, QingzhouError
from ..evaluate.result import Case
from ..runtime.model.answers import Look, look
from ..runtime.predict import Predictor
from .network import Array
from .pair import digest
from .signal import Feed
from .split import Split

MOST_LOOKED_AT, FEWEST_LOOKED_AT = 24, 4  # inputs by which ways of rounding are compared
LOOKED_AT_BYTES = 24_000_000  # of them, unless these are too few


class Inputs:
    """All that can be read, as often as wanted; DataError if nothing can.

    first  as many as memory and patience allow
    taken  pair.digest() of those that were given so far
    looks  what those look like that are pictures
    """

    def __init__(self, predictor: Predictor, parts: Split) -> None:
        self._predictor, self._parts = predictor, parts
        self.taken: set[bytes] = set()
        self.looks: list[Look] = []
        self._rest: Iterator[Feed] | None = self._noted()
        one = next(self._rest)
        size = sum(array.nbytes for array in one.values())
        count = min(MOST_LOOKED_AT, max(FEWEST_LOOKED_AT, LOOKED_AT_BYTES // size))
        self.first = [one, *islice(self._rest, count - 1)]

    def __iter__(self) -> Iterator[Feed]:
        rest, self._rest = self._rest, None
        if rest is None:  # none is read twice but by who wants them twice
            yield from (feed for _, feed in self._prepared())
            return
        yield from self.first
        yield from rest

    def _noted(self) -> Iterator[Feed]:
        for case, feed in self._prepared():
            self.taken.update(map(digest, feed.values()))
            if self._predictor.card.input.kind == "image":
                self._look(case, feed)
            yield feed

    def _look(self, case: Case, feed: Feed) -> None:
        entry = self._predictor.card.input
        try:
            self.looks.append(look(case.data, feed[entry.name], entry))
        except QingzhouError:
            return

    def _prepared(self) -> Iterator[tuple[Case, Feed]]:
        """What cannot be read is left out."""
        last: QingzhouError | None = None
        there = False
        for case in self._parts.calibration:
            try:
                feed = {self._predictor.card.input.name: _numbers(self._predictor.prepare(case.data))}
            except QingzhouError as err:
                last = err
                continue
            there = True
            yield case, feed
        if not there and last is not None:
            raise DataError(
                en=f"None of the {len(self._parts.calibration)} inputs to calibrate with could be read. The last: "
                f"{last.en}",
                zh=f"用于校准的 {len(self._parts.calibration)} 个输入都无法读取。最后一个：{last.zh}",
            )


def _numbers(prepared: Array) -> Array:
    """The same; InputError where one is not finite, before a model makes all its tensors so."""
    if not np.isfinite(prepared).all():
        raise InputError(
            en="An input holds numbers that are not finite (NaN or infinite). Remove it, or put numbers there.",
            zh="输入中有无效数字（NaN 或无穷大）。请删除它，或改成正常的数字。",
        )
    return prepared
