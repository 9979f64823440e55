"""MNN, Alibaba's engine for phones and small boards: a model as one .mnn, with the card in the archive behind it.

Python 3.7; copied to boards. Only a file that carries a card is opened, and only whole. Weights stored as FP16 are
also computed in FP16 where the processor can, as on a Raspberry Pi 5.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional

import numpy as np

from ..errors import EngineError
from ..model.card import KEY
from .as_onnxruntime import Entry, RowByRow, free_batch
from .behind import damaged, read_behind
from .package import install_line, package, quiet

if TYPE_CHECKING:
    from ..typed import Array, FilePath

OUTPUTS = "outputs.txt"  # in the archive: their names in the network's order, which MNN does not keep
PRECISION = "precision.txt"  # one of PRECISIONS
PRECISIONS = ("normal", "low")  # MNN's words: float32, or float16 where the processor has it
# HintMode of MNN/Interpreter.hpp: candidates for the tiles of Winograd's method. By default there are 3, of which the
# largest loses three digits.
WINOGRAD, TILES = 3, 1
TITLE = "MNN"


class MnnSession(RowByRow):
    """A network that is asked as an onnxruntime session is: inputs of a batch one after the other."""

    def __init__(self, mnn: Any, interpreter: Any, session: Any, names: List[str], card: str) -> None:
        self._mnn, self._interpreter, self._session = mnn, interpreter, session  # which live as long as their tensors
        ins, outs = interpreter.getSessionInputAll(session), interpreter.getSessionOutputAll(session)
        self._in, self._out = ins, [outs[name] for name in names]
        inputs = [_entry(name, tensor) for name, tensor in ins.items()]
        outputs = [_entry(name, tensor) for name, tensor in zip(names, self._out)]
        super().__init__({name: _shape(tensor) for name, tensor in ins.items()}, inputs, outputs, {KEY: card})

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
        for name, tensor in self._in.items():  # each time: their memory is used for what comes later, too
            tensor.copyFrom(self._held(np.ascontiguousarray(feed[name], np.float32)))
        if self._interpreter.runSession(self._session) != 0:
            raise MemoryError("MNN")
        return [self._taken(tensor) for tensor in self._out]

    def _held(self, array: Array) -> Any:
        """A tensor of MNN's with these numbers, in the order that they have here."""
        mnn = self._mnn
        return mnn.Tensor(array.shape, mnn.Halide_Type_Float, array, mnn.Tensor_DimensionType_Caffe)

    def _taken(self, tensor: Any) -> Array:
        shape = tensor.getShape()
        here = self._held(np.zeros(shape, np.float32))
        tensor.copyToHostTensor(here)
        return np.array(here.getNumpyData(), np.float32).reshape(shape)


def _shape(tensor: Any) -> List[int]:
    return [int(n) for n in tensor.getShape()]


def _entry(name: str, tensor: Any) -> Entry:
    return Entry(name, free_batch(_shape(tensor)), "tensor(float)")


def open_mnn(path: FilePath, threads: Optional[int] = None, install: str = "") -> MnnSession:
    """A session on the processor; FileMissing, ModelError, EngineError, ExtraMissing.

    install   the line to name where MNN is missing, if not the ordinary one
    """
    model, (card, names, precision) = read_behind(path, OUTPUTS, PRECISION)
    name, line = os.path.basename(str(path)), install or install_line("MNN")
    if precision not in PRECISIONS:
        raise damaged(name, PRECISION)
    with quiet(1):  # it tells of the processor
        mnn = package("MNN", TITLE, line)
        try:
            with _plain(str(path), model) as place:
                return session_of(mnn, place, names.split("\n"), card, precision, threads)
        except Exception as err:  # of any class: ValueError, RuntimeError, TypeError
            raise _refused(name, err, line) from None


def session_of(
    mnn: Any, place: str, names: List[str], card: str, precision: str = "normal", threads: Optional[int] = None
) -> MnnSession:
    """Of a file that is known to be whole; whatever MNN raises."""
    interpreter = mnn.Interpreter(place)
    interpreter.setSessionHint(WINOGRAD, TILES)
    config = {"backend": "CPU", "numThread": threads or os.cpu_count() or 1, "precision": precision}
    return MnnSession(mnn, interpreter, interpreter.createSession(config), names, card)


@contextlib.contextmanager
def _plain(path: str, model: bytes) -> Iterator[str]:
    """The file, which MNN takes by its name only; where that is not plain, which Windows has its own ideas of, a copy
    of the network.
    """
    if all(ord(c) < 128 for c in path):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.join(folder, "m.mnn")
        with open(place, "wb") as file:
            file.write(model)
        yield place


def _refused(name: str, err: Exception, install: str) -> EngineError:
    why = " ".join(str(err).split())[:200]
    return EngineError(
        en="%s cannot take %s: %s. Export it again, or install a newer version: %s" % (TITLE, name, why, install),
        zh="%s 无法使用 %s：%s。请重新导出，或安装更新的版本：%s" % (TITLE, name, why, install),
    )
