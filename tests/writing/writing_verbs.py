"""Every verb that writes: how it is called, and what its result's name ends with."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PIL import Image

import qingzhou
from qingzhou import demo

LENET = Path(demo.__file__).with_name("lenet_digits.pth")
DIGIT = Path(demo.__file__).with_name("digit.png")
# "=" stands for the place; what comes before it is also the source that must stay
VERBS = {
    "convert": ("convert best.pth -o =", "onnx"),
    "quantize": ("quantize ready.onnx --precision fp16 -o =", "onnx"),
    "export": ("export ready.onnx --engine onnxruntime -o =", "ort"),
    "evaluate": ("evaluate ready.onnx data --html =", "html"),
    "run": ("run ready.onnx photo.png --coco =", "json"),
    "bundle": ("bundle ready.onnx --device pc -o =", "zip"),
    "report": ("report --reference report.json --html =", "html"),
}


def furnish(folder: Path) -> None:
    """A checkpoint, a model, a picture, data with answers, a report."""
    shutil.copy(LENET, folder / "best.pth")
    shutil.copy(DIGIT, folder / "photo.png")
    qingzhou.convert(folder / "best.pth", folder / "made" / "ready.onnx")
    shutil.copy(folder / "made" / "ready.onnx", folder)
    shutil.rmtree(folder / "made")
    for label in range(10):
        (folder / "data" / str(label)).mkdir(parents=True)
        Image.fromarray(np.full((28, 28), 20 * label, np.uint8)).save(folder / "data" / str(label) / "a.png")
    (folder / "report.json").write_text("{}", "utf-8")


def words(verb: str, place: object) -> list[str]:
    return [word.replace("=", str(place)) if word == "=" else word for word in VERBS[verb][0].split()]


def source(verb: str) -> str:
    return next(word for word in VERBS[verb][0].split()[1:] if "." in word)
