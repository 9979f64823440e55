"""Network: what the table of architectures holds for each, and the pieces that several of them share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..graph.form import Value
from ..graph.record import Recorder
from ..graph.trained import Trained
from ..runtime.model.card import Input, Output
from .pictures import MEAN, STD, input_as_trained, resized, with_channels
from .recorded import Recorded, Wanted
from .settings import Layers

MOST_CHILDREN = 256  # of one stage; ResNet-1202 has 200

Shapes = Mapping[str, tuple[int, ...]]
Config = Mapping[str, Any]


@dataclass(frozen=True)
class Network:
    """One architecture family.

    name      the name that MMEdu gives it (and XEduHub expects)
    configs   tensor shapes -> the sizes it may have, likeliest first; empty if it is certainly another network
    title     config -> "ResNet-50", for people
    build     (recorder, image, config) -> (N, classes) logits
    input     config -> how pictures are prepared in the original's usual test pipeline
    act       the activation of the backbone that its act_cfg replaces; "" where it has none
    """

    name: str
    configs: Callable[[Shapes], Iterable[Config]]
    title: Callable[[Config], str]
    build: Callable[[Recorder, Value, Config], Value]
    input: Callable[[Config], Input]
    act: str = ""

    def record(self, config: Config, wanted: Wanted) -> Recorded:
        """The network in one size, with softmax, as MMEdu exports it, or with sigmoids where classes are many."""
        usual = with_channels(self.input(config), wanted.channels)
        trained, assumed = input_as_trained(usual, wanted.settings.picture)
        entry = resized(trained, wanted.picture)
        if wanted.picture is not None:  # said by the user
            assumed = tuple(name for name in assumed if name != "input_size")
        layers = wanted.settings.layers
        net = Recorder(AsTrained(layers, self.act))
        image = net.input(entry.name, tuple(1 if n is None else n for n in entry.shape))
        logits = self.build(net, image, config)
        scores = net.act("sigmoid", logits, "scores") if layers.sigmoid else net.softmax(logits)
        graph = net.freeze(scores, names=["probs"])
        if not layers.sigmoid:
            return Recorded(graph, entry, "classification", Output("probs", "probabilities"), assumed=assumed)
        limits = {"score": layers.threshold, "most": min(layers.most or config["classes"], config["classes"])}
        return Recorded(graph, entry, "classification", Output("probs", "sigmoids"), limits, assumed=assumed)


class AsTrained(Trained):
    """The backbone with the eps of its BatchNorm, and the activation instead of its usual one, that were trained."""

    def __init__(self, layers: Layers, replaced: str) -> None:
        self.layers, self.replaced = layers, replaced

    def eps(self, name: str, usual: float) -> float:
        """Of the whole backbone."""
        return usual if self.layers.eps is None or not name.startswith("backbone.") else self.layers.eps

    def act(self, name: str, kind: str, slope: float) -> tuple[str, float]:
        """But for RepVGG's gates and VGG's linear layers."""
        fixed = ".se_layer." in name or ".classifier." in name or not name.startswith("backbone.")
        given = self.layers.act
        return (given.kind, given.slope) if given and kind == self.replaced and not fixed else (kind, slope)


def imagenet_input(interpolation: str = "pillow", bgr: bool = False) -> Input:
    """Short side to 256, centre 224, normalised: the test pipeline of mmcls's ImageNet configs."""
    order = -1 if bgr else 1
    steps: list[dict[str, Any]] = [
        {"op": "resize", "short": 256, "interpolation": interpolation},
        {"op": "center_crop", "size": [224, 224]},
        {"op": "normalize", "mean": MEAN[::order], "std": STD[::order]},
    ]
    return Input("input", "image", [1, 3, 224, 224], "BGR" if bgr else "RGB", steps)


def children(shapes: Shapes, prefix: str) -> list[int]:
    """The numbers n for which keys `prefix`n.* exist, in order; as many as a network may have."""
    pattern = re.compile(re.escape(prefix) + r"(\d{1,6})\.")
    found = {int(matched[1]) for key in shapes if key.startswith(prefix) and (matched := pattern.match(key))}
    return sorted(found)[:MOST_CHILDREN]


def size(shapes: Shapes, key: str, axis: int = 0) -> int:
    """One size of a tensor; 0 where the tensor is missing or has no such axis."""
    shape = shapes.get(key, ())
    return shape[axis] if axis < len(shape) else 0


def agreed(shapes: Shapes, *places: tuple[str, int]) -> int:
    """The size that most of these (key, axis) have, so that one damaged tensor does not decide; 0 if there is none."""
    found = [n for key, axis in places if (n := size(shapes, key, axis))]
    return commonest(found) or 0


def commonest(found: Sequence[int]) -> int | None:
    """The value that stands there most often, the first of several; None of nothing."""
    return Counter(found).most_common(1)[0][0] if found else None


def norm_places(key: str) -> list[tuple[str, int]]:
    """Where the channels of a BatchNorm show."""
    return [(f"{key}.{name}", 0) for name in ("weight", "bias", "running_mean", "running_var")]


def class_counts(shapes: Shapes, key: str) -> list[int]:
    """The classes of a last linear layer: two numbers if its weight and bias disagree, 0 if it is missing."""
    return [n for n in dict.fromkeys(size(shapes, f"{key}.{name}") for name in ("weight", "bias")) if n] or [0]


def divisible(channels: float, by: int = 8) -> int:
    """Channels rounded to a multiple, never below 90 % (Sandler et al. 2018, the reference implementation's rule)."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def squeeze_excite(net: Recorder, key: str, x: Value, squeezed: int) -> Value:
    """Hu et al. 2018 with the hard sigmoid of MobileNetV3; `key`.conv1 and .conv2 as mmcls names them."""
    gate = net.global_pool(x, f"{key}.pool", keep=True)
    gate = net.act("relu", net.conv(f"{key}.conv1.conv", gate, squeezed, 1), f"{key}.conv1")
    return gate_with(net, key, x, net.conv(f"{key}.conv2.conv", gate, x.channels, 1), "hsigmoid")


def gate_with(net: Recorder, key: str, x: Value, gate: Value, act: str) -> Value:
    """x times the activated gate."""
    return net.mul(x, net.act(act, gate, f"{key}.gate"), f"{key}.scaled")
