"""MobileNet, MobileNetV2, MobileNetV3 and EfficientNet as keras.applications 3.15 builds them."""

from __future__ import annotations

import math

from .build import Builder, Map


def mobilenet(b: Builder, x: Map, classes: int, alpha: float) -> Map:
    """Howard et al. 2017; its scores come from a convolution."""
    x = b.relu(b.norm(b.conv(x, int(32 * alpha), 3, 2, "same")), 6.0)
    filters = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for channels, stride in filters:
        padding = "same" if stride == 1 else "valid"
        x = b.pad(x, ((0, 1), (0, 1))) if stride == 2 else x
        x = b.relu(b.norm(b.depthwise(x, 3, stride, padding)), 6.0)
        x = b.relu(b.norm(b.conv(x, int(channels * alpha), 1, padding="same")), 6.0)
    if not classes:
        return x
    x = b.conv(b.average(x, keepdims=True), classes, 1, padding="same", bias=True)
    x = b.layer("Reshape", [x], (0, 0, classes), target_shape=[classes])
    return b.act(x, "softmax")


def mobilenet_v2(b: Builder, x: Map, classes: int, alpha: float) -> Map:
    """Sandler et al. 2018, table 2."""
    x = b.relu(b.norm(b.conv(x, _divisible(32 * alpha), 3, 2, "same")), 6.0)
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expand, channels, repeats, stride in stages:
        for i in range(repeats):
            step = stride if i == 0 else 1
            x = _inverted(b, x, x.channels * expand, _divisible(int(channels * alpha)), step, expand > 1)
    last = _divisible(1280 * alpha) if alpha > 1 else 1280
    return b.classes(b.relu(b.norm(b.conv(x, last, 1)), 6.0), classes)


def _inverted(b: Builder, x: Map, wide: int, channels: int, stride: int, expand: bool) -> Map:
    y = b.relu(b.norm(b.conv(x, wide, 1, padding="same")), 6.0) if expand else x
    y = b.halving(y, 3) if stride == 2 else y
    y = b.relu(b.norm(b.depthwise(y, 3, stride, "same" if stride == 1 else "valid")), 6.0)
    y = b.norm(b.conv(y, channels, 1, padding="same"))
    return b.joined("Add", [x, y]) if stride == 1 and x.channels == channels else y


# expansion, channels, kernel, stride, squeeze-and-excite, hard-swish
SMALL = [
    (1, 16, 3, 2, 1, 0), (72 / 16, 24, 3, 2, 0, 0), (88 / 24, 24, 3, 1, 0, 0), (4, 40, 5, 2, 1, 1), (6, 40, 5, 1, 1, 1),
    (6, 40, 5, 1, 1, 1), (3, 48, 5, 1, 1, 1), (3, 48, 5, 1, 1, 1), (6, 96, 5, 2, 1, 1), (6, 96, 5, 1, 1, 1),
    (6, 96, 5, 1, 1, 1),
]  # fmt: skip
LARGE = [
    (1, 16, 3, 1, 0, 0), (4, 24, 3, 2, 0, 0), (3, 24, 3, 1, 0, 0), (3, 40, 5, 2, 1, 0), (3, 40, 5, 1, 1, 0),
    (3, 40, 5, 1, 1, 0), (6, 80, 3, 2, 0, 1), (2.5, 80, 3, 1, 0, 1), (2.3, 80, 3, 1, 0, 1), (2.3, 80, 3, 1, 0, 1),
    (6, 112, 3, 1, 1, 1), (6, 112, 3, 1, 1, 1), (6, 160, 5, 2, 1, 1), (6, 160, 5, 1, 1, 1), (6, 160, 5, 1, 1, 1),
]  # fmt: skip


def mobilenet_v3(b: Builder, x: Map, classes: int, large: bool, alpha: float, minimal: bool) -> Map:
    """Howard et al. 2019, tables 1 and 2; the scaling of pictures is inside."""
    x = b.rescale(x, 1 / 127.5, -1.0)
    plain = _relu if minimal else _hard
    x = plain(b, b.norm(b.conv(x, 16, 3, 2, "same")))
    for i, (expand, channels, kernel, stride, squeeze, hard) in enumerate(LARGE if large else SMALL):
        size = 3 if minimal else kernel
        act = plain if hard else _relu
        wide = _divisible(x.channels * expand)
        y = act(b, b.norm(b.conv(x, wide, 1, padding="same"))) if i else x
        y = b.halving(y, size) if stride == 2 else y
        y = act(b, b.norm(b.depthwise(y, size, stride, "same" if stride == 1 else "valid")))
        y = _squeezed(b, y, wide) if squeeze and not minimal else y
        channels = _divisible(channels * alpha)
        y = b.norm(b.conv(y, channels, 1, padding="same"))
        x = b.joined("Add", [x, y]) if stride == 1 and x.channels == channels else y
    x = plain(b, b.norm(b.conv(x, _divisible(x.channels * 6), 1, padding="same")))
    if not classes:
        return x
    last = 1280 if large else 1024
    last = _divisible(last * alpha) if alpha > 1 else last
    x = plain(b, b.conv(b.average(x, keepdims=True), last, 1, padding="same", bias=True))
    x = b.conv(x, classes, 1, padding="same", bias=True)
    return b.act(b.layer("Flatten", [x], (0, 0, classes)), "softmax")


def _relu(b: Builder, x: Map) -> Map:
    return b.relu(x)


def _hard(b: Builder, x: Map) -> Map:
    return b.act(x, "hard_swish")


def _squeezed(b: Builder, x: Map, wide: int) -> Map:
    """Its gate is relu6(x + 3) / 6, which Keras 3 calls hard_sigmoid."""
    gate = b.relu(b.conv(b.average(x, keepdims=True), _divisible(wide * 0.25), 1, padding="same", bias=True))
    gate = b.act(b.conv(gate, wide, 1, padding="same", bias=True), "hard_sigmoid")
    return b.joined("Multiply", [x, gate])


def _divisible(channels: float, by: int = 8) -> int:
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


# kernel, repeats, channels, expansion, stride
BLOCKS = [(3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
          (3, 1, 320, 6, 1)]  # fmt: skip
STD = (0.229, 0.224, 0.225)


def efficientnet(b: Builder, x: Map, classes: int, width: float, depth: float, imagenet: bool) -> Map:
    """Tan and Le 2019. `imagenet`: built with weights="imagenet", which divides once more."""
    x = b.rescale(x, 1 / 255)
    x = b.layer("Normalization", [x], (x.height, x.width, 3), [(3,), (3,), ()], axis=[-1], mean=None, variance=None)
    x = b.rescale(x, [1 / math.sqrt(one) for one in STD]) if imagenet else x
    x = b.act(b.norm(b.conv(b.halving(x, 3), _divisible(32 * width), 3, 2)), "swish")
    for kernel, repeats, channels, expand, stride in BLOCKS:
        for i in range(math.ceil(depth * repeats)):
            x = _mbconv(b, x, kernel, _divisible(channels * width), expand, stride if i == 0 else 1)
    x = b.act(b.norm(b.conv(x, _divisible(1280 * width), 1, padding="same")), "swish")
    return b.classes(x, classes)


def _mbconv(b: Builder, x: Map, kernel: int, channels: int, expand: int, stride: int) -> Map:
    wide = x.channels * expand
    y = b.act(b.norm(b.conv(x, wide, 1, padding="same")), "swish") if expand > 1 else x
    y = b.halving(y, kernel) if stride == 2 else y
    y = b.act(b.norm(b.depthwise(y, kernel, stride, "same" if stride == 1 else "valid")), "swish")
    gate = b.layer("Reshape", [b.average(y)], (1, 1, wide), target_shape=[1, 1, wide])
    gate = b.conv(gate, max(1, int(x.channels * 0.25)), 1, padding="same", bias=True, act="swish")
    gate = b.conv(gate, wide, 1, padding="same", bias=True, act="sigmoid")
    y = b.norm(b.conv(b.joined("Multiply", [y, gate]), channels, 1, padding="same"))
    return b.joined("Add", [y, x]) if stride == 1 and x.channels == channels else y
