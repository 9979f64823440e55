"""What goes into a network that is ONNX already, as far as its inputs' types, shapes and first steps tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...errors import OptionError, UnsupportedCheckpoint, say
from ...graph.form import UNRANKED, Dim, Graph, Value
from ...runtime.errors import spaced
from ...runtime.model.card import COLORS, MOST_INPUTS, Input
from ...spelling import option
from ..torch.transforms import preparation

PICTURES = ("float32", "float16", "uint8")  # types in which pictures go in
TO_FIRST = (0, 3, 1, 2)  # the Transpose by which what was made for TensorFlow begins: channels last become first


def entries_of(graph: Graph, asked: Sequence[int] | None) -> tuple[list[Input], list[str]]:
    """All inputs as a card has them, of the sizes that are asked for where these are free; notes.

    UnsupportedCheckpoint for what no card can describe, OptionError for a size that the network cannot have.
    """
    values = [value for value in graph.inputs if value.name not in graph.optional]
    if not values or len(values) > MOST_INPUTS:
        raise no_card(f"it takes {len(values)} inputs", f"它有 {len(values)} 个输入")
    found, notes = [], []
    for place, value in enumerate(values):
        entry, told = _entry(value, graph, asked if place == 0 else None)
        found.append(entry)
        notes += told
    return found, notes


def no_card(en: str, zh: str) -> UnsupportedCheckpoint:
    """The error for a network that a card cannot describe, with what can be done with it all the same."""
    return UnsupportedCheckpoint(
        en=f"The model was read, but {en}, which Qingzhou has no card for: pictures, rows, arrays of numbers and words "
        "were expected. Without a card it can be looked at and run with arrays: qingzhou info, check, and run "
        "model.onnx arrays.npz",
        zh=f"模型已读取，但{spaced(zh)}，轻舟的说明卡无法描述：应为图片、表格、数组或文字。"
        "没有说明卡也可以查看和用数组运行：qingzhou info、check，以及 run model.onnx arrays.npz",
    )


def _entry(value: Value, graph: Graph, asked: Sequence[int] | None) -> tuple[Input, list[str]]:
    if value.dtype in ("other", "str") or value.shape == UNRANKED or len(value.shape) > 6:
        kind = {"other": ("none of numbers", "不是数字"), "str": ("of texts", "是文本")}.get(value.dtype)
        en, zh = kind or ("of unknown shape", "形状未知")
        raise no_card(f"its input {value.name[:60]} is {en}", f"它的输入 {value.name[:60]} {zh}")
    layout = layout_of(value, graph)
    shape = _sized(value, layout, asked)
    if not layout:
        kinds = "table" if len(shape) == 2 and value.dtype in ("float32", "float16", "float64") else "array"
        return Input(value.name, kinds, shape), []
    entry = Input(value.name, "image", shape, layout=layout, dtype="uint8" if value.dtype == "uint8" else "float32")
    entry = replace(entry, color="RGB" if entry.channels == 3 else "GRAY")
    steps, notes = preparation(None, entry.channels or 3, [n or 0 for n in entry.sides()])
    if None in entry.sides():
        steps = [step for step in steps if step["op"] != "resize"]
        notes = [*notes, _any_size()]
    if entry.dtype == "uint8":
        steps = [step for step in steps if step["op"] != "normalize"]
    return replace(entry, steps=steps), notes


def layout_of(value: Value, graph: Graph) -> str:
    """ "NCHW" or "NHWC" of what is a picture; "" of anything else."""
    shape = value.shape
    counts = set(COLORS.values())
    if len(shape) != 4 or value.dtype not in PICTURES or not (isinstance(shape[0], str) or shape[0] in (0, 1, -1)):
        return ""
    turned = [node for node in graph.nodes if value.name in node.inputs and node.op == "Transpose"]
    if shape[3] in counts and (shape[1] not in counts or any(n.attrs.get("perm") == TO_FIRST for n in turned)):
        return "NHWC"
    return "NCHW" if shape[1] in counts else ""


def _sized(value: Value, layout: str, asked: Sequence[int] | None) -> list[int | None]:
    """The shape, free sizes as None, those that are asked for put in: height and width of a picture, else the last."""
    own: list[int | None] = [_size(n) for n in value.shape]
    if asked is None:
        return own
    places = {"NCHW": [2, 3], "NHWC": [1, 2]}.get(layout, list(range(len(own)))[-len(asked) :])
    wanted = [*asked, *asked] if layout and len(asked) == 1 else list(asked)[-2:] if layout else list(asked)
    there = [own[i] for i in places]
    if len(wanted) != len(places) or any(n not in (None, m) for n, m in zip(there, wanted, strict=True)):
        raise _other_size(value.name, there, wanted)
    for place, size in zip(places, wanted, strict=True):
        own[place] = size
    return own


def _size(dim: Dim) -> int | None:
    return dim if isinstance(dim, int) and dim > 0 else None


def _other_size(name: str, own: Sequence[int | None], wanted: Sequence[int]) -> OptionError:
    en, zh = (" x ".join(str(n or free) for n in own) for free in ("any", "任意"))
    asked = " x ".join(map(str, wanted))
    return OptionError(
        en=f"The input {name[:60]} of the model has the size {en}, which is fixed in the file; {option('input_size')} "
        f"asks for {asked}. Leave it out, or export the model for another size.",
        zh=f"模型的输入 {name[:60]} 的尺寸是 {zh}，在文件里已固定；而 {option('input_size')} 要求 {asked}。"
        "请去掉这个选项，或按新的尺寸重新导出模型。",
    )


def _any_size() -> str:
    return say(
        en=f"The network takes pictures of any size; {option('input_size')} gives it the one of training.",
        zh=f"网络接受任意尺寸的图片；可用 {option('input_size')} 指定训练时的尺寸。",
    )


def untold(entries: Sequence[Input]) -> list[str]:
    """What the file does not say of its pictures, as a card's `assumed`."""
    pictures = [entry for entry in entries if entry.kind == "image"]
    steps: list[Any] = [step["op"] for entry in pictures for step in entry.steps]
    coloured = any(entry.color != "GRAY" for entry in pictures)
    found = {"resize": "resize" in steps, "color": coloured, "normalize": any(e.dtype == "float32" for e in pictures)}
    return [name for name, is_so in found.items() if is_so]
