"""Where the vendors' environments lie, and whether one is there."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import ExtraMissing, FileMissing
from ..runtime.errors import spaced
from .target import Recipe, Target

FOLDER = "QINGZHOU_TARGETS"  # of all environments
PYTHON = "QINGZHOU_TARGET_{}"  # of one that somebody else has made: the path of its Python
RECIPE = "recipe.json"  # in a finished environment: what it was made of


@dataclass(frozen=True)
class Place:
    """Of a target's environment.

    python   None where there is none, or one of other versions than are known to work together
    stale    whether there is one of other versions
    foreign  whether somebody else has made it, and named its Python
    """

    folder: Path
    python: Path | None
    stale: bool = False
    foreign: bool = False


def home() -> Path:
    """The folder of all environments: $QINGZHOU_TARGETS, else in the user's own data folder."""
    if named := os.environ.get(FOLDER):
        return Path(named)
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        data = Path.home() / "Library/Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
    return data / "qingzhou" / "targets"


def place_of(target: Target) -> Place:
    """Where its environment is, or would be; FileMissing where a Python was named that is not there."""
    folder, variable = home() / target.name, PYTHON.format(target.name.upper())
    if named := os.environ.get(variable):
        if not Path(named).is_file():
            raise FileMissing(
                en=f"{variable} names {named}, which is not there; expected the Python of an environment with "
                f"{target.english}'s compiler. Correct the variable, or leave it out.",
                zh=f"{variable} 指向的 {named} 不存在，应为装有{target.chinese}编译器的环境里的 Python。"
                "请更正或去掉这个变量。",
            )
        return Place(folder, Path(named), foreign=True)
    made = recipe_in(folder)
    if made is None:
        return Place(folder, None)
    return Place(folder, python_in(folder)) if made == as_text(target.recipe) else Place(folder, None, stale=True)


def python_in(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def recipe_in(folder: Path) -> str | None:
    """What an environment says that it was made of; None where there is no finished one."""
    try:
        return (folder / RECIPE).read_text("utf-8") if python_in(folder).exists() else None
    except (OSError, UnicodeDecodeError):
        return None


def as_text(recipe: Recipe) -> str:
    """What decides whether an environment is still the right one."""
    return json.dumps({"packages": recipe.packages, "bare": recipe.bare}, indent=1) + "\n"


def needed(target: Target) -> Path:
    """The Python of its environment; ExtraMissing, which says how it is made."""
    place = place_of(target)
    if place.python is None:
        size = f"{target.recipe.megabytes / 1000:.1f} GB"
        en, zh = ("is not installed", "还没有安装")
        if place.stale:
            en, zh = "is there in other versions than this Qingzhou works with", "已安装，但版本与这个轻舟所用的不同"
        raise ExtraMissing(
            en=f"{target.english}'s compiler {en}. Install it ({size}; you are asked first): qingzhou targets install "
            f"{target.name}",
            zh=f"{target.chinese}的编译器{spaced(zh)}。"
            f"请安装（{size}，会先询问）：qingzhou targets install {target.name}",
        )
    return place.python
