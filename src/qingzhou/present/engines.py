"""What `qingzhou export` and `qingzhou engines` show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.filesize import decimal

from ..errors import say
from .pieces import as_json, console, escape, notes
from .table import facts, table_of

if TYPE_CHECKING:
    from ..engines.artifact import Artifact, Difference
    from ..engines.machine import Machine


def artifact(made: Artifact, json_wanted: bool) -> None:
    """What an engine made of a model, and how far its answer is from onnxruntime's."""
    if json_wanted:
        as_json(made.as_dict())
        return
    screen = console()
    screen.print(f"[bold]{escape(made.source.name)}[/] → [bold]{escape(made.path.name)}[/]")
    screen.print(
        facts(
            (say("engine", "引擎"), f"{made.engine} {escape(made.version)}"),
            (say("precision", "精度"), made.precision),
            (say("files", "文件"), escape(", ".join(path.name for path in made.files))),
            (say("size", "大小"), decimal(made.size)),
            (say("difference", "差异"), _difference(made.difference)),
            (say("time", "用时"), f"{made.seconds:.2f} s"),
        )
    )
    notes(screen, made.notes)


def _difference(found: Difference | None) -> str:
    if found is None or math.isinf(found.largest):
        return "–"
    return f"{found.largest:.2g}  " + say(
        "(largest, from onnxruntime, on the model's sample)", "（与 onnxruntime 的最大差异，示例输入）"
    )


def engines(found: Machine, json_wanted: bool) -> None:
    """A row for each engine; then the processor."""
    if json_wanted:
        as_json(found.as_dict())
        return
    table = table_of(
        "", say("engine", "引擎"), say("version", "版本"), say("runs on", "可用设备"), say("to install", "安装命令")
    )
    places = {"onnxruntime": found.providers, "openvino": found.devices, "tensorrt": found.gpus}
    places |= {name: ["cpu"] for name in ("ncnn", "litert", "mnn", "numpy") if found.versions[name]}
    for name, version in found.versions.items():
        mark = "[red]✗[/]" if version is None else "[green]✓[/]"
        install = "" if version else escape(found.installs[name])
        where = escape(", ".join(places.get(name, [])))
        if name in found.untried:
            where += f" [yellow]{say('not run on hardware by us', '我们未在硬件上运行过')}[/]"
        table.add_row(mark, name, escape(version or ""), where.strip(), install)
    screen = console()
    screen.print(table)
    known = "  ".join(f"{name} {'[green]✓[/]' if there else '[dim]✗[/]'}" for name, there in found.features.items())
    text = known or say("unknown", "未知")
    computes = f"  (OpenVINO: {', '.join(found.computes)})" if found.computes else ""
    screen.print(f"{say('processor', '处理器')}  {escape(found.processor)}  {text}{escape(computes)}")
