"""A known network by the names and shapes of its tensors, with what its training's config says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import OptionError, TensorMismatch, UnsupportedCheckpoint, say
from ...files.types import Checkpoint
from ...labels import named_in
from ...nets.detection import Thresholds
from ...nets.heads import Headed
from ...nets.match import Match, recognise
from ...nets.recorded import Wanted
from ...nets.settings import Settings
from ...nets.shapes import Shapes
from ...runtime.errors import spaced
from ...runtime.model.card import Card
from ...spelling import option
from ..network import Network, origin

if TYPE_CHECKING:  # of most files nothing lies beside
    from ..torch.hub import Described

CONFIGS = ("config", "cfg")  # where mmcv and mmengine write the training's


def read_state(
    checkpoint: Checkpoint,
    wanted: Wanted = Wanted(),  # noqa: B008  # frozen
    beside: Described | None = None,
) -> Network:
    """The network of one of our architectures with these tensors, still without their numbers; `beside` is what a
    config.json there says.

    UnsupportedCheckpoint and TensorMismatch say what does not fit.
    """
    settings = _told(_settings(checkpoint.meta), wanted.settings, beside)
    match = _fitting(checkpoint.tensors.shapes, replace(wanted, settings=settings))
    found = match.recorded
    refused, head = settings.layers.refused, match.config.head if isinstance(match.config, Headed) else None
    if settings.layers.pool_mean and not (head and head.gem):  # its order is a tensor, which is not there
        refused = (*refused, "neck.type = GeneralizedMeanPooling")
    if found.task == "classification" and refused:
        raise _refused(match.title, refused)
    if head and head.attention and (settings.layers.residual is None or not settings.layers.sigmoid):
        raise _no_residual(match.title)
    several = [_several(found.thresholds)] if found.output.scores == "sigmoids" and found.thresholds else []
    reason = say("an auxiliary classifier of the training, left out", "训练时的辅助分类器，未使用")
    ignored = {**checkpoint.ignored, **dict.fromkeys(match.beside, reason)}
    notes = [
        *checkpoint.notes,
        *_ignored(ignored),
        *settings.notes,
        *(beside.notes if beside else ()),
        *found.notes,
        *several,
    ]
    card = Card(
        found.task,
        match.title,
        match.tool or _tool(checkpoint, found.task),
        found.input,
        found.output,
        origin=origin(checkpoint.origin.path, checkpoint.origin.container, checkpoint.facts),
        notes=notes,
        thresholds=found.thresholds.for_card() if found.thresholds else None,
        decoding=found.decoding.for_card() if found.decoding else None,
        assumed=list(found.assumed),
    )
    classes, named = match.config.classes, (beside and beside.labels) or _named(checkpoint)
    return Network(found.graph, card, match.family, classes, named, found.heads, ignored)


def _told(config: Settings, user: Settings, beside: Described | None) -> Settings:
    """What the training's config in the file says, what lies beside it, and above all what the user says."""
    if beside is None:
        return replace(config, network=user.network, said=user.said)
    name = user.network or beside.architecture.lower()
    known = {key: value for key, value in vars(user.said).items() if value is not None}
    picture = config.picture if config.picture.steps else beside.picture
    return replace(config, network=name, said=replace(beside.said, **known), picture=picture)


def _settings(meta: Mapping[str, object]) -> Settings:
    """What the training's config says, where there is one."""
    if not any(meta.get(key) for key in CONFIGS):
        return Settings()
    from .config import read_settings

    return read_settings(meta)


def _fitting(shapes: Shapes, wanted: Wanted) -> Match:
    """The network in the size that is wanted; OptionError if it is only the size that does not fit."""
    if wanted.input_size is None:
        return recognise(shapes, wanted)
    trained = recognise(shapes, replace(wanted, input_size=None))
    batch_and_channels = tuple(trained.recorded.input.shape[:2])
    try:
        if wanted.input_size[:-2] in ((), batch_and_channels[1:], batch_and_channels) and wanted.picture:
            return recognise(shapes, wanted)
    except TensorMismatch:
        pass
    raise _no_such_size(trained, wanted.input_size)


def _no_such_size(trained: Match, size: Sequence[int]) -> OptionError:
    given, (height, width) = ",".join(map(str, size)), trained.recorded.input.shape[2:]
    return OptionError(
        en=f"{option('input_size')} is {given}, but {trained.title} cannot take that. Expected height,width in a size "
        f"that its layers fit. Leave {option('input_size')} out to use that of the training, {height},{width}.",
        zh=f"{option('input_size')} 的值是 {given}，但 {trained.title} 不能使用。应为各层都能接受的 高,宽。"
        f"不写 {option('input_size')} 时使用训练时的 {height},{width}。",
    )


def _refused(title: str, settings: Sequence[str]) -> UnsupportedCheckpoint:
    some = ", ".join(settings[:5])
    return UnsupportedCheckpoint(
        en=f"The tensors are those of {title}, but the training's config in the file says {some}, which is not known "
        "here, and its answers would be wrong without it. Expected the layers of mmpretrain's own configs. Train with "
        "those, or save the network whole with torch.save(model, ...).",
        zh=f"张量与 {title} 相符，但文件里的训练配置写着 {some}，这里还不支持，忽略它会得到错误的结果。"
        "应为 mmpretrain 自带配置中的结构。请用这样的结构训练，或用 torch.save(model, ...) 保存整个网络。",
    )


def _no_residual(title: str) -> UnsupportedCheckpoint:
    return UnsupportedCheckpoint(
        en=f"This is {title} with a CSRAClsHead, but nothing in the file says its `lam`, without which it cannot be "
        "computed. Expected the training's config in meta, as mmpretrain saves it. Save the checkpoint again with it.",
        zh=f"这是带 CSRAClsHead 的 {title}，但文件里没有它的 `lam`，无法计算。"
        "文件的 meta 里应有 mmpretrain 保存的训练配置。请连同配置重新保存权重文件。",
    )


def _several(thresholds: Thresholds) -> str:
    score, most = thresholds.score, thresholds.most
    en, zh = (
        (f"all that reach {score:g}", f"分数达到 {score:g} 的类别")
        if score
        else (f"the surest {most}", f"最有把握的 {most} 个类别")
    )
    return say(
        en=f"A multi-label head: each class is judged by itself, and {en} are named; that may be several or none. The "
        "original XEduHub names only the surest.",
        zh=f"多标签分类头：每个类别单独判断，会说出{spaced(zh)}；可能有多个，也可能一个都没有。"
        "原版 XEduHub 只会说出最有把握的一个。",
    )


def _tool(checkpoint: Checkpoint, task: str) -> str:
    if str(checkpoint.meta.get("tool", "")).startswith("MMEdu"):
        return "MMEdu"
    return "MMDetection" if task == "detection" else "MMPretrain"


def _named(checkpoint: Checkpoint) -> object:
    """Where mmcv's and MMEdu's training programs write the class names, where mmengine's do, and where tutorials do."""
    return named_in(checkpoint.meta, checkpoint.meta.get("dataset_meta"), checkpoint.root)


def _ignored(ignored: Mapping[str, str]) -> list[str]:
    """Every tensor that is not part of the network, by its reason; long lists are cut, and say so."""
    reasons: dict[str, list[str]] = {}
    for key, reason in ignored.items():
        reasons.setdefault(reason, []).append(key)
    return [f"{reason}: {', '.join(keys[:3])}{_rest(keys)}" for reason, keys in reasons.items()]


def _rest(keys: Sequence[str]) -> str:
    return f" … ({len(keys)})" if len(keys) > 3 else ""
