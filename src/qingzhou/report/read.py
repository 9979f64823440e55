"""Report files into rows. Nothing in them is trusted: what is odd becomes a row that says so, and the rest goes on."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..devices import all_devices
from ..errors import FileMissing, language, say
from ..runtime.file import open_file
from ..runtime.model.fields import integer
from ..runtime.text import line

FORMAT, VERSION = "qingzhou.report", 1
SOURCES = ("measured", "published", "emulated")
LARGEST = 16 << 20  # bytes of a file
MOST = 10_000  # rows of a file
LONGEST = 300  # letters of a text


@dataclass(frozen=True)
class Row:
    """One model on one device. Unknown values are None, unknown texts "".

    accuracy  a share: top-1, or a detector's mAP;  memory_mb  the most that the process had
    million_instructions  of one answer, counted under emulation, where there is no time
    """

    model: str
    network: str
    device: str
    engine: str
    precision: str
    size_bytes: float | None
    accuracy: float | None
    latency_ms_p50: float | None
    latency_ms_p95: float | None
    fps: float | None
    load_s: float | None
    memory_mb: float | None
    temperature_c: float | None
    throttled: bool | None
    how: str
    date: str
    note: str
    million_instructions: float | None = None
    source: str = "measured"
    file: str = ""


TEXTS = ("model", "network", "device", "engine", "precision", "how", "date", "note")
NUMBERS = (
    "size_bytes",
    "accuracy",
    "latency_ms_p50",
    "latency_ms_p95",
    "fps",
    "load_s",
    "memory_mb",
    "temperature_c",
    "million_instructions",
)
POSITIVE = {*NUMBERS} - {"temperature_c", "accuracy"}


BARE = Row(
    model="MobileNetV2",
    network="MobileNetV2",
    device="",
    engine="",
    precision="",
    size_bytes=None,
    accuracy=None,
    latency_ms_p50=None,
    latency_ms_p95=None,
    fps=None,
    load_s=None,
    memory_mb=None,
    temperature_c=None,
    throttled=None,
    how="",
    date="",
    note="",
    source="emulated",
)


@dataclass(frozen=True)
class Unread:
    """A file, or a row of it, that is no report, and why; the reason is in the user's language."""

    file: str
    reason: str


def read_all(paths: Sequence[Path]) -> tuple[list[Row], list[Unread]]:
    """The rows of all files, and what could not be read. A folder stands for the .json files in it."""
    rows: list[Row] = []
    bad: list[Unread] = []
    for path in paths:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            bad.append(Unread(str(path), say("the folder holds no .json file", "文件夹里没有 .json 文件")))
        for file in files:
            found, odd = read_report(file)
            rows += found
            bad += odd
    return rows, bad


def reference() -> tuple[list[Row], Mapping[str, Sequence[str]]]:
    """What others have published and what was counted under emulation, and what is wrong with it, by source."""
    path = Path(__file__).with_name("published.json")
    found, _ = read_report(path)
    facts = json.loads(path.read_text("utf-8"))
    rows = [dataclasses.replace(row, file=facts["origin"]) for row in found]
    counted = [
        say(
            "Million instructions of one MobileNetV2 on one core, not time, which means nothing under emulation. They "
            "compare engines and precisions on one kind of processor.",
            "一次 MobileNetV2 在单核上的指令数（百万条），不是时间：仿真环境下的时间没有意义。"
            "只能用来比较同一种处理器上的引擎和精度。",
        )
    ]
    return [*rows, *_counted()], {"published": facts["faults"][language()], "emulated": counted}


def _counted() -> list[Row]:
    """The instructions that the devices' profiles tell, as rows."""
    return [
        dataclasses.replace(
            BARE,
            device=device.name,
            engine=engine,
            precision=precision,
            million_instructions=number,
            how=device.processor,
            file=f"{device.name}.toml",
        )
        for device in all_devices()
        if device.counted_on == device.name
        for engine, counts in device.instructions.items()
        for precision, number in counts.items()
    ]


def read_report(path: Path) -> tuple[list[Row], list[Unread]]:
    """One file."""
    name, data = plain(path.name), _parsed(path)
    if isinstance(data, str):
        return [], [Unread(name, data)]
    data = _from_bench(data) if "pairs" in data and "machine" in data else data
    if data.get("format") != FORMAT:
        return [], [Unread(name, say("it is no report of bench.py", "不是 bench.py 的报告"))]
    version, source, found = data.get("version"), data.get("source"), data.get("rows")
    if type(version) is not int or version > VERSION:
        return [], [Unread(name, say("it is of a newer version; update Qingzhou", "版本较新，请更新轻舟"))]
    if source not in SOURCES or not isinstance(found, list) or len(found) > MOST:
        return [], [Unread(name, say("its source or rows are not as they should be", "来源或数据行不正确"))]
    rows: list[Row] = []
    bad: list[Unread] = []
    for i, entry in enumerate(found):
        row = _row(entry, source, name)
        if isinstance(row, str):
            bad.append(Unread(name, say(f"row {i + 1}: {row}", f"第 {i + 1} 行：{row}")))
        else:
            rows.append(row)
    return rows, bad


def _parsed(path: Path) -> dict[str, Any] | str:
    """The file's object, or why there is none."""
    try:
        with open_file(path) as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            return say("it is too large for a report", "文件太大，不像报告")
        data = json.loads(content.decode("utf-8-sig"), parse_constant=lambda _: None, parse_int=integer)
    except FileMissing as err:
        return str(err)
    except FileNotFoundError:
        return say("there is no such file", "文件不存在")
    except OSError as err:
        return say(f"it cannot be opened: {err.strerror}", f"无法打开：{err.strerror}")
    except (ValueError, RecursionError):
        return say("it is no JSON, or cut off", "不是 JSON，或者不完整")
    return data if isinstance(data, dict) else say("it is no report of bench.py", "不是 bench.py 的报告")


def _row(entry: Any, source: str, file: str) -> Row | str:
    """A row, or what is wrong with it; what is longer than a text should be is cut."""
    if not isinstance(entry, dict):
        return say("it is no row", "不是数据行")
    values: dict[str, Any] = {"source": source, "file": file}
    for name in TEXTS:
        value = entry.get(name)
        if value is not None and not isinstance(value, str):
            return say(f"{name} is no text", f"{name} 不是文字")
        values[name] = plain(value or "")
    for name in NUMBERS:
        value = entry.get(name)
        if value is not None and not _sensible(name, value):
            return say(f"{name} is {str(value)[:30]!r}", f"{name} 是 {str(value)[:30]!r}")
        values[name] = value
    throttled = entry.get("throttled")
    if throttled is not None and type(throttled) is not bool:
        return say("throttled is neither true nor false", "throttled 既不是 true 也不是 false")
    if not values["model"] or not values["device"]:
        return say("it names no model or no device", "没有写明模型或设备")
    return Row(throttled=throttled, **values)


def plain(text: str) -> str:
    """At most so many letters, without those that steer a terminal or make a name read backwards."""
    return line(text[:LONGEST])


def _sensible(name: str, value: Any) -> bool:
    if type(value) not in (int, float) or abs(value) > 1e15 or not math.isfinite(value):
        return False
    return value >= 0 if name in POSITIVE else name != "accuracy" or 0 <= value <= 1


def _from_bench(data: dict[str, Any]) -> dict[str, Any]:
    """What `qingzhou bench --json` writes, as such a report: the computers of a class belong into the table as well."""
    machine = data["machine"] if isinstance(data["machine"], dict) else {}
    device, found = str(machine.get("processor", "pc")), data.get("rows")
    rows = [_bench_row(row, device) for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    return {"format": FORMAT, "version": VERSION, "source": "measured", "rows": [row for row in rows if row]}


def _bench_row(row: dict[str, Any], device: str) -> dict[str, Any] | None:
    whole, score, memory = row.get("whole"), row.get("score"), row.get("memory_bytes")
    if not isinstance(whole, dict):  # it did not run there
        return None
    judged = isinstance(score, dict) and score.get("metric") != "MAE"
    median = whole.get("median_ms")
    return {
        "model": Path(str(row.get("model", ""))).stem,
        "device": device,
        "precision": row.get("precision"),
        "engine": f"{row.get('engine', '')} {row.get('version', '')}".strip(),
        "size_bytes": row.get("bytes"),
        "accuracy": score.get("value") if judged and isinstance(score, dict) else None,
        "latency_ms_p50": median,
        "latency_ms_p95": whole.get("p95_ms"),
        "load_s": row.get("load_s"),
        "fps": 1000 / median if isinstance(median, float) and median > 0 else None,
        "memory_mb": memory / 1e6 if isinstance(memory, int | float) else None,
        "how": "qingzhou bench",
    }
