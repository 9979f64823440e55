"""The code that a conversion writes beside the model: real, runnable programs, of which only MODEL is changed."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from ..errors import OutputError, language
from ..runtime.card import Card
from ..whole_file import write_text

RUNTIME = "qingzhou_runtime"  # the folder beside the sample: a copy of qingzhou/runtime


def write_sample(model: Path, card: Card) -> Path:
    """Write `model`.py and the runtime it imports, next to the model; returns the path of the program.

    A program of that name that is not as we write it is somebody's work and stays: ours becomes `model`_run.py.
    """
    code = _naming(model.name, (files(__name__) / f"{_kind(card)}_{language()}.py").read_text("utf-8"))
    copy_runtime(model.parent / RUNTIME)
    ours = {_naming("", source.read_text("utf-8")) for source in files(__name__).iterdir() if source.name[-3:] == ".py"}
    program = next(path for path in _names(model) if not path.exists() or _naming("", _text(path)) in ours)
    write_text(program, code)
    return program


def _naming(model: str, code: str) -> str:
    """The program, for the model of this name."""
    return re.sub(r'^MODEL = ".*"(?=  #)', lambda _: f"MODEL = {_quoted(model)}", code, count=1, flags=re.M)


def _names(model: Path) -> Iterator[Path]:
    """best.py, best_run.py, best_run2.py, …"""
    yield model.with_suffix(".py")
    yield from (model.with_name(f"{model.stem}_run{n if n > 1 else ''}.py") for n in itertools.count(1))


def _text(path: Path) -> str:
    """What a program holds; "" where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def _kind(card: Card) -> str:
    """Which of the programs here fits the model."""
    if card.input.kind == "tokens":
        return "text"
    if card.task == "detection":
        return "detect"
    return card.input.kind if card.task == "classification" else "values"


def copy_runtime(folder: Path) -> None:
    """Copy the device runtime, file by file; a file that is already the same stays untouched."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as err:
        raise OutputError(
            en=f"Cannot make the folder {folder}, which the program needs: {err.strerror}. Move what is in its place.",
            zh=f"无法建立程序需要的文件夹 {folder}：{err.strerror}。请移走同名的文件。",
        ) from None
    for source in (files("qingzhou") / "runtime").iterdir():
        target = folder / source.name
        if source.name.endswith(".py"):
            text = source.read_text("utf-8")
            if not target.exists() or target.read_bytes() != text.encode("utf-8"):
                write_text(target, text)


def _quoted(name: str) -> str:
    """A Python string literal in double quotes, with Chinese kept readable."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
