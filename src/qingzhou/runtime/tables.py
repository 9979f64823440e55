"""Tables and arrays: the numbers in a file."""

from __future__ import annotations

import math
import os
import zipfile
from typing import TYPE_CHECKING, Any, List, Optional

import numpy as np

from .errors import FileMissing, InputError
from .read import is_path

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

LARGEST = 1 << 28  # bytes of a file of numbers, unpacked


def batch_of(data: Any, shape: List[Optional[int]]) -> Array:
    """(N, …) float32 from a file, a row, an array or several; InputError if it does not fit the network's shape."""
    try:
        array = read_numbers(data) if is_path(data) else np.asarray(data, dtype=np.float32)
    except (ValueError, TypeError) as err:
        raise InputError(
            en="The data are no numbers: %s. Give a list or array of numbers, every row as long." % err,
            zh="输入的数据不是数字：%s。请给出由数字组成、每行一样长的列表或数组。" % err,
        ) from None
    batch = array[None] if array.ndim == len(shape) - 1 else array
    sizes = zip(shape[1:], batch.shape[1:])
    if batch.ndim != len(shape) or not len(batch) or any(n not in (None, m) for n, m in sizes):
        raise _misshapen(array, shape)
    return np.ascontiguousarray(batch)


def _misshapen(array: Array, shape: List[Optional[int]]) -> InputError:
    wanted = "[%s]" % ", ".join("N" if n is None else str(n) for n in shape)
    return InputError(
        en="The data have the shape %s, but the model expects %s. Give as many numbers as in training, without "
        "the column of answers." % (list(array.shape), wanted),
        zh="输入数据的形状是 %s，而模型需要 %s。请给出与训练时一样多的数字，不含答案那一列。"
        % (list(array.shape), wanted),
    )


def read_numbers(path: Any) -> Array:
    """The numbers in a .csv, .txt, .npz or .npy file as float32; FileMissing or InputError."""
    _check_file(path)
    with open(path, "rb") as file:
        start = file.read(6)
    if start[:4] == b"PK\x03\x04" or start == b"\x93NUMPY":
        return _numpy(path)
    return read_table(path)


def _check_file(path: Any) -> None:
    try:
        size = os.path.getsize(path) if os.path.isfile(path) else -1
    except (OSError, ValueError):  # a path with a null character
        size = -1
    if size < 0:
        raise FileMissing(
            en="There is no file %s; expected an existing .csv or .npz file. Check the name and the folder." % (path,),
            zh="文件 %s 不存在，应为已有的 .csv 或 .npz 文件。请检查文件名和所在的文件夹。" % (path,),
        )
    if size > LARGEST:
        raise _too_large(path)


def _numpy(path: Any) -> Array:
    """The array `data` of an .npz file, else its first; read without pickle."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > LARGEST:
                    raise _too_large(path)
        found = np.load(path, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            with found:
                found = found["data"] if "data" in found.files else found[found.files[0]]
        return np.asarray(found, dtype=np.float32)
    except InputError:
        raise
    except Exception as err:  # numpy and zipfile raise a dozen classes on altered files
        raise InputError(
            en="%s cannot be read as an .npz file with an array named data: %s. Save it with "
            "numpy.savez(path, data=array)." % (path, str(err)[:100]),
            zh="%s 无法作为含有数组 data 的 .npz 文件读取：%s。请用 numpy.savez(path, data=array) 保存。"
            % (path, str(err)[:100]),
        ) from None


def read_table(path: Any) -> Array:
    """(rows, columns) float32 from a CSV file in UTF-8 or GBK; a first line of names is skipped."""
    with open(path, "rb") as file:
        lines = _decode(file.read()).splitlines()
    rows: List[List[float]] = []
    for number, line in enumerate(lines, start=1):
        cells = [cell.strip().strip('"') for cell in line.replace("\t", ",").replace(";", ",").split(",")]
        if not any(cells):
            continue
        values = [_value(cell) for cell in cells]
        if not rows and number == 1 and any(math.isnan(value) for value in values):
            continue  # the names of the columns
        _check_row(path, number, cells, values, rows)
        rows.append(values)
    if not rows:
        raise _no_rows(path)
    return np.array(rows, dtype=np.float32)


def _decode(data: bytes) -> str:
    """Text as Excel and editors save it in China: UTF-8 with or without a mark, else GBK."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030", "replace")


def _value(cell: str) -> float:
    """The number in a cell; NaN where there is none."""
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _check_row(path: Any, line: int, cells: List[str], values: List[float], rows: List[List[float]]) -> None:
    wrong = next((cell for cell, value in zip(cells, values) if math.isnan(value)), None)
    if wrong is not None:
        raise InputError(
            en="Line %d of %s holds %r, which is no number. Put a number there, or remove the column."
            % (line, path, wrong[:40]),
            zh="%s 第 %d 行的 %r 不是数字。请改成数字，或删除这一列。" % (path, line, wrong[:40]),
        )
    if rows and len(values) != len(rows[0]):
        raise InputError(
            en="Line %d of %s has %d numbers, the lines above %d. Give every line as many."
            % (line, path, len(values), len(rows[0])),
            zh="%s 第 %d 行有 %d 个数字，而上面各行有 %d 个。请让每行的数字一样多。"
            % (path, line, len(values), len(rows[0])),
        )


def _no_rows(path: Any) -> InputError:
    return InputError(
        en="%s holds no rows of numbers. Expected one row a line, such as 5.1,3.5,1.4,0.2." % (path,),
        zh="%s 里没有数据。应为每行一组数字，例如 5.1,3.5,1.4,0.2。" % (path,),
    )


def _too_large(path: Any) -> InputError:
    return InputError(
        en="%s holds more than %d MB of numbers. Split it into smaller files." % (path, LARGEST >> 20),
        zh="%s 的数据超过 %d MB。请拆分成较小的文件。" % (path, LARGEST >> 20),
    )
