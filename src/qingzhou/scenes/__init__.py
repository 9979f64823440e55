"""The programs that are written beside a model: real and runnable; only the constants at their top are changed.

    table.py    the scenes, and which models each takes
    fill.py     a program with other values for its constants
    needs.py    which modules of the runtime a program needs
    names.py    what a program is called beside its model
    actions.py  "speak" or "pin:24" as rules that a person can read

A folder for each scene holds its program in English and Chinese; basic/ has one for each kind of model.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from ..assumed import as_comment, assumed_text, without_comment
from ..errors import FileMissing, language
from ..own_files import is_plain, program_place
from ..runtime.file import open_file
from ..runtime.model.card import Card
from ..whole_file import write_all, write_text
from .fill import fill
from .names import program_name, told_of
from .needs import RUNTIME, file_of, module, modules, needs
from .table import SCENES, Scene, find

__all__ = ["RUNTIME", "SCENES", "Scene", "copy_runtime", "needs", "program", "told_of", "write_sample"]
HERE = Path(__file__).parent
LONGEST = 1 << 20  # bytes of a program that may be ours


def program(scene: str, card: Card, language: str, constants: Mapping[str, object]) -> str:
    """The text of a scene's program for a model, in "en" or "zh", with these values for its constants.

    OptionError if there is no such scene, it takes no such model, or it has no such constant.

    >>> program("camera", card, "zh", {"MODEL": "cat.onnx", "RULES": ['when "cat" above 0.8: speak("小猫")']})
    """
    place = HERE / find(scene, card).name
    name = "main" if scene != "basic" else "several" if card.others else card.kind
    return fill(place.joinpath(f"{name}_{language}.py").read_text("utf-8"), constants)


def write_sample(model: Path, card: Card) -> Path:
    """Write `model`.py and what it needs of the runtime, next to the model; returns the path of the program.

    A program of that name that is not as we write it for this model is somebody's work, or another model's, and stays:
    ours becomes `model`_run.py. Of a model that is called as a module is, it becomes `model`_model.py.
    """
    told = as_comment(assumed_text(card.input, card.assumed, card.tool))
    code = told + program("basic", card, language(), {"MODEL": model.name})
    copy_runtime(model.parent / RUNTIME, needs([code], [card]))
    target = program_place(program_name(model), lambda path: _is_ours(path, model.name))
    write_text(target, code)
    return target


def _is_ours(path: Path, model: str) -> bool:
    """Whether a program is as it is written for this model: of whatever kind it was before, in either language."""
    found = without_comment(_text(path))
    sources = (source.read_text("utf-8") for source in (HERE / "basic").glob("*.py"))
    alike = (source for source in sources if source.split("\n", 1)[0] == found.split("\n", 1)[0])
    return any(found == fill(source, {"MODEL": model}) for source in alike)


def _text(path: Path) -> str:
    """What a program holds, of a long file the beginning; "" where it cannot be read, or is no file."""
    try:
        with open_file(path) as file:
            return str(file.read(LONGEST).decode("utf-8", "replace").replace("\r\n", "\n"))
    except (FileMissing, OSError):
        return ""


def copy_runtime(folder: Path, wanted: Collection[str] | None = None) -> None:
    """Copy the wanted modules of the runtime, by default all; what other programs there need stays.

    Where one is of another version, all are copied: the programs there may need any, and must not get a mixture. That
    goes for one that lies elsewhere now, too, which is removed.
    OutputError where something would be written through a link.
    """
    there = {name: _text(folder / file_of(name)) for name in modules() if os.path.lexists(folder / file_of(name))}
    old = [name for name, code in there.items() if code != module(name)]
    gone = [
        name for name in (file_of(one.rpartition(".")[2]) for one in modules() if "." in one) if is_plain(folder / name)
    ]
    everything = old or gone or wanted is None
    missing = [name for name in (modules() if everything else wanted or ()) if name not in there or name in old]
    if missing or gone:
        write_all(folder, {file_of(name): module(name) for name in missing}, gone)
