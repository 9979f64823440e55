"""timm's names for the layers of networks that have a page here (timm/models/efficientnet.py, 1.0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..runtime.model.card import Input
from .architecture import imagenet_input
from .layouts import Layout, Rules
from .pages import MOBILENET_V2
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
    """Short side 256, centre 224, ImageNet's mean and std. timm's bicubic is no step of a card: assumed.py says so."""
    return imagenet_input()


TOOL = "timm"
TIMM = (Layout(TOOL, (MOBILENET_V2,), mobilenet_v2, _entry),)
