"""Models of Ultralytics as ncnn runs them: its names for the outputs, and its shapes, which have no batch."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from qingzhou.engines.ncnn.engine import _renamed
from qingzhou.runtime.model.card import Card, outputs_of
from qingzhou.runtime.model.detect import read

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))
from test_ultralytics import CASES, card_of, outputs


@pytest.mark.parametrize("name", ["detect", "segment", "pose", "obb"])
def test_its_names_and_shapes(name: str) -> None:
    card, given = card_of(CASES[name]), outputs(CASES[name])
    renamed = _renamed(card, ["images"], list(given))
    renamed = Card.from_json(renamed.to_json())
    assert renamed.input.name == "in0" and outputs_of(renamed) == [f"out{i}" for i in range(len(given))]
    found = read({f"out{i}": array[0] for i, array in enumerate(given.values())}, renamed)
    np.testing.assert_array_equal(found.rows(), read(given, card).rows())
