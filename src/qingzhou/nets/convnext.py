"""ConvNeXt (Liu et al. 2022), names as in torchvision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, Config, classifier, imagenet_input
from .attention import mlp
from .shapes import Shapes, agreed, children, class_counts, size

EPS = 1e-6
# Blocks of the stages and channels of the first -> what the size is called, and torchvision's short side of pictures
NAMES: dict[tuple[tuple[int, ...], int], tuple[str, int]] = {
    ((3, 3, 9, 3), 96): ("Tiny", 236),
    ((3, 3, 27, 3), 96): ("Small", 230),
    ((3, 3, 27, 3), 128): ("Base", 232),
    ((3, 3, 27, 3), 192): ("Large", 232),
    ((3, 3, 27, 3), 256): ("XLarge", 232),
    ((2, 2, 6, 2), 40): ("Atto", 236),
    ((2, 2, 6, 2), 48): ("Femto", 236),
    ((2, 2, 6, 2), 64): ("Pico", 236),
    ((2, 2, 8, 2), 80): ("Nano", 236),
}


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Blocks and channels of the four stages; the shape of the trained factors of a block, less its channels.

    convs  the linear layers are kept as 1x1 convolutions (timm's small ones)
    """

    blocks: tuple[int, ...]
    channels: tuple[int, ...]
    factor: tuple[int, ...]
    convs: bool


def convnext(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x = norm(net, "features.0.1", net.conv("features.0.0", x, config.channels[0], 4, 4, 0))
    for i, (blocks, channels) in enumerate(zip(config.blocks, config.channels, strict=True)):
        if i:
            key = f"features.{2 * i}"
            x = net.conv(f"{key}.1", norm(net, f"{key}.0", x), channels, 2, 2, 0)
        for j in range(blocks):
            x = block(net, f"features.{2 * i + 1}.{j}", x, config)
    x = net.global_pool(x, keep=True)
    return net.linear("classifier.2", net.flatten(norm(net, "classifier.0", x)), config.classes)


def block(net: Recorder, key: str, x: Value, config: Sizes) -> Value:
    """7x7 in each channel, then two linear layers over the channels (figure 4 of the paper)."""
    y = net.conv(f"{key}.block.0", x, x.channels, 7, groups=x.channels)
    shape, wide = (x.channels, *config.factor), (x.channels, 1, 1)
    factor = net.param(f"{key}.layer_scale", shape, wide if shape != wide else ())
    if config.convs:
        y = net.conv(f"{key}.block.3", norm(net, f"{key}.block.2", y), 4 * x.channels, 1)
        y = net.conv(f"{key}.block.5", net.act("gelu", y, f"{key}.block.3"), x.channels, 1)
    else:
        y = net.layer_norm(f"{key}.block.2", net.transpose(y, (0, 2, 3, 1), f"{key}.last"), EPS)
        y = net.transpose(
            mlp(net, (f"{key}.block.3", f"{key}.block.5"), y, 4 * x.channels), (0, 3, 1, 2), f"{key}.first"
        )
    return net.add(net.op("Mul", f"{key}.scaled", [y, factor], y.shape), x, f"{key}.add")


def norm(net: Recorder, key: str, x: Value) -> Value:
    """LayerNorm over the channels of (N, C, H, W)."""
    x = net.layer_norm(key, net.transpose(x, (0, 2, 3, 1), f"{key}.last"), EPS)
    return net.transpose(x, (0, 3, 1, 2), f"{key}.first")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """All of it shows."""
    if len(shapes.get("features.1.0.block.0.weight", ())) != 4 or "features.1.0.layer_scale" not in shapes:
        return
    stages = [f"features.{i}." for i in (1, 3, 5, 7)]
    blocks = tuple(len(children(shapes, stage)) for stage in stages)
    channels = tuple(
        agreed(shapes, (f"{stage}0.block.0.weight", 0), (f"{stage}0.block.0.bias", 0), (f"{stage}0.block.5.bias", 0))
        for stage in stages
    )
    factor = tuple(1 for _ in shapes["features.1.0.layer_scale"][1:])
    convs = len(shapes.get("features.1.0.block.3.weight", ())) == 4
    if size(shapes, "features.0.0.weight", 2) == 4 and all((*blocks, *channels)):
        for classes in class_counts(shapes, "classifier.2"):
            yield Sizes(classes=classes, blocks=blocks, channels=channels, factor=factor, convs=convs)


def title(config: Sizes) -> str:
    """ConvNeXt-Tiny."""
    found = NAMES.get((config.blocks, config.channels[0]))
    return f"ConvNeXt-{found[0] if found else '-'.join(map(str, config.channels))}"


def _short(config: Sizes) -> int:
    return NAMES.get((config.blocks, config.channels[0]), ("", 232))[1]


CONVNEXT = Architecture(
    "ConvNeXt", configs, title, classifier(convnext, lambda config: imagenet_input(short=_short(config)))
)
