"""YOLOv3 (Redmon and Farhadi 2018) on Darknet-53, or on MobileNetV2 as MMEdu trains it; names as in mmdet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Config
from .detector import Box, Level, Levels
from .mobilenet_v2 import MMDET, Style
from .mobilenet_v2 import backbone as mobilenet_v2
from .one_stage import OneStage
from .shapes import Shapes, agreed, channels_of, children

DARKNET = [(64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)]  # channels and blocks of each stage, table 1
ANCHORS = 3


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Which backbone, the channels of the neck and of the layers before the predictions, and the anchors; coarse first.

    darknet   Darknet-53, else MobileNetV2
    """

    darknet: bool
    widths: tuple[int, ...]
    bridges: tuple[int, ...]
    anchors: tuple[int, ...]


def yolov3(net: Recorder, x: Value, config: Sizes) -> Levels:
    """(1, 3, H, W) -> for strides 32, 16 and 8 a map of 3 * (x, y, w, h, objectness, classes)."""
    if config.darknet:
        fine, middle, coarse = darknet(net, x)
    else:
        results = mobilenet_v2(net, x, 1.0, MMDET, Style("leaky_relu"))
        fine, middle, coarse = results[2], results[4], results[6]
    y = detection(net, "neck.detect1", coarse, config.widths[0])
    outs = [y]
    for i, (feature, width) in enumerate(zip((middle, fine), config.widths[1:], strict=True), start=1):
        y = conv(net, f"neck.conv{i}", y, width, 1)
        y = net.concat([double(net, y, f"neck.up{i}"), feature], 1, f"neck.join{i}")
        y = detection(net, f"neck.detect{i + 1}", y, width)
        outs.append(y)
    return [level(net, i, out, config) for i, out in enumerate(outs)]


def darknet(net: Recorder, x: Value) -> list[Value]:
    """The results of the last three stages."""
    x, results = conv(net, "backbone.conv1", x, 32, 3), []
    for i, (channels, blocks) in enumerate(DARKNET, start=1):
        key = f"backbone.conv_res_block{i}"
        x = conv(net, f"{key}.conv", x, channels, 3, stride=2)
        for j in range(blocks):
            y = conv(net, f"{key}.res{j}.conv1", x, channels // 2, 1)
            x = net.add(x, conv(net, f"{key}.res{j}.conv2", y, channels, 3), f"{key}.res{j}.add")
        results.append(x)
    return results[2:]


def detection(net: Recorder, key: str, x: Value, width: int) -> Value:
    """Five convolutions, 1x1 and 3x3 in turn."""
    for i in range(1, 6):
        x = conv(net, f"{key}.conv{i}", x, width * (2 - i % 2), 3 - i % 2 * 2)
    return x


def double(net: Recorder, x: Value, name: str) -> Value:
    """Twice the size, nearest."""
    return net.upsample(x, [n * 2 if isinstance(n, int) else n for n in x.shape[2:]], "nearest", False, name)


def level(net: Recorder, i: int, x: Value, config: Sizes) -> Level:
    """3x3, then the predictions."""
    x = conv(net, f"bbox_head.convs_bridge.{i}", x, config.bridges[i], 3)
    anchors = config.anchors[i]
    return Level(net.conv(f"bbox_head.convs_pred.{i}", x, anchors * (5 + config.classes), 1), None, anchors)


def conv(net: Recorder, key: str, x: Value, channels: int, kernel: int, stride: int = 1) -> Value:
    """ConvModule with LeakyReLU."""
    return net.conv_bn(key, x, channels, kernel, stride, act="leaky_relu")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """Widths of the neck and the bridges, and classes."""
    levels = children(shapes, "bbox_head.convs_pred.")
    if levels != [0, 1, 2]:
        return
    outputs = [(f"bbox_head.convs_pred.{i}.{name}", 0) for i in levels for name in ("weight", "bias")]
    yield Sizes(
        classes=agreed(shapes, *outputs) // ANCHORS - 5,
        darknet="backbone.conv_res_block1.conv.conv.weight" in shapes,
        widths=tuple(channels_of(shapes, f"neck.detect{i + 1}.conv1") for i in levels),
        bridges=tuple(channels_of(shapes, f"bbox_head.convs_bridge.{i}") for i in levels),
        anchors=(ANCHORS,) * len(levels),  # one number of outputs says anchors times classes
    )


SIZES = (
    ((116, 90), (156, 198), (373, 326)),
    ((30, 61), (62, 45), (59, 119)),
    ((10, 13), (16, 30), (33, 23)),
)  # width and height of the anchors, from the paper


def default_decoding() -> OneStage:
    """MMEdu's and mmdet's."""
    strides = (32, 16, 8)
    anchors = [base_boxes(*level) for level in zip(strides, SIZES, strict=True)]
    return OneStage(anchors, strides, score=0.05, iou=0.5, most=100, confidence=0.005)


def base_boxes(stride: float, sizes: Iterable[Sequence[float]]) -> list[Box]:
    """Boxes of these widths and heights around the centre of the first cell."""
    return [((stride - w) / 2, (stride - h) / 2, (stride + w) / 2, (stride + h) / 2) for w, h in sizes]
