"""Over axes: means, sums, extremes, and where they are."""

from __future__ import annotations

from typing import Any

from ...graph.form import Value
from .refuse import refused
from .walk import Call, Step, casted


def reduce(op: str, keep_at: int = 2) -> Step:
    """ReduceMean and its like: over these axes, or over all."""

    def step(c: Call) -> Value:
        x = c.x()
        axes = c.axes(1, "axis", len(x.shape))
        return reduced(c, op, x, axes, bool(c.get(keep_at, "keep_dims", False)))

    return step


def reduced(c: Call, op: str, x: Value, axes: tuple[int, ...], keep: bool) -> Value:
    """One reduction; a mean over all of a picture is a pooling."""
    if not axes:
        return x
    rank = len(x.shape)
    if op == "ReduceMean" and rank > 2 and axes == tuple(range(2, rank)) and x.dtype == "float32":
        found = c.t.emit("GlobalAveragePool", [x])
        return found if keep else c.t.emit("Squeeze", [found, c.t.whole(*axes)])
    if op == "ReduceSum":
        return c.t.emit(op, [x, c.t.whole(*axes)], keepdims=int(keep))
    return c.t.emit(op, [x], axes=axes, keepdims=int(keep))


def truths(op: str) -> Step:
    """Any and all."""

    def step(c: Call) -> Value:
        x = casted(c.t, c.x(), "float32")
        axes = c.axes(1, "axis", len(x.shape))
        return casted(c.t, reduced(c, op, x, axes, bool(c.get(2, "keep_dims", False))), "bool")

    return step


def whole(op: str) -> Step:
    """Max and Min of all numbers."""
    return lambda c: reduced(c, op, c.x(), tuple(range(len(c.x().shape))), keep=False)


def position(op: str) -> Step:
    """Argmax(x, axis): the first of equal ones."""

    def step(c: Call) -> Value:
        x = c.x()
        return c.t.emit(op, [x], axis=c.axis(int(c.number(1, "axis", -1)), len(x.shape)), keepdims=0)

    return step


def position_ext(op: str) -> Step:
    """mint's, which may keep the axis, and look at all numbers."""

    def step(c: Call) -> Value:
        x, axis, keep = c.x(), c.get(1, "dim"), bool(c.get(2, "keepdim", False))
        if axis is None:
            x, axis = c.t.emit("Reshape", [x, c.t.whole(-1)]), 0
        return c.t.emit(op, [x], axis=c.axis(int(axis), len(x.shape)), keepdims=int(keep))

    return step


def with_value(where: str, which: str, value_first: bool = False) -> Step:
    """ArgMaxWithValue(x, axis, keep): where the largest is, and how large it is."""

    def step(c: Call) -> tuple[Value, ...]:
        x = c.x()
        axis, keep = c.axis(int(c.number(1, "axis", 0)), len(x.shape)), bool(c.get(2, "keep_dims", False))
        at = c.t.emit(where, [x], axis=axis, keepdims=int(keep))
        value = c.t.emit(which, [x], axes=(axis,), keepdims=int(keep))
        return (value, at) if value_first else (at, value)

    return step


def spread(c: Call) -> tuple[Value, ...]:
    """ReduceStd(x, axes, unbiased, keep): the deviation, and the mean."""
    x = c.x()
    axes = c.axes(1, "axis", len(x.shape))
    variance, mean = _variance(c, x, axes, c.get(2, "unbiased", True))
    found = c.t.emit("Sqrt", [variance])
    if not c.get(3, "keep_dims", False):
        found, mean = (c.t.emit("Squeeze", [one, c.t.whole(*axes)]) for one in (found, mean))
    return (found, mean)


def _variance(c: Call, x: Value, axes: tuple[int, ...], unbiased: Any) -> tuple[Value, Value]:
    t = c.t
    mean = t.emit("ReduceMean", [x], axes=axes, keepdims=1)
    apart = t.emit("Sub", [x, mean])
    total = t.emit("ReduceSum", [t.emit("Mul", [apart, apart]), t.whole(*axes)], keepdims=1)
    count = 1
    for axis in axes:
        n = x.shape[axis]
        if not isinstance(n, int):
            raise refused("it takes the deviation of a free number of values", "它对数量可变的值求标准差")
        count *= n
    return t.emit("Div", [total, t.scalar(float(max(count - int(unbiased), 0)))]), mean


def variance_ext(root: bool) -> Step:
    """mint's Var and Std(x, axes, correction, keep)."""

    def step(c: Call) -> Value:
        x = c.x()
        axes = c.axes(1, "dim", len(x.shape))
        found, _ = _variance(c, x, axes, c.get(2, "correction", 1))
        found = c.t.emit("Sqrt", [found]) if root else found
        return found if c.get(3, "keepdim", False) else c.t.emit("Squeeze", [found, c.t.whole(*axes)])

    return step


def summed(c: Call) -> Value:
    """CumSum(x, axis, exclusive, reverse): of all before, along an axis."""
    x = c.x()
    where = c.t.scalar(c.axis(int(c.number(1, "axis", 0)), len(x.shape)), "int64")
    exclusive, backwards = (int(bool(c.get(i, name, False))) for i, name in ((2, "exclusive"), (3, "reverse")))
    return c.t.emit("CumSum", [x, where], exclusive=exclusive, reverse=backwards)


def summed_ext(c: Call) -> Value:
    """mint's, along one axis."""
    x = c.x()
    return c.t.emit("CumSum", [x, c.t.scalar(c.axis(int(c.number(1, "dim", 0)), len(x.shape)), "int64")])


def log_sum(c: Call) -> Value:
    """LogSumExp(x, axes, keep)."""
    x = c.x()
    return c.t.emit(
        "ReduceLogSumExp", [x], axes=c.axes(1, "dim", len(x.shape)), keepdims=int(bool(c.get(2, "keepdim", False)))
    )


def norm(c: Call) -> Value:
    """Norm and LpNorm: of the second order, or the first."""
    order, keep = c.get(1, "p", 2), bool(c.get(3, "keepdim", False))
    return _norm(c, order, c.axes(2, "dim", len(c.x().shape)), keep)


def lp_norm(c: Call) -> Value:
    """LpNorm: all its settings are attributes. No root is less than its epsilon, which is far below others."""
    attrs = c.node.attrs
    return _norm(c, attrs.get("p", 2), c.axes(99, "axis", len(c.x().shape)), bool(attrs.get("keep_dims", False)))


def _norm(c: Call, order: Any, axes: tuple[int, ...], keep: bool) -> Value:
    c.only(order in (1, 2), f"its norm is of order {order}", f"范数的阶是 {order}")
    return c.t.emit("ReduceL2" if order == 2 else "ReduceL1", [c.x()], axes=axes, keepdims=int(keep))


REDUCTIONS: dict[str, Step] = {
    "ReduceMean": reduce("ReduceMean"), "MeanExt": reduce("ReduceMean"), "ReduceSum": reduce("ReduceSum"),
    "SumExt": reduce("ReduceSum"), "ReduceMax": reduce("ReduceMax"), "ReduceMin": reduce("ReduceMin"),
    "ReduceProd": reduce("ReduceProd"), "ProdExt": reduce("ReduceProd"), "ReduceAny": truths("ReduceMax"),
    "ReduceAll": truths("ReduceMin"), "Max": whole("ReduceMax"), "Min": whole("ReduceMin"),
    "Argmax": position("ArgMax"), "ArgMax": position("ArgMax"), "Argmin": position("ArgMin"),
    "ArgMin": position("ArgMin"),
    "ArgMaxExt": position_ext("ArgMax"), "ArgMinExt": position_ext("ArgMin"),
    "ArgMaxWithValue": with_value("ArgMax", "ReduceMax"), "ArgMinWithValue": with_value("ArgMin", "ReduceMin"),
    "MaxDim": with_value("ArgMax", "ReduceMax", value_first=True),
    "MinDim": with_value("ArgMin", "ReduceMin", value_first=True), "ReduceStd": spread, "Var": variance_ext(root=False),
    "Std": variance_ext(root=True), "CumSum": summed, "CumsumExt": summed_ext, "LogSumExp": log_sum, "Norm": norm,
    "LpNorm": lp_norm, "LpNormV2": lp_norm,
}  # fmt: skip
