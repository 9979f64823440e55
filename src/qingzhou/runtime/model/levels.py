"""Raw predictions on feature maps, made boxes: the same arithmetic as nets/one_stage.py puts into the network, in the
same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from .decoding import KINDS
from .overlap import best, nms

if TYPE_CHECKING:
    from ..typed import Array
    from .card import Card


LARGEST_LOG = np.float32(abs(np.log(16 / 1000)))  # mmdet's wh_ratio_clip: no box grows more than this from its anchor


def decoded(outputs: Mapping[str, Array], card: Card, threshold: Optional[float]) -> Tuple[Array, Array, Array]:
    """Boxes, scores and labels, best first, as Found of detect.py has them."""
    how, limits = card.decoding, card.thresholds
    assert how is not None and limits is not None  # the card was checked
    score = limits["score"] if threshold is None else threshold
    with np.errstate(over="ignore", invalid="ignore"):  # exp of large numbers is infinite, and its box is dropped
        boxes, scores, labels = DECODERS[how["kind"]](outputs, how, score)
        if KINDS[how["kind"]]["cut"]:
            boxes = boxes.clip(0, np.array([*card.input.sides()[::-1]] * 2, np.float32))
    chosen = nms(boxes, scores, labels, limits["iou"], limits["most"])
    return boxes[chosen], scores[chosen], labels[chosen]


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
