"""fastai's learn.export(): a Learner with all that it had, of which the network is kept, its classes and its size.

A Learner and its callbacks hold each other, and its data's transforms hold code, so all else is left out before the
rest is looked at. Sources: fastai/learner.py, fastai/data/transforms.py, fastai/layers.py (2.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import QingzhouError, UnsupportedCheckpoint, say
from ...files.types import Opaque
from ...graph.form import Value
from ...graph.record import Recorder
from ...runtime.errors import spaced
from .module import Function, Module, integers
from .modules import sequential

TOOL = "fastai"
MOST = 200_000  # parts of a Learner that are looked at
SEVERAL = ("MultiCategorize", "EncodedMultiCategorize")
LINES = "learn = load_learner('export.pkl'); qingzhou.convert(learn.model.eval(), sample=torch.rand(2, 3, 224, 224))"


def is_learner(root: Any) -> bool:
    """Whether a pickle holds one."""
    return isinstance(root, Opaque) and root.name.startswith("fastai.") and root.name.endswith("Learner")


def kept(root: Any) -> Any:
    """A Learner as any other bundle: {"model": …, "meta": …}; UnsupportedCheckpoint. All else stays as it is."""
    if not is_learner(root):
        return root
    state = root.state if isinstance(root.state, dict) else {}
    found = {"CategoryMap": [], "Resize": [], "Normalize": [], **{name: [] for name in SEVERAL}}  # type: ignore[var-annotated]
    for one in _records(state.get("dls")):
        found.get(one.name.rpartition(".")[2], []).append(one)
    if any(found[name] for name in SEVERAL):
        raise refused("it names several classes at once (MultiCategorize)", "它一次给出多个类别（MultiCategorize）")
    model = state.get("model")
    if any(one.state.get(hooks) for one in _layers(model) for hooks in ("_forward_hooks", "_forward_pre_hooks")):
        raise refused(
            "the network has forward hooks, which are code (as that of unet_learner)",
            "网络带有前向钩子（forward hook，例如 unet_learner 的网络），即程序代码",
        )
    meta: dict[str, Any] = {"tool": TOOL, "normalised": bool(found["Normalize"])}
    names = [row for row in map(_names, found["CategoryMap"]) if row]
    if names and all(row == names[0] for row in names):
        meta["CLASSES"] = names[0]
    sizes = [size for size in map(_size, found["Resize"]) if size]
    if sizes and all(size == sizes[0] for size in sizes):
        meta["side"] = sizes[0]
    return {"model": model, "meta": meta}


def refused(why_en: str, why_zh: str) -> QingzhouError:
    """With the lines that work."""
    return UnsupportedCheckpoint(
        en=f"The file was read; it is what fastai's learn.export() writes, and {why_en}. A network of standard layers "
        f"was expected, for code in the file is never run. Convert it in a program that has fastai: {LINES}",
        zh=f"文件已读取；它由 fastai 的 learn.export() 写出，但{spaced(why_zh)}。需要由标准网络层组成的网络，"
        f"文件里的代码绝不会被执行。请在装有 fastai 的程序里转换：{LINES}",
    )


def _records(value: Any) -> Iterator[Opaque]:
    """Every record in it, once, however they hold each other."""
    seen: set[int] = set()
    todo = [value]
    while todo and len(seen) < MOST:
        one = todo.pop()
        if not isinstance(one, (dict, list, tuple, set, Opaque)) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Opaque):
            yield one
            todo += [one.args, one.state, one.items]
        else:
            todo += one.values() if isinstance(one, dict) else one


def _layers(module: Any) -> Iterator[Opaque]:
    """Every layer in a network, once."""
    return (one for one in _records({"": module}) if isinstance(one.state, dict) and "_modules" in one.state)


def _names(mapping: Opaque) -> list[str]:
    """The classes in a CategoryMap, in their order."""
    inner: Any = mapping
    while isinstance(inner, Opaque):
        state = inner.state
        inner = state.get("items") if isinstance(state, Mapping) else None
    row = inner if isinstance(inner, list) else []
    return row if row and all(isinstance(one, str) for one in row) else []


def _size(resize: Opaque) -> tuple[int, ...]:
    """(height, width) of a Resize."""
    state = resize.state if isinstance(resize.state, Mapping) else {}
    found = integers(state.get("size"))
    return found if len(found) == 2 and all(0 < n < 1 << 13 for n in found) else ()


def notes_of(meta: Mapping[str, Any]) -> list[str]:
    """What is not in the network."""
    if meta.get("tool") != TOOL:
        return []
    imagenet_en = " (its data had a Normalize: try --preprocess imagenet)" if meta.get("normalised") else ""
    imagenet_zh = "（数据里有 Normalize：可试 --preprocess imagenet）" if meta.get("normalised") else ""
    return [
        say(
            en="Of fastai's Learner only the network was taken and what it says of classes and sizes; how its data "
            f"were prepared is code, which is not read. Check it with qingzhou evaluate{imagenet_en}.",
            zh=f"只采用了 fastai Learner 中的网络以及其中的类别和尺寸；数据预处理是程序代码，不会读取。"
            f"请用 qingzhou evaluate 检查{spaced(imagenet_zh)}。",
        )
    ]


# -- its layers ------------------------------------------------------------------------------------------------------


def concat_pool(net: Recorder, m: Module, x: Value) -> Value:
    """The largest, then the mean."""
    ways = [m.child(name).value(net, x) for name in ("mp", "ap")]
    return net.concat(ways, name=f"{m.path}.concat")


def flat(net: Recorder, m: Module, x: Value) -> Value:
    """All but the batch in one row."""
    if m.flag("full"):
        raise m.refuse("it flattens the batch (full=True)", "它会把批次维展平（full=True）")
    return net.flatten(x, m.path or "flatten")


def res_block(net: Recorder, m: Module, x: Value) -> Value:
    """Of XResNet: two ways, and the activation after their sum."""
    long, short = (m.child(name).value(net, x) for name in ("convpath", "idpath"))
    if long.shape != short.shape:
        raise m.refuse(f"{long.shape} cannot be added to {short.shape}", f"{long.shape} 与 {short.shape} 不能相加")
    return m.child("act").value(net, net.add(long, short, f"{m.path}.add"))


FASTAI: dict[str, Function] = {
    **{f"fastai.layers.{name}": sequential for name in ("ConvLayer", "LinBnDrop")},
    "fastai.vision.models.xresnet.XResNet": sequential,
    "fastai.layers.AdaptiveConcatPool2d": concat_pool,
    "fastai.layers.Flatten": flat,
    "fastai.layers.ResBlock": res_block,
}
