"""The same numbers in other places: shapes, slices, joins, paddings, and the sizes that are reckoned for them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...graph.form import Dim, Value
from .pointwise import activated
from .refuse import garbled, refused
from .walk import Call, Spaced, Step

LARGEST = (1 << 63) - 1


def reshaped(c: Call, x: Value, wish: Sequence[Dim]) -> Value:
    """In another shape; at most one size is -1, which the runtime works out, as it does one that is free."""
    names = [i for i, n in enumerate(wish) if isinstance(n, str)]
    row: list[int] = []
    for i, n in enumerate(wish):
        if isinstance(n, int):
            row.append(n)
        elif i < len(x.shape) and x.shape[i] == n and x.shape[:i] == tuple(wish[:i]):
            row.append(0)  # as it was
        elif len(names) == 1 and -1 not in wish:
            row.append(-1)
        else:
            raise refused(f"it makes {list(wish)} of {list(x.shape)}", f"它把 {list(x.shape)} 变成 {list(wish)}")
    if any(n < -1 or (n == 0 and isinstance(w, int)) for n, w in zip(row, wish, strict=True)):
        raise refused(f"it makes {list(wish)} of {list(x.shape)}", f"它把 {list(x.shape)} 变成 {list(wish)}")
    if tuple(wish) == x.shape:
        return x
    return c.t.emit("Reshape", [x, c.t.whole(*row)], _known(x, wish))


def _known(x: Value, wish: Sequence[Dim]) -> tuple[Dim, ...] | None:
    return None if -1 in wish else tuple(wish)


def reshape(c: Call) -> Value:
    """RESHAPE: the sizes are an input, or in older files a setting."""
    x = c.x()
    if c.has(1) and c.tensor(1).shape != (0,):
        wish = c.dims(1)
        if wish is None or "?" in wish:
            return c.t.emit("Reshape", [x, c.x(1)])
        return reshaped(c, x, wish)
    return reshaped(c, x, c.op.options.get("new_shape", ()))


def squeeze(c: Call) -> Value:
    """Without axes of size 1; all of them where none is named."""
    x = c.x()
    axes = sorted({c.axis(n, len(x.shape)) for n in c.op.options.get("squeeze_dims", ())}) or [
        i for i, n in enumerate(x.shape) if n == 1
    ]
    return c.t.emit("Squeeze", [x, c.t.whole(*axes)]) if axes else x


def expand_dims(c: Call) -> Value:
    """With an axis of size 1."""
    x, (axis,) = c.x(), c.ints(1)
    return c.t.emit("Unsqueeze", [x, c.t.whole(c.axis(axis, len(x.shape) + 1))])


def transpose(c: Call) -> Value:
    """Axes in another order."""
    perm = c.axes(1, len(c.x().shape))
    if sorted(perm) != list(range(len(c.x().shape))):
        raise garbled(f"the axes {perm} are no order", f"轴序 {perm} 无效")
    return c.turned(c.x(), perm)


# -- sizes -------------------------------------------------------------------------------------------------------------


def shape(c: Call) -> Value:
    """SHAPE: a constant where no size is free."""
    return c.t.emit("Shape", [c.x()]) if any(isinstance(n, str) for n in c.x().shape) else c.t.whole(*c.x().shape)  # type: ignore[arg-type]


def rank(c: Call) -> Value:
    """RANK."""
    return c.t.scalar(len(c.x().shape), "int64")


def fill(c: Call) -> Value:
    """FILL: one number everywhere."""
    return c.t.emit("Expand", [c.x(1), c.x(0)])


def broadcast_to(c: Call) -> Value:
    """Repeated along axes of size 1."""
    return c.t.emit("Expand", [c.x(0), c.x(1)])


def broadcast_args(c: Call) -> Value:
    """The shape that two shapes have together."""
    a, b = c.ints(0), c.ints(1)
    return c.t.whole(*np.broadcast_shapes(a, b))


def count(c: Call) -> Value:
    """RANGE, of which all ends are known."""
    ends = [c.t.known(c.x(i)) for i in range(3)]
    if any(one is None for one in ends):
        raise refused("how much it counts is only known when it runs", "计数范围运行时才知道")
    start, stop, step = (float(one.reshape(-1)[0]) for one in ends if one is not None)
    if not step or not abs(stop - start) / abs(step) < 1 << 20:
        raise garbled(f"it counts from {start} to {stop} by {step}", f"它从 {start} 数到 {stop}，步长 {step}")
    return c.t.array(np.arange(start, stop, step).astype(c.x(0).dtype))


# -- parts -------------------------------------------------------------------------------------------------------------


def cut(
    c: Call, x: Value, axes: Sequence[int], starts: Sequence[int], ends: Sequence[int], steps: Sequence[int]
) -> Value:
    """Along some axes."""
    if not axes:
        return x
    return c.t.emit("Slice", [x, *(c.t.whole(*row) for row in (starts, ends, axes, steps))])


def slice_(c: Call) -> Value:
    """SLICE: from where, and how much; -1 is all that is left."""
    x, begin, size = c.x(), c.ints(1), c.ints(2)
    if not len(begin) == len(size) == len(x.shape) or min(begin, default=0) < 0 or min(size, default=0) < -1:
        raise garbled(
            f"it cuts {size} at {begin} out of {list(x.shape)}", f"它从 {list(x.shape)} 的 {begin} 处截取 {size}"
        )
    ends = [LARGEST if n == -1 else b + n for b, n in zip(begin, size, strict=True)]
    axes = [i for i, (b, e) in enumerate(zip(begin, ends, strict=True)) if b or (e != LARGEST and e != x.shape[i])]
    return cut(c, x, axes, [begin[i] for i in axes], [ends[i] for i in axes], [1] * len(axes))


def strided_slice(c: Call) -> Value:
    """STRIDED_SLICE: numpy's x[a:b:s, …, None, i], with bits that say which of these each place is."""
    x = c.x()
    begins, ends, steps = c.ints(1), c.ints(2), c.ints(3)
    mask = {name: c.option(f"{name}_mask") for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    if not len(begins) == len(ends) == len(steps) <= 32 or 0 in steps:
        raise garbled(f"it cuts by {steps}", f"它按步长 {steps} 截取")
    if c.option("offset"):
        ends = tuple(b + e for b, e in zip(begins, ends, strict=True))
    whole = [i for i in range(len(begins)) if mask["ellipsis"] >> i & 1]
    new = [i for i in range(len(begins)) if mask["new_axis"] >> i & 1 and i not in whole]
    kept = len(x.shape) - (len(begins) - len(whole[:1]) - len(new))
    if kept < 0 or len(whole) > 1:
        raise garbled(
            f"it cuts {len(begins)} axes of {len(x.shape)}", f"它截取 {len(begins)} 个轴，而只有 {len(x.shape)} 个"
        )
    cuts: list[tuple[int, int, int, int]] = []
    gone, added, axis, place = [], [], 0, 0
    for i, (b, e, s) in enumerate(zip(begins, ends, steps, strict=True)):
        if i in whole:
            axis, place = axis + kept, place + kept
        elif i in new:
            added.append(place)
            place += 1
        else:
            n = x.shape[axis]
            if mask["shrink_axis"] >> i & 1:
                cuts.append((axis, b, b + 1 if b != -1 else LARGEST, 1))
                gone.append(axis)
            else:
                b = (0 if s > 0 else LARGEST) if mask["begin"] >> i & 1 else b
                e = (LARGEST if s > 0 else -LARGEST) if mask["end"] >> i & 1 else e
                if not (s == 1 and b == 0 and e in (LARGEST, n)):
                    cuts.append((axis, b, e, s))
                place += 1
            axis += 1
    x = cut(c, x, *([one[k] for one in cuts] for k in range(4)))
    x = c.t.emit("Squeeze", [x, c.t.whole(*gone)]) if gone else x
    return c.t.emit("Unsqueeze", [x, c.t.whole(*added)]) if added else x


def split(c: Call) -> list[Value]:
    """SPLIT: an axis and a tensor, into parts of one size."""
    x, many = c.x(1), len(c.op.outputs)
    axis = c.axis(c.ints(0)[0], len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int) or size % many:
        raise garbled(f"{size} cannot be split into {many}", f"{size} 不能分成 {many} 份")
    return _parted(c, x, [size // many] * many, axis)


def split_v(c: Call) -> list[Value]:
    """SPLIT_V: a tensor, sizes, and an axis; one size may be -1."""
    x, sizes = c.x(0), list(c.ints(1))
    axis = c.axis(c.ints(2)[0], len(x.shape))
    if -1 in sizes and isinstance(x.shape[axis], int):
        sizes[sizes.index(-1)] = int(x.shape[axis]) - sum(n for n in sizes if n != -1)
    if len(sizes) != len(c.op.outputs) or min(sizes) < 0:
        raise garbled(f"it splits into {sizes}", f"它分成 {sizes}")
    return _parted(c, x, sizes, axis)


def _parted(c: Call, x: Value, sizes: Sequence[int], axis: int) -> list[Value]:
    if len(sizes) == 1:
        return [x]
    return c.t.emits("Split", [x, c.t.whole(*sizes)], len(sizes), axis=axis)


def unpack(c: Call) -> list[Value]:
    """UNPACK: one tensor for each index of an axis."""
    x, many = c.x(), len(c.op.outputs)
    axis = c.axis(c.option("axis"), len(x.shape))
    if x.shape[axis] != many:
        raise garbled(f"{x.shape[axis]} cannot be unpacked into {many}", f"{x.shape[axis]} 不能拆成 {many} 份")
    return [c.t.emit("Squeeze", [one, c.t.whole(axis)]) for one in _parted(c, x, [1] * many, axis)]


# -- joins -------------------------------------------------------------------------------------------------------------


def pack(c: Call) -> Value:
    """PACK: along a new axis."""
    xs = c.xs()
    axis = c.axis(c.option("axis"), len(xs[0].shape) + 1)
    wide = [c.t.emit("Unsqueeze", [x, c.t.whole(axis)]) for x in xs]
    return c.t.emit("Concat", wide, axis=axis) if len(wide) > 1 else wide[0]


def concatenation(c: Call) -> Value:
    """One behind the other."""
    xs = c.xs()
    axis = c.axis(c.option("axis"), len(xs[0].shape))
    return activated(c, c.t.emit("Concat", xs, axis=axis) if len(xs) > 1 else xs[0])


def tile(c: Call) -> Value:
    """TILE: again and again along each axis."""
    x, times = c.x(), c.dims(1)
    if times is None or not all(isinstance(n, int) for n in times):
        return c.t.emit("Tile", [x, c.x(1)])
    shape = x.shape
    if len(times) == len(shape) and all(n == 1 or m == 1 for n, m in zip(times, shape, strict=True)):
        wish = [int(n) if m == 1 else 1 for n, m in zip(times, shape, strict=True)]
        return c.t.emit("Expand", [x, c.t.whole(*wish)]) if max(wish) > 1 else x
    return c.t.emit("Tile", [x, c.x(1)])


# -- edges -------------------------------------------------------------------------------------------------------------


def pads_of(c: Call, i: int, axes: int) -> list[tuple[int, int]]:
    """Rows of (before, after)."""
    row = c.ints(i)
    if len(row) != 2 * axes or min(row, default=0) < 0:
        raise garbled(f"it adds {row} to {axes} axes", f"填充 {row} 与 {axes} 个轴不符")
    return list(zip(row[::2], row[1::2], strict=True))


def pad(c: Call) -> Value:
    """PAD with zeros, PADV2 with a number."""
    x = c.x()
    pads = pads_of(c, 1, len(x.shape))
    if not any(map(any, pads)):
        return x
    row = c.t.whole(*(a for a, _ in pads), *(b for _, b in pads))
    value = c.x(2) if c.has(2) else c.t.scalar(0, x.dtype)
    if not c.t.is_constant(value):
        raise refused("the number that it pads with is only known when it runs", "填充的数值运行时才知道")
    found = c.t.known(value)
    assert found is not None
    number = found.reshape(-1)[0]
    return c.t.emit("Pad", [x, row, c.t.scalar(number.item(), x.dtype)] if number else [x, row], mode="constant")


def mirror_pad(c: Call) -> Value:
    """MIRROR_PAD: what lies at the edge once more, backwards, without the edge itself or (SYMMETRIC) with it."""
    x = c.x()
    pads = pads_of(c, 1, len(x.shape))
    if not c.option("mode"):
        return c.t.emit("Pad", [x, c.t.whole(*(a for a, _ in pads), *(b for _, b in pads))], mode="reflect")
    for axis, (before, after) in enumerate(pads):
        if before or after:
            size = x.shape[axis]
            if not isinstance(size, int) or max(before, after) > size:
                raise garbled(
                    f"it mirrors {max(before, after)} of {size}", f"它镜像 {size} 中的 {max(before, after)} 个"
                )
            at = np.pad(np.arange(size), (before, after), mode="symmetric")
            x = c.t.emit("Gather", [x, c.t.array(at.astype(np.int64))], axis=axis)
    return x


# -- space and depth ---------------------------------------------------------------------------------------------------


def depth(op: str) -> Step:
    """SPACE_TO_DEPTH, DEPTH_TO_SPACE: (N, H, W, C), blocks of pixels in the channels."""

    def step(c: Call) -> Value:
        block = c.option("block_size")
        if not 1 <= block < 1 << 12 or len(c.x().shape) != 4:
            raise garbled(f"its blocks are of {block}", f"块大小是 {block}")
        return c.turned(c.t.emit(op, [c.turned(c.x(), (0, 3, 1, 2))], blocksize=block), (0, 2, 3, 1))

    return step


def space_to_batch(c: Call) -> Value | Sequence[Value]:
    """SPACE_TO_BATCH_ND: what stands around a convolution with dilation is left to that; else done as it says."""
    x, blocks = c.x(), c.ints(1)
    pads = pads_of(c, 2, len(blocks))
    if not blocks or min(blocks) < 1 or len(x.shape) < len(blocks) + 1:
        raise garbled(f"its blocks are of {blocks}", f"块大小是 {blocks}")
    if _around_convolution(c, blocks):
        c.walk.spaced[c.op.outputs[0]] = Spaced(x, blocks, tuple(pads))
        return ()
    if any(not isinstance(n, int) for n in x.shape):
        raise refused("it spreads a picture over a free batch", "它把图片分散到可变的批量中")
    sizes = [int(n) for n in x.shape]
    every = [(0, 0), *pads, *[(0, 0)] * (len(sizes) - 1 - len(blocks))]
    if any(map(any, pads)):
        x = c.t.emit("Pad", [x, c.t.whole(*(a for a, _ in every), *(b for _, b in every))], mode="constant")
    sizes = [n + a + b for n, (a, b) in zip(sizes, every, strict=True)]
    if any(n % b for n, b in zip(sizes[1:], blocks, strict=False)):
        raise garbled(f"{sizes} are no blocks of {blocks}", f"{sizes} 不能按 {blocks} 分块")
    count, rest = len(blocks), sizes[1 + len(blocks) :]
    inner = [m for n, b in zip(sizes[1:], blocks, strict=False) for m in (n // b, b)]
    x = c.t.emit("Reshape", [x, c.t.whole(sizes[0], *inner, *rest)])
    order = [*range(2, 2 * count + 1, 2), 0, *range(1, 2 * count + 1, 2), *range(2 * count + 1, len(x.shape))]
    x = c.turned(x, order)
    return c.t.emit("Reshape", [x, c.t.whole(sizes[0] * math.prod(blocks), *inner[::2], *rest)])


def _around_convolution(c: Call, blocks: tuple[int, ...]) -> bool:
    """Whether a convolution reads it, and nothing but the opposite what comes of that."""
    readers = c.walk.readers
    convs = readers.get(c.op.outputs[0], [])
    ends = [end for conv in convs for end in readers.get(conv.outputs[0], [])]
    plain = all(one.name in ("CONV_2D", "DEPTHWISE_CONV_2D") and one.inputs[0] == c.op.outputs[0] for one in convs)
    back = all(one.name == "BATCH_TO_SPACE_ND" and Call(c.walk, one).dims(1) == list(blocks) for one in ends)
    kept = {*(conv.outputs[0] for conv in convs), c.op.outputs[0]}
    return bool(convs and ends) and plain and back and kept.isdisjoint(c.walk.model.outputs)


def batch_to_space(c: Call) -> Value:
    """BATCH_TO_SPACE_ND: the other way; behind a convolution with dilation only its edges are cut off."""
    blocks = c.ints(1)
    crops = pads_of(c, 2, len(blocks))
    spaced = c.walk.spaced.get(c.op.inputs[0])
    if spaced is not None and spaced.blocks == blocks:
        return _cropped(c, spaced.x, crops)
    x = c.x()
    sizes = [n for n in x.shape if isinstance(n, int)]
    if len(sizes) < len(x.shape) or not blocks or sizes[0] % math.prod(blocks) or len(sizes) < len(blocks) + 1:
        raise refused(f"it spreads the batch of {list(x.shape)}", f"它把 {list(x.shape)} 的批量展开到空间")
    count, rest = len(blocks), sizes[1 + len(blocks) :]
    x = c.t.emit("Reshape", [x, c.t.whole(*blocks, sizes[0] // math.prod(blocks), *sizes[1:])])
    order = [count, *(k for i in range(count) for k in (count + 1 + i, i)), *range(2 * count + 1, len(x.shape))]
    x = c.turned(x, order)
    wide = [n * b for n, b in zip(sizes[1:], blocks, strict=False)]
    return _cropped(c, c.t.emit("Reshape", [x, c.t.whole(sizes[0] // math.prod(blocks), *wide, *rest)]), crops)


def _cropped(c: Call, x: Value, crops: Sequence[tuple[int, int]]) -> Value:
    axes = [i + 1 for i, pair in enumerate(crops) if any(pair)]
    ends = [-after if after else LARGEST for _, after in (crops[i - 1] for i in axes)]
    return cut(c, x, axes, [crops[i - 1][0] for i in axes], ends, [1] * len(axes))


SHAPES: dict[str, Step] = {
    "RESHAPE": reshape, "SQUEEZE": squeeze, "EXPAND_DIMS": expand_dims, "TRANSPOSE": transpose, "SHAPE": shape,
    "RANK": rank, "FILL": fill, "BROADCAST_TO": broadcast_to, "BROADCAST_ARGS": broadcast_args, "RANGE": count,
    "SLICE": slice_, "STRIDED_SLICE": strided_slice, "SPLIT": split, "SPLIT_V": split_v, "UNPACK": unpack,
    "PACK": pack, "CONCATENATION": concatenation, "TILE": tile, "PAD": pad, "PADV2": pad, "MIRROR_PAD": mirror_pad,
    "SPACE_TO_DEPTH": depth("SpaceToDepth"), "DEPTH_TO_SPACE": depth("DepthToSpace"),
    "SPACE_TO_BATCH_ND": space_to_batch, "BATCH_TO_SPACE_ND": batch_to_space,
}  # fmt: skip
