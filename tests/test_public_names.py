"""The door: few names, each of which is there; the verbs' arguments, since published programs use them."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

import qingzhou
from qingzhou.cli import main

NAMES = ["Card", "Model", "QingzhouError", "convert", "load", "quantize", "teach", "use_language"]
SOURCE = Path(qingzhou.__file__).parents[1]


def test_exactly_these_names() -> None:
    assert qingzhou.__all__ == NAMES
    for name in NAMES:
        found = getattr(qingzhou, name)
        assert callable(found) and found.__name__ == name and found.__doc__
    with pytest.raises(AttributeError, match="nonsense"):
        qingzhou.nonsense  # noqa: B018 - that is the test


def test_verbs_that_are_loaded_when_asked_for_are_where_they_are_said_to_be() -> None:
    """All that a module of verbs defines is said, so that none is there only after another was asked for."""
    for module in set(main.homes.values()):
        importlib.import_module(module, "qingzhou")
    assert {name: verb.callback.__module__ for name, verb in main.commands.items() if name in main.homes} == {
        name: f"qingzhou{module}" for name, module in main.homes.items()
    }
    assert set(main.commands) == set(main.list_commands(click.Context(main)))


def test_no_room_is_called_like_a_public_name() -> None:
    """Importing a room sets its name in the package: one called `convert` would hide the function of that name."""
    rooms = {path.stem for path in (SOURCE / "qingzhou").iterdir()}
    assert not rooms & set(NAMES)
    code = "import qingzhou.cli, qingzhou.conversion, qingzhou.model, qingzhou.quant, qingzhou; "
    code += "assert all(callable(getattr(qingzhou, name)) for name in qingzhou.__all__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_arguments_of_convert() -> None:
    arguments = list(inspect.signature(qingzhou.convert).parameters)
    assert arguments[:8] == ["path", "out", "labels", "input_size", "opset", "ir_version", "network", "check"]


def test_methods_of_a_model() -> None:
    public = {name for name in vars(qingzhou.Model) if not name.startswith("_")}
    assert {"card", "check", "predict", "predictor", "proto", "save"} <= public


@pytest.mark.parametrize("words", [["--help"], ["convert", "--help"], ["run", "-h"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv[1:] = {words!r}\n"
        "from qingzhou.cli import main\ntry: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "heavy = {'numpy', 'onnx', 'onnxruntime', 'rich', 'PIL', 'torch', 'google'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr


@pytest.mark.parametrize(("lang", "usage"), [("en", "Usage: "), ("zh", "用法：")])
def test_without_the_command_on_the_path(lang: str, usage: str) -> None:
    """`python -m qingzhou` is the same program, and calls itself as it was called."""
    environ = {**os.environ, "QINGZHOU_LANG": lang, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "qingzhou"]
    shown = subprocess.run([*command, "convert", "-h"], cwd=SOURCE, env=environ, capture_output=True, encoding="utf-8")
    assert shown.returncode == 0 and shown.stdout.startswith(f"{usage}python -m qingzhou convert "), shown.stderr
    missing = subprocess.run([*command, "convert", "none.pth"], cwd=SOURCE, env=environ, capture_output=True)
    assert missing.returncode == 1 and b"none.pth" in missing.stderr


@pytest.mark.parametrize(
    ("before", "late"),
    [("", False), ("import threading; threading.Thread(target=threading.main_thread().join).start()", True)],
    ids=["alone", "another thread at work"],
)
def test_a_verb_ends_at_once(before: str, late: bool) -> None:
    """All that was printed is there; what Python takes apart is not waited for, unless somebody else is at work."""
    code = f"import atexit, sys, time; atexit.register(print, 'late')\n{before}\nsys.argv[1:] = ['--version']\n"
    code += "from qingzhou.__main__ import run; run()"
    done = subprocess.run([sys.executable, "-c", code], cwd=SOURCE, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and qingzhou.__version__ in done.stdout, done.stderr
    assert ("late" in done.stdout) is late


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_what_could_not_be_printed_is_no_success() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "qingzhou", "--version"], cwd=SOURCE, stdout=full, check=False)
    assert done.returncode


@pytest.mark.parametrize("own", ["", "3"])
def test_numpy_starts_no_threads_for_a_verb(own: str) -> None:
    """They spin, and cost more than the verb; what somebody has set stays."""
    code = "import os, sys; sys.argv[1:] = ['convert', 'none.pth']\n"
    code += "from qingzhou.cli import main\ntry: main()\nexcept SystemExit: print(os.environ['OPENBLAS_NUM_THREADS'])"
    environ = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environ |= {"OPENBLAS_NUM_THREADS": own} if own else {}
    done = subprocess.run([sys.executable, "-c", code], cwd=SOURCE, env=environ, capture_output=True, text=True)
    assert done.stdout.strip() == (own or "1"), done.stderr
