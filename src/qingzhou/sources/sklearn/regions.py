"""What looks how far a row lies from others: all within a radius, middles, halves of halves."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .arithmetic import misfit
from .bayes import shares_of
from .fitted import Fitted, listed, shown
from .points import away_from
from .refuse import garbled, refused
from .work import Answer, Classifier, Rows, Work, once


@once
def _within(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, M): how much each row of the training counts, 0 beyond the radius."""
    away, squared = away_from(w, e, x)
    radius = e.number("radius", 1.0)
    inside = w.cast(w.op("Not", w.op("Greater", away, radius**2 if squared else radius)), "float64")
    if e.one_of("weights", "uniform", "distance") == "uniform":
        return inside
    away = w.op("Sqrt", away) if squared else away
    same = w.op("Equal", away, 0.0)
    ones = w.cast(same, "float64")
    return w.where(w.op("Greater", w.sum(ones), 0.0), ones, w.div(inside, w.where(same, 1.0, away)))


@once
def _counted(w: Work, e: Fitted, x: Rows) -> tuple[Value, int]:
    """(N, K) the votes, those of rows without neighbours for the class that was set for them; and its number."""
    classes = e.classes()
    found = w.matmul(_within(w, e, x), np.eye(len(classes))[e.numbers("_y", rank=1).astype(np.int64)])
    given = listed(e.need("outlier_label_"))[0] if e.has("outlier_label_") else None
    if given is None or shown(given) not in classes:
        raise refused(
            f"its {e.name} has no class (outlier_label=) for rows without neighbours, where the original ends in an "
            "error",
            f"其中的 {e.name} 没有为没有邻居的行指定类别（outlier_label=），原模型此时会报错",
            "Train it with outlier_label='most_frequent', or take KNeighborsClassifier",
            "请设置 outlier_label='most_frequent' 重新训练，或改用 KNeighborsClassifier",
        )
    alone = w.op("Equal", w.sum(found), 0.0)
    return w.where(alone, np.eye(len(classes))[classes.index(shown(given))][None], found), len(classes)


def _counted_proba(w: Work, e: Fitted, x: Rows) -> Value:
    return w.shares(_counted(w, e, x)[0])


def _mean(w: Work, e: Fitted, x: Rows) -> Value:
    """The mean answer of all within the radius; no number where there is none, as there."""
    weights, answers = _within(w, e, x), e.numbers("_y")
    total = w.sum(weights)
    none = w.op("Equal", total, 0.0)
    found = w.div(w.matmul(weights, answers.reshape(len(answers), -1)), w.where(none, 1.0, total))
    return w.where(none, float("nan"), found)


# -- middles: sklearn/neighbors/_nearest_centroid.py -------------------------------------------------------------------


@once
def _middles(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K): minus the squared distance in units of how much the rows of a class vary, and the prior (since 1.6)."""
    points, spread = e.numbers("centroids_", rank=2), e.numbers("within_class_std_dev_", rank=1)
    if points.shape[1] != x.width or len(spread) != x.width:
        raise misfit(points.shape[1], x.width)
    unit = np.where(spread == 0, 1.0, spread)
    value = w.div(x.value, unit)
    away = _apart(w, e, value, points / unit)
    squared = away if e.text("metric") == "euclidean" else w.mul(away, away)
    return w.sub(2.0 * np.log(e.numbers("class_prior_", rank=1))[None], squared)


def _apart(w: Work, e: Fitted, x: Value, points: Array) -> Value:
    """Squared if euclidean."""
    if e.one_of("metric", "euclidean", "manhattan") == "euclidean":
        return w.distances(x, points)
    return w.sum(w.op("Abs", w.sub(w.wider(x, 1), points)), 2, keep=False)


def _middle_label(w: Work, e: Fitted, x: Rows) -> Value:
    points = e.numbers("centroids_", rank=2)
    if points.shape[1] != x.width:
        raise misfit(points.shape[1], x.width)
    prior = e.numbers("class_prior_", rank=1) if e.has("class_prior_") else None
    if prior is None or np.isclose(prior, 1 / len(prior)).all():
        return w.argmax(w.op("Neg", _apart(w, e, x.value, points)))
    found = _middles(w, e, x)
    return w.argmax(found)


def _middle_proba(w: Work, e: Fitted, x: Rows) -> Value | None:
    if not e.has("within_class_std_dev_") or e.text("metric", "euclidean") != "euclidean":
        return None
    return shares_of(w, _middles(w, e, x))


# -- halves of halves: sklearn/cluster/_bisect_k_means.py --------------------------------------------------------------


def _halved(w: Work, e: Fitted, x: Rows) -> Value:
    """At each node to the nearer of two centres; all nodes are asked, and the leaf whose answers all fit is taken."""
    shift = e.numbers("_X_mean", rank=1) if e.has("_X_mean") else 0.0
    lines: list[tuple[Array, float]] = []
    leaves: list[tuple[int, dict[int, bool]]] = []
    todo: list[tuple[Any, dict[int, bool]]] = [(e.need("_bisecting_tree"), {})]
    while todo:
        node, path = todo.pop()
        sides = [_state(e, node).get(side) for side in ("left", "right")]
        if not all(isinstance(one, Opaque) for one in sides):
            leaves.append((int(_state(e, node).get("label") or 0), path))
            continue
        left, right = (np.asarray(_state(e, one)["center"], np.float64) + shift for one in sides)
        lines.append((2 * (right - left), float(left @ left - right @ right)))
        todo += [(one, {**path, len(lines) - 1: side}) for one, side in zip(sides, (True, False), strict=True)]
        if len(lines) > 1 << 10:
            raise refused(f"its {e.name} has too many clusters", f"其中的 {e.name} 的簇太多")
    labels = np.array([label for label, _ in leaves], np.float64)
    if not lines:
        return w.cast(w.flat(w.mul(w.columns_of(x.value, [0]), 0.0)), "int64")
    asked = w.linear(x.value, np.stack([line for line, _ in lines]), np.array([away for _, away in lines]))
    left_of = w.cast(w.op("Not", w.op("Greater", asked, 0.0)), "float64")
    signs, wanted = np.zeros((len(lines), len(leaves))), np.zeros(len(leaves))
    for i, (_, path) in enumerate(leaves):
        for line, side in path.items():
            signs[line, i] = 1.0 if side else -1.0
        wanted[i] = sum(path.values())
    fits = w.sub(w.matmul(left_of, signs), wanted[None])
    return w.take(labels, w.argmax(fits), "int64")


def _state(e: Fitted, node: Any) -> dict[str, Any]:
    if not isinstance(node, Opaque) or not isinstance(node.state, dict):
        raise garbled(f"the tree of a {e.name} is none", f"{e.name} 的树无法读取")
    return node.state


CLASSIFIERS: dict[str, Classifier] = {
    "RadiusNeighborsClassifier": Classifier(proba=_counted_proba),
    "NearestCentroid": Classifier(proba=_middle_proba, label=_middle_label),
}
REGRESSORS: dict[str, Answer] = {"RadiusNeighborsRegressor": _mean}
CLUSTERS: dict[str, Classifier] = {"BisectingKMeans": Classifier(label=_halved)}
