"""Tables whose columns have names: cells become the numbers that the network takes.

A column of texts goes in as the place of its text among those that the card names, -1 for any other; a cell that is
empty as NaN, where the card says that it may be.
"""

from __future__ import annotations

import math
from typing import Any, Dict, Iterable, List, Optional, Sequence

import numpy as np

from ..errors import InputError
from ..file import is_path
from .card import Input
from .rows import MISSING, Rows, number, read_rows
from .tables import check_file, is_arrays, read_numbers

SHOWN = 8  # names in a message
TRUTHS = {"true": 1.0, "false": 0.0}  # as pandas and Excel write them in a column of numbers


def names_of(entry: Input) -> List[str]:
    """Of its columns."""
    return [one["name"] for one in entry.columns]


def are_numbered(entry: Input) -> bool:
    """Whether its columns are only called x0, x1, …, as scikit-learn calls those of a table without names."""
    return names_of(entry) == ["x%d" % i for i in range(len(entry.columns))]


def is_single(data: Any, entry: Input) -> bool:
    """Whether it is one row: a dict of cells, or a list of them; of a model of texts one text."""
    if is_text(data, entry):
        return isinstance(data, str)
    if is_path(data) or hasattr(data, "iloc"):
        return hasattr(data, "iloc") and getattr(data, "ndim", 2) == 1
    if isinstance(data, dict):
        return not any(isinstance(one, (list, tuple, np.ndarray)) for one in data.values())
    if isinstance(data, np.ndarray):
        return data.ndim == 1
    return not any(isinstance(one, (list, tuple, dict, np.ndarray)) for one in data)


def table_of(data: Any, entry: Input) -> Any:
    """(N, C) float32 from a file, a table of pandas, dicts by name, or rows in order; InputError, FileMissing."""
    if is_text(data, entry):
        return encoded([[data]] if isinstance(data, str) else [[one] for one in data], entry)
    if is_path(data):
        check_file(data)
        if is_arrays(data):
            return encoded(read_numbers(data), entry)
        rows = read_rows(data, names=() if are_numbered(entry) else names_of(entry))
        if not rows.cells:
            raise _no_rows()
        places = places_in(rows, entry)
        cells = [[row[i] if i < len(row) else "" for i in places] for row in rows.cells]
        return encoded(cells, entry, rows.lines)
    if hasattr(data, "iloc"):
        return encoded(_of_pandas(data, entry), entry)
    if isinstance(data, dict):
        several = not is_single(data, entry)
        cells = _by_name(data, entry)
        return encoded(list(zip(*cells)) if several else [cells], entry)
    if isinstance(data, np.ndarray) and data.dtype.kind in "biuf":
        return encoded(data if data.ndim == 2 else data[None] if data.ndim == 1 else data.reshape(len(data), -1), entry)
    rows_ = [data] if is_single(data, entry) else list(data)
    return encoded([_by_name(row, entry) if isinstance(row, dict) else list(row) for row in rows_], entry)


def _of_pandas(data: Any, entry: Input) -> List[List[Any]]:
    """A DataFrame, or one row of it as a Series."""
    if getattr(data, "ndim", 2) == 1:
        return [_by_name({str(key): value for key, value in data.items()}, entry)]
    names = [str(one) for one in data.columns]
    places = _places(names, entry, len(names))
    found = [data.iloc[:, place].tolist() for place in places]
    return [list(row) for row in zip(*found)]


def _by_name(row: Dict[str, Any], entry: Input) -> List[Any]:
    places, cells = _places([str(key) for key in row], entry, None), list(row.values())
    return [cells[place] for place in places]


def places_in(rows: Rows, entry: Input) -> List[int]:
    """Where each of the card's columns stands in a table; InputError names those that are missing."""
    return _places(rows.titles, entry, max(map(len, rows.cells)))


def _places(titles: Sequence[str], entry: Input, width: Optional[int]) -> List[int]:
    names = names_of(entry)
    place = {title.replace(" ", "_"): i for i, title in enumerate(titles)}  # as LightGBM writes names
    place.update((title, i) for i, title in enumerate(titles))
    missing = [name for name in names if name not in place]
    if titles and not missing:
        _check_once(titles, place, names)
        return [place[name] for name in names]
    if width is not None and (not titles or are_numbered(entry)):
        if width == len(names):
            return list(range(width))
        raise InputError(
            en="The table has %d columns, but the model takes %d: %s. Give these, without the column of answers."
            % (width, len(names), _some(names)),
            zh="表格有 %d 列，而模型需要 %d 列：%s。请给出这些列，不含答案那一列。" % (width, len(names), _some(names)),
        )
    raise InputError(
        en="These columns are missing: %s; the table has %s. The model takes %s: give them these names, in any order."
        % (_some(missing), _some(titles), _some(names)),
        zh="缺少列：%s；表格中有 %s。模型需要 %s：请使用这些列名，顺序不限。"
        % (_some(missing), _some(titles), _some(names)),
    )


def _check_once(titles: Sequence[str], last: Dict[str, int], names: Sequence[str]) -> None:
    """InputError where two columns have a name that the model asks for: which of them is meant, nobody knows."""
    wanted = set(names)
    twice = [title for i, title in enumerate(titles) if title in wanted and last[title] != i]
    if twice:
        raise InputError(
            en="Several columns of the table are called %s. Leave one of each, or rename the others." % _some(twice),
            zh="表格中有多个列名为 %s 的列。请各保留一列，或给其他列改名。" % _some(twice),
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in names[:SHOWN]) + (" …" if len(names) > SHOWN else "")


def encoded(rows: Any, entry: Input, lines: Optional[Sequence[int]] = None) -> Any:
    """Rows of cells, each in the order of the card's columns, as (N, C) float32; InputError says which cell."""
    count = len(entry.columns)
    if isinstance(rows, np.ndarray):
        if rows.ndim != 2 or rows.shape[1] != count:
            raise _misshapen(rows.shape, entry)
        if not any("texts" in one for one in entry.columns):
            found = rows.astype(np.float32)
            _check_missing(found, entry)
            return np.ascontiguousarray(found)
        rows = rows.tolist()
    if not len(rows):
        raise _no_rows()
    tables = [{text: place for place, text in enumerate(one.get("texts", ()))} for one in entry.columns]
    if any("counts" in one for one in entry.columns):
        return _counts(rows, entry)
    numbers = []
    for i, row in enumerate(rows):
        if len(row) != count:
            raise _misshapen((len(rows), len(row)), entry)
        where = lines[i] if lines is not None else i + 1
        numbers.append([_cell(cell, one, table, where) for cell, one, table in zip(row, entry.columns, tables)])
    return np.array(numbers, dtype=np.float32)


def _counts(rows: Any, entry: Input) -> Any:
    """Texts as counts of words; other columns beside them as numbers."""
    from .counted import counted

    places = [
        {word: place for place, word in enumerate(one["counts"]["words"])} if "counts" in one else {}
        for one in entry.columns
    ]
    found = []
    for i, row in enumerate(rows):
        if len(row) != len(entry.columns):
            raise _misshapen((len(rows), len(row)), entry)
        numbers: List[float] = []
        for cell, one, known in zip(row, entry.columns, places):
            numbers += counted(str(cell), one["counts"], known) if "counts" in one else [_cell(cell, one, {}, i + 1)]
        found.append(numbers)
    return np.array(found, dtype=np.float32)


def is_text(data: Any, entry: Input) -> bool:
    """Whether a model of texts is given one that is no file, or a list of them."""
    if len(entry.columns) != 1 or "counts" not in entry.columns[0]:
        return False
    return (isinstance(data, str) and not is_file_there(data)) or (
        isinstance(data, (list, tuple)) and bool(data) and all(isinstance(one, str) for one in data)
    )


def is_file_there(path: str) -> bool:
    """Whether a text is the name of a file."""
    import os

    return len(path) < 1024 and "\n" not in path and "\0" not in path and os.path.exists(path)


def _check_missing(found: Any, entry: Input) -> None:
    empty = np.argwhere(np.isnan(found))
    for row, place in empty.tolist():
        if not entry.columns[place].get("missing"):
            raise _is_empty(entry.columns[place], row + 1)


def _cell(cell: Any, column: Dict[str, Any], table: Dict[str, int], line: int) -> float:
    empty = cell is None or (isinstance(cell, float) and math.isnan(cell)) or _is_na(cell)
    text = str(cell).strip() if isinstance(cell, str) else ""
    if isinstance(cell, str) and text.lower() in MISSING and text not in table:
        empty = True
    if empty:
        if column.get("missing"):
            return math.nan
        if "texts" in column:
            return -1.0
        raise _is_empty(column, line)
    if "texts" in column:
        return float(table.get(text if isinstance(cell, str) else _shown(cell), -1))
    value = TRUTHS.get(text.lower(), number(text)) if isinstance(cell, str) else _as_float(cell)
    if math.isnan(value):
        raise InputError(
            en="Row %d holds %r in the column %s, where a number is expected. Correct it."
            % (line, str(cell)[:40], column["name"][:40]),
            zh="第 %d 行的 %s 列是 %r，应为数字。请改正。" % (line, column["name"][:40], str(cell)[:40]),
        )
    return value


def _is_na(cell: Any) -> bool:
    """What pandas has for a text that is missing."""
    return type(cell).__name__ in ("NAType", "NaTType")


def _as_float(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return math.nan


def _shown(cell: Any) -> str:
    value = cell.item() if isinstance(cell, np.generic) else cell
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_empty(column: Dict[str, Any], line: int) -> InputError:
    return InputError(
        en="Row %d has nothing in the column %s, and the model was not trained with empty cells. Fill it, or leave the "
        "row out." % (line, column["name"][:40]),
        zh="第 %d 行的 %s 列是空的，而模型训练时没有空值。请填上数值，或去掉这一行。" % (line, column["name"][:40]),
    )


def _misshapen(shape: Iterable[int], entry: Input) -> InputError:
    names = names_of(entry)
    return InputError(
        en="The data have the shape %s, but the model takes %d columns: %s. Give as many cells in each row, without "
        "the answers." % (list(shape), len(names), _some(names)),
        zh="输入数据的形状是 %s，而模型需要 %d 列：%s。请让每行正好这些列，不含答案那一列。"
        % (list(shape), len(names), _some(names)),
    )


def _no_rows() -> InputError:
    return InputError(
        en="The table holds no rows. Give at least one, such as 5.1,3.5,1.4,0.2.",
        zh="表格里没有数据。请至少给出一行，例如 5.1,3.5,1.4,0.2。",
    )


def decoded(row: Any, entry: Input) -> List[Any]:
    """A row of the network's numbers as cells: texts where a column has them."""
    cells: List[Any] = []
    if any("counts" in one for one in entry.columns):
        from .counted import text_of

        return [text_of(row, one["counts"]) for one in entry.columns if "counts" in one]
    for value, one in zip(row, entry.columns):
        texts = one.get("texts")
        cells.append(texts[min(max(int(value), 0), len(texts) - 1)] if texts else float(value))
    return cells
