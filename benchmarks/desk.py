"""Where everything is measured: fresh processes of this checkout, of an older one and of other tools, in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .measure import ENVIRONMENT, HERE, QINGZHOU, Spent, make, once

ROOT = HERE.parent
ORACLE = ROOT / "tests" / "oracle"
MOST_ROUNDS = 9
CALL = """
import importlib, json, sys
sys.path += {places}
function = getattr(importlib.import_module(sys.argv[1]), sys.argv[2])
print(json.dumps(function(*json.loads(sys.argv[3]))))
""".format(places=[str(ROOT), str(HERE), *(str(ROOT / "tests" / part) for part in (".", "oracle", "web"))])
T = TypeVar("T")


class NotHere(Exception):
    """It cannot be measured here; the message says what would have to be there."""


@dataclass(frozen=True)
class Figure:
    """The least of all rounds on either side, since other work can only add, and the median of the rounds' ratios."""

    now: float
    beside: float
    ratio: float
    rounds: int = 1


@dataclass(frozen=True, eq=False)
class Desk:
    """A folder to work in, the older checkout, and Pythons in which other tools are looked for."""

    folder: Path
    then: Path | None = None
    pythons: tuple[str, ...] = (sys.executable,)

    @property
    def checkouts(self) -> dict[str, Path]:
        """ "now", and "then" if there is one."""
        return {"now": ROOT, **({"then": self.then} if self.then else {})}

    def place(self, *parts: str) -> Path:
        """A folder of that name; it is made."""
        folder = self.folder.joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def file(self, name: str, file: str = "") -> Path:
        """What measure.make() makes of this name, made once: a checkpoint, or a photo by the name of its file."""
        path = self.folder / (file or f"{name}.pth")
        if not path.exists():
            make(name, self.folder)
        return path

    def converted(self, source: Path, way: str) -> Path:
        """The .onnx of a checkpoint by a checkout's own `qingzhou convert`, with its program; made once."""
        path = self.place(way) / f"{source.stem}.onnx"
        if not path.exists():
            qingzhou(self.checkouts[way], "convert", source, "-o", path)
        return path

    def python_with(self, package: str, install: str) -> str:
        """A Python that has the package; NotHere with the line that installs it."""
        look = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
        for python in self.pythons:
            if subprocess.run([python, "-c", look], env=ENVIRONMENT).returncode == 0:
                return python
        raise NotHere(f"{package} is not installed: pip install {install}")


def environment(checkout: Path) -> dict[str, str]:
    """In which a checkout's package is the one that is imported."""
    return {**ENVIRONMENT, "PYTHONPATH": str(checkout / "src")}


def qingzhou(checkout: Path, *words: str | Path) -> Spent:
    """What a verb of the command line takes, as a fresh process."""
    return once([*QINGZHOU, *words], environment=environment(checkout))


def elsewhere(function: Callable[..., T], *arguments: object, checkout: Path = ROOT) -> T:
    """What a function of a module gives in a fresh process with a checkout's package; arguments as JSON has them."""
    given = json.dumps([str(one) if isinstance(one, Path) else one for one in arguments])
    argv = [sys.executable, "-c", CALL, function.__module__, function.__name__, given]
    found: T = answer(argv, environment(checkout))
    return found


def answer(argv: Sequence[str | Path], environment: Mapping[str, str] = ENVIRONMENT) -> Any:
    """The JSON in the last line that a program prints; NotHere with its last words if it failed."""
    done = subprocess.run(list(map(str, argv)), env=dict(environment), capture_output=True, text=True)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2] or f"status {done.returncode}"
        raise NotHere(last.removeprefix(f"{NotHere.__module__}.{NotHere.__name__}: "))
    return json.loads(done.stdout.splitlines()[-1])


def turns(
    works: Mapping[str, Callable[[], T]], seconds: float, least: int = 3, warm: bool = True
) -> list[dict[str, T]]:
    """Rounds in which each has its turn, every other one backwards, while there is time; `warm` for one uncounted."""
    if warm:
        for work in works.values():
            work()
    rounds, end = list[dict[str, T]](), time.monotonic() + seconds
    while len(rounds) < least or (time.monotonic() < end and len(rounds) < MOST_ROUNDS):
        names = list(works)[:: -1 if len(rounds) % 2 else 1]
        rounds.append({name: works[name]() for name in names})
    return rounds


def beside(rounds: Sequence[Mapping[str, Any]], other: str, part: str = "") -> Figure:
    """ "now" beside another of these rounds, by a part of what was spent or by the numbers themselves."""
    pairs = [[getattr(one[name], part) if part else one[name] for name in ("now", other)] for one in rounds]
    now, then = map(min, zip(*pairs, strict=True))
    return Figure(now, then, statistics.median(a / b for a, b in pairs), len(pairs))


def one_blas_thread() -> dict[str, str]:
    """For floors: threads of OpenBLAS that nobody needs are no part of them."""
    return {**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"}
