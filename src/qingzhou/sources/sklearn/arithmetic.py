"""Arithmetic with rows of numbers, written down in ONNX's operators; all of it in float64, as scikit-learn does.

A float64 answer of a float32 input is that of scikit-learn for the same row, to its last digits; engines that have only
float32 compute it in that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.form import Array, Value
from ..recording.net import NUMBERS, Net
from .refuse import garbled

Given = Value | Array | float | int


class Arithmetic:
    """The operators so far. narrow: a float64 value -> the float32 one that it is the same as."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.narrow: dict[str, Value] = {}

    def of(self, x: Given, dtype: str = "float64") -> Value:
        """A value; numbers become a constant."""
        if isinstance(x, Value):
            return x
        if isinstance(x, np.ndarray):
            return self.net.array(x.astype(dtype))
        return self.net.scalar(x, dtype)

    def op(self, name: str, *inputs: Given, **attrs: Any) -> Value:
        """One operator; numbers among its inputs are of the kind of the first value."""
        dtype = next((x.dtype for x in inputs if isinstance(x, Value) and x.dtype != "bool"), "float64")
        return self.net.emit(name, [self.of(x, dtype) for x in inputs], **attrs)

    def cast(self, x: Value, dtype: str) -> Value:
        """The same numbers of another kind."""
        if x.dtype == dtype:
            return x
        if dtype == "float32" and x.name in self.narrow:
            return self.narrow[x.name]
        found = self.net.emit("Cast", [x], to=NUMBERS[dtype])
        if x.dtype == "float32" and dtype == "float64":
            self.narrow[found.name] = x
        return found

    def add(self, a: Given, b: Given) -> Value:
        """a + b."""
        return self.op("Add", a, b)

    def sub(self, a: Given, b: Given) -> Value:
        """a - b."""
        return self.op("Sub", a, b)

    def mul(self, a: Given, b: Given) -> Value:
        """a * b."""
        return self.op("Mul", a, b)

    def div(self, a: Given, b: Given) -> Value:
        """a / b."""
        return self.op("Div", a, b)

    def matmul(self, a: Given, b: Given) -> Value:
        """Matrices."""
        return self.op("MatMul", a, b)

    def exp(self, x: Value) -> Value:
        """e to the power of x."""
        return self.op("Exp", x)

    def where(self, truth: Value, a: Given, b: Given) -> Value:
        """a where it is true, else b."""
        dtype = next((one.dtype for one in (a, b) if isinstance(one, Value)), "float64")
        return self.net.emit("Where", [truth, self.of(a, dtype), self.of(b, dtype)])

    def sum(self, x: Value, axis: int = 1, keep: bool = True) -> Value:
        """Along an axis."""
        return self.net.emit("ReduceSum", [x, self.net.whole(axis)], keepdims=int(keep))

    def max(self, x: Value, axis: int = 1) -> Value:
        """The largest along an axis, which stays."""
        return self.net.emit("ReduceMax", [x], axes=(axis,), keepdims=1)

    def argmax(self, x: Value) -> Value:
        """(N, K) -> (N) int64, the first of the largest."""
        return self.net.emit("ArgMax", [x], axis=1, keepdims=0)

    def columns_of(self, x: Value, places: Sequence[int]) -> Value:
        """Some columns, in this order."""
        if list(places) == list(range(width(x))):
            return x
        return self.net.emit("Gather", [x, self.net.array(np.array(places, np.int64))], axis=1)

    def concat(self, parts: Sequence[Value], axis: int = 1) -> Value:
        """Side by side."""
        return parts[0] if len(parts) == 1 else self.net.emit("Concat", list(parts), axis=axis)

    def wider(self, x: Value, axis: int) -> Value:
        """With one more axis of size 1."""
        return self.net.emit("Unsqueeze", [x, self.net.whole(axis)])

    def flat(self, x: Value, axis: int = 1) -> Value:
        """Without an axis of size 1."""
        return self.net.emit("Squeeze", [x, self.net.whole(axis)])

    def take(self, table: Array, places: Value, dtype: str = "float64") -> Value:
        """Rows of a table by their numbers."""
        return self.net.emit("Gather", [self.of(table, dtype), places], axis=0)

    # -- what many need ----------------------------------------------------------------------------------------------

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + e^-x): the operator of that name loses the digits of small results."""
        return self.div(1.0, self.add(self.exp(self.op("Neg", x)), 1.0))

    def softmax(self, x: Value) -> Value:
        """Along axis 1."""
        powers = self.exp(self.sub(x, self.max(x)))
        return self.div(powers, self.sum(powers))

    def two(self, p: Value) -> Value:
        """The probability of the second of two classes (N, 1) -> both."""
        return self.concat([self.sub(1.0, p), p])

    def shares(self, x: Value) -> Value:
        """(N, K) divided by its sum; equal shares where that is 0."""
        total = self.sum(x)
        none = self.op("Equal", total, 0.0)
        return self.where(none, 1.0 / width(x), self.div(x, self.where(none, 1.0, total)))

    def linear(self, x: Value, weights: Array, bias: Array | float) -> Value:
        """x (N, C) by weights (K, C), + bias (K) -> (N, K)."""
        if weights.shape[-1] != width(x):
            raise misfit(weights.shape[-1], width(x))
        return self.add(self.matmul(x, np.ascontiguousarray(weights.T)), np.atleast_1d(np.asarray(bias, np.float64)))

    def distances(self, x: Value, points: Array) -> Value:
        """Squared, (N, C) and (M, C) -> (N, M); both are moved to the points' middle, so that digits are kept."""
        if points.ndim != 2 or points.shape[1] != width(x):
            raise misfit(points.shape[-1], width(x))
        if points.size <= 1 << 12:
            away = self.sub(self.wider(x, 1), points)
            return self.sum(self.mul(away, away), 2, keep=False)
        middle = points.mean(axis=0)
        x, points = self.sub(x, middle), points - middle
        own = self.sum(self.mul(x, x))
        crossed = self.matmul(x, np.ascontiguousarray(-2.0 * points.T))
        return self.op("Max", self.add(self.add(own, crossed), (points * points).sum(axis=1)), 0.0)

    def cosines(self, x: Value, points: Array) -> Value:
        """(N, C) and (M, C) -> (N, M): of the angles between them; 0 of a row of zeros."""
        length = self.op("Sqrt", self.sum(self.mul(x, x)))
        x = self.div(x, self.where(self.op("Equal", length, 0.0), 1.0, length))
        lengths = np.sqrt((points * points).sum(axis=1, keepdims=True))
        points = points / np.where(lengths == 0, 1.0, lengths)
        return self.matmul(x, np.ascontiguousarray(points.T))

    def one_hot(self, label: Value, classes: int) -> Value:
        """(N) int64 -> (N, K), 1 at the class."""
        same = self.op("Equal", self.wider(label, 1), self.net.array(np.arange(classes, dtype=np.int64)[None]))
        return self.cast(same, "float64")


def width(x: Value) -> int:
    """How many columns, which is always known."""
    size = x.shape[1]
    assert isinstance(size, int), f"{x.name}: {x.shape}"
    return size


def misfit(wanted: int, found: int) -> Exception:
    """A step that was trained with other columns than come to it."""
    return garbled(
        f"one of its steps takes {wanted} columns, and {found} come to it",
        f"其中一步需要 {wanted} 列，但得到 {found} 列",
    )
