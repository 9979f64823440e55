"""LeNet-5 (LeCun et al. 1998) as in mmcls: tanh, average pooling, one grey channel."""

from __future__ import annotations

from collections.abc import Iterable

from ..graph.form import Value
from ..graph.record import Recorder
from ..runtime.model.card import Input
from .architecture import Architecture, Config, classifier
from .shapes import Shapes, class_counts, size


def lenet(net: Recorder, x: Value, config: Config) -> Value:
    """(N, 1, 32, 32) -> (N, classes) logits."""
    for index, channels in ((0, 6), (3, 16), (6, 120)):
        key = f"backbone.features.{index}"
        x = net.act("tanh", net.conv(key, x, channels, 5, padding=0), key)
        x = net.avg_pool(x, 2, name=f"{key}.pool") if index != 6 else x
    x = net.act("tanh", net.linear("backbone.classifier.0", net.flatten(x), 84), "backbone.classifier.0")
    return net.linear("backbone.classifier.2", x, config.classes)


def configs(shapes: Shapes) -> Iterable[Config]:
    """LeNet has one size; it is known by its 5x5 kernels and its small classifier."""
    if size(shapes, "backbone.classifier.0.weight", 1) == 120 or size(shapes, "backbone.features.3.weight", 2) == 5:
        yield from (Config(classes=classes) for classes in class_counts(shapes, "backbone.classifier.2"))


def grey_input() -> Input:
    """MMEdu's LeNet test pipeline."""
    steps = [
        {"op": "resize", "size": [32, 32], "interpolation": "cv2"},
        {"op": "normalize", "mean": [33.46], "std": [78.87]},
    ]
    return Input("input", "image", [1, 1, 32, 32], "GRAY", steps)


LENET = Architecture("LeNet", configs, lambda config: "LeNet-5", classifier(lenet, lambda config: grey_input()))
