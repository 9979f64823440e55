"""Weights alone, of networks that are known: MindCV's, and the LeNet5 of the tutorials; `.ckpt` or safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...errors import OptionError, UnsupportedCheckpoint, say
from ...files.refusals import naming, short
from ...files.types import TensorRef, Tensors
from ...nets.match import Match, compare
from ...nets.mindcv import MINDCV
from ...nets.recorded import Wanted
from ...nets.shapes import Shapes
from ...runtime.model.card import Card
from ...spelling import option
from ..network import Network, origin
from ..source import Contents, Opened, Part
from ..torch.container import checkpoint_in as safetensors_in
from .checkpoint import checkpoint_in
from .refuse import EXPORT

# How MindSpore calls the numbers of a BatchNorm -> how the pages do
ROLES = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
TRAINED = (
    "moment1.",
    "moment2.",
    "moments.",
    "accum.",
    "vhat.",
    "momentum.",
)  # of an optimizer, before a tensor's name
COUNTED = (
    "learning_rate", "global_step", "beta1_power", "beta2_power", "epoch_num", "step_num", "current_iterator_step",
    "last_overflow_iterator_step", "scale_sense", "momentum", "epoch", "lr", "step", "loss_scale",
)  # fmt: skip


def tensors_in(opened: Opened) -> Mapping[str, TensorRef]:
    """All tensors of the file."""
    if opened.head[8:9] == b"{":
        return safetensors_in(opened).tensors.refs
    return checkpoint_in(opened)


def contents(opened: Opened) -> Contents:
    """Its tensors."""
    refs = opened.content(tensors_in)
    parts = [Part(key, ref.dtype.name, ref.shape) for key, ref in refs.items()]
    return Contents(_container(opened), opened.file.size, parts, "MindSpore")


def _container(opened: Opened) -> str:
    return "safetensors" if opened.head[8:9] == b"{" else "MindSpore checkpoint"


def read_weights(opened: Opened, wanted: Wanted) -> Network:
    """The known network with these tensors; UnsupportedCheckpoint says how to export one that is not known."""
    refs = opened.content(tensors_in)
    kept = {key: ref for key, ref in refs.items() if not key.startswith(TRAINED) and key not in COUNTED}
    theirs = {_ours(key): key for key in kept}
    shapes = {ours: kept[key].shape for ours, key in theirs.items()}
    with naming(opened.path):
        match = _fitting(shapes, wanted)
    found = match.recorded
    graph = found.graph.renamed(theirs.__getitem__).bound(Tensors(kept))
    reason = say("of the training alone", "只用于训练")
    left = {key: reason for key in refs if key not in kept}
    notes = [*found.notes, *([_left(list(left))] if left else [])]
    card = Card(
        found.task,
        match.title,
        "MindSpore",
        found.input,
        found.output,
        origin=origin(opened.path, _container(opened), {}),
        notes=notes,
        assumed=list(found.assumed),
    )
    return Network(graph, card, match.family, match.config.classes, unused=left)


def _ours(key: str) -> str:
    layer, dot, role = key.rpartition(".")
    return f"{layer}{dot}{ROLES.get(role, role)}"


def _left(keys: list[str]) -> str:
    some = ", ".join(short(key, 60) for key in keys[:3]) + (" …" if len(keys) > 3 else "")
    return say(en=f"{len(keys)} tensors are of the training alone: {some}", zh=f"{len(keys)} 个张量只用于训练：{some}")


def _fitting(shapes: Shapes, wanted: Wanted) -> Match:
    """The one network whose tensors these are, in the size that is wanted."""
    plain = replace(wanted, input_size=None)
    candidates = [one for page in MINDCV for one in page.candidates(shapes, wanted.settings)]
    compared = [(compare(one, shapes, plain), one) for one in candidates]
    best, chosen = min(compared, key=lambda pair: pair[0].faults, default=(None, None))
    if best is None or chosen is None or best.faults:
        raise _unknown(shapes, best)
    if wanted.input_size is None:
        return best
    try:
        sized = compare(chosen, shapes, wanted)
    except AssertionError:
        sized = None
    if sized is None or sized.faults or wanted.picture is None:
        raise OptionError(
            en=f"{best.title} cannot take pictures of {option('input_size')}. Expected height,width in a size that its "
            f"layers fit. Leave {option('input_size')} out to use the usual one.",
            zh=f"{best.title} 不能使用 {option('input_size')} 指定的尺寸。应为各层都能接受的 高,宽；"
            f"不写 {option('input_size')} 时使用通常的尺寸。",
        )
    return sized


def _unknown(shapes: Shapes, best: Match | None) -> UnsupportedCheckpoint:
    some = ", ".join(short(key, 60) for key in list(shapes)[:3])
    near_en = f" The closest is MindCV's {best.title}, but {best.faults} tensors differ." if best else ""
    near_zh = f"最接近的是 MindCV 的 {best.title}，但有 {best.faults} 个张量不同。" if best else ""
    known = "ResNet, MobileNetV1 to V3, VGG, SqueezeNet, ShuffleNetV2, LeNet5"
    load = "mindspore.load_checkpoint('FILE', net)"
    return UnsupportedCheckpoint(
        en=f"The file holds weights without a structure: {len(shapes)} tensors of MindSpore ({some}, …), and how "
        f"layers are connected is in none of them.{near_en} Known by their tensors are MindCV's {known}. Export the "
        f"network in the program that has its code, in two lines, and convert the .mindir: {load}; {EXPORT}.",
        zh=f"文件里只有权重，没有网络结构：{len(shapes)} 个 MindSpore 张量（{some}……），看不出各层如何连接。{near_zh}"
        f"能凭张量认出的是 MindCV 的 {known}。请在有网络代码的程序里用两行导出，再转换 .mindir：{load}; {EXPORT}。",
    )
