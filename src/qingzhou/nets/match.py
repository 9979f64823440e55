"""Recognising a network from the names and shapes of its tensors, and saying exactly what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..errors import TensorMismatch, UnsupportedCheckpoint
from ..graph.form import Graph
from .architecture import Candidate, Config
from .efficientnet_pytorch import EFFICIENTNET_PYTORCH
from .layouts import Layout
from .paddle import PADDLE
from .pages import PAGES
from .recorded import Recorded, Wanted
from .said import TAKEN
from .settings import Settings
from .shapes import Shapes
from .timm import TIMM
from .torchvision import TORCHVISION
from .transformers import TRANSFORMERS

# A new key layout is a Layout and one word here; a new network has its line in pages.py.
LAYOUTS: tuple[Layout, ...] = (*TORCHVISION, *TIMM, *TRANSFORMERS, *EFFICIENTNET_PYTORCH, *PADDLE)

# BatchNorm's counter, which only training reads; and of Swin what follows from the sizes alone
UNUSED = ("num_batches_tracked", "relative_position_index", "attn_mask")


@dataclass(frozen=True)
class Match:
    """A network in one size, recorded, and how its tensors compare with those of a checkpoint."""

    family: str
    title: str
    config: Config
    tool: str  # whose names the tensors have; "" for MMEdu's, mmcls's and mmdet's
    recorded: Recorded
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]  # key, found, expected
    beside: tuple[str, ...] = ()  # tensors that only the training needed

    @property
    def graph(self) -> Graph:
        """The network."""
        return self.recorded.graph

    @property
    def faults(self) -> int:
        """How many tensors do not fit."""
        return len(self.missing) + len(self.extra) + len(self.misshapen)


def recognise(shapes: Shapes, wanted: Wanted = Wanted()) -> Match:  # noqa: B008  # frozen
    """The network whose tensors these are.

    UnsupportedCheckpoint if none comes near, TensorMismatch if one does and some tensors do not fit.
    """
    compared = [compare(candidate, shapes, wanted) for candidate in candidates(shapes, wanted.settings)]
    best = min(compared, key=lambda match: match.faults, default=None)
    if best is None or best.faults > len(shapes) // 2:
        raise _unknown(shapes, best)
    if best.faults:
        channels = _channels(best.recorded, shapes)
        raise _many_channels(best, channels) if channels not in (0, 1, 3) else _mismatch(best)
    fitting = {match.tool: match for match in compared if not match.faults}
    if len(fitting) > 1:
        raise _several(list(fitting.values()))
    return best


def candidates(shapes: Shapes, settings: Settings) -> Iterator[Candidate]:
    """Every network that these tensors may be, in the pages' own names first."""
    for page in PAGES:
        yield from page.candidates(shapes, settings)
    for layout in LAYOUTS:
        yield from layout.candidates(shapes, settings)


def compare(candidate: Candidate, shapes: Shapes, wanted: Wanted) -> Match:
    """Record the network in this size, and find what is missing, left over or misshapen."""
    recorded = candidate.record(wanted)
    channels = _channels(recorded, shapes)
    if channels in (1, 3) and channels != recorded.input.shape[1]:
        recorded = candidate.record(replace(wanted, channels=channels))
    needed = recorded.graph.tensors
    beside = tuple(sorted(key for key in shapes if key.startswith(candidate.beside)))
    used = {key for key in shapes if key.rpartition(".")[2] not in UNUSED} - set(beside)
    both = sorted(used & set(needed))
    wrong = tuple((key, shapes[key], needed[key]) for key in both if shapes[key] != needed[key])
    missing, extra = sorted(set(needed) - used), sorted(used - set(needed))
    about = (candidate.family, candidate.title, candidate.config, candidate.tool)
    return Match(*about, recorded, tuple(missing), tuple(extra), wrong, beside)


def _channels(recorded: Recorded, shapes: Shapes) -> int:
    """How many channels the first convolutions take, by their tensors; 0 if these do not fit otherwise or disagree."""
    image, needed = recorded.graph.inputs[0].name, recorded.graph.tensors
    weights = [node.inputs[1] for node in recorded.graph.consumers()[image] if node.op == "Conv"]
    keys = [key for name in weights for key in recorded.graph.constants[name].keys]
    found = {shapes.get(key, ())[1:2] for key in keys}
    fits = all(_but_channels(shapes.get(key, ())) == _but_channels(needed[key]) for key in keys)
    return found.pop()[0] if fits and len(found) == 1 else 0


def _but_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape[:1], *shape[2:])


def _unknown(shapes: Shapes, best: Match | None) -> UnsupportedCheckpoint:
    some = ", ".join(list(shapes)[:3])
    near_en = f" The closest is {best.title}, but {best.faults} tensors differ." if best else ""
    near_zh = f"最接近的是 {best.title}，但有 {best.faults} 个张量不同。" if best else ""
    pages = (*PAGES, *(page for layout in LAYOUTS for page in layout.pages))
    names = ", ".join(dict.fromkeys(page.name for page in pages))
    return UnsupportedCheckpoint(
        en=f"No known network has these {len(shapes)} tensors ({some}, …).{near_en} Known: {names}, and networks saved "
        "whole. If this one is your own, tensors alone do not say how its layers are connected: save it whole, with "
        "BaseNN's train() or save(), or torch.save(model, ...) without .state_dict(); or convert it in the program "
        f"that has its code: {TAKEN}.",
        zh=f"认不出这个网络：文件里有 {len(shapes)} 个张量（{some}……）。{near_zh}支持的网络：{names}，"
        "以及整体保存的网络。如果是自己搭建的网络，只有张量看不出各层如何连接：请用 BaseNN 的 train() 或 save() 保存，"
        "或用 torch.save(model, ...) 保存整个模型，不要只保存 .state_dict()；也可以在有其代码的程序里直接转换："
        f"{TAKEN}。",
    )


def _several(fitting: list[Match]) -> UnsupportedCheckpoint:
    """Two layouts of one file."""
    names = ", ".join(f"{match.title} ({match.tool or 'MMEdu, mmcls'})" for match in fitting)
    return UnsupportedCheckpoint(
        en=f"These tensors fit several networks: {names}. One was expected. Save the network whole with "
        "torch.save(model, ...), which says what it is.",
        zh=f"这些张量同时符合多个网络：{names}，应只符合一个。"
        "请用 torch.save(model, ...) 保存整个网络，其中写明了它是什么。",
    )


def _many_channels(match: Match, channels: int) -> UnsupportedCheckpoint:
    return UnsupportedCheckpoint(
        en=f"This {match.title} takes {channels} channels, which is not known yet. Pictures of 3 channels (colour) or "
        "1 (grey) were expected. Train it with one of these, or save it whole with torch.save(model, ...): then its "
        "input is an array.",
        zh=f"这个 {match.title} 的输入是 {channels} 通道，目前还不支持。图片应为 3 通道（彩色）或 1 通道（灰度）。"
        "请按其中一种重新训练，或用 torch.save(model, ...) 保存整个模型：那时输入按数组处理。",
    )


def _mismatch(match: Match) -> TensorMismatch:
    found_en, found_zh = [], []
    for key, found, expected in match.misshapen[:3]:
        found_en.append(f"{key} has shape {list(found)}, expected {list(expected)}")
        found_zh.append(f"{key} 的形状是 {list(found)}，应为 {list(expected)}")
    for keys, en, zh in ((match.missing, "is missing", "缺失"), (match.extra, "is not part of it", "是多余的")):
        found_en += [f"{key} {en}" for key in keys[:3]]
        found_zh += [f"{key} {zh}" for key in keys[:3]]
    more = match.faults - len(found_en)
    return TensorMismatch(
        en=f"This is {match.title}, but "
        + "; ".join(found_en)
        + (f"; and {more} more" if more > 0 else "")
        + ". Save the checkpoint again from the training program, without changing it. If the network itself is a "
        f"variant of that one (other widths, a pruned one), convert it in the program that has its code: {TAKEN}.",
        zh=f"这是 {match.title}，但是："
        + "；".join(found_zh)
        + (f"；还有 {more} 处" if more > 0 else "")
        + "。请用训练程序重新保存权重文件，不要改动它。如果网络本身就是它的变体（宽度不同、经过剪枝），"
        f"请在有其代码的程序里转换：{TAKEN}。",
    )
