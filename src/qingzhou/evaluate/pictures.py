"""The size of a picture without decoding it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import QingzhouError
from ..runtime.model import image
from .places import data_error


def size_of(file: Path) -> tuple[int, int] | QingzhouError:
    """(width, height) of the picture upright, as the predictor sees it, or what is wrong with the file."""
    try:
        height, width = image.size_of(file)
    except QingzhouError as err:
        return err
    return width, height


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
