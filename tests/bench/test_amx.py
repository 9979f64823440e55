"""INT8 with AMX and without: where both are measured, in which environment, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_bench import fake_openvino, quantized
from test_verdict import row

import qingzhou
from passengers import DIGITS, ORACLE
from qingzhou.bench import Row, amx, bench, measure
from qingzhou.bench.candidates import choose
from qingzhou.bench.compare import pairs
from qingzhou.bench.verdict import verdict
from qingzhou.cli import main
from qingzhou.engines import ENGINES
from qingzhou.errors import use_language

CAP = ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_VNNI")
SETTING = "=".join(CAP)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One with AMX, whatever this one has; the cap changes nothing where there is nothing to leave alone."""
    monkeypatch.setattr(amx, "features", lambda: {"VNNI": True, "AMX": True})
    monkeypatch.delenv(CAP[0], raising=False)
    monkeypatch.setattr(measure, "ROUNDS", (8, 8))
    monkeypatch.setattr(measure, "RUNS", (2, 3))
    use_language("en")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A digits' network in INT8."""
    model = qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path / "m.onnx").path
    found = qingzhou.quantize(model, DIGITS / "test", target="x86", any_speed=True, calibration=10)
    assert found.path is not None
    return found.path


def names(*models: Path, engines: tuple[str, ...] = ("onnxruntime", "openvino")) -> list[str]:
    return [one.name for one in choose(models, engines).candidates]


# -- which are compared ---------------------------------------------------------------------------------------------


def test_openvino_int8_is_tried_both_ways(tmp_path: Path) -> None:
    whole = quantized(tmp_path / "q.onnx")
    assert names(whole) == ["onnxruntime int8", "openvino int8", "openvino int8 without AMX"]
    plain, capped = choose([whole], ["openvino"]).candidates
    assert (plain.without, capped.without) == ((), (CAP,))
    assert replace(capped, without=()) == plain


def test_int8_that_is_made_first_too(tmp_path: Path) -> None:
    model = qingzhou.convert(ORACLE / "trained" / "lenet_digits.pth", tmp_path / "m.onnx").path
    found = choose([model], ["openvino"], ["fp32", "int8"], True).candidates
    assert [one.name for one in found] == ["openvino fp32", "openvino int8", "openvino int8 without AMX"]
    assert {one.quantizes for one in found[1:]} == {"auto"}


@pytest.mark.parametrize("features", [{}, {"VNNI": True, "AMX": False}])
def test_without_amx_there_is_nothing_to_try(
    features: dict[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amx, "features", lambda: features)
    assert names(quantized(tmp_path / "q.onnx")) == ["onnxruntime int8", "openvino int8"]


def test_what_the_user_has_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CAP[0], "AVX2")
    assert names(quantized(tmp_path / "q.onnx")) == ["onnxruntime int8", "openvino int8"]


# -- in a process of its own ----------------------------------------------------------------------------------------


def test_each_process_has_its_environment(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable must be there before the engine is: what stands in for it says what it found as it was imported."""
    from qingzhou.engines import compile_for

    made = compile_for("openvino", small, tmp_path).path
    plain, capped = choose([small], ["openvino"]).candidates
    (tmp_path / "fake").mkdir()
    fake_openvino(tmp_path / "fake", f"import os\nraise OSError('cap: %s' % os.environ.get({CAP[0]!r}))", monkeypatch)
    told = []
    for one in (plain, capped):
        monkeypatch.setattr(measure, "choose", lambda *a, one=one: chosen([replace(one, model=made, compiles=None)]))
        told.append(str(bench([made], ["openvino"]).rows[0].error))
    assert "cap: None" in told[0] and f"cap: {CAP[1]}" in told[1]


def chosen(found: list[object]) -> object:
    from qingzhou.bench.candidates import Chosen

    return Chosen(found, [])  # type: ignore[arg-type]


def test_both_are_right_and_the_report_says_how_to_choose(small: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "r.json", tmp_path / "r.html"
    asked = ("--engines", "openvino", "--data", DIGITS / "test", "--json", out, "--html", page, "--lang", "en")
    done = CliRunner().invoke(main, ["bench", str(small), *map(str, asked)])
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text("utf-8"))
    plain, capped = report["rows"]
    assert (plain["Format"], capped["Format"]) == ("openvino int8", "openvino int8 without AMX")
    assert (plain["environment"], capped["environment"]) == ({}, dict([CAP]))
    assert (
        plain["score"]["value"] == pytest.approx(capped["score"]["value"], abs=0.005) and plain["score"]["value"] > 0.97
    )
    assert report["environment"] in ({}, dict([CAP]))
    note = next(note for note in report["notes"] if "AMX" in note and "openvino int8" in note)
    assert note in " ".join(page.read_text("utf-8").split()) and "without AMX" in done.output


# -- what is said ---------------------------------------------------------------------------------------------------


def said(with_amx: float, without: float, lang: str = "en", noisy: bool = False) -> list[str]:
    use_language(lang)
    rows = both_rows(with_amx, without, noisy)
    return amx.advice(rows, pairs({i: one.whole.rounds for i, one in enumerate(rows) if one.whole}))


def both_rows(with_amx: float, without: float, noisy: bool = False) -> list[Row]:
    plain, other = row("openvino int8", with_amx), row("openvino int8", without, noisy=noisy)
    return [row("onnxruntime fp32", 9.0), plain, replace(other, candidate=replace(plain.candidate, without=(CAP,)))]


def test_where_amx_loses_the_setting_is_named() -> None:
    (text,) = said(4.0, 3.2)
    assert text.startswith("AMX slows openvino int8 down here: without it, it is 1.25 times as fast")
    assert SETTING in text and "f32" in text
    (chinese,) = said(4.0, 3.2, "zh")
    assert "变慢" in chinese and "1.25 倍" in chinese and SETTING in chinese


def test_where_it_wins_nothing_is_to_be_set() -> None:
    (text,) = said(2.0, 4.2)
    assert text.startswith("AMX helps openvino int8 here: it is 2.10 times as fast as without")
    assert SETTING not in text and "不需要设置" in said(2.0, 4.2, "zh")[0]


def test_where_it_makes_no_difference_or_nobody_knows() -> None:
    assert said(4.0, 4.02) == ["openvino int8 is as fast on AMX as without. There is nothing to set."]
    assert "could not be told" in said(4.0, 4.0, noisy=True)[0] and "一样快" in said(4.0, 4.02, "zh")[0]


def test_the_faster_one_is_recommended_and_the_plain_one_where_they_are_alike() -> None:
    for without, choice in ((3.2, 2), (4.02, 1), (8.0, 1)):
        rows = both_rows(4.0, without)
        found, why = verdict(rows, pairs({i: one.whole.rounds for i, one in enumerate(rows) if one.whole}))
        assert found == choice and ("without AMX here" in why) == (choice == 2)


def test_rows_that_did_not_run_say_nothing() -> None:
    plain, other = row("openvino int8", 4.0), row("openvino int8", None)
    rows = [plain, replace(other, candidate=replace(plain.candidate, without=(CAP,)))]
    assert amx.advice(rows, []) == []


def test_only_openvino_has_the_choice() -> None:
    assert {name for name, engine in ENGINES.items() if engine.without_amx} == {"openvino"}
