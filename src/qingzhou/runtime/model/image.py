"""Pictures: from anything that holds one to its pixels, with one decoded picture in memory at most."""

from __future__ import annotations

import base64
import functools
import io
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, Dict, Optional, Tuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from ..errors import FileMissing, ImageError, ModelError, QingzhouError, say
from ..file import open_file
from ..memory import room
from .kinds import RAW, developed, head_of, not_a_picture, what
from .picture import MOST_PIXELS, HalfColours, Picture, has_half_colours, is_jpeg, recolor, too_large, upright_size
from .prepare import new_size

if TYPE_CHECKING:
    from ..typed import Array, FilePath
    from .card import Input


T = TypeVar("T")
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")  # Pillow would start other programs for some others
JPEG = b"\xff\xd8\xff"  # how one begins
MOST_OF_JPEG = 250_000_000  # in the file, where fewer are decoded; today's phones take 200 million
HALVED = 16_000_000  # pixels, 64 MB; of larger JPEGs colours are kept as the file has them where that is exact
LARGE = 100_000_000  # bytes when decoded; of larger JPEGs no more is decoded than the network needs
GAP = 2.5  # times the size after the resize: what a smaller decoding leaves to Pillow's antialiased resize


def read_image(source: object, color: str, order: str = "RGB") -> Array:
    """A picture as uint8: (H, W, 3) in "RGB" or "BGR" order, (H, W) for "GRAY"; turned upright, without alpha.

    `source` is a path, the bytes of a file, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) whose colours
    are in the given `order`. FileMissing or ImageError.
    """
    if isinstance(source, np.ndarray):
        return np.ascontiguousarray(recolor(_array(source), order, color))
    return np.asarray(_read(source, lambda image: Picture(image, color, image is not source).take()))


def read_for(source: object, entry: Input, order: str = "RGB", exact: Optional[bool] = None) -> Any:
    """What prepare() takes: read_image(source, entry.color, order), or a Picture where it is resized first.

    A JPEG may be decoded smaller then, see _times(); not if `exact`, by default the environment's QINGZHOU_EXACT.
    """
    if isinstance(source, np.ndarray) or not entry.steps or entry.steps[0]["op"] != "resize":
        return read_image(source, entry.color, order)
    exact = wants_exact() if exact is None else exact

    def convert(image: Image.Image) -> Picture:
        picks, grey = entry.steps[0]["interpolation"] == "cv2", entry.color == "GRAY"
        large = image.width * image.height > HALVED and image is not source
        half = large and picks and not grey and has_half_colours(image)
        times = 1 if exact or image is source else _times(image, entry.steps[0], 1 if grey else 1.5 if half else 4)
        if half and times == 1:
            return HalfColours(image, entry.color)
        if times > 1 and picks:
            _tell_once(times)
        return Picture(image, entry.color, image is not source, times)

    return _read(source, convert)


def open_picture(source: object, side: Optional[int] = None) -> Image.Image:
    """A path, the bytes of a file, a PIL image or an RGB array as an upright PIL image that carries no metadata.

    Shown `side` pixels wide and high at most, a JPEG may come smaller than it is, but at least twice as large as that;
    and so does one that would not fit the memory.
    """
    if isinstance(source, np.ndarray):
        return Image.fromarray(read_image(source, "RGB"))

    def convert(image: Image.Image) -> Image.Image:
        times, least = 1, max(image.size) if side is None else 2 * side
        most = min(MOST_PIXELS, room() // 5)
        while (
            image is not source
            and is_jpeg(image)
            and times < 8
            and (image.width * image.height > most * times * times or max(image.size) >= 2 * times * least)
        ):
            times *= 2
        return Picture(image, "RGB", image is not source, times).joined()

    return _read(source, convert)


def decoded(text: str) -> Image.Image:
    """The picture of a card's sample, a file in base64, as open_picture() gives it; ModelError."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise _damaged() from None
    return open_picture(data)


def size_of(source: object) -> Tuple[int, int]:
    """(height, width) of the upright picture; of a file without decoding it. FileMissing or ImageError."""
    height, width = source.shape[:2] if isinstance(source, np.ndarray) else _read(source, upright_size)
    return height, width


def _times(image: Image.Image, step: Dict[str, Any], each: float) -> int:
    """How many times smaller (1, 2, 4, 8) a JPEG is decoded that is then resized by this step.

    Before Pillow's antialiased resize as long as GAP times the new size is left: as Image.thumbnail, it differs by a
    level. OpenCV's picks single pixels, which then are others: only where the whole, `each` bytes a pixel, would not
    fit a board's memory.
    """
    if not is_jpeg(image):
        return 1
    (height, width), pixels = upright_size(image), image.width * image.height
    high, wide = new_size(step, height, width)
    most = min(height / high, width / wide)
    times = max([1] + [n for n in (2, 4, 8) if step["interpolation"] != "cv2" and most >= GAP * n])
    while pixels * each > min(LARGE, room()) * times * times and most >= 2 * times and times < 8:
        times, each = 2 * times, 4 if each > 1 else 1
    return times


def wants_exact() -> bool:
    """Whether the environment asks for JPEGs to be decoded whole."""
    return os.environ.get("QINGZHOU_EXACT", "").strip().lower() not in ("", "0", "no", "false")


@functools.lru_cache(maxsize=None)
def _tell_once(times: int) -> None:
    print(
        say(
            "Note: a very large JPEG was decoded at 1/%d of its width and height, to fit the memory of a board. The "
            "numbers may differ a little from those of the whole picture; QINGZHOU_EXACT=1 decodes it whole." % times,
            "提示：有一张很大的 JPEG 按 1/%d 的宽和高解码，以节省内存，结果可能与完整解码略有不同；"
            "设置 QINGZHOU_EXACT=1 可完整解码。" % times,
        ),
        file=sys.stderr,
    )


def _read(source: object, convert: Callable[[Any], T]) -> T:
    """What `convert` makes of an open picture; FileMissing or ImageError."""
    try:
        if isinstance(source, Image.Image):
            return convert(source)
        with _open(source) as file, _opened(file) as image:
            if not developed(image):
                raise not_a_picture(_name(source), RAW)
            return convert(image)
    except QingzhouError:
        raise
    except UnidentifiedImageError:
        raise not_a_picture(_name(source), what(head_of(source))) from None
    except Image.DecompressionBombError:
        raise too_large(_name(source)) from None
    except Exception as err:  # Pillow's readers raise anything on files that are cut off or altered
        raise _broken(_name(source), err) from None


def _opened(file: Any) -> Any:
    """A PIL image that is not loaded yet.

    JPEGs are opened past Image.open, which refuses what could be decoded smaller, and calls one with a second picture
    or a gain map behind the first MPO.
    """
    start = file.read(len(JPEG))
    file.seek(0)
    if start != JPEG:
        return Image.open(file, formats=FORMATS)
    image = JpegImageFile(file)
    pixels = image.width * image.height
    several = pixels > MOST_PIXELS and not _is_one_scan(image, file)
    if pixels > MOST_OF_JPEG or several:
        raise too_large("%d x %d" % image.size)
    return image


def _is_one_scan(image: Any, file: BinaryIO) -> bool:
    """Whether all colours of a JPEG come together, row by row; of several scans libjpeg keeps all, at full size.

    Pillow has read to the end of the first scan's header: its length, how many colours, 2 bytes each, 3 more.
    """
    colours = image.layers
    file.seek(-6 - 2 * colours, os.SEEK_CUR)
    return "progressive" not in image.info and file.read(3) == bytes([0, 6 + 2 * colours, colours])


def _name(source: object) -> str:
    """What to call a picture in a message."""
    return str(source) if isinstance(source, (str, os.PathLike)) else "<%s>" % type(source).__name__


def _open(source: object) -> BinaryIO:
    """A file to read; FileMissing or ImageError where there is none."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)):
        raise _no_picture(type(source).__name__)
    try:
        return open_file(source)
    except (FileNotFoundError, ValueError):  # ValueError: a path with a null character
        raise _missing(source) from None
    except OSError as err:
        raise _unreadable(source, err) from None


def _array(data: Array) -> Array:
    """(H, W) or (H, W, 3) uint8 from an array of a picture."""
    if data.ndim == 3 and data.shape[2] == 1:
        data = data[..., 0]
    if data.ndim not in (2, 3) or (data.ndim == 3 and data.shape[2] not in (3, 4)) or not data.size:
        raise _misshapen(data)
    if data.shape[0] * data.shape[1] > MOST_PIXELS:
        raise too_large("%d x %d" % (data.shape[1], data.shape[0]))
    if data.dtype == np.bool_:
        data = data * np.uint8(255)
    if data.dtype == np.uint16:
        data = (data >> 8).astype(np.uint8)
    if data.dtype != np.uint8:
        raise _misshapen(data)
    return data[..., :3] if data.ndim == 3 else data


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _missing(source: FilePath) -> FileMissing:
    return FileMissing(
        en="There is no file %s; expected an existing picture. Check the name and the folder." % (source,),
        zh="文件 %s 不存在，应为已有的图片。请检查文件名和所在的文件夹。" % (source,),
    )


def _unreadable(source: FilePath, err: OSError) -> ImageError:
    return ImageError(
        en="%s cannot be opened: %s. Expected a picture file; close other programs that use it."
        % (source, err.strerror),
        zh="无法打开 %s：%s。应为图片文件，请关闭正在使用它的其他程序。" % (source, err.strerror),
    )


def _broken(name: str, err: Exception) -> ImageError:
    return ImageError(
        en="The picture %s is damaged or cut off (%s); expected a complete file. Copy or download it again."
        % (name, str(err)[:100]),
        zh="图片 %s 已损坏或不完整（%s）。请重新复制或下载这张图片。" % (name, str(err)[:100]),
    )


def _misshapen(data: Array) -> ImageError:
    return ImageError(
        en="The array has shape %s and type %s; a picture is (height, width) or (height, width, 3) of type uint8. "
        "For values from 0 to 1: (array * 255).astype('uint8')." % (list(data.shape), data.dtype),
        zh="数组的形状是 %s，类型是 %s；图片应为 uint8 类型的 (高, 宽) 或 (高, 宽, 3)。"
        "如果数值在 0 到 1 之间：(array * 255).astype('uint8')。" % (list(data.shape), data.dtype),
    )


def _no_picture(kind: str) -> ImageError:
    return ImageError(
        en="A %s is no picture; expected a path, a PIL image or a numpy array. Give for example 'cat.jpg'." % kind,
        zh="%s 不是图片，应为图片路径、PIL 图片或 numpy 数组。例如 'cat.jpg'。" % kind,
    )


def _damaged() -> ModelError:
    return ModelError(
        en="The sample picture in the model's card is damaged. Convert the checkpoint again.",
        zh="模型说明卡里的示例图片已损坏。请重新转换权重文件。",
    )
