"""Names as long as file systems allow: what is made of such a file has one of its own that fits."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from qingzhou.cli import main
from qingzhou.web.uploads import CALLED, kind_of, safe_name, shown_name
from qingzhou.whole_file import fitting, output_path

DIGITS = Path(__file__).parents[1] / "src/qingzhou/demo/lenet_digits.pth"
LONG = {"letters": "x" * 251, "Chinese": "模" * 83, "smileys": "🐱" * 62, "parts": "a.b" * 83}
ROOM = 255 - len("_result99.png") + len(".png")  # programs write pictures beside themselves


@pytest.mark.parametrize("stem", LONG.values(), ids=LONG)
@pytest.mark.parametrize("suffix", [".onnx", ".int8.onnx", ".openvino.xml", "-unihiker-camera"])
def test_what_is_named_after_a_long_name_fits(stem: str, suffix: str) -> None:
    name = fitting(stem, suffix)
    assert name.endswith(suffix) and len(os.fsencode(name)) <= ROOM
    assert name != fitting(f"{stem[:-1]}y", suffix), "two files would become one"
    assert fitting("best", suffix) == f"best{suffix}"
    assert output_path(Path(f"{stem}.pth"), None, ".onnx").name == fitting(stem, ".onnx")


@pytest.mark.skipif(os.name != "posix", reason="Windows counts other letters")
@pytest.mark.parametrize("stem", LONG.values(), ids=LONG)
def test_long_names_through_the_verbs(stem: str, tmp_path: Path) -> None:
    """One file, several files, a bundle, and what is made INT8 on the way."""
    first, second = tmp_path / f"{stem}.pth", tmp_path / f"{stem[:-1]}y.pth"
    for file in (first, second):
        shutil.copyfile(DIGITS, file)
    pictures = str(Path(__file__).parent / "oracle/digits/test")
    lines = [
        ["convert", str(first)],
        ["convert", str(first), str(second), "-o", str(tmp_path / "out")],
        ["bundle", str(first), "--device", "unihiker", "--scene", "basic"],
        [
            "export",
            str(first),
            "--engine",
            "onnxruntime",
            "--precision",
            "int8",
            "--data",
            pictures,
            "--max-drop",
            "50",
        ],
    ]
    for argv in lines:
        result = CliRunner().invoke(main, [*argv, "--lang", "en"])
        assert result.exit_code == 0, (argv[0], result.output, result.exception)
    assert len(list((tmp_path / "out").glob("*.onnx"))) == len(list((tmp_path / "out").glob("*.py"))) == 2


ENDINGS = (".pth", ".onnx", ".zip", ".pth.tar", ".pth(1)", ".safetensors")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("length", [50, 110, 119, 120, 121, 500, 5000])
def test_an_upload_is_shown_with_its_ending(ending: str, length: int) -> None:
    """And is taken for the same by that name."""
    name = "x" * length + ending
    shown = shown_name(f"C:\\folder\\{name}")
    assert len(shown) <= 120 and shown.endswith(ending) and (shown == name or "…" in shown)
    assert bool(CALLED.search(shown)) == bool(CALLED.search(name))
    assert kind_of(shown, b"PK", 2) == kind_of(name, b"PK", 2)
    assert safe_name(name) == "x" * min(length, 60)
