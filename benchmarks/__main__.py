"""All figures beside their references, and whether each goal is met: `python -m benchmarks --against CHECKOUT`.

CHECKOUT is a folder with an older commit of this project (git worktree add): both have their turns in the same minutes,
each time in fresh processes. Without it only what is beside a floor, a limit or another tool is measured. Figures are
the least of all rounds; a ratio is the median of the rounds' ratios. It is a report: its exit status is 0.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from .desk import Desk, NotHere
from .goals import Goal, Row
from .machine import Machine, this_machine
from .rows import GROUPS

LINE = "{:46}{:>8} {:7}{:>8} {:18}{:>6} {:>7}  {:7} {}"
HEADS = ("", "now", "", "beside", "", "ratio", "rounds", "aim", "")


def main() -> None:
    """Parse, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="a folder with an older commit")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help=f"{', '.join(GROUPS)}, or a row")
    parser.add_argument("--peers", action="append", default=[], metavar="PYTHON", help="has other tools; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there, too")
    parser.add_argument("--list", action="store_true", help="only what would be measured")
    given = parser.parse_args()
    if given.against and not (given.against / "src" / "qingzhou").is_dir():
        parser.error(f"{given.against} has no src/qingzhou; git worktree add FOLDER COMMIT makes such a folder")
    machine = this_machine()
    chosen = choose(machine, given.only)
    if not any(chosen.values()):
        parser.error(f"no row is called {' or '.join(given.only)}; --list shows all")
    if given.list:
        listed(chosen)
        return
    with TemporaryDirectory() as folder:
        then = given.against.resolve() if given.against else None
        rows = report(Desk(Path(folder), then, (sys.executable, *given.peers)), machine, chosen)
    if given.json:
        told = {"machine": str(machine), "rows": [row.plain() for row in rows]}
        given.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def choose(machine: Machine, names: list[str]) -> dict[str, list[Goal]]:
    """The goals by their groups; with names only groups that are called so, and goals in whose names one stands."""
    every = {group: goals(machine) for group, goals in GROUPS.items()}
    return {
        group: [goal for goal in goals if not names or group in names or any(one in goal.name for one in names)]
        for group, goals in every.items()
    }


def listed(chosen: dict[str, list[Goal]]) -> None:
    """A line for each goal."""
    for goal in (goal for goals in chosen.values() for goal in goals):
        print(f"{goal.name:46}{goal.aim:9}{goal.beside:20}{goal.what}")


def report(desk: Desk, machine: Machine, chosen: dict[str, list[Goal]]) -> list[Row]:
    """Measure, print a row as soon as it is there, and sum up."""
    began, rows, seconds = time.monotonic(), list[Row](), dict[str, float]()
    print(f"{machine}\n\n{LINE.format(*HEADS).rstrip()}")
    for group, goals in chosen.items():
        start = time.monotonic()
        for goal in goals:
            rows.append(measured(goal, desk))
            print(line(rows[-1]), flush=True)
        seconds[group] = time.monotonic() - start
    print(f"\n{summary(rows)}")
    took = ", ".join(f"{group} {taken:.0f}" for group, taken in seconds.items() if chosen[group])
    print(f"{time.monotonic() - began:.0f} seconds: {took}")
    return rows


def measured(goal: Goal, desk: Desk) -> Row:
    """A row, whatever happens."""
    if goal.beside == "then" and desk.then is None:
        return Row(goal, None, "only with --against CHECKOUT")
    try:
        return Row(goal, goal.measure(desk))
    except NotHere as err:
        return Row(goal, None, str(err))
    except (Exception, SystemExit) as err:  # one row that fails must not cost the others
        return Row(goal, None, f"{type(err).__name__}: {' '.join(str(err).split())[-120:]}")


def line(row: Row) -> str:
    """Of the table."""
    goal, figure = row.goal, row.figure
    if figure is None:
        return f"{goal.name:46}{'–':>8} {row.missing}"
    cells = (number(figure.now), goal.unit, number(figure.beside), goal.beside, f"{figure.ratio:.2f}", figure.rounds)
    return LINE.format(goal.name, *cells, goal.aim, row.verdict).rstrip()


def number(value: float) -> str:
    """Three digits of it."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def summary(rows: list[Row]) -> str:
    """How many goals are met."""
    judged = [row for row in rows if row.met is not None]
    aims = sum(bool(row.goal.aim) for row in rows)
    missed = [row.goal.name for row in judged if not row.met]
    said = f"{len(judged) - len(missed)} of {aims} goals are met, {aims - len(judged)} could not be measured"
    return f"{said}; not met: {', '.join(missed)}" if missed else said


if __name__ == "__main__":
    main()
