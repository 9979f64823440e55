"""Estimators made of estimators: AdaBoost, bagging, voting, stacking, calibration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .arithmetic import width
from .curves import function_of
from .fitted import Fitted, listed, shown
from .refuse import garbled, refused
from .scaling import chosen
from .work import Answer, Classifier, Rows, Work, once

SMALLEST = float(np.finfo(np.float64).eps)  # below which AdaBoost takes no probability


def total(w: Work, parts: Sequence[Value]) -> Value:
    """Summed one after the other."""
    found = parts[0]
    for one in parts[1:]:
        found = w.add(found, one)
    return found


# -- AdaBoost ----------------------------------------------------------------------------------------------------------


def _weights(e: Fitted, count: int) -> Array:
    found = e.numbers("estimator_weights_", rank=1)[:count]
    if len(found) != count or not count:
        raise garbled("AdaBoost has another number of weights", "AdaBoost 的权重数量不符")
    return found


@once
def _ada_decision(w: Work, e: Fitted, x: Rows) -> Value:
    """SAMME: each votes for its class, and against the others; SAMME.R, until 1.5: logarithms of probabilities."""
    inner, k = e.several("estimators_"), len(e.classes())
    weights = _weights(e, len(inner))
    if k < 2:
        raise refused(f"its {e.name} was trained with a single class", f"其中的 {e.name} 只用一个类别训练")
    if e.text("algorithm", "SAMME") == "SAMME.R":
        found = w.div(total(w, [_centred(w, one, x, k) for one in inner]), float(weights.sum()))
    else:
        table = np.full((k, k), -1 / (k - 1)) + np.eye(k) * (1 + 1 / (k - 1))
        votes = [w.take(table * weight, w.label(one, x)) for one, weight in zip(inner, weights, strict=True)]
        found = w.div(total(w, votes), float(weights.sum()))
    if k > 2:
        return found
    return w.sub(w.columns_of(found, [1]), w.columns_of(found, [0]))


def _centred(w: Work, one: Fitted, x: Rows, k: int) -> Value:
    p = w.proba(one, x)
    if p is None or width(p) != k:
        raise refused(f"a {one.name} in its AdaBoost has no probabilities", f"AdaBoost 里的 {one.name} 没有概率")
    logs = w.op("Log", w.op("Max", p, SMALLEST))
    return w.mul(w.sub(logs, w.div(w.sum(logs), float(k))), float(k - 1))


def _ada_proba(w: Work, e: Fitted, x: Rows) -> Value:
    k, found = len(e.classes()), _ada_decision(w, e, x)
    if k == 2:
        half = w.div(found, 2.0)
        return w.softmax(w.concat([w.op("Neg", half), half]))
    return w.softmax(w.div(found, float(k - 1)))


def _ada_values(w: Work, e: Fitted, x: Rows) -> Value:
    """The weighted median: the first, in the order of what they say, whose weights reach half of all."""
    inner = e.several("estimators_")
    weights = _weights(e, len(inner))
    said = w.concat([w.values(one, x) for one in inner])
    count = w.net.whole(len(inner))
    ordered, places = w.net.emits("TopK", [said, count], 2, axis=1, largest=0, sorted=1)
    reached = w.net.emit("CumSum", [w.take(weights, places), w.net.array(np.array(1, np.int64))])
    last = w.columns_of(reached, [len(inner) - 1])
    enough = w.cast(w.op("Not", w.op("Less", reached, w.mul(last, 0.5))), "float64")
    place = w.net.emit("ArgMax", [enough], axis=1, keepdims=1)
    return w.net.emit("GatherElements", [ordered, place], axis=1)


# -- bagging -----------------------------------------------------------------------------------------------------------


def _members(e: Fitted, x: Rows, w: Work) -> list[tuple[Fitted, Rows]]:
    """Each with the columns that it was trained with."""
    inner, columns = e.several("estimators_"), listed(e.need("estimators_features_"))
    if len(inner) != len(columns) or not inner:
        raise garbled("bagging has another number of columns", "bagging 的列数量不符")
    return [(one, chosen(w, x, [int(i) for i in listed(some)])) for one, some in zip(inner, columns, strict=True)]


def _bag_proba(w: Work, e: Fitted, x: Rows) -> Value:
    """The mean; of members without probabilities the shares of their votes. Members may lack classes."""
    k, parts = len(e.classes()), []
    for one, some in _members(e, x, w):
        own = w.classes(one)
        p = w.proba(one, some)
        p = w.one_hot(w.label(one, some), len(own)) if p is None else p
        parts.append(_placed(w, p, own, k))
    return w.div(total(w, parts), float(len(parts)))


def _placed(w: Work, p: Value, own: list[str], k: int) -> Value:
    """With a column for each class; members' classes are numbers of the whole's."""
    if len(own) == k:
        return p
    table = np.zeros((len(own), k))
    for i, name in enumerate(own):
        if not name.isdigit() or int(name) >= k:
            raise garbled("a member of an ensemble knows a class that the whole does not", "成员的类别与整体不符")
        table[i, int(name)] = 1
    return w.matmul(p, table)


def _bag_values(w: Work, e: Fitted, x: Rows) -> Value:
    members = _members(e, x, w)
    return w.div(total(w, [w.values(one, some) for one, some in members]), float(len(members)))


# -- voting and stacking -----------------------------------------------------------------------------------------------


def _voters(e: Fitted) -> tuple[list[Fitted], Array]:
    """Who votes, and how much each vote weighs; those that were dropped are not there."""
    inner = e.several("estimators_")
    weights = e.get("weights")
    if weights is None:
        return inner, np.ones(len(inner))
    given = [float(one) for one in listed(weights)]
    named = e.get("estimators")
    if isinstance(named, list) and len(named) == len(given):
        given = [one for one, (_, who) in zip(given, named, strict=True) if who != "drop"]
    if len(given) != len(inner) or not inner:
        raise garbled("votes have another number of weights", "投票权重的数量不符")
    return inner, np.array(given)


def _vote_proba(w: Work, e: Fitted, x: Rows) -> Value | None:
    if e.one_of("voting", "hard", "soft") == "hard":
        return None
    inner, weights = _voters(e)
    parts = []
    for one, weight in zip(inner, weights, strict=True):
        p = w.proba(one, x)
        if p is None:
            raise garbled(f"a {one.name} votes without probabilities", f"参与投票的 {one.name} 没有概率")
        parts.append(p if e.get("weights") is None else w.mul(p, float(weight)))
    return w.div(total(w, parts), float(weights.sum()))


def _vote_label(w: Work, e: Fitted, x: Rows) -> Value:
    """The most votes; of as many, the lowest class. Members answer with numbers of the whole's classes."""
    p = _vote_proba(w, e, x)
    if p is not None:
        return w.argmax(p)
    inner, weights = _voters(e)
    k, parts = len(e.classes()), []
    for one, weight in zip(inner, weights, strict=True):
        own = w.classes(one)
        table = np.zeros((len(own), k))
        table[np.arange(len(own)), [int(name) if name.isdigit() and int(name) < k else 0 for name in own]] = weight
        parts.append(w.take(table, w.label(one, x)))
    return w.argmax(total(w, parts))


def _vote_values(w: Work, e: Fitted, x: Rows) -> Value:
    inner, weights = _voters(e)
    parts = [w.mul(w.values(one, x), float(weight)) for one, weight in zip(inner, weights, strict=True)]
    return w.div(total(w, parts), float(weights.sum()))


@once
def _stacked(w: Work, e: Fitted, x: Rows) -> Rows:
    """What the estimators say, beside each other; of two classes only the second's probability."""
    inner, ways = e.several("estimators_"), [str(one) for one in listed(e.need("stack_method_"))]
    ways = [way for way in ways if way != "drop"]
    if len(inner) != len(ways):
        raise garbled("stacking has another number of methods", "stacking 的方法数量不符")
    parts = []
    for one, way in zip(inner, ways, strict=True):
        found: Value | None
        if way == "predict_proba":
            found = w.proba(one, x)
            found = w.columns_of(found, [1]) if found is not None and width(found) == 2 else found
        elif way == "decision_function":
            found = w.decision(one, x)
        elif w.kind(one) == "regressor":
            found = w.values(one, x)
        else:
            found = w.wider(w.take(np.array([float(name) for name in w.classes(one)]), w.label(one, x)), 1)
        if found is None:
            raise garbled(f"a {one.name} has no {way[:40]}", f"{one.name} 没有 {way[:40]}")
        parts.append(found)
    if e.flag("passthrough"):
        parts.append(x.value)
    value = w.concat(parts)
    return Rows(value, (None,) * width(value))


def _stack_proba(w: Work, e: Fitted, x: Rows) -> Value | None:
    return w.proba(e.inner("final_estimator_"), _stacked(w, e, x))


def _stack_label(w: Work, e: Fitted, x: Rows) -> Value:
    return w.label(e.inner("final_estimator_"), _stacked(w, e, x))


def _stack_values(w: Work, e: Fitted, x: Rows) -> Value:
    return w.values(e.inner("final_estimator_"), _stacked(w, e, x))


# -- constants ---------------------------------------------------------------------------------------------------------


def _constant(w: Work, x: Rows, numbers: Array) -> Value:
    return w.add(w.mul(w.columns_of(x.value, [0]), 0.0), numbers[None])


def _dummy_proba(w: Work, e: Fitted, x: Rows) -> Value:
    way, prior = e.one_of("strategy", "prior", "most_frequent", "constant"), e.numbers("class_prior_", rank=1)
    if way == "constant":
        return _constant(w, x, np.eye(len(prior))[e.classes().index(shown(e.get("constant")))])
    return _constant(w, x, prior if way == "prior" else np.eye(len(prior))[prior.argmax()])


def _dummy_values(w: Work, e: Fitted, x: Rows) -> Value:
    return _constant(w, x, e.numbers("constant_").ravel())


def _target(w: Work, e: Fitted, x: Rows) -> Value:
    """TransformedTargetRegressor: undoes what was done to the answers: a scaler, or numpy's function."""
    found = w.values(e.inner("regressor_"), x)
    before = e.get("transformer_")
    if not isinstance(before, Opaque):
        return found
    scaler = Fitted.of(before)
    if scaler.name == "StandardScaler":
        found = w.mul(found, scaler.numbers("scale_")) if scaler.has("scale_") else found
        return w.add(found, scaler.numbers("mean_")) if scaler.flag("with_mean", True) else found
    if scaler.name == "MinMaxScaler":
        return w.div(w.sub(found, scaler.numbers("min_")), scaler.numbers("scale_"))
    if scaler.name == "FunctionTransformer":
        back = scaler.get("inverse_func")
        if back is None:
            return found
        if (rule := function_of(back)) is not None:
            return rule(w, found)
        raise refused("it changes its answers by a function of Python (func=)", "它用 Python 函数改变答案（func=）")
    raise refused(f"it changes its answers by a {scaler.name}", f"它用 {scaler.name} 改变答案")


CLASSIFIERS: dict[str, Classifier] = {
    "AdaBoostClassifier": Classifier(_ada_decision, _ada_proba),
    "BaggingClassifier": Classifier(proba=_bag_proba),
    "VotingClassifier": Classifier(proba=_vote_proba, label=_vote_label),
    "StackingClassifier": Classifier(proba=_stack_proba, label=_stack_label),
    "DummyClassifier": Classifier(proba=_dummy_proba),
}
REGRESSORS: dict[str, Answer] = {
    "AdaBoostRegressor": _ada_values,
    "BaggingRegressor": _bag_values,
    "VotingRegressor": _vote_values,
    "StackingRegressor": _stack_values,
    "DummyRegressor": _dummy_values,
    "TransformedTargetRegressor": _target,
}
