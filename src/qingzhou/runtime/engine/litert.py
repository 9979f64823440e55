"""LiteRT, once TensorFlow Lite: a model as one .tflite, with the card in the archive behind it.

Python 3.7; copied to boards. Only a file that carries a card is opened, and only whole.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, Optional

import numpy as np

from ..errors import EngineError
from ..model.card import KEY
from .as_onnxruntime import Entry, RowByRow, free_batch
from .behind import damaged, read_behind
from .package import install_line, package, quiet

if TYPE_CHECKING:
    from ..typed import Array, FilePath

TITLE = "LiteRT"


class LiteRtSession(RowByRow):
    """A network that is asked as an onnxruntime session is: pictures of a batch one after the other."""

    def __init__(self, interpreter: Any, card: str) -> None:
        self._interpreter = interpreter
        self._in, self._out = interpreter.get_input_details(), interpreter.get_output_details()
        inputs, outputs = ([_entry(one) for one in side] for side in (self._in, self._out))
        super().__init__({one["name"]: _shape(one) for one in self._in}, inputs, outputs, {KEY: card})

    def _one(self, feed: Dict[str, Array]) -> List[Array]:
        for one in self._in:
            self._interpreter.set_tensor(one["index"], np.ascontiguousarray(feed[one["name"]], one["dtype"]))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(one["index"]) for one in self._out]


def _shape(one: Dict[str, Any]) -> List[int]:
    return [int(n) for n in one["shape"]]


def _entry(one: Dict[str, Any]) -> Entry:
    return Entry(one["name"], free_batch(_shape(one)), "tensor(float)")


def open_litert(path: FilePath, threads: Optional[int] = None, install: str = "") -> LiteRtSession:
    """A session on the processor; FileMissing, ModelError, EngineError, ExtraMissing.

    install   the line to name where LiteRT is missing, if not the ordinary one
    """
    name = os.path.basename(str(path))
    model, (card,) = read_behind(path)
    if model[4:8] != b"TFL3":
        raise damaged(name, "TFL3")
    interpreter = package("ai_edge_litert.interpreter", TITLE, install or install_line("ai-edge-litert"))
    try:
        with quiet(2):  # it tells of its XNNPACK, and of errors that it raises, too
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
