"""What torchvision transforms, as BaseNN pickles them, mean for pictures at inference: the card's steps, and notes.

BaseNN 2.0 reads a picture with OpenCV, divides by 255 and applies the transform to the tensor (load_data.py); its
inference applies it to the uint8 picture. Both orders give the same but for the rounding of resized values.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...errors import ModelError, say
from ...files.refusals import short
from ...files.types import Opaque
from ...runtime.model.card import Card, Input, Output
from .module import entries, integers

Step = dict[str, Any]

# Only there to vary the training data. The two crops still say at which size and scale the network sees pictures.
VARIATIONS = (
    "RandomHorizontalFlip", "RandomVerticalFlip", "RandomRotation", "RandomAffine", "RandomPerspective", "ColorJitter",
    "RandomErasing", "RandomGrayscale", "RandomInvert", "RandomPosterize", "RandomSolarize", "RandomAdjustSharpness",
    "RandomAutocontrast", "RandomEqualize", "RandomApply", "RandomChoice", "RandomOrder", "RandAugment", "AutoAugment",
    "TrivialAugmentWide", "AugMix", "ElasticTransform", "RandomPhotometricDistort", "RandomZoomOut",
)  # fmt: skip
MOST = 1000  # transforms, nested ones counted each time
MOST_STEPS = 30  # of a card, less those that are added at the end
NOTHING = ("ToTensor", "PILToTensor", "ToPILImage", "ConvertImageDtype", "ToImage", "ToDtype", "Identity")


@dataclass
class Preparation:
    """The steps so far. `scale` is what 1.0 of the training is here: 255 until the picture is normalised."""

    channels: int
    scale: float = 255.0
    steps: list[Step] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def preparation(transform: Any, channels: int, size: Sequence[int]) -> tuple[list[Step], list[str]]:
    """The card's steps for a pickled transform (None if there was none) and a network's (height, width); notes."""
    done = Preparation(channels)
    for one in _flat(transform, itertools.count()):
        name = one.name.rpartition(".")[2]
        if name in VARIATIONS:
            done.dropped.append(name)
        elif name not in NOTHING:
            _translate(name, entries(one.state), done)
    if not any(step["op"] in ("resize", "center_crop") for step in done.steps):
        done.steps.insert(0, {"op": "resize", "size": list(size), "interpolation": "pillow"})
    if done.scale != 1:
        _normalize([0.0], [1.0], done)
    return done.steps, _notes(done)


def _flat(transform: Any, visited: Iterator[int], depth: int = 0) -> Iterator[Opaque]:
    """The transforms inside a Compose, nn.Sequential or list, one after the other; anything else by its type's name."""
    inner = _inside(transform) if depth < 8 else None
    if inner is not None:
        for item in inner:
            if next(visited) >= MOST:
                yield Opaque("…")
                return
            yield from _flat(item, visited, depth + 1)
    elif transform is not None:
        yield transform if isinstance(transform, Opaque) else Opaque(type(transform).__name__)


def _inside(transform: Any) -> Sequence[Any] | None:
    """The transforms that this one does in order; None if it is a single one."""
    if isinstance(transform, Opaque) and transform.name.rpartition(".")[2] in ("Compose", "Sequential"):
        state = entries(transform.state)
        transform = state["transforms"] if "transforms" in state else list(entries(state.get("_modules")).values())
    return transform if isinstance(transform, (list, tuple)) else None


def _translate(name: str, state: Any, done: Preparation) -> None:
    """One transform; what cannot be expressed is named, never guessed."""
    steps, scale, dropped = len(done.steps), done.scale, len(done.dropped)
    try:
        TRANSFORMS[name](state, done)
        _check(done.steps[steps:], done.channels)
        if len(done.steps) > MOST_STEPS:
            raise ValueError
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, ModelError):
        del done.steps[steps:], done.dropped[dropped:]
        done.scale = scale
        done.unknown.append(name)


def _check(steps: list[Step], channels: int) -> None:
    """ModelError for steps that no card may hold: sizes that do not fit into memory, numbers that are not finite."""
    entry = Input("input", "image", [1, channels, 1, 1], "RGB" if channels == 3 else "GRAY", steps)
    Card.from_json(Card("values", "", "", entry, Output("output", "values")).to_json())


def _resize(state: Any, done: Preparation) -> None:
    size = _sizes(state)
    antialiased, way = state.get("antialias") is True, _interpolation(state)
    if (
        way not in ("bilinear", "bicubic")
        or state.get("max_size") is not None
        or (way == "bicubic" and not antialiased)
    ):
        raise ValueError
    kind = way.replace("bilinear", "pillow") if antialiased else "cv2"
    step: Step = {"op": "resize", "size": list(size)} if len(size) == 2 else {"op": "resize", "short": size[0]}
    done.steps.append({**step, "interpolation": kind})


def _interpolation(state: Any) -> str:
    """InterpolationMode by value; torchvision before 0.8 pickled Pillow's number, 2 for bilinear."""
    value = state.get("interpolation", "bilinear")
    value = value.args[0] if isinstance(value, Opaque) and value.args else value
    return "bilinear" if value == 2 else str(value)


def _center_crop(state: Any, done: Preparation) -> None:
    done.steps.append({"op": "center_crop", "size": _pair(state)})


def _random_crop(state: Any, done: Preparation) -> None:
    """Its centre is the fairest part."""
    _center_crop(state, done)
    done.dropped.append("RandomCrop")


def _random_resized_crop(state: Any, done: Preparation) -> None:
    """The whole picture, in that size."""
    done.steps.append({"op": "resize", "size": _pair(state), "interpolation": "pillow"})
    done.dropped.append("RandomResizedCrop")


def _pair(state: Any) -> list[int]:
    size = _sizes(state)
    return list(size * 2 if len(size) == 1 else size)


def _sizes(state: Any) -> tuple[int, ...]:
    size = integers(state["size"])
    if len(size) not in (1, 2):
        raise ValueError
    return size


def _pad(state: Any, done: Preparation) -> None:
    """padding: all sides, (left and right, top and bottom), or left, top, right, bottom."""
    sides = integers(state["padding"])
    fill = state.get("fill", 0)
    if state.get("padding_mode", "constant") != "constant" or len(sides) not in (1, 2, 4) or not any(sides):
        if sides and not any(sides):
            return
        raise ValueError
    done.steps.append({"op": "pad", "border": list(sides * (4 // len(sides))), "value": float(fill) * done.scale})


def _gray(state: Any, done: Preparation) -> None:
    if done.channels != (integers(state.get("num_output_channels", 1)) or (0,))[0]:
        raise ValueError
    done.steps.append({"op": "gray"})


def _normalize_from(state: Any, done: Preparation) -> None:
    _normalize([float(n) for n in state["mean"]], [float(n) for n in state["std"]], done)


def _normalize(mean: list[float], std: list[float], done: Preparation) -> None:
    """(x - mean) / std on pixels of 0 to 1, as a step on 0 to 255."""
    mean, std = (list(values) * (done.channels if len(values) == 1 else 1) for values in (mean, std))
    if not len(mean) == len(std) == done.channels or 0.0 in std:
        raise ValueError
    scaled = [[value * done.scale for value in values] for values in (mean, std)]
    done.steps.append({"op": "normalize", "mean": scaled[0], "std": scaled[1]})
    done.scale = 1.0


TRANSFORMS: dict[str, Callable[[Any, Preparation], None]] = {
    "Resize": _resize,
    "CenterCrop": _center_crop,
    "RandomCrop": _random_crop,
    "RandomResizedCrop": _random_resized_crop,
    "Pad": _pad,
    "Grayscale": _gray,
    "Normalize": _normalize_from,
}


def _notes(done: Preparation) -> list[str]:
    notes = []
    if done.dropped:
        names = ", ".join(dict.fromkeys(done.dropped))
        notes.append(
            say(
                en=f"Random changes of the training are left out at inference: {names}.",
                zh=f"训练时的随机变换在推理时不使用：{names}。",
            )
        )
    if done.unknown:
        names = ", ".join(short(name, 60) for name in list(dict.fromkeys(done.unknown))[:20])
        notes.append(
            say(
                en=f"These transforms of the training cannot be repeated here, so answers may differ: {names}.",
                zh=f"训练时的这些变换无法在这里重现，结果可能与训练时不同：{names}。",
            )
        )
    return notes
