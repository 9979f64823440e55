"""Inception v3 (Szegedy et al. 2016), names as in torchvision; and what it shares with GoogLeNet there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .pictures import MEAN, STD
from .shapes import Shapes, class_counts

EPS = 1e-3
AUXILIARY = ("AuxLogits.",)


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """turned: whether the input, normalised as ImageNet's, becomes one of mean 0.5 and std 0.5 inside the network."""

    turned: bool


def sizes(shapes: Shapes, by_weights: bool) -> Iterator[Sizes]:
    """With torchvision's transform_input: as the user says, else as where torchvision's own weights were loaded."""
    for classes in class_counts(shapes, "fc"):
        yield Sizes(classes=classes, turned=by_weights)


def turned(net: Recorder, x: Value, config: Sizes) -> Value:
    """torchvision's transform_input, as the user says or as the network began."""
    said = config.settings.said.transform_input
    return turn(net, x) if (config.turned if said is None else said) else x


def turn(net: Recorder, x: Value) -> Value:
    """((x * std + mean) - 0.5) / 0.5 of each channel: from ImageNet's normalisation to one by 0.5 and 0.5."""
    mean, std = (np.array(row, np.float64).reshape(1, 3, 1, 1) / 255 for row in (MEAN, STD))
    scale = net.constant("transform_input/scale", (std / 0.5).astype(np.float32))
    shift = net.constant("transform_input/shift", ((mean - 0.5) / 0.5).astype(np.float32))
    return net.op("Add", "transform_input", [net.op("Mul", "transform_input.mul", [x, scale], x.shape), shift], x.shape)


def conv_norm(
    net: Recorder,
    key: str,
    x: Value,
    channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    padding: int | tuple[int, int] | None = None,
) -> Value:
    """A convolution without bias, BatchNorm and ReLU."""
    x = net.conv(f"{key}.conv", x, channels, kernel, stride, padding, bias=False)
    return net.act("relu", net.batch_norm(f"{key}.bn", x, EPS), key)


def inception_v3(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x = conv_norm(net, "Conv2d_1a_3x3", turned(net, x, config), 32, 3, 2, 0)
    x = conv_norm(net, "Conv2d_2b_3x3", conv_norm(net, "Conv2d_2a_3x3", x, 32, 3, padding=0), 64, 3)
    x = conv_norm(net, "Conv2d_3b_1x1", net.max_pool(x, 3, 2, name="maxpool1"), 80, 1)
    x = net.max_pool(conv_norm(net, "Conv2d_4a_3x3", x, 192, 3, padding=0), 3, 2, name="maxpool2")
    for name, pooled in (("5b", 32), ("5c", 64), ("5d", 64)):
        x = module_a(net, f"Mixed_{name}", x, pooled)
    x = module_b(net, "Mixed_6a", x)
    for name, channels in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        x = module_c(net, f"Mixed_{name}", x, channels)
    x = module_d(net, "Mixed_7a", x)
    for name in ("7b", "7c"):
        x = module_e(net, f"Mixed_{name}", x)
    return net.linear("fc", net.global_pool(x), config.classes)


def chain(net: Recorder, key: str, x: Value, *layers: tuple[str, int, int | tuple[int, int]]) -> Value:
    """Convolutions one after another: name, channels and kernel of each, which keep the size."""
    for name, channels, kernel in layers:
        kernels = (kernel, kernel) if isinstance(kernel, int) else kernel
        x = conv_norm(net, f"{key}.{name}", x, channels, kernels, padding=(kernels[0] // 2, kernels[1] // 2))
    return x


def averaged(net: Recorder, key: str, x: Value, channels: int) -> Value:
    """The way of a pooling, which counts the padding."""
    return conv_norm(net, f"{key}.branch_pool", net.avg_pool(x, 3, 1, 1, name=f"{key}.pool"), channels, 1)


def module_a(net: Recorder, key: str, x: Value, pooled: int) -> Value:
    """Figure 5 of the paper, with the 5x5 left whole."""
    ways = [
        chain(net, key, x, ("branch1x1", 64, 1)),
        chain(net, key, x, ("branch5x5_1", 48, 1), ("branch5x5_2", 64, 5)),
        chain(net, key, x, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3), ("branch3x3dbl_3", 96, 3)),
        averaged(net, key, x, pooled),
    ]
    return net.concat(ways, name=f"{key}.concat")


def module_b(net: Recorder, key: str, x: Value) -> Value:
    """Half the size (figure 10 of the paper)."""
    inner = chain(net, key, x, ("branch3x3dbl_1", 64, 1), ("branch3x3dbl_2", 96, 3))
    ways = [
        conv_norm(net, f"{key}.branch3x3", x, 384, 3, 2, 0),
        conv_norm(net, f"{key}.branch3x3dbl_3", inner, 96, 3, 2, 0),
        net.max_pool(x, 3, 2, name=f"{key}.pool"),
    ]
    return net.concat(ways, name=f"{key}.concat")


def module_c(net: Recorder, key: str, x: Value, inner: int) -> Value:
    """7x7 as 1x7 and 7x1 (figure 6 of the paper)."""
    wide, high = (1, 7), (7, 1)
    double = (("branch7x7dbl_1", inner, 1), ("branch7x7dbl_2", inner, high), ("branch7x7dbl_3", inner, wide))
    ways = [
        chain(net, key, x, ("branch1x1", 192, 1)),
        chain(net, key, x, ("branch7x7_1", inner, 1), ("branch7x7_2", inner, wide), ("branch7x7_3", 192, high)),
        chain(net, key, x, *double, ("branch7x7dbl_4", inner, high), ("branch7x7dbl_5", 192, wide)),
        averaged(net, key, x, 192),
    ]
    return net.concat(ways, name=f"{key}.concat")


def module_d(net: Recorder, key: str, x: Value) -> Value:
    """Half the size."""
    three = chain(net, key, x, ("branch3x3_1", 192, 1))
    seven = chain(
        net, key, x, ("branch7x7x3_1", 192, 1), ("branch7x7x3_2", 192, (1, 7)), ("branch7x7x3_3", 192, (7, 1))
    )
    ways = [
        conv_norm(net, f"{key}.branch3x3_2", three, 320, 3, 2, 0),
        conv_norm(net, f"{key}.branch7x7x3_4", seven, 192, 3, 2, 0),
        net.max_pool(x, 3, 2, name=f"{key}.pool"),
    ]
    return net.concat(ways, name=f"{key}.concat")


def module_e(net: Recorder, key: str, x: Value) -> Value:
    """1x3 and 3x1 side by side (figure 7 of the paper)."""
    three = chain(net, key, x, ("branch3x3_1", 384, 1))
    double = chain(net, key, x, ("branch3x3dbl_1", 448, 1), ("branch3x3dbl_2", 384, 3))
    ways = [
        chain(net, key, x, ("branch1x1", 320, 1)),
        *(chain(net, key, three, (f"branch3x3_2{i}", 384, kernel)) for i, kernel in (("a", (1, 3)), ("b", (3, 1)))),
        *(chain(net, key, double, (f"branch3x3dbl_3{i}", 384, kernel)) for i, kernel in (("a", (1, 3)), ("b", (3, 1)))),
        averaged(net, key, x, 192),
    ]
    return net.concat(ways, name=f"{key}.concat")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """Turned unless the user says otherwise: so are networks that began with torchvision's weights. Where timm's has
    the same names, its pictures have the mean and the std 0.5, which is the same.
    """
    if any(key.startswith("Mixed_5b.branch1x1.") for key in shapes):
        yield from sizes(shapes, by_weights=True)


INCEPTION = Architecture(
    "Inception",
    configs,
    lambda config: "Inception v3",
    classifier(inception_v3, lambda config: imagenet_input(side=299, short=342)),
    beside=AUXILIARY,
)
