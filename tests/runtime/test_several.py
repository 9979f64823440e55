"""Networks that take several inputs at once, and pictures that lie pixel by pixel."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper

from qingzhou.bench import bench
from qingzhou.bundle.browser import PAGE, write_page
from qingzhou.cli import main
from qingzhou.errors import InputError, ModelError, OptionError, SelfTestFailed
from qingzhou.runtime import load
from qingzhou.runtime.model.answers import look
from qingzhou.runtime.model.card import KEY, Card, Input, Output, Sample
from qingzhou.runtime.model.decoding import KINDS
from qingzhou.runtime.model.levels import DECODERS
from qingzhou.runtime.model.prepare import prepare, prepare_view
from qingzhou.scenes import needs, program

RNG = np.random.default_rng(5)
PICTURE = RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8)
SAMPLE = [{"encoding": "json", "data": [[1, 2]]}, {"encoding": "json", "data": [[[3, 4, 5]]]}]
ROW, ARRAY = Input("row", "table", [None, 2]), Input("array", "array", [None, 1, 3])
CARD = Card("regression", "Two", "PyTorch", ROW, Output("y", "values"), others=[ARRAY])


def two(path: Path, card: Card = CARD) -> Path:
    """y = the sum of the row, and that of the array, side by side."""
    nodes = [
        helper.make_node("ReduceSum", ["row", "one"], ["a"], keepdims=1),
        helper.make_node("ReduceSum", ["array", "two"], ["b3"], keepdims=1),
        helper.make_node("Flatten", ["b3"], ["b"]),
        helper.make_node("Concat", ["a", "b"], ["y"], axis=1),
    ]
    inputs = [
        helper.make_tensor_value_info("row", TensorProto.FLOAT, ["n", 2]),
        helper.make_tensor_value_info("array", TensorProto.FLOAT, ["n", 1, 3]),
    ]
    axes = [
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("two", TensorProto.INT64, [1], [2]),
    ]
    graph = helper.make_graph(
        nodes, "two", inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])], axes
    )
    return saved(path, graph, card)


def saved(path: Path, graph: onnx.GraphProto, card: Card) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {KEY: card.to_json()})
    onnx.save(model, str(path))
    return path


def test_each_input_is_given_by_its_name(tmp_path: Path) -> None:
    model = load(two(tmp_path / "m.onnx"))
    assert model.predict({"array": [[3, 4, 5]], "row": [1, 2]}).scores.tolist() == [3, 12]
    several = model.predict({"row": [[1, 2], [3, 4]], "array": [[[3, 4, 5]], [[0, 0, 1]]]})
    assert [answer.scores.tolist() for answer in several] == [[3, 12], [7, 1]]
    (tmp_path / "rows.csv").write_text("1,2\n3,4\n")
    found = model.predict({"row": tmp_path / "rows.csv", "array": [[[0, 0, 0]], [[0, 0, 1]]]})
    assert [answer.scores.tolist() for answer in found] == [[3, 0], [7, 1]]


def test_info_shows_each(tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["info", str(two(tmp_path / "m.onnx")), "--lang", "en"])
    assert "row: N x 2  (table)" in shown.output and "array: N x 1 x 3  (array)" in shown.output
    told = CliRunner().invoke(main, ["info", str(tmp_path / "m.onnx"), "--json"])
    assert [(one["name"], one["shape"]) for one in json.loads(told.output)["others"]] == [("array", [None, 1, 3])]


def test_it_is_timed_on_its_sample(tmp_path: Path) -> None:
    """Data sets have no such inputs."""
    card = dataclasses.replace(CARD, sample=Sample(SAMPLE[0], [[3, 12]], others=SAMPLE[1:]))
    path = two(tmp_path / "m.onnx", card)
    (row,) = bench([path], ["onnxruntime"], ["fp32"]).rows
    assert row.error is None and row.network is not None
    (tmp_path / "rows.csv").write_text("1,2,label\n")
    (row,) = bench([path], ["onnxruntime"], ["fp32"], data=tmp_path / "rows.csv").rows
    assert row.error is not None and "(row, array)" in str(row.error)


def test_the_sample_has_a_part_for_each(tmp_path: Path) -> None:
    model = load(
        two(tmp_path / "m.onnx", dataclasses.replace(CARD, sample=Sample(SAMPLE[0], [[3, 12]], others=SAMPLE[1:])))
    )
    assert model.check() == 0 and model.predict(model.sample_input()).scores.tolist() == [3, 12]
    wrong = dataclasses.replace(CARD, sample=Sample(SAMPLE[0], [[3, 13]], others=SAMPLE[1:]))
    with pytest.raises(SelfTestFailed):
        load(two(tmp_path / "w.onnx", wrong)).check()


REFUSED: dict[str, tuple[Any, str]] = {
    "one alone": ([1, 2], "takes 2 inputs at once (row, array), and got: list"),
    "a file": ("rows.csv", "got: rows.csv"),
    "one missing": ({"row": [1, 2]}, "got: row"),
    "one too many": ({"row": [1, 2], "array": [[3, 4, 5]], "more": 1}, "got: row, array, more"),
    "more of one": ({"row": [[1, 2], [3, 4]], "array": [[3, 4, 5]]}, "(row: 2, array: 1)"),
    "of another shape": ({"row": [1, 2, 3], "array": [[3, 4, 5]]}, "expects [N, 2]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_says_what_is_wanted(name: str, tmp_path: Path) -> None:
    data, said = REFUSED[name]
    with pytest.raises(InputError) as caught:
        load(two(tmp_path / "m.onnx")).predict(data)
    assert said in caught.value.en


def test_one_prepared_alone_is_not_run_with_zeros(tmp_path: Path) -> None:
    """As a state would be that nobody gives."""
    model = load(two(tmp_path / "m.onnx"))
    with pytest.raises(InputError, match="takes 2 inputs at once"):
        model.outputs(model.prepare([1, 2]))


def test_an_input_that_the_network_has_not(tmp_path: Path) -> None:
    card = dataclasses.replace(CARD, others=[dataclasses.replace(ARRAY, name="elsewhere")])
    with pytest.raises(ModelError, match="the input elsewhere"):
        load(two(tmp_path / "m.onnx", card))


def test_programs_and_pages_take_one(tmp_path: Path) -> None:
    for make in (
        lambda: program("sensor", CARD, "en", {}),
        lambda: write_page(two(tmp_path / "m.onnx"), CARD, tmp_path / "page", "en"),
    ):
        with pytest.raises(OptionError, match="inputs at once"):
            make()
    assert "several inputs" in program("basic", CARD, "en", {})
    assert "model.several" in needs([], [CARD]) and "model.several" not in needs(
        [], [dataclasses.replace(CARD, others=[])]
    )


# -- (N, H, W, C) ------------------------------------------------------------------------------------------------------

STEPS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "quick": [
        {"op": "resize", "size": [3, 4], "interpolation": "pillow"},
        {"op": "normalize", "mean": [1, 2, 3], "std": [4, 5, 6]},
    ],
    "step by step": [{"op": "resize", "size": [3, 4], "interpolation": "cv2"}, {"op": "gray"}],
}


@pytest.mark.parametrize("name", STEPS)
def test_pictures_lie_as_the_network_takes_them(name: str) -> None:
    """The same numbers, and the same is seen in them."""
    first = Input("x", "image", [1, 3, 3, 4], "RGB", STEPS[name])
    last = Input("x", "image", [1, 3, 4, 3], "RGB", STEPS[name], "NHWC")
    (planes, view), (pixels, other) = prepare_view(PICTURE, first), prepare_view(PICTURE, last)
    assert pixels.shape == (1, 3, 4, 3) and pixels.flags.c_contiguous and view == other
    assert np.array_equal(pixels.transpose(0, 3, 1, 2), planes)
    assert look(PICTURE, planes, first) == look(PICTURE, pixels, last)


def test_a_grey_picture_lies_so_as_well() -> None:
    entry = Input("x", "image", [1, 6, 8, 1], "RGB", [{"op": "gray"}], "NHWC")
    assert prepare(PICTURE, entry).shape == (1, 6, 8, 1)


def test_a_network_of_pixels_answers_for_a_picture(tmp_path: Path) -> None:
    """The mean of each channel: of a red picture, red."""
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2], keepdims=0)]
    graph = helper.make_graph(
        nodes,
        "pixels",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 4, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
    )
    entry = Input("x", "image", [1, 2, 4, 3], "RGB", [], "NHWC")
    card = Card("classification", "Mean", "PyTorch", entry, Output("y", "logits"), ["red", "green", "blue"])
    red = np.zeros((20, 10, 3), np.uint8)
    red[..., 0] = 200
    answer = load(saved(tmp_path / "m.onnx", graph, card)).predict(red)
    assert (answer.label, answer.confidence) == ("red", 1.0)


# -- the table of raw predictions --------------------------------------------------------------------------------------


def test_browsers_know_the_same_kinds_of_raw_predictions() -> None:
    """One table: what a card must say of them, in both."""
    text = (PAGE / "kinds.js").read_text("utf-8")
    (table,) = re.findall(r"export const KINDS = (\{.*\});", text, re.DOTALL)
    assert json.loads(table) == KINDS
    decode = (PAGE / "decode.js").read_text("utf-8")
    (functions,) = re.findall(r"const DECODERS = \{(.*)\};", decode)
    levels = {kind for kind, how in KINDS.items() if how["outputs"]}
    assert set(re.findall(r"\w+", functions)) == levels == set(DECODERS)
