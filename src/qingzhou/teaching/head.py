"""The head that is taught: classes by their distance in the backbone's features, and "unknown" beyond a distance.

Each class is a Gaussian around the mean of its features; all share one covariance, which with few pictures is shrunk
towards a sphere (linear discriminant analysis; Ledoit and Wolf 2004 for the shrinking; with a sphere alone it is the
nearest centroid). What is far from every class by the same measure is unknown (Lee et al. 2018, "A simple unified
framework for detecting out-of-distribution samples"). Solved in closed form, in double precision, with numpy alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..graph.form import Array

SHRINKING = (0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 1.0)  # what is tried; 1: a sphere, the nearest centroid
FOLDS, FEW_FOLDS = 10, 3
LEFT_OUT = 10  # classes that are left out, one after the other, to see whether they are found strange
MANY = 1000  # pictures from which on fewer folds tell as much
WIDEST = 512  # directions of the features that are looked at
LEAST = 1e-30  # a variance that can be divided by
FLAT = 1e-10  # of the largest variance: what is rounding and no direction
BEYOND = 2.326  # standard deviations of a normal distribution that 1 % exceed
FLATTEST, STEEPEST, STEPS = 1e-3, 1e6, 60  # of the temperature's search


class Space(NamedTuple):
    """Features (n, F) in the directions in which they differ.

    mean   (F,);  basis (F, r), orthonormal;  z (n, r): (features - mean) @ basis
    whole  whether nothing of the features is outside of the basis
    """

    mean: Array
    basis: Array
    z: Array
    whole: bool


class Gaussians(NamedTuple):
    """Classes in a space. means (K, r); axes (r, r) and variances (r,) of what they share; floor: the least variance"""

    means: Array
    axes: Array
    variances: Array
    floor: float

    def shrunk(self, share: float) -> Gaussians:
        """With variances that are so far as this share of a sphere's."""
        floor = max(share * float(self.variances.mean()), LEAST)
        return self._replace(variances=(1 - share) * self.variances + floor, floor=floor)

    def distances(self, z: Array) -> Array:
        """(n, r) -> (n, K): Mahalanobis' squared distance to each class."""
        scaled = self.axes / np.sqrt(self.variances)
        own, centres = z @ scaled, self.means @ scaled
        apart = (own**2).sum(1)[:, None] - 2 * own @ centres.T + (centres**2).sum(1)
        return np.asarray(np.maximum(apart, 0))


@dataclass(frozen=True)
class Head:
    """What was fitted.

    space, classes  where the classes lie;  shrinking: of SHRINKING;  temperature: squared distances are divided by it
    reach     the squared distance beyond which a thing is unknown; None where everything is one of the classes
    right     how many of the pictures were named rightly by heads that had not seen them (cross-validation)
    named     (n,): what these heads said, K for unknown
    stranger  share of the pictures of a class called unknown by heads that were taught all classes but that; None of a
              single class, or without `reach`
    """

    space: Space
    classes: Gaussians
    shrinking: float
    temperature: float
    reach: float | None
    right: int
    named: Array
    stranger: float | None


def fit(features: Array, truths: Array, unknown: bool = True) -> Head:
    """The head for features (n, F) of classes (n,) from 0 on, each of which has two pictures at least."""
    space = span(features)
    held = _held_out(space.z, truths, _folds(truths), SHRINKING)
    shrinking, temperature = _simplest(held, truths)
    apart = held[shrinking]
    reach = _reach(apart) if unknown else None
    named = _named(apart, reach)
    return Head(
        space,
        gaussians(space.z, truths).shrunk(shrinking),
        shrinking,
        temperature,
        reach,
        int((named == truths).sum()),
        named,
        _strangers(space.z, truths, shrinking) if unknown else None,
    )


def span(features: Array) -> Space:
    """The features' principal directions, by the smaller of the two products of the features with themselves."""
    wide = features.astype(np.float64)
    mean = wide.mean(0)
    centred = wide - mean
    few = len(centred) <= centred.shape[1]
    squares, vectors = np.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    kept = np.flatnonzero(squares > FLAT * max(squares[-1], 0) + LEAST)
    chosen = kept[-WIDEST:]
    basis = vectors[:, chosen]
    if few:
        basis = centred.T @ (basis / np.sqrt(squares[chosen]))
    return Space(mean, basis, centred @ basis, len(chosen) == len(kept))


def gaussians(z: Array, truths: Array) -> Gaussians:
    """Classes' means and their common covariance, as they are in the data."""
    means = np.stack([z[truths == k].mean(0) for k in range(int(truths.max()) + 1)])
    inner = z - means[truths]
    free = max(len(z) - len(means), 1)
    squares, axes = np.linalg.eigh(inner.T @ inner / free)
    return Gaussians(means, axes, np.maximum(squares, 0), 0.0)


# -- cross-validation -----------------------------------------------------------------------------------------------


def _folds(truths: Array, most: int = 0) -> Array:
    """Which fold each is in. Pictures that follow each other are alike, and stay together."""
    counts = np.bincount(truths)
    folds = min(most or (FOLDS if len(truths) < MANY else FEW_FOLDS), int(counts.min()))
    found = np.empty(len(truths), np.int64)
    for k, count in enumerate(counts):
        found[truths == k] = np.arange(count) * folds // count
    return found


def _held_out(z: Array, truths: Array, folds: Array, shares: Sequence[float]) -> dict[float, Array]:
    """For each shrinking (n, K): the distances of each to the classes, of which it was no part."""
    found = {share: np.empty((len(z), int(truths.max()) + 1)) for share in shares}
    for fold in range(int(folds.max()) + 1):
        out = folds == fold
        plain = gaussians(z[~out], truths[~out])
        for share in shares:
            found[share][out] = plain.shrunk(share).distances(z[out])
    return found


def _simplest(held: Mapping[float, Array], truths: Array) -> tuple[float, float]:
    """The shrinking and its temperature: nearest to a sphere of all whose loss is within one standard error of the
    least (Breiman et al. 1984): so few pictures tell no more.
    """
    tried = {share: _temperature(apart, truths) for share, apart in held.items()}
    losses = {share: _losses(held[share], truths, tried[share]) for share in held}
    best = min(losses.values(), key=lambda one: float(one.mean()))
    most = best.mean() + best.std(ddof=1) / np.sqrt(len(best))
    shrinking = max(share for share, one in losses.items() if one.mean() <= most)
    return shrinking, tried[shrinking]


def _named(apart: Array, reach: float | None) -> Array:
    nearest = apart.argmin(1)
    return np.asarray(nearest if reach is None else np.where(apart.min(1) > reach, apart.shape[1], nearest))


def _reach(apart: Array) -> float:
    """The squared distance that one in a hundred of the taught things exceeds; distances are near a log-normal."""
    logs = np.log(np.maximum(apart.min(1), LEAST))
    return float(np.exp(logs.mean() + BEYOND * logs.std(ddof=1)))


def _strangers(z: Array, truths: Array, shrinking: float) -> float | None:
    """How often pictures of a class that was left out are called unknown; of some classes, where there are many."""
    classes = int(truths.max()) + 1
    if classes < 2:
        return None
    found, tried = 0, 0
    for k in np.unique(np.linspace(0, classes - 1, LEFT_OUT).round().astype(int)):
        known = truths != k
        ours = truths[known] - (truths[known] > k)
        reach = _reach(_held_out(z[known], ours, _folds(ours, FEW_FOLDS), [shrinking])[shrinking])
        apart = gaussians(z[known], ours).shrunk(shrinking).distances(z[~known])
        found, tried = found + int((apart.min(1) > reach).sum()), tried + len(apart)
    return found / tried


# -- probabilities --------------------------------------------------------------------------------------------------


def _temperature(apart: Array, truths: Array) -> float:
    """The one that makes softmax(-distance / (2 temperature)) likeliest."""
    low, high = np.log(FLATTEST), np.log(STEEPEST)
    for _ in range(STEPS):
        third = (high - low) / 3
        one, other = (_losses(apart, truths, np.exp(at)).mean() for at in (low + third, high - third))
        low, high = (low, high - third) if one < other else (low + third, high)
    return float(np.exp((low + high) / 2))


def _losses(apart: Array, truths: Array, temperature: float) -> Array:
    """(n,): each picture's cross entropy. As of Platt 1999 nobody is surer than (n + 1) / (n + 2) after n pictures:
    else a head that tells all of them apart would be sure beyond measure.
    """
    n, k = apart.shape
    right = (n + 1) / (n + 2) if k > 1 else 1.0
    logits = -apart / (2 * temperature)
    logits = logits - logits.max(1, keepdims=True)
    own = logits[np.arange(n), truths]
    others = (logits.sum(1) - own) / max(k - 1, 1)
    return np.asarray(np.log(np.exp(logits).sum(1)) - right * own - (1 - right) * others)
