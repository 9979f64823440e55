"""Estimators that answer several questions at once, each with classes of its own, or yes and no.

Trees, forests, neighbours, perceptrons and ridges that were trained with a table of answers; MultiOutput*, chains.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .against import score
from .arithmetic import width
from .fitted import Fitted, listed, named
from .forests import FORESTS, TREES, joined, note_missing
from .linear import layers, plane
from .points import nearest
from .refuse import garbled, refused
from .trees import narrow, said, summed
from .work import Answer, Classifier, Rows, Work

Judged = tuple[Value | None, Value]  # of a question: the probabilities (N, K) or None, the class (N) int64
MOST = 1 << 10  # questions
LABELLED = ("RidgeClassifier", "RidgeClassifierCV", "MLPClassifier", "OneVsRestClassifier")


def questions(e: Fitted) -> list[list[str]] | None:
    """The classes of each question; None of an estimator that answers one."""
    if e.name not in SEVERAL:
        return None
    for key in ("_label_binarizer", "label_binarizer_"):
        inner = e.get(key)
        if e.name in LABELLED and isinstance(inner, Opaque):
            several = Fitted(inner).text("y_type_").startswith("multilabel")
            return [["0", "1"]] * _few(len(listed(Fitted(inner).need("classes_")))) if several else None
    if e.name == "MultiOutputClassifier":
        return [one.classes() for one in e.several("estimators_")]
    found = e.get("classes_")
    if e.name == "ClassifierChain" or isinstance(found, list):
        return [named(listed(one)) for one in listed(found)[: _few(len(listed(found)))]]
    return None


def _few(count: int) -> int:
    if not 0 < count <= MOST:
        raise refused(f"it answers {count} questions at once", f"它同时回答 {count} 个问题")
    return count


def judged(w: Work, e: Fitted, x: Rows) -> list[Judged]:
    """What it says to each question."""
    e, x = w.reached(e, x)
    return SEVERAL[e.name](w, e, x)


def _forest(w: Work, e: Fitted, x: Rows) -> list[Judged]:
    """All questions are answered by the same leaves."""
    classes = questions(e) or []
    inner = [e] if e.name in TREES else e.several("estimators_")
    trees, values = joined(inner)
    note_missing(w, x, trees)
    most = values.shape[1] // len(classes)
    if most != max(map(len, classes)):
        raise garbled(f"the answers of a {e.name} do not fit its classes", f"{e.name} 的类别与答案不符")
    table = values.reshape(len(values), len(classes), most)
    total = table.sum(axis=2, keepdims=True)
    table = table / np.where((np.abs(total - 1) < 1e-6) | (total == 0), 1.0, total)
    found = summed(w, said(w, trees, narrow(w, x.value), table.reshape(values.shape)))
    found = found if len(inner) == 1 else w.div(found, float(len(inner)))
    parts = [w.columns_of(found, range(i * most, i * most + len(one))) for i, one in enumerate(classes)]
    return [(one, w.argmax(one)) for one in parts]


def _neighbours(w: Work, e: Fitted, x: Rows) -> list[Judged]:
    places, weights = nearest(w, e, x)
    answers, classes = e.numbers("_y", rank=2).astype(np.int64), questions(e) or []
    if answers.shape[1] != len(classes):
        raise e.odd("_y", answers)
    parts: list[Judged] = []
    for column, one in zip(answers.T, classes, strict=True):
        found = w.take(np.eye(len(one))[column], places)
        votes = w.sum(found if weights is None else w.mul(found, weights), 1, keep=False)
        parts.append((w.shares(votes), w.argmax(votes)))
    return parts


def _above(w: Work, values: Value, middle: float, sure: bool) -> list[Judged]:
    """A column for each question: it is so where the number is above the middle."""
    found: list[Judged] = []
    for i in range(width(values)):
        one = w.columns_of(values, [i])
        found.append((w.two(one) if sure else None, w.flat(w.cast(w.op("Greater", one, middle), "int64"))))
    return found


def _rest(w: Work, e: Fitted, x: Rows) -> list[Judged]:
    found: list[Judged] = []
    for one in e.several("estimators_"):
        value, middle = score(w, one, x)
        sure = w.two(value) if one.name == "_ConstantPredictor" else w.proba(one, x)
        found.append((sure, w.flat(w.cast(w.op("Greater", value, middle), "int64"))))
    return found


def _each(w: Work, e: Fitted, x: Rows) -> list[Judged]:
    return [(w.proba(one, x), w.label(one, x)) for one in e.several("estimators_")]


# -- chains: sklearn/multioutput.py ------------------------------------------------------------------------------------


def _order(e: Fitted, count: int) -> list[int]:
    order = [int(i) for i in listed(e.need("order_"))]
    if sorted(order) != list(range(count)):
        raise e.odd("order_", order)
    return order


def _longer(w: Work, x: Rows, column: Value) -> Rows:
    return Rows(w.concat([x.value, column]), (*x.origin, None))


def _chain(w: Work, e: Fitted, x: Rows) -> list[Judged]:
    """Each estimator is told what those before it said."""
    inner, ways = e.several("estimators_"), ("predict", "predict_proba", "decision_function")
    way = e.get("chain_method_", "predict")
    if way not in ways:
        raise refused(f"its {e.name} hands on {str(way)[:40]}", f"其中的 {e.name} 传递的是 {str(way)[:40]}")
    found: dict[int, Judged] = {}
    for one, place in zip(inner, _order(e, len(inner)), strict=True):
        p, label = w.proba(one, x), w.label(one, x)
        found[place] = (p, label)
        if way == "predict":
            numbers = values_of(w.classes(one))
            column = w.wider(w.take(numbers, label), 1)
        else:
            given = p if way == "predict_proba" else w.decision(one, x)
            if given is None:
                raise garbled(f"a {one.name} has no {way}", f"{one.name} 没有 {way}")
            column = w.columns_of(given, [width(given) - 1])
        x = _longer(w, x, column)
    return [found[i] for i in range(len(inner))]


def _chain_values(w: Work, e: Fitted, x: Rows) -> Value:
    inner, found = e.several("estimators_"), dict[int, Value]()
    for one, place in zip(inner, _order(e, len(inner)), strict=True):
        found[place] = _column(w, w.values(one, x))
        x = _longer(w, x, found[place])
    return w.concat([found[i] for i in range(len(inner))])


def _each_value(w: Work, e: Fitted, x: Rows) -> Value:
    return w.concat([_column(w, w.values(one, x)) for one in e.several("estimators_")])


def _column(w: Work, x: Value) -> Value:
    return x if len(x.shape) == 2 else w.wider(x, 1)


def values_of(classes: list[str]) -> Array:
    """Classes that are numbers; UnsupportedCheckpoint of texts."""
    truths = {"False": 0.0, "True": 1.0}
    try:
        return np.array([truths[one] if one in truths else float(one) for one in classes])
    except ValueError:
        raise refused(
            "it answers several questions at once, and one of them with texts",
            "它同时回答多个问题，其中有的答案是文本",
            "Make the answers numbers before training (OrdinalEncoder), or train one model for each question",
            "请在训练前把答案变成数字（OrdinalEncoder），或为每个问题各训练一个模型",
        ) from None


SEVERAL: dict[str, Callable[[Work, Fitted, Rows], list[Judged]]] = {
    **dict.fromkeys(FORESTS, _forest),
    "KNeighborsClassifier": _neighbours,
    "MLPClassifier": lambda w, e, x: _above(w, layers(w, e, x), 0.5, True),
    **dict.fromkeys(("RidgeClassifier", "RidgeClassifierCV"), lambda w, e, x: _above(w, plane(w, e, x), 0.0, False)),
    "OneVsRestClassifier": _rest,
    "MultiOutputClassifier": _each,
    "ClassifierChain": _chain,
}


def _alone(w: Work, e: Fitted, x: Rows) -> Value:
    """Inside of others there is no place for several answers."""
    raise e.several_questions()


CLASSIFIERS: dict[str, Classifier] = dict.fromkeys(
    ("MultiOutputClassifier", "ClassifierChain"), Classifier(proba=_alone, label=_alone)
)
REGRESSORS: dict[str, Answer] = {"MultiOutputRegressor": _each_value, "RegressorChain": _chain_values}
