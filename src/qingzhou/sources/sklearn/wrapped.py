"""The wrappers of XGBoost, LightGBM and CatBoost in scikit-learn's manner: pickled, or made of their own files."""

from __future__ import annotations

import numpy as np

from ...files.types import Opaque
from ...graph.form import Value
from .arithmetic import width
from .boosters import KEY, LINKS, Booster, raw
from .fitted import Fitted
from .lightgbm_file import of_text
from .refuse import garbled, refused
from .work import Answer, Classifier, Rows, Work, once
from .xgboost_file import of_handle


def booster_of(e: Fitted) -> Booster:
    """Of a file, or of a wrapper of scikit-learn's."""
    found = e.get(KEY)
    if isinstance(found, Booster):
        return found
    inner = e.get("_Booster")
    state = inner.state if isinstance(inner, Opaque) and isinstance(inner.state, dict) else {}
    handle = state.get("handle", state.get("_handle"))  # LightGBM since 4
    if isinstance(handle, bytes):
        return of_handle(handle, e)
    if isinstance(handle, str):
        return of_text(handle, e, int(state.get("best_iteration") or 0))
    if e.name.startswith("CatBoost"):
        raise refused(
            "CatBoost keeps its trees in a form of its own inside such a file",
            "CatBoost 在这种文件里用自己的格式保存决策树",
            "Save them as text: model.save_model('model.json', format='json')",
            "请保存为文本：model.save_model('model.json', format='json')",
        )
    raise garbled(f"{e.name} has no trees, so it was not trained", f"{e.name} 没有决策树，可能还没有训练")


def _emptied(w: Work, e: Fitted, x: Rows) -> Rows:
    """XGBoost's missing=: a number that stands for an empty cell."""
    mark = e.get("missing")
    if not isinstance(mark, (int, float)) or mark != mark or not e.name.startswith("XGB"):
        return x
    w.may_be_empty(x)
    return Rows(w.where(w.op("Equal", x.value, float(np.float32(mark))), float("nan"), x.value), x.origin)


@once
def _answer(w: Work, e: Fitted, x: Rows) -> Value:
    """The sum with its link, in the precision that it has there."""
    b = booster_of(e)
    return LINKS[b.link](w, raw(w, b, _emptied(w, e, x)))


def _proba(w: Work, e: Fitted, x: Rows) -> Value:
    found = _answer(w, e, x)
    if width(found) == 1:
        found = w.concat([w.sub(1.0, found), found])
    return w.cast(found, "float64")


def _label(w: Work, e: Fitted, x: Rows) -> Value:
    """Of two classes the second where its probability is above one half, in the precision that it has there."""
    found = _answer(w, e, x)
    if width(found) != 1:
        return w.argmax(found)
    return w.flat(w.cast(w.op("Greater", found, 0.5), "int64"))


def _values(w: Work, e: Fitted, x: Rows) -> Value:
    return w.cast(_answer(w, e, x), "float64")


WRAPPERS = ("XGB", "XGBRF", "LGBM", "CatBoost")
CLASSIFIERS: dict[str, Classifier] = {f"{one}Classifier": Classifier(None, _proba, _label) for one in WRAPPERS}
REGRESSORS: dict[str, Answer] = {f"{one}Regressor": _values for one in WRAPPERS}
REGRESSORS |= dict.fromkeys(("XGBRanker", "LGBMRanker"), _values)
