"""Spoken words, trained in BaseNN on the runtime's own spectrograms: from the recording to the answer as in torch."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import qingzhou
from passengers import SOUND, spectrograms
from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.runtime.listen import pictures_of
from qingzhou.runtime.predict import load

KEPT = np.load(SOUND / "scores.npz")
LABELS = KEPT["classes"].tolist()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(SOUND / "basenn.pth", tmp_path_factory.mktemp("sound"))


def chances(logits: np.ndarray) -> np.ndarray:
    """Softmax."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_the_file_says_all_that_is_needed(model: qingzhou.Model) -> None:
    """Grey pictures of 64 x 98 as the runtime makes them, divided by 255, and the names of the folders."""
    assert model.card.labels == LABELS and model.card.output.scores == "logits"
    assert (model.card.input.color, model.card.input.shape[1:]) == ("GRAY", [1, 64, 98])


def test_pictures_of_unheard_voices_score_as_in_torch(model: qingzhou.Model) -> None:
    right = 0
    for grey, truth, logits in zip(KEPT["pictures"], KEPT["truth"], KEPT["scores"], strict=True):
        found = model.predict(np.repeat(grey[..., None], 3, axis=2))
        np.testing.assert_allclose(found.scores, chances(logits), atol=1e-5)
        right += found.index == truth
    assert right == (KEPT["scores"].argmax(axis=1) == KEPT["truth"]).sum() >= 0.85 * len(KEPT["truth"])
    assert KEPT["right"] / KEPT["of"] > 0.9  # of all that were held out, in torch


def test_recordings_score_as_in_torch(model: qingzhou.Model, tmp_path: Path) -> None:
    """The way of the lesson: .wav, picture file, answer."""
    paths = pictures_of(str(SOUND / "heard"), str(tmp_path))
    assert [Path(path).stem for path in paths] == [f"{name}_0" for name in KEPT["names"]]
    for path, word, logits in zip(paths, KEPT["names"], KEPT["heard"], strict=True):
        found = model.predict(path)
        np.testing.assert_allclose(found.scores, chances(logits), atol=1e-5)
        assert found.label == word


@pytest.mark.parametrize("device", ["unihiker", "pi5"])
def test_int8_keeps_the_words(device: str, tmp_path: Path) -> None:
    """The bundle of the scene, INT8 within the promised half a point on data that were not calibrated with."""
    data = spectrograms(tmp_path / "pictures")
    made = build(
        SOUND / "basenn.pth",
        device,
        "listen",
        precision="int8",
        data=data,
        actions=["speak"],
        out=tmp_path / "bundle",
        lang="zh",
    )
    assert made.form.precision == "int8"
    assert made.form.accuracy is not None and made.form.accuracy >= 0.85
    assert made.form.size < 0.6 * (SOUND / "basenn.pth").stat().st_size
    assert made.rules == ("当 任何 高于 0.8：说(类别)",)
    small = load(next(path for path in made.path.iterdir() if path.suffix in (".onnx", ".param", ".tflite")))
    for path in pictures_of(str(SOUND / "heard"), str(tmp_path / "heard")):
        assert small.predict(path).label == Path(path).stem.partition("_")[0]
    with Image.open(made.path / "sample.png") as sample:
        assert sample.size == (98, 64)


def test_forgotten_names_are_those_of_the_folders(tmp_path: Path) -> None:
    """--labels takes the folder of training pictures: BaseNN's file has no names unless `classes` was given."""
    data = spectrograms(tmp_path / "pictures")
    (data / "跑").rename(data / "走")
    out = tmp_path / "words.onnx"
    done = CliRunner().invoke(main, ["convert", str(SOUND / "basenn.pth"), "-o", str(out), "--labels", str(data)])
    assert done.exit_code == 0, done.output
    assert load(out).card.labels == [*LABELS[:-1], "走"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_lesson_is_what_was_trained(language: str) -> None:
    """The network in the documentation, layer by layer."""
    lesson = (SOUND.parents[2] / "docs" / language / "scenes.md").read_text("utf-8")
    trained = (SOUND / "make.py").read_text("utf-8").replace("len(classes)", "5")
    layers = re.findall(r"model\.add\(.*\)", trained)
    assert len(layers) == 7 and re.findall(r"model\.add\(.*\)", lesson) == layers
    assert all(str(KEPT[key]) in lesson for key in ("right", "of"))
