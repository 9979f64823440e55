"""Paddle's names for the layers of networks that have a page here (paddle.vision.models, 3.3).

Its tensors come with PyTorch's last part ("running_mean") and with linear weights turned (sources/paddle/state.py), and
with a mark before their names, so that they are never taken for another tool's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import say
from . import torchvision
from .architecture import Candidate, imagenet_input
from .layouts import Layout, Rules
from .pages import (
    LENET_OF_PADDLE,
    MOBILENET_V1,
    MOBILENET_V2,
    MOBILENET_V3,
    RESNET,
    RESNEXT,
    SHUFFLENET_V2,
    SQUEEZENET_OF_PADDLE,
    VGG,
)
from .settings import Settings
from .shapes import Shapes

MARK = "paddle/"


def marked(rules: Callable[[Shapes], Rules]) -> Callable[[Shapes], Rules]:
    """Rules for names without the mark, as rules for names with it."""

    def found(shapes: Shapes) -> Rules:
        own = {key.removeprefix(MARK): shape for key, shape in shapes.items() if key.startswith(MARK)}
        return tuple((MARK + theirs, ours) for theirs, ours in rules(own)) if own else ()

    return found


def same(*telling: str) -> Callable[[Shapes], Rules]:
    """The page has Paddle's own names, among them these."""

    def rules(shapes: Shapes) -> Rules:
        layers = dict.fromkeys(key.rpartition(".")[0] for key in shapes)
        return tuple((layer, layer) for layer in layers) if all(key in shapes for key in telling) else ()

    return rules


def shufflenet_v2(shapes: Shapes) -> Rules:
    """Blocks are called by their stage and number: 2_1 to 4_4."""
    return tuple(_shufflenet()) if "2_1._conv_dw_1.0.weight" in shapes else ()


def _shufflenet() -> Iterator[tuple[str, str]]:
    from .shufflenet_v2 import REPEATS

    yield from _conv_bn("_conv1", "backbone.conv1")
    first = {"_conv_dw_1": "branch1.0", "_conv_linear_1": "branch1.1", "_conv_pw_2": "branch2.0",
             "_conv_dw_2": "branch2.1", "_conv_linear_2": "branch2.2"}  # fmt: skip
    others = {"_conv_pw": "branch2.0", "_conv_dw": "branch2.1", "_conv_linear": "branch2.2"}
    for i, repeats in enumerate(REPEATS):
        for j in range(repeats):
            for theirs, ours in (others if j else first).items():
                yield from _conv_bn(f"{i + 2}_{j + 1}.{theirs}", f"backbone.layers.{i}.{j}.{ours}")
    yield from _conv_bn("_last_conv", "backbone.layers.3")
    yield "_fc", "head.fc"


def mobilenet_v3(shapes: Shapes) -> Rules:
    """Blocks are numbered from 0, with names for their parts."""
    blocks = {key.split(".")[1] for key in shapes if key.startswith("blocks.")}
    count = len(blocks) if blocks == {str(i) for i in range(len(blocks))} else 0
    return tuple(_mobilenet_v3(count)) if count and "blocks.0.bottleneck_conv.0.weight" in shapes else ()


def _mobilenet_v3(count: int) -> Iterator[tuple[str, str]]:
    yield from _conv_bn("conv", "backbone.layer0")
    parts = {"expand_conv": "expand_conv", "bottleneck_conv": "depthwise_conv", "linear_conv": "linear_conv"}
    for i in range(count):
        for theirs, ours in parts.items():
            yield from _conv_bn(f"blocks.{i}.{theirs}", f"backbone.layer{i + 1}.{ours}")
        yield from ((f"blocks.{i}.mid_se.fc{k}", f"backbone.layer{i + 1}.se.conv{k}.conv") for k in (1, 2))
    yield from _conv_bn("lastconv", f"backbone.layer{count + 1}")
    yield from (("classifier.0", "head.layers.0.fc"), ("classifier.3", "head.layers.1.fc"))


def _conv_bn(theirs: str, ours: str) -> tuple[tuple[str, str], ...]:
    """ConvNormActivation, and mmcv's ConvModule."""
    return (f"{theirs}.0", f"{ours}.conv"), (f"{theirs}.1", f"{ours}.bn")


def _swish(settings: Settings, found: Candidate) -> str:
    """Its activation is in no tensor."""
    return say(
        en="shufflenet_v2_swish has the same tensors; this was taken for the one with ReLU. Of the other, export the "
        "network with paddle.jit.save.",
        zh="shufflenet_v2_swish 的张量与此完全相同；这里按 ReLU 版本处理。"
        "如果是 Swish 版本，请用 paddle.jit.save 导出网络。",
    )


PADDLE = (
    Layout("Paddle", (RESNET, RESNEXT), marked(torchvision.resnet), imagenet_input),
    Layout("Paddle", (VGG,), marked(torchvision.vgg), imagenet_input),
    Layout("Paddle", (MOBILENET_V1,), marked(same("conv2_1._depthwise_conv.0.weight")), imagenet_input),
    Layout("Paddle", (MOBILENET_V2,), marked(torchvision.mobilenet_v2), imagenet_input),
    Layout("Paddle", (MOBILENET_V3,), marked(mobilenet_v3), imagenet_input),
    Layout("Paddle", (SHUFFLENET_V2,), marked(shufflenet_v2), imagenet_input, _swish),
    Layout("Paddle", (SQUEEZENET_OF_PADDLE,), marked(same("_conv1._conv._conv.weight"))),
    Layout("Paddle", (LENET_OF_PADDLE,), marked(same("features.3.weight", "fc.2.weight"))),
)
