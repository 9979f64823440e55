"""What the config text of a classifier of mmcls or mmpretrain says of its layers and its tensors' shapes do not show.

Followed, or refused by name where it is known to change the answers, or named in a note where it is not known at all.
What only training reads, and what shapes show, is neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ...files.refusals import short
from ...nets.settings import Activation, Layers
from .config_text import UNKNOWN
from .config_values import at, count, number, numbers, share, type_name

RESNETS = ("ResNet", "ResNetV1c", "ResNet_CIFAR", "ResNeXt", "RegNet")
BACKBONES = (*RESNETS, "MobileNetV2", "MobileNetV3", "ShuffleNetV2", "VGG", "RepVGG", "LeNet5")
WITH_ACT = ("MobileNetV2", "ShuffleNetV2", "VGG", "RepVGG")  # those whose activation is a setting
LAST = {"MobileNetV2": 7, "ShuffleNetV2": 3, "RepVGG": 3, **dict.fromkeys(RESNETS, 3)}  # the stage that heads read

SOFTMAX_HEADS = ("ClsHead", "LinearClsHead", "StackedLinearClsHead", "ArcFaceClsHead")
# The type decides, not the loss: a LinearClsHead trained with sigmoids (ResNet strikes back, Wightman et al. 2021)
# answers with a softmax all the same (mmpretrain/models/heads/cls_head.py)
SIGMOID_HEADS = ("MultiLabelClsHead", "MultiLabelLinearClsHead", "CSRAClsHead")
OTHER_HEADS = (
    "MultiTaskHead",
    "ConformerHead",
    "VisionTransformerClsHead",
    "DeiTClsHead",
    "EfficientFormerClsHead",
    "LeViTClsHead",
    "VigClsHead",
    "BEiTV1Head",
    "BEiTV2Head",
    "ITPNClipHead",
)

BATCH_NORMS = ("BN", "BN1d", "BN2d", "SyncBN", "MMSyncBN")
CONVOLUTIONS = ("Conv", "Conv2d")

# mmcv's names (mmcv/cnn/bricks/activation.py) -> ours; its HSigmoid has meant two functions
ACTIVATIONS = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "SiLU": "silu",
    "Swish": "silu",
    "HSwish": "hswish",
    "Hardswish": "hswish",
    "GELU": "gelu",
}
SLOPES = {"LeakyReLU": ("negative_slope", 0.01), "ELU": ("alpha", 1.0)}  # torch's defaults

# What shapes show, and what only training reads
SEEN = {
    "type",
    "arch",
    "depth",
    "in_channels",
    "stem_channels",
    "base_channels",
    "expansion",
    "num_stages",
    "groups",
    "width_per_group",
    "widen_factor",
    "deep_stem",
    "num_classes",
    "with_norm",
    "deploy",
    "norm_cfg",
    "mid_channels",
}
TRAINING = {
    "_scope_",
    "_delete_",
    "pretrained",
    "init_cfg",
    "frozen_stages",
    "norm_eval",
    "with_cp",
    "zero_init_residual",
    "drop_path_rate",
    "loss",
    "cal_acc",
    "dropout_rate",
    "p_trainable",
    "margins",
    "easy_margin",
}
FOLLOWED = {
    "backbone": {
        "strides",
        "dilations",
        "style",
        "out_indices",
        "conv_cfg",
        "act_cfg",
        "avg_down",
        "plugins",
        "ceil_mode",
        "with_last_pool",
        "add_ppf",
    },
    "neck": {"p", "eps", "clamp", "dim"},
    "head": {"thr", "topk", "scale", "num_subcenters", "act_cfg", "lam", "num_heads"},
}


def read_layers(model: object) -> tuple[Layers, list[str]]:
    """The layers of a config's model, and the settings in it that we do not follow; of a detector only the latter."""
    if not isinstance(model, dict):
        return Layers(), []
    reader = _Reader(model)
    if "head" in model:
        return reader.layers(), list(reader.unknown())
    usual = {"strides": (1, 2, 2, 2), "dilations": (1, 1, 1, 1)}
    found = reader.stages(type_name(reader.part("backbone")))
    return Layers(), [f"backbone.{name} = {_text(found[name])}" for name in found if found[name] != usual[name]]


@dataclass
class _Reader:
    """A classifier's backbone, neck and head, and what is refused of them."""

    model: dict[object, object]
    refused: list[str] = field(default_factory=list)

    def layers(self) -> Layers:
        """Everything; what is refused is known last."""
        kind = type_name(self.part("backbone"))
        stages, found = self.stages(kind), self.head()
        self.convolutions(kind)
        eps = self.eps("backbone", None)
        act = self.act("backbone", None)
        if act and kind not in WITH_ACT and act.kind != "relu":
            self.refuse("backbone.act_cfg", act.kind)
        pool = self.neck()
        return replace(
            found,
            strides=stages.get("strides", ()),
            dilations=stages.get("dilations", ()),
            eps=eps,
            act=act if kind in WITH_ACT else None,
            pool_eps=pool,
            pool_mean=type_name(self.part("neck")) == "GeneralizedMeanPooling",
            refused=tuple(self.refused),
        )

    def part(self, name: str) -> object:
        """backbone, neck or head; the last of a list of necks."""
        found = at(self.model, name)
        return found[-1] if isinstance(found, tuple) and found else found

    def expect(self, path: str, done: Sequence[object]) -> None:
        """Refuse a setting that is there and none of these."""
        part, key = path.split(".")
        value = at(self.part(part), key)
        if value is not None and value not in done:
            self.refuse(path, value)

    def refuse(self, path: str, value: object) -> None:
        """Take it down as text."""
        self.refused.append(f"{path} = {_text(value)}")

    def stages(self, kind: str | None) -> dict[str, tuple[int, ...]]:
        """strides and dilations, and which stage the head reads."""
        read = {name: numbers(at(self.part("backbone"), name)) for name in ("strides", "dilations", "out_indices")}
        found: dict[str, tuple[int, ...]] = {}
        for name, usual in (("strides", 2), ("dilations", 1)):
            values = tuple(n for n in map(count, read[name]) if n)
            if kind in RESNETS and len(values) == 4:
                found[name] = values
            elif at(self.part("backbone"), name) is not None and set(read[name]) != {usual}:
                self.refuse(f"backbone.{name}", at(self.part("backbone"), name))
        if read["out_indices"] and max(read["out_indices"]) != LAST.get(kind or "", max(read["out_indices"])):
            self.refuse("backbone.out_indices", at(self.part("backbone"), "out_indices"))
        return found

    def convolutions(self, kind: str | None) -> None:
        """What else of a backbone we know in one way only."""
        for name, done in (("avg_down", False), ("ceil_mode", False), ("with_last_pool", True), ("add_ppf", False)):
            self.expect(f"backbone.{name}", (done,))
        conv = at(self.part("backbone"), "conv_cfg")
        if conv is not None and type_name(conv) not in CONVOLUTIONS:
            self.refuse("backbone.conv_cfg.type", type_name(conv) or conv)
        self.expect("backbone.plugins", ((),))

    def eps(self, part: str, usual: float | None) -> float | None:
        """BatchNorm's eps: torch's 1e-5 where a norm_cfg leaves it out, and the network's own where there is none."""
        norm = at(self.part(part), "norm_cfg")
        if norm is None:
            return usual
        if type_name(norm) not in (*BATCH_NORMS, None):
            self.refuse(f"{part}.norm_cfg.type", type_name(norm))
        eps = number(at(norm, "eps"))
        return eps if eps is not None and 0 <= eps < 1 else 1e-5

    def act(self, part: str, usual: Activation | None) -> Activation | None:
        """act_cfg, which must be an activation that we know."""
        made = self.part(part)
        if not isinstance(made, dict) or "act_cfg" not in made:
            return usual
        kind = type_name(made["act_cfg"]) or ""
        if kind not in ACTIVATIONS:
            self.refuse(f"{part}.act_cfg", kind or made["act_cfg"])
            return usual
        name, slope = SLOPES.get(kind, ("", 0.0))
        said = number(at(made["act_cfg"], name))
        return Activation(ACTIVATIONS[kind], float(slope if said is None else said))

    def neck(self) -> float:
        """The least value that generalised mean pooling takes."""
        neck, kind = self.part("neck"), type_name(self.part("neck"))
        if neck is not None and kind not in ("GlobalAveragePooling", "GeneralizedMeanPooling"):
            self.refuse("neck.type", kind or neck)
        self.expect("neck.dim", (2,))
        eps = number(at(neck, "eps"))
        return -math.inf if at(neck, "clamp") is False else 1e-6 if eps is None else eps

    def head(self) -> Layers:
        """What comes after the pooling; nothing of what is before it."""
        head, kind = self.part("head"), type_name(self.part("head"))
        if isinstance(at(self.model, "head"), tuple) or kind in OTHER_HEADS:
            self.refuse("head.type", kind or at(self.model, "head"))
        self.expect("head.num_subcenters", (1,))
        threshold, most = share(at(head, "thr")), count(at(head, "topk"))
        stacked = Activation("relu") if kind == "StackedLinearClsHead" else None
        eps, scale, usual = self.eps("head", None), number(at(head, "scale")), Layers()
        return Layers(
            head_act=self.act("head", stacked),
            head_eps=usual.head_eps if eps is None else eps,
            scale=usual.scale if scale is None else float(scale),
            residual=number(at(head, "lam")),
            sigmoid=kind in SIGMOID_HEADS,
            # `thr` counts before `topk`, and without either it is 0.5 (mmpretrain's multi_label_cls_head.py)
            threshold=threshold if threshold is not None else 0.5 if most is None else 0.0,
            most=most if threshold is None else None,
        )

    def unknown(self) -> Iterator[str]:
        """Settings and types that no list of this page has."""
        for name, types in (("backbone", BACKBONES), ("head", (*SOFTMAX_HEADS, *SIGMOID_HEADS, *OTHER_HEADS))):
            kind = type_name(self.part(name))
            if kind is not None and kind not in types:
                yield f"{name}.type = {short(kind, 40)}"
        for name in ("backbone", "neck", "head"):
            known = SEEN | TRAINING | FOLLOWED[name]
            made = self.part(name)
            for key, value in made.items() if isinstance(made, dict) else ():
                if key not in known and value is not None:
                    yield f"{name}.{short(key, 40)}" + ("" if value is UNKNOWN else f" = {_text(value)}")


def _text(value: object) -> str:
    """A setting, for people."""
    return ", ".join(short(one, 40) for one in value[:4]) if isinstance(value, tuple) else short(value, 40)
