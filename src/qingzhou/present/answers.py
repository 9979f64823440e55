"""What `qingzhou run` and `qingzhou check` show."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from ..answers import as_dict, csv_rows, hint_in, names_of, ranking
from ..errors import QingzhouError, say
from ..runtime.model.answers import nothing
from ..runtime.model.detection import SURE
from ..runtime.text import cell
from .pieces import as_json, console, escape, notes, stderr, table_of

if TYPE_CHECKING:
    from rich.console import Console

    from ..run import Answer
    from ..runtime.model.card import Card
    from ..runtime.model.detect import Detection
    from ..runtime.predict import Prediction


def predictions(results: Sequence[Answer], top: int, card: Card, json_wanted: bool) -> None:
    """A row for each input: the likeliest labels (or next words) with their confidence, or the values, or the boxes."""
    names = names_of(card)
    if json_wanted:
        as_json({"results": [as_dict(result, top, names) for result in results]})
        return
    table = table_of(say("input", "输入"), say("result", "结果"), "", "")
    for result in results:
        _row(table, result, top, names)
    screen = console()
    screen.print(table)
    colon = say(": ", "：")
    notes(screen, [f"{result.source}{colon}{text}" for result in results if (text := hint_in(result.answer))])
    _drawn(screen, results)


def as_csv(results: Sequence[Answer]) -> None:
    """The same as a table for spreadsheets; what failed is said on stderr."""
    csv.writer(sys.stdout, lineterminator="\n").writerows([cell(one) for one in row] for row in csv_rows(results))
    screen = stderr()
    for result in results:
        if isinstance(result.answer, QingzhouError):
            screen.print(f"[red]✗[/] {escape(result.source)}  {escape(str(result.answer))}", soft_wrap=True)


def _row(table: Table, result: Answer, top: int, names: Sequence[str]) -> None:
    source, answer = escape(result.source), result.answer
    if isinstance(answer, QingzhouError):
        table.add_row(source, f"[red]{escape(str(answer))}[/]")
    elif isinstance(answer, list):
        _boxes(table, source, answer)
    else:
        best, share, others = _cells(answer, top, names)
        table.add_row(source, f"[bold]{escape(best)}[/]", share, f"[dim]{escape(others)}[/]")


def _boxes(table: Table, source: str, found: Sequence[Detection]) -> None:
    if not found:
        table.add_row(source, say("nothing found", "没有发现目标"))
    for i, one in enumerate(found):
        corners = "  ".join(filter(None, [", ".join(f"{n:.0f}" for n in one.box), _more(one)]))
        table.add_row(source if i == 0 else "", f"[bold]{escape(one.label)}[/]", f"{one.confidence:.1%}", corners)


def _more(one: Detection) -> str:
    """What is known of a thing besides its box, in a few words."""
    if one.rotated is not None:
        degrees = f"{math.degrees(one.rotated[4]):.0f}°"
        return say(f"turned {degrees}", f"旋转 {degrees}")
    if one.keypoints is not None:
        count, seen = len(one.keypoints), sum(min(point[2:], default=1) >= SURE for point in one.keypoints)
        return say(f"{seen} of {count} keypoints", f"关键点 {seen}/{count}")
    return say("with its outline", "带轮廓") if one.mask is not None else ""


def _cells(answer: Prediction, top: int, names: Sequence[str]) -> tuple[str, str, str]:
    if answer.named is not None:
        return _several(answer, top, names)
    if not answer.label:
        values = answer.scores.reshape(-1)
        more = " …" if values.size > 10 else ""
        return " ".join(f"{value:.6g}" for value in values[:10]) + more, "", ""
    ranked = ranking(answer, top, names)
    return answer.label, f"{answer.confidence:.1%}", "  ".join(f"{name} {score:.1%}" for name, score in ranked[1:])


def _several(answer: Prediction, top: int, names: Sequence[str]) -> tuple[str, str, str]:
    """All that are named, and what comes after them."""
    named = answer.named or ()
    ranked = ranking(answer, max(top, len(named)), names)[len(named) :]
    return (
        ", ".join(one.label for one in named) or nothing(),
        ", ".join(f"{one.confidence:.1%}" for one in named),
        "  ".join(f"{name} {score:.1%}" for name, score in ranked),
    )


def _drawn(screen: Console, results: Sequence[Answer]) -> None:
    for result in results:
        if result.drawn is not None:
            screen.print(f"{say('drawn: ', '结果图：')}{escape(result.drawn)}", soft_wrap=True)


def check(path: Path, worst: float, json_wanted: bool) -> None:
    """The self-test passed."""
    if json_wanted:
        as_json({"model": str(path), "passed": True, "difference": worst})
        return
    console().print(
        say(
            f"[green]✓[/] {escape(path.name)} answers its own sample as recorded (largest difference {worst:.2g}).",
            f"[green]✓[/] {escape(path.name)} 对自带示例的回答与记录一致（最大差异 {worst:.2g}）。",
        )
    )
