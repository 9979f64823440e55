"""SSDLite (Liu et al. 2016, Sandler et al. 2018): boxes from six levels of MobileNetV2; names as in mmdet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Config
from .blocks import divisible
from .detector import Box, Level, Levels
from .mobilenet_v2 import MMDET, WIDTHS, Style, backbone
from .one_stage import OneStage
from .shapes import Shapes, channels_of, children, commonest, outputs

USUAL = 6  # anchors at each position
EPS = 1e-3


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """The width of MobileNetV2, the channels of the extra levels, and the anchors at each position of each level."""

    width: float
    extras: tuple[int, ...]
    anchors: tuple[int, ...]


def ssdlite(net: Recorder, x: Value, config: Sizes) -> Levels:
    """(1, 3, H, W) -> for each of six levels the class logits and box deltas of its anchors."""
    results = backbone(net, x, config.width, MMDET, Style("relu6", EPS))
    features = [results[4], results[7]]
    for i, channels in enumerate(config.extras):
        features.append(extra(net, f"neck.extra_layers.{i}", features[-1], channels))
    return [level(net, i, feature, config) for i, feature in enumerate(features)]


def extra(net: Recorder, key: str, x: Value, channels: int) -> Value:
    """Half the size: 1x1, then 3x3 by channel and 1x1."""
    x = net.conv_bn(f"{key}.0", x, channels // 2, 1, act="relu6", eps=EPS)
    half = channels // 2
    x = net.conv_bn(f"{key}.1.depthwise_conv", x, half, 3, stride=2, groups=half, act="relu6", eps=EPS)
    return net.conv_bn(f"{key}.1.pointwise_conv", x, channels, 1, act="relu6", eps=EPS)


def level(net: Recorder, i: int, x: Value, config: Sizes) -> Level:
    """Class logits (background last) and deltas of one feature map."""
    anchors, heads = config.anchors[i], []
    for name, numbers in (("cls_convs", config.classes + 1), ("reg_convs", 4)):
        key = f"bbox_head.{name}.{i}"
        y = net.conv_bn(f"{key}.0", x, x.channels, 3, groups=x.channels, act="relu6", eps=EPS)
        heads.append(net.conv(f"{key}.1", y, anchors * numbers, 1))
    return Level(heads[0], heads[1], anchors)


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """Channels of the extra levels, anchors of each level, and classes."""
    levels = children(shapes, "neck.extra_layers.")
    if not levels or not any(key.startswith("bbox_head.cls_convs.0.") for key in shapes):
        return
    anchors = [outputs(shapes, f"bbox_head.reg_convs.{i}.1") // 4 or USUAL for i in range(len(levels) + 2)]
    classes = [outputs(shapes, f"bbox_head.cls_convs.{i}.1") // n - 1 for i, n in enumerate(anchors)]
    yield Sizes(
        classes=commonest(classes) or 0,
        width=_width(shapes),
        extras=tuple(channels_of(shapes, f"neck.extra_layers.{i}.1.pointwise_conv") for i in levels),
        anchors=tuple(anchors),
    )


def _width(shapes: Shapes) -> float:
    """The MobileNetV2 whose first convolution and finest level have these channels."""
    first, finest = (channels_of(shapes, key) for key in ("backbone.conv1", "bbox_head.cls_convs.0.0"))
    fitting = (w for w in WIDTHS if (divisible(32 * w), divisible(96 * w)) == (first, finest))
    return next(fitting, 1.0)


def default_decoding() -> OneStage:
    """MMEdu's and mmdet's: six anchors a position, for pictures of 320 x 320."""
    strides = (16, 32, 64, 107, 160, 320)
    smallest, largest = (48, 100, 150, 202, 253, 304), (100, 150, 202, 253, 304, 320)
    anchors = [base_boxes(*sizes) for sizes in zip(strides, smallest, largest, strict=True)]
    return OneStage(anchors, strides, score=0.5, iou=0.45, most=200)


def base_boxes(stride: float, smallest: float, largest: float, ratios: Sequence[float] = (2, 3)) -> list[Box]:
    """SSD's boxes around the centre of the first cell: a square, a larger square, and 1:r, r:1 for each ratio."""
    shapes = [(smallest, smallest), (math.sqrt(smallest * largest),) * 2]
    for ratio in ratios:
        for tall in (1 / ratio, ratio):
            shapes.append((smallest / math.sqrt(tall), smallest * math.sqrt(tall)))
    centre = stride / 2
    return [(centre - w / 2, centre - h / 2, centre + w / 2, centre + h / 2) for w, h in shapes]
