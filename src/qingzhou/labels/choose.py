"""The labels that a model gets: those that the user gives, else those of the file, else numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..assumed import NAMED
from ..errors import LabelError, say
from ..files.types import TensorRef
from ..spelling import class_names
from .files import read_label_option
from .text import lines
from .values import SURE, Labels, read_labels
from .words import AROUND, SHOWN


def named_in(*places: object) -> object:
    """What the first of these dicts that names classes says of them, still to be read; None where none does.

    Several entries of one dict are given together, so that the reader sees whether they agree.
    """
    for place in places:
        if isinstance(place, Mapping):
            found = {entry: place[entry] for entry in SURE if _names_classes(place.get(entry))}
            if found:
                return found if len(found) > 1 else next(iter(found.values()))
    return None


def _names_classes(value: object) -> bool:
    """Whether there are names in it, good or bad."""
    if isinstance(value, TensorRef):
        return False
    if isinstance(value, (list, tuple)) and any(isinstance(one, str) and one.strip(AROUND) for one in value[:1]):
        return True
    try:
        return bool(read_labels(value).names)
    except LabelError:
        return True


def read_label_lines(given: Sequence[str]) -> Labels:
    """Names as somebody typed or pasted them, one a line, or "0 cat"; never the name of a file. LabelError"""
    return read_labels(lines(given))


def choose_labels(named: object, given: object, classes: int) -> Labels:
    """One name for each class. `named` is what the file says, `given` what the user does (None: nothing).

    LabelError if their number is not that of the classes, or as read_labels().
    """
    labels = read_labels(named) if given is None else read_label_option(given, classes)
    misfit = len(labels.names) != classes
    if given is None and (not labels.names or (misfit and isinstance(named, str))):
        return _numbers(classes, named if labels.names else None)
    if misfit:
        raise wrong_number(labels.names, classes)
    return labels if given is None else _beside(labels, named)


def _beside(given: Labels, named: object) -> Labels:
    """The labels that were given, with a note where the file has the same names in another order."""
    try:
        said = read_labels(named).names
    except LabelError:  # the reason why others were given
        return given
    if said == given.names or sorted(said) != sorted(given.names):
        return given
    ours, theirs = (", ".join(names[:6]) for names in (given.names, said))
    note = say(
        en=f"The classes are called {ours} as you say, but the file has them in another order: {theirs}. Check with "
        "evaluate which is right.",
        zh=f"类别按您给出的顺序是 {ours}，但文件里的顺序是 {theirs}。请用 evaluate 检查哪个正确。",
    )
    return replace(given, notes=(*given.notes, note))


def _numbers(classes: int, text: Any) -> Labels:
    """Numbers where there are no names; `text` is one that does not fit the network, such as the path of a list."""
    said = text is not None
    note = say(
        en=f"The file names no classes{f' but for the text {text[:SHOWN]!r}' if said else ''}, so they are numbered "
        f"0 to {classes - 1}; {NAMED[0]}.",
        zh=f"文件里没有类别名称{f'（只有文本 {text[:SHOWN]!r}）' if said else ''}，暂用编号 0 到 {classes - 1}；"
        f"{NAMED[1]}。",
    )
    return Labels(tuple(map(str, range(classes))), notes=(note,), assumed=True)


def wrong_number(names: Sequence[str], classes: int) -> LabelError:
    """More or fewer names than classes."""
    some = [name[:SHOWN] for name in names[:5]]
    return LabelError(
        en=f"{len(names)} labels ({', '.join(some)}), but the network has {classes} outputs. "
        f"Give exactly one label per output, in the order of training: {class_names('a', 'b', 'c')}",
        zh=f"有 {len(names)} 个标签（{'、'.join(some)}），但网络有 {classes} 个输出。"
        f"请按训练时的顺序给每个输出一个标签：{class_names('a', 'b', 'c')}",
    )


def named_already() -> LabelError:
    """Labels for a model that is converted and has its own."""
    return LabelError(
        en="The labels of a finished .onnx model cannot be changed. Convert the checkpoint (.pth) it was made from "
        "with other labels, or leave the labels as they are.",
        zh="已转换的 .onnx 模型不能再修改类别名称。请用新的名称重新转换原来的权重文件（.pth），或保留现有的名称。",
    )
