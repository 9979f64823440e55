"""The programs that a conversion writes: each runs by itself, in a folder of any name, on a sample and on data."""

from __future__ import annotations

import ast
import compileall
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import qingzhou
from lenets import write_lenet
from passengers import basenn, digits, reference
from qingzhou.conversion import run_conversion
from qingzhou.errors import say, use_language
from qingzhou.options import Options

DIGITS = Path(__file__).parent / "oracle" / "digits" / "basenn.pth"


def picture(folder: Path) -> str:
    return shutil.copy(next(path for path, shown in digits() if shown == "3"), folder / "照 片.png")


def rows(folder: Path) -> str:
    np.savetxt(folder / "花.csv", reference("tab_iris"), delimiter=",", header="a,b,c,d", comments="")
    return str(folder / "花.csv")


def array(case: str) -> Callable[[Path], str]:
    def save(folder: Path) -> str:
        np.savez(folder / "数据.npz", data=reference(case))
        return str(folder / "数据.npz")

    return save


def likeliest(case: str) -> list[str]:
    return [str(index) for index in reference(case, "y").argmax(axis=1)]


# kind: checkpoint, data, and what the program must print of them, in English and Chinese
ACTIONS = ("walking", "waving", "stretching")
PROGRAMS = {
    "image": (DIGITS, picture, ["Result: 3  confidence: ", "  3            0.9"], ["结果：3  置信度："]),
    "table": (basenn("tab_iris"), rows, [f"Row {i}: {n}" for i, n in enumerate(likeliest("tab_iris"), 1)], ["第1行："]),
    "array": (
        basenn("npz_conv1d"),
        array("npz_conv1d"),
        [f"Sample {i}: {ACTIONS[int(n)]}" for i, n in enumerate(likeliest("npz_conv1d"), 1)],
        ["第1个："],
    ),
    "text": (basenn("em_lstm"), lambda folder: "", ["The model knows 36 words"], ["模型认识 36 个字"]),
    "values": (basenn("tab_reg"), array("tab_reg"), ["Result: ["], ["结果： ["]),
}


def test_a_detector_draws_what_it_finds(tmp_path: Path) -> None:
    """From a picture to its boxes, and the drawn picture beside the program."""
    oracle = Path(__file__).parent / "oracle" / "trained_ssd"
    use_language("en")
    done = run_conversion(oracle / "checkpoint.pth", tmp_path / "形状" / "shapes.onnx", Options(input_size=(160, 160)))
    printed = run(done.program, str(oracle / "pictures" / "07.jpg"))
    best = np.load(oracle / "detections.npz")["07.jpg"][0]
    corners = [round(float(n)) for n in best[:4]]
    assert "Found 1" in printed and "square" in printed and f"({corners[0]}, {corners[1]})" in printed
    with Image.open(done.program.with_name("shapes_result.png")) as drawn:
        assert drawn.size >= (160, 160)
    use_language("zh")
    assert "shapes_result.png" in run(run_conversion(oracle / "checkpoint.pth", done.model.path).program)


@pytest.mark.parametrize("case", ["digits", "trained_ssd"])
def test_all_pictures_of_a_folder(case: str, tmp_path: Path) -> None:
    """By their names; a detector draws each."""
    oracle = Path(__file__).parent / "oracle" / case
    use_language("en")
    pictures = sorted(oracle.glob("pictures/*.jpg"))[:3] or [path for path, _ in list(digits())[:3]]
    (tmp_path / "folder").mkdir()
    for number, path in enumerate(pictures):
        shutil.copy(path, tmp_path / "folder" / f"{number}{path.suffix}")
    if case == "digits":
        printed = run(run_conversion(DIGITS, tmp_path / "m" / "m.onnx").program, str(tmp_path / "folder"))
        assert printed.count("Result: ") == 3 and "0.png" in printed
    else:
        done = run_conversion(oracle / "checkpoint.pth", tmp_path / "m" / "m.onnx", Options(input_size=(160, 160)))
        assert run(done.program, str(tmp_path / "folder")).count("Found ") == 3
        assert {path.name for path in done.program.parent.glob("*.png")} == {f"m_result{n}.png" for n in ("", 1, 2)}


def run(program: Path, *words: str) -> str:
    """What the program prints, in a Python that does not know Qingzhou, from another folder."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "QINGZHOU_LANG")}
    environment["PYTHONIOENCODING"] = "utf-8"
    command = [sys.executable, str(program), *words]
    done = subprocess.run(command, capture_output=True, env=environment, cwd=program.parents[1], check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8")


@pytest.mark.parametrize("kind", PROGRAMS)
def test_with_and_without_data(kind: str, tmp_path: Path) -> None:
    source, data, english, chinese = PROGRAMS[kind]
    folder = tmp_path / "我的 模型"
    use_language("en")
    done = run_conversion(source, folder / "分类 1.onnx")
    printed = run(done.program, *filter(None, [data(tmp_path)]))
    assert all(text in printed for text in english), printed
    use_language("zh")
    again = run_conversion(source, folder / "分类 1.onnx")
    assert again.program == done.program
    sample = run(again.program)
    assert all(text.split("3")[0] in sample for text in chinese), sample


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_program_of_another_model(lang: str, tmp_path: Path) -> None:
    """Its MODEL changed by hand to one of another kind: one sentence, whichever it is."""
    use_language(lang)
    kinds = ("image", "table", "text", "values")
    made = [run_conversion(PROGRAMS[kind][0], tmp_path / f"{kind}.onnx").program for kind in kinds]
    for program, other in zip(made, [*kinds[1:], kinds[0]], strict=True):
        text = program.read_text("utf-8")
        program.write_text(text.replace(f'"{program.stem}.onnx"', f'"{other}.onnx"'), "utf-8")
        done = subprocess.run(
            [sys.executable, str(program)],
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "QINGZHOU_LANG": lang},
        )
        assert done.returncode == 1 and f"{other}.onnx" in done.stderr and "Traceback" not in done.stderr
        assert say("of another kind", "另一种模型") in done.stderr


@pytest.mark.parametrize("name", ['a"b.onnx', "back\\slash.onnx", "quote's.onnx", "brace{0}.onnx", "百分%s.onnx"])
@pytest.mark.skipif(sys.platform == "win32", reason="no such names")
def test_names_that_need_care(name: str, tmp_path: Path) -> None:
    """The name stands in the program as a literal."""
    done = run_conversion(write_lenet(tmp_path / "best.pth"), tmp_path / "out" / name)
    line = next(line for line in done.program.read_text("utf-8").splitlines() if line.startswith("MODEL = "))
    assert ast.literal_eval(line.removeprefix("MODEL = ").partition("  #")[0]) == name
    assert "0." in run(done.program)


def test_a_folder_can_be_carried_elsewhere(tmp_path: Path) -> None:
    """The model, the program and the runtime are all that is needed."""
    done = run_conversion(DIGITS, tmp_path / "here" / "m.onnx")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert run(tmp_path / "there" / done.program.name, picture(tmp_path)).count("\n") == 6


def test_programs_that_pip_has_compiled_are_no_obstacle(tmp_path: Path) -> None:
    """An installed package has a __pycache__ beside the programs."""
    programs = Path(qingzhou.__file__).parent / "scenes" / "basic"
    assert compileall.compile_dir(programs, quiet=1) and (programs / "__pycache__").is_dir()
    assert run_conversion(write_lenet(tmp_path / "best.pth")).program.is_file()
