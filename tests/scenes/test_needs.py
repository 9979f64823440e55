"""A program gets the modules of the runtime that it needs, and no others."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import qingzhou
from passengers import ORACLE, basenn
from programs import environment, run
from qingzhou.convert import run_conversion
from qingzhou.runtime.card import Card, Input, Output
from qingzhou.scenes import SCENES, copy_runtime, needs, program
from qingzhou.scenes.needs import _imports, module, modules

DIGITS = ORACLE / "digits" / "basenn.pth"
SHAPES = ORACLE / "trained_ssd" / "checkpoint.pth"
# kind: checkpoint, its options, how many files of the runtime it may have, and of how many kB
KINDS: dict[str, tuple[Path, dict[str, Any], int, int]] = {
    "image": (DIGITS, {}, 15, 120),
    "detect": (SHAPES, {"input_size": (160, 160)}, 20, 160),
    "raw": (
        SHAPES,
        {"input_size": (160, 160), "form": "raw"},
        21,
        160,
    ),  # it draws, and what is drawn is whole or not there
    "table": (basenn("tab_iris"), {}, 13, 90),
    "array": (basenn("npz_conv1d"), {}, 13, 90),
    "text": (basenn("em_lstm"), {}, 13, 90),
    "values": (basenn("tab_reg"), {}, 13, 90),
}


def runtime(folder: Path) -> dict[str, int]:
    """Module -> bytes, of those beside a program."""
    return {path.stem: path.stat().st_size for path in (folder / "qingzhou_runtime").glob("*.py")}


def selftest(model: Path) -> str:
    """What the runtime beside a model says of it."""
    command = [sys.executable, "-m", "qingzhou_runtime", model.name]
    done = subprocess.run(command, cwd=model.parent, capture_output=True, env=environment(QINGZHOU_LANG="en"))
    return (done.stdout + done.stderr).decode("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_little_is_enough(kind: str, tmp_path: Path) -> None:
    """For the program without and with nothing, and for the self-test."""
    source, options, files, kilobytes = KINDS[kind]
    done = run_conversion(source, tmp_path / "模型" / "m.onnx", **options)
    found = runtime(tmp_path / "模型")
    assert len(found) <= files and sum(found.values()) <= 1000 * kilobytes, (len(found), sum(found.values()))
    assert run(done.program) and selftest(done.model.path).startswith("OK ")


def test_programs_in_one_folder_share_it(tmp_path: Path) -> None:
    """Whichever is converted last: what the others need stays."""
    programs = [run_conversion(DIGITS, tmp_path / "best.onnx").program]
    alone = runtime(tmp_path)
    programs.append(run_conversion(SHAPES, tmp_path / "other.onnx", input_size=(160, 160)).program)
    both = runtime(tmp_path)
    assert "detect" in both and "detect" not in alone and alone.keys() < both.keys()
    programs.append(run_conversion(DIGITS, tmp_path / "best2.onnx").program)
    assert runtime(tmp_path) == both
    assert all(run(program) for program in programs)


@pytest.mark.parametrize("old", ["session", "act", "words"])
def test_of_another_version_all_is_replaced(old: str, tmp_path: Path) -> None:
    """Never a mixture of versions; what is not ours stays."""
    folder = tmp_path / "qingzhou_runtime"
    folder.mkdir()
    (folder / f"{old}.py").write_text("# of another version\n")
    (folder / "mine.py").write_text("# a pupil's\n")
    done = run_conversion(DIGITS, tmp_path / "best.onnx")
    assert runtime(tmp_path).keys() == {*modules(), "mine"}
    assert all((folder / f"{name}.py").read_text("utf-8") == module(name) for name in modules())
    assert (folder / "mine.py").read_text() == "# a pupil's\n" and run(done.program)


def test_what_is_there_stays_untouched(tmp_path: Path) -> None:
    copy_runtime(tmp_path, ["errors"])
    before = (tmp_path / "errors.py").stat().st_mtime_ns
    copy_runtime(tmp_path, ["errors", "fields"])
    assert (tmp_path / "errors.py").stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["errors.py", "fields.py"]


def test_every_module_is_some_program_s(tmp_path: Path) -> None:
    """One that none can have would be no part of the runtime."""
    programs = {
        path.read_text("utf-8")
        for path in Path(run.__code__.co_filename).parents[1].glob("src/qingzhou/scenes/*/*_en.py")
    }
    cards = [
        run_conversion(source, tmp_path / f"{kind}.onnx", **options).model.card
        for kind, (source, options, *_) in KINDS.items()
    ]
    scripts = ["qingzhou_runtime.install, qingzhou_runtime.selftest, qingzhou_runtime.measure"]
    assert len(programs) > len(SCENES)
    assert needs([*programs, *scripts], cards) | needs([], cards, "ncnn") == set(modules())


@pytest.mark.parametrize("kind", ["image", "detect", "table"])
def test_alone_it_runs_where_qingzhou_is_installed(kind: str, tmp_path: Path) -> None:
    """The program and the model; the self-test too. A mistake is one sentence there as well."""
    source, options, *_ = KINDS[kind]
    done = run_conversion(source, tmp_path / "m.onnx", **options)
    beside = run(done.program)
    shutil.rmtree(tmp_path / "qingzhou_runtime")
    assert run(done.program) == beside and selftest(done.model.path).startswith("OK ")
    command = [sys.executable, str(done.program), "no file"]
    said = subprocess.run(command, capture_output=True, env=environment(QINGZHOU_LANG="en")).stderr.decode("utf-8")
    assert said.startswith("Problem: ") and said.count("\n") == 1


def test_a_folder_beside_the_program_comes_first(tmp_path: Path) -> None:
    (tmp_path / "qingzhou_runtime").mkdir()
    (tmp_path / "qingzhou_runtime" / "__init__.py").write_text("load = 'mine'\n")
    (tmp_path / "main.py").write_text("from qingzhou_runtime import load\nprint(load)\n")
    (tmp_path / "elsewhere").mkdir()
    assert run(tmp_path / "main.py") == "mine\n"


def bare(code: str) -> ast.Module:
    """A module without docstrings, and what only a type checker needs."""
    tree = ast.parse(code)
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def imported(code: str) -> set[str]:
    """The modules beside it that a module imports, anywhere."""
    nodes = [node for node in ast.walk(bare(code)) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {name for node in nodes for name in ([node.module] if node.module else [one.name for one in node.names])}


def test_what_only_we_read_is_not_copied() -> None:
    """The same code; what a pupil calls keeps its docstring."""
    for path in (Path(qingzhou.__file__).parent / "runtime").glob("*.py"):
        assert ast.dump(bare(path.read_text("utf-8"))) == ast.dump(bare(module(path.stem))), path.name
        assert imported(path.read_text("utf-8")) == {name for name, _ in _imports(path.stem)}, path.name
    assert '"""A model that can be asked.' in module("predict") and "def load" in module("predict")
    assert "numpy.typing" not in "".join(map(module, modules()))


SHORT, CROP = {"op": "resize", "short": 40}, {"op": "center_crop", "size": [32, 32]}
RESIZED = {  # the steps of a card, and with which modules pictures are made smaller
    "cut": ([{**SHORT, "interpolation": "pillow"}, CROP], {"quick"}),
    "cut by OpenCV": ([{**SHORT, "interpolation": "cv2"}, CROP], {"cv2_linear"}),
    "squashed": ([{"op": "resize", "size": [32, 32], "interpolation": "pillow"}], {"quick"}),
    "not yet of the size": ([{**SHORT, "interpolation": "pillow"}], {"quick", "cv2_linear"}),
    "none": ([], {"cv2_linear"}),
}
PREPARE = """
from qingzhou_runtime.card import Input
from qingzhou_runtime.image import read_for
from qingzhou_runtime.prepare import prepare
import numpy as np
entry = Input("i", "image", [1, 3, 32, 32], "RGB", STEPS)
print(prepare(read_for(np.arange(60 * 50 * 3, dtype=np.uint8).reshape(60, 50, 3), entry), entry).shape)
"""


@pytest.mark.parametrize("way", RESIZED)
def test_pictures_are_resized_with_what_is_there(way: str, tmp_path: Path) -> None:
    """And a classifier of pictures has room for what is still to come."""
    steps, modules_of = RESIZED[way]
    card = Card(
        "classification",
        "LeNet",
        "MMEdu",
        Input("i", "image", [1, 3, 32, 32], "RGB", steps),
        Output("o", "probabilities"),
        ["a", "b"],
    )
    wanted = needs([program("basic", card, "en", {})], [card])
    assert wanted & {"quick", "cv2_linear"} == modules_of
    size = sum(len(module(name).encode()) for name in wanted)
    assert len(modules_of) > 1 or (len(wanted) <= 15 and size <= 120_000), (len(wanted), size)
    copy_runtime(tmp_path / "qingzhou_runtime", wanted)
    (tmp_path / "x").mkdir()
    (tmp_path / "main.py").write_text(PREPARE.replace("STEPS", repr(steps)))
    assert run(tmp_path / "main.py") == "(1, 3, 32, 32)\n"
