"""What mmcls has between a backbone's feature map and the class scores: a neck that pools, and a head.

Which ones a checkpoint has shows in the names of its tensors; what does not show is in Layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Config
from .settings import Activation
from .shapes import Shapes, agreed, children, class_counts

FC, COSINES, LAYERS, CSRA = "head.fc", "head.norm_product", "head.layers", "head.csra_heads"
HARDEST = 99  # the temperature of CSRA that stands for the maximum
TEMPERATURES = {
    1: (1,),
    2: (1, HARDEST),
    4: (1, 2, 4, HARDEST),
    6: (1, 2, 3, 4, 5, HARDEST),
    8: (1, 2, 3, 4, 5, 6, 7, HARDEST),
}  # by the number of heads: mmpretrain/models/heads/multi_label_csra_head.py


@dataclass(frozen=True)
class Head:
    """What stands after the feature map.

    last       the name of the last layer
    hidden     the features between its linear layers;  norms: with a BatchNorm after each
    attention  the heads of CSRA;  margin: the last layer gives cosines;  gem: the neck pools by a generalised mean
    """

    last: str = FC
    hidden: tuple[int, ...] = ()
    norms: bool = False
    attention: int = 0
    margin: bool = False
    gem: bool = False


@dataclass(frozen=True, kw_only=True)
class Headed(Config):
    """Of networks that end in one of mmcls's heads."""

    head: Head


def heads(shapes: Shapes) -> Iterator[tuple[int, Head]]:
    """How many classes, and what the neck and the head are."""
    numbers = children(shapes, f"{LAYERS}.")
    places = [f"{LAYERS}.{i}.fc" for i in numbers]
    hidden = tuple(
        max(agreed(shapes, (f"{key}.weight", 0), (f"{key}.bias", 0), (f"{after}.weight", 1)), 1)
        for key, after in pairwise(places)
    )
    margin = f"{COSINES}.weight" in shapes and FC + ".weight" not in shapes
    attention = len(children(shapes, f"{CSRA}."))
    last = f"{CSRA}.0.head" if attention else COSINES if margin else places[-1] if places else FC
    norms = any(key.startswith(f"{LAYERS}.0.norm.") for key in shapes)
    found = Head(last, hidden, norms, attention, margin, gem="neck.p" in shapes)
    yield from ((classes, found) for classes in class_counts(shapes, last))


def head(net: Recorder, x: Value, config: Headed, usual: str = "relu") -> Value:
    """(N, C, H, W) -> (N, classes) logits; `usual` is the activation between linear layers that the tool's have."""
    made, layers = config.head, config.settings.layers
    if made.attention in TEMPERATURES:
        return attentive(net, x, config.classes, made.attention, layers.residual or 0.0)
    x = general_mean(net, "neck.p", x, layers.pool_eps) if made.gem else net.global_pool(x)
    for i, features in enumerate(made.hidden):
        key, act = f"{LAYERS}.{i}", layers.head_act or Activation(usual)
        x = net.linear(f"{key}.fc", x, features)
        x = net.batch_norm(f"{key}.norm", x, layers.head_eps) if made.norms else x
        x = net.act(act.kind, x, key, act.slope)
    if made.margin:
        return cosines(net, made.last, x, config.classes, layers.scale)
    return net.linear(made.last, x, config.classes)


def attentive(net: Recorder, x: Value, classes: int, heads: int, residual: float) -> Value:
    """(N, C, H, W) -> (N, classes): the mean score of positions and `residual` times the attention's, of each head.

    Zhu and Wu 2021, Residual attention: a simple but effective method for multi-label recognition.
    """
    found = []
    for i, temperature in enumerate(TEMPERATURES[heads]):
        key = f"{CSRA}.{i}"
        weight = net.param(f"{key}.head.weight", (classes, x.channels, 1, 1))
        found.append(
            net.block(
                "Attentive",
                key,
                [x, weight],
                (x.shape[0], classes),
                residual=residual,
                temperature=temperature,
                hardest=int(temperature == HARDEST),
            )
        )
    total = found[0]
    for i, more in enumerate(found[1:]):
        total = net.add(total, more, f"{CSRA}.sum{i}")
    return total


def general_mean(net: Recorder, key: str, x: Value, least: float) -> Value:
    """(N, C, H, W) -> (N, C): the mean of order `key` (one number) over all positions, of what is at least `least`.

    Radenovic et al. 2018, Fine-tuning CNN image retrieval; mmpretrain/models/necks/gem.py.
    """
    x = net.block("GeneralMean", f"{key}.mean", [x, net.param(key, (1,))], (*x.shape[:2], 1, 1), least=least)
    return net.flatten(x, f"{key}.flatten")


def cosines(net: Recorder, key: str, x: Value, features: int, scale: float) -> Value:
    """(N, C) -> (N, features): `scale` times the cosine between x and each row of the weight.

    ArcFace at test time (Deng et al. 2019); mmpretrain/models/heads/margin_head.py.
    """
    weight = net.param(f"{key}.weight", (features, x.channels))
    return net.block("Cosines", key, [x, weight], (x.shape[0], features), scale=scale)
