"""LiteRT, once TensorFlow Lite: a model as one .tflite, with the card in the archive behind it.

Python 3.7; copied to boards. Only a file that carries a card is opened, and only whole: the archive says how long what
lies before it is, and its checksum.
"""

from __future__ import annotations

import contextlib
import os
import threading
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

import numpy as np

from ..errors import EngineError, FileMissing, ModelError
from ..file import is_file, open_file
from ..model.card import KEY, LONGEST
from .as_onnxruntime import EngineSession, Entry
from .package import install_line, package

if TYPE_CHECKING:
    from ..typed import Array, FilePath

CARD = KEY + ".json"  # the card's name in the archive
SUM = "crc32.txt"  # of what lies before the archive
LARGEST = 1 << 31  # bytes
TITLE = "LiteRT"
_QUIET = threading.Lock()


class LiteRtSession(EngineSession):
    """A network that is asked as an onnxruntime session is: pictures of a batch one after the other."""

    def __init__(self, interpreter: Any, card: str) -> None:
        self._interpreter = interpreter
        self._in, self._out = interpreter.get_input_details(), interpreter.get_output_details()
        super().__init__([_entry(one) for one in self._in], [_entry(one) for one in self._out], {KEY: card})

    def run(self, names: None, feed: Dict[str, Array]) -> List[Array]:
        """All outputs; of a network for one input at a time, a row for each."""
        shapes = {one["name"]: tuple(int(n) for n in one["shape"]) for one in self._in}
        counts = {len(feed[name]) // max(shape[0], 1) for name, shape in shapes.items() if shape}
        count = counts.pop() if len(counts) == 1 else 0
        for name, shape in shapes.items():
            if not count or feed[name].shape != (shape[0] * count, *shape[1:]) or (shape[0] > 1 and count > 1):
                raise ValueError("%s: %s, not %s" % (name, feed[name].shape, shape))
        with self._lock:
            rows = [
                self._one({name: feed[name][i * n[0] : (i + 1) * n[0]] for name, n in shapes.items()})
                for i in range(count)
            ]
        return [np.concatenate(parts) for parts in zip(*rows)] if count > 1 else rows[0]

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
        for one in self._in:
            self._interpreter.set_tensor(one["index"], np.ascontiguousarray(feed[one["name"]], one["dtype"]))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(one["index"]) for one in self._out]


def _entry(one: Dict[str, Any]) -> Entry:
    shape = [int(n) for n in one["shape"]]
    return Entry(one["name"], ["?", *shape[1:]] if shape and shape[0] == 1 else shape, "tensor(float)")


def open_litert(path: FilePath, threads: Optional[int] = None, install: str = "") -> LiteRtSession:
    """A session on the processor; FileMissing, ModelError, EngineError, ExtraMissing.

    install   the line to name where LiteRT is missing, if not the ordinary one
    """
    name = os.path.basename(str(path))
    model, card = _read(path, name)
    interpreter = package("ai_edge_litert.interpreter", TITLE, install or install_line("ai-edge-litert"))
    try:
        with quiet():
            found = interpreter.Interpreter(model_content=model, num_threads=threads)
            found.allocate_tensors()
    except (ValueError, RuntimeError) as err:
        raise EngineError(
            en="%s cannot take %s: %s. Export it again, or install a newer version: %s"
            % (TITLE, name, " ".join(str(err).split())[:200], install or install_line("ai-edge-litert")),
            zh="%s 无法使用 %s：%s。请重新导出，或安装更新的版本：%s"
            % (TITLE, name, " ".join(str(err).split())[:200], install or install_line("ai-edge-litert")),
        ) from None
    return LiteRtSession(found, card)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Within the block nothing is printed by LiteRT, which tells of its XNNPACK, and of errors that it raises, too."""
    with _QUIET:
        kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nothing, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nothing)


def is_ours(path: FilePath) -> bool:
    """Whether a .tflite carries a card: any other is a model that is still to be converted."""
    try:
        if not os.path.isfile(str(path)):  # a pipe would keep whoever asks waiting
            return False
        with zipfile.ZipFile(str(path)) as archive:
            return CARD in archive.namelist()
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def _read(path: FilePath, name: str) -> Any:
    """The network's bytes, and the card's text; FileMissing, ModelError."""
    if not is_file(path):
        raise FileMissing(
            en="There is no file %s. Check the name and the folder." % (path,),
            zh="文件 %s 不存在。请检查文件名和所在的文件夹。" % (path,),
        )
    if os.path.getsize(str(path)) > LARGEST:
        raise damaged(name, "%d" % os.path.getsize(str(path)))
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            if CARD not in infos or SUM not in infos or infos[CARD].file_size > LONGEST or infos[SUM].file_size > 40:
                raise damaged(name, CARD)
            size, checksum = (int(word) for word in archive.read(SUM).split())
            card = archive.read(CARD).decode("ascii")
            file.seek(0)
            model = file.read(size)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error) as err:
        raise damaged(name, str(err)[:100]) from None
    if len(model) != size or zlib.crc32(model) != checksum or model[4:8] != b"TFL3":
        raise damaged(name, "crc32")
    return model, card


def damaged(name: str, why: str) -> ModelError:
    """The error for a file that is not what export wrote."""
    return ModelError(
        en="%s is no .tflite that qingzhou export wrote, or it is damaged (%s). Copy it again; a .tflite of another "
        "tool is converted first: qingzhou convert %s" % (name, why, name),
        zh="%s 不是 qingzhou export 生成的 .tflite，或者已损坏（%s）。请重新复制；其他工具的 .tflite 请先转换："
        "qingzhou convert %s" % (name, why, name),
    )
