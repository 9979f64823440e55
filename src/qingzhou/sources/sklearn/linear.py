"""Lines and planes: regressions, logistic regression, discriminants, perceptrons, and their probabilities."""

from __future__ import annotations

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import width
from .fitted import Fitted, listed
from .refuse import refused
from .work import Answer, Classifier, Rows, Work, once


@once
def plane(w: Work, e: Fitted, x: Rows) -> Value:
    """x · coef_ᵀ + intercept_, (N, k)."""
    coef = e.numbers("coef_")
    return w.linear(x.value, coef.reshape(-1, coef.shape[-1]) if coef.ndim else coef, e.numbers("intercept_"))


def _power(w: Work, e: Fitted, x: Rows) -> Value:
    """Generalised linear models: the link is the logarithm, or none (TweedieRegressor, sklearn/linear_model/_glm)."""
    if e.name == "TweedieRegressor":
        link = e.one_of("link", "auto", "identity", "log")
        if link == "identity" or (link == "auto" and e.number("power", 0.0) <= 0):
            return plane(w, e, x)
    return w.exp(plane(w, e, x))


def _partial(w: Work, e: Fitted, x: Rows) -> Value:
    """PLSRegression: (x - mean) · coefᵀ + mean of the answers; older files keep coef_ turned and scaled otherwise."""
    if not e.has("intercept_") or not e.has("coef_"):
        raise refused(f"its {e.name} is of an old version ({e.version})", f"其中的 {e.name} 版本太旧（{e.version}）")
    middle = w.sub(x.value, e.numbers("_x_mean"))
    return w.linear(middle, e.numbers("coef_", rank=2), e.numbers("intercept_"))


LINES = (
    "LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV", "BayesianRidge", "Lars",
    "LarsCV", "LassoLars", "LassoLarsCV", "LassoLarsIC", "OrthogonalMatchingPursuit", "OrthogonalMatchingPursuitCV",
    "ARDRegression", "HuberRegressor", "SGDRegressor", "PassiveAggressiveRegressor", "TheilSenRegressor",
    "QuantileRegressor", "LinearSVR", "MultiTaskLasso", "MultiTaskLassoCV", "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
)  # fmt: skip
REGRESSORS: dict[str, Answer] = {
    **dict.fromkeys(LINES, plane),
    **dict.fromkeys(("PoissonRegressor", "GammaRegressor", "TweedieRegressor"), _power),
    **dict.fromkeys(("PLSRegression", "PLSCanonical", "CCA"), _partial),
}


# -- probabilities of decisions ----------------------------------------------------------------------------------------


def each_alone(w: Work, decision: Value) -> Value:
    """A sigmoid for each class, divided by their sum: LinearClassifierMixin._predict_proba_lr."""
    p = w.sigmoid(decision)
    return w.two(p) if width(p) == 1 else w.shares(p)


def together(w: Work, decision: Value) -> Value:
    """softmax, of two classes a sigmoid."""
    return w.two(w.sigmoid(decision)) if width(decision) == 1 else w.softmax(decision)


def _logistic(w: Work, e: Fitted, x: Rows) -> Value:
    """LogisticRegression.predict_proba: multi_class went in 1.8; from then on it is softmax unless solver says not."""
    d, way = plane(w, e, x), e.text("multi_class", "auto")
    two = width(d) == 1
    if way == "ovr" or e.text("solver", "lbfgs") == "liblinear":
        return each_alone(w, d)
    if two and way == "multinomial":
        return w.two(w.sigmoid(w.mul(d, 2.0)))
    return together(w, d)


def _stochastic(w: Work, e: Fitted, x: Rows) -> Value | None:
    """SGDClassifier.predict_proba: of the losses "log_loss" and "modified_huber" alone."""
    loss, d = e.text("loss", "hinge"), plane(w, e, x)
    if loss in ("log_loss", "log"):
        return each_alone(w, d)
    if loss != "modified_huber":
        return None
    p = w.div(w.add(w.op("Min", w.op("Max", d, -1.0), 1.0), 1.0), 2.0)
    return w.two(p) if width(p) == 1 else w.shares(p)


def _discriminant(w: Work, e: Fitted, x: Rows) -> Value:
    return together(w, plane(w, e, x))


# -- quadratic discriminant analysis -----------------------------------------------------------------------------------


@once
def _quadratic(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K): -½ (|(x - mean) · rotation / √scaling|² + Σ log scaling) + log prior."""
    means, priors = e.numbers("means_", rank=2), e.numbers("priors_", rank=1)
    parts = []
    turns, scales = (listed(e.need(key)) for key in ("rotations_", "scalings_"))
    for mean, turn, scale, prior in zip(means, turns, scales, priors, strict=True):
        w.needs_double(e, float((((means - mean) @ np.asarray(turn)) ** 2 / np.asarray(scale)).sum(axis=1).max()))
        away = w.matmul(w.sub(x.value, mean), np.asarray(turn, np.float64) * np.asarray(scale, np.float64) ** -0.5)
        constant = -0.5 * float(np.log(scale).sum()) + float(np.log(prior))
        parts.append(w.add(w.mul(w.sum(w.mul(away, away)), -0.5), constant))
    return w.concat(parts)


def _quadratic_proba(w: Work, e: Fitted, x: Rows) -> Value:
    return w.softmax(_quadratic(w, e, x))


def _quadratic_label(w: Work, e: Fitted, x: Rows) -> Value:
    return w.argmax(_quadratic(w, e, x))


# -- networks ----------------------------------------------------------------------------------------------------------


@once
def layers(w: Work, e: Fitted, x: Rows) -> Value:
    """MLPClassifier and MLPRegressor: all layers, with the activation of the last."""
    value = x.value
    matrices, rows = _arrays(e, "coefs_"), _arrays(e, "intercepts_")
    for i, (matrix, bias) in enumerate(zip(matrices, rows, strict=True)):
        last = i == len(matrices) - 1
        way = e.text("out_activation_", "identity") if last else e.text("activation", "relu")
        value = _activated(w, e, w.linear(value, matrix.T, bias), way)
    return value


def _arrays(e: Fitted, key: str) -> list[Array]:
    found = e.need(key)
    if not isinstance(found, list) or not all(isinstance(one, np.ndarray) for one in found):
        raise e.odd(key, found)
    return [one.astype(np.float64) for one in found]


def _activated(w: Work, e: Fitted, x: Value, way: str) -> Value:
    if way == "softmax":
        return w.softmax(x)
    if way == "logistic":
        return w.sigmoid(x)
    if way == "relu":
        return w.op("Max", x, 0.0)
    if way == "tanh":
        return w.op("Tanh", x)
    if way == "identity":
        return x
    raise refused(f"its {e.name} has the activation {way[:40]}", f"其中的 {e.name} 的激活函数是 {way[:40]}")


def _perceptrons(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, K); one output is the second of two classes."""
    found = layers(w, e, x)
    if len(e.classes()) == 1:  # the original has two columns of probabilities then, and always that class
        raise refused(f"its {e.name} knows a single class", f"其中的 {e.name} 只有一个类别")
    if e.text("out_activation_") == "logistic" and width(found) > 1:
        raise refused(f"its {e.name} answers several questions at once", f"其中的 {e.name} 同时回答多个问题")
    return w.two(found) if width(found) == 1 else found


def _perceptrons_label(w: Work, e: Fitted, x: Rows) -> Value:
    found = layers(w, e, x)
    if width(found) > 1:
        return w.argmax(_perceptrons(w, e, x))
    return w.flat(w.cast(w.op("Greater", found, 0.5), "int64"))


REGRESSORS["MLPRegressor"] = layers
CLASSIFIERS: dict[str, Classifier] = {
    **dict.fromkeys(("LogisticRegression", "LogisticRegressionCV"), Classifier(plane, _logistic)),
    **dict.fromkeys(
        ("LinearSVC", "RidgeClassifier", "RidgeClassifierCV", "Perceptron", "PassiveAggressiveClassifier"),
        Classifier(plane),
    ),
    "SGDClassifier": Classifier(plane, _stochastic),
    "LinearDiscriminantAnalysis": Classifier(plane, _discriminant),
    "QuadraticDiscriminantAnalysis": Classifier(proba=_quadratic_proba, label=_quadratic_label),
    "MLPClassifier": Classifier(proba=_perceptrons, label=_perceptrons_label),
}
