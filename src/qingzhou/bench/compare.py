"""What paired rounds say about two candidates, and when they say nothing.

In each round every candidate has its turn, on the same inputs; what slows the machine down for a while slows all of
them. So two are compared by the ratio of their times within each round. The median of these ratios has an interval
that needs no assumption about how times are distributed: between the k-th smallest and the k-th largest ratio, by the
sign test (Conover, Practical Nonparametric Statistics, 3.2; https://en.wikipedia.org/wiki/Sign_test). Its error is
5 % for all pairs together (Bonferroni), so that choosing the best of many does not turn luck into a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import comb, inf

import numpy as np

from .result import Pair

ERROR = 0.05  # of all statements together
# Less than this is no difference: where code and data happen to lie in memory changes times by as much, and does so in
# every round alike (Mytkowicz et al. 2009, "Producing wrong data without doing anything obviously wrong").
LEAST = 1.02
SAME = 1.1  # an interval within this is called the same


def interval(ratios: Sequence[float], error: float) -> tuple[float, float]:
    """The sign test's interval of the median with at most this error; (0, inf) where there are too few."""
    ordered, n = sorted(ratios), len(ratios)
    outside, place = 0.0, 0
    while place < n // 2:
        outside += comb(n, place) / 2**n
        if 2 * outside > error:
            break
        place += 1
    return (ordered[place - 1], ordered[n - place]) if place else (0.0, inf)


def outcome(low: float, high: float) -> str:
    """ "faster", "slower", "same", or "unclear" where the machine was too noisy to tell."""
    if high < 1 / LEAST:
        return "faster"
    if low > LEAST:
        return "slower"
    return "same" if low >= 1 / SAME and high <= SAME else "unclear"


def pairs(rounds: Mapping[int, Sequence[float]]) -> list[Pair]:
    """Every two rows compared. rounds: a row's number -> its time in each round, as many for each."""
    couples = list(combinations(rounds, 2))
    return [_pair(one, other, rounds, ERROR / len(couples)) for one, other in couples]


def _pair(one: int, other: int, rounds: Mapping[int, Sequence[float]], error: float) -> Pair:
    ratios = [a / b for a, b in zip(rounds[one], rounds[other], strict=True)]
    low, high = interval(ratios, error)
    return Pair(one, other, float(np.median(ratios)), low, high, outcome(low, high))
