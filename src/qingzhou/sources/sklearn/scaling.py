"""Transformers of numbers: scalers, imputers, polynomials, projections, and what chooses columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted, listed
from .refuse import refused
from .work import Rows, Transform, Work


def made(value: Value) -> Rows:
    """Rows that are no columns of the input any more."""
    size = value.shape[1]
    assert isinstance(size, int)
    return Rows(value, (None,) * size)


def chosen(w: Work, x: Rows, places: Sequence[int]) -> Rows:
    """Some of the columns, in this order."""
    if not places or max(places) >= x.width or min(places) < -x.width:
        raise misfit(max(places, default=0) + 1, x.width)
    front = [place % x.width for place in places]
    return Rows(w.columns_of(x.value, front), tuple(x.origin[place] for place in front))


def _fitting(e: Fitted, key: str, x: Rows) -> Array:
    found = e.numbers(key)
    if found.ndim and found.shape[-1] not in (1, x.width):
        raise misfit(found.shape[-1], x.width)
    return found


def _standard(w: Work, e: Fitted, x: Rows) -> Rows:
    value = x.value
    if e.flag("with_mean", True) and e.has("mean_"):
        value = w.sub(value, _fitting(e, "mean_", x))
    if e.flag("with_std", True) and e.has("scale_"):
        value = w.div(value, _fitting(e, "scale_", x))
    return made(value)


def _min_max(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.add(w.mul(x.value, _fitting(e, "scale_", x)), _fitting(e, "min_", x))
    if e.flag("clip"):
        least, most = listed(e.need("feature_range"))
        value = w.op("Min", w.op("Max", value, float(least)), float(most))
    return made(value)


def _max_abs(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.div(x.value, _fitting(e, "scale_", x))
    return made(w.op("Min", w.op("Max", value, -1.0), 1.0) if e.flag("clip") else value)


def _robust(w: Work, e: Fitted, x: Rows) -> Rows:
    value = x.value
    if e.flag("with_centering", True):
        value = w.sub(value, _fitting(e, "center_", x))
    if e.flag("with_scaling", True):
        value = w.div(value, _fitting(e, "scale_", x))
    return made(value)


def _normalised(w: Work, e: Fitted, x: Rows) -> Rows:
    norm = e.one_of("norm", "l2", "l1", "max")
    size = w.op("Abs", x.value) if norm != "l2" else w.mul(x.value, x.value)
    length = w.max(size) if norm == "max" else w.sum(size)
    length = w.op("Sqrt", length) if norm == "l2" else length
    return made(w.div(x.value, w.where(w.op("Equal", length, 0.0), 1.0, length)))


def _binary(w: Work, e: Fitted, x: Rows) -> Rows:
    return made(w.cast(w.op("Greater", x.value, e.number("threshold", 0.0)), "float64"))


def _polynomials(w: Work, e: Fitted, x: Rows) -> Rows:
    """Products of columns in the order of itertools: sklearn/preprocessing/_polynomial.py."""
    degree = e.get("degree", 2)
    low, high = degree if isinstance(degree, (tuple, list)) and len(degree) == 2 else (0, degree)
    low, high = e.whole("_min_degree", low), e.whole("_max_degree", high)
    high = min(high, x.width) if e.flag("interaction_only") else high
    pick = itertools.combinations if e.flag("interaction_only") else itertools.combinations_with_replacement
    found: dict[tuple[int, ...], Value] = {}
    parts = []
    if e.flag("include_bias", True):
        parts.append(w.add(w.mul(w.columns_of(x.value, [0]), 0.0), 1.0))
    for size in range(1, high + 1):
        for places in pick(range(x.width), size):
            if len(found) > 10_000:
                raise refused(f"its {e.name} makes more than 10000 columns", f"其中的 {e.name} 生成的列超过 10000 个")
            last = w.columns_of(x.value, [places[-1]])
            found[places] = last if size == 1 else w.mul(found[places[:-1]], last)
            parts += [found[places]] if size >= max(low, 1) else []
    return made(w.concat(parts))


# -- projections -----------------------------------------------------------------------------------------------------


def _principal(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.linear(w.sub(x.value, _fitting(e, "mean_", x)), e.numbers("components_", rank=2), 0.0)
    if e.flag("whiten"):
        spread = np.sqrt(e.numbers("explained_variance_", rank=1))
        value = w.div(value, np.maximum(spread, np.finfo(np.float64).eps))
    return made(value)


def _singular(w: Work, e: Fitted, x: Rows) -> Rows:
    return made(w.linear(x.value, e.numbers("components_", rank=2), 0.0))


def _independent(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.sub(x.value, _fitting(e, "mean_", x)) if e.get("whiten", True) and e.has("mean_") else x.value
    return made(w.linear(value, e.numbers("components_", rank=2), 0.0))


def _discriminant(w: Work, e: Fitted, x: Rows) -> Rows:
    """LinearDiscriminantAnalysis.transform()."""
    if e.text("solver", "svd") == "lsqr":
        raise refused(
            "its LinearDiscriminantAnalysis has solver='lsqr', which cannot transform", "solver='lsqr' 不能变换数据"
        )
    turn, most = e.numbers("scalings_", rank=2), e.whole("_max_components")
    value = w.sub(x.value, _fitting(e, "xbar_", x)) if e.text("solver", "svd") == "svd" else x.value
    return made(w.linear(value, turn.T[:most], 0.0))


# -- choosing columns ------------------------------------------------------------------------------------------------


def _best(w: Work, e: Fitted, x: Rows) -> Rows:
    """SelectKBest: of equal scores the later columns stay, NaN counts as the least."""
    scores, k = e.numbers("scores_", rank=1), e.get("k", 10)
    if k == "all":
        return x
    scores = np.where(np.isnan(scores), np.finfo(scores.dtype).min, scores)
    kept = np.argsort(scores, kind="mergesort")[len(scores) - e.whole("k", 10) :]
    return chosen(w, x, sorted(kept.tolist()))


def _varied(w: Work, e: Fitted, x: Rows) -> Rows:
    kept = np.flatnonzero(e.numbers("variances_", rank=1) > e.number("threshold", 0.0))
    return chosen(w, x, kept.tolist())


def _supported(w: Work, e: Fitted, x: Rows) -> Rows:
    """RFE and RFECV: what stayed is said as truths."""
    return chosen(w, x, np.flatnonzero(e.numbers("support_", rank=1)).tolist())


# -- empty cells -----------------------------------------------------------------------------------------------------


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


def _cell_by_cell(rule: Callable[[Work, Fitted, Rows], Rows]) -> Callable[[Work, Fitted, Rows], Rows]:
    """What leaves an empty cell empty, so that a step behind it that takes such cells lets them into the table."""

    def scaled(w: Work, e: Fitted, x: Rows) -> Rows:
        found = rule(w, e, x)
        if found.value is not x.value:
            w.scaled[found.value.name] = x
        return found

    return scaled


_LINES: dict[str, Callable[[Work, Fitted, Rows], Rows]] = {
    "StandardScaler": _cell_by_cell(_standard),
    "MinMaxScaler": _cell_by_cell(_min_max),
    "MaxAbsScaler": _cell_by_cell(_max_abs),
    "RobustScaler": _cell_by_cell(_robust),
    "Normalizer": _normalised,
    "Binarizer": _binary,
    "PolynomialFeatures": _polynomials,
    "PCA": _principal,
    "IncrementalPCA": _principal,
    "TruncatedSVD": _singular,
    "FastICA": _independent,
    "LinearDiscriminantAnalysis": _discriminant,
    "SelectKBest": _best,
    "VarianceThreshold": _varied,
    "RFE": _supported,
    "RFECV": _supported,
    "SimpleImputer": _imputed,
}
TRANSFORMS: dict[str, Transform] = dict(_LINES)
