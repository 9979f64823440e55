"""Arithmetic of operators: number by number, and over axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.form import Value
from .layer import KerasNet, Layer
from .moves import as_float
from .refuse import Unfit

Run = Callable[..., Any]
KINDS = {"float": "float32", "double": "float32", "half": "float32", "bfloat16": "float32", "uint8": "int64"}
CODES = {"float32": 1, "int64": 7, "bool": 9}
MOST_NUMBERS = 1 << 20


def value(t: KerasNet, x: Any, dtype: str = "float32") -> Value:
    """A tensor, a number, or lists of them."""
    if isinstance(x, Value):
        return x
    if isinstance(x, bool) or not isinstance(x, (int, float, list, tuple)):
        raise Unfit(f"{str(x)[:40]} is no number", f"{str(x)[:40]} 不是数")
    if isinstance(x, (int, float)):
        return t.scalar(x if dtype == "float32" else int(x), dtype)
    array = np.array(x, dtype)
    if array.size > MOST_NUMBERS or array.dtype.kind not in "fib":
        raise Unfit("one of its numbers is none", "其中有不是数的值")
    return t.array(array)


def both(t: KerasNet, a: Any, b: Any) -> list[Value]:
    """Two tensors of one dtype; a number takes that of the other, unless it has a fraction."""
    known = [x.dtype for x in (a, b) if isinstance(x, Value)]
    fraction = any(isinstance(x, float) and not x.is_integer() for x in _numbers(a, b))
    dtype = "int64" if known and set(known) == {"int64"} and not fraction else "float32"
    if known and set(known) == {"bool"}:
        dtype = "bool"
    return [cast_to(t, value(t, x, "int64" if dtype == "bool" else dtype), dtype) for x in (a, b)]


def _numbers(*given: Any) -> list[Any]:
    return [one for x in given for one in (_numbers(*x) if isinstance(x, (list, tuple)) else [x])]


def cast_to(t: KerasNet, x: Value, dtype: str) -> Value:
    """In another dtype."""
    return x if x.dtype == dtype else t.emit("Cast", [x], to=CODES[dtype])


def binary(op: str) -> Run:
    """Of two, number by number."""

    def run(t: KerasNet, layer: Layer, x: Any, y: Any, **more: Any) -> Value:
        a, b = both(t, x, y)
        whole = op == "Div" and a.dtype != "float32"
        return t.emit(op, [cast_to(t, one, "float32") for one in (a, b)] if whole else [a, b])

    return run


def compared(op: str, negated: bool = False) -> Run:
    """True or false."""

    def run(t: KerasNet, layer: Layer, x: Any, y: Any, **more: Any) -> Value:
        found = t.emit(op, both(t, x, y))
        return t.emit("Not", [found]) if negated else found

    return run


def logical(op: str) -> Run:
    """Of two truths; a number is true unless it is 0."""

    def run(t: KerasNet, layer: Layer, x: Any, y: Any, **more: Any) -> Value:
        return t.emit(op, [cast_to(t, value(t, one), "bool") for one in (x, y)])

    return run


def some(op: str) -> Run:
    """Whether one of them is true, or all."""

    def run(t: KerasNet, layer: Layer, x: Value, axis: Any = None, keepdims: Any = False, **more: Any) -> Value:
        truths = cast_to(t, cast_to(t, x, "bool"), "float32")
        found = t.emit(op, [truths], axes=axes_of(t, x, axis), keepdims=int(bool(keepdims)))
        return t.emit("Greater", [found, t.scalar(0.5)])

    return run


def unary(run_one: Callable[[KerasNet, Value], Value]) -> Run:
    """Of one, number by number."""
    return lambda t, layer, x, **more: run_one(t, as_float(t, value(t, x)))


def named(op: str) -> Run:
    """One operator of ONNX."""
    return unary(lambda t, x: t.emit(op, [x]))


def power(t: KerasNet, layer: Layer, x: Any, y: Any, **more: Any) -> Value:
    """x to the power of y."""
    if y == 2 and not isinstance(y, Value) and isinstance(x, Value):
        return t.emit("Mul", [x, x])
    return t.emit("Pow", [as_float(t, one) for one in both(t, x, y)])


def square(t: KerasNet, x: Value) -> Value:
    """x times x."""
    return t.emit("Mul", [x, x])


def rsqrt(t: KerasNet, x: Value) -> Value:
    """1 / sqrt(x)."""
    return t.emit("Reciprocal", [t.emit("Sqrt", [x])])


def floor_divide(t: KerasNet, layer: Layer, x: Any, y: Any, **more: Any) -> Value:
    """Rounded down."""
    a, b = both(t, x, y)
    found = t.emit("Floor", [t.emit("Div", [as_float(t, a), as_float(t, b)])])
    return cast_to(t, found, a.dtype)


def mod(t: KerasNet, layer: Layer, x: Any, y: Any, **more: Any) -> Value:
    """x - y * floor(x / y)."""
    a, b = both(t, x, y)
    return t.emit("Sub", [a, t.emit("Mul", [b, floor_divide(t, layer, a, b)])])


def reduced(op: str) -> Run:
    """Over axes, or all."""

    def run(
        t: KerasNet, layer: Layer, x: Value, axis: Any = None, keepdims: Any = False, initial: Any = None, **more: Any
    ) -> Value:
        if initial is not None:
            raise Unfit("initial", "有 initial 参数")
        axes = axes_of(t, x, axis)
        keep = int(bool(keepdims or more.get("keep_dims")))
        x = as_float(t, x)
        if op == "ReduceSum":
            return t.emit(op, [x, t.whole(*axes)], keepdims=keep)
        return t.emit(op, [x], axes=axes, keepdims=keep)

    return run


def axes_of(t: KerasNet, x: Value, axis: Any) -> tuple[int, ...]:
    """One, several or all."""
    found = range(len(x.shape)) if axis is None else axis if isinstance(axis, (list, tuple)) else [axis]
    return tuple(sorted({t.axis(x, one) for one in found}))


def variance(root: bool) -> Run:
    """The mean square of what is not the mean, or its root."""

    def run(t: KerasNet, layer: Layer, x: Value, axis: Any = None, keepdims: Any = False, **more: Any) -> Value:
        axes, x = axes_of(t, x, axis), as_float(t, x)
        middle = t.emit("Sub", [x, t.emit("ReduceMean", [x], axes=axes, keepdims=1)])
        keep = int(bool(keepdims or more.get("keep_dims")))
        found = t.emit("ReduceMean", [square(t, middle)], axes=axes, keepdims=keep)
        return t.emit("Sqrt", [found]) if root else found

    return run


def arg(op: str) -> Run:
    """Where the largest or smallest is."""

    def run(t: KerasNet, layer: Layer, x: Value, axis: Any = None, keepdims: Any = False, **more: Any) -> Value:
        if axis is None:
            raise Unfit("it names no axis", "没有说明轴")
        return t.emit(op, [x], axis=t.axis(x, axis), keepdims=int(bool(keepdims)))

    return run


def inverted(t: KerasNet, layer: Layer, x: Value, **more: Any) -> Value:
    """True where it is false."""
    return t.emit("Not", [x])
