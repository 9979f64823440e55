"""RepVGG (Ding et al. 2021), in its training form (three branches) and its deploy form (one), names as in mmcls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from ..graph.form import Value
from ..graph.record import Recorder
from .architecture import Architecture, classifier, imagenet_input
from .blocks import gate_with
from .heads import Headed, head, heads
from .shapes import Shapes, agreed, children, commonest, norm_places, size

BLOCKS_A, BLOCKS_B, BLOCKS_D = (2, 4, 14, 1), (4, 6, 16, 1), (8, 14, 24, 1)
TITLES: dict[tuple[tuple[int, ...], int], str] = {
    (BLOCKS_A, 48): "A0",
    (BLOCKS_A, 64): "A1",
    (BLOCKS_A, 96): "A2",
    (BLOCKS_B, 64): "B0",
    (BLOCKS_B, 128): "B1",
    (BLOCKS_B, 160): "B2",
    (BLOCKS_B, 192): "B3",
    (BLOCKS_D, 160): "D2",
}


@dataclass(frozen=True, kw_only=True)
class Sizes(Headed):
    """The channels of the stem, and of each stage with the groups of each of its blocks; and which form it has."""

    stem: int
    stages: tuple[tuple[int, tuple[int, ...]], ...]
    deploy: bool
    squeeze: bool


def repvgg(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    deploy, squeeze = config.deploy, config.squeeze
    x = block(net, "backbone.stem", x, config.stem, 2, 1, deploy, squeeze)
    for i, (channels, groups) in enumerate(config.stages, start=1):
        for j, split in enumerate(groups):
            x = block(net, f"backbone.stage_{i}.{j}", x, channels, 2 if j == 0 else 1, split, deploy, squeeze)
    return head(net, x, config)


def block(
    net: Recorder, key: str, x: Value, channels: int, stride: int, groups: int, deploy: bool, squeeze: bool
) -> Value:
    """Three parallel branches, which the passes merge into one convolution, or that one.

    mmpretrain 1.2.0 leaves squeeze-and-excitation out of its deploy form, which spoils RepVGG-D2se; here it stays in.
    """
    if deploy:
        y = net.conv(f"{key}.branch_reparam", x, channels, 3, stride, groups=groups)
    else:
        y = branches(net, key, x, channels, stride, groups)
    return net.act("relu", squeeze_excite(net, f"{key}.se_layer", y) if squeeze else y, key)


def branches(net: Recorder, key: str, x: Value, channels: int, stride: int, groups: int) -> Value:
    """3x3 + 1x1 + identity, each with its BatchNorm."""
    found = []
    for kernel in (3, 1):
        name = f"{key}.branch_{kernel}x{kernel}"
        y = net.conv(f"{name}.conv", x, channels, kernel, stride, groups=groups, bias=False)
        found.append(net.batch_norm(f"{name}.norm", y))
    y = net.add(found[0], found[1], f"{key}.add")
    if stride == 1 and x.channels == channels:
        y = net.add(y, net.batch_norm(f"{key}.branch_norm", x), f"{key}.add_identity")
    return y


def squeeze_excite(net: Recorder, key: str, x: Value) -> Value:
    """The one of RepVGG-D2se: a plain sigmoid, a sixteenth of the channels."""
    gate = net.global_pool(x, f"{key}.pool", keep=True)
    gate = net.act("relu", net.conv(f"{key}.conv1.conv", gate, x.channels // 16, 1), f"{key}.conv1")
    return gate_with(net, key, x, net.conv(f"{key}.conv2.conv", gate, x.channels, 1), "sigmoid")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """Depth and widths from the 3x3 convolutions and what follows them; groups in every second block, as published."""
    deploy = any(".branch_reparam." in key for key in shapes)
    kind = "branch_reparam" if deploy else "branch_3x3.conv"
    if f"backbone.stem.{kind}.weight" not in shapes and f"backbone.stage_1.0.{kind}.weight" not in shapes:
        return
    blocks = [[f"backbone.stage_{i}.{j}" for j in children(shapes, f"backbone.stage_{i}.")] for i in (1, 2, 3, 4)]
    widths = [_channels(shapes, keys) for keys in blocks[:3]] + [_channels(shapes, blocks[3], ("head.fc.weight", 1))]
    inputs = [(f"backbone.stage_1.0.{name}.weight", 1) for name in (kind, "branch_1x1.conv")]
    stem = _channels(shapes, ["backbone.stem"], *inputs)
    wide = [(key, width) for keys, width in zip(blocks, widths, strict=True) for key in keys]
    splits = [width // (size(shapes, f"{key}.{kind}.weight", 1) or width) for key, width in wide[1::2]]
    split, number = commonest(splits) or 1, count(1)
    groups = [tuple(1 if next(number) % 2 else split for _ in keys) for keys in blocks]
    stages, squeeze = tuple(zip(widths, groups, strict=True)), any(".se_layer." in key for key in shapes)
    for classes, end in heads(shapes):
        yield Sizes(classes=classes, head=end, stem=stem, stages=stages, deploy=deploy, squeeze=squeeze)


def _channels(shapes: Shapes, blocks: Iterable[str], *more: tuple[str, int]) -> int:
    """What most tensors of these blocks say that comes out of them."""
    places = []
    for key in blocks:
        places += [(f"{key}.branch_reparam.weight", 0), (f"{key}.branch_reparam.bias", 0)]
        for kernel in ("3x3", "1x1"):
            places += [(f"{key}.branch_{kernel}.conv.weight", 0), *norm_places(f"{key}.branch_{kernel}.norm")]
    return agreed(shapes, *places, *more) or 1


def title(config: Sizes) -> str:
    """RepVGG-A0 … D2se."""
    blocks = tuple(len(groups) for _, groups in config.stages)
    name = TITLES.get((blocks, config.stages[0][0]), "-".join(map(str, blocks)))
    split = max(g for _, groups in config.stages for g in groups)
    return f"RepVGG-{name}" + (f"g{split}" if split > 1 else "") + ("se" if config.squeeze else "")


REPVGG = Architecture("RepVGG", configs, title, classifier(repvgg, lambda c: imagenet_input(), act="relu"))
