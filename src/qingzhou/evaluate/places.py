"""Folders: their parts for testing, validating and training; class lists; where a named picture lies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import DataError, FileMissing, QingzhouError
from ..runtime import read

SPLITS = {
    "test": ("test_set", "test", "test2017"),
    "val": ("val_set", "val", "valid", "validation", "val2017"),
    "train": ("training_set", "train_set", "train", "training", "train2017"),
}  # in the order in which they are preferred
LARGEST_LIST = 1 << 27  # bytes of a list of pictures or classes


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted, without hidden ones and those that systems add."""
    found = (Path(entry.path) for entry in os.scandir(folder) if entry.is_dir() and not read.is_systems(entry.name))
    return sorted(found, key=lambda path: path.name)


def files_in(folder: Path) -> Iterator[Path]:
    """The files that may be pictures in a folder and those below, sorted, as read.files_in() has them."""
    return map(Path, read.files_in(folder))


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


def read_lines(path: Path) -> list[str]:
    """The lines of a small text file that are not empty; UTF-8 or GBK."""
    if path.stat().st_size > LARGEST_LIST:
        raise data_error(
            en=f"{path} is larger than {LARGEST_LIST >> 20} MB; expected a list of names. Split it.",
            zh=f"{path} 超过 {LARGEST_LIST >> 20} MB，应为名称列表。请拆分。",
        )
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def find(name: str, roots: Sequence[Path]) -> Path | QingzhouError:
    """The file of that relative name in the first of the folders that has it, or what is wrong."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0] if parts.parts else True:
        return data_error(
            en=f"The data name the picture {name!r}, which lies outside of the data's folder. Use names inside it.",
            zh=f"数据里的图片 {name!r} 不在数据文件夹内。请使用文件夹内的相对路径。",
        )
    for root in roots:
        if (root / parts).is_file():
            return root / parts
    return FileMissing(
        en=f"There is no picture {name}, looked for in {_list(roots)}. Check the list, or copy the picture there.",
        zh=f"找不到图片 {name}（查找过 {_list(roots)}）。请检查列表，或把图片复制到那里。",
    )


def _list(roots: Sequence[Path]) -> str:
    return ", ".join(str(root) for root in roots[:3]) + (" …" if len(roots) > 3 else "")


def data_error(en: str, zh: str) -> DataError:
    """A data set that cannot be judged by."""
    return DataError(en=en, zh=zh)
