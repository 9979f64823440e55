"""What goes wrong at a program of ours ends in one sentence in the program's language; and pupils can read them all."""

from __future__ import annotations

import ast
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import qingzhou
from passengers import digits
from programs import PYTHON, environment, run

Write = Callable[..., Path]
SCENES = Path(qingzhou.__file__).parent / "scenes"
PROGRAMS = sorted(SCENES.glob("*/*_??.py"))
# scene, model, the kind of program; its words; what the sentence says in English
MISTAKES: list[tuple[str, str, list[str], str]] = [
    ("basic", "digits", ["no.png"], "no file"),
    ("basic", "digits", ["no folder/3.png"], "no file"),
    ("basic", "digits", ["."], "no pictures"),
    ("basic", "digits", ["broken.jpg"], "damaged or cut off"),
    ("basic", "digits", ["digits.onnx"], "no picture"),
    ("basic", "digits", [""], "no file"),
    ("basic", "shapes", ["broken.jpg"], "damaged or cut off"),
    ("basic", "iris", ["no.csv"], "no file"),
    ("basic", "iris", ["broken.jpg"], ""),
    ("basic", "iris", ["wide.csv"], "the model expects"),
    ("basic", "moves", ["no.npz"], "no file"),
    ("basic", "moves", ["wide.csv"], "the model expects"),
    ("basic", "values", ["no.csv"], "no file"),
    ("basic", "text", ["§"], "never seen"),
    ("video", "shapes", ["no.mp4"], "no video"),
    ("video", "shapes", ["broken.gif"], "damaged or cut off"),
    ("listen", "digits", ["no.wav"], "no "),
    ("listen", "digits", ["broken.jpg"], ""),
    ("sensor", "iris", [], "SENSORS is empty"),
]


def ask(main: Path, *words: str, options: tuple[str, ...] = (), **more: str) -> tuple[int, str, str]:
    """Status, and what a program prints and complains of, in its folder."""
    command = [PYTHON, *options, str(main), *words]
    done = subprocess.run(command, capture_output=True, env=environment(**more), cwd=main.parent, timeout=120)
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


def spoil(folder: Path) -> None:
    """Files that cannot be read, or do not fit, beside a program."""
    picture = next(path for path, _ in digits())
    Image.new("RGB", (64, 64)).save(folder / "broken.jpg")
    whole = (folder / "broken.jpg").read_bytes()
    (folder / "broken.jpg").write_bytes(whole[: len(whole) - 60])
    (folder / "broken.gif").write_bytes(b"GIF89a no more")
    np.savetxt(folder / "wide.csv", np.ones((2, 9)), delimiter=",")
    (folder / "empty").mkdir(exist_ok=True)
    shutil.copy(picture, folder / "good.png")


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: f"{case[0]}-{case[1]}-{'+'.join(case[2])}")
def test_one_sentence(case: tuple[str, str, list[str], str], write: Write, request: pytest.FixtureRequest) -> None:
    """In English and Chinese by turns, whatever the language of the machine."""
    scene, model, words, told = case
    chinese = MISTAKES.index(case) % 2 == 1
    main = write(scene, model, "zh" if chinese else "en")
    spoil(main.parent)
    words = ["empty"] if words == ["."] else words
    status, _, said = ask(main, *words, LC_ALL="C.UTF-8" if chinese else "zh_CN.UTF-8")
    assert status == 1 and said.count("\n") == 1, said
    assert said.startswith("出错了：" if chinese else "Problem: ") and (chinese or told in said), said


@pytest.mark.parametrize(
    "scene, model", [("basic", "digits"), ("basic", "shapes"), ("camera", "shapes"), ("api", "shapes")]
)
def test_one_bad_picture_does_not_end_a_folder(scene: str, model: str, write: Write) -> None:
    """It is named, once, and the others are answered."""
    main = write(scene, model, **({"PORT": 0} if scene == "api" else {}))
    spoil(main.parent)
    photos = main.parent / "sim"
    shutil.copy(main.parent / "broken.jpg", photos / "05.jpg")
    (photos / "folder.jpg").mkdir()
    status, printed, said = ask(main, *(["sim"] if scene == "basic" else ["--sim"]), QINGZHOU_LANG="en")
    assert status == 0 and "Traceback" not in said, said
    assert (printed + said).count("damaged or cut off") == 1, printed + said
    kind = model if scene == "basic" else scene
    answers = {"digits": "Result: ", "shapes": "Found ", "api": "[sim] asked: ", "camera": "%"}[kind]
    assert printed.count(answers) == (2 if scene == "camera" else 3), printed  # the camera tells what changes


def test_of_several_pictures_without_a_good_one_the_last_is_the_problem(write: Write) -> None:
    main = write("basic", "digits")
    spoil(main.parent)
    status, printed, said = ask(main, "no.png", "broken.jpg", QINGZHOU_LANG="en")
    assert status == 1 and not printed and [line.split(":")[0] for line in said.splitlines()] == ["Left out", "Problem"]
    assert ask(main, "no.png", "good.png")[1].startswith("good.png\nResult: ")


@pytest.mark.parametrize("model", ["digits", "shapes", "iris", "text", "moves", "values"])
def test_the_simulator_of_programs_that_need_none(model: str, write: Write) -> None:
    """They answer the model's own sample."""
    main = write("basic", model)
    assert run(main, "--sim") == run(main) != ""


@pytest.mark.parametrize("damage", ["gone", "text", "empty"])
def test_a_model_that_is_missing_or_none(damage: str, write: Write) -> None:
    main = write("basic", "digits", "zh")
    model = main.parent / "digits.onnx"
    model.unlink()
    if damage != "gone":
        model.write_text("hello" if damage == "text" else "")
    status, printed, said = ask(main)
    assert (
        status == 1 and not printed and said.startswith("出错了：") and "digits.onnx" in said and said.count("\n") == 1
    )


@pytest.mark.parametrize(
    ("model", "other", "language"),
    [("text", "digits", "zh"), ("iris", "digits", "en"), ("digits", "iris", "zh")],
)
def test_a_runtime_of_another_program(model: str, other: str, language: str, write: Write) -> None:
    """A program and its model were copied to others, and the runtime was not."""
    main = write("basic", model, language)
    code = main.read_text("utf-8")
    write("basic", other)
    main.write_text(code, "utf-8")
    status, _, said = ask(main)
    begin = "出错了：文件夹 qingzhou_runtime" if language == "zh" else "Problem: the folder qingzhou_runtime"
    assert status == 1 and said.startswith(begin) and said.count("\n") == 1, said


def test_who_reads_the_answers_has_seen_enough(write: Write) -> None:
    """As with `python main.py photos | head`."""
    main = write("basic", "digits")
    process = subprocess.Popen(
        [PYTHON, "-u", str(main), "sim"],
        cwd=main.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(60) == 1 and b"Traceback" not in said and b"Broken" not in said


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_without_the_runtime_it_says_what_to_copy(path: Path, tmp_path: Path) -> None:
    """-S leaves out what is installed. The same where the folder is there, but empty."""
    main = Path(shutil.copy(path, tmp_path / "main.py"))
    text = "请把 qingzhou_runtime 文件夹" if path.stem.endswith("zh") else "Copy the whole folder qingzhou_runtime"
    status, printed, said = ask(main, options=("-S",))
    assert status == 1 and not printed and said.startswith(text) and said.count("\n") == 1, said
    if path.parent.name == "camera":
        (tmp_path / "qingzhou_runtime").mkdir()
        assert ask(main, options=("-S",))[2].startswith(text)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("bundled", [False, True])
def test_without_numpy_it_says_how_to_install_it(language: str, bundled: bool, write: Write) -> None:
    main = write("camera", "shapes", language)
    if bundled:
        (main.parent / ("install.bat" if sys.platform == "win32" else "install.sh")).touch()
    status, _, said = ask(main, options=("-S",), LC_ALL="C.UTF-8")
    assert status == 1 and "numpy" in said and said.startswith("Problem: " if language == "en" else "出错了：")
    assert ("install." if bundled else "pip install numpy Pillow") in said and said.count("\n") == 1


@pytest.mark.parametrize("number", range(0, len(PROGRAMS), 2))
def test_help(number: int, write: Write) -> None:
    """Every other program in English, the others in Chinese: what stands at its top, before a model is opened."""
    path = PROGRAMS[number + number // 2 % 2]
    main = write("camera", "shapes")
    shutil.rmtree(main.parent / "qingzhou_runtime")
    shutil.copytree(SCENES.parent / "runtime", main.parent / "qingzhou_runtime")
    shutil.copy(path, main)
    assert (
        run(main, "--help").strip()
        == (ast.get_docstring(ast.parse(path.read_text("utf-8")), clean=False) or "").strip()
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal")
def test_ctrl_c(write: Write) -> None:
    """Also while the program is still importing."""
    main = write("api", "shapes", "zh", PORT=0)
    command, more = [PYTHON, str(main)], environment(PYTHONUNBUFFERED="1")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=more)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.decode("utf-8")) == (130, "已结束。\n")
    main.write_text('"""识别"""\nimport qingzhou_runtime\nraise KeyboardInterrupt\n', "utf-8")
    assert ask(main) == (130, "", "已结束。\n")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_pupil_can_read_it(path: Path) -> None:
    """At most sixty lines; what is changed stands at the top, in capital letters, each with what it is for."""
    code = path.read_text("utf-8")
    assert len(code.splitlines()) <= 60 and ("\nwords = start(__doc__)" in code or "\nstart(__doc__)" in code)
    top = code.partition("start(__doc__)")[0].splitlines()
    constants = [line for line in top if line.partition(" = ")[0].isupper()]
    assert constants and all("  # " in line for line in constants)
    other = {"en": "zh", "zh": "en"}[path.stem[-2:]]
    twin = path.with_name(path.stem[:-2] + other + ".py")
    names = [
        [line.partition(" = ")[0] for line in text.splitlines() if line.partition(" = ")[0].isupper()]
        for text in (code, twin.read_text("utf-8"))
    ]
    assert names[0] == names[1]
