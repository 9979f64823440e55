"""Every way in which a picture may be stored gives the same answer; one that cannot be read is a row of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from passengers import digits
from qingzhou.cli import main
from qingzhou.conversion import run_conversion
from qingzhou.model import Model

TRAINED = Path(__file__).parent / "oracle" / "trained" / "lenet_digits.pth"
DIGIT = next(path for path, shown in digits() if shown == "3")
EIGHT = next(path for path, shown in digits() if shown == "8")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return run_conversion(TRAINED, tmp_path_factory.mktemp("model")).model


def grey() -> Image.Image:
    return Image.open(DIGIT).convert("L")


def palette(path: Path) -> None:
    grey().convert("P", palette=Image.Palette.ADAPTIVE).save(path)


def sixteen_bits(path: Path) -> None:
    Image.fromarray(np.asarray(grey()).astype(np.uint16) * 257).save(path)


def behind_glass(path: Path) -> None:
    """Fully transparent, with the digit in the hidden colours, as OpenCV and the training see it."""
    picture = grey().convert("RGBA")
    picture.putalpha(0)
    picture.save(path)


def turned(tag: int, transpose: Image.Transpose) -> Callable[[Path], None]:
    """Stored lying or mirrored, with the EXIF tag that says how to put it upright."""

    def save(path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = tag
        grey().convert("RGB").transpose(transpose).save(path, exif=exif, quality=95)

    return save


def animated(path: Path) -> None:
    """The first frame counts; the second shows another digit."""
    second = Image.open(EIGHT).convert("RGB")
    grey().convert("RGB").save(path, save_all=True, append_images=[second], lossless=True)


def plain(mode: str, **options: int) -> Callable[[Path], None]:
    return lambda path: grey().convert(mode).save(path, **options)


PICTURES = {
    "grey.png": plain("L"), "grey.bmp": plain("L"), "grey.pgm": plain("L"), "grey.tiff": plain("L"),
    "grey.jpg": plain("L", quality=95), "colour.png": plain("RGB"), "colour.jpg": plain("RGB", quality=95),
    "colour.ppm": plain("RGB"), "ink.jpg": plain("CMYK", quality=95), "alpha.png": plain("RGBA"),
    "grey alpha.png": plain("LA"), "glass.png": behind_glass, "palette.png": palette, "palette.gif": palette,
    "sixteen bits.png": sixteen_bits, "sixteen bits.tiff": sixteen_bits,
    "left.jpg": turned(6, Image.Transpose.ROTATE_90), "right.jpg": turned(8, Image.Transpose.ROTATE_270),
    "upside down.png": turned(3, Image.Transpose.ROTATE_180), "mirror.tiff": turned(2, Image.Transpose.FLIP_LEFT_RIGHT),
    "two.gif": animated, "two.png": animated, "two.webp": animated, "图 片.PNG": plain("L"),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_the_answer_does_not_depend_on_how_it_is_stored(name: str, model: Model, tmp_path: Path) -> None:
    PICTURES[name](tmp_path / name)
    wanted, found = model.predict(DIGIT), model.predict(tmp_path / name)
    assert found.label == wanted.label == "3" and found.confidence == pytest.approx(wanted.confidence, abs=0.02)


def bad(path: Path, kind: str) -> None:
    """A file that is no picture, or not a whole one."""
    data = DIGIT.read_bytes()
    contents = {
        "empty": b"",
        "text": b"not a picture",
        "cut": data[: len(data) // 2],
        "page": b"<html></html>",
        "altered": data[:60] + b"\xff" * 40 + data[100:],
        "huge": data[:16] + b"\x00\x01\x00\x00" * 2 + data[24:],
    }
    path.write_bytes(contents[kind])


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", ["empty", "text", "cut", "page", "altered", "huge"])
def test_a_picture_that_cannot_be_read(kind: str, lang: str, model: Model, tmp_path: Path) -> None:
    """It is said, with exit status 1, and the others are answered."""
    bad(tmp_path / "bad.png", kind)
    words = ["run", str(model.path), str(tmp_path / "bad.png"), str(DIGIT), "--json", "--lang", lang]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    first, second = json.loads(result.output)["results"]
    assert (first["error"], first["code"]) == ("ImageError", -203) and second["label"] == "3"
    assert first["message"].isascii() == (lang == "en")


@pytest.mark.parametrize("name", ["none.png", "none", "no folder/none.jpg"])
def test_a_picture_that_is_not_there(name: str, model: Model, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["run", str(model.path), str(tmp_path / name), "--json", "--lang", "en"])
    (only,) = json.loads(result.output)["results"]
    assert result.exit_code == 1 and (only["error"], only["code"]) == ("FileMissing", -103)
