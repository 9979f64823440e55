"""The answer on the picture."""

from __future__ import annotations

import functools
import math
import os
from typing import Any, List, Optional

from PIL import Image, ImageDraw, ImageFont

from .image import open_picture

SMALLEST = 160  # pixels of the shorter side that `enlarge` gives at least
FONT_FOLDERS = (  # of Windows, Linux, macOS
    "C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts", "/usr/share/fonts", "/usr/local/share/fonts",
    "~/.fonts", "~/.local/share/fonts", "/System/Library/Fonts", "/Library/Fonts",
)  # fmt: skip
CHINESE = (  # what the names of fonts with Chinese characters begin with, the best first
    "msyh", "notosanscjk", "notosanssc", "sourcehansans", "wqy", "pingfang", "hyqihei", "simhei", "stheiti",
    "hiragino sans gb", "simsun", "droidsansfallback", "uming", "ukai",
)  # fmt: skip


def draw(source: Any, answer: Any, enlarge: bool = False) -> Any:
    """The picture (a path, array or PIL image) as a PIL image with the answer's label and confidence at the top.

    It keeps its size, unless `enlarge` makes a small one large enough to be read.
    """
    picture = open_picture(source)
    times = math.ceil(SMALLEST / min(picture.size)) if enlarge else 1
    if times > 1:
        picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    _write(picture, caption(answer))
    return picture


def caption(answer: Any) -> str:
    """ "cat 98.1%", or the values where there are no classes."""
    if answer.label:
        return "%s %.1f%%" % (answer.label, 100 * answer.confidence)
    return " ".join("%.4g" % value for value in answer.scores[:5]) + (" …" if len(answer.scores) > 5 else "")


def _write(picture: Any, text: str) -> None:
    """White letters on a dark strip, as large as the picture's width allows."""
    pen = ImageDraw.Draw(picture)
    size = max(8, min(picture.width // 12, picture.height // 6, 48))
    path = _font_path(text)
    if path is None:
        text = text.encode("ascii", "backslashreplace").decode("ascii")
    while True:
        font = _font(path, size)
        _, _, right, bottom = pen.textbbox((0, 0), text, font=font)
        if right <= picture.width or size <= 8:
            break
        size -= 1
    margin = max(1, size // 6)
    pen.rectangle((0, 0, min(right + 2 * margin, picture.width), bottom + margin), fill=(20, 20, 20))
    pen.text((margin, 0), text, fill=(255, 255, 255), font=font)


def _font_path(text: str) -> Optional[str]:
    """A font for the text: None where the built-in one does, or where no other is found."""
    return None if all(ord(letter) < 256 for letter in text) else chinese_font()


@functools.lru_cache(maxsize=None)
def chinese_font() -> Optional[str]:
    """The path of the best font with Chinese characters on this machine; None if there is none."""
    found = [
        path for folder in FONT_FOLDERS for path in _files(os.path.expanduser(folder)) if _rank(path) < len(CHINESE)
    ]
    return min(found, key=_rank, default=None)


def _files(folder: str) -> List[str]:
    return [os.path.join(place, name) for place, _, names in os.walk(folder) for name in sorted(names)]


def _rank(path: str) -> int:
    name = os.path.basename(path).lower()
    known = name.endswith((".ttf", ".ttc", ".otf"))
    return next((i for i, start in enumerate(CHINESE) if known and name.startswith(start)), len(CHINESE))


def _font(path: Optional[str], size: int) -> Any:
    if path is not None:
        return ImageFont.truetype(path, size)
    try:
        return ImageFont.load_default(size)
    except TypeError:  # before Pillow 10.1 it has one size
        return ImageFont.load_default()
