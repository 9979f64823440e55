"""What a detector found, on the picture: masks below, boxes and keypoints above them, and the labels on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, Sequence, Tuple

import numpy as np
from PIL import Image, ImageDraw

from .detection import SURE

if TYPE_CHECKING:
    from ..typed import Array
    from .detection import Detection

    Fitting = Callable[[Any, str, int, int], Tuple[str, Any]]  # draw.py's: pen, text, width, size -> text, font


COLORS = (  # that differ from each other, also for most people who see fewer colours; each bears black or white
    (230, 25, 75), (0, 130, 200), (255, 225, 25), (60, 180, 75), (245, 130, 48), (145, 30, 180), (70, 240, 240),
    (240, 50, 230), (0, 128, 128), (210, 245, 60), (170, 110, 40), (250, 190, 212), (128, 0, 0), (170, 255, 195),
    (0, 0, 128), (128, 128, 0), (220, 190, 255), (255, 250, 200), (255, 215, 180), (128, 128, 128),
)  # fmt: skip
VEIL = 0.45  # how much of a mask's colour covers the picture
LIMBS = (  # of a person's 17 keypoints, COCO's: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
    (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip


def mark(
    picture: Image.Image, things: Sequence[Detection], times: float, texts: Sequence[str], fitting: Fitting
) -> Image.Image:
    """The picture with the things on it, `times` as large as where they were found; the best last, above the others.
    texts: what is written at each.
    """
    found = [one.scaled(times) for one in things]
    if any(one.mask is not None for one in found):
        picture = Image.fromarray(_veiled(np.array(picture), found))
    pen = ImageDraw.Draw(picture)
    width = max(1, round(min(picture.size) / 160))
    for one in reversed(found):
        _outline(pen, one, picture.size, width)
        _points(pen, one, width)
    taken: List[Tuple[float, ...]] = []
    signs = [(one, *_sign(pen, picture.size, one, text, width, taken, fitting)) for one, text in zip(found, texts)]
    for one, place, text, font in reversed(signs):
        color = _color(one)
        pen.rectangle(place, fill=color)
        pen.text((place[0] + width + 1, place[1]), text, fill=_readable_on(color), font=font)
    return picture


def _outline(pen: Any, one: Detection, size: Tuple[int, int], width: int) -> None:
    """The box in whole pixels that lie in the picture, or, turned, as it is."""
    if one.rotated is not None:
        pen.line([*one.corners, *one.corners[:2]], fill=_color(one), width=width)
        return
    box = tuple(min(max(round(n), 0), size[i % 2] - 1) for i, n in enumerate(one.box))
    pen.rectangle(box, outline=_color(one), width=width)


def _points(pen: Any, one: Detection, width: int) -> None:
    """Dots where the keypoints are, and between a person's the limbs."""
    points = [tuple(point[:2]) if min(point[2:], default=1) >= SURE else None for point in one.keypoints or ()]
    for start, end in LIMBS if len(points) == 17 else ():
        if points[start] and points[end]:
            pen.line([points[start], points[end]], fill=_color(one), width=width)
    for point in filter(None, points):
        x, y = point
        pen.ellipse(
            [x - 2 * width, y - 2 * width, x + 2 * width, y + 2 * width], fill=(255, 255, 255), outline=_color(one)
        )


def _color(one: Detection) -> Tuple[int, int, int]:
    return COLORS[one.index % len(COLORS)]


def _readable_on(color: Tuple[int, int, int]) -> Tuple[int, int, int]:
    """Black or white."""
    red, green, blue = color
    return (0, 0, 0) if 299 * red + 587 * green + 114 * blue > 140_000 else (255, 255, 255)


def _sign(
    pen: Any,
    size: Tuple[int, int],
    one: Detection,
    text: str,
    width: int,
    taken: List[Tuple[float, ...]],
    fitting: Fitting,
) -> Any:
    """Where a label goes, its text and its font: above its box, or at the next place that no better one has taken."""
    text, font = fitting(pen, text, size[0], max(10, min(size[0] // 24, size[1] // 16, 40)))
    _, _, right, bottom = pen.textbbox((0, 0), text, font=font)
    wide, high = right + 2 * width + 2, bottom + width
    x1, y1, _, y2 = one.box
    x = min(max(x1, 0), max(size[0] - wide, 0))
    tops = [y1 - high, y1, y2, *(y1 + high * i for i in range(1, 9))]
    places = [(x, min(max(y, 0), max(size[1] - high, 0))) for y in tops]
    signs = [(x, y, x + wide, y + high) for x, y in places]
    place = next((sign for sign in signs if not any(_meet(sign, other) for other in taken)), signs[0])
    taken.append(place)
    return place, text, font


def _meet(a: Tuple[float, ...], b: Tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _veiled(picture: Array, found: Sequence[Detection]) -> Array:
    """The picture (H, W, 3) with each mask's colour laid over it, the best on top."""
    for one in reversed(found):
        if one.mask is not None:
            from .masks import paste_mask

            there = paste_mask(one.mask, one.mask_box or one.box, picture.shape[:2])
            picture[there] = picture[there] * (1 - VEIL) + np.array(_color(one)) * VEIL
    return picture
