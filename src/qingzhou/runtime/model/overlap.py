"""Non-maximum suppression: of boxes that show the same thing, the best one stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, List, Tuple

import numpy as np

if TYPE_CHECKING:
    from ..typed import Array


BLOCK = 256  # boxes that are compared with each other at once
PAIRS = 1 << 15  # that are compared at once: the arrays for them fit into a processor's cache
TOGETHER = 1 << 13  # pairs below which several labels are cheaper in one go than one by one
GONE = -np.inf  # the score of a box that is decided


def nms(boxes: Array, scores: Array, labels: Array, iou: float, most: int) -> Array:
    """Places of the boxes (n, 4) that stay, best first, at most `most`; of equal scores and labels the first.

    A box goes if it overlaps a better one of its label that stays by more than `iou` of what both cover: mmcv's rule.
    Boxes without an area overlap nothing. Equal to taking them one by one; here it is done in blocks of the best,
    with the labels side by side in memory.
    """
    labels = _narrow(labels)
    places = np.argsort(labels, kind="stable")
    columns, left, names = _columns(boxes, places), np.array(scores, np.float32)[places], labels[places]
    left[~(left > GONE)] = GONE  # not a number
    kept: List[Array] = [places[:0]]
    with np.errstate(all="ignore"):  # 0 / 0 of boxes without an area is no overlap; nor is anything infinite
        while sum(map(len, kept)) < most:
            block = best(left, BLOCK)
            block = block[left[block] > GONE]
            if not len(block):
                break
            stay = block[_stay(columns[:, block], names[block], iou)]
            kept.append(places[stay])
            if sum(map(len, kept)) >= most or len(block) < BLOCK:  # enough, or no more are left
                break
            left[block] = GONE
            _suppress(columns, left, names, np.sort(stay), iou)
            alive = left > GONE
            if 2 * np.count_nonzero(alive) < len(left):
                columns = np.ascontiguousarray(columns[:, alive])
                left, names, places = left[alive], names[alive], places[alive]
    return np.concatenate(kept)[:most]


def _narrow(labels: Array) -> Array:
    """Labels as 16-bit numbers where they fit: numpy sorts those in one pass."""
    labels = np.asarray(labels)
    fits = len(labels) and labels.min() >= 0 and labels.max() < 1 << 15
    return labels.astype(np.int16) if fits else labels


def _columns(boxes: Array, places: Array) -> Array:
    """(5, n): x1, y1, x2, y2 and four times the area, in the order of the places."""
    columns = np.empty((5, len(places)), np.float32)
    columns[:4] = np.asarray(boxes, np.float32).reshape(-1, 4).take(places, axis=0).T
    with np.errstate(all="ignore"):
        columns[4] = (columns[2] - columns[0]) * (columns[3] - columns[1]) * 4
    return columns


def best(values: Array, count: int) -> Array:
    """Places of the largest values, best first, at most `count`; of equal ones the first."""
    if len(values) <= count:
        return np.argsort(-values, kind="stable")
    least = np.partition(values, len(values) - count)[len(values) - count]
    good = np.flatnonzero(values >= least)  # more than `count` where values are equal
    return np.asarray(good[np.argsort(-values[good], kind="stable")[:count]])


def _stay(columns: Array, names: Array, iou: float) -> Array:
    """Which of some boxes, best first, stay among themselves."""
    worse = _overlap(columns, columns, iou)
    worse &= names[:, None] == names
    worse &= np.tri(len(names), k=-1, dtype=bool).T
    stay = np.ones(len(names), bool)
    while True:  # the only solution of "stays what no better one that stays overlaps": found in a few rounds
        now = np.asarray(~worse[stay].any(axis=0))
        if (now == stay).all():
            return now
        stay = now


def _suppress(columns: Array, left: Array, names: Array, kept: Array, iou: float) -> None:
    """Takes out of `left` all that overlap one of their label that was kept."""
    for better, begin, end in _groups(names, kept):
        step = max(1, PAIRS // len(better))
        chosen, their_names = columns[:, better], names[better][:, None]
        for start in range(begin, end, step):
            part = slice(start, min(start + step, end))
            over = _overlap(chosen, columns[:, part], iou)
            over &= their_names == names[part]
            left[part][over.any(axis=0)] = GONE


def _groups(names: Array, kept: Array) -> Iterator[Tuple[Array, int, int]]:
    """The kept ones label by label, with the range in which all of their labels lie; small labels together."""
    theirs = names[kept]
    starts = np.flatnonzero(np.append(True, theirs[1:] != theirs[:-1]))
    firsts = np.searchsorted(names, theirs[starts]).tolist()
    lasts = np.searchsorted(names, theirs[starts], "right").tolist()
    stops = [*starts[1:].tolist(), len(kept)]
    start, begin = 0, firsts[0]
    for i, (stop, last) in enumerate(zip(stops, lasts)):
        more = i + 1 < len(stops) and (stops[i + 1] - start) * (lasts[i + 1] - begin) <= TOGETHER
        if not more:
            yield kept[start:stop], begin, last
            start, begin = stop, firsts[min(i + 1, len(firsts) - 1)]


def _overlap(first: Array, second: Array, iou: float) -> Array:
    """(n, m): whether boxes (5, n) and (5, m) share more than `iou` of what they cover together.

    x + |x| is twice the part above 0, exactly, and in numpy three times as fast as a maximum; hence all areas are
    four times as large.
    """
    shape = first.shape[1], second.shape[1]
    shared, height, other = (np.empty(shape, np.float32) for _ in range(3))
    for length, axis in ((shared, 0), (height, 1)):
        length[:], other[:] = first[axis + 2][:, None], first[axis][:, None]
        np.minimum(length, second[axis + 2], out=length)
        length -= np.maximum(other, second[axis], out=other)
        length += np.abs(length, out=other)
    shared *= height
    together = np.add(first[4][:, None], second[4], out=other)
    together -= shared
    shared /= together
    return np.asarray(shared > np.float32(iou))
