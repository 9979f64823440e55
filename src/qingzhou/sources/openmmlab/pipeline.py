"""How the test pipeline of a config prepares pictures, as steps of the card in their order.

Two generations write it. mmcv 1 (mmcls 0.x, mmdet 2.x) gives sizes as (height, width) and normalises inside the
pipeline, in RGB unless told otherwise. mmcv 2 (mmpretrain, mmdet 3) gives (width, height), and its data_preprocessor
normalises after the pipeline, in BGR unless told otherwise. Both read pictures as OpenCV does: BGR.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from ...nets.settings import Numbers, Picture, Step
from .config_values import at, count, first, numbers, pair, truth, type_name

MOST_STEPS = 24  # of a pipeline, less those that a card adds
MOST_VALUE = 1e6  # of what fills a picture up

# Data sets that read no files: the side of their pictures, and the order of their channels (mmpretrain/datasets/)
READY = {"CIFAR10": (32, "RGB"), "CIFAR100": (32, "RGB"), "MNIST": (28, "GRAY"), "FashionMNIST": (28, "GRAY")}

# Reading, packing and answers: nothing that changes a pixel
PASSED = (
    "LoadImageFromNDArray",
    "LoadImageFromWebcam",
    "LoadAnnotations",
    "MultiScaleFlipAug",
    "TestTimeAug",
    "RandomFlip",
    "ImageToTensor",
    "ToTensor",
    "Collect",
    "DefaultFormatBundle",
    "ImageFormatBundle",
    "Transpose",
    "PackInputs",
    "PackClsInputs",
    "PackDetInputs",
    "ToDataContainer",
    "WrapFieldsToLists",
    "FilterAnnotations",
)


def read_picture(names: Mapping[str, object], model: object, modern: bool, strange: list[str]) -> Picture:
    """What a config says of its pictures; what of it is not followed goes to `strange`. `modern`: written by mmcv 2."""
    kind, pipeline = _pipeline(names)
    made = first(at(model, "data_preprocessor"), at(names, "data_preprocessor"))
    side, color = READY.get(kind or "", (0, "BGR"))
    done, steps = _Reading(modern, strange, color=color), list(islice(_flat(pipeline), MOST_STEPS + 1))
    if len(steps) > MOST_STEPS:
        strange.append(f"test_pipeline: > {MOST_STEPS}")
        return Picture()
    for step in steps:
        done.read(step)
    if side and not any(step["op"] == "resize" for step in done.steps):
        done.steps.insert(0, {"op": "resize", "size": [side, side], "interpolation": "cv2"})
    if made is not None:
        done.preprocess(made)
    if pipeline is None and made is None:
        return Picture()
    return Picture(tuple(done.steps), done.color, pipeline is not None and not done.failed, done.values_known)


@dataclass
class _Reading:
    """The steps so far. `color` is the order of channels as it is then, "GRAY" for one.

    failed         a step that decides the size could not be followed
    values_known   what becomes of the pixels' values is known
    """

    modern: bool
    strange: list[str]
    steps: list[Step] = field(default_factory=list)
    color: str = "BGR"
    scale: object = None
    failed: bool = False
    values_known: bool = True

    def read(self, step: object) -> None:
        """One step of the pipeline; what is not followed is taken down."""
        name = type_name(step)
        if name in STEPS:
            STEPS[name](step, self)
        elif name not in PASSED:
            self.note(name or "?")
            self.values_known &= "Normalize" not in (name or "")
        if name in ("MultiScaleFlipAug", "TestTimeAug"):
            self.scale = at(step, "img_scale")
            self.unless(truth(at(step, "flip")) is not True, f"{name}.flip")
        if name == "RandomFlip":
            chance = first(at(step, "prob"), at(step, "flip_prob"), at(step, "flip_ratio"))
            self.unless(chance in (None, 0), f"{name}.prob")

    def note(self, what: str) -> None:
        """Take down what is not followed, once."""
        if (text := f"test_pipeline.{what}") not in self.strange:
            self.strange.append(text)

    def unless(self, followed: bool, what: str) -> bool:
        """Whether it is followed; else it is taken down."""
        if not followed:
            self.note(what)
        return followed

    def preprocess(self, made: object) -> None:
        """The data_preprocessor of mmcv 2: normalise, then pad the batch."""
        turned = any(truth(at(made, key)) is True for key in ("to_rgb", "bgr_to_rgb", "rgb_to_bgr"))
        self.values(made, "data_preprocessor", turned)
        multiple = count(at(made, "pad_size_divisor"))
        if multiple and multiple > 1:
            self.pad({"multiple": multiple}, at(made, "pad_value"), "data_preprocessor.pad_value")

    def values(self, step: object, name: str, rgb: bool) -> None:
        """mean and std, after the channels are put into the order they are for."""
        mean, std = (numbers(at(step, key)) if at(step, key) is not None else () for key in ("mean", "std"))
        self.swap(rgb)
        if not mean and not std and at(step, "mean") is None and at(step, "std") is None:
            return
        if len(mean) == len(std) in (1, 3) and min(std) > 0:
            self.steps.append({"op": "normalize", "mean": [*map(float, mean)], "std": [*map(float, std)]})
        else:
            self.note(f"{name}.mean, {name}.std")
            self.values_known = False

    def swap(self, wanted: bool) -> None:
        """Turn the order of the channels round, where the training does."""
        if wanted and self.color != "GRAY":
            self.color = self.color[::-1]
            for step in self.steps:  # what came before was for the other order
                if len(step.get("value", ())) == 3:
                    step["value"] = step["value"][::-1]

    def pad(self, size: Step, value: object, name: str) -> None:
        """Fill up at the right and bottom."""
        value = first(at(value, "img"), None if isinstance(value, dict) else value, 0)
        fill: Numbers = numbers(value)
        if not self.unless(len(fill) in (1, 3) and all(abs(n) <= MOST_VALUE for n in fill), name):
            fill = (0,)
        step: Step = {"op": "pad_to", **size}
        self.steps.append({**step, "value": [*map(float, fill)]} if any(fill) else step)

    def resized(self, size: Step | None, step: object, name: str) -> None:
        """A resize, by OpenCV where nothing else is said."""
        backend, way = first(at(step, "backend"), "cv2"), first(at(step, "interpolation"), "bilinear")
        if not self.unless(backend in ("cv2", "pillow"), _is(step, name, "backend")):
            backend = "cv2"
        if backend == "pillow" and way == "bicubic":
            backend = way
        else:
            self.unless(way == "bilinear", _is(step, name, "interpolation"))
        if size is None:
            self.note(f"{name}: {_shown(step)}")
            self.failed = True
        else:
            self.steps.append({"op": "resize", **size, "interpolation": backend})


def _is(step: object, name: str, key: str) -> str:
    return f"{name}.{key} = {at(step, key)}"


def _shown(step: object) -> str:
    """A step's sizes, as far as they can be shown."""
    keys = ("size", "scale", "img_scale", "scale_factor", "edge", "adaptive_side")
    return ", ".join(f"{key}={at(step, key)}" for key in keys if at(step, key) is not None) or "?"


# -- one function for each kind of step --------------------------------------------------------------------------------


def _load(step: object, done: _Reading) -> None:
    kind = first(at(step, "color_type"), "color")
    if kind == "grayscale":
        done.color = "GRAY"
    else:
        done.unless(kind == "color", _is(step, "LoadImageFromFile", "color_type"))
    order = first(at(step, "channel_order"), "bgr")
    if done.unless(order in ("bgr", "rgb"), _is(step, "LoadImageFromFile", "channel_order")) and kind != "grayscale":
        done.color = str(order).upper()


def _resize(step: object, done: _Reading) -> None:
    """mmcls 0.x: size, where (256, -1) is one side; else scale or img_scale, which mmdet 2 keeps the ratio of."""
    size = at(step, "size")
    if size is not None:
        done.resized(_of_size(step, size), step, "Resize")
        return
    keep = first(truth(at(step, "keep_ratio")), not done.modern)
    width_height = pair(first(at(step, "scale"), at(step, "img_scale"), done.scale))
    found = width_height and ({"within": [*width_height]} if keep else {"size": [*width_height[::-1]]})
    done.resized(found or None, step, "Resize")


def _of_size(step: object, size: object) -> Step | None:
    if isinstance(size, tuple) and len(size) == 2 and size[1] == -1:
        return _side(first(at(step, "adaptive_side"), "short"), size[0])
    height_width = pair(size)
    return height_width and {"size": [*height_width]}


def _side(which: object, length: object) -> Step | None:
    found = count(length)
    return {"short": found} if which == "short" and found else None


def _edge(step: object, done: _Reading) -> None:
    done.resized(_side(first(at(step, "edge"), "short"), at(step, "scale")), step, "ResizeEdge")


def _efficient_crop(step: object, done: _Reading) -> None:
    """The centre's share crop_size / (crop_size + crop_padding), made crop_size: as if resized first."""
    name, side = type_name(step) or "", count(at(step, "crop_size"))
    said = at(step, "crop_padding")
    more = 32 if said is None else said if type(said) is int and said >= 0 else None
    fine = done.unless(side is not None and more is not None, _is(step, name, "crop_size"))
    if not fine or not side or more is None or not isinstance(step, dict):
        done.failed = True
        return
    usual = "bicubic" if name == "EfficientNetCenterCrop" else "bilinear"
    done.resized({"short": side + more}, {"interpolation": usual, **step}, name)
    done.steps.append({"op": "center_crop", "size": [side, side]})


def _center_crop(step: object, done: _Reading) -> None:
    if truth(at(step, "efficientnet_style")) is True:
        _efficient_crop(step, done)
        return
    size = pair(at(step, "crop_size"))
    short = next((before["short"] for before in done.steps if "short" in before), None)
    if size and short:  # the original then takes the picture as it is
        done.unless(max(size) <= short, f"CenterCrop.crop_size = {max(size)} > {short}")
    if done.unless(size is not None, _is(step, "CenterCrop", "crop_size")) and size:
        done.steps.append({"op": "center_crop", "size": [*(size[::-1] if done.modern else size)]})
    else:
        done.failed = True


def _normalize(step: object, done: _Reading) -> None:
    done.values(step, "Normalize", truth(at(step, "to_rgb")) is not False)


def _pad(step: object, done: _Reading) -> None:
    """To a size, a multiple, or a square, which is that of the resize before it."""
    size, multiple = pair(at(step, "size")), count(at(step, "size_divisor"))
    done.unless(first(at(step, "padding_mode"), "constant") == "constant", _is(step, "Pad", "padding_mode"))
    if truth(at(step, "pad_to_square")):
        last = done.steps[-1] if done.steps else {}
        size = (max(last["within"]),) * 2 if len(set(last.get("within", ()))) == 1 else None
        if not done.unless(size is not None, "Pad.pad_to_square"):
            return
    elif size and done.modern:
        size = size[::-1]
    if size or multiple:
        into: Step = {"size": [*size]} if size else {"multiple": multiple}
        done.pad(into, at(step, "pad_val"), _is(step, "Pad", "pad_val"))


STEPS: dict[str, Callable[[object, _Reading], None]] = {
    "LoadImageFromFile": _load,
    "Resize": _resize,
    "FixScaleResize": _resize,
    "ResizeEdge": _edge,
    "CenterCrop": _center_crop,
    "EfficientNetCenterCrop": _efficient_crop,
    "Normalize": _normalize,
    "Pad": _pad,
}


# -- finding it --------------------------------------------------------------------------------------------------------


def _pipeline(names: Mapping[str, object]) -> tuple[str | None, object]:
    """The type and the steps of the data set that the tools' test programs use; else of the one for validation."""
    for test in ("test", "val"):
        for path in ((f"{test}_dataloader", "dataset"), ("data", test)):
            data = _innermost(at(names, *path))
            if isinstance(at(data, "pipeline"), tuple):
                return type_name(data), at(data, "pipeline")
        found = at(names, f"{test}_pipeline")  # the name that all configs give it
        if isinstance(found, tuple):
            return None, found
    return None, None


def _innermost(data: object) -> object:
    """The data set with the steps, inside those that repeat, balance or join others, of which the first counts."""
    while True:
        if isinstance(data, tuple):
            data = data[0] if data else None
        elif at(data, "pipeline") is None and isinstance(data, dict):
            data = first(at(data, "dataset"), at(data, "datasets"))
        else:
            return data


def _flat(steps: object, depth: int = 0) -> Iterator[object]:
    """The steps, each followed by those inside it; MultiScaleFlipAug and TestTimeAug hold others."""
    for step in steps if isinstance(steps, tuple) and depth < 4 else ():
        if isinstance(step, tuple):  # TestTimeAug lists its ways one by one
            yield from _flat(step, depth + 1)
            continue
        yield step
        yield from _flat(at(step, "transforms"), depth + 1)
