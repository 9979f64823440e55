"""torchvision's names for networks whose pages have timm's: EfficientNet, MnasNet, ViT (torchvision/models, 0.28)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .layouts import Rules
from .shapes import Shapes, children

VIT_LAYER = "encoder.layers.encoder_layer_{}"
VIT_RULES: Rules = (
    ("class_token", "cls_token"),
    ("encoder.pos_embedding", "pos_embed"),
    ("conv_proj", "patch_embed.proj"),
    ("encoder.ln", "norm"),
    ("heads.head", "head"),
    (f"{VIT_LAYER}.self_attention.in_proj_weight", "blocks.{}.attn.qkv.weight"),
    (f"{VIT_LAYER}.self_attention.in_proj_bias", "blocks.{}.attn.qkv.bias"),
    (f"{VIT_LAYER}.self_attention.out_proj", "blocks.{}.attn.proj"),
    (f"{VIT_LAYER}.ln_1", "blocks.{}.norm1"),
    (f"{VIT_LAYER}.ln_2", "blocks.{}.norm2"),
)
MLP = {"mlp.0": ("mlp.0", "mlp.3"), "mlp.linear_1": ("mlp.linear_1", "mlp.linear_2")}  # the last before 0.13
PART = re.compile(r"features\.(\d{1,6})\.(\d{1,6})\.block\.(\d{1,6})\.(fc1|\d{1,6})")


def vit(shapes: Shapes) -> Rules:
    """Queries, keys and values are one tensor here, too, but called otherwise."""
    first = VIT_LAYER.format(0)
    layers = next((names for key, names in MLP.items() if f"{first}.{key}.weight" in shapes), None)
    if layers is None:
        return ()
    ends = zip(layers, ("fc1", "fc2"), strict=True)
    return (*VIT_RULES, *((f"{VIT_LAYER}.{theirs}", f"blocks.{{}}.mlp.{ours}") for theirs, ours in ends))


def mnasnet(shapes: Shapes) -> Rules:
    """All layers stand in one row; blocks are rows in it."""
    return tuple(_mnasnet()) if "layers.8.0.layers.0.weight" in shapes else ()


def _mnasnet() -> Iterator[tuple[str, str]]:
    yield from (("layers.0", "conv_stem"), ("layers.1", "bn1"))
    first = ((3, "conv_dw"), (4, "bn1"), (6, "conv_pw"), (7, "bn2"))
    yield from ((f"layers.{place}", f"blocks.0.0.{name}") for place, name in first)
    inner = ((0, "conv_pw"), (1, "bn1"), (3, "conv_dw"), (4, "bn2"), (6, "conv_pwl"), (7, "bn3"))
    for stage in range(8, 14):
        yield from ((f"layers.{stage}.{{}}.layers.{k}", f"blocks.{stage - 7}.{{}}.{name}") for k, name in inner)
    yield from (("layers.14", "conv_head"), ("layers.15", "bn2"), ("classifier.1", "classifier"))


def efficientnet(shapes: Shapes) -> Rules:
    """Stages are numbered after the first convolution; what a block's parts are shows in their number."""
    return tuple(_efficientnet(shapes)) if "features.1.0.block.0.0.weight" in shapes else ()


def _efficientnet(shapes: Shapes) -> Iterator[tuple[str, str]]:
    last = max(children(shapes, "features."))
    yield from (("features.0.0", "conv_stem"), ("features.0.1", "bn1"))
    blocks: dict[tuple[int, int], dict[int, bool]] = {}  # the numbers of its parts, and which of them are gates
    for stage, block, part, inner in (found.groups() for found in filter(None, map(PART.match, shapes))):
        parts = blocks.setdefault((int(stage), int(block)), {})
        parts[int(part)] = parts.get(int(part), False) or inner == "fc1"
    for (stage, block), parts in sorted(blocks.items()):
        yield from _block(f"features.{stage}.{block}.block", f"blocks.{stage - 1}.{block}", parts)
    yield from ((f"features.{last}.0", "conv_head"), (f"features.{last}.1", "bn2"), ("classifier.1", "classifier"))


# How many convolutions a block has, and whether it has a gate -> what timm calls them
NAMES = {
    (1, False): ("conv",),
    (2, False): ("conv_exp", "conv_pwl"),
    (2, True): ("conv_dw", "conv_pw"),
    (3, True): ("conv_pw", "conv_dw", "conv_pwl"),
}


def _block(theirs: str, ours: str, parts: dict[int, bool]) -> Iterator[tuple[str, str]]:
    gates = [part for part, gate in sorted(parts.items()) if gate]
    convs = [part for part, gate in sorted(parts.items()) if not gate]
    for part in gates:
        yield from ((f"{theirs}.{part}.fc{i}", f"{ours}.se.conv_{name}") for i, name in ((1, "reduce"), (2, "expand")))
    for i, (part, name) in enumerate(zip(convs, NAMES.get((len(convs), bool(gates)), ()), strict=False), start=1):
        yield from ((f"{theirs}.{part}.0", f"{ours}.{name}"), (f"{theirs}.{part}.1", f"{ours}.bn{i}"))
