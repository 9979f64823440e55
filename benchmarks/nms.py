"""How long non-maximum suppression takes, of boxes as detectors give them and of the worst kinds.

Usage:  python benchmarks/nms.py
"""

from __future__ import annotations

import time

import numpy as np

from qingzhou.runtime.overlap import nms

CLASSES, EACH, MOST = 20, 2000, 200


def scattered(chance: np.random.Generator, count: int) -> np.ndarray:
    """Boxes anywhere in a picture of 640 x 640."""
    corner, size = chance.uniform(0, 600, (count, 2)), chance.uniform(4, 200, (count, 2))
    return np.hstack([corner, corner + size]).astype(np.float32)


def clustered(chance: np.random.Generator, count: int, things: int) -> np.ndarray:
    """Many boxes, a little different, around each of a few things: what detectors really give."""
    truth = scattered(chance, things)[chance.integers(things, size=count)]
    size = np.tile(truth[:, 2:] - truth[:, :2], 2)
    return (truth + chance.normal(0, 0.05, (count, 4)) * size).astype(np.float32)


def cases() -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Name -> boxes, scores, labels."""
    chance, count = np.random.default_rng(5), CLASSES * EACH
    labels = np.repeat(np.arange(CLASSES), EACH)
    scores = chance.random(count, np.float32)
    things = np.concatenate([clustered(chance, EACH, 5) for _ in range(CLASSES)])
    return {
        "20 x 2000, 5 things of each class": (things, scores, labels),
        "20 x 2000, scattered": (scattered(chance, count), scores, labels),
        "20 x 2000, all equal": (np.tile(np.float32([10, 10, 50, 50]), (count, 1)), scores, labels),
        "20 x 2000, equal scores": (things, np.full(count, 0.5, np.float32), labels),
        "20 x 2000, without an area": (np.zeros((count, 4), np.float32), scores, labels),
        "1 x 40000, 100 things": (clustered(chance, count, 100), scores, np.zeros(count, int)),
        "80 x 100, 2 things of each class": (
            np.concatenate([clustered(chance, 100, 2) for _ in range(80)]), scores[:8000], np.repeat(np.arange(80), 100)
        ),
        "3 x 1000, 2 things of each class": (
            np.concatenate([clustered(chance, 1000, 2) for _ in range(3)]), scores[:3000], np.repeat(np.arange(3), 1000)
        ),
    }  # fmt: skip


if __name__ == "__main__":
    for name, data in cases().items():
        times = []
        for _ in range(15):
            start = time.perf_counter()
            kept = nms(*data, 0.45, MOST)
            times.append(time.perf_counter() - start)
        print(f"{name:36} {1000 * np.median(times):7.2f} ms  (best {1000 * min(times):.2f}), {len(kept)} stay")
