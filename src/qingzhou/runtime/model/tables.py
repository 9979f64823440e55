"""Tables and arrays: the numbers in a file."""

from __future__ import annotations

import math
import os
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO, Dict, List, Optional

import numpy as np

from ..errors import FileMissing, InputError
from ..file import is_file, is_path, open_file
from .rows import number, read_rows, refuse_workbook

if TYPE_CHECKING:
    from ..typed import Array, FilePath


LARGEST = 1 << 28  # bytes of a file of numbers, unpacked


def batch_of(data: Any, shape: List[Optional[int]]) -> Array:
    """(N, …) float32 from a file, a row, an array or several; InputError if it does not fit the network's shape."""
    try:
        columns = (shape[-1] or 0) if len(shape) == 2 else 0
        array = read_numbers(data, columns) if is_path(data) else np.asarray(data, dtype=np.float32)
    except (ValueError, TypeError) as err:
        raise InputError(
            en="The data are no numbers: %s. Give a list or array of numbers, every row as long." % err,
            zh="输入的数据不是数字：%s。请给出由数字组成、每行一样长的列表或数组。" % err,
        ) from None
    if not shape and array.size == 1:
        return array.reshape(())
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


def read_numbers(path: FilePath, columns: int = 0) -> Array:
    """The numbers in a .csv, .txt, .npz or .npy file as float32; FileMissing or InputError. columns: see read_table."""
    check_file(path)
    if is_arrays(path):
        with open_file(path) as file:
            return _numpy(path, file)
    return read_table(path, columns)


def is_arrays(path: FilePath) -> bool:
    """Whether a file holds arrays of numpy; InputError for a workbook or a picture."""
    with open_file(path) as file:
        start = file.read(64)
    refuse_workbook(path, start)
    return start[:4] == b"PK\x03\x04" or start[:6] == b"\x93NUMPY"


def check_file(path: FilePath) -> None:
    """FileMissing, or InputError for one that is too large."""
    try:
        size = os.path.getsize(path) if is_file(path) else -1
    except (OSError, ValueError):  # a path with a null character
        size = -1
    if size < 0:
        raise FileMissing(
            en="There is no file %s; expected an existing .csv or .npz file. Check the name and the folder." % (path,),
            zh="文件 %s 不存在，应为已有的 .csv 或 .npz 文件。请检查文件名和所在的文件夹。" % (path,),
        )
    if size > LARGEST:
        raise _too_large(path)


def _numpy(path: FilePath, file: BinaryIO) -> Array:
    """The array `data` of an .npz file, else its first; read without pickle."""
    found = _arrays(path, file)
    try:
        return np.asarray(found["data"] if "data" in found else next(iter(found.values())), dtype=np.float32)
    except (ValueError, StopIteration) as err:
        raise _no_arrays(path, err) from None


def read_arrays(path: FilePath) -> Dict[str, Array]:
    """All arrays of an .npz file by their names, in their own types; FileMissing or InputError."""
    check_file(path)
    with open_file(path) as file:
        return _arrays(path, file)


def _arrays(path: FilePath, file: BinaryIO) -> Dict[str, Array]:
    """Of an .npz file; of an .npy the one as "data". Read without pickle."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                if sum(member.file_size for member in archive.infolist()) > LARGEST:
                    raise _too_large(path)
        file.seek(0)
        found = np.load(file, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {"data": found}
        with found:
            return {name: found[name] for name in found.files}
    except InputError:
        raise
    except Exception as err:  # numpy and zipfile raise a dozen classes on altered files
        raise _no_arrays(path, err) from None


def _no_arrays(path: FilePath, err: Exception) -> InputError:
    return InputError(
        en="%s cannot be read as an .npz file with an array named data: %s. Save it with "
        "numpy.savez(path, data=array)." % (path, str(err)[:100]),
        zh="%s 无法作为含有数组 data 的 .npz 文件读取：%s。请用 numpy.savez(path, data=array) 保存。"
        % (path, str(err)[:100]),
    )


def read_table(path: FilePath, columns: int = 0) -> Array:
    """(rows, columns) float32 from a CSV file, see rows.py. A column that only numbers the rows counts where the model
    takes just as many `columns`.
    """
    found = read_rows(path)
    cells = found.cells
    if found.numbering and cells and len(cells[0]) + 1 == columns:
        cells = [[first, *row] for first, row in zip(found.numbering, cells)]
    if not cells:
        raise _no_rows(path)
    return np.array([_values(path, *row, len(cells[0])) for row in zip(found.lines, cells)], dtype=np.float32)


def _values(path: FilePath, line: int, cells: List[str], columns: int) -> List[float]:
    """A row's numbers; InputError where one is none, or where there are fewer or more than in the first row."""
    values = [number(cell) for cell in cells]
    wrong = next((cell for cell, value in zip(cells, values) if math.isnan(value)), None)
    if wrong is not None:
        raise InputError(
            en="Line %d of %s holds %r, which is no number. Put a number there, or remove the column."
            % (line, path, wrong[:40]),
            zh="%s 第 %d 行的 %r 不是数字。请改成数字，或删除这一列。" % (path, line, wrong[:40]),
        )
    if len(values) != columns:
        raise InputError(
            en="Line %d of %s has %d numbers, the lines above %d. Give every line as many."
            % (line, path, len(values), columns),
            zh="%s 第 %d 行有 %d 个数字，而上面各行有 %d 个。请让每行的数字一样多。"
            % (path, line, len(values), columns),
        )
    return values


def _no_rows(path: FilePath) -> InputError:
    return InputError(
        en="%s holds no rows of numbers. Expected one row a line, such as 5.1,3.5,1.4,0.2." % (path,),
        zh="%s 里没有数据。应为每行一组数字，例如 5.1,3.5,1.4,0.2。" % (path,),
    )


def _too_large(path: FilePath) -> InputError:
    return InputError(
        en="%s holds more than %d MB of numbers. Split it into smaller files." % (path, LARGEST >> 20),
        zh="%s 的数据超过 %d MB。请拆分成较小的文件。" % (path, LARGEST >> 20),
    )
