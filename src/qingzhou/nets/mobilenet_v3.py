"""MobileNetV3 (Howard et al. 2019), small and large, parameter names as in mmcls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, classifier, imagenet_input
from .blocks import divisible, squeeze_excite
from .heads import Headed, head, heads
from .shapes import Shapes, children

# Tables 1 and 2 of the paper, as mmcls has them: kernel, expanded, channels, squeeze-excite, activation, stride
SMALL = [
    (3, 16, 16, True, "relu", 2),
    (3, 72, 24, False, "relu", 2),
    (3, 88, 24, False, "relu", 1),
    (5, 96, 40, True, "hswish", 2),
    (5, 240, 40, True, "hswish", 1),
    (5, 240, 40, True, "hswish", 1),
    (5, 120, 48, True, "hswish", 1),
    (5, 144, 48, True, "hswish", 1),
    (5, 288, 96, True, "hswish", 2),
    (5, 576, 96, True, "hswish", 1),
    (5, 576, 96, True, "hswish", 1),
]
LARGE = [
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hswish", 2),
    (3, 200, 80, False, "hswish", 1),
    (3, 184, 80, False, "hswish", 1),
    (3, 184, 80, False, "hswish", 1),
    (3, 480, 112, True, "hswish", 1),
    (3, 672, 112, True, "hswish", 1),
    (5, 672, 160, True, "hswish", 2),
    (5, 960, 160, True, "hswish", 1),
    (5, 960, 160, True, "hswish", 1),
]
# The narrow ones of mmcls: expanded and channels, everything else as in the small one
NARROW = {
    "small 0.75x": [
        (16, 16), (72, 24), (88, 24), (96, 32), (192, 32), (192, 32), (96, 40), (120, 40), (240, 72), (432, 72),
        (432, 72),
    ],
    "small 0.5x": [
        (16, 8), (40, 16), (56, 16), (64, 24), (144, 24), (144, 24), (72, 24), (72, 24), (144, 48), (288, 48),
        (288, 48),
    ],
}  # fmt: skip
BLOCKS = {"small": SMALL, "large": LARGE} | {
    arch: [
        (kernel, expanded, channels, squeeze, act, stride)
        for (kernel, _, _, squeeze, act, stride), (expanded, channels) in zip(SMALL, narrow, strict=True)
    ]
    for arch, narrow in NARROW.items()
}
EPS = 1e-3


@dataclass(frozen=True, kw_only=True)
class Sizes(Headed):
    """Which of BLOCKS."""

    arch: str


def mobilenet_v3(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    blocks = BLOCKS[config.arch]
    wide = blocks[-1][1]
    x = net.conv_bn("backbone.layer0", x, 16, 3, stride=2, act="hswish", eps=EPS)
    for i, (kernel, expanded, channels, squeeze, act, stride) in enumerate(blocks, start=1):
        x = inverted_residual(net, f"backbone.layer{i}", x, kernel, expanded, channels, squeeze, act, stride)
    x = net.conv_bn(f"backbone.layer{len(blocks) + 1}", x, wide, 1, act="hswish", eps=EPS)
    return head(net, x, config, usual="hswish")


def inverted_residual(
    net: Recorder, key: str, x: Value, kernel: int, expanded: int, channels: int, squeeze: bool, act: str, stride: int
) -> Value:
    """Expand, filter each channel, weigh the channels, project; with a shortcut where the shape stays."""
    y = x
    if expanded != x.channels:
        y = net.conv_bn(f"{key}.expand_conv", y, expanded, 1, act=act, eps=EPS)
    y = net.conv_bn(f"{key}.depthwise_conv", y, expanded, kernel, stride, groups=expanded, act=act, eps=EPS)
    if squeeze:
        y = squeeze_excite(net, f"{key}.se", y, divisible(expanded // 4))
    y = net.conv_bn(f"{key}.linear_conv", y, channels, 1, act=None, eps=EPS)
    return net.add(x, y, f"{key}.add") if stride == 1 and x.channels == channels else y


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """Small has 13 numbered layers, large 17."""
    if not any(key.startswith("backbone.layer1.depthwise_conv.") for key in shapes):
        return
    large = len(children(shapes, "backbone.layer")) > 15
    for arch, (classes, end) in product(BLOCKS, heads(shapes)):
        if (arch == "large") == large:
            yield Sizes(classes=classes, head=end, arch=arch)


MOBILENET_V3 = Architecture(
    "MobileNetV3",
    configs,
    lambda config: f"MobileNetV3 {config.arch}",
    classifier(mobilenet_v3, lambda c: imagenet_input()),
)
