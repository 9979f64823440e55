"""XGBoost's models: JSON and UBJSON (https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...files.ubjson import read_ubjson
from ...graph.form import Array
from ...runtime.model import fields
from .boosters import Booster, as_array, unknown_objective
from .fitted import MOST_CLASSES, Fitted, fitting
from .refuse import garbled, refused
from .trees import Trees, tree

# objective -> what is done to the sum, and how base_score, which is an answer, becomes a sum
LINKS = {
    **dict.fromkeys(("binary:logistic", "reg:logistic"), ("sigmoid", "logit")),
    "binary:logitraw": ("identity", ""),
    "binary:hinge": ("step", ""),
    **dict.fromkeys(("multi:softprob", "multi:softmax"), ("softmax", "")),
    **dict.fromkeys(("count:poisson", "reg:gamma", "reg:tweedie"), ("exp", "log")),
    **dict.fromkeys(
        ("reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:absoluteerror", "reg:pseudohubererror"),
        ("identity", ""),
    ),
    **dict.fromkeys(("reg:quantileerror", "rank:pairwise", "rank:ndcg", "rank:map"), ("identity", "")),
}
CLASSIFIES = ("binary:", "multi:")


def of_handle(handle: bytes, e: Fitted) -> Booster:
    """Of a pickled Booster: {Config, Model}."""
    found = read_ubjson(handle)
    model = found.get("Model", found) if isinstance(found, dict) else found
    return booster_in(model)


def is_model(model: Any) -> bool:
    """Whether what was parsed is one."""
    return isinstance(model, dict) and isinstance(model.get("learner"), dict) and "gradient_booster" in model["learner"]


def classifies(model: Any) -> bool:
    """Whether it answers with classes."""
    return str(_of(_of(model, "learner"), "objective").get("name", "")).startswith(CLASSIFIES)


def _of(table: Any, key: str) -> dict[str, Any]:
    found = table.get(key) if isinstance(table, dict) else None
    if not isinstance(found, dict):
        raise garbled(f"XGBoost's {key} is missing", f"XGBoost 的 {key} 缺失")
    return found


def booster_in(model: Any) -> Booster:
    """UnsupportedCheckpoint for linear boosters, categories and answers of several questions."""
    learner = _of(model, "learner")
    settings, objective = _of(learner, "learner_model_param"), str(_of(learner, "objective").get("name", ""))
    if objective not in LINKS:
        raise unknown_objective(objective, "XGBoost")
    link, way = LINKS[objective]
    if objective == "binary:logitraw" and not str(settings.get("base_score", "")).startswith("["):
        raise refused(
            "its objective 'binary:logitraw' is of an XGBoost before 3.1, which starts elsewhere",
            "目标 'binary:logitraw' 由 3.1 之前的 XGBoost 保存，起点不同",
            "Train it with binary:logistic", "请改用 binary:logistic 训练",
        )  # fmt: skip
    groups = max(_whole(settings, "num_class"), 1)
    if groups > MOST_CLASSES:
        raise refused(f"its XGBoost knows {groups} classes", f"XGBoost 有 {groups} 个类别")
    if _whole(settings, "num_target", 1) > 1:
        raise refused("its XGBoost answers several questions at once", "XGBoost 同时回答多个问题")
    columns = fitting(_whole(settings, "num_feature"))
    trees, weights = _trees(learner)
    trees = trees[: _last(learner, len(trees))]
    owners = _owners(learner, len(trees), groups)
    parts: list[list[tuple[Trees, Array]]] = [[] for _ in range(groups)]
    for i, one in enumerate(trees):
        nodes, leaves = _tree(one, columns)
        parts[owners[i]].append((nodes, np.float32(weights[i]) * leaves))
    if not all(parts):
        raise garbled("a class of it has no trees", "有的类别没有决策树")
    names = learner.get("feature_names")
    named = [str(one) for one in names] if isinstance(names, list) and len(names) == columns else []
    classes = [str(i) for i in range(max(groups, 2))] if objective.startswith(CLASSIFIES) else []
    return Booster(
        [Trees.joined([nodes for nodes, _ in group]) for group in parts],
        [np.concatenate([leaves for _, leaves in group]) for group in parts],
        _start(str(settings.get("base_score", "0.5")), groups, way),
        link,
        named or [f"x{i}" for i in range(columns)],
        single=True,
        classes=classes,
    )


def _whole(table: dict[str, Any], key: str, default: int = 0) -> int:
    try:
        return fields.integer(str(table.get(key, default)))
    except (ValueError, TypeError, OverflowError):
        raise garbled(f"XGBoost's {key} is no number", f"XGBoost 的 {key} 不是数字") from None


def _start(text: str, groups: int, way: str) -> Array:
    """base_score: one number, or since 3.1 a list in brackets; of probabilities and counts their link's inverse."""
    try:
        found = np.array([float(one) for one in text.strip("[] ").split(",")])
    except ValueError:
        raise garbled("XGBoost's base_score is no number", "XGBoost 的 base_score 不是数字") from None
    if len(found) not in (1, groups):
        raise garbled("XGBoost's base_score does not fit its classes", "XGBoost 的 base_score 与类别数不符")
    with np.errstate(all="ignore"):
        found = np.log(found / (1 - found)) if way == "logit" else np.log(found) if way == "log" else found
    if not np.isfinite(found).all():
        raise garbled("XGBoost's base_score has no link", "XGBoost 的 base_score 超出范围")
    return np.broadcast_to(found, (groups,)).astype(np.float32)


def _trees(learner: dict[str, Any]) -> tuple[list[Any], list[float]]:
    booster = _of(learner, "gradient_booster")
    name = str(booster.get("name", ""))
    if name not in ("gbtree", "dart"):
        raise refused(f"its XGBoost is of the kind {name[:40]!r}", f"XGBoost 的类型是 {name[:40]!r}")
    inside = _of(booster, "gbtree") if name == "dart" else booster
    trees = _of(inside, "model").get("trees")
    if not isinstance(trees, list) or not trees:
        raise garbled("XGBoost has no trees", "XGBoost 没有决策树")
    weights = booster.get("weight_drop") if name == "dart" else None
    found = [1.0] * len(trees) if weights is None else as_array(weights, "weight_drop").tolist()
    if len(found) != len(trees):
        raise garbled("XGBoost's weight_drop does not fit its trees", "XGBoost 的 weight_drop 与树的数量不符")
    return trees, found


def _model(learner: dict[str, Any]) -> dict[str, Any]:
    booster = _of(learner, "gradient_booster")
    return _of(_of(booster, "gbtree") if booster.get("name") == "dart" else booster, "model")


def _last(learner: dict[str, Any], count: int) -> int:
    """After early stopping only the trees up to the best iteration count: attributes.best_iteration."""
    attributes = learner.get("attributes")
    best = attributes.get("best_iteration") if isinstance(attributes, dict) else None
    if best is None:
        return count
    ends = _model(learner).get("iteration_indptr")
    place = _whole({"best_iteration": best}, "best_iteration") + 1
    if ends is not None and 0 < place < len(ends):
        return int(as_array(ends, "iteration_indptr")[place])
    settings = _of(_model(learner), "gbtree_model_param")
    groups = max(_whole(_of(learner, "learner_model_param"), "num_class"), 1)
    return min(count, max(1, place) * groups * max(_whole(settings, "num_parallel_tree", 1), 1))


def _owners(learner: dict[str, Any], count: int, groups: int) -> list[int]:
    """tree_info: of each tree its class."""
    found = as_array(_model(learner).get("tree_info"), "tree_info").astype(np.int64)[:count].tolist()
    if len(found) < count or any(not 0 <= one < groups for one in found):
        raise garbled("XGBoost's tree_info does not fit its trees", "XGBoost 的 tree_info 与树不符")
    return [int(one) for one in found]


def _tree(one: Any, columns: int) -> tuple[Trees, Array]:
    """x < condition goes left; a leaf has its value where others have their condition."""
    if not isinstance(one, dict):
        raise garbled("a tree of XGBoost is none", "XGBoost 的一棵树无法读取")
    if len(as_array(one.get("categories", []), "categories")):
        raise refused(
            "its XGBoost was trained with categories (enable_categorical)", "XGBoost 使用了类别列（enable_categorical）"
        )
    keys = ("split_indices", "split_conditions", "left_children", "right_children", "default_left")
    column, value, left, right, missing = (as_array(one.get(key), key) for key in keys)
    if len({len(column), len(value), len(left), len(right), len(missing)}) != 1:
        raise garbled("the lists of a tree are not of one length", "一棵树的各个列表长度不同")
    if _whole(_of(one, "tree_param"), "size_leaf_vector", 1) > 1:
        raise refused("its XGBoost has leaves of several numbers", "XGBoost 的叶子含有多个数")
    with np.errstate(over="ignore"):
        value = value.astype(np.float32)
    return tree(column, value, left, right, missing, columns, below=True), value
