"""Files and folders that name classes, and what a user gives as labels."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ..errors import LabelError, say
from ..runtime.file import open_file
from ..runtime.read import is_systems
from .decode import read_text
from .parts import SPLITS, class_folders, folders_in, unwrapped
from .text import parse
from .values import Labels, read_labels
from .words import label_error

LISTS = (
    "classes.txt",
    "labels.txt",
    "class_names.txt",
    "classes.names",
    "obj.names",
    "labels/classes.txt",
    "data.yaml",
    "data.yml",
    "dataset.yaml",
    "class_indices.json",
    "classes.json",
    "labels.json",
)
SUFFIXES = (".txt", ".json", ".yaml", ".yml", ".names", ".csv", ".tsv", ".npy", ".pbtxt")
TRAINED = [name for split in ("train", "val", "test") for name in SPLITS[split]]  # the best to count classes by first


def read_label_option(given: object, classes: int | None = None) -> Labels:
    """What a user gives as labels: "cat,dog", a file or folder that names them, or any value of read_labels().

    classes  how many the network has, where that decides whether a program's own folder counts.  LabelError
    """
    if not isinstance(given, (str, os.PathLike)) or not str(given).strip():  # "" is no folder, though Path("") is
        return read_labels(given)
    path = Path(given)
    try:
        is_there, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError):  # a text that no file can be called
        is_there = is_folder = False
    if is_folder:
        return read_label_folder(path, classes)
    if is_there:
        return read_label_file(path)
    if not isinstance(given, str) or path.suffix.lower() in SUFFIXES:
        raise label_error(
            en=f"The label file {path} does not exist. Give an existing file, or the labels themselves: cat,dog",
            zh=f"标签文件 {path} 不存在。请给出已有的文件，或直接写标签：cat,dog",
        )
    return read_labels(given)


def read_label_file(path: Path) -> Labels:
    """The classes in a list, JSON, YAML or array file; LabelError where it names none, or cannot be read."""
    labels = _told(path, lambda: read_labels(_content(path)))
    if not labels.names:
        raise label_error(
            en=f"{path} names no classes. Expected a text with one name a line, or JSON or YAML with names.",
            zh=f"{path} 里没有类别名称。应为每行一个名称的文本，或带有名称的 JSON、YAML。",
        )
    return labels


def _content(path: Path) -> object:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        try:
            with open_file(path) as file:
                return np.load(file, allow_pickle=False)
        except (ValueError, OSError, EOFError) as err:
            raise label_error(en=f"it is no array of names ({err}).", zh=f"不是名称数组（{err}）。") from None
    return parse(read_text(path), yaml=suffix in (".yaml", ".yml"))


def _told(path: Path, read: Callable[[], Labels]) -> Labels:
    """The same, its errors with the name of the file."""
    try:
        return read()
    except LabelError as err:
        if str(path) in err.en:
            raise
        raise label_error(en=f"{path}: {err.en}", zh=f"{path}：{err.zh}") from None


def read_label_folder(path: Path, classes: int | None = None) -> Labels:
    """The classes of a data set: of its list, else the folders that it was trained from. LabelError."""
    path = unwrapped(path)
    folder = _trained(path)
    names = class_folders(folder, classes)
    lists = [path / name for name in LISTS if (path / name).is_file()]
    if not lists:
        if not names:
            raise label_error(
                en=f"The folder {path} names no classes: it has neither folders nor classes.txt. Give the folder with "
                "one folder for each class, or the names themselves: cat,dog",
                zh=f"文件夹 {path} 里没有类别：既没有子文件夹，也没有 classes.txt。"
                "请指定包含各类别文件夹的文件夹，或直接写名称：cat,dog",
            )
        labels = _told(folder, lambda: read_labels(names))
        return Labels(labels.names, notes=(*labels.notes, *_order_notes(names), *_junk_notes(names)))
    labels = _agreeing(lists)
    return Labels(labels.names, labels.first, (*labels.notes, *_list_notes(lists[0], labels.names, names)))


def _trained(path: Path) -> Path:
    """The part of a data set that was trained with, else the folder itself. A part holds folders: a class may be called
    "train" as well.
    """
    parts = (path / name for name in TRAINED)
    return next((part for part in parts if part.is_dir() and folders_in(part)), path)


def _agreeing(lists: Sequence[Path]) -> Labels:
    """What all lists of a data set say alike."""
    found = [(file, read_label_file(file)) for file in lists]
    first, labels = found[0]
    for file, others in found[1:]:
        if others.names != labels.names:
            raise label_error(
                en=f"{first} says {', '.join(labels.names[:6])}, but {file} says {', '.join(others.names[:6])}. Name "
                f"the right one: --labels {first}",
                zh=f"{first} 里是 {'、'.join(labels.names[:6])}，而 {file} 里是 {'、'.join(others.names[:6])}。"
                f"请指定正确的一个：--labels {first}",
            )
    return labels


def _list_notes(listed: Path, names: Sequence[str], folders: Sequence[str]) -> list[str]:
    """Where the folders were numbered otherwise: MMEdu trains in the order of folders, and shows the list's names."""
    if not folders or list(names) == list(folders):
        return []
    return [
        say(
            f"{listed.name} says {', '.join(names[:6])}; the folders are {', '.join(folders[:6])}. Those of "
            f"{listed.name} were taken: check with evaluate that they are in the order of training.",
            f"{listed.name} 里是 {'、'.join(names[:6])}，而文件夹是 {'、'.join(folders[:6])}。已使用 {listed.name}："
            "请用 evaluate 检查顺序是否与训练时一致。",
        )
    ]


def _order_notes(names: Sequence[str]) -> list[str]:
    """Folders 1 to 10 are numbered 1, 10, 2, …"""
    if not all(name.isascii() and name.isdigit() for name in names) or sorted(names, key=int) == list(names):
        return []
    text = ", ".join(names[:4])
    return [
        say(
            f"The folders were numbered as training tools do it, as texts: {text} …",
            f"文件夹按训练工具的方式（文本顺序）编号：{text} …",
        )
    ]


def _junk_notes(names: Sequence[str]) -> list[str]:
    junk = [name for name in names if is_systems(name)]
    text = ", ".join(junk)
    return (
        [
            say(
                f"{text} counts as a class: the network has an output for it.",
                f"{text} 也算一个类别：网络有它对应的输出。",
            )
        ]
        if junk
        else []
    )
