"""What hostile files cost to read: `python benchmarks/hostile.py [--before CHECKOUT] [--mb 1] [KIND …]`.

Reads every file of the attack suite, and larger ones of each kind that can be of any size, as `info` and the first half
of `convert` do: in one process, CPU time, after one reading that warms up. With --before the package of another
checkout reads each file as well, in turns. s/MB counts files below 64 kB as 64 kB, as any reading takes something. A
reading that takes longer than --limit is ended, and says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

HERE = Path(__file__).resolve().parent.parent
LEAST = 1 << 16  # bytes that a file counts as
MEMORY = 2 << 30  # bytes of a process that reads
READER = """
import resource, signal, sys, time
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
from qingzhou.info import read_info
class Slow(BaseException): pass
def slow(*_): raise Slow
signal.signal(signal.SIGVTALRM, slow)
for line in sys.stdin:
    start = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, {limit})
    try:
        found = read_info(line.strip())
        end = "read" if found.problem is None else type(found.problem).__name__
    except Slow:
        end = "ended"
    except BaseException as err:
        end = type(err).__name__
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    print(time.process_time() - start, end, flush=True)
"""


class Reader:
    """A process that reads files with the package of a checkout."""

    def __init__(self, checkout: Path, limit: float) -> None:
        self.checkout, self.limit = checkout, limit
        self.process = self.start()

    def start(self) -> subprocess.Popen[str]:
        """A fresh one."""
        code = READER.format(memory=MEMORY, limit=self.limit)
        env = {**os.environ, "PYTHONPATH": str(self.checkout / "src"), "OPENBLAS_NUM_THREADS": "1"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdin=pipe, stdout=pipe, text=True, stderr=subprocess.DEVNULL
        )

    def read(self, path: Path) -> tuple[float, str]:
        """CPU seconds, and how it ended; a process that does not answer is started anew."""
        assert self.process.stdin and self.process.stdout
        watch = Timer(10 * self.limit + 10, self.process.kill)
        watch.start()
        print(path, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        watch.cancel()
        if len(answer) == 2:
            return float(answer[0]), answer[1]
        self.process.kill()
        self.process.wait()
        self.process = self.start()
        return self.limit, "died"


@dataclass(frozen=True)
class Row:
    """One file: its bytes, and CPU seconds and end of each reader."""

    name: str
    size: int
    times: list[tuple[float, str]]

    def per_mb(self, reader: int = 0) -> float:
        """Seconds for a megabyte."""
        return self.times[reader][0] / max(self.size, LEAST) * 1e6

    def line(self) -> str:
        """Of the table."""
        cells = [
            f"{1e3 * self.times[i][0]:9.1f} ms {self.per_mb(i):8.2f} s/MB {self.times[i][1]:22.22}"
            for i in range(len(self.times))
        ]
        ratio = f"{self.times[1][0] / max(self.times[0][0], 1e-6):8.1f} x  " if len(self.times) > 1 else ""
        return f"{'  '.join(cells)}{ratio}{self.size:9}  {self.name}"


def files(folder: Path, size: int, kinds: list[str]) -> Iterator[tuple[str, str, bytes]]:
    """(what, file name, bytes) of the suite, and of each kind in this size."""
    sys.path[:0] = [str(HERE / "tests" / part) for part in (".", "attacks", "checkpoint")]
    from files import hostile_files
    from scaled import KINDS

    from qingzhou.conversion import run_conversion

    model = run_conversion(HERE / "tests/oracle/digits/basenn.pth", folder / "good.onnx").model.proto
    for what, (name, data) in hostile_files(folder, model).items():
        yield what, name, data
    for what, make in KINDS.items():
        if any(kind in what for kind in kinds or [""]):
            yield (f"{what}, {size / 1e6:g} MB", *make(size))


def main() -> None:
    """Read them all, then print the slowest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--before", type=Path, help="another checkout, whose package reads every file as well")
    parser.add_argument("--mb", type=float, default=1.0, help="size of the larger files")
    parser.add_argument("--limit", type=float, default=20.0, help="CPU seconds after which a reading is ended")
    parser.add_argument("--lines", type=int, default=25, help="how many of the slowest are printed")
    parser.add_argument("kinds", nargs="*", help="only the larger files whose kind holds one of these words")
    options = parser.parse_args()
    readers = [Reader(one, options.limit) for one in (HERE, options.before) if one is not None]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for what, name, data in files(Path(folder), int(options.mb * 1e6), options.kinds):
            path = Path(folder) / name
            path.write_bytes(data)
            if not rows:
                [reader.read(path) for reader in readers]
            rows.append(Row(what, len(data), [reader.read(path) for reader in readers]))
    for place, reader in enumerate(readers):
        reader.process.kill()
        print(f"\nthe slowest of {len(rows)} files with {reader.checkout}, first this checkout's figures")
        for row in sorted(rows, key=lambda row: -row.per_mb(place))[: options.lines]:
            print(row.line())


if __name__ == "__main__":
    main()
