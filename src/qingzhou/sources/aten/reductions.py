"""Sums, means, extremes and the like over axes; what is ordered along one; softmax."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...graph.form import Value
from ..recording.net import Net, plain
from .arithmetic import add, as_value, cast, floating, mul, sub
from .axes import cut, flatten, squeeze_dims, unsqueeze, view
from .bind import DType, Number
from .kinds import converted
from .refuse import refused

Axes = tuple[int, ...]


def over(t: Net, op: str, x: Value, dim: Axes | None, keepdim: bool = False) -> Value:
    """One of ONNX's reductions over axes; over all where none are named."""
    axes = tuple(sorted({t.axis(x, one) for one in dim})) if dim else tuple(range(len(x.shape)))
    if not x.shape:
        return x
    if op == "ReduceSum":
        return t.emit(op, [x, t.whole(*axes)], keepdims=int(keepdim))
    return t.emit(op, [x], axes=axes, keepdims=int(keepdim))


def sum_all(t: Net, self: Value, *, dtype: DType | None = None) -> Value:
    """Of all numbers."""
    return sum_dim(t, self, None, False, dtype)


def sum_dim(
    t: Net, self: Value, dim: tuple[int, ...] | None, keepdim: bool = False, dtype: DType | None = None
) -> Value:
    """Over axes; truths and whole numbers as int64."""
    x = cast(t, self, plain(dtype)) if dtype else cast(t, self, "int64") if self.dtype == "bool" else self
    return over(t, "ReduceSum", x, dim, keepdim)


def mean_all(t: Net, self: Value, *, dtype: DType | None = None) -> Value:
    """Of all numbers."""
    return over(t, "ReduceMean", floating(t, self), None)


def mean_dim(
    t: Net, self: Value, dim: tuple[int, ...] | None, keepdim: bool = False, dtype: DType | None = None
) -> Value:
    """Over axes: of all positions of feature maps as ONNX's own operator."""
    x = floating(t, self)
    axes = sorted({t.axis(x, one) for one in dim}) if dim else []
    if len(x.shape) >= 4 and axes == list(range(2, len(x.shape))):
        pooled = t.emit("GlobalAveragePool", [x])
        return pooled if keepdim else view(t, pooled, (t.size(x, 0), t.size(x, 1)))
    return over(t, "ReduceMean", x, dim, keepdim)


def extreme(op: str) -> Callable[..., Value]:
    """amax and amin."""

    def function(t: Net, self: Value, dim: tuple[int, ...] = (), keepdim: bool = False) -> Value:
        return over(t, op, self, dim or None, keepdim)

    return function


def extreme_all(op: str) -> Callable[..., Value]:
    """The largest or smallest of all."""

    def function(t: Net, self: Value) -> Value:
        return over(t, op, self, None)

    return function


def extreme_dim(op: str, arg: str) -> Callable[..., list[Value]]:
    """The largest or smallest along an axis, and where it is."""

    def function(t: Net, self: Value, dim: int, keepdim: bool = False) -> list[Value]:
        axis = t.axis(self, dim)
        return [over(t, op, self, (axis,), keepdim), t.emit(arg, [self], axis=axis, keepdims=int(keepdim))]

    return function


def arg(op: str) -> Callable[..., Value]:
    """Where the largest or smallest is; of all numbers without an axis."""

    def function(t: Net, self: Value, dim: int | None = None, keepdim: bool = False) -> Value:
        if dim is None:
            return t.emit(op, [flatten(t, self)], axis=0, keepdims=0)
        return t.emit(op, [self], axis=t.axis(self, dim), keepdims=int(keepdim))

    return function


def prod_all(t: Net, self: Value, *, dtype: DType | None = None) -> Value:
    """Of all numbers."""
    return over(t, "ReduceProd", self, None)


def prod_dim(t: Net, self: Value, dim: int, keepdim: bool = False, dtype: DType | None = None) -> Value:
    """Along an axis."""
    return over(t, "ReduceProd", self, (dim,), keepdim)


def truths(op: str) -> Callable[..., Value]:
    """any and all: by floats, which every opset compares."""

    def function(t: Net, self: Value, dim: tuple[int, ...] = (), keepdim: bool = False) -> Value:
        x = floating(t, cast(t, self, "bool"))
        return cast(t, over(t, op, x, dim or None, keepdim), "bool")

    return function


def variance(t: Net, x: Value, dim: Axes | None, less: float, keepdim: bool) -> Value:
    """The mean square distance from the mean, of which `less` numbers are not counted."""
    x = floating(t, x)
    axes = tuple(t.axis(x, one) for one in dim) if dim else tuple(range(len(x.shape)))
    sizes = [x.shape[axis] for axis in axes]
    away = t.emit("Sub", [x, over(t, "ReduceMean", x, axes, True)])
    found = over(t, "ReduceMean", t.emit("Mul", [away, away]), axes, keepdim)
    if not less:
        return found
    if not all(isinstance(n, int) for n in sizes):
        raise refused("the variance over an axis of a free size", "方差所在轴的大小不固定")
    count = math.prod(n for n in sizes if isinstance(n, int))
    return t.emit("Mul", [found, t.scalar(count / (count - less) if count > less else math.nan)])


def _spread(root: bool) -> tuple[Callable[..., Value], Callable[..., Value], Callable[..., Value]]:
    def ended(t: Net, found: Value) -> Value:
        return t.emit("Sqrt", [found]) if root else found

    def by_correction(
        t: Net,
        self: Value,
        dim: tuple[int, ...] | None = None,
        *,
        correction: Number | None = None,
        keepdim: bool = False,
    ) -> Value:
        less = 1.0 if correction is None else float(correction)  # type: ignore[arg-type]
        return ended(t, variance(t, self, dim, less, keepdim))

    def by_dim(t: Net, self: Value, dim: tuple[int, ...] | None, unbiased: bool = True, keepdim: bool = False) -> Value:
        return ended(t, variance(t, self, dim, float(unbiased), keepdim))

    def of_all(t: Net, self: Value, unbiased: bool = True) -> Value:
        return ended(t, variance(t, self, None, float(unbiased), False))

    return by_correction, by_dim, of_all


VAR, STD = _spread(False), _spread(True)


def var_mean(
    t: Net,
    self: Value,
    dim: tuple[int, ...] | None = None,
    *,
    correction: Number | None = None,
    keepdim: bool = False,
) -> list[Value]:
    """Both."""
    found = VAR[0](t, self, dim, correction=correction, keepdim=keepdim)
    return [found, over(t, "ReduceMean", floating(t, self), dim, keepdim)]


def vector_norm(
    t: Net,
    self: Value,
    ord: float = 2.0,  # torch's name
    dim: tuple[int, ...] | None = None,
    keepdim: bool = False,
    dtype: DType | None = None,
) -> Value:
    """Of numbers over axes."""
    x = floating(t, self)
    if ord == 2:
        return over(t, "ReduceL2", x, dim, keepdim)
    if ord == 1:
        return over(t, "ReduceL1", x, dim, keepdim)
    size = t.emit("Abs", [x])
    if math.isinf(ord):
        return over(t, "ReduceMax" if ord > 0 else "ReduceMin", size, dim, keepdim)
    total = over(t, "ReduceSum", t.emit("Pow", [size, t.scalar(ord)]), dim, keepdim)
    return t.emit("Pow", [total, t.scalar(1 / ord)])


def norm(
    t: Net, self: Value, p: Number | None = 2, dim: tuple[int, ...] | None = None, keepdim: bool = False,
    dtype: DType | None = None,
) -> Value:  # fmt: skip
    """The same under its older name."""
    return vector_norm(t, self, 2.0 if p is None else float(p), dim, keepdim)  # type: ignore[arg-type]


def logsumexp(t: Net, self: Value, dim: tuple[int, ...], keepdim: bool = False) -> Value:
    """log of the sum of powers, of which the largest is taken out before."""
    most = over(t, "ReduceMax", self, dim, True)
    powers = t.emit("Exp", [t.emit("Sub", [self, most])])
    found = t.emit("Add", [t.emit("Log", [over(t, "ReduceSum", powers, dim, True)]), most])
    return found if keepdim else squeeze_dims(t, found, dim)


# -- along an axis ----------------------------------------------------------------------------------------------------


def softmax(t: Net, self: Value, dim: int, dtype: DType | None = None) -> Value:
    """Sums to 1 along the axis."""
    x = floating(t, self)
    return t.emit("Softmax", [x], axis=t.axis(x, dim))


def log_softmax(t: Net, self: Value, dim: int, dtype: DType | None = None) -> Value:
    """Its logarithm."""
    x = floating(t, self)
    return t.emit("LogSoftmax", [x], axis=t.axis(x, dim))


def softmin(t: Net, self: Value, dim: int, dtype: DType | None = None) -> Value:
    """softmax(-x)."""
    return softmax(t, t.emit("Neg", [self]), dim)


def core_softmax(t: Net, self: Value, dim: int, half_to_float: bool = False) -> Value:
    """As the core operators have it."""
    return softmax(t, self, dim)


def core_log_softmax(t: Net, self: Value, dim: int, half_to_float: bool = False) -> Value:
    """As the core operators have it."""
    return log_softmax(t, self, dim)


def safe_softmax(t: Net, self: Value, dim: int, dtype: DType | None = None) -> Value:
    """Zeros where all is masked."""
    soft = softmax(t, self, dim)
    return t.emit("Where", [t.emit("IsNaN", [soft]), t.scalar(0.0), soft])


def cumsum(t: Net, self: Value, dim: int, dtype: DType | None = None) -> Value:
    """The sum so far."""
    x = cast(t, self, "int64") if self.dtype == "bool" else self
    x = converted(t, x, dtype)
    return t.emit("CumSum", [x, t.scalar(t.axis(x, dim), "int64")])


def topk(t: Net, self: Value, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> list[Value]:
    """The k largest along an axis, and where they are."""
    options: dict[str, Any] = {"largest": int(largest), "sorted": int(sorted)}
    return t.emits("TopK", [self, t.whole(k)], 2, axis=t.axis(self, dim), **options)


def sort(t: Net, self: Value, dim: int = -1, descending: bool = False) -> list[Value]:
    """All in order, and where they were."""
    size = self.shape[t.axis(self, dim)]
    if not isinstance(size, int):
        raise refused("it sorts along an axis of a free size", "它对大小不固定的轴排序")
    return topk(t, self, size, dim, descending)


def argsort(t: Net, self: Value, dim: int = -1, descending: bool = False) -> Value:
    """Where they were."""
    return sort(t, self, dim, descending)[1]


def cosine_similarity(t: Net, x1: Value, x2: Value, dim: int = 1, eps: float = 1e-8) -> Value:
    """The product of both through their lengths."""
    lengths = [t.emit("Max", [over(t, "ReduceL2", x, (dim,), True), t.scalar(eps)]) for x in (x1, x2)]
    both = [t.emit("Div", [x, length]) for x, length in zip((x1, x2), lengths, strict=True)]
    return over(t, "ReduceSum", t.emit("Mul", both), (dim,))


def pairwise_distance(t: Net, x1: Value, x2: Value, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Value:
    """The length of the difference."""
    return vector_norm(t, add(t, sub(t, x1, x2), as_value(t, eps, "float32")), p, (-1,), keepdim)


def cdist(t: Net, x1: Value, x2: Value, p: float = 2.0, compute_mode: object = None) -> Value:
    """The distance of each row of one to each row of the other."""
    pairs = [unsqueeze(t, x1, len(x1.shape) - 1), unsqueeze(t, x2, len(x2.shape) - 2)]
    return vector_norm(t, t.emit("Sub", pairs), p, (-1,))


def logaddexp(t: Net, self: Value, other: Value) -> Value:
    """log of the sum of both powers."""
    most = t.emit("Max", [self, other])
    powers = [t.emit("Exp", [t.emit("Sub", [one, most])]) for one in (self, other)]
    return t.emit("Add", [t.emit("Log", [t.emit("Add", powers)]), most])


def middle(t: Net, self: Value, dim: int, keepdim: bool = False) -> list[Value]:
    """The lower median along an axis, and where it is."""
    axis = t.axis(self, dim)
    size = self.shape[axis]
    values, places = sort(t, self, axis)
    at = (size - 1) // 2 if isinstance(size, int) else 0
    found = [cut(t, one, axis, at, at + 1) for one in (values, places)]
    return found if keepdim else [squeeze_dims(t, one, (axis,)) for one in found]


def dot(t: Net, self: Value, tensor: Value) -> Value:
    """The sum of products of two rows."""
    return sum_all(t, mul(t, self, tensor))


REDUCTIONS: dict[str, Callable[..., Value | list[Value]]] = {
    "sum": sum_all, "sum.dim_IntList": sum_dim, "mean": mean_all, "mean.dim": mean_dim, "amax": extreme("ReduceMax"),
    "amin": extreme("ReduceMin"), "max": extreme_all("ReduceMax"), "min": extreme_all("ReduceMin"),
    "max.dim": extreme_dim("ReduceMax", "ArgMax"), "min.dim": extreme_dim("ReduceMin", "ArgMin"),
    "argmax": arg("ArgMax"), "argmin": arg("ArgMin"), "prod": prod_all, "prod.dim_int": prod_dim,
    **{name: truths(op) for name, op in (("any", "ReduceMax"), ("all", "ReduceMin"))},
    "var.correction": VAR[0], "var.dim": VAR[1], "var": VAR[2], "std.correction": STD[0], "std.dim": STD[1],
    "std": STD[2], "var_mean.correction": var_mean, "linalg_vector_norm": vector_norm, "norm.ScalarOpt_dim": norm,
    "norm.Scalar": norm, "norm": norm, "logsumexp": logsumexp, "softmax": softmax, "special_softmax": softmax,
    "log_softmax": log_softmax, "special_log_softmax": log_softmax, "softmin": softmin, "_softmax": core_softmax,
    "_log_softmax": core_log_softmax, "_safe_softmax": safe_softmax, "cumsum": cumsum, "topk": topk, "sort": sort,
    "argsort": argsort, "cosine_similarity": cosine_similarity, "pairwise_distance": pairwise_distance,
    "median.dim": middle, "cdist": cdist, "_cdist_forward": cdist, "logaddexp": logaddexp, "dot": dot, "vdot": dot,
}  # fmt: skip
