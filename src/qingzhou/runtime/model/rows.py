"""Rows of cells from the tables that people have: as pandas, numpy, R, Excel and editors write them.

One rule for the whole product: which encoding and separator, whether the first line names the columns, and whether the
first column only numbers the rows. What may mean two things is an error that says both.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from typing import TYPE_CHECKING, Callable, List, NamedTuple, Sequence, Tuple

from ..errors import InputError
from ..file import open_file

if TYPE_CHECKING:
    from ..typed import FilePath

Line = Tuple[int, str]  # its number in the file, from 1; its text
LOOKED_AT = 200  # lines that decide about the separator
LONGEST = 10_000  # characters of a cell
MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")  # 5,1
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")  # 1,234
WHOLE = re.compile(r"[+-]?\d+")
PICTURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|RIFF....WEBP", re.DOTALL)
MISSING = ("", "-", "?", "na", "n/a", "nan", "null", "none", "inf", "-inf")
WORKBOOK = re.compile(rb"\xd0\xcf\x11\xe0|PK\x03\x04.{26}(\[Content_Types|docProps/|_rels/|xl/|mimetype)", re.DOTALL)
UNNAMED = re.compile(r"(Unnamed: \d+(\.\d+)?)?")  # pandas' name of a column without one


class Rows(NamedTuple):
    """A table's rows without the names of its columns.

    lines      the number of each row's line in the file
    cells      its cells as texts; numbers with a decimal point
    numbering  the cells of a first column that pandas or R wrote to number the rows, which is not in `cells`; or []
    title      that column's name
    titles     the names of the columns in `cells`, where the table has them
    """

    lines: List[int]
    cells: List[List[str]]
    numbering: List[str]
    title: str
    titles: List[str]


def read_rows(path: FilePath, answers: bool = False, names: Sequence[str] = ()) -> Rows:
    """The rows of a .csv, .tsv or .txt; `answers`: the last column may hold names; `names`: a line with one of these
    names the columns. InputError for what is ambiguous.
    """
    with open_file(path) as file:
        data = file.read()
    refuse_workbook(path, data)
    text = _decode(data, path)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if not line.lstrip().startswith("#")]
    lines = [line for line in lines if line[1].strip()]
    told = re.match(r'"?sep=(.)"?\s*$', lines[0][1]) if lines else None  # as Excel writes it
    lines = lines[1:] if told else lines
    split = _splitter(told.group(1)) if told else _best(lines)
    rows = [(number, cells) for number, cells in ((n, split(line)) for n, line in lines) if any(cells)]
    _check_lengths(path, rows)
    if rows and all(not cells[-1] and len(cells) > 1 for _, cells in rows):
        rows = [(number, cells[:-1]) for number, cells in rows]  # every line ends in the separator
    rows = _with_points(path, rows)
    titles = rows[0][1] if _names_columns(path, rows, answers, names) else []
    rows = rows[1:] if titles else rows
    index = _is_index(titles, [cells for _, cells in rows])
    return Rows(
        [number for number, _ in rows],
        [cells[1:] if index else cells for _, cells in rows],
        [cells[0] for _, cells in rows] if index else [],
        titles[0] if index else "",
        titles[1:] if index and len(titles) == len(rows[0][1]) else titles,
    )


def number(cell: str) -> float:
    """The number in a cell; NaN where there is none that is finite."""
    try:
        value = math.nan if "_" in cell else float(cell)  # Python takes 5_1 for 51
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


# -- text ------------------------------------------------------------------------------------------------------------


def refuse_workbook(path: FilePath, start: bytes) -> None:
    """InputError for the files of Excel, WPS and LibreOffice, and for pictures, by how they begin."""
    if PICTURE.match(start):
        raise InputError(
            en="%s is a picture, but this model takes numbers; expected .csv or .npz. If its numbers are the pixels of "
            "pictures, convert it again with --preprocess." % (path,),
            zh="%s 是图片，而这个模型的输入是数值，应为 .csv 或 .npz。如果这些数值就是图片的像素，"
            "请加上 --preprocess 重新转换。" % (path,),
        )
    if WORKBOOK.match(start):
        raise InputError(
            en="%s is a workbook of Excel or WPS; expected a table as text. Open it and save it as CSV UTF-8."
            % (path,),
            zh="%s 是 Excel 或 WPS 的工作簿，应为文本表格。请打开它，另存为 CSV UTF-8。" % (path,),
        )


def _decode(data: bytes, path: FilePath) -> str:
    """UTF-8 with or without a mark, UTF-16, which Excel calls Unicode text, else GBK, which Chinese Windows writes."""
    marked = [encoding for mark, encoding in MARKS if data.startswith(mark)]
    for encoding in marked or (["utf-16-le"] if data[1:4:2] == b"\0\0" else ["utf-8", "gb18030"]):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise InputError(
        en="%s is no table of text: neither UTF-8, UTF-16 nor GBK. Save it as CSV UTF-8." % (path,),
        zh="%s 不是文本表格：既不是 UTF-8、UTF-16，也不是 GBK 编码。请另存为 CSV UTF-8。" % (path,),
    )


def _splitter(separator: str) -> Callable[[str], List[str]]:
    """Text of a line -> its cells; the separator " " is any white space."""

    def cells(line: str) -> List[str]:
        if '"' in line:
            line = line.strip() if separator == " " else line
            try:
                return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, skipinitialspace=True))]
            except csv.Error:  # longer than csv takes; it is no number anyway
                return [line]
        return line.split() if separator == " " else [cell.strip() for cell in line.split(separator)]

    return cells


def _check_lengths(path: FilePath, rows: List[Tuple[int, List[str]]]) -> None:
    for line, cells in rows:
        if max(map(len, cells)) > LONGEST:
            raise InputError(
                en="Line %d of %s cannot be read: a cell has more than %d characters. Save the table as CSV again."
                % (line, path, LONGEST),
                zh="%s 第 %d 行无法读取：有一格超过 %d 个字符。请重新另存为 CSV。" % (path, line, LONGEST),
            )


def _best(lines: List[Line]) -> Callable[[str], List[str]]:
    """The separator by which most lines fall into several cells, and most of those are numbers."""
    best, most = _splitter(","), 0.0
    for separator in "\t;,，； ":  # as Chinese keyboards have them, too
        split = _splitter(separator)
        rows = [split(line) for _, line in lines[:LOOKED_AT]]
        numbers = sum(not math.isnan(number(_pointed(cell))) for cells in rows for cell in cells)
        share = sum(len(cells) > 1 for cells in rows) * numbers / max(1, sum(map(len, rows)))
        if share > most:
            best, most = split, share
    return best


# -- decimal commas --------------------------------------------------------------------------------------------------


def _pointed(cell: str) -> str:
    return cell.replace(",", ".") if COMMA.fullmatch(cell) else cell


def _with_points(path: FilePath, rows: List[Tuple[int, List[str]]]) -> List[Tuple[int, List[str]]]:
    """5,1 as 5.1; InputError if the comma may as well stand between thousands."""
    commas = [(n, cell) for n, cells in rows for cell in cells if "," in cell and COMMA.fullmatch(cell)]
    if not commas:
        return rows
    points = any("." in cell and not math.isnan(number(cell)) for _, cells in rows for cell in cells)
    if points or all(THOUSANDS.fullmatch(cell) for _, cell in commas):
        line, cell = commas[0]
        raise InputError(
            en="Line %d of %s holds %s, whose comma may be a decimal point or stand between thousands. Save the table "
            "with decimal points and without commas in numbers." % (line, path, cell),
            zh="%s 第 %d 行的 %s 里，逗号可能是小数点，也可能是千位分隔符。请把小数写成小数点，数字里不要用逗号。"
            % (path, line, cell),
        )
    return [(n, [_pointed(cell) for cell in cells]) for n, cells in rows]


# -- names of columns, numbers of rows -------------------------------------------------------------------------------


def _names_columns(path: FilePath, rows: List[Tuple[int, List[str]]], answers: bool, names: Sequence[str]) -> bool:
    """Whether the first row names the columns. Where their names are known, texts beside a number are a row of data."""
    if names and rows:
        if not set(names).isdisjoint(rows[0][1]):
            return True
        if any(not math.isnan(number(cell)) for cell in rows[0][1]):
            return False
    return _is_header(path, rows, answers)


def _is_header(path: FilePath, rows: List[Tuple[int, List[str]]], answers: bool) -> bool:
    """Whether the first row names the columns: by words, or by 0, 1, 2, … as pandas does."""
    if not rows:
        return False
    line, first = rows[0]
    below = [cells for _, cells in rows[1:]]
    inputs = first[:-1] if answers and len(first) > 1 else first
    words = [cell for cell in inputs if cell.lower() not in MISSING and math.isnan(number(cell))]
    numbers = [cell for cell in inputs if not math.isnan(number(cell))]
    if words:
        return 2 * len(words) >= len(inputs) or _counts(numbers, "0")
    if answers and _is_title(first[-1], [cells[-1] for cells in below]) and _all_whole(numbers):
        return True  # 1,2,3,label
    if not below or [cell for cell in inputs if cell] != numbers:
        return False
    whole = all(_all_whole(cells[: len(inputs)]) for cells in below)
    if _counts(numbers, "0"):
        if whole and len(numbers) < 8 and (len(numbers) < 3 or _steps(below[0][: len(inputs)])):
            raise _ambiguous(path, line, first)
        return True
    if _counts(numbers, "1") and len(numbers) > 2 and all(map(_has_fraction, below)):
        raise _ambiguous(path, line, first)
    return False


def _is_title(cell: str, below: List[str]) -> bool:
    """A word above numbers."""
    return math.isnan(number(cell)) and bool(below) and not any(math.isnan(number(other)) for other in below)


def _counts(cells: List[str], start: str) -> bool:
    """0, 1, 2, … as whole numbers."""
    return cells == [str(int(start) + i) for i in range(len(cells))]


def _steps(cells: List[str]) -> bool:
    """Whether a row counts as well, as in windows of a series."""
    values = [number(cell) for cell in cells]
    return len(values) > 1 and values == [values[0] + i for i in range(len(values))]


def _all_whole(cells: List[str]) -> bool:
    return all(WHOLE.fullmatch(cell) is not None for cell in cells)


def _has_fraction(cells: List[str]) -> bool:
    """Whether there is a number with a decimal point."""
    return any(not WHOLE.fullmatch(cell) and not math.isnan(number(cell)) for cell in cells)


def _is_index(titles: List[str], rows: List[List[str]]) -> bool:
    """Whether the first column only numbers the rows: without a name (pandas), or without a place for one (R)."""
    if not titles or not rows or len(rows[0]) < 2:
        return False
    nameless = UNNAMED.fullmatch(titles[0]) is not None or all(len(cells) == len(titles) + 1 for cells in rows)
    return nameless and _all_whole([cells[0] for cells in rows]) and len({cells[0] for cells in rows}) == len(rows)


def _ambiguous(path: FilePath, line: int, cells: List[str]) -> InputError:
    row = ",".join(cells[:6]) + (",…" if len(cells) > 6 else "")
    return InputError(
        en="Line %d of %s, %s, may name the columns by numbers, as pandas does, or be a row of data. Put a line of "
        "names such as x1,x2 above it if it is data, or in its place if it is not." % (line, path, row),
        zh="%s 第 %d 行 %s 可能是用数字表示的列名（pandas 的写法），也可能是一行数据。"
        "如果是数据，请在它上面加一行列名，例如 x1,x2；如果是列名，请把它改成这样的名称。" % (path, line, row),
    )
