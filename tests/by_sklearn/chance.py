"""Run where scikit-learn is: what of an answer rests on the last place of a number, which no two computers have alike.

It is reckoned from the original's own estimators, and narrow: every other row has to agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.multiclass import _predict_binary

EVEN = 1e-12  # of the squared distance: a product of matrices is exact to about 1e-15, in an order that is BLAS's own
PLACES = 8  # units in the last place: two libraries' exp and log differ by one or two


def of(model: Any, x: Any) -> dict[str, Any]:
    """`near`: (N, K) bool, the classes that are equally right; `slack`: (N,) by how much a probability may move."""
    if type(model).__name__ == "OutputCodeClassifier":
        return {"near": _near(model, x)}
    folds = getattr(model, "calibrated_classifiers_", [])
    if folds and all(type(line).__name__ == "IsotonicRegression" for fold in folds for line in fold.calibrators):
        return {"slack": np.mean([_slack(fold, x) for fold in folds], axis=0)} if len(model.classes_) == 2 else {}
    return {}


def _near(model: Any, x: Any) -> Any:
    """The codes nearest to what all estimators say, of several as near all of them; exact to 1e-18."""
    said = np.array([_predict_binary(one, x) for one in model.estimators_], np.longdouble).T
    away = ((said[:, None] - model.code_book_[None]) ** 2).sum(-1)
    return away <= away.min(axis=1, keepdims=True) * (1 + EVEN)


def _slack(fold: Any, x: Any) -> Any:
    """How much the line moves with a score some units in the last place lower or higher: it may be as steep as 1e11."""
    inner = getattr(fold, "estimator", None) or fold.base_estimator
    score = inner.decision_function(x) if hasattr(inner, "decision_function") else inner.predict_proba(x)[:, 1]
    step = PLACES * np.spacing(score)
    low, middle, high = (fold.calibrators[0].predict(score + one) for one in (-step, 0.0, step))
    return np.maximum(high - middle, middle - low)
