"""Empty cells filled: SimpleImputer, KNNImputer, and columns that say where they were."""

from __future__ import annotations

import numpy as np

from ...errors import say
from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted, listed
from .refuse import refused
from .scaling import chosen
from .work import Rows, Transform, Work

MOST_CELLS = 1 << 22  # numbers that a KNNImputer keeps


def _imputed(w: Work, e: Fitted, x: Rows) -> Rows:
    """SimpleImputer: a column that was empty in training has NaN there, and is left out unless it is to stay."""
    missing = e.get("missing_values", float("nan"))
    if isinstance(missing, float) and missing != missing:
        missing = None
    elif not isinstance(missing, (int, float)):
        raise refused(
            f"its {e.name} takes {str(missing)[:20]!r} for missing",
            f"其中的 {e.name} 把 {str(missing)[:20]!r} 当作缺失值",
        )
    fills = e.need("statistics_")
    texts = not (isinstance(fills, np.ndarray) and fills.dtype.kind == "f")
    items = listed(fills)
    if len(items) != x.width:
        raise misfit(len(items), x.width)
    if texts and any(isinstance(one, str) for one in items):
        numbers = [w.code(x, i, one) for i, one in enumerate(items)]
        kept = list(range(x.width))
    else:
        numbers = [float(one) if isinstance(one, (int, float)) else float("nan") for one in items]
        kept = [i for i, one in enumerate(numbers) if one == one or e.flag("keep_empty_features")]
    rows = chosen(w, x, kept)
    w.may_be_empty(x)
    empty = w.is_empty(rows.value) if missing is None else w.op("Equal", rows.value, float(missing))
    fill = np.nan_to_num(np.array([numbers[i] for i in kept]))
    filled = Rows(w.where(empty, fill, rows.value), rows.origin if texts else (None,) * len(kept))
    if not e.flag("add_indicator"):
        return filled
    return Rows(w.concat([filled.value, _indicated(w, e, x)]), (*filled.origin, *[None] * _indicators(e)))


def _indicators(e: Fitted) -> int:
    return len(listed(e.inner("indicator_").need("features_")))


def _indicated(w: Work, e: Fitted, x: Rows) -> Value:
    """1 where it is empty, of the columns that had such cells in training."""
    places = [int(i) for i in listed(e.inner("indicator_").need("features_"))]
    return w.cast(w.is_empty(chosen(w, x, places).value), "float64")


def _indicator(w: Work, e: Fitted, x: Rows) -> Rows:
    """MissingIndicator alone."""
    if not _is_nan(e.get("missing_values", float("nan"))):
        raise refused(f"its {e.name} takes a number for missing", f"其中的 {e.name} 把一个数字当作缺失值")
    places = [int(i) for i in listed(e.need("features_"))]
    w.may_be_empty(x)
    value = w.cast(w.is_empty(chosen(w, x, places).value), "float64")
    return Rows(value, (None,) * len(places))


def _is_nan(value: object) -> bool:
    return value is None or (isinstance(value, float) and value != value)


# -- by the nearest rows: sklearn/impute/_knn.py -----------------------------------------------------------------------


def _from_neighbours(w: Work, e: Fitted, x: Rows) -> Rows:
    """Of each empty cell the mean of the nearest rows that have it; where none can be measured, the column's mean."""
    if not _is_nan(e.get("missing_values", float("nan"))) or e.text("metric", "nan_euclidean") != "nan_euclidean":
        raise refused(f"its {e.name} measures in a way of its own", f"其中的 {e.name} 使用了其他的距离或缺失标记")
    rows = e.numbers("_fit_X", rank=2)
    if rows.shape[1] != x.width:
        raise misfit(rows.shape[1], x.width)
    if e.text("weights", "uniform") == "distance":
        w.notes.append(
            say(
                en="KNNImputer(weights='distance'): for a row that equals one of the training, the original weighs by "
                "its own rounding errors, and may fill in another number.",
                zh="KNNImputer(weights='distance')：当某行与训练数据中的一行相同时，原模型按其舍入误差加权，填入的数可能不同。",
            )
        )
    if rows.size > MOST_CELLS:
        raise refused(f"its {e.name} keeps {rows.size} cells", f"其中的 {e.name} 保存了 {rows.size} 个单元格")
    w.may_be_empty(x)
    empty, there = w.is_empty(x.value), ~np.isnan(rows)
    away, known = _away(w, w.where(empty, 0.0, x.value), w.sub(1.0, w.cast(empty, "float64")), rows, there)
    kept = np.flatnonzero(there.any(axis=0)) if not e.flag("keep_empty_features") else np.arange(x.width)
    parts = []
    for place in kept.tolist():
        column = w.columns_of(x.value, [place])
        filled: float | Value = _filled(w, e, away, known, rows[:, place]) if there[:, place].any() else 0.0
        parts.append(w.where(w.columns_of(empty, [place]), filled, column))
    found = Rows(w.concat(parts), (None,) * len(parts))
    if not e.flag("add_indicator"):
        return found
    return Rows(w.concat([found.value, _indicated(w, e, x)]), (None,) * (found.width + _indicators(e)))


def _away(w: Work, value: Value, has: Value, rows: Array, there: Array) -> tuple[Value, Value]:
    """(N, M) distances over the columns that both have, made larger by those that one has not; and whether any is."""
    total: Value | None = None
    for place in range(rows.shape[1]):
        part = w.sub(w.columns_of(value, [place]), np.nan_to_num(rows[:, place])[None])
        both = w.mul(w.columns_of(has, [place]), there[:, place].astype(np.float64)[None])
        part = w.mul(w.mul(part, part), both)
        total = part if total is None else w.add(total, part)
    assert total is not None
    common = w.matmul(has, np.ascontiguousarray(there.T.astype(np.float64)))
    known = w.op("Greater", common, 0.0)
    return w.op("Sqrt", w.mul(w.div(total, w.op("Max", common, 1.0)), float(rows.shape[1]))), known


def _filled(w: Work, e: Fitted, away: Value, known: Value, answers: Array) -> Value:
    """(N, 1): the mean of the nearest rows that have the column."""
    donors = np.flatnonzero(~np.isnan(answers))
    count = min(e.whole("n_neighbors", 5), len(donors))
    own, seen = w.columns_of(away, donors.tolist()), w.columns_of(known, donors.tolist())
    near, places = w.net.emits("TopK", [w.where(seen, own, 1e300), w.net.whole(count)], 2, axis=1, largest=0, sorted=1)
    real = w.cast(w.op("Less", near, 1e300), "float64")
    if e.one_of("weights", "uniform", "distance") == "distance":
        same = w.op("Equal", near, 0.0)
        ones = w.cast(same, "float64")
        weights = w.where(w.op("Greater", w.sum(ones), 0.0), ones, w.div(real, w.where(same, 1.0, near)))
    else:
        weights = real
    total = w.sum(weights)
    none = w.op("Equal", total, 0.0)
    mean = w.div(w.sum(w.mul(w.take(answers[donors], places), weights)), w.where(none, 1.0, total))
    return w.where(none, float(answers[donors].mean()), mean)


TRANSFORMS: dict[str, Transform] = {
    "SimpleImputer": _imputed,
    "KNNImputer": _from_neighbours,
    "MissingIndicator": _indicator,
}
