"""What `qingzhou evaluate --html` writes: the same score as a page with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import ImageDraw

from ..errors import QingzhouError, language, say
from ..evaluate import Classification, DetectionScore, Evaluation, Regression
from ..evaluate.result import Scene
from ..html import thumbnail, write_page
from ..html.page import percent
from ..runtime.draw import draw
from ..runtime.model.image import open_picture, size_of
from .evaluation import MOST_CLASSES, MOST_PAIRS, besides_rows, data_text, unknown_text

SCENE = 320  # pixels of the longer side of a picture with boxes

Picture = tuple[str, str, list[str]]  # a data URI or "", what it shows in words, the lines below it


def evaluation_page(found: Evaluation, out: Path) -> None:
    """Write the page, whole or not at all; OutputError."""
    result = found.result
    write_page(
        out,
        "evaluation.html",
        language(),
        kind=type(result).__name__,
        found=found,
        result=result,
        name=found.model.name if found.model else found.task,
        data=data_text(found),
        tiles=_tiles(result),
        notes=[*found.notes, *unknown_text(found)],
        pictures=_pictures(found),
        most_classes=MOST_CLASSES,
        most_pairs=MOST_PAIRS,
    )


def _tiles(result: Classification | Regression | DetectionScore) -> list[tuple[str, str, str]]:
    """The figures that matter: a name, a value, and a line below."""
    match result:
        case Classification():
            low, high = (100 * end for end in result.interval)
            text = say(f"95 % interval {low:.1f} to {high:.1f} %", f"95% 置信区间 {low:.1f}% 到 {high:.1f}%")
            many = say(f"{result.right} of {result.judged}", f"{result.judged} 个中 {result.right} 个")
            tiles = [(say("right", "正确"), percent(result.accuracy), f"{many} · {text}")]
            if result.top5 is not None:
                tiles.append((say("among 5", "前五名"), percent(result.top5), say("the true one", "包含正确答案")))
            return tiles
        case Regression():
            r2 = "–" if result.r2 is None else f"{result.r2:.4f}"
            return [("MAE", f"{result.mae:.4g}", ""), ("RMSE", f"{result.rmse:.4g}", ""), ("R²", r2, "")]
        case DetectionScore():
            boxes = say(f"{result.boxes} true, {result.found} found", f"标注 {result.boxes} 个，检出 {result.found} 个")
            return [
                ("mAP", percent(result.map), "IoU 0.50:0.95"),
                ("mAP50", percent(result.map50), "IoU 0.50"),
                ("mAP75", percent(result.map75), "IoU 0.75"),
                (say("boxes", "目标框"), str(result.boxes), boxes),
                *besides_rows(result),
            ]


def _pictures(found: Evaluation) -> list[Picture]:
    """The wrong answers, or the pictures with the most mistakes; none of tables and arrays."""
    match found.result:
        case Classification() if found.data.answers == "labels":
            return [
                (
                    _picture(one.source),
                    one.source,
                    [f"{one.truth} → {one.answer}", f"{100 * one.confidence:.1f} %", Path(one.source).name],
                )
                for one in found.result.examples
            ]
        case DetectionScore():
            return [_scene(one) for one in found.result.scenes]
    return []


def _picture(source: str) -> str:
    try:
        return thumbnail(source)
    except QingzhouError:  # it was there a moment ago
        return ""


def _scene(scene: Scene) -> Picture:
    text = say(f"{scene.missed} missed, {scene.surplus} too many", f"漏检 {scene.missed} 个，多检 {scene.surplus} 个")
    try:
        uri = thumbnail(_drawn(scene), SCENE)
    except QingzhouError:
        uri = ""
    return uri, scene.source, [text, Path(scene.source).name]


def _drawn(scene: Scene) -> Any:
    """The picture with the true boxes in white, and over them what was found, in the colours of its classes.

    It is made as small as it is shown first, so that labels can be read.
    """
    picture, (height, width) = open_picture(scene.picture, SCENE), size_of(scene.picture)
    scale = min(1.0, SCENE / max(height, width))
    if scale < 1:
        picture = picture.resize((max(1, round(width * scale)), max(1, round(height * scale))))
    pen = ImageDraw.Draw(picture)
    for box in scene.true:
        x1, y1, x2, y2 = (round(scale * side) for side in box.box)
        pen.rectangle((min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)), outline=(255, 255, 255), width=3)
    found = [one.scaled(scale) for one in scene.found]
    return draw(picture, found)
