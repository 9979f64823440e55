"""feature_importances_, which scikit-learn reckons from the trees when it is asked: sklearn/tree/_tree.pyx."""

from __future__ import annotations

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array
from .fitted import Fitted
from .refuse import garbled, refused

TREES = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")
FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")
BOOSTED = ("GradientBoostingClassifier", "GradientBoostingRegressor")
WEIGHTED = ("AdaBoostClassifier", "AdaBoostRegressor")


def importances(e: Fitted) -> Array:
    """(C) float64; UnsupportedCheckpoint of an estimator that has none here."""
    if e.name in TREES:
        return _divided(_of_tree(e))
    if e.name in (*FORESTS, *BOOSTED):
        inner = e.several("estimators_")
        parts = [_of_tree(one) if e.name in BOOSTED else importances(one) for one in inner if _nodes(one).size > 1]
        return _divided(np.mean(parts, axis=0)) if parts else np.zeros(e.whole("n_features_in_"))
    if e.name in WEIGHTED:
        inner, weights = e.several("estimators_"), e.numbers("estimator_weights_", rank=1)
        parts = [weight * importances(one) for one, weight in zip(inner, weights, strict=False)]
        return np.asarray(np.sum(parts, axis=0) / weights.sum())
    raise refused(
        f"a {e.name} chooses its columns, whose importances are not known here",
        f"按 {e.name} 的重要性选择列，这里无法计算",
    )


def _nodes(e: Fitted) -> Array:
    found = e.need("tree_")
    nodes = found.state.get("nodes") if isinstance(found, Opaque) and isinstance(found.state, dict) else None
    wanted = {"left_child", "right_child", "feature", "impurity", "weighted_n_node_samples"}
    if not isinstance(nodes, np.ndarray) or nodes.dtype.names is None or not wanted <= set(nodes.dtype.names):
        raise garbled(f"the nodes of a {e.name} have other columns", f"{e.name} 的节点字段不符")
    return nodes


def _of_tree(e: Fitted) -> Array:
    """How much each column lessens the impurity, weighted by the rows that pass."""
    nodes, found = _nodes(e), np.zeros(e.whole("n_features_in_"))
    inner = nodes[nodes["left_child"] != -1]
    left, right = nodes[inner["left_child"]], nodes[inner["right_child"]]
    weight = "weighted_n_node_samples"
    gains = inner[weight] * inner["impurity"] - left[weight] * left["impurity"] - right[weight] * right["impurity"]
    np.add.at(found, inner["feature"], gains)
    return np.asarray(found / nodes[0][weight])


def _divided(found: Array) -> Array:
    total = found.sum()
    return np.asarray(found / total) if total > 0 else found
