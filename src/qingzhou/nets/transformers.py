"""The names of Hugging Face's transformers for the layers of networks that have a page here: ResNet and ViT."""

from __future__ import annotations

from ..runtime.model.card import Input
from .architecture import imagenet_input
from .layouts import Layout, Rules
from .pages import RESNET, VIT
from .shapes import Shapes

RESNET_RULES: Rules = (
    ("resnet.embedder.embedder.convolution", "backbone.conv1"),
    ("resnet.embedder.embedder.normalization", "backbone.bn1"),
    *(
        (f"resnet.encoder.stages.{i}.layers.{{}}.{theirs}.{part}", f"backbone.layer{i + 1}.{{}}.{ours}")
        for i in range(4)
        for theirs, ours_of in (
            ("shortcut", ("downsample.0", "downsample.1")),
            *((f"layer.{k}", (f"conv{k + 1}", f"bn{k + 1}")) for k in range(3)),
        )
        for part, ours in zip(("convolution", "normalization"), ours_of, strict=True)
    ),
    ("classifier.1", "head.fc"),
)
LAYER = "vit.encoder.layer.{}"
VIT_RULES: Rules = (
    ("vit.embeddings.cls_token", "cls_token"),
    ("vit.embeddings.position_embeddings", "pos_embed"),
    ("vit.embeddings.patch_embeddings.projection", "patch_embed.proj"),
    *((f"{LAYER}.attention.attention.{name}", f"blocks.{{}}.attn.{name}") for name in ("query", "key", "value")),
    (f"{LAYER}.attention.output.dense", "blocks.{}.attn.proj"),
    (f"{LAYER}.intermediate.dense", "blocks.{}.mlp.fc1"),
    (f"{LAYER}.output.dense", "blocks.{}.mlp.fc2"),
    (f"{LAYER}.layernorm_before", "blocks.{}.norm1"),
    (f"{LAYER}.layernorm_after", "blocks.{}.norm2"),
    ("vit.layernorm", "norm"),
    ("classifier", "head"),
)


def resnet(shapes: Shapes) -> Rules:
    """Its stages begin with a stride but for the first, as config.json has it by default."""
    return RESNET_RULES if "resnet.embedder.embedder.convolution.weight" in shapes else ()


def vit(shapes: Shapes) -> Rules:
    """Queries, keys and values are three tensors."""
    return VIT_RULES if "vit.embeddings.patch_embeddings.projection.weight" in shapes else ()


def _entry() -> Input:
    """What preprocessor_config.json says stands in its place, where it lies beside."""
    return imagenet_input()


TOOL = "transformers"
TRANSFORMERS = (Layout(TOOL, (RESNET,), resnet, _entry), Layout(TOOL, (VIT,), vit))
