"""Categories: of each column of texts or numbers, which of those it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...files.types import Opaque
from ...graph.form import Array, Value
from .arithmetic import misfit, width
from .fitted import Fitted, listed
from .refuse import garbled, refused
from .scaling import made
from .work import Rows, Transform, Work


def _categories(e: Fitted, x: Rows) -> list[list[Any]]:
    found = [listed(one) for one in listed(e.need("categories_"))]
    if len(found) != x.width:
        raise misfit(len(found), x.width)
    return found


def _missing(one: Any) -> bool:
    return (
        one is None
        or (isinstance(one, float) and one != one)
        or (isinstance(one, Opaque) and one.name.endswith("NAType"))
    )


def _codes(w: Work, x: Rows, place: int, categories: list[Any]) -> tuple[Value, Array]:
    """The column (N, 1), and the number of each category in it: itself, or its place among the column's texts. NaN of
    what is missing.
    """
    texts = any(isinstance(one, (str, bool)) for one in categories)
    if any(map(_missing, categories)):
        w.may_be_empty(Rows(x.value, (x.origin[place],)))
    numbers = []
    for one in categories:
        if _missing(one):
            numbers.append(float("nan"))
        elif texts:
            numbers.append(w.code(x, place, str(one)))
        elif isinstance(one, (int, float)):
            numbers.append(float(one))
        else:
            raise refused("one of its categories is neither a text nor a number", "有的类别既不是文本也不是数字")
    return w.columns_of(x.value, [place]), np.array(numbers)


def _same(w: Work, column: Value, numbers: Array) -> Value:
    """(N, 1) and (K) -> (N, K) truths, in float32 as the input has them; nothing equals NaN but what is missing."""
    narrow = w.narrow.get(column.name)
    given = numbers if narrow is None else numbers.astype(np.float32).astype(np.float64)
    found = w.op("Equal", column, np.nan_to_num(given, nan=-1e300)[None])
    empty = np.isnan(numbers)
    if not empty.any():
        return found
    return w.op("Or", found, w.op("And", w.is_empty(column), w.net.array(empty[None])))


def _rare(e: Fitted, place: int) -> Array | None:
    """Of each category its column, where rare ones share the last."""
    found = e.get("_default_to_infrequent_mappings")
    one = listed(found)[place] if found is not None else None
    if not isinstance(one, np.ndarray):
        return None
    if one.dtype.kind not in "iu" or not one.size or one.min() < 0 or one.max() >= one.size:
        raise garbled("its rare categories are numbered wrongly", "罕见类别的编号有误")
    return one.astype(np.int64)


def one_hot(w: Work, e: Fitted, x: Rows) -> Rows:
    """OneHotEncoder."""
    unknown = e.one_of("handle_unknown", "error", "ignore", "infrequent_if_exist", "warn")
    drops = e.get("_drop_idx_after_grouping", e.get("drop_idx_"))
    dropped = [None] * x.width if drops is None else listed(drops)
    parts = []
    for place, categories in enumerate(_categories(e, x)):
        column, numbers = _codes(w, x, place, categories)
        truths = w.cast(_same(w, column, numbers), "float64")
        rare = _rare(e, place)
        if rare is not None:
            truths = w.matmul(truths, np.eye(int(rare.max()) + 1)[rare])
            if unknown in ("infrequent_if_exist", "warn"):
                rest = w.sub(1.0, w.sum(truths))
                last = np.eye(int(rare.max()) + 1)[-1:]
                truths = w.add(truths, w.matmul(rest, last))
        left_out = dropped[place]
        kept = [i for i in range(width(truths)) if left_out is None or i != int(left_out)]
        if kept:
            parts.append(w.columns_of(truths, kept))
    if not parts:
        raise garbled("its encoder leaves no column", "编码器没有留下任何列")
    return made(w.concat(parts))


def _ordinal(w: Work, e: Fitted, x: Rows) -> Rows:
    """Places among the categories; what is unknown or missing as the settings say, else it is an error there."""
    way = e.one_of("handle_unknown", "error", "use_encoded_value")
    unknown = float(e.get("unknown_value")) if way == "use_encoded_value" and e.has("unknown_value") else float("nan")
    empty = e.get("encoded_missing_value", float("nan"))
    parts = []
    for place, categories in enumerate(_categories(e, x)):
        column, numbers = _codes(w, x, place, categories)
        rare = _rare(e, place)
        codes = np.arange(len(categories), dtype=np.float64) if rare is None else rare.astype(np.float64)
        codes = np.where(np.isnan(numbers), float(empty), codes)
        truths = _same(w, column, numbers)
        parts.append(_picked(w, truths, codes, unknown))
    return made(w.concat(parts))


def _picked(w: Work, truths: Value, codes: Array, other: float) -> Value:
    """(N, K) truths of which at most one -> (N, 1), its code; NaN cannot be summed, so it is looked up."""
    place = w.matmul(w.cast(truths, "float64"), np.arange(1.0, len(codes) + 1)[:, None])
    return w.take(np.array([other, *codes]), w.cast(place, "int64"))


def _target(w: Work, e: Fitted, x: Rows) -> Rows:
    """TargetEncoder: what each category means for the answer, or for each class; unknown ones the mean."""
    means = np.atleast_1d(e.numbers("target_mean_"))
    k = len(means) if e.text("target_type_", "continuous") == "multiclass" else 1
    tables, parts = listed(e.need("encodings_")), []
    if len(tables) != k * x.width:
        raise misfit(len(tables) // k, x.width)
    for place, categories in enumerate(_categories(e, x)):
        column, numbers = _codes(w, x, place, categories)
        truths = _same(w, column, numbers)
        for one in range(k):
            parts.append(_picked(w, truths, np.asarray(tables[place * k + one], np.float64), float(means[one])))
    return made(w.concat(parts))


RULES: dict[str, Callable[[Work, Fitted, Rows], Rows]] = {
    "OneHotEncoder": one_hot,
    "OrdinalEncoder": _ordinal,
    "TargetEncoder": _target,
}
TRANSFORMS: dict[str, Transform] = dict(RULES)
