"""What a network might give, from a seed: outputs, and pictures. numpy alone; make.py and the tests use it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Outputs = dict[str, np.ndarray[Any, np.dtype[np.float32]]]
CLASSES = 3


class Case(NamedTuple):
    """task of Ultralytics; whether the network ends without NMS; (height, width) of its input and of the picture; how
    many keypoints, and numbers of each.
    """

    task: str
    rows: bool = False
    side: tuple[int, int] = (160, 160)
    picture: tuple[int, int] = (119, 201)
    points: tuple[int, int] = (17, 3)
    seed: int = 1


CASES = {
    "detect": Case("detect"),
    "detect_rect": Case("detect", side=(96, 160), picture=(243, 407), seed=2),
    "detect_tall": Case("detect", side=(160, 160), picture=(640, 203), seed=3),
    "detect_rows": Case("detect", rows=True, seed=4),
    "segment": Case("segment", seed=5),
    "segment_rect": Case("segment", side=(160, 128), picture=(500, 375), seed=6),
    "segment_rows": Case("segment", rows=True, seed=7),
    "pose": Case("pose", seed=8),
    "pose_rows": Case("pose", rows=True, picture=(300, 100), seed=9),
    "pose_without_sureness": Case("pose", points=(5, 2), seed=10),
    "obb": Case("obb", seed=11),
    "obb_rows": Case("obb", rows=True, picture=(91, 64), seed=12),
}


def picture(case: Case) -> Any:
    """(height, width, 3) uint8."""
    return np.random.default_rng(case.seed).integers(0, 256, (*case.picture, 3), dtype=np.uint8)


def outputs(case: Case) -> Outputs:
    """output0 (1, 4 + classes + more, N) or (1, K, 6 + more), and output1 of masks: clusters of boxes everywhere."""
    rng = np.random.default_rng(case.seed + 100)
    high, wide = case.side
    things, each = 9, 12
    places = rng.uniform(0.05, 0.95, (things, 1, 2)) * [wide, high] + rng.normal(0, 3, (things, each, 2))
    sizes = rng.uniform(12, 90, (things, 1, 2)) * np.exp(rng.normal(0, 0.12, (things, each, 2)))
    boxes = np.concatenate([places, sizes], axis=2).reshape(-1, 4)
    scores = rng.uniform(0, 0.2, (len(boxes), CLASSES))
    labels = np.repeat(rng.integers(0, CLASSES, things), each)
    scores[np.arange(len(boxes)), labels] = rng.uniform(0.1, 0.95, len(boxes))
    more = _more(case, rng, boxes)
    if not case.rows:
        found = {"output0": np.concatenate([boxes, scores, more], axis=1).T[None]}
    else:
        order = np.argsort(-scores.max(axis=1))[:100]
        if case.task != "obb":
            boxes = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)
        best, label = scores.max(axis=1, keepdims=True), scores.argmax(axis=1)[:, None]
        found = {"output0": np.concatenate([boxes, best, label, more], axis=1)[order][None]}
    if case.task == "segment":
        found["output1"] = np.kron(rng.normal(0, 1, (1, 32, high // 32, wide // 32)), np.ones((1, 1, 8, 8)))
        found["output1"] += rng.normal(0, 0.2, found["output1"].shape)
    return {name: output.astype(np.float32) for name, output in found.items()}


def _more(case: Case, rng: np.random.Generator, boxes: Any) -> Any:
    """(n, numbers) after the scores."""
    if case.task == "segment":
        return rng.normal(0, 1, (len(boxes), 32)) - (rng.random((len(boxes), 1)) < 0.2) * 50
    if case.task == "pose":
        points = boxes[:, None, :2] + rng.normal(0, 1, (len(boxes), case.points[0], 2)) * boxes[:, None, 2:]
        seen = rng.uniform(0, 1, (len(boxes), case.points[0], 1))
        return np.concatenate([points, seen], axis=2)[..., : case.points[1]].reshape(len(boxes), -1)
    return rng.uniform(-0.8, 2.4, (len(boxes), 1 if case.task == "obb" else 0))
