"""Where a result goes, and writing it whole or not at all. Nothing else in the tool writes into people's folders.

What a board needs of it is in runtime/whole.py.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from .errors import OutputError
from .own_files import is_folder
from .runtime import whole

TRIES = 5  # to get a lock
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # a disk without room, a person's share of it, a file's own limit
LONGEST = 236  # bytes of a name that is ours to choose: systems take 255, and "_result12.png" comes beside


@contextlib.contextmanager
def replacing(path: Path, follow: bool = True) -> Iterator[Path]:
    """A file to write, which moves to `path` when the block ends well and vanishes otherwise; OutputError if it cannot.

    `follow`: what a link names is replaced, and the link stays. That is for names that a person gave, or a result's
    own; at a name that we chose, a link is somebody's work, and refused.
    """
    with whole.replacing(os.fspath(path), follow) as part:
        yield Path(part)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder on the disk of `path`, which vanishes when the block ends.

    OutputError if it cannot be made, or the disk is full before the block ends.
    """
    with contextlib.ExitStack() as stack:
        try:
            name = stack.enter_context(whole.working_folder(os.fspath(path.parent), path.name))
        except (OSError, ValueError) as err:  # ValueError: a path with a null character
            raise whole.cannot_write(os.fspath(path), err) from None
        try:
            yield Path(name)
        except OSError as err:
            if err.errno not in FULL:
                raise
            raise whole.cannot_write(os.fspath(path), err) from None


@contextlib.contextmanager
def only_one(place: Path) -> Iterator[None]:
    """A block in which no other run, of any process, makes the same; OutputError where one does. On a disk without
    locks nobody is kept out.
    """
    digest = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:8]
    folder = place.parent / f".{place.name[:30]}-{digest}.only_one{whole.SUFFIX}"
    try:
        handle = _held(folder)
    except BlockingIOError:
        raise OutputError(
            en=f"Another run of qingzhou is making {place} just now. Wait until it is done, or choose another "
            "place with -o.",
            zh=f"另一个 qingzhou 正在生成 {place}。请等它完成，或用 -o 换一个位置。",
        ) from None
    except OSError as err:
        raise whole.cannot_write(os.fspath(place), err) from None
    try:
        yield
    finally:
        if os.name == "nt":  # which removes no file that is open
            os.close(handle)
        with contextlib.suppress(OSError):
            (folder / whole.LOCK).unlink()
            folder.rmdir()
        if os.name != "nt":  # at last: nobody else gets the lock of a file that is about to go
            os.close(handle)


def _held(folder: Path) -> int:
    """The lock in a folder, which is made; BlockingIOError where another has it."""
    place = folder / whole.LOCK
    for _ in range(TRIES):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
        try:
            handle = os.open(place, whole.THERE | os.O_CREAT, 0o600)
        except FileNotFoundError:  # the one before has removed the folder just now
            continue
        if (whole.lock(handle) and _is_same(handle, place)) or not _has_locks(folder):
            if not os.fstat(handle).st_size:
                os.write(handle, (whole.SAYS + whole.computer()).encode("utf-8"))
            return handle
        os.close(handle)
        time.sleep(0.02)  # who only looks whether a folder is left has its lock for a moment
    raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK))


def _is_same(handle: int, place: Path) -> bool:
    """Whether the file still lies there, and was not removed by the one before."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(place))
    except FileNotFoundError:
        return False


def _has_locks(folder: Path) -> bool:
    """Whether the disk knows locks: a file that nobody else has can be locked."""
    try:
        handle, name = tempfile.mkstemp(dir=folder)
    except FileNotFoundError:
        return True
    try:
        return whole.lock(handle)
    finally:
        os.close(handle)
        os.unlink(name)


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder where the system keeps such, which vanishes when the block ends; OutputError."""
    with folder_beside(Path(tempfile.gettempdir()) / "work") as folder:
        yield folder


def move_in(part: Path, path: Path) -> None:
    """Put a finished file of the same disk in its place; OutputError if it cannot."""
    with replacing(path) as new:
        os.replace(part, new)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with \\n line ends, whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(text.encode("utf-8"))


def fitting(stem: str, suffix: str) -> str:
    """stem + suffix; where a file system would not take it, with less of the stem, and a mark so that no two meet."""
    name = stem + suffix
    if len(os.fsencode(name)) <= LONGEST:
        return name
    suffix = f"-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}{suffix}"
    while stem and len(os.fsencode(stem + suffix)) > LONGEST:
        stem = stem[:-1]
    return stem + suffix


def write_all(folder: Path, texts: Mapping[str, str], gone: Sequence[str] = ()) -> None:
    """Write files into a folder and those in it, by their names with /, and remove the files `gone`.

    The folders are made. No folder is a link, nor is a file: else OutputError, and nothing is written.
    """
    folders = {str(above): None for name in (*texts, *gone) for above in reversed(PurePosixPath(name).parents)}
    for place in (folder / name for name in folders):
        if os.path.lexists(place) and not is_folder(place):
            guard(place, follow=False)
            raise whole.cannot_write(os.fspath(place), NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    for name in texts:
        guard(folder / name, follow=False)
    with folder_beside(folder) as work:
        try:
            _move_all(_written(work / folder.name, folders, texts), folder, folders, texts)
            for name in gone:
                os.unlink(folder / name)
        except OSError as err:
            raise whole.cannot_write(os.fspath(folder), err) from None


def _written(new: Path, folders: Iterable[str], texts: Mapping[str, str]) -> Path:
    for name in folders:
        (new / name).mkdir()
    for name, text in texts.items():
        (new / name).write_bytes(text.encode("utf-8"))
    return new


def _move_all(new: Path, folder: Path, folders: Iterable[str], names: Iterable[str]) -> None:
    if not folder.exists():
        with contextlib.suppress(OSError):  # else it came meanwhile
            os.replace(new, folder)
            return
    for name in folders:
        (folder / name).mkdir(exist_ok=True)
    for name in names:
        os.replace(new / name, folder / name)


def sweep(folder: Path) -> None:
    """Remove what killed runs left in a folder."""
    whole.sweep(os.fspath(folder))


def guard(place: Path, *sources: Path, follow: bool = True) -> None:
    """OutputError where a place cannot be written to, or is one of the sources, by a link too."""
    whole.place_of(os.fspath(place), follow)
    for source in sources:
        if place.exists() and source.exists() and place.samefile(source):
            raise _over_the_source(source)


def output_path(source: Path, out: str | Path | None, suffix: str, *others: Path) -> Path:
    """Where a result goes: never over its source, always with the last part of the suffix; missing folders are made.

    `out` is a file or a folder, which is there or ends with "/"; without one the result goes beside the source, as its
    name with the suffix (".onnx", ".openvino.xml"). A link is followed; `others` are sources too. OutputError if that
    cannot be, also for devices and the like, by the name as it was given: /dev/null does not become /dev/null.onnx.
    """
    target = source.with_name(fitting(source.stem, suffix)) if out is None else Path(out)
    if target.exists() and not (target.is_file() or target.is_dir()):
        guard(target)
    if target.is_dir() or str(out).endswith(("/", os.sep)):
        target = target / fitting(source.stem, suffix)
    last = Path(f"x{suffix}").suffix
    if target.suffix.lower() != last:
        target = target.with_name(target.name + last)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        guard(target, source, *others)
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {target.parent}: {err.strerror}. Choose another place with -o.",
            zh=f"无法建立文件夹 {target.parent}：{err.strerror}。请用 -o 换一个位置。",
        ) from None
    sweep(target.parent)
    return target


@contextlib.contextmanager
def made_for(source: Path, out: str | Path | None, suffix: str, *others: Path) -> Iterator[Path]:
    """output_path() for a block that writes there: the folders that were made for it vanish where it wrote nothing."""
    first = source.with_name("x") if out is None else Path(out) / "x"
    missing = [folder for folder in first.parents if not folder.exists()]  # the innermost first
    try:
        yield output_path(source, out, suffix, *others)
    finally:
        for folder in missing:
            with contextlib.suppress(OSError, ValueError):  # a file is in it; never made; a null character
                folder.rmdir()


def one_name(path: Path) -> str:
    """The same for paths that are one file on some system: Windows and macOS ignore case, macOS how é is composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", os.path.abspath(path)).casefold())


def _over_the_source(source: Path) -> OutputError:
    return OutputError(
        en=f"The result would be written over {source} itself. Give it another name with -o.",
        zh=f"结果会覆盖 {source} 本身。请用 -o 换一个名字。",
    )
