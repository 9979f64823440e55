"""Masks: the small one that a network gives for a box, spread over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence, Tuple

import numpy as np

if TYPE_CHECKING:
    from ..typed import Array


def paste_mask(mask: Array, box: Sequence[float], size: Tuple[int, int], threshold: float = 0.5) -> Array:
    """(h, w) probabilities in a box (x1, y1, x2, y2) -> booleans (height, width) = `size`: at least the threshold.

    As mmdet's _do_paste_mask: bilinear between the centres of the mask's cells, 0 around them. A box without an
    area gives an empty mask.
    """
    picture = np.zeros(size, bool)
    x1, y1, x2, y2 = (float(n) for n in box)
    if not (np.isfinite([x1, y1, x2, y2]).all() and x1 < x2 and y1 < y2):
        return picture
    rows, columns = _pixels(y1, y2, size[0]), _pixels(x1, x2, size[1])
    down = _shares(np.arange(rows.start, rows.stop) + 0.5, y1, y2, mask.shape[0])
    along = _shares(np.arange(columns.start, columns.stop) + 0.5, x1, x2, mask.shape[1])
    picture[rows, columns] = down @ np.asarray(mask, np.float32) @ along.T >= np.float32(threshold)
    return picture


def crop_mask(mask: Array, box: Array, inner: Array) -> Array:
    """The mask of a box as a mask of the same size for another box inside it."""
    if (box == inner).all():
        return mask
    sides = zip((1, 0), mask.shape)
    down, along = (_shares(_centres(inner, axis, n), box[axis], box[axis + 2], n) for axis, n in sides)
    return np.asarray(down @ mask @ along.T, np.float32)


def _pixels(start: float, end: float, size: int) -> slice:
    """The pixels that a side of a box touches, and one more on both sides."""
    first = int(min(max(np.floor(start) - 1, 0), size))
    return slice(first, int(max(first, min(np.ceil(end) + 1, size))))


def _centres(box: Array, axis: int, count: int) -> Array:
    """Where the centres of so many cells of a box lie."""
    return np.asarray(box[axis] + (np.arange(count) + 0.5) / count * (box[axis + 2] - box[axis]))


def _shares(positions: Array, start: float, end: float, count: int) -> Array:
    """(n, count): how much each of `count` cells between start and end counts at each position, linearly."""
    cells = (positions - start) / (end - start) * count - 0.5
    return np.asarray((1 - np.abs(cells[:, None] - np.arange(count))).clip(0), np.float32)
