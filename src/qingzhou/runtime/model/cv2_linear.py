"""OpenCV's INTER_LINEAR, bit for bit, without OpenCV."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Optional, Tuple, Union

import numpy as np

if TYPE_CHECKING:
    from ..typed import Array
    from .picture import Picture

    Pixels = Union[Array, Picture]  # in memory, or read as it is resized


BITS = 11  # of OpenCV's fixed-point weights: INTER_RESIZE_COEF_BITS in modules/imgproc/src/resize.cpp
PART = 1 << 15  # numbers of the result that are computed at once, in memory that is used again


def linear(picture: Array, height: int, width: int) -> Array:
    """(H, W) or (H, W, C), uint8 or float32, of another size."""
    if picture.dtype != np.uint8:
        return _floating(picture, height, width)
    colours = picture[0, 0].size
    return _fixed_point(picture, _across(picture.shape[1], width, colours), _down(picture.shape[0], height))


def linear_of_few(picture: Picture, height: int, width: int) -> Array:
    """linear() of a Picture, of which only the pixels that count are taken."""
    left, top, right, bottom = picture.box
    down = _down(bottom - top, height, top, picture.shape[0])
    before, behind, share = _columns(right - left, width, left, picture.shape[1])
    needed, which = np.unique(np.stack([before, behind]), return_inverse=True)
    pixels = picture.take(down.needed, needed)
    before, behind = which.reshape(2, -1)
    across = _across_by(before, behind, share, pixels[0, 0].size)
    return _fixed_point(pixels, across, down._replace(needed=np.arange(len(down.needed))))


def _positions(before: float, after: int, start: float = 0.0) -> Tuple[Array, Array]:
    """For each new pixel: the old pixel to its left (-1 before the first), and how far it is past it, float32."""
    scale = 1.0 / (after / before)  # not before / after: OpenCV rounds twice, and so its last bit differs
    exact = ((np.arange(after) + 0.5) * scale - 0.5 + start).astype(np.float32)
    left = np.floor(exact)
    return left.astype(np.intp), exact - left


def _columns(before: float, after: int, start: float, there: int) -> Tuple[Array, Array, Array]:
    """Left neighbours, right neighbours and the right one's share; at the borders the outermost pixel alone.

    `before` pixels from `start` on become `after`; `there` are there.
    """
    left, share = _positions(before, after, start)
    share[(left < 0) | (left >= there - 1)] = 0
    left = left.clip(0, there - 1)
    return left, np.minimum(left + 1, there - 1), share


def _weights(share: Array) -> Array:
    """(2, n): the left and right neighbours' weights, each rounded by itself to multiples of 1 / 2048."""
    return np.rint(np.stack([1 - share, share]) * np.float32(1 << BITS)).astype(np.int32)


def _fixed_point(picture: Array, across: _Across, down: _Down) -> Array:
    """HResizeLinear and VResizeLinear<uchar> of OpenCV, bit for bit: what they cut off is cut off here too."""
    flat = picture.reshape(len(picture), -1)  # numpy is fast along the last axis
    height = down.which.shape[1]
    out = np.empty((height, len(across.left)), np.uint8)
    step = max(1, PART // out.shape[1])
    parts = [slice(start, min(start + step, height)) for start in range(0, height, step)]
    ends = [(int(down.which[0, part.start]), int(down.which[1, part.stop - 1]) + 1) for part in parts]
    space = _Space(max(last - first for first, last in ends), step, out.shape[1])
    for part, (first, last) in zip(parts, ends):
        sums = _add_columns(_some(flat, down.needed[first:last]), across, space)
        _add_rows(sums, down.which[:, part] - first, down.weights[:, part], space, out[part])
    return out.reshape((height, -1, *picture.shape[2:]))


def _some(flat: Array, rows: Array) -> Array:
    """These rows, in ascending order; not copied where none is left out."""
    first, end = int(rows[0]), int(rows[-1]) + 1
    return flat[first:end] if end - first == len(rows) else flat[rows]


class _Across(NamedTuple):
    """The pass along the rows: sums of two neighbours, 255 * 2048 at most, without their last four bits.

    OpenCV has 32 bits for them; numbers of 16 are twice as fast here. So the weights (2, 1, n) are cut in two: the
    upper bits' sums fit, and of the lower bits' only what they carry is left. For many sizes the lower bits are all
    zero, and not there.
    """

    left: Array
    right: Array
    upper: Array
    lower: Optional[Array]


class _Down(NamedTuple):
    """The pass from row to row: the rows that are needed, and of these which two (2, n) make each of the result's, with
    which weights (2, n, 1).
    """

    needed: Array
    which: Array
    weights: Array


@lru_cache(maxsize=8)  # a folder's or a camera's pictures have the same size
def _across(before: int, after: int, colours: int) -> _Across:
    left, right, share = _columns(before, after, 0.0, before)
    return _across_by(left, right, share, colours)


def _across_by(left: Array, right: Array, share: Array, colours: int) -> _Across:
    weights = np.repeat(_weights(share).astype(np.uint16), colours, axis=1)[:, None]
    lower = weights & 15
    return _Across(_flat(left, colours), _flat(right, colours), weights >> 4, lower if lower.any() else None)


@lru_cache(maxsize=8)
def _down(before: float, after: int, start: float = 0.0, there: int = 0) -> _Down:
    """As _columns()."""
    top, share = _positions(before, after, start)
    places = np.stack([top, top + 1]).clip(0, (there or int(before)) - 1)
    needed, which = np.unique(places, return_inverse=True)
    return _Down(needed, which.reshape(places.shape), _weights(share)[..., None])


class _Space:
    """Memory for a part of the picture, used again for the next: new memory would cost as much as the arithmetic."""

    def __init__(self, most: int, step: int, width: int) -> None:
        self.taken = np.empty((2, most, width), np.uint8)
        self.sums, self.rest = np.empty((2, 2, most, width), np.uint16)
        self.rows = np.empty((2, step, width), np.uint16)
        self.wide = np.empty((2, step, width), np.int32)


def _add_columns(source: Array, how: _Across, space: _Space) -> Array:
    """(n, before * colours) uint8 -> (n, after * colours) uint16, which the next part overwrites."""
    taken, sums, rest = (part[:, : len(source)] for part in (space.taken, space.sums, space.rest))
    for side, columns in zip(taken, (how.left, how.right)):
        source.take(columns, axis=1, mode="clip", out=side)  # all exist; "clip" is the quickest not to look
    sums[...] = taken
    if how.lower is not None:
        np.multiply(sums, how.lower, out=rest)
        rest[0] += rest[1]
        rest[0] >>= 4
    sums *= how.upper
    sums[0] += sums[1]
    if how.lower is not None:
        sums[0] += rest[0]
    return np.asarray(sums[0])


def _add_rows(sums: Array, which: Array, weights: Array, space: _Space, out: Array) -> None:
    """Two rows each, to a part of the result."""
    rows, wide = (part[:, : len(out)] for part in (space.rows, space.wide))
    for side, places in zip(rows, which):
        sums.take(places, axis=0, mode="clip", out=side)
    wide[...] = rows
    wide *= weights
    wide >>= 16
    wide[0] += wide[1]
    wide[0] += 2
    np.right_shift(wide[0], 2, out=out, casting="unsafe")  # at most 255


def _flat(columns: Array, colours: int) -> Array:
    """Where the colours of these columns are in a row."""
    return (columns[:, None] * colours + np.arange(colours)).ravel()


def _floating(picture: Array, height: int, width: int) -> Array:
    """The same on float32, where nothing is rounded on the way."""
    left, right, share = _columns(picture.shape[1], width, 0.0, picture.shape[1])
    share = share.reshape((-1,) + (1,) * (picture.ndim - 2))
    rows = picture[:, left] * (1 - share) + picture[:, right] * share
    top, share = _positions(picture.shape[0], height)
    share = share.reshape((-1,) + (1,) * (picture.ndim - 1))
    last = picture.shape[0] - 1
    out = rows[top.clip(0, last)] * (1 - share) + rows[(top + 1).clip(0, last)] * share
    return np.asarray(out, dtype=np.float32)
