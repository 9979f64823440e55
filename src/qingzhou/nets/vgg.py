"""VGG (Simonyan and Zisserman 2015), 11 to 19 layers, with and without BatchNorm, parameter names as in mmcls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .shapes import Shapes, children, class_counts

# Convolutions in each of the five stages (configurations A, B, D and E of the paper)
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Layers with weights, and whether each convolution has a BatchNorm."""

    depth: int
    norm: bool


def vgg(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, 224, 224) -> (N, classes) logits."""
    index = 0
    for stage, repeats in enumerate(DEPTHS[config.depth]):
        for _ in range(repeats):
            x = layer(net, f"backbone.features.{index}", x, min(64 << stage, 512), config.norm)
            index += 1
        x = net.max_pool(x, 2, name=f"backbone.features.{index}")
        index += 1
    x = net.flatten(x)
    for i in (0, 3):
        x = net.act("relu", net.linear(f"backbone.classifier.{i}", x, 4096), f"backbone.classifier.{i}")
    return net.linear("backbone.classifier.6", x, config.classes)


def layer(net: Recorder, key: str, x: Value, channels: int, norm: bool) -> Value:
    """A 3x3 convolution (with a bias, also before BatchNorm), its BatchNorm if the network has them, and ReLU."""
    x = net.conv(f"{key}.conv", x, channels, 3)
    return net.act("relu", net.batch_norm(f"{key}.bn", x) if norm else x, key)


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """The depth is the number of convolutions and the three linear layers."""
    convs = children({key: shape for key, shape in shapes.items() if ".conv." in key}, "backbone.features.")
    if not convs:
        return
    depth, norm = min(DEPTHS, key=lambda depth: abs(depth - len(convs) - 3)), any(".bn." in key for key in shapes)
    for classes in class_counts(shapes, "backbone.classifier.6"):
        yield Sizes(classes=classes, depth=depth, norm=norm)


VGG = Architecture(
    "VGG",
    configs,
    lambda config: f"VGG-{config.depth}" + (" BN" if config.norm else ""),
    classifier(vgg, lambda c: imagenet_input(), act="relu"),
)
