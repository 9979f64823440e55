"""The types between the parts: what is compared, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import NamedTuple

from ..errors import QingzhouError, as_plain, say


@dataclass(frozen=True)
class Candidate:
    """One model on one engine in one precision.

    precision  of the weights: "fp32", "fp16", "int8"; "" of a file that an engine has compiled before, which hides it
    compiles   the precision to compile the model in for the engine; None: the file is run as it is
    quantizes  the target for which the model is to be made INT8 first, with the data; "" if it is not
    without    what its process has in the environment beside the usual, (name, value), so that it does without AMX
    """

    model: Path
    engine: str
    precision: str
    compiles: str | None = None
    quantizes: str = ""
    without: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """ "openvino fp16"; "openvino int8 without AMX"."""
        rest = say(" without AMX", " 不用 AMX") if self.without else ""
        return f"{self.engine} {self.precision}".strip() + rest


@dataclass(frozen=True)
class Timing:
    """Milliseconds of single runs. rounds: the median of each round;  runs: how many there were in all."""

    median: float
    p95: float
    runs: int
    rounds: Sequence[float]

    def as_dict(self) -> dict[str, object]:
        """Plain values."""
        return {"median_ms": self.median, "p95_ms": self.p95, "runs": self.runs, "rounds_ms": list(self.rounds)}


class Score(NamedTuple):
    """How right it is. metric: "accuracy_top1", "mAP50-95" or "MAE"; interval: 95 %, of an accuracy."""

    metric: str
    value: float
    judged: int
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Row:
    """One candidate. error: why it has no figures; everything else is then what was found out before.

    size     bytes of the files that the engine opens
    load     seconds to import the engine and open the model, once, in a new process
    memory   bytes: the most that this process had, Python and all libraries among it, without judging
    network  the bare network;  whole: from the file of a picture (or a row of numbers) to the answer
    """

    candidate: Candidate
    version: str = ""
    error: QingzhouError | None = None
    size: int | None = None
    load: float | None = None
    memory: int | None = None
    network: Timing | None = None
    whole: Timing | None = None
    score: Score | None = None
    notes: Sequence[str] = ()

    @property
    def fps(self) -> float | None:
        """Runs of the bare network in a second, as `yolo benchmark` counts them."""
        return 1000 / self.network.median if self.network else None

    def as_dict(self) -> dict[str, object]:
        """Plain values; the first names are the columns of `yolo benchmark`."""
        return {
            "Format": self.candidate.name,
            "Status": self.error is None,
            "Size (MB)": None if self.size is None else self.size / 1e6,
            self.score.metric if self.score else "metric": self.score.value if self.score else None,
            "Inference time (ms/im)": self.network.median if self.network else None,
            "FPS": self.fps,
            "model": str(self.candidate.model),
            "engine": self.candidate.engine,
            "version": self.version,
            "precision": self.candidate.precision or None,
            "environment": dict(self.candidate.without),
            "bytes": self.size,
            "load_s": self.load,
            "memory_bytes": self.memory,
            "network": self.network.as_dict() if self.network else None,
            "whole": self.whole.as_dict() if self.whole else None,
            "score": self.score._asdict() if self.score else None,
            "error": None if self.error is None else as_plain(self.error),
            "notes": list(self.notes),
        }


class Pair(NamedTuple):
    """Two rows by number: how long the first takes, as a share of the second, with the interval of that.

    outcome  of the first: "faster", "slower", "same", or "unclear"
    """

    one: int
    other: int
    ratio: float
    low: float
    high: float
    outcome: str

    @property
    def turned(self) -> Pair:
        """The same, seen from the second."""
        back = {"faster": "slower", "slower": "faster"}.get(self.outcome, self.outcome)
        low = 1 / self.high if isfinite(self.high) else 0.0
        return Pair(self.other, self.one, 1 / self.ratio, low, 1 / self.low if self.low else float("inf"), back)


@dataclass(frozen=True)
class Report:
    """What was measured, and how.

    pairs    every two rows with figures, by the whole time
    choice   the number of the row to use here, None where no row has figures;  why: in a sentence
    inputs   what the times were taken on, in words;  machine: what it ran on
    """

    rows: Sequence[Row]
    pairs: Sequence[Pair]
    choice: int | None
    why: str
    rounds: int
    threads: int | None
    inputs: str
    machine: Mapping[str, object]
    notes: Sequence[str] = field(default_factory=tuple)
    seconds: float = 0.0

    @property
    def best(self) -> Row | None:
        """The row to use here."""
        return None if self.choice is None else self.rows[self.choice]

    def pair(self, one: int, other: int) -> Pair:
        """Two rows compared, in this order."""
        found = next(pair for pair in self.pairs if {pair.one, pair.other} == {one, other})
        return found if found.one == one else found.turned

    def as_dict(self) -> dict[str, object]:
        """Plain values; an interval without an end is null."""
        best = self.best.candidate if self.best else None
        pairs = [
            {**pair._asdict(), "high": pair.high if isfinite(pair.high) else None, "low": pair.low or None}
            for pair in self.pairs
        ]
        return {
            "best": best.name if best else None,
            "model": str(best.model) if best else None,
            "environment": dict(best.without) if best else {},
            "why": self.why,
            "rows": [row.as_dict() for row in self.rows],
            "pairs": pairs,
            "rounds": self.rounds,
            "threads": self.threads,
            "inputs": self.inputs,
            "machine": dict(self.machine),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
        }
