"""MobileNetV2 (Sandler et al. 2018), parameter names as in mmcls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, classifier, imagenet_input
from .blocks import divisible
from .heads import Headed, head, heads
from .shapes import Shapes, agreed, norm_places

# Table 2 of the paper: expansion, channels, repeats, stride
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
WIDTHS = (1.0, 0.75, 0.5, 0.35, 0.25, 1.4, 1.3, 2.0, 0.1)


Names = tuple[str, str, str]

# What the three convolutions of a block are called: in mmcls by number, in mmdet by their purpose
MMCLS = ("conv.0", "conv.1", "conv.2")
MMDET = ("expand_conv", "depthwise_conv", "linear_conv")


@dataclass(frozen=True, kw_only=True)
class Sizes(Headed):
    """The width multiplier, one of WIDTHS."""

    width: float


@dataclass(frozen=True)
class Style:
    """The activation after each convolution but the projections, and the eps of each BatchNorm."""

    act: str | None = "relu6"
    eps: float = 1e-5


def mobilenet_v2(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    return head(net, backbone(net, x, config.width)[-1], config)


def backbone(
    net: Recorder,
    x: Value,
    width: float,
    names: Names = MMCLS,
    style: Style = Style(),  # frozen
) -> list[Value]:
    """(N, 3, H, W) -> the results of the seven stages, and (N, 1280 or more, H / 32, W / 32)."""
    x = net.conv_bn("backbone.conv1", x, divisible(32 * width), 3, stride=2, act=style.act, eps=style.eps)
    results = []
    for i, (expand, channels, repeats, stride) in enumerate(STAGES, start=1):
        for j in range(repeats):
            key, step = f"backbone.layer{i}.{j}", stride if j == 0 else 1
            x = inverted_residual(net, key, x, divisible(channels * width), step, expand, names, style)
        results.append(x)
    return [
        *results,
        net.conv_bn("backbone.conv2", x, max(1280, divisible(1280 * width)), 1, act=style.act, eps=style.eps),
    ]


def inverted_residual(
    net: Recorder, key: str, x: Value, channels: int, stride: int, expand: int, names: Names, style: Style
) -> Value:
    """Expand, filter each channel, project; with a shortcut where the shape stays."""
    wide, y, act, eps = x.channels * expand, x, style.act, style.eps
    if expand != 1:
        y = net.conv_bn(f"{key}.{names[0]}", y, wide, 1, act=act, eps=eps)
    middle, last = names[:2] if expand == 1 and names is MMCLS else names[1:]
    y = net.conv_bn(f"{key}.{middle}", y, wide, 3, stride, groups=wide, act=act, eps=eps)
    y = net.conv_bn(f"{key}.{last}", y, channels, 1, act=None, eps=eps)
    return net.add(x, y, f"{key}.add") if stride == 1 and x.channels == channels else y


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """The width follows from the first convolution, but several widths may round to the same one."""
    if "backbone.layer1.0.conv.0.conv.weight" not in shapes and "backbone.layer2.0.conv.2.conv.weight" not in shapes:
        return
    first = agreed(shapes, ("backbone.conv1.conv.weight", 0), *norm_places("backbone.conv1.bn"))
    for width, (classes, end) in product(WIDTHS, heads(shapes)):
        if first in (0, divisible(32 * width)):
            yield Sizes(classes=classes, head=end, width=width)


MOBILENET_V2 = Architecture(
    "MobileNet",
    configs,
    lambda config: f"MobileNetV2 {config.width:g}x",
    classifier(mobilenet_v2, lambda c: imagenet_input(), act="relu6"),
)
