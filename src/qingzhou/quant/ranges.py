"""Calibration: one pass over the pictures; of every activation its ends, its channels' means and a histogram.

Memory does not grow with the number of pictures: a histogram has a fixed number of bins, and doubles its reach when a
larger number comes, pairs of bins becoming one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from .network import Array, Network
from .signal import Feed
from .watch import Glance, watched

Range = tuple[float, float]

BINS = 4096  # over -reach to reach
METHODS = ("mse", "percentile", "minmax")
AT_ONCE = 16  # pictures that are added together: of small tensors numpy takes many as fast as few
SHARE = 1e-4  # of the numbers that "percentile" cuts off at each end
SHARES = np.linspace(0.2, 1.0, 41)  # shares of an end that "mse" tries
SURELY = 1 - 1e-6  # a part that is larger than a whole by more than its own last digits


@dataclass
class Histogram:
    """Counts over -reach to reach."""

    reach: float = 0.0
    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, numbers: Array) -> bool:
        """Count a row of numbers; False if one of them is not finite."""
        largest = float(np.abs(numbers).max(initial=0.0))
        if not isfinite(largest):
            return False
        if largest > self.reach:
            self._widen(largest)
        if self.reach:
            places = ((numbers + self.reach) * (BINS / (2 * self.reach))).astype(np.int32)
            self.counts += np.bincount(np.minimum(places, BINS - 1), minlength=BINS)
        return True

    def _widen(self, largest: float) -> None:
        """The reach is always a power of two, so that widening joins bins exactly."""
        reach = float(2.0 ** np.ceil(np.log2(largest)))
        while self.reach and self.reach < reach:
            joined = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.zeros(BINS, np.int64)
            self.counts[BINS // 4 : BINS // 4 + BINS // 2] = joined
            self.reach *= 2
        self.reach = self.reach or reach

    @property
    def middles(self) -> Array:
        """The numbers in the middle of the bins."""
        return (np.arange(BINS) + 0.5) * (2 * self.reach / BINS) - self.reach


@dataclass
class Seen:
    """What was seen of one activation. means: of its channels (axis 1), summed over `pictures`."""

    name: str
    low: float = np.inf
    high: float = -np.inf
    means: Array | float = 0.0
    pictures: int = 0
    histogram: Histogram = field(default_factory=Histogram)

    def add(self, glances: Sequence[Glance]) -> None:
        """Some pictures'; ValueError if a number is not finite."""
        means: Array | float = sum((one.means for one in glances if one.means is not None), start=np.float64(0))
        self.low = float(np.min([self.low, *(one.low for one in glances)]))
        self.high = float(np.max([self.high, *(one.high for one in glances)]))
        counted = self.histogram.add(np.concatenate([one.sample for one in glances]))
        if not counted or not np.isfinite([self.low, self.high, np.sum(means)]).all():
            raise ValueError(self.name)
        self.means = self.means + means
        self.pictures += len(glances)

    @property
    def mean(self) -> Array | None:
        """Of each channel, (C,); None where there are no channels."""
        return self.means / self.pictures if isinstance(self.means, np.ndarray) and self.means.ndim else None

    def range(self, method: str) -> Range:
        """(low, high), always with 0 inside. Of "mse" the one that rounds and cuts with the least squared error."""
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        if method == "minmax" or not self.histogram.reach:
            return low, high
        kept = self.histogram.counts.nonzero()[0]
        counts, middles = self.histogram.counts[kept], self.histogram.middles[kept]
        if method == "percentile":
            shares = counts.cumsum() / counts.sum()
            ends = middles[np.searchsorted(shares, SHARE)], middles[np.searchsorted(shares, 1 - SHARE)]
            return max(low, min(float(ends[0]), 0.0)), min(high, max(float(ends[1]), 0.0))
        return _least_error(counts, middles, low, high)


class Calibration:
    """What was seen of some activations; pictures are added together in the same groups, however they come."""

    def __init__(self, names: Iterable[str]) -> None:
        self._seen = {name: Seen(name) for name in names}
        self._waiting: list[Mapping[str, Glance]] = []

    def add(self, glances: Mapping[str, Glance]) -> None:
        """One picture more; ValueError, with its name, if a tensor is not finite."""
        self._waiting.append(glances)
        if len(self._waiting) == AT_ONCE:
            self._join(self._seen)

    def so_far(self) -> dict[str, Seen]:
        """What the pictures show until now; the others go on as if it had not been asked."""
        seen, waiting = deepcopy(self._seen), list(self._waiting)
        self._join(seen)
        self._waiting = waiting
        return seen

    def _join(self, seen: Mapping[str, Seen]) -> None:
        for name, one in seen.items() if self._waiting else ():
            one.add([every[name] for every in self._waiting])
        self._waiting = []


def calibrate(network: Network, names: Iterable[str], feeds: Iterable[Feed]) -> dict[str, Seen]:
    """Run the network on every feed, and watch the activations of these names. ValueError, with its name, if one is
    not finite.
    """
    every = list(names)
    found = Calibration(every)
    for sight in watched(network, every, feeds):
        found.add(sight.glances)
    return found.so_far()


def _least_error(counts: Array, middles: Array, low: float, high: float) -> Range:
    """One end after the other, twice: the error is nearly separable."""
    ends = [low, high]
    for side in (1, 0, 1, 0):
        if ends[side]:
            ends[side] = _least_end(counts, middles, ends, side, (low, high)[side])
    return ends[0], ends[1]


def _least_end(counts: Array, middles: Array, ends: Sequence[float], side: int, outer: float) -> float:
    """The share of an end with the least error, of equal ones the smallest. What is cut off is a part of the error, and
    grows: where that alone is too much, smaller shares need not be tried.
    """
    best, least = outer, np.inf
    for share in SHARES[::-1]:
        end = float(outer * share)
        cut = counts[middles > end] if side else counts[middles < end]
        gone = middles[middles > end] if side else middles[middles < end]
        if float((cut * (gone - end) ** 2).sum()) * SURELY > least:
            break
        error = _error(counts, middles, *((ends[0], end) if side else (end, ends[1])))
        if error <= least:
            best, least = end, error
    return best


def _error(counts: Array, middles: Array, low: float, high: float) -> float:
    """Squared error of rounding to 256 levels from low to high."""
    scale = (high - low) / 255
    rounded = (middles - low) / scale
    np.rint(rounded, out=rounded)
    np.maximum(rounded, 0, out=rounded)
    np.minimum(rounded, 255, out=rounded)
    rounded *= scale
    rounded += low
    rounded -= middles
    rounded *= rounded
    rounded *= counts
    return float(rounded.sum())
