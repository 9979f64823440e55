"""Cards of Ultralytics' models: what they say besides is read again, refused where it cannot be, too new for some."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from detectors import finished_card

from qingzhou.errors import ModelError
from qingzhou.runtime.model import card as cards
from qingzhou.runtime.model.also import numbers
from qingzhou.runtime.model.card import Card, Input, Output, outputs_of

LETTERBOX = [
    {"op": "resize", "letterbox": [320, 320], "interpolation": "cv2"},
    {"op": "pad_to", "size": [320, 320], "value": [114.0] * 3, "center": True},
    {"op": "normalize", "mean": [0.0] * 3, "std": [255.0] * 3},
]
MASKS = {"masks": {"prototypes": "output1", "coefficients": 32, "stride": 4}}
POINTS = {"keypoints": [17, 3]}


def yolo(scores: str, also: dict[str, Any], shape: Any = (320, 320), steps: Any = LETTERBOX) -> Card:
    return Card(
        "detection",
        "YOLO11n",
        "Ultralytics",
        Input("images", "image", [1, 3, *shape], "RGB", list(steps)),
        Output("output0", scores, also),
        ["person"],
        thresholds={"score": 0.25, "iou": 0.7, "most": 300},
        decoding={"kind": "ultralytics"} if scores == "raw" else None,
    )


ANY_SIZE = yolo("raw", POINTS, (None, None), [LETTERBOX[0], {"op": "pad_to", "multiple": 32, "center": True}])
GOOD = [*(yolo(form, also) for form in ("rows", "raw") for also in ({}, MASKS, POINTS, {"rotated": True})), ANY_SIZE]


@pytest.mark.parametrize("card", GOOD)
def test_what_they_say_is_read_again(card: Card) -> None:
    text = card.to_json()
    assert Card.from_json(text) == card and json.loads(text)["version"] == 3
    assert outputs_of(card) == ["output0", "output1"] if "masks" in card.output.also else ["output0"]


def test_how_many_numbers_come_after() -> None:
    every = ({}, MASKS, POINTS, {"keypoints": [4, 2]}, {"rotated": True})
    assert [numbers(also) for also in every] == [0, 32, 51, 8, 1]


def test_cards_without_stay_of_version_2() -> None:
    assert json.loads(finished_card().to_json())["version"] == 2
    steps: Any = [LETTERBOX[0]]
    assert (
        json.loads(finished_card(input=Input("i", "image", [1, 3, 320, 320], "RGB", steps)).to_json())["version"] == 3
    )


@pytest.mark.parametrize("card", GOOD)
def test_what_reads_up_to_version_2_calls_them_too_new(card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a program beside an older model does, which knows none of these words."""
    text = card.to_json()
    monkeypatch.setattr(cards, "VERSION", 2)
    monkeypatch.setattr(cards, "SCORES", tuple(word for word in cards.SCORES if word != "rows"))
    monkeypatch.setattr("qingzhou.runtime.model.decoding.KINDS", {"ssd": {}, "yolo": {}})
    with pytest.raises(ModelError, match="has version 3"):
        Card.from_json(text)


HOSTILE: Any = [
    ("output.also", None), ("output.also", []), ("output.also", {"masks": None}), ("output.also", {"depth": 1}),
    ("output.also", {**MASKS, **POINTS}), ("output.also", {"keypoints": [17]}), ("output.also", {"keypoints": [17, 4]}),
    ("output.also", {"keypoints": [0, 3]}), ("output.also", {"keypoints": [10**9, 3]}), ("output.also", {"rotated": 1}),
    ("output.also", {"rotated": False}), ("output.also", {"masks": {**MASKS["masks"], "coefficients": 0}}),
    ("output.also", {"masks": {**MASKS["masks"], "stride": 0}}), ("output.also", {"masks": {"prototypes": "output1"}}),
    ("output.also", {"masks": {**MASKS["masks"], "prototypes": 1}}), ("output.scores", "boxes"), ("decoding", None),
    ("decoding.levels", []), ("decoding.stds", [1.0] * 4), ("decoding.kind", "ssd"), ("thresholds", None),
    ("input.steps", [{"op": "pad_to", "multiple": 32, "center": False}]),
    ("input.steps", [{"op": "pad_to", "multiple": 32, "center": 1}]),
    ("input.steps", [{"op": "pad_to", "center": True}]),
    ("input.steps", [{"op": "resize", "letterbox": [9], "interpolation": "cv2"}]),
    ("input.steps", [{"op": "resize", "letterbox": [9, 9], "size": [9, 9], "interpolation": "cv2"}]),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), HOSTILE)
def test_hostile_cards(path: str, value: object) -> None:
    card = json.loads(yolo("raw", MASKS).to_json())
    inner, names = card, path.split(".")
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = value
    with pytest.raises(ModelError):
        Card.from_json(json.dumps(card))


def test_rows_are_decoded_already() -> None:
    wrong = dataclasses.replace(yolo("rows", {}), decoding={"kind": "ultralytics"})
    with pytest.raises(ModelError, match="decoding"):
        Card.from_json(wrong.to_json())
    with pytest.raises(ModelError, match=r"output\.also"):
        Card.from_json(dataclasses.replace(finished_card(), output=Output("dets", "boxes", POINTS)).to_json())
