"""A network's input with its pictures prepared as the user says: --preprocess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import OptionError, say
from ..nets.pictures import final_size
from ..nets.preprocess import Preprocess, wrong
from ..nets.settings import Step
from ..runtime.model.card import COLORS, Input
from ..spelling import option
from .network import Network


def as_asked(found: Network, asked: Preprocess | None) -> Network:
    """The network with its pictures prepared as the user says; OptionError where that does not fit it."""
    if found.card.input.kind == "array":
        from .gray import as_gray, said_of_squares

        found = said_of_squares(found) if asked is None else as_gray(found)
    if asked is None:
        return found
    entry, title = found.card.input, found.card.network
    if entry.kind != "image":
        raise OptionError(
            en=f"{option('preprocess')} is for pictures, but {title} takes other data. Leave it out.",
            zh=f"{option('preprocess')} 用于图片，而 {title} 的输入不是图片。请去掉这个选项。",
        )
    color = _color(entry, asked, title)
    _check_crop(sized := _with_sizes(entry.steps, asked))
    steps = _with_values(sized, entry, asked, color)
    height, width = entry.sides()
    if None not in (height, width) and final_size(steps) not in (None, [height, width]):
        raise wrong(
            "",
            final_size(steps),
            say(
                en=f"the size of the network's input, {height} x {width}; {option('input_size')} changes that",
                zh=f"网络的输入尺寸 {height} x {width}；可以用 {option('input_size')} 改变",
            ),
        )
    prepared, assumed = replace(entry, color=color, steps=steps), _left(found.card.assumed, asked)
    return replace(found, card=replace(found.card, input=prepared, assumed=assumed))


def _check_crop(steps: Sequence[Step]) -> None:
    """OptionError for a centre that is larger than the picture it is cut from."""
    short = next((step["short"] for step in steps if "short" in step), None)
    crop = next((step["size"] for step in steps if step["op"] == "center_crop"), None)
    if short and crop and max(crop) > short:
        raise wrong("resize", short, say(en=f"at least the {max(crop)} of crop", zh=f"不小于 crop 的 {max(crop)}"))


def _color(entry: Input, asked: Preprocess, title: str) -> str:
    color = asked.color or entry.color
    if COLORS[color] != entry.channels and not any(step["op"] == "gray" for step in entry.steps):
        raise wrong(
            "color",
            color,
            say(en=f"the {entry.channels} channels of {title}", zh=f"与 {title} 的 {entry.channels} 个通道相符"),
        )
    return color


def _with_sizes(steps: Sequence[Step], asked: Preprocess) -> list[Step]:
    """The steps with those of the size that are asked for."""
    kept = [dict(step) for step in steps]
    if asked.fit:
        way = _interpolation(kept, asked)
        pad: Step = {"op": "pad_to", "size": list(asked.fit)}
        pad = {**pad, "value": list(asked.pad)} if asked.pad else pad
        first: list[Step] = [{"op": "resize", "inside": list(asked.fit), "interpolation": way}, pad]
        return [*first, *(step for step in kept if step["op"] not in ("resize", "center_crop", "pad", "pad_to"))]
    if asked.resize:
        way = _interpolation(kept, asked)
        dropped = ("resize", "pad_to") if "short" in asked.resize else ("resize", "pad_to", "center_crop")
        kept = [step for step in kept if step["op"] not in dropped]
        kept.insert(0, {"op": "resize", **asked.resize, "interpolation": way})
    if asked.crop:
        place = 1 + max((i for i, step in enumerate(kept) if step["op"] == "resize"), default=-1)
        kept = [
            *kept[:place],
            {"op": "center_crop", "size": list(asked.crop)},
            *(step for step in kept[place:] if step["op"] not in ("center_crop", "pad_to")),
        ]
    way = _interpolation(kept, asked)
    return [{**step, "interpolation": way} if step["op"] == "resize" else step for step in kept]


def _interpolation(steps: Sequence[Step], asked: Preprocess) -> str:
    said = [str(step["interpolation"]) for step in steps if step["op"] == "resize"]
    return asked.interpolation or (said[0] if said else "pillow")


def _with_values(steps: Sequence[Step], entry: Input, asked: Preprocess, color: str) -> list[Step]:
    """The steps with the mean and std that are asked for, in the order of the channels; the last of all."""
    channels = entry.channels or 3
    done = [
        {**step, "value": _spread("pad", step["value"], channels)}
        if "value" in step and step["op"] == "pad_to"
        else step
        for step in steps
    ]
    turned = {"RGB", "BGR"} == {color, entry.color}
    if not asked.mean:
        return [_turned(step) if turned and step["op"] == "normalize" else step for step in done]
    mean, std = (_spread(name, row, channels, asked.rgb) for name, row in (("mean", asked.mean), ("std", asked.std)))
    normal: Step = {"op": "normalize", "mean": mean, "std": std}
    normal = _turned(normal) if asked.rgb and color == "BGR" else normal
    return [*(step for step in done if step["op"] != "normalize"), normal]


def _turned(step: Step) -> Step:
    return {**step, "mean": step["mean"][::-1], "std": step["std"][::-1]}


def _spread(name: str, row: Sequence[float], channels: int, averaged: bool = False) -> list[float]:
    """A number for each channel; a preset's for grey are the mean of the colours'."""
    if len(row) == channels:
        return list(row)
    if len(row) == 1 or averaged:
        return [sum(row) / len(row)] * channels
    raise wrong(name, list(row), say(en=f"{channels} numbers", zh=f"{channels} 个数"))


def _left(assumed: Sequence[str], asked: Preprocess) -> list[str]:
    """What is still assumed."""
    said = {
        "normalize": bool(asked.mean),
        "color": asked.color is not None,
        "input_size": asked.size is not None,
        "resize": bool(asked.resize or asked.fit or asked.crop),
    }
    return [name for name in assumed if not said.get(name)]
