"""Windows and resizing as sources share them: what SAME adds, and which numbers stand at the places of another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.form import Array, Dim, Value
from .net import Net


def same_pads(
    sizes: Sequence[Dim], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[tuple[int, int]] | None:
    """What is added before and after each axis so that ceil(size / stride) come out, the odd one after it; None where a
    size is free.
    """
    found = []
    for n, k, s, d in zip(sizes, kernel, strides, dilations, strict=True):
        if not isinstance(n, int):
            return None
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        found.append((total // 2, total - total // 2))
    return found


def nearest_places(n: int, m: int, corners: bool, centres: bool) -> Array:
    """Which of n numbers each of m is, as TensorFlow Lite (kernels/internal/reference/resize_nearest_neighbor.h) and
    MindSpore compute it in float32.
    """
    scale = np.float32(n - 1) / np.float32(m - 1) if corners and m > 1 else np.float32(n) / np.float32(m)
    places = (np.arange(m, dtype=np.float32) + np.float32(0.5 if centres else 0)) * scale
    found = np.floor(places + np.float32(0.5)) if corners else np.floor(places)
    return np.asarray(np.clip(found, 0, n - 1), np.int64)


def resized(t: Net, x: Value, own: Sequence[int], size: Sequence[int], rule: dict[str, Any]) -> Value:
    """One Resize, by scales, so that the batch may be free."""
    none = "resize/none"
    if none not in t.constants:
        t.array(np.zeros(0, np.float32), none)
    empty = Value(none, (0,), "float32")
    scales = t.array(np.array([1, 1, *(_scale(n, m) for n, m in zip(own, size, strict=True))], np.float32))
    return t.emit("Resize", [x, empty, scales], (*x.shape[:2], *size), **rule)


def _scale(n: int, m: int) -> np.float32:
    """Such that the floor of its product with n is m, in float32 and in float64."""
    ratio = np.float32(m) / np.float32(n)
    while int(np.float32(n) * ratio) < m or int(n * float(ratio)) < m:
        ratio = np.nextafter(ratio, np.float32(np.inf))
    return ratio
