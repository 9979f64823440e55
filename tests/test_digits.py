"""Trained checkpoints of handwritten digits, from the picture's path to the answer; right as often as where trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from passengers import digits
from qingzhou.conversion import run_conversion
from qingzhou.model import Model
from qingzhou.options import Options
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


def test_a_mobilenet_v3_scores_what_torch_scored(tmp_path: Path) -> None:
    """Picture by picture: the probabilities that torch's own layers gave (oracle/trained_v3/make.py)."""
    place = ORACLE / "trained_v3"
    model = run_conversion(place / "checkpoint.pth", tmp_path / "v3.onnx", Options(input_size=(64, 64))).model
    assert model.card.network.startswith("MobileNetV3")
    kept, far, right = np.load(place / "scores.npz"), 0.0, [0, 0]
    torch = dict(zip(kept["paths"].tolist(), kept["scores"], strict=True))
    for path, digit in digits():
        theirs, ours = torch[f"{digit}/{path.name}"], model.predict(path)
        far = max(far, float(abs(theirs - ours.scores).max()))
        right[0] += str(theirs.argmax()) == digit
        right[1] += ours.label == digit
    assert far <= 1e-4 and right == [496, 496]


def test_with_the_division_by_255_forgotten_half_is_wrong(basenn: Model) -> None:
    """What happens to BaseNN's models in a hub that feeds 0 to 255; the accuracy above rests on the card."""
    steps = [step for step in basenn.card.input.steps if step["op"] != "normalize"]
    card = replace(basenn.card, input=replace(basenn.card.input, steps=steps))
    assert len(steps) < len(basenn.card.input.steps)
    assert right(Predictor(basenn.path, card=card)) == pytest.approx(SKEWED, abs=5)


def test_with_the_normalisation_inside_nothing_is_lost(basenn: Model, tmp_path: Path) -> None:
    """The form for XEduHub divides in the network itself, and its card says that nothing is left to do."""
    done = run_conversion(ORACLE / "digits" / "basenn.pth", tmp_path, Options(xeduhub=True))
    assert not [step for step in done.model.card.input.steps if step["op"] == "normalize"]
    pairs = [(basenn.predict(path).scores, done.model.predict(path).scores) for path, _ in list(digits())[::20]]
    assert max(abs(a - b).max() for a, b in pairs) <= 1e-5
