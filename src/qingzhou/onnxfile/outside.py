"""Weights that a model keeps in another file, as torch's exporter writes them: opened only where that is harmless.

The name is the model's own choice, so it must be a plain file in the model's folder, and long enough. What is read is
as much as the tensors' shapes take. https://onnx.ai/onnx/repo-docs/ExternalData.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ModelError
from ..own_files import is_plain
from ..runtime.errors import line
from ..runtime.file import open_file

MOST_TIMES = 2  # as many bytes as the files have may be read from them: tensors that share numbers are few
PIECE = 1 << 20
LONGEST_NUMBER = 19  # digits
SHOWN = 60  # letters of a name


@dataclass(frozen=True)
class Place:
    """Where a tensor's numbers lie: the other file's name, the first byte, and how many (None: as its shape says)."""

    name: str
    start: int
    size: int | None


@dataclass(frozen=True)
class Piece:
    """A run of bytes in a file that lies there."""

    file: Path
    start: int
    size: int

    def read(self) -> bytes:
        """All of it; ModelError where the file has become shorter."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The same, a part at a time."""
        with open_file(self.file) as file:
            file.seek(self.start)
            left = self.size
            while left:
                found = file.read(min(left, PIECE))
                if not found:
                    raise _short(self.file.name, self.file.name, self.start + self.size, self.start + self.size - left)
                left -= len(found)
                yield found


def place_of(entries: Mapping[str, str]) -> Place:
    """From the entries of TensorProto.external_data; what is no number becomes a place that fits nowhere."""
    size = entries.get("length")
    return Place(
        entries.get("location", "?"), _whole(entries.get("offset", "0")), None if size is None else _whole(size)
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < LONGEST_NUMBER else -1


def readable(path: Path, place: Place, size: int | None) -> Piece:
    """The bytes of a tensor of `size` bytes of the model at `path`; ModelError names the file and what is wrong."""
    name = place.name
    if not is_name(name):
        raise ModelError(
            en=f"{path.name} keeps weights in another file, {line(name[:SHOWN])!r}, which is no plain name of one, so "
            "it is not opened. Save the model again where it was made, its weights beside it or inside.",
            zh=f"{path.name} 的权重写在 {line(name[:SHOWN])!r}，它不是同一文件夹里的普通文件名，因此不打开。"
            "请在导出的电脑上重新保存，把权重文件放在模型旁边，或保存在模型里面。",
        )
    file = path.parent / name
    if not is_plain(file):
        raise ModelError(
            en=f"{path.name} keeps its weights in another file, {line(name[:SHOWN])}, which does not lie beside it. "
            "Copy that file into the same folder; both belong together.",
            zh=f"{path.name} 的权重在另一个文件 {line(name[:SHOWN])} 里，但它不在同一文件夹。"
            "请把这个文件也复制过来，两个文件缺一不可。",
        )
    there = file.stat().st_size
    if size is None or place.size not in (None, size) or place.start < 0 or place.start + size > there:
        raise _short(path.name, name, place.start + (size or 0), there)
    return Piece(file, place.start, size)


def check_amount(path: Path, pieces: Iterable[Piece]) -> None:
    """ModelError where the tensors would read far more than the files have: a few bytes, again and again."""
    listed = list(pieces)
    there = sum(file.stat().st_size for file in {piece.file for piece in listed})
    if sum(piece.size for piece in listed) > MOST_TIMES * there + (1 << 20):
        raise ModelError(
            en=f"{path.name} reads the same bytes of its other file again and again, which no exporter writes. Save "
            "the model again where it was made.",
            zh=f"{path.name} 反复读取另一个文件里的相同内容，正常导出的模型不会这样。请在导出的电脑上重新保存。",
        )


def is_name(name: str) -> bool:
    """Whether it can be the name of a file in the model's own folder, on any system."""
    return name not in ("", ".", "..", "?") and name.isprintable() and not set(name) & set('/\\:*?"<>|')


def _short(model: str, name: str, wanted: int, there: int) -> ModelError:
    return ModelError(
        en=f"{line(name[:SHOWN])}, which has the weights of {model}, has {there} bytes, and the model needs other or "
        f"more of them ({wanted}). The file of the same export was expected. Copy both files again.",
        zh=f"{line(name[:SHOWN])}（{model} 的权重文件）有 {there} 字节，与模型所需（{wanted}）不符。"
        "应为同一次导出的文件，请重新复制两个文件。",
    )
