"""Graph: a network as plain data, and Recorder: how a network's page of code becomes one.

A network is a plain function that calls a Recorder. The recording is frozen into a Graph; emitting ONNX, counting MACs
and everything else are ordinary functions over it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Dim = int | str  # a str names a dimension that is free, such as "batch"
Shape = tuple[Dim, ...]


@dataclass(frozen=True)
class Value:
    """A tensor that flows: its name, shape and dtype ("float32" or "int64").

    optional: an input of the network that is all zeros where nothing is fed
    """

    name: str
    shape: Shape
    dtype: str = "float32"
    optional: bool = False

    @property
    def channels(self) -> int:
        """Size of axis 1, which is always known."""
        size = self.shape[1]
        assert isinstance(size, int), f"{self.name} has no fixed channel count: {self.shape}"
        return size


@dataclass(frozen=True)
class Layer:
    """One operation. params: role -> tensor key in the checkpoint; attrs: plain numbers."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """A whole network: layers in order of execution; shapes of all values and of all parameters it needs."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    layers: tuple[Layer, ...]
    values: Mapping[str, Value]
    params: Mapping[str, tuple[int, ...]]

    def __str__(self) -> str:
        return "\n".join(
            f"{layer.op:<14} {layer.name:<40} {self.values[layer.outputs[0]].shape}" for layer in self.layers
        )

    def consumers(self) -> dict[str, list[Layer]]:
        """For each value, the layers that read it; a graph output counts as no layer."""
        readers: dict[str, list[Layer]] = {name: [] for name in self.values}
        for layer in self.layers:
            for name in layer.inputs:
                readers[name].append(layer)
        return readers


class Recorder:
    """Writes down what a network does. Every method takes Values and returns the Value(s) that come out."""

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.layers: list[Layer] = []
        self.values: dict[str, Value] = {}
        self.params: dict[str, tuple[int, ...]] = {}
        self.taken: dict[str, int] = {}  # how often each name was asked for

    def freeze(self, *outputs: Value, names: Sequence[str] = ()) -> Graph:
        """The finished Graph; `names` renames the outputs."""
        renamed = {value.name: new for value, new in zip(outputs, names, strict=False)}
        layers = tuple(_rename(layer, renamed) for layer in self.layers)
        values = {renamed.get(n, n): replace(v, name=renamed.get(n, n)) for n, v in self.values.items()}
        ends = tuple(values[renamed.get(v.name, v.name)] for v in outputs)
        return Graph(tuple(self.inputs), ends, layers, values, dict(self.params))

    # -- recording ---------------------------------------------------------------------------------------------------

    def input(self, name: str, shape: Shape, dtype: str = "float32", optional: bool = False) -> Value:
        """An input of the network."""
        value = self.values[name] = Value(name, shape, dtype, optional)
        self.inputs.append(value)
        return value

    def layer(
        self, op: str, name: str, inputs: Sequence[Value], shape: Shape,
        params: Mapping[str, str] | None = None, dtype: str = "float32", **attrs: Any,
    ) -> Value:  # fmt: skip
        """Record one layer with one output of the given shape."""
        return self.layers_out(op, name, inputs, [shape], params, dtype, **attrs)[0]

    def layers_out(
        self, op: str, name: str, inputs: Sequence[Value], shapes: Sequence[Shape],
        params: Mapping[str, str] | None = None, dtype: str | Sequence[str] = "float32", **attrs: Any,
    ) -> list[Value]:  # fmt: skip
        """Record one layer with several outputs, of one dtype or of one each."""
        unique = self._unique(name or op.lower())
        dtypes = [dtype] * len(shapes) if isinstance(dtype, str) else dtype
        names = [unique if i == 0 else f"{unique}:{i}" for i in range(len(shapes))]
        outs = [Value(*fields) for fields in zip(names, shapes, dtypes, strict=True)]
        for value in outs:
            self.values[value.name] = value
        sources, results = tuple(v.name for v in inputs), tuple(v.name for v in outs)
        self.layers.append(Layer(op, unique, sources, results, dict(params or {}), attrs))
        return outs

    def param(self, key: str, shape: tuple[int, ...]) -> str:
        """Declare that the network needs the checkpoint's tensor `key` in this shape."""
        key = key.removeprefix(".")  # of a network that is a single layer, whose own path is ""
        known = self.params.setdefault(key, shape)
        assert known == shape, f"{key} is used as {known} and as {shape}"
        return key

    def _unique(self, name: str) -> str:
        """The name, or the first of name_2, name_3, … that is free."""
        new, n = name, self.taken.get(name, 1)
        while new in self.values:
            n += 1
            new = f"{name}_{n}"
        self.taken[name] = n
        return new

    # -- layers with parameters --------------------------------------------------------------------------------------

    def conv(
        self, key: str, x: Value, channels: int, kernel: int | Sequence[int], stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] | None = None, groups: int = 1, dilation: int | Sequence[int] = 1,
        bias: bool = True,
    ) -> Value:  # fmt: skip
        """(N, C, *size) -> (N, channels, *size'), 1-D or 2-D; padding None keeps the size at stride 1.

        padding: one number, one per dimension, or all starts and then all ends.
        """
        dims = len(x.shape) - 2
        kernels, strides, dilations = _spread(kernel, dims), _spread(stride, dims), _spread(dilation, dims)
        same = tuple(d * (k - 1) // 2 for k, d in zip(kernels, dilations, strict=True))
        pads = _pads(same if padding is None else padding, dims)
        params = {"weight": self.param(f"{key}.weight", (channels, x.channels // groups, *kernels))}
        if bias:
            params["bias"] = self.param(f"{key}.bias", (channels,))
        size = _windows(x.shape[2:], kernels, strides, pads, dilations)
        return self.layer(
            "Conv", key, [x], (x.shape[0], channels, *size), params,
            kernel=kernels, stride=strides, padding=pads, dilation=dilations, groups=groups,
        )  # fmt: skip

    def conv_transpose(self, key: str, x: Value, channels: int, factor: int) -> Value:
        """(N, C, H, W) -> (N, channels, factor * H, factor * W), kernel and stride alike."""
        weight = self.param(f"{key}.weight", (x.channels, channels, factor, factor))
        params = {"weight": weight, "bias": self.param(f"{key}.bias", (channels,))}
        size = [n * factor if isinstance(n, int) else n for n in x.shape[2:]]
        return self.layer("ConvTranspose", key, [x], (x.shape[0], channels, *size), params, factor=factor)

    def batch_norm(self, key: str, x: Value, eps: float = 1e-5, affine: bool = True) -> Value:
        """Same shape, per channel of axis 1; inference form."""
        roles = {"mean": "running_mean", "var": "running_var"}
        roles = {"weight": "weight", "bias": "bias", **roles} if affine else roles
        params = {role: self.param(f"{key}.{name}", (x.channels,)) for role, name in roles.items()}
        return self.layer("BatchNorm", key, [x], x.shape, params, eps=eps)

    def conv_bn(
        self, key: str, x: Value, channels: int, kernel: int, stride: int = 1, padding: int | None = None,
        groups: int = 1, act: str | None = "relu", eps: float = 1e-5,
    ) -> Value:  # fmt: skip
        """mmcv's ConvModule: `key`.conv without bias, `key`.bn, activation; mmcv's LeakyReLU has the slope 0.1."""
        x = self.conv(f"{key}.conv", x, channels, kernel, stride, padding, groups, bias=False)
        x = self.batch_norm(f"{key}.bn", x, eps)
        return self.act(act, x, key, slope=0.1 if act == "leaky_relu" else 0.0) if act else x

    def linear(self, key: str, x: Value, features: int, bias: bool = True) -> Value:
        """(..., C) -> (..., features)."""
        inner = x.shape[-1]
        assert isinstance(inner, int), f"{key}: the last dimension of {x.shape} is not known"
        params = {"weight": self.param(f"{key}.weight", (features, inner))}
        if bias:
            params["bias"] = self.param(f"{key}.bias", (features,))
        return self.layer("Linear", key, [x], (*x.shape[:-1], features), params)

    def group_norm(self, key: str, x: Value, groups: int, eps: float = 1e-5, affine: bool = True) -> Value:
        """Same shape; (N, C, *size) normalised within each of `groups` groups of channels."""
        roles = ("weight", "bias") if affine else ()
        params = {role: self.param(f"{key}.{role}", (x.channels,)) for role in roles}
        return self.layer("GroupNorm", key, [x], x.shape, params, groups=groups, eps=eps)

    def prelu(self, key: str, x: Value, slopes: int) -> Value:
        """Same shape; one slope, or one per channel of axis 1."""
        params = {"weight": self.param(f"{key}.weight", (slopes,))}
        return self.layer("PRelu", key, [x], x.shape, params)

    def embedding(self, key: str, ids: Value, words: int, features: int) -> Value:
        """int64 (...) -> (..., features)."""
        params = {"weight": self.param(f"{key}.weight", (words, features))}
        return self.layer("Embedding", key, [ids], (*ids.shape, features), params)

    def lstm(
        self, key: str, x: Value, hidden: int, layers: int = 1, batch_first: bool = False,
        bidirectional: bool = False, bias: bool = True, state: tuple[Value, Value] | None = None,
    ) -> tuple[Value, Value, Value]:  # fmt: skip
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
        params: dict[str, str] = {}
        for way in ("", "_reverse")[:ways]:
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (4 * hidden, inner), "weight_hh": (4 * hidden, hidden)}
            if bias:
                shapes |= {"bias_ih": (4 * hidden,), "bias_hh": (4 * hidden,)}
            params |= {f"{role}{way}": self.param(f"{key}.{role}_l{i}{way}", s) for role, s in shapes.items()}
        time, batch = x.shape[:2]
        shapes_out = [(time, batch, ways * hidden), (ways, batch, hidden), (ways, batch, hidden)]
        return self.layers_out("Lstm", f"{key}.{i}", [x, *before], shapes_out, params, hidden=hidden, ways=ways)

    # -- layers without ----------------------------------------------------------------------------------------------

    def act(self, kind: str, x: Value, name: str = "", slope: float = 0.0) -> Value:
        """relu, relu6, hswish, hsigmoid, sigmoid, silu, gelu, gelu_tanh, tanh, leaky_relu and elu (slope); same shape.

        hsigmoid here is mmcv's and torch's of today: relu6(x + 3) / 6.
        """
        return self.layer("Act", f"{name}.{kind}" if name else kind, [x], x.shape, kind=kind, slope=slope)

    def softmax(self, x: Value, axis: int = -1, name: str = "softmax") -> Value:
        """Same shape; sums to 1 along the axis."""
        return self.layer("Softmax", name, [x], x.shape, axis=axis % len(x.shape))

    def max_pool(
        self, x: Value, kernel: int | Sequence[int], stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0, dilation: int | Sequence[int] = 1, ceil: bool = False, name: str = "",
    ) -> Value:  # fmt: skip
        """(N, C, *size) -> (N, C, *size'); the window never starts in the padding at the end, as in torch."""
        return self._pool("MaxPool", x, kernel, stride, padding, dilation, ceil, name)

    def avg_pool(
        self, x: Value, kernel: int | Sequence[int], stride: int | Sequence[int] | None = None,
        padding: int | Sequence[int] = 0, ceil: bool = False, count_pad: bool = True, name: str = "",
    ) -> Value:  # fmt: skip
        """(N, C, *size) -> (N, C, *size')."""
        return self._pool("AvgPool", x, kernel, stride, padding, 1, ceil, name, count_pad=count_pad)

    def _pool(
        self, op: str, x: Value, kernel: int | Sequence[int], stride: int | Sequence[int] | None,
        padding: int | Sequence[int], dilation: int | Sequence[int], ceil: bool, name: str, **attrs: Any,
    ) -> Value:  # fmt: skip
        dims = len(x.shape) - 2
        kernels, pads, dilations = _spread(kernel, dims), _pads(padding, dims), _spread(dilation, dims)
        strides = kernels if stride is None else _spread(stride, dims)
        size = _windows(x.shape[2:], kernels, strides, pads, dilations, ceil)
        return self.layer(
            op, name or op.lower(), [x], (*x.shape[:2], *size),
            kernel=kernels, stride=strides, padding=pads, dilation=dilations, ceil=ceil, **attrs,
        )  # fmt: skip

    def global_pool(self, x: Value, name: str = "global_pool", keep: bool = False) -> Value:
        """(N, C, *size) -> (N, C), or (N, C, 1, …) with keep: the mean over all positions."""
        ones = (1,) * (len(x.shape) - 2)
        x = self.layer("GlobalAvgPool", name, [x], (*x.shape[:2], *ones))
        return x if keep else self.flatten(x, f"{name}.flatten")

    def add(self, a: Value, b: Value, name: str = "add") -> Value:
        """Element by element; shapes broadcast where a size is 1."""
        return self.layer("Add", name, [a, b], _broadcast(a.shape, b.shape))

    def mul(self, a: Value, b: Value, name: str = "mul") -> Value:
        """Element by element; shapes broadcast where a size is 1."""
        return self.layer("Mul", name, [a, b], _broadcast(a.shape, b.shape))

    def concat(self, values: Sequence[Value], axis: int = 1, name: str = "concat") -> Value:
        """Join along an axis."""
        sizes = [v.shape[axis] for v in values]
        known = [size for size in sizes if isinstance(size, int)]
        shape = list(values[0].shape)
        shape[axis] = sum(known) if len(known) == len(sizes) else "n"
        return self.layer("Concat", name, values, tuple(shape), axis=axis % len(shape))

    def slice(self, x: Value, axis: int, start: int, stop: int, name: str = "slice") -> Value:
        """x[start:stop] along an axis."""
        shape = list(x.shape)
        shape[axis] = stop - start
        return self.layer("Slice", name, [x], tuple(shape), axis=axis % len(shape), start=start, stop=stop)

    def select(self, x: Value, axis: int, index: int, name: str = "select") -> Value:
        """x[..., index, ...]: one position of an axis, which goes away; negative counts from the end."""
        axis %= len(x.shape)
        return self.layer("Select", name, [x], (*x.shape[:axis], *x.shape[axis + 1 :]), axis=axis, index=index)

    def squeeze(self, x: Value, axis: int, name: str = "squeeze") -> Value:
        """Drop an axis of size 1."""
        axis %= len(x.shape)
        return self.layer("Squeeze", name, [x], (*x.shape[:axis], *x.shape[axis + 1 :]), axis=axis)

    def unsqueeze(self, x: Value, axis: int, name: str = "unsqueeze") -> Value:
        """Insert an axis of size 1."""
        return self.layer("Unsqueeze", name, [x], (*x.shape[:axis], 1, *x.shape[axis:]), axis=axis)

    def reshape(self, x: Value, shape: Shape, name: str = "reshape") -> Value:
        """The same numbers in another shape; at most one dimension may be free, and it stays the first."""
        return self.layer("Reshape", name, [x], shape)

    def flatten(self, x: Value, name: str = "flatten", start: int = 1) -> Value:
        """(A, B, C, …) -> (A, B*C*…) with start = 1."""
        rest = 1
        for size in x.shape[start:]:
            assert isinstance(size, int), f"{name}: {x.shape} has a free dimension that cannot be flattened"
            rest *= size
        shape: Shape = (*x.shape[:start], rest)
        return x if len(x.shape) == start + 1 else self.layer("Reshape", name, [x], shape)

    def transpose(self, x: Value, order: Sequence[int], name: str = "transpose") -> Value:
        """Axes in another order."""
        return self.layer("Transpose", name, [x], tuple(x.shape[i] for i in order), order=tuple(order))

    def upsample_like(self, x: Value, other: Value, name: str) -> Value:
        """Nearest, to the size of another feature map."""
        return self.layer("UpsampleLike", name, [x, other], (*x.shape[:2], *other.shape[2:]))

    def upsample(self, x: Value, size: Sequence[Dim], mode: str, align_corners: bool, name: str = "upsample") -> Value:
        """(N, C, *size) resized; mode "nearest" or "linear" (bilinear for pictures)."""
        shape = (*x.shape[:2], *size)
        return self.layer("Upsample", name, [x], shape, mode=mode, align_corners=align_corners)


def window(n: Dim, kernel: int, stride: int, before: int, after: int, dilation: int = 1, ceil: bool = False) -> Dim:
    """How many positions a sliding window has over n elements (torch's rule, also for ceil mode)."""
    if isinstance(n, str):
        return n
    span = n + before + after - dilation * (kernel - 1) - 1
    count = -(-span // stride) + 1 if ceil else span // stride + 1
    if ceil and (count - 1) * stride >= n + before:
        count -= 1
    return count


def _windows(
    sizes: Shape, kernels: tuple[int, ...], strides: tuple[int, ...], pads: tuple[int, ...],
    dilations: tuple[int, ...], ceil: bool = False,
) -> list[Dim]:  # fmt: skip
    starts, ends = pads[: len(sizes)], pads[len(sizes) :]
    settings = zip(sizes, kernels, strides, starts, ends, dilations, strict=True)
    return [window(n, k, s, before, after, d, ceil) for n, k, s, before, after, d in settings]


def _pads(value: int | Sequence[int], dims: int) -> tuple[int, ...]:
    """All starts, then all ends."""
    pads = _spread(value, dims)
    return pads if len(pads) == 2 * dims else pads * 2


def _spread(value: int | Sequence[int], dims: int) -> tuple[int, ...]:
    return (value,) * dims if isinstance(value, int) else tuple(value)


def _broadcast(a: Shape, b: Shape) -> Shape:
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))


def _rename(layer: Layer, names: Mapping[str, str]) -> Layer:
    inputs, outputs = (tuple(names.get(v, v) for v in values) for values in (layer.inputs, layer.outputs))
    return replace(layer, inputs=inputs, outputs=outputs)
