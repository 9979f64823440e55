"""Numbers picked by positions, put into places, mirrored, rolled and padded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...graph.form import Value
from ..recording.net import Int, Ints, Net
from .arithmetic import as_value, cast, where
from .axes import END, cat, cut, expand, flatten, permute, sizes_of, unsqueeze, view
from .bind import Operand
from .reductions import over
from .refuse import refused


def embedding(
    t: Net,
    weight: Value,
    indices: Value,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Value:
    """Rows of a table."""
    return t.emit("Gather", [weight, cast(t, indices, "int64")], axis=0)


def embedding_bag(
    t: Net,
    weight: Value,
    indices: Value,
    offsets: Value,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Value | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> list[Value | None]:
    """The sum (0), mean (1) or largest (2) of the rows of each bag, where all bags are as long."""
    known = t.known(offsets)
    steps = set(np.diff(known).tolist()) if known is not None and known.size > 1 else {t.counted.get(offsets.name, 0)}
    length = steps.pop() if len(steps) == 1 else 0
    if length < 1 or per_sample_weights is not None or include_last_offset or padding_idx not in (None, -1):
        raise refused("its bags of words are of different lengths", "EmbeddingBag 的各个词袋长度不同")
    rows = t.emit("Gather", [weight, view(t, cast(t, indices, "int64"), (-1, length))], axis=0)
    return [over(t, ("ReduceSum", "ReduceMean", "ReduceMax")[mode], rows, (1,)), None, None, None]


def index_select(t: Net, self: Value, dim: int, index: Value) -> Value:
    """Positions along an axis."""
    return t.emit("Gather", [self, cast(t, index, "int64")], axis=t.axis(self, dim))


def gather(t: Net, self: Value, dim: int, index: Value, sparse_grad: bool = False) -> Value:
    """One number for each position."""
    _beside(self, index, t.axis(self, dim))
    return t.emit("GatherElements", [self, cast(t, index, "int64")], axis=t.axis(self, dim))


def _beside(x: Value, at: Value, axis: int) -> None:
    """Positions of a fixed number of samples do not go with a free number of them."""
    for i, (own, other) in enumerate(zip(x.shape, at.shape, strict=False)):
        if i != axis and isinstance(own, str) and own != other:
            raise refused("it picks from a free number of samples by a fixed one", "它按固定的样本数取数，而批量可变")


def index(t: Net, self: Value, indices: tuple[Value | None, ...]) -> Value:
    """x[i, :, j]: positions along some axes, which are broadcast with each other."""
    given = [(axis, one) for axis, one in enumerate(indices) if one is not None]
    if any(one.dtype == "bool" for _, one in given):
        return _by_truths(t, self, given)
    if len(given) == 1:
        axis, positions = given[0]
        return t.emit("Gather", [self, cast(t, positions, "int64")], axis=axis)
    return _together(t, self, given)


def _by_truths(t: Net, x: Value, given: Sequence[tuple[int, Value]]) -> Value:
    """A mask that is known picks known positions."""
    known = [t.known(one) for _, one in given]
    if len(given) != 1 or known[0] is None or known[0].ndim != 1:
        raise refused("how many numbers it picks depends on the input (a mask as an index)", "它用依赖输入的掩码取数")
    return t.emit("Gather", [x, t.array(np.flatnonzero(known[0]))], axis=given[0][0])


def _together(t: Net, x: Value, given: Sequence[tuple[int, Value]]) -> Value:
    """Several axes: brought together, laid flat, and picked from by one number."""
    axes = [axis for axis, _ in given]
    sizes = [x.shape[axis] for axis in axes]
    if not all(isinstance(n, int) for n in sizes):
        raise refused("it picks from axes of free sizes", "它从大小不固定的轴上取数")
    adjoining = axes == list(range(axes[0], axes[0] + len(axes)))
    first = axes[0] if adjoining else 0
    others = [i for i in range(len(x.shape)) if i not in axes]
    flat = permute(t, x, (*others[:first], *axes, *others[first:]))
    around = sizes_of(t, flat)
    flat = view(t, flat, (*around[:first], int(np.prod([n for n in sizes if isinstance(n, int)])),
                          *around[first + len(axes) :]))  # fmt: skip
    place: Value | None = None
    for (_, one), size in zip(given, sizes, strict=True):
        assert isinstance(size, int)
        at = _from_front(t, cast(t, one, "int64"), size)
        place = at if place is None else t.emit("Add", [t.emit("Mul", [place, t.scalar(size, "int64")]), at])
    assert place is not None
    return t.emit("Gather", [flat, place], axis=first)


def _from_front(t: Net, at: Value, size: int) -> Value:
    """Positions, of which those below 0 count from the end."""
    known = t.known(at)
    if known is not None:
        return at if (known >= 0).all() else t.array(np.where(known < 0, known + size, known))
    low = t.emit("Less", [at, t.scalar(0, "int64")])
    return t.emit("Where", [low, t.emit("Add", [at, t.scalar(size, "int64")]), at])


def index_put(t: Net, self: Value, indices: tuple[Value | None, ...], values: Value, accumulate: bool = False) -> Value:
    """x[mask] = value, of a single value; or x[i] = values, where i is known."""
    given = [(axis, one) for axis, one in enumerate(indices) if one is not None]
    if len(given) == 1 and not accumulate and given[0][0] == 0 and given[0][1].dtype == "bool":
        mask = given[0][1]
        if values.shape in ((), (1,)):
            for _ in range(len(self.shape) - len(mask.shape)):
                mask = unsqueeze(t, mask, -1)
            return where(t, mask, view(t, values, ()), self)
    known = [t.known(one) for _, one in given]
    if len(given) == 1 and not accumulate and known[0] is not None and known[0].dtype != bool and known[0].ndim < 2:
        axis, at = given[0][0], np.atleast_1d(known[0])
        sizes = [*sizes_of(t, self)]
        sizes[axis : axis + 1] = [len(at)] if known[0].ndim else []
        part = expand(t, values, tuple(sizes))
        return placed(t, self, axis, at, part if known[0].ndim else unsqueeze(t, part, axis))
    raise refused("it puts numbers in places that depend on the input", "它把数写入依赖输入的位置")


def placed(t: Net, x: Value, axis: int, at: np.ndarray[tuple[int], np.dtype[np.int64]], values: Value) -> Value:
    """x with other numbers at these positions of an axis: both joined, then all picked by known positions."""
    size = x.shape[axis]
    if not isinstance(size, int):
        raise refused("it writes into an axis of a free size", "它写入了大小不固定的轴")
    order = np.arange(size)
    order[at] = size + np.arange(len(at))
    joined = t.emit("Concat", [x, cast(t, values, x.dtype)], axis=axis)
    return t.emit("Gather", [joined, t.array(order)], axis=axis)


def slice_scatter(
    t: Net,
    self: Value,
    src: Value,
    dim: int = 0,
    start: Int | None = None,
    end: Int | None = None,
    step: int = 1,
) -> Value:
    """x with x[start:end:step] = src."""
    axis = t.axis(self, dim)
    size = self.shape[axis]
    if start in (None, 0) and end in (None, END) and step == 1:
        return src
    if not (isinstance(size, int) and isinstance(start or 0, int) and isinstance(end or 0, int)):
        raise refused("it writes into an axis of a free size", "它写入了大小不固定的轴")
    at = np.arange(size)[slice(start, end, step)]
    return placed(t, self, axis, at, src)


def select_scatter(t: Net, self: Value, src: Value, dim: int, index: int) -> Value:
    """x with x[index] = src along an axis."""
    axis = t.axis(self, dim)
    size = self.shape[axis]
    at = index + size if index < 0 and isinstance(size, int) else index
    return placed(t, self, axis, np.array([at]), unsqueeze(t, src, axis))


def scatter(t: Net, self: Value, dim: int, index: Value, src: Operand, reduce: str | None = None) -> Value:
    """Numbers put in places along an axis."""
    if reduce is not None:
        raise refused(f"it gathers what it scatters ({reduce})", f"scatter 带有归约（{reduce}）")
    _beside(self, index, t.axis(self, dim))
    given = as_value(t, src, self.dtype)
    given = expand(t, given, sizes_of(t, index)) if given.shape != index.shape else given
    return t.emit("ScatterElements", [self, cast(t, index, "int64"), given], axis=t.axis(self, dim))


def flip(t: Net, self: Value, dims: tuple[int, ...]) -> Value:
    """Mirrored along axes."""
    for dim in dims:
        axis = t.axis(self, dim)
        self = t.emit("Slice", [self, t.whole(-1), t.whole(-(2**63)), t.whole(axis), t.whole(-1)])
    return self


def roll(t: Net, self: Value, shifts: tuple[int, ...], dims: tuple[int, ...] = ()) -> Value:
    """Moved along axes; what falls off comes in at the other end."""
    if not dims:
        return view(t, roll(t, flatten(t, self), shifts, (0,)), sizes_of(t, self))
    for shift, dim in zip(shifts, dims, strict=True):
        axis = t.axis(self, dim)
        size = self.shape[axis]
        shift = shift % size if isinstance(size, int) and size else shift
        if shift:
            self = cat(t, (cut(t, self, axis, -shift, END), cut(t, self, axis, 0, -shift)), axis)
    return self


# -- padding ----------------------------------------------------------------------------------------------------------

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge"}


def pad(t: Net, self: Value, pad: Ints, mode: str = "constant", value: float | None = None) -> Value:
    """Pairs of before and after, the last axis first; below zero it cuts."""
    if mode == "circular":
        return _around(t, self, pad)
    if mode not in MODES:
        raise refused(f"it pads in the mode {mode}", f"填充方式 {mode}")
    sides = _both_sides(self, pad)
    cuts = [i for i, pair in enumerate(sides) if any(isinstance(n, int) and n < 0 for n in pair)]
    for axis in cuts:
        before, after = sides[axis]
        if not (isinstance(before, int) and isinstance(after, int)):
            raise refused("it pads by free sizes", "填充的大小不固定")
        self = cut(t, self, axis, max(0, -before), after if after < 0 else END)
        sides[axis] = (max(before, 0), max(after, 0))
    row = [*(before for before, _ in sides), *(after for _, after in sides)]
    if all(n == 0 for n in row):
        return self
    fill = [as_value(t, value or 0.0, self.dtype)] if mode == "constant" else []
    if self.dtype == "bool":
        return cast(t, t.emit("Pad", [cast(t, self, "float32"), t.row(row)], mode=MODES[mode]), "bool")
    return t.emit("Pad", [self, t.row(row), *fill], mode=MODES[mode])


def _both_sides(x: Value, pad: Ints) -> list[tuple[Int, Int]]:
    sides: list[tuple[Int, Int]] = [(0, 0)] * len(x.shape)
    for i in range(len(pad) // 2):
        sides[len(x.shape) - 1 - i] = pad[2 * i], pad[2 * i + 1]
    return sides


def _around(t: Net, x: Value, pad: Ints) -> Value:
    """What is beyond one end comes from the other."""
    for axis, (before, after) in enumerate(_both_sides(x, pad)):
        if not (isinstance(before, int) and isinstance(after, int) and before >= 0 <= after):
            raise refused("it pads in circles by free sizes", "循环填充的大小不固定")
        ends = [cut(t, x, axis, -before, END)] if before else []
        starts = [cut(t, x, axis, 0, after)] if after else []
        x = cat(t, (*ends, x, *starts), axis) if ends or starts else x
    return x


def constant_pad_nd(t: Net, self: Value, pad: Ints, value: float = 0.0) -> Value:
    """By a number."""
    return _padded(t, self, pad, "constant", value)


_padded = pad


def _pad_of(mode: str) -> Callable[[Net, Value, Ints], Value]:
    def function(t: Net, self: Value, padding: Ints) -> Value:
        return _padded(t, self, padding, mode)

    return function


# -- pixels and channels ----------------------------------------------------------------------------------------------


def pixel_shuffle(t: Net, self: Value, upscale_factor: int) -> Value:
    """(N, C * r * r, H, W) -> (N, C, H * r, W * r)."""
    return t.emit("DepthToSpace", [self], blocksize=upscale_factor, mode="CRD")


def pixel_unshuffle(t: Net, self: Value, downscale_factor: int) -> Value:
    """(N, C, H * r, W * r) -> (N, C * r * r, H, W); channels of one pixel stay together."""
    batch, channels, high, wide = sizes_of(t, self)
    r = downscale_factor
    if not (isinstance(channels, int) and isinstance(high, int) and isinstance(wide, int)):
        raise refused("pixel_unshuffle of a free size", "pixel_unshuffle 的尺寸不固定")
    x = view(t, self, (batch, channels, high // r, r, wide // r, r))
    return view(t, permute(t, x, (0, 1, 3, 5, 2, 4)), (batch, channels * r * r, high // r, wide // r))


def channel_shuffle(t: Net, self: Value, groups: int) -> Value:
    """Channels of all groups in turn."""
    batch, channels, *rest = sizes_of(t, self)
    assert isinstance(channels, int)
    x = view(t, self, (batch, groups, channels // groups, *rest))
    return view(t, permute(t, x, (0, 2, 1, *range(3, len(rest) + 3))), (batch, channels, *rest))


def unfold(t: Net, self: Value, dimension: int, size: int, step: int) -> Value:
    """Windows along an axis, as a new last one."""
    axis = t.axis(self, dimension)
    length = self.shape[axis]
    if not isinstance(length, int):
        raise refused("it unfolds an axis of a free size", "它展开了大小不固定的轴")
    at = np.arange(0, length - size + 1, step)[:, None] + np.arange(size)
    x = t.emit("Gather", [self, t.array(at)], axis=axis)
    return permute(t, x, (*(i for i in range(len(x.shape)) if i != axis + 1), axis + 1))


def im2col(
    t: Net,
    self: Value,
    kernel_size: tuple[int, ...],
    dilation: tuple[int, ...],
    padding: tuple[int, ...],
    stride: tuple[int, ...],
) -> Value:
    """(N, C, H, W) -> (N, C * kh * kw, positions)."""
    x = _padded(t, self, (padding[-1], padding[-1], padding[0], padding[0]))
    batch, channels, high, wide = sizes_of(t, x)
    if not all(isinstance(n, int) for n in (channels, high, wide)):
        raise refused("it unfolds pictures of a free size", "它展开了尺寸不固定的图片")
    places = []
    for size, k, d, s in zip(x.shape[2:], kernel_size, dilation, stride, strict=True):
        assert isinstance(size, int)
        places.append(np.arange(k)[:, None] * d + np.arange(0, size - d * (k - 1), s))
    x = t.emit("Gather", [x, t.array(places[0])], axis=2)
    x = t.emit("Gather", [x, t.array(places[1])], axis=4)
    x = permute(t, x, (0, 1, 2, 4, 3, 5))
    assert isinstance(channels, int)
    count = places[0].shape[1] * places[1].shape[1]
    return view(t, x, (batch, channels * places[0].shape[0] * places[1].shape[0], count))


def diff(t: Net, self: Value, n: int = 1, dim: int = -1) -> Value:
    """Differences of neighbours."""
    axis = t.axis(self, dim)
    for _ in range(min(n, 8)):
        self = t.emit("Sub", [cut(t, self, axis, 1, END), cut(t, self, axis, 0, -1)])
    return self


def diagonal(t: Net, self: Value, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    """The numbers on a diagonal, as a new last axis."""
    a, b = t.axis(self, dim1), t.axis(self, dim2)
    high, wide = self.shape[a], self.shape[b]
    if not (isinstance(high, int) and isinstance(wide, int)):
        raise refused("the diagonal of a free size", "对角线的尺寸不固定")
    others = tuple(i for i in range(len(self.shape)) if i not in (a, b))
    x = flatten(t, permute(t, self, (*others, a, b)), -2, -1)
    rows = np.arange(max(0, -offset), min(high, wide - offset))
    return t.emit("Gather", [x, t.array(rows * wide + rows + offset)], axis=len(x.shape) - 1)


PICKING: dict[str, Callable[..., Value | list[Value | None]]] = {
    "embedding": embedding, "embedding_bag": embedding_bag, "_embedding_bag": embedding_bag,
    "_embedding_bag_forward_only": embedding_bag,
    "index_select": index_select, "gather": gather, "take_along_dim": gather, "index": index,
    "_unsafe_index": index, "index_put": index_put, "_unsafe_index_put": index_put, "slice_scatter": slice_scatter,
    "select_scatter": select_scatter, "scatter": scatter, "flip": flip, "roll": roll, "pad": pad,
    "constant_pad_nd": constant_pad_nd,
    **{f"reflection_pad{n}d": _pad_of("reflect") for n in (1, 2, 3)},
    **{f"replication_pad{n}d": _pad_of("replicate") for n in (1, 2, 3)},
    "pixel_shuffle": pixel_shuffle, "pixel_unshuffle": pixel_unshuffle, "channel_shuffle": channel_shuffle,
    "native_channel_shuffle": channel_shuffle, "unfold": unfold, "unfold_copy": unfold, "im2col": im2col,
    "diff": diff, "diagonal": diagonal, "diagonal_copy": diagonal,
}  # fmt: skip
