"""Pictures in a folder for each class, and MMEdu's data sets (ImageNet's layout with lists).

MMEdu: training_set/, val_set/, test_set/ with a folder for each class; classes.txt with one class a line; val.txt and
test.txt with lines "cat/1.jpg 0", where the number counts the lines of classes.txt from 0.
Source: the MMEdu handbook, "MMEdu的数据集格式详解".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path, PurePosixPath

from ..errors import say
from ..labels import SPLITS, folders_in, read_label_file, split_folders
from ..runtime.model.fields import DIGITS
from ..runtime.read import as_words, beside, counted, is_picture
from .places import data_error, files_in, find, read_lines
from .result import Case, Dataset

CLASSES = "classes.txt"
LISTS = {"test": ("test.txt",), "val": ("val.txt", "valid.txt"), "train": ("train.txt",)}


def looks_like_mmedu(path: Path) -> bool:
    """Whether there is a class list, a list of pictures, or one of MMEdu's folders."""
    lists = (CLASSES, *(name for names in LISTS.values() for name in names))
    return any((path / name).is_file() for name in lists) or any((path / name).is_dir() for name, *_ in SPLITS.values())


# -- a folder for each class ----------------------------------------------------------------------------------------


def read_folders(path: Path) -> Dataset:
    """DATA/cat/*.jpg, or the same below test, val or train."""
    for split, folder in split_folders(path):
        if folders_in(folder):
            return _classes(path, folder, "folders", split)
    return _classes(path, path, "folders", "all")


def _classes(path: Path, folder: Path, layout: str, split: str, notes: Sequence[str] = ()) -> Dataset:
    classes = folders_in(folder) if folder.is_dir() else []
    empty = [c.name for c in classes if next(files_in(c), None) is None]
    if len(empty) == len(classes):
        raise data_error(
            en=f"{folder} holds no folders with pictures; expected one for each class: {folder}/cat/1.jpg",
            zh=f"{folder} 里没有装有图片的文件夹，应为每个类别一个文件夹，例如 {folder}/cat/1.jpg",
        )
    loose = [file.name for file in folder.iterdir() if file.is_file() and is_picture(file)]
    return Dataset(
        path,
        layout,
        split,
        "labels",
        lambda: _in_folders(classes),
        notes=[*notes, *_empty_note(empty), *_loose_note(loose), *_left_note(classes), *train_note(split)],
        truths=[folder.name for folder in classes if folder.name not in empty],
    )


def _in_folders(classes: Sequence[Path]) -> Iterator[Case]:
    for folder in classes:
        for file in files_in(folder):
            yield Case(str(file), file, folder.name)


# -- MMEdu ----------------------------------------------------------------------------------------------------------


def read_mmedu(path: Path) -> Dataset:
    """The test part, else the validation part, else the training part, by its list or its folders."""
    names = read_label_file(path / CLASSES).by_number if (path / CLASSES).is_file() else ()
    notes: list[str] = []
    for split, folders in SPLITS.items():
        folder = next((path / name for name in folders if (path / name).is_dir()), None)
        listed = next((path / name for name in LISTS[split] if (path / name).is_file()), None)
        if listed is not None and _has_answers(listed):
            roots = [folder, path] if folder else [path]
            more = [*notes, *train_note(split)]
            truths = {_truth(_label(line)[1]) for line in read_lines(listed)}
            return Dataset(
                path,
                "mmedu",
                split,
                "labels",
                lambda f=listed, r=roots: _in_list(f, r, names),  # type: ignore[misc]  # both as they are now
                names,
                more,
                truths,
                positions=True,
            )
        if folder is not None and any(next(files_in(c), None) for c in folders_in(folder)):
            return _classes(path, folder, "mmedu", split, notes)
        if folder is not None or listed is not None:
            name = (folder or listed or path).name
            notes.append(say(f"{name} holds no answers and was left out.", f"{name} 里没有答案，未使用。"))
    return _classes(path, path, "mmedu", "all", notes)


def _has_answers(listed: Path) -> bool:
    """Whether the lines have a label behind the name: a test list may come without."""
    lines = read_lines(listed)
    return bool(lines) and _label(lines[0])[1] != ""


def _label(line: str) -> tuple[str, str]:
    """ "my cat/1.jpg 0" -> the name and the label; no label where the last word belongs to the name."""
    name, _, label = line.rpartition(" ") if " " in line else line.rpartition("\t")
    if not name or is_picture(Path(label)):
        return line, ""
    return name.strip(), label


def _truth(label: str) -> str | int:
    """A number, or a name."""
    return int(label) if label.isascii() and label.isdigit() and len(label) <= DIGITS else label


def _in_list(listed: Path, roots: Sequence[Path], names: Sequence[str]) -> Iterator[Case]:
    for line, text in enumerate(read_lines(listed), start=1):
        name, label = _label(text)
        truth = _truth(label)
        wrong = _contradiction(listed, line, name, truth, names)
        found = find(name, roots) if wrong is None else wrong
        if label == "" or isinstance(found, Exception):
            error = found if isinstance(found, Exception) else _no_label(listed, line)
            yield Case(f"{listed.name}:{line} {name}", None, error)
        else:
            yield Case(str(found), found, truth)


def _contradiction(listed: Path, line: int, name: str, truth: str | int, names: Sequence[str]) -> Exception | None:
    """A list whose number names another class than the folder does: made with classes.txt in another order."""
    folder = PurePosixPath(name.replace("\\", "/")).parent.name
    said = names[truth] if isinstance(truth, int) and truth < len(names) else truth
    if folder not in names or said not in names or said == folder:
        return None
    return data_error(
        en=f"Line {line} of {listed.name} gives {name} the label {truth}, which is {said} in {CLASSES}, but it lies in "
        f"the folder {folder}. Put {CLASSES} in the order that the numbers were counted in.",
        zh=f"{listed.name} 第 {line} 行给 {name} 的标签是 {truth}，在 {CLASSES} 里是 {said}，"
        f"但图片在文件夹 {folder} 里。请让 {CLASSES} 的顺序与编号一致。",
    )


def _no_label(listed: Path, line: int) -> Exception:
    return data_error(
        en=f"Line {line} of {listed.name} has no label; expected for example: cat/1.jpg 0",
        zh=f"{listed.name} 第 {line} 行没有标签，应为例如：cat/1.jpg 0",
    )


# -- notes ----------------------------------------------------------------------------------------------------------


def train_note(split: str) -> list[str]:
    """What to say of training data."""
    text = say(
        "These are training data, which the model has seen: on new data it will be worse.",
        "这是训练数据，模型已经见过：遇到新数据时效果会更差。",
    )
    return [text] if split == "train" else []


def _empty_note(empty: Sequence[str]) -> list[str]:
    names = ", ".join(empty[:8])
    return [say(f"Folders without pictures: {names}", f"没有图片的文件夹：{names}")] if empty else []


def _loose_note(loose: Sequence[str]) -> list[str]:
    text = say(
        f"{len(loose)} pictures lie in no class's folder and were left out, such as {loose[0] if loose else ''}.",
        f"{len(loose)} 张图片不在任何类别文件夹里，未使用，例如 {loose[0] if loose else ''}。",
    )
    return [text] if loose else []


def _left_note(classes: Sequence[Path]) -> list[str]:
    """What lies in the classes' folders and is no picture by its name."""
    left = as_words(counted(chain.from_iterable(beside(folder) for folder in classes)))
    return [say(f"Left out, since they are no pictures: {left}", f"不是图片，未使用：{left}")] if left else []
