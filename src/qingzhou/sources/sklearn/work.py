"""Work: one conversion, and what estimators have in common: rows, columns, rules, and how each answers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast

from ...graph.form import Value
from ..recording.net import Net
from .arithmetic import Arithmetic, width
from .fitted import Fitted, shown
from .refuse import garbled, refused, unknown

CHOOSERS = ("RFE", "RFECV")  # of columns, who answer by the estimator that they chose them with
# What answers as an estimator inside does -> where that is; in the order of scikit-learn's versions
INSIDE = {
    "FrozenEstimator": ("estimator",),
    "RANSACRegressor": ("estimator_",),
    "SelfTrainingClassifier": ("estimator_", "base_estimator_"),
}
STEEPEST = 1e5  # of a logarithm: float32 is off by 0.006 there
MOVED = ("FixedThresholdClassifier", "TunedThresholdClassifierCV")  # whose classes are those of the estimator inside

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
    a text becomes as many numbers as there are words, see counted.py; idle: nothing asks for it: it may hold anything.
    """

    name: str
    texts: list[str] = field(default_factory=list)
    missing: bool = False
    counts: dict[str, Any] | None = None
    idle: bool = False

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

    decision: Callable[[Work, Fitted, Rows], Value | None] | None = None
    proba: Callable[[Work, Fitted, Rows], Value | None] = lambda w, e, x: None
    label: Answer | None = None


@dataclass(frozen=True)
class Rules:
    """Class of an estimator -> what it computes. wrappers: what answers as an estimator inside does."""

    transforms: Mapping[str, Transform]
    classifiers: Mapping[str, Classifier]
    regressors: Mapping[str, Answer]
    clusters: Mapping[str, Classifier]


class Work(Arithmetic):
    """One conversion: the operators so far, and what is known of the input's columns."""

    def __init__(self, net: Net, rules: Rules, columns: list[Column], large: bool = True) -> None:
        super().__init__(net)
        self.rules, self.columns, self.large = rules, columns, large
        self.made: dict[Any, Any] = {}
        self.places: dict[int, dict[str, int]] = {}  # column -> text -> its place among those of the column
        self.scaled: dict[str, Rows] = {}  # what came of it cell by cell -> the rows before, for may_be_empty
        self.notes: list[str] = []
        self.doubles: list[str] = []  # estimators whose answers float32 cannot tell apart

    # -- estimators --------------------------------------------------------------------------------------------------

    @once
    def transform(self, e: Fitted, x: Rows) -> Rows:
        """transform(); UnsupportedCheckpoint names an estimator that has no rule here."""
        if e.name in INSIDE or e.has("best_estimator_"):
            return self.transform(e.inner(*INSIDE.get(e.name, ("best_estimator_",))), x)
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
            elif e.name in INSIDE:
                e = e.inner(*INSIDE[e.name])
            elif e.name in CHOOSERS and e.has("estimator_"):
                e = e.inner("estimator_")
            else:
                return e
        raise garbled("its pipelines have no end", "流水线没有结尾")

    def classes(self, e: Fitted) -> list[str]:
        """What the classes of the estimator are called that answers."""
        e = self.end(e)
        return self.classes(e.inner("estimator_", "estimator")) if e.name in MOVED else e.classes()

    def reached(self, e: Fitted, x: Rows) -> tuple[Fitted, Rows]:
        """The estimator that answers, and the rows that come to it."""
        for _ in range(100):
            if e.name == "Pipeline" and steps(e):
                *before, e = steps(e)
                for one in before:
                    x = self.transform(one, x)
            elif e.has("best_estimator_"):
                e = e.inner("best_estimator_")
            elif e.name in INSIDE:
                e = e.inner(*INSIDE[e.name])
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
        found = self.decision(e, x)
        if found is not None:
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

    def needs_double(self, e: Fitted, steep: float) -> None:
        """Whether logarithms of likelihoods get so large that float32 loses what tells classes apart."""
        if steep > STEEPEST or steep != steep:
            self.doubles.append(e.name)

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
