"""Pictures of every kind, read as OpenCV reads them and prepared as in training; needs no OpenCV."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from qingzhou.doors.engine import normalized
from qingzhou.errors import FileMissing, ImageError, ModelError
from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.image import read_for, read_image
from qingzhou.runtime.model.prepare import prepare, resize, short_side_to

Y, X = np.mgrid[:21, :34]
RGB = np.stack([X * 7, Y * 12, (X * Y) % 256], axis=-1).astype(np.uint8)
GREY = RGB[..., 2]
PICTURE = Image.fromarray(RGB)


def source(height: int, width: int, channels: int) -> np.ndarray:
    """The picture that cv2_linear.npz was made from, by cv2.resize of OpenCV 5.0.0 (4.5.5 gives the same)."""
    y, x, k = np.mgrid[:height, :width, :channels]
    made = ((x * x * 7 + y * y * 13 + x * y * 5 + k * 91 + (x * 31 ^ y * 17)) % 256).astype(np.uint8)
    return made[..., 0] if channels == 1 else made


with np.load(str(Path(__file__).with_name("cv2_linear.npz"))) as golden:
    GOLDEN = {name: golden[name] for name in golden.files}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_resize_is_opencvs_bit_for_bit(name: str) -> None:
    before, after = name.split("_")
    height, width = (int(n) for n in after.split("x"))
    found = resize(source(*(int(n) for n in before.split("x"))), height, width, "cv2")
    assert found.shape[:2] == (height, width)
    if found.size > 20000:  # of large ones only every fifth pixel is stored
        found = found[::5, ::5]
    np.testing.assert_array_equal(found, GOLDEN[name])


def test_resize_is_that_of_the_pillow_of_training() -> None:
    """The digest is of what Pillow 9.5 makes of a tall picture; Pillow 13 itself goes down first."""
    tall = np.random.Generator(np.random.PCG64(3)).integers(0, 256, (411, 37, 3)).astype(np.uint8)
    assert hashlib.sha256(resize(tall, 24, 24, "pillow").tobytes()).hexdigest()[:16] == "a89e0731df1f8248"


def test_bicubic_is_pillows() -> None:
    """Which goes across and down in the cheaper order: a level. Edges overshoot, and are cut to 0 to 255."""
    edges = np.kron(np.random.Generator(np.random.PCG64(5)).integers(0, 2, (9, 11, 3)) * 255, np.ones((7, 9, 1)))
    for picture in (edges.astype(np.uint8), RGB):
        for height, width in ((20, 31), (120, 200)):
            pillows = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
            found = resize(picture, height, width, "bicubic")
            assert np.abs(found.astype(int) - np.asarray(pillows)).max() <= 1
            assert np.abs(found.astype(int) - resize(picture, height, width, "pillow")).max() > 5


def test_resize_of_floats_is_near_that_of_bytes() -> None:
    for kind in ("cv2", "pillow"):
        exact = resize(RGB.astype(np.float32), 15, 50, kind)
        assert exact.dtype == np.float32
        assert np.abs(exact - resize(RGB, 15, 50, kind)).max() <= 1.01


@pytest.mark.parametrize(
    ("size", "expected"),
    [((480, 640), (256, 341)), ((640, 480), (341, 256)), ((256, 900), (256, 900)), ((10, 10), (256, 256))],
)
def test_the_short_side(size: tuple[int, int], expected: Any) -> None:
    assert short_side_to(256, *size) == expected


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def with_alpha(mode: str) -> Image.Image:
    made = Image.fromarray(np.dstack([RGB, (X * 7 % 256).astype(np.uint8)]))
    return made if mode == "RGBA" else made.convert(mode)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (saved(PICTURE, "PNG"), RGB),
        (saved(PICTURE, "BMP"), RGB),
        (saved(PICTURE, "TIFF"), RGB),
        (saved(PICTURE, "PPM"), RGB),
        (saved(with_alpha("RGBA"), "PNG"), RGB),  # alpha is dropped, not blended
        (saved(Image.fromarray(GREY), "PNG"), GREY),
        (saved(Image.fromarray(np.dstack([GREY, GREY]), "LA"), "PNG"), GREY),
        (saved(Image.fromarray(GREY > 99), "PNG"), (GREY > 99) * np.uint8(255)),
        (saved(Image.fromarray(GREY.astype(np.uint16) * 256 + 77), "PNG"), GREY),
        (saved(Image.fromarray(GREY.astype(np.uint16) * 256 + 77), "TIFF"), GREY),
        (saved(PICTURE.quantize(9), "PNG"), np.asarray(PICTURE.quantize(9).convert("RGB"))),
        (saved(PICTURE.quantize(9), "PNG", transparency=3), np.asarray(PICTURE.quantize(9).convert("RGB"))),
        (
            saved(PICTURE.quantize(9), "GIF", save_all=True, append_images=[Image.new("P", PICTURE.size)]),
            np.asarray(PICTURE.quantize(9).convert("RGB")),
        ),
    ],
)
def test_kinds_of_files(data: bytes, expected: Any) -> None:
    color = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, axis=2)
    np.testing.assert_array_equal(read_image(data, "RGB"), color)
    np.testing.assert_array_equal(read_image(data, "BGR"), color[..., ::-1])
    np.testing.assert_array_equal(read_image(Image.open(io.BytesIO(data)), "RGB"), color)
    grey = read_image(data, "GRAY")
    assert grey.dtype == np.uint8 and grey.shape == expected.shape[:2]
    if expected.ndim == 2:
        np.testing.assert_array_equal(grey, expected)


def test_cmyk() -> None:
    inks = Image.fromarray(np.uint8([[[0, 0, 0, 0], [0, 255, 255, 0], [0, 0, 0, 255], [100, 50, 0, 100]]]), "CMYK")
    assert read_image(inks, "RGB")[0].tolist() == [[255, 255, 255], [255, 1, 1], [0, 0, 0], [95, 125, 155]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("color", ["RGB", "GRAY"])
def test_pictures_are_turned_upright(orientation: int, color: str) -> None:
    top_left = np.zeros((16, 32, 3), np.uint8)
    top_left[:8, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read_image(saved(Image.fromarray(top_left), "JPEG", exif=exif), color)
    assert found.shape[:2] == ((16, 32) if orientation < 5 else (32, 16))
    corner = [(0, 0), (0, -1), (-1, -1), (-1, 0), (0, 0), (0, -1), (-1, -1), (-1, 0)][orientation - 1]
    bright = [place for place in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if found[place].min() > 200]
    assert bright == [corner]


def test_grey_is_what_opencv_computes() -> None:
    """The formats differ in OpenCV 5.0.0 and 4.5.5 alike."""
    one = Image.new("RGB", (4, 4), (1, 2, 3))
    assert read_image(saved(one, "PNG"), "GRAY")[0, 0] == 1  # 1.815 cut off, as libpng does
    assert read_image(saved(one, "BMP"), "GRAY")[0, 0] == 2
    assert read_image(np.asarray(one), "GRAY")[0, 0] == 2
    assert read_image(np.asarray(one)[..., ::-1], "GRAY", order="BGR")[0, 0] == 2


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (RGB, RGB),
        (np.dstack([RGB, GREY]), RGB),
        (GREY, np.repeat(GREY[..., None], 3, axis=2)),
        (GREY[..., None], np.repeat(GREY[..., None], 3, axis=2)),
        (GREY > 99, np.repeat(((GREY > 99) * np.uint8(255))[..., None], 3, axis=2)),
        (RGB.astype(np.uint16) << 8, RGB),
    ],
)
def test_arrays(array: Any, expected: Any) -> None:
    np.testing.assert_array_equal(read_image(array, "RGB"), expected)
    np.testing.assert_array_equal(read_image(array, "BGR", order="BGR"), expected)


PNG, JPEG = saved(PICTURE, "PNG"), saved(PICTURE, "JPEG")
HUGE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) print\n"


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", PNG[:80], JPEG[: len(JPEG) // 2], JPEG[:30], PNG[:30] + b"\xff" * 40, HUGE, EPS,
        np.zeros((3, 3)), np.zeros((3, 3, 2), np.uint8), np.zeros((0, 3, 3), np.uint8), np.zeros(5, np.uint8),
        Image.new("F", (3, 3)), Image.open(io.BytesIO(PNG[:80])), JPEG[:-200], 5, None, {"a": 1},
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_picture(data: Any) -> None:
    with pytest.raises(ImageError) as caught:
        read_image(data, "RGB")
    assert caught.value.en.isascii() and not caught.value.zh.isascii()


def test_paths(tmp_path: Path) -> None:
    path = tmp_path / "我的 图片 (1).png"
    PICTURE.save(str(path))
    np.testing.assert_array_equal(read_image(path, "RGB"), RGB)
    np.testing.assert_array_equal(read_image(str(path), "RGB"), RGB)
    for missing in (tmp_path / "no.png", "a\0b.png", tmp_path):
        with pytest.raises(FileMissing):
            read_image(missing, "RGB")


def entry(shape: Any, steps: Any, color: str = "RGB") -> Input:
    return Input("input", "image", shape, color, steps)


def test_prepare_imagenet() -> None:
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    steps = [
        {"op": "resize", "short": 256, "interpolation": "pillow"},
        {"op": "center_crop", "size": [224, 224]},
        {"op": "normalize", "mean": mean, "std": std},
    ]
    found = prepare(RGB, entry([1, 3, 224, 224], steps))
    small = np.asarray(PICTURE.resize((414, 256), Image.Resampling.BILINEAR))[16:240, 95:319].astype(np.float32)
    expected = (small - np.float32(mean)) / np.float32(std)
    assert found.dtype == np.float32 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected.transpose(2, 0, 1)[None])


@pytest.mark.parametrize(("size", "offset"), [((5, 7), (2, 2)), ((6, 8), (2, 2)), ((2, 2), (0, 0)), ((3, 3), (0, 0))])
def test_center_crop_rounds_half_to_even(size: tuple[int, int], offset: Any) -> None:
    """Offsets of 1.5 and 2.5 both become 2, and 0.5 becomes 0, as Python's round does in mmcls and torchvision."""
    image = np.arange(size[0] * size[1], dtype=np.uint8).reshape(size)
    high, wide = {5: 2, 6: 1, 2: 2, 3: 2}[size[0]], {7: 2, 8: 3, 2: 2, 3: 2}[size[1]]
    found = prepare(image, entry([1, 1, None, None], [{"op": "center_crop", "size": [high, wide]}], "GRAY"))
    assert found[0, 0, 0, 0] == image[offset]
    assert found.shape == (1, 1, high, wide)


def test_other_steps() -> None:
    crop = [{"op": "center_crop", "size": [4, 5]}]
    found = prepare(np.full((2, 2), 9, np.uint8), entry([1, 1, None, None], crop, "GRAY"))
    assert found[0, 0].tolist() == [[0] * 5, [0, 9, 9, 0, 0], [0, 9, 9, 0, 0], [0] * 5]
    pad = [{"op": "pad", "border": [1, 0, 0, 2], "value": 3}]
    assert prepare(np.full((1, 1), 9, np.uint8), entry([1, 1, None, None], pad, "GRAY"))[0, 0].tolist() == [
        [3, 9],
        [3, 3],
        [3, 3],
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_gray_weighs_the_channels_as_they_lie(channels: int) -> None:
    """torchvision's Grayscale takes any three channels for red, green, blue; BaseNN gives it blue, green, red."""
    bgr = RGB[..., ::-1]
    gray = prepare(bgr, entry([1, channels, None, None], [{"op": "gray"}], "BGR"))
    assert gray.shape[1] == channels
    for channel in gray[0]:
        np.testing.assert_array_equal(channel, np.asarray(Image.fromarray(np.ascontiguousarray(bgr)).convert("L")))


def test_without_steps_the_network_gets_raw_pixels_of_its_size() -> None:
    found = prepare(RGB, entry([1, 3, 8, 6], []))
    np.testing.assert_array_equal(found, resize(RGB, 8, 6, "cv2").transpose(2, 0, 1)[None])
    with pytest.raises(ModelError):
        prepare(GREY, entry([1, 3, 8, 6], []))


def test_a_strip_does_not_fill_the_memory() -> None:
    steps = [{"op": "resize", "short": 4096, "interpolation": "cv2"}]
    with pytest.raises(ImageError):
        prepare(np.zeros((1, 60000), np.uint8), entry([1, 1, 32, 32], steps, "GRAY"))


@pytest.mark.parametrize("interpolation", ["pillow", "bicubic", "cv2"])
@pytest.mark.parametrize("color", ["RGB", "BGR"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK"])
def test_a_picture_that_goes_straight_to_pillow_becomes_the_same(mode: str, color: str, interpolation: str) -> None:
    """A file, its PIL image (turned by EXIF or not) and its array."""
    steps = [{"op": "resize", "short": 16, "interpolation": interpolation}, {"op": "center_crop", "size": [12, 12]}]
    entry = Input("x", "image", [1, 3, 12, 12], color, steps)
    pixels = np.random.default_rng(4).integers(0, 256, (30, 40, 3), np.uint8)
    for orientation in (1, 6):
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        Image.fromarray(pixels).convert(mode).save(file, "TIFF", exif=exif)
        opened = Image.open(io.BytesIO(file.getvalue()))
        expected = prepare(read_image(file.getvalue(), color), entry)
        for source in (file.getvalue(), opened, opened):  # twice: it is not changed
            np.testing.assert_array_equal(prepare(read_for(source, entry), entry), expected)


def test_of_a_damaged_file_both_ways_say_the_same() -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    entry = Input("x", "image", [1, 3, 8, 8], "RGB", [{"op": "resize", "short": 8, "interpolation": "pillow"}])
    for data in (file.getvalue()[:60], b"no picture"):
        with pytest.raises(ImageError) as straight:
            read_for(data, entry)
        with pytest.raises(ImageError) as around:
            read_image(data, "RGB")
        assert str(straight.value) == str(around.value)


with np.load(str(Path(__file__).parents[1] / "oracle/pictures/opencv.npz")) as golden:
    READ = {name: golden[name] for name in golden.files}


@pytest.mark.parametrize("color", ["BGR", "GRAY"])
@pytest.mark.parametrize("name", sorted({name.rpartition("/")[0] for name in READ}))
def test_what_opencv_reads(name: str, color: str) -> None:
    """Bit for bit, whatever Pillow calls the file: JPEGs with another picture behind the first are "MPO" to it."""
    np.testing.assert_array_equal(read_image(READ[name + "/file"].tobytes(), color), READ[f"{name}/{color}"])


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_pixels_that_are_laid_out_already(layout: str) -> None:
    """As prepare() does it, for several at once."""
    sizes = [None, 3, 4, 5] if layout == "NCHW" else [None, 4, 5, 3]
    steps = [{"op": "normalize", "mean": [1.0, 2.0, 3.0], "std": [4.0, 5.0, 6.0]}]
    entry = Input("x", "image", sizes, "RGB", steps, layout)
    pixels = np.random.default_rng(0).integers(0, 255, (2, 4, 5, 3), np.uint8)
    batch = pixels.transpose(0, 3, 1, 2) if layout == "NCHW" else pixels
    each = [prepare(picture, entry) for picture in pixels]
    np.testing.assert_array_equal(normalized(batch, entry), np.concatenate(each))
