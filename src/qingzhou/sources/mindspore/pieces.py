"""Joined, cut apart, padded."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.form import Value
from .refuse import garbled, refused
from .walk import Call, Step, casted

LARGEST = (1 << 63) - 1


def concat(c: Call) -> Value:
    """Concat(tuple, axis)."""
    parts = c.xs(0)
    axis = int(c.number(1, "axis", 0)) if isinstance(c.item(0), tuple) else int(c.node.attrs.get("axis", 0))
    if not parts:
        raise garbled("it joins nothing", "它没有可连接的张量")
    axis = c.axis(axis, len(parts[0].shape))
    parts = _as_many(c, parts, axis)
    return parts[0] if len(parts) == 1 else c.t.emit("Concat", parts, axis=axis)


def _as_many(c: Call, parts: list[Value], axis: int) -> list[Value]:
    """Where the batch has become free, a part that is the same for all samples is repeated for each."""
    whole = next((x for x in parts if isinstance(x.shape[:1][0] if x.shape else 1, str)), None)
    if not c.walk.count or whole is None or axis == 0:
        return parts
    size = c.t.size(whole, 0)
    return [
        c.t.emit("Expand", [x, c.t.row((size, *[1] * (len(x.shape) - 1)))]) if x.shape[0] == 1 else x for x in parts
    ]


def stack(c: Call) -> Value:
    """Stack: side by side along a new axis."""
    parts = c.xs(0)
    axis = (
        int(c.node.attrs.get("axis", 0))
        if len(c.node.inputs) != 2 or not isinstance(c.item(0), tuple)
        else int(c.number(1, "axis", 0))
    )
    axis = c.axis(axis, len(parts[0].shape) + 1)
    wide = [c.t.emit("Unsqueeze", [x, c.t.whole(axis)]) for x in parts]
    return c.t.emit("Concat", wide, axis=axis) if len(wide) > 1 else wide[0]


def unstack(c: Call) -> tuple[Value, ...]:
    """Apart along an axis, which goes away."""
    x = c.x()
    axis = c.axis(int(c.number(1, "axis", 0)), len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int) or size > 4096:
        raise refused(f"it takes {list(x.shape)} apart", f"它拆开 {list(x.shape)}")
    return tuple(c.t.emit("Gather", [x, c.t.scalar(i, "int64")], axis=axis) for i in range(size))


def parted(c: Call, x: Value, sizes: Sequence[int], axis: int) -> tuple[Value, ...]:
    """In parts of these sizes."""
    if len(sizes) == 1:
        return (x,)
    return tuple(c.t.emits("Split", [x, c.t.whole(*sizes)], len(sizes), axis=axis))


def split(c: Call) -> tuple[Value, ...]:
    """Split(x, axis, number): into parts of one size."""
    x, many = c.x(), int(c.number(2, "output_num", 1))
    axis = c.axis(int(c.number(1, "axis", 0)), len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int) or not 1 <= many <= 4096 or size % many:
        raise garbled(f"{size} cannot be split into {many}", f"{size} 不能分成 {many} 份")
    return parted(c, x, [size // many] * many, axis)


def split_by_size(c: Call) -> tuple[Value, ...]:
    """SplitTensor(x, size, axis): parts of that size, the last one what is left."""
    x, each = c.x(), int(c.number(1, "split_size", 1))
    axis = c.axis(int(c.number(2, "axis", 0)), len(x.shape))
    return _pieces(c, x, each, axis)


def chunk(c: Call) -> tuple[Value, ...]:
    """Chunk(x, number, axis): as torch's."""
    x, many = c.x(), int(c.number(1, "chunks", 1))
    axis = c.axis(int(c.number(2, "dim", 0)), len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int) or many < 1:
        raise garbled(f"{size} cannot be split into {many}", f"{size} 不能分成 {many} 份")
    return _pieces(c, x, -(-size // many), axis)


def _pieces(c: Call, x: Value, each: int, axis: int) -> tuple[Value, ...]:
    size = x.shape[axis]
    if not isinstance(size, int) or each < 1 or size // each > 4096:
        raise garbled(f"{size} cannot be split by {each}", f"{size} 不能按 {each} 分割")
    return parted(c, x, [min(each, size - i) for i in range(0, size, each)], axis)


def split_with_sizes(c: Call) -> tuple[Value, ...]:
    """SplitV, SplitWithSize: the sizes are told."""
    x = c.x()
    sizes = list(c.ints(1, "size_splits"))
    axis = c.axis(int(c.number(2, "dim", c.node.attrs.get("split_dim", 0))), len(x.shape))
    if -1 in sizes and isinstance(x.shape[axis], int):
        sizes[sizes.index(-1)] = int(x.shape[axis]) - sum(n for n in sizes if n != -1)
    if min(sizes, default=-1) < 0:
        raise garbled(f"it splits into {sizes}", f"它分成 {sizes}")
    return parted(c, x, sizes, axis)


def cut(c: Call, x: Value, cuts: Sequence[tuple[int, int, int, int]]) -> Value:
    """Along some axes: (axis, start, end, step) each."""
    if not cuts:
        return x
    return c.t.emit("Slice", [x, *(c.t.whole(*(one[k] for one in cuts)) for k in (1, 2, 0, 3))])


def slice_(c: Call) -> Value:
    """Slice: from where, and how much; -1 is all that is left."""
    x, begin, size = c.x(), c.ints(1, "begin"), c.ints(2, "size")
    if not len(begin) == len(size) == len(x.shape) or min(begin, default=0) < 0 or min(size, default=0) < -1:
        raise garbled(
            f"it cuts {size} at {begin} out of {list(x.shape)}", f"它从 {list(x.shape)} 的 {begin} 处截取 {size}"
        )
    cuts = []
    for axis, (b, s) in enumerate(zip(begin, size, strict=True)):
        n = x.shape[axis]
        whole = b == 0 and (s == -1 or s == n or (c.walk.count and isinstance(n, str)))
        if not whole:
            cuts.append((axis, b, LARGEST if s == -1 else b + s, 1))
    return cut(c, x, cuts)


def narrow(c: Call) -> Value:
    """Narrow(x, axis, start, length)."""
    x = c.x()
    axis, (start,), (length,) = (
        c.axis(int(c.number(1, "dim", 0)), len(x.shape)),
        c.ints(2, "start"),
        c.ints(3, "length"),
    )
    return cut(c, x, [(axis, start, start + length, 1)])


def slice_ext(c: Call) -> Value:
    """SliceExt(x, axis, start, end, step)."""
    x = c.x()
    row = [
        int(c.number(i, name, usual))
        for i, name, usual in ((1, "dim", 0), (2, "start", 0), (3, "end", LARGEST), (4, "step", 1))
    ]
    return cut(c, x, [(c.axis(row[0], len(x.shape)), row[1], row[2], row[3])])


def select_one(c: Call) -> Value:
    """SelectExtView(x, axis, index): one position, whose axis goes away."""
    x = c.x()
    return c.t.emit(
        "Gather",
        [x, c.t.scalar(int(c.number(2, "index", 0)), "int64")],
        axis=c.axis(int(c.number(1, "dim", 0)), len(x.shape)),
    )


def strided_slice(c: Call) -> Value:
    """StridedSlice: numpy's x[a:b:s, …, None, i], with bits that say which of these each place is."""
    x = c.x()
    begins, stops, steps = (c.ints(i, name) for i, name in ((1, "begin"), (2, "end"), (3, "strides")))
    names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    masks = [int(c.number(4 + k, name, 0)) for k, name in enumerate(names)]
    if not len(begins) == len(stops) == len(steps) <= 32 or 0 in steps:
        raise garbled(f"it cuts by {steps}", f"它按步长 {steps} 截取")
    count = len(begins)
    whole = [i for i in range(count) if masks[2] >> i & 1]
    new = [i for i in range(count) if masks[3] >> i & 1 and i not in whole]
    kept = len(x.shape) - (count - len(whole[:1]) - len(new))
    if kept < 0 or len(whole) > 1:
        raise garbled(f"it cuts {count} axes of {len(x.shape)}", f"它截取 {count} 个轴，而只有 {len(x.shape)} 个")
    cuts: list[tuple[int, int, int, int]] = []
    gone, added, axis, place = [], [], 0, 0
    for i, (b, e, s) in enumerate(zip(begins, stops, steps, strict=True)):
        if i in whole:
            axis, place = axis + kept, place + kept
        elif i in new:
            added.append(place)
            place += 1
        elif masks[4] >> i & 1:
            cuts.append((axis, b, b + 1 if b != -1 else LARGEST, 1))
            gone.append(axis)
            axis += 1
        else:
            found = _range(c, x, axis, (b, e, s), (masks[0] >> i & 1, masks[1] >> i & 1))
            cuts += [found] if found else []
            axis, place = axis + 1, place + 1
    x = cut(c, x, cuts)
    x = c.t.emit("Squeeze", [x, c.t.whole(*gone)]) if gone else x
    return c.t.emit("Unsqueeze", [x, c.t.whole(*added)]) if added else x


def _range(
    c: Call, x: Value, axis: int, row: tuple[int, int, int], open_ends: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """What is cut of an axis; None where all of it stays."""
    (b, e, s), n = row, x.shape[axis]
    b = (0 if s > 0 else LARGEST) if open_ends[0] else b
    e = (LARGEST if s > 0 else -LARGEST) if open_ends[1] else e
    if c.walk.count and isinstance(n, str) and s == 1 and b == 0 and e >= c.walk.count:
        return None  # all samples of the example
    return None if s == 1 and b == 0 and e in (LARGEST, n) else (axis, b, e, s)


# -- paddings ----------------------------------------------------------------------------------------------------------


def padded(
    c: Call, x: Value, pads: Sequence[tuple[int, int]], mode: str = "constant", value: Value | None = None
) -> Value:
    """Before and after each axis; less than zero cuts off."""
    if not any(one for pair in pads for one in pair):
        return x
    row = c.t.whole(*(before for before, _ in pads), *(after for _, after in pads))
    given = [x, row] if value is None or mode != "constant" else [x, row, value]
    return c.t.emit("Pad", given, mode=mode)


def pad(c: Call) -> Value:
    """Pad: zeros, as many as an attribute or an input says for each axis."""
    found = c.get(1, "paddings")
    row = [n for pair in found for n in pair] if found and isinstance(found[0], tuple) else list(found)
    return padded(c, c.x(), list(zip(row[::2], row[1::2], strict=True)))


def pad_v3(c: Call) -> Value:
    """PadV3: as torch's, the last axis first, before and after; by a number, the edge, or mirrored."""
    x, row = c.x(), list(c.ints(1, "paddings"))
    attrs = c.node.attrs
    if not attrs.get("paddings_contiguous", True):
        row = [n for pair in zip(row[: len(row) // 2], row[len(row) // 2 :], strict=True) for n in pair]
    mode = str(attrs.get("mode", "constant"))
    c.only(mode in ("constant", "edge", "reflect", "circular"), f"its padding is {mode}", f"填充方式是 {mode}")
    rows = list(zip(row[::2], row[1::2], strict=True))[::-1]
    pads = [(0, 0)] * (len(x.shape) - len(rows)) + rows
    if mode == "circular":
        return _wrapped(c, x, pads)
    value = casted(c.t, c.x(2), x.dtype) if mode == "constant" and c.has(2) else None
    if value is not None and value.shape:
        value = c.t.emit("Reshape", [value, c.t.whole(1)])
        value = c.t.emit("Squeeze", [value, c.t.whole(0)])
    return padded(c, x, pads, mode, value)


def _wrapped(c: Call, x: Value, pads: Sequence[tuple[int, int]]) -> Value:
    """What leaves at one end comes in at the other."""
    for axis, (before, after) in enumerate(pads):
        n = x.shape[axis]
        if not before and not after:
            continue
        if not isinstance(n, int) or not 0 <= before <= n or not 0 <= after <= n:
            raise refused(
                f"it goes round {list(x.shape)} by {(before, after)}",
                f"循环填充 {(before, after)} 超出 {list(x.shape)}",
            )
        head = [cut(c, x, [(axis, n - before, n, 1)])] if before else []
        tail = [cut(c, x, [(axis, 0, after, 1)])] if after else []
        x = c.t.emit("Concat", [*head, x, *tail], axis=axis)
    return x


def mirrored(c: Call) -> Value:
    """MirrorPad: without the edge (REFLECT), or with it (SYMMETRIC)."""
    x, row = c.x(), c.ints(1, "paddings")
    mode = str(c.node.attrs.get("mode", "REFLECT"))
    pads = list(zip(row[::2], row[1::2], strict=True))
    if mode == "REFLECT":
        return padded(c, x, pads, "reflect")
    for axis, (before, after) in enumerate(pads):
        n = x.shape[axis]
        if not before and not after:
            continue
        if not isinstance(n, int) or max(before, after) > n:
            raise refused("its mirror is larger than the picture", "镜像填充超出图片尺寸")
        head = [_backwards(c, cut(c, x, [(axis, 0, before, 1)]), axis)] if before else []
        tail = [_backwards(c, cut(c, x, [(axis, n - after, n, 1)]), axis)] if after else []
        x = c.t.emit("Concat", [*head, x, *tail], axis=axis)
    return x


def _backwards(c: Call, x: Value, axis: int) -> Value:
    return cut(c, x, [(axis, -1, -LARGEST, -1)])


def depth(op: str) -> Step:
    """Blocks of pixels to channels and back, as ONNX's DCR."""

    def step(c: Call) -> Value:
        return c.t.emit(op, [c.x()], blocksize=int(c.number(1, "block_size", 1)))

    return step


PIECES: dict[str, Step] = {
    "Concat": concat, "Stack": stack, "StackExt": stack, "Pack": stack, "Unstack": unstack, "UnstackExt": unstack,
    "UnstackExtView": unstack, "Unpack": unstack, "Split": split, "SplitTensor": split_by_size,
    "SplitTensorView": split_by_size, "SplitV": split_with_sizes, "SplitWithSize": split_with_sizes,
    "SplitWithSizeView": split_with_sizes, "Chunk": chunk, "ChunkView": chunk, "Slice": slice_, "SliceExt": slice_ext,
    "SliceExtView": slice_ext, "Narrow": narrow, "NarrowView": narrow, "SelectExt": select_one,
    "SelectExtView": select_one, "StridedSlice": strided_slice, "Pad": pad, "PadV3": pad_v3, "MirrorPad": mirrored,
    "DepthToSpace": depth("DepthToSpace"), "SpaceToDepth": depth("SpaceToDepth"),
}  # fmt: skip
