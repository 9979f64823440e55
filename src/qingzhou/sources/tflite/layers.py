"""Layers with weights, and poolings: channels last in the file, first in ONNX, with a Transpose on both sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...files.tflite_schema import SAME
from ...graph.form import Array, Dim, Value
from ..recording.windows import same_pads
from .model import Tensor
from .pointwise import activated
from .refuse import garbled, refused
from .shapes import reshaped
from .walk import Call, Spaced, Step


def first(rank: int) -> tuple[int, ...]:
    """The order in which channels come second."""
    return (0, rank - 1, *range(1, rank - 1))


def last(rank: int) -> tuple[int, ...]:
    """The order in which they come last again."""
    return (0, *range(2, rank), 1)


# -- weights -----------------------------------------------------------------------------------------------------------


def weight(c: Call, i: int, perm: Sequence[int] = (), shape: tuple[int, ...] = (), axis: int = 0) -> Value:
    """Input i in ONNX's order of axes: integers with their scales behind activations of 8 bits, floats else.

    perm, shape  its axes in another order, and then in another form;  axis: which then has the output channels
    """
    tensor, steps = c.tensor(i), c.tensor(i).steps
    if tensor.numbers is None:
        x = c.x(i)
        x = c.turned(x, perm) if perm else x
        return c.t.emit("Reshape", [x, c.t.whole(*shape)]) if shape else x
    made = _laid(tensor, perm, shape)
    if steps is None or not tensor.integer or not c.tensor(0).integer:
        source = c.t.constants[c.walk.value(tensor.index).name]
        if not perm and not shape:
            return c.x(i)
        return c.walk.keep(tensor, made[0], "float32", lambda: made[1](source.load()))
    numbers = tensor.numbers
    assert numbers is not None
    kept = c.walk.keep(tensor, made[0], tensor.dtype, lambda: made[1](numbers()))
    return _dequantized(c, kept, steps.scales, steps.zeros, axis if not steps.single else None, tensor.dtype)


def _laid(tensor: Tensor, perm: Sequence[int], shape: tuple[int, ...]) -> tuple[tuple[int, ...], Any]:
    turned = tuple(tensor.shape[k] for k in perm) if perm else tensor.shape
    new = shape or turned
    if len(perm) not in (0, len(tensor.shape)) or math.prod(new) != math.prod(tensor.shape):
        raise garbled(f"a weight has the shape {tensor.shape}", f"权重的形状是 {tensor.shape}")

    def load(array: Array) -> Array:
        return np.ascontiguousarray(array.transpose(perm) if perm else array).reshape(new)

    return new, load


def _dequantized(c: Call, kept: Value, scales: Array, zeros: Array, axis: int | None, dtype: str) -> Value:
    """What constant integers stand for, computed where it runs: engines take them as they are."""
    t, here = c.t, c.t.here
    t.here = f"{kept.name}/floats"
    single = axis is None
    low, high = (0, 255) if dtype == "uint8" else (-128, 127)
    if not (np.isfinite(scales).all() and ((zeros >= low) & (zeros <= high)).all()):
        raise garbled("a weight has scales that are no numbers", "权重的比例无效")
    ends = [t.array(scales.astype(np.float32).reshape(() if single else -1), f"{kept.name}/scales")]
    ends.append(t.array(zeros.astype(dtype).reshape(() if single else -1), f"{kept.name}/zeros"))
    attrs: dict[str, Any] = {} if single else {"axis": axis}
    found = t.emit("DequantizeLinear", [kept, *ends], **attrs)
    t.here = here
    return found


def bias(c: Call, i: int, weights: int = 1) -> Value | None:
    """Input i: integers in the scale of the products, as the file's own runtime takes them whatever scale they say."""
    if not c.has(i):
        return None
    tensor, of, x = c.tensor(i), c.tensor(weights), c.tensor(0)
    if tensor.numbers is None or tensor.dtype != "int32" or not (x.integer and of.integer):
        return c.x(i)
    assert x.steps is not None and of.steps is not None
    scales = (x.steps.scales.astype(np.float32) * of.steps.scales.astype(np.float32)).reshape(-1)
    numbers = tensor.numbers
    if len(scales) not in (1, *tensor.shape):
        raise garbled(f"a bias of {tensor.shape} has {len(scales)} scales", f"偏置的形状是 {tensor.shape}")
    kept = c.walk.keep(tensor, tensor.shape, "int32", numbers)
    t, here = c.t, c.t.here
    t.here = f"{kept.name}/floats"
    single = len(scales) == 1
    ends = [t.array(scales.reshape(() if single else -1), f"{kept.name}/scales")]
    attrs: dict[str, Any] = {} if single else {"axis": 0}
    found = t.emit("DequantizeLinear", [kept, *ends], **attrs)
    t.here = here
    return found


# -- windows -----------------------------------------------------------------------------------------------------------


def windowed(c: Call, op: str, inputs: list[Value | None], kernel: Sequence[int], pads: Any, **attrs: Any) -> Value:
    """One operator over (N, C, *sizes); pads: of each axis before and after; None: as many as are needed."""
    if pads is None:
        attrs["auto_pad"] = "SAME_UPPER"
    else:
        attrs["pads"] = (*(before for before, _ in pads), *(after for _, after in pads))
    return c.t.emit(op, inputs, kernel_shape=tuple(kernel), **attrs)


def strides_of(c: Call, dims: int) -> tuple[int, ...]:
    """Height before width."""
    found = tuple(c.option(f"stride_{name}") for name in "dhw"[-dims:])
    return _positive(found)


def _positive(found: tuple[int, ...]) -> tuple[int, ...]:
    if not all(1 <= n < 1 << 16 for n in found):
        raise garbled(f"a window's settings are {list(found)}", f"窗口参数是 {list(found)}")
    return found


def conv(depthwise: bool = False, dims: int = 2) -> Step:
    """(N, *sizes, C) with (out, *kernel, C / groups), depthwise (1, *kernel, out) -> (N, *sizes', out)."""

    def step(c: Call) -> Value | Sequence[Value]:
        shape = c.tensor(1).shape
        spaced = c.walk.spaced.get(c.op.inputs[0])
        x = spaced.x if spaced else c.x()
        channels = x.shape[-1]
        if len(shape) != dims + 2 or len(x.shape) != dims + 2 or not isinstance(channels, int) or not channels:
            raise garbled(f"a weight of {shape} meets {list(x.shape)}", f"权重 {shape} 与输入 {list(x.shape)} 不符")
        kernel, groups, weights = _kernel(c, shape, channels, depthwise, dims)
        strides = strides_of(c, dims)
        dilations = _positive(tuple(c.option(f"dilation_{name}_factor", 1) for name in "dhw"[-dims:]))
        pads: Any = [(0, 0)] * dims
        if c.option("padding") == SAME:
            pads = same_pads(x.shape[1:-1], kernel, strides, dilations)
        if spaced:
            pads, dilations = _undone(c, spaced, strides, dilations), spaced.blocks
        turned = c.turned(x, first(dims + 2))
        inputs = [turned, weights, bias(c, 2)]
        found = windowed(c, "Conv", inputs, kernel, pads, strides=strides, dilations=dilations, group=groups)
        found = activated(c, c.turned(found, last(dims + 2)))
        if spaced is None:
            return found
        c.walk.spaced[c.op.outputs[0]] = Spaced(found, spaced.blocks, ())
        return ()

    return step


def _kernel(
    c: Call, shape: tuple[int, ...], channels: int, depthwise: bool, dims: int
) -> tuple[tuple[int, ...], int, Value]:
    """Its sizes, the groups, and the weights (out, C / groups, *kernel)."""
    if depthwise:
        if shape[0] != 1 or shape[-1] % channels:
            raise garbled(
                f"a depthwise weight of {shape} meets {channels} channels", f"深度卷积权重 {shape} 与通道数不符"
            )
        return shape[1:-1], channels, weight(c, 1, (3, 0, 1, 2))
    if dims == 3:  # (*kernel, C, out)
        if shape[3] != channels:
            raise garbled(f"a weight of {shape} meets {channels} channels", f"权重 {shape} 与通道数不符")
        return shape[:3], 1, weight(c, 1, (4, 3, 0, 1, 2))
    if not shape[-1] or channels % shape[-1] or shape[0] % (channels // shape[-1]):
        raise garbled(f"a weight of {shape} meets {channels} channels", f"权重 {shape} 与通道数不符")
    return shape[1:-1], channels // shape[-1], weight(c, 1, (0, 3, 1, 2))


def _undone(c: Call, spaced: Spaced, strides: tuple[int, ...], dilations: tuple[int, ...]) -> Any:
    """The pads of a convolution with dilation that was spelt out as one of rearranged pictures."""
    if set(strides) | set(dilations) != {1}:
        raise refused("a rearranged picture is convolved with strides", "重排后的图片以步长卷积")
    if c.option("padding") == SAME:
        raise refused("a rearranged picture is padded", "重排后的图片又被填充")
    return spaced.pads


def transpose_conv(c: Call) -> Value:
    """TRANSPOSE_CONV: sizes, (out, *kernel, C), (N, *sizes, C) -> (N, *sizes', out)."""
    shape, x, strides = c.tensor(1).shape, c.x(2), strides_of(c, 2)
    if len(shape) != 4 or len(x.shape) != 4 or shape[3] != x.shape[3]:
        raise garbled(f"a weight of {shape} meets {list(x.shape)}", f"权重 {shape} 与输入 {list(x.shape)} 不符")
    told = c.dims(0)
    kernel = shape[1:3]
    weights = weight_of(c, 2, 1, (3, 0, 1, 2), 1)
    if told is None or len(told) != 4:
        raise refused("its size depends on numbers that are only known when it runs", "它的输出尺寸运行时才知道")
    ends, more = [], []
    for n, m, k, s in zip(x.shape[1:3], told[1:3], kernel, strides, strict=True):
        pads, extra = _around(c, n, m, k, s)
        ends.append(pads)
        more.append(extra)
    turned = c.turned(x, first(4))
    attrs: dict[str, Any] = {"strides": strides, "dilations": (1, 1), "group": 1}
    if any(more):
        attrs["output_padding"] = tuple(more)
    found = windowed(c, "ConvTranspose", [turned, weights, _plain_bias(c)], kernel, ends, **attrs)
    return activated(c, c.turned(found, last(4)))


def _around(c: Call, n: Dim, m: Dim, k: int, s: int) -> tuple[tuple[int, int], int]:
    """What is cut off before and after, and what is added at the end, so that m numbers come of n."""
    if not isinstance(n, int) or not isinstance(m, int):
        if c.option("padding") == SAME:  # m is n * s
            total = max(k - s, 0)
            return (total // 2, total - total // 2), max(s - k, 0)
        return (0, 0), max(s - k, 0)
    whole = (n - 1) * s + k
    before = max((-(-m // s) - 1) * s + k - m, 0) // 2 if c.option("padding") == SAME else 0
    after = whole - before - m
    if (after < 0 and -after >= s) or before >= whole or m < 1:
        raise refused(f"it makes {m} numbers of {n}, by steps of {s}", f"它以步长 {s} 从 {n} 个数得到 {m} 个数")
    return (before, max(after, 0)), max(-after, 0)


def weight_of(c: Call, x: int, i: int, perm: Sequence[int], axis: int) -> Value:
    """The same as weight() where the activations are another input than the first."""
    tensor = c.tensor(i)
    steps = tensor.steps
    if tensor.numbers is None or steps is None or not tensor.integer or not c.tensor(x).integer:
        return c.turned(c.x(i), perm)
    made, numbers = _laid(tensor, perm, ()), tensor.numbers
    kept = c.walk.keep(tensor, made[0], tensor.dtype, lambda: made[1](numbers()))
    return _dequantized(c, kept, steps.scales, steps.zeros, axis if not steps.single else None, tensor.dtype)


def _plain_bias(c: Call) -> Value | None:
    """Of a transposed convolution, which no engine computes in integers."""
    return c.x(3) if c.has(3) else None


def dense(c: Call) -> Value:
    """FULLY_CONNECTED: (…, C) with (out, C) -> (n, out), or (…, out) where the dimensions are kept."""
    x, shape = c.x(), c.tensor(1).shape
    if c.option("weights_format"):
        raise refused("its weights are shuffled", "它的权重顺序被打乱")
    if len(shape) != 2 or not shape[1]:
        raise garbled(f"a dense weight has the shape {shape}", f"全连接权重的形状是 {shape}")
    keep, (out, features) = c.option("keep_num_dims"), shape
    if keep and x.shape[-1] != features:
        raise garbled(
            f"a dense weight of {shape} meets {list(x.shape)}", f"全连接权重 {shape} 与输入 {list(x.shape)} 不符"
        )
    if not keep and not (len(x.shape) == 2 and x.shape[1] == features):
        x = reshaped(c, x, _rows(x, features))
    if c.tensor(1).numbers is None:
        found = c.t.emit("MatMul", [x, c.turned(c.x(1), (1, 0))])
        found = c.t.emit("Add", [found, c.x(2)]) if c.has(2) else found
        return activated(c, found)
    weights, b = weight(c, 1), bias(c, 2)
    rows = [x, weights] if b is None else [x, weights, b]
    if c.t.is_constant(weights) and not c.t.is_constant(x):
        return activated(c, c.t.blocks("Linear", rows, (*x.shape[:-1], out)))
    flat = x if len(x.shape) == 2 else c.walk.rounded(reshaped(c, x, [-1, features]), c.tensor(0))
    found = c.t.emit("Gemm", [flat, *rows[1:]], transB=1)
    return activated(c, found if len(x.shape) == 2 else reshaped(c, found, [*x.shape[:-1], out]))


def _rows(x: Value, features: int) -> list[Dim]:
    """(n, features): n is the batch where each sample is one row."""
    sizes = [n for n in x.shape[1:] if isinstance(n, int)]
    one = len(sizes) == len(x.shape) - 1 and math.prod(sizes) == features
    return [x.shape[0] if one and x.shape else -1, features]


# -- poolings ----------------------------------------------------------------------------------------------------------


def pool(op: str) -> Step:
    """(N, H, W, C) -> (N, H', W', C); the mean is of the cells that are there."""

    def step(c: Call) -> Value:
        x, kernel, strides = c.x(), _positive((c.option("filter_height"), c.option("filter_width"))), strides_of(c, 2)
        if len(x.shape) != 4:
            raise garbled(f"a pooling of {list(x.shape)}", f"池化的输入是 {list(x.shape)}")
        pads: Any = [(0, 0)] * 2
        if c.option("padding") == SAME:
            pads = same_pads(x.shape[1:3], kernel, strides, (1, 1))
        turned = c.turned(x, first(4))
        if op == "L2":
            turned = c.t.emit("Mul", [turned, turned])
        if op != "MaxPool" and kernel == x.shape[1:3] and pads == [(0, 0)] * 2:
            found = c.t.emit("GlobalAveragePool", [turned])
        elif op == "MaxPool":
            found = windowed(c, op, [turned], kernel, pads, strides=strides, dilations=(1, 1), ceil_mode=0)
        else:
            found = windowed(
                c, "AveragePool", [turned], kernel, pads, strides=strides, ceil_mode=0, count_include_pad=0
            )
        if op == "L2":
            found = c.t.emit("Sqrt", [found])
        return activated(c, c.turned(found, last(4)))

    return step


LAYERS: dict[str, Step] = {
    "CONV_2D": conv(), "DEPTHWISE_CONV_2D": conv(depthwise=True), "CONV_3D": conv(dims=3),
    "TRANSPOSE_CONV": transpose_conv, "FULLY_CONNECTED": dense, "MAX_POOL_2D": pool("MaxPool"),
    "AVERAGE_POOL_2D": pool("AveragePool"), "L2_POOL_2D": pool("L2"),
}  # fmt: skip
