"""SqueezeNet 1.0 and 1.1 (Iandola et al. 2016), names and poolings as in torchvision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .shapes import Shapes, agreed

# Table 1 of the paper: the channels that each fire module squeezes to, and that each half of it expands to
FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
# Channels and kernel of the first convolution, and before which fire modules there is a pooling
VERSIONS = {"1.0": (96, 7, (0, 3, 7)), "1.1": (64, 3, (0, 2, 4))}
Fires = tuple[str, str, str]  # what the three convolutions of a fire module are called
TORCHVISION: Fires = ("squeeze", "expand1x1", "expand3x3")


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Which of VERSIONS."""

    version: str


def squeezenet(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits; every pooling takes the rest at the edge, too."""
    channels, kernel, poolings = VERSIONS[config.version]
    x = net.act("relu", net.conv("features.0", x, channels, kernel, 2, padding=0), "features.0")
    place = 2
    for i, (squeezed, expanded) in enumerate(FIRES):
        if i in poolings:
            x = net.max_pool(x, 3, 2, ceil=True, name=f"features.{place}")
            place += 1
        x = fire(net, f"features.{place}", x, squeezed, expanded)
        place += 1
    x = net.act("relu", net.conv("classifier.1", x, config.classes, 1), "classifier.1")
    return net.global_pool(x)


def fire(net: Recorder, key: str, x: Value, squeezed: int, expanded: int, names: Fires = TORCHVISION) -> Value:
    """1x1 to few channels, then 1x1 and 3x3 side by side (figure 1 of the paper)."""
    squeeze, *sides_of = names
    x = net.act("relu", net.conv(f"{key}.{squeeze}", x, squeezed, 1), f"{key}.{squeeze}")
    sides = [
        net.act("relu", net.conv(f"{key}.{name}", x, expanded, size), f"{key}.{name}")
        for name, size in zip(sides_of, (1, 3), strict=True)
    ]
    return net.concat(sides, name=f"{key}.concat")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """The versions differ in their first convolution and in where they pool."""
    if not any(".squeeze." in key and key.startswith("features.") for key in shapes):
        return
    classes = agreed(shapes, ("classifier.1.weight", 0), ("classifier.1.bias", 0))
    for version, (channels, _, _) in VERSIONS.items():
        if agreed(shapes, ("features.0.weight", 0), ("features.0.bias", 0)) in (0, channels):
            yield Sizes(classes=classes, version=version)


SQUEEZENET = Architecture(
    "SqueezeNet",
    configs,
    lambda config: f"SqueezeNet {config.version}",
    classifier(squeezenet, lambda c: imagenet_input()),
)
