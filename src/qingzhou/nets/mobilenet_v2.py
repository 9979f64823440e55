"""MobileNetV2 (Sandler et al. 2018), parameter names as in mmcls."""

from __future__ import annotations

from collections.abc import Iterable

from .graph import Recorder, Value
from .network import Config, Network, Shapes, divisible, imagenet_input, linear_head, size

# Table 2 of the paper: expansion, channels, repeats, stride
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
WIDTHS = (1.0, 0.75, 0.5, 0.35, 0.25, 1.4, 1.3, 2.0, 0.1)


def mobilenet_v2(net: Recorder, x: Value, config: Config) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    return linear_head(net, backbone(net, x, config["width"]), config["classes"])


def backbone(net: Recorder, x: Value, width: float) -> Value:
    """(N, 3, H, W) -> (N, 1280 or more, H / 32, W / 32)."""
    x = net.conv_bn("backbone.conv1", x, divisible(32 * width), 3, stride=2, act="relu6")
    for i, (expand, channels, repeats, stride) in enumerate(STAGES, start=1):
        for j in range(repeats):
            key = f"backbone.layer{i}.{j}"
            x = inverted_residual(net, key, x, divisible(channels * width), stride if j == 0 else 1, expand)
    return net.conv_bn("backbone.conv2", x, max(1280, divisible(1280 * width)), 1, act="relu6")


def inverted_residual(net: Recorder, key: str, x: Value, channels: int, stride: int, expand: int) -> Value:
    """Expand, filter each channel, project; with a shortcut where the shape stays."""
    wide, y = x.channels * expand, x
    if expand != 1:
        y = net.conv_bn(f"{key}.conv.0", y, wide, 1, act="relu6")
    last = 1 if expand == 1 else 2
    y = net.conv_bn(f"{key}.conv.{last - 1}", y, wide, 3, stride, groups=wide, act="relu6")
    y = net.conv_bn(f"{key}.conv.{last}", y, channels, 1, act=None)
    return net.add(x, y, f"{key}.add") if stride == 1 and x.channels == channels else y


def configs(shapes: Shapes) -> Iterable[Config]:
    """The width follows from the first convolution, but several widths may round to the same one."""
    if "backbone.layer1.0.conv.0.conv.weight" not in shapes and "backbone.layer2.0.conv.2.conv.weight" not in shapes:
        return
    first = size(shapes, "backbone.conv1.conv.weight")
    for width in WIDTHS:
        if first in (0, divisible(32 * width)):
            yield {"width": width, "classes": size(shapes, "head.fc.weight") or size(shapes, "head.fc.bias")}


MOBILENET_V2 = Network(
    "MobileNet", configs, lambda config: f"MobileNetV2 {config['width']:g}x", mobilenet_v2, lambda c: imagenet_input()
)
