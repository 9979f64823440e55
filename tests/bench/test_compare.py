"""What rounds say: the interval holds the truth as often as it promises, and nothing is called faster by luck."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import numpy as np
import pytest

from qingzhou.bench.compare import interval, outcome, pairs

LUCK = np.random.Generator(np.random.PCG64(5))


@pytest.mark.parametrize(
    ("ratios", "error", "wanted"),
    [
        (range(1, 21), 0.05, (6, 15)),  # the table of the sign test: n = 20, 95.86 %
        (range(1, 11), 0.05, (2, 9)),  # n = 10, 97.85 %
        (range(1, 7), 0.05, (1, 6)),  # n = 6, 96.88 %
        (range(1, 6), 0.05, (0, inf)),  # n = 5: 93.75 % is not enough
        ([], 0.05, (0, inf)),
        (range(1, 21), 1e-5, (1, 20)),
    ],
)
def test_the_interval_is_that_of_the_sign_test(ratios: range, error: float, wanted: tuple[float, float]) -> None:
    """Against the published table: Conover, table A3."""
    assert interval(list(ratios), error) == wanted


@pytest.mark.parametrize("noise", ["normal", "heavy", "bursts"])
def test_it_holds_the_truth_as_often_as_it_promises(noise: str) -> None:
    """The median ratio is 1 here; bursts slow down both times of a round."""
    missed = 0
    for _ in range(2000):
        one, other = (1 + 0.1 * LUCK.standard_cauchy(30) if noise == "heavy" else LUCK.normal(1, 0.1, 30) for _ in "ab")
        both = np.where(LUCK.random(30) < 0.3, 4.0, 1.0) if noise == "bursts" else 1.0
        low, high = interval(list(np.abs(one * both) / np.abs(other * both)), 0.05)
        missed += not low <= 1 <= high
    assert missed / 2000 < 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5


def test_equal_ones_are_never_called_faster_more_than_promised() -> None:
    """Six equal candidates, 15 pairs: any statement at all is wrong; at most in 5 of 100 measurements."""
    wrong = 0
    for _ in range(400):
        found = pairs({i: list(LUCK.lognormal(0, 0.3, 20)) for i in range(6)})
        wrong += any(pair.outcome in ("faster", "slower") for pair in found)
    assert wrong / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5


def test_a_real_difference_is_found_in_noise_that_hits_both() -> None:
    drift = np.exp(LUCK.normal(0, 0.5, 20))  # a machine that gets slower and faster by half
    found = pairs({0: list(drift * LUCK.normal(1, 0.02, 20)), 1: list(1.3 * drift * LUCK.normal(1, 0.02, 20))})
    assert found[0].outcome == "faster" and found[0].low < 1 / 1.3 < found[0].high


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.5, 0.97, "faster"),
        (1.03, 2.0, "slower"),
        (0.97, 1.03, "same"),
        (0.9, 1.11, "unclear"),
        (0.0, inf, "unclear"),
        (0.96, 0.99, "same"),
        (0.88, 0.99, "unclear"),
    ],
)
def test_what_an_interval_says(low: float, high: float, wanted: str) -> None:
    assert outcome(low, high) == wanted


def test_a_pair_seen_from_the_other_side() -> None:
    (pair,) = pairs({3: [1.0] * 20, 7: [2.0] * 20})
    assert (pair.one, pair.other, pair.ratio, pair.outcome) == (3, 7, 0.5, "faster")
    back = pair.turned
    assert (back.one, back.other, back.ratio, back.low, back.high, back.outcome) == (7, 3, 2.0, 2.0, 2.0, "slower")
    (short,) = pairs({0: [1.0], 1: [2.0]})
    assert (short.low, short.high, short.outcome) == (0.0, inf, "unclear")
    assert (short.turned.low, short.turned.high) == (0.0, inf)


def test_more_pairs_make_wider_intervals() -> None:
    times = list(LUCK.lognormal(0, 0.1, 20))
    widths = []
    for many in (2, 4, 8):
        found = pairs({0: times, 1: times[::-1], **{i: [1.0] * 20 for i in range(2, many)}})[0]
        widths.append(found.high - found.low)
    assert all(a < b for a, b in pairwise(widths))
