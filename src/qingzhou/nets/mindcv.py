"""Networks as MindCV and MindSpore's tutorials have them: the same papers, other names, and windows of their own.

https://github.com/mindspore-lab/mindcv/tree/v0.3.0/mindcv/models. A BatchNorm's numbers are called as in torch here:
gamma is weight, beta is bias, moving_mean is running_mean. These pages are not among those of match.py, since some
names are torchvision's, too, where windows lie otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ..graph.form import Value
from ..graph.record import Recorder
from ..graph.window import same_ends
from ..runtime.model.card import Input
from .architecture import Architecture, Config, classifier, imagenet_input
from .blocks import divisible
from .mobilenet_v2 import STAGES
from .mobilenet_v3 import LARGE, SMALL
from .resnet import DEPTHS
from .shapes import Shapes, agreed, children, outputs, size
from .shufflenet_v2 import CHANNELS, REPEATS
from .squeezenet import VERSIONS, fire
from .vgg import DEPTHS as VGG_DEPTHS

V1 = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *[(512, 1)] * 5,
    (1024, 2),
    (1024, 1),
)  # channels, stride


@dataclass(frozen=True, kw_only=True)
class Wide(Config):
    """A width multiplier, and for MobileNetV3 which one it is."""

    width: float
    arch: str = ""


@dataclass(frozen=True, kw_only=True)
class Deep(Config):
    """Blocks of the stages, or how deep a VGG is; how wide the inner convolution of a bottleneck is, and its groups."""

    blocks: tuple[int, ...]
    inner: int = 0
    groups: int = 1
    norm: bool = False


def layer(
    net: Recorder,
    names: tuple[str, str],
    x: Value,
    channels: int,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
    act: str | None = "relu",
    same: bool = False,
) -> Value:
    """A convolution without bias, its BatchNorm, an activation. same: the surplus of the padding lies at the end."""
    padding = same_ends(x.shape[2:], kernel, stride) if same else None
    x = net.batch_norm(names[1], net.conv(names[0], x, channels, kernel, stride, padding, groups, bias=False))
    return net.act(act, x, names[1]) if act else x


def numbered(key: str, first: int) -> tuple[str, str]:
    """The names of a convolution and a BatchNorm that follow each other in a SequentialCell."""
    return f"{key}.{first}", f"{key}.{first + 1}"


def max_pool(net: Recorder, x: Value) -> Value:
    """3x3, every second; pad_mode "same"."""
    return net.max_pool(x, 3, 2, same_ends(x.shape[2:], 3, 2), name="max_pool")


# -- ResNet, ResNeXt ---------------------------------------------------------------------------------------------------


def resnet(net: Recorder, x: Value, config: Deep) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x = max_pool(net, layer(net, ("conv1", "bn1"), x, 64, 7, 2))
    for stage, repeats in enumerate(config.blocks):
        for i in range(repeats):
            x = residual(net, f"layer{stage + 1}.{i}", x, stage, 2 if stage and not i else 1, config)
    return net.linear("classifier", net.global_pool(x), config.classes)


def residual(net: Recorder, key: str, x: Value, stage: int, stride: int, config: Deep) -> Value:
    """Two 3x3 convolutions, or 1x1, 3x3 and 1x1; the shortcut is a convolution where the shape changes."""
    wide, inner = 64 << stage, config.inner << stage
    names = [(f"{key}.conv{i}", f"{key}.bn{i}") for i in (1, 2, 3)]
    if config.inner:
        y = layer(net, names[0], x, inner)
        y = layer(net, names[1], y, inner, 3, stride, config.groups)
        y = layer(net, names[2], y, 4 * wide, act=None)
    else:
        y = layer(net, names[0], x, wide, 3, stride)
        y = layer(net, names[1], y, wide, 3, act=None)
    if stride != 1 or x.channels != y.channels:
        x = layer(net, numbered(f"{key}.down_sample", 0), x, y.channels, 1, stride, act=None)
    return net.act("relu", net.add(y, x, f"{key}.add"), key)


def resnets(shapes: Shapes) -> Iterable[Deep]:
    """Depth, width and groups show in the first blocks."""
    if "layer1.0.conv1.weight" not in shapes or "classifier.weight" not in shapes:
        return
    blocks = tuple(len(children(shapes, f"layer{stage}.")) for stage in (1, 2, 3, 4))
    inner = size(shapes, "layer1.0.conv2.weight") if "layer1.0.conv3.weight" in shapes else 0
    groups = max(inner // max(size(shapes, "layer1.0.conv2.weight", 1), 1), 1)
    if (blocks, bool(inner)) in DEPTHS:
        yield Deep(classes=outputs(shapes, "classifier"), blocks=blocks, inner=inner, groups=groups)


def resnet_title(config: Deep) -> str:
    """ "ResNet-50", "ResNeXt-50 32x4d"."""
    depth = DEPTHS[config.blocks, bool(config.inner)]
    return (
        f"ResNet-{depth}" if config.groups == 1 else f"ResNeXt-{depth} {config.groups}x{config.inner // config.groups}d"
    )


# -- MobileNets --------------------------------------------------------------------------------------------------------


def mobilenet_v1(net: Recorder, x: Value, config: Wide) -> Value:
    """(N, 3, H, W) -> (N, classes) logits (Howard et al. 2017)."""
    x = layer(net, numbered("features", 0), x, int(32 * config.width), 3, 2)
    for i, (channels, stride) in enumerate(V1, start=3):
        x = layer(net, numbered(f"features.{i}", 0), x, x.channels, 3, stride, groups=x.channels)
        x = layer(net, numbered(f"features.{i}", 3), x, int(channels * config.width))
    return net.linear("classifier", net.global_pool(x), config.classes)


def mobilenets_v1(shapes: Shapes) -> Iterable[Wide]:
    """By its last block."""
    first = size(shapes, "features.0.weight")
    if "features.15.3.weight" in shapes and first:
        yield Wide(classes=outputs(shapes, "classifier"), width=first / 32)


def mobilenet_v2(net: Recorder, x: Value, config: Wide) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x, place = layer(net, numbered("features", 0), x, divisible(32 * config.width), 3, 2, act="relu6"), 3
    for expand, channels, repeats, stride in STAGES:
        for i in range(repeats):
            wide, out = x.channels * expand, divisible(channels * config.width)
            block = (3, wide, out, False, "relu6", stride if i == 0 else 1)
            x, place = inverted(net, f"features.{place}.layers", x, block, expand != 1), place + 1
    x = layer(net, numbered("features", place), x, divisible(1280 * max(1.0, config.width)), act="relu6")
    return net.linear("classifier.1", net.global_pool(x), config.classes)


def mobilenets_v2(shapes: Shapes) -> Iterable[Wide]:
    """The width follows from the channels of the first convolution and the last block."""
    first, last = size(shapes, "features.0.weight"), size(shapes, "features.19.layers.6.weight")
    for width in (1.0, 0.75, 0.5, 0.35, 1.4, 1.3):
        if last and divisible(32 * width) == first and divisible(320 * width) == last:
            yield Wide(classes=outputs(shapes, "classifier.1"), width=width)


def inverted(
    net: Recorder, key: str, x: Value, block: tuple[int, int, int, bool, str, int], expands: bool, same: bool = False
) -> Value:
    """Expand, filter each channel, weigh the channels, project; with a shortcut where the shape stays."""
    kernel, wide, channels, squeeze, act, stride = block
    y, place = x, 0
    if expands:
        y, place = layer(net, numbered(key, 0), y, wide, act=act), 3
    y = layer(net, numbered(key, place), y, wide, kernel, stride, groups=wide, act=act, same=same)
    place += 3
    if squeeze:
        y, place = gate(net, f"{key}.{place}", y), place + 1
    y = layer(net, numbered(key, place), y, channels, act=None)
    return net.add(x, y, f"{key}.add") if stride == 1 and x.channels == channels else y


def gate(net: Recorder, key: str, x: Value) -> Value:
    """Squeeze-and-excite (Hu et al. 2018), as MobileNetV3 has it."""
    y = net.conv(f"{key}.conv_reduce", net.global_pool(x, f"{key}.pool", keep=True), divisible(x.channels * 0.25), 1)
    y = net.conv(f"{key}.conv_expand", net.act("relu", y, f"{key}.act"), x.channels, 1)
    return net.mul(x, net.act("hsigmoid", y, f"{key}.gate"), f"{key}.mul")


def mobilenet_v3(net: Recorder, x: Value, config: Wide) -> Value:
    """(N, 3, H, W) -> (N, classes) logits; its depthwise windows are padded as "same"."""
    x = layer(net, numbered("features", 0), x, divisible(16 * config.width), 3, 2, act="hswish")
    blocks = LARGE if config.arch == "large" else SMALL
    for i, (kernel, wide, channels, squeeze, act, stride) in enumerate(blocks, start=3):
        sizes = divisible(wide * config.width), divisible(channels * config.width)
        block = (kernel, *sizes, squeeze, act, stride)
        x = inverted(net, f"features.{i}.layers", x, block, sizes[0] != x.channels, same=True)
    x = layer(net, numbered("features", len(blocks) + 3), x, 6 * x.channels, act="hswish")
    x = net.linear(
        "classifier.0", net.global_pool(x), divisible((1280 if config.arch == "large" else 1024) * config.width)
    )
    return net.linear("classifier.3", net.act("hswish", x, "classifier.1"), config.classes)


def mobilenets_v3(shapes: Shapes) -> Iterable[Wide]:
    """Small has eleven blocks, large fifteen."""
    blocks = sum(f"features.{i}.layers.0.weight" in shapes for i in range(3, 18))
    arch = {11: "small", 15: "large"}.get(blocks)
    last = 96 if arch == "small" else 160
    end = f"features.{blocks + 3}.weight"
    for width in (1.0, 0.75):
        if arch and size(shapes, end, 1) == divisible(last * width):
            yield Wide(classes=outputs(shapes, "classifier.3"), width=width, arch=arch)


# -- others ------------------------------------------------------------------------------------------------------------


def vgg(net: Recorder, x: Value, config: Deep) -> Value:
    """(N, 3, 224, 224) -> (N, classes) logits; convolutions without bias."""
    place = 0
    for stage, repeats in enumerate(config.blocks):
        for _ in range(repeats):
            key, wide = f"features.{place}", min(64 << stage, 512)
            if config.norm:
                x, place = layer(net, numbered("features", place), x, wide, 3), place + 3
            else:
                x, place = net.act("relu", net.conv(key, x, wide, 3, bias=False), key), place + 2
        x, place = net.max_pool(x, 2, name=f"features.{place}"), place + 1
    x = net.flatten(x)
    for i in (0, 3):
        x = net.act("relu", net.linear(f"classifier.{i}", x, 4096), f"classifier.{i}")
    return net.linear("classifier.6", x, config.classes)


def vggs(shapes: Shapes) -> Iterable[Deep]:
    """The depth is the number of convolutions and the three linear layers."""
    convs = sum(key.startswith("features.") and len(shape) == 4 for key, shape in shapes.items())
    if "classifier.6.weight" in shapes and convs + 3 in VGG_DEPTHS:
        norm = any(key.endswith(".running_mean") for key in shapes)
        yield Deep(classes=outputs(shapes, "classifier.6"), blocks=VGG_DEPTHS[convs + 3], norm=norm)


def squeezenet(net: Recorder, x: Value, config: Wide) -> Value:
    """(N, 3, H, W) -> (N, classes) logits; poolings leave the rest at the edge."""
    channels, kernel, poolings = VERSIONS[config.arch]
    x = net.conv("features.0", x, channels, kernel, 2, padding=0 if config.arch == "1.0" else 1)
    x, place = net.act("relu", x, "features.0"), 2
    for i, (squeezed, expanded) in enumerate(
        ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
    ):
        if i in poolings:
            x, place = net.max_pool(x, 3, 2, name=f"features.{place}"), place + 1
        x, place = fire(net, f"features.{place}", x, squeezed, expanded), place + 1
    x = net.act("relu", net.conv("classifier.1", x, config.classes, 1), "classifier.1")
    return net.global_pool(x)


def squeezenets(shapes: Shapes) -> Iterable[Wide]:
    """The versions differ in their first convolution."""
    for version, (channels, _, _) in VERSIONS.items():
        if "features.3.squeeze.weight" in shapes and size(shapes, "features.0.weight") == channels:
            yield Wide(
                classes=agreed(shapes, ("classifier.1.weight", 0), ("classifier.1.bias", 0)), width=1, arch=version
            )


def shufflenet_v2(net: Recorder, x: Value, config: Wide) -> Value:
    """(N, 3, H, W) -> (N, classes) logits; channels are shuffled before a unit, not behind it."""
    *stages, last = CHANNELS[config.width]
    x = max_pool(net, layer(net, numbered("first_conv", 0), x, 24, 3, 2))
    place = 0
    for channels, repeats in zip(stages, REPEATS, strict=True):
        for i in range(repeats):
            x, place = unit(net, f"features.{place}", x, channels, down=i == 0), place + 1
    x = net.global_pool(layer(net, numbered("conv_last", 0), x, last))
    return net.linear("classifier", x, config.classes, bias=False)


def unit(net: Recorder, key: str, x: Value, channels: int, down: bool) -> Value:
    """Even channels pass by, odd ones are computed; or all are, and the size is halved."""
    if down:
        left = layer(net, numbered(f"{key}.branch_proj", 0), x, x.channels, 3, 2, groups=x.channels, act=None)
        left, right = layer(net, numbered(f"{key}.branch_proj", 2), left, x.channels), x
    else:
        batch, _, height, width = x.shape
        x = net.reshape(x, (batch, channels // 2, 2, height, width), f"{key}.pairs")
        x = net.reshape(
            net.transpose(x, (0, 2, 1, 3, 4), f"{key}.shuffle"), (batch, channels, height, width), f"{key}.halves"
        )
        left, right = (
            net.slice(x, 1, *ends, f"{key}.half") for ends in ((0, channels // 2), (channels // 2, channels))
        )
    main, half = f"{key}.branch_main", channels // 2
    right = layer(net, numbered(main, 0), right, half)
    right = layer(net, numbered(main, 3), right, half, 3, 2 if down else 1, groups=half, act=None)
    right = layer(net, numbered(main, 5), right, channels - left.channels)
    return net.concat([left, right], name=f"{key}.concat")


def shufflenets_v2(shapes: Shapes) -> Iterable[Wide]:
    """The width shows in the first unit."""
    half = size(shapes, "features.0.branch_main.3.weight")
    for width, channels in CHANNELS.items():
        if channels[0] == 2 * half:
            yield Wide(classes=size(shapes, "classifier.weight"), width=width)


def lenet(net: Recorder, x: Value, config: Config) -> Value:
    """(N, 1, 32, 32) -> (N, classes) logits: the LeNet5 of MindSpore's tutorials."""
    for key, channels in (("conv1", 6), ("conv2", 16)):
        x = net.max_pool(
            net.act("relu", net.conv(key, x, channels, 5, padding=0, bias=False), key), 2, name=f"{key}.pool"
        )
    x = net.flatten(x)
    for key, features in (("fc1", 120), ("fc2", 84)):
        x = net.act("relu", net.linear(key, x, features), key)
    return net.linear("fc3", x, config.classes)


def lenets(shapes: Shapes) -> Iterable[Config]:
    """It has one size."""
    if shapes.get("fc1.weight") == (120, 400) and "conv2.weight" in shapes:
        yield Config(classes=outputs(shapes, "fc3"))


def digits_input() -> Input:
    """The tutorials' pipeline for MNIST."""
    steps = [
        {"op": "resize", "size": [32, 32], "interpolation": "cv2"},
        {"op": "normalize", "mean": [33.3285], "std": [78.5655]},
    ]
    return Input("input", "image", [1, 1, 32, 32], "GRAY", steps)


def vgg_title(config: Deep) -> str:
    """ "VGG-11", "VGG-16 BN"."""
    return f"VGG-{sum(config.blocks) + 3}" + (" BN" if config.norm else "")


def _titled(name: str) -> Callable[[Wide], str]:
    """With the width behind."""
    return lambda config: " ".join(filter(None, [name, config.arch, f"{config.width:g}x"]))


def _pictures(config: Config) -> Input:
    """MindCV's usual pipeline: short side 256, centre 224, ImageNet's mean and deviation."""
    return imagenet_input("cv2")


MINDCV = (
    Architecture("ResNet", resnets, resnet_title, classifier(resnet, _pictures)),
    Architecture("MobileNetV1", mobilenets_v1, _titled("MobileNetV1"), classifier(mobilenet_v1, _pictures)),
    Architecture("MobileNet", mobilenets_v2, _titled("MobileNetV2"), classifier(mobilenet_v2, _pictures)),
    Architecture("MobileNetV3", mobilenets_v3, _titled("MobileNetV3"), classifier(mobilenet_v3, _pictures)),
    Architecture("VGG", vggs, vgg_title, classifier(vgg, _pictures)),
    Architecture("SqueezeNet", squeezenets, lambda c: f"SqueezeNet {c.arch}", classifier(squeezenet, _pictures)),
    Architecture("ShuffleNet_v2", shufflenets_v2, _titled("ShuffleNetV2"), classifier(shufflenet_v2, _pictures)),
    Architecture("LeNet", lenets, lambda c: "LeNet-5", classifier(lenet, lambda c: digits_input())),
)
