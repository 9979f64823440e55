"""Boxes: from a detector's outputs to what is where in the picture, with numpy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from ..errors import InputError, ModelError
from .answers import differs
from .card import Card
from .detection import Detection
from .fields import MOST_BOXES
from .masks import crop_mask, paste_mask, run_lengths
from .overlap import best, nms

if TYPE_CHECKING:
    from ..typed import Array
    from .card import Sample
    from .prepare import View
    from .ultralytics import More


__all__ = ["Detection", "Found", "locate", "nms", "paste_mask", "read", "run_lengths"]

LARGEST_LOG = np.float32(abs(np.log(16 / 1000)))  # mmdet's wh_ratio_clip: no box grows more than this from its anchor


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


# -- raw predictions: the same arithmetic as nets/one_stage.py puts into the network, in the same order ---------------


def _decoded(outputs: Mapping[str, Array], card: Card, threshold: Optional[float]) -> Found:
    how, limits = card.decoding, card.thresholds
    if how is None or "levels" not in how:
        from .ultralytics import read as answers

        boxes, scores, labels, more = answers(outputs, card, threshold)
        return Found(boxes, scores, labels, None, more)
    from .decoding import KINDS

    assert limits is not None  # the card was checked
    score = limits["score"] if threshold is None else threshold
    with np.errstate(over="ignore", invalid="ignore"):  # exp of large numbers is infinite, and its box is dropped
        boxes, scores, labels = DECODERS[how["kind"]](outputs, how, score)
        if KINDS[how["kind"]]["cut"]:
            boxes = boxes.clip(0, np.array([*card.input.sides()[::-1]] * 2, np.float32))
    found = Found(boxes, scores, labels)
    return found.take(nms(boxes, scores, labels, limits["iou"], limits["most"]))


def _ssd(outputs: Mapping[str, Array], how: Dict[str, Any], score: float) -> Tuple[Array, Array, Array]:
    """mmdet's SSDHead: softmax, background last; the best pairs of box and class of each level."""
    found = []
    for level in how["levels"]:
        head, count = outputs[level["scores"]], len(level["anchors"])
        logits = _by_place(head, count)
        shares = _softmax(logits.reshape(-1, logits.shape[2]))[:, :-1]
        pairs = np.flatnonzero(shares > np.float32(score))
        values = shares.reshape(-1)[pairs]
        first = best(values, how["candidates"])
        row, label = np.divmod(pairs[first], shares.shape[1])
        deltas = _by_place(outputs[level["deltas"]], count)[np.divmod(row, count)] * np.array(how["stds"], np.float32)
        centre, size = _anchors(level, head, row)
        centre = centre + size * deltas[:, :2]
        size = size * np.exp(deltas[:, 2:].clip(-LARGEST_LOG, LARGEST_LOG))
        found.append((_corners(centre, size), values[first], label))
    return _joined(found)


def _yolo(outputs: Mapping[str, Array], how: Dict[str, Any], score: float) -> Tuple[Array, Array, Array]:
    """mmdet's YOLOV3Head: classes above the score of boxes that are sure enough to hold something; their product."""
    found = []
    for level in how["levels"]:
        head = outputs[level["scores"]]
        view = _by_place(head, len(level["anchors"]))
        objects = _sigmoid(view[:, :, 4].reshape(-1))
        rows = np.flatnonzero(objects >= np.float32(how["confidence"]))
        raw = view[np.divmod(rows, view.shape[1])]
        classes = _sigmoid(raw[:, 5:])
        which, label = np.nonzero(classes > np.float32(score))
        centre, size = _anchors(level, head, rows)
        centre = centre + (_sigmoid(raw[:, :2]) - np.float32(0.5)) * np.float32(level["stride"])
        boxes = _corners(centre, size * np.exp(raw[:, 2:4]))
        found.append((boxes[which], classes[which, label] * objects[rows[which]], label))
    return _joined(found)


DECODERS = {"ssd": _ssd, "yolo": _yolo}  # a function for each kind of decoding.py that has levels


def _by_place(head: Array, anchors: int) -> Array:
    """(1, anchors * K, H, W) -> (H * W, anchors, K), as a view."""
    _, channels, height, width = head.shape
    apart = np.asarray(head, np.float32).reshape(anchors, channels // anchors, height * width)
    return apart.transpose(2, 0, 1)


def _anchors(level: Dict[str, Any], head: Array, rows: Array) -> Tuple[Array, Array]:
    """Centres and sizes (n, 2) of the anchors of some of the rows."""
    base = np.array(level["anchors"], np.float32)
    position, which = np.divmod(rows, len(base))
    y, x = np.divmod(position, head.shape[3])
    shift = np.stack([x, y], axis=1).astype(np.float32) * np.float32(level["stride"])
    start, end = base[which, :2] + shift, base[which, 2:] + shift
    return (start + end) * np.float32(0.5), end - start


def _corners(centre: Array, size: Array) -> Array:
    half = size * np.float32(0.5)
    return np.concatenate([centre - half, centre + half], axis=1)


def _joined(levels: List[Tuple[Array, Array, Array]]) -> Tuple[Array, Array, Array]:
    boxes, scores, labels = (np.concatenate(column) for column in zip(*levels))
    return boxes, scores, labels


def _softmax(logits: Array) -> Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


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
