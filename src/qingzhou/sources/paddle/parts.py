"""Which files a model of Paddle consists of, however it came: either of the pair, a folder, or a zip of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ...errors import QingzhouError, UnsupportedCheckpoint
from ...files.refusals import short
from ..source import Opened
from .heads import INFO, LABELS, OLDEST, PARAMETERS, PROGRAMS, SETTINGS, base, stem_of
from .refuse import refused


class Parts(NamedTuple):
    """Names of members, "" for what is not there.

    alone  the file itself is the program, or the parameters, and nothing else lies beside it
    """

    program: str
    parameters: str
    info: str
    settings: str
    labels: str


def parts_of(opened: Opened) -> Parts:
    """UnsupportedCheckpoint for several models, and for one whose half is missing, which it names."""
    names = list(opened.members) or [opened.path.name]
    if opened.whole is not None and not opened.head.startswith(b"PK"):
        return _around(opened.path.name, names)
    programs = [name for name in names if name.endswith(".pdmodel") or base(name) == OLDEST[0]]
    files = [name for name in names if name.endswith(PARAMETERS) or base(name) == OLDEST[1]]
    programs += [
        name for name in names if name.endswith(".json") and (stem_of(name) + PARAMETERS in files or not files)
    ]
    stems = list(dict.fromkeys(stem_of(name) for name in [*programs, *files]))
    if len(stems) > 1 and len(files) != 1:
        raise refused(
            f"it holds several models: {', '.join(short(stem) for stem in stems[:4])}",
            f"其中有多个模型：{'、'.join(short(stem) for stem in stems[:4])}",
            "Give the files of one of them",
            "请只给出其中一个模型的文件",
        )
    if not stems:
        raise missing("model.json", "model.pdmodel")
    return _around(files[0] if files else programs[0], names)


def _around(name: str, names: Collection[str]) -> Parts:
    """What belongs to one of the pair."""
    stem, oldest = stem_of(name), base(name) in OLDEST
    folder = name.rpartition("/")[0]
    first = f"{folder}/" if folder else ""
    programs = [first + OLDEST[0]] if oldest else [stem + suffix for suffix in PROGRAMS]
    program = _there(programs, names)
    parameters = _there([first + OLDEST[1] if oldest else stem + PARAMETERS], names)
    if not program and not name.endswith(PARAMETERS):
        program = name
    beside = [_there([first + one for one in row], names) for row in (SETTINGS, LABELS)]
    return Parts(program, parameters, _there([stem + INFO], names), *beside)


def _there(wanted: Iterable[str], names: Collection[str]) -> str:
    return next((name for name in wanted if name in names), "")


def missing(*names: str) -> QingzhouError:
    """The half that is not there, by its name."""
    last = [name.rpartition("/")[2] for name in names]
    return UnsupportedCheckpoint(
        en=f"The other half of the model is missing: {' or '.join(map(short, last))}. A model of Paddle is two files, "
        "a program and its parameters. Put both of them into one folder, and give either, or that folder; on the "
        "page, choose both of them together.",
        zh=f"缺少模型的另一半：{' 或 '.join(map(short, last))}。飞桨模型由程序和参数两个文件组成。请把它们放进同一个"
        "文件夹，再指定其中任意一个或该文件夹；在网页上请把两个文件一起选中。",
    )
