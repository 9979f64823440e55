"""Operators that move, cut, join and pick."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph.form import Dim, Value
from . import activations as acts
from .activations import clipped
from .arithmetic import (
    KINDS,
    MOST_NUMBERS,
    Run,
    axes_of,
    both,
    cast_to,
    value,
)
from .layer import KerasNet, Layer
from .moves import as_float, flat, reshaped
from .norms import unit
from .refuse import Unfit
from .shapes import padded, sliced, wished


def reshape(t: KerasNet, layer: Layer, x: Value, newshape: Any = None, **more: Any) -> Value:
    """To a shape that has the batch, too."""
    wish = [-1 if n is None else n for n in (newshape if newshape is not None else more["shape"])]
    if not all(type(n) is int for n in wish):
        raise Unfit(f"the shape {str(wish)[:40]}", f"形状 {str(wish)[:40]}")
    return reshaped(t, x, shape_of(x, wish))


def shape_of(x: Value, wish: Sequence[int]) -> list[Dim]:
    """With what -1 stands for; the batch stays the batch where it comes first and the rest is as large as before."""
    rest = flat(x.shape[1:])
    if wish and wish[0] == -1 and isinstance(rest, int) and math.prod(wish[1:]) == rest and -1 not in wish[1:]:
        return [x.shape[0], *wish[1:]]
    return wished(x.shape, wish)


def transpose(t: KerasNet, layer: Layer, x: Value, axes: Any = None, **more: Any) -> Value:
    """Axes in another order, or the other way round."""
    axes = axes if axes is not None else more.get("perm")
    perm = tuple(reversed(range(len(x.shape)))) if axes is None else tuple(t.axis(x, one) for one in axes)
    return t.emit("Transpose", [x], perm=perm)


def moved(t: KerasNet, layer: Layer, x: Value, source: Any, destination: Any, **more: Any) -> Value:
    """Axes in other places."""
    order = np.moveaxis(np.empty(range(2, 2 + len(x.shape)), np.bool_), source, destination).shape
    return t.emit("Transpose", [x], perm=tuple(n - 2 for n in order))


def swapped(t: KerasNet, layer: Layer, x: Value, axis1: int, axis2: int, **more: Any) -> Value:
    """Two axes in each other's place."""
    perm, a, b = list(range(len(x.shape))), t.axis(x, axis1), t.axis(x, axis2)
    perm[a], perm[b] = b, a
    return t.emit("Transpose", [x], perm=tuple(perm))


def expand_dims(t: KerasNet, layer: Layer, x: Value, axis: Any, **more: Any) -> Value:
    """New axes of size 1."""
    row = axis if isinstance(axis, (list, tuple)) else [axis]
    rank = len(x.shape) + len(row)
    return t.emit("Unsqueeze", [x, t.whole(*sorted(one % rank for one in row))])


def squeeze(t: KerasNet, layer: Layer, x: Value, axis: Any = None, **more: Any) -> Value:
    """Without axes of size 1."""
    axes = axes_of(t, x, axis) if axis not in (None, []) else tuple(i for i, n in enumerate(x.shape) if n == 1)
    return t.emit("Squeeze", [x, t.whole(*axes)]) if axes else x


def concatenate(t: KerasNet, layer: Layer, xs: Any, axis: Any = 0, **more: Any) -> Value:
    """One after the other."""
    first = next(x for x in xs if isinstance(x, Value))
    values = [cast_to(t, value(t, x), first.dtype) for x in xs]
    return t.emit("Concat", values, axis=t.axis(first, axis))


def stack(t: KerasNet, layer: Layer, xs: Any, axis: Any = 0, **more: Any) -> Value:
    """Along a new axis."""
    first = next(x for x in xs if isinstance(x, Value))
    place = t.whole(axis % (len(first.shape) + 1))
    return t.emit("Concat", [t.emit("Unsqueeze", [value(t, x), place]) for x in xs], axis=axis % (len(first.shape) + 1))


def split(
    t: KerasNet, layer: Layer, x: Value, indices_or_sections: Any, axis: Any = 0, **more: Any
) -> tuple[Value, ...]:
    """Equal parts, or at these places."""
    axis = t.axis(x, axis)
    size = x.shape[axis]
    if not isinstance(size, int):
        raise Unfit("a free size is split", "被切分的尺寸不固定")
    if isinstance(indices_or_sections, int):
        step = size // indices_or_sections
        places = list(range(step, size, step))
    else:
        places = [int(n) for n in indices_or_sections]
    ends = [0, *places, size]
    return tuple(sliced(t, x, [(axis, a, b, 1)]) for a, b in itertools.pairwise(ends))


def split_tf(
    t: KerasNet, layer: Layer, x: Value, num_or_size_splits: Any, axis: Any = 0, **more: Any
) -> tuple[Value, ...]:
    """tf.split: a number, or the sizes."""
    if isinstance(num_or_size_splits, int):
        return split(t, layer, x, num_or_size_splits, axis)
    return split(t, layer, x, list(np.cumsum(num_or_size_splits)[:-1]), axis)


def unstack(t: KerasNet, layer: Layer, x: Value, num: Any = None, axis: Any = 0, **more: Any) -> tuple[Value, ...]:
    """One by one along an axis, which goes."""
    axis = t.axis(x, axis)
    size = x.shape[axis]
    if not isinstance(size, int) or size > 10_000:
        raise Unfit("a free size, or too large a one, is taken apart", "被拆开的尺寸不固定或太大")
    return tuple(t.emit("Gather", [x, t.scalar(i, "int64")], axis=axis) for i in range(size))


def get_item(t: KerasNet, layer: Layer, x: Value, key: Any = None, **more: Any) -> Value:
    """x[key]: slices, whole numbers, None and ..."""
    given = more.get("slice_spec", key)
    keys = list(given) if isinstance(given, (list, tuple)) else [given]
    if any(isinstance(one, (list, Value)) for one in keys):
        raise Unfit("an index that is a tensor", "下标是张量")
    count = sum(one is not None and one is not ... for one in keys)
    if ... in [one for one in keys if one is ...]:
        i = next(i for i, one in enumerate(keys) if one is ...)
        keys[i : i + 1] = [slice(None)] * (len(x.shape) - count)
    cuts: list[tuple[int, int, int | None, int]] = []
    gone: list[int] = []
    new: list[int] = []
    axis = 0
    for place, one in enumerate(keys):
        if one is None:
            new.append(place - len(gone))
            continue
        if isinstance(one, slice):
            if (one.start, one.stop, one.step) != (None, None, None):
                step = 1 if one.step is None else int(one.step)
                start = one.start if one.start is not None else (0 if step > 0 else 2**63 - 1)
                cuts.append((axis, int(start), None if one.stop is None else int(one.stop), step))
        elif type(one) is int:
            cuts.append((axis, one, one + 1 if one != -1 else None, 1))
            gone.append(axis)
        else:
            raise Unfit(f"the index {str(one)[:40]}", f"下标 {str(one)[:40]}")
        axis += 1
    found = sliced(t, x, cuts)
    found = t.emit("Squeeze", [found, t.whole(*gone)]) if gone else found
    return t.emit("Unsqueeze", [found, t.whole(*new)]) if new else found


def flipped(t: KerasNet, layer: Layer, x: Value, axis: Any = None, **more: Any) -> Value:
    """The other way round."""
    return sliced(t, x, [(i, -1, None, -1) for i in axes_of(t, x, axis)])


def tile(t: KerasNet, layer: Layer, x: Value, repeats: Any = None, **more: Any) -> Value:
    """Several copies along axes."""
    row = repeats if repeats is not None else more["multiples"]
    row = [row] if isinstance(row, int) else list(row)
    return t.emit("Tile", [x, t.whole(*[1] * (len(x.shape) - len(row)), *row)])


def repeated(t: KerasNet, layer: Layer, x: Value, repeats: Any, axis: Any = None, **more: Any) -> Value:
    """Each number several times, beside each other."""
    if not isinstance(repeats, int) or axis is None:
        raise Unfit("repeats", "repeats 参数")
    axis = t.axis(x, axis)
    size = x.shape[axis]
    if not isinstance(size, int):
        raise Unfit("a free size is repeated", "被重复的尺寸不固定")
    return t.emit("Gather", [x, t.array(np.repeat(np.arange(size), repeats))], axis=axis)


def pad(
    t: KerasNet,
    layer: Layer,
    x: Value,
    pad_width: Any = None,
    mode: Any = "constant",
    constant_values: Any = None,
    **more: Any,
) -> Value:
    """Around, by a constant or a mirror."""
    pairs = pad_width if pad_width is not None else more["paddings"]
    pairs = [(int(a), int(b)) for a, b in pairs]
    mode = str(mode).lower()
    if mode == "constant":
        return padded(t, x, pairs, float(constant_values or 0))
    if mode not in ("reflect", "edge"):
        raise Unfit(f"mode {str(mode)[:40]}", f"mode {str(mode)[:40]}")
    row = [*(a for a, _ in pairs), *(b for _, b in pairs)]
    return t.emit("Pad", [x, t.whole(*row)], mode=mode)


def broadcast_to(t: KerasNet, layer: Layer, x: Value, shape: Any, **more: Any) -> Value:
    """As large as that; the batch stays."""
    row = [1 if n is None or n == -1 else int(n) for n in shape]
    return t.emit("Expand", [x, t.whole(*row)])


# -- the rest --------------------------------------------------------------------------------------------------------


def matmul(t: KerasNet, layer: Layer, a: Value, b: Any, **more: Any) -> Value:
    """Of the last two axes."""
    for name, place in (("transpose_a", 0), ("transpose_b", 1)):
        if more.get(name):
            one = value(t, (a, b)[place])
            rank = len(one.shape)
            turned = t.emit("Transpose", [one], perm=(*range(rank - 2), rank - 1, rank - 2))
            a, b = (turned, b) if place == 0 else (a, turned)
    return t.emit("MatMul", [as_float(t, value(t, a)), as_float(t, value(t, b))])


def einsum(t: KerasNet, layer: Layer, first: Any, *rest: Any, **more: Any) -> Value:
    """By its equation."""
    equation, xs = (
        (first, rest) if isinstance(first, str) else (more.get("subscripts") or more["equation"], (first, *rest))
    )
    xs = tuple(xs[0]) if len(xs) == 1 and isinstance(xs[0], (list, tuple)) else xs
    return t.emit("Einsum", [value(t, x) for x in xs], equation=str(equation).replace(" ", ""))


def clip(t: KerasNet, layer: Layer, x: Value, x_min: Any = None, x_max: Any = None, **more: Any) -> Value:
    """Between two limits."""
    low = more.get("clip_value_min", x_min)
    high = more.get("clip_value_max", x_max)
    return clipped(t, as_float(t, x), None if low is None else float(low), None if high is None else float(high))


def cast(t: KerasNet, layer: Layer, x: Value, dtype: Any = "float32", **more: Any) -> Value:
    """In another dtype; one with a fraction is cut."""
    name = str(dtype).rpartition(".")[2]
    name = "bool" if name == "bool" else "int64" if "int" in name else KINDS.get(name, "float32")
    return cast_to(t, x, name)


def where(t: KerasNet, layer: Layer, condition: Value, x1: Any = None, x2: Any = None, **more: Any) -> Value:
    """One or the other."""
    a, b = both(t, more.get("x", x1), more.get("y", x2))
    return t.emit("Where", [cast_to(t, condition, "bool"), a, b])


def take(t: KerasNet, layer: Layer, x: Value, indices: Any, axis: Any = 0, **more: Any) -> Value:
    """Those of an axis."""
    return t.emit("Gather", [value(t, x), cast_to(t, value(t, indices, "int64"), "int64")], axis=t.axis(x, axis or 0))


def one_hot(t: KerasNet, layer: Layer, x: Value, num_classes: Any = None, axis: Any = -1, **more: Any) -> Value:
    """1 where the number is."""
    count = int(num_classes if num_classes is not None else more["depth"])
    if axis != -1 or not 1 <= count <= MOST_NUMBERS:
        raise Unfit("axis", "axis 参数")
    wide = t.emit("Unsqueeze", [cast_to(t, x, "int64"), t.whole(len(x.shape))])
    return t.emit("Cast", [t.emit("Equal", [wide, t.array(np.arange(count))])], to=1)


def normalize(
    t: KerasNet, layer: Layer, x: Value, axis: Any = -1, order: Any = 2, epsilon: Any = 1e-12, **more: Any
) -> Value:
    """Divided by its length."""
    if order != 2:
        raise Unfit("order", "order 参数")
    return unit(t, x, list(axes_of(t, x, axis)), float(epsilon))


def resized(
    t: KerasNet, layer: Layer, x: Value, size: Any, interpolation: Any = "bilinear", antialias: Any = False, **more: Any
) -> Value:
    """Pictures in another size."""
    from .pictures import resized_to

    way = str(more.get("method", interpolation)).lower()
    if more.get("preserve_aspect_ratio") or more.get("crop_to_aspect_ratio") or more.get("pad_to_aspect_ratio"):
        raise Unfit("the aspect is to stay", "要求保持长宽比")
    return resized_to(t, layer, x, [int(n) for n in size], way, bool(antialias))


def like(number: float) -> Run:
    """A tensor of this shape with one number everywhere."""

    def run(t: KerasNet, layer: Layer, x: Value, **more: Any) -> Value:
        if more.get("dtype") == "bool":
            real = t.emit("Cast", [x], to=9)
            return t.emit("Or" if number else "And", [real, t.emit("Not", [real])])
        zero = t.emit("Mul", [as_float(t, x), t.scalar(0.0)])
        return zero if number == 0 else t.emit("Add", [zero, t.scalar(number)])

    return run


def softmax(run_one: Callable[..., Value]) -> Run:
    """Along an axis."""
    return lambda t, layer, x, axis=-1, **more: run_one(t, x, -1 if axis is None else axis)


def same(t: KerasNet, layer: Layer, x: Value, **more: Any) -> Value:
    """The same numbers."""
    return x


def gelu(t: KerasNet, layer: Layer, x: Value, approximate: Any = None, **more: Any) -> Value:
    """keras.ops.gelu approximates unless told otherwise, tf.nn.gelu does not."""
    usual = layer.kind == "Gelu"
    return acts.gelu(usual if approximate is None else bool(approximate))(t, x)


def leaky(t: KerasNet, layer: Layer, x: Value, negative_slope: Any = 0.2, **more: Any) -> Value:
    """tf.nn.leaky_relu calls it alpha."""
    return t.emit("LeakyRelu", [x], alpha=float(more.get("alpha", negative_slope)))


def elu(t: KerasNet, layer: Layer, x: Value, alpha: Any = 1.0, **more: Any) -> Value:
    """alpha * (exp(x) - 1) below 0."""
    return t.emit("Elu", [x], alpha=float(alpha))
