"""What tells rows that are like those of the training (1) from others (-1)."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted, listed
from .forests import joined
from .points import nearest_distances
from .refuse import garbled, refused
from .svm import kernel
from .trees import Trees, narrow, said, summed
from .work import Answer, Classifier, Rows, Work, once

NAMES = ["-1", "1"]


def _from_zero(w: Work, decision: Value) -> Value:
    """A row is like the others from 0 on."""
    return w.flat(w.cast(w.op("Not", w.op("Less", decision, 0.0)), "int64"))


# -- isolation forests: sklearn/ensemble/_iforest.py -------------------------------------------------------------------


def expected(rows: Array) -> Array:
    """The mean depth of a search tree of so many rows that finds nothing."""
    many = np.maximum(rows.astype(np.float64), 3.0)
    found = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(rows <= 1, 0.0, np.where(rows == 2, 1.0, found))


def _depths(trees: Trees) -> Array:
    """(M) how many nodes lie above each, itself counted."""
    found = np.zeros(len(trees.left))
    now, depth = trees.roots, 1
    trees.depth()
    while len(now):
        found[now] = depth
        inner = now[~trees.leaves[now]]
        now, depth = np.concatenate([trees.left[inner], trees.right[inner]]), depth + 1
    return found


@once
def _isolated(w: Work, e: Fitted, x: Rows) -> Value:
    inner, columns = e.several("estimators_"), listed(e.need("estimators_features_"))
    if len(inner) != len(columns):
        raise garbled("an isolation forest has another number of columns", "孤立森林的列数量不符")
    parts = [_renamed(one, np.asarray(some, np.int64), x.width) for one, some in zip(inner, columns, strict=True)]
    trees = Trees.joined([one for one, _ in parts])
    counts = np.concatenate([np.asarray(one.need("tree_").state["nodes"]["n_node_samples"]) for one in inner])
    lengths = _depths(trees) + expected(counts) - 1.0
    total = summed(w, said(w, trees, narrow(w, x.value), lengths[:, None]))
    usual = len(inner) * float(expected(np.array([e.whole("_max_samples", e.get("max_samples_"))]))[0])
    share = w.div(total, usual) if usual else w.add(w.mul(total, 0.0), 1.0)
    scores = w.op("Pow", w.add(w.mul(share, 0.0), 2.0), w.op("Neg", share))
    return w.sub(w.op("Neg", scores), e.number("offset_"))


def _renamed(one: Fitted, columns: Array, width: int) -> tuple[Trees, Array]:
    """A tree whose columns are those of the whole."""
    trees, values = joined([one])
    if not len(columns) or columns.min() < 0 or columns.max() >= width or trees.column.max() >= len(columns):
        raise misfit(int(columns.max(initial=0)) + 1, width)
    return dataclasses.replace(trees, column=columns[trees.column]), values


# -- one class of support vectors --------------------------------------------------------------------------------------


@once
def _around(w: Work, e: Fitted, x: Rows) -> Value:
    return w.linear(kernel(w, e, x), e.numbers("_dual_coef_", rank=2)[:1], e.numbers("_intercept_", rank=1)[:1])


@once
def _plane(w: Work, e: Fitted, x: Rows) -> Value:
    return w.linear(x.value, np.atleast_2d(e.numbers("coef_")), -e.numbers("offset_"))


# -- an ellipse --------------------------------------------------------------------------------------------------------


@once
def _ellipse(w: Work, e: Fitted, x: Rows) -> Value:
    """Minus the squared distance of Mahalanobis."""
    middle = e.numbers("location_", rank=1)
    if len(middle) != x.width:
        raise misfit(len(middle), x.width)
    precision = e.numbers("precision_", rank=2) if e.has("precision_") else np.linalg.pinv(e.numbers("covariance_"))
    away = w.sub(x.value, middle)
    return w.sub(w.op("Neg", w.sum(w.mul(w.matmul(away, precision), away))), e.number("offset_"))


# -- local density: sklearn/neighbors/_lof.py --------------------------------------------------------------------------


@once
def _local(w: Work, e: Fitted, x: Rows) -> Value:
    """How dense the training is around the neighbours, by how dense it is here."""
    if not e.flag("novelty"):
        raise refused(
            "its LocalOutlierFactor has novelty=False, so it only judges the rows it was trained with",
            "LocalOutlierFactor 设置了 novelty=False，只能判断训练数据",
            "Train it with novelty=True",
            "请用 novelty=True 重新训练",
        )
    count = e.whole("n_neighbors_")
    near, places = nearest_distances(w, e, x)
    reach = w.op("Max", near, w.take(e.numbers("_distances_fit_X_", rank=2)[:, count - 1], places))
    density = w.div(1.0, w.add(w.div(w.sum(reach), float(count)), 1e-10))
    ratios = w.div(w.take(e.numbers("_lrd", rank=1), places), density)
    return w.sub(w.op("Neg", w.div(w.sum(ratios), float(count))), e.number("offset_"))


def _judged(decision: Answer) -> Classifier:
    return Classifier(decision, label=lambda w, e, x: _from_zero(w, decision(w, e, x)))


CLUSTERS: dict[str, Classifier] = {
    "IsolationForest": _judged(_isolated),
    "OneClassSVM": Classifier(_around),
    "SGDOneClassSVM": _judged(_plane),
    "EllipticEnvelope": _judged(_ellipse),
    "LocalOutlierFactor": _judged(_local),
}
