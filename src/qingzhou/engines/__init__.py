"""Engines: what runs a model, each behind the same few functions.

    base.py         what an engine gives; table.py: all of them, one line each
    onnxruntime.py  .onnx on any of its providers; compiles .ort
    openvino.py     compiles and runs .xml with .bin
    ncnn/           compiles .param with .bin, which write.py writes; runtime/engine/ncnn.py runs them
    litert/         compiles .tflite, which write.py writes; runtime/engine/litert.py runs them
    mnn/            compiles .mnn in a process of its own; runtime/engine/mnn.py runs them; behind.py: where cards lie
    tensorrt/       compiles and runs .engine with .json, on cuda.py; prepare.py does what needs no TensorRT
    arrays/         numpy: compiles .npz, which write.py writes; runtime/engine/arrays.py runs them
    artifact.py     compile_for: a model compiled, compared, written
    machine.py      what is installed here, and what the processor can

>>> from qingzhou.engines import compile_for
>>> compile_for("openvino", "best.onnx").path
Path('best.openvino.xml')
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .artifact import Artifact, compile_for
    from .base import Engine, Settings
    from .table import ENGINES, open_predictor

__all__ = ["ENGINES", "Artifact", "Engine", "Settings", "compile_for", "open_predictor"]

_HOMES = {
    "Artifact": ".artifact",
    "compile_for": ".artifact",
    "Engine": ".base",
    "Settings": ".base",
    "ENGINES": ".table",
    "open_predictor": ".table",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: who runs a model needs nothing of what compiles one."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name], __name__), name)
