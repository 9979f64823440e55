"""MobileNetV1 (Howard et al. 2017), parameter names as in paddle.vision.models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .shapes import Shapes, class_counts, size

# Table 1 of the paper: the name, the channels that come out at full width, and the stride of each pair of convolutions
PAIRS = (
    ("conv2_1", 64, 1), ("conv2_2", 128, 2), ("conv3_1", 128, 1), ("conv3_2", 256, 2), ("conv4_1", 256, 1),
    ("conv4_2", 512, 2), *((f"conv5_{i}", 512, 1) for i in range(1, 6)), ("conv5_6", 1024, 2), ("conv6", 1024, 1),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Channels of the first convolution, and those that each pair gives."""

    first: int
    wide: tuple[int, ...]


def mobilenet_v1(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x = conv_bn(net, "conv1", x, config.first, 3, 2)
    for (name, _, stride), channels in zip(PAIRS, config.wide, strict=True):
        x = conv_bn(net, f"{name}._depthwise_conv", x, x.channels, 3, stride, groups=x.channels)
        x = conv_bn(net, f"{name}._pointwise_conv", x, channels, 1, 1)
    return net.linear("fc", net.global_pool(x), config.classes)


def conv_bn(net: Recorder, key: str, x: Value, channels: int, kernel: int, stride: int, groups: int = 1) -> Value:
    """A convolution without bias, BatchNorm and ReLU, numbered."""
    x = net.conv(f"{key}.0", x, channels, kernel, stride, groups=groups, bias=False)
    return net.act("relu", net.batch_norm(f"{key}.1", x), key)


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """Every width shows in the shapes."""
    if "conv2_1._depthwise_conv.0.weight" not in shapes:
        return
    wide = tuple(size(shapes, f"{name}._pointwise_conv.0.weight") for name, _, _ in PAIRS)
    first = size(shapes, "conv1.0.weight")
    if all(wide) and first:
        yield from (Sizes(classes=classes, first=first, wide=wide) for classes in class_counts(shapes, "fc"))


MOBILENET_V1 = Architecture(
    "MobileNetV1",
    configs,
    lambda config: f"MobileNetV1 {config.first / 32:g}x",
    classifier(mobilenet_v1, lambda c: imagenet_input()),
)
