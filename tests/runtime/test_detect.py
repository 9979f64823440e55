"""Boxes: decoding against torch's, and suppression against one box at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from detectors import RAW, heads
from hypothesis import given, settings
from hypothesis import strategies as st

from qingzhou.errors import InputError, ModelError
from qingzhou.runtime.model.detect import nms, read
from qingzhou.runtime.model.overlap import BLOCK


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, m) of the boxes (n, 4) and (m, 4); plainly."""
    sides = (np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])).clip(0)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
    shared = sides.prod(axis=2)
    with np.errstate(all="ignore"):
        return shared / (areas[0][:, None] + areas[1] - shared)


@pytest.mark.parametrize("name", RAW)
def test_raw_heads_give_torchs_boxes(name: str) -> None:
    outputs = heads(name)
    boxes, labels = outputs.pop("torch_boxes"), outputs.pop("torch_labels")
    found = read(outputs, RAW[name])
    assert len(found.boxes) == len(boxes) and (np.diff(found.scores) <= 0).all()
    same = iou(boxes[:, :4], found.boxes) >= 0.999
    same &= (labels[:, None] == found.labels) & (np.abs(boxes[:, 4:] - found.scores) <= 1e-4)
    assert same.any(axis=1).all() and same.any(axis=0).all()


@pytest.mark.parametrize("name", RAW)
def test_another_threshold(name: str) -> None:
    """A higher one leaves the surest; the suppression is not touched, since only better boxes suppress."""
    outputs, card = heads(name), RAW[name]
    usual, sure = read(outputs, card), read(outputs, card, 0.6)
    np.testing.assert_array_equal(sure.rows(), usual.take(usual.scores > 0.6).rows())
    assert not len(read(outputs, card, 1.0).boxes)
    assert (read(outputs, card, 0.4).scores > 0.4).all()
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError):
            read(outputs, card, wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30])
@pytest.mark.parametrize("name", RAW)
def test_heads_of_nonsense_give_no_nonsense(name: str, value: float) -> None:
    outputs = {key: np.full_like(array, value) for key, array in heads(name).items() if array.ndim == 4}
    found = read(outputs, RAW[name])
    assert np.isfinite(found.rows()).all() and len(found.boxes) <= 200


@pytest.mark.parametrize("name", RAW)
def test_heads_of_other_sizes_are_refused(name: str) -> None:
    outputs = heads(name)
    for shape in ((1,), (1, 7, 2, 2), (2, 24, 3, 3), (1, 24, 0, 0), ()):
        key = RAW[name].output.name
        try:
            found = read({**outputs, key: np.zeros(shape, np.float32)}, RAW[name])
        except ModelError:
            continue
        assert shape == (1, 24, 0, 0) and np.isfinite(found.rows()).all()
    with pytest.raises(ModelError):
        read({**outputs, RAW[name].output.name: np.array(["a"])}, RAW[name])


# -- suppression ------------------------------------------------------------------------------------------------------


def one_by_one(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, limit: float) -> list[int]:
    """Greedy, as every book describes it."""
    apart = iou(boxes, boxes)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if not any(labels[i] == labels[j] and apart[j, i] > np.float32(limit) for j in kept):
            kept.append(i)
    return kept


def some_boxes(seed: int, count: int, classes: int, ties: bool) -> tuple[Any, Any, Any]:
    """Boxes around a few things; in 16ths of pixels, so that every order of computing gives the same overlaps."""
    chance = np.random.default_rng(seed)
    corner, size = chance.integers(0, 600, (12, 2)), chance.integers(8, 200, (12, 2))
    things = np.hstack([corner, corner + size])[chance.integers(12, size=count)]
    boxes = (things + chance.integers(-96, 96, (count, 4)) / 16).astype(np.float32)
    scores = chance.integers(1, 20, count) / 20 if ties else chance.permutation(count) / count
    return boxes, scores.astype(np.float32), chance.integers(0, classes, count)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(0, 900),
    classes=st.sampled_from([1, 3, 80]),
    limit=st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]),
)
def test_nms_is_one_by_one(seed: int, count: int, classes: int, limit: float) -> None:
    boxes, scores, labels = some_boxes(seed, count, classes, ties=False)
    expected = one_by_one(boxes, scores, labels, limit)
    assert nms(boxes, scores, labels, limit, 10**6).tolist() == expected
    assert nms(boxes, scores, labels, limit, 7).tolist() == expected[:7]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 900), classes=st.sampled_from([1, 3, 80]))
def test_nms_with_equal_scores(seed: int, count: int, classes: int) -> None:
    """Within a label the first of equals stays; the order among labels is free."""
    boxes, scores, labels = some_boxes(seed, count, classes, ties=True)
    assert sorted(nms(boxes, scores, labels, 0.5, 10**6)) == sorted(one_by_one(boxes, scores, labels, 0.5))


def test_nms_of_many_alike() -> None:
    count = 30_000
    scores, labels = np.linspace(0, 1, count).astype(np.float32), np.arange(count) % 3
    equal = np.tile(np.float32([5, 5, 50, 50]), (count, 1))
    assert nms(equal, scores, labels, 0.5, 100).tolist() == [count - 1, count - 2, count - 3]
    assert nms(equal, np.ones(count), labels, 0.5, 100).tolist() == [0, 1, 2]
    empty = np.zeros((count, 4), np.float32)
    assert nms(empty, scores, labels, 0.5, 100).tolist() == list(range(count - 1, count - 101, -1))
    assert len(nms(empty[: 3 * BLOCK], scores[: 3 * BLOCK], labels[: 3 * BLOCK], 0.0, 10**6)) == 3 * BLOCK
    assert nms(empty[:0], scores[:0], labels[:0], 0.5, 100).tolist() == []


def test_nms_of_odd_numbers() -> None:
    boxes = np.float32([[0, 0, 9, 9], [0, 0, np.nan, 9], [0, 0, np.inf, 9], [0, 0, 9, 9], [9, 9, 0, 0]])
    kept = nms(boxes, np.float32([0.9, 0.8, 0.7, np.nan, 0.5]), np.array([2**40, 0, 0, 2**40, -5]), 0.5, 9)
    assert kept.tolist() == [0, 1, 2, 4]
