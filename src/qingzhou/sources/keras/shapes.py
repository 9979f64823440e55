"""Layers that move, cut and add, in the order that channels last have; and those that join."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

from ...graph.form import Dim, Value
from .layer import KerasNet, Kind, Layer
from .masks import merged_under
from .moves import as_float, flat, rank_of, reshaped
from .norms import unit
from .refuse import Unfit

Run = Callable[[KerasNet, Layer, Value], Value]


def flatten(t: KerasNet, layer: Layer, x: Value) -> Value:
    """(N, all the rest)."""
    if len(x.shape) == 1:
        return reshaped(t, x, (*x.shape, 1))
    if layer.first and len(x.shape) > 2:
        x = t.emit("Transpose", [x], perm=(0, *range(2, len(x.shape)), 1))
    return reshaped(t, x, (x.shape[0], flat(x.shape[1:])))


def reshape(t: KerasNet, layer: Layer, x: Value) -> Value:
    """To target_shape, of which one may be -1."""
    wish = layer.get("target_shape")
    if not isinstance(wish, list) or not all(type(n) is int or n is None for n in wish):
        raise layer.garbled("target_shape")
    shape = (x.shape[0], *wished(x.shape[1:], [-1 if n is None else n for n in wish]))
    if len(x.shape) == 2 and len(shape) > 2 and set(shape[1:-1]) == {1}:  # squeeze and excite: no Transpose is left so
        first = reshaped(t, x, (*x.shape, *[1] * (len(shape) - 2)))
        return t.emit("Transpose", [first], perm=(0, *range(2, len(shape)), 1))
    return reshaped(t, x, shape)


def wished(sizes: Sequence[Dim], wish: Sequence[int]) -> list[Dim]:
    """With -1 as what remains; a name where that is free."""
    known = math.prod(n for n in wish if n != -1)
    fixed = [n for n in sizes if isinstance(n, int)]
    if len(fixed) == len(sizes):
        if not known or math.prod(fixed) % known:
            raise Unfit(f"{list(sizes)} cannot become {list(wish)}", f"{list(sizes)} 无法变为 {list(wish)}")
        return [math.prod(fixed) // known if n == -1 else n for n in wish]
    return ["rest" if n == -1 else n for n in wish]


def permute(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Axes in another order, counted from 1 without the batch."""
    dims = layer.get("dims")
    if not isinstance(dims, list) or sorted(dims) != list(range(1, len(x.shape))):
        raise layer.garbled("dims")
    return t.emit("Transpose", [x], perm=(0, *dims))


def repeat(t: KerasNet, layer: Layer, x: Value) -> Value:
    """(N, C) -> (N, n, C)."""
    rank_of(layer, x, 2)
    wide = t.emit("Unsqueeze", [x, t.whole(1)])
    return t.emit("Tile", [wide, t.whole(1, layer.whole("n"), 1)])


def _borders(layer: Layer, key: str, dims: int) -> list[tuple[int, int]]:
    """n, (n, m) or ((a, b), (c, d)): before and after each axis."""
    found = layer.get(key, 1)
    rows = [found] * dims if type(found) is int else found
    if dims == 1 and isinstance(rows, list) and len(rows) == 2:
        rows = [rows]
    pairs = [(n, n) if isinstance(n, int) else tuple(n) for n in rows]
    if len(pairs) != dims or not all(
        len(p) == 2 and all(type(n) is int and 0 <= n < 1 << 20 for n in p) for p in pairs
    ):
        raise layer.garbled(key)
    return [(int(a), int(b)) for a, b in pairs]


def _around(layer: Layer, dims: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """With nothing for the batch and the channels."""
    none = (0, 0)
    return [none, none, *pairs] if layer.first else [none, *pairs, none]


def zero_pad(dims: int) -> Run:
    """Zeros around."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        return padded(t, x, _around(layer, dims, _borders(layer, "padding", dims)))

    return run


def padded(t: KerasNet, x: Value, pairs: Sequence[tuple[int, int]], value: float = 0.0) -> Value:
    """Before and after each axis."""
    row = [*(a for a, _ in pairs), *(b for _, b in pairs)]
    if not any(row):
        return x
    return t.emit("Pad", [x, t.whole(*row), t.scalar(value, x.dtype)], mode="constant")


def crop(dims: int) -> Run:
    """Without the borders."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        pairs = _around(layer, dims, _borders(layer, "cropping", dims))
        cut = [(i, a, b) for i, (a, b) in enumerate(pairs) if a or b]
        return sliced(t, x, [(i, a, -b if b else None, 1) for i, a, b in cut])

    return run


END = 2**63 - 1


def sliced(t: KerasNet, x: Value, cuts: Sequence[tuple[int, int, int | None, int]]) -> Value:
    """(axis, start, stop, step) each."""
    if not cuts:
        return x
    axes, starts, stops, steps = zip(*cuts, strict=True)
    ends = [(END if s > 0 else -END) if n is None else n for n, s in zip(stops, steps, strict=True)]
    return t.emit("Slice", [x, t.whole(*starts), t.whole(*ends), t.whole(*axes), t.whole(*steps)])


# -- of several ------------------------------------------------------------------------------------------------------


def _several(t: KerasNet, layer: Layer, xs: Sequence[Value]) -> list[Value]:
    """All as wide as the widest: axes of size 1 come after the batch."""
    if isinstance(xs, Value) or len(xs) < 1:
        raise layer.refuse("it gets one input", "它只有一个输入")
    most = max(len(x.shape) for x in xs)
    found = []
    for x in xs:
        missing = most - len(x.shape)
        found.append(t.emit("Unsqueeze", [x, t.whole(*range(1, 1 + missing))]) if missing else x)
    return found


def merged(op: str) -> Callable[[KerasNet, Layer, Sequence[Value]], Value]:
    """Number by number."""

    def run(t: KerasNet, layer: Layer, xs: Sequence[Value]) -> Value:
        return reduce(lambda a, b: t.emit(op, [a, b]), _several(t, layer, xs))

    return run


def average(t: KerasNet, layer: Layer, xs: Sequence[Value]) -> Value:
    """The mean of all."""
    total = merged("Add")(t, layer, xs)
    return t.emit("Div", [as_float(t, total), t.scalar(float(len(xs)))])


def concatenate(t: KerasNet, layer: Layer, xs: Sequence[Value]) -> Value:
    """One after the other along an axis."""
    if isinstance(xs, Value):
        return xs
    return t.emit("Concat", list(xs), axis=t.axis(xs[0], layer.get("axis", -1)))


def dot(t: KerasNet, layer: Layer, xs: Sequence[Value]) -> Value:
    """Of two, along an axis of each, sample by sample."""
    first, second = xs
    axes = layer.get("axes")
    a, b = (axes, axes) if type(axes) is int else axes
    a, b = t.axis(first, a), t.axis(second, b)
    if layer.flag("normalize"):
        first, second = unit(t, first, [a]), unit(t, second, [b])
    if len(first.shape) == len(second.shape) == 2:
        return t.emit("ReduceSum", [t.emit("Mul", [first, second]), t.whole(1)], keepdims=1)
    left = ["n", *"abcdef"[: len(first.shape) - 1]]
    right = ["n", *"ghijkl"[: len(second.shape) - 1]]
    left[a] = right[b] = "z"
    result = "".join(c for c in (*left, *right[1:]) if c != "z")
    return t.emit("Einsum", [first, second], equation=f"{''.join(left)},{''.join(right)}->{result}")


SHAPES: dict[str, Kind] = {
    "Flatten": Kind(flatten, "drop"), "Reshape": Kind(reshape, "drop"), "Permute": Kind(permute, "drop"),
    "RepeatVector": Kind(repeat, "drop"),
    **{f"ZeroPadding{n}D": Kind(zero_pad(n), "drop") for n in (1, 2, 3)},
    **{f"Cropping{n}D": Kind(crop(n), "drop") for n in (1, 2, 3)},
    "Add": Kind(merged("Add"), "merge"), "Subtract": Kind(merged("Sub"), "merge"),
    "Multiply": Kind(merged_under("Mul", merged("Mul")), "merge"),
    "Maximum": Kind(merged_under("Max", merged("Max")), "merge"),
    "Minimum": Kind(merged_under("Min", merged("Min")), "merge"), "Average": Kind(average, "merge"),
    "Concatenate": Kind(concatenate, "join"), "Dot": Kind(dot, "drop"),
}  # fmt: skip
