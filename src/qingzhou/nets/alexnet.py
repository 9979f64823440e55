"""AlexNet as Krizhevsky 2014 has it ("One weird trick"), names as in torchvision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .shapes import Shapes, class_counts

# Place among the layers, channels, kernel, stride and padding of each convolution, and whether a pooling follows
CONVS = (
    (0, 64, 11, 4, 2, True),
    (3, 192, 5, 1, 2, True),
    (6, 384, 3, 1, 1, False),
    (8, 256, 3, 1, 1, False),
    (10, 256, 3, 1, 1, True),
)


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """There is only one."""


def alexnet(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits; maps that are not 6x6 are averaged to that."""
    for place, channels, kernel, stride, padding, pooled in CONVS:
        key = f"features.{place}"
        x = net.act("relu", net.conv(key, x, channels, kernel, stride, padding), key)
        x = net.max_pool(x, 3, 2, name=f"{key}.pool") if pooled else x
    x = net.flatten(net.adaptive_pool(x, (6, 6), "avgpool"))
    for key in ("classifier.1", "classifier.4"):
        x = net.act("relu", net.linear(key, x, 4096), key)
    return net.linear("classifier.6", x, config.classes)


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """The first convolution is 11x11."""
    if shapes.get("features.0.weight", ())[2:] == (11, 11):
        yield from (Sizes(classes=classes) for classes in class_counts(shapes, "classifier.6"))


ALEXNET = Architecture("AlexNet", configs, lambda c: "AlexNet", classifier(alexnet, lambda c: imagenet_input()))
