"""Data in two parts that share nothing: some to calibrate with, the others to judge by."""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

from ..errors import DataError, FileMissing, InputError, NothingToJudge, QingzhouError, say
from ..evaluate.data import read_data
from ..evaluate.places import files_in
from ..evaluate.result import Case, Dataset
from ..runtime.errors import spaced
from ..runtime.file import open_file
from ..runtime.model.card import Card
from ..runtime.model.rows import read_rows
from ..runtime.model.tables import read_numbers
from ..runtime.read import is_picture
from .network import Array

ENOUGH = 100  # inputs to calibrate with; more change the ranges by little
MOST_JUDGED = 5000  # an accuracy of 98 % is then known to 0.4 points
FEW = 200  # below this the user is told how many would do


@dataclass(frozen=True)
class Split:
    """Two parts of a data set.

    data         where they come from; its cases are the held-out ones
    calibration  what the ranges are made from
    held_out     what both models are judged by; never among the first
    labelled     whether the true answers are known
    taken        pair.digest() of the pictures that did calibrate: copies of them are no judges
    copies       files that are byte for byte others of the data: in neither part
    """

    data: Dataset
    calibration: list[Case]
    held_out: list[Case]
    labelled: bool
    notes: list[str] = field(default_factory=list)
    taken: frozenset[bytes] = frozenset()
    copies: int = 0


def split(
    path: Path, layout: str = "auto", calibration: int = ENOUGH, numbers: int = 0, card: Card | None = None
) -> Split:
    """The same parts of the same data each time: drawn by a fixed seed, and of every class as many as may be.

    At most half of the data calibrate, and of each class of several inputs. `numbers` is how many the model takes at
    once, if it takes no pictures: rows of just so many have no answers; `card` is that of the model. FileMissing,
    DataError, or NothingToJudge, which says how many inputs are needed.
    """
    data, labelled = _opened(path, layout, numbers, card)
    given = list(data.cases())
    every = list(_distinct(given))
    cases = [case for case in every if not isinstance(case.truth, QingzhouError)]
    if len(cases) < 2:
        raise _too_few(path, len(cases), len(given) - len(every))
    drawn = list(_drawn(cases))
    count = min(calibration, len(cases) // 2)
    held_out = drawn[count : count + MOST_JUDGED]
    broken = [case for case in every if isinstance(case.truth, QingzhouError)]
    part = replace(data, cases=lambda: iter([*held_out, *broken]))
    notes = [*data.notes, *_notes(len(cases), count, drawn, labelled)]
    return Split(part, drawn[:count], held_out, labelled, notes, copies=len(given) - len(every))


def _distinct(cases: list[Case]) -> Iterator[Case]:
    """Those whose file is no copy of one before; only files of the same size are read."""
    sizes = [case.data.stat().st_size if isinstance(case.data, Path) and case.data.is_file() else -1 for case in cases]
    often, seen = Counter(sizes), set()
    for case, size in zip(cases, sizes, strict=True):
        if size > 0 and often[size] > 1:
            with open_file(case.data) as file:
                digest = hashlib.sha256(file.read()).digest()
            if digest in seen:
                continue
            seen.add(digest)
        yield case


def _drawn(cases: list[Case]) -> Iterator[Case]:
    """All cases, shuffled; classes take turns: first with half of each, so that none is used up by calibrating."""
    chance = random.Random(0)
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(str(case.truth) if isinstance(case.truth, (str, int)) else "", []).append(case)
    for group in groups.values():
        chance.shuffle(group)
    largest_first = sorted(groups.values(), key=len, reverse=True)
    for part in ([g[: len(g) // 2] for g in largest_first], [g[len(g) // 2 :] for g in largest_first]):
        for row in zip_longest(*part):
            yield from (case for case in row if case is not None)


def _opened(path: Path, layout: str, numbers: int, card: Card | None) -> tuple[Dataset, bool]:
    """Data with answers if they are that; else rows, or a folder's pictures, one after another in those below."""
    rows = _rows(path, numbers) if layout == "auto" and numbers and path.is_file() else None
    if rows is not None:
        cases = [Case(f"{path}[{i}]", row, "") for i, row in enumerate(rows)]
        return Dataset(path, "rows", "all", "none", lambda: iter(cases)), False
    try:
        return read_data(path, layout, card), True
    except FileMissing:
        raise
    except DataError as err:
        pictures = [file for file in files_in(path) if is_picture(file)] if path.is_dir() else []
        if layout != "auto" or not pictures:
            raise
        why = [] if any(picture.parent == path for picture in pictures) else [_no_answers(err)]
    return Dataset(path, "pictures", "all", "none", lambda: (Case(str(p), p, "") for p in pictures), notes=why), False


def _no_answers(err: DataError) -> str:
    return say(f"No right answers could be read from the data. {err.en}", f"无法从数据中读取正确答案。{err.zh}")


def _rows(path: Path, numbers: int) -> Array | None:
    """Those of a table or array without answers; None if there are any, or it cannot be read."""
    try:
        found = read_numbers(path, numbers)
    except InputError:  # a name for an answer, or a damaged file, of which read_data() says more
        if _columns(path) == numbers:  # there is no answer, so something else is wrong
            raise
        return None
    if zipfile.is_zipfile(path) and "label.npy" in zipfile.ZipFile(path).namelist():
        return None
    return found if found.ndim >= 2 and found[0].size == numbers else None


def _columns(path: Path) -> int:
    """Of a table, by its first row; 0 if there is none."""
    try:
        rows = read_rows(path).cells
    except InputError:
        return 0
    return len(rows[0]) if rows else 0


def _notes(count: int, calibration: int, drawn: list[Case], labelled: bool) -> list[str]:
    found = []
    if count < FEW:
        found.append(
            say(
                f"{count} inputs are few: {calibration} calibrated, {count - calibration} judged. {FEW} or more "
                "would do.",
                f"只有 {count} 个输入：{calibration} 个用于校准，{count - calibration} 个用于评估。最好有 {FEW} "
                "个以上。",
            )
        )
    if labelled and len({str(case.truth) for case in drawn}) == 1:
        found.append(
            say(
                f"All inputs are of one class ({drawn[0].truth}). What happens to the others was not seen.",
                f"所有输入都属于同一类（{drawn[0].truth}），其他类别的情况未知。",
            )
        )
    return found


def _too_few(path: Path, count: int, copies: int) -> NothingToJudge:
    more_en, more_zh = (f" ({copies} more are the same)", f"（另有 {copies} 个与之相同）") if copies else ("", "")
    return NothingToJudge(
        en=f"{path} holds {count} usable inputs{more_en}; at least 2 are needed, one to calibrate and one to judge by. "
        f"{FEW} would do well.",
        zh=f"{path} 里可用的输入有 {count} 个{spaced(more_zh)}；至少需要 2 个，一个用于校准，一个用于评估，"
        f"最好有 {FEW} 个。",
    )
