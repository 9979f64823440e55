"""timm's names for the layers of networks that have a page here (timm/models/efficientnet.py, 1.0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import say
from ..runtime.model.card import Input
from ..spelling import option
from .architecture import Candidate, imagenet_input
from .layouts import OWN, Layout, Rules
from .pages import (
    CONVNEXT,
    EFFICIENTNET,
    MNASNET,
    MOBILENET_V2,
    MOBILENET_V3_OF_TIMM,
    MOBILENET_V4,
    RESNET,
    RESNEXT,
    SWIN,
    VIT,
)
from .said import TAKEN
from .settings import Settings
from .shapes import Shapes, children

# What the layers of a block are called, and the place of each convolution with its BatchNorm on the page
FIRST = (("conv_dw", "0.conv"), ("bn1", "0.bn"), ("conv_pw", "1.conv"), ("bn2", "1.bn"))
LATER = (
    *(("conv_pw", "0.conv"), ("bn1", "0.bn"), ("conv_dw", "1.conv"), ("bn2", "1.bn")),
    *(("conv_pwl", "2.conv"), ("bn3", "2.bn")),
)


def mobilenet_v2(shapes: Shapes) -> Rules:
    """timm's EfficientNets, MnasNets and deeper MobileNetV2 have the same names, but other numbers of blocks."""
    if not any(key.startswith("blocks.0.") for key in shapes):
        return ()
    from .mobilenet_v2 import STAGES

    blocks = [len(children(shapes, f"blocks.{i}.")) for i in range(len(STAGES))]
    return tuple(_rules(STAGES)) if blocks == [repeats for _, _, repeats, _ in STAGES] else ()


def _rules(stages: Sequence[tuple[int, int, int, int]]) -> Iterator[tuple[str, str]]:
    yield from (("conv_stem", "backbone.conv1.conv"), ("bn1", "backbone.conv1.bn"))
    for i, (expand, *_) in enumerate(stages):
        for theirs, ours in FIRST if expand == 1 else LATER:
            yield f"blocks.{i}.{{}}.{theirs}", f"backbone.layer{i + 1}.{{}}.conv.{ours}"
    yield from (("conv_head", "backbone.conv2.conv"), ("bn2", "backbone.conv2.bn"), ("classifier", "head.fc"))


def _entry() -> Input:
    """Short side 256, centre 224, ImageNet's mean and std."""
    return imagenet_input()


RESNET_D_RULES: Rules = (
    *((f"conv1.{3 * i}", f"backbone.stem.{i}.conv") for i in range(3)),
    *((f"conv1.{3 * i + 1}", f"backbone.stem.{i}.bn") for i in range(2)),
    ("bn1", "backbone.stem.2.bn"),
    ("layer{}.{}.conv{}", "backbone.layer{}.{}.conv{}"),
    ("layer{}.{}.bn{}", "backbone.layer{}.{}.bn{}"),
    *((f"layer1.0.downsample.{i + 1}", f"backbone.layer1.0.downsample.{i}") for i in range(2)),
    *(("layer{}.0.downsample.{}", "backbone.layer{}.0.downsample.{}"), ("fc", "head.fc")),
)
CONVNEXT_RULES: Rules = (
    *(("stem.0", "features.0.0"), ("stem.1", "features.0.1")),
    *((f"stages.{i}.downsample.{{}}", f"features.{2 * i}.{{}}") for i in (1, 2, 3)),
    *(
        (f"stages.{i}.blocks.{{}}.{theirs}", f"features.{2 * i + 1}.{{}}.{ours}")
        for i in range(4)
        for theirs, ours in (
            *(("gamma", "layer_scale"), ("conv_dw", "block.0"), ("norm", "block.2")),
            *(("mlp.fc1", "block.3"), ("mlp.fc2", "block.5")),
        )
    ),
    *(("head.norm", "classifier.0"), ("head.fc", "classifier.2")),
)
SWIN_RULES: Rules = (
    *(("patch_embed.proj", "features.0.0"), ("patch_embed.norm", "features.0.2")),
    *(
        (f"layers.{i}.blocks.{{}}.{theirs}", f"features.{2 * i + 1}.{{}}.{ours}")
        for i in range(4)
        for theirs, ours in (
            *((name, name) for name in ("norm1", "attn", "attn.qkv", "attn.proj", "norm2")),
            *(("mlp.fc1", "mlp.0"), ("mlp.fc2", "mlp.3")),
        )
    ),
    *(
        (f"layers.{i}.downsample.{name}", f"features.{2 * i}.{name}")
        for i in (1, 2, 3)
        for name in ("norm", "reduction")
    ),
    *(("norm", "norm"), ("head.fc", "head")),
)


def resnet_d(shapes: Shapes) -> Rules:
    """Three 3x3 convolutions at the start, and a pooling before the convolution of a shortcut."""
    there = "conv1.6.weight" in shapes and "layer2.0.downsample.2.weight" in shapes
    return RESNET_D_RULES if there and not any(".se." in key for key in shapes) else ()


def convnext(shapes: Shapes) -> Rules:
    """The first of them; ConvNeXtV2 has another normalisation in the place of `gamma`."""
    return CONVNEXT_RULES if "stages.0.blocks.0.gamma" in shapes else ()


def swin(shapes: Shapes) -> Rules:
    """Since timm 0.9 a stage begins with its merging; before, the one before ended with it."""
    return SWIN_RULES if "layers.1.downsample.reduction.weight" in shapes and "head.fc.weight" in shapes else ()


def efficientnet_of(shapes: Shapes) -> Rules:
    """The page has timm's names; MobileNetV2 has a page of its own."""
    return OWN if "conv_stem.weight" in shapes else ()


def vit(shapes: Shapes) -> Rules:
    """The page has timm's names."""
    return OWN if "patch_embed.proj.weight" in shapes and "blocks.0.attn.qkv.weight" in shapes else ()


V3_WIDTHS = {
    (960, "large"): "large_100",
    (720, "large"): "large_075",
    (576, "small"): "small_100",
    (432, "small"): "small_075",
}
# A network, and those of timm with the same tensors that smooth before they halve the size (aa_layer has none)
SMOOTHED = {
    "ResNet-18": "resnetblur18",
    "ResNet-50": "resnetblur50, resnetaa50",
    "ResNetV1d-34": "resnetaa34d",
    "ResNetV1d-50": "resnetblur50d, resnetaa50d",
    "ResNetV1d-101": "resnetblur101d, resnetaa101d",
    "EfficientNet-B0": "efficientnet_blur_b0",
    "MobileNetV4 medium": "mobilenetv4_conv_blur_medium, mobilenetv4_conv_aa_medium",
    "MobileNetV4 large": "mobilenetv4_conv_aa_large",
}


def of_tensorflow(found: Candidate) -> str:
    """timm's network with tf_ before its name that has the same tensors; "" where there is none.

    timm/models/efficientnet.py, mobilenetv3.py (1.0.31): another padding and another eps.
    """
    from .efficientnet import Sizes

    config = found.config
    if not isinstance(config, Sizes) or config.pruned:
        return ""
    family, size = config.family.title, config.scale[0]
    if family == "EfficientNet":
        return f"tf_efficientnet_{size[1:].lower()}" if size else ""
    if family == "EfficientNet-lite":
        return f"tf_efficientnet_lite{size}" if size else ""
    if family == "EfficientNetV2":
        return f"tf_efficientnetv2_{size[1:].lower()}" if size else ""
    if not family.startswith("MobileNetV3"):
        return ""
    kind = "large" if "large" in family else "small"
    width = V3_WIDTHS.get((config.stages[-1][-1].channels, kind), "")
    if "minimal" in family:
        return f"tf_mobilenetv3_{kind}_minimal_100" if width.endswith("100") else ""
    return f"tf_mobilenetv3_{width}" if width else ""


def _like_tensorflow(settings: Settings, found: Candidate) -> str:
    name = of_tensorflow(found)
    if settings.network or settings.said.padding or not name:
        return smoothed(settings, found)
    text = say(
        en=f"timm's {name} has the same tensors, and another padding and eps; this was taken for the one without tf_. "
        f"If it is not, say so: {option('network', name)}.",
        zh=f"timm 的 {name} 张量相同，但填充方式和 eps 不同；这里按不带 tf_ 的网络处理。"
        f"如果不是，请指明：{option('network', name)}。",
    )
    return f"{text} {smoothed(settings, found)}".strip()


def smoothed(settings: Settings, found: Candidate) -> str:
    """On timm's networks of which no tensor says that they are others (timm 1.0.31)."""
    names = SMOOTHED.get(found.title, "")
    if not names:
        return ""
    return say(
        en=f"Of timm's networks {names} has the same tensors and answers otherwise: it smooths before it halves the "
        "size. This was taken for the plain network. If it is that one, convert it in the program that has it, where "
        f"torch.export writes everything down: {TAKEN}.",
        zh=f"timm 的 {names} 张量相同而结果不同（缩小前先平滑）；这里按普通网络处理。"
        f"如果是那种网络，请在有它的程序里转换（由 torch.export 完整写出）：{TAKEN}。",
    )


TOOL, WAY = "timm", "bicubic"
TIMM = (
    Layout(TOOL, (MOBILENET_V2,), mobilenet_v2, _entry, interpolation=WAY),
    Layout(
        TOOL,
        (EFFICIENTNET, MOBILENET_V3_OF_TIMM, MOBILENET_V4, MNASNET),
        efficientnet_of,
        unsaid=_like_tensorflow,
        interpolation=WAY,
    ),
    Layout(
        TOOL,
        (RESNET, RESNEXT),
        resnet_d,
        _entry,
        unsaid=smoothed,
        interpolation=WAY,
    ),
    Layout(TOOL, (CONVNEXT,), convnext, interpolation=WAY),
    Layout(TOOL, (VIT,), vit, interpolation=WAY),
    Layout(TOOL, (SWIN,), swin, interpolation=WAY),
)
