"""CalibratedClassifierCV and IsotonicRegression: scores made probabilities."""

from __future__ import annotations

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit, width
from .fitted import Fitted
from .meta import total
from .refuse import garbled, refused
from .work import Answer, Classifier, Rows, Work


def _sigmoid(w: Work, e: Fitted, x: Value) -> Value:
    """1 / (1 + e^(a x + b)), Platt's."""
    return w.div(1.0, w.add(w.exp(w.add(w.mul(x, e.number("a_")), e.number("b_"))), 1.0))


def line_through(w: Work, x: Value, places: Array, heights: Array) -> Value:
    """(N, 1) -> (N, 1): straight between the points, level outside."""
    x = w.op("Min", w.op("Max", x, float(places[0])), float(places[-1]))
    if len(places) == 1:
        return w.add(w.mul(x, 0.0), float(heights[0]))
    with np.errstate(all="ignore"):
        slopes = np.diff(heights) / np.diff(places)
    after = w.cast(w.op("Less", w.of(places[1:-1][None]), x), "int64") if len(places) > 2 else None
    zero = w.cast(w.mul(x, 0.0), "int64")
    place = zero if after is None else w.net.emit("ReduceSum", [after, w.net.whole(1)], keepdims=1)
    slope, low, high = (w.take(row, place) for row in (slopes, places[:-1], heights[:-1]))
    return w.add(w.mul(slope, w.sub(x, low)), high)


def _isotonic(w: Work, e: Fitted, x: Value) -> Value:
    places, heights = e.numbers("X_thresholds_", rank=1), e.numbers("y_thresholds_", rank=1)
    if not len(places) or len(places) != len(heights):
        raise garbled("an isotonic line has no points", "保序回归没有数据点")
    if len(np.unique(places.astype(np.float32))) < len(np.unique(places)):
        w.doubles.append(e.name)
    return line_through(w, x, places, heights)


def _isotonic_values(w: Work, e: Fitted, x: Rows) -> Value:
    if x.width != 1:
        raise misfit(1, x.width)
    found = _isotonic(w, e, x.value)
    if e.text("out_of_bounds", "nan") == "clip":
        return found
    places = e.numbers("X_thresholds_", rank=1)  # beyond its ends the original has no number, or an error
    inside = w.op("Equal", x.value, w.op("Min", w.op("Max", x.value, float(places[0])), float(places[-1])))
    return w.where(inside, found, float("nan"))


def _temperature(w: Work, e: Fitted, scores: Value, sure: bool) -> Value:
    """softmax(beta · scores); of probabilities their logarithms, of two classes' one score -s and s (since 1.8)."""
    if sure:
        scores = w.op("Log", w.add(scores, 1e-12))
    elif width(scores) == 1:
        scores = w.concat([w.mul(scores, -1.0), scores])
    return w.softmax(w.mul(scores, e.number("beta_")))


def _one(w: Work, e: Fitted, x: Rows) -> Value:
    """A fold: the scores of its estimator, each made a probability, then divided by their sum."""
    inner = e.inner("estimator", "base_estimator")
    lines = e.several("calibrators", "calibrators_")
    scores = w.decision(inner, x)
    sure = scores is None
    if scores is None:
        scores = w.proba(inner, x)
        if scores is None:
            raise refused(f"a {inner.name} cannot be calibrated", f"{inner.name} 无法校准")
    if len(lines) == 1 and lines[0].name == "_TemperatureScaling":
        return _temperature(w, lines[0], scores, sure)
    scores = w.columns_of(scores, [1]) if sure and width(scores) == 2 else scores
    rules = {"_SigmoidCalibration": _sigmoid, "IsotonicRegression": _isotonic}
    if others := [line.name for line in lines if line.name not in rules]:
        raise refused(f"it is calibrated by a {others[0]}", f"校准方法是 {others[0]}")
    if len(lines) != width(scores):
        raise refused("its calibration lacks classes", "校准缺少类别")
    parts = [rules[line.name](w, line, w.columns_of(scores, [i])) for i, line in enumerate(lines)]
    found = w.concat(parts)
    found = w.two(found) if len(parts) == 1 else w.shares(found)
    return w.op("Min", found, 1.0)


def _proba(w: Work, e: Fitted, x: Rows) -> Value:
    folds = e.several("calibrated_classifiers_")
    return w.div(total(w, [_one(w, one, x) for one in folds]), float(len(folds)))


CLASSIFIERS: dict[str, Classifier] = {"CalibratedClassifierCV": Classifier(proba=_proba)}
REGRESSORS: dict[str, Answer] = {"IsotonicRegression": _isotonic_values}
