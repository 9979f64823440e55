"""Support vector machines as libsvm computes them (sklearn/svm/src/libsvm/svm.cpp)."""

from __future__ import annotations

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit
from .coupling import coupled
from .fitted import Fitted
from .refuse import garbled, refused
from .work import Answer, Classifier, Rows, Work, once


@once
def kernel(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, C) -> (N, support vectors)."""
    vectors = e.numbers("support_vectors_", rank=2)
    if vectors.shape[1] != x.width:
        raise misfit(vectors.shape[1], x.width)
    kind, gamma = e.one_of("kernel", "rbf", "linear", "poly", "sigmoid"), e.number("_gamma", 0.0)
    if kind == "rbf":
        return w.exp(w.mul(w.distances(x.value, vectors), -gamma))
    product = w.matmul(x.value, np.ascontiguousarray(vectors.T))
    if kind == "linear":
        return product
    product = w.add(w.mul(product, gamma), e.number("coef0", 0.0))
    return w.op("Tanh", product) if kind == "sigmoid" else _power(w, product, e.whole("degree", 3))


def _power(w: Work, x: Value, degree: int) -> Value:
    if not 0 <= degree <= 64:
        raise refused(f"its kernel has the degree {degree}", f"核函数的次数是 {degree}")
    found = x
    for _ in range(degree - 1):
        found = w.mul(found, x)
    return found if degree > 0 else w.add(w.mul(x, 0.0), 1.0)


def _pairs(k: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(k) for j in range(i + 1, k)]


@once
def _between(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, pairs): above 0 it is the first of the two classes. What libsvm keeps has an underscore before its name."""
    dual, counts = e.numbers("_dual_coef_", rank=2), e.numbers("_n_support", rank=1).astype(np.int64)
    ends = np.cumsum([0, *counts])
    k = len(counts)
    if k < 2 or dual.shape != (k - 1, ends[-1]) or counts.min() < 0:
        raise garbled("the support vectors do not fit the classes", "支持向量与类别数不符")
    if dual.shape[1] * k * k > 1 << 27:
        raise refused(f"its {e.name} has {dual.shape[1]} vectors for {k} classes", f"其中的 {e.name} 过大")
    weights: Array = np.zeros((dual.shape[1], k * (k - 1) // 2))
    for place, (i, j) in enumerate(_pairs(k)):
        for own, other in ((i, j - 1), (j, i)):
            weights[ends[own] : ends[own + 1], place] = dual[other, ends[own] : ends[own + 1]]
    return w.add(w.matmul(kernel(w, e, x), weights), e.numbers("_intercept_", rank=1))


@once
def _votes(w: Work, e: Fitted, x: Rows) -> tuple[Value, Value, int]:
    """What the pairs say, their votes (N, K), and how many classes there are."""
    between, k = _between(w, e, x), len(e.classes())
    first, second = np.zeros((len(_pairs(k)), k)), np.zeros((len(_pairs(k)), k))
    for place, (i, j) in enumerate(_pairs(k)):
        first[place, i], second[place, j] = 1, 1
    won = w.cast(w.op("Greater", between, 0.0), "float64")
    return between, w.add(w.matmul(won, first), w.matmul(w.sub(1.0, won), second)), k


def _decision(w: Work, e: Fitted, x: Rows) -> Value:
    """Of two classes minus what libsvm says; of more the votes, and how sure they are: _ovr_decision_function."""
    between, votes, k = _votes(w, e, x)
    if k == 2:
        return w.op("Neg", between)
    signs: Array = np.zeros((len(_pairs(k)), k))
    for place, (i, j) in enumerate(_pairs(k)):
        signs[place, i], signs[place, j] = 1, -1
    sure = w.matmul(between, signs)
    return w.add(votes, w.div(sure, w.mul(w.add(w.op("Abs", sure), 1.0), 3.0)))


def _label(w: Work, e: Fitted, x: Rows) -> Value:
    """The most votes, of as many the lowest class; with break_ties the largest decision."""
    _, votes, k = _votes(w, e, x)
    if k == 2:
        return w.decided(_decision(w, e, x))
    ovr = e.text("decision_function_shape", "ovr") == "ovr"
    return w.argmax(_decision(w, e, x) if e.flag("break_ties") and ovr else votes)


def _proba(w: Work, e: Fitted, x: Rows) -> Value | None:
    """Where it was trained with probability=True: `_probA` has numbers then."""
    slopes = e.get("_probA", e.get("probA_"))
    if not isinstance(slopes, np.ndarray) or not slopes.size:
        return None
    offsets, k = e.numbers("_probB", "probB_", rank=1), len(e.classes())
    if slopes.shape != (len(_pairs(k)),) or offsets.shape != slopes.shape:
        raise garbled("the probabilities do not fit the classes", "概率参数与类别数不符")
    raw = w.add(w.mul(_between(w, e, x), slopes.astype(np.float64)), offsets)
    return coupled(w, w.div(1.0, w.add(w.exp(raw), 1.0)), k)


def _values(w: Work, e: Fitted, x: Rows) -> Value:
    return w.linear(kernel(w, e, x), e.numbers("_dual_coef_", rank=2)[:1], e.numbers("_intercept_", rank=1)[:1])


CLASSIFIERS: dict[str, Classifier] = dict.fromkeys(("SVC", "NuSVC"), Classifier(_decision, _proba, _label))
REGRESSORS: dict[str, Answer] = dict.fromkeys(("SVR", "NuSVR"), _values)
