"""ResNet (He et al. 2016), ResNeXt (Xie et al. 2017), RegNetX and Y (Radosavovic et al. 2020): one family of stages.

All stack residual blocks in four stages; depth, widths and groups show in the shapes. Parameter names as in mmcls.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from ..runtime.model.card import Input
from .architecture import Architecture, classifier, imagenet_input
from .blocks import gate_with
from .heads import Headed, head, heads
from .settings import Settings, Step
from .shapes import Shapes, agreed, children, norm_places, size

# Blocks of the stages; whether these have three convolutions each
DEPTHS: dict[tuple[tuple[int, ...], bool], int] = {
    ((1, 1, 1, 1), False): 10,
    ((1, 1, 1, 1), True): 14,
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
    ((2, 2, 2, 2), True): 26,
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
    ((3, 24, 36, 3), True): 200,
}
Y_REGNETS: dict[tuple[int, ...], str] = {
    (48, 104, 208, 440): "400MF",
    (64, 144, 320, 784): "800MF",
    (48, 120, 336, 888): "1.6GF",
    (72, 216, 576, 1512): "3.2GF",
    (224, 448, 896, 2016): "8GF",
    (224, 448, 1232, 3024): "16GF",
    (232, 696, 1392, 3712): "32GF",
    (528, 1056, 2904, 7392): "128GF",
}
REGNETS: dict[tuple[int, ...], str] = {
    (32, 64, 160, 384): "400MF",
    (32, 64, 160, 400): "400MF",  # torchvision's
    (64, 128, 288, 672): "800MF",
    (72, 168, 408, 912): "1.6GF",
    (96, 192, 432, 1008): "3.2GF",
    (80, 240, 560, 1360): "4.0GF",
    (168, 392, 784, 1624): "6.4GF",
    (80, 240, 720, 1920): "8.0GF",
    (224, 448, 896, 2240): "12GF",
    (256, 512, 896, 2048): "16GF",
    (336, 672, 1344, 2520): "32GF",
}


@dataclass(frozen=True)
class Stage:
    """Blocks, channels that come out of each, channels inside it, and groups of its 3x3 convolution."""

    blocks: int
    channels: int
    inner: int
    groups: int


@dataclass(frozen=True)
class Trunk:
    """All but the head: what the stem is ("plain", "deep", "cifar" or "regnet"), its channels, and the four stages.

    gated   each block has a squeeze-and-excite (RegNetY)
    pooled  a shortcut that halves the size averages before its convolution (ResNet-D, He et al. 2019)
    first   channels of the first convolution of a deep stem; 0 for half of its last's (timm's resnet26t has fewer)
    """

    kind: str
    stem: int
    bottleneck: bool
    stages: tuple[Stage, ...]
    gated: bool = False
    pooled: bool = False
    first: int = 0


@dataclass(frozen=True, kw_only=True)
class Sizes(Headed):
    """Of a classifier."""

    trunk: Trunk


def resnet(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    return head(net, stages(net, stem(net, x, config.trunk), config.trunk, config.settings)[-1], config)


def stem(net: Recorder, x: Value, trunk: Trunk) -> Value:
    """ResNet: 7x7 and max pooling; RegNet: 3x3 alone; for CIFAR's small pictures: no stride; V1c: three 3x3."""
    kind = trunk.kind
    if kind == "deep":
        for i, channels in enumerate((trunk.first or trunk.stem // 2, trunk.stem // 2, trunk.stem)):
            x = net.conv_bn(f"backbone.stem.{i}", x, channels, 3, stride=2 if i == 0 else 1)
    else:
        kernel, stride = (7 if kind == "plain" else 3), (1 if kind == "cifar" else 2)
        x = net.conv("backbone.conv1", x, trunk.stem, kernel, stride, bias=False)
        x = net.act("relu", net.batch_norm("backbone.bn1", x), "backbone.bn1")
    return net.max_pool(x, 3, 2, 1, name="backbone.maxpool") if kind in ("plain", "deep") else x


def stages(net: Recorder, x: Value, trunk: Trunk, settings: Settings) -> list[Value]:
    """The result of each of the four stages."""
    layers, results = settings.layers, []
    strides = layers.strides or (2 if trunk.kind == "regnet" else 1, 2, 2, 2)
    dilations = layers.dilations or (1, 1, 1, 1)
    for i, stage in enumerate(trunk.stages):
        for j in range(stage.blocks):
            key, steps = f"backbone.layer{i + 1}.{j}", (strides[i] if j == 0 else 1, dilations[i])
            x = block(net, key, x, stage, steps, trunk, settings.caffe)
        results.append(x)
    return results


def block(net: Recorder, key: str, x: Value, stage: Stage, steps: tuple[int, int], trunk: Trunk, caffe: bool) -> Value:
    """Two 3x3 convolutions, or 1x1, 3x3 and 1x1 (bottleneck), beside a shortcut; `steps` are stride and dilation.

    The stride is in the 3x3, or as the paper has it, and Caffe had it, in the first 1x1. Only one 3x3 is dilated.
    """
    (stride, dilation), channels, mid, groups = steps, stage.channels, stage.inner, stage.groups
    first, second = (stride, 1) if caffe else (1, stride)
    plan = [(mid, 1, first, 1, 1), (mid, 3, second, dilation, groups), (channels, 1, 1, 1, 1)]
    if not trunk.bottleneck:
        plan = [(mid, 3, stride, dilation, 1), (channels, 3, 1, 1, 1)]
    y = x
    for i, (width, kernel, step, spread, split) in enumerate(plan, start=1):
        y = net.conv(f"{key}.conv{i}", y, width, kernel, step, groups=split, dilation=spread, bias=False)
        y = net.batch_norm(f"{key}.bn{i}", y)
        y = net.act("relu", y, f"{key}.bn{i}") if i < len(plan) else y
        y = gated(net, f"{key}.se", y, round(x.channels / 4)) if trunk.gated and i == 2 else y
    if stride != 1 or x.channels != channels:
        x = shortcut(net, f"{key}.downsample", x, channels, stride, trunk.pooled)
    return net.act("relu", net.add(x, y, f"{key}.add"), key)


def gated(net: Recorder, key: str, x: Value, squeezed: int) -> Value:
    """Squeeze-and-excite with the plain sigmoid; a quarter of the channels that come into the block are left in it."""
    gate = net.global_pool(x, f"{key}.pool", keep=True)
    gate = net.act("relu", net.conv(f"{key}.conv1", gate, squeezed, 1), f"{key}.conv1")
    return gate_with(net, key, x, net.conv(f"{key}.conv2", gate, x.channels, 1), "sigmoid")


def shortcut(net: Recorder, key: str, x: Value, channels: int, stride: int, pooled: bool) -> Value:
    """A 1x1 convolution and its BatchNorm; a pooling, which stands before them, has a number of its own."""
    place = 0
    if pooled and stride != 1:
        x, place, stride = net.avg_pool(x, stride, stride, ceil=True, count_pad=False, name=f"{key}.0"), 1, 1
    x = net.conv(f"{key}.{place}", x, channels, 1, stride, bias=False)
    return net.batch_norm(f"{key}.{place + 1}", x)


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """One, or two where the last layer's tensors disagree."""
    if found := trunk_of(shapes):
        yield from (Sizes(classes=classes, head=end, trunk=found) for classes, end in heads(shapes))


def trunk_of(shapes: Shapes) -> Trunk | None:
    """Everything but the strides shows in the shapes; the strides are the same in all published sizes."""
    if "backbone.layer1.0.conv1.weight" not in shapes and "backbone.layer1.0.conv2.weight" not in shapes:
        return None
    bottleneck = any(key.endswith(".conv3.weight") for key in shapes)
    found = tuple(_stage(shapes, f"backbone.layer{i}.", 3 if bottleneck else 2) for i in range(1, 5))
    deep = any(key.startswith("backbone.stem.") for key in shapes)
    conv, norm = ("stem.2.conv", "stem.2.bn") if deep else ("conv1", "bn1")
    channels = agreed(shapes, (f"backbone.{conv}.weight", 0), *norm_places(f"backbone.{norm}")) or 64
    straight = bottleneck and all(stage.channels == stage.inner for stage in found)
    kind = "deep" if deep else _kind(size(shapes, "backbone.conv1.weight", 2), channels, straight)
    gates, pooled = (any(part in key for key in shapes) for part in (".se.", ".downsample.2."))
    first = agreed(shapes, ("backbone.stem.0.conv.weight", 0), *norm_places("backbone.stem.0.bn")) if deep else 0
    tiered = first if first == channels * 3 // 8 else 0  # timm/models/resnet.py: deep_tiered
    return Trunk(kind, channels, bottleneck, found, gates, pooled, tiered)


def _kind(kernel: int, channels: int, straight: bool) -> str:
    """What the stem is: "regnet" (it has 32 channels, and the blocks are no narrower inside), "cifar" or "plain"."""
    if straight and (kernel == 3 or channels == 32):
        return "regnet"
    return "cifar" if kernel == 3 else "plain"


def _stage(shapes: Shapes, prefix: str, convs: int) -> Stage:
    """Blocks, channels out, channels inside, and groups of one stage: the commonest in its blocks."""
    blocks = children(shapes, prefix)
    channels, mid = (agreed(shapes, *_places(prefix, blocks, i)) or 1 for i in (convs, 1))
    inner = agreed(shapes, *((f"{prefix}{block}.conv2.weight", 1) for block in blocks))
    groups = mid // inner if convs == 3 and inner else 1
    return Stage(len(blocks), channels, mid, max(groups, 1))


def _places(prefix: str, blocks: Iterable[int], i: int) -> list[tuple[str, int]]:
    """Where the results of each block's convolution i show."""
    return [
        place
        for block in blocks
        for place in ((f"{prefix}{block}.conv{i}.weight", 0), *norm_places(f"{prefix}{block}.bn{i}"))
    ]


def _is_regnet(config: Sizes) -> bool:
    return config.trunk.kind == "regnet"


def _is_resnext(config: Sizes) -> bool:
    return not _is_regnet(config) and any(stage.groups > 1 for stage in config.trunk.stages)


def _input(config: Sizes) -> Input:
    """ImageNet's; or that of mmcls's CIFAR configs, where all pictures are 32 x 32."""
    if config.trunk.kind != "cifar":
        return imagenet_input("cv2")
    steps: list[Step] = [
        {"op": "resize", "size": [32, 32], "interpolation": "cv2"},
        {"op": "normalize", "mean": [125.307, 122.961, 113.8575], "std": [51.5865, 50.847, 51.255]},
    ]
    return Input("input", "image", [1, 3, 32, 32], "RGB", steps)


def title_of(trunk: Trunk) -> str:
    """ResNet-50, Wide ResNet-50, ResNetV1c-50, ResNet-18 CIFAR, ResNeXt-50 32x4d, RegNetX-400MF."""
    first = trunk.stages[0]
    if trunk.kind == "regnet":
        widths = tuple(stage.channels for stage in trunk.stages)
        letter, known = ("Y", Y_REGNETS) if trunk.gated else ("X", REGNETS)
        return f"RegNet{letter}-{known.get(widths, '-'.join(map(str, widths)))}"
    if any(stage.groups > 1 for stage in trunk.stages):
        return f"ResNeXt-{_depth(trunk)} {first.groups}x{first.inner // first.groups}d"
    wide = "Wide " if trunk.bottleneck and first.channels == 2 * first.inner else ""
    version = {(True, False): "V1c", (True, True): "V1d"}.get((trunk.kind == "deep", trunk.pooled), "")
    end = " CIFAR" if trunk.kind == "cifar" else "t" if trunk.first else ""
    return f"{wide}ResNet{version}-{_depth(trunk)}{end}"


def _depth(trunk: Trunk) -> str:
    counts = tuple(stage.blocks for stage in trunk.stages)
    depth = DEPTHS.get((counts, trunk.bottleneck))
    return str(depth) if depth else "-".join(map(str, counts))


def _title(config: Sizes) -> str:
    return title_of(config.trunk)


RESNET = Architecture(
    "ResNet",
    lambda shapes: (c for c in configs(shapes) if not _is_regnet(c) and not _is_resnext(c)),
    _title,
    classifier(resnet, _input),
)
RESNEXT = Architecture(
    "ResNeXt",
    lambda shapes: filter(_is_resnext, configs(shapes)),
    _title,
    classifier(resnet, lambda c: imagenet_input()),
)
REGNET = Architecture(
    "RegNet",
    lambda shapes: filter(_is_regnet, configs(shapes)),
    _title,
    classifier(resnet, lambda c: imagenet_input("cv2", bgr=True)),
)
