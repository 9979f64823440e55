"""ViT (Dosovitskiy et al. 2021) and DeiT (Touvron et al. 2021), names as in timm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import isqrt

from ..errors import UnsupportedCheckpoint
from ..graph.form import Value
from ..graph.record import Recorder
from ..runtime.model.card import Input
from ..spelling import option
from .architecture import Architecture, Config, classifier, imagenet_input
from .attention import attention, heads_of, mlp, scaled
from .shapes import Shapes, agreed, children, class_counts, size

EPS = {False: 1e-6, True: 1e-12}  # of timm's and torchvision's, and of transformers', whose layers are apart
NAMES = {192: "Ti", 384: "S", 768: "B", 1024: "L", 1280: "H", 1408: "g"}


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Layers, features, those between the two linear layers, sides of a patch and of the picture.

    tokens   that stand before the patches: class_token, and dist_token of a distilled DeiT
    scales   each branch has trained factors;  before: there is a LayerNorm before the layers (CLIP)
    averaged the mean of the patches is classified (`fc_norm`), not the class's token
    biased   the first convolution has a bias;  apart: queries, keys and values are three layers
    """

    layers: int
    width: int
    inner: int
    patch: int
    side: int
    tokens: tuple[str, ...]
    scales: bool
    before: bool
    averaged: bool
    biased: bool
    apart: bool

    @property
    def heads(self) -> int:
        """Of the attention: as the user or a config.json says, else as published; UnsupportedCheckpoint."""
        found = self.settings.said.heads or heads_of(self.width)
        if not found or self.width % found:
            raise UnsupportedCheckpoint(
                en=f"How many heads the attention of a vision transformer has is in no tensor, and with {self.width} "
                f"features there are not {found or 'any known'}. Say it: {option('details', 'heads=6')}.",
                zh=f"视觉 Transformer 的注意力头数不在张量里，{self.width} 个特征也推不出来。"
                f"请指明：{option('details', 'heads=6')}。",
            )
        return found


def vit(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, side, side) -> (N, classes) logits."""
    x = tokens(
        net, net.conv("patch_embed.proj", x, config.width, config.patch, config.patch, 0, bias=config.biased), config
    )
    x = net.layer_norm("norm_pre", x, EPS[config.apart]) if config.before else x
    for i in range(config.layers):
        x = layer(net, f"blocks.{i}", x, config)
    if config.averaged:
        patches = net.slice(x, 1, len(config.tokens), int(x.shape[1]), "patches")
        x = net.global_pool(net.transpose(patches, (0, 2, 1), "features"), "mean")
        return net.linear("head", net.layer_norm("fc_norm", x, EPS[config.apart]), config.classes)
    x = net.layer_norm("norm", x, EPS[config.apart])
    ends = [
        net.linear(f"head{end}", net.select(x, 1, i, f"token{end}"), config.classes)
        for i, end in enumerate(_heads(config))
    ]
    if len(ends) == 1:
        return ends[0]
    total = net.add(ends[0], ends[1], "heads")
    return net.op("Mul", "heads.mean", [total, net.number(0.5, "heads.mean")], total.shape)


def _heads(config: Sizes) -> tuple[str, ...]:
    """A distilled DeiT answers with the mean of two (section 3.1 of the paper)."""
    return ("", "_dist")[: len(config.tokens)]


def tokens(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, C, h, w) -> (N, tokens + h * w, C), each with its place."""
    batch, width, high, wide = x.shape
    x = net.reshape(x, (batch, width, int(high) * int(wide)), "patches.flat")
    x = net.transpose(x, (0, 2, 1), "patches.last")
    first = [net.param(name, (1, 1, config.width)) for name in config.tokens]
    length = len(first) + int(high) * int(wide)
    x = net.op("Concat", "tokens", [*first, x], (batch, length, config.width), axis=1)
    return net.op("Add", "placed", [x, net.param("pos_embed", (1, length, config.width))], x.shape)


def layer(net: Recorder, key: str, x: Value, config: Sizes) -> Value:
    """Attention and two linear layers, each after a LayerNorm and beside a shortcut."""
    y = attention(
        net, f"{key}.attn", net.layer_norm(f"{key}.norm1", x, EPS[config.apart]), config.heads, apart=config.apart
    )
    x = net.add(x, scaled(net, f"{key}.ls1.gamma", y) if config.scales else y, f"{key}.add1")
    y = mlp(
        net, (f"{key}.mlp.fc1", f"{key}.mlp.fc2"), net.layer_norm(f"{key}.norm2", x, EPS[config.apart]), config.inner
    )
    return net.add(x, scaled(net, f"{key}.ls2.gamma", y) if config.scales else y, f"{key}.add2")


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """All shows but the number of heads; the picture is square."""
    width, patch = size(shapes, "patch_embed.proj.weight"), size(shapes, "patch_embed.proj.weight", 2)
    names = tuple(name for name in ("cls_token", "dist_token") if name in shapes)
    places = size(shapes, "pos_embed", 1) - len(names)
    apart = "blocks.0.attn.query.weight" in shapes
    there = apart or "blocks.0.attn.qkv.weight" in shapes
    if not width or not there or places < 1 or isqrt(places) ** 2 != places or not names:
        return
    found = Sizes(
        classes=0,
        layers=len(children(shapes, "blocks.")),
        width=width,
        inner=agreed(shapes, ("blocks.0.mlp.fc1.weight", 0), ("blocks.0.mlp.fc1.bias", 0)),
        patch=patch,
        side=isqrt(places) * patch,
        tokens=names,
        scales="blocks.0.ls1.gamma" in shapes,
        before="norm_pre.weight" in shapes,
        averaged="fc_norm.weight" in shapes,
        biased="patch_embed.proj.bias" in shapes,
        apart=apart,
    )
    for classes in class_counts(shapes, "head"):
        yield replace(found, classes=classes)


def title(config: Sizes) -> str:
    """ViT-B/16, DeiT-Ti/16 (distilled)."""
    name = f"{NAMES.get(config.width, config.width)}/{config.patch}"
    return f"DeiT-{name} distilled" if len(config.tokens) == 2 else f"ViT-{name}"


def entry(config: Sizes) -> Input:
    """A picture of the size that the places are made for."""
    return imagenet_input(side=config.side, short=256 if config.side == 224 else config.side)


VIT = Architecture("ViT", configs, title, classifier(vit, entry))
