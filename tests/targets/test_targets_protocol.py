"""A vendor's compiler as an outside program: what it is given, what it gives back, and all that may go wrong in it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from fake_chips import CHIPS, put

import qingzhou
from passengers import DIGITS, ORACLE, basenn
from qingzhou.cli import main
from qingzhou.deploy.export import export_any, export_for_chip
from qingzhou.errors import (
    AccuracyLost,
    EngineError,
    ExtraMissing,
    MemoryFull,
    OptionError,
    OutputError,
    QingzhouError,
    use_language,
)
from qingzhou.runtime.model.card import Card
from qingzhou.targets import TARGETS, ask

LENET, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(LENET, tmp_path_factory.mktemp("targets") / "数字.onnx").path


def test_a_file_its_card_and_how_the_simulator_did(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, heard = put(monkeypatch, tmp_path), []
    made = export_for_chip(model, target, "GOOD", f"{tmp_path}/out/", DATA, tell=heard.append)
    assert made.path == tmp_path / "out" / "数字.good.fake"
    assert made.path.read_text() == "made for good of 数字.onnx"
    assert made.versions == {"fake": "1.2.3"} and made.facts == {"memory": 12345, "input_exponent": -6}
    assert made.verdict.labelled and made.verdict.judged == 100 and made.calibrated == 100
    before, after = made.verdict.figures()
    assert before == after == 1.0 and made.agreement == 1.0
    assert 0 < made.far[0] <= 1 / 512 + 1e-6  # of rounding to 1/256
    assert heard[0] == "reading the network" and heard[-1].startswith("simulating 101/101")  # with the sample
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["数字.good.fake", "数字.good.fake.json"]


def test_the_card_is_the_boards(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pixels as bytes, in the chip's layout, nothing to normalise; its sample's answer is the simulator's."""
    made = export_for_chip(model, put(monkeypatch, tmp_path), "good", tmp_path, DATA)
    card = Card.from_json(made.card_path.read_text("utf-8"))
    assert (card.input.dtype, card.input.layout, card.input.shape) == ("uint8", "NHWC", [1, 32, 32, 1])
    assert [step["op"] for step in card.input.steps] == ["resize"]
    assert card.origin["quantised"]["target"] == "good" and card.origin["quantised"]["judged"] == 100
    assert card.sample is not None
    answer = [256 * score for score in card.sample.output[0]]
    assert answer == pytest.approx([round(score) for score in answer], abs=1e-3) and sum(answer) > 250


def test_a_checkpoint_leaves_no_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = export_any(LENET, "fake", put(monkeypatch, tmp_path).chips[0], f"{tmp_path}/out/", "", DATA)
    assert made.source == LENET and any("MMEdu" in note for note in made.notes)
    assert {one.suffix for one in (tmp_path / "out").iterdir()} == {".fake", ".json"}


def test_what_is_shown_says_that_no_board_ran_it(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, tmp_path)
    words = ["export", model, "--engine", "fake", "--chip", "good", "--data", DATA, "-o", f"{tmp_path}/out/"]
    done = CliRunner().invoke(main, [*map(str, words), "--lang", "en"])
    assert done.exit_code == 0, done.output
    assert "100.00 % → 100.00 %" in done.output and "not on a board" in done.output and "fake 1.2.3" in done.output
    told = json.loads(CliRunner().invoke(main, [*map(str, words), "--json", "--lang", "zh"]).output)
    assert told["chip"] == "good" and told["accuracy"]["judged"] == 100 and told["agreement"] == 1.0
    assert "没有在板子上运行" in told["explanation"]


def test_a_slow_simulator_is_asked_for_fewer_and_that_is_said(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = export_for_chip(model, put(monkeypatch, tmp_path), "slow", tmp_path, DATA)
    assert made.verdict.judged == 19 and made.held_out == (100, 19)  # 20 with the sample
    use_language("en")
    assert any("asked for 19 of 100" in note for note in made.notes)


def test_data_without_answers_are_judged_by_agreement(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i, path in enumerate(sorted(DATA.rglob("*.png"))[::10]):
        (folder / f"{i}.png").write_bytes(path.read_bytes())
    made = export_for_chip(model, put(monkeypatch, tmp_path), "good", tmp_path, folder)
    assert not made.verdict.labelled and made.verdict.figures()[1] >= 0.95


# -- what may go wrong there ------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[type[QingzhouError], str, str]] = {
    "dull": (AccuracyLost, "from 100.00 % to", "从 100.00 % 变为"),
    "misshapen": (EngineError, "gave other answers", "与网络的输出不符"),
    "crashes": (MemoryFull, "memory", "内存"),  # abort() is what C++ does then
    "ends": (EngineError, r"failed \(exit 7\)", "出错"),
    "eats": (MemoryFull, "memory", "内存"),
    "fills": (OutputError, "the disk is full", "磁盘已满"),
    "full": (OutputError, "the disk is full", "磁盘已满"),
    "breaks": (EngineError, "ValueError: shape of 克 is", "ValueError"),
    "layer": (EngineError, "cannot take the layer GridSample: op type", "不支持层 GridSample"),
}


@pytest.mark.parametrize("chip", WRONG)
def test_each_fault_is_a_message_and_leaves_nothing(
    chip: str, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, en, zh = WRONG[chip]
    with pytest.raises(kind, match=en) as caught:
        export_for_chip(model, put(monkeypatch, tmp_path), chip, f"{tmp_path}/out/", DATA)
    assert zh in caught.value.zh and "Traceback" not in caught.value.en and "\n" not in caught.value.en
    assert not (tmp_path / "out").exists()
    log = tmp_path / "targets" / "fake.log"
    if kind is EngineError and chip in ("ends", "breaks"):
        assert str(log) in caught.value.en and "noise of C" in log.read_text()


def test_it_has_a_limit_of_time_and_its_children_end_with_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = put(monkeypatch, tmp_path, seconds=6.0)
    told = tmp_path / "child"
    monkeypatch.setattr(ask, "environment", lambda folder: {**os.environ, "TMPDIR": str(tmp_path)})
    with pytest.raises(EngineError, match=r"did not end within 0\.1 minutes"):
        export_for_chip(model, target, "hangs", f"{tmp_path}/out/", DATA)
    assert not (tmp_path / "out").exists()
    for _ in range(100):
        if not _runs(int(told.read_text())):
            break
        time.sleep(0.1)
    assert not _runs(int(told.read_text()))


def _runs(pid: int) -> bool:
    """Whether a process does; one that ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_its_noise_stays_out_of_ours(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    export_for_chip(model, put(monkeypatch, tmp_path), "good", tmp_path, DATA)
    assert "noise" not in "".join(capfd.readouterr())


# -- what is wrong before it is started -------------------------------------------------------------------------------


def test_wrong_chip_engine_precision_and_no_data(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, tmp_path)
    for wrong, said in (("rk9999", "--chip is rk9999; .* good, dull"), ("", "--chip is missing")):
        with pytest.raises(OptionError, match=said):
            export_any(model, "fake", wrong, f"{tmp_path}/out/", "", DATA)
    with pytest.raises(OptionError, match="INT8 needs data"):
        export_any(model, "fake", "good", f"{tmp_path}/out/")
    with pytest.raises(OptionError, match="it can be int8"):
        export_any(model, "fake", "good", f"{tmp_path}/out/", "fp16", DATA)
    with pytest.raises(OptionError, match="--chip is for"):
        export_any(model, "ncnn", "rk3588", f"{tmp_path}/out/")
    assert not (tmp_path / "out").exists()


def test_without_its_environment_the_way_to_it_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = put(monkeypatch, tmp_path)
    monkeypatch.delenv("QINGZHOU_TARGET_FAKE")
    with pytest.raises(ExtraMissing, match="qingzhou targets install fake") as caught:
        export_for_chip(model, target, "good", f"{tmp_path}/out/", DATA)
    assert "还没有安装" in caught.value.zh and not (tmp_path / "out").exists()


def test_int8_is_not_quantised_twice(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = qingzhou.quantize(model, DATA, tmp_path / "small.onnx", any_speed=True, target="arm").path
    with pytest.raises(EngineError, match="INT8 already"):
        export_for_chip(small, put(monkeypatch, tmp_path), "good", f"{tmp_path}/out/", DATA)


def test_only_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = basenn("tab_iris")
    with pytest.raises(EngineError, match="no single picture"):
        export_for_chip(table, put(monkeypatch, tmp_path), "good", f"{tmp_path}/out/", DATA)


def test_every_fault_of_the_fake_is_tried() -> None:
    assert set(CHIPS) == {*WRONG, "good", "slow", "hangs", "bare"}


def test_an_environment_without_the_compiler_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the network is to blame, and the way out is another environment."""
    with pytest.raises(ExtraMissing, match="cannot import what it needs: ModuleNotFoundError") as caught:
        export_for_chip(model, put(monkeypatch, tmp_path), "bare", f"{tmp_path}/out/", DATA)
    assert "QINGZHOU_TARGET_FAKE" in caught.value.en and "qingzhou targets install fake" in caught.value.zh


def test_a_wrong_variable_hides_no_other_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, tmp_path)
    monkeypatch.setenv("QINGZHOU_TARGET_FAKE", str(tmp_path / "none"))
    done = CliRunner().invoke(main, ["targets", "--lang", "en"])
    assert done.exit_code == 0 and "rknn" in done.output and "QINGZHOU_TARGET_FAKE names" in done.output


def test_ways_out_are_those_of_the_verb_and_the_board(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """export knows no int8-weights, a microcontroller no other engine; --engine names the chips' compilers too."""
    with pytest.raises(OptionError, match="INT8 needs data") as caught:
        export_any(model, put(monkeypatch, tmp_path).name, "good", f"{tmp_path}/out/")
    assert "int8-weights" not in caught.value.en + caught.value.zh
    with pytest.raises(OptionError, match="INT8 needs data") as caught:
        export_any(LENET, "litert", "", f"{tmp_path}/out/", "int8")
    assert "int8-weights" not in caught.value.en + caught.value.zh
    with pytest.raises(OptionError, match=r"it can be onnxruntime, .*rknn, k230, esp32"):
        export_any(model, "rknn2", "rk3588", f"{tmp_path}/out/", data=DATA)
    for linux, said in ((True, "the board's processor"), (False, "a board with Linux")):
        with pytest.raises((AccuracyLost, EngineError), match=said):
            export_for_chip(model, put(monkeypatch, tmp_path, linux=linux), "dull", f"{tmp_path}/out/", DATA)
        with pytest.raises(EngineError, match=said):
            export_for_chip(model, put(monkeypatch, tmp_path, linux=linux), "layer", f"{tmp_path}/out/", DATA)


def test_a_chips_other_name() -> None:
    assert TARGETS["rknn"].chip("RK3588S") == "rk3588"


def test_of_what_the_compiler_told_people_see_memory(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exponents and the like are for programs, and are no bytes."""
    put(monkeypatch, tmp_path)
    argv = ["export", str(model), "--engine", "fake", "--chip", "good", "--data", str(DATA), "-o", f"{tmp_path}/out/"]
    done = CliRunner().invoke(main, [*argv, "--lang", "zh"])
    assert "内存" in done.output and "12.3 kB" in done.output and "exponent" not in done.output
