"""Trained checkpoints of handwritten digits, from the picture's path to the answer; right as often as where trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from passengers import digits
from qingzhou.convert import run_conversion
from qingzhou.model import Model
from qingzhou.runtime.predict import Predictor

ORACLE = Path(__file__).parent / "oracle"
RIGHT = 488  # of 497, in BaseNN and in mmcls alike
SKEWED = 264  # of 497, as BaseNN's own converter and XEduHub do it


def right(predictor: Predictor) -> int:
    return sum(predictor.predict(str(path)).label == digit for path, digit in digits())


@pytest.fixture(scope="module")
def basenn(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return run_conversion(ORACLE / "digits" / "basenn.pth", tmp_path_factory.mktemp("digits")).model


def test_basenn(basenn: Model) -> None:
    assert right(basenn.predictor) >= RIGHT


def test_mmedu(tmp_path: Path) -> None:
    done = run_conversion(ORACLE / "trained" / "lenet_digits.pth", tmp_path)
    assert (done.model.card.tool, done.model.card.network) == ("MMEdu", "LeNet-5")
    assert right(done.model.predictor) >= RIGHT


def test_with_the_division_by_255_forgotten_half_is_wrong(basenn: Model) -> None:
    """What happens to BaseNN's models in a hub that feeds 0 to 255; the accuracy above rests on the card."""
    steps = [step for step in basenn.card.input.steps if step["op"] != "normalize"]
    card = replace(basenn.card, input=replace(basenn.card.input, steps=steps))
    assert len(steps) < len(basenn.card.input.steps)
    assert right(Predictor(basenn.path, card=card)) == pytest.approx(SKEWED, abs=5)


def test_with_the_normalisation_inside_nothing_is_lost(basenn: Model, tmp_path: Path) -> None:
    """The form for XEduHub divides in the network itself, and its card says that nothing is left to do."""
    done = run_conversion(ORACLE / "digits" / "basenn.pth", tmp_path, xeduhub=True)
    assert not [step for step in done.model.card.input.steps if step["op"] == "normalize"]
    pairs = [(basenn.predict(path).scores, done.model.predict(path).scores) for path, _ in list(digits())[::20]]
    assert max(abs(a - b).max() for a, b in pairs) <= 1e-5
