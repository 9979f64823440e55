"""What turned boxes share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Corners = npt.NDArray[np.float64]


def overlaps(found: Any, true: Any) -> Corners:
    """(n, m): what n and m convex shapes, each (4, 2) corners in a row around it, share of what both cover (IoU)."""
    shares = np.zeros((len(found), len(true)))
    for i, one in enumerate(found):
        for j, other in enumerate(true):
            if (one.min(axis=0) < other.max(axis=0)).all() and (other.min(axis=0) < one.max(axis=0)).all():
                shared = abs(area(_within(one, other)))
                both = abs(area(one)) + abs(area(other)) - shared
                shares[i, j] = shared / both if both > 0 else 0.0
    return shares


def area(corners: Corners) -> float:
    """Of a polygon, above 0 where its corners go round as y does from x (Gauss's formula)."""
    x, y = corners.T if len(corners) else (np.zeros(0), np.zeros(0))
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _within(shape: Corners, frame: Corners) -> Corners:
    """What of a convex shape lies in a convex frame: cut along one side of it after the other (Sutherland-Hodgman)."""
    frame = frame if area(frame) > 0 else frame[::-1]
    for start, end in zip(frame, np.roll(frame, -1, axis=0), strict=True):
        if not len(shape):
            break
        side = end - start
        depth = side[0] * (shape[:, 1] - start[1]) - side[1] * (shape[:, 0] - start[0])
        shape = _cut(shape, depth)
    return shape


def _cut(shape: Corners, depth: Any) -> Corners:
    """The part of a polygon whose corners have a depth of 0 or more."""
    kept = []
    for i in range(len(shape)):
        j = (i + 1) % len(shape)
        if depth[i] >= 0:
            kept.append(shape[i])
        if (depth[i] >= 0) != (depth[j] >= 0):
            kept.append(shape[i] + (shape[j] - shape[i]) * (depth[i] / (depth[i] - depth[j])))
    return np.array(kept).reshape(-1, 2)
