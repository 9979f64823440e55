"""Numbers drawn with a seed, for a network of which nobody knows what it takes: a sample in few letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import fields

if TYPE_CHECKING:
    from ..typed import Array


MOST = 1 << 24  # numbers
KINDS = ["float16", "float32", "float64", "bool", *("%sint%d" % (u, 8 << i) for u in ("", "u") for i in range(4))]


def check(at: str, data: object) -> None:
    """A type and sizes, as a card has them; ModelError."""
    if type(data) is not list or not data:
        raise fields.bad(at, data)
    fields.one_of(at, data[0], KINDS)
    count = 1
    for size in data[1:]:
        count *= fields.whole(at, size, 1, MOST)
    fields.whole(at, count, 1, MOST)


def noise(dtype: str, *shape: int, seed: int = 0) -> Array:
    """Floats from 0 to 1, bytes, or zeros and ones of other whole numbers: which may be places, or a mask."""
    luck = np.random.RandomState(seed)  # whose numbers are the same in every version of numpy
    if dtype.startswith("float"):
        return np.asarray(luck.uniform(0, 1, shape)).astype(dtype)
    return np.asarray(luck.randint(0, 256 if dtype == "uint8" else 2, shape)).astype(dtype)
