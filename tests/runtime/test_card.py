"""Cards: what is written is read again, and nothing else is."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qingzhou.errors import ModelError
from qingzhou.runtime.model.card import Card, Input, Output, Sample

STEPS = [
    {"op": "resize", "short": 256, "interpolation": "pillow"},
    {"op": "resize", "size": [240, 230], "interpolation": "cv2"},
    {"op": "center_crop", "size": [224, 224]},
    {"op": "pad", "border": [1, 2, 3, 4], "value": 0},
    {"op": "gray"},
    {"op": "normalize", "mean": [1.0, 2.0, 3.0], "std": [0.5, 1.0, 2.0]},
]
CARD = Card(
    "classification",
    "MobileNetV2",
    "MMEdu",
    Input("input", "image", [1, 3, 224, 224], "RGB", STEPS),
    Output("output", "logits"),
    ["猫", "dog"],
    {"床": 3},
    {"file": "a.pth", "training": {"epoch": 3, "lr": 0.1}},
    Sample({"encoding": "png", "data": "AAAA"}, [[0.5, 0.5]]),
    ["a note"],
)
PLAIN = json.loads(CARD.to_json())


def test_round_trip() -> None:
    assert Card.from_json(CARD.to_json()) == CARD
    assert CARD.to_json().isascii()


def test_only_what_is_needed() -> None:
    least = {key: PLAIN[key] for key in ("task", "network", "tool", "input", "output")}
    assert Card.from_json(json.dumps(least)).labels == []


def test_a_card_of_version_1_is_read_and_becomes_one_of_today() -> None:
    old = {key: value for key, value in PLAIN.items() if key != "assumed"}
    assert Card.from_json(json.dumps({**old, "version": 1})) == CARD


def test_facts_that_json_has_not_are_written_so_that_they_can_be_read() -> None:
    origin = {"loss": math.nan, "best": math.inf, "time": 10**40, "name": "\ud800", "list": (1, 2)}
    read = Card.from_json(dataclasses.replace(CARD, origin=origin).to_json())
    assert read.origin == {"loss": None, "best": None, "time": str(10**40), "name": "?", "list": [1, 2]}


# -- fields of version 2 that are written only where they are used, and cards of later versions ------------------------

TABLE = Input("row", "table", [None, 4])
TWO = dataclasses.replace(
    CARD, others=[TABLE], sample=Sample({"encoding": "png", "data": "AAAA"}, [[0.5, 0.5]], others=[
        {"encoding": "json", "data": [[1, 2, 3, 4]]}])
)  # fmt: skip
LAST = Input("input", "image", [1, 224, 224, 3], "RGB", STEPS, "NHWC")


def test_what_is_not_used_is_not_written() -> None:
    """So the cards of all models so far are the same bytes."""
    assert set(PLAIN) == {field.name for field in dataclasses.fields(Card)} - {"others", "rest"}
    assert set(PLAIN["input"]) == {"name", "kind", "shape", "color", "steps"}
    assert set(PLAIN["output"]) == {"name", "scores"} and set(PLAIN["sample"]) == {"input", "output", "tolerance"}


@pytest.mark.parametrize("card", [TWO, dataclasses.replace(CARD, input=LAST)])
def test_several_inputs_and_layouts_are_read_again(card: Card) -> None:
    assert Card.from_json(card.to_json()) == card
    assert card.inputs == [card.input, *card.others] and card.input.sides() == (224, 224) and card.input.channels == 3


WRONG: dict[str, tuple[Card, str]] = {
    "two of one name": (dataclasses.replace(TWO, others=[dataclasses.replace(TABLE, name="input")]), "others"),
    "a text among them": (dataclasses.replace(TWO, others=[Input("row", "tokens", [None, 1])]), "others"),
    "a sample for one only": (dataclasses.replace(TWO, sample=CARD.sample), "sample.others"),
    "no picture, but a layout": (
        dataclasses.replace(TWO, others=[dataclasses.replace(TABLE, layout="NHWC")]),
        "layout",
    ),
    "a layout nobody knows": (dataclasses.replace(CARD, input=dataclasses.replace(LAST, layout="CHWN")), "layout"),
    "not laid out so": (dataclasses.replace(CARD, input=dataclasses.replace(LAST, shape=[1, 3, 224, 224])), "shape"),
}


@pytest.mark.parametrize("name", WRONG)
def test_inputs_that_cannot_be(name: str) -> None:
    card, field = WRONG[name]
    with pytest.raises(ModelError) as caught:
        Card.from_json(card.to_json())
    assert field in caught.value.en


def test_what_a_later_version_says_besides_is_kept() -> None:
    """And written again, where it stood."""
    later = {**copy.deepcopy(PLAIN), "version": 7, "licence": "MIT"}
    for name in ("input", "output", "sample"):
        later[name]["unit"] = {"of": name}
    card = Card.from_json(json.dumps(later))
    assert card.version == 7 and card.rest == {"licence": "MIT"} and card.labels == CARD.labels
    assert json.loads(card.to_json()) == later


@pytest.mark.parametrize(
    ("path", "value"),
    [("task", "song"), ("input.steps", [{"op": "flip"}]), ("input.steps", [{"op": "gray", "how": 1}]), ("labels", 1)],
)
def test_what_would_be_left_undone_is_refused_as_too_new(path: str, value: object) -> None:
    with pytest.raises(ModelError, match="has version 7"):
        Card.from_json(json.dumps({**changed(path, value), "version": 7}))


NEVER = object()
HOSTILE: Any = [
    ("task", "eval"), ("task", None), ("task", NEVER), ("network", 5), ("network", "x" * 20000), ("tool", "\ud800"),
    ("labels", "cat"), ("labels", [1]), ("labels", {"0": "a"}), ("vocabulary", {"a": -1}), ("vocabulary", {"a": True}),
    ("vocabulary", {"a": 1.0}), ("vocabulary", ["a"]), ("origin", []), ("notes", "x"), ("notes", ["x"] * 1001),
    ("version", 0), ("version", True), ("version", "1"), ("surprise", 1),
    ("input", None), ("input.kind", "video"), ("input.kind", "table"), ("input.kind", "tokens"), ("input.name", None),
    ("input.shape", [1, 3, 224]), ("input.shape", [1, 1, 224, 224]), ("input.shape", [1, 3, 10**6, 10**6]),
    ("input.shape", [1, 3, 0, 4]), ("input.shape", [1, 3, -1, 4]), ("input.shape", [1, 3, 2.0, 4]),
    ("input.shape", [1, None, 2, 4]), ("input.color", ""), ("input.color", "CMYK"), ("input.extra", 1),
    ("input.steps", [{"op": "exec"}]), ("input.steps", [{}]), ("input.steps", ["gray"]), ("input.steps", None),
    ("input.steps", [{"op": "gray"}] * 33), ("input.steps", [{"op": "gray", "x": 1}]),
    ("input.steps", [{"op": ["gray"]}]), ("input.steps", [{"op": "center_crop", "size": 224}]),
    ("input.steps", [{"op": "center_crop", "size": [224]}]), ("input.steps", [{"op": "center_crop"}]),
    ("input.steps", [{"op": "resize", "short": 256}]), ("input.steps", [{"op": "resize", "interpolation": "cv2"}]),
    ("input.steps", [{"op": "resize", "short": 9, "size": [9, 9], "interpolation": "cv2"}]),
    ("input.steps", [{"op": "resize", "short": 10**9, "interpolation": "cv2"}]),
    ("input.steps", [{"op": "resize", "short": 9, "interpolation": "nearest"}]),
    ("input.steps", [{"op": "pad", "border": [0, 0, 0, 10**9], "value": 0}]),
    ("input.steps", [{"op": "normalize", "mean": [1], "std": [1]}]),
    ("input.steps", [{"op": "normalize", "mean": [1, 1, 1], "std": [1, 0, 1]}]),
    ("assumed", "color"), ("assumed", ["weather"]), ("assumed", ["color"] * 6),
    ("output", "x"), ("output.scores", "sigmoid"), ("output.name", 1),
    ("sample", []), ("sample.output", 1), ("sample.output", ["x"]), ("sample.tolerance", 9e9), ("sample.tolerance", 0),
    ("sample.input", {"encoding": "pickle", "data": ""}), ("sample.input", {"encoding": "png", "data": [1]}),
    ("sample.input", {"encoding": "json", "data": "x"}), ("sample.input", {"encoding": "json", "data": [{"a": 1}]}),
]  # fmt: skip


def changed(path: str, value: object) -> Any:
    card = copy.deepcopy(PLAIN)
    inner, names = card, path.split(".")
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = value
    if value is NEVER:
        del inner[names[-1]]
    return card


@pytest.mark.parametrize(("path", "value"), HOSTILE)
def test_hostile_fields(path: str, value: object) -> None:
    with pytest.raises(ModelError) as caught:
        Card.from_json(json.dumps(changed(path, value)))
    assert path.split(".")[0] in caught.value.en or path == "version"
    assert len(caught.value.en) < 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "5",
        '"card"',
        "{",
        "{}",
        "[" * 100000,
        '{"a":' * 100000,
        "1" * 100000,
        CARD.to_json().replace("0.1", "NaN"),
        CARD.to_json().replace("0.1", "1e999"),
        CARD.to_json().replace("0.1", "-Infinity"),
        CARD.to_json().replace("0.1", "9" * 5000),
        CARD.to_json().replace("0.1", "[" * 50 + "]" * 50),
        CARD.to_json()[:-1] + ', "task": "values"}',
        " " * (1 << 25),
    ],
)
def test_hostile_texts(text: str) -> None:
    with pytest.raises(ModelError):
        Card.from_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
PLACES = sorted({path for path, _ in HOSTILE} | {"labels", "sample.input.data", "input.steps"})


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PLACES), value=JSON)
def test_any_value_anywhere_is_read_or_refused(path: str, value: object) -> None:
    try:
        card = Card.from_json(json.dumps(changed(path, value)))
    except ModelError:
        return
    assert Card.from_json(card.to_json()) == card


@settings(max_examples=200, deadline=None)
@given(text=st.text() | JSON.map(json.dumps))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        Card.from_json(text)
