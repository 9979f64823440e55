"""Rows turned and shortened: components, factors, random directions."""

from __future__ import annotations

import numpy as np

from .fitted import Fitted
from .refuse import refused
from .scaling import fitting_columns, made
from .work import Rows, Transform, Work


def _principal(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.linear(w.sub(x.value, fitting_columns(e, "mean_", x)), e.numbers("components_", rank=2), 0.0)
    if e.flag("whiten"):
        spread = np.sqrt(e.numbers("explained_variance_", rank=1))
        value = w.div(value, np.maximum(spread, np.finfo(np.float64).eps))
    return made(value)


def _singular(w: Work, e: Fitted, x: Rows) -> Rows:
    return made(w.linear(x.value, e.numbers("components_", rank=2), 0.0))


def _independent(w: Work, e: Fitted, x: Rows) -> Rows:
    value = w.sub(x.value, fitting_columns(e, "mean_", x)) if e.get("whiten", True) and e.has("mean_") else x.value
    return made(w.linear(value, e.numbers("components_", rank=2), 0.0))


def _discriminant(w: Work, e: Fitted, x: Rows) -> Rows:
    """LinearDiscriminantAnalysis.transform()."""
    if e.text("solver", "svd") == "lsqr":
        raise refused(
            "its LinearDiscriminantAnalysis has solver='lsqr', which cannot transform", "solver='lsqr' 不能变换数据"
        )
    turn, most = e.numbers("scalings_", rank=2), e.whole("_max_components")
    value = w.sub(x.value, fitting_columns(e, "xbar_", x)) if e.text("solver", "svd") == "svd" else x.value
    return made(w.linear(value, turn.T[:most], 0.0))


def _factors(w: Work, e: Fitted, x: Rows) -> Rows:
    """FactorAnalysis: what is to be expected of the factors (Barber 2012, 21.2.33)."""
    turn = e.numbers("components_", rank=2)
    scaled = turn / e.numbers("noise_variance_", rank=1)
    spread = np.linalg.inv(np.eye(len(turn)) + scaled @ turn.T)
    return made(w.linear(w.sub(x.value, fitting_columns(e, "mean_", x)), (scaled.T @ spread).T, 0.0))


def _ridged(w: Work, e: Fitted, x: Rows) -> Rows:
    """SparsePCA: a ridge regression on the components, which is one matrix."""
    turn = e.numbers("components_", rank=2)
    solved = np.linalg.solve(turn @ turn.T + e.number("ridge_alpha", 0.01) * np.eye(len(turn)), turn)
    return made(w.linear(w.sub(x.value, fitting_columns(e, "mean_", x)), solved, 0.0))


def _partial(w: Work, e: Fitted, x: Rows) -> Rows:
    """PLSRegression, PLSCanonical, CCA; PLSSVD turns by its weights."""
    value = w.div(w.sub(x.value, fitting_columns(e, "_x_mean", x)), fitting_columns(e, "_x_std", x))
    return made(w.linear(value, e.numbers("x_rotations_" if e.has("x_rotations_") else "x_weights_", rank=2).T, 0.0))


def _hidden(w: Work, e: Fitted, x: Rows) -> Rows:
    """BernoulliRBM: how likely each hidden unit is."""
    return made(w.sigmoid(w.linear(x.value, e.numbers("components_", rank=2), e.numbers("intercept_hidden_", rank=1))))


def _waves(w: Work, e: Fitted, x: Rows) -> Rows:
    """RBFSampler and SkewedChi2Sampler: cosines in random directions."""
    value = x.value
    if e.name == "SkewedChi2Sampler":
        value = w.op("Log", w.add(value, e.number("skewedness", 1.0)))
    turn, away = e.numbers("random_weights_", rank=2), e.numbers("random_offset_", rank=1)
    size = e.number("_n_components_out", None) if e.has("_n_components_out") else float(turn.shape[1])
    wave = w.op("Sin", w.linear(value, turn.T, away + np.pi / 2))  # a cosine; of float64 some engines have no other
    return made(w.mul(wave, float(np.sqrt(2.0) / np.sqrt(size))))


def _merged(w: Work, e: Fitted, x: Rows) -> Rows:
    """FeatureAgglomeration: the mean of each group of columns."""
    pool = e.get("pooling_func")
    if getattr(pool, "name", "numpy.mean") != "numpy.mean":
        raise refused(
            f"its {e.name} joins columns by {getattr(pool, 'name', '')[:40]}", f"{e.name} 的合并方式不是 numpy.mean"
        )
    groups = e.numbers("labels_", rank=1).astype(np.int64)
    if len(groups) != x.width or groups.min() < 0 or groups.max() >= x.width:
        raise e.odd("labels_", groups)
    table = np.eye(int(groups.max()) + 1)[groups]
    return made(w.linear(x.value, (table / table.sum(axis=0)).T, 0.0))


TRANSFORMS: dict[str, Transform] = {
    "PCA": _principal,
    "IncrementalPCA": _principal,
    **dict.fromkeys(("TruncatedSVD", "GaussianRandomProjection", "SparseRandomProjection"), _singular),
    "NeighborhoodComponentsAnalysis": _singular,
    "FastICA": _independent,
    "LinearDiscriminantAnalysis": _discriminant,
    "FactorAnalysis": _factors,
    **dict.fromkeys(("SparsePCA", "MiniBatchSparsePCA"), _ridged),
    **dict.fromkeys(("PLSRegression", "PLSCanonical", "CCA", "PLSSVD"), _partial),
    "BernoulliRBM": _hidden,
    **dict.fromkeys(("RBFSampler", "SkewedChi2Sampler"), _waves),
    "FeatureAgglomeration": _merged,
}
