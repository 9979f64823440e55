"""Data sets: which of the known layouts one has, and its cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import FileMissing, OptionError
from ..labels import class_folders, split_folders, unwrapped
from ..runtime.file import is_file
from ..runtime.model.card import Card
from ..runtime.model.kinds import archive, head_of
from . import coco, folders, tables, voc, yolo
from .places import data_error, files_in
from .result import Dataset
from .strangers import refuse_stranger

READERS: dict[str, Callable[[Path], Dataset]] = {
    "folders": folders.read_folders,
    "mmedu": folders.read_mmedu,
    "coco": coco.read_coco,
    "yolo": yolo.read_yolo,
    "voc": voc.read_voc,
    "csv": tables.read_csv,
    "npz": tables.read_npz,
}
LAYOUTS = ("auto", *READERS)
SUFFIXES = {
    **dict.fromkeys((".csv", ".tsv", ".xlsx", ".xls", ".ods"), "csv"),
    ".npz": "npz",
    ".json": "coco",
    **dict.fromkeys((".yaml", ".yml"), "yolo"),
    ".xml": "voc",
}
BOXES = ("coco", "yolo", "voc")  # the layouts whose answers are boxes


def read_data(path: Path, layout: str = "auto", card: Card | None = None) -> Dataset:
    """Open a data set; FileMissing, DataError, LabelError or OptionError. `card`: the model that it is for."""
    if layout not in LAYOUTS:
        raise OptionError(
            en=f"{layout!r} is no layout. Choose one of {', '.join(LAYOUTS)}.",
            zh=f"没有名为 {layout!r} 的数据格式。请从 {'、'.join(LAYOUTS)} 中选择。",
        )
    if not path.exists():
        raise FileMissing(
            en=f"There is no folder or file {path}; expected data with answers. Check the name and the folder.",
            zh=f"文件夹或文件 {path} 不存在，应为带答案的数据。请检查名称和所在的文件夹。",
        )
    if not path.is_dir():
        is_file(path)  # says so of a pipe or a device
    elif card is not None:
        path = unwrapped(path, card.labels)
    found = recognise(path, card) if layout == "auto" else layout
    return tables.read_csv(path, card) if found == "csv" else READERS[found](path)


def recognise(path: Path, card: Card | None = None) -> str:
    """The layout of a folder or file, by what is in it, and where several are by what the model needs; DataError if it
    is none that is known.
    """
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise _unknown(path)
        if path.suffix.lower() in (".json", ".xml"):
            refuse_stranger(path)
        return SUFFIXES[path.suffix.lower()]
    found = [layout for layout, looks_like in LOOKS.items() if looks_like(path)]
    fit = [layout for layout in found if card is None or (layout in BOXES) == (card.task == "detection")]
    if not fit and (card is None or card.task == "detection"):
        refuse_stranger(path)
    if found:
        return (fit or found)[0]
    if coco.has_json(path) and (card is None or card.task == "detection"):
        return "coco"  # whose reader says what is wrong with it
    if yolo.has_places(path):
        return "yolo"  # and so does this one
    if not any(files_in(path)):
        raise data_error(
            en=f"The folder {path} is empty. Name the folder that holds the classes' folders.",
            zh=f"文件夹 {path} 是空的。请指定包含各类别文件夹的文件夹。",
        )
    raise _unknown(path)


def _has_classes(path: Path) -> bool:
    """Whether folders name classes, in the folder itself or its parts."""
    return any(class_folders(folder) for folder in (path, *(part for _, part in split_folders(path))))


LOOKS: dict[str, Callable[[Path], bool]] = {
    "coco": coco.looks_like,
    "yolo": yolo.looks_like,
    "voc": voc.looks_like,
    "mmedu": folders.looks_like_mmedu,
    "folders": _has_classes,
}


def _unknown(path: Path) -> Exception:
    kind = archive(head_of(path)) if path.is_file() else ""
    if kind:
        return data_error(
            en=f"{path.name} is a {kind} archive; expected the folder itself. Unpack it, and give the folder.",
            zh=f"{path.name} 是 {kind} 压缩包，应为文件夹本身。请先解压，再指定文件夹。",
        )
    return data_error(
        en=f"{path} is no data set that is known: expected a folder for each class, an MMEdu data set, COCO, YOLO or "
        "VOC boxes, a .csv table or an .npz file, with the right answers. Pictures without answers can only be run: "
        "qingzhou run",
        zh=f"{path} 不是已知的数据集：应为每类一个文件夹、MMEdu 数据集、COCO、YOLO 或 VOC 标注、.csv 表格或 .npz 文件，"
        "并带有正确答案。没有答案的图片只能用 qingzhou run 识别。",
    )
