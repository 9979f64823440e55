"""Boxes as YOLO tools write them: for each picture a text, a line "class cx cy w h" for each box, 0 to 1.

Known places: images/ and labels/, each with test, val or train inside or around, or pictures and texts together.
Lines with more numbers are outlines, whose box is taken. https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import QingzhouError, say
from ..runtime.read import is_picture
from .folders import train_note
from .labels import number
from .pictures import size_of
from .places import SPLITS, data_error, files_in, read_lines
from .result import Box, Case, Dataset

QUOTED = r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*\""""  # as YAML quotes
INLINE = re.compile(rf"[\[{{]((?:[^\]}}'\"]|{QUOTED})*)[\]}}]")
PART = re.compile(rf"(?:[^,'\"]|{QUOTED})+")
LISTS = ("classes.txt", "labels/classes.txt", "obj.names")


def looks_like(path: Path) -> bool:
    """Whether there is a data.yaml with names, or a folder of labels."""
    return bool(list(path.glob("*.y*ml"))) or next(_places(path), None) is not None


def read_yolo(path: Path) -> Dataset:
    """A YOLO data set by its folder or its data.yaml; DataError if pictures, labels or class names are missing."""
    root = path.parent if path.is_file() else path
    names = _names(root, path)
    notes: list[str] = []
    for split, images, labels in _places(root):
        pictures = [file for file in files_in(images)]
        texts = {file.relative_to(labels).with_suffix("") for file in labels.rglob("*.txt")}
        stems = {file.relative_to(images).with_suffix("") for file in pictures}
        if stems & texts:
            notes += [*_background_note(len(stems - texts), len(stems)), *_left_note(texts - stems), *train_note(split)]
            return Dataset(path, "yolo", split, "boxes", lambda: _cases(pictures, images, labels), names, notes)  # noqa: B023  # returned at once
        notes.append(say(f"{images} has no labels and was left out.", f"{images} 没有标注，未使用。"))
    raise data_error(
        en=f"{root} holds no pictures with YOLO labels; expected {root}/images/1.jpg and {root}/labels/1.txt.",
        zh=f"{root} 里没有带 YOLO 标注的图片，应为 {root}/images/1.jpg 和 {root}/labels/1.txt。",
    )


def _places(root: Path) -> Iterator[tuple[str, Path, Path]]:
    """(split, pictures, labels) that exist, the best to judge by first."""
    for split, folders in SPLITS.items():
        for name in folders:
            for images, labels in (
                (root / "images" / name, root / "labels" / name), (root / name / "images", root / name / "labels"),
            ):  # fmt: skip
                if images.is_dir() and labels.is_dir():
                    yield split, images, labels
    if (root / "images").is_dir() and (root / "labels").is_dir():
        yield "all", root / "images", root / "labels"
    elif any((root / name).is_file() for name in LISTS) and any(_beside(root)):
        yield "all", root, root


def _beside(root: Path) -> Iterator[Path]:
    """Pictures with a text of the same name."""
    return (file for file in root.iterdir() if is_picture(file) and file.with_suffix(".txt").is_file())


def _cases(pictures: Sequence[Path], images: Path, labels: Path) -> Iterator[Case]:
    for file in pictures:
        text = labels / file.relative_to(images).with_suffix(".txt")
        size = size_of(file)
        truth = size if isinstance(size, QingzhouError) else _boxes(text, size)
        yield Case(str(file), file, truth)


def _boxes(text: Path, size: tuple[int, int]) -> list[Box] | QingzhouError:
    if not text.is_file():
        return []
    boxes = []
    for line, cells in enumerate((text.split() for text in read_lines(text)), start=1):
        values = [number(cell) for cell in cells]
        numbers = [value for value in values if value is not None]
        if len(numbers) != len(cells) or not _fits(numbers):
            return _bad_line(text, line)
        boxes.append(Box(int(numbers[0]), _box(numbers[1:], size)))
    return boxes


def _fits(numbers: Sequence[float]) -> bool:
    """A class number, and a box or an outline of at least three points, in parts of the picture."""
    enough = len(numbers) == 5 or (len(numbers) >= 7 and len(numbers) % 2)
    return bool(enough) and numbers[0] == int(numbers[0]) >= 0 and all(-0.01 <= n <= 1.01 for n in numbers[1:])


def _box(numbers: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """(x1, y1, x2, y2) in pixels."""
    width, height = size
    if len(numbers) == 4:
        x, y, w, h = numbers
        left, top, right, bottom = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    else:
        left, top, right, bottom = min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
    return left * width, top * height, right * width, bottom * height


# -- class names ----------------------------------------------------------------------------------------------------


def _names(root: Path, path: Path) -> list[str]:
    """The classes by number: from data.yaml, or from a list."""
    for file in [path] if path.is_file() else sorted(root.glob("*.y*ml")):
        text = "\n".join(_plain_lines(file))
        found, told = yaml_names(text), re.search(r"^nc\s*:\s*(\d+)", text, re.MULTILINE)
        if found and told and int(told[1]) != len(found):
            raise _other_number(file, len(found), told[1])
        if found:
            return found
    for name in LISTS:
        if (root / name).is_file():
            return read_lines(root / name)
    raise data_error(
        en=f"{root} says nowhere what the class numbers mean; expected data.yaml with names: [cat, dog] or classes.txt "
        "with one name a line.",
        zh=f"{root} 里没有说明类别编号的含义，应有含 names: [cat, dog] 的 data.yaml，或每行一个名称的 classes.txt。",
    )


def _plain_lines(file: Path) -> list[str]:
    """Lines with their indentation, without comments; read_lines checks size and encoding but strips."""
    read_lines(file)
    text = file.read_bytes().decode("utf-8-sig", "replace")
    return [re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in text.splitlines()]


def yaml_names(text: str) -> list[str]:
    """The entry `names` of a data.yaml in the four ways that it is written; [] if there is none.

    names: [a, 'b']    names: {0: a, 1: b}    names: and lines "- a"    names: and lines "0: a"
    """
    found = re.search(r"^names\s*:[ \t]*(.*)$", text, re.MULTILINE)
    if found is None:
        return []
    inline, rest = found[1].strip(), text[found.end() :]
    if inline[:1] in ("[", "{"):
        body = INLINE.match(inline + rest)
        parts = PART.findall(body[1].replace("\n", " ")) if body else []
        return _items([part for part in parts if part.strip()])
    lines = []
    for line in rest.split("\n"):
        if line.strip() and not re.match(r"\s+\S|-\s", line):
            break
        lines += [re.sub(r"^\s*-\s+", "", line)] if line.strip() else []
    return _items(lines)


def _items(parts: Sequence[str]) -> list[str]:
    """ "0: a" or "a", quoted or not; the numbers must count from 0."""
    names: list[str] = []
    for part in parts:
        found = re.match(r"\s*(\d+)\s*:\s*(.*)$", part)
        if found and int(found[1]) != len(names):
            return []
        names.append(_unquoted((found[2] if found else part).strip()))
    return names


def _unquoted(text: str) -> str:
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    try:
        return str(json.loads(text)) if text[:1] == '"' else text
    except ValueError:
        return text.strip('"')


# -- what can be wrong ----------------------------------------------------------------------------------------------


def _bad_line(text: Path, line: int) -> QingzhouError:
    return data_error(
        en=f"Line {line} of {text} is no YOLO box; expected a class number and four numbers from 0 to 1 (centre, width "
        "and height in parts of the picture).",
        zh=f"{text} 第 {line} 行不是 YOLO 标注，应为类别编号和四个 0 到 1 之间的数（中心、宽、高占图片的比例）。",
    )


def _other_number(file: Path, names: int, told: str) -> QingzhouError:
    return data_error(
        en=f"{file} has {names} names, but says nc: {told}. Correct the one that is wrong.",
        zh=f"{file} 里有 {names} 个名称，但 nc 是 {told}。请改正其中错误的一个。",
    )


def _background_note(count: int, total: int) -> list[str]:
    text = say(
        f"{count} of {total} pictures have no label file: taken as pictures without objects.",
        f"{total} 张图片中有 {count} 张没有标注文件：视为没有目标的图片。",
    )
    return [text] if count else []


def _left_note(texts: set[Path]) -> list[str]:
    names = sorted(str(text) for text in texts if text.name != "classes")
    text = say(
        f"{len(names)} label files have no picture, such as {names[0] if names else ''}.txt.",
        f"{len(names)} 个标注文件没有对应的图片，例如 {names[0] if names else ''}.txt。",
    )
    return [text] if names else []
