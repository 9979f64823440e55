"""An .onnx in a zip with the files that its weights lie in, as people pack what belongs together, and the page does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...files.refusals import naming, unsafe
from ...onnxfile.outside import is_name
from ...whole_file import scratch
from ..packed import member
from ..source import Opened

LARGEST = 1 << 31  # bytes of all files together: no .onnx with its weights has more
MOST = 64  # files: torch writes one for the weights, older exporters one for each large tensor


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The .onnx of a zip of just one, unpacked with its files for as long as the block runs; any other zip as it is.

    CheckpointDamaged, UnsafeCheckpoint.
    """
    opened = Opened.at(path)
    with naming(path):
        names = [name for name in opened.members if is_name(Path(name).name) and not name.endswith("/")]
    models = [name for name in names if name.lower().endswith(".onnx")]
    if len(models) != 1:
        yield path
        return
    folder = models[0].rpartition("/")[0]
    together = [name for name in names if name.rpartition("/")[0] == folder]
    with scratch() as place:
        with naming(path):
            _unpack(opened, together, place)
        yield place / Path(models[0]).name


def _unpack(opened: Opened, names: list[str], place: Path) -> None:
    left = LARGEST
    if len(names) > MOST:
        raise unsafe(f"it holds {len(names)} files beside a model", f"模型旁边有 {len(names)} 个文件")
    for name in names:
        part = member(opened, name, left)
        left -= part.size
        if left < 0:
            raise unsafe("it holds more than 2 GB", "其中的文件超过 2 GB")
        with (place / Path(name).name).open("xb") as file:
            for start in range(0, part.size, 1 << 24):
                file.write(part.read(start, min(1 << 24, part.size - start)))
