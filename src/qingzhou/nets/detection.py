"""What the card says of the answers of detectors: above which scores they count, and how raw ones become boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .detector import Box


class Thresholds(NamedTuple):
    """Which answers are told.

    score  boxes score more, classes of sigmoids at least that much;  most: how many at the end
    iou    NMS drops boxes that overlap a better one more than this; None where there are no boxes
    """

    score: float
    most: int
    iou: float | None = None

    def for_card(self) -> dict[str, float]:
        """As runtime/model/card.py reads it."""
        if self.iou is None:
            return {"score": self.score, "most": self.most}
        return {"score": self.score, "iou": self.iou, "most": self.most}


class RawLevel(NamedTuple):
    """Predictions on one feature map: the names of the outputs (`deltas` None for YOLO), the anchors, the stride."""

    scores: str
    deltas: str | None
    anchors: Sequence[Box]
    stride: float

    def for_card(self) -> dict[str, object]:
        """As runtime/model/decoding.py reads it."""
        deltas = {} if self.deltas is None else {"deltas": self.deltas}
        boxes = [list(map(float, box)) for box in self.anchors]
        return {"scores": self.scores, **deltas, "anchors": boxes, "stride": self.stride}


@dataclass(frozen=True)
class Decoding:
    """How the runtime turns raw predictions into boxes.

    kind        "ssd" or "yolo"
    stds        of the deltas (SSD)
    candidates  best predictions of each level that are looked at
    confidence  the least objectness (YOLO)
    """

    kind: str
    levels: Sequence[RawLevel]
    stds: Sequence[float]
    candidates: int
    confidence: float

    def for_card(self) -> dict[str, object]:
        """As runtime/model/decoding.py reads it."""
        return {
            "kind": self.kind,
            "levels": [level.for_card() for level in self.levels],
            "stds": list(self.stds),
            "candidates": self.candidates,
            "confidence": self.confidence,
        }
