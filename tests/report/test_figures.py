"""report: the figures of a class in one table; files that are none, and names that want to be more than names."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from qingzhou.bench import bench
from qingzhou.cli import main
from qingzhou.conversion import convert
from qingzhou.devices import load
from qingzhou.report import merge, read_all, reference
from qingzhou.report.merge import table_of_speeds
from qingzhou.report.read import NUMBERS, TEXTS

ROW = {
    "model": "cats",
    "network": "MobileNetV2",
    "device": "pi5",
    "engine": "onnxruntime 1.23.0",
    "precision": "int8",
    "size_bytes": 2_400_000,
    "accuracy": 0.95,
    "latency_ms_p50": 10.0,
    "latency_ms_p95": 12.0,
    "fps": 100.0,
    "load_s": 0.2,
    "memory_mb": 61.0,
    "temperature_c": 51.0,
    "throttled": False,
    "how": "100 runs",
    "date": "2026-03-01",
    "note": None,
}


def write(path: Path, *rows: Any, **facts: object) -> Path:
    report = {"format": "qingzhou.report", "version": 1, "source": "measured", "rows": list(rows), **facts}
    path.write_text(json.dumps(report), "utf-8")
    return path


def report(*arguments: object, status: int = 0, lang: str = "en") -> str:
    done = CliRunner().invoke(main, ["report", *map(str, arguments), "--lang", lang])
    assert done.exit_code == status, done.output
    return str(done.output)


# -- reading and merging ----------------------------------------------------------------------------------------------


def test_a_class_becomes_medians(tmp_path: Path) -> None:
    """Three boards of a kind are one row; another model of the same name is another row."""
    for i, (fps, hot) in enumerate([(100.0, False), (80.0, True), (104.0, None)]):
        write(tmp_path / f"{i}.json", {**ROW, "fps": fps, "throttled": hot, "note": f"board {i}"})
    write(tmp_path / "other.json", {**ROW, "size_bytes": 9_000_000, "fps": 20.0})
    rows, bad = read_all([tmp_path])
    assert not bad
    first, second = merge(rows)
    assert (first.boards, first.row.fps, first.fps_range, first.row.throttled) == (3, 100.0, (80.0, 104.0), True)
    assert first.row.note == "board 0; board 1; board 2"
    assert (second.boards, second.row.size_bytes, second.fps_range) == (1, 9_000_000, None)


def test_what_is_unknown_stays_unknown(tmp_path: Path) -> None:
    bare = {name: ROW[name] if name in ("model", "device") else None for name in (*TEXTS, *NUMBERS, "throttled")}
    rows, bad = read_all([write(tmp_path / "a.json", bare), write(tmp_path / "b.json", {"model": "x", "device": "y"})])
    assert not bad and [row.fps for row in rows] == [None, None]
    assert "cats" in report(tmp_path / "a.json")


BAD_FILES = {
    "empty": b"",
    "cut": b'{"format": "qingzhou.report", "rows": [',
    "picture": b"\x89PNG\r\n\x1a\n\0\0",
    "list": b"[]",
    "foreign": b'{"name": "package", "version": "1.0"}',
    "deep": b"[" * 200_000,
    "number": b"7",
    "newer": b'{"format": "qingzhou.report", "version": 2, "source": "measured", "rows": []}',
    "no rows": b'{"format": "qingzhou.report", "version": 1, "source": "measured", "rows": {}}',
    "source": b'{"format": "qingzhou.report", "version": 1, "source": "invented", "rows": []}',
    "bench": b'{"pairs": [], "machine": 3, "rows": {"a": 1}}',
}


@pytest.mark.parametrize("name", [name for name in BAD_FILES if name != "bench"])
def test_a_bad_file_is_a_row_with_the_reason(name: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(BAD_FILES[name])
    good = write(tmp_path / "good.json", ROW)
    shown = report(tmp_path / "bad.json", good, tmp_path / "none.json", status=1)
    assert "cats" in shown and "bad.json" in shown and "no such file" in shown
    found = json.loads(report(tmp_path / "bad.json", good, "--json", status=1))
    assert len(found["rows"]) == 1 and found["unread"][0]["file"] == "bad.json" and found["unread"][0]["reason"]


def test_a_bench_file_without_rows_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "bench.json").write_bytes(BAD_FILES["bench"])
    assert read_all([tmp_path / "bench.json"]) == ([], [])


@pytest.mark.parametrize(
    "change",
    [
        {"fps": -1},
        {"fps": "fast"},
        {"fps": True},
        {"fps": 1e300},
        {"accuracy": 95},
        {"model": ["a"]},
        {"model": ""},
        {"device": None},
        {"throttled": "yes"},
        {"memory_mb": [1]},
    ],
    ids=str,
)
def test_a_bad_row_does_not_spoil_the_others(change: dict[str, Any], tmp_path: Path) -> None:
    rows, bad = read_all([write(tmp_path / "a.json", {**ROW, **change}, ROW, "no row")])
    assert len(rows) == 1 and len(bad) == 2
    assert bad[0].reason.startswith(("row 1", "第 1 行"))


def test_not_a_number_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        write(tmp_path / "b.json", ROW).read_text("utf-8").replace("100.0", "NaN"), "utf-8"
    )
    (row,), bad = read_all([tmp_path / "a.json"])
    assert row.fps is None and not bad


def test_what_bench_writes_on_computers_belongs_to_it(tmp_path: Path) -> None:
    checkpoint = Path(__file__).parents[2] / "src/qingzhou/demo/lenet_digits.pth"
    model = convert(checkpoint, tmp_path / "lenet_digits.onnx").path
    measured = bench([model], ["onnxruntime"], ["fp32"], None, 1)
    (tmp_path / "bench.json").write_text(json.dumps(measured.as_dict()), "utf-8")
    (row,), bad = read_all([tmp_path / "bench.json"])
    assert not bad and row.model == "lenet_digits" and row.engine.startswith("onnxruntime ")
    assert row.latency_ms_p50 == measured.rows[0].whole.median and row.device == measured.machine["processor"]


# -- what others have published -------------------------------------------------------------------------------------


def test_the_published_table() -> None:
    """The figures of the documentation: 60 cells, of which 23 are blank and two say that it takes too long."""
    rows, faults = reference()
    published = [row for row in rows if row.source == "published"]
    assert len(published) == 60 - 23 - 2
    speeds = {(row.network, row.device, row.precision): row.fps for row in published}
    assert speeds["MobileNetV2", "unihiker", "fp32"] == 1.77 and speeds["MobileNetV2", "unihiker", "int8"] == 4.94
    assert speeds["ShuffleNetV2", "pi4-32", "int8"] == 10.85 < speeds["ShuffleNetV2", "pi4-32", "fp32"]
    assert speeds["YOLOv3 Darknet53", "unihiker", "fp32"] == 0.026
    assert any("Model Zoo" in fault for fault in faults["published"])
    emulated = [row for row in rows if row.source == "emulated"]
    assert emulated and all(row.fps is None and row.million_instructions for row in emulated)
    counts = {(row.device, row.engine, row.precision): row.million_instructions for row in emulated}
    assert counts["unihiker", "onnxruntime", "int8"] == load("unihiker").instructions["onnxruntime"]["int8"]


def test_others_figures_fill_only_what_is_not_measured(tmp_path: Path) -> None:
    own, _ = read_all([write(tmp_path / "a.json", {**ROW, "device": "unihiker", "fps": 3.0})])
    devices, lines = table_of_speeds(merge([*own, *reference()[0]]))
    line = next(row for name, precision, row in lines if (name, precision) == ("MobileNetV2", "int8"))
    found = dict(zip(devices, line, strict=True))
    assert found["unihiker"] and (found["unihiker"].row.source, found["unihiker"].row.fps) == ("measured", 3.0)
    assert found["pc"] and found["pc"].row.source == "published" and found["pi4-32"] is None


# -- what is shown ----------------------------------------------------------------------------------------------------

HOSTILE = "<script>alert(1)</script>\"'&[red]x[/red]\x1b[31m\u202e"


def test_hostile_names_are_text(tmp_path: Path) -> None:
    names = dict.fromkeys(("model", "network", "device", "engine", "precision", "note"), HOSTILE)
    path = write(tmp_path / "\x1b[2Ja.json", {**ROW, **names}, {**ROW, "fps": "\x1b[31m"})
    assert "\x1b" not in report(path, status=1)
    path = write(tmp_path / "a.json", {**ROW, **names})
    report(path, "--html", tmp_path / "class.html")
    page = (tmp_path / "class.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;" in page and "\x1b" not in page and "\u202e" not in page
    assert "\x1b" not in report(path) and "[red]x" in report(path)


def test_csv_holds_no_formula(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {**ROW, "model": "=1+1", "device": "@x"})
    (row,) = csv.DictReader(io.StringIO(report(path, "--csv")))
    assert row["model"] == "'=1+1" and row["device"] == "'@x" and row["fps"] == "100.0"


def test_the_page_in_both_languages(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", ROW)
    for lang, word in (("en", "Pictures a second"), ("zh", "每秒张数")):
        report(path, "--reference", "--html", tmp_path / f"{lang}.html", lang=lang)
        page = (tmp_path / f"{lang}.html").read_text("utf-8")
        assert word in page and "†" in page and not re.search(r"<script|https?://", page)


def test_what_the_command_line_refuses(tmp_path: Path) -> None:
    assert "--reference" in report(status=1)
    assert "only one" in report("x.json", "--csv", "--json", status=1)
    assert "no .json" in report(tmp_path, status=1)
