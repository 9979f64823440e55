"""CatBoost's JSON (catboost.ai/docs/en/concepts/json-tree-structure): trees that ask one thing on each level."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.form import Array
from .boosters import Booster, as_array, unknown_objective
from .fitted import listed, shown
from .refuse import garbled, refused
from .trees import Trees, tree

LINKS = {
    **dict.fromkeys(("Logloss", "CrossEntropy", "MultiClassOneVsAll"), "sigmoid"),
    "MultiClass": "softmax",
    **dict.fromkeys(("RMSE", "MAE", "Quantile", "MAPE", "Huber", "LogLinQuantile", "Expectile", "Lq"), "identity"),
    **dict.fromkeys(("Poisson", "Tweedie"), "exp"),
}
CLASSIFIES = ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll")
DEEPEST = 16


def is_model(model: Any) -> bool:
    """Whether what was parsed is one."""
    return isinstance(model, dict) and "features_info" in model and bool({"oblivious_trees", "trees"} & set(model))


def _loss(model: dict[str, Any]) -> str:
    info = model.get("model_info")
    params = info.get("params") if isinstance(info, dict) else None
    loss = params.get("loss_function") if isinstance(params, dict) else None
    return str(loss.get("type", "")) if isinstance(loss, dict) else ""


def classifies(model: dict[str, Any]) -> bool:
    """Whether it answers with classes."""
    return _loss(model) in CLASSIFIES


def booster_in(model: dict[str, Any]) -> Booster:
    """UnsupportedCheckpoint for categories, texts and trees of other shapes."""
    trees, loss = model.get("oblivious_trees"), _loss(model)
    if not isinstance(trees, list) or not trees:
        raise refused(
            "its CatBoost has trees that are not symmetric (grow_policy)", "CatBoost 的树不是对称树（grow_policy）"
        )
    if loss not in LINKS:
        raise unknown_objective(loss, "CatBoost")
    columns, missing, names = _columns(model)
    scale, start = _scale(model)
    k = len(start)
    parts = [_tree(one, columns, missing, len(names), k) for one in trees]
    nodes = Trees.joined([one for one, _ in parts])
    leaves = np.concatenate([values for _, values in parts])
    if scale != 1:
        leaves = leaves * scale
    return Booster(
        [nodes] * k, [leaves[:, i] for i in range(k)], start, LINKS[loss], names, classes=_classes(model, loss, k)
    )


def _columns(model: dict[str, Any]) -> tuple[list[int], list[bool], list[str]]:
    """Of each float feature its column, and whether NaN goes where small numbers do; the columns' names."""
    info = model["features_info"]
    features = info.get("float_features") if isinstance(info, dict) else None
    if (
        not isinstance(features, list)
        or not features
        or any(info.get(k) for k in ("categorical_features", "text_features"))
    ):
        raise refused("its CatBoost has columns of categories or texts", "CatBoost 含有类别列或文本列")
    places, missing, names = [], [], []
    for i, one in enumerate(features):
        place = one.get("flat_feature_index", i) if isinstance(one, dict) else None
        if place != i:
            raise refused("its CatBoost has columns of other kinds", "CatBoost 含有其他类型的列")
        places.append(i)
        missing.append(one.get("nan_value_treatment", "AsIs") != "AsTrue")
        names.append(str(one.get("feature_id") or f"x{i}"))
    if names == [str(i) for i in range(len(names))]:
        names = [f"x{i}" for i in range(len(names))]
    return places, missing, names


def _scale(model: dict[str, Any]) -> tuple[float, Array]:
    found = model.get("scale_and_bias", [1, [0]])
    if not isinstance(found, list) or len(found) != 2:
        raise garbled("CatBoost's scale_and_bias is none", "CatBoost 的 scale_and_bias 无法读取")
    bias = found[1] if isinstance(found[1], list) else [found[1]]
    return float(as_array([found[0]], "scale")[0]), as_array(bias, "bias")


def _tree(one: Any, columns: list[int], missing: list[bool], count: int, k: int) -> tuple[Trees, Array]:
    """Level by level: bit i of a leaf's number says whether x > border of split i."""
    splits = one.get("splits") if isinstance(one, dict) else None
    splits = [] if splits is None else splits
    if not isinstance(splits, list) or len(splits) > DEEPEST:
        raise garbled("a tree of CatBoost is none", "CatBoost 的一棵树无法读取")
    column, border = [], []
    for split in splits:
        if not isinstance(split, dict) or split.get("split_type", "FloatFeature") != "FloatFeature":
            raise refused("its CatBoost splits by categories", "CatBoost 按类别划分")
        place = split.get("float_feature_index")
        if not isinstance(place, int) or not 0 <= place < len(columns):
            raise garbled("a tree names columns that are not there", "决策树引用了不存在的列")
        column.append(columns[place])
        border.append(float(as_array([split.get("border")], "border")[0]))
    depth = len(splits)
    values = as_array(one.get("leaf_values"), "leaf_values")
    if len(values) != k << depth:
        raise garbled("the leaves of a tree do not fit its splits", "树的叶子数量与划分不符")
    inner = (1 << depth) - 1
    level = np.array([(i + 1).bit_length() - 1 for i in range(inner)], np.int64)
    own, end = np.arange(inner), np.full(1 << depth, -1)
    order = [_number(i, depth) for i in range(1 << depth)]
    rows = np.array(column, np.int64)[level] if depth else level
    limits = np.array(border)[level] if depth else level.astype(float)
    to_left = np.array(missing)[rows] if depth else level.astype(bool)
    found = tree(
        np.concatenate([rows, end]),
        np.concatenate([limits, end]),
        np.concatenate([2 * own + 1, end]),
        np.concatenate([2 * own + 2, end]),
        np.concatenate([to_left, end > 0]),
        count,
    )
    return found, np.concatenate([np.zeros((inner, k)), values.reshape(-1, k)[order]])


def _number(leaf: int, depth: int) -> int:
    """Of a leaf from the left: its bits the other way round, since the first split is the lowest."""
    return sum((leaf >> (depth - 1 - i) & 1) << i for i in range(depth))


def _classes(model: dict[str, Any], loss: str, k: int) -> list[str]:
    if loss not in CLASSIFIES:
        return []
    info = model.get("model_info", {}).get("class_params")
    names = info.get("class_names") if isinstance(info, dict) else None
    if isinstance(names, list) and len(names) == max(k, 2):
        return [shown(one) for one in listed(names)]
    return [str(i) for i in range(max(k, 2))]
