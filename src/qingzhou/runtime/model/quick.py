"""The steps of most classifiers in one go: resize as Pillow, cut out the middle, normalise.

The same numbers, sooner. Pillow weighs one pixel after another; here numpy weighs whole rows of those that stay in the
middle, all channels at once, into the order in which the network takes them: on a board less than half of the
instructions.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Tuple, Union

import numpy as np

from .card import Input

if TYPE_CHECKING:
    from ..typed import Array
    from .picture import Picture

    Pixels = Union[Array, Picture]  # in memory, or read as it is resized


BITS = 22  # of Pillow's weights: PRECISION_BITS in its src/libImaging/Resample.c
HALF = 1 << 23  # of sums that are moved up so far that the upper byte of 32 bits is the rounded level
PART = 1 << 17  # numbers that are multiplied at once: they stay in the processor's cache
STRONGEST = 2.5  # times smaller; beyond, so many pixels are weighed for one that Pillow is quicker
KNOWN = (("resize",), ("resize", "center_crop"), ("resize", "normalize"), ("resize", "center_crop", "normalize"))


class Weights(NamedTuple):
    """How pixels from `first` to `end` become others: places (counted from `first`) and weights, (taps, count), which
    make 1 << 24 in each column.
    """

    first: int
    end: int
    places: Array
    weights: Array


class Prepared(NamedTuple):
    """The batch as the network takes it; the (height, width) of the picture after the resize; where it begins."""

    batch: Array
    size: Tuple[int, int]
    top: int
    left: int


def prepared(picture: Pixels, entry: Input, size: Tuple[int, int]) -> Optional[Prepared]:
    """What prepare() makes of a picture, bit for bit; None where it has other steps than these. The first of them is a
    resize to `size`, (height, width).
    """
    plan = _plan(picture, entry, size)
    if plan is None or not isinstance(picture, np.ndarray):
        return None
    (top, left), (high, wide) = plan
    height, width = picture.shape[:2]
    across, down = _weights(width, size[1], left, wide), _weights(height, size[0], top, high)
    needed = picture[down.first : down.end, across.first : across.end]
    columns = np.ascontiguousarray(needed.transpose(1, 2, 0))
    rows = np.ascontiguousarray(_weighed(columns, across).transpose(2, 1, 0))
    weighed = _weighed(rows, down)
    batch = np.empty((1, 3, high, wide) if entry.layout == "NCHW" else (1, high, wide, 3), entry.dtype)
    planes = batch[0] if entry.layout == "NCHW" else batch[0].transpose(2, 0, 1)
    for channel, plane in enumerate(planes):  # one by one: numpy would go along the shortest axis, of three
        plane[...] = np.ascontiguousarray(weighed[:, channel])
    if entry.steps[-1]["op"] == "normalize":
        _normalize(batch[0], entry)
    return Prepared(batch, size, top, left)


def _normalize(picture: Array, entry: Input) -> None:
    """(x - mean) / std, in place; with channels last row by row, since numpy is slow along an axis of three."""
    step, last = entry.steps[-1], entry.layout == "NHWC"
    flat = picture.reshape((picture.shape[0], -1))
    mean, std = (np.asarray(step[name], np.float32) for name in ("mean", "std"))
    times = flat.shape[1] // 3
    flat -= np.tile(mean, times) if last else mean[:, None]
    flat /= np.tile(std, times) if last else std[:, None]


def _plan(picture: Pixels, entry: Input, size: Tuple[int, int]) -> Any:
    """Where the part in the middle begins after the resize, and its (height, width); None for other steps."""
    steps = {step["op"]: step for step in entry.steps}
    if tuple(steps) not in KNOWN or len(steps) != len(entry.steps) or not isinstance(picture, np.ndarray):
        return None
    if picture.dtype != np.uint8 or picture.ndim != 3:
        return None
    step, (height, width) = steps["resize"], picture.shape[:2]
    if step["interpolation"] != "pillow" or not {"size", "short"} & set(step):
        return None
    part = tuple(steps["center_crop"]["size"]) if "center_crop" in steps else size
    changed = size[0] != height and size[1] != width and max(height / size[0], width / size[1]) <= STRONGEST
    if not changed or (entry.channels, *entry.sides()) != (3, *part) or part[0] > size[0] or part[1] > size[1]:
        return None
    return tuple(round((whole - cut) / 2) for whole, cut in zip(size, part)), part


@functools.lru_cache(maxsize=8)
def _weights(before: int, after: int, start: int, count: int) -> Weights:
    """Of `count` new pixels from `start` on: precompute_coeffs and normalize_coeffs_8bpc of Resample.c, bilinear."""
    scale = before / after
    reach = max(scale, 1.0)  # of the filter, to either side
    centre = (np.arange(start, start + count) + 0.5) * scale
    left = np.maximum(np.trunc(centre - reach + 0.5), 0)
    stop = np.minimum(np.trunc(centre + reach + 0.5), before)
    places = left + np.arange(int((stop - left).max()))[:, None]
    weights = np.maximum(1 - np.abs((places - centre + 0.5) * (1 / reach)), 0) * (places < stop)
    weights /= functools.reduce(np.add, weights)  # one after another, as Pillow adds them
    first, end = int(left[0]), int(stop[-1])
    near = np.minimum(places, end - 1).astype(np.intp) - first
    return Weights(first, end, near, (0.5 + weights * (1 << BITS)).astype(np.uint32) << (24 - BITS))


def _weighed(rows: Array, by: Weights) -> Array:
    """(end - first, 3, n) uint8 -> a view (count, 3, n) uint8: sums of rows, rounded."""
    taps, count = by.places.shape
    wide = rows.reshape((len(rows), -1)).astype(np.uint32)
    total = np.empty((count, wide.shape[1]), np.uint32)
    step = max(1, PART // (taps * wide.shape[1]))
    for start in range(0, count, step):
        part = slice(start, start + step)
        # einsum multiplies and adds in one pass: half the instructions of doing so one after the other
        np.einsum(
            "tnm,tn->nm", wide.take(by.places[:, part], axis=0, mode="clip"), by.weights[:, part], out=total[part]
        )
    total += HALF
    top = 3 if sys.byteorder == "little" else 0
    return total.view(np.uint8)[:, top::4].reshape((count, *rows.shape[1:]))
