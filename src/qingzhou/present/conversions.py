"""What `qingzhou convert` and `qingzhou demo` show."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.filesize import decimal

from ..answers import failure
from ..errors import QingzhouError, say
from ..runtime.text import lines, this_shell, word
from .pieces import as_json, console, cost, entry, error, escape, labels, notes, task
from .table import facts, table_of

if TYPE_CHECKING:
    from ..batch import Result
    from ..conversion import Conversion
    from ..demo import Demo
    from ..runtime.model.card import Card, Input


def conversions(results: Sequence[Result], json_wanted: bool) -> None:
    """One conversion in full, several as a row each."""
    if json_wanted:
        as_json({"results": [_conversion_dict(source, result) for source, result in results]})
    elif len(results) == 1:
        _one_conversion(results[0][1])
    else:
        _many_conversions(results)


def _conversion_dict(source: Path, result: Conversion | QingzhouError) -> dict[str, Any]:
    if isinstance(result, QingzhouError):
        return {"source": str(source), **failure(result)}
    return result.as_dict()


def _one_conversion(result: Conversion | QingzhouError) -> None:
    if isinstance(result, QingzhouError):
        error(result)
        return
    screen, card = console(), result.model.card
    screen.print(f"[bold]{escape(result.source.name)}[/] → [bold]{escape(result.model.path.name)}[/]")
    screen.print(
        facts(
            (say("network", "网络"), f"{escape(card.network)}  ({escape(card.tool)}, {task(card.task)})"),
            (say("classes", "类别"), labels(card.labels)),
            *((say("input", "输入"), _named(card, one) + entry(one)) for one in card.inputs),
            (say("parameters", "参数"), cost(result.parameters, result.macs) if result.parameters else ""),
            (say("file", "文件"), f"{decimal(result.size)}  ·  opset {result.opset}  ·  IR {result.ir_version}"),
            (say("checked", "已检查"), " ".join(f"[green]✓[/] {_check(check)}" for check in result.checks)),
            (say("time", "用时"), f"{result.seconds:.2f} s"),
        )
    )
    notes(screen, result.notes)
    screen.print(f"{say('Run it: ', '运行：')}[cyan]{escape(command(result))}[/]", soft_wrap=True)


def _named(card: Card, one: Input) -> str:
    """An input's name, where there are others."""
    return f"{escape(one.name)}: " if card.others else ""


def _check(code: str) -> str:
    """A check in words."""
    return {
        "structure": say("structure", "结构"),
        "runs": say("runs in onnxruntime", "能在 onnxruntime 中运行"),
        "equals_module": say("answers as the network itself", "与原网络的回答一致"),
        "equals_original": say("equals the unsimplified network", "与化简前的网络一致"),
    }[code]


def command(result: Conversion) -> str:
    """The line that runs the generated program, as this system's shell reads it."""
    data = {"image": say(" photo.jpg", " 照片.jpg"), "table": " data.csv", "array": " data.npz"}
    name, card = str(result.program), result.model.card
    given = "" if card.others else data.get(card.input.kind, "")
    return f"python {word(name, this_shell())}{given}"


def _many_conversions(results: Sequence[Result]) -> None:
    table = table_of(
        "",
        say("file", "文件"),
        say("network", "网络"),
        say("classes", "类别"),
        say("size", "大小"),
        say("time", "用时"),
    )
    names = _short_names([source for source, _ in results])
    for (_, result), name in zip(results, names, strict=True):
        if isinstance(result, QingzhouError):
            table.add_row("[red]✗[/]", name)
            continue
        card = result.model.card
        table.add_row(
            "[green]✓[/]",
            name,
            f"{escape(card.network)} ({escape(card.tool)})",
            str(len(card.labels) or ""),
            decimal(result.size),
            f"{result.seconds:.2f} s",
        )
    screen = console()
    screen.print(table)
    for (_, result), name in zip(results, names, strict=True):
        if isinstance(result, QingzhouError):
            screen.print(f"[red]✗[/] [bold]{name}[/]  {escape(str(result))}", soft_wrap=True)
    for (_, result), name in zip(results, names, strict=True):
        for text in () if isinstance(result, QingzhouError) else result.told:
            screen.print(f"[yellow]![/] {name}  {escape(text)}", soft_wrap=True)
    done = sum(not isinstance(result, QingzhouError) for _, result in results)
    count = say(f"{done} of {len(results)} converted", f"{len(results)} 个中成功转换了 {done} 个")
    more = say(": each .onnx has a .py beside it that runs it.", "：每个 .onnx 旁边都有可以运行它的 .py。")
    screen.print(count + (more if done else say(".", "。")))


def _short_names(paths: Sequence[Path]) -> list[str]:
    """The paths without the folders that they share."""
    try:
        base = os.path.commonpath([path.parent for path in paths])
    except ValueError:  # different drives, or some absolute and some not
        return [escape(str(path)) for path in paths]
    return [escape(os.path.relpath(path, base or ".")) for path in paths]


def demo(done: Demo, json_wanted: bool) -> None:
    """The conversion, then what the generated program says."""
    if json_wanted:
        as_json({**done.conversion.as_dict(), "picture": str(done.picture), "printed": done.printed})
        return
    _one_conversion(done.conversion)
    screen = console()
    screen.print()
    words = [word(part, this_shell()) for part in done.command[1:]]
    screen.print("$ " + escape(" ".join(["python", *words])), style="cyan", soft_wrap=True)
    screen.print(lines(done.printed), markup=False)
    screen.print()
    text = say("The files are in", "文件在")
    screen.print(f"{text} {escape(done.picture.parent)}", soft_wrap=True)
