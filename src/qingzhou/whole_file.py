"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import OutputError


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


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 with \\n line ends, whole or not at all."""
    with replacing(path) as part:
        part.write_bytes(text.encode("utf-8"))


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
