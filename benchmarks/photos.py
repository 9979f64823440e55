"""Real photographs decoded smaller, against the same decoded whole: grey levels of what networks get, answers, scores.

    python benchmarks/photos.py [FOLDER ...]

Takes every JPEG of the folders and those below; without any those of scikit-learn and scikit-image, where they are
installed, whose samples are small: the sizes of the first table show more with them than a network of 224 does. Larger
ones lie in the source archives of thumbor (14 and 22 million pixels), in sigal's and in scikit-image's up to 0.17.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from measure import HERE, make
from PIL import Image

import qingzhou
from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.image import read_for
from qingzhou.runtime.model.prepare import prepare
from qingzhou.runtime.predict import Predictor, load

SIDES = (32, 64, 96, 128, 160, 192, 224)
SAMPLES = ("sklearn", "skimage")
ENDINGS = (".jpg", ".jpeg", ".jpe")
TRAINED = ("trained/mobilenet_digits.pth", "trained_v3/checkpoint.pth")  # on digits
RANDOM = "MobileNet"  # weights from a recipe: its scores move most


def photographs(folders: list[Path]) -> list[Path]:
    """The JPEGs of these folders, each once, that can be decoded whole."""
    found = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix.lower() in ENDINGS]
    return list({path.read_bytes(): path for path in found}.values())


def of_packages() -> list[Path]:
    """Where installed packages keep theirs."""
    specs = filter(None, map(importlib.util.find_spec, SAMPLES))
    return [Path(place) for spec in specs for place in spec.submodule_search_locations or ()]


def pairs(photos: list[Path], entry: Input) -> Iterator[tuple[Any, Any]]:
    """What the network gets of each photograph that is decoded smaller: so, and decoded whole."""
    for photo in photos:
        try:
            smaller = read_for(photo, entry, exact=False)
            if smaller.shape == smaller.size:
                continue
            whole = read_for(photo, entry, exact=True)
        except qingzhou.QingzhouError:  # cut off, or too large to be decoded whole
            continue
        yield prepare(smaller, entry), prepare(whole, entry)


def entry_of(side: int) -> Input:
    """A classifier's, without what comes after the colours."""
    steps = [
        {"op": "resize", "short": side * 256 // 224, "interpolation": "pillow"},
        {"op": "center_crop", "size": [side, side]},
    ]
    return Input("x", "image", [1, 3, side, side], "RGB", steps)


def levels(photos: list[Path]) -> None:
    """A line for each size of network."""
    for side in SIDES:
        apart = [np.abs(smaller - whole) for smaller, whole in pairs(photos, entry_of(side))]
        if apart:
            means = [float(one.mean()) for one in apart]
            print(
                f"{side:4}{len(apart):7} photographs: {statistics.mean(means):.2f} grey levels on average, "
                f"{max(means):.2f} in the worst, {max(float(one.max()) for one in apart):.0f} in the worst pixel"
            )


def answers(name: str, model: Predictor, photos: list[Path]) -> None:
    """A line for a network."""
    found = [[model.scores(batch).ravel() for batch in pair] for pair in pairs(photos, model.card.input)]
    if found:
        same = sum(smaller.argmax() == whole.argmax() for smaller, whole in found)
        apart = [float(np.abs(smaller - whole).max()) for smaller, whole in found]
        print(
            f"{name:24}{len(found):4} photographs: {same} answers are the same, scores differ by "
            f"{statistics.mean(apart):.5f} on average, {max(apart):.5f} at most"
        )


def main() -> None:
    """Both tables."""
    Image.MAX_IMAGE_PIXELS = None
    photos = photographs([Path(folder) for folder in sys.argv[1:]] or of_packages())
    if not photos:
        sys.exit("No photographs here: name a folder of JPEGs, or pip install scikit-learn scikit-image")
    print(f"{len(photos)} JPEGs")
    levels(photos)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(RANDOM, folder)
        oracle = HERE.parent / "tests" / "oracle"
        for checkpoint in (folder / f"{RANDOM}.pth", *(oracle / one for one in TRAINED)):
            called = f"{checkpoint.parent.name}/{checkpoint.stem}" if checkpoint.is_relative_to(oracle) else RANDOM
            model = qingzhou.convert(checkpoint, folder / "model.onnx")
            answers(called, load(model.path, threads=1), photos)


if __name__ == "__main__":
    main()
