"""What `qingzhou bundle` shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.filesize import decimal

from ..errors import say
from ..runtime.text import this_shell, word
from .pieces import as_json, console, escape, notes
from .table import facts, table_of

if TYPE_CHECKING:
    from ..bundle.estimate import Estimate
    from ..bundle.form import OnDevice
    from ..bundle.order import Bundle
    from ..scenes import Scene


def scenes(found: Sequence[Scene], json_wanted: bool) -> None:
    """A row for each: what it does, for which models, and the constants at its top."""
    if json_wanted:
        kinds = [{**one._asdict(), "en": one.en, "zh": one.zh} for one in found]
        as_json({"scenes": kinds})
        return
    table = table_of("", "", say("for models of", "适用的模型"), say("set with --set", "可用 --set 修改"))
    table.columns[0].no_wrap = True
    for one in found:
        settings = ", ".join(name for name in one.constants if name != "MODEL")
        table.add_row(f"[bold]{one.name}[/]", say(one.en, one.zh), ", ".join(map(_kind, one.kinds)), settings)
    console().print(table)
    console().print(say("One of them: ", "使用：") + "[cyan]qingzhou bundle model.onnx --device pi5 --scene camera[/]")


def _kind(name: str) -> str:
    """A kind of model, in words."""
    return {
        "image": say("pictures", "图片分类"),
        "detect": say("detection", "目标检测"),
        "values": say("numbers", "数值"),
        "table": say("tables", "表格"),
        "array": say("arrays", "数组"),
        "text": say("text", "文本"),
    }[name]


def bundle(made: Bundle, json_wanted: bool) -> None:
    """What was made, and what to do with it now."""
    if json_wanted:
        as_json(made.as_dict())
        return
    screen, form = console(), made.form
    wheels = say(f", {made.wheels} wheels inside", f"，内含 {made.wheels} 个安装文件") if made.wheels else ""
    screen.print(f"[bold]{escape(str(made.path))}[/]  {decimal(made.size)}{wheels}")
    screen.print(
        facts(
            (say("device", "设备"), escape(made.device.shown)),
            (say("scene", "场景"), made.scene),
            (say("network", "网络"), escape(form.card.network)),
            (say("form", "形式"), _form(form)),
            (say("rules", "规则"), "\n".join(map(escape, made.rules))),
            (say("expected", "预计"), _expected(made.estimate)),
            (say("sample", "示例"), escape(made.answer)),
            (say("time", "用时"), f"{made.seconds:.1f} s"),
        )
    )
    notes(screen, made.notes)
    if made.device.programs:
        screen.print(say("Next: follow its README.md.", "下一步：按 README.md 操作。"))
    elif not made.device.is_page and not made.device.is_app:
        screen.print(
            say(
                "Next: copy it to the device and follow its README.md, or: ",
                "下一步：复制到设备上，按 README.md 操作，或者：",
            )
            + f"qingzhou push {escape(word(str(made.path), this_shell()))} user@board"
        )


def _form(form: OnDevice) -> str:
    """Engine, precision and size of the model."""
    if not form.engine:
        return say("on the other machine: the scene api", "在另一台机器上（api 场景）")
    return f"{form.engine} {form.precision.upper()}  {decimal(form.size)}"


def _expected(found: Estimate) -> str:
    """An estimate in words."""
    if not found.memory_mb:
        return say("speed not known: simulators count no time", "速度未知：模拟器不计时")
    speed = found.rate and say(f"about {found.rate} a second, ", f"每秒约 {found.rate} 次，")
    return speed + say(f"{found.memory_mb:.0f} MB of memory (estimates)", f"内存 {found.memory_mb:.0f} MB（均为估计）")
