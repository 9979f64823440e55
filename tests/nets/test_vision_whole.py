"""torchvision's networks saved whole answer as they did there: oracle/vision, whose make.py says how it was made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import qingzhou
from qingzhou.errors import use_language

VISION = Path(__file__).parents[1] / "oracle" / "vision"
KNOWN = json.loads((VISION / "answers.json").read_text("utf-8"))


def answered(file: Path, picture: np.ndarray, place: Path) -> np.ndarray:
    model = qingzhou.convert(file, place / "x.onnx", input_size=picture.shape[2:])
    assert (model.card.tool, model.card.output.scores) == ("torchvision", "logits")
    [[found]] = onnxruntime.InferenceSession(model.path).run(None, {"input": picture})
    return np.asarray(found)


@pytest.mark.parametrize("name", KNOWN["answers"])
def test_it_answers_as_there(name: str, tmp_path: Path) -> None:
    picture = np.random.Generator(np.random.PCG64(KNOWN["seed"])).normal(size=(1, 3, 64, 64)).astype(np.float32)
    expected = np.array(KNOWN["answers"][name])
    assert np.abs(answered(VISION / f"{name}.pth", picture, tmp_path) - expected).max() < 2e-5 * np.abs(expected).max()


def test_a_resnet(tmp_path: Path) -> None:
    with np.load(VISION / "resnet.npz") as made:
        picture, expected = made["in_x"], made["out_0"][0]
    assert np.abs(answered(VISION / "resnet.pth", picture, tmp_path) - expected).max() < 2e-5 * np.abs(expected).max()


def test_only_the_pictures_are_assumed(tmp_path: Path) -> None:
    use_language("en")
    card = qingzhou.convert(VISION / "shufflenet.pth", tmp_path / "x.onnx").card
    assert card.assumed == ["input_size", "resize", "color", "normalize", "labels"]
    assert card.input.shape == [None, 3, 224, 224] and "assumed: 224 x 224, short side 256" in card.notes[0]
