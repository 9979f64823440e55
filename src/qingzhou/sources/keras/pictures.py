"""Preparing pictures inside the network: scale, statistics, another size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten.resize import resized, smoothed
from .layer import KerasNet, Kind, Layer, plain_value
from .moves import as_float, channels_first, like, rank_of
from .shapes import Run, padded, sliced

MODES = {"nearest": "exact", "bilinear": "linear", "bicubic": "cubic"}


def _row(layer: Layer, key: str, usual: float) -> float | list[float]:
    found: Any = layer.get(key, usual)
    found = plain_value(found) if isinstance(found, Mapping) else found
    numbers = found if isinstance(found, list) else [found]
    if not numbers or not all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
        raise layer.garbled(key)
    return [float(n) for n in numbers] if isinstance(found, list) else float(numbers[0])


def _constant(t: KerasNet, found: float | list[float]) -> Value:
    return t.scalar(found) if isinstance(found, float) else t.array(np.array(found, np.float32))


def rescaling(t: KerasNet, layer: Layer, x: Value) -> Value:
    """x * scale + offset, for all channels alike or one by one."""
    scale, offset = _row(layer, "scale", 1.0), _row(layer, "offset", 0.0)
    x = as_float(t, x)
    if layer.first and any(isinstance(one, list) for one in (scale, offset)):
        raise layer.refuse("it has numbers for each channel, which come first", "它对每个通道有不同数值，而通道在前")
    x = t.emit("Mul", [x, _constant(t, scale)])
    return x if offset == 0.0 else t.emit("Add", [x, _constant(t, offset)])


def normalization(t: KerasNet, layer: Layer, x: Value) -> Value:
    """(x - mean) / max(sqrt(variance), 1e-7), or the other way round."""
    axis = layer.get("axis", -1)
    axes = [] if axis is None or ("axis" in layer.config and layer.config["axis"] is None) else axis
    axes = [t.axis(x, one) for one in (axes if isinstance(axes, list) else [axes])]
    x = as_float(t, x)
    if layer.get("mean") is not None:
        mean, variance = (_said(t, layer, key) for key in ("mean", "variance"))
    else:
        mean, variance = layer.tensors(t, "mean", "variance")
    low = t.emit("Max", [t.emit("Sqrt", [variance]), t.scalar(1e-7)])
    middle, spread = (_wide(t, x, one, axes) for one in (mean, low))
    if layer.flag("invert"):
        return t.emit("Add", [middle, t.emit("Mul", [x, spread])])
    return t.emit("Div", [t.emit("Sub", [x, middle]), spread])


def _said(t: KerasNet, layer: Layer, key: str) -> Value:
    """Numbers among the settings, of any depth."""
    found = layer.get(key)
    array = np.array(plain_value(found) if isinstance(found, Mapping) else found, np.float32)
    return t.array(array) if array.ndim else t.scalar(float(array))


def _wide(t: KerasNet, x: Value, numbers: Value, axes: Sequence[int]) -> Value:
    """Numbers of some axes of x."""
    sizes = [n if isinstance(n := x.shape[a], int) else 1 for a in axes]
    if math.prod(int(n) for n in numbers.shape) == 1:
        return t.emit("Reshape", [numbers, t.whole(1)]) if numbers.shape not in ((), (1,)) else numbers
    if numbers.shape != tuple(sizes):
        numbers = t.emit("Reshape", [numbers, t.whole(*sizes)])
    return like(t, numbers, x, axes)


def _sides(layer: Layer, x: Value) -> tuple[int, int]:
    height, width = x.shape[2:] if layer.first else x.shape[1:3]
    if not isinstance(height, int) or not isinstance(width, int):
        raise layer.refuse(
            "it changes pictures whose size is free",
            "它要缩放的图片尺寸不固定",
            "Give the size of pictures with --input-size",
            "请用 --input-size 指定图片尺寸",
        )
    return height, width


def resized_to(t: KerasNet, layer: Layer, x: Value, sizes: Sequence[int], way: str, antialias: bool) -> Value:
    """With half-pixel centres, clamped at the edges."""
    mode = MODES.get(way)
    if mode is None:
        raise layer.refuse(f"interpolation {way[:40]}", f"插值方式 {way[:40]}")

    def inner(one: Value) -> Value:
        if antialias and mode != "exact":
            return smoothed(t, one, tuple(sizes), mode == "cubic")
        if mode == "cubic":
            return _cubic(t, one, sizes)
        return resized(t, one, mode, tuple(sizes), ())

    return channels_first(t, layer, as_float(t, x), inner)


def _cubic(t: KerasNet, x: Value, sizes: Sequence[int]) -> Value:
    """Keys 1981 with a = -1/2, of what is inside: TensorFlow's ResizeBicubic with half_pixel_centers."""
    if tuple(sizes) == x.shape[2:]:
        return x
    none = t.array(np.zeros(0, np.float32))
    ratios = np.array([1, 1, *(m / int(n) for n, m in zip(x.shape[2:], sizes, strict=True))], np.float32)
    return t.emit(
        "Resize", [x, none, t.array(ratios)], (*x.shape[:2], *sizes), mode="cubic", cubic_coeff_a=-0.5,
        exclude_outside=1, coordinate_transformation_mode="half_pixel",
    )  # fmt: skip


def resizing(t: KerasNet, layer: Layer, x: Value) -> Value:
    """To a height and width; the middle first, or filled up first, where the aspect is to stay."""
    rank_of(layer, x, 4)
    height, width = layer.whole("height"), layer.whole("width")
    if layer.flag("crop_to_aspect_ratio"):
        x = _middle(t, layer, x, height, width)
    elif layer.flag("pad_to_aspect_ratio"):
        x = _filled(t, layer, x, height, width)
    _sides(layer, x)
    return resized_to(t, layer, x, (height, width), layer.text("interpolation", "bilinear"), layer.flag("antialias"))


def _middle(t: KerasNet, layer: Layer, x: Value, height: int, width: int) -> Value:
    """The largest window of that aspect: keras/src/backend/tensorflow/image.py, resize."""
    own_height, own_width = _sides(layer, x)
    tall = max(1, min(own_height, int(float(own_width * height) / width)))
    wide = max(1, min(own_width, int(float(own_height * width) / height)))
    top, left = int(float(own_height - tall) / 2), int(float(own_width - wide) / 2)
    first = 2 if layer.first else 1
    return sliced(t, x, [(first, top, top + tall, 1), (first + 1, left, left + wide, 1)])


def _filled(t: KerasNet, layer: Layer, x: Value, height: int, width: int) -> Value:
    """Filled up to that aspect, the same on both sides."""
    own_height, own_width = _sides(layer, x)
    if layer.text("fill_mode", "constant") != "constant":
        raise layer.refuse("fill_mode other than constant", "fill_mode 不是 constant")
    tall = max(own_height, int(float(own_width * height) / width))
    wide = max(own_width, int(float(own_height * width) / height))
    top, left = int(float(tall - own_height) / 2), int(float(wide - own_width) / 2)
    pairs = [(top, top), (0, 0)] if top > 0 else [(0, 0), (left, left)]
    around = [(0, 0), (0, 0), *pairs] if layer.first else [(0, 0), *pairs, (0, 0)]
    return padded(t, as_float(t, x), around, layer.number("fill_value", 0.0))


def center_crop(t: KerasNet, layer: Layer, x: Value) -> Value:
    """The middle; a picture that is smaller is made larger first, its aspect kept."""
    rank_of(layer, x, 4)
    height, width = layer.whole("height"), layer.whole("width")
    own_height, own_width = _sides(layer, x)
    if own_height < height or own_width < width:
        middle = _middle(t, layer, x, height, width)
        return resized_to(t, layer, middle, (height, width), "bilinear", False)
    top, left = (own_height - height) // 2, (own_width - width) // 2
    first = 2 if layer.first else 1
    return sliced(t, x, [(first, top, top + height, 1), (first + 1, left, left + width, 1)])


def upsampling(dims: int) -> Run:
    """A whole number of times as large."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        factors = layer.sizes("size", dims, 2)
        way = layer.text("interpolation", "nearest")
        spatial = x.shape[2:] if layer.first else x.shape[1:-1]
        if not all(isinstance(n, int) for n in spatial):
            raise layer.refuse("its input has a free size", "输入尺寸不固定")
        sizes = [int(n) * f for n, f in zip(spatial, factors, strict=True)]
        return resized_to(t, layer, x, sizes, way, False)

    return run


PICTURES: dict[str, Kind] = {
    "Rescaling": Kind(rescaling, "new"),
    "Normalization": Kind(normalization, "new"),
    "Resizing": Kind(resizing, "drop"),
    **{f"UpSampling{n}D": Kind(upsampling(n), "drop") for n in (1, 2, 3)},
    "CenterCrop": Kind(center_crop, "drop"),
}
