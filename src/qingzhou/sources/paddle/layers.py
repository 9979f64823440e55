"""Convolutions and poolings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.form import Dim, Value
from ..aten.axes import cut, view
from ..aten.windows import adaptive_avg_pool, adaptive_max_pool
from .refuse import garbled, refused
from .walk import Call, Results, Step, fixed

Pads = list[tuple[int, int]]


def settings(c: Call, name: str, dims: int, default: int) -> tuple[int, ...]:
    """Numbers above zero, one for each axis."""
    found = c.ints(name, (default,))
    found = found * dims if len(found) == 1 else found
    if len(found) != dims or not all(1 <= n < 1 << 16 for n in found):
        raise garbled(f"its {name} are {list(found)[:9]}", f"它的 {name} 是 {list(found)[:9]}")
    return found


def paddings(c: Call, dims: int) -> Pads:
    """What is said of each axis before and after: one number for all, one each, or two each; maybe also for the batch
    and the channels (paddle/phi/kernels/funcs/padding... UpdatePaddingAndDilation).
    """
    found = c.ints("paddings", (0,))
    if len(found) == 1:
        found = found * dims
    if len(found) == dims:
        found = tuple(n for one in found for n in (one, one))
    if len(found) == 2 * dims + 4:
        found = found[2:-2] if c.last() else found[4:]
    if len(found) != 2 * dims or not all(0 <= n < 1 << 16 for n in found):
        raise garbled(f"its paddings are {list(found)[:9]}", f"它的 paddings 是 {list(found)[:9]}")
    return [(found[2 * i], found[2 * i + 1]) for i in range(dims)]


def same(c: Call, sizes: Sequence[Dim], kernel: Sequence[int], strides: Sequence[int]) -> Pads:
    """Padding SAME: ceil(n / stride) windows, and the odd one at the end."""
    found = []
    for n, k, s in zip(sizes, kernel, strides, strict=True):
        if not isinstance(n, int) and s != 1:
            raise refused(
                "its padding SAME depends on the size of the picture, which is free", "SAME 填充取决于不固定的图片尺寸"
            )
        total = max((-(-n // s) - 1) * s + k - n, 0) if isinstance(n, int) else k - 1
        found.append((total // 2, total - total // 2))
    return found


def spans(c: Call, sizes: Sequence[Dim], kernel: Sequence[int], strides: Sequence[int]) -> Pads:
    """By its padding_algorithm."""
    way = c.text("padding_algorithm", "EXPLICIT")
    if way == "SAME":
        return same(c, sizes, kernel, strides)
    return [(0, 0)] * len(kernel) if way == "VALID" else paddings(c, len(kernel))


def flat(pads: Pads) -> tuple[int, ...]:
    """All starts, then all ends."""
    return (*(before for before, _ in pads), *(after for _, after in pads))


def shape_of(x: Value) -> tuple[int, ...]:
    """The sizes of a weight, which are known."""
    found = fixed(x.shape)
    if found is None or not 3 <= len(found) <= 5 or not all(found):
        raise garbled(f"a convolution's weight has the shape {list(x.shape)}", f"卷积权重的形状是 {list(x.shape)}")
    return found


def bias_behind(c: Call, channels: int) -> Value | None:
    """The bias that the only reader of a layer adds to its channels, which is then done."""
    walk, outs = c.walk, c.op.outputs[0]
    adds = walk.alone(outs[0]) if len(outs) == 1 else None
    if adds is None or adds.name != "add" or adds.inputs.get("x") != outs or len(adds.inputs.get("y", ())) != 1:
        return None
    y = adds.inputs["y"][0]
    vector = walk.vector(y)
    if vector is None or walk.program.stored[vector].type.dims != (channels,):
        return None
    return walk.value(vector) if _on_channels(c, adds, y, vector, channels) else None


def _on_channels(c: Call, adds: Any, y: str, vector: str, channels: int) -> bool:
    """Whether the vector lies along the channels when it is added."""
    rank = len(c.x("filter" if c.has("filter") else "x").shape)
    axis = adds.attrs.get("axis", -1)
    if y == vector:
        return axis == 1 and not c.last()
    typed = c.walk.program.types.get(y)
    wide = (1, channels, *[1] * (rank - 2))
    return not c.last() and typed is not None and typed.dims == wide and axis in (-1, 0)


def with_bias(c: Call, made: Any, channels: int) -> Value:
    """made(bias), and the operator that adds it is done."""
    bias = bias_behind(c, channels)
    found: Value = made(bias)
    if bias is not None:
        adds = c.walk.alone(c.op.outputs[0][0])
        c.walk.joined[id(adds)] = found
    return found


def conv(c: Call) -> Value:
    """(N, C, *size) with (out, C / groups, *kernel) -> (N, out, *size'). With SAME no dilation counts."""
    x, weight = c.first(c.x("input")), c.x("filter")
    shape = shape_of(weight)
    dims = len(shape) - 2
    strides, dilations = settings(c, "strides", dims, 1), settings(c, "dilations", dims, 1)
    if c.text("padding_algorithm", "EXPLICIT") == "SAME":
        dilations = (1,) * dims
    attrs: dict[str, Any] = {
        "kernel_shape": shape[2:],
        "strides": strides,
        "dilations": dilations,
        "pads": flat(spans(c, x.shape[2:], shape[2:], strides)),
        "group": _groups(c, x, shape),
    }
    return c.back(with_bias(c, lambda bias: c.t.emit("Conv", [x, weight, bias], **attrs), shape[0]))


def _groups(c: Call, x: Value, shape: tuple[int, ...], transposed: bool = False) -> int:
    """How many groups; older depthwise convolutions leave it out."""
    groups, channels = c.whole("groups", 1), x.shape[1]
    groups = groups or 1
    if c.op.name.startswith("depthwise") and groups == 1 and isinstance(channels, int):
        groups = channels
    wrong = groups < 1 or (shape[0] % groups) or (not transposed and channels != shape[1] * groups)
    if wrong or (transposed and channels != shape[0]):
        raise garbled(f"a weight of {list(shape)} meets {list(x.shape)}", f"权重 {list(shape)} 与输入不符")
    return groups


def conv_transpose(c: Call) -> Value:
    """(N, C, *size) with (C, out / groups, *kernel) -> (N, out, *size')."""
    x, weight = c.first(c.x()), c.x("filter")
    shape = shape_of(weight)
    dims = len(shape) - 2
    strides, dilations = settings(c, "strides", dims, 1), settings(c, "dilations", dims, 1)
    if c.text("padding_algorithm", "EXPLICIT") == "SAME":
        dilations = (1,) * dims
    groups = _groups(c, x, shape, True)
    pads = spans(c, x.shape[2:], shape[2:], strides)
    more = _more(c, x, shape[2:], strides, pads, dilations)
    attrs: dict[str, Any] = {
        "kernel_shape": shape[2:],
        "strides": strides,
        "dilations": dilations,
        "pads": flat(pads),
        "group": groups,
        **({"output_padding": tuple(more)} if any(more) else {}),
    }
    return c.back(with_bias(c, lambda bias: c.t.emit("ConvTranspose", [x, weight, bias], **attrs), shape[1] * groups))


def _more(
    c: Call, x: Value, kernel: Sequence[int], strides: Sequence[int], pads: Pads, dilations: Sequence[int]
) -> list[int]:
    """What comes in addition at the end: as it is said, or so that a size comes out that is."""
    said, sizes = c.ints("output_padding"), c.ints("output_size")
    said = said * len(kernel) if len(said) == 1 else said
    if not sizes:
        return list(said) if said else [0] * len(kernel)
    sizes = sizes * len(kernel) if len(sizes) == 1 else sizes
    own = fixed(x.shape[2:])
    if own is None or len(sizes) != len(kernel):
        raise refused("its output size is said, and that of its input is free", "给出了输出尺寸，而输入尺寸不固定")
    found = []
    for n, m, k, s, d, (before, after) in zip(own, sizes, kernel, strides, dilations, pads, strict=True):
        rest = m - ((n - 1) * s - before - after + d * (k - 1) + 1)
        if not 0 <= rest < max(s, d):
            raise garbled(f"it makes {m} numbers of {n}, by steps of {s}", f"它以步长 {s} 从 {n} 个数得到 {m} 个数")
        found.append(rest)
    return found


# -- poolings ----------------------------------------------------------------------------------------------------------


def pool(dims: int) -> Step:
    """(N, C, *size) -> (N, C, *size')."""

    def step(c: Call) -> Value:
        x = c.first(c.x())
        if len(x.shape) != dims + 2:
            raise garbled(f"a pooling of {list(x.shape)}", f"池化的输入是 {list(x.shape)}")
        most = c.text("pooling_type", "max") == "max"
        if c.flag("global_pooling"):
            return c.back(_adaptive(c, x, (1,) * dims, most))
        if c.flag("adaptive"):
            return c.back(_adaptive(c, x, _wanted(c, dims), most))
        return c.back(_sliding(c, x, dims, most, c.flag("exclusive", True)))

    return step


def _wanted(c: Call, dims: int) -> tuple[int, ...]:
    found = c.ints("kernel_size", (1,))
    return found * dims if len(found) == 1 else found


def _adaptive(c: Call, x: Value, wanted: Sequence[int], most: bool) -> Value:
    """Windows from floor(i * n / m) to ceil((i + 1) * n / m); a size of -1 stays."""
    dims = len(x.shape) - 2
    sizes = tuple(None if n == -1 else n for n in wanted)
    if any(n is not None and not 1 <= n < 1 << 16 for n in sizes):
        raise garbled(f"it pools to {list(wanted)}", f"它要池化到 {list(wanted)}")
    if not most:
        return adaptive_avg_pool(dims)(c.t, x, sizes)
    found = adaptive_max_pool(dims)(c.t, x, sizes)[0]
    assert found is not None
    return found


def indexed(dims: int) -> Step:
    """MaxPool with the places of what is largest, which only unpooling needs."""

    def step(c: Call) -> Results:
        x = c.x()
        if c.flag("adaptive") or c.flag("global_pooling"):
            sizes = (1,) * dims if c.flag("global_pooling") else _wanted(c, dims)
            return [_adaptive(c, x, sizes, True), None]
        return [_sliding(c, x, dims, True, True), None]

    return step


def _windows(c: Call, x: Value, dims: int) -> tuple[dict[str, Any], Pads, list[int]]:
    """The settings of ONNX's operator, what is padded, and how much is filled up at the ends."""
    kernel, strides = settings(c, "kernel_size", dims, 1), settings(c, "strides", dims, 1)
    pads = spans(c, x.shape[2:], kernel, strides)
    ends = _ends(c, x.shape[2:], kernel, strides, pads)
    attrs: dict[str, Any] = {"kernel_shape": kernel, "strides": strides, "ceil_mode": 0}
    attrs["pads"] = flat([(before, end) for (before, _), end in zip(pads, ends, strict=True)])
    return attrs, pads, ends


def _sliding(c: Call, x: Value, dims: int, most: bool, exclusive: bool) -> Value:
    attrs, pads, ends = _windows(c, x, dims)
    if most:
        return c.t.emit("MaxPool", [x], **attrs, dilations=(1,) * dims)
    if exclusive:
        return c.t.emit("AveragePool", [x], **attrs, count_include_pad=0)
    found = c.t.emit("AveragePool", [x], **attrs, count_include_pad=1)
    if all(end <= before for (before, _), end in zip(pads, ends, strict=True)):
        return found
    share = _shares(x.shape[2:], attrs["kernel_shape"], attrs["strides"], pads, ends)
    return c.t.emit("Div", [found, c.t.array(share)])


def _ends(c: Call, sizes: Sequence[Dim], kernel: Sequence[int], strides: Sequence[int], pads: Pads) -> list[int]:
    """How much is filled up at the end of each axis, so that the last window of ceil_mode is whole. Unlike torch,
    Paddle has a window, too, that lies beyond all numbers, and gives no number for it.
    """
    if not c.flag("ceil_mode"):
        return [after for _, after in pads]
    found = []
    for n, k, s, (before, after) in zip(sizes, kernel, strides, pads, strict=True):
        if not isinstance(n, int):
            if s == 1:
                found.append(after)
                continue
            raise refused("it pools pictures of any size with ceil_mode", "ceil_mode 池化的图片尺寸不固定")
        count = -(-(n + before + after - k) // s) + 1
        if (count - 1) * s >= n + before:
            raise refused(
                f"its pooling has windows in which there is no number (ceil_mode, {n} by {k} in steps of {s})",
                f"它的池化有不含任何数的窗口（ceil_mode，{n} 个数、窗口 {k}、步长 {s}）",
            )
        found.append(max(after, (count - 1) * s + k - n - before))
    return found


def _shares(
    sizes: Sequence[Dim], kernel: Sequence[int], strides: Sequence[int], pads: Pads, ends: Sequence[int]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Which share of each window counts: as much padding at the end as at the start, whatever is said of the end
    (paddle/phi/kernels/funcs/pooling.cc takes the first of both for hend and wend).
    """
    share = np.ones(())
    for n, k, s, (before, _), end in zip(sizes, kernel, strides, pads, ends, strict=True):
        if not isinstance(n, int):
            raise refused(
                "it counts padding that is unequal at both ends, and the size of the picture is free",
                "它把两端不等的填充计入平均值，而图片尺寸不固定",
            )
        there = np.zeros(before + n + end)
        there[: before + n + before] = 1
        share = share[..., None] * np.array([there[i : i + k].mean() for i in range(0, len(there) - k + 1, s)])
    if not share.all():
        raise refused("its pooling has windows in which there is no number", "它的池化有不含任何数的窗口")
    return share.astype(np.float32)


def lp_pool(c: Call) -> Value:
    """The root of the sum of powers of each window."""
    x, order = c.first(c.x()), c.number("norm_type", 2.0)
    if order == 0 or math.isinf(order):
        raise refused(f"a pooling by the norm {order}", f"按 {order} 范数池化")
    powers = c.t.emit("Pow", [x, c.t.scalar(order)])
    attrs, _, _ = _windows(c, x, 2)
    means = c.t.emit("AveragePool", [powers], **attrs, count_include_pad=1)
    total = c.t.emit("Mul", [means, c.t.scalar(float(math.prod(attrs["kernel_shape"])))])
    return c.back(c.t.emit("Pow", [total, c.t.scalar(1 / order)]))


def unfold(c: Call) -> Value:
    """(N, C, H, W) -> (N, C * kernel, windows)."""
    from ..aten.picking import im2col

    pads = c.ints("paddings", (0,))
    x = c.x()
    if len(pads) == 4 and (pads[0], pads[1]) != (pads[2], pads[3]):  # top, left, bottom, right
        x = c.t.emit("Pad", [x, c.t.whole(0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3])])
        pads = (0, 0)
    kernel, steps = settings(c, "kernel_sizes", 2, 1), settings(c, "strides", 2, 1)
    return im2col(c.t, x, kernel, settings(c, "dilations", 2, 1), pads[:2], steps)


def temporal_shift(c: Call) -> Value:
    """(N * T, C, H, W): a share of the channels from the frame before, and one from the frame after."""
    x, steps, share = c.first(c.x()), c.whole("seg_num", 1), c.number("shift_ratio", 0.25)
    channels = x.shape[1]
    high, wide = fixed(x.shape[2:]) or (0, 0)
    if not isinstance(channels, int) or not high:
        raise refused("temporal_shift of a free size", "temporal_shift 的尺寸不固定")
    t = c.t
    rows = view(t, x, (-1, steps, channels, high, wide))
    first, second = int(channels * share), int(channels * 2 * share)
    blank = [0] * 10
    before, after = list(blank), list(blank)
    before[1], before[6] = 1, -1
    after[1], after[6] = -1, 1
    parts = [
        t.emit("Pad", [cut(t, rows, 2, 0, first), t.whole(*before)]),
        t.emit("Pad", [cut(t, rows, 2, first, second), t.whole(*after)]),
        cut(t, rows, 2, second, channels),
    ]
    return c.back(view(t, t.emit("Concat", parts, axis=2), (-1, channels, high, wide)))


LAYERS: dict[str, Step] = {
    **dict.fromkeys(("conv2d", "depthwise_conv2d", "conv3d"), conv),
    **dict.fromkeys(("conv2d_transpose", "depthwise_conv2d_transpose", "conv3d_transpose"), conv_transpose),
    "pool2d": pool(2), "pool3d": pool(3), "max_pool2d_with_index": indexed(2), "max_pool3d_with_index": indexed(3),
    "lp_pool2d": lp_pool, "unfold": unfold, "temporal_shift": temporal_shift,
}  # fmt: skip
