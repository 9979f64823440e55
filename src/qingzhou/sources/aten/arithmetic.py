"""Element by element: sums, products, powers, comparisons, choices, and other kinds of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...graph.form import Value
from ..recording.net import NUMBERS, Net, Size
from .bind import Number, Operand
from .refuse import refused

RANK = {"bool": 0, "int64": 1, "float32": 2}


def cast(t: Net, x: Value, dtype: str) -> Value:
    """The same numbers as float32, int64 or bool."""
    return x if x.dtype == dtype else t.emit("Cast", [x], to=NUMBERS[dtype])


NARROW = {"int8": 8, "uint8": 8, "int16": 16, "uint16": 16}  # in bits


def wrapped(t: Net, x: Value, kind: str) -> Value:
    """Whole numbers as a small kind of them holds them: those beyond begin again at its other end."""
    if kind not in NARROW or x.dtype != "int64":
        return x
    least = 0 if kind[0] == "u" else 1 << (NARROW[kind] - 1)
    moved = t.emit("Add", [x, t.scalar(least, "int64")]) if least else x
    rest = t.emit("Mod", [moved, t.scalar(1 << NARROW[kind], "int64")])
    return t.emit("Sub", [rest, t.scalar(least, "int64")]) if least else rest


def floating(t: Net, x: Value) -> Value:
    """As float32."""
    return cast(t, x, "float32")


def kind_of(x: Operand) -> str:
    """The dtype of a value, or of what a number is."""
    if isinstance(x, Value):
        return x.dtype
    return "bool" if isinstance(x, bool) else "int64" if isinstance(x, (int, Size)) else "float32"


def both(t: Net, a: Operand, b: Operand, least: str = "bool") -> tuple[Value, Value]:
    """Two operands in their common dtype: torch's rules of promotion, with one float."""
    dtype = max(kind_of(a), kind_of(b), least, key=lambda kind: RANK.get(kind, 2))
    return as_value(t, a, dtype), as_value(t, b, dtype)


def as_value(t: Net, x: Operand, dtype: str) -> Value:
    """A number as a value."""
    if isinstance(x, Size):
        found = t.emit("Reshape", [x.value, t.array(np.zeros(0, np.int64), "whole/none")])
        return cast(t, found, dtype)
    return cast(t, x, dtype) if isinstance(x, Value) else t.scalar(x, dtype)


def _binary(op: str, least: str = "int64") -> Callable[[Net, Operand, Operand], Value]:
    def function(t: Net, self: Operand, other: Operand) -> Value:
        return t.emit(op, [*both(t, self, other, least)])

    return function


mul_ = _binary("Mul")
plus = _binary("Add")
minus = _binary("Sub")


def mul(t: Net, self: Operand, other: Operand) -> Value:
    """Product; of truths it is And."""
    if kind_of(self) == kind_of(other) == "bool":
        return logical_and(t, self, other)
    return mul_(t, self, other)


def add(t: Net, self: Operand, other: Operand, alpha: Number = 1) -> Value:
    """self + alpha * other."""
    if kind_of(self) == kind_of(other) == "bool" and alpha == 1:
        return logical_or(t, self, other)
    return plus(t, self, other if alpha == 1 else mul_(t, other, alpha))


def sub(t: Net, self: Operand, other: Operand, alpha: Number = 1) -> Value:
    """self - alpha * other."""
    return minus(t, self, other if alpha == 1 else mul_(t, other, alpha))


def rsub(t: Net, self: Operand, other: Operand, alpha: Number = 1) -> Value:
    """other - alpha * self."""
    return sub(t, other, self, alpha)


def div(t: Net, self: Operand, other: Operand, rounding_mode: str | None = None) -> Value:
    """Quotient: a float, or rounded down ("floor") or towards zero ("trunc")."""
    whole = "float32" not in (kind_of(self), kind_of(other))
    if rounding_mode is None or not whole:
        found = t.emit("Div", [*both(t, self, other, "float32")])
        return (
            found
            if rounding_mode is None
            else t.emit("Floor", [found])
            if rounding_mode == "floor"
            else trunc(t, found)
        )
    a, b = both(t, self, other, "int64")
    if rounding_mode == "floor":
        a = t.emit("Sub", [a, t.emit("Mod", [a, b])])
    return t.emit("Div", [a, b])


def floor_divide(t: Net, self: Operand, other: Operand) -> Value:
    """Rounded down."""
    return div(t, self, other, "floor")


def trunc(t: Net, self: Value) -> Value:
    """Towards zero."""
    if self.dtype != "float32":
        return self
    return t.emit("Mul", [t.emit("Sign", [self]), t.emit("Floor", [t.emit("Abs", [self])])])


def remainder(t: Net, self: Operand, other: Operand) -> Value:
    """With the sign of the divisor."""
    a, b = both(t, self, other, "int64")
    if a.dtype == "int64":
        return t.emit("Mod", [a, b])
    return t.emit("Sub", [a, t.emit("Mul", [t.emit("Floor", [t.emit("Div", [a, b])]), b])])


def fmod(t: Net, self: Operand, other: Operand) -> Value:
    """With the sign of the dividend."""
    return t.emit("Mod", [*both(t, self, other, "int64")], fmod=1)


def pow(t: Net, self: Operand, exponent: Operand) -> Value:  # torch's name
    """Power; squares and roots are computed as such."""
    if isinstance(exponent, Value) and exponent.shape == () and (known := t.known(exponent)) is not None:
        exponent = known.item()
    if isinstance(self, Value) and isinstance(exponent, (int, float)):
        if exponent == 2:
            return t.emit("Mul", [self, self])
        if exponent == 0.5:
            return t.emit("Sqrt", [floating(t, self)])
        if exponent == -0.5:
            return rsqrt(t, self)
    dtype = "float32" if "float32" in (kind_of(self), kind_of(exponent)) else "int64"
    return cast(t, t.emit("Pow", [*both(t, self, exponent, "float32")]), dtype)


def rsqrt(t: Net, self: Value) -> Value:
    """1 / sqrt."""
    return t.emit("Reciprocal", [t.emit("Sqrt", [floating(t, self)])])


def square(t: Net, self: Value) -> Value:
    """x * x."""
    return t.emit("Mul", [self, self])


def unary(op: str) -> Callable[[Net, Value], Value]:
    """A function that gives a float for each element."""

    def function(t: Net, self: Value) -> Value:
        return t.emit(op, [floating(t, self)])

    return function


def steps(op: str) -> Callable[[Net, Value], Value]:
    """Rounding, which whole numbers do not need."""

    def function(t: Net, self: Value) -> Value:
        return t.emit(op, [self]) if self.dtype == "float32" else self

    return function


def kept(op: str) -> Callable[[Net, Value], Value]:
    """A function that whole numbers stay whole under."""

    def function(t: Net, self: Value) -> Value:
        return t.emit(op, [cast(t, self, "int64") if self.dtype == "bool" else self])

    return function


def round_(t: Net, self: Value, decimals: int = 0) -> Value:
    """Half to even."""
    if self.dtype != "float32":
        return self
    scale = 10.0**decimals
    found = self if decimals == 0 else t.emit("Mul", [self, t.scalar(scale)])
    found = t.emit("Round", [found])
    return found if decimals == 0 else t.emit("Div", [found, t.scalar(scale)])


def log_of(base: float, inside: float = 0) -> Callable[[Net, Value], Value]:
    """log to a base, of inside + x."""

    def function(t: Net, self: Value) -> Value:
        x = floating(t, self)
        x = t.emit("Add", [x, t.scalar(inside)]) if inside else x
        found = t.emit("Log", [x])
        return found if base == math.e else t.emit("Mul", [found, t.scalar(1 / math.log(base))])

    return function


def expm1(t: Net, self: Value) -> Value:
    """exp(x) - 1."""
    return t.emit("Sub", [t.emit("Exp", [floating(t, self)]), t.scalar(1.0)])


def exp2(t: Net, self: Value) -> Value:
    """2 to the x."""
    return t.emit("Exp", [t.emit("Mul", [floating(t, self), t.scalar(math.log(2))])])


def addcmul(t: Net, self: Value, tensor1: Value, tensor2: Value, value: Number = 1) -> Value:
    """self + value * tensor1 * tensor2."""
    return add(t, self, mul_(t, tensor1, tensor2), value)


def addcdiv(t: Net, self: Value, tensor1: Value, tensor2: Value, value: Number = 1) -> Value:
    """self + value * tensor1 / tensor2."""
    return add(t, self, div(t, tensor1, tensor2), value)


def lerp(t: Net, self: Value, end: Value, weight: Operand) -> Value:
    """self + weight * (end - self)."""
    return plus(t, self, mul_(t, minus(t, end, self), weight))


# -- comparisons and choices ------------------------------------------------------------------------------------------


def compared(op: str, turned: bool = False) -> Callable[[Net, Operand, Operand], Value]:
    """A truth for each pair; `turned`: the opposite. GreaterOrEqual came with opset 12 only."""

    def function(t: Net, self: Operand, other: Operand) -> Value:
        a, b = both(t, self, other, "bool" if op == "Equal" else "int64")
        found = t.emit(op, [a, b])
        return t.emit("Not", [found]) if turned else found

    return function


def truth(t: Net, x: Operand) -> Value:
    """Whether it is not zero."""
    return cast(t, as_value(t, x, kind_of(x)), "bool")


def _logical(op: str) -> Callable[[Net, Operand, Operand], Value]:
    def function(t: Net, self: Operand, other: Operand) -> Value:
        return t.emit(op, [truth(t, self), truth(t, other)])

    return function


logical_and, logical_or, logical_xor = (_logical(op) for op in ("And", "Or", "Xor"))


def logical_not(t: Net, self: Value) -> Value:
    """Whether it is zero."""
    return t.emit("Not", [truth(t, self)])


def bitwise(op: str) -> Callable[[Net, Operand, Operand], Value]:
    """Of truths; of whole numbers only later opsets have it."""

    def function(t: Net, self: Operand, other: Operand) -> Value:
        if {kind_of(self), kind_of(other)} != {"bool"}:
            raise refused("it reckons with the bits of whole numbers", "它对整数按位运算")
        return t.emit(op, [truth(t, self), truth(t, other)])

    return function


def bitwise_not(t: Net, self: Value) -> Value:
    """Of truths; -1 - x of whole numbers."""
    return logical_not(t, self) if self.dtype == "bool" else t.emit("Sub", [t.scalar(-1, "int64"), self])


def where(t: Net, condition: Value, self: Operand, other: Operand) -> Value:
    """self where the condition is true, else other."""
    return t.emit("Where", [truth(t, condition), *both(t, self, other)])


def masked_fill(t: Net, self: Value, mask: Value, value: Operand) -> Value:
    """value where the mask is true."""
    return t.emit("Where", [truth(t, mask), as_value(t, value, self.dtype), self])


def maximum(t: Net, self: Operand, other: Operand) -> Value:
    """The larger of each pair."""
    return _extreme(t, "Max", self, other)


def minimum(t: Net, self: Operand, other: Operand) -> Value:
    """The smaller of each pair."""
    return _extreme(t, "Min", self, other)


def _extreme(t: Net, op: str, a: Operand, b: Operand) -> Value:
    """Max and Min take whole numbers only since opset 12."""
    x, y = both(t, a, b, "int64")
    if x.dtype == "float32":
        return t.emit(op, [x, y])
    return t.emit("Where", [t.emit("Greater" if op == "Max" else "Less", [x, y]), x, y])


def clamp(t: Net, self: Value, min: Operand | None = None, max: Operand | None = None) -> Value:
    """Between two limits, each of which may be missing."""
    limits = [one for one in (min, max) if one is not None]
    simple = not any(isinstance(one, (Value, Size)) for one in limits)
    if self.dtype == "float32" and simple:
        ends = [None if one is None else t.scalar(float(one)) for one in (min, max)]  # type: ignore[arg-type]
        return t.emit("Clip", [self, *(ends if max is not None else ends[:1])])
    found = self if min is None else maximum(t, self, min)
    return found if max is None else minimum(t, found, max)


def clamp_min(t: Net, self: Value, min: Operand) -> Value:
    """At least this."""
    return clamp(t, self, min)


def clamp_max(t: Net, self: Value, max: Operand) -> Value:
    """At most this."""
    return clamp(t, self, None, max)


def isnan(t: Net, self: Value) -> Value:
    """Whether it is no number."""
    return t.emit("IsNaN", [floating(t, self)])


def isfinite(t: Net, self: Value) -> Value:
    """Whether it is a number that is not infinite."""
    return t.emit("Not", [t.emit("Or", [isnan(t, self), isinf(t, self)])])


def hypot(t: Net, self: Value, other: Value) -> Value:
    """The root of the sum of both squares."""
    return t.emit("Sqrt", [t.emit("Add", [square(t, floating(t, self)), square(t, floating(t, other))])])


def atan2(t: Net, self: Value, other: Value) -> Value:
    """The angle of (other, self), by the quadrant."""
    y, x = floating(t, self), floating(t, other)
    zero = t.scalar(0.0)
    left, below = t.emit("Less", [x, zero]), t.emit("Less", [y, zero])
    turn = t.emit("Where", [below, t.scalar(-math.pi), t.scalar(math.pi)])
    upright = t.emit("Equal", [x, zero])
    slope = t.emit("Atan", [t.emit("Div", [y, t.emit("Where", [upright, t.scalar(1.0), x])])])
    angle = t.emit("Where", [left, t.emit("Add", [slope, turn]), slope])
    half = t.emit("Mul", [t.emit("Sign", [y]), t.scalar(math.pi / 2)])
    return t.emit("Where", [upright, half, angle])


def isinf(t: Net, self: Value) -> Value:
    """Whether it is infinite."""
    return t.emit("IsInf", [floating(t, self)])


ARITHMETIC: dict[str, Callable[..., Value]] = {
    "add": add, "sub": sub, "subtract": sub, "rsub": rsub, "mul": mul, "multiply": mul, "div": div, "divide": div,
    "true_divide": div, "floor_divide": floor_divide, "trunc": trunc, "fix": trunc, "remainder": remainder,
    "fmod": fmod, "pow": pow, "float_power": pow, "rsqrt": rsqrt, "square": square,
    "round": round_, "log": log_of(math.e), "log2": log_of(2), "log10": log_of(10), "log1p": log_of(math.e, 1.0),
    "expm1": expm1, "exp2": exp2, "addcmul": addcmul, "addcdiv": addcdiv, "lerp": lerp,
    **{op.lower(): unary(op) for op in ("Exp", "Sqrt", "Sin", "Cos", "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh",
        "Asinh", "Acosh", "Atanh", "Erf", "Reciprocal", "Sigmoid", "Tanh")},
    "special_expit": unary("Sigmoid"), "special_erf": unary("Erf"),
    **{op.lower(): steps(op) for op in ("Floor", "Ceil")},
    "neg": kept("Neg"), "negative": kept("Neg"), "abs": kept("Abs"), "absolute": kept("Abs"), "sign": kept("Sign"),
    "sgn": kept("Sign"),
    "eq": compared("Equal"), "ne": compared("Equal", True), "not_equal": compared("Equal", True),
    "gt": compared("Greater"), "lt": compared("Less"), "ge": compared("Less", True), "le": compared("Greater", True),
    "greater": compared("Greater"), "less": compared("Less"), "greater_equal": compared("Less", True),
    "less_equal": compared("Greater", True),
    "logical_and": logical_and, "logical_or": logical_or, "logical_xor": logical_xor, "logical_not": logical_not,
    "bitwise_and": bitwise("And"), "bitwise_or": bitwise("Or"), "bitwise_xor": bitwise("Xor"),
    "__and__": bitwise("And"), "__or__": bitwise("Or"), "__xor__": bitwise("Xor"), "bitwise_not": bitwise_not,
    "where": where, "masked_fill": masked_fill, "maximum": maximum, "minimum": minimum, "max.other": maximum,
    "min.other": minimum, "fmax": maximum, "fmin": minimum, "clamp": clamp, "clip": clamp, "clamp_min": clamp_min,
    "clamp_max": clamp_max, "isnan": isnan, "isinf": isinf, "isfinite": isfinite, "hypot": hypot,
    "atan2": atan2, "arctan2": atan2,
}  # fmt: skip
