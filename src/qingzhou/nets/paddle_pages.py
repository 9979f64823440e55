"""Networks that paddle.vision.models has otherwise than others: LeNet, and SqueezeNet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from ..runtime.model.card import Input
from .architecture import Architecture, Config, classifier, imagenet_input
from .shapes import Shapes, agreed, class_counts, size
from .squeezenet import FIRES, VERSIONS, Fires, fire


@dataclass(frozen=True, kw_only=True)
class LeNetSizes(Config):
    """Side of its pictures, and the two hidden widths."""

    side: int
    hidden: tuple[int, int]


def lenet(net: Recorder, x: Value, config: LeNetSizes) -> Value:
    """(N, 1, side, side) -> (N, classes) logits; between its linear layers there is nothing."""
    x = net.max_pool(net.act("relu", net.conv("features.0", x, 6, 3), "features.0"), 2, name="features.2")
    x = net.max_pool(net.act("relu", net.conv("features.3", x, 16, 5, padding=0), "features.3"), 2, name="features.5")
    x = net.flatten(x)
    for i, features in enumerate((*config.hidden, config.classes)):
        x = net.linear(f"fc.{i}", x, features)
    return x


def lenet_configs(shapes: Shapes) -> Iterable[LeNetSizes]:
    """The first linear layer says how large its pictures are."""
    if size(shapes, "features.0.weight", 2) != 3 or size(shapes, "features.3.weight", 2) != 5:
        return
    inner = size(shapes, "fc.0.weight", 1) // 16
    side = next((2 * (2 * n + 4) for n in range(1, 100) if n * n == inner), 0)
    hidden = size(shapes, "fc.0.weight"), size(shapes, "fc.1.weight")
    if side and all(hidden):
        yield from (LeNetSizes(classes=n, side=side, hidden=hidden) for n in class_counts(shapes, "fc.2"))


def grey(side: int) -> Input:
    """Pixels from 0 to 1, as paddle.vision.transforms.ToTensor gives them."""
    steps = [
        {"op": "resize", "size": [side, side], "interpolation": "pillow"},
        {"op": "normalize", "mean": [0.0], "std": [255.0]},
    ]
    return Input("input", "image", [1, 1, side, side], "GRAY", steps)


@dataclass(frozen=True, kw_only=True)
class SqueezeSizes(Config):
    """Which of VERSIONS."""

    version: str


def squeezenet(net: Recorder, x: Value, config: SqueezeSizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits. Poolings leave the rest at the edge; the dropout halves, as it does there in
    use (downscale_in_infer).
    """
    channels, kernel, poolings = VERSIONS[config.version]
    x = net.act("relu", net.conv("_conv", x, channels, kernel, 2, padding=0 if kernel == 7 else 1), "_conv")
    for i, (squeezed, expanded) in enumerate(FIRES):
        if i in poolings:
            x = net.max_pool(x, 3, 2, name=f"_pool{i}")
        x = fire(net, f"_conv{i + 1}", x, squeezed, expanded, NAMES)
    x = net.op("Mul", "_drop", [x, net.number(0.5, "_drop")], x.shape)
    x = net.act("relu", net.conv("_conv9", x, config.classes, 1), "_conv9")
    return net.global_pool(x)


NAMES: Fires = ("_conv._conv", "_conv_path1._conv", "_conv_path2._conv")


def squeeze_configs(shapes: Shapes) -> Iterable[SqueezeSizes]:
    """The versions differ in their first convolution."""
    if "_conv1._conv._conv.weight" not in shapes:
        return
    classes = agreed(shapes, ("_conv9.weight", 0), ("_conv9.bias", 0))
    for version, (channels, _, _) in VERSIONS.items():
        if agreed(shapes, ("_conv.weight", 0), ("_conv.bias", 0)) in (0, channels):
            yield SqueezeSizes(classes=classes, version=version)


LENET = Architecture("LeNet", lenet_configs, lambda c: "LeNet", classifier(lenet, lambda c: grey(c.side)))
SQUEEZENET = Architecture(
    "SqueezeNet",
    squeeze_configs,
    lambda config: f"SqueezeNet {config.version}",
    classifier(squeezenet, lambda c: imagenet_input()),
)
