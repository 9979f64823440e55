"""Measuring that ends early says the same as measuring to the end, and its intervals hold what they promise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from qingzhou.quant import timing
from qingzhou.quant.timing import FAR, FEWEST, LOOK, MOST, NARROW, SECONDS, Timing, enough, summed_up

Noise = Callable[[np.random.Generator], float]

NOISES: dict[str, Noise] = {
    "quiet": lambda random: random.normal(0, 0.02),
    "heavy tails": lambda random: 0.01 * random.standard_t(2),
    "disturbed now and then": lambda random: random.normal(0, 0.01) + (random.random() < 0.1) * random.exponential(1),
}


def rounds_of(speed: float, noise: Noise, random: np.random.Generator) -> list[tuple[float, float]]:
    """As many as are wanted, of 9 ms each, of two models of which the second is so much faster."""
    made: list[tuple[float, float]] = []
    while not enough(made, 0.009 * len(made)):
        made.append((speed * 0.003 * np.exp(noise(random)), 0.003 * np.exp(noise(random))))
    return made


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
@pytest.mark.parametrize("speed", [2.0, 1.12, 0.5])
def test_the_interval_holds_what_it_says(speed: float, noise: Noise) -> None:
    """95 % of the intervals have the true speed in them, whenever measuring ended; a few less for 400 of them."""
    random = np.random.default_rng(7)
    found = [summed_up(rounds_of(speed, noise, random)) for _ in range(400)]
    assert np.mean([one.low <= speed <= one.high for one in found]) >= 0.93


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_what_is_as_fast_is_seldom_called_faster(noise: Noise) -> None:
    """Nothing ends early there, so it is wrong as seldom as the interval of all rounds: 2.5 % on either side."""
    random = np.random.default_rng(8)
    every = [rounds_of(1.0, noise, random) for _ in range(400)]
    assert {len(rounds) for rounds in every} == {int(np.ceil(SECONDS / 0.009))}
    assert np.mean([summed_up(rounds).faster is True for rounds in every]) <= 0.04


def test_quiet_rounds_end_early() -> None:
    """As soon as the interval was looked at."""
    assert len(rounds_of(2.0, lambda _: 0.0, np.random.default_rng(9))) == LOOK


@pytest.mark.parametrize(
    ("found", "settled"),
    [
        (Timing(2, 1, 2.0, 2.0, 2.0 * NARROW), True),
        (Timing(2, 1, 2.0, 2.0, 2.01 * NARROW), False),  # wide
        (Timing(1, 2, 0.5, 0.5, 0.51), True),
        (Timing(1, 1, 1.1, 0.99 * FAR, 1.0 * FAR), False),  # near
        (Timing(1, 1, 0.9, 1 / FAR, 1.01 / FAR), False),
    ],
)
def test_what_ends_it(found: Timing, settled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow interval that is far from 1, seen at one of the looks; or the time, or the number of rounds."""
    monkeypatch.setattr(timing, "summed_up", lambda _rounds: found)
    some = [(2.0, 1.0)] * MOST
    assert enough(some[:LOOK], 0.1) is settled
    assert not enough(some[: LOOK + 1], 0.1)
    assert enough(some[: LOOK + 1], SECONDS) and enough(some, 0.1)
    assert not enough(some[: FEWEST - 1], SECONDS)
