"""bench: every candidate in a process of its own, asked in turn, round after round."""

from __future__ import annotations

import os
import platform
import random
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..engines import ENGINES
from ..engines.machine import features, processor
from ..errors import ExtraMissing, ModelError, QingzhouError, say
from ..onnxfile.copy import one_file
from ..progress import Tell, counted, silent
from ..runtime.errors import spaced
from ..whole_file import fitting, scratch
from .amx import advice
from .candidates import choose
from .compare import pairs
from .inputs import labelled
from .process import Process
from .result import Candidate, Report, Row, Score, Timing
from .verdict import noise, verdict

TURN = 0.25  # seconds that a turn of the slowest takes, if a single run is shorter
ALL_ROUNDS = 10.0  # seconds for all of them, if that allows enough
ROUNDS = (20, 40)  # at least, at most; with 20, the sign test can tell 10,000 pairs apart
RUNS = (1, 25)  # of a turn


class Running:
    """A candidate's process, its row as far as it is known, and the times of its rounds."""

    def __init__(self, row: Row, process: Process | None = None, opened: dict[str, Any] | None = None) -> None:
        self.row = row
        self.process = process
        self.opened = opened or {}
        self.network: list[list[float]] = []
        self.whole: list[list[float]] = []

    def ask(self, question: str, **facts: object) -> dict[str, Any] | None:
        """The answer, or None where the process is at its end; the row then says why."""
        if self.process is None:
            return None
        try:
            return self.process.ask(question, **facts)
        except QingzhouError as err:
            self.row = replace(self.row, error=err)
            self.process.stop()
            self.process = None
            return None

    def turn(self, runs: int) -> None:
        """One round's runs."""
        answer = self.ask("turn", runs=runs)
        if answer is not None:
            self.network.append(answer["network"])
            self.whole.append(answer["whole"])

    def finish(self, data: Path | None) -> Row:
        """The whole row; at the end how right it is."""
        memory = self.ask("memory")
        if memory is None:
            return self.row
        row = replace(self.row, memory=memory["memory"], network=_timing(self.network), whole=_timing(self.whole))
        assert self.process is not None
        try:
            score = None if data is None else Score(**self.process.ask("judge", data=str(data)))
        except QingzhouError as err:  # the times stay: the model ran, but is not judged
            return replace(row, notes=[*row.notes, str(err)])
        finally:
            self.process.stop()
        return replace(row, score=score, notes=row.notes if score is None else ())  # judged is better than compared


def bench(
    models: Sequence[str | Path],
    engines: Sequence[str] = (),
    precisions: Sequence[str] = (),
    data: str | Path | None = None,
    threads: int | None = None,
    tell: Tell = silent,
) -> Report:
    """Measure models on engines and in precisions, side by side, and say which to use on this machine.

    models      converted .onnx files, quantised ones among them, and what an engine made of one
    engines     by default those that are installed
    precisions  by default all that they have; "int8" is made with the data first, if it is asked for
    data        pictures or rows to take the times on; with answers, in a layout that evaluate reads, to judge by too
    threads     processor cores; by default all
    tell        called with what is being done, in a few words

    What fails on an engine, crashes it or hangs becomes a row that says so. FileMissing, OptionError, DataError.
    """
    start = time.perf_counter()
    folder = None if data is None else Path(data).absolute()
    with scratch() as place, ExitStack() as ending:
        paths = [_in_one(Path(model), ending) for model in models]
        chosen = choose(paths, engines, precisions, data is not None)
        unlabelled = None if folder is None else labelled(folder)
        made = _quantized(chosen.candidates, place, folder, tell)
        opening = counted(chosen.candidates, len(chosen.candidates), tell, say("opening", "打开"))
        running = [
            _start(candidate, place / str(i), threads, folder, ending, made) for i, candidate in enumerate(opening)
        ]
        rounds, inputs = _rounds(running, tell), _inputs(running, folder)
        judging = counted(running, len(running), tell, say("judging", "评估"))
        rows = [one.finish(folder if unlabelled is None else None) for one in judging]
    compared = pairs({i: row.whole.rounds for i, row in enumerate(rows) if row.whole is not None and row.error is None})
    choice, why = verdict(rows, compared)
    told = [_told(one, unlabelled is None) for one in made.values() if not isinstance(one, QingzhouError)]
    notes = [*chosen.notes, *([str(unlabelled)] if unlabelled else []), *told, *advice(rows, compared)]
    notes += noise(rows, compared)
    return Report(rows, compared, choice, why, rounds, threads, inputs, _machine(), notes, time.perf_counter() - start)


class Quantized(NamedTuple):
    """A model's INT8 form, what quantize() said of it, and how many inputs it comes from."""

    path: str
    told: str
    calibrated: int


Made = dict[tuple[Path, str], Quantized | QingzhouError]  # by the model and the target


def _quantized(candidates: Sequence[Candidate], place: Path, data: Path | None, tell: Tell) -> Made:
    """The INT8 form of each model that needs one, or why there is none; each made in a process of its own."""
    found: Made = {}
    for model, target in dict.fromkeys((one.model, one.quantizes) for one in candidates if one.quantizes):
        tell(say(f"making {model.name} INT8", f"把 {model.name} 量化为 INT8"))
        out = place / f"int8-{len(found)}"
        out.mkdir()
        with Process() as process:
            try:
                answer = process.ask(
                    "quantize", source=str(model.absolute()), out=str(out), data=str(data), target=target
                )
                found[model, target] = Quantized(**answer)
            except QingzhouError as err:
                found[model, target] = err
    return found


def _in_one(model: Path, ending: ExitStack) -> Path:
    """The model with its weights; one that cannot be read as it is: its row says why."""
    try:
        return ending.enter_context(one_file(model))
    except ModelError:
        return model


def _told(made: Quantized, judged: bool) -> str:
    en, zh = (", which count in its row as well", "，它那一行的评估也包括这些") if judged else ("", "")
    return say(
        f"INT8 was made with {made.calibrated} of the inputs{en}. {made.told}",
        f"INT8 用其中 {made.calibrated} 个输入校准而成{spaced(zh)}。{made.told}",
    )


def _start(
    candidate: Candidate,
    folder: Path,
    threads: int | None,
    data: Path | None,
    ending: ExitStack,
    made: Made,
) -> Running:
    """Compile where that is needed, in a process that ends after it; then open the model in a new one."""
    engine = ENGINES[candidate.engine]
    row = Row(candidate, engine.version() or "")
    if not row.version:
        return Running(replace(row, error=_not_installed(candidate.engine, engine.install)))
    path = candidate.model.absolute()
    if candidate.quantizes:
        small = made[candidate.model, candidate.quantizes]
        if isinstance(small, QingzhouError):
            return Running(replace(row, error=small))
        path = Path(small.path)
    if candidate.compiles is not None:
        folder.mkdir()
        with Process() as compiler:
            compiled = Running(row, compiler)
            out = str(folder / fitting(path.stem, engine.suffix))
            answer = compiled.ask(
                "compile", engine=engine.name, source=str(path), out=out, precision=candidate.compiles
            )
        if answer is None:
            return Running(compiled.row)
        path, row = Path(answer["path"]), replace(row, notes=answer["notes"])
    one = Running(row, ending.enter_context(Process(candidate.without)))
    one.opened = one.ask("open", path=str(path), threads=threads, data=None if data is None else str(data)) or {}
    if one.opened:
        one.row = replace(one.row, size=one.opened["size"], load=one.opened["load"])
    return one


def _rounds(running: Sequence[Running], tell: Tell) -> int:
    """All of them, in another order each time; how many there were."""
    times = [one.opened["run"] / 500 for one in running if one.opened]  # seconds: the network, then the whole
    if not times:
        return 0
    runs = _within(int(TURN / max(times)), RUNS)
    rounds = _within(int(ALL_ROUNDS / (sum(times) * (runs + 1))), ROUNDS)
    order, luck = list(running), random.Random(0)
    for _ in counted(range(rounds), rounds, tell, say("round", "轮次")):
        luck.shuffle(order)
        for one in order:
            one.turn(runs)
    return rounds


def _within(number: int, ends: tuple[int, int]) -> int:
    return min(max(number, ends[0]), ends[1])


def _timing(rounds: Sequence[Sequence[float]]) -> Timing:
    every = np.concatenate([np.asarray(times) for times in rounds])
    medians = [float(np.median(times)) for times in rounds]
    return Timing(float(np.median(every)), float(np.percentile(every, 95)), len(every), medians)


def _inputs(running: Sequence[Running], data: Path | None) -> str:
    """What the times were taken on, in words."""
    if data is None:
        return say("the model's own sample", "模型自带的示例")
    skipped = max((one.opened.get("skipped", 0) for one in running), default=0)
    text = say(f"inputs of {data}", f"{data} 中的输入")
    return text + (say(f" ({skipped} could not be read)", f"（{skipped} 个无法读取）") if skipped else "")


def _machine() -> dict[str, object]:
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "features": [name for name, there in features().items() if there],
    }


def _not_installed(name: str, install: str) -> ExtraMissing:
    return ExtraMissing(
        en=f"{name} is not installed here. Install it: {install}",
        zh=f"这里没有安装 {name}。请安装：{install}",
    )
