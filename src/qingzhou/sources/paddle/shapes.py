"""The same numbers in another shape or order; parts of them, parts joined; constants and sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten import axes as theirs
from ..aten import making
from ..aten.arithmetic import cast
from ..aten.axes import cut, permute, sizes_of, squeeze_dims, unsqueeze, view
from ..recording.net import Int, Ints, Size, plain
from .refuse import garbled, refused
from .walk import OPEN, Call, Results, Step, at_front


def reshape(c: Call) -> Results:
    """0 keeps the size that stands there, -1 is what remains."""
    x, wish = c.x(), c.sizes("shape")
    if any(n == 0 for n in wish[len(x.shape) :]):
        raise garbled(f"it reshapes {list(x.shape)}", f"它要变形 {list(x.shape)}")
    return [view(c.t, x, tuple(c.t.size(x, i) if n == 0 else n for i, n in enumerate(wish)))]


def flatten(c: Call) -> Results:
    """The axes from start to stop as one."""
    return [theirs.flatten(c.t, c.x(), c.whole("start_axis", 1), c.whole("stop_axis", 1))]


def flatten_to_two(c: Call) -> Results:
    """The axes before one as the first, all others as the second."""
    x = c.x()
    axis = c.whole("axis", 1)
    if not 0 <= axis <= len(x.shape):
        raise garbled(f"axis {axis} is none of {len(x.shape)} dimensions", f"第 {axis} 轴不存在")
    rows = theirs.flatten(c.t, x, axis) if axis < len(x.shape) else unsqueeze(c.t, x, -1)
    return [theirs.flatten(c.t, rows, 0, axis - 1) if axis else unsqueeze(c.t, rows, 0)]


def squeeze(c: Call) -> Results:
    """Without these axes, or all, of size 1."""
    x = c.x()
    axes = c.axes("axis", len(x.shape))
    return [squeeze_dims(c.t, x, axes) if axes else theirs.squeeze(c.t, x)]


def widen(c: Call) -> Results:
    """New axes of size 1, one after the other."""
    x = c.x()
    for axis in c.ints("axis"):
        x = unsqueeze(c.t, x, axis)
    return [x]


def transpose(c: Call) -> Results:
    """Axes in another order."""
    return [permute(c.t, c.x(), c.ints("perm"))]


def concat(c: Call) -> Value:
    """Along an axis."""
    parts = c.xs("x")
    return theirs.cat(c.t, tuple(parts), c.whole("axis", 0))


def stack(c: Call) -> Value:
    """Along a new axis."""
    return theirs.stack(c.t, tuple(c.xs("x")), c.whole("axis", 0))


def split(c: Call) -> Results:
    """Into these sizes, of which one may be -1."""
    x, sizes = c.x(), list(c.ints("sections"))
    axis = c.axis("axis", len(x.shape))
    size = x.shape[axis]
    if sizes.count(-1) == 1 and isinstance(size, int):
        sizes[sizes.index(-1)] = size - (sum(sizes) + 1)
    if not sizes or min(sizes) < 0 or (isinstance(size, int) and sum(sizes) != size):
        raise garbled(f"it splits {size} into {sizes[:9]}", f"它把 {size} 分成 {sizes[:9]}")
    return [theirs.pieces(c.t, x, axis, sizes)]


def split_evenly(c: Call) -> Results:
    """Into so many."""
    x, count = c.x(), c.whole("num", 1)
    axis = c.axis("axis", len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int):
        raise refused("it splits an axis of a free size", "它切分了大小不固定的轴")
    if not 1 <= count <= 1 << 12 or size % count:
        raise garbled(f"it splits {size} into {count}", f"它把 {size} 分成 {count} 份")
    return [theirs.pieces(c.t, x, axis, [size // count] * count)]


def slices(c: Call) -> Value:
    """From starts to ends along axes; some of these then go away."""
    x = c.x("input")
    axes, drop = c.axes("axes", len(x.shape)), c.axes("decrease_axis", len(x.shape))
    starts, ends = c.sizes("starts"), c.sizes("ends")
    if not len(axes) == len(starts) == len(ends):
        raise garbled("a slice has not as many ends as axes", "slice 的起止数量与轴数不符")
    for axis, start, end in zip(axes, starts, ends, strict=True):
        if axis not in drop:
            x = cut(c.t, x, axis, _start(x, axis, start), theirs.END if end == OPEN else end)
    for axis, start in sorted(zip(axes, starts, strict=True), key=lambda one: -one[0]):
        if axis in drop:  # a single one, which begins there
            x = theirs.select(c.t, x, axis, start)
    return x


def _start(x: Value, axis: int, start: Int) -> Int:
    """A start before the first number is the first."""
    size = x.shape[axis]
    return 0 if isinstance(size, int) and isinstance(start, int) and start < -size else start


def strided(c: Call) -> Value:
    """From starts to ends by steps."""
    x = c.x() if c.has("x") else c.x("input")
    axes, steps = c.axes("axes", len(x.shape)), c.ints("strides")
    starts, ends = c.ints("starts"), c.ints("ends")
    if not len(axes) == len(starts) == len(ends) == len(steps) or 0 in steps:
        raise garbled("a slice has not as many ends as axes", "slice 的起止数量与轴数不符")
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        size = x.shape[axis]
        if isinstance(size, int) and step < 0:
            start = min(start + (start < 0) * size, size - 1)
            end = -(2**63) if end == -1 or end < -size else end  # -1 backwards is an open end
        x = c.t.emit("Slice", [x, c.t.whole(start), c.t.whole(end), c.t.whole(axis), c.t.whole(step)])
    drop = c.axes("decrease_axis", len(x.shape))
    return squeeze_dims(c.t, x, drop) if drop else x


def crop(c: Call) -> Value:
    """So many from an offset on, along each axis; -1 is all that follow."""
    x, sizes, offsets = c.x(), c.ints("shape"), c.ints("offsets")
    if not len(sizes) == len(offsets) == len(x.shape):
        raise garbled("a crop has not as many sizes as axes", "crop 的尺寸数量与维数不符")
    for axis, (size, start) in enumerate(zip(sizes, offsets, strict=True)):
        x = cut(c.t, x, axis, start, theirs.END if size == -1 else start + size)
    return x


def unstack(c: Call) -> Results:
    """Each position of an axis."""
    return [theirs.unbind(c.t, c.x(), c.whole("axis", 0))]


def unbind(c: Call) -> Results:
    """Each position of an axis."""
    return [theirs.unbind(c.t, c.x("input"), c.whole("axis", 0))]


def expand(c: Call) -> Value:
    """Axes of size 1 as often as is asked for; -1 keeps a size."""
    return _expanded(c, c.x(), c.sizes("shape"))


def expand_as(c: Call) -> Value:
    """To the shape of another."""
    x = c.x()
    return _expanded(c, x, sizes_of(c.t, c.x("y")) if c.has("y") else c.sizes("target_shape"))


def broadcast(c: Call) -> Results:
    """Several in the shape that numpy gives them together: of each axis the size that is not 1."""
    xs = c.xs("input")
    rank = max((len(x.shape) for x in xs), default=0)
    wide: list[Int] = [1] * rank
    for x in xs:
        for axis, size in enumerate(sizes_of(c.t, x), start=rank - len(x.shape)):
            wide[axis] = size if wide[axis] == 1 else wide[axis]
    return [[_expanded(c, x, tuple(wide)) for x in xs]]


def _expanded(c: Call, x: Value, sizes: Ints) -> Value:
    """A wish for 1 where there are several keeps these, as broadcasting does."""
    x = at_front(c, x, max(len(sizes) - len(x.shape), 0))
    kept = [-1 if n == 1 else n for n in sizes]
    return theirs.expand(c.t, x, tuple(kept))


def tile(c: Call) -> Value:
    """Copies along each axis."""
    return theirs.tile(c.t, c.x(), c.sizes("repeat_times"))


def repeat(c: Call) -> Value:
    """Each element several times in a row."""
    return theirs.repeat_interleave(c.t, c.x(), c.whole("repeats", 1), c.whole("axis", 0))


def meshgrid(c: Call) -> Results:
    """Each row spread over all others."""
    return [making.meshgrid(c.t, tuple(c.xs("inputs")))]


# -- constants and sizes -----------------------------------------------------------------------------------------------


def shape(c: Call) -> Value:
    """The sizes, as a row."""
    x = c.x("input")
    return c.t.row(sizes_of(c.t, x)) if x.shape else c.t.array(np.zeros(0, np.int64))


def count(c: Call) -> Value:
    """How many numbers there are."""
    found = theirs.counted(c.t, sizes_of(c.t, c.x()))
    return c.t.scalar(found, "int64") if isinstance(found, int) else view(c.t, found.value, ())


def kind(c: Call) -> str:
    """The kind of number that comes out."""
    found = c.dtype() or c.result() or "float32"
    return plain(found)


def full(c: Call) -> Value:
    """One number in a shape."""
    said = c.op.attrs.get("str_value")
    value: Any = c.op.attrs.get("value", 0.0)
    if isinstance(said, str) and said:  # the older generation writes large numbers down as text, too
        value = float({"inf": "inf", "-inf": "-inf", "nan": "nan"}.get(said.lower(), said))
    return _filled(c, c.sizes("shape"), value)


def _filled(c: Call, sizes: Ints, value: Any) -> Value:
    number = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(number, (int, float)):
        raise garbled("it is filled with no number", "填充值不是数")
    dtype = kind(c)
    found: float = bool(number) if dtype == "bool" else int(number) if dtype == "int64" else float(number)
    return making.filled(c.t, sizes, found, dtype)


def empty(c: Call) -> Value:
    """A tensor that is written later; zeros until then."""
    return _filled(c, c.sizes("shape"), 0.0)


def full_int_array(c: Call) -> Value:
    """A row of whole numbers."""
    return c.t.array(np.array(c.ints("value"), np.int64))


def full_like(c: Call) -> Value:
    """One number in the shape of another."""
    x = c.x()
    value = c.number("value", 0.0) if c.has("value") else c.op.attrs.get("value", 0.0)
    dtype = c.dtype() or c.result()
    dtype = plain(dtype) if dtype else x.dtype
    return making.filled(c.t, sizes_of(c.t, x), int(value) if dtype != "float32" else float(value), dtype)


def zeros_like(c: Call) -> Value:
    """Zeros in the shape of another."""
    x = c.x()
    return making.filled(c.t, sizes_of(c.t, x), 0, x.dtype)


def full_with_tensor(c: Call) -> Value:
    """One number, of a variable, in a shape."""
    value, sizes = cast(c.t, c.x("value"), kind(c)), c.sizes("shape")
    number = c.t.known(value)
    if number is not None and number.size == 1:
        return _filled(c, sizes, number.reshape(-1)[0].item())
    return theirs.expand(c.t, view(c.t, value, (1,) * len(sizes)), sizes)


def full_like_batch(c: Call) -> Value:
    """One number in a shape, one size of which is another's."""
    x, sizes = c.x("input"), [*c.ints("shape")]
    wide: list[Int] = [*sizes]
    wide[c.whole("output_dim_idx", 0)] = c.t.size(x, c.whole("input_dim_idx", 0))
    return _filled(c, tuple(wide), c.op.attrs.get("value", 0.0))


def values(c: Call) -> Value:
    """Numbers that stand in the program itself; the older generation has a list for each kind of them."""
    row = c.op.attrs.get("values")
    lists = ("fp32_values", "int32_values", "int64_values", "bool_values", "fp64_values")
    row = row or next((c.op.attrs[name] for name in lists if c.op.attrs.get(name)), [])
    sizes = c.ints("shape")
    if not isinstance(row, list) or len(row) != math.prod(sizes) or not all(isinstance(n, (int, float)) for n in row):
        raise garbled(f"{list(sizes)} numbers are {len(row)}", f"常量的个数与形状 {list(sizes)} 不符")
    return c.t.array(np.array(row, dtype=kind(c)).reshape(sizes))


def counted(c: Call) -> Value:
    """From start up to before end."""
    ends: list[Any] = []
    for name in ("start", "end", "step"):
        found = c.sizes(name) if _is_size(c, name) else (c.number(name, 1.0),)
        ends.append(found[0])
    dtype = kind(c)
    whole = dtype == "int64" and all(isinstance(n, Size) or n == int(n) for n in ends)
    ends = [n if isinstance(n, Size) else int(n) if whole else float(n) for n in ends]
    return cast(c.t, making.arange(c.t, ends[0], ends[1], ends[2], dtype), dtype)


def _is_size(c: Call, name: str) -> bool:
    return c.has(name) and c.x(name).dtype == "int64" and c.t.known(c.x(name)) is None


def evenly(c: Call) -> Value:
    """So many numbers from start to stop, both included."""
    start, stop, number = c.number("start"), c.number("stop"), c.whole("number", 1)
    if not 1 <= number <= 1 << 20:
        raise garbled(f"it makes {number} numbers", f"它要生成 {number} 个数")
    return c.t.array(np.linspace(start, stop, number).astype(kind(c)))


def eye(c: Call) -> Value:
    """Ones on the diagonal."""
    rows, columns = c.whole("num_rows", 1), c.whole("num_columns", -1)
    columns = rows if columns < 0 else columns
    if not (0 <= rows <= 1 << 12 and 0 <= columns <= 1 << 12):
        raise garbled(f"a matrix of {rows} x {columns}", f"{rows} x {columns} 的矩阵")
    return c.t.array(np.eye(rows, columns, dtype=kind(c)))


def one_hot(c: Call) -> Value:
    """int64 (…) -> (…, classes) of 0 and 1."""
    return cast(c.t, making.one_hot(c.t, cast(c.t, c.x(), "int64"), c.whole("num_classes", -1)), "float32")


def triangle(lower: bool | None = None) -> Step:
    """What lies below or above a diagonal."""

    def step(c: Call) -> Value:
        down = c.flag("lower", True) if lower is None else lower
        return making.triangle(np.tril if down else np.triu)(c.t, c.x(), c.whole("diagonal", 0))

    return step


SHAPES: dict[str, Step] = {
    "reshape": reshape, "old_reshape": reshape, "flatten": flatten, "flatten2": flatten_to_two,
    "old_flatten": flatten_to_two, "squeeze": squeeze, "old_squeeze": squeeze, "unsqueeze": widen,
    "old_unsqueeze": widen, "transpose": transpose, "old_transpose": transpose, "concat": concat, "stack": stack,
    "split": split, "split_with_num": split_evenly, "slice": slices, "strided_slice": strided, "unstack": unstack,
    "unbind": unbind, "crop": crop, "empty": empty, "expand": expand, "expand_as": expand_as, "tile": tile,
    "repeat_interleave": repeat, "broadcast_tensors": broadcast,
    "meshgrid": meshgrid, "shape": shape, "shape64": shape, "numel": count, "full": full,
    "full_int_array": full_int_array, "full_like": full_like, "fill": full_like, "zeros_like": zeros_like,
    "full_with_tensor": full_with_tensor, "full_batch_size_like": full_like_batch, "assign_value": values,
    "assign_value_": values, "arange": counted, "linspace": evenly, "eye": eye, "one_hot": one_hot,
    "tril": triangle(True), "triu": triangle(False), "tril_triu": triangle(),
}  # fmt: skip
