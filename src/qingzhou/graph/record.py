"""Recorder: how a network's page of code becomes a Graph.

A network is a plain function that calls a Recorder. The recording is frozen into a Graph; writing ONNX, counting MACs
and everything else are ordinary functions over it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .form import BLOCK, Dim, Shape, Value
from .tape import Tape
from .window import Numbers, adaptive_means, padding_of, spread, windows

# Activation -> operator, its attributes and its domain. relu6 is a Clip, which takes its limits as inputs.
ACTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "relu": ("Relu", {}, ""),
    "relu6": ("Clip", {}, ""),
    "sigmoid": ("Sigmoid", {}, ""),
    "tanh": ("Tanh", {}, ""),
    "hsigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, ""),
    "hswish": ("HardSwish", {}, ""),
    "silu": ("Silu", {}, BLOCK),
    "gelu": ("Gelu", {"approximate": "none"}, BLOCK),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}, BLOCK),
    "leaky_relu": ("LeakyRelu", {}, ""),
    "elu": ("Elu", {}, ""),
}
SLOPED = ("leaky_relu", "elu")


class Recorder(Tape):
    """Writes down what a network does. Every method takes Values and returns the Value(s) that come out."""

    # -- layers with parameters --------------------------------------------------------------------------------------

    def conv(
        self,
        key: str,
        x: Value,
        channels: int,
        kernel: Numbers,
        stride: Numbers = 1,
        padding: Numbers | None = None,
        groups: int = 1,
        dilation: Numbers = 1,
        bias: bool = True,
    ) -> Value:
        """(N, C, *size) -> (N, channels, *size'), 1-D or 2-D; padding None keeps the size at stride 1.

        padding: one number, one per dimension, or all starts and then all ends.
        """
        dims = len(x.shape) - 2
        kernels, strides, dilations = spread(kernel, dims), spread(stride, dims), spread(dilation, dims)
        same = tuple(d * (k - 1) // 2 for k, d in zip(kernels, dilations, strict=True))
        pads = padding_of(same if padding is None else padding, dims)
        weight = self.param(f"{key}.weight", (channels, x.channels // groups, *kernels))
        size = windows(x.shape[2:], kernels, strides, pads, dilations)
        return self.op(
            "Conv",
            key,
            [x, weight, self._bias(key, channels, bias)],
            (x.shape[0], channels, *size),
            kernel_shape=kernels,
            strides=strides,
            pads=pads,
            dilations=dilations,
            group=groups,
        )

    def conv_transpose(self, key: str, x: Value, channels: int, factor: int, bias: bool = True) -> Value:
        """(N, C, H, W) -> (N, channels, factor * H, factor * W), kernel and stride alike."""
        weight = self.param(f"{key}.weight", (x.channels, channels, factor, factor))
        size = [n * factor if isinstance(n, int) else n for n in x.shape[2:]]
        return self.op(
            "ConvTranspose",
            key,
            [x, weight, self._bias(key, channels, bias)],
            (x.shape[0], channels, *size),
            kernel_shape=(factor,) * 2,
            strides=(factor,) * 2,
        )

    def batch_norm(self, key: str, x: Value, eps: float = 1e-5, affine: bool = True) -> Value:
        """Same shape, per channel of axis 1; inference form."""
        size, name = (x.channels,), self.unique(key)
        affines: list[Value | str] = (
            [self.param(f"{key}.{role}", size) for role in ("weight", "bias")]
            if affine
            else [
                self.constant(f"{name}/{role}", np.full(size, value, np.float32))
                for role, value in (("weight", 1), ("bias", 0))
            ]
        )
        affines += [self.param(f"{key}.{role}", size) for role in ("running_mean", "running_var")]
        eps = self.trained.eps(name, eps)
        return self.op("BatchNormalization", key, [x, *affines], x.shape, epsilon=eps)

    def conv_bn(
        self,
        key: str,
        x: Value,
        channels: int,
        kernel: int,
        stride: int = 1,
        padding: int | None = None,
        groups: int = 1,
        act: str | None = "relu",
        eps: float = 1e-5,
    ) -> Value:
        """mmcv's ConvModule: `key`.conv without bias, `key`.bn, activation; mmcv's LeakyReLU has the slope 0.1."""
        x = self.conv(f"{key}.conv", x, channels, kernel, stride, padding, groups, bias=False)
        x = self.batch_norm(f"{key}.bn", x, eps)
        return self.act(act, x, key, slope=0.1 if act == "leaky_relu" else 0.0) if act else x

    def linear(self, key: str, x: Value, features: int, bias: bool = True) -> Value:
        """(..., C) -> (..., features)."""
        weight = self.param(f"{key}.weight", (features, self.last(x)))
        return self.block("Linear", key, [x, weight, self._bias(key, features, bias)], (*x.shape[:-1], features))

    def _bias(self, key: str, size: int, there: bool = True) -> str:
        return self.param(f"{key}.bias", (size,)) if there else ""

    def layer_norm(self, key: str, x: Value, eps: float = 1e-5) -> Value:
        """Same shape; the last axis normalised."""
        affines = [self.param(f"{key}.{role}", (self.last(x),)) for role in ("weight", "bias")]
        eps = self.trained.eps(self.unique(key), eps)
        return self.op("LayerNormalization", key, [x, *affines], x.shape, axis=-1, epsilon=eps)

    def last(self, x: Value) -> int:
        """Size of the last axis, which is known."""
        size = x.shape[-1]
        assert isinstance(size, int), f"the last dimension of {x.name} is not known: {x.shape}"
        return size

    def group_norm(self, key: str, x: Value, groups: int, eps: float = 1e-5, affine: bool = True) -> Value:
        """Same shape; (N, C, *size) normalised within each of `groups` groups of channels."""
        affines: list[Value | str] = (
            [self.param(f"{key}.{role}", (x.channels,)) for role in ("weight", "bias")] if affine else []
        )
        return self.block("GroupNorm", key, [x, *affines], x.shape, groups=groups, eps=eps)

    def prelu(self, key: str, x: Value, slopes: int) -> Value:
        """Same shape; one slope, or one per channel of axis 1."""
        wide = (slopes, *[1] * (len(x.shape) - 2))
        return self.op("PRelu", key, [x, self.param(f"{key}.weight", (slopes,), wide)], x.shape)

    def embedding(self, key: str, ids: Value, words: int, features: int) -> Value:
        """int64 (...) -> (..., features)."""
        weight = self.param(f"{key}.weight", (words, features))
        return self.op("Gather", key, [weight, ids], (*ids.shape, features))

    def lstm(
        self,
        key: str,
        x: Value,
        hidden: int,
        layers: int = 1,
        batch_first: bool = False,
        bidirectional: bool = False,
        bias: bool = True,
        state: tuple[Value, Value] | None = None,
    ) -> tuple[Value, Value, Value]:
        """torch.nn.LSTM: sequence (T, N, C) or (N, T, C) -> outputs, h and c (layers * directions, N, hidden).

        Recorded one layer at a time, as (T, N, C); `state` gives h and c before the first step, else zeros.
        """
        if batch_first:
            x = self.transpose(x, (1, 0, 2), f"{key}.time_first")
        hs, cs, ways = [], [], 2 if bidirectional else 1
        for i in range(layers):
            before = [self.slice(v, 0, i * ways, (i + 1) * ways, f"{key}.state{i}") for v in state] if state else []
            x, h, c = self._lstm_layer(key, i, x, hidden, ways, bias, before)
            hs.append(h)
            cs.append(c)
        if batch_first:
            x = self.transpose(x, (1, 0, 2), f"{key}.batch_first")
        join = [v[0] if layers == 1 else self.concat(v, 0, f"{key}.{n}") for v, n in ((hs, "h"), (cs, "c"))]
        return x, join[0], join[1]

    def _lstm_layer(
        self, key: str, i: int, x: Value, hidden: int, ways: int, bias: bool, before: list[Value]
    ) -> list[Value]:
        inner = x.shape[2]
        assert isinstance(inner, int)
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (4 * hidden, inner), "weight_hh": (4 * hidden, hidden)}
        names = [
            self.param(f"{key}.{role}_l{i}{way}", shapes.get(role, (4 * hidden,))) if bias or role in shapes else ""
            for way in ("", "_reverse")[:ways]
            for role in (*shapes, "bias_ih", "bias_hh")
        ]
        time, batch = x.shape[:2]
        ends: list[Shape] = [(time, batch, ways * hidden), (ways, batch, hidden), (ways, batch, hidden)]
        state: Sequence[Value | str] = before or ["", ""]
        return self.ops(
            "Lstm", f"{key}.{i}", [x, *state, *names], ends, ["float32"] * 3, BLOCK, hidden=hidden, ways=ways
        )

    # -- layers without ----------------------------------------------------------------------------------------------

    def act(self, kind: str, x: Value, name: str = "", slope: float = 0.0) -> Value:
        """relu, relu6, hswish, hsigmoid, sigmoid, silu, gelu, gelu_tanh, tanh, leaky_relu and elu (slope); same shape.

        hsigmoid here is mmcv's and torch's of today: relu6(x + 3) / 6.
        """
        name = self.unique(f"{name}.{kind}" if name else kind)
        kind, slope = self.trained.act(name, kind, slope)
        op, attrs, domain = ACTS[kind]
        sloped: dict[str, Any] = {"alpha": float(slope)} if kind in SLOPED else {}
        limits = [self.number(value, name) for value in (0, 6)] if kind == "relu6" else []
        return self.op(op, name, [x, *limits], x.shape, domain=domain, **attrs, **sloped)

    def number(self, value: float, near: str) -> str:
        """A float scalar, next to the value that it is for."""
        return self.constant(f"{near}/{value:g}", np.array(value, np.float32))

    def softmax(self, x: Value, axis: int = -1, name: str = "softmax") -> Value:
        """Same shape; sums to 1 along the axis."""
        return self.op("Softmax", name, [x], x.shape, axis=axis % len(x.shape))

    def max_pool(
        self,
        x: Value,
        kernel: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        dilation: Numbers = 1,
        ceil: bool = False,
        name: str = "",
    ) -> Value:
        """(N, C, *size) -> (N, C, *size'); the window never starts in the padding at the end, as in torch."""
        dilations = spread(dilation, len(x.shape) - 2)
        return self._pool("MaxPool", name or "maxpool", x, kernel, stride, padding, ceil, dilations=dilations)

    def avg_pool(
        self,
        x: Value,
        kernel: Numbers,
        stride: Numbers | None = None,
        padding: Numbers = 0,
        ceil: bool = False,
        count_pad: bool = True,
        name: str = "",
    ) -> Value:
        """(N, C, *size) -> (N, C, *size')."""
        count = int(count_pad)
        return self._pool("AveragePool", name or "avgpool", x, kernel, stride, padding, ceil, count_include_pad=count)

    def _pool(
        self,
        op: str,
        name: str,
        x: Value,
        kernel: Numbers,
        stride: Numbers | None,
        padding: Numbers,
        ceil: bool,
        **attrs: Any,
    ) -> Value:
        dims = len(x.shape) - 2
        kernels, pads, dilations = spread(kernel, dims), padding_of(padding, dims), attrs.get("dilations", (1,) * dims)
        strides = kernels if stride is None else spread(stride, dims)
        size = windows(x.shape[2:], kernels, strides, pads, dilations, ceil)
        window: dict[str, Any] = {"kernel_shape": kernels, "strides": strides, "pads": pads, "ceil_mode": int(ceil)}
        return self.op(op, name, [x], (*x.shape[:2], *size), **window, **attrs)

    def global_pool(self, x: Value, name: str = "global_pool", keep: bool = False) -> Value:
        """(N, C, *size) -> (N, C), or (N, C, 1, …) with keep: the mean over all positions."""
        ones = (1,) * (len(x.shape) - 2)
        x = self.op("GlobalAveragePool", name, [x], (*x.shape[:2], *ones))
        return x if keep else self.flatten(x, f"{name}.flatten")

    def adaptive_pool(self, x: Value, size: Sequence[int], name: str = "adaptive_pool") -> Value:
        """(N, C, *n) -> (N, C, *size): windows from floor(i * n / size) to ceil((i + 1) * n / size), as in torch."""
        sizes = [n for n in x.shape[2:] if isinstance(n, int)]
        assert len(sizes) == len(size) == 2, f"{name}: {x.shape} to {size}"
        if sizes == list(size):
            return x
        if all(n % m == 0 for n, m in zip(sizes, size, strict=True)):
            return self.avg_pool(x, [n // m for n, m in zip(sizes, size, strict=True)], name=name)
        rows, columns = (adaptive_means(n, m) for n, m in zip(sizes, size, strict=True))
        means = self.constant(f"{name}/rows", rows)
        x = self.op("MatMul", f"{name}.rows", [means, x], (*x.shape[:2], size[0], sizes[1]))
        return self.op("MatMul", name, [x, self.constant(f"{name}/columns", columns.T.copy())], (*x.shape[:2], *size))

    def add(self, a: Value, b: Value, name: str = "add") -> Value:
        """Element by element; shapes broadcast where a size is 1."""
        return self.op("Add", name, [a, b], _broadcast(a.shape, b.shape))

    def mul(self, a: Value, b: Value, name: str = "mul") -> Value:
        """Element by element; shapes broadcast where a size is 1."""
        return self.op("Mul", name, [a, b], _broadcast(a.shape, b.shape))

    def matmul(self, a: Value, b: Value, name: str = "matmul") -> Value:
        """(..., M, K) times (..., K, N) -> (..., M, N)."""
        return self.op("MatMul", name, [a, b], (*a.shape[:-1], b.shape[-1]))

    def concat(self, values: Sequence[Value], axis: int = 1, name: str = "concat") -> Value:
        """Join along an axis."""
        sizes = [v.shape[axis] for v in values]
        known = [size for size in sizes if isinstance(size, int)]
        shape = list(values[0].shape)
        shape[axis] = sum(known) if len(known) == len(sizes) else "n"
        return self.op("Concat", name, values, tuple(shape), values[0].dtype, axis=axis % len(shape))

    def slice(self, x: Value, axis: int, start: int, stop: int, name: str = "slice") -> Value:
        """x[start:stop] along an axis."""
        shape, name = list(x.shape), self.unique(name)
        shape[axis] = stop - start
        ends = {"start": start, "stop": stop, "axis": axis % len(shape)}
        return self.op(
            "Slice", name, [x, *(self.ints(f"{name}/{end}", n) for end, n in ends.items())], tuple(shape), x.dtype
        )

    def select(self, x: Value, axis: int, index: int, name: str = "select") -> Value:
        """x[..., index, ...]: one position of an axis, which goes away; negative counts from the end."""
        axis, name = axis % len(x.shape), self.unique(name)
        place = self.constant(f"{name}/index", np.array(index, np.int64))
        return self.op("Gather", name, [x, place], (*x.shape[:axis], *x.shape[axis + 1 :]), x.dtype, axis=axis)

    def squeeze(self, x: Value, axis: int, name: str = "squeeze") -> Value:
        """Drop an axis of size 1."""
        axis, name = axis % len(x.shape), self.unique(name)
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        return self.op("Squeeze", name, [x, self.ints(f"{name}/axes", axis)], shape, x.dtype)

    def unsqueeze(self, x: Value, axis: int, name: str = "unsqueeze") -> Value:
        """Insert an axis of size 1."""
        name, shape = self.unique(name), (*x.shape[:axis], 1, *x.shape[axis:])
        return self.op("Unsqueeze", name, [x, self.ints(f"{name}/axes", axis)], shape, x.dtype)

    def reshape(self, x: Value, shape: Shape, name: str = "reshape") -> Value:
        """The same numbers in another shape; at most one dimension may be free, and it stays the first."""
        name = self.unique(name)
        sizes = self.ints(f"{name}/shape", *(-1 if isinstance(n, str) else n for n in shape))
        return self.op("Reshape", name, [x, sizes], shape, x.dtype)

    def flatten(self, x: Value, name: str = "flatten", start: int = 1) -> Value:
        """(A, B, C, …) -> (A, B*C*…) with start = 1."""
        rest = 1
        for size in x.shape[start:]:
            assert isinstance(size, int), f"{name}: {x.shape} has a free dimension that cannot be flattened"
            rest *= size
        return x if len(x.shape) == start + 1 else self.reshape(x, (*x.shape[:start], rest), name)

    def transpose(self, x: Value, order: Sequence[int], name: str = "transpose") -> Value:
        """Axes in another order."""
        return self.op("Transpose", name, [x], tuple(x.shape[i] for i in order), x.dtype, perm=tuple(order))

    def upsample_like(self, x: Value, other: Value, name: str) -> Value:
        """Nearest, to the size of another feature map."""
        return self.block("UpsampleLike", name, [x, other], (*x.shape[:2], *other.shape[2:]))

    def upsample(self, x: Value, size: Sequence[Dim], mode: str, align_corners: bool, name: str = "upsample") -> Value:
        """(N, C, *size) resized by scale, so that the batch stays free; mode "nearest" or "linear" (bilinear for
        pictures), coordinates as torch.nn.Upsample's.
        """
        name, linear = self.unique(name), mode == "linear"
        scales = [1.0, 1.0, *(float(n) / float(m) for n, m in zip(size, x.shape[2:], strict=True))]
        where = "align_corners" if align_corners else "half_pixel" if linear else "asymmetric"
        rule: dict[str, Any] = {"mode": "linear"} if linear else {"mode": "nearest", "nearest_mode": "floor"}
        roi = self.constant(f"{name}/roi", np.zeros(0, np.float32))
        ratio = self.constant(f"{name}/scales", np.array(scales, np.float32))
        shape = (*x.shape[:2], *size)
        return self.op("Resize", name, [x, roi, ratio], shape, coordinate_transformation_mode=where, **rule)


def _broadcast(a: Shape, b: Shape) -> Shape:
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))
