"""Which models, engines and precisions are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..deploy import plan
from ..engines import ENGINES, Engine
from ..engines.artifact import check_onnx
from ..engines.table import engine_for, engine_named
from ..errors import FileMissing, OptionError, say
from ..onnxfile.facts import Facts
from ..runtime.file import is_file
from .amx import both
from .result import Candidate

PRECISIONS = ("fp32", "fp16", "int8")


class Chosen(NamedTuple):
    """What will be compared, and what the user should know about the rest."""

    candidates: list[Candidate]
    notes: list[str]


def choose(
    models: Sequence[Path], engines: Sequence[str] = (), precisions: Sequence[str] = (), data: bool = False
) -> Chosen:
    """Every model on every engine in every precision that it can have there.

    engines     by default those that are installed; one that is named and is not becomes a row that says so
    precisions  by default all that an engine can store; a quantised model has only its own, int8; others are made INT8
                if that is asked for
    data        whether there are some to do that with

    FileMissing; OptionError for names that there are not, and where nothing is left.
    """
    for engine in engines:
        engine_named(engine)
    for precision in precisions:
        _check_precision(precision)
    for model in models:
        if not is_file(model):
            raise _missing(model)
        if plan.kind_of(model) != "compiled":
            check_onnx(model)
    wanted = list(dict.fromkeys(engines)) or [
        name for name, engine in ENGINES.items() if engine.offered and engine.version()
    ]
    every = [one for model in dict.fromkeys(models) for one in _of_model(model, wanted, precisions)]
    found = [one for one in every if data or not one.quantizes]
    if not found:
        raise _nothing(wanted, precisions)
    absent = (
        []
        if engines
        else [engine for name, engine in ENGINES.items() if engine.tried and engine.offered and name not in wanted]
    )
    needed = [_needs_data()] if len(found) < len(every) else []
    return Chosen(found, [*map(_absent, absent), *needed, *_left_out(models, every)])


def _of_model(model: Path, engines: Sequence[str], precisions: Sequence[str]) -> Iterator[Candidate]:
    if plan.kind_of(model) == "compiled":
        own = engine_for(model).name
        if own in engines and not precisions:
            yield Candidate(model, own, "")
        return
    facts = Facts(model)
    for engine in (ENGINES[name] for name in engines):
        for precision in plan.precisions(engine, facts):
            made = precision == "int8" and not facts.quantized  # for which there must be data
            if precision in precisions or not (precisions or made):
                compiled = plan.compiled_in(engine, precision)
                one = Candidate(model, engine.name, precision, compiled, quantizes=engine.int8 if made else "")
                yield from both(one, engine)


# -- what the user should know --------------------------------------------------------------------------------------


def _absent(engine: Engine) -> str:
    return say(
        f"{engine.name} is not installed here, so it was not measured: {engine.install}",
        f"这里没有安装 {engine.name}，所以没有测量：{engine.install}",
    )


def _needs_data() -> str:
    return say(
        "INT8 was not measured: making a model INT8 needs data. Name some: --data folder",
        "没有测量 INT8：把模型量化为 INT8 需要数据。请指定：--data 文件夹",
    )


def _left_out(models: Sequence[Path], found: Sequence[Candidate]) -> list[str]:
    there = {one.model for one in found}
    return [
        say(
            f"{model.name} was left out: it cannot have the engines and precisions that were asked for.",
            f"没有测量 {model.name}：它不能用所选的引擎和精度。",
        )
        for model in dict.fromkeys(models)
        if model not in there
    ]


def _missing(model: Path) -> FileMissing:
    return FileMissing(
        en=f"There is no file {model}; expected a converted model, such as best.onnx. Check the name and the folder.",
        zh=f"文件 {model} 不存在，应为转换好的模型，例如 best.onnx。请检查文件名和所在的文件夹。",
    )


def _check_precision(name: str) -> None:
    if name not in PRECISIONS:
        raise OptionError(
            en=f"--precision is {name}; it can be {', '.join(PRECISIONS)}.",
            zh=f"--precision 的值是 {name}，可以是 {'、'.join(PRECISIONS)}。",
        )


def _nothing(engines: Sequence[str], precisions: Sequence[str]) -> OptionError:
    en, zh = ", ".join(precisions) or "all", "、".join(precisions) or "全部"
    return OptionError(
        en=f"Nothing is left to measure: none of the models can be run by {', '.join(engines)} with --precision {en}. "
        "For int8 name data to make it with (--data folder) or a quantised model; leave --engines or --precision out "
        "to measure what there is.",
        zh=f"没有可测量的组合：{'、'.join(engines)} 无法以 --precision {zh} 运行这些模型。"
        "要测 int8，请用 --data 指定用于量化的数据，或指定量化后的模型；"
        "去掉 --engines 或 --precision 可以测量所有可用的组合。",
    )
