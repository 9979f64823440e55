"""Where a result goes, and writing it whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from .errors import OutputError

LONGEST = 236  # bytes of a name that is ours to choose: systems take 255, and "_result12.png" comes beside


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write, which moves to `path` when the block ends well and vanishes otherwise; OutputError if it cannot.

    The block opens and closes it as it likes: onnxruntime on Windows cannot read a file that is open for writing.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
        os.close(handle)
    except (OSError, ValueError) as err:  # ValueError: a path with a null character
        raise _cannot_write(path, err) from None
    try:
        yield Path(name)
        os.chmod(name, 0o666 & ~_umask())  # mkstemp makes files that only their owner may read
        os.replace(name, path)
    except OSError as err:
        raise _cannot_write(path, err) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


@contextlib.contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """An empty folder on the disk of `path`, which vanishes when the block ends; OutputError if it cannot be made."""
    try:
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:40]}.", ignore_cleanup_errors=True)
    except (OSError, ValueError) as err:
        raise _cannot_write(path, err) from None
    with folder as name:
        yield Path(name)


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


def output_path(source: Path, out: str | Path | None, suffix: str) -> Path:
    """Where a result goes: never over its source, always with the last part of the suffix; missing folders are made.

    `out` is a file or a folder, which is there or ends with "/"; without one the result goes beside the source, as its
    name with the suffix (".onnx", ".openvino.xml"). OutputError if that cannot be.
    """
    target = source.with_name(fitting(source.stem, suffix)) if out is None else Path(out)
    if target.is_dir() or str(out).endswith(("/", os.sep)):
        target = target / fitting(source.stem, suffix)
    last = Path(f"x{suffix}").suffix
    if target.suffix.lower() != last:
        target = target.with_name(target.name + last)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.samefile(source):
            raise over_the_source(source)
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {target.parent}: {err.strerror}. Choose another place with -o.",
            zh=f"无法建立文件夹 {target.parent}：{err.strerror}。请用 -o 换一个位置。",
        ) from None
    return target


def one_name(path: Path) -> str:
    """The same for paths that are one file on some system: Windows and macOS ignore case, macOS how é is composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", os.path.abspath(path)).casefold())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _cannot_write(path: Path, err: Exception) -> OutputError:
    reason = getattr(err, "strerror", None) or str(err) or type(err).__name__
    return OutputError(
        en=f"Cannot write {path}: {reason}. Nothing was left behind. Choose another place with -o, or make room there.",
        zh=f"无法写入 {path}：{reason}。没有留下不完整的文件。请用 -o 换一个位置，或清理磁盘空间。",
    )


def over_the_source(source: Path) -> OutputError:
    """What to raise then."""
    return OutputError(
        en=f"The model would be written over {source} itself. Give it another name with -o.",
        zh=f"模型会覆盖 {source} 本身。请用 -o 换一个名字。",
    )
