"""What is set of detectors that look twice: first for regions, then at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STRIDES = (4, 8, 16, 32, 64)  # of the five levels; regions are cut out of the first four


@dataclass(frozen=True)
class TwoStages:
    """Settings of both stages, as in mmdet's configs; MMEdu's own, which sets both NMS thresholds to 0.3.

    candidates  best anchors of each level that are looked at;  proposals: regions that are left of them all after NMS
    ratios, scales, strides   of the anchors: height by width, side by stride, and pixels between positions
    stds, proposal_stds       of the deltas of regions and of anchors
    """

    candidates: int = 1000
    proposals: int = 1000
    proposal_iou: float = 0.3
    score: float = 0.05
    iou: float = 0.3
    most: int = 100
    ratios: Sequence[float] = (0.5, 1.0, 2.0)
    scales: Sequence[float] = (8,)
    strides: Sequence[float] = STRIDES
    stds: Sequence[float] = (0.1, 0.1, 0.2, 0.2)
    proposal_stds: Sequence[float] = (1, 1, 1, 1)
