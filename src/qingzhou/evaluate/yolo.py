"""Boxes as YOLO tools write them: for each picture a text, a line "class cx cy w h" for each box, 0 to 1.

Lines with more numbers are outlines, or the four corners of a turned box; a sixth number is the confidence of a saved
prediction. Where data.yaml says so, key points follow the box.
Where pictures and texts lie: yolo_places.py. https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from ..errors import QingzhouError, say
from ..labels import Labels, class_folders, number, read_label_file, read_text, yaml_entry
from .folders import train_note
from .pictures import size_of
from .places import data_error, read_lines
from .result import Box, Case, Dataset
from .yolo_places import LISTS, Part, class_lists, data_yamls, is_whole, parts

LOOKED_AT = 50  # texts, for what is to be said of all
MOST_CHECKED = 5000  # texts whose class numbers are compared with the names


@dataclass(frozen=True)
class Texts:
    """How to read the texts: the classes; how many numbers of key points follow each box (pose), 0 for none."""

    labels: Labels
    points: int
    each: int = 3


def looks_like(path: Path) -> bool:
    """Whether there are pictures with texts in one of the known places, or a data.yaml that says so."""
    yamls = data_yamls(path)
    said = any(map(is_whole, yamls)) or (yamls and not class_folders(path))
    return bool(said) or any(
        part.text_of(file).is_file() for part in parts(path, yamls, False) for file in part.pictures
    )


def has_places(path: Path) -> bool:
    """Whether there are the folders for it, though no picture in them has a text."""
    return next(parts(path, data_yamls(path), False), None) is not None


def read_yolo(path: Path) -> Dataset:
    """A YOLO data set by its folder or its data.yaml; DataError if pictures, labels or class names are missing."""
    root, yamls = (path.parent if path.is_file() else path), data_yamls(path)
    notes: list[str] = []
    for part in parts(root, yamls, outside=path.is_file()):
        annotated = part.annotated
        if annotated:
            texts = Texts(_names(root, yamls, part), *_points(yamls))
            _check_first(part, annotated, texts.labels)
            notes += [
                *_background_note(len(part.pictures) - len(annotated), len(part.pictures)),
                *_left_note(part),
                *train_note(part.split),
                *texts.labels.notes,
                *_confidence_note(part, annotated),
            ]
            return Dataset(path, "yolo", part.split, "boxes", lambda: _cases(part, texts), texts.labels.names, notes)  # noqa: B023  # returned at once
        if not any(str(part.folder) in note for note in notes):
            notes.append(say(f"{part.folder} has no labels and was left out.", f"{part.folder} 没有标注，未使用。"))
    raise data_error(
        en=f"{root} holds no pictures with YOLO labels; expected {root}/images/1.jpg and {root}/labels/1.txt, or other "
        "folders that data.yaml names.",
        zh=f"{root} 里没有带 YOLO 标注的图片，应为 {root}/images/1.jpg 和 {root}/labels/1.txt，"
        "或 data.yaml 里写明的其他文件夹。",
    )


def _check_first(part: Part, annotated: Sequence[Path], labels: Labels) -> None:
    """DataError where the texts count the classes from 1 and the names from 0, or the other way round: every answer
    would be judged by its neighbour.
    """
    lines = (line for file in annotated[:MOST_CHECKED] for line in read_lines(part.text_of(file)))
    seen = {line.split()[0] for line in lines}
    shifted = "0" not in seen and str(len(labels.names)) in seen if labels.first == 0 else "0" in seen
    if shifted:
        raise data_error(
            en=f"The texts in {part.text_of(annotated[0]).parent} count the classes from {1 - labels.first}, but the "
            f"names from {labels.first} ({', '.join(labels.names[:6])}). Correct the names, or the numbers.",
            zh=f"{part.text_of(annotated[0]).parent} 里的标注从 {1 - labels.first} 开始编号，"
            f"而类别名称从 {labels.first} 开始（{'、'.join(labels.names[:6])}）。请改正名称列表或编号。",
        )


def _points(yamls: Sequence[Path]) -> tuple[int, int]:
    """kpt_shape: [17, 3] -> 51, 3."""
    shapes = [found for file in yamls if isinstance(found := yaml_entry(read_text(file), "kpt_shape"), list)]
    sizes = [int(size) for size in (shapes[0] if shapes else ()) if size.isdigit()]
    return (sizes[0] * sizes[1], sizes[1]) if len(sizes) == 2 else (0, 3)


# -- texts -----------------------------------------------------------------------------------------------------------


def _cases(part: Part, texts: Texts) -> Iterator[Case]:
    for file in part.pictures:
        size = size_of(file)
        truth = size if isinstance(size, QingzhouError) else _boxes(part.text_of(file), size, texts)
        yield Case(str(file), file, truth)


def _boxes(text: Path, size: tuple[int, int], texts: Texts) -> list[Box] | QingzhouError:
    if not text.is_file():
        return []
    boxes, first, count = [], texts.labels.first, len(texts.labels.names)
    for line, cells in enumerate((text.split() for text in read_lines(text)), start=1):
        values = [number(cell) for cell in cells]
        numbers = [value for value in values if value is not None]
        if len(numbers) != len(cells) or not _fits(numbers, texts.points):
            return _bad_line(text, line)
        if not first <= numbers[0] < first + count:
            return _no_class(text, line, int(numbers[0]), first, count)
        box = Box(int(numbers[0]) - first, _box(numbers[1:], size, texts.points))
        boxes.append(_with_more(box, numbers, size, texts))
    return boxes


def _with_more(box: Box, numbers: Sequence[float], size: tuple[int, int], texts: Texts) -> Box:
    """The box with its outline or key points, where the line has them."""
    width, height = size
    if texts.points and texts.each in (2, 3):
        rows = [numbers[i : i + texts.each] for i in range(5, 5 + texts.points, texts.each)]
        marks = [row[2] if len(row) == 3 else 2 * (row[0] > 0 or row[1] > 0) for row in rows]
        flat = [n for row, mark in zip(rows, marks, strict=True) for n in (row[0] * width, row[1] * height, mark)]
        return box._replace(keypoints=flat)
    if not texts.points and len(numbers) >= 7:
        return box._replace(outline=[[n * side for n, side in zip(numbers[1:], cycle(size), strict=False)]])
    return box


def _fits(numbers: Sequence[float], points: int) -> bool:
    """A class number, and a box or an outline of at least three points, in parts of the picture."""
    count = len(numbers)
    enough = count == 5 + points if points else count in (5, 6) or (count >= 7 and count % 2)
    sides = numbers[1:5] if points else numbers[1:]
    return bool(enough) and numbers[0] == int(numbers[0]) >= 0 and all(-0.01 <= n <= 1.01 for n in sides)


def _box(numbers: Sequence[float], size: tuple[int, int], points: int) -> tuple[float, float, float, float]:
    """(x1, y1, x2, y2) in pixels."""
    width, height = size
    if len(numbers) in (4, 5) or points:
        x, y, w, h = numbers[:4]
        left, top, right, bottom = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    else:
        left, top, right, bottom = min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
    return left * width, top * height, right * width, bottom * height


# -- class names ----------------------------------------------------------------------------------------------------


def _names(root: Path, yamls: Sequence[Path], part: Part) -> Labels:
    """The classes by number: of data.yaml, else of a list beside the texts or above them."""
    for file in yamls:
        if yaml_entry(read_text(file), "names"):
            return read_label_file(file)
    text = part.text_of(part.annotated[0])
    above = [folder for folder in (text.parent, *text.parents) if root in (folder, *folder.parents)]
    for folder in dict.fromkeys([*above, part.folder, root, root / "labels"]):
        for file in class_lists(folder):
            return read_label_file(file)
    raise data_error(
        en=f"{root} says nowhere what the class numbers mean; expected data.yaml with names: [cat, dog] or classes.txt "
        "with one name a line.",
        zh=f"{root} 里没有说明类别编号的含义，应有含 names: [cat, dog] 的 data.yaml，或每行一个名称的 classes.txt。",
    )


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _bad_line(text: Path, line: int) -> QingzhouError:
    return data_error(
        en=f"Line {line} of {text} is no YOLO box; expected a class number and four numbers from 0 to 1 (centre, width "
        "and height in parts of the picture).",
        zh=f"{text} 第 {line} 行不是 YOLO 标注，应为类别编号和四个 0 到 1 之间的数（中心、宽、高占图片的比例）。",
    )


def _no_class(text: Path, line: int, found: int, first: int, count: int) -> QingzhouError:
    return data_error(
        en=f"Line {line} of {text} has the class {found}, but the {count} names are counted from {first} to "
        f"{first + count - 1}. Correct the list of names, or the numbers.",
        zh=f"{text} 第 {line} 行的类别是 {found}，而 {count} 个名称的编号是 {first} 到 {first + count - 1}。"
        "请改正名称列表或编号。",
    )


def _background_note(count: int, total: int) -> list[str]:
    text = say(
        f"{count} of {total} pictures have no label file: taken as pictures without objects.",
        f"{total} 张图片中有 {count} 张没有标注文件：视为没有目标的图片。",
    )
    return [text] if count else []


def _left_note(part: Part) -> list[str]:
    """Of texts in the same folders that no picture goes with."""
    used = {part.text_of(file) for file in part.pictures}
    folders = {text.parent for text in used}
    left = (text for folder in folders if folder.is_dir() for text in folder.glob("*.txt") if text not in used)
    names = sorted(text.name for text in left if text.name not in LISTS and not _is_list(text))
    text = say(
        f"{len(names)} label files have no picture, such as {names[0] if names else ''}.",
        f"{len(names)} 个标注文件没有对应的图片，例如 {names[0] if names else ''}。",
    )
    return [text] if names else []


def _is_list(text: Path) -> bool:
    return text.stem.lower() in ("train", "val", "valid", "validation", "test")


def _confidence_note(part: Part, annotated: Sequence[Path]) -> list[str]:
    """Six numbers in a line are a prediction that was saved, which a person may not have looked at."""
    some = (part.text_of(file) for file in islice(annotated, LOOKED_AT))
    saved = next((text for text in some if any(len(line.split()) == 6 for line in read_lines(text))), None)
    text = say(
        f"{saved} has a sixth number in a line, the confidence of a saved prediction: the boxes were taken as true.",
        f"{saved} 的行里有第六个数，即模型预测的置信度：这里把这些框当作正确答案。",
    )
    return [text] if saved else []
