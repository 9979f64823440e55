"""Kernels between rows, and what is a sum of them: KernelRidge, KernelPCA, Nystroem, LabelPropagation.

sklearn/metrics/pairwise.py: pairwise_kernels
"""

from __future__ import annotations

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted
from .points import nearest
from .refuse import refused
from .scaling import made
from .work import Answer, Classifier, Rows, Transform, Work, once

MOST_CELLS = 1 << 24
KERNELS = ("linear", "rbf", "poly", "polynomial", "sigmoid", "cosine", "laplacian")


def kernel(w: Work, e: Fitted, x: Rows, points: Array, way: str, gamma: float | None) -> Value:
    """(N, C) and (M, C) -> (N, M); gamma None: 1 / C."""
    if points.ndim != 2 or points.shape[1] != x.width:
        raise misfit(points.shape[-1], x.width)
    if points.size > MOST_CELLS:
        raise refused(f"its {e.name} keeps {points.size} numbers", f"其中的 {e.name} 保存了 {points.size} 个数")
    if way not in KERNELS:
        raise refused(
            f"its {e.name} has the kernel {way[:40]!r}; known here: {', '.join(KERNELS)}",
            f"其中的 {e.name} 的核函数是 {way[:40]!r}，支持 {'、'.join(KERNELS)}",
        )
    gamma = 1.0 / x.width if gamma is None else gamma
    if way == "rbf":
        return w.exp(w.mul(w.distances(x.value, points), -gamma))
    if way == "laplacian":
        away = w.sum(w.op("Abs", w.sub(w.wider(x.value, 1), points)), 2, keep=False)
        return w.exp(w.mul(away, -gamma))
    if way == "cosine":
        return w.cosines(x.value, points)
    product = w.matmul(x.value, np.ascontiguousarray(points.T))
    if way == "linear":
        return product
    product = w.add(w.mul(product, gamma), e.number("coef0", 1) if e.has("coef0") else 1.0)
    return w.op("Tanh", product) if way == "sigmoid" else w.op("Pow", product, _degree(e))


def _degree(e: Fitted) -> float:
    return e.number("degree", 3) if e.has("degree") else 3.0


def _gamma(e: Fitted, *keys: str) -> float | None:
    return next((e.number(key) for key in keys if e.has(key)), None)


def _ridge(w: Work, e: Fitted, x: Rows) -> Value:
    found = kernel(w, e, x, e.numbers("X_fit_", rank=2), e.text("kernel", "linear"), _gamma(e, "gamma"))
    weights = e.numbers("dual_coef_")
    return w.matmul(found, weights.reshape(len(weights), -1))


def _components(w: Work, e: Fitted, x: Rows) -> Rows:
    """KernelPCA: centred as in training, then along its directions."""
    points = e.numbers("X_fit_", rank=2)
    found = kernel(w, e, x, points, e.text("kernel", "linear"), _gamma(e, "gamma_", "gamma"))
    centre = e.inner("_centerer")
    rows, whole = centre.numbers("K_fit_rows_", rank=1), centre.numbers("K_fit_all_")
    own = w.div(w.sum(found), float(len(rows)))
    found = w.add(w.sub(w.sub(found, rows[None]), own), float(whole))
    values = e.numbers("eigenvalues_", "lambdas_", rank=1)
    turn = e.numbers("eigenvectors_", "alphas_", rank=2)
    scaled = np.divide(turn, np.sqrt(values), out=np.zeros_like(turn), where=values > 0)
    return made(w.matmul(found, scaled))


def _sampled(w: Work, e: Fitted, x: Rows) -> Rows:
    """Nystroem."""
    if e.get("kernel_params"):
        raise refused(f"its {e.name} has kernel_params", f"其中的 {e.name} 设置了 kernel_params")
    found = kernel(w, e, x, e.numbers("components_", rank=2), e.text("kernel", "rbf"), _gamma(e, "gamma"))
    return made(w.matmul(found, np.ascontiguousarray(e.numbers("normalization_", rank=2).T)))


@once
def _spread(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K): how much each class weighs among the rows of the training, by a kernel or among the nearest."""
    shares = e.numbers("label_distributions_", rank=2)
    if e.one_of("kernel", "rbf", "knn") == "rbf":
        found = kernel(w, e, x, e.numbers("X_", rank=2), "rbf", e.number("gamma", 20))
        return w.matmul(found, shares)
    places, _ = nearest(w, e.inner("nn_fit"), x)
    return w.sum(w.take(shares, places), 1, keep=False)


def _spread_proba(w: Work, e: Fitted, x: Rows) -> Value:
    return w.shares(_spread(w, e, x))


TRANSFORMS: dict[str, Transform] = {"KernelPCA": _components, "Nystroem": _sampled}
REGRESSORS: dict[str, Answer] = {"KernelRidge": _ridge}
CLASSIFIERS: dict[str, Classifier] = dict.fromkeys(
    ("LabelPropagation", "LabelSpreading"), Classifier(proba=_spread_proba)
)
