"""config.json and preprocessor_config.json, as timm and transformers put them beside a .safetensors: what the network
is, what its classes are called, and how pictures are prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from typing import Any

from ...errors import UnsupportedCheckpoint, say
from ...files.limits import Limits
from ...files.refusals import short
from ...nets.said import Said
from ...nets.settings import Picture, Step
from ...runtime.model import fields
from ...runtime.model.fields import LARGEST_SIDE
from ..source import Opened
from . import BESIDE

BILINEAR, BICUBIC = 2, 3  # Pillow's numbers of them
LARGEST = 1 << 22


@dataclass(frozen=True)
class Described:
    """What these files say; empty where they say nothing.

    architecture  "mobilenetv2_035" (timm), "ResNetForImageClassification" (transformers)
    labels        in any form that labels.read_labels() reads
    notes         what of it is not followed, in the user's language
    """

    architecture: str = ""
    labels: object = None
    picture: Picture = Picture()  # noqa: RUF009  # frozen
    said: Said = Said()  # noqa: RUF009
    notes: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


def described(opened: Opened) -> Described:
    """Of the files beside a checkpoint. A config.json of something else says nothing."""
    config, pictures = (_json(opened, name) for name in BESIDE)
    if isinstance(config.get("architecture"), str):
        return _of_timm(config)
    if isinstance(config.get("model_type"), str):
        return _of_transformers(config, pictures)
    return Described()


def _json(opened: Opened, name: str) -> Mapping[str, Any]:
    """A dict; {} where there is none, or no JSON."""
    member = next((open_it for key, open_it in opened.members.items() if key.rpartition("/")[2] == name), None)
    if member is None:
        return {}
    found = member()
    if found.record.size > min(LARGEST, Limits().header_bytes):
        return {}
    try:
        data = fields.loads(found.bytes().decode("utf-8"), dict)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, Mapping) else {}


# -- timm ------------------------------------------------------------------------------------------------------------


def _of_timm(config: Mapping[str, Any]) -> Described:
    """timm/models/_hub.py (push_to_hf_hub), timm/data/transforms_factory.py (transforms_imagenet_eval)."""
    name, cfg = config["architecture"].lower(), config.get("pretrained_cfg")
    cfg = cfg if isinstance(cfg, Mapping) else {}
    sides, labels = _sides(cfg.get("input_size")), config.get("label_names")
    share = cfg.get("crop_pct", 0.875)
    steps: list[Step] = []
    if sides and isinstance(share, (int, float)) and 0.1 < share <= 1:
        squashed = cfg.get("crop_mode") == "squash"
        size = [floor(side / share) for side in sides]
        steps = [_resize(size=size) if squashed else _resize(short=min(size)), {"op": "center_crop", "size": sides}]
    steps += _normalised(cfg.get("mean"), cfg.get("std"), 255.0)
    name_of = str(cfg.get("interpolation", "bilinear"))
    picture = _picture(_interpolated(steps, name_of))
    return Described(name, labels if isinstance(labels, list) else None, picture, notes=_notes(name_of))


# -- transformers ----------------------------------------------------------------------------------------------------


def _of_transformers(config: Mapping[str, Any], pictures: Mapping[str, Any]) -> Described:
    """Its image processors: transformers/models/*/image_processing_*.py."""
    _refuse_unusual(config)
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names and isinstance(names[0], str) else config["model_type"]
    eps, heads = config.get("layer_norm_eps"), config.get("num_attention_heads")
    said = Said(
        eps=eps if isinstance(eps, float) and 0 < eps < 1 else None,
        heads=heads if type(heads) is int and 0 < heads <= 256 else None,
    )
    steps = [*_sizes(pictures), *_values(pictures)]
    name_of = {BILINEAR: "bilinear", BICUBIC: "bicubic"}.get(pictures.get("resample", BILINEAR), "?")
    picture = _picture(_interpolated(steps, name_of))
    return Described(name, config.get("id2label"), picture, said, _notes(name_of) if steps else ())


def _refuse_unusual(config: Mapping[str, Any]) -> None:
    """UnsupportedCheckpoint for settings that no shape shows and no page follows."""
    usual = {
        "downsample_in_first_stage": (False,),
        "downsample_in_bottleneck": (False,),
        "hidden_act": ("relu",) if config["model_type"] == "resnet" else ("gelu",),
    }
    if config["model_type"] not in ("resnet", "vit"):
        return
    for key, allowed in usual.items():
        if config.get(key, allowed[0]) not in allowed:
            raise UnsupportedCheckpoint(
                en=f"config.json says {key} = {short(config[key])}, which is not known here; expected {allowed[0]}. "
                "Export the network with torch.export: docs/en/formats.md has the two lines.",
                zh=f"config.json 中 {key} = {short(config[key])}，这里还不支持，应为 {allowed[0]}。"
                "请用 torch.export 导出网络：docs/zh/formats.md 里有两行代码。",
            )


def _sizes(pictures: Mapping[str, Any]) -> list[Step]:
    """`size` is a number, sides, or the shorter edge; `crop_pct` (ConvNeXt, ResNet) crops below 384."""
    steps: list[Step] = []
    size, crop = pictures.get("size"), _sides(pictures.get("crop_size"))
    edge = size.get("shortest_edge") if isinstance(size, Mapping) else None
    share = pictures.get("crop_pct")
    if pictures.get("do_resize") and edge is not None and _side(edge):
        if isinstance(share, float) and 0.1 < share <= 1:
            squashed = edge >= 384
            whole = [edge, edge]
            steps += [_resize(size=whole)] if squashed else [_resize(short=int(edge / share))]
            steps += [] if squashed else [{"op": "center_crop", "size": whole}]
        else:
            steps.append(_resize(short=edge))
    elif pictures.get("do_resize") and (sides := _sides(size)):
        steps.append(_resize(size=sides))
    return [*steps, {"op": "center_crop", "size": crop}] if pictures.get("do_center_crop") and crop else steps


def _values(pictures: Mapping[str, Any]) -> list[Step]:
    if pictures.get("do_normalize"):
        scale = pictures.get("rescale_factor", 1 / 255) if pictures.get("do_rescale", True) else 1.0
        factor = 1 / scale if isinstance(scale, (int, float)) and scale > 0 else 255.0
        return _normalised(pictures.get("image_mean"), pictures.get("image_std"), factor)
    if pictures.get("do_rescale"):
        return [{"op": "normalize", "mean": [0.0] * 3, "std": [255.0] * 3}]
    return []


# -- both ------------------------------------------------------------------------------------------------------------


def _picture(steps: Sequence[Step]) -> Picture:
    known = {str(step["op"]) for step in steps}
    return (
        Picture(tuple(steps), "RGB", bool(known & {"resize", "center_crop"}), "normalize" in known)
        if steps
        else Picture()
    )


def _resize(**how: object) -> Step:
    return {"op": "resize", **how, "interpolation": "pillow"}


def _normalised(mean: object, std: object, factor: float) -> list[Step]:
    rows = [[float(n) * factor for n in row] for row in (mean, std) if isinstance(row, list) and _is_row(row)]
    fits = len(rows) == 2 and all(n > 1e-6 for n in rows[1])
    return [{"op": "normalize", "mean": rows[0], "std": rows[1]}] if fits else []


def _is_row(row: list[object]) -> bool:
    return len(row) == 3 and all(isinstance(n, (int, float)) and abs(n) < 1e6 for n in row)


def _sides(value: object) -> list[int] | None:
    """[height, width] of a number, of (channels, height, width), or of a dict with the two."""
    if isinstance(value, Mapping):
        value = [value.get("height"), value.get("width")]
    sides = [value, value] if type(value) is int else list(value)[-2:] if isinstance(value, (list, tuple)) else []
    return [int(side) for side in sides] if len(sides) == 2 and all(map(_side, sides)) else None


def _side(value: object) -> bool:
    return type(value) is int and 0 < value <= LARGEST_SIDE


def _interpolated(steps: Sequence[Step], name: str) -> list[Step]:
    """Both tools resize with Pillow."""
    way = "bicubic" if name == "bicubic" else "pillow"
    return [{**step, "interpolation": way} if step["op"] == "resize" else step for step in steps]


def _notes(name: str) -> tuple[str, ...]:
    if name in ("bilinear", "bicubic"):
        return ()
    return (
        say(
            en=f"The model was tested with pictures resized by {name} interpolation, which is not known here; bilinear "
            "is used.",
            zh=f"模型测试时图片用 {name} 插值缩放，这里还不支持；改用双线性插值。",
        ),
    )
