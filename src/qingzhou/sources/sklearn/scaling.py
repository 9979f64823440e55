"""Transformers of numbers, cell by cell or row by row: scalers, polynomials."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

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


def fitting_columns(e: Fitted, key: str, x: Rows) -> Array:
    """An attribute with a number for each column, or one for all."""
    found = e.numbers(key)
    if found.ndim and found.shape[-1] not in (1, x.width):
        raise misfit(found.shape[-1], x.width)
    return found


def standard(w: Work, e: Fitted, x: Rows) -> Rows:
    """StandardScaler."""
    value = x.value
    if e.flag("with_mean", True) and e.has("mean_"):
        value = w.sub(value, fitting_columns(e, "mean_", x))
    if e.flag("with_std", True) and e.has("scale_"):
        value = w.div(value, fitting_columns(e, "scale_", x))
    return made(value)


def _min_max(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.add(w.mul(x.value, fitting_columns(e, "scale_", x)), fitting_columns(e, "min_", x))
    if e.flag("clip"):
        least, most = listed(e.need("feature_range"))
        value = w.op("Min", w.op("Max", value, float(least)), float(most))
    return made(value)


def _max_abs(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.div(x.value, fitting_columns(e, "scale_", x))
    return made(w.op("Min", w.op("Max", value, -1.0), 1.0) if e.flag("clip") else value)


def _robust(w: Work, e: Fitted, x: Rows) -> Rows:
    value = x.value
    if e.flag("with_centering", True):
        value = w.sub(value, fitting_columns(e, "center_", x))
    if e.flag("with_scaling", True):
        value = w.div(value, fitting_columns(e, "scale_", x))
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


def _cell_by_cell(rule: Callable[[Work, Fitted, Rows], Rows]) -> Callable[[Work, Fitted, Rows], Rows]:
    """What leaves an empty cell empty, so that a step behind it that takes such cells lets them into the table."""

    def scaled(w: Work, e: Fitted, x: Rows) -> Rows:
        found = rule(w, e, x)
        if found.value is not x.value:
            w.scaled[found.value.name] = x
        return found

    return scaled


_LINES: dict[str, Callable[[Work, Fitted, Rows], Rows]] = {
    "StandardScaler": _cell_by_cell(standard),
    "MinMaxScaler": _cell_by_cell(_min_max),
    "MaxAbsScaler": _cell_by_cell(_max_abs),
    "RobustScaler": _cell_by_cell(_robust),
    "Normalizer": _normalised,
    "Binarizer": _binary,
    "PolynomialFeatures": _polynomials,
}
TRANSFORMS: dict[str, Transform] = dict(_LINES)
