"""A decoded picture, and how its pixels become the colours that a network takes: those of OpenCV, bit for bit."""

from __future__ import annotations

import functools
import io
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Optional, Tuple

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from ..errors import ImageError
from ..memory import room

if TYPE_CHECKING:
    from ..typed import Array


PART = 1 << 14  # pixels that are weighed at once
STRIP = 1 << 18  # pixels that are turned and recoloured at once
MOST_PIXELS = 90_000_000  # that are decoded: about Pillow's own limit; a board's memory ends there too
ORIENTATION = 0x0112  # the EXIF tag; from 5 on rows and columns change places
UPSIDE_DOWN, MIRRORED = (3, 4, 7, 8), (2, 3, 6, 7)  # its values that then turn the rows around, and the columns


class Picture:
    """A decoded picture as it lies in memory, the only one of its size; it is turned and recoloured part by part.

    color   as of Input
    size    (height, width) of the upright picture
    shape   (height, width) of what was decoded of it, upright; less for JPEGs that were decoded smaller
    box     (left, top, right, bottom) where the picture lies in that, not in whole pixels if it is no multiple
    """

    def __init__(self, image: Image.Image, color: str, from_file: bool, times: int = 1) -> None:
        """Loads an open image; a JPEG `times` (2, 4, 8) smaller. ImageError for too large ones."""
        width, height = image.size
        if from_file and is_jpeg(image) and (times > 1 or color == "GRAY"):
            # "L": the brightness that the file itself holds, as OpenCV takes it
            smaller = None if times == 1 else (max(1, width // times), max(1, height // times))
            image.draft("L" if color == "GRAY" else image.mode, smaller)
        if image.width * image.height > MOST_PIXELS or bytes_of(image) > room():
            raise too_large("%d x %d" % (width, height))
        image.load()  # here, since numpy before 1.22 hides the error of a picture that is cut off
        if times == 1:
            width, height = image.size
        turn = 1 if image.format == "TIFF" else _orientation(image)  # Pillow itself turns TIFF as it loads it
        self.color, self._image, self._swapped = color, image, turn > 4
        self._upside_down, self._mirrored = turn in UPSIDE_DOWN, turn in MIRRORED
        self.size, self.shape = ((w, h) if self._swapped else (h, w) for w, h in ((width, height), image.size))
        below, beside = (self.size[0] / times, self.size[1] / times)
        top = self.shape[0] - below if self._upside_down else 0.0
        left = self.shape[1] - beside if self._mirrored else 0.0
        self.box = left, top, left + beside, top + below

    def take(self, rows: Optional[Array] = None, columns: Optional[Array] = None) -> Array:
        """The pixels at some rows and columns, both ascending, by default all: (rows, columns[, 3]), uint8."""
        rows = np.arange(self.shape[0]) if rows is None else rows
        columns = np.arange(self.shape[1]) if columns is None else columns
        out = np.empty((len(rows), len(columns)) + (() if self.color == "GRAY" else (3,)), np.uint8)
        lying = out[:: -1 if self._upside_down else 1, :: -1 if self._mirrored else 1]
        rows = self.shape[0] - 1 - rows[::-1] if self._upside_down else rows
        columns = self.shape[1] - 1 - columns[::-1] if self._mirrored else columns
        if self._swapped:
            rows, columns, lying = columns, rows, lying.swapaxes(0, 1)
        self._fill(lying, rows, columns)
        return out

    def _fill(self, out: Array, rows: Array, columns: Array) -> None:
        """take() of the picture as it lies in memory."""
        for part, pixels in _some(self._image, rows, columns):
            out[part] = recolor(pixels, "RGB", self.color, self._image.format)

    def strips(self) -> Iterator[Any]:
        """What was decoded as PIL images in RGB or L, one below the other; one where nothing is to be changed."""
        plain = not (self._swapped or self._upside_down or self._mirrored)
        if plain and self._image.mode == ("L" if self.color == "GRAY" else "RGB"):
            yield self._image
            return
        step = max(1, STRIP // self.shape[1])
        for first in range(0, self.shape[0], step):
            yield Image.fromarray(self.ordered(self.take(np.arange(first, min(first + step, self.shape[0])))))

    def ordered(self, pixels: Array) -> Array:
        """From the order of the strips' colours to that of `color`, or back."""
        return _turned(pixels) if self.color == "BGR" else pixels

    def joined(self) -> Image.Image:
        """What was decoded as one PIL image."""
        whole, place = Image.new("L" if self.color == "GRAY" else "RGB", self.shape[::-1]), 0
        for strip in self.strips():
            whole.paste(strip, (0, place))
            place += strip.height
        return whole


class HalfColours(Picture):
    """A JPEG with half the resolution in its colours (4:2:0, as phones write them), kept so: 1.5 bytes a pixel, not 4.

    What is taken becomes the very pixels that libjpeg-turbo makes of it when it decodes the whole: h2v2_fancy_upsample
    of its jdsample.c, ycc_rgb_convert of its jdcolext.c. It costs twice the time: the file is decoded twice.
    """

    def __init__(self, image: Any, color: str) -> None:
        """`image`: of an open file, has_half_colours(), not loaded."""
        file, (width, height) = image.fp, image.size
        image.draft("YCbCr", (width // 2, height // 2))
        image.load()
        self._colours = [image.getchannel(channel) for channel in (1, 2)]
        image.im = None  # its memory is needed
        file.seek(0)
        super().__init__(JpegImageFile(file), "GRAY", True)
        self.color = color

    def _fill(self, out: Array, rows: Array, columns: Array) -> None:
        step = max(1, STRIP // 4 // len(columns))
        for first in range(0, len(rows), step):
            part = rows[first : first + step]
            light = _gathered(self._image, part, columns)
            blue, red = (_twice_as_large(plane, part, columns) - 128 for plane in self._colours)
            green = (-22554 * blue - 46802 * red + 32768) >> 16  # 0.34414, 0.71414 in 16 bits
            changes = (91881 * red + 32768) >> 16, green, (116130 * blue + 32768) >> 16  # 1.402, 1.772
            pixels = np.stack([light + change for change in changes], axis=-1).clip(0, 255).astype(np.uint8)
            out[first : first + step] = recolor(pixels, "RGB", self.color)


def _twice_as_large(plane: Any, rows: Array, columns: Array) -> Array:
    """Colours at places of the whole: 9, 3, 3 and 1 sixteenths of the nearest four in a plane of half its size."""
    (own, other), (left, right) = _nearest(rows, plane.height), _nearest(columns, plane.width)
    needed, which = np.unique(np.stack([own, other]), return_inverse=True)
    there, where = np.unique(np.stack([left, right]), return_inverse=True)
    (own, other), (left, right) = which.reshape(2, -1), where.reshape(2, -1)
    values = _gathered(plane, needed, there)
    sums = 3 * values[own] + values[other]
    return np.asarray((3 * sums[:, left] + sums[:, right] + 8 - columns % 2) >> 4)


def _nearest(places: Array, count: int) -> Tuple[Array, Array]:
    own = places // 2
    return own, np.clip(own + np.where(places % 2, 1, -1), 0, count - 1)


def _gathered(image: Image.Image, rows: Array, columns: Array) -> Array:
    """(rows, columns) int32 of a grey image."""
    out = np.empty((len(rows), len(columns)), np.int32)
    for part, pixels in _some(image, rows, columns):
        out[part] = pixels
    return out


def has_half_colours(image: Any) -> bool:
    """Whether HalfColours can be made of it: brightness and two colours, each half as wide and high."""
    if not is_jpeg(image) or image.mode != "RGB" or image.info.get("adobe_transform", 1) != 1:
        return False
    return [tuple(layer[:3]) for layer in image.layer] == [(1, 2, 2), (2, 1, 1), (3, 1, 1)] and _is_libjpeg_turbo()


@functools.lru_cache(maxsize=None)
def _is_libjpeg_turbo() -> bool:
    """Whether the Pillow that is here decodes as HalfColours does; one look, since a system may have built its own."""
    noise, file = np.random.RandomState(0).randint(0, 256, (35, 49, 3)).astype(np.uint8), io.BytesIO()
    Image.fromarray(noise).save(file, "JPEG", subsampling="4:2:0")
    whole = np.asarray(Image.open(file))
    file.seek(0)
    return bool((HalfColours(JpegImageFile(file), "RGB").take() == whole).all())


def _some(image: Image.Image, rows: Array, columns: Array) -> Iterator[Tuple[slice, Array]]:
    """The pixels of a loaded image at ascending rows and columns, some rows at once."""
    first, end = int(columns[0]), int(columns[-1]) + 1
    places = columns - first
    for part in _near(rows, STRIP // (end - first)):
        top = int(rows[part.start])
        pixels = _pixels(image.crop((first, top, end, int(rows[part.stop - 1]) + 1)))
        if len(pixels) > part.stop - part.start:
            pixels = pixels[rows[part] - top]
        yield part, pixels.take(places, axis=1) if len(places) < end - first else pixels


def _near(rows: Array, most: int) -> Iterator[slice]:
    """Parts of ascending numbers that lie close together, from the first to the last of a part `most` at most."""
    ends = np.flatnonzero(np.diff(rows) > 2) + 1
    for start, end in zip([0, *ends], [*ends, len(rows)]):
        for first in range(start, end, max(1, most // 2)):
            yield slice(first, min(first + max(1, most // 2), end))


def is_jpeg(image: Image.Image) -> bool:
    return isinstance(image, JpegImageFile)


def bytes_of(image: Image.Image) -> int:
    """What Pillow takes for it, and lists of its rows and columns."""
    return image.width * image.height * (1 if image.mode in ("1", "L", "P") else 4) + 32 * sum(image.size)


def upright_size(image: Any) -> Tuple[int, int]:
    """(height, width) of an open image once it is turned."""
    width, height = image.size
    if _orientation(image) < 5:
        return height, width
    if image.format == "TIFF":  # of which newer Pillows give the size that it will have
        width, height = image.tag_v2[256], image.tag_v2[257]
    return width, height


def _pixels(image: Image.Image) -> Array:
    """(H, W) grey or (H, W, 3) RGB of a loaded image."""
    convert = MODES.get(image.mode)
    if convert is None:
        convert = _sixteen_bits if image.mode.startswith("I") else _rgb
    return convert(image)


def _orientation(image: Image.Image) -> int:
    """1 to 8 of EXIF."""
    try:
        turn = int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF; OpenCV ignores it as well
        return 1
    return turn if 1 <= turn <= 8 else 1


def _grey(image: Image.Image) -> Array:
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _rgb(image: Image.Image) -> Array:
    """Alpha is dropped, not blended: what lies under transparent pixels shows, as with OpenCV."""
    if image.mode in ("PA", "RGBa"):
        image = image.convert("RGBA")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _grey_without_alpha(image: Image.Image) -> Array:
    return np.asarray(image.convert("LA") if image.mode == "La" else image)[..., 0]


def _cmyk(image: Image.Image) -> Array:
    """OpenCV's formula (icvCvt_CMYK2BGR in imgcodecs); Pillow's differs by a level or two."""
    ink = np.asarray(image).astype(np.int32)
    light = 255 - ink[..., 3:]
    return (light - (ink[..., :3] * light >> 8)).astype(np.uint8)


def _sixteen_bits(image: Image.Image) -> Array:
    """The upper byte of 16-bit grey; Pillow's own conversion would cut everything above 255."""
    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 0xFFFF):
        raise _odd_values(image.mode)
    return (values >> 8).astype(np.uint8)


def _refuse_floats(image: Image.Image) -> Array:
    raise _odd_values(image.mode)


MODES: Dict[str, Callable[[Any], Array]] = {
    "1": _grey,
    "L": _grey,
    "LA": _grey_without_alpha,
    "La": _grey_without_alpha,
    "CMYK": _cmyk,
    "F": _refuse_floats,
}


def recolor(picture: Array, order: str, color: str, file_format: Optional[str] = None) -> Array:
    """Grey or colours in one order -> grey or colours in another."""
    if picture.ndim == 2:
        picture = picture if color == "GRAY" else np.repeat(picture[..., None], 3, axis=2)
    elif color == "GRAY":
        picture = _luminance(picture, order, file_format)
    elif color != order:
        picture = _turned(picture)
    return picture


def _turned(picture: Array) -> Array:
    """(H, W, 3) uint8 with the colours in reverse order; by Pillow, which is more than twice as fast as numpy."""
    size = picture.shape[1], picture.shape[0]
    return np.asarray(Image.frombuffer("RGB", size, np.ascontiguousarray(picture), "raw", "BGR", 0, 1))


def _luminance(picture: Array, order: str, file_format: Optional[str]) -> Array:
    """(H, W, 3) uint8 -> (H, W), in whole numbers as OpenCV computes it, which depends on the file's format.

    PNG: libpng's 15 bits, cut off. WebP and arrays: cvtColor's 15 bits, rounded. Others: icvCvt_BGR2Gray's 14 bits.
    """
    bits = 15 if file_format in ("PNG", "WEBP", None) else 14
    scale = 1 << bits
    half, rounded = (0, int) if file_format == "PNG" else (scale // 2, round)
    weights = [rounded(0.299 * scale), rounded(0.587 * scale)]
    weights.append(scale - sum(weights))
    # Whole numbers below 2 ** 24, divided by a power of two: float32, which is faster, is exact.
    shares = np.array(weights if order == "RGB" else weights[::-1], np.float32) / scale
    pixels = picture.reshape(-1, 3)
    grey = np.empty(len(pixels), np.uint8)
    for start in range(0, len(pixels), PART):  # small arrays need no new memory from the system
        part = pixels[start : start + PART].astype(np.float32) @ shares
        part += half / scale
        grey[start : start + PART] = part
    return grey.reshape(picture.shape[:2])


def too_large(name: str) -> ImageError:
    """What to raise for a picture of more than MOST_PIXELS."""
    most = min(MOST_PIXELS, room() // 4) / 1e6
    return ImageError(
        en="The picture %s is too large; at most %.3g million pixels can be processed here. Make it smaller first."
        % (name, most),
        zh="图片 %s 太大，这里最多能处理 %.4g 万像素。请先缩小图片。" % (name, 100 * most),
    )


def _odd_values(mode: str) -> ImageError:
    return ImageError(
        en="The picture holds numbers of mode %s instead of brightness from 0 to 255 or 65535. Save it as an 8-bit "
        "PNG or JPEG." % mode,
        zh="图片里的数值（模式 %s）不是 0 到 255 或 65535 的亮度。请另存为 8 位的 PNG 或 JPEG。" % mode,
    )
