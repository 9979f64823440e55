"""TFLite_Detection_PostProcess, with which the SSDs of TensorFlow end: boxes, and which of them stay.

https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/lite/kernels/detection_postprocess.cc
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...errors import say
from ...files.flexbuffer import numbers
from ...graph.form import Value
from ...nets.detection import Thresholds
from ...nets.detector import detections, divide, gather, nms, nms_by_class, top
from ...nets.recorded import Wanted
from ...runtime.model.card import Card, Output
from ...spelling import option
from ..network import Network
from .refuse import garbled, refused
from .walk import Call, Detector, Step, Walk

NAME = "TFLite_Detection_PostProcess"
SCORE = 0.5  # below which nobody wants a box; files say 0, and leave it to the program
SCALES = ("y_scale", "x_scale", "h_scale", "w_scale")


def postprocess(wanted: Wanted, sides: tuple[int, ...]) -> Step:
    """The step for a network whose pictures have this height and width."""

    def step(c: Call) -> Sequence[Value]:
        c.walk.detector = _detector(c, wanted, sides)
        return ()

    return step


def _detector(c: Call, wanted: Wanted, sides: tuple[int, ...]) -> Detector:
    """Its boxes as (x1, y1, x2, y2) in pixels of the network's input."""
    told, t = numbers(c.op.custom), c.t
    codes, scores, count = c.x(0), c.x(1), int(told.get("num_classes", 0))
    rows, wide = codes.shape[1:2], scores.shape[2:3]
    shapes = codes.shape == (1, *rows, 4) and scores.shape == (1, *rows, *wide) and len(wide) == 1
    if not shapes or not count or wide[0] not in (count, count + 1) or c.tensor(2).shape != (*rows, 4):
        raise garbled(f"boxes of {list(codes.shape)} have scores of {list(scores.shape)}", "候选框与分数的形状不符")
    if not all(told.get(name, 0) > 0 for name in SCALES):
        raise garbled("its boxes have no scales", "候选框没有比例参数")
    limits = Thresholds(
        max(float(told.get("nms_score_threshold", 0)), SCORE) if wanted.score is None else wanted.score,
        int(told.get("max_detections", 10)) if wanted.most is None else wanted.most,
        float(told.get("nms_iou_threshold", 0.6)) if wanted.iou is None else wanted.iou,
    )
    if not 1 <= limits.most <= 1000 or not 0 <= (limits.iou or 0) <= 1:
        raise garbled(f"it gives at most {limits.most} boxes", f"它最多给出 {limits.most} 个框")
    boxes = _boxes(c, told, sides)
    flat = t.emit("Reshape", [scores, t.whole(-1, int(wide[0]))], (*rows, wide[0]))
    if wide[0] == count + 1:  # the first is that there is nothing
        flat = t.emit("Slice", [flat, t.whole(1), t.whole(count + 1), t.whole(1), t.whole(1)])
    chosen = _by_class if told.get("use_regular_nms") else _by_box
    dets, labels = chosen(c, boxes, flat, limits)
    return Detector(dets, labels, count, float(told.get("nms_score_threshold", 0)), limits)


def _boxes(c: Call, told: Mapping[str, float], sides: tuple[int, ...]) -> Value:
    """(N, 4) from centres and sizes that are told by those of anchors: y, x, height, width, of 1."""
    t, anchors = c.t, c.t.known(c.x(2))
    if anchors is None or not np.isfinite(anchors).all():
        raise refused("its anchors are computed", "锚框是计算出来的")
    codes = t.emit("Reshape", [c.x(0), t.whole(-1, 4)], (len(anchors), 4))
    centres, sizes = t.emits("Split", [codes, t.whole(2, 2)], 2, axis=1)
    scale = np.array([told[name] for name in SCALES], np.float64)
    high = np.array(sides, np.float64)
    middle = anchors[:, :2] * high
    reach = anchors[:, 2:] * high
    moved = t.emit("Mul", [centres, t.array((reach / scale[:2]).astype(np.float32))])
    centres = t.emit("Add", [moved, t.array(middle.astype(np.float32))])
    grown = t.emit("Exp", [t.emit("Mul", [sizes, t.array((1 / scale[2:]).astype(np.float32))])])
    half = t.emit("Mul", [grown, t.array((reach / 2).astype(np.float32))])
    corners = [t.emit(op, [centres, half]) for op in ("Sub", "Add")]
    swapped = [t.emit("Gather", [one, t.array(np.array([1, 0]))], axis=1) for one in corners]
    return t.emit("Concat", swapped, axis=1)


def _by_box(c: Call, boxes: Value, scores: Value, limits: Thresholds) -> tuple[Value, Value]:
    """The best class of each box; boxes suppress each other whatever they are ("fast")."""
    t = c.t
    best = t.emit("ReduceMax", [scores], axes=(1,), keepdims=0)
    label = t.emit("ArgMax", [scores], axis=1, keepdims=0)
    kept = nms(t, boxes, best, None, limits.iou or 0.0, limits.score, limits.most, "nms")
    box, score, number = (gather(t, one, kept, "kept") for one in (boxes, best, label))
    return detections(t, box, score, number, limits.most)


def _by_class(c: Call, boxes: Value, scores: Value, limits: Thresholds) -> tuple[Value, Value]:
    """Class by class ("regular"), and the best of all."""
    t = c.t
    sure = t.emit("Where", [t.emit("Greater", [scores, t.scalar(limits.score)]), scores, t.scalar(0.0)])
    places = nms_by_class(t, boxes, sure, limits.iou or 0.0, limits.most, "nms")
    classes = int(scores.shape[1])
    pairs = t.emit("Reshape", [sure, t.whole(-1)], (math.prod(int(n) for n in scores.shape),))
    values, order = top(t, gather(t, pairs, places, "kept_scores"), limits.most, "best")
    row, label = divide(t, gather(t, places, order, "best_places"), classes, "labels_of")
    return detections(t, gather(t, boxes, row, "best_boxes"), values, label, limits.most)


def as_detector(found: Network, walk: Walk, wanted: Wanted) -> Network:
    """The network's card as that of a detector."""
    detector = walk.detector
    if detector is None:
        return found
    card: Card = found.card
    if card.input.kind != "image" or card.others:
        raise refused("it finds things in something else than one picture", "它检测的输入不是单张图片")
    notes = list(card.notes)
    if wanted.score is None and detector.told < SCORE:
        notes.append(
            say(
                en=f"Boxes that score {SCORE:g} or less are left out; the file itself leaves out those below "
                f"{detector.told:g}. {option('score_threshold')} sets it.",
                zh=f"分数不超过 {SCORE:g} 的框不输出；文件本身的阈值是 {detector.told:g}。"
                f"可用 {option('score_threshold')} 设置。",
            )
        )
    card = replace(
        card,
        task="detection",
        output=Output("dets", "boxes"),
        thresholds=detector.thresholds.for_card(),
        notes=notes,
    )
    return replace(found, card=card, classes=detector.classes)
