"""Gaussian processes: a kernel of kernels between a row and those of the training (sklearn/gaussian_process)."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted
from .normal import erf
from .refuse import refused
from .work import Answer, Classifier, Rows, Work, once

MOST_CELLS = 1 << 22
MOST_KERNELS = 64

# Williams and Barber: the logistic function as a sum of five error functions (_gpc.py: LAMBDAS, COEFS)
STEEP = np.array([0.41, 0.4, 0.37, 0.44, 0.39])
SHARES = np.array([-1854.8214151, 3516.89893646, 221.29346712, 128.12323805, -2010.49422654])


def between(w: Work, k: Fitted, x: Rows, points: Array, left: int = MOST_KERNELS) -> Value | float:
    """(N, M): what the kernel says of rows and points, which are never the same rows; a number where it always is."""
    if left <= 0:
        raise refused("its kernel is made of too many", "它的核函数由太多部分组成")
    name = k.name
    if name in ("Sum", "Product"):
        parts = [between(w, k.inner(key), x, points, left // 2) for key in ("k1", "k2")]
        return _joined(w, name, *parts)
    if name == "Exponentiation":
        inner, power = between(w, k.inner("kernel"), x, points, left - 1), k.number("exponent")
        return inner**power if isinstance(inner, float) else w.op("Pow", inner, power)
    if name == "ConstantKernel":
        return k.number("constant_value", 1.0)
    if name == "WhiteKernel":
        return 0.0
    if name == "DotProduct":
        return w.add(w.matmul(x.value, np.ascontiguousarray(points.T)), k.number("sigma_0", 1.0) ** 2)
    if name == "RBF":
        return w.exp(w.mul(_apart(w, k, x, points), -0.5))
    if name == "RationalQuadratic":
        alpha, length = k.number("alpha", 1.0), k.number("length_scale", 1.0)
        base = w.add(w.div(w.distances(x.value, points), 2 * alpha * length**2), 1.0)
        return w.op("Pow", base, -alpha)
    if name == "ExpSineSquared":
        away = w.op("Sqrt", w.distances(x.value, points))
        wave = w.div(w.op("Sin", w.mul(away, pi / k.number("periodicity", 1.0))), k.number("length_scale", 1.0))
        return w.exp(w.mul(w.mul(wave, wave), -2.0))
    if name == "Matern":
        return _matern(w, k, x, points)
    raise refused(f"its kernel {name} is not known here", f"不支持核函数 {name}")


def _joined(w: Work, name: str, a: Value | float, b: Value | float) -> Value | float:
    if isinstance(a, float) and isinstance(b, float):
        return a + b if name == "Sum" else a * b
    return w.add(a, b) if name == "Sum" else w.mul(a, b)


def _apart(w: Work, k: Fitted, x: Rows, points: Array) -> Value:
    """Squared, each column divided by its length first."""
    length = k.numbers("length_scale")
    if length.ndim > 1 or (length.ndim and length.shape[0] not in (1, x.width)):
        raise k.odd("length_scale", length)
    return w.distances(w.div(x.value, np.atleast_1d(length)), points / length)


def _matern(w: Work, k: Fitted, x: Rows, points: Array) -> Value:
    squared, nu = _apart(w, k, x, points), float(k.get("nu", 1.5))
    if nu == float("inf"):
        return w.exp(w.mul(squared, -0.5))
    away = w.op("Sqrt", squared)
    if nu not in (0.5, 1.5, 2.5):
        raise refused(f"its Matern kernel has nu={nu:g}; known here: 0.5, 1.5, 2.5, inf",
                      f"Matern 核函数的 nu={nu:g}，支持 0.5、1.5、2.5、inf")  # fmt: skip
    away = w.mul(away, sqrt(2 * nu))
    fall = w.exp(w.op("Neg", away))
    if nu == 0.5:
        return fall
    head = w.add(away, 1.0)
    return w.mul(head if nu == 1.5 else w.add(head, w.div(w.mul(away, away), 3.0)), fall)


def itself(w: Work, k: Fitted, x: Rows) -> Value | float:
    """(N, 1): what the kernel says of a row and itself."""
    if k.name in ("Sum", "Product"):
        return _joined(w, k.name, itself(w, k.inner("k1"), x), itself(w, k.inner("k2"), x))
    if k.name == "Exponentiation":
        inner, power = itself(w, k.inner("kernel"), x), k.number("exponent")
        return inner**power if isinstance(inner, float) else w.op("Pow", inner, power)
    if k.name == "DotProduct":
        return w.add(w.sum(w.mul(x.value, x.value)), k.number("sigma_0", 1.0) ** 2)
    return {"ConstantKernel": k.number("constant_value", 1.0), "WhiteKernel": k.number("noise_level", 1.0)}.get(
        k.name, 1.0
    )


def _kernel(w: Work, e: Fitted, x: Rows, points: Array) -> Value:
    if points.ndim != 2 or points.shape[1] != x.width:
        raise misfit(points.shape[-1], x.width)
    if points.size > MOST_CELLS:
        raise refused(f"its {e.name} keeps {points.size} numbers", f"其中的 {e.name} 保存了 {points.size} 个数")
    found = between(w, e.inner("kernel_"), x, points)
    return found if isinstance(found, Value) else w.add(w.matmul(x.value, 0.0 * points.T), found)


def _mean(w: Work, e: Fitted, x: Rows) -> Value:
    weights = e.numbers("alpha_")
    found = w.matmul(_kernel(w, e, x, e.numbers("X_train_", rank=2)), weights.reshape(len(weights), -1))
    return w.add(w.mul(found, np.atleast_1d(e.numbers("_y_train_std"))), np.atleast_1d(e.numbers("_y_train_mean")))


# -- classes: Rasmussen and Williams, algorithms 3.1 and 3.2 -----------------------------------------------------------


@once
def _latent(w: Work, e: Fitted, x: Rows) -> tuple[Value, Value]:
    """(N, 1) the mean of the latent function, and the kernel (N, M)."""
    near = _kernel(w, e, x, e.numbers("X_train_", rank=2))
    return w.matmul(near, (e.numbers("y_train_", rank=1) - e.numbers("pi_", rank=1))[:, None]), near


def _two_label(w: Work, e: Fitted, x: Rows) -> Value:
    return w.decided(_latent(w, e, x)[0])


def _two_proba(w: Work, e: Fitted, x: Rows) -> Value:
    mean, near = _latent(w, e, x)
    solved = np.linalg.solve(e.numbers("L_", rank=2), np.diag(e.numbers("W_sr_", rank=1)))
    away = w.matmul(near, np.ascontiguousarray(solved.T))
    spread = w.sub(itself(w, e.inner("kernel_"), x), w.sum(w.mul(away, away)))
    alpha = w.div(0.5, spread)
    steep = w.op("Sqrt", w.div(alpha, w.add(alpha, (STEEP**2)[None])))
    errors = erf(w, w.mul(w.mul(mean, STEEP[None]), steep))
    size = w.div(w.op("Sqrt", w.div(pi, alpha)), w.mul(w.op("Sqrt", w.mul(spread, 2 * pi)), 2.0))
    found = w.add(w.matmul(w.mul(errors, size), SHARES[:, None]), 0.5 * float(SHARES.sum()))
    return w.two(found)


def _inner(e: Fitted) -> Fitted:
    return e.inner("base_estimator_")


CLASSIFIERS: dict[str, Classifier] = {
    "_BinaryGaussianProcessClassifierLaplace": Classifier(proba=_two_proba, label=_two_label),
    "GaussianProcessClassifier": Classifier(
        proba=lambda w, e, x: w.proba(_inner(e), x), label=lambda w, e, x: w.label(_inner(e), x)
    ),
}
REGRESSORS: dict[str, Answer] = {"GaussianProcessRegressor": _mean}
