"""The process that one candidate runs in: questions come in as lines of JSON, answers go out as lines of JSON.

What an engine prints goes to stderr; what it does to this process, it does to nobody else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from ..endings import leave_to_parent
from ..engines import Settings, compile_for, open_predictor
from ..engines.table import engine_for
from ..errors import EngineError, QingzhouError, is_of_memory
from ..evaluate import Classification, DetectionScore, Regression, evaluate
from ..runtime.predict import Predictor
from .inputs import inputs_of
from .memory import peak

WARM_RUNS = 3
Answer = dict[str, Any]


class Worker:
    """One candidate, opened once and asked many times."""

    predictor: Predictor
    inputs: Sequence[object]
    asked = 0

    def compile(self, engine: str, source: str, out: str, precision: str) -> Answer:
        """Make the engine's file; the process ends after it, so that this does not count as memory of the model."""
        made = compile_for(engine, source, out, precision)
        return {"path": str(made.path), "notes": made.notes}

    def quantize(self, source: str, out: str, data: str, target: str) -> Answer:
        """Make the model INT8 for a target, whether it is faster or not; in a process that ends after it."""
        from ..deploy.make import Maker
        from ..onnxfile.facts import Facts

        made = Maker(Path(source), Path(out)).int8(Facts(Path(source)), data, target)
        if made.path is None:
            raise EngineError(en=made.explanation, zh=made.explanation)  # already in the language of the one who asks
        return {"path": str(made.path), "told": made.explanation, "calibrated": made.calibrated}

    def open(self, path: str, threads: int | None, data: str | None) -> Answer:
        """Import the engine and open the model, then warm up. The inputs are the same in every process."""
        start = time.perf_counter()
        self.predictor = open_predictor(Path(path), Settings(threads=threads), bare=True)
        load = time.perf_counter() - start
        size = sum(part.stat().st_size for part in engine_for(Path(path)).files(Path(path)))
        self.inputs, kind, skipped = inputs_of(self.predictor, None if data is None else Path(data))
        warm = [self._run()[1] for _ in range(WARM_RUNS)]
        return {"load": load, "size": size, "inputs": kind, "skipped": skipped, "run": min(warm)}

    def turn(self, runs: int) -> Answer:
        """Times in ms of this many runs. One more, at the beginning, does not count: others had the caches before."""
        self._run()
        self.asked -= 1  # the same inputs in every round's turn, whoever had it before
        times = [self._run() for _ in range(runs)]
        return {"network": [net for net, _ in times], "whole": [whole for _, whole in times]}

    def memory(self) -> Answer:
        """The most that there was so far."""
        return {"memory": peak()}

    def judge(self, data: str) -> Answer:
        """How right it is on labelled data."""
        found = evaluate(self.predictor, data)
        match found.result:
            case Classification(interval=interval, accuracy=value, judged=judged):
                return {"metric": "accuracy_top1", "value": value, "judged": judged, "interval": interval}
            case DetectionScore(map=value, judged=judged):
                return {"metric": "mAP50-95", "value": value, "judged": judged}
            case Regression(mae=value, judged=judged):
                return {"metric": "MAE", "value": value, "judged": judged}

    def _run(self) -> tuple[float, float]:
        """(bare network, whole) in ms for the next input."""
        data = self.inputs[self.asked % len(self.inputs)]
        self.asked += 1
        run, given = self._ready(data)
        start = time.perf_counter_ns()
        run(given)
        middle = time.perf_counter_ns()
        self.predictor.predict(data)
        end = time.perf_counter_ns()
        return (middle - start) / 1e6, (end - middle) / 1e6

    def _ready(self, data: Any) -> tuple[Callable[[Any], Any], Any]:
        """The bare network, and what it is given for an input; of one that takes several at once, for its sample."""
        sample = self.predictor.card.sample
        if self.predictor.card.others and sample is not None:
            return self.predictor.run, self.predictor.feed(sample)
        return self.predictor.outputs, self.predictor.prepare(data)


def main() -> None:
    """Answer until there are no more questions."""
    leave_to_parent()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    worker = Worker()
    questions: dict[str, Callable[..., Answer]] = {
        "quantize": worker.quantize,
        "compile": worker.compile,
        "open": worker.open,
        "turn": worker.turn,
        "memory": worker.memory,
        "judge": worker.judge,
    }
    for line in sys.stdin.buffer:
        question = json.loads(line)
        _send(answers, _answer(questions[question.pop("ask")], question))


def _answer(ask: Callable[..., Answer], question: Answer) -> Answer:
    try:
        return ask(**question)
    except Exception as err:  # an engine's own; the traceback would say nothing to the one who asked
        if is_of_memory(err):
            return _failure(_no_memory())
        return _failure(err if isinstance(err, QingzhouError) else _unexpected(err))


def _failure(err: QingzhouError) -> Answer:
    return {"error": {"kind": type(err).__name__, "en": err.en, "zh": err.zh}}


def _send(answers: BinaryIO, answer: Answer) -> None:
    answers.write(json.dumps(answer).encode("ascii") + b"\n")


def _no_memory() -> EngineError:
    return EngineError(
        en="There was not enough memory. Close other programs, or measure fewer engines at once: --engines",
        zh="内存不够。请关闭其他程序，或用 --engines 一次少测几个引擎。",
    )


def _unexpected(err: Exception) -> EngineError:
    text = f"{type(err).__name__}: {' '.join(str(err).split())[:200]}"
    return EngineError(
        en=f"The engine failed: {text}. Update it, or choose another one.",
        zh=f"推理引擎出错：{text}。请更新它，或换一个引擎。",
    )
