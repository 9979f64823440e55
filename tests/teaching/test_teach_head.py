"""The head, against scikit-learn's discriminant analysis, written-out formulas, and what cannot be known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from passengers import ORACLE
from qingzhou.teaching.head import Head, fit, gaussians, span

LDA = json.loads((ORACLE / "teaching" / "lda.json").read_text("utf-8"))


def clouds(classes: int, each: int, width: int, apart: float, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Features of classes that lie so far apart, in units of their own width."""
    chance = np.random.Generator(np.random.PCG64(seed))
    truths = np.repeat(np.arange(classes), each)
    return apart * chance.normal(size=(classes, width))[truths] + chance.normal(size=(len(truths), width)), truths


@pytest.mark.parametrize("shrinking", [0.01, 0.2, 0.7])
def test_distances_are_those_of_scikit_learn(shrinking: float) -> None:
    """Its covariance is divided by n, ours by n - K, which only scales the distances."""
    features, truths = np.array(LDA["features"]), np.array(LDA["truths"])
    space = span(features)
    assert space.whole and space.basis.shape == (6, 6)
    new = (np.array(LDA["new"]) - space.mean) @ space.basis
    apart = gaussians(space.z, truths).shrunk(shrinking).distances(new)
    logits = -apart / 2 * len(truths) / (len(truths) - 4)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    assert powers / powers.sum(1, keepdims=True) == pytest.approx(np.array(LDA["answers"][str(shrinking)]), abs=1e-6)


@pytest.mark.parametrize(("each", "width"), [(30, 8), (4, 50)])
def test_a_space_keeps_all_distances(each: int, width: int) -> None:
    """Also of more features than pictures."""
    features, _ = clouds(3, each, width, 2.0)
    space = span(features)
    assert np.linalg.norm(space.z[0] - space.z[1:], axis=1) == pytest.approx(
        np.linalg.norm(features[0] - features[1:], axis=1)
    )
    assert space.basis.T @ space.basis == pytest.approx(np.eye(space.basis.shape[1]), abs=1e-9)


def held_out(head: Head, features: np.ndarray) -> np.ndarray:
    apart = head.classes.distances((features - head.space.mean) @ head.space.basis)
    nearest = apart.argmin(1)
    return nearest if head.reach is None else np.where(apart.min(1) > head.reach, apart.shape[1], nearest)


def test_cross_validation_says_what_new_pictures_would() -> None:
    """Clouds that overlap: the share that is named rightly is the same on a thousand new ones."""
    features, truths = clouds(4, 330, 5, 1.0)
    head = fit(features[::10], truths[::10], unknown=False)
    rest = np.arange(len(truths)) % 10 != 0
    new = float((held_out(head, features[rest]) == truths[rest]).mean())
    assert 0.4 < new < 0.95
    assert head.right / len(truths[::10]) == pytest.approx(new, abs=0.08)


def test_features_that_say_nothing_are_not_called_right() -> None:
    chance = np.random.Generator(np.random.PCG64(3))
    truths = np.repeat(np.arange(5), 20)
    head = fit(chance.normal(size=(100, 40)), truths, unknown=False)
    assert head.right < 40  # one in five by chance; a head that saw its own pictures would have nearly all
    assert head.temperature > 1  # and is sure of nothing


def test_what_is_far_from_all_is_unknown_and_what_is_near_is_not() -> None:
    features, truths = clouds(5, 40, 20, 3.0)
    head = fit(features[truths < 4], truths[truths < 4])
    assert head.stranger is not None and head.stranger > 0.9
    assert (held_out(head, features[truths == 4]) == 4).mean() > 0.9
    assert (held_out(head, features[truths < 4]) == 4).mean() < 0.05


def test_strangers_among_the_taught_are_admitted() -> None:
    """Classes that lie in each other cannot be told from a new one, and it is said."""
    features, truths = clouds(4, 30, 6, 0.3)
    assert (fit(features, truths).stranger or 0) < 0.3


def test_one_class_alone_and_everything_else() -> None:
    features, truths = clouds(2, 40, 10, 4.0)
    head = fit(features[truths == 0], truths[truths == 0])
    assert head.stranger is None
    assert (held_out(head, features[truths == 1]) == 1).mean() > 0.9


def test_pictures_that_are_all_the_same_are_no_trouble() -> None:
    truths = np.repeat([0, 1], 3)
    head = fit(np.repeat([[1.0, 2.0], [5.0, 1.0]], 3, axis=0), truths)
    assert held_out(head, np.array([[1.0, 2.0], [5.0, 1.0]])).tolist() == [0, 1]
