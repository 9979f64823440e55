"""EfficientNet (Tan and Le 2019), V2 (2021), MnasNet (Tan et al. 2019), MobileNetV3 (Howard et al. 2019) and V4 (Qin et
al. 2024) as timm builds them: stages of blocks, most with a depthwise convolution between two of 1x1.

What a block is shows in the names and shapes of its tensors; its stride and its activation do not, and stand in
FAMILIES. Names as in timm (timm/models/_efficientnet_blocks.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace

from ..errors import UnsupportedCheckpoint
from ..graph.form import Value
from ..graph.record import Recorder
from ..graph.window import same_ends
from ..runtime.model.card import Input
from ..spelling import option
from .architecture import Architecture, Config, classifier, imagenet_input
from .said import TAKEN
from .shapes import Shapes, agreed, children, class_counts, norm_places, size

RELU, MOBILE, SILU = ("relu", "sigmoid"), ("relu", "hsigmoid"), ("silu", "sigmoid")
DOWN7, DOWN6 = (1, 2, 2, 2, 1, 2, 1), (1, 2, 2, 2, 1, 2)
SMALL, FOUR = (2, 2, 2, 1, 2, 1), (2, 2, 2, 2, 1)


@dataclass(frozen=True)
class Family:
    """What no tensor shows.

    strides  of the first block of each stage
    act      after the convolutions;  plain: the first stages that have ReLU instead
    gate     the activations of a squeeze-and-excite;  skips: plain convolutions have shortcuts, too
    """

    title: str
    strides: tuple[int, ...]
    act: str
    plain: int = 0
    gate: tuple[str, str] = SILU
    skips: bool = False


# What the first block of each stage is: its kind, the kernels of its wide convolutions, "+" with a squeeze-and-excite
FAMILIES = {
    "ds3+ ir3+ ir5+ ir3+ ir5+ ir5+ ir3+": Family("EfficientNet", DOWN7, "silu"),
    "ds3 ir3 ir5 ir3 ir5 ir5 ir3": Family("EfficientNet-lite", DOWN7, "relu6"),
    "cn3 er3 er3 ir3+ ir3+ ir3+": Family("EfficientNetV2", DOWN6, "silu", skips=True),
    "cn3 er3 er3 ir3+ ir3+ ir3+ ir3+": Family("EfficientNetV2", DOWN7, "silu", skips=True),
    "ds3 ir3 ir5 ir5 ir3 ir5 ir3": Family("MnasNet", DOWN7, "relu"),
    "ds3 ir3 ir5+ ir3 ir3+ ir5+ ir3": Family("SE-MnasNet", DOWN7, "relu", gate=RELU),
    "ds3 ir3 ir5+ ir3 ir3+ ir5+ cn1": Family("MobileNetV3 large", DOWN7, "hswish", 3, MOBILE),
    "ds3+ ir3 ir5+ ir5+ ir5+ cn1": Family("MobileNetV3 small", SMALL, "hswish", 2, MOBILE),
    "ds3 ir3 ir3 ir3 ir3 ir3 cn1": Family("MobileNetV3 large minimal", DOWN7, "relu"),
    "ds3 ir3 ir3 ir3 ir3 cn1": Family("MobileNetV3 small minimal", SMALL, "relu"),
    "cn3 cn3 uir5/5 uir3/3 cn1": Family("MobileNetV4 small", FOUR, "relu"),
    "er3 uir3/5 uir3/5 uir5/5 cn1": Family("MobileNetV4", FOUR, "relu"),
}
# Channels of the first convolution and of the last block, and blocks -> what the size is called, and its pictures' side
SCALES: dict[str, dict[tuple[int, int, int], tuple[str, int]]] = {
    "EfficientNet": {
        (32, 320, 16): ("-B0", 224),
        (32, 320, 23): ("-B1", 240),
        (32, 352, 23): ("-B2", 288),
        (40, 384, 26): ("-B3", 300),
        (48, 448, 32): ("-B4", 380),
        (48, 512, 39): ("-B5", 456),
        (56, 576, 45): ("-B6", 528),
        (64, 640, 55): ("-B7", 600),
        (72, 704, 61): ("-B8", 672),
        (136, 1376, 88): ("-L2", 800),
    },
    "EfficientNet-lite": {
        (32, 320, 16): ("0", 224),
        (32, 320, 21): ("1", 240),
        (32, 352, 21): ("2", 260),
        (32, 384, 24): ("3", 300),
        (32, 448, 30): ("4", 380),
    },
    "EfficientNetV2": {
        (32, 192, 21): ("-B0", 224),
        (32, 192, 27): ("-B1", 240),
        (32, 208, 28): ("-B2", 260),
        (40, 232, 32): ("-B3", 300),
        (24, 256, 40): ("-S", 384),
        (24, 512, 57): ("-M", 480),
        (32, 640, 79): ("-L", 480),
        (32, 640, 100): ("-XL", 512),
    },
    "MobileNetV4": {(32, 960, 23): (" medium", 256), (24, 960, 28): (" large", 384)},
}

# Families in which each block widens a whole number of times
WHOLE = ("EfficientNet", "EfficientNet-lite", "EfficientNetV2", "MnasNet", "SE-MnasNet")
# What is left of the blocks' channels in timm's pruned networks (timm/models/_pruned), which pad as TensorFlow does
PRUNED = {
    "14430a5898e87133": "efficientnet_b1_pruned",
    "0494e7585b4583b2": "efficientnet_b2_pruned",
    "93ac8d66ea5e606d": "efficientnet_b3_pruned",
}


@dataclass(frozen=True)
class Block:
    """One block; channels of its expansion (0 for none), of its squeeze (0 for none) and of its result."""

    kind: str
    kernels: tuple[int, int]
    inner: int
    squeezed: int
    channels: int

    def __str__(self) -> str:
        first, second = self.kernels
        return f"{self.kind}{first}" + (f"/{second}" if second else "") + ("+" if self.squeezed else "")


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """The blocks of each stage, and channels of the first and the last convolution.

    head  "wide" (convolution, BatchNorm, pooling), "pooled" (pooling, convolution) or "normed" (pooling, convolution,
          BatchNorm)
    eps   of the BatchNorms;  tensorflow: whether its padding and its eps are the usual ones
    pruned  "" where the widths are a network's; else which of timm's pruned ones it is, or "?"
    """

    family: Family
    stages: tuple[tuple[Block, ...], ...]
    stem: int
    last: int
    head: str
    eps: float = 1e-5
    tensorflow: bool = False
    pruned: str = ""

    @property
    def same(self) -> bool:
        """Whether it has TensorFlow's padding, and its eps, as timm's tf_ networks: as the user says, or calls it."""
        said = self.settings.said.padding
        usual = self.tensorflow or self.pruned in PRUNED.values() or self.settings.network.startswith("tf_")
        return usual if said is None else said == "same"

    @property
    def scale(self) -> tuple[str, int]:
        """What the size is called, and the side of its pictures."""
        found = (self.stem, self.stages[-1][-1].channels, sum(map(len, self.stages)))
        return SCALES.get(self.family.title, {}).get(found, ("", 224))


class Builder:
    """The layers of one network; each takes a value and gives one."""

    def __init__(self, net: Recorder, config: Sizes) -> None:
        self.net, self.config, self.family = net, config, config.family

    def conv(self, key: str, x: Value, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> Value:
        """Without a bias."""
        padding = same_ends(x.shape[2:], kernel, stride) if self.config.same else None
        return self.net.conv(key, x, channels, kernel, stride, padding, groups, bias=False)

    def norm(self, key: str, x: Value, act: str | None) -> Value:
        """BatchNorm, and the activation."""
        x = self.net.batch_norm(key, x, 1e-3 if self.config.same else self.config.eps)
        return self.net.act(act, x, key) if act else x

    def conv_norm(self, keys: tuple[str, str], x: Value, channels: int, kernel: int, act: str | None) -> Value:
        """A convolution with stride 1 and its BatchNorm."""
        return self.norm(keys[1], self.conv(keys[0], x, channels, kernel), act)

    def gate(self, key: str, x: Value, squeezed: int) -> Value:
        """Squeeze-and-excite (Hu et al. 2018)."""
        inside, outside = self.family.gate
        gate = self.net.global_pool(x, f"{key}.pool", keep=True)
        gate = self.net.act(inside, self.net.conv(f"{key}.conv_reduce", gate, squeezed, 1), f"{key}.conv_reduce")
        gate = self.net.conv(f"{key}.conv_expand", gate, x.channels, 1)
        return self.net.mul(x, self.net.act(outside, gate, f"{key}.gate"), f"{key}.scaled")

    def depthwise(self, key: str, norm: str, x: Value, kernel: int, stride: int, act: str | None) -> Value:
        """Each channel by itself."""
        return self.norm(norm, self.conv(key, x, x.channels, kernel, stride, x.channels), act)

    def block(self, key: str, x: Value, block: Block, stride: int, act: str) -> Value:
        """With a shortcut where the shape stays."""
        y = KINDS[block.kind](self, key, x, block, stride, act)
        shortcut = stride == 1 and x.channels == block.channels and (block.kind != "cn" or self.family.skips)
        if self.config.pruned and key.endswith(".0"):  # as many channels by chance
            shortcut = False
        return self.net.add(y, x, f"{key}.add") if shortcut else y

    def inverted(self, key: str, x: Value, block: Block, stride: int, act: str) -> Value:
        """Expand, filter each channel, weigh the channels, project (Sandler et al. 2018)."""
        x = self.conv_norm((f"{key}.conv_pw", f"{key}.bn1"), x, block.inner, 1, act)
        x = self.depthwise(f"{key}.conv_dw", f"{key}.bn2", x, block.kernels[0], stride, act)
        x = self.gate(f"{key}.se", x, block.squeezed) if block.squeezed else x
        return self.conv_norm((f"{key}.conv_pwl", f"{key}.bn3"), x, block.channels, 1, None)

    def separable(self, key: str, x: Value, block: Block, stride: int, act: str) -> Value:
        """Filter each channel, weigh the channels, project."""
        x = self.depthwise(f"{key}.conv_dw", f"{key}.bn1", x, block.kernels[0], stride, act)
        x = self.gate(f"{key}.se", x, block.squeezed) if block.squeezed else x
        return self.conv_norm((f"{key}.conv_pw", f"{key}.bn2"), x, block.channels, 1, None)

    def fused(self, key: str, x: Value, block: Block, stride: int, act: str) -> Value:
        """Expand and filter in one convolution, project."""
        x = self.norm(f"{key}.bn1", self.conv(f"{key}.conv_exp", x, block.inner, block.kernels[0], stride), act)
        return self.conv_norm((f"{key}.conv_pwl", f"{key}.bn2"), x, block.channels, 1, None)

    def plain(self, key: str, x: Value, block: Block, stride: int, act: str) -> Value:
        """One convolution."""
        return self.norm(f"{key}.bn1", self.conv(f"{key}.conv", x, block.channels, block.kernels[0], stride), act)

    def universal(self, key: str, x: Value, block: Block, stride: int, act: str) -> Value:
        """MobileNetV4's: a depthwise convolution before the expansion, after it, or both; the stride is in the last."""
        before, after = block.kernels
        if before:
            start = f"{key}.dw_start"
            x = self.depthwise(f"{start}.conv", f"{start}.bn", x, before, 1 if after else stride, None)
        x = self.conv_norm((f"{key}.pw_exp.conv", f"{key}.pw_exp.bn"), x, block.inner, 1, act)
        if after:
            x = self.depthwise(f"{key}.dw_mid.conv", f"{key}.dw_mid.bn", x, after, stride, act)
        return self.conv_norm((f"{key}.pw_proj.conv", f"{key}.pw_proj.bn"), x, block.channels, 1, None)


KINDS: dict[str, Callable[[Builder, str, Value, Block, int, str], Value]] = {
    "ir": Builder.inverted,
    "ds": Builder.separable,
    "er": Builder.fused,
    "cn": Builder.plain,
    "uir": Builder.universal,
}


def efficientnet(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    if config.pruned == "?" and config.settings.said.padding is None:
        raise _pruned(config)
    build, act = Builder(net, config), config.family.act
    x = build.norm("bn1", build.conv("conv_stem", x, config.stem, 3, 2), act)
    for i, blocks in enumerate(config.stages):
        inner = "relu" if i < config.family.plain else act
        for j, block in enumerate(blocks):
            x = build.block(f"blocks.{i}.{j}", x, block, config.family.strides[i] if j == 0 else 1, inner)
    if config.head == "wide":
        x = net.global_pool(build.conv_norm(("conv_head", "bn2"), x, config.last, 1, act))
        return net.linear("classifier", x, config.classes)
    x = net.global_pool(x, keep=True)
    if config.head == "normed":
        x = build.conv_norm(("conv_head", "norm_head"), x, config.last, 1, act)
    else:
        x = net.act(act, net.conv("conv_head", x, config.last, 1), "conv_head")
    return net.linear("classifier", net.flatten(x), config.classes)


# -- by the shapes ---------------------------------------------------------------------------------------------------


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """One, if these blocks are a family's."""
    if "conv_stem.weight" not in shapes:
        return
    stages = tuple(_stage(shapes, f"blocks.{i}.") for i in children(shapes, "blocks."))
    family = FAMILIES.get(" ".join(str(blocks[0]) for blocks in stages if blocks))
    if family is None or not all(block.kind for blocks in stages for block in blocks):
        return
    head = "wide" if "bn2.weight" in shapes else "normed" if "norm_head.weight" in shapes else "pooled"
    stem = agreed(shapes, ("conv_stem.weight", 0), *norm_places("bn1"))
    last = agreed(shapes, ("conv_head.weight", 0), ("classifier.weight", 1))
    pruned = _pruned_of(stages, stem) if family.title in WHOLE else ""
    for classes in class_counts(shapes, "classifier"):
        yield Sizes(classes=classes, family=family, stages=stages, stem=stem, last=last, head=head, pruned=pruned)


def _pruned_of(stages: tuple[tuple[Block, ...], ...], stem: int) -> str:
    """Which of timm's pruned networks has these widths, "?" where none; "" where each block widens a whole number of
    times, as in all networks of these families.
    """
    blocks = [block for stage in stages for block in stage]
    before = [stem, *(block.channels for block in blocks)]
    if all(block.inner % max(n, 1) == 0 for block, n in zip(blocks, before, strict=False)):
        return ""
    widths = repr([(block.inner, block.squeezed, block.channels) for block in blocks])
    return PRUNED.get(hashlib.sha256(widths.encode()).hexdigest()[:16], "?")


def _pruned(config: Sizes) -> UnsupportedCheckpoint:
    names = ", ".join(PRUNED.values())
    return UnsupportedCheckpoint(
        en=f"This is an {config.family.title} whose channels were pruned: its widths are those of no network that is "
        f"known here ({names}, of timm, are). Its tensors do not tell how it pads, nor its eps. Say it "
        f"({option('details', 'padding=torch')} or {option('details', 'padding=same')}, which is TensorFlow's), or "
        f"convert it in the program that has its code: {TAKEN}.",
        zh=f"这是通道经过剪枝的 {config.family.title}：各层宽度与已知网络都不同（已知的剪枝网络有 timm 的 {names}）。"
        "张量里看不出它的填充方式和 eps。"
        f"请指明（{option('details', 'padding=torch')} 或 {option('details', 'padding=same')}，"
        f"后者为 TensorFlow 的方式），或在有其代码的程序里转换：{TAKEN}。",
    )


def _stage(shapes: Shapes, prefix: str) -> tuple[Block, ...]:
    return tuple(_block(shapes, f"{prefix}{i}.") for i in children(shapes, prefix))


def _block(shapes: Shapes, key: str) -> Block:
    """What these tensors are; KINDS knows no kind "" of others."""
    kernel = {name: size(shapes, f"{key}{name}.weight", 2) for name in ("conv_dw", "conv_exp", "conv")}
    squeezed = agreed(shapes, (f"{key}se.conv_reduce.weight", 0), (f"{key}se.conv_reduce.bias", 0))
    if f"{key}pw_exp.conv.weight" in shapes:
        inner, last = (agreed(shapes, (f"{key}{name}.conv.weight", 0)) for name in ("pw_exp", "pw_proj"))
        kernels = (size(shapes, f"{key}dw_start.conv.weight", 2), size(shapes, f"{key}dw_mid.conv.weight", 2))
        return Block("uir", kernels, inner, squeezed, last)
    if f"{key}conv_pwl.weight" in shapes:
        kind, expand = ("er", "conv_exp") if kernel["conv_exp"] else ("ir", "conv_pw")
        wide = kernel["conv_exp"] or kernel["conv_dw"]
        inner = agreed(shapes, (f"{key}{expand}.weight", 0), *norm_places(f"{key}bn1"))
        return Block(kind, (wide, 0), inner, squeezed, size(shapes, f"{key}conv_pwl.weight"))
    if kernel["conv_dw"]:
        return Block("ds", (kernel["conv_dw"], 0), 0, squeezed, size(shapes, f"{key}conv_pw.weight"))
    return Block("cn" if kernel["conv"] else "", (kernel["conv"], 0), 0, squeezed, size(shapes, f"{key}conv.weight"))


def title(config: Sizes) -> str:
    """For people: "EfficientNet-B0", "MobileNetV3 small", "tf EfficientNet-lite0"."""
    before = "tf " if config.same and not config.pruned else ""
    return before + config.family.title + config.scale[0] + (" pruned" if config.pruned else "")


def entry(config: Sizes) -> Input:
    """The centre of pictures of the size's own side; most of the networks from TensorFlow had pixels of -1 to 1."""
    side = 260 if config.pruned == "efficientnet_b2_pruned" else config.scale[1]
    found = imagenet_input(side=side)
    if not config.same or (config.family.title == "EfficientNet" and config.pruned not in PRUNED.values()):
        return found
    values = {"op": "normalize", "mean": [127.5] * 3, "std": [127.5] * 3}
    return replace(found, steps=[*found.steps[:-1], values])


def page(
    name: str,
    families: Container[str],
    eps: Callable[[Sizes], float] = lambda config: 1e-5,
    tensorflow: bool = False,
) -> Architecture[Sizes]:
    """The networks of these families, under the name that people give them."""

    def chosen(shapes: Shapes) -> Iterable[Sizes]:
        for config in configs(shapes):
            if config.family.title in families:
                yield replace(config, eps=eps(config), tensorflow=tensorflow)

    return Architecture(name, chosen, title, classifier(efficientnet, entry))


def of_torchvision(config: Sizes) -> float:
    """torchvision/models/efficientnet.py: 1e-3 from B5 on and in V2."""
    return 1e-3 if config.scale[0] in ("-B5", "-B6", "-B7") or config.family.title == "EfficientNetV2" else 1e-5


def _titled(part: str) -> set[str]:
    return {family.title for family in FAMILIES.values() if part in family.title}


EFFICIENTNET = page("EfficientNet", _titled("Efficient"))
EFFICIENTNET_OF_TENSORFLOW = page("EfficientNet", _titled("Efficient"), tensorflow=True)
EFFICIENTNET_OF_TORCHVISION = page("EfficientNet", ("EfficientNet",), of_torchvision)
EFFICIENTNET_V2_OF_TORCHVISION = page("EfficientNet", ("EfficientNetV2",), of_torchvision)
MOBILENET_V3, MOBILENET_V4 = (page(name, _titled(name)) for name in ("MobileNetV3", "MobileNetV4"))
MNASNET = page("MnasNet", _titled("Mnas"))
