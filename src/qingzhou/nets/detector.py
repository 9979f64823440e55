"""What detectors share: predictions on feature maps, and the operations that turn them into boxes.

Each function records one layer; a box is (x1, y1, x2, y2) in pixels of the network's input. All are for one picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..graph.form import BLOCK, Dim, Value
from ..graph.record import Recorder

Box = tuple[float, float, float, float]


class Level(NamedTuple):
    """Predictions on one feature map.

    scores  (1, anchors * numbers, H, W); SSD: class logits, background last; YOLO: everything
    deltas  (1, anchors * 4, H, W); None where `scores` holds them too
    """

    scores: Value
    deltas: Value | None
    anchors: int


Levels = list[Level]


def flat(net: Recorder, x: Value, anchors: int) -> Value:
    """(1, anchors * K, H, W) -> (H * W * anchors, K)."""
    rows, numbers = times(anchors, *x.shape[2:]), x.channels // anchors
    turned = net.transpose(x, (0, 2, 3, 1), f"{x.name}.turned")
    return net.reshape(turned, (rows, numbers), f"{x.name}.rows")


def times(*sizes: Dim) -> Dim:
    """The product, or "n" where a size is free."""
    known = [n for n in sizes if isinstance(n, int)]
    return math.prod(known) if len(known) == len(sizes) else "n"


def anchor_grid(net: Recorder, x: Value, base: Sequence[Box], stride: float, name: str) -> Value:
    """The base boxes at every position of a feature map: (H * W * len(base), 4)."""
    rows = times(len(base), *x.shape[2:])
    return net.block("Anchors", name, [x], (rows, 4), base=tuple(n for box in base for n in box), stride=float(stride))


def picture_limits(net: Recorder, image: Value) -> Value:
    """(4,): width, height, width, height of the network's input."""
    return net.block("Limits", "limits", [image], (4,))


def decode_deltas(
    net: Recorder, anchors: Value, deltas: Value, stds: Sequence[float], limits: Value | None, name: str
) -> Value:
    """Boxes from anchors and deltas of the last axis (Girshick et al. 2014, C), inside the picture if `limits`."""
    inputs = [anchors, deltas] if limits is None else [anchors, deltas, limits]
    return net.block("DecodeDeltas", name, inputs, deltas.shape, stds=tuple(stds))


def decode_yolo(net: Recorder, anchors: Value, raw: Value, stride: float, name: str) -> Value:
    """Boxes from anchors and YOLOv3's four numbers: a sigmoid around the cell's centre, and a logarithmic size."""
    return net.block("DecodeYolo", name, [anchors, raw], raw.shape, stride=float(stride))


def top(net: Recorder, scores: Value, count: int, name: str) -> tuple[Value, Value]:
    """The `count` largest of (n,) and where they are, or all where there are fewer."""
    size = min(count, scores.shape[0]) if isinstance(scores.shape[0], int) else "n"
    values, places = net.ops("Top", name, [scores], [(size,), (size,)], ["float32", "int64"], BLOCK, count=count)
    return values, places


def gather(net: Recorder, x: Value, places: Value, name: str) -> Value:
    """x[places] along the first axis."""
    return net.op("Gather", name, [x, places], (*places.shape, *x.shape[1:]), x.dtype, axis=0)


def divide(net: Recorder, places: Value, by: int, name: str) -> tuple[Value, Value]:
    """Whole quotient and remainder of int64 numbers."""
    name = net.unique(name)
    number = net.constant(f"{name}/by", np.array(by, np.int64))
    quotient = net.op("Div", name, [places, number], places.shape, "int64")
    return quotient, net.op("Mod", f"{name}:1", [places, number], places.shape, "int64")


def nms(
    net: Recorder,
    boxes: Value,
    scores: Value,
    groups: Value | None,
    iou: float,
    score: float,
    most: int,
    name: str,
    apart: float = 0.0,
) -> Value:
    """Places of the boxes (M, 4) that stay, best first: those of one group suppress each other above `iou`.

    apart: pixels by which groups are moved from each other; 0: as far as the largest box needs
    """
    inputs = [boxes, scores] if groups is None else [boxes, scores, groups]
    moved = {"apart": apart} if apart else {}
    return net.block("Nms", name, inputs, ("n",), dtype="int64", iou=iou, score=score, most=most, **moved)


def rotated_nms(
    net: Recorder,
    boxes: Value,
    scores: Value,
    groups: Value,
    iou: float,
    score: float,
    most: int,
    apart: float,
    name: str,
) -> Value:
    """The same of rotated boxes (M, 5) of centre, size and angle; a box that is suppressed still suppresses others."""
    limits: dict[str, float] = {"iou": iou, "score": score, "most": most, "apart": apart}
    return net.block("RotatedNms", name, [boxes, scores, groups], ("n",), dtype="int64", **limits)


def nms_by_class(net: Recorder, boxes: Value, scores: Value, iou: float, most: int, name: str) -> Value:
    """Places in the flattened (P, classes) scores of the boxes (P, 4) that stay, class by class; scores of 0 never."""
    return net.block("NmsByClass", name, [boxes, scores], ("n",), dtype="int64", iou=iou, most=most)


def confident(net: Recorder, classes: Value, objects: Value, score: float, confidence: float, name: str) -> Value:
    """classes (P, C) times objects (P, 1) where the one is above `score`, the other at least `confidence`; else 0."""
    return net.block("Confident", name, [classes, objects], classes.shape, score=score, confidence=confidence)


def not_empty(net: Recorder, boxes: Value, scores: Value, name: str) -> Value:
    """The scores (n,), but -1 for boxes without width or height."""
    return net.block("NotEmpty", name, [boxes, scores], scores.shape)


def group(net: Recorder, x: Value, number: int, name: str) -> Value:
    """The number as int64, as often as x has rows."""
    return net.block("Group", name, [x], x.shape[:1], dtype="int64", number=number)


def class_numbers(net: Recorder, scores: Value, name: str) -> Value:
    """0, 1, … for the classes of each row of (n, classes), flattened."""
    return net.block("ClassNumbers", name, [scores], (times(*scores.shape),), dtype="int64", classes=scores.shape[1])


def roi_align(
    net: Recorder, rois: Value, features: Sequence[Value], strides: Sequence[int], size: int, name: str
) -> Value:
    """(n, C, size, size): each region out of the map that suits its size, as mmcv's RoIAlign with aligned=True."""
    shape = (rois.shape[0], features[0].channels, size, size)
    return net.block("RegionAlign", name, [rois, *features], shape, strides=tuple(strides), size=size)


def pick(net: Recorder, x: Value, labels: Value, name: str) -> Value:
    """(n, classes, …) -> (n, …): of each row the entry of its label."""
    return net.block("Pick", name, [x, labels], (x.shape[0], *x.shape[2:]), classes=x.channels)


def padded(net: Recorder, x: Value, most: int, name: str) -> Value:
    """(n, …) -> (1, most, …), zeros after the last."""
    return net.block("Padded", name, [x], (1, most, *x.shape[1:]), most=most)


def detections(net: Recorder, boxes: Value, scores: Value, labels: Value, most: int) -> tuple[Value, Value]:
    """(1, most, 5) boxes with scores and (1, most) labels, zeros after the last."""
    shapes, dtypes = [(1, most, 5), (1, most)], ["float32", "int64"]
    dets, numbers = net.ops("Detections", "dets", [boxes, scores, labels], shapes, dtypes, BLOCK, most=most)
    return dets, numbers
