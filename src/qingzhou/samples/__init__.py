"""The code that a conversion writes beside the model: real, runnable programs, of which only MODEL is changed."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from ..errors import language
from ..runtime.card import Card
from ..whole_file import write_text

RUNTIME = "qingzhou_runtime"  # the folder beside the sample: a copy of qingzhou/runtime


def write_sample(model: Path, card: Card) -> Path:
    """Write `model`.py and the runtime it imports, next to the model; returns the path of the program."""
    source = files(__name__) / f"{_kind(card)}_{language()}.py"
    code = re.sub(r'^MODEL = ".*?"', lambda _: f"MODEL = {_quoted(model.name)}", source.read_text("utf-8"), flags=re.M)
    program = model.with_suffix(".py")
    copy_runtime(model.parent / RUNTIME)
    write_text(program, code)
    return program


def _kind(card: Card) -> str:
    """Which of the programs here fits the model."""
    if card.input.kind == "tokens":
        return "text"
    return card.input.kind if card.task == "classification" else "values"


def copy_runtime(folder: Path) -> None:
    """Copy the device runtime, file by file; a file that is already the same stays untouched."""
    folder.mkdir(exist_ok=True)
    for source in (files("qingzhou") / "runtime").iterdir():
        target = folder / source.name
        if source.name.endswith(".py"):
            text = source.read_text("utf-8")
            if not target.exists() or target.read_bytes() != text.encode("utf-8"):
                write_text(target, text)


def _quoted(name: str) -> str:
    """A Python string literal in double quotes, with Chinese kept readable."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
