"""Axes: what stands around a layer that wants its channels first, and shapes that are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from ...graph.form import Dim, Value
from .layer import KerasNet, Layer
from .refuse import Unfit


def channels_first(t: KerasNet, layer: Layer, x: Value, run: Callable[[Value], Value]) -> Value:
    """`run` on (N, C, …), whatever the layer keeps; both Transposes are taken away later, where they cancel."""
    if layer.first:
        return run(x)
    rank = len(x.shape)
    found = run(t.emit("Transpose", [x], perm=(0, rank - 1, *range(1, rank - 1))))
    return t.emit("Transpose", [found], perm=(0, *range(2, rank), 1))


def at_second(t: KerasNet, x: Value, axis: int, run: Callable[[Value], Value]) -> Value:
    """`run` on x with one axis in the second place."""
    axis, rank = t.axis(x, axis), len(x.shape)
    if axis == 1:
        return run(x)
    perm = (0, axis, *(i for i in range(1, rank) if i != axis))
    found = run(t.emit("Transpose", [x], perm=perm))
    return t.emit("Transpose", [found], perm=tuple(perm.index(i) for i in range(rank)))


def rank_of(layer: Layer, x: Value, *ranks: int) -> int:
    """How many axes; UnsupportedCheckpoint where a layer has no meaning for as many."""
    if not isinstance(x, Value) or len(x.shape) not in ranks:
        shown = list(x.shape) if isinstance(x, Value) else "several"
        raise layer.refuse(f"its input has the shape {shown}", f"它的输入形状为 {shown}")
    return len(x.shape)


def reshaped(t: KerasNet, x: Value, shape: Sequence[Dim]) -> Value:
    """The same numbers in this shape, in which sizes that stay free stand where they stood, but for one."""
    if tuple(shape) == x.shape:
        return x
    free = [i for i, n in enumerate(shape) if isinstance(n, str)]
    same = [i for i in free if i < len(x.shape) and x.shape[i] == shape[i]]
    minus = [i for i in free if i not in same] or (same[:1] if len(free) == 1 else [])
    row = [n if isinstance(n, int) else (-1 if i in minus else 0) for i, n in enumerate(shape)]
    if len(minus) > 1:
        raise Unfit(f"{list(x.shape)} cannot become {list(shape)}", f"{list(x.shape)} 无法变为 {list(shape)}")
    return t.emit("Reshape", [x, t.whole(*row)], tuple(shape))


def flat(sizes: Sequence[Dim]) -> Dim:
    """The product; a name where one is free."""
    known = [n for n in sizes if isinstance(n, int)]
    return math.prod(known) if len(known) == len(sizes) else "x".join(map(str, sizes))


def like(t: KerasNet, numbers: Value, x: Value, axes: Sequence[int]) -> Value:
    """Numbers of these axes of x (in their order), wide enough to be broadcast."""
    if sorted(axes) == list(range(len(x.shape) - len(axes), len(x.shape))) and list(axes) == sorted(axes):
        return numbers
    order = sorted(range(len(axes)), key=lambda i: axes[i])
    turned = numbers if order == list(range(len(axes))) else t.emit("Transpose", [numbers], perm=tuple(order))
    sizes = dict(zip(sorted(axes), (int(n) for n in turned.shape), strict=True))
    first = min(axes)
    return t.emit("Reshape", [turned, t.whole(*(sizes.get(i, 1) for i in range(first, len(x.shape))))])


def as_float(t: KerasNet, x: Value) -> Value:
    """Numbers that may have a fraction."""
    return x if x.dtype == "float32" else t.emit("Cast", [x], to=1)
