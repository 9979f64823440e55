"""DenseNet (Huang et al. 2017), names as in torchvision; timm has the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .shapes import Shapes, agreed, class_counts, norm_places

# Layers of the four blocks -> what the network is called (table 1 of the paper; 161 is wider)
DEPTHS: dict[tuple[int, ...], str] = {
    (6, 12, 24, 16): "121",
    (6, 12, 36, 24): "161",
    (6, 12, 32, 32): "169",
    (6, 12, 48, 32): "201",
}


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Layers of each block, channels of the first convolution, those that each layer adds, and those in its middle."""

    layers: tuple[int, ...]
    stem: int
    growth: int
    middle: int


def densenet(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x = normed(net, "features.norm0", net.conv("features.conv0", x, config.stem, 7, 2, bias=False))
    x = net.max_pool(x, 3, 2, 1, name="features.pool0")
    for i, layers in enumerate(config.layers, start=1):
        for j in range(1, layers + 1):
            key = f"features.denseblock{i}.denselayer{j}"
            x = net.concat([x, layer(net, key, x, config.middle, config.growth)], name=f"{key}.concat")
        if i < len(config.layers):
            key = f"features.transition{i}"
            x = net.conv(f"{key}.conv", normed(net, f"{key}.norm", x), x.channels // 2, 1, bias=False)
            x = net.avg_pool(x, 2, name=f"{key}.pool")
    return net.linear("classifier", net.global_pool(normed(net, "features.norm5", x)), config.classes)


def layer(net: Recorder, key: str, x: Value, middle: int, growth: int) -> Value:
    """1x1 to few channels, 3x3 to those that are added; BatchNorm and ReLU stand before each convolution."""
    x = net.conv(f"{key}.conv1", normed(net, f"{key}.norm1", x), middle, 1, bias=False)
    return net.conv(f"{key}.conv2", normed(net, f"{key}.norm2", x), growth, 3, bias=False)


def normed(net: Recorder, key: str, x: Value) -> Value:
    """BatchNorm and ReLU."""
    return net.act("relu", net.batch_norm(key, x), key)


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """All of it shows."""
    first = "features.denseblock1.denselayer1"
    stem = agreed(shapes, ("features.conv0.weight", 0), *norm_places("features.norm0"))
    middle = agreed(shapes, (f"{first}.conv1.weight", 0), *norm_places(f"{first}.norm2"))
    growth = agreed(shapes, *((f"features.denseblock1.denselayer{j}.conv2.weight", 0) for j in (1, 2, 3)))
    layers = tuple(_layers(shapes, f"features.denseblock{i}.denselayer") for i in range(1, 5))
    if all((stem, middle, growth, *layers)):
        for classes in class_counts(shapes, "classifier"):
            yield Sizes(classes=classes, layers=layers, stem=stem, growth=growth, middle=middle)


def _layers(shapes: Shapes, prefix: str) -> int:
    return len({key[len(prefix) :].partition(".")[0] for key in shapes if key.startswith(prefix)})


def title(config: Sizes) -> str:
    """DenseNet-121."""
    return f"DenseNet-{DEPTHS.get(config.layers, '-'.join(map(str, config.layers)))}"


DENSENET = Architecture("DenseNet", configs, title, classifier(densenet, lambda c: imagenet_input()))
