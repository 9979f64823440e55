"""Weights: the arrays a graph needs, computed only when they are asked for; and those that are integers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..files.types import Tensors

Array = np.ndarray[Any, Any]


class Weights(Mapping[str, Array]):
    """Name -> float32 array: the checkpoint's tensors, with some replaced by results of a pass.

    Nothing is kept: an array exists while its user holds it, so a large network never lies in memory twice.
    """

    def __init__(self, base: Mapping[str, Array], made: Mapping[str, Callable[[], Array]] | None = None) -> None:
        self.base = base
        self.made = dict(made or {})

    def __getitem__(self, key: str) -> Array:
        return self.made[key]() if key in self.made else self.base[key]

    def chunks(self, key: str) -> Iterator[memoryview] | None:
        """The numbers as they lie in a file, piece by piece; None where they are computed, or of another type there."""
        return self.base.chunks(key) if isinstance(self.base, Tensors) and key not in self.made else None

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.base), **dict.fromkeys(self.made)})

    def __len__(self) -> int:
        return len(set(self.base) | set(self.made))

    def adding(self, made: Mapping[str, Callable[[], Array]]) -> Weights:
        """The same weights with more that are computed on demand."""
        return Weights(self.base, {**self.made, **made})


@dataclass(frozen=True)
class Rounded:
    """A weight's integers, int8 of (out, in / groups, *kernel) or (out, in), and the step of each output channel."""

    whole: Array
    steps: Array


@dataclass(frozen=True)
class Integers:
    """What is INT8 in a network: weights, by their name, and the steps of activations that layers read, by theirs."""

    weights: Mapping[str, Rounded]
    steps: Mapping[str, float]


NOTHING = Integers({}, {})
