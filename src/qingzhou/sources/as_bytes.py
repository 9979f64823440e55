"""A network that takes the camera's bytes as they are, with the normalisation inside: --input uint8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import OptionError, say
from ..graph.form import Array, Graph
from ..graph.pixels import normalising_bytes
from ..nets.pictures import final_size
from ..nets.settings import Step
from ..runtime.model.card import Input
from ..spelling import option
from .network import Network

NEAR = 1e-3  # of a level: so near to a whole number a padding's value is one


def as_bytes(found: Network) -> Network:
    """The network with uint8 pixels as its input: the same answers. OptionError where other than bytes would be needed
    on the way, or it takes no picture.
    """
    card = found.card
    if card.input.kind != "image" or card.others:
        raise _no_picture(card.network, len(card.inputs))
    steps, normal = in_bytes(card.input, card.network)
    entry = replace(card.input, steps=steps, dtype="uint8")

    def inside(graph: Graph) -> Graph:
        return normalising_bytes(graph, entry.name, normal, 1 if entry.layout == "NCHW" else 3)

    heads = None if found.heads is None else inside(found.heads)
    card = replace(card, input=entry, notes=[*card.notes, _told()])
    return replace(found, graph=inside(found.graph), heads=heads, card=card)


def _told() -> str:
    return say(
        en="The network takes pixels as uint8 and normalises them itself. ONNX Runtime, OpenVINO and browsers run it; "
        "ncnn, TensorRT and the original XEduHub, which feed float32, do not.",
        zh="网络直接输入 uint8 像素，并在内部归一化。ONNX Runtime、OpenVINO 和浏览器可以运行；ncnn、TensorRT 和"
        "原版 XEduHub 输入的是 float32，不能运行。",
    )


def in_bytes(entry: Input, title: str, near: float = NEAR) -> tuple[list[Step], list[tuple[str, Array]]]:
    """The steps on bytes, and what the network then does with them: ("Sub", mean) and ("Div", std), (C,) float32.
    OptionError for steps that bytes cannot hold; `near`: how far from whole a padding's level may be.
    """
    place = next((i for i, step in enumerate(entry.steps) if step["op"] == "normalize"), None)
    if place is None:
        return entry.steps, []
    normal, rest = entry.steps[place], entry.steps[place + 1 :]
    mean, std = (np.array(normal[name], np.float32) for name in ("mean", "std"))
    steps = [*entry.steps[:place], *(_padding(step, mean, std, title, near) for step in rest)]
    height, width = entry.sides()
    if None not in (height, width) and final_size(steps) != [height, width]:
        raise _not_in_bytes(title, "resize")
    done = [(op, row) for op, row, nothing in (("Sub", mean, 0), ("Div", std, 1)) if (row != nothing).any()]
    return steps, done


def _padding(step: Step, mean: Array, std: Array, title: str, near: float) -> Step:
    """What fills up normalised pixels, as what fills up bytes; OptionError where that is no byte."""
    if step["op"] not in ("pad", "pad_to"):
        raise _not_in_bytes(title, str(step["op"]))
    levels = np.array(step.get("value", 0.0), np.float64) * std + mean
    whole = np.rint(levels)
    if np.abs(levels - whole).max() > near or whole.min() < 0 or whole.max() > 255:
        raise _no_byte(title, levels.tolist())
    if step["op"] == "pad_to":
        return {**step, "value": whole.tolist()} if whole.any() else step
    if len(set(whole.tolist())) > 1:
        raise _not_in_bytes(title, "pad")
    return {**step, "value": int(whole[0])}


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _no_picture(title: str, inputs: int) -> OptionError:
    asked = option("input_type", "uint8")
    if inputs > 1:
        return OptionError(
            en=f"{asked} is for networks that take one picture, but {title} takes {inputs} inputs at once. Leave it "
            "out.",
            zh=f"{asked} 只用于输入一张图片的网络，而 {title} 一次需要 {inputs} 个输入。请去掉这个选项。",
        )
    return OptionError(
        en=f"{asked} is for pictures, but {title} takes other data. Leave it out.",
        zh=f"{asked} 只用于图片，而 {title} 的输入不是图片。请去掉这个选项。",
    )


def _not_in_bytes(title: str, step: str) -> OptionError:
    asked = option("input_type", "uint8")
    return OptionError(
        en=f"{asked} needs pictures that are normalised last, but those of {title} are prepared further after it "
        f"({step}), which bytes cannot hold. Leave it out, or say how they are prepared: {option('preprocess')}",
        zh=f"{asked} 要求归一化是最后一步，而 {title} 的图片在归一化之后还要处理（{step}），字节无法表示。"
        f"请去掉这个选项，或用 {option('preprocess')} 说明预处理方法。",
    )


def _no_byte(title: str, levels: Sequence[float]) -> OptionError:
    asked, shown = option("input_type", "uint8"), ", ".join(f"{level:.6g}" for level in levels)
    return OptionError(
        en=f"{asked} needs a border of whole numbers, but pictures of {title} are filled up with {shown}, the mean of "
        f"their normalisation. Leave it out, or train and prepare with another: {option('preprocess')}",
        zh=f"{asked} 要求填充值是整数，而 {title} 的图片用归一化的均值 {shown} 填充。"
        f"请去掉这个选项，或换一种预处理（{option('preprocess')}）训练。",
    )
