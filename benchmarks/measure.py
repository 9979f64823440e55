"""What the benchmarks share: fresh processes measured in turn with a bare one, and rows of a table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
# What the command `qingzhou` does; older checkouts have no __main__.
QINGZHOU = (
    "-c",
    "try:\n from qingzhou.__main__ import run\nexcept ImportError:\n from qingzhou.cli import main as run\nrun()",
)
BASE = ("-c", "import numpy, onnx, onnxruntime")
BARE = (
    "-c",
    "import sys, numpy, onnxruntime; s = onnxruntime.InferenceSession(sys.argv[1]); i = s.get_inputs()[0]; "
    "s.run(None, {i.name: numpy.zeros([n if isinstance(n, int) else 1 for n in i.shape], 'f')})",
)
COPIES = ("-c", "import shutil, sys; [shutil.copyfile(sys.argv[1], sys.argv[1] + end) for end in ('.1', '.2')]")
RUNS = 5
# Compiled once, as an installed package is: a checkout or a container may forbid __pycache__.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


class Spent(NamedTuple):
    """What a process took, with all that it started and waited for: seconds, and the MB of the largest of them."""

    wall: float
    peak: float
    cpu: float


def once(
    argv: Sequence[str | Path], python: str = sys.executable, environment: Mapping[str, str] = ENVIRONMENT
) -> Spent:
    """A fresh Python; this process stays small, since a child's peak starts at its size."""
    with tempfile.TemporaryFile() as told:
        start = time.perf_counter()
        with subprocess.Popen([python, *argv], stdout=subprocess.DEVNULL, stderr=told, env=environment) as process:
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            told.seek(0)
            last = told.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise SystemExit(f"{' '.join(map(str, argv))} ended with status {process.returncode}: {last}")
    peak = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3 / 1.024)
    return Spent(wall, peak, usage.ru_utime + usage.ru_stime)


class Table:
    """Prints a row as soon as it is measured."""

    def __init__(self) -> None:
        self.line("", "wall", "ratio", "peak", "original", "target")

    def line(self, *cells: str) -> None:
        """One line of six cells."""
        print("{:44}{:>10}{:>8}{:>10}  {:18}{}".format(*cells).rstrip(), flush=True)

    def row(self, name: str, argv: Sequence[str | Path], original: str = "", target: str = "") -> None:
        """The fastest and the largest of RUNS fresh processes, after one that fills the caches."""
        once(argv)
        pairs = [(once(BASE).wall, once(argv)) for _ in range(RUNS)]
        wall = min(spent.wall for _, spent in pairs)
        ratio, peak = wall / min(base for base, _ in pairs), max(spent.peak for _, spent in pairs)
        self.line(name, f"{wall:.2f} s", f"{ratio:.2f}", f"{peak:.0f} MB", original, target)


PHOTOS = {
    "photo": ("photo.png", (640, 480)),
    "camera": ("camera.jpg", (640, 480)),
    "phone": ("phone.jpg", (4000, 3000)),
}


def make(name: str, folder: Path) -> None:
    """Write a checkpoint of the oracle, or one of PHOTOS, in a process of its own: this one stays small."""
    code = "import sys, measure; measure.make_here(*sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-c", code, name, str(folder)], check=True, env={**ENVIRONMENT, "PYTHONPATH": str(HERE)}
    )


def make_here(name: str, folder: str) -> None:
    """make(), in this process."""
    sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests/oracle")]
    import passengers

    if name in PHOTOS:
        file, size = PHOTOS[name]
        passengers.photo(Path(folder) / file, size)
    else:
        passengers.mmedu(name, Path(folder))


def beside(ours: Callable[[], object], plain: Sequence[Callable[[], object]], rounds: int = 30) -> list[float]:
    """Milliseconds: ours, the plain works one after another, as a program without us would do them, and each alone.

    In turns, the fastest of all rounds: other work on the machine can only add. One after another they cost more than
    the sum of each in a loop of its own, where the caches hold nothing else.
    """

    def together() -> None:
        for work in plain:
            work()

    works = [ours, together, *plain]
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            for _ in range(5):
                start = time.perf_counter()
                work()
                taken.append(1e3 * (time.perf_counter() - start))
    return [min(taken) for taken in times]


def one_core() -> None:
    """Keep this process on one core, where the system can: threads that wait for work would count as work."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def in_turns(works: Sequence[Callable[[], object]], seconds: float = 20.0) -> list[float]:
    """How many times as fast as the first each is, by CPU time: the median of rounds in which all have their turn.

    A turn is of some runs, of which the fastest counts; before it there is one that has the caches to itself.
    """
    alone = [turn(work, 3) for work in works]
    runs = max(2, min(10, round(0.05 / max(alone))))
    start, rounds = time.perf_counter(), list[list[float]]()
    while len(rounds) < 5 or (time.perf_counter() - start < seconds and len(rounds) < 200):
        rounds.append([turn(work, runs) for work in works])
    return [statistics.median(times[0] / times[i] for times in rounds) for i in range(len(works))]


def turn(work: Callable[[], object], runs: int) -> float:
    """CPU seconds of the fastest of these runs, after one that warms up."""
    work()
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)
