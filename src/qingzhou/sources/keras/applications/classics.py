"""VGG, ResNet, ResNetV2, DenseNet and Xception as keras.applications 3.15 builds them."""

from __future__ import annotations

from collections.abc import Sequence

from .build import Builder, Map

EPS = 1.001e-5


def vgg(b: Builder, x: Map, classes: int, repeats: Sequence[int]) -> Map:
    """Simonyan and Zisserman 2014, table 1 D and E."""
    for channels, count in zip((64, 128, 256, 512, 512), repeats, strict=True):
        for _ in range(count):
            x = b.conv(x, channels, 3, padding="same", bias=True, act="relu")
        x = b.pool("Max", x, 2, 2)
    if not classes:
        return x
    x = b.layer("Flatten", [x], (0, 0, x.height * x.width * x.channels))
    return b.dense(b.dense(b.dense(x, 4096, "relu"), 4096, "relu"), classes, "softmax")


def resnet(b: Builder, x: Map, classes: int, blocks: Sequence[int]) -> Map:
    """He et al. 2015, with biases, and the stride in a block's first convolution."""
    x = b.conv(b.pad(x, ((3, 3), (3, 3))), 64, 7, 2, bias=True)
    x = b.act(b.norm(x, EPS), "relu")
    x = b.pool("Max", b.pad(x, ((1, 1), (1, 1))), 3, 2)
    for stage, count in enumerate(blocks):
        for i in range(count):
            stride = 2 if i == 0 and stage else 1
            x = _bottleneck(b, x, 64 << stage, stride, i == 0)
    return b.classes(x, classes)


def _bottleneck(b: Builder, x: Map, filters: int, stride: int, first: bool) -> Map:
    short = b.norm(b.conv(x, 4 * filters, 1, stride, bias=True), EPS) if first else x
    y = b.act(b.norm(b.conv(x, filters, 1, stride, bias=True), EPS), "relu")
    y = b.act(b.norm(b.conv(y, filters, 3, padding="same", bias=True), EPS), "relu")
    y = b.norm(b.conv(y, 4 * filters, 1, bias=True), EPS)
    return b.act(b.joined("Add", [short, y]), "relu")


def resnet_v2(b: Builder, x: Map, classes: int, blocks: Sequence[int]) -> Map:
    """He et al. 2016: activated before each convolution; the stride in a stage's last block."""
    x = b.conv(b.pad(x, ((3, 3), (3, 3))), 64, 7, 2, bias=True)
    x = b.pool("Max", b.pad(x, ((1, 1), (1, 1))), 3, 2)
    for stage, count in enumerate(blocks):
        for i in range(count):
            stride = 2 if i == count - 1 and stage < 3 else 1
            x = _activated_first(b, x, 64 << stage, stride, i == 0)
    return b.classes(b.act(b.norm(x, EPS), "relu"), classes)


def _activated_first(b: Builder, x: Map, filters: int, stride: int, first: bool) -> Map:
    before = b.act(b.norm(x, EPS), "relu")
    if first:
        short = b.conv(before, 4 * filters, 1, stride, bias=True)
    else:
        short = b.pool("Max", x, 1, stride) if stride > 1 else x
    y = b.act(b.norm(b.conv(before, filters, 1), EPS), "relu")
    y = b.act(b.norm(b.conv(b.pad(y, ((1, 1), (1, 1))), filters, 3, stride), EPS), "relu")
    return b.joined("Add", [short, b.conv(y, 4 * filters, 1, bias=True)])


def densenet(b: Builder, x: Map, classes: int, blocks: Sequence[int]) -> Map:
    """Huang et al. 2016, growth 32."""
    x = b.conv(b.pad(x, ((3, 3), (3, 3))), 64, 7, 2)
    x = b.pool("Max", b.pad(b.act(b.norm(x, EPS), "relu"), ((1, 1), (1, 1))), 3, 2)
    for stage, count in enumerate(blocks):
        for _ in range(count):
            y = b.conv(b.act(b.norm(x, EPS), "relu"), 128, 1)
            y = b.conv(b.act(b.norm(y, EPS), "relu"), 32, 3, padding="same")
            x = b.joined("Concatenate", [x, y])
        if stage < 3:
            x = b.pool("Average", b.conv(b.act(b.norm(x, EPS), "relu"), x.channels // 2, 1), 2, 2)
    return b.classes(b.act(b.norm(x, EPS), "relu"), classes)


def xception(b: Builder, x: Map, classes: int) -> Map:
    """Chollet 2017."""
    x = b.act(b.norm(b.conv(x, 32, 3, 2)), "relu")
    x = b.act(b.norm(b.conv(x, 64, 3)), "relu")
    for i, filters in enumerate((128, 256, 728)):
        x = _entry(b, x, filters, filters, i > 0)
    for _ in range(8):
        y = x
        for _ in range(3):
            y = b.norm(b.separable(b.act(y, "relu"), 728, 3))
        x = b.joined("Add", [y, x])
    x = _entry(b, x, 728, 1024, True)
    for filters in (1536, 2048):
        x = b.act(b.norm(b.separable(x, filters, 3)), "relu")
    return b.classes(x, classes)


def _entry(b: Builder, x: Map, middle: int, filters: int, activated: bool) -> Map:
    short = b.norm(b.conv(x, filters, 1, 2, "same"))
    y = b.act(x, "relu") if activated else x
    y = b.act(b.norm(b.separable(y, middle, 3)), "relu")
    y = b.norm(b.separable(y, filters, 3))
    return b.joined("Add", [b.pool("Max", y, 3, 2, "same"), short])
