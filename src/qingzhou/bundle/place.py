"""Where a bundle goes, and putting it there as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError


def bundle_place(source: Path, out: str | Path | None, name: str, force: bool) -> Path:
    """The folder or .zip to write; missing folders above it are made. OutputError where something else is there.

    A bundle of ours is replaced, but not one whose main.py somebody changed, unless `force`.
    """
    place = source.with_name(name) if out is None else Path(out)
    if place.is_dir() and not (place / "bundle.json").is_file() and any(place.iterdir()):
        place = place / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        taken = place.suffix != ".zip" and place.exists()
        if taken and not place.is_dir():
            raise _taken(place)
        if taken and any(place.iterdir()):
            _check_ours(place, force)
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {place.parent}: {err.strerror}. Choose another place with -o.",
            zh=f"无法建立文件夹 {place.parent}：{err.strerror}。请用 -o 换一个位置。",
        ) from None
    return place


def _check_ours(place: Path, force: bool) -> None:
    """OutputError for a folder that is no bundle, or in which somebody worked."""
    try:
        facts = json.loads((place / "bundle.json").read_text("utf-8"))
        ours = facts["format"] == "qingzhou.bundle"
        written = facts["files"].get("main.py")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        ours, written = False, None
    if not ours:
        raise _taken(place)
    program = place / "main.py"
    changed = program.is_file() and hashlib.sha256(program.read_bytes()).hexdigest() != written
    if changed and not force:
        raise OutputError(
            en=f"{program} was changed by somebody; it would be lost. Choose another place with -o, or take --force.",
            zh=f"{program} 被修改过，重新做包会丢失这些修改。请用 -o 换一个位置，或加 --force。",
        )


@contextlib.contextmanager
def said_of(place: Path) -> Iterator[None]:
    """What the disk refuses (it is full, say) becomes an OutputError."""
    try:
        yield
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {place}: {err.strerror or err}. Nothing was left behind. Choose another place with -o, "
            "or make room there.",
            zh=f"无法写入 {place}：{err.strerror or err}。没有留下不完整的文件。请用 -o 换一个位置，或清理磁盘空间。",
        ) from None


def take_place(folder: Path, place: Path, old: Path) -> None:
    """Move a finished folder to its place; the one that was there goes only when the new one is there."""
    try:
        if place.exists():
            os.replace(place, old)
        try:
            os.replace(folder, place)
        except OSError:
            if old.exists():
                os.replace(old, place)
            raise
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {place}: {err.strerror}. What was there is still there. Choose another place with -o.",
            zh=f"无法写入 {place}：{err.strerror}。原来的内容没有改动。请用 -o 换一个位置。",
        ) from None
    shutil.rmtree(old, ignore_errors=True)


def _taken(place: Path) -> OutputError:
    return OutputError(
        en=f"{place} is there already, and is no bundle. Choose another place with -o.",
        zh=f"{place} 已经存在，而且不是轻舟做的包。请用 -o 换一个位置。",
    )
