"""The door: few names, each of which is there; the verbs' arguments, since published programs use them."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import qingzhou

NAMES = ["Card", "Model", "QingzhouError", "convert", "load", "quantize", "use_language"]
SOURCE = Path(qingzhou.__file__).parents[1]


def test_exactly_these_names() -> None:
    assert qingzhou.__all__ == NAMES
    for name in NAMES:
        found = getattr(qingzhou, name)
        assert callable(found) and found.__name__ == name and found.__doc__
    with pytest.raises(AttributeError, match="nonsense"):
        qingzhou.nonsense  # noqa: B018 - that is the test


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
        "from qingzhou.cli import main\n"
        "try: main()\n"
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
