"""From a checkpoint or a converted model to an engine's files: converted, where it is not yet, and compiled."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from .checkpoint import read_checkpoint
from .convert import convert
from .engines import Artifact, Engine, compile_for
from .engines.artifact import check_precision
from .engines.base import two_stages
from .engines.table import engine_named, is_compiled
from .nets.recognise import recognise_checkpoint
from .whole_file import folder_beside, output_path


def export_model(source: str | Path, engine: str, out: str | Path | None = None, precision: str = "fp32") -> Artifact:
    """compile_for(), which also takes a checkpoint: it is converted as convert() does, but leaves no .onnx.

    Detectors are converted in the form that the engine can run: "boxes", or else "raw".

    >>> export_model("best.pth", "ncnn").files
    (Path('best.ncnn.param'), Path('best.ncnn.bin'))
    """
    source, start = Path(source), time.perf_counter()
    if source.suffix.lower() == ".onnx" or is_compiled(source):
        return compile_for(engine, source, out, precision)
    chosen = engine_named(engine)
    check_precision(chosen, precision)
    form = _form(source, chosen)
    target = output_path(source, out, chosen.suffix)
    with folder_beside(target) as folder:
        model = convert(source, folder / f"{source.stem}.onnx", form=form)
        made = compile_for(engine, model.path, target, precision)
    seconds = time.perf_counter() - start
    return replace(made, source=source, told=tuple(model.card.notes), seconds=seconds)


def _form(source: Path, engine: Engine) -> str:
    """Of a checkpoint's network; EngineError for a two-stage detector where the engine cannot run it."""
    if engine.boxes:
        return "boxes"
    found = recognise_checkpoint(read_checkpoint(source))
    if any(layer.op == "RoiAlign" for layer in found.graph.layers):
        raise two_stages(engine.name, source, found.title)
    return "raw" if found.task == "detection" else "boxes"
