"""The engines: one line each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ..errors import OptionError
from ..runtime.file import is_file
from ..runtime.model.card import KEY
from ..runtime.predict import Predictor
from . import onnxruntime, openvino
from .arrays import engine as arrays
from .base import Engine, Settings
from .litert import engine as litert
from .mnn import engine as mnn
from .ncnn import engine as ncnn
from .tensorrt import engine as tensorrt

ENGINES: dict[str, Engine] = {
    "onnxruntime": onnxruntime.ENGINE,
    "openvino": openvino.ENGINE,
    "ncnn": ncnn.ENGINE,
    "litert": litert.ENGINE,
    "mnn": mnn.ENGINE,
    "tensorrt": tensorrt.ENGINE,
    "numpy": arrays.ENGINE,
}

# Builds of these that run on devices only: nothing is compiled for them, and here the others open their files.
ELSEWHERE: dict[str, Engine] = {
    "onnxruntime-web": replace(
        onnxruntime.ENGINE, name="onnxruntime-web", opens=(".onnx",), version=lambda: None, int8_helps=False
    ),
}


def engine_named(name: str) -> Engine:
    """The engine of this name; OptionError, which names those there are."""
    if name not in ENGINES:
        raise OptionError(
            en=f"--engine is {name}; it can be {', '.join(ENGINES)}.",
            zh=f"--engine 的值是 {name}，可以是 {'、'.join(ENGINES)}。",
        )
    return ENGINES[name]


def engine_here(name: str) -> Engine:
    """The engine of this name, or what stands in for it where it is not installed."""
    engine = engine_named(name)
    return engine.instead if engine.instead and engine.version() is None else engine


def engine_on_devices(name: str) -> Engine:
    """The engine that a device's profile names."""
    return ELSEWHERE.get(name) or ENGINES[name]


def is_compiled(path: Path) -> bool:
    """Whether a file is what an engine made of an .onnx: by its suffix, or where others write such files by itself."""
    suffix = path.suffix.lower()
    return suffix != ".onnx" and any(suffix in engine.opens and engine.own(path) for engine in ENGINES.values())


def engine_for(path: Path) -> Engine:
    """The engine that runs files of this suffix; onnxruntime for any other, which says what is wrong with them."""
    suffix = path.suffix.lower()
    return next((engine for engine in ENGINES.values() if suffix in engine.opens), onnxruntime.ENGINE)


def open_predictor(path: Path, settings: Settings | None = None, bare: bool = False) -> Predictor:
    """A model of any engine, ready to be asked; FileMissing, ModelError, EngineError, ExtraMissing, OptionError.

    bare  also an .onnx without a card, as one of arrays; else NoCard for such
    """
    engine = engine_for(path)
    is_file(path)  # says so of a pipe or a device, which would keep engines waiting
    session = engine.open(path, settings or Settings())
    if bare and path.suffix.lower() == ".onnx" and KEY not in session.get_modelmeta().custom_metadata_map:
        from .bare import bare_predictor

        return bare_predictor(path, session)
    return Predictor(path, session=session)
