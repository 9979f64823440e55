"""The columns that a model takes: what they are called, which texts each may hold, how a text is counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...files.types import Opaque
from ...graph.form import Graph
from . import wrapped
from .fitted import Fitted, fitting, listed
from .refuse import garbled, refused, unknown
from .saved import each_in, records
from .table import RULES
from .words import COUNTERS, counts_of
from .work import Column

BOOSTERS = {*wrapped.CLASSIFIERS, *wrapped.REGRESSORS}


def columns_of(estimators: list[Fitted]) -> list[Column]:
    """What it was trained with: names where a table with names was given, else x0, x1, … as scikit-learn calls them."""
    first = next(each_in(estimators))
    if first.name in BOOSTERS:
        b = wrapped.booster_of(first)
        return [Column(name, list(b.texts.get(i, []))) for i, name in enumerate(b.names)]
    if first.name in COUNTERS:
        return [Column("text", counts=counts_of(first))]
    names = _first(first, "feature_names_in_")
    if names is not None:
        _no_counts(first)
        return [Column(str(name)) for name in listed(names)]
    count = _first(first, "n_features_in_")
    if not isinstance(count, int):
        count = _counted(first)
    return [Column(f"x{i}") for i in range(fitting(count))]


def _first(e: Fitted, key: str) -> Any:
    """An attribute, or that of the first estimator inside."""
    for _ in range(20):
        if e.has(key):
            return e.get(key)
        inner = [e.get(name) for name in ("best_estimator_", "estimator_", "regressor_", "estimator", "base_estimator")]
        lists = [e.get(name) for name in ("steps", "estimators_", "transformer_list")]
        inside = next((one for one in inner if isinstance(one, Opaque)), None)
        if inside is None:
            row = next((listed(one) for one in lists if one is not None), None)
            if not row:
                return None
            inside = row[0][1] if isinstance(row[0], tuple) and len(row[0]) == 2 else row[0]
        if not isinstance(inside, Opaque):
            return None
        e = Fitted.of(inside)
    return None


def _counted(e: Fitted) -> int:
    for key in ("coef_", "cluster_centers_", "components_", "theta_", "mean_", "scale_", "X_thresholds_"):
        found = e.get(key)
        if isinstance(found, np.ndarray) and found.ndim:
            return 1 if key == "X_thresholds_" else int(found.shape[-1])
    if not any(e.name in table for table in (RULES.transforms, RULES.classifiers, RULES.regressors, RULES.clusters)):
        raise unknown(e.name)
    _no_counts(e)
    if e.name.startswith("Dummy"):
        raise refused(
            f"its {e.name} (scikit-learn {e.version}) does not say how many columns it takes",
            f"其中的 {e.name}（scikit-learn {e.version}）没有说明输入的列数",
        )
    raise garbled(f"{e.name} does not say how many columns it takes", f"{e.name} 没有说明输入的列数")


def _no_counts(e: Fitted) -> None:
    """UnsupportedCheckpoint where texts are counted behind the first step."""
    if any(one.name.rpartition(".")[2] in COUNTERS for one in records(e.record)):
        raise refused(
            f"texts are counted inside its {e.name}, and not as the first step",
            f"文本在 {e.name} 里面而不是第一步计数",
            "Begin the pipeline with CountVectorizer or TfidfVectorizer itself",
            "请让流水线直接以 CountVectorizer 或 TfidfVectorizer 开头",
        )  # fmt: skip


def note_idle(columns: list[Column], graph: Graph) -> None:
    """Columns that are dropped before anything is made of them: a name, a number of the row, as tables have them."""
    (given,) = graph.inputs
    if any(one.counts for one in columns):
        return
    asked, same = set(), {given.name}
    for node in graph.nodes:
        if not same.intersection(node.inputs):
            continue
        if node.op == "Cast":
            same.update(node.outputs)
        elif node.op == "Gather" and node.attrs.get("axis") == 1 and node.inputs[1] in graph.constants:
            asked.update(np.ravel(graph.constants[node.inputs[1]].load()).tolist())
        else:
            return
    for i, one in enumerate(columns):
        one.idle = i not in asked


def described(columns: list[Column]) -> list[dict[str, Any]]:
    """As a card has them."""
    found = []
    for one in columns:
        entry: dict[str, Any] = {"name": one.name}
        if one.texts or one.idle:  # of no texts that matter any is as good as another
            entry["texts"] = list(one.texts)
        if one.counts:
            entry["counts"] = one.counts
        if one.missing:
            entry["missing"] = True
        found.append(entry)
    return found
