"""Faster R-CNN (Ren et al. 2015) and Mask R-CNN (He et al. 2017) with FPN (Lin et al. 2017); names as in mmdet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from . import resnet
from .architecture import Config
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
from .shapes import Shapes, children, outputs
from .two_stages import STRIDES, TwoStages

REGION, MASK = 7, 14  # what a region is resized to, for its class and for its mask


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Of the backbone and of both stages.

    agnostic   the second stage gives one box for all classes
    anchors    at each position
    masks      how many for each region: 0, 1 for all classes, or one for each;  mask_convs: before them
    """

    trunk: resnet.Trunk
    agnostic: bool
    anchors: int
    masks: int
    mask_convs: int


def pyramid(net: Recorder, image: Value, config: Sizes) -> list[Value]:
    """(1, 3, H, W) -> five maps of 256 channels, at strides 4 to 64."""
    return fpn(net, resnet.stages(net, resnet.stem(net, image, config.trunk), config.trunk, config.settings))


def boxes(
    net: Recorder, image: Value, features: Sequence[Value], levels: Levels, config: Sizes, how: TwoStages
) -> tuple[Value, ...]:
    """Proposals -> dets (1, most, 5), labels (1, most) and, for Mask R-CNN, masks (1, most, 28, 28)."""
    limits = picture_limits(net, image)
    rois = proposals(net, levels, limits, how)
    candidates, scores = region_head(net, rois, features[:4], limits, config, how)
    kept, label, box = best_regions(net, candidates, scores, how)
    dets, labels = detections(net, box, kept, label, how.most)
    if not config.masks:
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


def rpn(net: Recorder, features: Sequence[Value], config: Sizes) -> Levels:
    """Objectness and deltas of the anchors at each position."""
    levels, anchors = [], config.anchors
    for x in features:
        x = net.act("relu", net.conv("rpn_head.rpn_conv", x, 256, 3), "rpn_head")
        scores = net.conv("rpn_head.rpn_cls", x, anchors, 1)
        levels.append(Level(scores, net.conv("rpn_head.rpn_reg", x, 4 * anchors, 1), anchors))
    return levels


def proposals(net: Recorder, levels: Levels, limits: Value, how: TwoStages) -> Value:
    """(n, 4) regions: the best of each level, NMS within each level, the best of all."""
    found = []
    for i, (level, stride) in enumerate(zip(levels, how.strides, strict=True)):
        assert level.deltas is not None
        logits, deltas = flat(net, level.scores, level.anchors), flat(net, level.deltas, level.anchors)
        objects = net.act("sigmoid", net.reshape(logits, (logits.shape[0],), f"rpn.logits{i}"), f"rpn{i}")
        values, places = top(net, objects, how.candidates, f"rpn.best{i}")
        grid = anchor_grid(net, level.scores, base_boxes(stride, how.ratios, how.scales), stride, f"rpn.anchors{i}")
        anchors = gather(net, grid, places, f"rpn.their_anchors{i}")
        chosen = gather(net, deltas, places, f"rpn.their_deltas{i}")
        boxes = decode_deltas(net, anchors, chosen, how.proposal_stds, limits, f"rpn.boxes{i}")
        found.append((boxes, values, group(net, values, i, f"rpn.level{i}")))
    boxes, values, groups = (net.concat(list(column), 0, "rpn.all") for column in zip(*found, strict=True))
    values = not_empty(net, boxes, values, "rpn.not_empty")
    return gather(net, boxes, nms(net, boxes, values, groups, how.proposal_iou, -0.5, how.proposals, "rpn.nms"), "rois")


def region_head(
    net: Recorder, rois: Value, features: Sequence[Value], limits: Value, config: Sizes, how: TwoStages
) -> tuple[Value, Value]:
    """Boxes (n, classes, 4) and probabilities (n, classes) of each region, the background left out."""
    scores, deltas = region_predictions(net, roi_align(net, rois, features, STRIDES[:4], REGION, "regions"), config)
    boxes = decode_deltas(net, net.unsqueeze(rois, 1, "rois.wide"), deltas, how.stds, limits, "region_boxes")
    return boxes, net.slice(net.softmax(scores, 1, "region_scores"), 1, 0, config.classes, "class_scores")


def region_predictions(net: Recorder, regions: Value, config: Sizes) -> tuple[Value, Value]:
    """(n, 256, 7, 7) -> logits (n, classes + 1), background last, and deltas (n, classes, 4)."""
    x, classes = net.flatten(regions, "regions.flat"), config.classes
    for i in range(2):
        key = f"roi_head.bbox_head.shared_fcs.{i}"
        x = net.act("relu", net.linear(key, x, 1024), key)
    deltas = net.linear("roi_head.bbox_head.fc_reg", x, 4 if config.agnostic else 4 * classes)
    if config.agnostic:
        deltas = net.concat([deltas] * classes, 1, "deltas_of_all")
    scores = net.linear("roi_head.bbox_head.fc_cls", x, classes + 1)
    return scores, net.reshape(deltas, ("n", classes, 4), "region_deltas")


def best_regions(net: Recorder, boxes: Value, scores: Value, how: TwoStages) -> tuple[Value, Value, Value]:
    """Scores, labels and boxes that stay, best first."""
    labels = class_numbers(net, scores, "class_numbers")
    boxes, scores = net.reshape(boxes, ("n", 4), "pair_boxes"), net.reshape(scores, ("n",), "pair_scores")
    kept = nms(net, boxes, scores, labels, how.iou, how.score, how.most, "nms")
    score, label, box = (gather(net, v, kept, f"{v.name}.kept") for v in (scores, labels, boxes))
    return score, label, box


def masks(net: Recorder, boxes: Value, labels: Value, features: Sequence[Value], config: Sizes) -> Value:
    """(n, 28, 28) probabilities that each pixel of a box belongs to the object."""
    logits = mask_predictions(net, roi_align(net, boxes, features, STRIDES[:4], MASK, "mask_regions"), config)
    of_all = config.masks == 1
    chosen = net.select(logits, 1, 0, "masks_of_all") if of_all else pick(net, logits, labels, "their_masks")
    return net.act("sigmoid", chosen, "mask")


def mask_predictions(net: Recorder, regions: Value, config: Sizes) -> Value:
    """(n, 256, 14, 14) -> logits (n, classes, 28, 28), or of one class that stands for all."""
    x, key = regions, "roi_head.mask_head"
    for i in range(config.mask_convs):
        x = net.act("relu", net.conv(f"{key}.convs.{i}.conv", x, 256, 3), f"{key}.convs.{i}")
    x = net.act("relu", net.conv_transpose(f"{key}.upsample", x, 256, 2), f"{key}.upsample")
    return net.conv(f"{key}.conv_logits", x, config.masks, 1)


def base_boxes(stride: float, ratios: Sequence[float], scales: Sequence[float]) -> list[Box]:
    """For each ratio boxes of the areas (stride * scale)² around (0, 0): tall and wide by the ratio's square root."""
    pairs = [(stride * scale, math.sqrt(ratio)) for ratio in ratios for scale in scales]
    shapes = [(side / root, side * root) for side, root in pairs]
    return [(-w / 2, -h / 2, w / 2, h / 2) for w, h in shapes]


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """The backbone's sizes as for ResNet, and the classes."""
    trunk = resnet.trunk_of(shapes) if any(key.startswith("rpn_head.rpn_") for key in shapes) else None
    if trunk is None:
        return
    classes = outputs(shapes, "roi_head.bbox_head.fc_cls") - 1
    yield Sizes(
        classes=classes,
        trunk=trunk,
        agnostic=outputs(shapes, "roi_head.bbox_head.fc_reg") == 4 != 4 * classes,
        anchors=outputs(shapes, "rpn_head.rpn_cls") or 3,
        masks={0: 0, 1: 1}.get(outputs(shapes, "roi_head.mask_head.conv_logits"), classes),
        mask_convs=len(children(shapes, "roi_head.mask_head.convs.")),
    )
