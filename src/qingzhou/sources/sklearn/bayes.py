"""Naive Bayes, and mixtures of Gaussians: logarithms of likelihoods, and their shares."""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi

import numpy as np

from ...graph.form import Array, Value
from .arithmetic import misfit
from .fitted import Fitted, listed
from .refuse import refused
from .work import Answer, Classifier, Rows, Work, once


@once
def _gauss(w: Work, e: Fitted, x: Rows) -> Value:
    """Variances are `var_`, before 1.0 `sigma_`; epsilon_ is in them already."""
    mean, var = e.numbers("theta_", rank=2), e.numbers("var_", "sigma_", rank=2)
    if mean.shape[1] != x.width or var.shape != mean.shape:
        raise misfit(mean.shape[1], x.width)
    w.needs_double(
        e, float(max(((mean - own) ** 2 / spread).sum(axis=1).max() for own, spread in zip(mean, var, strict=True)))
    )
    away = w.sub(w.wider(x.value, 1), mean)
    spread = w.sum(w.div(w.mul(away, away), var), 2, keep=False)
    constant = np.log(e.numbers("class_prior_", rank=1)) - 0.5 * np.log(2.0 * pi * var).sum(axis=1)
    return w.add(w.mul(spread, -0.5), constant)


@once
def _multinomial(w: Work, e: Fitted, x: Rows) -> Value:
    return w.linear(x.value, e.numbers("feature_log_prob_", rank=2), e.numbers("class_log_prior_", rank=1))


@once
def _complement(w: Work, e: Fitted, x: Rows) -> Value:
    prior = e.numbers("class_log_prior_", rank=1)
    return w.linear(x.value, e.numbers("feature_log_prob_", rank=2), prior if len(prior) == 1 else 0.0 * prior)


@once
def _bernoulli(w: Work, e: Fitted, x: Rows) -> Value:
    there = e.numbers("feature_log_prob_", rank=2)
    absent = np.log(1 - np.exp(there))
    value = x.value
    if e.has("binarize"):
        value = w.cast(w.op("Greater", value, e.number("binarize")), "float64")
    return w.linear(value, there - absent, e.numbers("class_log_prior_", rank=1) + absent.sum(axis=1))


@once
def _categories(w: Work, e: Fitted, x: Rows) -> Value:
    """A table of each column; a number that it has not is an error in scikit-learn, and the last of the table here."""
    total: Value | None = None
    tables = listed(e.need("feature_log_prob_"))
    if len(tables) != x.width:
        raise misfit(len(tables), x.width)
    for i, table in enumerate(tables):
        numbers = np.asarray(table, np.float64).T
        place = w.flat(w.columns_of(x.value, [i]))
        place = w.cast(w.op("Min", w.op("Max", place, 0.0), len(numbers) - 1.0), "int64")
        part = w.take(np.ascontiguousarray(numbers), place)
        total = part if total is None else w.add(total, part)
    assert total is not None
    return w.add(total, e.numbers("class_log_prior_", rank=1))


def shares_of(w: Work, logs: Value) -> Value:
    """e^(log - log Σ e^log), in this order: of logarithms of some thousands the rounding shows."""
    most = w.max(logs)
    total = w.op("Log", w.sum(w.exp(w.sub(logs, most))))
    return w.exp(w.sub(logs, w.add(total, most)))


def _of(likelihood: Answer) -> Classifier:
    def proba(w: Work, e: Fitted, x: Rows) -> Value:
        return shares_of(w, likelihood(w, e, x))

    def label(w: Work, e: Fitted, x: Rows) -> Value:
        return w.argmax(likelihood(w, e, x))

    return Classifier(proba=proba, label=label)


CLASSIFIERS: dict[str, Classifier] = {
    "GaussianNB": _of(_gauss),
    "MultinomialNB": _of(_multinomial),
    "ComplementNB": _of(_complement),
    "BernoulliNB": _of(_bernoulli),
    "CategoricalNB": _of(_categories),
}


# -- mixtures ----------------------------------------------------------------------------------------------------------


@once
def _mixture(w: Work, e: Fitted, x: Rows) -> Value:
    """(N, components): log weight + log density, sklearn/mixture/_gaussian_mixture.py."""
    means, roots = e.numbers("means_", rank=2), e.numbers("precisions_cholesky_")
    count, columns = means.shape
    if columns != x.width:
        raise misfit(columns, x.width)
    if columns > 1 << 12:
        raise refused(f"its {e.name} has {columns} columns", f"其中的 {e.name} 有 {columns} 列")
    factors: Callable[[int], Array] | None = {
        "full": lambda i: roots[i],
        "tied": lambda i: roots,
        "diag": lambda i: np.diag(roots[i]),
        "spherical": lambda i: np.eye(columns) * roots[i],
    }.get(e.text("covariance_type", "full"))
    if factors is None:
        raise refused(f"its {e.name} has an unknown covariance_type", f"其中的 {e.name} 的 covariance_type 未知")
    parts = []
    bayesian = e.name == "BayesianGaussianMixture"
    weights = _expected(e, columns) if bayesian else np.log(e.numbers("weights_", rank=1))
    for i in range(count):
        factor = factors(i)
        w.needs_double(e, float((((means - means[i]) @ factor) ** 2).sum(axis=1).max()))
        away = w.matmul(w.sub(x.value, means[i]), factor)
        determinant = float(np.log(np.diag(factor)).sum())
        constant = -0.5 * columns * log(2 * pi) + determinant + float(weights[i])
        parts.append(w.add(w.mul(w.sum(w.mul(away, away)), -0.5), constant))
    return w.concat(parts)


def digamma(x: Array) -> Array:
    """The slope of log Γ above 0: up to 6 by its recurrence, then its series (Abramowitz and Stegun 6.3.5, 6.3.18)."""
    x, found = x.astype(np.float64), np.zeros(x.shape)
    for _ in range(6):
        found, x = found - 1.0 / x, x + 1.0
    inverse = 1.0 / (x * x)
    series: Array = np.zeros(x.shape)
    for number in (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12):
        series = (series + number) * inverse
    return np.asarray(found + np.log(x) - 0.5 / x - series)


def _expected(e: Fitted, columns: int) -> Array:
    """(components): what is expected of log weights and precisions, sklearn/mixture/_bayesian_mixture.py."""
    freedom = e.numbers("degrees_of_freedom_", rank=1)
    halves = 0.5 * (freedom[:, None] - np.arange(columns))
    spread = columns * log(2.0) + digamma(halves).sum(axis=1) - columns / e.numbers("mean_precision_", rank=1)
    given = e.get("weight_concentration_")
    if isinstance(given, tuple):
        a, b = (np.asarray(one, np.float64) for one in given)
        rest = digamma(b) - digamma(a + b)
        weights = digamma(a) - digamma(a + b) + np.concatenate([[0.0], np.cumsum(rest)[:-1]])
    else:
        a = e.numbers("weight_concentration_", rank=1)
        weights = digamma(a) - digamma(a.sum(keepdims=True))
    return np.asarray(weights + 0.5 * (spread - columns * np.log(freedom)))


CLUSTERS: dict[str, Classifier] = dict.fromkeys(("GaussianMixture", "BayesianGaussianMixture"), _of(_mixture))
