"""A bundle that is written again over another: its files of before, and those of now."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from qingzhou.bundle.contents import FACTS, write_facts
from qingzhou.bundle.place import take_place
from qingzhou.bundle.renew import Before, read_before

OLD = {
    "main.py": "MODEL",
    "labels.txt": "cat",
    "sim/1.jpg": "p",
    "qingzhou_runtime/draw.py": "d",
    "install.bat": "i",
    "wheels/numpy.whl": "n",
}
NEW = {
    "main.py": "MODEL 2",
    "labels.txt": "dog",
    "sim/1.jpg": "q",
    "qingzhou_runtime/draw.py": "e",
    "model.onnx": "m",
}


def write(folder: Path, files: dict[str, str], **facts: object) -> Path:
    """A small bundle."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    write_facts(folder, {"format": "qingzhou.bundle", "version": 1, **facts})
    return folder


def texts(folder: Path) -> dict[str, str]:
    """Every file with its text, without bundle.json; a link is said to be one."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.name != FACTS}
    return {
        name: f"-> {os.readlink(path)}" if path.is_symlink() else path.read_text("utf-8")
        for name, path in found.items()
        if path.is_symlink() or path.is_file()
    }


def before(place: Path) -> Before:
    found = read_before(place)
    assert found is not None
    return found


def again(place: Path, files: dict[str, str] = NEW) -> dict[str, str]:
    """Made again, with these files; where is what is somebody's own."""
    new = write(place.with_name("new"), files)
    kept = take_place(new, place, read_before(place), place.with_name("aside"))
    shutil.rmtree(place.with_name("new"), ignore_errors=True)
    shutil.rmtree(place.with_name("aside"), ignore_errors=True)
    return kept


def put(name: str, text: str) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, "utf-8")

    return change
