"""Which of two models is faster here: both run in turns on one thread, so that a busy machine disturbs both alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

SECONDS = 2.0  # of measuring
FEWEST = 7  # rounds: of six or fewer, not even all together are an interval of 95 %
MOST = 400


class Timing(NamedTuple):
    """Median milliseconds of the bare network, and the speed-up with its 95 % interval."""

    before: float
    after: float
    ratio: float
    low: float
    high: float

    @property
    def faster(self) -> bool | None:
        """Whether the second is; None where the difference is too small to tell."""
        if self.low > 1:
            return True
        return False if self.high < 1 else None


def compare(before: Callable[[], object], after: Callable[[], object]) -> Timing:
    """Run both in turns."""
    before()
    after()
    rounds: list[tuple[float, float]] = []
    start = time.perf_counter()
    while len(rounds) < MOST and (len(rounds) < FEWEST or time.perf_counter() - start < SECONDS):
        rounds.append((_timed(before), _timed(after)))
    times = np.array(rounds)
    ratios = np.sort(times[:, 0] / times[:, 1])
    low, high = _median_interval(len(ratios))
    first, second = np.median(times, axis=0) * 1e3
    return Timing(float(first), float(second), float(np.median(ratios)), float(ratios[low]), float(ratios[high]))


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _median_interval(count: int) -> tuple[int, int]:
    """The places, in sorted numbers, between which their median lies with 95 %: of the binomial, nearly normal."""
    half = 1.96 * np.sqrt(count) / 2
    return max(0, int(np.floor(count / 2 - half))), min(count - 1, int(np.ceil(count / 2 + half)))
