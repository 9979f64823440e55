"""Resizing as the training tools did it: Pillow's antialiased bilinear, and OpenCV's INTER_LINEAR without OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence, Tuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

BITS = 11  # of OpenCV's fixed-point weights: INTER_RESIZE_COEF_BITS in modules/imgproc/src/resize.cpp
PART = 1 << 15  # numbers of the result that are computed at once, in memory that is used again


def short_side_to(short: int, height: int, width: int) -> Tuple[int, int]:
    """(height, width) with the short side `short` and the other in proportion, rounded down as mmcls does."""
    if width < height:
        return int(short * height / width), short
    return short, int(short * width / height)


def fit_within(sides: Sequence[int], height: int, width: int) -> Tuple[int, int]:
    """(height, width) as large as two sides, (longer, shorter), allow; rounded as mmcv's imrescale does, 1 at least."""
    scale = min(max(sides) / max(height, width), min(sides) / min(height, width))
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def fit_inside(size: Sequence[int], height: int, width: int) -> Tuple[int, int]:
    """(height, width) as large as fits into the `size` (height, width), rounded, 1 at least."""
    scale = min(size[0] / height, size[1] / width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def sides(picture: Any) -> Tuple[int, int]:
    """(height, width) of an array or a PIL image."""
    height, width = picture.shape[:2] if isinstance(picture, np.ndarray) else picture.size[::-1]
    return height, width


def resize(picture: Any, height: int, width: int, interpolation: str) -> Array:
    """(H, W) or (H, W, C), uint8 or float32 -> the same of another size, by "pillow" or "cv2"; for the first also a
    PIL image.
    """
    if sides(picture) == (height, width):
        return np.asarray(picture)
    return (_pillow if interpolation == "pillow" else _cv2)(picture, height, width)


def _pillow(picture: Any, height: int, width: int) -> Array:
    image = picture
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 and picture.ndim == 3:  # Pillow has floats in one channel only
            return np.stack([_pillow(picture[..., i], height, width) for i in range(picture.shape[2])], axis=-1)
        image = Image.fromarray(picture)
    # Across, then down, as Pillow did in training: from 13 on it takes the cheaper order, and differs by a level.
    across = image.resize((width, image.height), Image.Resampling.BILINEAR)
    return np.asarray(across.resize((width, height), Image.Resampling.BILINEAR))


def _cv2(picture: Array, height: int, width: int) -> Array:
    if picture.dtype == np.uint8:
        return _fixed_point(picture, height, width)
    return _floating(picture, height, width)


def _positions(before: int, after: int) -> Tuple[Array, Array]:
    """For each new pixel: the old pixel to its left (-1 before the first), and how far it is past it, float32."""
    scale = 1.0 / (after / before)  # not before / after: OpenCV rounds twice, and so its last bit differs
    exact = ((np.arange(after) + 0.5) * scale - 0.5).astype(np.float32)
    left = np.floor(exact)
    return left.astype(np.intp), exact - left


def _columns(before: int, after: int) -> Tuple[Array, Array, Array]:
    """Left neighbours, right neighbours and the right one's share; at the borders the outermost pixel alone."""
    left, share = _positions(before, after)
    share[(left < 0) | (left >= before - 1)] = 0
    left = left.clip(0, before - 1)
    return left, np.minimum(left + 1, before - 1), share


def _weights(share: Array) -> Array:
    """(2, n): the left and right neighbours' weights, each rounded by itself to multiples of 1 / 2048."""
    return np.rint(np.stack([1 - share, share]) * np.float32(1 << BITS)).astype(np.int32)


def _fixed_point(picture: Array, height: int, width: int) -> Array:
    """HResizeLinear and VResizeLinear<uchar> of OpenCV, bit for bit: what they cut off is cut off here too."""
    flat = picture.reshape(len(picture), -1)  # numpy is fast along the last axis
    colours = flat.shape[1] // picture.shape[1]
    top, below = _positions(picture.shape[0], height)
    places, down = np.stack([top, top + 1]).clip(0, picture.shape[0] - 1), _weights(below)[..., None]
    needed, which = np.unique(places, return_inverse=True)
    which = which.reshape(places.shape)
    out = np.empty((height, width * colours), np.uint8)
    step = max(1, PART // out.shape[1])
    parts = [slice(start, min(start + step, height)) for start in range(0, height, step)]
    ends = [(int(which[0, part.start]), int(which[1, part.stop - 1]) + 1) for part in parts]
    across = _Across(picture.shape[1], width, colours, max(last - first for first, last in ends))
    pair = np.empty((2, step, out.shape[1]), np.int32)
    for part, (first, last) in zip(parts, ends):
        rows = across(_some(flat, needed[first:last]))
        _down(rows, which[:, part] - first, down[:, part], pair[:, : part.stop - part.start], out[part])
    return out.reshape((height, width, *picture.shape[2:]))


def _some(flat: Array, rows: Array) -> Array:
    """These rows, in ascending order; not copied where none is left out."""
    first, end = int(rows[0]), int(rows[-1]) + 1
    return flat[first:end] if end - first == len(rows) else flat[rows]


class _Across:
    """The pass along the rows: sums of two neighbours, 255 * 2048 at most, without their last four bits.

    OpenCV has 32 bits for them; numbers of 16 are twice as fast here. So the weights are cut in two: the upper bits'
    sums fit, and of the lower bits' only what they carry is left. For many sizes the lower bits are all zero.
    """

    def __init__(self, before: int, after: int, colours: int, most: int) -> None:
        """For at most so many rows at once; they are written to the same memory each time, which is the quickest."""
        left, right, share = _columns(before, after)
        self.columns = _flat(left, colours), _flat(right, colours)
        weights = np.repeat(_weights(share).astype(np.uint16), colours, axis=1)[:, None]
        self.upper, self.lower = weights >> 4, weights & 15
        self.taken = np.empty((2, most, after * colours), np.uint8)
        self.sums = np.empty(self.taken.shape, np.uint16)
        self.rest = np.empty(self.taken.shape, np.uint16) if self.lower.any() else None

    def __call__(self, source: Array) -> Array:
        """(n, before * colours) uint8 -> (n, after * colours) uint16, valid until the next call."""
        taken, sums = self.taken[:, : len(source)], self.sums[:, : len(source)]
        for side, columns in zip(taken, self.columns):
            source.take(columns, axis=1, mode="clip", out=side)  # all exist; "clip" is the quickest not to look
        sums[...] = taken
        carried = None if self.rest is None else self._carried(sums, self.rest[:, : len(source)])
        sums *= self.upper
        sums[0] += sums[1]
        if carried is not None:
            sums[0] += carried
        return np.asarray(sums[0])

    def _carried(self, pair: Array, rest: Array) -> Array:
        """What the sums of the lower bits add to those of the upper bits."""
        np.multiply(pair, self.lower, out=rest)
        rest[0] += rest[1]
        rest[0] >>= 4
        return np.asarray(rest[0])


def _down(rows: Array, which: Array, down: Array, pair: Array, out: Array) -> None:
    """The pass from row to row: which (2, n) two rows make each of the result's, with which weights (2, n, 1)."""
    pair[...] = rows.take(which, axis=0, mode="clip")
    pair *= down
    pair >>= 16
    pair[0] += pair[1]
    pair[0] += 2
    np.right_shift(pair[0], 2, out=out, casting="unsafe")  # at most 255


def _flat(columns: Array, colours: int) -> Array:
    """Where the colours of these columns are in a row."""
    return (columns[:, None] * colours + np.arange(colours)).ravel()


def _floating(picture: Array, height: int, width: int) -> Array:
    """The same on float32, where nothing is rounded on the way."""
    left, right, share = _columns(picture.shape[1], width)
    share = share.reshape((-1,) + (1,) * (picture.ndim - 2))
    rows = picture[:, left] * (1 - share) + picture[:, right] * share
    top, share = _positions(picture.shape[0], height)
    share = share.reshape((-1,) + (1,) * (picture.ndim - 1))
    last = picture.shape[0] - 1
    out = rows[top.clip(0, last)] * (1 - share) + rows[(top + 1).clip(0, last)] * share
    return np.asarray(out, dtype=np.float32)
