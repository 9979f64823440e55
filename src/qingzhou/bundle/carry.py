"""What is somebody's own in a bundle's folder on a board, and under which name it goes on in the new one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..errors import BoardError
from ..own_files import kept_there


@dataclass(frozen=True)
class Found:
    """What lies in a folder there.

    files    name -> SHA-256; "" for a link and what else is no file
    tops     the names in the folder itself, empty folders as well
    written  name -> the SHA-256s that we wrote under it
    """

    files: Mapping[str, str] = field(default_factory=dict)
    tops: Collection[str] = ()
    written: Mapping[str, Collection[str]] = field(default_factory=dict)

    def ours(self, name: str) -> bool:
        """Whether it is a file as we wrote it."""
        return bool(self.files[name]) and self.files[name] in self.written.get(name, ())


@dataclass(frozen=True)
class Carried:
    """whole: files and folders that come along as they are; single: files among ours, with their names from now on."""

    whole: tuple[str, ...]
    single: Mapping[str, str]

    @property
    def renamed(self) -> dict[str, str]:
        """Those whose names are ours now."""
        return {name: now for name, now in self.single.items() if name != now}


def carried(found: Found, files: Mapping[str, str], skipped: Collection[str]) -> Carried:
    """What comes along beside the new bundle's files; BoardError for a name that is no text.

    files    of the new bundle, with their SHA-256;  skipped  names in the folder itself that do not come along
    """
    own = [name for name in found.files if not found.ours(name) and found.files[name] != files.get(name)]
    shared = {_top(name) for name in files} | {_top(name) for name in found.files if found.ours(name)}
    whole = [name for name in found.tops if name not in shared and name not in skipped]
    taken = {*found.files, *files, *(parent for name in (*found.files, *files) for parent in _folders(name))}
    folders = {parent for name in files for parent in _folders(name)}
    single = {}
    for name in own:
        if _top(name) in shared and _top(name) not in skipped:
            single[name] = _now(name, files, folders, taken)
    for name in (*whole, *single):
        if "\N{REPLACEMENT CHARACTER}" in name:
            raise _no_text(name)
    return Carried(tuple(whole), single)


def _now(name: str, files: Mapping[str, str], folders: Collection[str], taken: Collection[str]) -> str:
    """Its own name, unless that, or that of a folder above it, is needed for the new bundle."""
    for part in (*_folders(name), name):
        if part in files or (part == name and part in folders):
            return kept_there(part, taken) + name[len(part) :]
    return name


def _folders(name: str) -> list[str]:
    """ "a/b/c" -> ["a", "a/b"]."""
    return [str(parent) for parent in reversed(PurePosixPath(name).parents)][1:]


def _top(name: str) -> str:
    return name.partition("/")[0]


def _no_text(name: str) -> BoardError:
    return BoardError(
        en=f"The name {name} on the board is not in UTF-8, so it cannot come along. Rename it there, and push again.",
        zh=f"板子上的文件名 {name} 不是 UTF-8 编码，无法保留到新文件夹。请在板子上改名，然后再次 push。",
    )
