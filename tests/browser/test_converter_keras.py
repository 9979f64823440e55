"""What Keras, TensorFlow Lite and Teachable Machine give, on the page of `qingzhou serve`: given as it came, converted,
and tried on a picture and with the camera: the class that Python says.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from converter import DESKTOP, PHONE, TEXTS, Open
from test_converter_page import camera_sees_the_same
from test_converter_yolo import shot

import qingzhou
from passengers import ORACLE, digits, photo
from qingzhou.model import load

pytestmark = pytest.mark.browser
KERAS, DIGITS, LITE = ORACLE / "keras", ORACLE / "keras/digits_trained", ORACLE / "tflite"
PADDLE = ORACLE / "paddle/digits_trained"
PAGE = [KERAS / "tfjs_teachable" / name for name in ("model.json", "weights.bin", "metadata.json")]
LABELS = "".join(f"{i} 数字 {i}\n" for i in range(10))


def zipped(target: Path, parts: dict[str, Path], labels: str = "") -> Path:
    """A zip of files, as Teachable Machine packs them; with a labels.txt."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in parts.items():
            archive.write(path, name)
        if labels:
            archive.writestr("labels.txt", labels)
    return target


def given(name: str, folder: Path) -> list[Path]:
    """The files that somebody chooses at once; the first is the model."""
    zips = {
        "tm-my-image-model.zip": ({path.name: path for path in PAGE}, ""),
        "converted_tflite.zip": ({"model_unquant.tflite": LITE / "digits_float.tflite"}, LABELS),
    }
    if name in zips:
        return [zipped(folder / name, *zips[name])]
    files = {
        "converted_keras.zip": [KERAS / "teachable_machine/converted_keras.zip"],
        "model.json": PAGE,
        "model.h5": [DIGITS / "model.h5", DIGITS / "labels.txt"],
        "model.pdiparams": [PADDLE / "model.pdiparams", PADDLE / "model.json"],
        "digits_int8.tflite": [LITE / "digits_int8.tflite"],
    }
    chosen = files.get(name) or [DIGITS / name]
    return [Path(shutil.copyfile(path, folder / path.name)) for path in chosen]


@pytest.mark.parametrize(
    ("name", "size", "language"),
    [
        ("converted_keras.zip", PHONE, "zh"),
        ("tm-my-image-model.zip", DESKTOP, "en"),
        ("converted_tflite.zip", PHONE, "en"),
        ("model.json", DESKTOP, "zh"),
        ("model.keras", DESKTOP, "en"),
        ("model.h5", PHONE, "zh"),
        ("digits_int8.tflite", DESKTOP, "zh"),
        ("model.pdiparams", DESKTOP, "en"),
    ],
)
def test_a_model_is_taken_as_it_comes(
    name: str, size: tuple[int, int], language: str, visit: Open, tmp_path: Path
) -> None:
    files = given(name, tmp_path)
    names = (DIGITS / "labels.txt").read_text().split() if name == "model.h5" else None
    own = load(qingzhou.convert(files[0], tmp_path / "own.onnx", labels=names, check=False).path)
    guest = visit(size)
    page = guest.open(f"/?lang={language}")
    page.set_input_files("#files", [str(file) for file in files])
    page.wait_for_selector(".model:has(.what)", timeout=120_000)
    assert page.locator(".model").count() == 1 and page.is_hidden("#wrong")
    unnamed = "labels" in own.card.assumed
    assert page.locator(".model .chips li").all_inner_texts() == ([] if unnamed else list(own.card.labels))
    assert own.card.tool == page.inner_text(".model .tag")
    assert guest.fits()
    shot(page, f"{name}-given")
    page.check("input[name=device][value='']")
    guest.convert()
    guest.try_it()
    picture = next(digits())[0] if own.card.input.color == "GRAY" else photo(tmp_path / "photo.png", (300, 200))
    expected = own.predict(picture)
    page.set_input_files("#file", str(picture))
    page.wait_for_selector(".answer .first")
    assert page.inner_text(".answer .first").startswith(expected.label)
    np.testing.assert_allclose(
        page.evaluate("() => Array.from(qingzhou.view.answer.scores)"), expected.scores, atol=1e-5
    )
    assert guest.fits()
    shot(page, f"{name}-tried")
    if name == "converted_keras.zip":
        camera_sees_the_same(page, TEXTS[language]["camera"], own)
        shot(page, f"{name}-camera")
    guest.check()


def test_what_belongs_together_and_what_does_not(visit: Open, tmp_path: Path) -> None:
    """model.json alone says what is missing; a picture .zip is no model, and a model no pictures."""
    alone = Path(shutil.copyfile(PAGE[0], tmp_path / "model.json"))
    guest = visit()
    page = guest.open("/?lang=en")
    shot(page, "start-en")
    guest.give(alone)
    assert "weights.bin" in page.inner_text(".model .note.bad") and "together" in page.inner_text(".model .note.bad")
    shot(page, "alone")
    page = guest.open("/?lang=zh")
    pictures = zipped(tmp_path / "pictures.zip", {path.name: path for path, _ in list(digits())[:2]})
    guest.give(pictures, DIGITS / "model.keras")
    assert "pictures.zip 不是模型文件" in page.inner_text("#models")
    page.check("#int8")
    page.set_input_files("#zip", str(KERAS / "teachable_machine/converted_keras.zip"))
    page.wait_for_selector(".inside .note.bad")
    assert "是模型" in page.inner_text(".inside .note.bad")
    shot(page, "mistakes")
    guest.check()
