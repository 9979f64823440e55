"""The resize of Ultralytics' letterbox, and pictures of twice the size, as cameras give them, in less time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional, Sequence, Tuple

import numpy as np

if TYPE_CHECKING:
    from ..typed import Array


def fit(size: Sequence[int], height: int, width: int) -> Tuple[int, int]:
    """(height, width) as large as fits into the `size`, halves rounded to even, 1 at least: new_unpad of LetterBox in
    ultralytics/data/augment.py.
    """
    scale = min(size[0] / height, size[1] / width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def halved(picture: object, size: Tuple[int, int]) -> Optional[Array]:
    """(H, W, C) uint8 of twice the `size` -> what cv2_linear makes of it: means of four; None for other pictures."""
    height, width = size
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3:
        return None
    if picture.shape[:2] != (2 * height, 2 * width):
        return None
    rows = np.add(picture[0::2], picture[1::2], dtype=np.uint16)
    pairs = rows.reshape(height, width, 2, -1)
    sums = pairs[:, :, 0] + pairs[:, :, 1]
    sums += 2
    sums >>= 2
    return sums.astype(np.uint8)
