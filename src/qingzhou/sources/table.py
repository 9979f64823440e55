"""Every kind of trained model that can be read, one line each, and which of them a file is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ..files.refusals import naming
from ..files.sniff import something_else
from .basenn import BASENN
from .distributed import DISTRIBUTED
from .exported import EXPORTED
from .keras import KERAS, TFJS
from .mindspore import MINDSPORE
from .onnx import ONNX
from .openmmlab import OPENMMLAB
from .paddle import PADDLE
from .sklearn import SKLEARN
from .source import Opened, Source
from .tensorflow import TENSORFLOW
from .tflite import TFLITE
from .torchscript import TORCHSCRIPT
from .ultralytics import ULTRALYTICS

# A new source is one folder or file beside this one and one line here. The first that claims a file reads it; those of
# torch come last, since their reader also says what is wrong with any other zip or pickle.
SOURCES: tuple[Source, ...] = (
    MINDSPORE,
    TENSORFLOW,
    ONNX,
    DISTRIBUTED,
    KERAS,
    PADDLE,
    TFJS,
    EXPORTED,
    TFLITE,
    SKLEARN,
    TORCHSCRIPT,
    ULTRALYTICS,
    BASENN,
    OPENMMLAB,
)


def _of(sources: Iterable[Source]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(suffix for source in sources for suffix in source.suffixes))


HALVES = tuple(suffix for source in SOURCES for suffix in source.halves)
MODELS = (*_of(SOURCES), *HALVES)  # the endings of all that can be looked at
CHECKPOINTS = _of(source for source in SOURCES if source is not ONNX)  # of what training leaves, to be converted


def open_source(path: Path) -> tuple[Opened, Source]:
    """A file, or the folder or files that are one model, and the source that reads it.

    CheckpointMissing, CheckpointTypeError that names what it is instead, CheckpointDamaged, UnsafeCheckpoint.
    """
    opened = Opened.at(path, tuple(suffix for source in SOURCES for suffix in source.beside))
    with naming(path):
        source = next((source for source in SOURCES if source.claims(opened)), None)
    if source is None:
        file = opened.file
        with naming(path):
            raise something_else(opened.head, file.size)
    return opened, source


def is_model_zip(names: Collection[str]) -> bool:
    """Whether a zip with parts of these names is one model of another tool than torch: for who may not open it."""
    return any(source.zipped(names) for source in SOURCES)


def is_model_folder(path: Path) -> bool:
    """Whether a folder is one model, and not a place where models lie, such as one of Paddle and one of MindSpore."""
    opened = Opened.at(path)
    return opened.whole is None and sum(source.claims(opened) for source in SOURCES) == 1
