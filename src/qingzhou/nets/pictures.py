"""How a network's pictures are prepared: as its file says, and where that says nothing, as its tool does by default."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..assumed import IMAGENET
from ..runtime.model.card import Input
from .settings import Picture, Step

MEAN, STD = IMAGENET
SIZING = ("resize", "center_crop")


def input_as_trained(usual: Input, picture: Picture) -> tuple[Input, tuple[str, ...]]:
    """A classifier's input as its config says, the rest as usual; and which parts of it the config does not say."""
    channels = usual.shape[1] or 3
    steps, values_known = fitted(picture, channels)
    assumed: list[str] = []
    if not picture.sizes or not any(step["op"] in SIZING for step in steps):
        steps = [*(step for step in usual.steps if step["op"] in SIZING), *_without(steps, SIZING)]
        assumed += ["input_size", "resize"]
    size = final_size(steps)
    if size is None:
        steps, assumed = _stretched(steps, usual), ["input_size", "resize"]
        size = final_size(steps) or _usual_size(usual)
    if not values_known:
        steps = [*_without(steps, ("normalize",)), *(step for step in usual.steps if step["op"] == "normalize")]
        assumed.append("normalize")
    color = colour(picture, channels)
    assumed += [] if color else ["color"]
    return replace(usual, shape=[*usual.shape[:2], *size], color=color or usual.color, steps=steps), tuple(assumed)


def _stretched(steps: Iterable[Step], usual: Input) -> list[Step]:
    """Steps that keep a picture's ratio, with one size near to that instead: a network is made for one."""
    return [
        {"op": "resize", "size": _near(step, usual), "interpolation": step["interpolation"]}
        if step["op"] == "resize"
        else step
        for step in steps
    ]


def _near(step: Step, usual: Input) -> list[int]:
    """(height, width) near to what a resize makes of pictures."""
    return [step["short"]] * 2 if "short" in step else step.get("within", [])[::-1] or _usual_size(usual)


def _usual_size(usual: Input) -> list[int]:
    return [side for side in usual.shape[2:] if side is not None]


def colour(picture: Picture, channels: int) -> str | None:
    """The order of the channels as far as the config says it; of one channel there is no other."""
    return "GRAY" if channels == 1 else picture.color if picture.color != "GRAY" else None


def fitted(picture: Picture, channels: int) -> tuple[list[Step], bool]:
    """The steps with a number for each channel; and whether what they make of the pixels is known."""
    steps, known = [], picture.values
    for step in picture.steps:
        rows = [step[name] for name in ("mean", "std", "value") if name in step]
        if any(_spread(row, channels) is None for row in rows):
            known = False
        else:
            steps.append(
                {
                    name: (_spread(value, channels) if name in ("mean", "std", "value") else value)
                    for name, value in step.items()
                }
            )
    return [_turned(step) for step in steps], known


def _spread(numbers: Sequence[float], channels: int) -> list[float] | None:
    """One for each channel, from one for all or from equal ones for more; else None."""
    if len(numbers) == channels:
        return list(numbers)
    return [numbers[0]] * channels if len(set(numbers)) == 1 else None


def _turned(step: Step) -> Step:
    """ "within" as the card has it: the longer side first."""
    return {**step, "within": sorted(step["within"], reverse=True)} if "within" in step else step


def _without(steps: Iterable[Step], names: Sequence[str]) -> list[Step]:
    return [step for step in steps if step["op"] not in names]


def final_size(steps: Iterable[Step]) -> list[int] | None:
    """(height, width) that every picture has after the steps; None where that depends on the picture."""
    size: list[int] | None = None
    least = [0, 0]  # what is at most so large becomes this
    for step in steps:
        if step["op"] == "resize":
            size = list(step["size"]) if "size" in step else None
            most = step.get("inside") or step.get("letterbox") or step.get("within")
            least = list(most) if most and len(set(most)) == 1 else [0, 0]
        elif step["op"] == "center_crop":
            size = list(step["size"])
        elif step["op"] == "pad_to" and "size" in step:
            fits = size is None and least != [0, 0] and all(a <= b for a, b in zip(least, step["size"], strict=True))
            size = list(map(max, size, step["size"])) if size else list(step["size"]) if fits else None
        elif step["op"] == "pad_to" and size:
            size = [-(-n // step["multiple"]) * step["multiple"] for n in size]
    return size


def interpolated(entry: Input, way: str) -> Input:
    """Resized in another way; "" leaves it."""
    steps = [{**step, "interpolation": way} if step["op"] == "resize" else step for step in entry.steps]
    return replace(entry, steps=steps) if way else entry


def resized(entry: Input, size: tuple[int, int] | None) -> Input:
    """The same pre-processing for pictures of (height, width) instead."""
    if size is None:
        return entry
    before = [n or side for n, side in zip(entry.shape[2:], size, strict=True)]
    steps = []
    for step in entry.steps:
        if "size" in step:
            step = {**step, "size": list(size)}
        elif "short" in step:
            step = {**step, "short": round(step["short"] * min(size) / min(before))}
        elif "letterbox" in step:
            step = {**step, "letterbox": list(size)}
        elif "within" in step or "inside" in step:
            step = {**_without_key(step, "within"), "inside": list(size)}
        steps.append(step)
    return replace(entry, shape=[*entry.shape[:2], *size], steps=steps)


def _without_key(step: Step, key: str) -> Step:
    return {name: value for name, value in step.items() if name != key}


def with_channels(entry: Input, channels: int | None) -> Input:
    """The same for networks that take another number of channels: 1, grey, or 3."""
    if channels in (None, entry.shape[1]):
        return entry
    steps = [{**s, **{k: _averaged(s[k], channels) for k in ("mean", "std") if k in s}} for s in entry.steps]
    shape = [entry.shape[0], channels, *entry.shape[2:]]
    return replace(entry, shape=shape, color="GRAY" if channels == 1 else "RGB", steps=steps)


def _averaged(numbers: Sequence[float], channels: int | None) -> list[float]:
    """Numbers of another number of channels: grey has the mean of the colours'."""
    return [sum(numbers) / len(numbers)] * (channels or len(numbers))


# -- detectors ---------------------------------------------------------------------------------------------------------


def fixed_input(
    picture: Picture, inside: Sequence[int], size: Sequence[int], keep_ratio: bool, channels: int = 3
) -> Input:
    """Pictures of one (height, width): as large as fits inside, or squashed to that; filled up right and below.

    For squares that is mmcv's rule; it turns other rectangles with the picture.
    """
    resize: Step = {"op": "resize", "inside" if keep_ratio else "size": list(inside), "interpolation": "cv2"}
    pad: Step | None = {"op": "pad_to", "size": list(size)} if keep_ratio or list(inside) != list(size) else None
    color = colour(picture, channels) or "RGB"
    return Input("input", "image", [1, channels, *size], color, [resize, *_after(picture, pad, channels)])


def free_input(picture: Picture, within: Sequence[int], multiple: int, channels: int = 3) -> Input:
    """Pictures of any size: as large as (one side, the other) allow, and filled up to a multiple."""
    resize: Step = {"op": "resize", "within": sorted(within, reverse=True), "interpolation": "cv2"}
    after = _after(picture, {"op": "pad_to", "multiple": multiple}, channels)
    color = colour(picture, channels) or "RGB"
    return Input("input", "image", [1, channels, None, None], color, [resize, *after])


def _after(picture: Picture, pad: Step | None, channels: int) -> list[Step]:
    """What follows the resize: `pad` where and with what the training first filled up, else at the end."""
    steps, known = fitted(picture, channels)
    if not known:
        steps = _without(steps, ("normalize",))
        place = max((i for i, step in enumerate(steps, start=1) if "value" in step), default=0)  # those are of pixels
        mean, std = (MEAN, STD) if channels == 3 else (_averaged(MEAN, channels), _averaged(STD, channels))
        steps.insert(place, {"op": "normalize", "mean": mean, "std": std})
    done: list[Step] = []
    for step in _without(steps, SIZING):
        if step["op"] != "pad_to":
            done.append(step)
        elif pad is not None:
            done.append({**pad, **({"value": step["value"]} if "value" in step else {})})
            pad = None
    return [*done, pad] if pad is not None else done


def said_size(picture: Picture) -> tuple[int, int] | None:
    """(height, width) of the resize; None where none is said."""
    for step in picture.steps if picture.sizes else ():
        if "size" in step and step["op"] == "resize":
            return step["size"][0], step["size"][1]
        if "within" in step:
            return step["within"][1], step["within"][0]
    return None


def keeps_ratio(picture: Picture) -> bool | None:
    """Whether the resize keeps the ratio; None where that is not said."""
    found = [step for step in picture.steps if step["op"] == "resize"] if picture.sizes else []
    return "within" in found[0] if found else None


def unsaid(picture: Picture, size_given: bool, channels: int = 3) -> tuple[str, ...]:
    """Which parts of a detector's preparation the config does not say, of those in ASSUMED of the card."""
    said = {
        "input_size": size_given or said_size(picture) is not None,
        "resize": keeps_ratio(picture) is not None,
        "color": colour(picture, channels) is not None,
        "normalize": fitted(picture, channels)[1],
    }
    return tuple(name for name, is_said in said.items() if not is_said)
