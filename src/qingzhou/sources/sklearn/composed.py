"""Pipelines, and what sends columns to several transformers: ColumnTransformer, FeatureUnion."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...files.types import Opaque
from .fitted import Fitted, listed
from .refuse import garbled
from .scaling import chosen
from .work import Rows, Transform, Work, steps


def _piped(w: Work, e: Fitted, x: Rows) -> Rows:
    for one in steps(e):
        x = w.transform(one, x)
    return x


def beside(w: Work, parts: list[Rows]) -> Rows:
    """All their columns."""
    parts = [one for one in parts if one.width]
    if not parts:
        raise garbled("it leaves no column", "没有留下任何列")
    return Rows(w.concat([one.value for one in parts]), tuple(place for one in parts for place in one.origin))


def _sent(w: Work, e: Fitted, x: Rows) -> Rows:
    """ColumnTransformer: in the order of its transformers, what remains last."""
    known = e.get("_transformer_to_input_indices")
    parts = []
    for item in listed(e.need("transformers_")):
        if not isinstance(item, tuple) or len(item) != 3:
            raise e.odd("transformers_", item)
        name, one, selector = item
        if isinstance(one, str) and one == "drop":
            continue
        given = known.get(name) if isinstance(known, dict) else None
        places = [int(i) for i in listed(given)] if isinstance(given, (list, np.ndarray)) else selected(e, selector, x)
        if not places:
            continue
        some = chosen(w, x, places)
        parts.append(_weighed(w, e, name, some if _does_nothing(one) else w.transform(Fitted.of(one), some)))
    return beside(w, parts)


def _weighed(w: Work, e: Fitted, name: Any, found: Rows) -> Rows:
    """Times what transformer_weights says of that part, if it does."""
    weights = e.get("transformer_weights")
    weight = weights.get(name) if isinstance(weights, dict) else None
    if weight is None:
        return found
    if not isinstance(weight, (int, float)):
        raise e.odd("transformer_weights", weight)
    return Rows(w.mul(found.value, float(weight)), (None,) * found.width)


def _does_nothing(one: Any) -> bool:
    """ "passthrough" is kept as that word, or as a FunctionTransformer without a function."""
    if isinstance(one, str):
        return one == "passthrough"
    return isinstance(one, Opaque) and one.name.endswith(".FunctionTransformer") and not Fitted(one).has("func")


def selected(e: Fitted, selector: Any, x: Rows) -> list[int]:
    """The places of columns that are named, numbered, between two or marked by truths."""
    if isinstance(selector, Opaque) and selector.name == "builtins.slice" and len(selector.args) == 3:
        start, stop, step = (one if one is None or isinstance(one, int) else _place(e, one) for one in selector.args)
        stop = stop + 1 if isinstance(selector.args[1], str) and stop is not None else stop  # names take in the last
        return list(range(x.width))[slice(start, stop, step)]
    if isinstance(selector, Opaque) and selector.items:  # a list of its own class
        selector = list(selector.items)
    found = [selector] if isinstance(selector, (str, int)) else listed(selector)
    if found and all(isinstance(one, bool) for one in found):
        return [i for i, one in enumerate(found) if one]
    return [_place(e, one) for one in found]


def _place(e: Fitted, one: Any) -> int:
    if isinstance(one, int):
        return one
    names = listed(e.need("feature_names_in_"))
    if one not in names:
        raise garbled(
            f"it asks for the column {str(one)[:40]}, which is not there", f"它需要的列 {str(one)[:40]} 不存在"
        )
    return names.index(one)


def _union(w: Work, e: Fitted, x: Rows) -> Rows:
    parts = []
    for item in listed(e.need("transformer_list")):
        if not isinstance(item, tuple) or len(item) != 2:
            raise e.odd("transformer_list", item)
        name, one = item
        if one == "drop":
            continue
        parts.append(_weighed(w, e, name, x if _does_nothing(one) else w.transform(Fitted.of(one), x)))
    return beside(w, parts)


TRANSFORMS: dict[str, Transform] = {
    "Pipeline": _piped,
    "ColumnTransformer": _sent,
    "FeatureUnion": _union,
}
