"""Numbers picked by positions, put into places, mirrored, rolled and padded."""

from __future__ import annotations

import numpy as np

from ...graph.form import Value
from ..aten import picking as theirs
from ..aten.arithmetic import cast, where
from ..aten.axes import END, expand, permute, sizes_of, unsqueeze, view
from ..aten.reductions import over
from ..recording.net import Ints, Size
from .refuse import garbled, refused
from .walk import Call, Step, fixed


def embedding(c: Call) -> Value:
    """Rows of a table. The padding row reads as zeros, whatever is stored."""
    words, table = cast(c.t, c.x(), "int64"), c.x("weight")
    if c.op.name == "old_embedding" and words.shape[-1:] == (1,):
        words = c.t.emit("Squeeze", [words, c.t.whole(-1)])
    row, rows = c.whole("padding_idx", -1), table.shape[0]
    if row == -1:
        return theirs.embedding(c.t, table, words)
    row = row + rows if row < 0 and isinstance(rows, int) else row
    if not isinstance(rows, int) or not 0 <= row < rows:
        raise garbled(f"its padding row {row} is none of {rows}", f"填充行 {row} 超出 {rows} 行")
    keep = np.ones((rows, 1), np.float32)
    keep[row] = 0
    return theirs.embedding(c.t, c.t.emit("Mul", [table, c.t.array(keep)]), words)


def gather(c: Call) -> Value:
    """Positions along an axis; they may stand in a column."""
    x, at = c.x(), cast(c.t, c.x("index"), "int64")
    if len(at.shape) == 2 and at.shape[1] == 1:
        at = view(c.t, at, (-1,))
    return c.t.emit("Gather", [x, at], axis=c.axis("axis", len(x.shape)))


def gather_nd(c: Call) -> Value:
    """The last axis of the index names positions in the first axes."""
    return c.t.emit("GatherND", [c.x(), cast(c.t, c.x("index"), "int64")])


def index_select(c: Call) -> Value:
    """Positions along an axis."""
    return theirs.index_select(c.t, c.x(), c.whole("axis", 0), c.x("index"))


def index_sample(c: Call) -> Value:
    """Of each row its own positions."""
    return c.t.emit("GatherElements", [c.x(), cast(c.t, c.x("index"), "int64")], axis=1)


def take_along(c: Call) -> Value:
    """One number for each position along an axis; the other axes are broadcast."""
    x, at = c.x("arr"), cast(c.t, c.x("indices"), "int64")
    axis = c.axis("axis", len(x.shape))
    return theirs.gather(c.t, x, axis, at)


def put_along(c: Call) -> Value:
    """Numbers put in places along an axis."""
    way = c.text("reduce", "assign")
    if way != "assign":
        raise refused(f"it gathers what it puts ({way[:40]})", f"put_along_axis 带有归约（{way[:40]}）")
    x = c.x("arr")
    return theirs.scatter(c.t, x, c.axis("axis", len(x.shape)), c.x("indices"), c.x("values"))


def scatter(c: Call) -> Value:
    """Rows put in the place of others."""
    x, at = c.x(), c.x("index")
    at = view(c.t, at, (-1,)) if len(at.shape) == 2 else at
    if not c.flag("overwrite", True):
        return _added(c, x, cast(c.t, at, "int64"), c.x("updates"), True)
    rows = view(c.t, cast(c.t, at, "int64"), (-1, 1))
    return c.t.emit("ScatterND", [x, rows, cast(c.t, c.x("updates"), x.dtype)])


def scatter_add(c: Call) -> Value:
    """Rows added to others."""
    at = c.x("index")
    if at.shape[-1:] != (1,):
        raise refused("it adds numbers by several positions (scatter_nd_add)", "scatter_nd_add 使用了多个下标")
    return _added(c, c.x(), view(c.t, cast(c.t, at, "int64"), (-1,)), c.x("updates"), False)


def _added(c: Call, x: Value, at: Value, rows: Value, instead: bool) -> Value:
    """x with rows added at these positions, or put there first: a product with a matrix of zeros and ones, since ONNX
    adds only from opset 16 on.
    """
    t, sizes = c.t, fixed(x.shape)
    count, new = fixed(at.shape), fixed(rows.shape)
    if sizes is None or count is None or new is None or sizes[0] * count[0] > 1 << 22 or x.dtype != "float32":
        raise refused("it adds rows of a free number", "它按不固定的数量累加")
    ones = t.emit("Equal", [t.array(np.arange(sizes[0])[:, None]), view(t, at, (1, count[0]))])
    ones = cast(t, ones, "float32")
    total = view(t, t.emit("MatMul", [ones, view(t, rows, (count[0], -1))]), sizes)
    if instead:
        there = over(t, "ReduceMax", ones, (1,), True)
        x = t.emit("Mul", [x, view(t, t.emit("Sub", [t.scalar(1.0), there]), (sizes[0], *[1] * (len(sizes) - 1)))])
    return t.emit("Add", [x, total])


def index_put(c: Call) -> Value:
    """x[mask] = value, of a single value; or x[i] = values, where i is known."""
    value = cast(c.t, c.x("value"), c.x().dtype)
    return theirs.index_put(c.t, c.x(), tuple(c.xs("indices")), value, c.flag("accumulate"))


def index_add(c: Call) -> Value:
    """Parts along an axis added to others."""
    x, t = c.x(), c.t
    axis = c.axis("axis", len(x.shape))
    order = (axis, *(i for i in range(len(x.shape)) if i != axis))
    rows = permute(t, c.x("add_value"), order)
    found = _added(c, permute(t, x, order), cast(t, c.x("index"), "int64"), rows, False)
    return permute(t, found, tuple(order.index(i) for i in range(len(order))))


def trace(c: Call) -> Value:
    """The sum of a diagonal."""
    return over(c.t, "ReduceSum", diagonal(c), (-1,))


def flip(c: Call) -> Value:
    """Mirrored along axes."""
    x = c.x()
    return theirs.flip(c.t, x, c.axes("axis", len(x.shape)))


def roll(c: Call) -> Value:
    """Moved along axes; what falls off comes in at the other end."""
    return theirs.roll(c.t, c.x(), c.ints("shifts"), c.ints("axis"))


def diagonal(c: Call) -> Value:
    """The numbers on a diagonal, as a new last axis."""
    return theirs.diagonal(c.t, c.x(), c.whole("offset", 0), c.whole("axis1", 0), c.whole("axis2", 1))


def diag(c: Call) -> Value:
    """A row as the diagonal of a matrix, or the diagonal of a matrix as a row."""
    x, offset, size = c.x(), c.whole("offset", 0), fixed(c.x().shape)
    if len(x.shape) == 2:
        return theirs.diagonal(c.t, x, offset)
    if size is None or len(size) != 1:
        raise refused("diag of a free size", "diag 的尺寸不固定")
    return _on_diagonal(c, x, offset, c.number("padding_value", 0.0))


def diag_embed(c: Call) -> Value:
    """The last axis as the diagonal of matrices."""
    x = c.x("input")
    rank = len(x.shape) + 1
    if (c.axis("dim1", rank, -2), c.axis("dim2", rank, -1)) != (rank - 2, rank - 1) or not isinstance(x.shape[-1], int):
        raise refused("diag_embed of other axes than the last", "diag_embed 使用了其他轴")
    return _on_diagonal(c, x, c.whole("offset", 0), 0.0)


def _on_diagonal(c: Call, x: Value, offset: int, other: float) -> Value:
    size = x.shape[-1]
    assert isinstance(size, int)
    side = size + abs(offset)
    if side > 1 << 12:
        raise refused(f"a diagonal of {side}", f"对角矩阵的边长是 {side}")
    places = np.zeros((side, side), np.int64)
    rows = np.arange(size) + max(-offset, 0)
    places[rows, rows + offset] = np.arange(size)
    there = np.zeros((side, side), bool)
    there[rows, rows + offset] = True
    spread = c.t.emit("Gather", [x, c.t.array(places)], axis=len(x.shape) - 1)
    return where(c.t, c.t.array(there), spread, c.t.scalar(other if x.dtype == "float32" else int(other), x.dtype))


# -- padding -----------------------------------------------------------------------------------------------------------

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular",
         "edge": "replicate"}  # fmt: skip


def pad_sides(c: Call) -> Value:
    """Left, right, top, bottom, front, back: the last axis first."""
    x = c.first(c.x())
    return c.back(_padded(c, x, c.sizes("paddings"), "pad_value"))


def _padded(c: Call, x: Value, sides: Ints, name: str) -> Value:
    mode = MODES.get(c.text("mode", "constant"))
    if mode is None or len(sides) % 2 or len(sides) > 2 * len(x.shape):
        raise garbled(f"its padding is {c.text('mode')[:40]}", f"它的填充方式是 {c.text('mode')[:40]}")
    return theirs.pad(c.t, x, sides, mode, c.number(name, 0.0) if mode == "constant" else None)


def pad2d(c: Call) -> Value:
    """Top, bottom, left, right."""
    x, sides = c.first(c.x()), c.sizes("paddings")
    if len(sides) != 4:
        raise garbled(f"it pads {len(sides)} sides", f"它填充 {len(sides)} 条边")
    return c.back(_padded(c, x, (*sides[2:], *sides[:2]), "pad_value"))


def pad_axes(c: Call) -> Value:
    """Before and after each axis, the first one first."""
    x, sides = c.x(), c.ints("paddings")
    if len(sides) != 2 * len(x.shape):
        raise garbled(f"it pads {len(sides)} sides of {len(x.shape)} axes", "填充的边数与维数不符")
    turned = tuple(n for i in reversed(range(len(x.shape))) for n in sides[2 * i : 2 * i + 2])
    return theirs.pad(c.t, x, turned, "constant", c.number("pad_value", 0.0))


# -- pictures ----------------------------------------------------------------------------------------------------------


def shuffled(c: Call) -> Value:
    """(N, C * r * r, H, W) -> (N, C, H * r, W * r)."""
    return c.back(theirs.pixel_shuffle(c.t, c.first(c.x()), c.whole("upscale_factor", 1)))


def unshuffled(c: Call) -> Value:
    """The other way round."""
    return c.back(theirs.pixel_unshuffle(c.t, c.first(c.x()), c.whole("downscale_factor", 1)))


def channels(c: Call) -> Value:
    """Channels of all groups in turn."""
    groups = c.whole("groups" if "groups" in c.op.attrs else "group", 1)
    return c.back(theirs.channel_shuffle(c.t, c.first(c.x()), groups))


def set_part(c: Call) -> Value:
    """x with x[start:end:step, …] = values, where these places are known."""
    x = c.x()
    axes, drop = c.axes("axes", len(x.shape)), c.axes("decrease_axes", len(x.shape))
    starts, ends, steps = c.ints("starts"), c.ints("ends"), c.ints("steps")
    sizes = fixed([x.shape[axis] for axis in axes])
    if c.ints("none_axes") or sizes is None or not len(axes) == len(starts) == len(ends) == len(steps):
        raise refused("it writes into an axis of a free size", "它写入了大小不固定的轴")
    rows = [np.arange(n)[_slice(*one)] for n, *one in zip(sizes, starts, ends, steps, strict=True)]
    part: list[Size | int] = [*sizes_of(c.t, x)]
    for axis, row in zip(axes, rows, strict=True):
        part[axis] = len(row)
    value = _values(c, x, [n for i, n in enumerate(part) if i not in drop])
    for axis in sorted(drop):
        value = unsqueeze(c.t, value, axis)
    return _put(c, x, list(zip(axes, rows, strict=True)), expand(c.t, value, tuple(part)))


def _slice(start: int, end: int, step: int) -> slice:
    return slice(start, None if end >= END or end < -(1 << 31) + 2 else end, step)


def _values(c: Call, x: Value, sizes: list[Size | int]) -> Value:
    """What is written, of as many axes as there are."""
    if c.has("values"):
        value = cast(c.t, c.x("values"), x.dtype)
        while len(value.shape) > len(sizes) and value.shape[0] == 1:
            value = view(c.t, value, sizes_of(c.t, value)[1:])
    else:
        row, shape = c.op.attrs.get("values", []), c.ints("shape")
        if not isinstance(row, list) or not all(isinstance(n, (int, float)) for n in row):
            raise garbled("it writes no numbers", "它写入的不是数")
        shape = shape if len(row) == int(np.prod(shape)) else (len(row),)
        value = c.t.array(np.array(row, x.dtype).reshape(shape))
    for _ in range(len(sizes) - len(value.shape)):
        value = unsqueeze(c.t, value, 0)
    return value


def _put(c: Call, x: Value, places: list[tuple[int, np.ndarray[tuple[int], np.dtype[np.int64]]]], new: Value) -> Value:
    """Axis by axis: the part of the first that is written gets what is written of the others."""
    (axis, row), *rest = places
    if rest:
        part = c.t.emit("Gather", [x, c.t.array(row)], axis=axis)
        new = _put(c, part, rest, new)
    return theirs.placed(c.t, x, axis, row, new)


def bilinear(c: Call) -> Value:
    """x1 @ W[k] @ x2 for each k."""
    t = c.t
    rows = t.emit("Einsum", [c.x(), c.x("weight"), c.x("y")], equation="bi,kij,bj->bk")
    return t.emit("Add", [rows, c.x("bias")]) if c.has("bias") else rows


def kron(c: Call) -> Value:
    """Each number of one times all of the other."""
    a, b = fixed(c.x().shape), fixed(c.x("y").shape)
    if a is None or b is None or len(a) != len(b):
        raise refused("kron of free sizes", "kron 的尺寸不固定")
    t = c.t
    wide = view(t, c.x(), tuple(n for one in a for n in (one, 1)))
    other = view(t, c.x("y"), tuple(n for one in b for n in (1, one)))
    return view(t, t.emit("Mul", [wide, other]), tuple(n * m for n, m in zip(a, b, strict=True)))


def cross(c: Call) -> Value:
    """The vector upright on both, of axes of 3."""
    x, y, t = c.x(), c.x("y"), c.t
    said = c.whole("axis", 9)
    axis = x.shape.index(3) if said == 9 and 3 in x.shape else c.axis_of(said, len(x.shape))

    def turned(one: Value, *order: int) -> Value:
        return t.emit("Gather", [one, t.whole(*order)], axis=axis)

    first = t.emit("Mul", [turned(x, 1, 2, 0), turned(y, 2, 0, 1)])
    return t.emit("Sub", [first, t.emit("Mul", [turned(x, 2, 0, 1), turned(y, 1, 2, 0)])])


PICKING: dict[str, Step] = {
    "embedding": embedding, "old_embedding": embedding, "gather": gather, "gather_nd": gather_nd,
    "index_select": index_select, "index_sample": index_sample, "take_along_axis": take_along,
    "put_along_axis": put_along, "scatter": scatter, "scatter_nd_add": scatter_add, "flip": flip, "roll": roll,
    "diagonal": diagonal, "diag": diag,
    "diag_embed": diag_embed, "pad3d": pad_sides, "pad2d": pad2d, "pad": pad_axes, "pixel_shuffle": shuffled,
    "pixel_unshuffle": unshuffled, "channel_shuffle": channels, "shuffle_channel": channels,
    **dict.fromkeys(
        ("set_value_", "set_value_with_tensor_", "set_value", "set_value_with_tensor"), set_part),
    "index_put": index_put, "index_add": index_add, "trace": trace,
    "bilinear": bilinear, "kron": kron, "cross": cross,
}  # fmt: skip
