"""A program gets the modules of the runtime that it needs, and no others."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import qingzhou
from passengers import ORACLE, basenn
from programs import environment, run
from qingzhou.conversion import run_conversion
from qingzhou.errors import OutputError
from qingzhou.options import Options
from qingzhou.runtime.model.card import Card, Input, Output, Sample
from qingzhou.scenes import SCENES, copy_runtime, needs, program
from qingzhou.scenes.needs import _imports, file_of, module, modules

DIGITS = ORACLE / "digits" / "basenn.pth"
SHAPES = ORACLE / "trained_ssd" / "checkpoint.pth"
# kind: checkpoint, its options, how many files of the runtime it may have, and of how many kB
KINDS: dict[str, tuple[Path, dict[str, Any], int, int]] = {
    "image": (DIGITS, {}, 18, 121),
    "detect": (SHAPES, {"input_size": (160, 160)}, 25, 160),
    # it draws, and what is drawn is whole or not there
    "raw": (SHAPES, {"input_size": (160, 160), "form": "raw"}, 27, 162),
    "table": (basenn("tab_iris"), {}, 15, 91),
    "array": (basenn("npz_conv1d"), {}, 15, 91),
    "text": (basenn("em_lstm"), {}, 15, 91),
    "values": (basenn("tab_reg"), {}, 15, 91),
}


def runtime(folder: Path) -> dict[str, int]:
    """Module -> bytes, of those beside a program."""
    top = folder / "qingzhou_runtime"
    return {named(path.relative_to(top)): path.stat().st_size for path in top.rglob("*.py")}


def named(path: Path) -> str:
    """ "model.card" for model/card.py."""
    return ".".join(path.with_suffix("").parts)


def selftest(model: Path) -> str:
    """What the runtime beside a model says of it."""
    command = [sys.executable, "-m", "qingzhou_runtime", model.name]
    done = subprocess.run(command, cwd=model.parent, capture_output=True, env=environment(QINGZHOU_LANG="en"))
    return (done.stdout + done.stderr).decode("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_little_is_enough(kind: str, tmp_path: Path) -> None:
    """For the program without and with nothing, and for the self-test."""
    source, options, files, kilobytes = KINDS[kind]
    done = run_conversion(source, tmp_path / "模型" / "m.onnx", Options(**options))
    found = runtime(tmp_path / "模型")
    assert len(found) <= files and sum(found.values()) <= 1000 * kilobytes, (len(found), sum(found.values()))
    assert run(done.program) and selftest(done.model.path).startswith("OK ")


def test_programs_in_one_folder_share_it(tmp_path: Path) -> None:
    """Whichever is converted last: what the others need stays."""
    programs = [run_conversion(DIGITS, tmp_path / "best.onnx").program]
    alone = runtime(tmp_path)
    programs.append(run_conversion(SHAPES, tmp_path / "other.onnx", Options(input_size=(160, 160))).program)
    both = runtime(tmp_path)
    assert "model.detect" in both and "model.detect" not in alone and alone.keys() < both.keys()
    programs.append(run_conversion(DIGITS, tmp_path / "best2.onnx").program)
    assert runtime(tmp_path) == both
    assert all(run(program) for program in programs)


@pytest.mark.parametrize("old", ["engine/session", "act", "model/words"])
def test_of_another_version_all_is_replaced(old: str, tmp_path: Path) -> None:
    """Never a mixture of versions; what is not ours stays."""
    folder = tmp_path / "qingzhou_runtime"
    folder.mkdir()
    (folder / old).parent.mkdir(exist_ok=True)
    (folder / f"{old}.py").write_text("# of another version\n")
    (folder / "mine.py").write_text("# a pupil's\n")
    done = run_conversion(DIGITS, tmp_path / "best.onnx")
    assert runtime(tmp_path).keys() == {*modules(), "mine"}
    assert all((folder / file_of(name)).read_text("utf-8") == module(name) for name in modules())
    assert (folder / "mine.py").read_text() == "# a pupil's\n" and run(done.program)


def test_a_runtime_in_one_folder_gives_way_to_its_rooms(tmp_path: Path) -> None:
    """As it was written before it had any; a link, or a folder of such a name, is not ours."""
    folder = tmp_path / "qingzhou_runtime"
    (folder / "words.py").mkdir(parents=True)
    for name in ("__init__", "card", "session", "errors", "pins"):
        (folder / f"{name}.py").write_text("# of another version\n")
    (tmp_path / "elsewhere.py").write_text("mine\n")
    (folder / "image.py").symlink_to("../elsewhere.py")
    done = run_conversion(DIGITS, tmp_path / "best.onnx")
    assert {path.name for path in folder.iterdir()} >= {"words.py", "image.py"} and (folder / "image.py").is_symlink()
    assert not {"card", "session", "pins"} & runtime(tmp_path).keys() and runtime(tmp_path).keys() >= {*modules()}
    assert (tmp_path / "elsewhere.py").read_text() == "mine\n" and run(done.program)


def test_a_runtime_that_was_half_replaced(tmp_path: Path) -> None:
    """A run that was killed between what it writes and what it removes; nor is anything removed through a link."""
    folder = tmp_path / "qingzhou_runtime"
    copy_runtime(folder)
    (folder / "card.py").write_text("# of another version\n")
    copy_runtime(folder, ["errors"])
    assert not (folder / "card.py").exists() and (folder / "model" / "card.py").is_file()
    (folder / "card.py").write_text("# of another version\n")
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(OutputError):
        copy_runtime(tmp_path / "link")
    assert (folder / "card.py").is_file()


@pytest.mark.parametrize("what", ["file", "link"])
def test_what_stands_where_a_room_would_be_is_not_written_over(what: str, tmp_path: Path) -> None:
    """Nothing is written then."""
    folder = tmp_path / "qingzhou_runtime"
    folder.mkdir()
    (tmp_path / "other").mkdir()
    place = folder / "model"
    place.write_text("mine\n") if what == "file" else place.symlink_to("../other")
    with pytest.raises(OutputError):
        copy_runtime(folder)
    assert [path.name for path in folder.iterdir()] == ["model"] and not any((tmp_path / "other").iterdir())


def test_what_is_there_stays_untouched(tmp_path: Path) -> None:
    copy_runtime(tmp_path, ["errors"])
    before = (tmp_path / "errors.py").stat().st_mtime_ns
    copy_runtime(tmp_path, ["errors", "model.fields"])
    assert (tmp_path / "errors.py").stat().st_mtime_ns == before
    assert sorted(named(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.py")) == ["errors", "model.fields"]


def test_every_module_is_some_program_s(tmp_path: Path) -> None:
    """One that none can have would be no part of the runtime."""
    programs = {
        path.read_text("utf-8")
        for path in Path(run.__code__.co_filename).parents[1].glob("src/qingzhou/scenes/*/*_en.py")
    }
    cards = [
        run_conversion(source, tmp_path / f"{kind}.onnx", Options(**options)).model.card
        for kind, (source, options, *_) in KINDS.items()
    ]
    boxes = next(card for card in cards if card.output.scores == "boxes")
    letterbox = replace(boxes.input, steps=[{"op": "resize", "letterbox": [160, 160], "interpolation": "cv2"}])
    cards.append(replace(boxes, input=letterbox, output=Output("output0", "rows", {"rotated": True})))
    cards.append(replace(cards[0], others=[replace(cards[0].input, name="other")]))
    cards.append(replace(cards[0], input=replace(cards[0].input, shape=[2, *cards[0].input.shape[1:]])))
    drawn = Sample({"encoding": "noise", "data": ["float32", 1, 3]}, [])
    cards.append(replace(cards[0], sample=drawn))
    table = next(card for card in cards if card.input.kind == "table")
    cards.append(replace(table, input=replace(table.input, columns=[{"name": "text", "counts": {}}])))
    scripts = ["qingzhou_runtime.bundle.install, qingzhou_runtime.bundle.selftest, qingzhou_runtime.bundle.measure"]
    assert len(programs) > len(SCENES)
    # programs only read cards; who converts writes them
    others = {one for engine in ("ncnn", "litert", "mnn", "numpy", "rknn") for one in needs([], cards, engine)}
    assert needs([*programs, *scripts], cards) | others == {*modules()} - {"model.written"}


@pytest.mark.parametrize("kind", ["image", "detect", "table"])
def test_alone_it_runs_where_qingzhou_is_installed(kind: str, tmp_path: Path) -> None:
    """The program and the model; the self-test too. A mistake is one sentence there as well."""
    source, options, *_ = KINDS[kind]
    done = run_conversion(source, tmp_path / "m.onnx", Options(**options))
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


def imported(name: str, code: str) -> set[str]:
    """The modules beside it that a module imports, anywhere."""
    found = set()
    for node in ast.walk(bare(code)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*name.split(".")[: -node.level], *(node.module or "").split(".")]
            whole = ".".join(filter(None, base))
            found |= {whole} if whole in modules() else {f"{whole}.{one.name}".strip(".") for one in node.names}
    return found


def test_what_only_we_read_is_not_copied() -> None:
    """The same code; what a pupil calls keeps its docstring."""
    for name in modules():
        code = (Path(qingzhou.__file__).parent / "runtime" / file_of(name)).read_text("utf-8")
        assert ast.dump(bare(code)) == ast.dump(bare(module(name))), name
        assert imported(name, code) == {one for one, _ in _imports(name)}, name
    assert '"""A model that can be asked.' in module("predict") and "def load" in module("predict")
    assert "numpy.typing" not in "".join(map(module, modules()))


SHORT, CROP = {"op": "resize", "short": 40}, {"op": "center_crop", "size": [32, 32]}
RESIZED = {  # the steps of a card, and with which modules pictures are made smaller
    "cut": ([{**SHORT, "interpolation": "pillow"}, CROP], {"model.quick"}),
    "cut by OpenCV": ([{**SHORT, "interpolation": "cv2"}, CROP], {"model.cv2_linear"}),
    "squashed": ([{"op": "resize", "size": [32, 32], "interpolation": "pillow"}], {"model.quick"}),
    "not yet of the size": ([{**SHORT, "interpolation": "pillow"}], {"model.quick", "model.cv2_linear"}),
    "none": ([], {"model.cv2_linear"}),
}
PREPARE = """
from qingzhou_runtime.model.card import Input
from qingzhou_runtime.model.image import read_for
from qingzhou_runtime.model.prepare import prepare
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
    assert wanted & {"model.quick", "model.cv2_linear"} == modules_of
    size = sum(len(module(name).encode()) for name in wanted)
    assert len(modules_of) > 1 or (len(wanted) <= 18 and size <= 122_000), (len(wanted), size)
    copy_runtime(tmp_path / "qingzhou_runtime", wanted)
    (tmp_path / "x").mkdir()
    (tmp_path / "main.py").write_text(PREPARE.replace("STEPS", repr(steps)))
    assert run(tmp_path / "main.py") == "(1, 3, 32, 32)\n"


def test_who_asks_another_board_can_draw_what_it_found() -> None:
    """Its own program has no model, and so no card that says what will be answered."""
    ask = (Path(qingzhou.__file__).parent / "scenes" / "ask" / "main_en.py").read_text("utf-8")
    assert needs([ask], []) >= {"draw", "model.marks", "model.detection"}
