"""Bundles for boards without Linux, with a compiler that does not exist in the place of the vendor's."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fake_chips import FAKE

from passengers import DIGITS, ORACLE, basenn
from qingzhou.boards.memory import check_fits
from qingzhou.bundle.build import build
from qingzhou.cli import main
from qingzhou.devices import all_devices, load
from qingzhou.errors import BundleError, EngineError, OptionError, QingzhouError, use_language
from qingzhou.targets import TARGETS

LENET, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"
BOARDS = {device.name: device for device in all_devices() if device.programs}


@pytest.fixture(autouse=True)
def compilers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake one stands for both vendors'."""
    monkeypatch.setenv("QINGZHOU_TARGETS", str(tmp_path / "targets"))
    for name in ("k230", "esp32"):
        real = TARGETS[name]
        monkeypatch.setitem(TARGETS, name, replace(FAKE, name=name, chips=real.chips, ending=real.ending))
        monkeypatch.setenv(f"QINGZHOU_TARGET_{name.upper()}", sys.executable)


def test_there_are_boards() -> None:
    assert set(BOARDS) == {
        "canmv-k230", "01studio-k230", "lushan-k230", "unihiker-k10", "esp32-s3", "esp32-p4",
    }  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", BOARDS)
def test_a_bundle_is_whole(tmp_path: Path, name: str, lang: str) -> None:
    device = BOARDS[name]
    made = build(LENET, name, "camera", out=tmp_path / "made", data=DATA, lang=lang)
    facts = json.loads((made.path / "bundle.json").read_text("utf-8"))
    assert facts["device"] == name and facts["chip"] == device.chip and facts["on_a_board"] is False
    assert facts["versions"] == {"fake": "1.2.3"} and facts["simulated"] == 100 and facts["accuracy"] == 1.0
    assert set(facts["files"]) == set(made.files) - {"bundle.json"}
    readme = (made.path / "README.md").read_text("utf-8")
    never = {"en": "Not run on a board", "zh": "没有在板子上运行过"}[lang]
    assert never in readme and "fake 1.2.3" in readme and "100.00 %" in readme
    for program, file in (
        ("main.py", f"lenet_digits{TARGETS[device.engines[0]].ending}"),
        ("esp_idf/main/main.cpp", "esp_idf/main/model.espdl"),
    ):
        if program in made.files:
            assert (made.path / file.format(chip=device.chip)).read_text().startswith(f"made for {device.chip}")
    if "main.py" in made.files:
        compile((made.path / "main.py").read_text("utf-8"), "main.py", "exec")
        assert f'MODEL = "/sdcard/lenet_digits{TARGETS[device.engines[0]].ending}"'.format(chip=device.chip) in (
            made.path / "main.py"
        ).read_text("utf-8")
    assert ("main.py" in made.files) == bool({"canmv", "esp_vision"} & set(device.programs))


def test_a_zip_and_what_is_shown(tmp_path: Path) -> None:
    words = ["bundle", LENET, "--device", "K230", "--data", DATA, "-o", tmp_path / "made.zip", "--lang", "en"]
    done = CliRunner().invoke(main, [*map(str, words)])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "made.zip").read_bytes()[:2] == b"PK"
    assert "not on a board" in " ".join(done.output.split()) and "push" not in done.output and "0 MB" not in done.output


def test_a_changed_program_stays(tmp_path: Path) -> None:
    for _ in range(2):
        made = build(LENET, "canmv-k230", out=tmp_path / "made", data=DATA)
    mine = (made.path / "main.py").read_text("utf-8") + "# 我的\n"
    (made.path / "main.py").write_text(mine, "utf-8")
    again = build(LENET, "canmv-k230", out=tmp_path / "made", data=DATA)
    assert any(path.read_text("utf-8") == mine for path in again.path.glob("*.py"))


REFUSED: list[tuple[dict[str, Any], type[QingzhouError], str]] = [
    ({"scene": "web"}, OptionError, "--scene"),
    ({"actions": ["speak"]}, OptionError, "--action"),
    ({"precision": "fp32"}, OptionError, "--precision"),
    ({"engine": "ncnn"}, OptionError, "--engine"),
    ({"offline": True}, OptionError, "--offline"),
    ({"data": None}, OptionError, "--data FOLDER"),
    ({"data": "nowhere"}, QingzhouError, "nowhere"),
]


@pytest.mark.parametrize(("changes", "kind", "said"), REFUSED, ids=[str(case[0]) for case in REFUSED])
def test_what_such_a_board_does_not_have(
    tmp_path: Path, changes: dict[str, Any], kind: type[QingzhouError], said: str
) -> None:
    options = {"data": DATA, **changes}
    with pytest.raises(kind) as caught:
        build(LENET, "unihiker-k10", options.pop("scene", "camera"), out=tmp_path / "made", **options)
    assert said in caught.value.en and caught.value.zh and not (tmp_path / "made").exists()


def test_only_models_that_say_what_a_picture_is(tmp_path: Path) -> None:
    with pytest.raises((BundleError, EngineError)) as caught:
        build(basenn("tab_iris"), "esp32-s3", out=tmp_path / "made", data=DATA)
    assert "qingzhou export --engine esp32" in caught.value.en and not (tmp_path / "made").exists()


# -- memory -------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_before_anything_is_copied() -> None:
    """MobileNetV2 1.0 at 224 fits the K10: 2.5 MB, and 1.5 MB between layers. ResNet50 fits neither."""
    device = load("unihiker-k10")
    use_language("en")
    told = check_fits(device, "best.pth", 2_519_312, 1_505_280)
    assert len(told) == 1 and "4.1 of 8 MB of memory and 3.9 of 16 MB of flash" in told[0]
    with pytest.raises(BundleError, match=r"best\.pth does not fit into Unihiker K10: .* MB of flash.*16\.0 MB"):
        check_fits(device, "best.pth", 24_000_000, 3_000_000)
    with pytest.raises(BundleError, match=r"PSRAM.*8\.0 MB"):
        check_fits(device, "best.pth", 6_000_000, 3_000_000)
    check_fits(load("esp32-p4"), "best.pth", 6_000_000, 3_000_000)
    assert len(check_fits(device, "best.pth", 5_000_000, 1_500_000)) == 2  # tight
    assert check_fits(load("canmv-k230"), "best.pth", 24_000_000, 0) == []
