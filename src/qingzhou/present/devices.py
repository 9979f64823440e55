"""What `qingzhou devices` shows: all of them in a table, or all that is known of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..bundle.wheels import PACKAGE
from ..engines.table import ENGINES
from ..errors import say
from .pieces import as_json, console, escape, notes
from .table import facts, table_of

if TYPE_CHECKING:
    from ..devices import Device, Price

PIN_KINDS = {"pin": ("output", "输出"), "servo": ("servo", "舵机"), "button": ("button", "按钮")}


def devices(found: Sequence[Device], json_wanted: bool) -> None:
    """A row for each device."""
    if json_wanted:
        as_json({"devices": [device.as_dict() for device in found]})
        return
    table = table_of("", "", say("memory", "内存"), "Python", say("engines", "引擎"), say("also", "其他"))
    table.columns[0].no_wrap = True
    for device in found:
        pythons = list(device.pythons)
        table.add_row(
            f"[bold]{device.name}[/]",
            escape(device.shown),
            f"{device.memory_mb} MB",
            f"{pythons[0]}–{pythons[-1]}" if len(pythons) > 2 else ", ".join(pythons),
            "\n".join(_engines(device)),
            escape(", ".join(_also(device))),
        )
    console().print(table)
    console().print(
        say("All that is known of one: qingzhou devices pi5", "一个设备的全部信息：qingzhou devices 行空板")
    )


def device(one: Device, json_wanted: bool) -> None:
    """All that is known of one."""
    if json_wanted:
        as_json(one.as_dict())
        return
    screen = console()
    screen.print(f"[bold]{one.name}[/]  {escape(one.shown)}")
    screen.print(facts(*((name, "\n".join(map(escape, text.splitlines()))) for name, text in _facts(one) if text)))
    costs = list(_costs(one))
    if costs:
        table = table_of(say("engine", "引擎"), "", say("million instructions", "百万条指令"))
        table.columns[2].justify = "right"
        for row in costs:
            table.add_row(*map(escape, row))
        screen.print("")
        screen.print(table)
        screen.print(f"[dim]{escape(_counted(one))}[/]")
    notes(screen, one.remarks)
    scene = " --scene camera" if one.pythons else ""
    screen.print(f"qingzhou bundle best.pth --device {one.name}{scene}")


def _facts(one: Device) -> Iterator[tuple[str, str]]:
    """Names and values, some of them empty."""
    yield say("also called", "别名"), say(", ", "、").join(one.names)
    yield say("processor", "处理器"), ", ".join(filter(None, (one.processor, _dot(one))))
    yield say("memory", "内存"), say(", ", "，").join(_memory(one))
    yield "NPU", "" if one.npu is None else f"{one.npu.name}{f' ({one.npu.engine})' if one.npu.engine else ''}"
    yield say("screen", "屏幕"), say(", ", "，").join(_screens(one))
    yield say("camera", "摄像头"), _said(one.camera)
    yield say("pins", "引脚"), "\n".join(_pins(one))
    yield say("price", "价格"), "" if one.price is None else _price(one.price)
    yield say("programs", "程序"), _programs(one)
    yield say("engines", "引擎"), ", ".join(_engines(one))
    yield say("newest model", "模型最高版本"), f"opset {one.opset}, IR {one.ir}"
    yield say("speed", "速度"), _speed(one)


def _also(one: Device) -> list[str]:
    """Pins, a screen, an NPU, a dot product: what not every device has."""
    screen = f"{one.screen.width}×{one.screen.height}" if one.screen else ""
    npu = "" if one.npu is None else "NPU"
    return list(filter(None, (one.pins, screen, npu, _dot(one))))


def _dot(one: Device) -> str:
    return say("dot product", "点积指令") if one.dot_product else ""


def _engines(one: Device) -> list[str]:
    """Each with its version; of several Pythons, the newest."""
    versions = list(one.pythons.values())[-1] if one.pythons else {}
    return [f"{name} {versions.get(PACKAGE.get(name, name), '')}".strip() + _if_asked(name) for name in one.engines]


def _if_asked(name: str) -> str:
    return "" if name not in ENGINES or ENGINES[name].offered else say(" (if you ask for it)", "（需指定）")


def _memory(one: Device) -> Iterator[str]:
    yield say(f"{one.memory_mb} MB ({one.free_mb} MB for programs)", f"{one.memory_mb} MB（程序可用 {one.free_mb} MB）")
    if one.ram_kb:
        yield say(f"{one.ram_kb} KB RAM in the chip", f"片内 RAM {one.ram_kb} KB")
    if one.psram_mb:
        yield f"PSRAM {one.psram_mb} MB"
    if one.flash_mb:
        yield say(f"flash {one.flash_mb} MB", f"闪存 {one.flash_mb} MB")


def _screens(one: Device) -> Iterator[str]:
    if one.screen is not None:
        yield say(
            f"{one.screen.width} × {one.screen.height}, built in", f"自带 {one.screen.width} × {one.screen.height}"
        )
    if one.display:
        yield _said(one.display)


def _pins(one: Device) -> Iterator[str]:
    """The package, and which of them can be what."""
    if one.pins:
        yield one.pins
    for kind, numbers in one.pin_numbers.items():
        yield f"{say(*PIN_KINDS.get(kind, (kind, kind)))} {spans(numbers)}"


def spans(numbers: Sequence[int]) -> str:
    """(0, 1, 2, 4) -> "0–2, 4" """
    found: list[list[int]] = []
    for n in sorted(numbers):
        if found and n == found[-1][-1] + 1:
            found[-1].append(n)
        else:
            found.append([n])
    return ", ".join(f"{one[0]}–{one[-1]}" if len(one) > 1 else f"{one[0]}" for one in found)


def _price(price: Price) -> str:
    """The class in yuan, and who says so."""
    if price.under and price.over:
        found = say(f"{price.over} to {price.under} yuan", f"{price.over}～{price.under} 元")
    elif price.under:
        found = say(f"under {price.under} yuan", f"{price.under} 元以下")
    else:
        found = say(f"over {price.over} yuan", f"{price.over} 元以上")
    return found + say(f" ({price.source})", f"（{price.source}）")


def _programs(one: Device) -> str:
    if one.is_page:
        return say("a page, in any browser", "网页，任何浏览器")
    return ", ".join(one.programs) or (f"Python {', '.join(one.pythons)}" if one.pythons else "")


def _speed(one: Device) -> str:
    if not one.speed:
        return say(one.speed_source, "没有人测过：模拟器不计时")
    each = ", ".join(f"{name.upper()} {number:g}" for name, number in one.speed.items())
    return say(f"{each} million multiply-accumulates a second", f"每秒 {each} 百万次乘加") + say(
        f" ({one.speed_source})", f"（{one.speed_source}）"
    )


def _costs(one: Device) -> Iterator[tuple[str, str, str]]:
    """Engine, precision, and what one MobileNetV2 takes; the fewest first."""
    rows = [(name, kind, each) for name, found in one.instructions.items() for kind, each in found.items()]
    for name, kind, each in sorted(rows, key=lambda row: row[2]):
        yield name, kind.upper(), f"{each:g}"


def _counted(one: Device) -> str:
    where = "" if one.counted_on == one.name else one.counted_on
    en = f"One MobileNetV2 on one thread, counted on an emulated processor{f' ({where})' if where else ''}; no times."
    zh = f"MobileNetV2 单线程一次推理，在模拟的处理器{f'（{where}）' if where else ''}上计数；不是时间。"
    return say(en, zh)


def _said(found: Mapping[str, str]) -> str:
    return say(found["en"], found["zh"]) if found else ""
