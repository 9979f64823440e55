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


# -- mixtures --------------------------------------------------------------------------------------------------------


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
    for i in range(count):
        factor = factors(i)
        away = w.matmul(w.sub(x.value, means[i]), factor)
        determinant = float(np.log(np.diag(factor)).sum())
        constant = -0.5 * columns * log(2 * pi) + determinant + log(e.numbers("weights_", rank=1)[i])
        parts.append(w.add(w.mul(w.sum(w.mul(away, away)), -0.5), constant))
    return w.concat(parts)


CLUSTERS: dict[str, Classifier] = {"GaussianMixture": _of(_mixture)}
