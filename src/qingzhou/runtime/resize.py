"""Resizing as the training tools did it: Pillow's antialiased bilinear, and OpenCV's INTER_LINEAR without OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence, Tuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

BITS = 11  # of OpenCV's fixed-point weights: INTER_RESIZE_COEF_BITS in modules/imgproc/src/resize.cpp
PART = 1 << 15  # numbers of the result that are computed at once: small arrays need no new memory from the system


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


def resize(picture: Array, height: int, width: int, interpolation: str) -> Array:
    """(H, W) or (H, W, C), uint8 or float32 -> the same of another size, by "pillow" or "cv2"."""
    if picture.shape[:2] == (height, width):
        return picture
    return (_pillow if interpolation == "pillow" else _cv2)(picture, height, width)


def _pillow(picture: Array, height: int, width: int) -> Array:
    if picture.dtype != np.uint8 and picture.ndim == 3:  # Pillow has floats in one channel only
        return np.stack([_pillow(picture[..., i], height, width) for i in range(picture.shape[2])], axis=-1)
    # Across, then down, as Pillow did in training: from 13 on it takes the cheaper order, and differs by a level.
    across = Image.fromarray(picture).resize((width, picture.shape[0]), Image.Resampling.BILINEAR)
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


def _weights(share: Array) -> Tuple[Array, Array]:
    """The left and right neighbours' weights, each rounded by itself to multiples of 1 / 2048."""
    one = np.float32(1 << BITS)
    return np.rint((1 - share) * one).astype(np.int32), np.rint(share * one).astype(np.int32)


def _fixed_point(picture: Array, height: int, width: int) -> Array:
    """HResizeLinear and VResizeLinear<uchar> of OpenCV, bit for bit: what they cut off is cut off here too."""
    left, right, share = _columns(picture.shape[1], width)
    top, below = _positions(picture.shape[0], height)
    places = np.stack([top, top + 1]).clip(0, picture.shape[0] - 1)
    flat = picture.reshape(len(picture), -1)  # numpy is fast along the last axis
    colours = flat.shape[1] // picture.shape[1]
    columns = _flat(left, colours), _flat(right, colours)
    first, second = _weights(share)
    along = np.repeat(first, colours), np.repeat(second, colours)
    down = np.stack(_weights(below))[..., None]
    out = np.empty((height, width * colours), np.uint8)
    step = max(1, PART // out.shape[1])
    for start in range(0, height, step):
        part = slice(start, start + step)
        _part(out[part], flat, columns, along, places[:, part], down[:, part])
    return out.reshape((height, width, *picture.shape[2:]))


def _part(
    out: Array, flat: Array, columns: Tuple[Array, Array], along: Tuple[Array, Array], places: Array, down: Array
) -> None:
    """Some rows of the result, from those of the picture that they need."""
    needed, which = np.unique(places, return_inverse=True)
    source = flat[needed]
    # All of them exist; "clip" is the quickest way not to look. Widened first, numbers are multiplied faster.
    rows, right = (source.take(some, axis=1, mode="clip").astype(np.int32) for some in columns)
    rows *= along[0]
    right *= along[1]
    rows += right
    rows >>= 4
    pair = rows[which.reshape(places.shape)]
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
