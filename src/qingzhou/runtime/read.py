"""Names of files: of pictures, and of folders that hold them."""

from __future__ import annotations

import os
from typing import Any, List

from .errors import InputError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def is_path(data: Any) -> bool:
    """Whether this is the path of a file."""
    return isinstance(data, (str, os.PathLike))


def pictures_in(folder: Any) -> List[str]:
    """The paths of the pictures in a folder, sorted by name; InputError if there are none."""
    names = sorted(name for name in os.listdir(folder) if os.path.splitext(name)[1].lower() in PICTURES)
    if not names:
        raise InputError(
            en="The folder %s holds no pictures (%s). Name a folder with pictures." % (folder, ", ".join(PICTURES)),
            zh="文件夹 %s 里没有图片（%s）。请指定有图片的文件夹。" % (folder, "、".join(PICTURES)),
        )
    return [os.path.join(str(folder), name) for name in names]


def pictures_of(path: Any) -> List[str]:
    """The path itself, or where it is a folder the pictures in it, sorted by name; InputError if there are none."""
    return pictures_in(path) if os.path.isdir(path) else [str(path)]
