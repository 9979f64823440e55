"""The answer on the picture."""

from __future__ import annotations

import functools
import itertools
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple, Union

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from .errors import line, say
from .model.answers import Named, Prediction, nothing
from .model.image import open_picture, size_of
from .model.kinds import RESULT
from .read import is_result
from .whole import replacing

if TYPE_CHECKING:
    from .model.answers import Answer
    from .model.detection import Detection
    from .typed import FilePath

SMALLEST = 160  # pixels of the shorter side that `enlarge` gives at least
LARGEST = 1 << 24  # pixels to which it enlarges
MOST = 500  # things that are drawn; nobody can tell more apart
FONT_FOLDERS = (  # of Windows, Linux, macOS
    "C:/Windows/Fonts",
    "~/AppData/Local/Microsoft/Windows/Fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
)
CHINESE = (  # what the names of fonts with Chinese characters begin with, the best first
    "msyh",
    "notosanscjk",
    "notosanssc",
    "sourcehansans",
    "wqy",
    "pingfang",
    "hyqihei",
    "simhei",
    "stheiti",
    "hiragino sans gb",
    "simsun",
    "droidsansfallback",
    "uming",
    "ukai",
)


def draw(source: object, answer: Answer, enlarge: bool = False) -> Image.Image:
    """The picture (a path, array or PIL image) as a PIL image with the answer on it.

    A label with its confidence stands at the top; a list of Detection becomes boxes, masks as coloured areas, keypoints
    as dots, of people with their limbs.
    It keeps its size, unless `enlarge` makes a small one large enough to be read, or it would not fit the memory.
    """
    picture = open_picture(source)
    share = picture.width / size_of(source)[1]
    times = math.ceil(SMALLEST / min(picture.size)) if enlarge else 1
    if times > 1 and picture.width * picture.height * times * times <= LARGEST:
        picture = picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)
    else:
        times = 1
    if isinstance(answer, list):
        from .model.marks import mark

        return mark(picture, answer[:MOST], times * share, [caption(one) for one in answer[:MOST]], _fitting)
    _write(picture, caption(answer))
    return picture


def keep(picture: Image.Image, path: FilePath, ours: Callable[[str], bool] = is_result) -> Path:
    """Save a drawn picture as .png or .jpg, whole or not at all, and where: over nothing but what is `ours`.

    Beside somebody's own a_result.png it becomes a_result_2.png. is_result() knows it again, so that it counts as no
    picture where folders of them are read. OutputError.
    """
    place = _free(Path(path), ours)
    with replacing(str(place), follow=False) as part:
        if place.suffix == ".jpg":
            picture.save(part, "JPEG", comment=RESULT)
        else:
            mark = PngImagePlugin.PngInfo()
            mark.add_text("Software", RESULT.decode("ascii"))
            picture.save(part, "PNG", pnginfo=mark, icc_profile=None)
    return place


def _free(path: Path, ours: Callable[[str], bool]) -> Path:
    """This path, or a_result_2.png, a_result_3.png, …: the first where nothing is, or what is ours."""
    others = (path.with_name("%s_%d%s" % (path.stem, number, path.suffix)) for number in itertools.count(2))
    return next(one for one in itertools.chain([path], others) if not os.path.lexists(str(one)) or ours(str(one)))


def caption(answer: Union[Prediction, Named, Detection]) -> str:
    """ "cat 98.1%", several of these where several are named, or the values where there are no classes."""
    if isinstance(answer, Prediction) and answer.named is not None:
        return ", ".join(map(caption, answer.named)) or nothing()
    if isinstance(answer, Prediction) and not answer.label:  # a thing's class may be called ""
        return " ".join("%.4g" % value for value in answer.scores[:5]) + (" …" if len(answer.scores) > 5 else "")
    return "%s %.1f%%" % (line(answer.label), 100 * answer.confidence)


# -- words ----------------------------------------------------------------------------------------------------------


def _write(picture: Image.Image, text: str) -> None:
    """White letters on a dark strip, as large as the picture's width allows."""
    pen = ImageDraw.Draw(picture)
    text, font = _fitting(pen, text, picture.width, max(8, min(picture.width // 12, picture.height // 6, 48)))
    _, _, right, bottom = pen.textbbox((0, 0), text, font=font)
    margin = max(1, bottom // 7)
    pen.rectangle((0, 0, min(right + 2 * margin, picture.width), bottom + margin), fill=(20, 20, 20))
    pen.text((margin, 0), text, fill=(255, 255, 255), font=font)


def write_below(picture: Image.Image, text: str) -> None:
    """Small light letters on a dark strip in the lower left corner."""
    pen = ImageDraw.Draw(picture)
    text, font = _fitting(pen, text, picture.width, max(10, min(picture.width // 20, picture.height // 12, 24)))
    _, _, right, bottom = pen.textbbox((0, 0), text, font=font)
    top = picture.height - bottom - 3
    pen.rectangle((0, top, min(right + 4, picture.width), picture.height), fill=(20, 20, 20))
    pen.text((2, top), text, fill=(200, 230, 255), font=font)


def _fitting(pen: Any, text: str, width: int, size: int) -> Tuple[str, Any]:
    """The text as it can be written, and a font of this size, or smaller where it would be wider than `width`."""
    path = None
    if any(ord(letter) > 255 for letter in text):
        path = chinese_font()
        if path is None:
            _tell_once()
            text = text.encode("ascii", "backslashreplace").decode("ascii")
    while True:
        font = _font(path, size)
        wide = pen.textbbox((0, 0), text, font=font)[2]
        if wide <= width or size <= 8:
            return text, font
        size = max(8, min(size - 1, size * width // wide))


@functools.lru_cache(maxsize=None)
def _tell_once() -> None:
    print(
        say(
            "No font with Chinese characters was found, so they appear as codes such as \\u732b in the picture. On "
            "Linux: sudo apt install fonts-wqy-zenhei",
            "没有找到中文字体，图片里的汉字会显示为 \\u732b 这样的编码。"
            "Linux 上可以安装：sudo apt install fonts-wqy-zenhei",
        ),
        file=sys.stderr,
    )


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


@functools.lru_cache(maxsize=64)
def _font(path: Optional[str], size: int) -> Any:
    if path is not None:
        return ImageFont.truetype(path, size)
    try:
        return ImageFont.load_default(size)
    except TypeError:  # before Pillow 10.1 it has one size
        return ImageFont.load_default()
