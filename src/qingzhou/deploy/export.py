"""From a checkpoint or a converted model to an engine's files: converted, where it is not yet, and compiled."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from ..engines import Artifact, compile_for
from ..engines.artifact import check_precision
from ..engines.table import ENGINES, engine_here
from ..errors import AccuracyLost, OptionError, say
from ..progress import Tell, silent
from ..quant import Quantized
from ..quant.pipeline import no_data
from ..targets import TARGETS, OnChip, Target, compile_for_chip
from ..targets.home import needed
from ..whole_file import folder_beside, made_for, scratch
from .make import Maker
from .plan import kind_of, refusal
from .there import judged_there


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
    if kind_of(source) != "checkpoint" and precision != "int8":
        return compile_for(engine, source, out, precision)
    check_precision(chosen, precision)
    told: tuple[str, ...] = ()
    with made_for(source, out, chosen.suffix) as target, folder_beside(target) as folder:
        maker = Maker(source, folder)
        model = maker.onnx(chosen)
        path = model.path
        if not maker.is_ready and model.card:
            told = tuple(model.card.notes)
        if precision == "int8" and not model.quantized:
            if why := refusal(chosen, model):
                raise why
            if data is None:
                raise no_data()
            found = maker.int8(model, data, chosen.int8, max_drop=max_drop, tell=tell)
            path, cost = _kept(found, max_drop)
            told += cost
            if chosen.arithmetic:
                told += (judged_there(chosen, model.path, found, Path(data), maker.folder, tell),)
        tell(say(f"for {engine}", f"用于 {engine}"))
        made = compile_for(engine, path, target, precision)
    return replace(made, source=source, told=(*told, *made.told), seconds=time.perf_counter() - start)


def export_any(
    source: str | Path,
    engine: str,
    chip: str = "",
    out: str | Path | None = None,
    precision: str = "",
    data: str | Path | None = None,
    max_drop: float = 0.5,
    tell: Tell = silent,
) -> Artifact | OnChip:
    """export_model(), or export_for_chip() where the engine is a target. OptionError for what only the other has."""
    if engine in TARGETS:
        if precision not in ("", "int8"):
            raise OptionError(
                en=f"--precision is {precision}; for {engine} it can be int8. Leave it out.",
                zh=f"--precision 的值是 {precision}，{engine} 可用的是 int8。请去掉这个选项。",
            )
        return export_for_chip(source, TARGETS[engine], chip, out, data, max_drop, tell)
    if engine not in ENGINES:
        every = [*ENGINES, *TARGETS]
        raise OptionError(
            en=f"--engine is {engine}; it can be {', '.join(every)}.",
            zh=f"--engine 的值是 {engine}，可以是 {'、'.join(every)}。",
        )
    if chip:
        raise OptionError(
            en=f"--chip is for {', '.join(TARGETS)}; {engine} has none. Leave it out.",
            zh=f"--chip 只用于 {'、'.join(TARGETS)}，{engine} 没有芯片型号。请去掉这个选项。",
        )
    return export_model(source, engine, out, precision or "fp32", data, max_drop, tell)


def export_for_chip(
    source: str | Path,
    target: Target,
    chip: str = "",
    out: str | Path | None = None,
    data: str | Path | None = None,
    max_drop: float = 0.5,
    tell: Tell = silent,
) -> OnChip:
    """compile_for_chip(), which also takes a checkpoint: it is converted as convert() does, but leaves no .onnx."""
    source, start, chip = Path(source), time.perf_counter(), target.chip(chip)
    needed(target)  # before anybody waits
    with made_for(source, out, target.ending.format(chip=chip)) as place, scratch() as folder:
        maker = Maker(source, folder)
        model = maker.onnx(target)
        notes = tuple(model.card.notes) if model.card and not maker.is_ready else ()
        made = compile_for_chip(model.path, target, chip, data, place, max_drop=max_drop, tell=tell)
    return replace(made, source=source, told=(*notes, *made.told), seconds=time.perf_counter() - start)


def _kept(found: Quantized, max_drop: float) -> tuple[Path, tuple[str, ...]]:
    """The model in INT8, and what is to be known of it: what that cost, what is doubtful."""
    if found.path is None:
        lost = 100 * found.verdict.drop.drop if found.verdict else 0.0
        raise AccuracyLost(
            en=f"INT8 would cost {lost:.2f} points, or too many answers would change; allowed are {max_drop:g}. "
            "Nothing was written. Look closer with qingzhou quantize.",
            zh=f"INT8 会使准确率下降 {lost:.2f} 个百分点，或者改变太多回答；允许的是 {max_drop:g}。没有写任何文件。"
            "详情请用 qingzhou quantize 查看。",
        )
    return found.path, (found.explanation, *found.notes)
