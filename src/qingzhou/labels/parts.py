"""The parts of a data set for testing, validating and training, which are no classes; folders that nobody made."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from ..runtime.read import is_systems

SPLITS = {
    "test": ("test_set", "test", "test2017"),
    "val": ("val_set", "val", "valid", "validation", "val2017"),
    "train": ("training_set", "train_set", "train", "training", "train2017"),
}  # in the order in which they are preferred for judging
DEEPEST = 4  # folders around a data set
PARTS = frozenset(name for names in SPLITS.values() for name in names)
BESIDE = frozenset(
    (
        "images",
        "labels",
        "annotations",
        "jpegimages",
        "imagesets",
        "segmentationclass",
        "segmentationobject",
        "meta",
        "pictures",
    )
)  # of annotated pictures


def class_folders(folder: Path, classes: int | None = None) -> list[str]:
    """The folders that name classes, as training tools number them: sorted as texts.

    Names of parts are none, where they hold folders or nothing else is there: a class may be called "train" as well.
    Folders of programs count only if the network has an output for them (`classes`), which it has where they were there
    at the training.
    """
    every = [one for one in folders_in(folder, junk=True) if one.name not in PARTS or not folders_in(one)]
    if all(one.name in PARTS or one.name.lower() in BESIDE or is_systems(one.name) for one in every):
        return []
    found = [one.name for one in every if not is_systems(one.name)]
    return [one.name for one in every] if len(found) != classes == len(every) else found


def folders_in(folder: Path, junk: bool = False) -> list[Path]:
    """The folders in a folder, sorted as training tools number them; with those of programs only where told."""
    found = (
        Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and (junk or not is_systems(entry.name))
    )
    return sorted(found, key=lambda path: path.name)


def unwrapped(folder: Path, classes: Collection[str] = ()) -> Path:
    """The folder inside one that holds nothing but it, as archives are unpacked; none that is a part or a class."""
    for _ in range(DEEPEST):
        entries = [entry for entry in os.scandir(folder) if not is_systems(entry.name)]
        inner = Path(entries[0].path) if len(entries) == 1 and entries[0].is_dir() else None
        if inner is None or inner.name in {*PARTS, *classes} or inner.name.lower() in BESIDE or not folders_in(inner):
            break
        folder = inner
    return folder


def split_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """("test", root/test_set), …: what there is, the best to judge by first."""
    for split, names in SPLITS.items():
        for name in names:
            if (root / name).is_dir():
                yield split, root / name


def split_of(name: str) -> str | None:
    """The part that a file's or folder's name speaks of: instances_val2017 -> val."""
    words = "".join(letter if letter.isalpha() else " " for letter in name.lower()).split()
    known = {"test": "test", "val": "val", "valid": "val", "validation": "val", "train": "train", "training": "train"}
    return next((known[word] for word in words if word in known), None)
