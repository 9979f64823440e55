"""Work: arithmetic with rows of numbers, written down in ONNX's operators; all of it in float64, as scikit-learn does.

A float64 answer of a float32 input is that of scikit-learn for the same row, to its last digits; engines that have only
float32 compute it in that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

from ...graph.form import Array, Value
from ..recording.net import NUMBERS, Net
from .fitted import Fitted, shown
from .refuse import garbled, refused, unknown

CHOOSERS = ("RFE", "RFECV")  # of columns, who answer by the estimator that they chose them with
Given = Value | Array | float | int


F = TypeVar("F", bound=Callable[..., Any])


def once(rule: F) -> F:
    """The same operators serve whoever asks again: for probabilities and for the class, say."""

    @functools.wraps(rule)
    def asked(w: Work, e: Fitted, x: Rows) -> Any:
        key = (rule, id(e.record), x.value.name)
        if key not in w.made:
            w.made[key] = rule(w, e, x)
        return w.made[key]

    return cast(F, asked)


class Rows(NamedTuple):
    """What flows between estimators. value: (N, C) float64;  origin: of each column that of the input it still is."""

    value: Value
    origin: tuple[int | None, ...]

    @property
    def width(self) -> int:
        """How many columns."""
        return len(self.origin)


@dataclass
class Column:
    """A column of the input: its name, the texts that it may hold ([] of numbers), whether it may be empty; counts: how
    a text becomes as many numbers as there are words, see counted.py.
    """

    name: str
    texts: list[str] = field(default_factory=list)
    missing: bool = False
    counts: dict[str, Any] | None = None

    @property
    def width(self) -> int:
        """Numbers that the network takes for it."""
        return len(self.counts["words"]) if self.counts else 1


Transform = Callable[["Work", Fitted, Rows], Rows]
Answer = Callable[["Work", Fitted, Rows], Value]


class Classifier(NamedTuple):
    """How one answers. label: (N) int64, the class; decision: (N, 1) of two classes, (N, K) of more; proba: (N, K), or
    None where this one has none.
    """

    decision: Answer | None = None
    proba: Callable[[Work, Fitted, Rows], Value | None] = lambda w, e, x: None
    label: Answer | None = None


@dataclass(frozen=True)
class Rules:
    """Class of an estimator -> what it computes. wrappers: what answers as an estimator inside does."""

    transforms: Mapping[str, Transform]
    classifiers: Mapping[str, Classifier]
    regressors: Mapping[str, Answer]
    clusters: Mapping[str, Classifier]


class Work:
    """One conversion: the operators so far, and what is known of the input's columns."""

    def __init__(self, net: Net, rules: Rules, columns: list[Column], large: bool = True) -> None:
        self.net, self.rules, self.columns, self.large = net, rules, columns, large
        self.narrow: dict[str, Value] = {}  # a float64 value -> the float32 one that it is the same as
        self.made: dict[Any, Any] = {}
        self.places: dict[int, dict[str, int]] = {}  # column -> text -> its place among those of the column
        self.scaled: dict[str, Rows] = {}  # what came of it cell by cell -> the rows before, for may_be_empty
        self.notes: list[str] = []

    # -- operators ---------------------------------------------------------------------------------------------------

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

    def one_hot(self, label: Value, classes: int) -> Value:
        """(N) int64 -> (N, K), 1 at the class."""
        same = self.op("Equal", self.wider(label, 1), self.net.array(np.arange(classes, dtype=np.int64)[None]))
        return self.cast(same, "float64")

    # -- estimators --------------------------------------------------------------------------------------------------

    @once
    def transform(self, e: Fitted, x: Rows) -> Rows:
        """transform(); UnsupportedCheckpoint names an estimator that has no rule here."""
        rule = self.rules.transforms.get(e.name)
        if rule is None:
            raise unknown(e.name)
        self.net.here = e.name.lower()
        return rule(self, e, x)

    def kind(self, e: Fitted) -> str:
        """ "classifier", "regressor", "cluster", "transform"; UnsupportedCheckpoint."""
        e = self.end(e)
        for kind, table in (
            ("classifier", self.rules.classifiers),
            ("regressor", self.rules.regressors),
            ("cluster", self.rules.clusters),
            ("transform", self.rules.transforms),
        ):
            if e.name in table:
                return kind
        raise unknown(e.name)

    def end(self, e: Fitted) -> Fitted:
        """The estimator that answers, behind pipelines and searches."""
        for _ in range(100):
            if e.name == "Pipeline":
                e = steps(e)[-1] if steps(e) else e
            elif e.has("best_estimator_"):
                e = e.inner("best_estimator_")
            elif e.name in CHOOSERS and e.has("estimator_"):
                e = e.inner("estimator_")
            else:
                return e
        raise garbled("its pipelines have no end", "流水线没有结尾")

    def reached(self, e: Fitted, x: Rows) -> tuple[Fitted, Rows]:
        """The estimator that answers, and the rows that come to it."""
        for _ in range(100):
            if e.name == "Pipeline" and steps(e):
                *before, e = steps(e)
                for one in before:
                    x = self.transform(one, x)
            elif e.has("best_estimator_"):
                e = e.inner("best_estimator_")
            elif e.name in CHOOSERS and e.has("estimator_"):
                e, x = e.inner("estimator_"), self.transform(e, x)
            else:
                break
        self.net.here = e.name.lower()
        return e, x

    def _classifier(self, e: Fitted) -> Classifier:
        found = self.rules.classifiers.get(e.name) or self.rules.clusters.get(e.name)
        if found is None:
            raise unknown(e.name)
        return found

    @once
    def proba(self, e: Fitted, x: Rows) -> Value | None:
        """predict_proba(), (N, K); None where it has none."""
        e, x = self.reached(e, x)
        return self._classifier(e).proba(self, e, x)

    @once
    def decision(self, e: Fitted, x: Rows) -> Value | None:
        """decision_function(), (N, 1) of two classes; None where it has none."""
        e, x = self.reached(e, x)
        rule = self._classifier(e).decision
        return None if rule is None else rule(self, e, x)

    @once
    def label(self, e: Fitted, x: Rows) -> Value:
        """predict() as the number of a class, (N) int64."""
        e, x = self.reached(e, x)
        rule = self._classifier(e)
        if rule.label is not None:
            return rule.label(self, e, x)
        if rule.decision is not None:
            found = self.decision(e, x)
            assert found is not None
            return self.decided(found)
        found = self.proba(e, x)
        assert found is not None
        return self.argmax(found)

    def decided(self, decision: Value) -> Value:
        """The class of the largest decision; of two, the second where it is above 0."""
        if width(decision) > 1:
            return self.argmax(decision)
        return self.flat(self.cast(self.op("Greater", decision, 0.0), "int64"))

    @once
    def values(self, e: Fitted, x: Rows) -> Value:
        """predict() of a regressor, (N, k)."""
        e, x = self.reached(e, x)
        rule = self.rules.regressors.get(e.name)
        if rule is None:
            raise unknown(e.name)
        return rule(self, e, x)

    # -- texts -------------------------------------------------------------------------------------------------------

    def code(self, x: Rows, place: int, category: object) -> float:
        """The number that a column has where it is this text: its place among those that it is known to hold."""
        origin = x.origin[place]
        if origin is None:
            raise refused("a column of texts comes out of another step", "文本列来自其他步骤的输出")
        texts, text = self.columns[origin].texts, shown(category)
        places = self.places.setdefault(origin, {one: i for i, one in enumerate(texts)})
        if text not in places:
            places[text] = len(texts)
            texts.append(text)
        return float(places[text])

    def may_be_empty(self, x: Rows) -> None:
        """These columns may have no number."""
        before: Rows | None = x
        while before is not None:
            for origin in before.origin:
                if origin is not None:
                    self.columns[origin].missing = True
            before = self.scaled.get(before.value.name)

    def is_empty(self, x: Value) -> Value:
        """Where it is NaN."""
        return self.op("Not", self.op("Equal", x, x))


def steps(e: Fitted) -> list[Fitted]:
    """Of a pipeline, without those that do nothing."""
    found = e.need("steps")
    if not isinstance(found, list) or not all(isinstance(one, (tuple, list)) and len(one) == 2 for one in found):
        raise e.odd("steps", found)
    return [Fitted.of(one) for _, one in found if one is not None and one != "passthrough"]


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
