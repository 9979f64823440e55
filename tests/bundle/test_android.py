"""The bundle for an Android app: what LiteRT's own reader finds in the file, and what the README tells of the app."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from qingzhou.bundle.build import build
from qingzhou.devices import load
from qingzhou.errors import OptionError
from qingzhou.model import load as load_model

ORACLE = Path(__file__).parents[1] / "oracle"
LENET, MOBILENET = ORACLE / "trained/lenet_digits.pth", ORACLE / "trained/mobilenet_digits.pth"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_file_holds_labels_and_the_readme_its_numbers(language: str, tmp_path: Path) -> None:
    """The metadata's labels lie in a zip at the file's end, as Android's reader takes them; lines with our numbers."""
    made = build(MOBILENET, "安卓", out=tmp_path / "app", lang=language)
    assert {"mobilenet_digits.litert.tflite", "labels.txt", "card.json", "README.md", "bundle.json"} == set(made.files)
    with zipfile.ZipFile(made.path / "mobilenet_digits.litert.tflite") as archive:
        assert archive.read("labels.txt") == (made.path / "labels.txt").read_bytes()
    text = (made.path / "README.md").read_text("utf-8")
    card = load_model(made.path / "mobilenet_digits.litert.tflite").card
    step = next(step for step in card.input.steps if step["op"] == "normalize")
    found = [tuple(map(float, pair)) for pair in re.findall(r"[rgb] - ([\d.]+)f\) / ([\d.]+)f", text)]
    assert found == [pytest.approx(pair) for pair in zip(step["mean"], step["std"], strict=True)]
    assert "Pair(224, 224)" in text and ".mdl" in text and "256" in text
    assert (("Not run on a phone" in text) == (language == "en")) and "$" not in text


def test_grey_pictures_and_their_size(tmp_path: Path) -> None:
    made = build(LENET, "android", out=tmp_path / "app.zip", lang="en")
    with zipfile.ZipFile(made.path) as archive:
        text = archive.read("app/README.md").decode("utf-8")
    assert "Pair(32, 32)" in text and "1 x 32 x 32 x 1" in text and "0.587f" in text


def test_a_detector_gets_no_steps_of_an_app_that_classifies(tmp_path: Path) -> None:
    made = build(ORACLE / "trained_ssd/checkpoint.pth", "android", out=tmp_path / "app", lang="en")
    text = (made.path / "README.md").read_text("utf-8")
    assert "Pair(" not in text and "card.json" in text


def test_what_an_app_has_not(tmp_path: Path) -> None:
    for options in ({"scene": "camera"}, {"actions": ["speak"]}, {"offline": True}):
        with pytest.raises(OptionError):
            build(LENET, "android", out=tmp_path / "app", **options)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
    assert load("android").is_app and not load("android").is_page and not load("pc").is_app
