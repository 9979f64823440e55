"""The size of a picture without decoding it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ..errors import ImageError, QingzhouError
from ..runtime.image import FORMATS, ORIENTATION

TURNED = (5, 6, 7, 8)  # values of the EXIF tag that swap width and height


def size_of(file: Path) -> tuple[int, int] | QingzhouError:
    """(width, height) of the picture upright, as the predictor sees it, or what is wrong with the file."""
    try:
        with Image.open(file, formats=FORMATS) as image:
            turned = image.getexif().get(ORIENTATION) in TURNED
            return (image.height, image.width) if turned else (image.width, image.height)
    except Exception as err:  # Pillow's readers raise anything on files that are cut off or altered
        return ImageError(
            en=f"The picture {file} cannot be read ({str(err)[:100]}). Copy or download it again.",
            zh=f"图片 {file} 无法读取（{str(err)[:100]}）。请重新复制或下载。",
        )
