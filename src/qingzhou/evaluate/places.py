"""Files of a data set: the pictures in folders, lists, where a named picture lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import DataError, FileMissing, QingzhouError
from ..labels import read_text
from ..runtime import read


def files_in(folder: Path) -> Iterator[Path]:
    """The files that may be pictures in a folder and those below, sorted, as read.files_in() has them."""
    return map(Path, read.files_in(folder))


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty; UTF-8, UTF-16 or GBK. LabelError"""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


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
