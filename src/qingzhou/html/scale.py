"""Where things go in a chart: round numbers for an axis, values to places, labels that do not lie on each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most `most` round numbers (steps of 1, 2 or 5) from at most `low` to at least `high`."""
    size = max(abs(low), abs(high))
    span = high - low
    if span <= max(1e-9 * size, 1e-300):  # all the same, as far as numbers can tell
        span = size if size > 1e-300 else 1.0
    step = next(step for step in _steps(span / most) if _needed(low, low + span, step) <= most)
    start = math.floor(low / step + 1e-9)
    digits = 3 - math.floor(math.log10(step))  # without the 0.30000000000000004 of 3 * 0.1
    return [round((start + i) * step, digits) for i in range(_needed(low, low + span, step))]


def _steps(least: float) -> list[float]:
    power = 10.0 ** math.floor(math.log10(least))
    return [factor * power for factor in (1, 2, 5, 10, 20, 50, 100)]


def _needed(low: float, high: float, step: float) -> int:
    return math.ceil(high / step - 1e-9) - math.floor(low / step + 1e-9) + 1


LEAST = 0.02  # of the values: an axis that shows less would make hills of nothing


@dataclass(frozen=True)
class Frame:
    """One axis: its numbers, and the places (pixels) of the first and the last."""

    ticks: Sequence[float]
    first: float
    last: float

    def place(self, value: float) -> float:
        """Where a value lies."""
        share = (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return round(self.first + share * (self.last - self.first), 2)


def frame(values: Sequence[float], first: float, last: float, zero: bool = False) -> Frame:
    """The axis that holds all values; with `zero` it begins there."""
    low, high = min(values), max(values)
    missing = LEAST * max(abs(low), abs(high)) - (high - low)
    if missing > 0:
        low, high = low - missing / 2, high + missing / 2
    return Frame(ticks(min(0.0, low) if zero else low, max(0.0, high) if zero else high), first, last)


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places moved apart, as little as keeps their order, `gap` between them and `low` to `high` where they fit."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = [0.0] * len(places)
    least = low
    for i in order:
        moved[i] = max(places[i], least)
        least = moved[i] + gap
    most = max(high, low + gap * (len(places) - 1))
    for i in reversed(order):
        moved[i] = min(moved[i], most)
        most = moved[i] - gap
    return moved
