"""The names of files: of pictures, of what lies beside them, and of folders that hold them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Mapping, Optional

from .errors import InputError
from .file import is_path

if TYPE_CHECKING:
    from .typed import FilePath

# The one list of what pictures are called, for folders, archives and the page; tests compare the others with it.
JPEG = (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".pjpeg", ".pjp", ".mpo")
PICTURES = (*JPEG, ".png", ".apng", ".bmp", ".dib", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
NUMBERS = (".csv", ".tsv", ".npz", ".npy")  # data to judge by that are no pictures
ANSWERS = (".txt", ".json", ".xml", ".yaml", ".yml", ".names", ".labels", ".data")  # that lie beside pictures
BESIDE = (*NUMBERS, *ANSWERS, ".md", ".db", ".ini", ".cache", ".py", ".log", ".lnk", ".url")  # as do these
SYSTEM = ("__MACOSX", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "@eaDir", "System Volume Information")

SCREEN = "sim_screen.png"  # what the simulator has shown, which nobody wants to be recognised


def is_picture(name: FilePath) -> bool:
    """Whether it is called like one."""
    return os.fspath(name).lower().endswith(PICTURES)


def is_systems(name: str) -> bool:
    """Whether a file or folder is one of those that systems add by themselves, and nobody means."""
    return name.startswith(".") or name in SYSTEM


def is_result(path: str) -> bool:
    """Whether it is a picture with an answer drawn on it, which draw.keep() has written, or the simulator's screen."""
    name = os.path.basename(path).lower()
    if name == SCREEN:
        return True
    if "result" not in name or not is_picture(path) or not os.path.isfile(path):
        return False
    from .model.kinds import RESULT, head_of  # here, since programs for tables have no pictures

    return RESULT in head_of(path)


def files_in(folder: FilePath) -> Iterator[str]:
    """The paths of the files that may be pictures in a folder and those below, sorted.

    Files of other kinds (HEIC, RAR …) are given as well, so that reading them says what is wrong with them; what lies
    beside pictures is left out, beside() has it, and so are results_in() it.
    """
    return (path for path in _walked(folder) if not path.lower().endswith(BESIDE) and not is_result(path))


def results_in(folder: FilePath) -> Iterator[str]:
    """The paths of the pictures in a folder and those below that are results themselves."""
    return filter(is_result, _walked(folder))


def beside(folder: FilePath) -> Iterator[str]:
    """The paths of the files that files_in() leaves out."""
    return (path for path in _walked(folder) if path.lower().endswith(BESIDE))


def counted(names: Iterable[str]) -> Dict[str, int]:
    """How many names have which ending, most first; "" for those without one."""
    found: Dict[str, int] = {}
    for name in names:
        ending = os.path.splitext(name)[1].lower()
        found[ending] = found.get(ending, 0) + 1
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def as_words(counts: Mapping[str, int], nothing: str = "?", most: int = 6) -> str:
    """ ".heic 3, .txt 1"; `nothing` stands for no ending at all."""
    words = ["%s %d" % (ending[:20] or nothing, count) for ending, count in list(counts.items())[:most]]
    return ", ".join(words) + (" …" if len(counts) > most else "")


def _walked(folder: FilePath) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_systems(name))
        for name in sorted(files):
            if not is_systems(name):
                yield os.path.join(place, name)


def pictures_in(folder: FilePath) -> List[str]:
    """The paths of the pictures in a folder, sorted by name; InputError if there are none."""
    paths = [os.path.join(str(folder), name) for name in sorted(os.listdir(folder)) if not is_systems(name)]
    found = [path for path in paths if (is_picture(path) and not os.path.isdir(path)) or _begins_like_one(path)]
    found = [path for path in found if not is_result(path)]
    if not found:
        there = as_words(counted(path for path in paths if os.path.isfile(path)))
        raise InputError(
            en="The folder %s holds no pictures (.jpg, .png, .bmp and so on)%s. Name a folder with pictures."
            % (folder, there and ", but: " + there),
            zh="文件夹 %s 里没有图片（.jpg、.png、.bmp 等）%s。请指定有图片的文件夹。"
            % (folder, there and "，有：" + there),
        )
    return found


def _begins_like_one(path: str) -> bool:
    """Of files with an ending that says nothing, or none."""
    from .model.kinds import head_of, looks_like_picture  # here, since programs for tables have no pictures

    return not path.lower().endswith(BESIDE) and os.path.isfile(path) and looks_like_picture(head_of(path))


def pictures_of(*paths: FilePath) -> List[str]:
    """The paths themselves, and instead of a folder the pictures in it, sorted by name; InputError if it has none."""
    return [name for path in paths for name in (pictures_in(path) if os.path.isdir(path) else [str(path)])]


def several(data: Any) -> Optional[List[Any]]:
    """The single pictures of a folder, a list, or an array of several; None for one picture."""
    if isinstance(data, (list, tuple)) or getattr(data, "ndim", 0) == 4:
        return list(data)
    return list(pictures_in(data)) if is_path(data) and os.path.isdir(data) else None
