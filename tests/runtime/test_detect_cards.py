"""Cards of detectors: those that would harm are refused, others come back as they were."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from detectors import ANSWER, RAW, SAMPLE, entry, finished_card
from hypothesis import given, settings
from hypothesis import strategies as st

from qingzhou.errors import ModelError
from qingzhou.runtime.model.card import Card, Sample

# -- cards ------------------------------------------------------------------------------------------------------------

PLAIN = json.loads(RAW["SSD_Lite"].to_json())
STEPS = "input.steps"
HOSTILE: Any = [
    ("task", "classification"), ("task", "values"), ("output.scores", "boxes"), ("output.scores", "logits"),
    ("thresholds", None), ("thresholds", {}), ("thresholds", []), ("thresholds.score", -0.1), ("thresholds.score", 1.1),
    ("thresholds.score", "0.5"), ("thresholds.iou", 2), ("thresholds.iou", None), ("thresholds.most", 0),
    ("thresholds.most", 10**9), ("thresholds.most", 1.5), ("thresholds.most", True), ("thresholds.extra", 1),
    ("decoding", None), ("decoding", {}), ("decoding", "ssd"), ("decoding.kind", "rcnn"), ("decoding.kind", "yolo"),
    ("decoding.levels", []), ("decoding.levels", {}), ("decoding.levels", [1]), ("decoding.levels", None),
    ("decoding.stds", [0.1] * 3), ("decoding.stds", [0.1, 0.1, 0.2, 0]), ("decoding.stds", [1e300] * 4),
    ("decoding.candidates", 0), ("decoding.candidates", 10**9), ("decoding.confidence", -1),
    ("decoding.confidence", "x"), ("decoding.extra", 1), ("decoding.levels.0.scores", 1),
    ("decoding.levels.0.deltas", None), ("decoding.levels.0.stride", 0), ("decoding.levels.0.stride", -16),
    ("decoding.levels.0.stride", 1e9), ("decoding.levels.0.stride", "16"), ("decoding.levels.0.anchors", []),
    ("decoding.levels.0.anchors", [[0, 0, 1]]), ("decoding.levels.0.anchors", [[0, 0, 0, 1]]),
    ("decoding.levels.0.anchors", [[5, 0, 0, 1]]), ("decoding.levels.0.anchors", [[0, 0, 1e9, 1]]),
    ("decoding.levels.0.anchors", [[0, 0, 1, 1]] * 65), ("decoding.levels.0.anchors", 5),
    ("decoding.levels.0.extra", 1), ("input.shape", [1, 3, None, 320]), ("input.kind", "array"),
    ("sample", {"input": SAMPLE, "output": [[1, 2, 3]]}), ("sample", {"input": SAMPLE, "output": [0.5]}),
    ("sample", {"input": SAMPLE, "output": [[1, 2, 3, 4, [5], 6]]}),
    (STEPS, [{"op": "resize", "within": [9], "interpolation": "cv2"}]), (STEPS, [{"op": "resize", "within": [9, 9]}]),
    (STEPS, [{"op": "resize", "within": [0, 9], "interpolation": "cv2"}]),
    (STEPS, [{"op": "resize", "within": [10**6, 9], "interpolation": "cv2"}]),
    (STEPS, [{"op": "resize", "within": [9, 9], "short": 9, "interpolation": "cv2"}]),
    (STEPS, [{"op": "resize", "within": [9, 9], "size": [9, 9], "interpolation": "cv2"}]),
    (STEPS, [{"op": "pad_to"}]), (STEPS, [{"op": "pad_to", "size": [9]}]), (STEPS, [{"op": "pad_to", "multiple": 0}]),
    (STEPS, [{"op": "pad_to", "size": [9, 9], "multiple": 2}]), (STEPS, [{"op": "pad_to", "multiple": 10**9}]),
    (STEPS, [{"op": "pad_to", "size": [9, 9], "value": 2}]), (STEPS, [{"op": "pad_to", "multiple": 2.0}]),
]  # fmt: skip


def changed(path: str, value: object) -> str:
    card = json.loads(json.dumps(PLAIN))
    inner, names = card, [int(name) if name.isdigit() else name for name in path.split(".")]
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = value
    return json.dumps(card)


@pytest.mark.parametrize(("path", "value"), HOSTILE)
def test_hostile_cards(path: str, value: object) -> None:
    with pytest.raises(ModelError):
        Card.from_json(changed(path, value))


def test_cards_that_hold_boxes_come_back_as_they_were() -> None:
    for card in (*RAW.values(), finished_card(sample=Sample(SAMPLE, ANSWER)), finished_card(input=entry((None, None)))):
        assert Card.from_json(card.to_json()) == card
    for card in (finished_card(task="values"), dataclasses.replace(finished_card(), thresholds=None)):
        with pytest.raises(ModelError):
            Card.from_json(card.to_json())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(sorted({path for path, _ in HOSTILE})), value=JSON)
def test_any_value_anywhere_is_read_or_refused(path: str, value: object) -> None:
    try:
        card = Card.from_json(changed(path, value))
    except ModelError:
        return
    assert Card.from_json(card.to_json()) == card
