"""Pictures small enough to lie inside a page, as data URIs."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from ..runtime.model.image import open_picture

QUALITY = 80  # of JPEG, where it is the smaller form


def thumbnail(source: Any, side: int = 96) -> str:
    """A picture (path, PIL image, array) as a data URI, at most `side` pixels wide and high; ImageError."""
    picture = open_picture(source, side)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    kind, data = min((("png", _encoded(picture, "PNG")), ("jpeg", _encoded(picture, "JPEG"))), key=lambda x: len(x[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _encoded(picture: Any, kind: str) -> bytes:
    """The bytes of a file without the metadata of the original, such as where a photo was taken."""
    file = io.BytesIO()
    picture.save(file, kind, quality=QUALITY, optimize=True)
    return file.getvalue()
