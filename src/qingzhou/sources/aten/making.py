"""Numbers out of nothing: rows, grids, triangles, and tensors of one number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.form import Array, Value
from ...graph.shapes_call import UNKNOWN
from ..recording.net import MAX_ELEMENTS, Ints, Net, Size, dim, plain
from .arithmetic import as_value, cast, kind_of
from .axes import expand, sizes_of, unsqueeze, view
from .bind import DType, Number, Operand, Values
from .refuse import garbled, refused

MOST_STORED = 1 << 20  # elements of a constant of one number; a larger one is spread out when it is needed


def filled(t: Net, size: Ints, value: Operand, dtype: str | None) -> Value:
    """A tensor of one number: a constant where it is small and its sizes are known."""
    kind = plain(dtype) if dtype else kind_of(value)
    one = as_value(t, value, kind)
    known = t.known(one)
    sizes = [n for n in size if isinstance(n, int)]
    if any(n < 0 for n in sizes) or math.prod(sizes) > MAX_ELEMENTS:
        raise garbled(f"it makes a tensor of {list(map(dim, size))}", f"它要生成形状为 {list(map(dim, size))} 的张量")
    if known is not None and len(sizes) == len(size) and math.prod(sizes) <= MOST_STORED:
        return t.array(np.full(sizes, known.item(), kind))
    found = expand(t, one, size) if size else one
    return t.zeros_like(found) if known is not None and not known.any() else found


def full(
    t: Net,
    size: Ints,
    fill_value: Operand,
    *,
    names: object = None,
    dtype: DType | None = None,
    layout: object = None,
    device: object = None,
    pin_memory: object = None,
) -> Value:
    """A tensor of one number."""
    return filled(t, size, fill_value, dtype)


def of_one(value: float) -> Callable[..., Value]:
    """zeros, ones and empty, whose dtype is float32 unless it is said."""

    def function(
        t: Net,
        size: Ints,
        dtype: DType | None = None,
        layout: object = None,
        device: object = None,
        pin_memory: object = None,
        memory_format: object = None,
    ) -> Value:
        return filled(t, size, value, dtype or "float32")

    return function


def like(value: float) -> Callable[..., Value]:
    """zeros_like and ones_like."""

    def function(
        t: Net,
        self: Value,
        dtype: DType | None = None,
        layout: object = None,
        device: object = None,
        pin_memory: object = None,
        memory_format: object = None,
    ) -> Value:
        return filled(t, sizes_of(t, self), value, dtype or self.dtype)

    return function


def full_like(
    t: Net,
    self: Value,
    fill_value: Operand,
    dtype: DType | None = None,
    layout: object = None,
    device: object = None,
    pin_memory: object = None,
    memory_format: object = None,
) -> Value:
    """A tensor of one number in the shape of another."""
    return filled(t, sizes_of(t, self), fill_value, dtype or self.dtype)


def new(value: float) -> Callable[..., Value]:
    """new_zeros and new_ones."""

    def function(
        t: Net,
        self: Value,
        size: Ints,
        dtype: DType | None = None,
        layout: object = None,
        device: object = None,
        pin_memory: object = None,
    ) -> Value:
        return filled(t, size, value, dtype or self.dtype)

    return function


def new_full(
    t: Net,
    self: Value,
    size: Ints,
    fill_value: Operand,
    dtype: DType | None = None,
    layout: object = None,
    device: object = None,
    pin_memory: object = None,
) -> Value:
    """A tensor of one number in the dtype of another."""
    return filled(t, size, fill_value, dtype or self.dtype)


def fill(t: Net, self: Value, value: Operand) -> Value:
    """The same shape and dtype, of one number."""
    return filled(t, sizes_of(t, self), value, self.dtype)


def zero(t: Net, self: Value) -> Value:
    """The same shape and dtype, of zeros."""
    return filled(t, sizes_of(t, self), 0, self.dtype)


def scalar_tensor(
    t: Net,
    s: Operand,
    dtype: DType | None = None,
    layout: object = None,
    device: object = None,
    pin_memory: object = None,
) -> Value:
    """One number as a tensor: a float unless it is said."""
    return as_value(t, s, plain(dtype) if dtype else "float32")


def to_tensor(t: Net, data: Operand, dtype: DType | None = None, device: object = None) -> Value:
    """One number as a tensor, of its own kind."""
    return as_value(t, data, plain(dtype) if dtype else kind_of(data))


def arange(t: Net, start: Number, end: Number, step: Number, dtype: str | None) -> Value:
    """From start up to before end."""
    ends = (start, end, step)
    whole = all(kind_of(one) == "int64" for one in ends)
    kind = plain(dtype) if dtype else "int64" if whole else "float32"
    if not any(isinstance(one, Size) for one in ends):
        first, last, by = (_as_number(one, whole) for one in ends)
        if not by or abs((last - first) / by) > MAX_ELEMENTS >> 4:
            raise garbled(f"it counts from {start} to {end} by {step}", f"它要从 {start} 数到 {end}，步长 {step}")
        steps: Any = (first, last, by, np.int64 if whole else np.float64)
        return t.array(np.arange(*steps).astype(kind))
    if not whole:
        raise refused("it counts to a free size by fractions", "它按小数数到不固定的大小")
    rows = [as_value(t, one, "int64") for one in ends]
    simple = start == 0 and step == 1 and isinstance(end, Size)
    found = t.emit("Range", rows, (dim(end) if simple else UNKNOWN,))  # type: ignore[arg-type]
    if start == 0 and isinstance(step, int):
        t.counted[found.name] = step
    return cast(t, found, kind)


def _as_number(x: Number, whole: bool) -> Any:
    return x if whole or isinstance(x, Size) else float(x)


def arange_end(
    t: Net, end: Number, dtype: DType | None = None, layout: object = None, device: object = None,
    pin_memory: object = None,
) -> Value:  # fmt: skip
    """From 0 up to before end."""
    return arange(t, 0, end, 1, dtype)


def arange_start(
    t: Net, start: Number, end: Number, dtype: DType | None = None, layout: object = None, device: object = None,
    pin_memory: object = None,
) -> Value:  # fmt: skip
    """From start up to before end."""
    return arange(t, start, end, 1, dtype)


def arange_step(
    t: Net, start: Number, end: Number, step: Number = 1, dtype: DType | None = None, layout: object = None,
    device: object = None, pin_memory: object = None,
) -> Value:  # fmt: skip
    """From start up to before end, by steps."""
    return arange(t, start, end, step, dtype)


def linspace(
    t: Net, start: float, end: float, steps: int, dtype: DType | None = None, layout: object = None,
    device: object = None, pin_memory: object = None,
) -> Value:  # fmt: skip
    """So many numbers from start to end, both included."""
    if not 0 <= steps <= MAX_ELEMENTS >> 4:
        raise garbled(f"it makes {steps} steps", f"它要生成 {steps} 个数")
    return t.array(np.linspace(start, end, steps).astype(plain(dtype or "float32")))


def eye(
    t: Net, n: int, dtype: DType | None = None, layout: object = None, device: object = None,
    pin_memory: object = None,
) -> Value:  # fmt: skip
    """Ones on the diagonal."""
    return eye_of(t, n, n, dtype)


def eye_of(
    t: Net, n: int, m: int, dtype: DType | None = None, layout: object = None, device: object = None,
    pin_memory: object = None,
) -> Value:  # fmt: skip
    """The same with more columns than rows, or fewer."""
    if not 0 <= n * m <= MAX_ELEMENTS >> 4:
        raise garbled(f"it makes a matrix of {n} x {m}", f"它要生成 {n} x {m} 的矩阵")
    return t.array(np.eye(n, m, dtype=plain(dtype or "float32")))


def triangle(function: Callable[..., Array]) -> Callable[..., Value]:
    """tril and triu: of a constant, or by a mask."""

    def made(t: Net, self: Value, diagonal: int = 0) -> Value:
        high, wide = self.shape[-2:]
        if not (isinstance(high, int) and isinstance(wide, int)):
            return _free_triangle(t, self, diagonal, function is np.tril)
        mask = t.array(function(np.ones((high, wide), bool), diagonal))
        return t.emit("Where", [mask, self, t.scalar(0, self.dtype)])

    return made


def _free_triangle(t: Net, x: Value, diagonal: int, lower: bool) -> Value:
    """By comparing rows with columns."""
    rows, columns = (arange(t, 0, t.size(x, axis), 1, None) for axis in (-2, -1))
    columns = t.emit("Sub", [columns, t.scalar(diagonal, "int64")])
    pair = [unsqueeze(t, rows, 1), unsqueeze(t, columns, 0)]
    beyond = t.emit("Less" if lower else "Greater", pair)
    return t.emit("Where", [beyond, t.scalar(0, x.dtype), x])


def corners(function: Callable[..., Any]) -> Callable[..., Value]:
    """tril_indices and triu_indices."""

    def made(
        t: Net, row: int, col: int, offset: int = 0, dtype: DType | None = None, layout: object = None,
        device: object = None, pin_memory: object = None,
    ) -> Value:  # fmt: skip
        if not 0 <= row * col <= MAX_ELEMENTS >> 6:
            raise garbled(f"it makes a matrix of {row} x {col}", f"它要生成 {row} x {col} 的矩阵")
        return t.array(np.stack(function(row, offset, col)).astype(np.int64))

    return made


def meshgrid(t: Net, tensors: Values, indexing: str = "ij") -> list[Value]:
    """Each row spread over all others."""
    rows = list(tensors)
    turned = indexing == "xy" and len(rows) > 1
    rows = [rows[1], rows[0], *rows[2:]] if turned else rows
    sizes = tuple(t.size(x, 0) if x.shape else 1 for x in rows)
    found = []
    for i, x in enumerate(rows):
        wide = view(t, x, tuple(n if j == i else 1 for j, n in enumerate(sizes)))
        found.append(expand(t, wide, sizes))
    if not turned:
        return found
    order = (1, 0, *range(2, len(rows)))
    swapped = [t.emit("Transpose", [x], perm=order) for x in found]
    return [swapped[1], swapped[0], *swapped[2:]]


def one_hot(t: Net, self: Value, num_classes: int = -1) -> Value:
    """int64 (…) -> (…, classes) of 0 and 1."""
    if num_classes < 1:
        raise refused("one_hot without the number of classes", "one_hot 没有给出类别数")
    row = t.array(np.arange(num_classes))
    return cast(t, t.emit("Equal", [unsqueeze(t, self, len(self.shape)), row]), "int64")


MAKING: dict[str, Callable[..., Value | list[Value]]] = {
    "full": full, "zeros": of_one(0), "ones": of_one(1), "empty": of_one(0), "zeros_like": like(0),
    "ones_like": like(1), "empty_like": like(0), "full_like": full_like, "new_zeros": new(0), "new_ones": new(1),
    "new_empty": new(0), "new_full": new_full, "fill": fill, "zero": zero, "scalar_tensor": scalar_tensor,
    "tensor": to_tensor, "arange": arange_end, "arange.start": arange_start, "arange.start_step": arange_step,
    "linspace": linspace, "eye": eye, "eye.m": eye_of, "tril": triangle(np.tril), "triu": triangle(np.triu),
    "meshgrid": meshgrid, "meshgrid.indexing": meshgrid, "one_hot": one_hot, "tril_indices": corners(np.tril_indices),
    "triu_indices": corners(np.triu_indices),
}  # fmt: skip
