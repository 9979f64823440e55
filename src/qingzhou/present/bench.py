"""What `qingzhou bench` shows, prints for programs, and writes as a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..bench import Report, Row
from ..bench.verdict import title
from ..errors import language, say
from ..html import write_page
from ..runtime.text import escaped
from ..whole_file import write_text
from .pieces import as_json, console, escape, notes
from .table import table_of


def bench(report: Report) -> None:
    """A row for each candidate, the columns of `yolo benchmark` first; then which to use."""
    screen, rows = console(), report.rows
    heads = _heads(report)
    table = table_of(*(head.replace(" ", "\n") for head in heads))
    table.columns[0].no_wrap = True
    for column in table.columns[2:]:
        column.justify, column.no_wrap = "right", True
    for i, row in enumerate(rows):
        name, _, *cells = _cells(report, i)
        mark = "[red]✗[/]" if row.error else "[green]✓[/]"
        table.add_row(f"[bold]{escape(name)}[/]" if i == report.choice else escape(name), mark, *cells)
    screen.print(table)
    for i, row in enumerate(rows):
        if row.error:
            screen.print(f"[red]✗[/] [bold]{escape(title(rows, i))}[/]  {escape(str(row.error))}", soft_wrap=True)
    notes(screen, [*row_notes(rows), *report.notes])
    screen.print(f"\n[bold]{escape(report.why)}[/]", soft_wrap=True)
    screen.print(f"[dim]{escape(how(report))}[/]", soft_wrap=True)


def bench_json(report: Report, out: Path | None) -> None:
    """The same for programs: into a file, or on stdout."""
    if out is None:
        as_json(report.as_dict())
    else:
        write_text(out, escaped(json.dumps(report.as_dict(), ensure_ascii=False, indent=2)) + "\n")


def bench_page(report: Report, out: Path) -> None:
    """The same as a page with plots."""
    measured = [i for i, row in enumerate(report.rows) if row.whole is not None and row.error is None]
    write_page(
        out,
        "bench.html",
        language(),
        report=report,
        name=_models(report),
        heads=_heads(report),
        cells=[_cells(report, i) for i in range(len(report.rows))],
        notes=[*row_notes(report.rows), *report.notes],
        errors=[(title(report.rows, i), row.error) for i, row in enumerate(report.rows) if row.error],
        points=_points(report, measured),
        judged=any(report.rows[i].score for i in measured),
        how=how(report),
        metric=metric(report.rows),
        pairs=_pairs(report),
        bars=[
            (title(report.rows, i), row.network.median, row.whole.median)
            for i in measured
            if (row := report.rows[i]).network is not None and row.whole is not None
        ],
    )


def how(report: Report) -> str:
    """On what, how often, with how many threads."""
    threads = str(report.threads or say("all", "全部"))
    machine = report.machine
    where = f"{machine['processor']} · {machine['cores']} {say('cores', '核')} · {machine['system']}"
    runs = max((row.whole.runs for row in report.rows if row.whole), default=0)
    return say(
        f"Measured on {report.inputs}, {report.rounds} rounds, {runs} runs each, threads: {threads}; {where}",
        f"测量所用：{report.inputs}；{report.rounds} 轮，各 {runs} 次，线程：{threads}；{where}",
    )


def metric(rows: Sequence[Row]) -> str:
    """The name of how right they are."""
    return next((row.score.metric for row in rows if row.score), "")


def row_notes(rows: Sequence[Row]) -> list[str]:
    """What is to be known of single rows, with their names."""
    return [f"{title(rows, i)}: {note}" for i, row in enumerate(rows) for note in row.notes]


def _models(report: Report) -> str:
    return ", ".join(dict.fromkeys(row.candidate.model.name for row in report.rows))


def _heads(report: Report) -> list[str]:
    """The columns of `yolo benchmark` by their names there, then ours."""
    score = [metric(report.rows)] if metric(report.rows) else []
    return [
        "Format",
        "Status",
        "Size (MB)",
        *score,
        "Inference time (ms/im)",
        "FPS",
        say("whole (ms)", "全程 (ms)"),
        "p95 (ms)",
        say("load (s)", "加载 (s)"),
        say("memory (MB)", "内存 (MB)"),
    ]


def _cells(report: Report, number: int) -> list[str]:
    row = report.rows[number]
    score = [_score(row)] if metric(report.rows) else []
    figures = [
        row.network.median if row.network else None,
        row.fps,
        row.whole.median if row.whole else None,
        row.whole.p95 if row.whole else None,
        row.load,
        None if row.memory is None else row.memory / 1e6,
    ]
    size = _number(None if row.size is None else row.size / 1e6)
    return [title(report.rows, number), "✗" if row.error else "✓", size, *score, *map(_number, figures)]


def _score(row: Row) -> str:
    if row.score is None:
        return "–"
    return f"{row.score.value:.4g}" if row.score.metric == "MAE" else f"{100 * row.score.value:.2f} %"


def _number(value: float | None) -> str:
    """Three digits that count; "–" for none."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def _points(report: Report, measured: Sequence[int]) -> list[dict[str, Any]]:
    """Of the plot: time across; up how right it is, or else the memory; the size as the area of a dot."""
    judged = any(report.rows[i].score for i in measured)
    found = []
    for i in measured:
        row = report.rows[i]
        up = row.score.value if row.score else None
        if judged and up is not None and row.score is not None and row.score.metric != "MAE":
            up = 100 * up
        elif not judged:
            up = (row.memory or 0) / 1e6
        if up is not None and row.whole is not None:
            found.append(
                {
                    "label": title(report.rows, i),
                    "x": row.whole.median,
                    "y": up,
                    "size": (row.size or 0) / 1e6,
                    "best": i == report.choice,
                }
            )
    return found


def _pairs(report: Report) -> list[tuple[str, str, str, str, str]]:
    """Every two, the faster one first."""
    words = {
        "faster": say("faster", "更快"),
        "same": say("as fast", "一样快"),
        "unclear": say("too noisy to tell", "干扰太大，无法判断"),
    }
    found = []
    for pair in report.pairs:
        seen = pair if pair.ratio <= 1 else pair.turned
        ends = f"{seen.low:.3f} – {seen.high:.3f}"
        found.append(
            (
                title(report.rows, seen.one),
                title(report.rows, seen.other),
                f"{seen.ratio:.3f}",
                ends,
                words[seen.outcome],
            )
        )
    return found
