"""Where a bundle goes, and putting it there as a whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import OutputError
from ..own_files import is_plain, kept_name
from ..whole_file import guard, move_in, sweep
from .contents import FACTS, zip_of_ours, zipped
from .one_file import file_of_ours, one_file
from .renew import Before, read_before, renew


def place_is_file(out: str | Path | None) -> bool:
    """Whether a page of one file is asked for."""
    return out is not None and Path(out).suffix.lower() == ".html" and not Path(out).is_dir()


def bundle_place(source: Path, out: str | Path | None, name: str) -> Path:
    """The folder or .zip to write; missing folders above it are made. OutputError where something else is there.

    A link is followed: it stays, and the bundle is put where it leads.
    """
    place = source.with_name(name) if out is None else Path(out)
    if place.is_symlink():
        if not place.is_dir():
            guard(place, source)
        place = Path(os.path.realpath(place))
    if place.is_dir() and not (place / FACTS).is_file() and any(place.iterdir()):
        place = place / name
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        sweep(place.parent)
        if (place.suffix == ".zip" or place_is_file(place)) and not place.is_dir():
            guard(place, source)
        if os.path.lexists(place) and not _may_be_renewed(place):
            raise _taken(place)
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {place.parent}: {err.strerror}. Choose another place with -o.",
            zh=f"无法建立文件夹 {place.parent}：{err.strerror}。请用 -o 换一个位置。",
        ) from None
    return place


def _may_be_renewed(place: Path) -> bool:
    """Whether it is an empty folder, or a bundle of ours: a folder, or a zip."""
    if place.is_dir():
        return read_before(place) is not None or not any(place.iterdir())
    if place_is_file(place):
        return is_plain(place) and file_of_ours(place)
    return place.suffix == ".zip" and is_plain(place) and zip_of_ours(place) is not None


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


def take_place(folder: Path, place: Path, before: Before | None, aside: Path) -> dict[str, str]:
    """Put a finished folder in its place, as a folder, zip or one file; what is somebody's own, and where it is now."""
    if place_is_file(place):
        made = aside.with_name("page.html")
        made.write_bytes(one_file(folder))
        move_in(made, place)
        return {}
    if place.suffix == ".zip" and not place.is_dir():
        return _take_zip(zipped(folder, aside.with_name("bundle.zip")), place)
    try:
        if before is not None:
            return renew(folder, before, aside)
        with contextlib.suppress(FileNotFoundError):
            place.rmdir()  # it is empty; Windows moves no folder over another
        os.replace(folder, place)
    except OSError as err:
        raise OutputError(
            en=f"Cannot write {place}: {err.strerror}. What was there is still there. Close the programs that use it, "
            "or choose another place with -o.",
            zh=f"无法写入 {place}：{err.strerror}。原来的内容没有改动。请关闭正在使用它的程序，或用 -o 换一个位置。",
        ) from None
    return {}


def _take_zip(made: Path, place: Path) -> dict[str, str]:
    """The same for a zip: one that is there and was changed is kept as best.old.zip."""
    kept = {}
    if os.path.lexists(place) and not zip_of_ours(place):
        old = kept_name(place)
        os.replace(place, old)
        kept[place.name] = old.name
    move_in(made, place)
    return kept


def _taken(place: Path) -> OutputError:
    return OutputError(
        en=f"{place} is there already, and is no bundle. Choose another place with -o.",
        zh=f"{place} 已经存在，而且不是轻舟做的包。请用 -o 换一个位置。",
    )
