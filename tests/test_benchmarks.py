"""The table of `python -m benchmarks` is whole: nothing is measured here."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))

from benchmarks.__main__ import choose, report  # noqa: E402
from benchmarks.desk import Desk, Figure, NotHere, beside, turns  # noqa: E402
from benchmarks.goals import Goal, Row  # noqa: E402
from benchmarks.machine import Machine  # noqa: E402
from benchmarks.rows import GROUPS  # noqa: E402

MACHINE = Machine(cores=2, vnni=True, amx=True)


def goal(figure: Figure | None = None, **aim: float) -> Goal:
    """One that gives this figure, or cannot."""

    def measure(_: Desk) -> Figure:
        if figure is None:
            raise NotHere("pip install another")
        return figure

    return Goal("convert", "s CPU", "a conversion", "then", measure, **aim)


@pytest.mark.parametrize(("vnni", "amx"), [(False, False), (True, False), (True, True)])
def test_every_goal_is_said_once_and_can_be_measured(vnni: bool, amx: bool) -> None:
    goals = [one for group in GROUPS.values() for one in group(Machine(2, vnni, amx))]
    assert len({one.name for one in goals}) == len(goals)
    for one in goals:
        assert callable(one.measure) and one.unit and one.what and one.beside
        assert one.most is None or one.least is None
        assert "\n" not in one.what and len(one.name) < 44


def test_int8_is_promised_only_where_the_processor_has_its_arithmetic() -> None:
    aims = {(v, a): [one.least for one in GROUPS["int8"](Machine(2, v, a))] for v, a in ((0, 0), (1, 0), (1, 1))}
    assert aims == {(0, 0): [None] * 4, (1, 0): [2.0, 2.35, 2.9, 3.3], (1, 1): [2.0, 2.35, 2.9, 7.0]}


def test_only_what_is_asked_for() -> None:
    chosen = choose(MACHINE, ["photo", "SSD_Lite"])
    assert {group for group, goals in chosen.items() if goals} == {"photo", "convert"}
    assert all("SSD_Lite" in one.name for one in chosen["convert"])
    assert not any(choose(MACHINE, ["no such row"]).values())


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    rounds = [{"now": 1.0, "then": 2.0}, {"now": 9.0, "then": 10.0}, {"now": 6.0, "then": 8.0}]
    assert beside(rounds, "then") == Figure(now=1.0, beside=2.0, ratio=0.75, rounds=3)


def test_both_have_their_turns_and_nobody_is_always_first() -> None:
    asked: list[str] = []
    numbers = itertools.count()

    def work(name: str) -> int:
        asked.append(name)
        return next(numbers)

    rounds = turns({"now": lambda: work("now"), "then": lambda: work("then")}, seconds=0, least=2)
    assert asked == ["now", "then", "now", "then", "then", "now"]  # the first two warm up
    assert rounds == [{"now": 2, "then": 3}, {"then": 4, "now": 5}]


@pytest.mark.parametrize(
    ("ratio", "aim", "met"),
    [(0.5, {"most": 0.6}, True), (0.7, {"most": 0.6}, False), (2.1, {"least": 2}, True), (1.9, {"least": 2}, False),
     (0.5, {}, None)],
)  # fmt: skip
def test_whether_a_goal_is_met(ratio: float, aim: dict[str, float], met: bool | None) -> None:
    assert Row(one := goal(**aim), Figure(1, 1, ratio)).met is met
    assert bool(one.aim) == bool(aim) and Row(one, None).met is None


def test_what_is_not_there_is_a_row_that_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, missing = goal(Figure(0.41, 0.6, 0.68), most=0.68), goal(most=1)
    rows = report(Desk(tmp_path, then=ROOT), MACHINE, {"some": [found, missing]})
    printed = capsys.readouterr().out
    assert "0.41 s CPU" in printed and "<= 0.68 met" in printed and "pip install another" in printed
    assert "1 of 2 goals are met, 1 could not be measured" in printed
    told = json.loads(json.dumps([row.plain() for row in rows]))
    assert [one["met"] for one in told] == [True, None] and told[0].keys() == told[1].keys()


def test_without_an_older_checkout_nothing_is_measured_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = report(Desk(tmp_path), MACHINE, {"some": [goal(Figure(1, 1, 1), most=1)]})
    assert row.figure is None and "--against CHECKOUT" in capsys.readouterr().out


def test_a_row_that_fails_does_not_cost_the_others(tmp_path: Path) -> None:
    def fails(_: Desk) -> Figure:
        raise SystemExit("-c\nrun() ended with status 1: out of memory")

    rows = report(
        Desk(tmp_path),
        MACHINE,
        {
            "some": [
                Goal("one", "s", "it", "floor", fails),
                Goal("two", "s", "it", "floor", lambda _: Figure(1, 2, 0.5)),
            ]
        },
    )
    assert "status 1: out of memory" in rows[0].missing and rows[1].figure == Figure(1, 2, 0.5)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--only", "nobody"], "no row is called nobody"), (["--against", "docs"], "docs has no src/qingzhou")],
)
def test_mistakes_in_calling_it(words: list[str], said: str) -> None:
    done = called(*words)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_the_list() -> None:
    done = called("--list")
    goals = [one for group in GROUPS.values() for one in group(MACHINE)]
    assert done.returncode == 0 and len(done.stdout.splitlines()) == len(goals)
    assert all(f"{one.name} " in done.stdout for one in goals)


def called(*words: str) -> subprocess.CompletedProcess[str]:
    """python -m benchmarks."""
    argv = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
