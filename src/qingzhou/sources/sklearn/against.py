"""One against the rest, one against one, codes; and classifiers whose threshold was moved."""

from __future__ import annotations

import numpy as np

from ...graph.form import Value
from .arithmetic import width
from .fitted import Fitted, shown
from .refuse import garbled, refused
from .work import Classifier, Rows, Work, once


def score(w: Work, one: Fitted, x: Rows) -> tuple[Value, float]:
    """(N, 1): what an estimator of two classes decides by, and from where on it is the second: _predict_binary."""
    if one.name == "_ConstantPredictor":  # a class that all rows or none had in training
        return w.add(w.mul(w.columns_of(x.value, [0]), 0.0), float(one.numbers("y_").ravel()[0])), 0.5
    found, middle = w.decision(one, x), 0.0
    if found is None:
        p = w.proba(one, x)
        found, middle = None if p is None else w.columns_of(p, [width(p) - 1]), 0.5
    if found is None or width(found) != 1:
        raise refused(f"a {one.name} against the rest has no scores", f"{one.name} 没有分数")
    return found, middle


@once
def _rest_scores(w: Work, e: Fitted, x: Rows) -> Value:
    """A column for each class, of the estimator that tells it from the others; (N, 1) of two."""
    return w.concat([score(w, one, x)[0] for one in e.several("estimators_")])


def _rest_label(w: Work, e: Fitted, x: Rows) -> Value:
    """The largest score; of several as large the first since 1.8, the last before: OneVsRestClassifier.predict()."""
    scores, inner = _rest_scores(w, e, x), e.several("estimators_")
    k = width(scores)
    if k > 1 and e.at_least(1, 8):
        return w.argmax(scores)
    if k > 1:
        return w.sub(k - 1, w.argmax(w.columns_of(scores, list(reversed(range(k))))))
    return w.flat(w.cast(w.op("Greater", scores, score(w, inner[0], x)[1]), "int64"))


def _rest_proba(w: Work, e: Fitted, x: Rows) -> Value | None:
    parts = []
    for one in e.several("estimators_"):
        p = score(w, one, x)[0] if one.name == "_ConstantPredictor" else w.proba(one, x)
        if p is None:
            return None
        parts.append(w.columns_of(p, [width(p) - 1]))
    found = w.concat(parts)
    if len(parts) == 1:
        return w.two(found)
    total = w.sum(found)
    return w.div(found, w.where(w.op("Equal", total, 0.0), 1.0, total))


def _rest_decision(w: Work, e: Fitted, x: Rows) -> Value | None:
    inner = e.several("estimators_")
    if any(one.name == "_ConstantPredictor" or w.decision(one, x) is None for one in inner):
        return None
    return _rest_scores(w, e, x)


# -- one against one ---------------------------------------------------------------------------------------------------


@once
def _pair_scores(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K), (N, 1) of two: the votes, and of as many how sure they are (sklearn/utils/multiclass.py)."""
    k, inner = len(e.classes()), e.several("estimators_")
    pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
    if len(inner) != len(pairs):
        raise garbled("the number of its estimators does not fit its classes", "估计器的数量与类别数不符")
    if e.has("pairwise_indices_"):
        raise refused(f"its {e.name} works on a matrix of distances", f"其中的 {e.name} 使用距离矩阵")
    sure, won = [], []
    for one in inner:
        sure.append(score(w, one, x)[0])
        won.append(w.wider(w.cast(w.label(one, x), "float64"), 1))
    sums, first, second = np.zeros((len(pairs), k)), np.zeros((len(pairs), k)), np.zeros((len(pairs), k))
    for place, (i, j) in enumerate(pairs):
        sums[place, [i, j]] = -1, 1
        first[place, i], second[place, j] = 1, 1
    answers, certain = w.concat(won), w.matmul(w.concat(sure), sums)
    votes = w.add(w.matmul(answers, second), w.matmul(w.sub(1.0, answers), first))
    found = w.add(votes, w.div(certain, w.mul(w.add(w.op("Abs", certain), 1.0), 3.0)))
    return found if k > 2 else w.columns_of(found, [1])


def _pair_label(w: Work, e: Fitted, x: Rows) -> Value:
    found = _pair_scores(w, e, x)
    if width(found) > 1:
        return w.argmax(found)
    _, middle = score(w, e.several("estimators_")[0], x)
    return w.flat(w.cast(w.op("Greater", found, middle), "int64"))


# -- codes -------------------------------------------------------------------------------------------------------------


def _code_label(w: Work, e: Fitted, x: Rows) -> Value:
    """The class whose code is nearest to what all estimators say."""
    said = w.concat([score(w, one, x)[0] for one in e.several("estimators_")])
    return w.argmax(w.op("Neg", w.distances(said, e.numbers("code_book_", rank=2))))


# -- another threshold: sklearn/model_selection/_classification_threshold.py -------------------------------------------


def _inner(e: Fitted) -> Fitted:
    return e.inner("estimator_", "estimator")


def _moved_label(w: Work, e: Fitted, x: Rows) -> Value:
    inner = _inner(e)
    classes = w.classes(inner)
    way = e.one_of("response_method", "auto", "predict_proba", "decision_function")
    positive = e.get("pos_label")
    if positive is None and e.name == "TunedThresholdClassifierCV":
        positive = _scorer_label(e)
    place = 1 if positive is None else classes.index(shown(positive))
    p = w.proba(inner, x) if way != "decision_function" else None
    if p is not None:
        found, middle = w.columns_of(p, [place]), 0.5
    else:
        decision = w.decision(inner, x)
        if decision is None or width(decision) != 1:
            raise refused(f"a {inner.name} has no scores for a threshold", f"{inner.name} 没有可用阈值判断的分数")
        found, middle = decision if place == 1 else w.op("Neg", decision), 0.0
    given = e.get("best_threshold_", e.get("threshold", "auto"))
    limit = middle if given == "auto" else float(given)
    second = w.cast(w.op("Not", w.op("Less", found, limit)), "int64")
    return w.flat(second if place == 1 else w.sub(1, second))


def _scorer_label(e: Fitted) -> object:
    """What the measure that chose the threshold takes for the class to be found, where it says so."""
    scorer = e.get("_curve_scorer")
    inside = scorer.state if hasattr(scorer, "state") and isinstance(scorer.state, dict) else {}
    settings = inside.get("_kwargs")
    return settings.get("pos_label") if isinstance(settings, dict) else None


CLASSIFIERS: dict[str, Classifier] = {
    "OneVsRestClassifier": Classifier(_rest_decision, _rest_proba, _rest_label),
    "OneVsOneClassifier": Classifier(_pair_scores, label=_pair_label),
    "OutputCodeClassifier": Classifier(label=_code_label),
    **dict.fromkeys(
        ("FixedThresholdClassifier", "TunedThresholdClassifierCV"),
        Classifier(
            proba=lambda w, e, x: w.proba(_inner(e), x),
            decision=lambda w, e, x: w.decision(_inner(e), x),
            label=_moved_label,
        ),
    ),
}
