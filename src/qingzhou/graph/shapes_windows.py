"""Shapes of what goes over a picture with a window, or resamples it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .form import Dim, Shape
from .shapes_call import UNKNOWN, Call, Rule, Typed, Unknown, fixed, plus, quotient, scaled, times

MOST = 8  # axes that a window slides along; onnxruntime knows three


@dataclass(frozen=True)
class Window:
    """A window along one axis.

    auto  ONNX's auto_pad
    ceil  a last window may reach beyond the end
    wide  it may be larger than what it goes over: onnxruntime lets pools do so, and then rounds towards zero
    """

    kernel: Dim
    stride: int
    dilation: int
    pads: tuple[int, int]
    auto: str
    ceil: bool
    wide: bool

    def steps(self, size: Dim) -> Dim | None:
        """How many windows there are along an axis; None where not one fits."""
        if self.auto.startswith("SAME") and not (self.wide and self.dilation > 1):
            return _through(size, self.stride)
        pads = self._pads(size)
        if isinstance(self.kernel, str) or pads is None:
            return UNKNOWN
        room = sum(pads) - self.dilation * (self.kernel - 1) - 1
        if isinstance(size, str):
            return size if self.stride == 1 and room == -1 else UNKNOWN
        return self._steps(size, size + room, pads[0]) if self.wide or size + room >= 0 else None

    def _pads(self, size: Dim) -> tuple[int, int] | None:
        if not self.auto.startswith("SAME"):
            return (0, 0) if self.auto == "VALID" else self.pads
        if isinstance(size, str) or isinstance(self.kernel, str):
            return None
        # onnxruntime pads for the kernel without its dilation, in pools only (core/providers/cpu/nn/pool_attributes.h).
        wanted = (-(-size // self.stride) - 1) * self.stride + self.kernel - size
        before = int((wanted + (self.auto == "SAME_LOWER")) / 2)
        return before, wanted - before

    def _steps(self, size: int, room: int, before: int) -> int | None:
        count = (-(-room // self.stride) if self.ceil or room < 0 else room // self.stride) + 1
        # As in torch, the last window starts within the picture or the padding before it.
        count -= self.ceil and (count - 1) * self.stride >= size + before
        return count if count >= 0 else None


def _through(size: Dim, stride: int) -> Dim:
    if isinstance(size, str):
        return size if stride == 1 else UNKNOWN
    return -(-size // stride)


def _windows(c: Call, kernel: Shape, wide: bool = False) -> list[Window]:
    """The windows that the attributes describe, one for each axis of `kernel`."""
    rank = len(kernel)
    if rank > MOST:
        raise Unknown
    strides, dilations = c.numbers("strides") or (1,) * rank, c.numbers("dilations") or (1,) * rank
    pads = c.numbers("pads") or (0,) * 2 * rank
    if not len(strides) == len(dilations) == rank == len(pads) / 2 or min((*strides, *dilations), default=0) < 1:
        raise c.wrong(f"its attributes are not for {rank} axes", f"属性与 {rank} 个空间维不符")
    auto, ceil = c.text("auto_pad", "NOTSET"), bool(c.number("ceil_mode", 0))
    ends = zip(pads[:rank], pads[rank:], strict=True)
    return [Window(*sizes, auto, ceil, wide) for sizes in zip(kernel, strides, dilations, ends, strict=True)]


def _sizes(c: Call, windows: list[Window], sizes: Shape) -> Shape:
    _matched(c, len(windows), sizes)
    counts = [window.steps(size) for window, size in zip(windows, sizes, strict=True)]
    if None in counts:
        kernel = tuple(window.kernel for window in windows)
        raise c.wrong(f"a window of {kernel} does not fit into {sizes}", f"窗口 {kernel} 放不进 {sizes}")
    return tuple(count for count in counts if count is not None)


def _matched(c: Call, axes: int, sizes: Shape) -> None:
    if axes != len(sizes):
        raise c.wrong(f"a window of {axes} axes for {sizes}", f"窗口有 {axes} 维，而空间尺寸是 {sizes}")


def _kernel(c: Call, weight: Shape) -> Shape:
    kernel = c.numbers("kernel_shape") or weight[2:]
    for a, b in zip(kernel, weight[2:], strict=False):
        c.equal(a, b, "kernel_shape and the weight's shape differ", "kernel_shape 与权重的形状不同")
    return kernel


def _convolved(c: Call, x: Shape, weight: Shape) -> Shape:
    if len(x) != len(weight) or len(x) < 3:
        raise c.wrong(f"a weight of {weight} for an input of {x}", f"权重的形状是 {weight}，而输入是 {x}")
    if len(x) > MOST + 2:
        raise Unknown
    channels = times(weight[1], c.number("group", 1))
    c.equal(x[1], channels, "the input's channels are not the weight's", "输入与权重的通道数不同")
    return (x[0], weight[0], *_sizes(c, _windows(c, _kernel(c, weight)), x[2:]))


def conv(c: Call) -> list[Typed]:
    """(N, C, *size), weight (M, C / group, *kernel) -> (N, M, *size')."""
    return [(_convolved(c, c.shape(0), c.shape(1)), c.dtype())]


def conv_integer(c: Call) -> list[Typed]:
    """As conv, of integers."""
    return [(_convolved(c, c.shape(0), c.shape(1)), "int32")]


def qlinear_conv(c: Call) -> list[Typed]:
    """As conv; each of x, weight and result has a scale and a zero point."""
    return [(_convolved(c, c.shape(0), c.shape(3)), c.dtype(7))]


def conv_transpose(c: Call) -> list[Typed]:
    """(N, C, *size), weight (C, M / group, *kernel) -> (N, M, *size')."""
    x, weight = c.shape(0), c.shape(1)
    if len(x) != len(weight) or len(x) < 3:
        raise c.wrong(f"a weight of {weight} for an input of {x}", f"权重的形状是 {weight}，而输入是 {x}")
    c.equal(x[1], weight[0], "the input's channels are not the weight's", "输入与权重的通道数不同")
    return [((x[0], times(weight[1], c.number("group", 1)), *_spread(c, x[2:], _kernel(c, weight))), c.dtype())]


def _spread(c: Call, sizes: Shape, kernel: Shape) -> Shape:
    told = c.numbers("output_shape")
    if told:
        return told[-len(sizes) :]  # some exporters write batch and channels as well
    extra, windows = c.numbers("output_padding") or (0,) * len(sizes), _windows(c, kernel)
    _matched(c, len(windows), sizes)
    _matched(c, len(extra), sizes)
    return tuple(_widened(n, window, more) for n, window, more in zip(sizes, windows, extra, strict=True))


def _widened(size: Dim, window: Window, extra: int) -> Dim:
    if isinstance(window.kernel, str):
        return UNKNOWN
    reach = window.dilation * (window.kernel - 1) + 1 + extra
    if window.auto.startswith("SAME"):  # onnxruntime pads, but never cuts; onnx infers size * stride
        return plus(times(size, window.stride), min(reach - window.stride, 0))
    pads = 0 if window.auto == "VALID" else sum(window.pads)
    return plus(times(size, window.stride), reach - window.stride - pads)


# -- pools -----------------------------------------------------------------------------------------------------------


def _pooled(c: Call, x: Shape) -> Shape:
    kernel = c.numbers("kernel_shape")
    if not kernel:
        raise c.wrong("it has no kernel_shape", "缺少 kernel_shape")
    return (*x[:2], *_sizes(c, _windows(c, kernel, wide=True), x[2:]))


def pool(c: Call) -> list[Typed]:
    """(N, C, *size) -> (N, C, *size')."""
    return [(_pooled(c, c.shape(0)), c.dtype())]


def max_pool(c: Call) -> list[Typed]:
    """As pool, and the indices of what was taken."""
    shape = _pooled(c, c.shape(0))
    return [(shape, c.dtype()), (shape, "int64")]


def global_pool(c: Call) -> list[Typed]:
    """(N, C, *size) -> (N, C, 1, …)."""
    x = c.shape(0)
    return [((*x[:2], *(1,) * (len(x) - 2)), c.dtype())]


def max_unpool(c: Call) -> list[Typed]:
    """The reverse of a max pool; its size by input 2, or by the window."""
    x = c.shape(0)
    if c.has(2):
        return [(c.ints(2), c.dtype())]
    return [((*x[:2], *_spread(c, x[2:], c.numbers("kernel_shape") or ())), c.dtype())]


def max_roi_pool(c: Call) -> list[Typed]:
    """(N, C, H, W), boxes (R, 5) -> (R, C, *pooled_shape)."""
    return [((c.shape(1, 2)[0], c.shape(0, 4)[1], *(c.numbers("pooled_shape") or ())), c.dtype())]


def roi_align(c: Call) -> list[Typed]:
    """(N, C, H, W), boxes (R, 4) -> (R, C, output_height, output_width)."""
    boxes = c.equal(c.shape(1, 2)[0], c.shape(2, 1)[0], "boxes and their indices differ", "框与索引的数量不同")
    return [((boxes, c.shape(0, 4)[1], c.number("output_height", 1), c.number("output_width", 1)), c.dtype())]


# -- resampling ------------------------------------------------------------------------------------------------------


def resize(c: Call) -> list[Typed]:
    """By sizes (input 3) or scales (input 2; opset 10: input 1), along all axes or those in `axes`."""
    x = c.shape(0)
    axes = [c.from_front(axis, len(x)) for axis in c.numbers("axes") or range(len(x))]
    old = tuple(x[axis] for axis in axes)
    scales = 1 if len(c.node.inputs) == 2 else 2
    new = _within(c, old, c.ints(3)) if c.has(3) else _times(c, old, c.floats(scales))
    changed = dict(zip(axes, new, strict=True))
    return [(tuple(changed.get(i, n) for i, n in enumerate(x)), c.dtype())]


def _times(c: Call, sizes: Shape, scales: Sequence[float] | None) -> Shape:
    if scales is None:
        return (UNKNOWN,) * len(sizes)
    _one_each(c, sizes, scales)
    return tuple(map(scaled, sizes, scales))


def _one_each(c: Call, sizes: Shape, given: Sequence[float | str]) -> None:
    if len(given) != len(sizes):
        raise c.wrong(f"{len(given)} sizes or scales for {sizes}", f"{len(given)} 个尺寸或倍数对不上 {sizes}")


def _within(c: Call, sizes: Shape, wish: Shape) -> Shape:
    """`wish`, or with keep_aspect_ratio_policy the largest that does not pass it, or the smallest that does."""
    _one_each(c, sizes, wish)
    choose = {"not_larger": min, "not_smaller": max}.get(c.text("keep_aspect_ratio_policy"))
    if choose is None:
        return wish
    old, new = (np.array(fixed(n), np.float32) for n in (sizes, wish))
    scale = choose((new / old).tolist())
    return tuple(int(n) for n in np.floor(old * np.float32(scale) + np.float32(0.5)))


def upsample(c: Call) -> list[Typed]:
    """Resize as it was up to opset 9: scales by input 1 or by attribute."""
    scales = c.floats(1) if c.has(1) else c.fractions("scales")
    return [(_times(c, c.shape(0), scales), c.dtype())]


def grid_sample(c: Call) -> list[Typed]:
    """(N, C, *size), grid (N, *size', axes) -> (N, C, *size')."""
    x = c.shape(0)
    grid = c.shape(1, len(x))
    batch = c.equal(x[0], grid[0], "input and grid have another batch", "输入与网格的批大小不同")
    return [((batch, x[1], *grid[1:-1]), c.dtype())]


def affine_grid(c: Call) -> list[Typed]:
    """theta, size (N, C, *size) -> (N, *size, axes)."""
    if len(c.ints(1)) not in (4, 5):
        raise c.wrong(f"a size of {c.ints(1)}", f"尺寸是 {c.ints(1)}")
    batch, _, *size = c.ints(1)
    return [((batch, *size, len(size)), c.dtype())]


def depth_to_space(c: Call) -> list[Typed]:
    """(N, C, H, W) -> (N, C / b², H * b, W * b)."""
    n, channels, height, width = c.shape(0, 4)
    b = c.number("blocksize", 1)
    return [((n, _part(c, channels, b * b), times(height, b), times(width, b)), c.dtype())]


def space_to_depth(c: Call) -> list[Typed]:
    """(N, C, H, W) -> (N, C * b², H / b, W / b)."""
    n, channels, height, width = c.shape(0, 4)
    b = c.number("blocksize", 1)
    return [((n, times(channels, b * b), _part(c, height, b), _part(c, width, b)), c.dtype())]


def _part(c: Call, size: Dim, parts: int) -> Dim:
    found = quotient((size,), (parts,))
    if found is None:
        raise c.wrong(f"{size} cannot be divided by {parts}", f"{size} 不能被 {parts} 整除")
    return found


def col2im(c: Call) -> list[Typed]:
    """(N, C * block, L), size, block -> (N, C, *size)."""
    n, inner, _ = c.shape(0, 3)
    return [((n, quotient((inner,), c.ints(2)) or UNKNOWN, *c.ints(1)), c.dtype())]


def channels_last_pool(c: Call) -> list[Typed]:
    """com.microsoft.QLinearGlobalAveragePool: of (N, C, *size), or (N, *size, C)."""
    x = c.shape(0)
    ones = (1,) * (len(x) - 2)
    return [((x[0], *ones, x[-1]) if c.number("channels_last", 0) else (*x[:2], *ones), c.dtype())]


def qlinear_pool(c: Call) -> list[Typed]:
    """com.microsoft.QLinearAveragePool."""
    if c.number("channels_last", 0):
        raise Unknown
    return pool(c)


WINDOWS: dict[str, Rule] = {
    "Conv": conv,
    "ConvInteger": conv_integer,
    "QLinearConv": qlinear_conv,
    "ConvTranspose": conv_transpose,
    "AveragePool": pool,
    "LpPool": pool,
    "MaxPool": max_pool,
    "MaxUnpool": max_unpool,
    "MaxRoiPool": max_roi_pool,
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"), global_pool),
    "RoiAlign": roi_align,
    "Resize": resize,
    "Upsample": upsample,
    "GridSample": grid_sample,
    "AffineGrid": affine_grid,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "Col2Im": col2im,
}
