"""From the predictions of one-stage detectors to boxes, inside the network: what mmdet 2.23 does after its heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .detector import (
    Box,
    Levels,
    anchor_grid,
    confident,
    decode_deltas,
    decode_yolo,
    detections,
    divide,
    flat,
    gather,
    nms,
    nms_by_class,
    picture_limits,
    times,
    top,
)


@dataclass(frozen=True)
class OneStage:
    """How predictions become boxes.

    anchors     for each level the boxes around the first position;  strides: pixels between positions
    stds        of the deltas (SSD)
    score       boxes must score more;  confidence: and their objectness be at least this (YOLO)
    iou         NMS drops boxes that overlap a better one more than this
    candidates  best predictions of each level that are looked at;  most: boxes at the end
    """

    anchors: Sequence[Sequence[Box]]
    strides: Sequence[float]
    score: float
    iou: float
    most: int
    candidates: int = 1000
    confidence: float = 0.0
    stds: Sequence[float] = (0.1, 0.1, 0.2, 0.2)


def ssd_boxes(net: Recorder, image: Value, levels: Levels, how: OneStage) -> tuple[Value, Value]:
    """dets (1, most, 5) and labels (1, most): softmax, the best pairs of box and class of each level, NMS by class."""
    limits, found = picture_limits(net, image), []
    for i, (level, base, stride) in enumerate(zip(levels, how.anchors, how.strides, strict=True)):
        assert level.deltas is not None
        logits, deltas = flat(net, level.scores, level.anchors), flat(net, level.deltas, level.anchors)
        rows, classes = logits.shape[0], logits.channels - 1
        scores = net.slice(net.softmax(logits, 1, f"scores{i}"), 1, 0, classes, f"classes{i}")
        values, places = top(net, net.reshape(scores, (times(rows, classes),), f"pairs{i}"), how.candidates, f"best{i}")
        row, label = divide(net, places, classes, f"places{i}")
        anchors = gather(net, anchor_grid(net, level.scores, base, stride, f"anchors{i}"), row, f"their_anchors{i}")
        chosen = gather(net, deltas, row, f"their_deltas{i}")
        found.append((decode_deltas(net, anchors, chosen, how.stds, limits, f"boxes{i}"), values, label))
    boxes, scores, labels = (net.concat(list(column), 0, "all") for column in zip(*found, strict=True))
    kept = nms(net, boxes, scores, labels, how.iou, how.score, how.most, "nms")
    box, score, label = (gather(net, v, kept, "kept") for v in (boxes, scores, labels))
    return detections(net, box, score, label, how.most)


def yolo_boxes(net: Recorder, image: Value, levels: Levels, how: OneStage) -> tuple[Value, Value]:
    """dets (1, most, 5) and labels (1, most): sigmoids, class times objectness, NMS by class."""
    boxes, classes, objects = [], [], []
    for i, (level, base, stride) in enumerate(zip(levels, how.anchors, how.strides, strict=True)):
        raw = flat(net, level.scores, level.anchors)
        anchors = anchor_grid(net, level.scores, base, stride, f"anchors{i}")
        boxes.append(decode_yolo(net, anchors, net.slice(raw, 1, 0, 4, f"raw{i}"), stride, f"boxes{i}"))
        objects.append(net.slice(raw, 1, 4, 5, f"objects{i}"))
        classes.append(net.slice(raw, 1, 5, raw.channels, f"classes{i}"))
    box = net.concat(boxes, 0, "boxes")
    object_, class_ = (
        net.act("sigmoid", net.concat(v, 0, n), n) for n, v in (("objects", objects), ("classes", classes))
    )
    scores = confident(net, class_, object_, how.score, how.confidence, "scores")
    places = nms_by_class(net, box, scores, how.iou, how.most, "nms")
    pairs = net.reshape(scores, (times(*scores.shape),), "pairs")
    values, order = top(net, gather(net, pairs, places, "kept_scores"), how.most, "best")
    row, label = divide(net, gather(net, places, order, "best_places"), scores.channels, "labels_of")
    return detections(net, gather(net, box, row, "best_boxes"), values, label, how.most)
