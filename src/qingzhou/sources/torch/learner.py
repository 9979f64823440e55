"""fastai's learn.export(): a Learner with all that it had, of which the network is kept, its classes and its size.

A Learner and its callbacks hold each other, and its data's transforms hold code, so all else is left out before the
rest is looked at. Sources: fastai/learner.py, fastai/data/transforms.py, fastai/layers.py (2.8).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import QingzhouError, UnsupportedCheckpoint, say
from ...files.types import Opaque, TensorRef
from ...graph.form import Value
from ...graph.record import Recorder
from ...runtime.errors import spaced
from .module import Function, Module, integers
from .modules import sequential

TOOL = "fastai"
MOST = 200_000  # parts of a Learner that are looked at
RESIZED_AGAIN = ("AffineCoordTfm", "RandomResizedCropGPU")
LOOKED_AT = ("CategoryMap", "Resize", "IntToFloatTensor", "Normalize", "PILImage", *RESIZED_AGAIN)
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
    found: dict[str, list[Opaque]] = {name: [] for name in (*LOOKED_AT, *SEVERAL)}
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
    meta: dict[str, Any] = {"tool": TOOL, **_prepared(found)}
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
    found = integers(_state(resize).get("size"))
    return found if len(found) == 2 and all(0 < n < 1 << 13 for n in found) else ()


# -- how its pictures were prepared ----------------------------------------------------------------------------------


def _prepared(found: Mapping[str, Sequence[Opaque]]) -> dict[str, Any]:
    """ "transform", the validation's steps as torchvision's; "told", those of the card's `assumed` that they settle.

    IntToFloatTensor divides by its `div`, Normalize then takes (1, C, 1, 1) of `mean` and `std`; a Resize that crops
    takes the largest part of the wanted shape in the centre, and one that squishes the whole picture.
    """
    steps, told = [], ["color"] if found["PILImage"] else []
    resize = _resized(found["Resize"])
    if resize and not any(_state(one).get("size") for name in RESIZED_AGAIN for one in found[name]):
        steps += resize
        told.append("resize")
    divided = {_state(one).get("div") for one in found["IntToFloatTensor"]}
    rows = {(_row(_state(one).get("mean")), _row(_state(one).get("std"))) for one in found["Normalize"]}
    if divided == {255.0} and (not rows or (len(rows) == 1 and all(next(iter(rows))))):
        told.append("normalize")
        steps += [Opaque("Normalize", state={"mean": [*mean], "std": [*std]}) for mean, std in rows]
    return {"transform": steps, "told": told}


def _resized(resizes: Sequence[Opaque]) -> list[Opaque]:
    """Of one way to a square, or to any size without a crop; bilinear (2), which antialiases in Pillow."""
    ways = {(_size(one), str(_state(one).get("method")), _first(_state(one).get("mode"))) for one in resizes}
    if len(ways) != 1:
        return []
    size, method, mode = ways.pop()
    if not size or mode != 2:
        return []
    if method == "squish":
        return [Opaque("Resize", state={"size": [*size], "antialias": True})]
    if method == "crop" and size[0] == size[1]:
        short = Opaque("Resize", state={"size": size[0], "antialias": True})
        return [short, Opaque("CenterCrop", state={"size": [*size]})]
    return []


def _row(value: object) -> tuple[float, ...]:
    """One number for each channel; () for anything else."""
    if not isinstance(value, TensorRef) or len(value.shape) != 4 or value.shape != (1, value.shape[1], 1, 1):
        return ()
    row = value.load().ravel().astype(np.float64) if value.shape[1] in (1, 3) else np.zeros(0)
    return tuple(round(float(n), 6) for n in row) if np.isfinite(row).all() else ()


def _state(one: Opaque) -> Mapping[str, Any]:
    return one.state if isinstance(one.state, Mapping) else {}


def _first(value: object) -> object:
    """The number of an enumeration's member."""
    return value.args[0] if isinstance(value, Opaque) and value.args else value


def untold(assumed: Sequence[str], meta: Mapping[str, Any]) -> list[str]:
    """What the card still assumes."""
    return [name for name in assumed if name not in meta.get("told", ())]


def notes_of(meta: Mapping[str, Any]) -> list[str]:
    """What is not in the network."""
    told = [name for name in ("resize", "normalize") if name in meta["told"]]
    en = {"resize": "its Resize", "normalize": "its Normalize, or that there is none"}
    zh = {"resize": "Resize", "normalize": "Normalize（或没有它）"}
    more_en = f", {' and '.join(en[name] for name in told)}" if told else ""
    more_zh = f"、{'和'.join(zh[name] for name in told)}" if told else ""
    return [
        say(
            en=f"Of fastai's Learner only the network was taken, with its classes and sizes{more_en}; whatever else "
            "prepared its data is code, which is not read. Check it with qingzhou evaluate.",
            zh=f"只采用了 fastai Learner 中的网络及其类别、尺寸{spaced(more_zh)}；其余的数据预处理是程序代码，不会读取"
            "。请用 qingzhou evaluate 检查。",
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
