"""What is taught: a folder of pictures for each class, and the features that the backbone gives for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileMissing, OptionError, QingzhouError, say
from ..evaluate.places import data_error, files_in
from ..graph.fold import simplify
from ..graph.form import Array
from ..labels import class_folders, split_folders, unwrapped
from ..onnxfile.emit import emit
from ..onnxfile.write import write_onnx
from ..progress import Tell, counted
from ..quant.pictures import usual
from ..runtime.engine.session import open_session
from ..runtime.model.answers import Look, look
from ..runtime.model.card import Output
from ..runtime.predict import Predictor
from ..whole_file import scratch
from .backbone import FEATURES, Backbone

FEWEST = 2  # pictures of a class: one to learn from, one to see whether that was enough


@dataclass(frozen=True)
class Pictures:
    """Files by class. classes: names, in the order of their numbers; files: (path, number)"""

    folder: Path
    classes: tuple[str, ...]
    files: tuple[tuple[Path, int], ...]


@dataclass(frozen=True)
class Seen:
    """What the backbone made of the pictures.

    features (n, width) float32;  truths (n,): numbers of classes;  files: those that could be read
    left     files that could not, with the reason;  looks: what is usual among them, for the card
    """

    features: Array
    truths: Array
    files: Sequence[Path]
    left: Sequence[tuple[Path, QingzhouError]] = field(default=())
    looks: dict[str, Any] | None = None


def pictures_in(folder: Path) -> Pictures:
    """DATA/cat/*.jpg, or the same below train; FileMissing, DataError."""
    if not folder.is_dir():
        raise FileMissing(
            en=f"There is no folder {folder}; expected one with a folder of pictures for each class: "
            f"{folder}/cat/1.jpg. Check the name.",
            zh=f"文件夹 {folder} 不存在，应为每个类别一个图片文件夹，例如 {folder}/猫/1.jpg。请检查名称。",
        )
    folder = unwrapped(folder)
    parts = dict(split_folders(folder))
    inside = parts.get("train", folder)
    classes = class_folders(inside)
    files = [(file, k) for k, name in enumerate(classes) for file in files_in(inside / name)]
    if not files:
        raise data_error(
            en=f"{inside} holds no folders with pictures; expected one for each class: {inside}/cat/1.jpg",
            zh=f"{inside} 里没有装有图片的文件夹，应为每个类别一个文件夹，例如 {inside}/猫/1.jpg",
        )
    return Pictures(inside, tuple(classes), tuple(files))


def look_at(backbone: Backbone, pictures: Pictures, opset: int, ir_version: int, tell: Tell) -> Seen:
    """The features of every picture that can be read; DataError where a class has too few."""
    card = replace(backbone.card, task="values", output=Output(FEATURES, "values"), labels=[], sample=None)
    found: list[Array] = []
    truths: list[int] = []
    files: list[Path] = []
    left: list[tuple[Path, QingzhouError]] = []
    looks: list[Look] = []
    with scratch() as folder:
        path = folder / "backbone.onnx"
        write_onnx(path, emit(simplify(backbone.graph), opset, ir_version))
        predictor = Predictor(path, card=card, session=open_session(path))
        for file, k in counted(pictures.files, len(pictures.files), tell, say("looking at picture", "看图片")):
            try:
                batch = predictor.prepare(file)
                row = predictor.outputs(batch)[0]
                looks.append(look(file, batch, card.input))
            except QingzhouError as err:
                left.append((file, err))
                continue
            found.append(row.reshape(-1))
            truths.append(k)
            files.append(file)
    seen = Seen(np.array(found, np.float32), np.array(truths, np.int64), files, left, usual(looks))
    _refuse_few(pictures, seen)
    _refuse_useless(seen)
    return seen


def _refuse_few(pictures: Pictures, seen: Seen) -> None:
    counts = np.bincount(seen.truths, minlength=len(pictures.classes))
    for name, count in zip(pictures.classes, counts, strict=True):
        if count < FEWEST:
            raise data_error(
                en=f"The class {name} has {count} pictures that can be read; {FEWEST} are the least, and 10 or more "
                f"are good. Put more into {pictures.folder / name}.",
                zh=f"类别 {name} 只有 {count} 张能读取的图片；最少 {FEWEST} 张，最好 10 张以上。"
                f"请在 {pictures.folder / name} 里多放一些。",
            )


def _refuse_useless(seen: Seen) -> None:
    """Features that are no numbers, or tell nothing."""
    if not np.isfinite(seen.features).all():
        raise OptionError(
            en="The backbone's features are no numbers (NaN or infinity) for some pictures, so its weights are "
            "damaged. Give another network.",
            zh="骨干网络对某些图片给出的特征不是有效数字（NaN 或无穷大），说明权重已损坏。请换一个网络。",
        )
    if not np.ptp(seen.features, axis=0).any():
        raise data_error(
            en=f"The backbone's features are the same for all {len(seen.files)} pictures, so nothing can be told "
            "apart: the pictures are copies of one, or the network's weights are zero. Take other pictures.",
            zh=f"骨干网络对全部 {len(seen.files)} 张图片给出的特征完全相同，无法区分："
            "这些图片是同一张的副本，或网络的权重全为零。请换图片。",
        )
