"""What the command line shows: tables for people, JSON for programs. Nothing is computed here."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from .errors import QingzhouError, say

if TYPE_CHECKING:
    from .batch import Answer, Result
    from .convert import Conversion
    from .demo import Demo
    from .doors import Door
    from .info import Info, Part
    from .runtime.card import Card, Input
    from .runtime.predict import Prediction

MOST_LABELS = 12  # shown in a table


def console() -> Console:
    """The terminal, as wide as it is; 100 columns and no colours where the output is piped."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def as_json(value: object) -> None:
    """One JSON document on stdout; Chinese stays readable where the stream can hold it."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text if _holds(text, encoding) else json.dumps(value, indent=2, default=str))


def _holds(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def failure(err: QingzhouError) -> dict[str, Any]:
    """An error as plain values."""
    return {"error": type(err).__name__, "code": err.code, "message": str(err)}


@contextlib.contextmanager
def busy(text: str) -> Iterator[None]:
    """A spinner while something runs; nothing where the output is piped."""
    stderr = Console(stderr=True)
    if not stderr.is_terminal:
        yield
        return
    with stderr.status(escape(text)):
        yield


# -- convert --------------------------------------------------------------------------------------------------------


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
        _facts(
            (say("network", "网络"), f"{card.network}  ({card.tool}, {task(card.task)})"),
            (say("classes", "类别"), _labels(card.labels)),
            (say("input", "输入"), entry(card.input)),
            (say("parameters", "参数"), _cost(result.parameters, result.macs)),
            (say("file", "文件"), f"{decimal(result.size)}  ·  opset {result.opset}  ·  IR {result.ir_version}"),
            (say("checked", "已检查"), " ".join(f"[green]✓[/] {escape(check)}" for check in result.checks)),
            (say("time", "用时"), f"{result.seconds:.2f} s"),
        )
    )
    _notes(screen, card.notes)
    screen.print(f"{say('Run it:', '运行：')} [cyan]{escape(_command(result))}[/]", soft_wrap=True)


def _command(result: Conversion) -> str:
    """The line that runs the generated program, as this system's shell reads it."""
    data = {"image": say(" photo.jpg", " 照片.jpg"), "table": " data.csv", "array": " data.npz"}
    name = str(result.program)
    quoted = subprocess.list2cmdline([name]) if sys.platform == "win32" else shlex.quote(name)
    return f"python {quoted}{data.get(result.model.card.input.kind, '')}"


def _many_conversions(results: Sequence[Result]) -> None:
    table = _table("", say("file", "文件"), say("network", "网络"), say("classes", "类别"), say("size", "大小"),
                   say("time", "用时"))  # fmt: skip
    names = _short_names([source for source, _ in results])
    for (_, result), name in zip(results, names, strict=True):
        if isinstance(result, QingzhouError):
            table.add_row("[red]✗[/]", name)
            continue
        card = result.model.card
        table.add_row("[green]✓[/]", name, f"{escape(card.network)} ({card.tool})",
                      str(len(card.labels) or ""), decimal(result.size), f"{result.seconds:.2f} s")  # fmt: skip
    screen = console()
    screen.print(table)
    for (_, result), name in zip(results, names, strict=True):
        if isinstance(result, QingzhouError):
            screen.print(f"[red]✗[/] [bold]{name}[/]  {escape(str(result))}", soft_wrap=True)
    done = sum(not isinstance(result, QingzhouError) for _, result in results)
    text = say(
        f"{done} of {len(results)} converted and checked: each .onnx has a .py beside it that runs it.",
        f"{len(results)} 个中成功转换并检查了 {done} 个：每个 .onnx 旁边都有可以运行它的 .py。",
    )
    screen.print(text)


def _short_names(paths: Sequence[Path]) -> list[str]:
    """The paths without the folders that they share."""
    try:
        base = os.path.commonpath([path.parent for path in paths])
    except ValueError:  # different drives, or some absolute and some not
        return [escape(str(path)) for path in paths]
    return [escape(os.path.relpath(path, base or ".")) for path in paths]


# -- info -----------------------------------------------------------------------------------------------------------


def info(found: Info, tree: bool, json_wanted: bool) -> None:
    """What is inside a file; every tensor or operator with `tree`."""
    if json_wanted:
        as_json(found.as_dict())
        return
    screen = console()
    onnx = f"  ·  opset {found.opset}  ·  IR {found.ir_version}" if found.opset else ""
    screen.print(f"[bold]{escape(found.path.name)}[/]  ·  {decimal(found.size)}  ·  {found.container}{onnx}")
    facts = dict(found.facts)
    rows = [(say("tool", "工具"), escape(str(facts.pop("tool", found.tool))))]
    if found.network:
        rows += [(say("network", "网络"), f"{escape(found.network)}  ({task(found.task)})")]
        rows += [(say("classes", "类别"), _labels(found.labels) if found.labels else str(found.classes))]
    if found.input is not None:
        rows += [(say("input", "输入"), entry(found.input))]
        rows += [(say("prepared", "预处理"), escape(", ".join(step_text(s) for s in found.input.steps)))]
    if found.parameters:
        rows += [(say("parameters", "参数"), _cost(found.parameters, found.macs))]
    rows += [(say("training", "训练"), escape(", ".join(f"{k} {v}" for k, v in facts.items())))]
    kind = say("operators", "算子") if found.container == "onnx" else say("tensors", "张量")
    rows += [(kind, f"{len(found.parts)}" + ("" if tree else say("  (--tree lists them)", "（--tree 逐个列出）")))]
    screen.print(_facts(*rows))
    _notes(screen, found.notes)
    if tree:
        screen.print(_tree(found.path.name, found.parts), soft_wrap=True)
    if found.problem is not None:
        screen.print(f"[yellow]![/] {escape(str(found.problem))}", soft_wrap=True)


def _tree(title: str, parts: Iterable[Part]) -> Tree:
    """Parts under their dotted names."""
    root = Tree(escape(title))
    branches: dict[str, Tree] = {"": root}
    for part in parts:
        *layers, last = part.name.split(".")
        above = ""
        for layer in layers[:40]:
            path = f"{above}.{layer}" if above else layer
            if path not in branches:
                branches[path] = branches[above].add(escape(layer))
            above = path
        sizes = " x ".join(str(n) for n in part.shape)
        branches[above].add(f"{escape(last)}  [cyan]{sizes}[/]  [dim]{escape(part.kind)}[/]")
    return root


# -- run, check, demo, doors ----------------------------------------------------------------------------------------


def predictions(results: Sequence[Answer], top: int, card: Card, json_wanted: bool) -> None:
    """A row for each input: the likeliest labels (or next words) with their confidence, or the values."""
    labels = card.labels or sorted(card.vocabulary, key=card.vocabulary.__getitem__)
    if json_wanted:
        as_json({"results": [_answer_dict(result, top, labels) for result in results]})
        return
    table = _table(say("input", "输入"), say("result", "结果"), "", "")
    for result in results:
        if isinstance(result.answer, QingzhouError):
            table.add_row(escape(result.source), f"[red]{escape(str(result.answer))}[/]")
        else:
            best, share, others = _answer_cells(result.answer, top, labels)
            table.add_row(escape(result.source), f"[bold]{escape(best)}[/]", share, f"[dim]{escape(others)}[/]")
    screen = console()
    screen.print(table)
    for result in results:
        if result.drawn is not None:
            screen.print(say(f"drawn: {result.drawn}", f"结果图：{result.drawn}"), soft_wrap=True, markup=False)


def _answer_cells(answer: Prediction, top: int, labels: Sequence[str]) -> tuple[str, str, str]:
    if not answer.label:
        values = answer.scores.reshape(-1)
        more = " …" if values.size > 10 else ""
        return " ".join(f"{value:.6g}" for value in values[:10]) + more, "", ""
    ranked = ranking(answer, top, labels)
    return answer.label, f"{answer.confidence:.1%}", "  ".join(f"{name} {score:.1%}" for name, score in ranked[1:])


def ranking(answer: Prediction, top: int, labels: Sequence[str]) -> list[tuple[str, float]]:
    """The likeliest labels with their scores."""
    order = answer.scores.argsort()[::-1][:top]
    return [(labels[i] if i < len(labels) else str(i), float(answer.scores[i])) for i in order]


def _answer_dict(result: Answer, top: int, labels: Sequence[str]) -> dict[str, Any]:
    if isinstance(result.answer, QingzhouError):
        return {"input": result.source, **failure(result.answer)}
    found: dict[str, Any] = {"input": result.source}
    if result.answer.label:
        found |= {"label": result.answer.label, "index": result.answer.index, "confidence": result.answer.confidence}
        found["top"] = [{"label": name, "score": score} for name, score in ranking(result.answer, top, labels)]
    else:
        found["values"] = [float(value) for value in result.answer.scores.reshape(-1)]
    return found | ({"drawn": str(result.drawn)} if result.drawn else {})


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


def demo(done: Demo, json_wanted: bool) -> None:
    """The conversion, then what the generated program says."""
    if json_wanted:
        as_json({**done.conversion.as_dict(), "picture": str(done.picture), "printed": done.printed})
        return
    _one_conversion(done.conversion)
    screen = console()
    screen.print()
    screen.print("$ " + shlex.join(("python", *done.command[1:])), style="cyan", markup=False, soft_wrap=True)
    screen.print(done.printed, markup=False)
    screen.print()
    text = say("The files are in", "文件在")
    screen.print(f"{text} {done.picture.parent}", markup=False, soft_wrap=True)


def doors(found: Mapping[str, Door], json_wanted: bool) -> None:
    """Whose MMEdu, BaseNN and XEdu a program imports."""
    if json_wanted:
        as_json({name: {"provider": door.provider, "origin": door.origin} for name, door in found.items()})
        return
    names = {
        "qingzhou": say("Qingzhou", "轻舟"), "original": say("the original", "原版"), "none": say("nothing", "没有"),
    }  # fmt: skip
    table = _table("import", say("gives", "得到"), say("from", "来自"))
    for name, door in found.items():
        table.add_row(name, names[door.provider], escape(door.origin))
    console().print(table)
    text = say(
        "Set QINGZHOU_DOORS to first, last or off to choose.", "用环境变量 QINGZHOU_DOORS（first、last 或 off）选择。"
    )
    console().print(text, style="dim")


def error(err: QingzhouError) -> None:
    """A user's mistake, on stderr."""
    screen = Console(stderr=True, highlight=False)
    screen.print(f"[bold red]{say('Error:', '错误：')}[/] {escape(str(err))}", soft_wrap=True)


# -- pieces ---------------------------------------------------------------------------------------------------------


def _facts(*rows: tuple[str, str]) -> Table:
    """Names and values; empty values are left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(f"  {name}", value)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _notes(screen: Console, notes: Sequence[str]) -> None:
    for note in notes:
        screen.print(f"[yellow]![/] {escape(note)}")


def _labels(labels: Sequence[str]) -> str:
    if not labels:
        return ""
    more = ", …" if len(labels) > MOST_LABELS else ""
    return f"{len(labels)}  ({escape(', '.join(labels[:MOST_LABELS]))}{more})"


def task(name: str) -> str:
    """A card's task, in words."""
    return {
        "classification": say("classification", "分类"), "regression": say("regression", "回归"),
        "values": say("values", "数值"), "generation": say("text generation", "文本生成"),
    }.get(name, name)  # fmt: skip


def entry(found: Input) -> str:
    """A card's input in words: 1 x 3 x 224 x 224, picture (RGB)."""
    kinds = {"image": say("picture", "图片"), "table": say("table", "表格"), "array": say("array", "数组"),
             "tokens": say("words", "字词")}  # fmt: skip
    sizes = " x ".join("N" if n is None else str(n) for n in found.shape)
    return f"{sizes}  ({kinds[found.kind]}{', ' + found.color if found.color else ''})"


def step_text(step: Mapping[str, Any]) -> str:
    """One step of the pre-processing: "resize 256", "normalize"."""
    single = [step[name] for name in ("short", "multiple") if name in step]
    sizes = step.get("size") or step.get("within") or single
    names = {
        "resize": say("resize", "缩放"), "center_crop": say("centre crop", "中心裁剪"), "pad": say("pad", "填充"),
        "pad_to": say("pad to", "填充到"), "gray": say("grey", "灰度"), "normalize": say("normalise", "归一化"),
    }  # fmt: skip
    return " ".join([names.get(step["op"], step["op"]), "x".join(str(n) for n in sizes)]).strip()


def _cost(parameters: int, macs: int) -> str:
    return amount(parameters) + (f"  ·  {amount(macs)} MACs" if macs else "")


def amount(number: int) -> str:
    """61706 -> 61.7 k, 2225153 -> 2.23 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
