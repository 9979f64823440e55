"""What chooses columns: by scores, by what an estimator thinks of them, by how much they vary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph.form import Array
from .fitted import Fitted
from .importance import importances
from .refuse import refused
from .scaling import chosen
from .work import Rows, Transform, Work


def _kept(w: Work, e: Fitted, x: Rows, mask: Array) -> Rows:
    if not mask.any():
        raise refused(f"its {e.name} keeps no column", f"其中的 {e.name} 没有保留任何列")
    return chosen(w, x, np.flatnonzero(mask).tolist())


# -- by scores: sklearn/feature_selection/_univariate_selection.py -----------------------------------------------------


def _scores(e: Fitted) -> Array:
    """NaN counts as the least."""
    scores = e.numbers("scores_", rank=1)
    return np.where(np.isnan(scores), np.finfo(scores.dtype).min, scores)


def _best(e: Fitted, k: object) -> Array:
    """SelectKBest: of equal scores the later columns stay."""
    scores = _scores(e)
    if k == "all":
        return np.ones(len(scores), bool)
    count = int(k) if isinstance(k, (int, float)) else -1
    if not 0 <= count <= len(scores):
        raise e.odd("k", k)
    mask = np.zeros(len(scores), bool)
    mask[np.argsort(scores, kind="mergesort")[len(scores) - count :]] = True
    return mask


def _share(e: Fitted, percentile: float) -> Array:
    """SelectPercentile: of those that stand on the limit, the first ones that there is still room for."""
    scores = _scores(e)
    if percentile in (0, 100):
        return np.full(len(scores), percentile == 100)
    limit = np.percentile(scores, 100 - percentile)
    mask: Array = np.asarray(scores > limit)
    ties = np.flatnonzero(scores == limit)
    if len(ties):
        mask[ties[: int(len(scores) * percentile / 100) - int(mask.sum())]] = True
    return mask


def _false_positives(e: Fitted, alpha: float) -> Array:
    return np.asarray(e.numbers("pvalues_", rank=1) < alpha)


def _false_discoveries(e: Fitted, alpha: float) -> Array:
    values = e.numbers("pvalues_", rank=1)
    ordered = np.sort(values)
    found = ordered[ordered <= alpha / len(values) * np.arange(1, len(values) + 1)]
    return np.asarray(values <= found.max()) if len(found) else np.zeros(len(values), bool)


def _any_error(e: Fitted, alpha: float) -> Array:
    values = e.numbers("pvalues_", rank=1)
    return np.asarray(values < alpha / len(values))


MODES: dict[str, Callable[[Fitted, float], Array]] = {
    "percentile": _share,
    "fpr": _false_positives,
    "fdr": _false_discoveries,
    "fwe": _any_error,
}


def _univariate(e: Fitted) -> Array:
    mode = e.one_of("mode", "percentile", "k_best", "fpr", "fdr", "fwe")
    if mode == "k_best":
        return _best(e, e.get("param", 1e-5))
    found: Array = MODES[mode](e, e.number("param", 1e-5))
    return found


# -- by an estimator: sklearn/feature_selection/_from_model.py ---------------------------------------------------------


def _from_model(e: Fitted) -> Array:
    inner = e.inner("estimator" if e.flag("prefit") and not e.has("estimator_") else "estimator_")
    e.one_of("importance_getter", "auto", "coef_", "feature_importances_")
    scores = _importance(inner, e.number("norm_order", 1))
    mask = np.ones(len(scores), bool)
    if e.has("max_features"):
        mask[np.argsort(-scores, kind="mergesort")[e.whole("max_features_", e.get("max_features")) :]] = False
    mask[scores < _limit(e, inner, scores)] = False
    return mask


def _importance(e: Fitted, order: float) -> Array:
    if e.has("coef_"):
        found = e.numbers("coef_")
        return np.abs(found) if found.ndim == 1 else np.asarray(np.linalg.norm(found, axis=0, ord=order))
    return importances(e)


def _limit(e: Fitted, inner: Fitted, scores: Array) -> float:
    given = e.get("threshold")
    if given is None:
        elastic = "ElasticNet" in inner.name and inner.get("l1_ratio_", inner.get("l1_ratio")) == 1.0
        first = inner.text("penalty") == "l1" or "Lasso" in inner.name or elastic
        return 1e-5 if first else float(scores.mean())
    if not isinstance(given, str):
        return e.number("threshold")
    factor, star, word = given.partition("*")
    factor, word = (factor, word) if star else ("1", given)
    try:
        return float(factor) * float({"mean": scores.mean(), "median": np.median(scores)}[word.strip()])
    except (KeyError, ValueError):
        raise e.odd("threshold", given) from None


def _by_scores(w: Work, e: Fitted, x: Rows) -> Rows:
    return _kept(w, e, x, MASKS[e.name](e))


MASKS: dict[str, Callable[[Fitted], Array]] = {
    "SelectKBest": lambda e: _best(e, e.get("k", 10)),
    "SelectPercentile": lambda e: _share(e, e.number("percentile", 10)),
    "SelectFpr": lambda e: _false_positives(e, e.number("alpha", 0.05)),
    "SelectFdr": lambda e: _false_discoveries(e, e.number("alpha", 0.05)),
    "SelectFwe": lambda e: _any_error(e, e.number("alpha", 0.05)),
    "GenericUnivariateSelect": _univariate,
    "SelectFromModel": _from_model,
    "VarianceThreshold": lambda e: np.asarray(e.numbers("variances_", rank=1) > e.number("threshold", 0.0)),
    **dict.fromkeys(
        ("RFE", "RFECV", "SequentialFeatureSelector"), lambda e: np.asarray(e.numbers("support_", rank=1) != 0)
    ),
}
TRANSFORMS: dict[str, Transform] = dict.fromkeys(MASKS, _by_scores)
