"""What `qingzhou report` shows, prints for programs and spreadsheets, and writes as a page."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ..errors import language, say
from ..html import write_page
from ..html.page import figure, percent, size
from ..report import Merged, Unread
from ..report.merge import table_of_speeds
from ..runtime.text import cell
from .pieces import as_json, console, escape
from .table import table_of

MARKS = {"measured": "", "published": " †", "emulated": " ‡"}
FACTS = 5  # columns of texts, which are always shown
TERMINAL = (1, 2, 3, 4, 5, 6, 7, 11, 13, 14)  # the columns for which a terminal has room
Faults = Mapping[str, Sequence[str]]


def report(merged: Sequence[Merged], bad: Sequence[Unread], faults: Faults) -> None:
    """A row for each model, device, engine and precision; what could not be read below."""
    screen = console()
    heads, cells = _table(merged, TERMINAL)
    table = table_of(*(head.replace(" ", "\n") for head in heads))
    for i, column in enumerate(table.columns):
        column.justify, column.no_wrap = ("right" if i >= 4 else "left"), i not in (0, 2)
        column.min_width = 11 if i in (0, 2) else None
    for row in cells:
        table.add_row(*(escape(cell.partition(" (")[0]) for cell in row))  # ranges are for the page
    if merged:
        screen.print(table)
    for unread in bad:
        screen.print(f"[red]✗[/] {escape(unread.file)}  {escape(unread.reason)}", soft_wrap=True)
    for source in faults:
        mark = MARKS[source].strip()
        screen.print(
            f"[dim]{mark} {escape(_source(source))}{say(': ', '：')}{escape(' '.join(faults[source]))}[/]",
            soft_wrap=True,
        )


def report_json(merged: Sequence[Merged], bad: Sequence[Unread], faults: Faults) -> None:
    """The same for programs."""
    as_json({"rows": [one.as_dict() for one in merged], "unread": [asdict(one) for one in bad], "faults": dict(faults)})


def report_csv(merged: Sequence[Merged]) -> None:
    """The same for spreadsheets: plain numbers, texts that no spreadsheet takes for a formula."""
    names = [name for name in merged[0].as_dict() if name != "fps_range"] if merged else ["model"]
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(names)
    for one in merged:
        values = one.as_dict()
        rows.writerow([cell(values[name]) for name in names])


def report_page(merged: Sequence[Merged], bad: Sequence[Unread], faults: Faults, out: Path) -> None:
    """The same as a page."""
    heads, cells = _table(merged)
    devices, lines = table_of_speeds(merged)
    speeds = [[name, precision.upper(), *map(_speed, row)] for name, precision, row in lines]
    write_page(
        out,
        "figures.html",
        language(),
        lead=_lead(merged, bad),
        tiles=_tiles(merged),
        speeds=speeds,
        devices=devices,
        heads=heads,
        cells=cells,
        bad=[(one.file, one.reason) for one in bad],
        sources=[(f"{MARKS[source].strip()} {_source(source)}", texts) for source, texts in faults.items()],
    )


def _table(merged: Sequence[Merged], columns: Sequence[int] = range(15)) -> tuple[list[str], list[list[str]]]:
    """Heads and cells, without the columns in which nobody has a figure."""
    heads, cells = _heads(), [_cells(one) for one in merged]
    used = [i for i in columns if i < FACTS or any(row[i] not in ("", "–") for row in cells)]
    return [heads[i] for i in used], [[row[i] for i in used] for row in cells]


def _heads() -> list[str]:
    return [
        say("network", "网络"),
        say("model", "模型"),
        say("device", "设备"),
        say("engine", "引擎"),
        say("precision", "精度"),
        say("size", "大小"),
        say("accuracy", "准确率"),
        "FPS",
        "p50 ms",
        "p95 ms",
        say("load s", "加载 s"),
        say("memory MB", "内存 MB"),
        "°C",
        say("hot", "过热"),
        say("boards", "板数"),
    ]


def _cells(one: Merged) -> list[str]:
    row = one.row
    fps = figure(row.fps)
    if one.fps_range is not None:
        fps += f" ({figure(one.fps_range[0])}–{figure(one.fps_range[1])})"
    if row.million_instructions is not None:
        fps = say(f"{row.million_instructions:.0f} M instructions", f"{row.million_instructions:.0f} M 条指令")
    hot = {True: "⚠", False: "–", None: ""}[row.throttled]
    return [
        row.network or row.model,
        row.model,
        row.device + MARKS[row.source],
        row.engine,
        row.precision.upper(),
        size(row.size_bytes),
        percent(row.accuracy),
        fps,
        figure(row.latency_ms_p50),
        figure(row.latency_ms_p95),
        figure(row.load_s),
        figure(row.memory_mb),
        figure(row.temperature_c),
        hot,
        str(one.boards),
    ]


def _speed(one: Merged | None) -> str:
    return "" if one is None else f"{figure(one.row.fps)}{MARKS[one.row.source]}"


def _lead(merged: Sequence[Merged], bad: Sequence[Unread]) -> str:
    own = sum(one.boards for one in merged if one.row.source == "measured")
    unread = say(f", {len(bad)} not read", f"，{len(bad)} 项未能读取") if bad else ""
    return say(f"{own} measurements{unread}", f"{own} 项测量{unread}")


def _tiles(merged: Sequence[Merged]) -> list[tuple[str, str, str]]:
    """The fastest, the smallest, and how many kinds of devices."""
    own = [one for one in merged if one.row.source == "measured"] or list(merged)
    timed = [one.row for one in own if one.row.fps is not None]
    tiles = [(say("devices", "设备"), str(len({one.row.device for one in own})), say("kinds", "种"))]
    if timed:
        best = max(timed, key=lambda row: row.fps or 0)
        tiles.append(
            (say("fastest", "最快"), f"{figure(best.fps)} FPS", f"{best.network or best.model} · {best.device}")
        )
    sized = [one.row for one in own if one.row.size_bytes]
    if sized:
        small = min(sized, key=lambda row: row.size_bytes or 0)
        tiles.append((say("smallest", "最小"), size(small.size_bytes), f"{small.model} · {small.precision.upper()}"))
    return tiles


def _source(source: str) -> str:
    return {
        "published": say("published in XEdu's documentation", "XEdu 文档公布的数据"),
        "emulated": say("counted under emulation", "仿真环境下统计"),
    }.get(source, source)
