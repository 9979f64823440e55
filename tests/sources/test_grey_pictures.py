"""Grey pictures without an axis for their channel: (N, 28, 28), as Keras' first lesson feeds its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from keras_files import ORACLE, reference
from PIL import Image

from qingzhou.conversion import run_conversion
from qingzhou.errors import InputError
from qingzhou.options import Options
from qingzhou.runtime.engine.session import open_session

MODEL = ORACLE / "jax_grey" / "model.keras"


def test_they_are_pictures_where_that_is_said(tmp_path: Path) -> None:
    (x,), (y,) = reference("jax_grey")
    made = run_conversion(MODEL, tmp_path / "grey.onnx", Options(preprocess="0-1")).model
    entry = made.card.input
    assert (entry.kind, entry.color, entry.shape) == ("image", "GRAY", [None, 1, 10, 10])
    assert (made.card.task, made.card.output.scores) == ("classification", "logits")
    found = open_session(tmp_path / "grey.onnx", once=True).run(None, {entry.name: x[:, None]})[0]
    assert np.allclose(found, y, atol=1e-5)
    for one, expected in zip(x, y, strict=True):
        Image.fromarray(np.rint(one * 255).astype(np.uint8)).save(tmp_path / "p.png")
        scores = np.exp(expected) / np.exp(expected).sum()
        assert np.allclose(made.predict(tmp_path / "p.png").scores, scores, atol=0.01)


def test_without_that_they_are_arrays_and_it_is_said_how(tmp_path: Path) -> None:
    made = run_conversion(MODEL, tmp_path / "grey.onnx").model
    assert made.card.input.kind == "array"
    assert any("10 x 10 numbers" in note and "preprocess=0-1" in note for note in made.card.notes)
    Image.fromarray(np.zeros((10, 10), np.uint8)).save(tmp_path / "p.png")
    with pytest.raises(InputError, match="is a picture, but this model takes numbers") as told:
        made.predict(tmp_path / "p.png")
    assert "是图片，而这个模型的输入是数值" in told.value.zh
