"""What `qingzhou info` and `qingzhou doors` show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from rich.filesize import decimal

from ..errors import say
from .pieces import as_json, columns, console, cost, entry, escape, labels, notes, step_text, task
from .table import facts, table_of

if TYPE_CHECKING:
    from rich.tree import Tree

    from ..doors import Door
    from ..info import Info
    from ..sources.source import Part


def info(found: Info, tree: bool, json_wanted: bool) -> None:
    """What is inside a file; every tensor or operator with `tree`."""
    if json_wanted:
        as_json(found.as_dict())
        return
    screen = console()
    onnx = f"  ·  opset {found.opset}  ·  IR {found.ir_version}" if found.opset else ""
    screen.print(f"[bold]{escape(found.path.name)}[/]  ·  {decimal(found.size)}  ·  {found.container}{onnx}")
    training = dict(found.facts)
    rows = [(say("tool", "工具"), escape(str(training.pop("tool", found.tool))))]
    if found.network:
        rows += [(say("network", "网络"), f"{escape(found.network)}  ({task(found.task)})")]
        rows += [(say("classes", "类别"), labels(found.labels) or (str(found.classes) if found.classes else ""))]
    elif found.labels:
        rows += [(say("classes", "类别"), labels(found.labels))]
    rows += [(say("input", "输入"), escape(f"{name}: {text}")) for name, text in found.inputs.items()]
    rows += [(say("output", "输出"), escape(f"{name}: {text}")) for name, text in found.outputs.items()]
    rows += [(say("domains", "算子域"), escape(", ".join(f"{name} {n}" for name, n in found.domains.items())))]
    for one in () if found.input is None else (found.input, *found.others):
        name = f"{escape(one.name)}: " if found.others else ""
        rows += [(say("taken as", "将视为") if found.inputs else say("input", "输入"), name + entry(one))]
        rows += [(say("prepared", "预处理"), escape(", ".join(step_text(s) for s in one.steps)))]
        rows += [(say("columns", "列"), columns(one.columns))]
    if found.parameters:
        rows += [(say("parameters", "参数"), cost(found.parameters, found.macs))]
    rows += [(say("training", "训练"), escape(", ".join(f"{k} {v}" for k, v in training.items())))]
    kind = say("operators", "算子") if found.container == "onnx" else say("tensors", "张量")
    if found.parts:
        rows += [(kind, f"{len(found.parts)}" + ("" if tree else say("  (--tree lists them)", "（--tree 逐个列出）")))]
    screen.print(facts(*rows))
    notes(screen, found.notes)
    if tree:
        screen.print(_tree(found.path.name, found.parts), soft_wrap=True)
    if found.problem is not None:
        screen.print(f"[yellow]![/] {escape(str(found.problem))}", soft_wrap=True)


def _tree(title: str, parts: Iterable[Part]) -> Tree:
    """Parts under their dotted names."""
    from rich.tree import Tree

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


def doors(found: Mapping[str, Door], json_wanted: bool) -> None:
    """Whose MMEdu, BaseNN and XEdu a program imports."""
    if json_wanted:
        as_json({name: {"provider": door.provider, "origin": door.origin} for name, door in found.items()})
        return
    names = {
        "qingzhou": say("Qingzhou", "轻舟"),
        "original": say("the original", "原版"),
        "none": say("nothing", "没有"),
    }
    table = table_of("import", say("gives", "得到"), say("from", "来自"))
    for name, door in found.items():
        table.add_row(name, names[door.provider], escape(door.origin))
    console().print(table)
    text = say(
        "Set QINGZHOU_DOORS to first, last or off to choose.", "用环境变量 QINGZHOU_DOORS（first、last 或 off）选择。"
    )
    console().print(text, style="dim")
