"""Sums, means, extremes and norms over axes; orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten import reductions as theirs
from ..aten.arithmetic import cast, floating
from ..aten.axes import flatten, squeeze_dims, view
from ..aten.reductions import over
from ..recording.net import plain
from .refuse import refused
from .walk import Call, Results, Step


def axes_of(c: Call, x: Value, name: str = "axis") -> tuple[int, ...] | None:
    """Over which axes; None for all."""
    if c.flag("reduce_all"):
        return None
    found = c.axes(name, len(x.shape))
    return found if found and len(set(found)) < max(len(x.shape), 1) else None


def reduced(function: Callable[..., Value]) -> Step:
    """A reduction of torch's table with (x, axes, keepdim)."""

    def step(c: Call) -> Value:
        x = c.x()
        axes = axes_of(c, x)
        return function(c.t, x, tuple(range(len(x.shape))) if axes is None else axes, c.flag("keepdim"))

    return step


def summed(c: Call) -> Value:
    """Truths and whole numbers as int64, or in the kind that is said."""
    x, kind = c.x(), c.dtype()
    x = cast(c.t, x, plain(kind)) if kind else x
    axes = axes_of(c, x)
    return theirs.sum_dim(c.t, x, tuple(range(len(x.shape))) if axes is None else axes, c.flag("keepdim"))


def product(c: Call) -> Value:
    """Of all numbers along axes."""
    x = c.x()
    return over(c.t, "ReduceProd", x, axes_of(c, x), c.flag("keepdim"))


def mean_all(c: Call) -> Value:
    """Of all numbers."""
    return over(c.t, "ReduceMean", floating(c.t, c.x()), None)


def squares(c: Call) -> Value:
    """The sum of all squares, as one number in a row."""
    x = c.x()
    return view(c.t, over(c.t, "ReduceSum", c.t.emit("Mul", [x, x]), None), (1,))


def place(op: str) -> Step:
    """Where the largest or smallest is."""

    def step(c: Call) -> Value:
        x, keep = c.x(), c.flag("keepdims")
        if x.dtype != "float32":
            x = floating(c.t, x)
        if c.flag("flatten"):
            rank = len(x.shape)
            found = c.t.emit(op, [flatten(c.t, x)], axis=0, keepdims=1 if keep else 0)
            return view(c.t, found, (1,) * rank) if keep else found
        return c.t.emit(op, [x], axis=c.axis("axis", len(x.shape), -1), keepdims=int(keep))

    return step


def topk(c: Call) -> Results:
    """The k largest or smallest along an axis, and where they are."""
    return theirs.topk(
        c.t, c.x(), c.whole("k", 1), c.whole("axis", -1), c.flag("largest", True), c.flag("sorted", True)
    )


def argsort(c: Call) -> Results:
    """All in order, and where they were."""
    return theirs.sort(c.t, c.x(), c.whole("axis", -1), c.flag("descending"))


def kth(c: Call) -> Results:
    """The k-th smallest along an axis, and where it is."""
    t, x, k = c.t, c.x(), c.whole("k", 1)
    axis = c.axis("axis", len(x.shape), -1)
    values, places = t.emits("TopK", [x, t.whole(k)], 2, axis=axis, largest=0, sorted=1)
    found = [t.emit("Slice", [one, t.whole(k - 1), t.whole(k), t.whole(axis)]) for one in (values, places)]
    return found if c.flag("keepdim") else [squeeze_dims(t, one, (axis,)) for one in found]


def median(c: Call) -> Results:
    """The middle number along axes, or the mean of both middle ones, or the lower one."""
    t, x, axes = c.t, c.x(), c.axes("axis", len(c.x().shape))
    axis = axes[0] if axes else 0
    x = x if len(axes) == 1 else flatten(t, x)
    size = x.shape[axis]
    if len(axes) > 1 or not isinstance(size, int):
        raise refused("the median of several or free axes", "多个轴或不固定轴的中位数")
    ordered = theirs.sort(t, x, axis)[0]
    ends = {(size - 1) // 2, size // 2} if c.text("mode", "avg") == "avg" else {(size - 1) // 2}
    middle = [t.emit("Slice", [ordered, t.whole(i), t.whole(i + 1), t.whole(axis)]) for i in sorted(ends)]
    found = middle[0] if len(middle) == 1 else t.emit("Mul", [t.emit("Add", middle), t.scalar(0.5)])
    if not axes:
        return [view(t, found, (1,) * len(c.x().shape) if c.flag("keepdim") else ())]
    return [found if c.flag("keepdim") else squeeze_dims(t, found, (axis,))]


def p_norm(c: Call) -> Value:
    """The norm along an axis, or of all numbers."""
    x, order, keep = c.x(), c.number("porder", 2.0), c.flag("keepdim")
    axes = None if c.flag("asvector") else (c.axis("axis", len(x.shape), -1),)
    return theirs.vector_norm(c.t, x, order, axes, keep)


def distance(c: Call) -> Value:
    """The norm of the difference."""
    return theirs.vector_norm(c.t, c.t.emit("Sub", [c.x(), c.x("y")]), c.number("p", 2.0), None, False)


def frobenius(c: Call) -> Value:
    """The root of the sum of squares."""
    x = c.x()
    return over(c.t, "ReduceL2", x, axes_of(c, x), c.flag("keepdim"))


def normalised(c: Call) -> Results:
    """x through its length along an axis."""
    t, x = c.t, c.x()
    squared = over(t, "ReduceSum", t.emit("Mul", [x, x]), (c.axis("axis", len(x.shape), 1),), True)
    length = t.emit("Sqrt", [t.emit("Add", [squared, t.scalar(c.number("epsilon", 1e-10))])])
    return [t.emit("Div", [x, length]), length]


def cumsum(c: Call) -> Value:
    """The sum so far; from the other end, or without the number itself."""
    t, x = c.t, c.x()
    x = cast(t, x, "int64") if x.dtype == "bool" else x
    x, axis = (flatten(t, x), 0) if c.flag("flatten") else (x, c.axis("axis", len(x.shape), -1))
    options: dict[str, Any] = {key: 1 for key in ("exclusive", "reverse") if c.flag(key)}
    return t.emit("CumSum", [x, t.scalar(axis, "int64")], **options)


def cumprod(c: Call) -> Value:
    """The product so far, one after the other."""
    t, x = c.t, c.x()
    axis = c.axis("dim", len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int) or size > 256 or c.flag("exclusive") or c.flag("reverse"):
        raise refused("it multiplies along an axis that is long or free", "cumprod 的轴过长或不固定")
    parts = [t.emit("Slice", [x, t.whole(i), t.whole(i + 1), t.whole(axis)]) for i in range(size)]
    for i in range(1, size):
        parts[i] = t.emit("Mul", [parts[i - 1], parts[i]])
    return parts[0] if size == 1 else t.emit("Concat", parts, axis=axis)


def logcumsumexp(c: Call) -> Value:
    """log of the sum of powers so far, by a triangle of which the largest is taken out before."""
    t, x = c.t, c.x()
    x, axis = (flatten(t, x), 0) if c.flag("flatten") else (x, c.axis("axis", len(x.shape), -1))
    size = x.shape[axis]
    if not isinstance(size, int) or size > 1024 or c.flag("exclusive") or c.flag("reverse"):
        raise refused("it sums powers along an axis that is long or free", "logcumsumexp 的轴过长或不固定")
    wide = t.emit("Unsqueeze", [x, t.whole(axis)])  # (…, 1, size, …) + (size, size, …)
    mask = np.where(np.tril(np.ones((size, size))), 0, -np.inf).astype(np.float32)
    mask = mask.reshape(size, size, *[1] * (len(x.shape) - 1 - axis))
    return theirs.logsumexp(t, t.emit("Add", [wide, t.array(mask)]), (axis + 1,), False)


def dot(c: Call) -> Value:
    """The sum of products along the last axis."""
    return over(c.t, "ReduceSum", c.t.emit("Mul", [c.x(), c.x("y")]), (-1,))


REDUCTIONS: dict[str, Step] = {
    "mean": reduced(theirs.mean_dim), "mean_all": mean_all, "sum": summed, "prod": product,
    **{name: reduced(theirs.extreme("ReduceMax")) for name in ("max", "amax")},
    **{name: reduced(theirs.extreme("ReduceMin")) for name in ("min", "amin")},
    "all": reduced(theirs.truths("ReduceMin")), "any": reduced(theirs.truths("ReduceMax")),
    "logsumexp": reduced(theirs.logsumexp), "argmax": place("ArgMax"), "argmin": place("ArgMin"), "topk": topk,
    "old_topk": topk, "argsort": argsort, "median": median, "kthvalue": kth, "p_norm": p_norm, "dist": distance,
    "frobenius_norm": frobenius,
    "norm": normalised, "cumsum": cumsum, "cumprod": cumprod, "logcumsumexp": logcumsumexp, "dot": dot,
    "squared_l2_norm": squares,
}  # fmt: skip
