"""Boxes: from a detector's outputs to what is where in the picture, with numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional

import numpy as np

from ..errors import InputError, ModelError
from .answers import differs
from .card import Card
from .detection import Detection
from .fields import MOST_BOXES
from .masks import crop_mask, paste_mask
from .overlap import best, nms

if TYPE_CHECKING:
    from ..typed import Array
    from .card import Sample
    from .prepare import View
    from .ultralytics import More


__all__ = ["Detection", "Found", "locate", "nms", "paste_mask", "read"]


class Found(NamedTuple):
    """Boxes (n, 4) in pixels of the network's input, scores (n,), labels (n,) int64, masks (n, 28, 28) or None; more:
    what models of Ultralytics say besides.
    """

    boxes: Array
    scores: Array
    labels: Array
    masks: Optional[Array] = None
    more: Optional[More] = None

    def take(self, places: Array) -> Found:
        """Those at the places, or where `places` is true."""
        masks = None if self.masks is None else self.masks[places]
        more = None if self.more is None else self.more.take(places)
        return Found(self.boxes[places], self.scores[places], self.labels[places], masks, more)

    def rows(self) -> Array:
        """(n, 6): x1, y1, x2, y2, score, label; more where there are keypoints."""
        points = None if self.more is None else self.more.keypoints
        rest = [] if points is None else [points.reshape(len(points), int(np.prod(points.shape[1:])))]
        return np.column_stack([self.boxes, self.scores, self.labels, *rest])


def read(outputs: Mapping[str, Array], card: Card, threshold: Optional[float] = None) -> Found:
    """What a detector's outputs, by name, say: best first.

    threshold  boxes score more than this; None: as the card says. InputError if it is no share; ModelError if the
               outputs are not those that the card describes.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise _no_share(threshold)
    outputs = {name: np.asarray(output) for name, output in outputs.items()}
    try:
        found = _finished(outputs, card) if card.output.scores == "boxes" else _decoded(outputs, card, threshold)
    except (ValueError, TypeError, IndexError) as err:  # sizes that do not fit each other
        raise _misshapen(str(err)) from None
    return found.take(np.isfinite(found.boxes).all(axis=1) & (found.scores > (threshold or 0)))


def locate(found: Found, labels: List[str], view: Optional[View] = None) -> List[Detection]:
    """The same in pixels of the picture, cut off at its border; what lies outside is left out.

    Without a view, in pixels of the network's input.
    """
    whole = found.boxes if view is None else _moved(found.boxes, view)
    inside = whole if view is None else whole.clip(0, np.array([view.width, view.height] * 2, np.float32))
    corners, scores, kinds = inside.tolist(), found.scores.tolist(), found.labels.tolist()
    more = None if found.more is None else found.more.placed(view)
    seen = []
    for i in np.flatnonzero((inside[:, 2:] > inside[:, :2]).all(axis=1)).tolist():
        index, box = int(kinds[i]), tuple(corners[i])
        label = labels[index] if 0 <= index < len(labels) else str(index)
        rest: Dict[str, Any] = {} if more is None else more[i]
        if found.masks is not None:
            rest = {"mask": crop_mask(found.masks[i], whole[i], inside[i]), "mask_box": box}
        seen.append(Detection(label, index, scores[i], box, **rest))
    return seen


def difference(found: Array, expected: Array, side: float) -> float:
    """The largest difference between two lists of rows (n, 6 or more) as long as each other: of scores, or of corners
    and keypoints as a share of `side`. The pairs are made in the order of the scores, each with the nearest of its
    label; infinite where there is none.
    """
    worst, left = 0.0, list(found[np.argsort(-found[:, 4], kind="stable")])
    for row in expected[np.argsort(-expected[:, 4], kind="stable")]:
        apart = [_apart(row, other, side) for other in left]
        nearest = int(np.argmin(apart))
        worst = max(worst, apart[nearest])
        del left[nearest]
    return worst


def check(found: Found, sample: Sample, side: float) -> float:
    """difference() of a sample's answer and what was found, which is as many boxes near enough; SelfTestFailed."""
    rows, expected = found.rows(), sample.output
    if len(rows) != len(expected) or any(len(row) != rows.shape[1] for row in expected):
        raise differs("%d / %d boxes" % (len(rows), len(expected)))
    worst = difference(rows, np.asarray(expected, np.float64).reshape(rows.shape), side)
    if not worst <= sample.tolerance:
        raise differs("%.3g" % worst)
    return worst


def _apart(row: Array, other: Array, side: float) -> float:
    """How far two boxes are from each other, as difference() measures it."""
    if row[5] != other[5]:
        return float("inf")
    moved = max(np.abs(row[:4] - other[:4]).max(), np.abs(row[6:] - other[6:]).max(initial=0))
    return float(max(moved / side, abs(row[4] - other[4])))


def _moved(boxes: Array, view: View) -> Array:
    start, scale = np.array([view.left, view.top] * 2), np.array([view.scale_x, view.scale_y] * 2)
    with np.errstate(over="ignore"):
        return np.asarray((boxes - start) / scale, np.float32)


def _finished(outputs: Mapping[str, Array], card: Card) -> Found:
    """The network has decoded them itself; rows of score 0 are padding."""
    rows = np.asarray(outputs[card.output.name], np.float32).reshape(-1, 5)
    labels = outputs["labels"].reshape(len(rows)).astype(np.int64)
    masks = outputs["masks"].reshape(len(rows), *outputs["masks"].shape[-2:]) if "masks" in outputs else None
    found = Found(rows[:, :4], rows[:, 4], labels, masks)
    return found if len(rows) <= MOST_BOXES else found.take(best(found.scores, MOST_BOXES))


def _decoded(outputs: Mapping[str, Array], card: Card, threshold: Optional[float]) -> Found:
    if card.decoding is None or "levels" not in card.decoding:
        from .ultralytics import read as answers

        boxes, scores, labels, more = answers(outputs, card, threshold)
        return Found(boxes, scores, labels, None, more)
    from .levels import decoded

    return Found(*decoded(outputs, card, threshold))


# -- what can be wrong ------------------------------------------------------------------------------------------------


def _no_share(threshold: float) -> InputError:
    return InputError(
        en="The threshold is %s; expected a number from 0 to 1, such as 0.5. Lower it to see more." % threshold,
        zh="阈值是 %s，应为 0 到 1 之间的数，例如 0.5。想看到更多结果时，把它调低。" % threshold,
    )


def _misshapen(reason: str) -> ModelError:
    return ModelError(
        en="The network's outputs do not have the sizes that its card describes: %s. Convert the checkpoint again."
        % reason[:100],
        zh="网络输出的大小与说明卡不符：%s。请重新转换权重文件。" % reason[:100],
    )
