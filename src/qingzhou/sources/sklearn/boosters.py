"""Boosted trees of XGBoost, LightGBM and CatBoost: what their files say, in one form, and what it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .refuse import garbled, refused
from .trees import Trees, said, summed
from .work import Rows, Work

KEY = "booster"  # where a file without a wrapper of scikit-learn's has its booster, read already


@dataclass(frozen=True)
class Booster:
    """trees     of each group one table, and what its leaves say (M)
    start     (K) before the first tree;  link: what is done to the sum, see LINKS
    scale     what the sum is multiplied by;  single: sums are of float32, as XGBoost's are
    names     of the columns;  texts: column -> what it may hold, in the order of its numbers
    classes   what they are called; [] of regressors
    """

    trees: list[Trees]
    leaves: list[Array]
    start: Array
    link: str
    names: list[str]
    scale: float = 1.0
    single: bool = False
    classes: list[str] = field(default_factory=list)
    texts: dict[int, list[str]] = field(default_factory=dict)


def _signed_square(w: Work, x: Value) -> Value:
    return w.mul(x, w.op("Abs", x))


LINKS: dict[str, Callable[[Work, Value], Value]] = {
    "identity": lambda w, x: x,
    "exp": lambda w, x: w.exp(x),
    "sigmoid": lambda w, x: w.sigmoid(x),
    "softmax": lambda w, x: w.softmax(x),
    "square": _signed_square,
    "step": lambda w, x: w.cast(w.op("Greater", x, 0.0), x.dtype),
}


def raw(w: Work, b: Booster, x: Rows) -> Value:
    """(N, K) the sums."""
    value = w.narrow.get(x.value.name, x.value)
    value = w.cast(value, "float32") if b.single else value
    w.may_be_empty(x)
    dtype = "float32" if b.single else "float64"
    parts = [
        summed(w, said(w, trees, value, leaves[:, None], dtype), b.start[k : k + 1])
        for k, (trees, leaves) in enumerate(zip(b.trees, b.leaves, strict=True))
    ]
    found = w.concat(parts)
    return found if b.scale == 1 else w.mul(found, b.scale)


def record(tool: str, kind: str, booster: Booster) -> Opaque:
    """A file's booster as its wrapper would be saved: kind "Classifier" or "Regressor"."""
    module, name = {"XGBoost": ("xgboost.sklearn", "XGB"), "LightGBM": ("lightgbm.sklearn", "LGBM")}.get(
        tool, ("catboost.core", "CatBoost")
    )
    return Opaque(f"{module}.{name}{kind}", state={KEY: booster, "classes_": np.array(booster.classes, str)})


def unknown_objective(found: object, tool: str) -> Exception:
    """What it was trained for is none that is known."""
    return refused(
        f"its objective {str(found)[:60]!r} of {tool} is not known here", f"不支持 {tool} 的目标 {str(found)[:60]!r}"
    )


def as_array(found: object, what: str) -> Array:
    """A list of numbers in a file; CheckpointDamaged."""
    try:
        array = np.asarray(found, np.float64)
    except (ValueError, TypeError):
        raise garbled(f"{what} is no list of numbers", f"{what} 不是数字列表") from None
    if array.ndim != 1:
        raise garbled(f"{what} is no list of numbers", f"{what} 不是数字列表")
    return array
