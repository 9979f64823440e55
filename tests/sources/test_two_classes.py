"""Networks that give one number for two classes, as Keras' own lesson on cats and dogs makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from keras_files import ORACLE, reference

from qingzhou.answers import ranking
from qingzhou.conversion import run_conversion
from qingzhou.errors import LabelError
from qingzhou.options import Options
from qingzhou.runtime.engine.session import open_session
from qingzhou.runtime.model.answers import Prediction
from tflite_files import Op, flow, model


@pytest.mark.parametrize("case", ["jax_one_score", "jax_one_logit"])
def test_two_names_make_two_scores(case: str, tmp_path: Path) -> None:
    made = run_conversion(ORACLE / case / "model.keras", tmp_path / "two.onnx", Options(labels="cat,dog"))
    (x,), (y,) = reference(case)
    second = y if case == "jax_one_score" else 1 / (1 + np.exp(-y))
    found = open_session(tmp_path / "two.onnx", once=True).run(
        None, {made.model.card.input.name: x.transpose(0, 3, 1, 2)}
    )[0]
    assert np.allclose(found, np.concatenate([1 - second, second], axis=1), atol=1e-6)
    card = made.model.card
    assert (card.task, card.output.scores, card.labels) == ("classification", "probabilities", ["cat", "dog"])
    assert any("dog" in note for note in card.notes)


def test_without_names_it_is_a_number_and_how_to_name_them_is_said(tmp_path: Path) -> None:
    card = run_conversion(ORACLE / "jax_one_score" / "model.keras", tmp_path / "one.onnx").model.card
    assert card.task == "values"
    assert any('labels=["a", "b"]' in note for note in card.notes)
    card = run_conversion(ORACLE / "jax_one_logit" / "model.keras", tmp_path / "price.onnx").model.card
    assert not any("labels" in note for note in card.notes)  # it may be a price


def test_three_names_are_too_many_for_one_number(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="1 outputs"):
        run_conversion(ORACLE / "jax_one_score" / "model.keras", tmp_path / "x.onnx", Options(labels="a,b,c"))
    assert not list(tmp_path.iterdir())


def test_equal_scores_are_named_in_their_order() -> None:
    half = Prediction("cat", 0, 0.5, np.array([0.5, 0.5], np.float32))
    assert ranking(half, 2, ["cat", "dog"]) == [("cat", 0.5), ("dog", 0.5)]


def test_the_list_of_two_names_that_comes_with_a_tflite_file(tmp_path: Path) -> None:
    x = np.linspace(-4, 4, 5, dtype=np.float32)[:, None]
    data = model({"x": flow(1, 1), "y": flow(1, 1)}, [Op("LOGISTIC", ["x"], ["y"])], ["x"], ["y"])
    (tmp_path / "m.tflite").write_bytes(data)
    (tmp_path / "labels.txt").write_text("cat\ndog\n", "utf-8")
    card = run_conversion(tmp_path / "m.tflite", tmp_path / "m.onnx").model.card
    assert (card.task, card.labels) == ("classification", ["cat", "dog"])
    found = open_session(tmp_path / "m.onnx", once=True).run(None, {card.input.name: x[:1]})[0]
    assert np.allclose(found, [[1 - 1 / (1 + np.exp(4)), 1 / (1 + np.exp(4))]], atol=1e-6)
