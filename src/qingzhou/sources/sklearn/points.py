"""What looks how far a row lies from others: neighbours, clusters."""

from __future__ import annotations

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit, width
from .fitted import MOST_CLASSES, Fitted
from .refuse import garbled, refused
from .work import Answer, Classifier, Rows, Transform, Work, once

METRICS = ("euclidean", "manhattan", "chebyshev", "minkowski", "cosine")
UNROLLED = 64  # columns whose differences are summed one after the other, so that equal rows are at 0 from each other


def away_from(w: Work, e: Fitted, x: Rows) -> tuple[Value, bool]:
    """(N, M) distances to all rows of the training; or their squares, and that they are."""
    points = e.numbers("_fit_X", rank=2)
    if points.shape[1] != x.width:
        raise misfit(points.shape[1], x.width)
    metric = e.text("effective_metric_", e.text("metric", "minkowski"))
    if metric == "cosine":
        return w.op("Min", w.op("Max", w.sub(1.0, w.cosines(x.value, points)), 0.0), 2.0), False
    p = _order(e, metric)
    if p is None:
        raise refused(
            f"its {e.name} measures {metric[:40]!r} distances; known here: {', '.join(METRICS)}",
            f"其中的 {e.name} 的距离是 {metric[:40]!r}，支持 {'、'.join(METRICS)}",
        )
    if p == 2 and x.width > UNROLLED:
        return w.distances(x.value, points), True
    if x.width > 16 * UNROLLED:
        raise refused(
            f"its {e.name} measures {metric} in {x.width} columns", f"其中的 {e.name} 的列数太多（{x.width}）"
        )
    return _summed(w, x, points, p), p == 2


def _order(e: Fitted, metric: str) -> float | None:
    given = e.get("effective_metric_params_")
    power = given.get("p") if isinstance(given, dict) else None
    if isinstance(given, dict) and given.get("w") is not None:
        return None
    orders = {"euclidean": 2.0, "l2": 2.0, "manhattan": 1.0, "l1": 1.0, "cityblock": 1.0, "chebyshev": float("inf")}
    if metric == "minkowski":
        return float(power if isinstance(power, (int, float)) else e.number("p", 2.0))
    return orders.get(metric)


def _summed(w: Work, x: Rows, points: Array, p: float) -> Value:
    """Column after column, as k-d trees do it."""
    total: Value | None = None
    for i in range(x.width):
        away = w.sub(w.columns_of(x.value, [i]), points[:, i][None])
        if p == 2:
            part = w.mul(away, away)
        else:
            part = w.op("Abs", away)
            part = part if p in (1, float("inf")) else w.op("Pow", part, p)
        total = part if total is None else w.op("Max" if p == float("inf") else "Add", total, part)
    assert total is not None
    return total if p in (1, 2, float("inf")) else w.op("Pow", total, 1 / p)


@once
def _closest(w: Work, e: Fitted, x: Rows) -> tuple[Value, Value, bool]:
    """The k nearest rows: how far away (N, k), or how far squared, and that it is; their numbers (N, k)."""
    away, squared = away_from(w, e, x)
    count = e.whole("n_neighbors_", e.get("n_neighbors", 5))
    if not 0 < count <= len(e.numbers("_fit_X", rank=2)):
        raise garbled(f"{e.name} asks for {count} neighbours of fewer rows", f"{e.name} 的 n_neighbors 大于数据行数")
    near, places = w.net.emits("TopK", [away, w.net.whole(count)], 2, axis=1, largest=0, sorted=1)
    return near, places, squared


def nearest_distances(w: Work, e: Fitted, x: Rows) -> tuple[Value, Value]:
    """How far the k nearest rows are, and their numbers, both (N, k)."""
    near, places, squared = _closest(w, e, x)
    return w.op("Sqrt", near) if squared else near, places


def nearest(w: Work, e: Fitted, x: Rows) -> tuple[Value, Value | None]:
    """The numbers of the k nearest rows (N, k), and their weights (N, k, 1), None where all count alike."""
    if e.one_of("weights", "uniform", "distance") == "uniform":
        return _closest(w, e, x)[1], None
    near, places = nearest_distances(w, e, x)
    same = w.op("Equal", near, 0.0)  # a row at 0 counts alone, with those that are there, too
    ones = w.cast(same, "float64")
    found = w.op("Greater", w.sum(ones), 0.0)
    weights = w.where(found, ones, w.div(1.0, w.where(same, 1.0, near)))
    return places, w.wider(weights, 2)


@once
def _votes(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K): the weights of those that are of each class."""
    places, weights = nearest(w, e, x)
    answers = e.numbers("_y", rank=1).astype(np.int64)
    found = w.take(np.eye(len(e.classes()))[answers], places)
    return w.sum(found if weights is None else w.mul(found, weights), 1, keep=False)


def _votes_proba(w: Work, e: Fitted, x: Rows) -> Value:
    return w.shares(_votes(w, e, x))


def _votes_label(w: Work, e: Fitted, x: Rows) -> Value:
    return w.argmax(_votes(w, e, x))


def _mean(w: Work, e: Fitted, x: Rows) -> Value:
    """The mean answer of the nearest."""
    places, weights = nearest(w, e, x)
    answers = e.numbers("_y")
    if answers.size == len(answers):  # (N, k), and not (N, k, 1), of which OpenVINO sums the first row alone
        found = w.take(answers.ravel(), places)
        if weights is None:
            return w.div(w.sum(found), float(width(places)))
        weights = w.flat(weights, 2)
        return w.div(w.sum(w.mul(found, weights)), w.sum(weights))
    found = w.take(answers.reshape(len(answers), -1), places)
    if weights is None:
        return w.div(w.sum(found, 1, keep=False), float(width(places)))
    return w.div(w.sum(w.mul(found, weights), 1, keep=False), w.sum(weights, 1, keep=False))


# -- clusters: the nearest centre --------------------------------------------------------------------------------------


def _centres(key: str) -> Classifier:
    def decision(w: Work, e: Fitted, x: Rows) -> Value:
        """How near each centre is: minus its squared distance."""
        return w.op("Neg", w.distances(x.value, e.numbers(key, rank=2)))

    def label(w: Work, e: Fitted, x: Rows) -> Value:
        return w.argmax(decision(w, e, x))

    return Classifier(decision, label=label)


def _birch(w: Work, e: Fitted, x: Rows) -> Value:
    """The cluster of the nearest of many centres."""
    near = w.argmax(w.op("Neg", w.distances(x.value, e.numbers("subcluster_centers_", rank=2))))
    return w.take(e.numbers("subcluster_labels_", rank=1), near, "int64")


def clusters_of(e: Fitted) -> int:
    """How many there are."""
    if e.name == "Birch":
        count = int(e.numbers("subcluster_labels_", rank=1).max()) + 1
    else:
        count = len(e.numbers("means_" if e.has("means_") else "cluster_centers_", rank=2))
    if not 0 < count <= MOST_CLASSES:
        raise refused(f"its {e.name} has {count} clusters", f"其中的 {e.name} 有 {count} 个簇")
    return count


def _distances(w: Work, e: Fitted, x: Rows) -> Rows:
    """transform(): how far each centre is."""
    key = "subcluster_centers_" if e.name == "Birch" else "cluster_centers_"
    found = w.op("Sqrt", w.distances(x.value, e.numbers(key, rank=2)))
    return Rows(found, (None,) * width(found))


CLASSIFIERS: dict[str, Classifier] = {"KNeighborsClassifier": Classifier(proba=_votes_proba, label=_votes_label)}
REGRESSORS: dict[str, Answer] = {"KNeighborsRegressor": _mean}
CLUSTERS: dict[str, Classifier] = {
    **dict.fromkeys(("KMeans", "MiniBatchKMeans", "MeanShift", "AffinityPropagation"), _centres("cluster_centers_")),
    "Birch": Classifier(label=_birch),
}
TRANSFORMS: dict[str, Transform] = dict.fromkeys(("KMeans", "MiniBatchKMeans", "BisectingKMeans", "Birch"), _distances)
