"""What a file did not say of its pictures, and was assumed, in words. What it was is in the card."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import dropwhile
from typing import Any

from .errors import say
from .runtime.model.card import Input
from .runtime.text import line

IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])  # mean and std of pixels 0 to 255, for RGB
OF_PICTURES = ("input_size", "resize", "color", "normalize")
ADVICE = (
    "Check it with qingzhou evaluate, or set it with --preprocess and --input-size.",
    "请用 qingzhou evaluate 检验，或用 --preprocess 和 --input-size 指定。",
)
ADVICE_OF_THE_PAGE = (
    'If it was otherwise, set "How pictures are prepared" before converting.',
    "如果不是这样，请在转换前设置“图片如何预处理”。",
)
NAMED = ("name them with --labels", "可以用 --labels 指定名称")  # classes that have numbers only
NAMED_ON_THE_PAGE = ("their names can be written before converting", "可以在转换前填写名称")
EN, ZH = "The file does not say how pictures were prepared; assumed", "文件里没有写明图片如何预处理，这里假定"


def assumed_text(entry: Input, assumed: Sequence[str], tool: str = "") -> str:
    """One sentence with all that was assumed of pictures, as `tool` does it, and what to do; "" if nothing was."""
    found = [name for name in OF_PICTURES if name in assumed and entry.kind == "image"]
    if not found:
        return ""
    parts = [PARTS[name](entry) for name in found]
    usual = tool if tool.startswith("MM") else ""  # what others do is in no file of theirs
    en, zh = (f" as {usual} does it", f"按 {usual} 的做法") if usual else ("", "")
    return say(
        en=f"{EN}{en}: {', '.join(parts)}. {ADVICE[0]}",
        zh=f"{ZH}{zh}：{'、'.join(parts)}。{ADVICE[1]}",
    )


def on_the_page(notes: Sequence[str]) -> list[str]:
    """Notes with what to do about it where there is no command line."""
    for ours, its in zip((*ADVICE, *NAMED), (*ADVICE_OF_THE_PAGE, *NAMED_ON_THE_PAGE), strict=True):
        notes = [note.replace(ours, its) for note in notes]
    return list(notes)


def as_comment(text: str) -> str:
    """The sentence as the first lines of a program; "" stays so."""
    width = 100 if text.isascii() else 50
    return "".join(f"# {part}\n" for part in textwrap.wrap(line(text), width, break_on_hyphens=False))


def without_comment(code: str) -> str:
    """A program without such lines."""
    lines = code.split("\n")
    if lines[0].startswith((f"# {EN}", f"# {ZH}")):
        lines = list(dropwhile(lambda line: line.startswith("#"), lines))
    return "\n".join(lines)


def _size(entry: Input) -> str:
    height, width = entry.sides()
    return f"{width} x {height}" if height and width else say("any size", "任意尺寸")


def _resize(entry: Input) -> str:
    """How pictures come to their size."""
    step: Mapping[str, Any] = next((step for step in entry.steps if step["op"] == "resize"), {})
    bicubic = say(", bicubic", "，双三次插值") if step.get("interpolation") == "bicubic" else ""
    if "short" in step:
        cropped = any(step["op"] == "center_crop" for step in entry.steps)
        en, zh = (", centre", " 后取中央") if cropped else ("", "")
        return say(f"short side {step['short']}{en}", f"短边 {step['short']}{zh}") + bicubic
    if "size" in step or not step:
        return say("stretched to that size", "拉伸到该尺寸") + bicubic
    return say("fitted in", "按比例放入")


def _normalize(entry: Input) -> str:
    step = next((step for step in entry.steps if step["op"] == "normalize"), None)
    if step is None:
        return say("pixels 0 to 255", "像素 0 到 255")
    mean, std = step["mean"], step["std"]
    if (sorted(mean), sorted(std)) == tuple(map(sorted, IMAGENET)):
        return say("ImageNet's mean and std", "ImageNet 的均值和标准差")
    if not any(mean) and set(std) == {255.0}:
        return say("pixels / 255", "像素除以 255")
    numbers = [", ".join(f"{n:g}" for n in row) for row in (mean, std)]
    return say(f"mean {numbers[0]}, std {numbers[1]}", f"均值 {numbers[0]}、标准差 {numbers[1]}")


def _color(entry: Input) -> str:
    return say("grey", "灰度") if entry.color == "GRAY" else entry.color


PARTS = {"input_size": _size, "resize": _resize, "color": _color, "normalize": _normalize}
