"""The same numbers in other places: shapes, slices, joins, paddings, and the sizes that are reckoned for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.form import Array, Dim, Value
from ..recording.net import Int, Size
from .refuse import garbled, refused
from .walk import BATCH, Call, Step

# -- glue --------------------------------------------------------------------------------------------------------------


def first(c: Call) -> Any:
    """Load, Depend: what it waits for is nothing here."""
    return c.item(0)


def made_tuple(c: Call) -> tuple[Any, ...]:
    """All its inputs together."""
    return tuple(c.item(i) for i in range(len(c.node.inputs)))


def picked(c: Call) -> Any:
    """One of a tuple."""
    row, (place,) = c.item(0), c.ints(1, "index")
    if not isinstance(row, tuple) or not -len(row) <= place < len(row):
        raise garbled(f"it takes number {place} of what are not so many", f"它取第 {place} 个，但没有这么多")
    if row[place] is None:
        raise refused(
            f"result {place} of an operation is read, which is not known here",
            f"使用了某个算子的第 {place} 个输出，这里不支持",
        )
    return row[place]


# -- reshaping ---------------------------------------------------------------------------------------------------------


def reshape(c: Call) -> Value:
    """Reshape: the sizes are numbers, sizes that are free, or a tensor."""
    x, wish = c.x(0), c.sizes(1)
    if wish is None:
        return c.t.emit("Reshape", [x, c.x(1)], _told(c))
    return reshaped(c, x, wish)


def _told(c: Call) -> tuple[int | str, ...] | None:
    told = getattr(c.node.told, "shape", None)
    return None if told is None or min(told, default=0) < 0 else tuple(told)


def reshaped(c: Call, x: Value, wish: Sequence[Int]) -> Value:
    """In another shape. Sizes that are 0 would be kept by ONNX: they are none of an honest network."""
    if any(n == 0 or (isinstance(n, int) and n < -1) for n in wish):
        raise refused(f"it makes {list(wish)} of {list(x.shape)}", f"它把 {list(x.shape)} 变成 {list(wish)}")
    wish = _freed(c, x, wish) if c.walk.count else wish
    names = tuple(n.name if isinstance(n, Size) else n for n in wish)
    if x.shape == names:
        return x
    row = _settled(x, wish)
    if not all(isinstance(n, int) for n in row):
        return c.t.emit("Reshape", [x, c.t.row(row)])
    known = _known(c, names) if -1 in names else names
    return c.t.emit("Reshape", [x, c.t.whole(*(n for n in row if isinstance(n, int)))], known)


def _known(c: Call, names: Sequence[Dim]) -> tuple[Dim, ...] | None:
    """What is worked out is as many rows for each sample as there were for those of the example."""
    told, count = _told(c), c.walk.count
    if not count or told is None or len(told) != len(names):
        return None
    rows, rest = divmod(int(told[names.index(-1)]), count)
    if rest:
        return None
    name = BATCH if rows == 1 else f"{rows}*{BATCH}"
    c.walk.sizes[name] = rows * count
    return tuple(name if n == -1 else n for n in names)


def _settled(x: Value, wish: Sequence[Int]) -> list[Int]:
    """Sizes by their names where x has the same ones there, or where there is only one: 0 and -1 stand for them."""
    row: list[Int] = list(wish)
    for i, n in enumerate(wish):
        if isinstance(n, Size) and i < len(x.shape) and x.shape[i] == n.name and n.name != "?":
            row[i] = 0
    left = [i for i, n in enumerate(row) if isinstance(n, Size)]
    if len(left) == 1 and -1 not in row:
        row[left[0]] = -1
    return row


def _freed(c: Call, x: Value, wish: Sequence[Int]) -> Sequence[Int]:
    """The same where the batch of the example has become free: the size that holds the samples is worked out.

    All before it stays as it is; -1, of which only one may be, is what the file states.
    """
    free = [i for i, n in enumerate(x.shape) if isinstance(n, str)]
    told = _told(c)
    if len(free) != 1 or any(isinstance(n, Size) for n in wish):
        return wish
    sizes: list[Int] = list(wish)
    if told is not None and len(told) == len(wish):
        sizes = [n for n in told if isinstance(n, int)]
    at = free[0]
    if at < len(sizes) and all(a == b for a, b in zip(x.shape[:at], sizes[:at], strict=True)):
        sizes[at] = -1
    return sizes if sizes.count(-1) == 1 else wish


def flatten(c: Call) -> Value:
    """Flatten: all behind the batch in a row."""
    x = c.x()
    if len(x.shape) == 1:
        return c.t.emit("Unsqueeze", [x, c.t.whole(1)])
    return c.t.emit("Flatten", [x], axis=1)


def flatten_between(c: Call) -> Value:
    """FlattenExt: from one axis to another."""
    x = c.x()
    start, end = (
        c.axis(int(c.number(i, name, usual)), len(x.shape))
        for i, name, usual in ((1, "start_dim", 0), (2, "end_dim", -1))
    )
    return reshaped(
        c, x, [*(c.t.size(x, i) for i in range(start)), -1, *(c.t.size(x, i) for i in range(end + 1, len(x.shape)))]
    )


def expand_dims(c: Call) -> Value:
    """With an axis of size 1."""
    x, axis = c.x(), int(c.number(1, "axis"))
    return c.t.emit("Unsqueeze", [x, c.t.whole(c.axis(axis, len(x.shape) + 1))])


def squeeze(c: Call) -> Value:
    """Without axes of size 1; all of them where none is named, the batch of an example among them."""
    x = c.x()
    found = c.get(1, "axis", ())
    row = found if isinstance(found, tuple) else () if found is None else (found,)
    axes = sorted({c.axis(int(n), len(x.shape)) for n in row}) or [i for i, n in enumerate(x.shape) if n == 1]
    return c.t.emit("Squeeze", [x, c.t.whole(*axes)]) if axes else x


def transpose(c: Call) -> Value:
    """Axes in another order."""
    x = c.x()
    perm = tuple(c.axis(n, len(x.shape)) for n in c.ints(1, "perm"))
    if sorted(perm) != list(range(len(x.shape))):
        raise garbled(f"the axes {perm} are no order", f"轴序 {perm} 无效")
    return c.turned(x, perm)


def broadcast(c: Call) -> Value:
    """BroadcastTo: -1 keeps a size."""
    x, wish = c.x(), c.sizes(1) if len(c.node.inputs) > 1 else c.ints(1, "shape")
    if wish is None:
        return c.t.emit("Expand", [x, c.x(1)])
    more = len(wish) - len(x.shape)
    row = [c.t.size(x, i - more) if n == -1 and i >= more else n for i, n in enumerate(wish)]
    if c.walk.count:
        row = [1 if i >= more and isinstance(x.shape[i - more], str) else n for i, n in enumerate(row)]
    return c.t.emit("Expand", [x, c.t.row(row)])


def tile(c: Call) -> Value:
    """Repeated along its axes."""
    x, times = c.x(), c.sizes(1) if len(c.node.inputs) > 1 else c.ints(1, "multiples")
    if times is None:
        return c.t.emit("Tile", [x, c.x(1)])
    more = len(times) - len(x.shape)
    if more > 0:
        x = c.t.emit("Unsqueeze", [x, c.t.whole(*range(more))])
    row = [1] * -more + list(times)
    if all(n == 1 for n in row):
        return x
    if all(n == 1 or x.shape[i] == 1 for i, n in enumerate(row)):  # what is 1 long is broadcast
        return c.t.emit("Expand", [x, c.t.row(row)])
    return c.t.emit("Tile", [x, c.t.row(row)])


# -- sizes -------------------------------------------------------------------------------------------------------------


def shape(c: Call) -> tuple[Int, ...]:
    """Shape: a number or a free size for each axis."""
    x = c.x()
    return tuple(c.t.size(x, i) for i in range(len(x.shape)))


def tensor_shape(c: Call) -> Value:
    """TensorShape: the same as a tensor."""
    return c.t.row(shape(c))


def rank(c: Call) -> int:
    """How many axes there are."""
    return len(c.x().shape)


def reckoned(op: str) -> Step:
    """Arithmetic of two sizes."""

    def step(c: Call) -> Any:
        a, b = c.item(0), c.item(1)
        if isinstance(a, (int, Size)) and isinstance(b, (int, Size)):
            return c.t.reckoned(op, a, b)
        if isinstance(a, (int, float)) and isinstance(b, (int, float)):
            return {"Add": a + b, "Sub": a - b, "Mul": a * b, "Div": a / b if b else 0.0}[op]
        return c.t.emit(op, c.pair())

    return step


def floor_divided(c: Call) -> Any:
    """ScalarFloorDiv: sizes are not below zero."""
    a, b = c.item(0), c.item(1)
    if isinstance(a, int) and isinstance(b, int) and b:
        return a // b
    return c.t.reckoned("Div", c._size(a), c._size(b))


def as_plain(c: Call) -> Any:
    """A tensor that is known as a number, and other changes between tuples, tensors and numbers."""
    found = c.item(0)
    if isinstance(found, np.ndarray):
        return found.item() if found.ndim == 0 else tuple(found.reshape(-1).tolist())
    return found


def as_tensor(c: Call) -> Any:
    """A number or a row of them as a tensor."""
    found = c.item(0)
    return found if isinstance(found, (np.ndarray, tuple)) and not found else c.value(found)


def zeros(value: float) -> Step:
    """Zeros and Ones of a shape."""

    def step(c: Call) -> Value:
        wish = c.sizes(0)
        c.only(wish is not None, "how many zeros it makes is only known when it runs", "张量形状运行时才知道")
        assert wish is not None
        return _full(c, c.t.scalar(value, "float32" if _floats(c) else "int64"), wish)

    return step


def _floats(c: Call) -> bool:
    return "int" not in getattr(c.node.told, "dtype", "float32")


def _full(c: Call, one: Value, wish: Sequence[Int]) -> Value:
    if not wish:
        return one
    found = c.t.emit("Expand", [one, c.t.row(wish)])
    known = c.t.known(one)
    return c.t.zeros_like(found) if known is not None and not known.any() else found


def fill(c: Call) -> Value:
    """FillV2(shape, value): one number everywhere."""
    wish = c.sizes(0)
    if wish is None:
        return c.t.emit("Expand", [c.x(1), c.x(0)])
    return _full(c, c.t.emit("Reshape", [c.x(1), c.t.whole(1)]) if c.x(1).shape else c.x(1), wish)


def eye(c: Call) -> Value:
    """Eye(rows, columns)."""
    rows, columns = int(c.number(0, "n")), int(c.number(1, "m"))
    if not 0 < rows * columns < 1 << 22:
        raise garbled(f"it makes {rows} x {columns} numbers", f"它生成 {rows} x {columns} 个数")
    return c.t.array(np.eye(rows, columns, dtype=np.float32 if _floats(c) else np.int64))


def counted(c: Call) -> Value:
    """Range and Arange, of which all ends are known."""
    start, stop, step = (c.number(i, "range", usual) for i, usual in ((0, 0), (1, 0), (2, 1)))
    if not step or not 0 <= (stop - start) / step < 1 << 20:
        raise garbled(f"it counts from {start} to {stop} by {step}", f"它从 {start} 数到 {stop}，步长 {step}")
    return c.t.array(np.arange(start, stop, step).astype(np.float32 if _floats(c) else np.int64))


def spaced(c: Call) -> Value:
    """LinSpace(start, stop, count)."""
    start, stop, count = (c.number(i, "ends") for i in range(3))
    if not 0 < count < 1 << 20:
        raise garbled(f"it makes {count} numbers", f"它生成 {count} 个数")
    return c.t.array(np.linspace(start, stop, int(count)).astype(np.float32))


def meshgrid(c: Call) -> tuple[Value, ...]:
    """Each row repeated along the axes of the others; of numbers that are known."""
    rows: list[Array] = []
    for x in c.xs():
        known = c.t.known(x)
        c.only(known is not None, "its grid is made of numbers that it computes", "网格由计算结果生成")
        assert known is not None
        rows.append(known)
    swapped = (c.node.inputs[1:] and c.get(1, "indexing", "xy") in (1, "ij")) or c.node.attrs.get("indexing") == "ij"
    told = c.node.told[0].shape if isinstance(c.node.told, tuple) and c.node.told else ()
    grids = np.meshgrid(*rows, indexing="ij" if swapped or (told and told == tuple(len(r) for r in rows)) else "xy")
    return tuple(c.t.array(np.ascontiguousarray(one)) for one in grids)


GLUE: dict[str, Step] = {
    "Load": first, "Depend": first, "UpdateState": lambda c: None, "MakeTuple": made_tuple, "make_list": made_tuple,
    "MakeList": made_tuple, "RealMakeTuple": made_tuple, "make_tuple": made_tuple, "RealMakeList": made_tuple,
    "TupleGetItem": picked, "tuple_getitem": picked, "list_getitem": picked, "RealTupleGetItem": picked,
    "ListGetItem": picked,
    "TensorToTuple": as_plain, "TensorToScalar": as_plain, "TensorToList": as_plain, "TupleToTensor": as_tensor,
    "ListToTensor": as_tensor, "ScalarToTensor": as_tensor,
}  # fmt: skip
SHAPES: dict[str, Step] = {
    **GLUE, "Reshape": reshape, "View": reshape, "ReshapeExt": reshape, "Flatten": flatten,
    "FlattenExt": flatten_between, "ExpandDims": expand_dims, "ExpandDimsView": expand_dims, "Unsqueeze": expand_dims,
    "Squeeze": squeeze, "Transpose": transpose, "TransposeView": transpose, "BroadcastTo": broadcast,
    "BroadcastToView": broadcast, "Tile": tile, "Shape": shape, "DynamicShape": tensor_shape,
    "TensorShape": tensor_shape, "Rank": rank, "ScalarAdd": reckoned("Add"), "ScalarSub": reckoned("Sub"),
    "ScalarMul": reckoned("Mul"), "ScalarDiv": reckoned("Div"), "ScalarFloorDiv": floor_divided, "Zeros": zeros(0),
    "Ones": zeros(1), "FillV2": fill, "Fill": fill, "FillScalar": fill, "Eye": eye, "Range": counted, "Arange": counted,
    "LinSpace": spaced, "LinSpaceExt": spaced, "Meshgrid": meshgrid,
}  # fmt: skip
