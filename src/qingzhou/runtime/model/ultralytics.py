"""What the outputs of Ultralytics' models say: boxes with masks, keypoints or angles, as its predict() has them.

Pixels are those of the network's input until More.placed() moves them into the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np

from .also import numbers
from .fields import LARGEST_SIZE, MOST_BOXES
from .overlap import best, nms

if TYPE_CHECKING:
    from ..typed import Array
    from .card import Card
    from .prepare import View


CANDIDATES = 30_000  # best boxes among which overlapping ones are looked for: max_nms
PAIRS = 1 << 18  # of rotated boxes that are compared at once


class More(NamedTuple):
    """What is known of n things besides their boxes.

    masks      the cells of each, booleans (h, w), one for each pixel of the network's input from its first on
    starts     (n, 2): the first column and row of each mask
    keypoints  (n, K, 2 or 3): x, y, and how sure they are seen
    rotated    (n, 5): cx, cy, w, h, and the angle in radians
    """

    masks: Optional[List[Array]] = None
    starts: Optional[Array] = None
    keypoints: Optional[Array] = None
    rotated: Optional[Array] = None

    def take(self, places: Array) -> More:
        """Of those at the places, or where `places` is true."""
        chosen = np.arange(len(places))[places] if places.dtype == bool else places
        masks = None if self.masks is None else [self.masks[i] for i in chosen.tolist()]
        starts, points, rotated = (None if one is None else one[chosen] for one in self[1:])
        return More(masks, starts, points, rotated)

    def placed(self, view: Optional[View]) -> List[Dict[str, Any]]:
        """The fields of each Detection, in pixels of the picture of a view, or of the network's input without one."""
        start, scale = np.zeros(2), np.ones(2)
        if view is not None:
            start, scale = np.array([view.left, view.top]), np.array([view.scale_x, view.scale_y])
        if self.masks is not None and self.starts is not None:
            first = (self.starts - start) / scale
            sides = np.array([cells.shape[::-1] for cells in self.masks]).reshape(-1, 2)
            frames = np.concatenate([first, first + sides / scale], axis=1).tolist()
            return [{"mask": cells, "mask_box": tuple(box)} for cells, box in zip(self.masks, frames)]
        if self.keypoints is not None:
            found = np.array(self.keypoints, np.float64)
            found[..., :2] = (found[..., :2] - start) / scale
            if view is not None:
                found[..., :2] = found[..., :2].clip(0, [view.width, view.height])
            return [{"keypoints": tuple(map(tuple, points))} for points in found.tolist()]
        assert self.rotated is not None
        boxes = np.array(self.rotated, np.float64)
        boxes[:, :2] = (boxes[:, :2] - start) / scale
        boxes[:, 2:4] /= scale
        return [{"rotated": tuple(box)} for box in boxes.tolist()]


Things = Tuple["Array", "Array", "Array", Optional[More]]  # boxes, scores, labels; see Found of detect.py


def read(outputs: Mapping[str, Array], card: Card, threshold: Optional[float]) -> Things:
    """Best first; ValueError where the sizes do not fit each other."""
    assert card.thresholds is not None  # the card was checked
    also, limits = card.output.also, card.thresholds
    score = np.float32(limits["score"] if threshold is None else threshold)
    output = np.asarray(outputs[card.output.name], np.float32)
    ready = card.output.scores == "rows"
    with np.errstate(over="ignore", invalid="ignore"):
        rows = _best_rows(output, also, score) if ready else _candidates(output, card, score)
        boxes, scores, labels, rest = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64), rows[:, 6:]
        turned = np.concatenate([boxes, rest], axis=1) if "rotated" in also else None
        if turned is not None:
            boxes = _hulls(turned)
        elif not ready:
            half = boxes[:, 2:] / 2
            boxes = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
        if ready:
            chosen = np.arange(min(len(rows), limits["most"]))
        elif turned is not None:
            chosen = rotated_nms(turned, scores, labels, limits["iou"], limits["most"])
        else:
            chosen = nms(boxes, scores, labels, limits["iou"], limits["most"])
        turned = None if turned is None else turned[chosen]
        return _with_more(boxes[chosen], scores[chosen], labels[chosen], rest[chosen], turned, outputs, also)


def _best_rows(output: Array, also: Dict[str, Any], score: Any) -> Array:
    """(n, 6 + more) of a network that has looked for overlapping boxes itself."""
    rows = output.reshape(-1, 6 + numbers(also))
    rows = rows[(rows[:, 4] > score) & (rows[:, 5] >= 0) & (rows[:, 5] < LARGEST_SIZE)]
    return np.asarray(rows[best(rows[:, 4], MOST_BOXES)])


def _candidates(output: Array, card: Card, score: Any) -> Array:
    """(n, 6 + more) of cx, cy, w, h, score, label: each place's likeliest class, where it is likely enough."""
    columns, more = output.reshape(output.shape[-2:]), numbers(card.output.also)
    classes = len(columns) - 4 - more
    if classes < 1 or (card.labels and classes != len(card.labels)):
        raise ValueError("%d rows are no boxes of %d classes" % (len(columns), len(card.labels)))
    scores = columns[4 : 4 + classes]
    likeliest = scores.max(axis=0)
    places = np.flatnonzero(likeliest > score)
    places = places[best(likeliest[places], CANDIDATES)]
    labels = scores.take(places, axis=1).argmax(axis=0)
    found = columns.take(places, axis=1)
    return np.concatenate([found[:4], likeliest[None, places], labels[None].astype(np.float32), found[4 + classes :]]).T


def _with_more(
    boxes: Array,
    scores: Array,
    labels: Array,
    rest: Array,
    turned: Optional[Array],
    outputs: Mapping[str, Array],
    also: Dict[str, Any],
) -> Things:
    if "masks" in also:
        masks, starts = _masks(rest, np.asarray(outputs[also["masks"]["prototypes"]], np.float32), boxes, also["masks"])
        seen = np.array([bool(cells.any()) for cells in masks], bool)  # the others are no things
        return boxes[seen], scores[seen], labels[seen], More(masks, starts).take(seen)
    if "keypoints" in also:
        return boxes, scores, labels, More(keypoints=rest.reshape(len(rest), *also["keypoints"]))
    return boxes, scores, labels, None if turned is None else More(rotated=turned)


# -- masks -----------------------------------------------------------------------------------------------------------


def _masks(coefficients: Array, prototypes: Array, boxes: Array, how: Dict[str, Any]) -> Tuple[List[Array], Array]:
    """process_mask(…, upsample=True) of ultralytics/utils/ops.py: the pixels in each box, and where they begin."""
    prototypes = prototypes.reshape(how["coefficients"], *prototypes.shape[-2:])
    sides = np.array(prototypes.shape[:0:-1], np.float32) * how["stride"]
    corners = np.nan_to_num(np.ceil(boxes)).reshape(-1, 2, 2).clip(0, sides).astype(np.intp)
    found = [_mask(row, prototypes, corner, how["stride"]) for row, corner in zip(coefficients, corners.tolist())]
    return found, corners[:, 0]


def _mask(coefficients: Array, prototypes: Array, corners: Any, stride: int) -> Array:
    """(rows, columns) booleans: sigmoid(coefficients @ prototypes) above one half, cell by cell of `stride` pixels."""
    (left, top), (right, bottom) = corners
    if left >= right or top >= bottom:
        return np.zeros((0, 0), bool)
    rows, down = _between(top, bottom, prototypes.shape[1], stride)
    columns, along = _between(left, right, prototypes.shape[2], stride)
    cells = np.tensordot(coefficients, prototypes[:, rows, columns], 1)
    return np.asarray(down @ cells @ along.T > 0)


def _between(first: int, end: int, count: int, stride: int) -> Tuple[slice, Array]:
    """Which of `count` cells matter to the pixels from first to end, and (pixels, cells) how much, linearly."""
    at = ((np.arange(first, end, dtype=np.float32) + np.float32(0.5)) / stride - np.float32(0.5)).clip(0, count - 1)
    needed = slice(int(at[0]), min(int(at[-1]) + 2, count))
    shares = 1 - np.abs(at[:, None] - np.arange(needed.start, needed.stop, dtype=np.float32))
    return needed, shares.clip(0)


# -- rotated boxes ---------------------------------------------------------------------------------------------------


def corners_of(boxes: Array) -> Array:
    """(n, 5) of cx, cy, w, h, angle -> (n, 4, 2): xywhr2xyxyxyxy of ultralytics/utils/ops.py."""
    cos, sin = np.cos(boxes[:, 4]), np.sin(boxes[:, 4])
    along = np.stack([boxes[:, 2] / 2 * cos, boxes[:, 2] / 2 * sin], axis=1)
    across = np.stack([-boxes[:, 3] / 2 * sin, boxes[:, 3] / 2 * cos], axis=1)
    centre = boxes[:, :2]
    four = [centre + along + across, centre + along - across, centre - along - across, centre - along + across]
    return np.stack(four, axis=1)


def _hulls(turned: Array) -> Array:
    """(n, 4): x1, y1, x2, y2 around rotated boxes."""
    corners = corners_of(turned)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).astype(np.float32)


def rotated_nms(boxes: Array, scores: Array, labels: Array, iou: float, most: int) -> Array:
    """Places of the rotated boxes (n, 5) that stay, best first, at most `most`.

    fast_nms of ultralytics/utils/nms.py: a box goes if it overlaps any better one of its label by more than `iou`, one
    that stays or one that goes.
    """
    order = np.argsort(-scores, kind="stable")
    shapes, names = _covariances(boxes[order]), labels[order]
    kept: List[Array] = [order[:0]]
    start = 0
    while start < len(order) and sum(map(len, kept)) < most:
        end = min(len(order), start + max(1, PAIRS // (start + 512)))
        over = _alike(shapes[:, :end], shapes[:, start:end]) > np.float32(iou)
        over &= names[:end, None] == names[None, start:end]
        over &= np.arange(end)[:, None] < np.arange(start, end)
        kept.append(order[start:end][~over.any(axis=0)])
        start = end
    return np.concatenate(kept)[:most]


def _covariances(boxes: Array) -> Array:
    """(5, n): the centre, and the box as a normal distribution: its variances along x and y, and what they share."""
    x, y, w, h, angle = np.asarray(boxes, np.float32).T
    a, b, cos, sin = w * w / 12, h * h / 12, np.cos(angle), np.sin(angle)
    return np.stack([x, y, a * cos * cos + b * sin * sin, a * sin * sin + b * cos * cos, (a - b) * cos * sin])


def _alike(first: Array, second: Array) -> Array:
    """(n, m), 0 to 1: batch_probiou of ultralytics/utils/metrics.py (Llerena et al. 2021)."""
    tiny = np.float32(1e-7)
    x, y = first[0][:, None] - second[0], first[1][:, None] - second[1]
    a, b, c = (first[i][:, None] + second[i] for i in (2, 3, 4))
    both = a * b - c * c
    own, other = ((one[2] * one[3] - one[4] * one[4]).clip(0) for one in (first, second))
    apart = (a * y * y + b * x * x) / (both + tiny) / 4 - c * x * y / (both + tiny) / 2
    apart += np.log(both / (4 * np.sqrt(own[:, None] * other) + tiny) + tiny) / 2
    return np.asarray(1 - np.sqrt(1 - np.exp(-apart.clip(tiny, 100)) + tiny))
