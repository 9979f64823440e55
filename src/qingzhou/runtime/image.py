"""Pictures: from anything that holds one to its pixels."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

import numpy as np
from PIL import Image, UnidentifiedImageError

from .errors import FileMissing, ImageError, QingzhouError
from .kinds import RAW, developed, head_of, not_a_picture, what

if TYPE_CHECKING:
    import numpy.typing as npt

    from .card import Input

    Array = npt.NDArray[Any]

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")  # Pillow would start other programs for some others
PART = 1 << 14  # pixels that are weighed at once
MOST_PIXELS = 90_000_000  # about Pillow's own limit; a board's memory ends there too
ORIENTATION = 0x0112  # the EXIF tag
TURNS = {  # its values -> Image.transpose
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def read_image(source: Any, color: str, order: str = "RGB") -> Array:
    """A picture as uint8: (H, W, 3) in "RGB" or "BGR" order, (H, W) for "GRAY"; turned upright, without alpha.

    `source` is a path, the bytes of a file, a PIL image, or an array (H, W), (H, W, 3) or (H, W, 4) whose colours
    are in the given `order`. FileMissing or ImageError.
    """
    if isinstance(source, np.ndarray):
        return _recolor(_array(source), order, color)

    def convert(image: Any) -> Array:
        if image is not source and color == "GRAY" and image.format == "JPEG":
            image.draft("L", None)  # the brightness that the file itself holds, as OpenCV takes it
        return _recolor(_pixels(image), "RGB", color, image.format)

    return np.asarray(_read(source, convert))


def _read(source: Any, convert: Callable[[Any], Any]) -> Any:
    """What `convert` makes of an open picture; FileMissing or ImageError."""
    try:
        if isinstance(source, Image.Image):
            return convert(source)
        with _open(source) as file, Image.open(file, formats=FORMATS) as image:
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


def read_for(source: Any, entry: Input, order: str = "RGB") -> Any:
    """What prepare() takes: read_image(source, entry.color, order), or the PIL image itself where Pillow is to resize
    it at once; to an array and back would take a quarter of that time.
    """
    resized = bool(entry.steps) and entry.steps[0].get("interpolation") == "pillow"
    if entry.color != "RGB" or not resized or isinstance(source, np.ndarray):
        return read_image(source, entry.color, order)

    def convert(image: Any) -> Any:
        return _upright(image) if image.mode == "RGB" else _recolor(_pixels(image), "RGB", "RGB")

    return _read(source, convert)


def _name(source: Any) -> str:
    """What to call a picture in a message."""
    return str(source) if isinstance(source, (str, os.PathLike)) else "<%s>" % type(source).__name__


def open_picture(source: Any) -> Any:
    """A path, the bytes of a file, a PIL image or an RGB array as an upright PIL image."""
    return Image.fromarray(read_image(source, "RGB"))


def _open(source: Any) -> Any:
    """A file to read; FileMissing or ImageError where there is none."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)):
        raise _no_picture(type(source).__name__)
    try:
        return open(source, "rb")
    except (FileNotFoundError, ValueError):  # ValueError: a path with a null character
        raise _missing(source) from None
    except OSError as err:
        raise _unreadable(source, err) from None


def _upright(image: Any) -> Any:
    """The first frame, loaded and turned."""
    if image.width * image.height > MOST_PIXELS:
        raise too_large("%d x %d" % image.size)
    image.load()  # here, since numpy before 1.22 hides the error of a picture that is cut off
    turn = TURNS.get(_orientation(image))
    return image if turn is None else image.transpose(turn)


def _pixels(image: Any) -> Array:
    """(H, W) grey or (H, W, 3) RGB of the first frame, upright."""
    image = _upright(image)
    convert = MODES.get(image.mode)
    if convert is None:
        convert = _sixteen_bits if image.mode.startswith("I") else _rgb
    return convert(image)


def _orientation(image: Any) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # damaged EXIF; OpenCV ignores it as well
        return 1


def _grey(image: Any) -> Array:
    return np.asarray(image if image.mode == "L" else image.convert("L"))


def _rgb(image: Any) -> Array:
    """Alpha is dropped, not blended: what lies under transparent pixels shows, as with OpenCV."""
    if image.mode in ("PA", "RGBa"):
        image = image.convert("RGBA")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _grey_without_alpha(image: Any) -> Array:
    return np.asarray(image.convert("LA") if image.mode == "La" else image)[..., 0]


def _cmyk(image: Any) -> Array:
    """OpenCV's formula (icvCvt_CMYK2BGR in imgcodecs); Pillow's differs by a level or two."""
    ink = np.asarray(image).astype(np.int32)
    light = 255 - ink[..., 3:]
    return (light - (ink[..., :3] * light >> 8)).astype(np.uint8)


def _sixteen_bits(image: Any) -> Array:
    """The upper byte of 16-bit grey; Pillow's own conversion would cut everything above 255."""
    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 0xFFFF):
        raise _odd_values(image.mode)
    return (values >> 8).astype(np.uint8)


def _refuse_floats(image: Any) -> Array:
    raise _odd_values(image.mode)


MODES: Dict[str, Callable[[Any], Array]] = {
    "1": _grey, "L": _grey, "LA": _grey_without_alpha, "La": _grey_without_alpha, "CMYK": _cmyk, "F": _refuse_floats,
}  # fmt: skip


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


def _recolor(picture: Array, order: str, color: str, file_format: Optional[str] = None) -> Array:
    """Grey or colours in one order -> grey or colours in another."""
    if picture.ndim == 2:
        picture = picture if color == "GRAY" else np.repeat(picture[..., None], 3, axis=2)
    elif color == "GRAY":
        picture = _luminance(picture, order, file_format)
    elif color != order:
        return _turned(picture)
    return np.ascontiguousarray(picture)


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


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _missing(source: Any) -> FileMissing:
    return FileMissing(
        en="There is no file %s; expected an existing picture. Check the name and the folder." % (source,),
        zh="文件 %s 不存在，应为已有的图片。请检查文件名和所在的文件夹。" % (source,),
    )


def _unreadable(source: Any, err: OSError) -> ImageError:
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


def too_large(name: str) -> ImageError:
    """What to raise for a picture of more than MOST_PIXELS."""
    return ImageError(
        en="The picture %s is too large; at most %d million pixels can be processed. Make it smaller first."
        % (name, MOST_PIXELS // 10**6),
        zh="图片 %s 太大，最多能处理 %d 万像素。请先缩小图片。" % (name, MOST_PIXELS // 10**4),
    )


def _odd_values(mode: str) -> ImageError:
    return ImageError(
        en="The picture holds numbers of mode %s instead of brightness from 0 to 255 or 65535. Save it as an 8-bit "
        "PNG or JPEG." % mode,
        zh="图片里的数值（模式 %s）不是 0 到 255 或 65535 的亮度。请另存为 8 位的 PNG 或 JPEG。" % mode,
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
