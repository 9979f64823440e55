"""Over axes: means, sums, extremes, and where they are."""

from __future__ import annotations

from ...graph.form import Value
from .pointwise import casted
from .refuse import garbled, refused
from .walk import Call, Step


def reduce(op: str) -> Step:
    """Over the axes that input 1 names."""

    def step(c: Call) -> Value:
        x = c.x()
        axes = tuple(sorted(set(c.axes(1, len(x.shape)))))
        return _reduced(c, op, x, axes, bool(c.option("keep_dims")))

    return step


def _reduced(c: Call, op: str, x: Value, axes: tuple[int, ...], keep: bool) -> Value:
    if not axes:
        return x
    if op == "ReduceMean" and axes == (1, 2) and len(x.shape) == 4 and x.dtype == "float32":
        found = c.turned(c.t.emit("GlobalAveragePool", [c.turned(x, (0, 3, 1, 2))]), (0, 2, 3, 1))
        return found if keep else c.t.emit("Squeeze", [found, c.t.whole(1, 2)])
    if op == "ReduceSum":
        return c.t.emit(op, [x, c.t.whole(*axes)], keepdims=int(keep))
    return c.t.emit(op, [x], axes=axes, keepdims=int(keep))


def truths(op: str) -> Step:
    """Any and all."""

    def step(c: Call) -> Value:
        x = casted(c, c.x(), "float32")
        return casted(
            c, _reduced(c, op, x, tuple(sorted(set(c.axes(1, len(x.shape))))), bool(c.option("keep_dims"))), "bool"
        )

    return step


def position(op: str) -> Step:
    """The index of the largest or smallest along an axis; the first of equal ones."""

    def step(c: Call) -> Value:
        x = c.x()
        (axis,) = c.ints(1)
        return c.t.emit(op, [x], axis=c.axis(axis, len(x.shape)), keepdims=0)

    return step


def largest(c: Call) -> list[Value]:
    """TOPK_V2: the largest of the last axis, and where they are."""
    x = c.x()
    (count,) = c.ints(1)
    if count < 1:
        raise garbled(f"it takes the largest {count}", f"它取最大的 {count} 个")
    return c.t.emits("TopK", [x, c.t.whole(count)], 2, axis=len(x.shape) - 1, largest=1, sorted=1)


def summed(c: Call) -> Value:
    """CUMSUM: of all before, along an axis."""
    (axis,) = c.ints(1)
    where = c.t.scalar(c.axis(axis, len(c.x().shape)), "int64")
    return c.t.emit("CumSum", [c.x(), where], exclusive=int(c.option("exclusive")), reverse=int(c.option("reverse")))


def product(c: Call) -> Value:
    """BATCH_MATMUL: of the last two axes, either of which may be turned."""
    a, b = c.x(0), c.x(1)
    if min(len(a.shape), len(b.shape)) < 2:
        raise refused("it multiplies a row by a matrix", "它把向量与矩阵相乘")
    a, b = (_turned(c, x) if c.option(name) else x for x, name in ((a, "adj_x"), (b, "adj_y")))
    return c.t.emit("MatMul", [a, b])


def _turned(c: Call, x: Value) -> Value:
    rank = len(x.shape)
    return c.turned(x, (*range(rank - 2), rank - 1, rank - 2))


REDUCTIONS: dict[str, Step] = {
    "MEAN": reduce("ReduceMean"), "SUM": reduce("ReduceSum"), "REDUCE_MAX": reduce("ReduceMax"),
    "REDUCE_MIN": reduce("ReduceMin"), "REDUCE_PROD": reduce("ReduceProd"), "REDUCE_ANY": truths("ReduceMax"),
    "REDUCE_ALL": truths("ReduceMin"), "ARG_MAX": position("ArgMax"), "ARG_MIN": position("ArgMin"),
    "TOPK_V2": largest, "CUMSUM": summed, "BATCH_MATMUL": product,
}  # fmt: skip
