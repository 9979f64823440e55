"""What `qingzhou check` and `run` show of an .onnx without a card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..bare import Checked, Ran, check_bare, plain, run_arrays, told
from ..errors import say
from .pieces import as_json, busy, console, escape, notes
from .table import facts, table_of

SHOWN = 6  # numbers of an output
LONGEST = 120  # letters of one that is no array


def check_shown(path: Path, json_wanted: bool) -> bool:
    """Check it, and say what was found: whether all engines agree."""
    with busy(say("checking", "检查中")):
        found = check_bare(path)
    if json_wanted:
        as_json({"model": str(path), "passed": found.agree, "card": False, **found.as_dict()})
        return found.agree
    screen = console()
    screen.print(_verdict(escape(path.name), found.agree))
    rows = [(say("input", "输入"), _named(found.inputs)), (say("output", "输出"), _named(found.outputs))]
    screen.print(facts(*rows, *_ways(found)))
    notes(screen, [*map(str, found.left.values()), _no_card(path)])
    return found.agree


def _verdict(name: str, agree: bool) -> str:
    if agree:
        return say(
            f"[green]✓[/] {name} is whole, and gives the same answer in each way of running it.",
            f"[green]✓[/] {name} 完整，用各种方式运行的结果相同。",
        )
    return say(
        f"[red]✗[/] {name} is whole, but not every engine gives the same answer.",
        f"[red]✗[/] {name} 完整，但各推理引擎的结果不同。",
    )


def _ways(found: Checked) -> list[tuple[str, str]]:
    ways = [
        name if name == "onnxruntime" else f"{name} ({say('differs by', '差异')} {apart:.2g})"
        for name, apart in found.ways.items()
    ]
    return [(say("run in", "运行方式"), escape(", ".join(ways)))]


def _named(texts: Any) -> str:
    return escape(";  ".join(f"{name}: {text}" for name, text in texts.items()))


def run_shown(path: Path, files: Sequence[Path], save: Path | None, json_wanted: bool) -> None:
    """Run it with arrays, and show all that comes out."""
    with busy(say("running", "运行中")):
        found = run_arrays(path, files, save)
    if json_wanted:
        as_json({"results": [one.as_dict() for one in found]})
        return
    table = table_of(say("input", "输入"), say("output", "输出"), "", say("first numbers", "前几个数"))
    for one in found:
        _rows(table, one)
    screen = console()
    screen.print(table)
    for one in found:
        if one.saved is not None:
            screen.print(f"{say('saved: ', '已保存：')}{escape(one.saved)}", soft_wrap=True)
    notes(screen, [_noise(), _no_card(path)] if not files else [])


def _rows(table: Any, one: Ran) -> None:
    source = escape(one.source) if one.source != "noise" else say("random numbers", "随机数")
    for i, (name, answer) in enumerate(one.outputs.items()):
        table.add_row(source if i == 0 else "", escape(name), escape(told(answer)), escape(_first(answer)))


def _first(answer: Any) -> str:
    if isinstance(answer, np.ndarray):
        flat = answer.reshape(-1)[:SHOWN].tolist()
        shown = " ".join(f"{n:.6g}" if isinstance(n, float) else str(n)[:20] for n in flat)
        return shown + (" …" if answer.size > SHOWN else "")
    text = str(plain(answer))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _noise() -> str:
    return say(
        "No input was named, so random numbers went in. Give an .npz with an array for each input.",
        "没有指定输入，所以用的是随机数。请给出含有每个输入数组的 .npz 文件。",
    )


def _no_card(path: Path) -> str:
    return say(
        f"It has no card that says what goes in. To use it with pictures or tables: qingzhou convert {path.name}",
        f"它没有说明卡，不知道输入是什么。要用于图片或表格，请运行：qingzhou convert {path.name}",
    )
