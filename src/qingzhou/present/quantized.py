"""What `qingzhou quantize` shows. Nothing is computed here."""

from __future__ import annotations

from rich.filesize import decimal

from ..errors import say
from ..quant import Quantized
from ..quant.besides import Beside
from ..quant.judge import Changed, Verdict
from ..quant.timing import Timing
from .pieces import as_json, console, escape, notes
from .table import facts, table_of

MOST_CHANGED = 10


def quantized(found: Quantized, json_wanted: bool) -> None:
    """Before and after, and what happened in plain words."""
    if json_wanted:
        as_json(found.as_dict())
        return
    screen = console()
    name = escape(found.path.name) if found.path else say("kept as it is", "保留原模型")
    screen.print(f"[bold]{escape(found.source.name)}[/] → [bold]{name}[/]")
    before, after = found.sizes
    screen.print(
        facts(
            (say("precision", "精度"), f"{found.precision}  ({found.target})"),
            (say("size", "大小"), f"{decimal(before)} → [bold]{decimal(after)}[/]  ({after / before:.0%})"),
            *(_accuracy(found.verdict) if found.verdict else []),
            *(_speed(found.timing) if found.timing else []),
            (say("layers", "层"), _layers(found)),
            (say("time", "用时"), f"{found.seconds:.2f} s"),
        )
    )
    if found.verdict is not None and found.verdict.changes:
        _changed(found.verdict)
    notes(screen, found.notes)
    screen.print(("[green]✓[/] " if found.sure else "[yellow]![/] ") + escape(found.explanation), soft_wrap=True)


def _accuracy(verdict: Verdict) -> list[tuple[str, str]]:
    return [*_figure(verdict), *map(_beside, verdict.besides)]


def _beside(one: Beside) -> tuple[str, str]:
    """Masks, keypoints or turned boxes."""
    before, after = 100 * one.before, 100 * one.after
    if not one.labelled:
        same = say("as before, not accuracy", "与原来一致，不是准确率")
        return one.title, f"[bold]{after:.2f} %[/]  {same}"
    lost = say(f"drop {100 * one.drop:+.2f} points", f"下降 {100 * one.drop:+.2f} 个百分点")
    return f"mAP {one.title}", f"{before:.2f} % → [bold]{after:.2f} %[/]  ·  {lost}"


def _figure(verdict: Verdict) -> list[tuple[str, str]]:
    before, after = verdict.figures()
    judged = say(f"{verdict.judged} held-out inputs", f"{verdict.judged} 个未参与校准的输入")
    if not verdict.labelled:
        same = say("same answers, not accuracy", "回答一致，不是准确率")
        return [(say("agreement", "一致率"), f"[bold]{100 * after:.2f} %[/]  {same}  ·  {judged}")]
    drop, low, high = (100 * share for share in verdict.drop)
    sure = say(
        f"drop {drop:+.2f} points, 95 % interval {low:+.2f} to {high:+.2f}",
        f"下降 {drop:+.2f} 个百分点，95% 置信区间 {low:+.2f} 到 {high:+.2f}",
    )
    return [(verdict.measure, f"{100 * before:.2f} % → [bold]{100 * after:.2f} %[/]  ·  {judged}"), ("", sure)]


def _speed(timing: Timing) -> list[tuple[str, str]]:
    sure = say(
        f"{timing.ratio:.2f} x, 95 % interval {timing.low:.2f} to {timing.high:.2f}; one thread, here",
        f"{timing.ratio:.2f} 倍，95% 置信区间 {timing.low:.2f} 到 {timing.high:.2f}；单线程，本机",
    )
    return [(say("network", "网络用时"), f"{timing.before:.2f} ms → [bold]{timing.after:.2f} ms[/]  ({sure})")]


def _layers(found: Quantized) -> str:
    if found.plan is None:
        return ""
    kept, count = len(found.plan.kept), len(found.layers)
    return say(
        f"{count - kept} of {count} in INT8  ·  ranges: {found.plan.method}  ·  {found.calibrated} inputs"
        f" calibrated  ·  SQNR {found.plan.sqnr:.1f} dB",
        f"{count} 层中 {count - kept} 层为 INT8  ·  范围：{found.plan.method}  ·  "
        f"校准用了 {found.calibrated} 个输入  ·  SQNR {found.plan.sqnr:.1f} dB",
    )


def _changed(verdict: Verdict) -> None:
    screen = console()
    shown: list[Changed] = list(verdict.changed[:MOST_CHANGED])
    table = table_of(
        say("changed answer", "改变的回答"), say("is", "实际"), say("before", "之前"), say("after", "之后")
    )
    for one in shown:
        table.add_row(escape(one.source), escape(one.truth), escape(one.before), escape(one.after))
    more = say(f"{verdict.changes} answers changed", f"{verdict.changes} 个回答改变了")
    screen.print(more)
    screen.print(table)
