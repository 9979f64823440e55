"""torchvision's names for the layers of networks that have a page here (torchvision/models, 0.28).

timm's ResNets and ResNeXts have the same names; nothing in a file tells the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ..errors import say
from ..runtime.model.card import Input
from ..spelling import option
from . import torchvision_blocks as blocks
from .architecture import Candidate, imagenet_input
from .layouts import OWN, Layout, Rules
from .pages import (
    ALEXNET,
    CONVNEXT,
    DENSENET,
    EFFICIENTNET_OF_TORCHVISION,
    EFFICIENTNET_V2_OF_TORCHVISION,
    GOOGLENET,
    INCEPTION,
    MNASNET,
    MOBILENET_V2,
    MOBILENET_V3,
    REGNET,
    RESNET,
    RESNEXT,
    SHUFFLENET_V2,
    SQUEEZENET,
    SWIN,
    VGG,
    VIT,
)
from .settings import Settings
from .shapes import Shapes, children, size
from .timm import smoothed

RESNET_RULES: Rules = (
    ("conv1", "backbone.conv1"),
    ("bn1", "backbone.bn1"),
    ("layer{}.{}.conv{}", "backbone.layer{}.{}.conv{}"),
    ("layer{}.{}.bn{}", "backbone.layer{}.{}.bn{}"),
    ("layer{}.{}.downsample.{}", "backbone.layer{}.{}.downsample.{}"),
    ("fc", "head.fc"),
)
V3_PART = re.compile(r"features\.(\d{1,6})\.(?:block\.(\d{1,6})\.(fc)?)?")
REGNET_RULES: Rules = (
    ("stem.0", "backbone.conv1"),
    ("stem.1", "backbone.bn1"),
    *(
        (f"trunk_output.block{i}.block{i}-{{}}.{theirs}", f"backbone.layer{i}.{{}}.{ours}")
        for i in (1, 2, 3, 4)
        for theirs, ours in (
            *(("f.a.0", "conv1"), ("f.a.1", "bn1"), ("f.b.0", "conv2"), ("f.b.1", "bn2")),
            *(("f.c.0", "conv3"), ("f.c.1", "bn3"), ("proj.0", "downsample.0"), ("proj.1", "downsample.1")),
            *(("f.se.fc1", "se.conv1"), ("f.se.fc2", "se.conv2")),
        )
    ),
    ("fc", "head.fc"),
)
SHUFFLENET_RULES: Rules = (
    ("conv1.0", "backbone.conv1.conv"),
    ("conv1.1", "backbone.conv1.bn"),
    *(
        (f"stage{stage}.{{}}.{theirs}", f"backbone.layers.{stage - 2}.{{}}.{ours}")
        for stage in (2, 3, 4)
        for theirs, ours in (
            *(("branch1.0", "branch1.0.conv"), ("branch1.1", "branch1.0.bn")),
            *(("branch1.2", "branch1.1.conv"), ("branch1.3", "branch1.1.bn")),
            *(("branch2.0", "branch2.0.conv"), ("branch2.1", "branch2.0.bn")),
            *(("branch2.3", "branch2.1.conv"), ("branch2.4", "branch2.1.bn")),
            *(("branch2.5", "branch2.2.conv"), ("branch2.6", "branch2.2.bn")),
        )
    ),
    ("conv5.0", "backbone.layers.3.conv"),
    ("conv5.1", "backbone.layers.3.bn"),
    ("fc", "head.fc"),
)


def resnet(shapes: Shapes) -> Rules:
    """Only with the 7x7 of the paper: where people put a 3x3, its stride and whether a pooling follows are unknown.
    None with squeeze-and-excitation either, as timm's SE-ResNets have.
    """
    return RESNET_RULES if size(shapes, "conv1.weight", 3) == 7 and not _squeezed(shapes) else ()


def regnet(shapes: Shapes) -> Rules:
    """RegNetX, and Y with its squeeze-and-excitation."""
    return REGNET_RULES if "trunk_output.block1.block1-0.f.a.0.weight" in shapes else ()


def _squeezed(shapes: Shapes) -> bool:
    return any(".se." in key for key in shapes)


def shufflenet_v2(shapes: Shapes) -> Rules:
    """Two or three convolutions in each branch, numbered with their BatchNorms and activations."""
    return SHUFFLENET_RULES if "stage2.0.branch1.0.weight" in shapes else ()


def mobilenet_v2(shapes: Shapes) -> Rules:
    """Blocks are numbered through all stages; the first has no expansion."""
    return tuple(_mobilenet_v2()) if "features.1.conv.0.0.weight" in shapes else ()


def _mobilenet_v2() -> Iterator[tuple[str, str]]:
    from .mobilenet_v2 import STAGES

    blocks = [(i, j) for i, (_, _, repeats, _) in enumerate(STAGES, start=1) for j in range(repeats)]
    yield from _conv_bn("features.0", "backbone.conv1")
    for number, (i, j) in enumerate(blocks, start=1):
        theirs, ours = f"features.{number}.conv", f"backbone.layer{i}.{j}.conv"
        last = 1 if STAGES[i - 1][0] == 1 else 2
        for k in range(last):
            yield from _conv_bn(f"{theirs}.{k}", f"{ours}.{k}")
        yield from ((f"{theirs}.{last}", f"{ours}.{last}.conv"), (f"{theirs}.{last + 1}", f"{ours}.{last}.bn"))
    yield from _conv_bn(f"features.{len(blocks) + 1}", "backbone.conv2")
    yield "classifier.1", "head.fc"


def _conv_bn(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    """Conv2dNormActivation, and mmcv's ConvModule."""
    return (f"{theirs}.0", f"{ours}.conv"), (f"{theirs}.1", f"{ours}.bn")


def mobilenet_v3(shapes: Shapes) -> Rules:
    """In each block convolutions with their BatchNorms and, in some, squeeze-and-excite before the last."""
    return tuple(_mobilenet_v3(shapes)) if any(key.startswith("features.1.block.0.0.") for key in shapes) else ()


def _mobilenet_v3(shapes: Shapes) -> Iterator[tuple[str, str]]:
    blocks: dict[int, set[tuple[int, bool]]] = {}  # of each the numbers of its parts, and whether they are gates
    for matched in filter(None, map(V3_PART.match, shapes)):
        number, part, gate = matched.groups()
        blocks.setdefault(int(number), set()).update([(int(part), bool(gate))] if part else [])
    for number, parts in sorted(blocks.items()):
        theirs, ours = f"features.{number}.block", f"backbone.layer{number}"
        gates, convs = ([k for k, gate in sorted(parts) if gate == wanted] for wanted in (True, False))
        for k in gates:
            yield from ((f"{theirs}.{k}.fc{i}", f"{ours}.se.conv{i}.conv") for i in (1, 2))
        for k, name in zip(convs[::-1], ("linear_conv", "depthwise_conv", "expand_conv"), strict=False):
            yield from _conv_bn(f"{theirs}.{k}", f"{ours}.{name}")
        if not parts:
            yield from _conv_bn(f"features.{number}", ours)
    yield from (("classifier.0", "head.layers.0.fc"), ("classifier.3", "head.layers.1.fc"))


def vgg(shapes: Shapes) -> Rules:
    """Convolutions, BatchNorms and activations are numbered through; on the page convolutions and poolings are."""
    weights = {n: shapes.get(f"features.{n}.weight", ()) for n in children(shapes, "features.")}
    convs = [n for n, shape in weights.items() if len(shape) == 4]
    if "classifier.6.weight" not in shapes:
        return ()
    from .vgg import DEPTHS

    depth = next((depth for depth in DEPTHS if depth == len(convs) + 3), None)
    if depth is None:
        return ()
    stages = [stage for stage, repeats in enumerate(DEPTHS[depth]) for _ in range(repeats)]
    places = [i + stage for i, stage in enumerate(stages)]  # a pooling after each stage has a number, too
    return (
        *((f"features.{n}", f"backbone.features.{place}.conv") for n, place in zip(convs, places, strict=True)),
        *((f"features.{n + 1}", f"backbone.features.{place}.bn") for n, place in zip(convs, places, strict=True)),
        *((f"classifier.{i}", f"backbone.classifier.{i}") for i in (0, 3, 6)),
    )


def squeezenet(shapes: Shapes) -> Rules:
    """The page has torchvision's own names."""
    fire = (f"features.{{}}.{part}" for part in ("squeeze", "expand1x1", "expand3x3"))
    layers = ("features.{}", *fire, "classifier.1") if "features.3.squeeze.weight" in shapes else ()
    return tuple((layer, layer) for layer in layers)


def _entry() -> Input:
    """IMAGENET1K_V1: short side 256 with Pillow's bilinear, centre 224, ImageNet's mean and std."""
    return imagenet_input()


def own(*telling: str) -> Callable[[Shapes], Rules]:
    """The page has torchvision's own names, among them these."""
    return lambda shapes: OWN if all(key in shapes for key in telling) else ()


def _averaged(settings: Settings, found: Candidate) -> str:
    """torchvision/models/googlenet.py, inception.py: transform_input is no tensor."""
    if settings.said.transform_input is not None:
        return ""
    return say(
        en="Whether torchvision's transform_input was set is in no tensor; it was taken to be where its own weights "
        f"were the start. Set it with {option('details', 'transform_input=no')} (or yes).",
        zh="张量里看不出 torchvision 的 transform_input 是否开启；这里按“从其官方权重开始训练时开启”处理。"
        f"可用 {option('details', 'transform_input=no')}（或 yes）指定。",
    )


TOOL, EITHER = "torchvision", "torchvision/timm"
TORCHVISION = (
    Layout(EITHER, (RESNET, RESNEXT), resnet, _entry, smoothed),
    Layout(TOOL, (REGNET,), regnet, _entry),
    Layout(TOOL, (MOBILENET_V2,), mobilenet_v2, _entry),
    Layout(TOOL, (MOBILENET_V3,), mobilenet_v3, _entry),
    Layout(TOOL, (SHUFFLENET_V2,), shufflenet_v2, _entry),
    Layout(TOOL, (VGG,), vgg, _entry),
    Layout(TOOL, (SQUEEZENET,), squeezenet, _entry),
    Layout(TOOL, (ALEXNET,), own("features.10.weight", "classifier.6.weight"), _entry),
    Layout(EITHER, (DENSENET,), own("features.denseblock1.denselayer1.conv1.weight"), _entry),
    Layout(TOOL, (GOOGLENET,), own("inception3a.branch1.conv.weight"), _entry, _averaged),
    Layout(EITHER, (INCEPTION,), own("Mixed_5b.branch1x1.conv.weight"), unsaid=_averaged),
    Layout(TOOL, (EFFICIENTNET_OF_TORCHVISION,), blocks.efficientnet, interpolation="bicubic"),
    Layout(TOOL, (EFFICIENTNET_V2_OF_TORCHVISION,), blocks.efficientnet),
    Layout(TOOL, (MNASNET,), blocks.mnasnet),
    Layout(TOOL, (CONVNEXT,), own("features.1.0.layer_scale")),
    Layout(TOOL, (VIT,), blocks.vit),
    Layout(TOOL, (SWIN,), own("features.1.0.attn.relative_position_bias_table")),
)
