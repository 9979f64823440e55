"""Normalisations, with the statistics of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph.form import Value
from .activations import number
from .layer import KerasNet, Kind, Layer
from .moves import at_second, like


def _axes(t: KerasNet, layer: Layer, x: Value, usual: int = -1) -> list[int]:
    axis = layer.get("axis", usual)
    return [t.axis(x, one) for one in (axis if isinstance(axis, list) else [axis])]


def batch_norm(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Per number of one axis."""
    axes = _axes(t, layer, x)
    if len(axes) != 1 or layer.flag("renorm") or layer.get("virtual_batch_size"):
        raise layer.refuse("renorm, several axes or a virtual batch", "使用了 renorm、多个轴或虚拟批量")
    roles = [*(["gamma"] if layer.flag("scale", True) else []), *(["beta"] if layer.flag("center", True) else [])]
    found = layer.tensors(t, *roles, "moving_mean", "moving_variance")
    named = dict(zip([*roles, "mean", "variance"], found, strict=True))
    size = named["mean"].shape
    if size != (x.shape[axes[0]],):
        raise layer.refuse(
            f"it is for {list(size)} and gets {list(x.shape)}", f"它对应 {list(size)}，输入为 {list(x.shape)}"
        )
    scale = named.get("gamma") or t.array(np.ones([int(n) for n in size], np.float32))
    shift = named.get("beta") or t.array(np.zeros([int(n) for n in size], np.float32))
    eps = layer.number("epsilon", 1e-3)

    def inner(one: Value) -> Value:
        return t.emit("BatchNormalization", [one, scale, shift, named["mean"], named["variance"]], epsilon=eps)

    return at_second(t, x, axes[0], inner)


def _affine(t: KerasNet, layer: Layer, *names: str) -> dict[str, Value]:
    """gamma and beta, as far as it has them."""
    flags = {"gamma": "scale", "beta": "center"}
    roles = [name for name in names or ("gamma", "beta") if layer.flag(flags[name], True)]
    return dict(zip(roles, layer.tensors(t, *roles), strict=True)) if roles else {}


def layer_norm(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Over the last axis, or others; gamma and beta have the shape of those."""
    axes, eps = _axes(t, layer, x), layer.number("epsilon", 1e-3)
    found = _affine(t, layer)
    if axes == [len(x.shape) - 1] and "gamma" in found and not layer.flag("rms_scaling"):
        return t.emit("LayerNormalization", [x, *found.values()], axis=-1, epsilon=eps)
    mean = t.emit("ReduceMean", [x], axes=tuple(sorted(axes)), keepdims=1)
    middle = t.emit("Sub", [x, mean])
    spread = t.emit("ReduceMean", [t.emit("Mul", [middle, middle])], axes=tuple(sorted(axes)), keepdims=1)
    done = t.emit("Div", [x if layer.flag("rms_scaling") else middle, _root(t, spread, eps)])
    return _scaled(t, done, found, axes)


def _root(t: KerasNet, x: Value, eps: float) -> Value:
    return t.emit("Sqrt", [number(t, "Add", x, eps)])


def _scaled(t: KerasNet, x: Value, found: dict[str, Value], axes: Sequence[int]) -> Value:
    if "gamma" in found:
        x = t.emit("Mul", [x, like(t, found["gamma"], x, axes)])
    return t.emit("Add", [x, like(t, found["beta"], x, axes)]) if "beta" in found else x


def rms_norm(t: KerasNet, layer: Layer, x: Value) -> Value:
    """x / sqrt(mean(x²) + epsilon) * scale."""
    axes = _axes(t, layer, x)
    (scale,) = layer.tensors(t, "scale")
    square = t.emit("ReduceMean", [t.emit("Mul", [x, x])], axes=tuple(sorted(axes)), keepdims=1)
    done = t.emit("Div", [x, _root(t, square, layer.number("epsilon", 1e-6))])
    return _scaled(t, done, {"gamma": scale}, axes)


def group_norm(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Within groups of channels; -1 is one for each channel."""
    axes = _axes(t, layer, x)
    size = x.shape[axes[0]]
    groups = layer.get("groups", 32)
    if not isinstance(size, int) or type(groups) is not int or len(axes) != 1:
        raise layer.garbled("groups")
    groups = size if groups == -1 else groups
    if groups < 1 or size % groups:
        raise layer.refuse(f"{size} channels in {groups} groups", f"{size} 个通道无法分成 {groups} 组")
    found = _affine(t, layer)
    both = [
        found.get("gamma") or t.array(np.ones(size, np.float32)),
        found.get("beta") or t.array(np.zeros(size, np.float32)),
    ]
    eps = layer.number("epsilon", 1e-3)
    return at_second(t, x, axes[0], lambda one: t.blocks("GroupNorm", [one, *both], one.shape, groups=groups, eps=eps))


def unit_norm(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Divided by the length along axes."""
    return unit(t, x, _axes(t, layer, x))


def unit(t: KerasNet, x: Value, axes: Sequence[int], eps: float = 1e-12) -> Value:
    """x / max(length, eps)."""
    square = t.emit("ReduceSum", [t.emit("Mul", [x, x]), t.whole(*sorted(axes))], keepdims=1)
    return t.emit("Div", [x, number(t, "Max", t.emit("Sqrt", [square]), eps)])


NORMS: dict[str, Kind] = {
    "BatchNormalization": Kind(batch_norm, "pass"),
    "BatchNormalizationV1": Kind(batch_norm, "pass"),
    "BatchNormalizationV2": Kind(batch_norm, "pass"),
    "SyncBatchNormalization": Kind(batch_norm, "pass"),
    "LayerNormalization": Kind(layer_norm, "pass"),
    "RMSNormalization": Kind(rms_norm, "drop"),
    "GroupNormalization": Kind(group_norm, "three"),
    "UnitNormalization": Kind(unit_norm, "pass"),
}
