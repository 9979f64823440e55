"""What `qingzhou teach` shows. Nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.filesize import decimal

from ..errors import say
from .conversions import command
from .pieces import as_json, console, escape, labels, notes
from .table import facts

if TYPE_CHECKING:
    from ..teaching import Taught

MOST_PAIRS = 5
WEAK = 0.5  # share of strangers below which the answer "unknown" is not to be trusted


def taught(found: Taught, json_wanted: bool) -> None:
    """The model, how often it is right on pictures that it did not learn from, and what it mistakes."""
    if json_wanted:
        as_json(found.as_dict())
        return
    screen, done = console(), found.conversion
    card, low, high = done.model.card, *(f"{100 * share:.1f}" for share in found.interval)
    share = f"{100 * found.right / found.count:.1f} %"
    screen.print(f"[bold]{escape(found.backbone.name)}[/] → [bold]{escape(done.model.path.name)}[/]", soft_wrap=True)
    screen.print(
        facts(
            (say("features", "特征"), escape(card.network)),
            (say("classes", "类别"), labels(card.labels)),
            (say("pictures", "图片"), _counts(found)),
            (
                say("right", "答对"),
                say(
                    f"{share}  ({found.right} of {found.count} that it had not learnt from; 95 %: {low} to {high} %)",
                    f"{share}  （{found.count} 张没有学过的图片中 {found.right} 张；95% 区间：{low} 到 {high}%）",
                ),
            ),
            (say("strangers", "陌生事物"), _strangers(found)),
            (say("mistaken", "认错"), _mistaken(found)),
            (say("file", "文件"), decimal(done.size)),
            (say("time", "用时"), f"{found.seconds:.2f} s"),
        )
    )
    notes(screen, [*_weak(found), *(_left(found)), *done.notes])
    screen.print(f"{say('Run it: ', '运行：')}[cyan]{escape(command(done))}[/]", soft_wrap=True)


def _counts(found: Taught) -> str:
    counts = sorted(set(found.pictures))
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    return say(f"{found.count}  ({each} of each class)", f"{found.count}  （每类 {each} 张）")


def _strangers(found: Taught) -> str:
    if found.stranger is None:
        return ""
    share = f"{100 * found.stranger:.0f} %"
    return say(
        f"{share} of a class that it was not taught it calls “{found.conversion.model.card.labels[-1]}”",
        f"没教过的类别，有 {share} 回答“{found.conversion.model.card.labels[-1]}”",
    )


def _mistaken(found: Taught) -> str:
    names = found.conversion.model.card.labels
    pairs = [
        (int(count), found.classes[i], names[j])
        for i, row in enumerate(found.confusion)
        for j, count in enumerate(row)
        if count and i != j
    ]
    pairs.sort(key=lambda one: -one[0])
    return escape(", ".join(f"{a} → {b} ×{count}" for count, a, b in pairs[:MOST_PAIRS]))


def _weak(found: Taught) -> list[str]:
    if found.stranger is None or found.stranger >= WEAK:
        return []
    return [
        say(
            en="Its “unknown” is weak: strange things often get the name of a class. Give it more pictures, another "
            "backbone, or a class of its own for what it shall not know.",
            zh="“不认识”不太可靠：陌生的东西常被认成某个类别。请多拍一些图片、换一个骨干网络，"
            "或为“其他”单独建一个类别。",
        )
    ]


def _left(found: Taught) -> list[str]:
    if not found.left:
        return []
    path, why = found.left[0]
    return [
        say(
            en=f"{len(found.left)} files could not be read and were left out. The first, {path.name}: {why}",
            zh=f"{len(found.left)} 个文件无法读取，未使用。第一个 {path.name}：{why}",
        )
    ]
