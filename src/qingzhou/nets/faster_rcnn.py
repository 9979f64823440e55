"""Faster R-CNN (Ren et al. 2015) and Mask R-CNN (He et al. 2017) with FPN (Lin et al. 2017); names as in mmdet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import resnet
from .detector import (
    Box,
    Level,
    Levels,
    anchor_grid,
    class_numbers,
    decode_deltas,
    detections,
    flat,
    gather,
    group,
    nms,
    not_empty,
    padded,
    pick,
    picture_limits,
    roi_align,
    top,
)
from .graph import Recorder, Value
from .network import Config, Shapes, size

STRIDES = (4, 8, 16, 32, 64)  # of the five levels; regions are cut out of the first four
RATIOS, SCALE = (0.5, 1.0, 2.0), 8
REGION, MASK = 7, 14  # what a region is resized to, for its class and for its mask
STDS = (0.1, 0.1, 0.2, 0.2)


@dataclass(frozen=True)
class Thresholds:
    """Settings of both stages, as in mmdet's test_cfg; MMEdu's own, which sets both NMS thresholds to 0.3."""

    proposals: int = 1000  # of each level, and of all together after NMS
    proposal_iou: float = 0.3
    score: float = 0.05
    iou: float = 0.3
    most: int = 100


def pyramid(net: Recorder, image: Value, config: Config) -> list[Value]:
    """(1, 3, H, W) -> five maps of 256 channels, at strides 4 to 64."""
    return fpn(net, resnet.stages(net, resnet.stem(net, image, config), config))


def boxes(
    net: Recorder, image: Value, features: Sequence[Value], levels: Levels, config: Config, how: Thresholds
) -> tuple[Value, ...]:
    """Proposals -> dets (1, most, 5), labels (1, most) and, for Mask R-CNN, masks (1, most, 28, 28)."""
    limits = picture_limits(net, image)
    rois = proposals(net, levels, limits, how)
    candidates, scores = region_head(net, rois, features[:4], limits, config["classes"])
    kept, label, box = best_regions(net, candidates, scores, how)
    dets, labels = detections(net, box, kept, label, how.most)
    if not config["masks"]:
        return dets, labels
    return dets, labels, padded(net, masks(net, box, label, features[:4], config), how.most, "masks")


def fpn(net: Recorder, stages: Sequence[Value]) -> list[Value]:
    """Five maps of 256 channels: each stage plus the coarser one, and the coarsest at half its size."""
    laterals = [net.conv(f"neck.lateral_convs.{i}.conv", x, 256, 1) for i, x in enumerate(stages)]
    for i in range(len(laterals) - 1, 0, -1):
        coarse = net.upsample_like(laterals[i], laterals[i - 1], f"neck.up{i}")
        laterals[i - 1] = net.add(laterals[i - 1], coarse, f"neck.add{i}")
    outs = [net.conv(f"neck.fpn_convs.{i}.conv", x, 256, 3) for i, x in enumerate(laterals)]
    return [*outs, net.max_pool(outs[-1], 1, 2, name="neck.coarsest")]


def rpn(net: Recorder, features: Sequence[Value]) -> Levels:
    """Objectness and deltas of three anchors at each position."""
    levels = []
    for x in features:
        x = net.act("relu", net.conv("rpn_head.rpn_conv", x, 256, 3), "rpn_head")
        scores = net.conv("rpn_head.rpn_cls", x, len(RATIOS), 1)
        levels.append(Level(scores, net.conv("rpn_head.rpn_reg", x, 4 * len(RATIOS), 1), len(RATIOS)))
    return levels


def proposals(net: Recorder, levels: Levels, limits: Value, how: Thresholds) -> Value:
    """(n, 4) regions: the best of each level, NMS within each level, the best of all."""
    found = []
    for i, (level, stride) in enumerate(zip(levels, STRIDES, strict=True)):
        assert level.deltas is not None
        logits, deltas = flat(net, level.scores, level.anchors), flat(net, level.deltas, level.anchors)
        objects = net.act("sigmoid", net.reshape(logits, (logits.shape[0],), f"rpn.logits{i}"), f"rpn{i}")
        values, places = top(net, objects, how.proposals, f"rpn.best{i}")
        anchors = gather(net, anchor_grid(net, level.scores, base_boxes(stride), stride, f"rpn.anchors{i}"), places,
                         f"rpn.their_anchors{i}")  # fmt: skip
        chosen = gather(net, deltas, places, f"rpn.their_deltas{i}")
        boxes = decode_deltas(net, anchors, chosen, (1, 1, 1, 1), limits, f"rpn.boxes{i}")
        found.append((boxes, values, group(net, values, i, f"rpn.level{i}")))
    boxes, values, groups = (net.concat(list(column), 0, "rpn.all") for column in zip(*found, strict=True))
    values = not_empty(net, boxes, values, "rpn.not_empty")
    return gather(net, boxes, nms(net, boxes, values, groups, how.proposal_iou, -0.5, how.proposals, "rpn.nms"), "rois")


def region_head(
    net: Recorder, rois: Value, features: Sequence[Value], limits: Value, classes: int
) -> tuple[Value, Value]:
    """Boxes (n, classes, 4) and probabilities (n, classes) of each region, the background left out."""
    x = net.flatten(roi_align(net, rois, features, STRIDES[:4], REGION, "regions"), "regions.flat")
    for i in range(2):
        key = f"roi_head.bbox_head.shared_fcs.{i}"
        x = net.act("relu", net.linear(key, x, 1024), key)
    scores = net.softmax(net.linear("roi_head.bbox_head.fc_cls", x, classes + 1), 1, "region_scores")
    deltas = net.reshape(net.linear("roi_head.bbox_head.fc_reg", x, 4 * classes), ("n", classes, 4), "region_deltas")
    boxes = decode_deltas(net, net.unsqueeze(rois, 1, "rois.wide"), deltas, STDS, limits, "region_boxes")
    return boxes, net.slice(scores, 1, 0, classes, "class_scores")


def best_regions(net: Recorder, boxes: Value, scores: Value, how: Thresholds) -> tuple[Value, Value, Value]:
    """Scores, labels and boxes that stay, best first."""
    labels = class_numbers(net, scores, "class_numbers")
    boxes, scores = net.reshape(boxes, ("n", 4), "pair_boxes"), net.reshape(scores, ("n",), "pair_scores")
    kept = nms(net, boxes, scores, labels, how.iou, how.score, how.most, "nms")
    score, label, box = (gather(net, v, kept, f"{v.name}.kept") for v in (scores, labels, boxes))
    return score, label, box


def masks(net: Recorder, boxes: Value, labels: Value, features: Sequence[Value], config: Config) -> Value:
    """(n, 28, 28) probabilities that each pixel of a box belongs to the object."""
    key = "roi_head.mask_head"
    x = roi_align(net, boxes, features, STRIDES[:4], MASK, "mask_regions")
    for i in range(config["mask_convs"]):
        x = net.act("relu", net.conv(f"{key}.convs.{i}.conv", x, 256, 3), f"{key}.convs.{i}")
    x = net.act("relu", net.conv_transpose(f"{key}.upsample", x, 256, 2), f"{key}.upsample")
    logits = net.conv(f"{key}.conv_logits", x, config["classes"], 1)
    return net.act("sigmoid", pick(net, logits, labels, "their_masks"), "mask")


def base_boxes(stride: float) -> list[Box]:
    """Three boxes of one area around (0, 0): tall and wide by the square root of each ratio."""
    side = stride * SCALE
    shapes = [(side / math.sqrt(ratio), side * math.sqrt(ratio)) for ratio in RATIOS]
    return [(-w / 2, -h / 2, w / 2, h / 2) for w, h in shapes]


def configs(shapes: Shapes) -> Iterable[Config]:
    """The backbone's sizes as for ResNet, and the classes."""
    if "rpn_head.rpn_conv.weight" not in shapes:
        return
    for backbone in resnet.configs(shapes):
        yield {
            **backbone,
            "classes": size(shapes, "roi_head.bbox_head.fc_cls.weight") - 1,
            "masks": "roi_head.mask_head.conv_logits.weight" in shapes,
            "mask_convs": sum(key.startswith("roi_head.mask_head.convs.") and key.endswith("weight") for key in shapes),
        }
