"""Where YOLO's pictures and texts lie: as data.yaml says, as Darknet's and CVAT's lists say, or in the usual folders.

https://docs.ultralytics.com/datasets/detect/ · https://docs.cvat.ai/docs/dataset_management/formats/format-yolo/
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..labels import SPLITS, read_text, split_of, yaml_entry
from ..runtime.read import is_picture
from .places import files_in, read_lines

LISTS = ("classes.txt", "_darknet.labels", "labels.txt")
ENTRIES = {"test": ("test",), "val": ("val", "valid", "validation"), "train": ("train",)}
CVAT = "obj_*_data"
DRIVE = re.compile(r"^[A-Za-z]:")  # of Windows


@dataclass(frozen=True)
class Part:
    """A part of a data set: its pictures, or where one was looked for; and the text that goes with each."""

    split: str
    folder: Path
    pictures: Sequence[Path]
    text_of: Callable[[Path], Path]

    @property
    def annotated(self) -> list[Path]:
        """The pictures that have a text."""
        return [file for file in self.pictures if self.text_of(file).is_file()]


def class_lists(folder: Path) -> list[Path]:
    """The files in a folder that name classes, a line each."""
    return [folder / name for name in LISTS if (folder / name).is_file()] + sorted(folder.glob("*.names"))


def data_yamls(path: Path) -> list[Path]:
    """The file itself, or those in a folder that describe a YOLO data set: they name classes or parts."""
    files = [path] if path.is_file() else sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
    return [file for file in files if yaml_entry(read_text(file), "names") or _has_part(file)]


def is_whole(yaml: Path) -> bool:
    """Whether a data.yaml names classes and parts, as no file of another purpose does."""
    return bool(yaml_entry(read_text(yaml), "names")) and _has_part(yaml)


def _has_part(yaml: Path) -> bool:
    text = read_text(yaml)
    return any(yaml_entry(text, name) for names in ENTRIES.values() for name in names)


def parts(root: Path, yamls: Sequence[Path], outside: bool) -> Iterator[Part]:
    """The parts that exist, the best to judge by first. outside: whether a data.yaml may name folders elsewhere."""
    for split, names in ENTRIES.items():
        for yaml in yamls:
            yield from _of_yaml(root, yaml, split, names, outside)
    yield from _of_lists(root)
    yield from _of_folders(root)


# -- data.yaml -------------------------------------------------------------------------------------------------------


def _of_yaml(root: Path, yaml: Path, split: str, names: Sequence[str], outside: bool) -> Iterator[Part]:
    """What stands behind val: a folder, a list of folders, or texts that list pictures; relative to `path`."""
    text = read_text(yaml)
    base = _entry(text, "path")
    for name in names:
        found: list[Path] = []
        for value in _entry(text, name):
            tries = (
                _resolve(PurePosixPath(*base, value), root, split, outside),
                _resolve(PurePosixPath(value), root, split),
            )
            place = next((one for one in tries if one is not None), None)
            if place is not None:
                found += _listed(place, root) if place.suffix.lower() == ".txt" else files_in(place)
        if found:
            yield Part(split, found[0].parent, found, text_of)


def _entry(text: str, name: str) -> list[str]:
    value = yaml_entry(text, name)
    return [one.replace("\\", "/") for one in value] if isinstance(value, list) else []


def _resolve(name: PurePosixPath, root: Path, split: str, outside: bool = False) -> Path | None:
    """The file or folder of that name below the data set's own folder; None if it is not there.

    "../val" of Roboflow means val. Of a name from another computer, "/home/me/set/images/val", as much as is here, but
    not only "images", which may be another part. Elsewhere only where the user has named the data.yaml himself.
    """
    if outside and os.path.exists(root / name):
        return root / name
    names = _inside(name)
    absolute = name.is_absolute() or any(map(DRIVE.match, name.parts[:1]))
    for start in range(len(names) if absolute else 1):
        ends = names[start:]
        if (start == 0 or len(ends) > 1 or split_of(ends[0]) == split) and os.path.exists(root.joinpath(*ends)):
            return root.joinpath(*ends)
    return None


def _inside(name: PurePosixPath) -> list[str]:
    """Its parts, none of which leads out of a folder."""
    parts = (DRIVE.sub("", part) for part in name.parts)
    return [part for part in parts if part not in ("", "/", "//", ".", "..")]


def text_of(picture: Path) -> Path:
    """The last folder "images" becomes "labels" (Darknet: JPEGImages, too); else the text beside the picture."""
    parts = picture.parts
    at = max((i for i, name in enumerate(parts[:-1]) if name in ("images", "JPEGImages")), default=-1)
    if at >= 0:
        moved = Path(*parts[:at], "labels", *parts[at + 1 :]).with_suffix(".txt")
        if moved.is_file() or not picture.with_suffix(".txt").is_file():
            return moved
    return picture.with_suffix(".txt")


# -- Darknet and CVAT's "YOLO 1.1": lists of pictures ----------------------------------------------------------------


def _of_lists(root: Path) -> Iterator[Part]:
    """train.txt, Validation.txt … with a picture a line; pictures and texts together, as in obj_train_data."""
    if not any(next(root.glob(kind), None) for kind in ("*.data", "*.names")):
        return
    lists = {split_of(file.stem) or "": file for file in sorted(root.glob("*.txt"))}
    for split in SPLITS:
        found = _listed(lists[split], root) if split in lists else []
        if found:
            yield Part(split, found[0].parent, found, text_of)
    for folder in sorted(root.glob(CVAT)):
        yield Part(split_of(folder.name.replace("_", " ")) or "all", folder, list(files_in(folder)), text_of)


def _listed(listed: Path, root: Path) -> list[Path]:
    """The pictures that a list names, each by as much of its name as is there: "data/obj_train_data/1.jpg"."""
    names = [PurePosixPath(line.replace("\\", "/")) for line in read_lines(listed)]
    return [_picture(name, (listed.parent, root)) for name in names if is_picture(Path(name.name))]


def _picture(name: PurePosixPath, roots: Sequence[Path]) -> Path:
    """The file, or where it should be."""
    names = _inside(name)
    tries = (root.joinpath(*names[start:]) for start in range(len(names)) for root in roots)
    return next((place for place in tries if os.path.isfile(place)), roots[-1].joinpath(*names))


# -- the usual folders -----------------------------------------------------------------------------------------------


def _of_folders(root: Path) -> Iterator[Part]:
    """images/ and labels/, each with test, val or train inside or around; or pictures and texts together."""
    for split, folders in SPLITS.items():
        for name in folders:
            yield from _pair(split, root / "images" / name, root / "labels" / name)
            yield from _pair(split, root / name / "images", root / name / "labels")
    yield from _pair("all", root / "images", root / "labels")
    for split, folders in SPLITS.items():
        for name in folders:
            if any(map(class_lists, (root, root / name))):
                yield from _together(split, root / name)
    if class_lists(root):
        yield from _together("all", root)


def _pair(split: str, images: Path, labels: Path) -> Iterator[Part]:
    if images.is_dir() and labels.is_dir():
        pictures = list(files_in(images))
        yield Part(split, images, pictures, lambda file: (labels / file.relative_to(images)).with_suffix(".txt"))


def _together(split: str, folder: Path) -> Iterator[Part]:
    if folder.is_dir():
        pictures = [file for file in sorted(folder.iterdir()) if is_picture(file)]
        if any(file.with_suffix(".txt").is_file() for file in pictures):
            yield Part(split, folder, pictures, lambda file: file.with_suffix(".txt"))
