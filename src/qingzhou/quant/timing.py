"""Which of two models is faster here: both run in turns on one thread, so that a busy machine disturbs both alike.

Measuring ends early where the interval is narrow and far from 1. To look at its width alone leaves an interval what it
says (Chow and Robbins 1965, "On the asymptotic theory of fixed-width sequential confidence intervals for the mean").
Where the two are about as fast as each other every round is measured, as if nobody had looked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

SECONDS = 2.0  # of measuring
FEWEST = 7  # rounds: of six or fewer, not even all together are an interval of 95 %
MOST = 400
LOOK = 30  # rounds after which the interval is looked at, each time
NARROW = 1.03  # the high end by the low one
FAR = 1.1  # times as fast, or as slow

Rounds = Sequence[tuple[float, float]]


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
    while not enough(rounds, time.perf_counter() - start):
        rounds.append((_timed(before), _timed(after)))
    return summed_up(rounds)


def enough(rounds: Rounds, seconds: float) -> bool:
    """Whether these rounds, which took so long, say what can be known."""
    count = len(rounds)
    if count < FEWEST or count >= MOST or seconds >= SECONDS:
        return count >= FEWEST
    return count % LOOK == 0 and _settled(summed_up(rounds))


def _settled(found: Timing) -> bool:
    return found.high <= found.low * NARROW and (found.low >= FAR or found.high <= 1 / FAR)


def summed_up(rounds: Rounds) -> Timing:
    """What rounds of (before, after), in seconds, say: at least FEWEST of them."""
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
