"""GoogLeNet (Szegedy et al. 2015) with BatchNorm, names, poolings and the 3x3 for 5x5 as in torchvision."""

from __future__ import annotations

from collections.abc import Iterable

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, classifier, imagenet_input
from .inception import Sizes, conv_norm, sizes, turned
from .shapes import Shapes

# Table 1 of the paper: 1x1; 1x1 and 3x3; 1x1 and 3x3 again; 1x1 after the pooling
MODULES = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
POOLINGS = {"3a": 3, "4a": 3, "5a": 2}  # before these, and their kernels
AUXILIARY = ("aux1.", "aux2.")


def googlenet(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits; every pooling takes the rest at the edge, too."""
    x = conv_norm(net, "conv1", turned(net, x, config), 64, 7, 2)
    x = net.max_pool(x, 3, 2, ceil=True, name="maxpool1")
    x = conv_norm(net, "conv3", conv_norm(net, "conv2", x, 64, 1), 192, 3)
    for name, channels in MODULES.items():
        if name in POOLINGS:
            x = net.max_pool(x, POOLINGS[name], 2, ceil=True, name=f"inception{name}.pool")
        x = module(net, f"inception{name}", x, *channels)
    return net.linear("fc", net.global_pool(x), config.classes)


def module(
    net: Recorder, key: str, x: Value, one: int, before: int, three: int, less: int, five: int, pool: int
) -> Value:
    """Four ways side by side (figure 2b of the paper)."""
    pooled = net.max_pool(x, 3, 1, 1, ceil=True, name=f"{key}.branch4.0")
    ways = [
        conv_norm(net, f"{key}.branch1", x, one, 1),
        conv_norm(net, f"{key}.branch2.1", conv_norm(net, f"{key}.branch2.0", x, before, 1), three, 3),
        conv_norm(net, f"{key}.branch3.1", conv_norm(net, f"{key}.branch3.0", x, less, 1), five, 3),
        conv_norm(net, f"{key}.branch4.1", pooled, pool, 1),
    ]
    return net.concat(ways, name=f"{key}.concat")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """torchvision takes the auxiliary classifiers away where it loads its weights, and turns the input there."""
    if any(key.startswith("inception3a.") for key in shapes):
        yield from sizes(shapes, not any(key.startswith(AUXILIARY) for key in shapes))


GOOGLENET = Architecture(
    "GoogLeNet",
    configs,
    lambda config: "GoogLeNet",
    classifier(googlenet, lambda config: imagenet_input()),
    beside=AUXILIARY,
)
