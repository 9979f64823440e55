"""Boxes as Pascal VOC records them, which LabelImg writes: an .xml for each picture.

Known places: Annotations/*.xml with JPEGImages/ and lists of names in ImageSets/Main/; .xml beside the pictures, also
below test, val and train. Corners are taken as they are written. http://host.robots.ox.ac.uk/pascal/VOC/
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # no DTD gets to it, see _parse
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import QingzhouError, say
from ..labels import decode, folders_in, number, split_folders
from ..runtime.file import open_file
from ..runtime.read import is_picture
from .folders import train_note
from .pictures import size_problem
from .places import data_error, files_in, read_lines
from .result import Box, Case, Dataset

LARGEST = 4 << 20  # bytes of one annotation
DTD = re.compile(r"<!\s*(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)", re.IGNORECASE)
ANNOTATIONS = ("Annotations", "annotations", "xml", "xmls", "labels", "label", "outputs")  # the last: Colabeler
PICTURES = ("JPEGImages", "images", "Images", "imgs", "img")
SETS = {"test": ("test",), "val": ("val", "valid"), "train": ("train", "trainval")}


def looks_like(path: Path) -> bool:
    """Whether there are annotations in XML."""
    return next(_parts(path), None) is not None


def read_voc(path: Path) -> Dataset:
    """A VOC data set by its folder, or by one of its .xml; DataError."""
    root = path if path.is_dir() else path.parent
    if root.name in ANNOTATIONS and any((root.parent / name).is_dir() for name in PICTURES):
        root = root.parent  # somebody named the annotations
    for split, files in [("all", [path])] if path.is_file() else _parts(root):
        pictures = _Pictures.near(files[0], root)
        if any(isinstance(pictures.of(file), Path) for file in files):
            left = len(pictures.every) - len(files) if split == "all" and path.is_dir() else 0
            notes = [*_left_note(left), *train_note(split)]
            return Dataset(path, "voc", split, "boxes", lambda: _cases(files, pictures), notes=notes)  # noqa: B023  # returned at once
    raise data_error(
        en=f"{root} holds no pictures with VOC annotations; expected {root}/JPEGImages/1.jpg and "
        f"{root}/Annotations/1.xml.",
        zh=f"{root} 里没有带 VOC 标注的图片，应为 {root}/JPEGImages/1.jpg 和 {root}/Annotations/1.xml。",
    )


# -- where it lies ---------------------------------------------------------------------------------------------------


def _parts(root: Path) -> Iterator[tuple[str, list[Path]]]:
    """(split, annotations) that exist, the best to judge by first."""
    home = _home(root)
    every = _xmls(home)
    stems = {file.stem: file for file in every}
    for split, names in SETS.items():
        for place in (home / "ImageSets" / "Main", home / "ImageSets", home):
            for name in names:
                found = [stems[stem] for stem in _listed(place / f"{name}.txt", stems)]
                if found:
                    yield split, found
    for split, folder in split_folders(_annotations(home)):
        yield from _part(split, folder)
    yield from _part("all", home)
    for split, folder in split_folders(root):
        yield from _part(split, folder)


def _part(split: str, folder: Path) -> Iterator[tuple[str, list[Path]]]:
    found = _xmls(folder)
    if found:
        yield split, found


def _listed(listed: Path, stems: Collection[str]) -> Iterator[str]:
    """The names in a list that have annotations: "000012", "000012 1", or "a/1.jpg b/1.xml" of PaddleDetection."""
    for line in read_lines(listed) if listed.is_file() else ():
        first = line.split()[0]
        name = first if first in stems else PurePosixPath(first.replace("\\", "/")).stem
        if name in stems:
            yield name


def _home(root: Path) -> Path:
    """The folder itself, or VOCdevkit/VOC2007 in it; DataError where there are several years."""
    if _annotations(root) != root:
        return root
    kit = root / "VOCdevkit" if (root / "VOCdevkit").is_dir() else root
    years = [one for one in folders_in(kit) if one.name.startswith("VOC") and _xmls(one)]
    if len(years) > 1:
        names = ", ".join(one.name for one in years)
        raise data_error(
            en=f"{root} holds several data sets ({names}). Name the one to judge by: {years[0]}",
            zh=f"{root} 里有多个数据集（{names}）。请直接指定要用的一个：{years[0]}",
        )
    return years[0] if years else root


def _annotations(folder: Path) -> Path:
    """Annotations in a folder, else the folder itself."""
    places = (folder / name for name in ANNOTATIONS)
    return next((place for place in places if place.is_dir() and next(place.rglob("*.xml"), None)), folder)


def _xmls(folder: Path) -> list[Path]:
    """Annotations in the usual place, else beside the pictures."""
    place = _annotations(folder)
    found = sorted(place.glob("*.xml") if place == folder else place.rglob("*.xml"))
    return found if any(_is_annotation(file) for file in found[:3]) else []


def _is_annotation(file: Path) -> bool:
    with open_file(file) as opened:
        return re.search(rb"<annotation[\s>]", opened.read(4096).replace(b"\0", b"")) is not None


@dataclass(frozen=True)
class _Pictures:
    """The pictures that annotations speak of. home: the folder whose files the annotations' names are relative to."""

    home: Path
    every: Mapping[Path, Path]  # place below JPEGImages without suffix -> picture
    stems: Mapping[str, Sequence[Path]]

    @classmethod
    def near(cls, annotation: Path, root: Path) -> _Pictures:
        """In JPEGImages beside Annotations, else beside the annotations or around them."""
        home = next((one for one in annotation.parents if one.name in ANNOTATIONS), annotation.parent)
        apart = home.name in ANNOTATIONS and home != root
        beside = [home.parent / name for name in PICTURES] if apart else []
        beside += [home / name for name in PICTURES]
        around = home.parent if apart and not any(map(is_picture, files_in(home))) else home
        place = next((one for one in beside if one.is_dir() and root in one.parents), around)
        every = {file.relative_to(place).with_suffix(""): file for file in files_in(place) if is_picture(file)}
        stems: dict[str, list[Path]] = defaultdict(list)
        for name, file in every.items():
            stems[name.name].append(file)
        return cls(home, every, stems)

    def of(self, annotation: Path) -> Path | QingzhouError:
        """The picture of the same name in the same part, else the only one of that name."""
        same = self.every.get(annotation.relative_to(self.home).with_suffix(""))
        found = [same] if same else self.stems.get(annotation.stem, [])
        return found[0] if len(found) == 1 else _no_picture(annotation, len(found))


# -- what it says ----------------------------------------------------------------------------------------------------


def _cases(files: Sequence[Path], pictures: _Pictures) -> Iterator[Case]:
    for file in files:
        picture = pictures.of(file)
        if isinstance(picture, QingzhouError):
            yield Case(str(file), None, picture)
        else:
            yield Case(str(picture), picture, _truth(file, picture))


def _truth(file: Path, picture: Path) -> list[Box] | QingzhouError:
    found = _parse(file)
    if isinstance(found, QingzhouError):
        return found
    return size_problem(picture, _size(found), file.name) or _boxes(file, found)


def _parse(file: Path) -> ET.Element | QingzhouError:
    """The annotation; a DTD, which could name other files or grow without end, is refused before it is looked at."""
    try:
        with open_file(file) as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            return _bad(file, f"more than {LARGEST >> 20} MB", f"超过 {LARGEST >> 20} MB")
        text = decode(data, str(file))
        if DTD.search(text):
            return _bad(file, "it holds a DTD", "含有 DTD")
        return ET.fromstring(text)
    except QingzhouError as err:
        return err
    except (ET.ParseError, ValueError, RecursionError) as err:
        return _bad(file, str(err)[:80], str(err)[:80])


def _size(annotation: ET.Element) -> tuple[Any, Any]:
    """(width, height) of the picture that was annotated; None where it is not said, or 0 as some tools write it."""
    width, height = (_number(annotation, f"size/{name}") for name in ("width", "height"))
    return (int(width), int(height)) if width and height else (None, None)


def _number(element: ET.Element, place: str) -> float | None:
    return number((element.findtext(place) or "").strip())


def _boxes(file: Path, annotation: ET.Element) -> list[Box] | QingzhouError:
    """VOC's `difficult` is COCO's crowd: neither needs to be found."""
    boxes = []
    for place, thing in enumerate(annotation.iter("object"), start=1):
        name = (thing.findtext("name") or "").strip()
        sides = [_number(thing, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax")]
        x1, y1, x2, y2 = (side if side is not None else -1.0 for side in sides)
        if not name or None in sides or x2 < x1 or y2 < y1:
            return _bad(
                file,
                f"object {place} has no name or no bndbox with xmin, ymin, xmax, ymax",
                f"第 {place} 个 object 没有名称，或没有含 xmin、ymin、xmax、ymax 的 bndbox",
            )
        boxes.append(Box(name, (x1, y1, x2, y2), bool(_number(thing, "difficult"))))
    return boxes


# -- what can be wrong -----------------------------------------------------------------------------------------------


def _bad(file: Path, en: str, zh: str) -> QingzhouError:
    return data_error(
        en=f"{file} is no VOC annotation: {en}. Expected <annotation> with an <object> for each box. Export it again.",
        zh=f"{file} 不是 VOC 标注：{zh}。应为 <annotation>，每个框一个 <object>。请重新导出。",
    )


def _no_picture(file: Path, count: int) -> QingzhouError:
    return data_error(
        en=f"{file} goes with {count} pictures; expected one called {file.stem} in JPEGImages or beside it. Copy it "
        "there, or give the others other names.",
        zh=f"{file} 对应 {count} 张图片；应在 JPEGImages 或同一文件夹里有一张名为 {file.stem} 的图片。"
        "请复制到那里，或给其他图片改名。",
    )


def _left_note(count: int) -> list[str]:
    text = say(f"{count} pictures have no annotation and were left out.", f"{count} 张图片没有标注，未使用。")
    return [text] if count > 0 else []
