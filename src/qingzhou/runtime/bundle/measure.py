"""Figures of a bundle on its device: bench.py. Python 3.7 and nothing but the runtime.

A row holds what "qingzhou report" collects: time from a picture (or row, or word) in memory to the answer, its median
and the 95th of a hundred, the time to load, the most memory that the process had, and the temperature of the chip.
"""

from __future__ import annotations

import datetime
import glob
import json
import os
import platform
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from ..engine.package import version_of
from ..errors import OutputError, QingzhouError, line, say
from ..whole import replacing
from .install import python
from .place import FOLDER, read_bundle

if TYPE_CHECKING:
    from ..predict import Predictor

SECONDS, FEWEST, MOST, WARM_UP = 10.0, 5, 1000, 3
REPORT = "report.json"
# vcgencmd get_throttled: bits 0 to 3 now, 16 to 19 since the start (Raspberry Pi documentation, "vcgencmd")
THROTTLED = 0xF
TIE = 1.05  # times the fastest's time: no more than two measurements of the same may differ by


def main(words: List[str]) -> int:
    """Measure, print a line, write report.json beside bench.py; 1 if the model does not run.

    Of a bundle with several forms each is measured, in a process of its own (`--form NAME`, which prints its row).
    """
    if "-h" in words or "--help" in words:
        print(say("Usage: python bench.py [seconds]", "用法：python bench.py [秒数]"))
        return 0
    bundle = read_bundle() or {}
    try:
        if "--form" in words:
            print(json.dumps(measure(float(words[0]), {**bundle, **named(bundle).get(words[-1], {})})))
            return 0
        if named(bundle):
            return compare(bundle, float(words[0]) if words else SECONDS)
        row = measure(float(words[0]) if words else SECONDS, bundle)
    except ValueError:
        print(say("%r is no number of seconds.", "%r 不是秒数。") % words[0], file=sys.stderr)
        return 2
    except QingzhouError as err:
        print(say("Problem: %s", "出错了：%s") % line(err), file=sys.stderr)
        return 1
    print(sentence(row))
    return write({"format": "qingzhou.report", "version": 1, "source": row.pop("source"), "rows": [row]})


def named(bundle: Dict[str, Any]) -> Dict[str, Dict[str, Any]]:
    """The forms of a bundle by their names, the one that main.py opens first; none where there is one only."""
    return {str(form["name"]): form for form in bundle.get("forms") or []}


def compare(bundle: Dict[str, Any], seconds: float) -> int:
    """Every form, and which won; 1 if none runs."""
    rows = {}
    for name in named(bundle):
        row = apart(name, seconds)
        print("%-18s %s" % (name, sentence(row) if row else say("does not run here", "在这里无法运行")), flush=True)
        if row:
            rows[name] = row
    if not rows:
        return 1
    won = winner(rows)
    model = named(bundle)[won]["model"]
    print(
        say("Fastest: %s. To keep it, in main.py: MODEL = %s", "最快：%s。要采用它，请在 main.py 中写：MODEL = %s")
        % (won, json.dumps(model))
    )
    source = [row.pop("source") for row in rows.values()].pop()
    return write({"format": "qingzhou.report", "version": 1, "source": source, "rows": list(rows.values()), "won": won})


def apart(name: str, seconds: float) -> Optional[Dict[str, Any]]:
    """One form's row, from a process of its own: engines may end it, and memory is counted for each."""
    command = [python(), os.path.join(FOLDER, "bench.py"), str(seconds), "--form", name]
    try:
        done = subprocess.Popen(command, stdout=subprocess.PIPE)
        said = done.communicate()[0]
        found = json.loads(said.decode("utf-8").splitlines()[-1]) if done.returncode == 0 else None
    except (OSError, ValueError, IndexError):
        return None
    return found if isinstance(found, dict) else None


def winner(rows: Dict[str, Dict[str, Any]]) -> str:
    """The fastest; of those that are hardly slower the one that needs least: memory, then bytes."""
    best = min(row["latency_ms_p50"] for row in rows.values())
    close = [name for name, row in rows.items() if row["latency_ms_p50"] <= TIE * best]
    return min(close, key=lambda name: (rows[name]["memory_mb"] or 0, rows[name]["size_bytes"] or 0))


def measure(seconds: float, bundle: Dict[str, Any]) -> Dict[str, Any]:
    """One row of the report; FileMissing, ModelError, and so on."""
    emulated = bool(os.environ.get("QINGZHOU_EMULATED"))
    start = time.perf_counter()
    from .selftest import _load

    model = _load(bundle)
    loaded = time.perf_counter() - start
    times = _times(model, seconds)
    middle = _part(times, 0.5)
    return {
        "source": "emulated" if emulated else "measured",
        "model": bundle.get("name") or bundle.get("model"),
        "network": model.card.network,
        "device": bundle.get("device") or platform.machine(),
        "engine": _engine(bundle),
        "precision": bundle.get("precision"),
        "size_bytes": _size(bundle),
        "accuracy": bundle.get("accuracy"),
        "latency_ms_p50": round(1000 * middle, 3),
        "latency_ms_p95": round(1000 * _part(times, 0.95), 3),
        "fps": round(1 / middle, 3),
        "load_s": round(loaded, 3),
        "memory_mb": peak_memory(),
        "temperature_c": temperature(),
        "throttled": throttled(),
        "how": "predict() on the sample in memory, %d times after %d; all cores" % (len(times), WARM_UP),
        "date": datetime.date.today().isoformat(),
        "note": _machine(),
    }


def _times(model: Predictor, seconds: float) -> List[float]:
    """Of each answer, in seconds, sorted."""
    data = model.sample_input()
    for _ in range(WARM_UP):
        model.predict(data)
    times: List[float] = []
    end = time.perf_counter() + seconds
    while len(times) < FEWEST or (time.perf_counter() < end and len(times) < MOST):
        start = time.perf_counter()
        model.predict(data)
        times.append(time.perf_counter() - start)
    return sorted(times)


def _part(times: List[float], share: float) -> float:
    """The time that this share of all did not exceed."""
    return times[min(len(times) - 1, int(share * len(times)))]


def _engine(bundle: Dict[str, Any]) -> str:
    """The engine and its version: "onnxruntime 1.13.1"."""
    name = str(bundle.get("engine") or "onnxruntime")
    package = {"litert": "ai_edge_litert", "mnn": "MNN"}.get(name, name)
    found = version_of(package, sys.modules[package]) if package in sys.modules else ""
    return ("%s %s" % (name, found.strip("?"))).strip()


def _size(bundle: Dict[str, Any]) -> Optional[int]:
    """Bytes of the model's files."""
    places = [os.path.join(FOLDER, name) for name in bundle.get("model_files") or []]
    return sum(map(os.path.getsize, places)) if places and all(map(os.path.isfile, places)) else None


def peak_memory() -> Optional[float]:
    """MB that the process had at most; None where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kilobytes; on macOS bytes
    return round(most / (1 << 20 if sys.platform == "darwin" else 1 << 10), 1)


def temperature() -> Optional[float]:
    """Of the hottest place of the chip, in °C; None where the board does not tell."""
    found = []
    for path in glob.glob("/sys/class/thermal/thermal_zone*/temp"):
        try:
            with open(path) as file:
                found.append(int(file.read()) / 1000)
        except (OSError, ValueError):
            continue
    return round(max(found), 1) if found else None


def throttled() -> Optional[bool]:
    """Whether a Raspberry Pi is slowed down now by heat or a weak power supply; None elsewhere."""
    try:
        said = subprocess.check_output(["vcgencmd", "get_throttled"], stderr=subprocess.DEVNULL).decode("ascii")
        return bool(int(said.partition("=")[2], 16) & THROTTLED)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def _machine() -> str:
    """The board's own name, its system and Python."""
    try:
        with open("/proc/device-tree/model", "rb") as file:
            name = file.read().rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        name = platform.machine()
    return "%s, %s, Python %s" % (name, platform.system(), platform.python_version())


def sentence(row: Dict[str, Any]) -> str:
    """What a person wants to know of a row."""
    text = say("%.1f ms (%.2f a second); 95 of 100 within %.1f ms", "%.1f 毫秒（每秒 %.2f 次）；95%% 在 %.1f 毫秒内")
    text %= row["latency_ms_p50"], row["fps"], row["latency_ms_p95"]
    if row["memory_mb"]:
        text += say("; %.0f MB of memory", "；内存 %.0f MB") % row["memory_mb"]
    if row["temperature_c"]:
        text += say("; %.0f °C", "；%.0f °C") % row["temperature_c"]
    if row["throttled"]:
        text += say(
            ". The board is too hot or its power supply too weak: it is slowed down.",
            "。板子过热或供电不足，已经降频。",
        )
    return text


def write(report: Dict[str, Any]) -> int:
    """report.json, whole or not at all; 1 if it cannot be written."""
    place = os.path.join(FOLDER, REPORT)
    try:
        with replacing(place, follow=False) as part, open(part, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    except OutputError as err:
        print(err, file=sys.stderr)
        return 1
    print(say("Written: %s", "已写入：%s") % REPORT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
