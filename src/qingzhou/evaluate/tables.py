"""Tables with the answer in the last column, and .npz files with `data` and `label`, as BaseNN takes them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import FileMissing, InputError, say
from ..labels import cell, number
from ..runtime.file import is_file, open_file
from ..runtime.model.card import Card, Input
from ..runtime.model.rows import Rows, read_rows
from .places import data_error
from .result import Case, Dataset

LARGEST = 1 << 28  # bytes of a table or of unpacked arrays


# -- CSV ------------------------------------------------------------------------------------------------------------


def read_csv(path: Path, card: Card | None = None) -> Dataset:
    """Rows of numbers, the answer (a number or a name) last, as runtime/model/rows.py reads them; DataError.

    The columns that a card names may stand in any order: the answer is the last of the others.
    """
    if card is not None and card.input.columns:
        return _named_csv(path, card.input)
    if is_file(path) and path.stat().st_size > LARGEST:
        raise _no_table(path)
    try:
        rows = read_rows(path, answers=True)
    except InputError as err:
        raise data_error(en=err.en, zh=err.zh) from None
    if not rows.cells or len(rows.cells[0]) < 2:
        raise _no_table(path)
    truths = {case.truth for case in _cases(path, rows) if isinstance(case.truth, (str, int))}
    return Dataset(path, "csv", "all", "cells", lambda: _cases(path, rows), notes=_index_note(rows), truths=truths)


def _named_csv(path: Path, entry: Input) -> Dataset:
    from ..runtime.model.cells import are_numbered, names_of, places_in

    names = [] if are_numbered(entry) else names_of(entry)
    if is_file(path) and path.stat().st_size > LARGEST:
        raise _no_table(path)
    try:
        rows = read_rows(path, answers=True, names=names)
        width = max(map(len, rows.cells), default=0)
        titled = bool(rows.titles) and not set(names).isdisjoint(rows.titles)
        places = places_in(rows, entry) if titled else list(range(width - 1))
    except InputError as err:
        raise data_error(en=err.en, zh=err.zh) from None
    answers = [place for place in range(width) if place not in places]
    if not answers or len(places) != len(entry.columns):
        raise _no_answers(path, width, entry)
    found = Rows(
        rows.lines,
        [[row[i] if i < len(row) else "" for i in (*places, answers[-1])] for row in rows.cells],
        rows.numbering,
        rows.title,
        [],
    )
    cases = list(_named_cases(path, found, entry))
    truths = {case.truth for case in cases if isinstance(case.truth, (str, int))}
    return Dataset(path, "csv", "all", "cells", lambda: iter(cases), notes=_index_note(rows), truths=truths)


def _named_cases(path: Path, rows: Rows, entry: Input) -> Iterator[Case]:
    """Each row is looked at here, so that one which the model cannot take is counted."""
    from ..runtime.model.cells import encoded

    for line, cells in zip(rows.lines, rows.cells, strict=True):
        try:
            encoded([cells[:-1]], entry, [line])
        except InputError as err:
            yield Case(f"{path}:{line}", None, data_error(en=err.en, zh=err.zh))
        else:
            whole = bool(cells[-1])
            truth = cell(cells[-1]) if whole else _bad_row(path, line, len(cells))
            yield Case(f"{path}:{line}", cells[:-1], truth)


def _no_answers(path: Path, width: int, entry: Input) -> Exception:
    count = len(entry.columns)
    return data_error(
        en=f"{path} has {width} columns; expected the {count} that the model takes, and one with the right answers. "
        "Add it, as the last column.",
        zh=f"{path} 有 {width} 列，应为模型需要的 {count} 列，再加一列正确答案。请把答案放在最后一列。",
    )


def _cases(path: Path, rows: Rows) -> Iterator[Case]:
    columns = len(rows.cells[0])
    for line, cells in zip(rows.lines, rows.cells, strict=True):
        values = [number(text) for text in cells[:-1]]
        if len(cells) != columns or None in values or not cells[-1]:
            yield Case(f"{path}:{line}", None, _bad_row(path, line, columns))
        else:
            yield Case(f"{path}:{line}", values, cell(cells[-1]))


def _index_note(rows: Rows) -> list[str]:
    name = rows.title or say("without a name", "没有列名")
    text = say(f"The first column ({name}) numbers the rows and was left out.", f"第一列（{name}）只是行号，未使用。")
    return [text] if rows.numbering else []


def _bad_row(path: Path, line: int, columns: int) -> Exception:
    return data_error(
        en=f"Line {line} of {path.name} is no row of {columns - 1} numbers and the answer. Correct or remove it.",
        zh=f"{path.name} 第 {line} 行不是 {columns - 1} 个数字加最后的答案。请改正或删除这一行。",
    )


def _no_table(path: Path) -> Exception:
    return data_error(
        en=f"{path} is no table to judge by: expected at most {LARGEST >> 20} MB of lines such as 5.1,3.5,1.4,setosa "
        "with the answer in the last column.",
        zh=f"{path} 不是可用于评估的表格：每行应为例如 5.1,3.5,1.4,setosa，最后一列是答案，"
        f"文件不超过 {LARGEST >> 20} MB。",
    )


# -- NPZ ------------------------------------------------------------------------------------------------------------


def read_npz(path: Path) -> Dataset:
    """`data` (N, …) and `label` (N,), (N, 1), one-hot rows or, for regression, (N, values); read without pickle."""
    try:
        with open_file(path) as file:
            with zipfile.ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > LARGEST:
                    raise ValueError(f"more than {LARGEST >> 20} MB")
            file.seek(0)
            with np.load(file, allow_pickle=False) as found:
                data, label = np.asarray(found["data"]), np.asarray(found["label"])
    except FileMissing:
        raise
    except Exception as err:  # numpy and zipfile raise a dozen classes on altered files
        raise data_error(
            en=f"{path} cannot be read as an .npz file with the arrays data and label ({str(err)[:100]}). Save it with "
            "numpy.savez(path, data=x, label=y).",
            zh=f"{path} 无法作为含有数组 data 和 label 的 .npz 文件读取（{str(err)[:100]}）。"
            "请用 numpy.savez(path, data=x, label=y) 保存。",
        ) from None
    if not data.ndim or not len(data) or label.ndim not in (1, 2) or len(label) != len(data):
        raise data_error(
            en=f"In {path}, data is {list(data.shape)} and label {list(label.shape)}; expected as many labels as data, "
            "and at least one.",
            zh=f"{path} 里 data 的形状是 {list(data.shape)}，label 是 {list(label.shape)}；"
            "两者的数量应相同，且不为零。",
        )
    answers = label[:, 0] if label.ndim == 2 and label.shape[1] == 1 else label
    truths = {cell(one) for one in np.unique(answers).tolist()} if answers.ndim == 1 else set()
    return Dataset(path, "npz", "all", "cells", lambda: _elements(path, data, answers), truths=truths, positions=True)


def _elements(path: Path, data: npt.NDArray[Any], label: npt.NDArray[Any]) -> Iterator[Case]:
    for i, (one, answer) in enumerate(zip(data, label, strict=True)):
        yield Case(f"{path}[{i}]", one, answer.tolist())
