"""Convolutions and poolings."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph.form import Dim, Value
from ...graph.window import adaptive_means, window
from ..recording.net import Net
from .axes import squeeze_dims, unsqueeze
from .reductions import over
from .refuse import garbled, refused


def spread(numbers: Sequence[int], dims: int) -> tuple[int, ...]:
    """One number for each axis."""
    found = tuple(numbers) * dims if len(numbers) == 1 else tuple(numbers)
    if len(found) != dims or not all(0 <= n < 1 << 24 for n in found):
        raise garbled(f"a window's settings are {list(numbers)}", f"窗口参数是 {list(numbers)}")
    return found


def convolution(
    t: Net,
    input: Value,  # torch's name
    weight: Value,
    bias: Value | None,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    transposed: bool,
    output_padding: tuple[int, ...],
    groups: int,
) -> Value:
    """(N, C, *size) with (out, C / groups, *kernel), or transposed (C, out / groups, *kernel) -> (N, out, *size')."""
    dims = len(weight.shape) - 2
    if not 1 <= dims <= 3:
        raise garbled(f"a convolution's weight has the shape {list(weight.shape)}", "卷积权重的维数不对")
    if len(input.shape) == dims + 1:
        wide = unsqueeze(t, input, 0)
        found = convolution(t, wide, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
        return squeeze_dims(t, found, (0,))
    attrs: dict[str, Any] = {
        "kernel_shape": tuple(n for n in weight.shape[2:] if isinstance(n, int)),
        "strides": spread(stride, dims),
        "pads": spread(padding, dims) * 2,
        "dilations": spread(dilation, dims),
        "group": groups,
    }
    if not transposed:
        return t.emit("Conv", [input, weight, bias], **attrs)
    more = spread(output_padding, dims)
    return t.emit("ConvTranspose", [input, weight, bias], **attrs, **({"output_padding": more} if any(more) else {}))


def old_convolution(
    t: Net,
    input: Value,
    weight: Value,
    bias: Value | None,
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    transposed: bool,
    output_padding: tuple[int, ...],
    groups: int,
    benchmark: object = None,
    deterministic: object = None,
    cudnn_enabled: object = None,
    allow_tf32: object = None,
) -> Value:
    """As tracing writes it."""
    return convolution(t, input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)


def conv(
    t: Net,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: tuple[int, ...] = (1,),
    padding: tuple[int, ...] = (0,),
    dilation: tuple[int, ...] = (1,),
    groups: int = 1,
) -> Value:
    """1-D, 2-D or 3-D."""
    return convolution(t, input, weight, bias, stride, padding, dilation, False, (0,), groups)


def conv_by_name(
    t: Net,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: tuple[int, ...] = (1,),
    padding: str = "valid",
    dilation: tuple[int, ...] = (1,),
    groups: int = 1,
) -> Value:
    """padding "same", where an odd one has more at the end, or "valid"."""
    dims = len(weight.shape) - 2
    spans = [d * (k - 1) for d, k in zip(spread(dilation, dims), weight.shape[2:], strict=True) if isinstance(k, int)]
    if padding == "valid" or not any(spans):
        return conv(t, input, weight, bias, stride, (0,), dilation, groups)
    attrs: dict[str, Any] = {
        "kernel_shape": tuple(n for n in weight.shape[2:] if isinstance(n, int)),
        "strides": spread(stride, dims),
        "pads": (*(n // 2 for n in spans), *(n - n // 2 for n in spans)),
        "dilations": spread(dilation, dims),
        "group": groups,
    }
    return t.emit("Conv", [input, weight, bias], **attrs)


def conv_transpose(
    t: Net,
    input: Value,
    weight: Value,
    bias: Value | None = None,
    stride: tuple[int, ...] = (1,),
    padding: tuple[int, ...] = (0,),
    output_padding: tuple[int, ...] = (0,),
    groups: int = 1,
    dilation: tuple[int, ...] = (1,),
) -> Value:
    """1-D, 2-D or 3-D."""
    return convolution(t, input, weight, bias, stride, padding, dilation, True, output_padding, groups)


# -- poolings ---------------------------------------------------------------------------------------------------------


def _batched(t: Net, x: Value, dims: int) -> tuple[Value, bool]:
    """With a batch axis, and whether it had none."""
    return (unsqueeze(t, x, 0), True) if len(x.shape) == dims + 1 else (x, False)


def _ended(t: Net, x: Value, single: bool) -> Value:
    return squeeze_dims(t, x, (0,)) if single else x


def max_pool(dims: int) -> Callable[..., Value]:
    """The largest in each window, which never starts in the padding at the end."""

    def function(
        t: Net,
        self: Value,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...] = (),
        padding: tuple[int, ...] = (0,),
        dilation: tuple[int, ...] = (1,),
        ceil_mode: bool = False,
    ) -> Value:
        x, single = _batched(t, self, dims)
        kernel, pads, dilations = spread(kernel_size, dims), spread(padding, dims), spread(dilation, dims)
        strides = spread(stride, dims) if stride else kernel
        ends, ceil = list(pads), int(ceil_mode)
        if ceil_mode and all(isinstance(n, int) for n in x.shape[2:]):
            ceil = 0
            ends = [_end(*one) for one in zip(x.shape[2:], kernel, strides, pads, dilations, strict=True)]
        attrs: dict[str, Any] = {
            "kernel_shape": kernel,
            "strides": strides,
            "pads": (*pads, *ends),
            "dilations": dilations,
        }
        return _ended(t, t.emit("MaxPool", [x], **attrs, ceil_mode=ceil), single)

    return function


def _end(size: Dim, kernel: int, stride: int, pad: int, dilation: int) -> int:
    """How much must be added at the end so that a last window is whole, as ceil_mode counts them."""
    count = window(size, kernel, stride, pad, pad, dilation, True)
    assert isinstance(count, int) and isinstance(size, int)
    return max(pad, (count - 1) * stride + dilation * (kernel - 1) + 1 - size - pad)


def max_pool_with_indices(dims: int) -> Callable[..., list[Value | None]]:
    """The same, and where they were, which only unpooling needs."""
    pool = max_pool(dims)

    def function(
        t: Net,
        self: Value,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...] = (),
        padding: tuple[int, ...] = (0,),
        dilation: tuple[int, ...] = (1,),
        ceil_mode: bool = False,
    ) -> list[Value | None]:
        return [pool(t, self, kernel_size, stride, padding, dilation, ceil_mode), None]

    return function


def avg_pool(dims: int) -> Callable[..., Value]:
    """The mean of each window."""

    def function(
        t: Net,
        self: Value,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...] = (),
        padding: tuple[int, ...] = (0,),
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Value:
        x, single = _batched(t, self, dims)
        kernel, pads = spread(kernel_size, dims), spread(padding, dims)
        strides = spread(stride, dims) if stride else kernel
        ceil = ceil_mode and _reaches_over(x, kernel, strides, pads)
        include = count_include_pad or divisor_override is not None
        attrs: dict[str, Any] = {"kernel_shape": kernel, "strides": strides, "pads": pads * 2, "ceil_mode": int(ceil)}
        if ceil:
            found = _mean_over_ends(t, x, kernel, strides, pads, include)
        else:
            found = t.emit("AveragePool", [x], **attrs, count_include_pad=int(include))
        if divisor_override:
            found = t.emit("Mul", [found, t.scalar(math.prod(kernel) / divisor_override)])
        return _ended(t, found, single)

    return function


def _reaches_over(x: Value, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int]) -> bool:
    """Whether the last windows of ceil_mode are not whole."""
    sides = zip(x.shape[2:], kernel, strides, pads, strict=True)
    return any(not isinstance(n, int) or (n + 2 * p - k) % s for n, k, s, p in sides)


def _mean_over_ends(
    t: Net, x: Value, kernel: Sequence[int], strides: Sequence[int], pads: Sequence[int], include: bool
) -> Value:
    """Windows that reach over the end have fewer numbers: the sum of each through how many there are."""
    if not all(isinstance(n, int) for n in x.shape[2:]):
        raise refused("average pooling with ceil_mode of a free size", "ceil_mode 平均池化的输入尺寸不固定")
    sides = list(zip(x.shape[2:], kernel, strides, pads, strict=True))
    ends = [_end(n, k, s, p, 1) for n, k, s, p in sides]
    attrs: dict[str, Any] = {
        "kernel_shape": tuple(kernel),
        "strides": tuple(strides),
        "pads": (*pads, *ends),
        "ceil_mode": 0,
    }
    found = t.emit("AveragePool", [x], **attrs, count_include_pad=1)
    share = np.ones(())
    for (n, k, s, p), end in zip(sides, ends, strict=True):
        assert isinstance(n, int)
        counted = np.zeros(p + n + end)
        counted[0 if include else p : p + n + (p if include else 0)] = 1
        share = share[..., None] * np.array([counted[i : i + k].mean() for i in range(0, len(counted) - k + 1, s)])
    return t.emit("Div", [found, t.array(share.astype(np.float32))])


def adaptive_avg_pool(dims: int) -> Callable[..., Value]:
    """To this size, from whatever size."""

    def function(t: Net, self: Value, output_size: tuple[int | None, ...]) -> Value:
        x, single = _batched(t, self, dims)
        wanted = _wanted(x, output_size, dims)
        if all(n == 1 for n in wanted):
            found = t.emit("GlobalAveragePool", [x])
        elif strides := _even(x, wanted):
            found = t.emit("AveragePool", [x], kernel_shape=strides, strides=strides, pads=(0,) * (2 * dims),
                           ceil_mode=0, count_include_pad=0)  # fmt: skip
        else:
            found = by_axes(t, x, [_means(n, m) for n, m in zip(x.shape[2:], wanted, strict=True)])
        return _ended(t, found, single)

    return function


def _wanted(x: Value, sizes: Sequence[int | None], dims: int) -> list[Dim]:
    """The sizes that are to come out; None keeps one."""
    row = list(sizes) * dims if len(sizes) == 1 else list(sizes)
    if len(row) != dims:
        raise garbled(f"it pools to {list(sizes)}", f"它要池化到 {list(sizes)}")
    return [x.shape[2 + i] if n is None else n for i, n in enumerate(row)]


def _even(x: Value, wanted: Sequence[Dim]) -> tuple[int, ...]:
    """The windows, where all are of one size; () where they are not."""
    found = []
    for size, new in zip(x.shape[2:], wanted, strict=True):
        if size == new and isinstance(size, str):
            found.append(1)
            continue
        if not isinstance(size, int) or not isinstance(new, int) or new < 1 or size % new:
            return ()
        found.append(size // new)
    return tuple(found)


def _means(size: Dim, new: Dim) -> np.ndarray[tuple[int, int], np.dtype[np.float32]] | None:
    """(new, size): which numbers each mean is of. Neighbouring windows may share some."""
    if size == new:
        return None
    if not isinstance(size, int) or not isinstance(new, int):
        raise refused("it pools pictures of any size to a fixed one", "它把任意尺寸的图片池化到固定尺寸")
    return adaptive_means(size, new)


def by_axes(t: Net, x: Value, matrices: Sequence[np.ndarray[tuple[int, int], np.dtype[np.float32]] | None]) -> Value:
    """(N, C, *size) with each axis replaced by (new, size) times it; None leaves one."""
    dims = len(matrices)
    for i, matrix in enumerate(matrices):
        if matrix is None:
            continue
        last = i == dims - 1
        axis = 2 + i
        if last:
            x = t.emit("MatMul", [x, t.array(np.ascontiguousarray(matrix.T))])
        elif axis == len(x.shape) - 2:
            x = t.emit("MatMul", [t.array(matrix), x])
        else:
            order = [j for j in range(len(x.shape)) if j != axis] + [axis]
            x = t.emit("MatMul", [t.emit("Transpose", [x], perm=tuple(order)), t.array(matrix.T)])
            x = t.emit("Transpose", [x], perm=tuple(order.index(j) for j in range(len(order))))
    return x


def adaptive_max_pool(dims: int) -> Callable[..., list[Value | None]]:
    """To this size, from whatever size; where they were is not known."""

    def function(t: Net, self: Value, output_size: tuple[int | None, ...]) -> list[Value | None]:
        x, single = _batched(t, self, dims)
        wanted = _wanted(x, output_size, dims)
        if all(n == 1 for n in wanted):
            found = over(t, "ReduceMax", x, tuple(range(2, 2 + dims)), True)
        elif strides := _even(x, wanted):
            found = t.emit("MaxPool", [x], kernel_shape=strides, strides=strides, pads=(0,) * (2 * dims),
                           dilations=(1,) * dims, ceil_mode=0)  # fmt: skip
        else:
            found = _uneven_max(t, x, wanted)
        return [_ended(t, found, single), None]

    return function


def _uneven_max(t: Net, x: Value, wanted: Sequence[Dim]) -> Value:
    """Each axis picked window by window, whose shorter ones have their last number twice."""
    for i, (size, new) in enumerate(zip(x.shape[2:], wanted, strict=True)):
        if size == new:
            continue
        if not isinstance(size, int) or not isinstance(new, int):
            raise refused("it pools pictures of any size to a fixed one", "它把任意尺寸的图片池化到固定尺寸")
        windows = [(j * size // new, -(-(j + 1) * size // new)) for j in range(new)]
        longest = max(end - start for start, end in windows)
        at = np.array([[min(start + k, end - 1) for k in range(longest)] for start, end in windows])
        x = t.emit("Gather", [x, t.array(at)], axis=2 + i)
        x = over(t, "ReduceMax", x, (3 + i,))
    return x


WINDOWS: dict[str, Callable[..., Value | list[Value | None]]] = {
    "convolution": convolution, "_convolution": old_convolution,
    "_convolution_mode": conv_by_name,
    **{f"conv{n}d": conv for n in (1, 2, 3)}, **{f"conv{n}d.padding": conv_by_name for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": conv_transpose for n in (1, 2, 3)},
    **{f"max_pool{n}d": max_pool(n) for n in (1, 2, 3)},
    **{f"max_pool{n}d_with_indices": max_pool_with_indices(n) for n in (1, 2, 3)},
    **{f"avg_pool{n}d": avg_pool(n) for n in (1, 2, 3)},
    **{f"{a}adaptive_avg_pool{n}d": adaptive_avg_pool(n) for n in (1, 2, 3) for a in ("", "_")},
    **{f"adaptive_max_pool{n}d": adaptive_max_pool(n) for n in (1, 2, 3)},
}  # fmt: skip
