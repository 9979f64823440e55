"""From a checkpoint or a converted model to an engine's files: converted, where it is not yet, and compiled."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from .convert import convert
from .engines import Artifact, Engine, compile_for
from .engines.artifact import check_precision, is_quantised
from .engines.base import two_stages
from .engines.table import engine_here, is_compiled
from .errors import AccuracyLost, say
from .progress import Tell, silent
from .quant import quantize
from .sources.openmmlab.state import recognise_checkpoint
from .sources.openmmlab.wrapped import open_checkpoint
from .whole_file import fitting, folder_beside, output_path


def export_model(
    source: str | Path,
    engine: str,
    out: str | Path | None = None,
    precision: str = "fp32",
    data: str | Path | None = None,
    max_drop: float = 0.5,
    tell: Tell = silent,
) -> Artifact:
    """compile_for(), which also takes a checkpoint: it is converted as convert() does, but leaves no .onnx.

    Detectors are converted in the form that the engine can run: "boxes", or else "raw". For "int8" a model that is not
    yet INT8 becomes it with the data, as quantize() does; AccuracyLost if that costs more than max_drop.

    >>> export_model("best.pth", "ncnn").files
    (Path('best.ncnn.param'), Path('best.ncnn.bin'))
    """
    source, start, chosen = Path(source), time.perf_counter(), engine_here(engine)
    ready = source.suffix.lower() == ".onnx" or is_compiled(source)
    if ready and precision != "int8":
        return compile_for(engine, source, out, precision)
    check_precision(chosen, precision)
    form = "" if ready else _form(source, chosen)
    target, model = output_path(source, out, chosen.suffix), source
    told: tuple[str, ...] = ()
    with folder_beside(target) as folder:
        if not ready:
            converted = convert(source, folder / fitting(source.stem, ".onnx"), form=form)
            model, told = converted.path, tuple(converted.card.notes)
        if precision == "int8" and not is_quantised(model):
            model, cost = _rounded(model, chosen.int8, folder, data, max_drop, tell)
            told += cost
        tell(say(f"for {engine}", f"用于 {engine}"))
        made = compile_for(engine, model, target, precision)
    return replace(made, source=source, told=(*told, *made.told), seconds=time.perf_counter() - start)


def _rounded(
    model: Path, target: str, folder: Path, data: str | Path | None, max_drop: float, tell: Tell
) -> tuple[Path, tuple[str, ...]]:
    """The model in INT8, as the engine takes it, and what is to be known of it: what that cost, what is doubtful."""
    out = folder / fitting(model.stem, ".int8.onnx")
    found = quantize(model, data, out, max_drop=max_drop, any_speed=True, target=target, tell=tell)
    if found.path is None:
        lost = 100 * found.verdict.drop.drop if found.verdict else 0.0
        raise AccuracyLost(
            en=f"INT8 would cost {lost:.2f} points, or too many answers would change, even with some layers left in "
            f"float; allowed are {max_drop:g}. Nothing was written. Look closer with qingzhou quantize.",
            zh=f"INT8 会使准确率下降 {lost:.2f} 个百分点，或者改变太多回答，即使保留部分层为浮点也不行；允许的是 "
            f"{max_drop:g}。没有写任何文件。详情请用 qingzhou quantize 查看。",
        )
    return found.path, (found.explanation, *found.notes)


def _form(source: Path, engine: Engine) -> str:
    """Of a checkpoint's network; EngineError for a two-stage detector where the engine cannot run it."""
    if engine.boxes:
        return "boxes"
    found = recognise_checkpoint(open_checkpoint(source))
    if any(node.op == "RegionAlign" for node in found.graph.nodes):
        raise two_stages(engine.name, source, found.title)
    return "raw" if found.task == "detection" else "boxes"
