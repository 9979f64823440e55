"""The numbers of MindCV's networks in the oracle: drawn one after the other, as both sides do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def draw(entries: Sequence[Any]) -> dict[str, Any]:
    """By name, of [name, shape]: small enough for logits that a softmax does not level."""
    rng = np.random.Generator(np.random.PCG64(20261201))
    found = {}
    for name, shape in entries:
        if name.endswith(("gamma", "variance")):
            new = rng.uniform(0.6, 1.4, shape)
        elif len(shape) < 2:
            new = rng.normal(0, 0.1, shape)
        else:
            new = rng.normal(0, (1.0 / np.prod(shape[1:])) ** 0.5, shape)
        found[name] = new.astype(np.float32)
    return found


def picture(channels: int, side: int) -> Any:
    """Two of them."""
    return np.random.Generator(np.random.PCG64(7)).normal(size=(2, channels, side, side)).astype(np.float32)
