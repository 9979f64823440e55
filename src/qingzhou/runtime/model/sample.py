"""A small picture that is drawn, not photographed: what a converted model is tested on, and shows by default."""

from __future__ import annotations

import io
from typing import Tuple

import numpy as np
from PIL import Image

MOST = 64 * 64  # pixels; preparation enlarges it, and the card stays small


def sample_picture(size: Tuple[int, int], color: str) -> bytes:
    """A PNG of sky, sun and hill in the proportions of (height, width) = `size`; grey for "GRAY", else RGB. Always the
    same.
    """
    smaller = min(1.0, (MOST / (size[0] * size[1])) ** 0.5)
    height, width = (max(1, round(side * smaller)) for side in size)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y, x = (y + 0.5) / height, (x + 0.5) / width
    picture = np.stack([90 + 120 * y, 150 + 80 * y, 235 - 20 * y], axis=-1)
    picture[np.hypot(x - 0.72, y - 0.26) < 0.13] = 250, 205, 60
    picture[y > 0.72 - 0.18 * np.sin(3.0 * x + 0.4)] = 60, 140, 70
    picture[y > 0.86 - 0.10 * np.cos(4.0 * x)] = 40, 95, 50
    image = Image.fromarray(picture.round().astype(np.uint8))
    file = io.BytesIO()
    (image.convert("L") if color == "GRAY" else image).save(file, "PNG", optimize=True)
    return file.getvalue()
