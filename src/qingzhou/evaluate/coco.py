"""Boxes as COCO records them: one JSON with images, annotations and categories, and the pictures.

Known places: annotations/*.json, *.json, and test|valid|train/*.json. https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
import mmap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from ..errors import QingzhouError, say
from ..labels import SPLITS, folders_in, split_folders, split_of
from ..runtime.file import open_file
from ..runtime.model.fields import integer
from .folders import train_note
from .pictures import size_problem
from .places import data_error, find
from .result import Box, Case, Dataset

FARTHEST = 1 << 16  # pixels of a corner or point
LARGEST = 1 << 30  # bytes; COCO's own training annotations are half of it
RANK = [*SPLITS, None]
LISTS = ("images", "categories", "annotations")


def looks_like(path: Path) -> bool:
    """Whether there is a file that holds COCO annotations, by what stands in it."""
    return any(map(_has_lists, _candidates(path)))


def has_json(path: Path) -> bool:
    """Whether there are files where COCO's would lie."""
    return any(_candidates(path))


def _has_lists(file: Path) -> bool:
    """Whether the file has COCO's three lists; it may be half a GB, so that it is searched and not parsed."""
    with open_file(file) as opened:
        if not opened.read(1):
            return False
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return all(content.find(f'"{name}"'.encode()) >= 0 for name in LISTS)


def _candidates(root: Path) -> Iterator[Path]:
    for folder in (root / "annotations", root, *(folder for _, folder in split_folders(root))):
        yield from sorted(folder.glob("*.json"))


def read_coco(path: Path) -> Dataset:
    """A COCO data set by its folder or its JSON; DataError if there is none, or several for the same part."""
    listed = path if path.is_file() else _choose(path)
    content = _parse(listed)
    root = path if path.is_dir() else listed.parent.parent if listed.parent.name == "annotations" else listed.parent
    split = _split(listed, root)
    roots = _picture_roots(root, listed, split)
    categories = {_key(c["id"]): str(c["name"]) for c in content["categories"]}
    boxes: dict[str, list[Any]] = defaultdict(list)
    for annotation in content["annotations"]:
        boxes[_key(annotation["image_id"])].append(annotation)
    strays = len(boxes.keys() - {_key(image["id"]) for image in content["images"]})
    notes = [*train_note(split), *_stray_note(listed, strays)]
    return Dataset(
        path,
        "coco",
        split,
        "boxes",
        lambda: _cases(listed, content["images"], boxes, categories, roots),
        tuple(categories.values()),
        notes,
    )


def _choose(root: Path) -> Path:
    """The JSON to judge by: of the best part, and instances_… where there are other kinds."""
    found = list(_candidates(root)) if root.is_dir() else []
    found = list(filter(_has_lists, found)) or found  # other tools leave JSON beside it
    if not found:
        raise data_error(
            en=f"{root} holds no COCO annotations; expected {root}/annotations/*.json. Or name another --layout.",
            zh=f"{root} 里没有 COCO 标注，应为 {root}/annotations/*.json。或用 --layout 指定其他格式。",
        )
    best = min((_split_or_none(file, root) for file in found), key=RANK.index)
    found = [file for file in found if _split_or_none(file, root) == best]
    instances = [file for file in found if file.name.startswith("instances")]
    found = instances or found
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:6])
        raise data_error(
            en=f"{root} holds several annotations ({names}). Name the file to judge by: {found[0]}",
            zh=f"{root} 里有多个标注文件（{names}）。请直接指定要用的文件：{found[0]}",
        )
    return found[0]


def _split_or_none(file: Path, root: Path) -> str | None:
    return split_of(file.stem) or (split_of(file.parent.name) if file.parent != root else None)


def _split(file: Path, root: Path) -> str:
    return _split_or_none(file, root) or "all"


def _parse(file: Path) -> Mapping[str, Any]:
    """The file's three lists; DataError where it is something else."""
    try:
        with open_file(file) as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"more than {LARGEST >> 20} MB")
        content = json.loads(content, parse_int=integer)
        images, categories, annotations = (content[k] for k in LISTS)
        for image in images:
            _key(image["id"]), image["file_name"]
        for category in categories:
            _key(category["id"]), category["name"]
        for annotation in annotations:
            annotation["bbox"] = [float(side) for side in annotation["bbox"]]
            annotation["area"] = float(annotation.get("area") or 0)
            _key(annotation["image_id"]), _key(annotation["category_id"])
            if len(annotation["bbox"]) != 4 or not all(map(isfinite, annotation["bbox"])):
                raise ValueError(f"bbox {annotation['bbox']}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise data_error(
            en=f"{file} holds no COCO boxes ({type(err).__name__}: {str(err)[:80]}); expected JSON with images, "
            "annotations (with bbox) and categories. Export the annotations as COCO again.",
            zh=f"{file} 不是 COCO 目标框标注（{type(err).__name__}: {str(err)[:80]}）；应为含有 images、annotations"
            "（带 bbox）和 categories 的 JSON。请重新导出为 COCO 格式。",
        ) from None
    if not images:
        raise data_error(
            en=f"{file} lists no pictures. Export the annotations again.", zh=f"{file} 里没有图片。请重新导出标注。"
        )
    return {"images": images, "categories": categories, "annotations": annotations}


def _picture_roots(root: Path, listed: Path, split: str) -> Sequence[Path]:
    """Where the pictures may lie: folders of the same part first; never those of another part."""
    near = [root, root / "images", root / "JPEGImages", listed.parent]
    near += [folder for place in (root, root / "images") if place.is_dir() for folder in folders_in(place)]
    parts = [(split_of(folder.name) if folder != root else None, folder) for folder in near if folder.is_dir()]
    same = [folder for part, folder in parts if part == split]
    return list(dict.fromkeys(same + [folder for part, folder in parts if part is None]))


def _cases(
    listed: Path,
    images: Sequence[Any],
    boxes: Mapping[str, Sequence[Any]],
    categories: Mapping[str, str],
    roots: Sequence[Path],
) -> Iterator[Case]:
    for image in images:
        name = str(image["file_name"])
        found = find(name, roots)
        truth: Any = found if isinstance(found, QingzhouError) else size_problem(found, _size(image), listed.name)
        if truth is None:
            truth = [_box(annotation, categories) for annotation in boxes.get(_key(image["id"]), ())]
        yield Case(name if isinstance(found, QingzhouError) else str(found), found, truth)


def _key(number: Any) -> str:
    """A picture's or a category's id as text, the same for equal ones: numbers as keys can be chosen so that they meet.

    TypeError for what is none.
    """
    if isinstance(number, (list, dict)):
        raise TypeError(f"id {type(number).__name__}")
    whole = isinstance(number, float) and number == number // 1 and abs(number) < 1 << 63
    return repr(int(number) if whole or isinstance(number, bool) else number)


def _size(image: Mapping[str, Any]) -> tuple[Any, Any]:
    return image.get("width"), image.get("height")


def _box(annotation: Mapping[str, Any], categories: Mapping[str, str]) -> Box:
    x, y, width, height = annotation["bbox"]
    number = annotation["category_id"]
    crowd = bool(annotation.get("iscrowd", 0))
    return Box(
        categories.get(_key(number), str(number)),
        (x, y, x + width, y + height),
        crowd,
        annotation["area"],
        _outline(annotation.get("segmentation")),
        _keypoints(annotation.get("keypoints")),
    )


def _outline(found: Any) -> Any:
    """Polygons, or run lengths that are numbers; None for what is neither, or what would fill the memory."""
    if isinstance(found, list) and found:
        shapes = [_numbers(shape) for shape in found]
        return shapes if all(shape and len(shape) >= 6 and len(shape) % 2 == 0 for shape in shapes) else None
    if not isinstance(found, dict):
        return None
    size, counts = found.get("size"), _numbers(found.get("counts"), 1 << 31)
    if not isinstance(size, list) or len(size) != 2 or not all(type(n) is int and 0 < n <= FARTHEST for n in size):
        return None
    if not counts or not all(n >= 0 and n == int(n) for n in counts) or sum(counts) != size[0] * size[1]:
        return None
    return {"size": size, "counts": [*map(int, counts)]}


def _keypoints(found: Any) -> list[float] | None:
    numbers = _numbers(found)
    return numbers if numbers and len(numbers) % 3 == 0 else None


def _numbers(found: Any, most: float = FARTHEST) -> list[float] | None:
    """A list of numbers that are not too large, or None."""
    there = isinstance(found, list) and all(type(n) in (int, float) and abs(n) <= most for n in found)
    return [float(n) for n in found] if there else None


def _stray_note(listed: Path, strays: int) -> list[str]:
    text = say(
        f"{listed.name} has boxes for {strays} pictures that it does not list; they were left out.",
        f"{listed.name} 里有 {strays} 张未列出的图片的标注，未使用。",
    )
    return [text] if strays else []
