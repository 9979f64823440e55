"""The size of a picture without decoding it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import ImageError, QingzhouError
from ..runtime.image import FORMATS, ORIENTATION
from .places import data_error

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


def size_problem(file: Path, wanted: tuple[Any, Any], listed: str) -> QingzhouError | None:
    """Boxes drawn on a picture of another size would all be wrong; so would the score. None where nothing is said."""
    size = size_of(file)
    if isinstance(size, QingzhouError) or None in wanted or size == wanted:
        return size if isinstance(size, QingzhouError) else None
    found, told = f"{size[0]} x {size[1]}", f"{wanted[0]} x {wanted[1]}"
    return data_error(
        en=f"The picture {file.name} is {found} pixels, but {listed} says {told}: the boxes do not fit. Take the "
        "pictures that were annotated.",
        zh=f"图片 {file.name} 是 {found} 像素，而 {listed} 里是 {told}，标注框对不上。请使用标注时的图片。",
    )
