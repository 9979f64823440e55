"""Poolings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...graph.form import Value
from .conv import pads_of
from .layer import KerasNet, Kind, Layer
from .masks import average_of
from .moves import channels_first, rank_of, reshaped

Run = Callable[[KerasNet, Layer, Value], Value]


def pool(op: str, dims: int) -> Run:
    """With padding 'same' the largest ignores what is added, and the mean counts what is real."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        size = layer.sizes("pool_size", dims, 2)
        strides = size if layer.get("strides") is None else layer.sizes("strides", dims)
        ones = (1,) * dims

        def inner(one: Value) -> Value:
            attrs: dict[str, Any] = {"kernel_shape": size, "strides": strides, "ceil_mode": 0}
            attrs["pads"] = pads_of(t, layer, one, size, strides, ones)
            attrs |= {"dilations": ones} if op == "MaxPool" else {"count_include_pad": 0}
            return t.emit(op, [one], **attrs)

        return channels_first(t, layer, x, inner)

    return run


def global_pool(op: str, dims: int) -> Run:
    """Over all positions."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        keep, rank = layer.flag("keepdims"), dims + 2
        wide = x if layer.first else t.emit("Transpose", [x], perm=(0, rank - 1, *range(1, rank - 1)))
        found = t.emit(op, [wide])
        if not keep:
            return reshaped(t, found, found.shape[:2])
        return found if layer.first else t.emit("Transpose", [found], perm=(0, *range(2, rank), 1))

    return run


def mean_of_steps(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Over the steps that a mask does not hide."""
    return average_of(t, layer, x, global_pool("GlobalAveragePool", 1))


POOLS: dict[str, Kind] = {
    **{f"MaxPooling{n}D": Kind(pool("MaxPool", n), "drop") for n in (1, 2, 3)},
    **{f"MaxPool{n}D": Kind(pool("MaxPool", n), "drop") for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": Kind(pool("AveragePool", n), "drop") for n in (1, 2, 3)},
    **{f"AvgPool{n}D": Kind(pool("AveragePool", n), "drop") for n in (1, 2, 3)},
    **{
        f"GlobalMax{name}{n}D": Kind(global_pool("GlobalMaxPool", n), "drop")
        for n in (1, 2, 3)
        for name in ("Pooling", "Pool")
    },
    **{
        f"Global{name}{n}D": Kind(global_pool("GlobalAveragePool", n), "drop")
        for n in (2, 3)
        for name in ("AveragePooling", "AvgPool")
    },
    "GlobalAveragePooling1D": Kind(mean_of_steps, "own"),
    "GlobalAvgPool1D": Kind(mean_of_steps, "own"),
}
