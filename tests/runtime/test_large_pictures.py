"""Phone pictures: one decoded picture in memory, JPEGs decoded smaller where little is lost, the same answers."""

from __future__ import annotations

import io
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from qingzhou.cli import main
from qingzhou.errors import ImageError
from qingzhou.runtime import draw
from qingzhou.runtime.model import image, picture
from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.detect import Detection
from qingzhou.runtime.model.image import open_picture, read_for, read_image, size_of
from qingzhou.runtime.model.prepare import prepare, prepare_view


def entry(step: dict[str, Any], color: str = "RGB", size: tuple[int, int] | None = None) -> Input:
    shape = [1, 1 if color == "GRAY" else 3, *(size or (None, None))]
    return Input("x", "image", shape, color, [{"op": "resize", **step}])


def jpeg(image: Image.Image, turn: int = 1, **options: Any) -> bytes:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = turn
    image.save(file, "JPEG", exif=exif, **options)
    return file.getvalue()


def resized(data: bytes, width: int, height: int) -> bytes:
    """A JPEG of 16 x 16 pixels that says it has others."""
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return data.replace(b"\x08\x00\x10\x00\x10\x03", b"\x08" + size + b"\x03")


def grey_jpeg(width: int, height: int) -> bytes:
    """A whole JPEG of one grey, of any size: the code of a group of 16 x 16 pixels has 32 bits there."""
    data = resized(jpeg(Image.new("RGB", (16, 16), (128, 128, 128)), quality=75), width, height)
    start = data.index(b"\xff\xda") + 14
    return data[:start] + b"\x28\xa2\x8a\x00" * (-(-width // 16) * -(-height // 16)) + b"\xff\xd9"


HALVED = {"subsampling": "4:2:0", "progressive": True}
SHORT = {"short": 256, "interpolation": "pillow"}
PICKED = {"short": 256, "interpolation": "cv2"}
LARGEST = grey_jpeg(16320, 12240)


@pytest.mark.parametrize(
    ("size", "step", "times"),
    [
        ((640, 480), SHORT, 1),
        ((4000, 3000), SHORT, 4),
        ((3000, 4000), SHORT, 4),
        ((1300, 1290), SHORT, 2),
        ((1300, 1270), SHORT, 1),
        ((8000, 6000), SHORT, 8),
        ((4000, 3000), {"size": [224, 900], "interpolation": "pillow"}, 1),
        ((6000, 4000), PICKED, 1),
        ((8000, 6000), PICKED, 1),
        ((12000, 9000), PICKED, 4),
        ((16320, 12240), PICKED, 4),
        ((8000, 6000), {"size": [3000, 4000], "interpolation": "cv2"}, 1),
        ((9248, 6944), {"size": [4000, 4000], "interpolation": "cv2"}, 1),
        ((12000, 9000), {"size": [3000, 6000], "interpolation": "cv2"}, 2),
    ],
)
def test_what_is_decoded(size: tuple[int, int], step: dict[str, Any], times: int) -> None:
    """Pillow's antialiased resize keeps GAP times its size; OpenCV's, which picks pixels, gets all that fit a board."""
    found = read_for(grey_jpeg(*size), entry(step))
    assert found.size == size[::-1] and found.shape == (size[1] // times, size[0] // times)
    assert read_for(Image.new("RGB", (2000, 1500)), entry(SHORT)).shape == (1500, 2000)


@pytest.mark.parametrize("step", [SHORT, PICKED])
def test_phones_of_108_and_200_million_pixels(step: dict[str, Any]) -> None:
    for data in (grey_jpeg(12000, 9000), LARGEST):
        found = prepare(read_for(data, entry(step)), entry(step))
        assert found.shape == (1, 3, 256, 341) and (found == 128).all()


def scan_by_scan() -> bytes:
    start = LARGEST.index(b"\xff\xda")
    return LARGEST[:start] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + LARGEST[start + 14 : start + 3000]


def png(width: int, height: int) -> bytes:
    """One that is cut off after some lines."""
    parts = b"\x89PNG\r\n\x1a\n"
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    for name, body in ((b"IHDR", size + b"\x08\x02\x00\x00\x00"), (b"IDAT", zlib.compress(bytes(9999)))):
        parts += len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")
    return parts


@pytest.mark.parametrize(
    "data",
    [
        resized(grey_jpeg(16, 16), 65535, 65535),
        jpeg(Image.new("RGB", (64, 64)), progressive=True).replace(
            b"\x08\x00\x40\x00\x40\x03", b"\x08\x30\x00\x30\x00\x03"
        ),
        scan_by_scan(),
        png(12000, 9000),
        png(60000, 60000),
    ],
    ids=["4 thousand million", "progressive", "scan by scan", "png", "large png"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_would_fill_the_memory_is_still_refused(data: bytes) -> None:
    for about in (entry(SHORT), entry(PICKED)):
        with pytest.raises(ImageError, match="too large"):
            read_for(data, about)
    with pytest.raises(ImageError, match="too large"):
        read_image(data, "RGB")


def test_the_whole_of_what_is_too_large_to_be_decoded_is_refused() -> None:
    with pytest.raises(ImageError, match="too large"):
        read_image(LARGEST, "RGB")
    with pytest.raises(ImageError, match="too large"):
        read_for(LARGEST, entry(SHORT), exact=True)
    with pytest.raises(ImageError):
        read_for(LARGEST[: len(LARGEST) // 2], entry(SHORT))


def scene(width: int, height: int) -> np.ndarray:
    """Soft shapes, sharp edges, and the noise of a sensor."""
    rng, size = np.random.default_rng(5), (width, height)
    soft = Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).resize(size, Image.Resampling.BICUBIC)
    edges = Image.fromarray(rng.integers(0, 2, (36, 48), np.uint8) * 90).resize(size, Image.Resampling.NEAREST)
    both = np.asarray(soft) * 0.6 + np.asarray(edges)[..., None] + rng.normal(0, 4, (height, width, 1))
    return Image.fromarray(both.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("color", ["RGB", "BGR", "GRAY"])
def test_decoded_smaller_it_differs_by_little(turn: int, color: str) -> None:
    """Sides that no reduction divides: nothing may move to one side, whichever way the picture is turned."""
    about = entry({"short": 80, "interpolation": "pillow"}, color)
    data = jpeg(scene(1003, 805), turn, quality=90)
    smaller, whole = read_for(data, about), read_for(data, about, exact=True)
    assert smaller.shape != whole.shape == whole.size == smaller.size
    found, view = prepare_view(smaller, about)
    expected, there = prepare_view(whole, about)
    assert view == there
    difference = np.abs(found - expected)
    assert difference.mean() < 0.8 and difference.max() <= 8
    np.testing.assert_array_equal(expected, prepare(read_image(data, color), about))


@pytest.mark.parametrize("turn", [1, 6])
@pytest.mark.parametrize("color", ["BGR", "GRAY"])
@pytest.mark.parametrize(
    ("mode", "how"),
    [("RGB", {"progressive": True}), ("RGB", {"subsampling": "4:4:4"}), ("L", {}), ("CMYK", {}), ("CMYK", HALVED)],
    ids=str,
)
def test_so_do_jpegs_of_other_forms(mode: str, how: dict[str, Any], color: str, turn: int) -> None:
    about = entry({"short": 80, "interpolation": "pillow"}, color)
    data = jpeg(scene(1003, 805).convert(mode), turn, quality=90, **how)
    smaller, whole = read_for(data, about), read_for(data, about, exact=True)
    assert smaller.shape != whole.shape == whole.size == smaller.size
    difference = np.abs(prepare(smaller, about) - prepare(whole, about))
    assert difference.mean() < 0.8 and difference.max() <= 8


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("color", ["RGB", "BGR"])
@pytest.mark.parametrize("size", [(96, 64), (83, 61), (50, 97)])
@pytest.mark.parametrize("progressive", [False, True])
def test_half_colours_become_libjpegs_pixels(
    progressive: bool, size: tuple[int, int], color: str, turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of large JPEGs the colours stay as the file has them, and become pixels where OpenCV's resize looks."""
    monkeypatch.setattr(image, "HALVED", 0)
    monkeypatch.setattr(picture, "STRIP", 1000)
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    data = jpeg(Image.fromarray(noise), turn, quality=85, progressive=progressive)
    upright = read_image(data, color)
    for wanted in ([17, 23], [90, 40], [*upright.shape[:2]]):
        about = entry({"size": wanted, "interpolation": "cv2"}, color)
        found = read_for(data, about)
        assert type(found) is picture.HalfColours
        np.testing.assert_array_equal(prepare(found, about), prepare(upright, about))


@pytest.mark.parametrize(
    ("options", "half"),
    [
        ({"subsampling": 2}, True),
        ({"subsampling": 1}, False),
        ({"subsampling": 0}, False),
        ({"keep_rgb": True}, False),
    ],
)
def test_which_jpegs_have_half_colours(options: dict[str, Any], half: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others become smaller where they are too large; so do all, where libjpeg does otherwise."""
    monkeypatch.setattr(image, "HALVED", 0)
    monkeypatch.setattr(image, "LARGE", 2 * 640 * 480)
    data, about = jpeg(scene(640, 480), **options), entry({"short": 60, "interpolation": "cv2"})
    assert read_for(data, about).shape == ((480, 640) if half else (240, 320))
    assert type(read_for(data, about, exact=True)) is (picture.HalfColours if half else picture.Picture)
    monkeypatch.setattr(picture, "_is_libjpeg_turbo", lambda: False)
    assert read_for(data, about).shape == (240, 320)


@pytest.mark.parametrize("turn", [1, 2, 5, 8])
def test_of_far_too_large_ones_opencvs_resize_takes_the_right_places(
    turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slope: which pixels are picked shows in their brightness."""
    y, x = np.mgrid[:403, :605]
    data = jpeg(Image.fromarray(np.dstack([x * 0.4, y * 0.6, 0 * x]).astype(np.uint8)), turn, quality=95)
    about = entry({"size": [50, 60], "interpolation": "cv2"})
    monkeypatch.setattr(image, "LARGE", 403 * 605)
    smaller = read_for(data, about)
    assert smaller.shape != smaller.size
    assert np.abs(prepare(smaller, about) - prepare(read_for(data, about, exact=True), about)).max() <= 3


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(
    "step",
    [
        {"size": [24, 31], "interpolation": "pillow"},
        {"size": [24, 31], "interpolation": "cv2"},
        {"size": [90, 70], "interpolation": "cv2"},
        {"size": [61, 83], "interpolation": "cv2"},
        {"size": [83, 61], "interpolation": "pillow"},
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
def test_part_by_part_is_bit_for_bit_the_whole(
    mode: str, step: dict[str, Any], turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "STRIP", 300)
    pixels = np.random.default_rng(4).integers(0, 256, (61, 83, 3), np.uint8)
    made = Image.fromarray(pixels)
    made = Image.fromarray(pixels[..., 0].astype(np.uint16) * 256) if mode == "I;16" else made.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = turn
    file = io.BytesIO()
    made.save(file, "TIFF" if mode == "CMYK" else "PNG", exif=exif)
    for color in ("RGB", "BGR", "GRAY"):
        about = entry(step, color)
        upright = read_image(file.getvalue(), color)
        assert upright.shape[:2] == ((83, 61) if turn > 4 else (61, 83)) == size_of(file.getvalue())
        np.testing.assert_array_equal(prepare(read_for(file.getvalue(), about), about), prepare(upright, about))


@pytest.mark.parametrize("said", ["1", "yes", "0", ""])
def test_the_switch(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_EXACT", said)
    data = jpeg(scene(2000, 1500))
    whole = said in ("1", "yes")
    assert read_for(data, entry(SHORT)).shape == ((1500, 2000) if whole else (750, 1000))
    assert read_for(data, entry(SHORT), exact=False).shape == (750, 1000)


@pytest.mark.parametrize("verb", ["run", "evaluate", "quantize"])
def test_the_command_line_has_it(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINGZHOU_EXACT", "0")
    CliRunner().invoke(main, [verb, "missing.onnx", *(["--data"] if verb == "quantize" else []), "missing", "--exact"])
    assert image.wants_exact()


def test_it_is_said_where_opencvs_resize_gets_other_pixels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image._tell_once.cache_clear()
    data = jpeg(Image.new("RGB", (640, 480)))
    read_for(data, entry(PICKED))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(image, "LARGE", 640 * 480)
    for _ in range(2):
        read_for(data, entry({"short": 60, "interpolation": "cv2"}))
    assert capsys.readouterr().err.count("QINGZHOU_EXACT") == 1


def test_pictures_to_be_shown_are_made_small_early() -> None:
    data = jpeg(scene(1600, 1200), 6)
    assert open_picture(data).size == (1200, 1600)
    assert open_picture(data, 200).size == (300, 400) and open_picture(data, 500).size == (1200, 1600)
    assert open_picture(LARGEST).size == (8160, 6120)


def test_boxes_are_drawn_in_the_right_place_where_the_picture_had_to_be_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for room in (image, picture):
        monkeypatch.setattr(room, "MOST_PIXELS", 400 * 300)
    drawn = draw.draw(jpeg(Image.new("RGB", (800, 600))), [Detection("", 0, 0.5, (200.0, 400.0, 600.0, 500.0))])
    assert drawn.size == (400, 300)
    lit = np.asarray(drawn)[:, 250].any(axis=-1).nonzero()[0]
    assert (lit.min(), lit.max()) == (200, 250)


PEAK = """
import io, resource, sys
from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.image import read_for
from qingzhou.runtime.model.prepare import prepare
step = {"op": "resize", "size": [224, 224], "interpolation": sys.argv[1]}
entry = Input("x", "image", [1, 3, 224, 224], "RGB", [step])
prepare(read_for(sys.stdin.buffer.read(), entry), entry)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere, or is not there")
@pytest.mark.parametrize("interpolation", ["pillow", "cv2"])
def test_the_memory_for_48_million_pixels_turned(interpolation: str) -> None:
    """It was 700 MB. A child's peak starts at this process's, so another one in between starts it."""
    data = grey_jpeg(8000, 6000).replace(b"\xff\xd8", b"\xff\xd8" + turned_by(6), 1)
    between = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', *sys.argv[1:]]).returncode)"
    said = subprocess.run(
        [sys.executable, "-c", between, PEAK, interpolation], input=data, stdout=subprocess.PIPE, check=True
    )
    assert int(said.stdout) < 140_000


def turned_by(value: int) -> bytes:
    """The segment of a JPEG with this orientation."""
    exif = Image.Exif()
    exif[0x0112] = value
    body = exif.tobytes()
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
