"""Numbers from files: tables from CSV, arrays from NPZ and NPY; and the pictures in a folder."""

from __future__ import annotations

import math
import os
import zipfile
from typing import TYPE_CHECKING, Any, List

import numpy as np

from .errors import FileMissing, InputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

LARGEST = 1 << 28  # bytes of a file of numbers, unpacked
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def is_path(data: Any) -> bool:
    """Whether this is the path of a file."""
    return isinstance(data, (str, os.PathLike))


def pictures_in(folder: Any) -> List[str]:
    """The paths of the pictures in a folder, sorted by name; InputError if there are none."""
    names = sorted(name for name in os.listdir(folder) if os.path.splitext(name)[1].lower() in PICTURES)
    if not names:
        raise InputError(
            en="The folder %s holds no pictures (%s). Name a folder with pictures." % (folder, ", ".join(PICTURES)),
            zh="文件夹 %s 里没有图片（%s）。请指定有图片的文件夹。" % (folder, "、".join(PICTURES)),
        )
    return [os.path.join(str(folder), name) for name in names]


def pictures_of(path: Any) -> List[str]:
    """The path itself, or where it is a folder the pictures in it, sorted by name; InputError if there are none."""
    return pictures_in(path) if os.path.isdir(path) else [str(path)]


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
