"""Graph -> ONNX. Only operators whose meaning is the same from opset 11 to 21 are used, so one emitter serves all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import __version__
from ..files import protobuf
from ..files.protobuf import FLOAT, INT64
from ..graph.fold import scale_and_shift
from ..graph.record import Graph, Layer, Value
from ..graph.weights import Array, Weights
from .lower_detection import OPERATIONS
from .lower_heads import HEADS

AXES_AN_INPUT = {"Squeeze": 13, "Unsqueeze": 13, "ReduceSum": 13}  # the opset of each; other reductions: 18
DTYPES = {"float32": FLOAT, "int64": INT64}


@dataclass(frozen=True)
class Initializer:
    """A constant of the model: known by name, dtype and shape; its numbers are made when it is written."""

    name: str
    shape: tuple[int, ...]
    data_type: int
    load: Callable[[], Array]
    chunks: Callable[[], Iterator[memoryview] | None] = lambda: None  # the same as bytes, without making an array


@dataclass(frozen=True)
class Emitted:
    """An ONNX model as bytes: what stands around its graph, the graph without its numbers, and how to make these."""

    inputs: tuple[Value, ...]
    outer: bytes
    graph: bytes
    initializers: tuple[Initializer, ...]


def emit(graph: Graph, weights: Weights, opset: int, ir_version: int, by: type[Emitter] | None = None) -> Emitted:
    """The graph as ONNX operators of the given opset; `by` an Emitter that writes some of them in another way."""
    emitter = (by or Emitter)(graph, weights, opset)
    for value in graph.inputs:
        emitter.default(value)
    for layer in graph.layers:
        emitter.emit(layer)
    inner = protobuf.graph("qingzhou", emitter.nodes, map(value_info, graph.inputs), map(value_info, graph.outputs))
    outer = protobuf.model(opset, ir_version, "qingzhou", __version__)
    return Emitted(graph.inputs, outer, inner, tuple(emitter.initializers.values()))


def value_info(value: Value) -> bytes:
    """An input or output, by name, type and shape."""
    return protobuf.value_info(value.name, DTYPES[value.dtype], value.shape)


@dataclass
class Emitter:
    """Collects the nodes and initializers of a graph."""

    graph: Graph
    weights: Weights
    opset: int
    nodes: list[bytes] = field(default_factory=list)
    initializers: dict[str, Initializer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {"", *(value.name for value in self.graph.inputs)}

    def emit(self, layer: Layer) -> None:
        """Append the nodes of one layer."""
        inputs, out, attrs = list(layer.inputs), layer.outputs[0], layer.attrs
        match layer.op:
            case "Conv":
                self.node("Conv", [*inputs, *self.params(layer, "weight", "bias")], [out], **_window(layer, "group"))
            case "Linear":
                self.linear(layer)
            case "BatchNorm":
                self.batch_norm(layer)
            case "GroupNorm":
                self.group_norm(layer)
            case "Act":
                self.act(attrs["kind"], inputs[0], out, **{k: v for k, v in attrs.items() if k != "kind"})
            case "PRelu":
                self.prelu(layer)
            case "Softmax":
                self.softmax(layer)
            case "MaxPool":
                self.node("MaxPool", inputs, [out], **_window(layer, "ceil_mode"))
            case "AvgPool":
                count = int(attrs["count_pad"])
                kept = {k: v for k, v in _window(layer, "ceil_mode").items() if k != "dilations"}
                self.node("AveragePool", inputs, [out], count_include_pad=count, **kept)
            case "GlobalAvgPool":
                self.node("GlobalAveragePool", inputs, [out])
            case "Add" | "Mul":
                self.node(layer.op, inputs, [out])
            case "Concat":
                self.node("Concat", inputs, [out], axis=attrs["axis"])
            case "Slice":
                ends = [self.ints(f"{out}/{n}", [attrs[n]]) for n in ("start", "stop", "axis")]
                self.node("Slice", [inputs[0], *ends], [out])
            case "Select":
                index = self.constant(f"{out}/index", np.array(attrs["index"], np.int64))
                self.node("Gather", [inputs[0], index], [out], axis=attrs["axis"])
            case "Squeeze" | "Unsqueeze":
                self.axes(layer.op, inputs[0], out, [attrs["axis"]])
            case "Reshape":
                self.reshape(inputs[0], out, self.graph.values[out].shape)
            case "Transpose":
                self.node("Transpose", inputs, [out], perm=attrs["order"])
            case "Embedding":
                self.node("Gather", [*self.params(layer, "weight"), inputs[0]], [out])
            case "Lstm":
                self.lstm(layer)
            case "UpsampleLike":
                self.upsample_like(layer)
            case "ConvTranspose":
                size = [attrs["factor"]] * 2
                params = self.params(layer, "weight", "bias")
                self.node("ConvTranspose", [*inputs, *params], [out], kernel_shape=size, strides=size)
            case "Upsample":
                self.upsample(layer)
            case _:
                (HEADS if layer.op in HEADS else OPERATIONS)[layer.op](self, layer)

    def default(self, value: Value) -> None:
        """Zeros for an optional input: an initializer of an input's name is its default (ONNX IR, since version 4)."""
        if value.optional:
            shape = tuple(n for n in value.shape if isinstance(n, int))
            self.put(value.name, shape, lambda: np.zeros(shape, np.float32))

    # -- building blocks ---------------------------------------------------------------------------------------------

    def node(self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attrs: Any) -> str:
        """Append a node named after its first output; its inputs are made before it, and its outputs by nobody else."""
        assert all(name in self.known or name in self.initializers for name in inputs), f"{op} {outputs[0]}: {inputs}"
        assert self.known.isdisjoint(outputs), f"{op}: {outputs} are there already"
        self.known |= {*outputs}
        self.nodes.append(protobuf.node(op, inputs, outputs, f"{op}:{outputs[0]}", attrs))
        return outputs[0]

    def put(self, name: str, shape: tuple[int, ...], load: Callable[[], Array], data_type: int = 1) -> str:
        """Add an initializer once."""
        self.initializers.setdefault(name, Initializer(name, shape, data_type, load))
        return name

    def constant(self, name: str, array: Array) -> str:
        """Add a small constant."""
        kind = INT64 if array.dtype == np.int64 else FLOAT
        return self.put(name, array.shape, lambda: array, kind)

    def ints(self, name: str, values: Sequence[int]) -> str:
        """Add a 1-D int64 constant."""
        return self.constant(name, np.array(values, np.int64))

    def number(self, value: float, near: str) -> str:
        """Add a float scalar, next to the value it is for."""
        return self.constant(f"{near}/{value:g}", np.array(value, np.float32))

    def params(self, layer: Layer, *roles: str) -> list[str]:
        """The layer's parameters in these roles (those it has), as initializers."""
        return [self.param(layer.params[role]) for role in roles if role in layer.params]

    def param(self, key: str) -> str:
        """One parameter, as float32."""

        def load() -> Array:
            return self.weights[key].astype(np.float32, copy=False)

        self.initializers.setdefault(
            key, Initializer(key, self.graph.params[key], FLOAT, load, lambda: self.weights.chunks(key))
        )
        return key

    def axes(self, op: str, x: str, out: str, axes: list[int], **attrs: Any) -> str:
        """Some take their axes as an attribute before an opset, and as an input since."""
        if self.opset < AXES_AN_INPUT.get(op, 18):
            return self.node(op, [x], [out], axes=axes, **attrs)
        return self.node(op, [x, self.ints(f"{out}/axes", axes)], [out], **attrs)

    def reshape(self, x: str, out: str, shape: Sequence[int | str]) -> str:
        """Reshape with the free dimension, if any, left to the runtime."""
        sizes = [-1 if isinstance(n, str) else n for n in shape]
        return self.node("Reshape", [x, self.ints(f"{out}/shape", sizes)], [out])

    # -- layers ------------------------------------------------------------------------------------------------------

    def linear(self, layer: Layer) -> None:
        """Gemm for (N, C); MatMul for any other rank, since Gemm takes no other."""
        x, out = layer.inputs[0], layer.outputs[0]
        if len(self.graph.values[x].shape) == 2:
            self.node("Gemm", [x, *self.params(layer, "weight", "bias")], [out], transB=1)
            return
        key = layer.params["weight"]
        turned = self.put(f"{key}.T", self.graph.params[key][::-1], lambda: self.weights[key].astype(np.float32).T)
        product = self.node("MatMul", [x, turned], [f"{out}/product" if "bias" in layer.params else out])
        if "bias" in layer.params:
            self.node("Add", [product, *self.params(layer, "bias")], [out])

    def batch_norm(self, layer: Layer) -> None:
        """scale * x + shift, computed in float64: exact for every rank, and without the operator's rank rules."""
        x, out = layer.inputs[0], layer.outputs[0]
        rank, channels = len(self.graph.values[x].shape), self.graph.values[x].channels
        shape = (channels, *[1] * (rank - 2))

        def numbers(i: int) -> Callable[[], Array]:
            return lambda: _float32(scale_and_shift(layer, self.weights)[i], shape)

        names = [self.put(f"{layer.name}/{role}", shape, numbers(i)) for i, role in enumerate(("scale", "shift"))]
        scaled = self.node("Mul", [x, names[0]], [f"{out}/scaled"])
        self.node("Add", [scaled, names[1]], [out])

    def group_norm(self, layer: Layer) -> None:
        """Groups laid side by side and normalised as instances: GroupNormalization itself only came with opset 18."""
        x, out, groups = layer.inputs[0], layer.outputs[0], layer.attrs["groups"]
        shape = self.graph.values[x].shape
        ones = self.constant(f"{layer.name}/ones", np.ones(groups, np.float32))
        zeros = self.constant(f"{layer.name}/zeros", np.zeros(groups, np.float32))
        grouped = self.node("Reshape", [x, self.ints(f"{out}/groups", [0, groups, -1])], [f"{out}/grouped"])
        eps = layer.attrs["eps"]
        normed = self.node("InstanceNormalization", [grouped, ones, zeros], [f"{out}/normed"], epsilon=eps)
        back = self.reshape(normed, f"{out}/back" if layer.params else out, shape)
        if not layer.params:
            return
        wide = (shape[1], *[1] * (len(shape) - 2))
        keys = {role: layer.params[role] for role in ("weight", "bias")}
        names = [
            self.put(f"{key}.wide", wide, lambda key=key: _float32(self.weights[key], wide))  # type: ignore[misc, arg-type]
            for key in keys.values()
        ]
        self.node("Add", [self.node("Mul", [back, names[0]], [f"{out}/scaled"]), names[1]], [out])

    def act(self, kind: str, x: str, out: str, slope: float = 0.0) -> None:
        """One activation; HardSwish, Gelu and Mish are spelt out, since they came late."""
        match kind:
            case "relu" | "sigmoid" | "tanh":
                self.node(kind.capitalize(), [x], [out])
            case "relu6":
                self.node("Clip", [x, self.number(0, out), self.number(6, out)], [out])
            case "leaky_relu":
                self.node("LeakyRelu", [x], [out], alpha=slope)
            case "elu":
                self.node("Elu", [x], [out], alpha=slope)
            case "hsigmoid":
                self.node("HardSigmoid", [x], [out], alpha=1 / 6, beta=0.5)
            case "hswish":
                gate = self.node("HardSigmoid", [x], [f"{out}/gate"], alpha=1 / 6, beta=0.5)
                self.node("Mul", [x, gate], [out])
            case "silu":
                self.node("Mul", [x, self.node("Sigmoid", [x], [f"{out}/gate"])], [out])
            case "gelu":
                self.gelu(x, out)
            case "gelu_tanh":
                self.gelu_tanh(x, out)
            case _:
                raise AssertionError(f"no ONNX form for the activation {kind}")

    def gelu(self, x: str, out: str) -> None:
        """x / 2 * (1 + erf(x / sqrt 2)), Hendrycks and Gimpel 2016."""
        scaled = self.node("Mul", [x, self.number(0.5**0.5, out)], [f"{out}/scaled"])
        erf = self.node("Erf", [scaled], [f"{out}/erf"])
        self._half_gate(x, erf, out)

    def gelu_tanh(self, x: str, out: str) -> None:
        """The tanh form: erf(z / sqrt 2) replaced by tanh(sqrt(2 / pi) (x + 0.044715 x^3))."""
        cube = self.node("Mul", [self.node("Mul", [x, x], [f"{out}/square"]), x], [f"{out}/cube"])
        small = self.node("Mul", [cube, self.number(0.044715, out)], [f"{out}/small"])
        inner = self.node("Add", [x, small], [f"{out}/inner"])
        root = self.constant(f"{out}/k", np.array((2 / np.pi) ** 0.5, np.float32))
        scaled = self.node("Mul", [inner, root], [f"{out}/scaled"])
        self._half_gate(x, self.node("Tanh", [scaled], [f"{out}/tanh"]), out)

    def _half_gate(self, x: str, erf: str, out: str) -> None:
        gate = self.node("Add", [erf, self.number(1, out)], [f"{out}/gate"])
        half = self.node("Mul", [x, self.number(0.5, out)], [f"{out}/half"])
        self.node("Mul", [half, gate], [out])

    def prelu(self, layer: Layer) -> None:
        """One slope, or one per channel, shaped so that it broadcasts over positions."""
        key, x = layer.params["weight"], self.graph.values[layer.inputs[0]]
        shape = (self.graph.params[key][0], *[1] * (len(x.shape) - 2))
        slope = self.put(f"{key}.wide", shape, lambda: _float32(self.weights[key], shape))
        self.node("PRelu", [x.name, slope], [layer.outputs[0]])

    def softmax(self, layer: Layer) -> None:
        """Before opset 13 Softmax flattens everything after its axis, so it is only done on the last one."""
        x, out, axis = layer.inputs[0], layer.outputs[0], layer.attrs["axis"]
        rank = len(self.graph.values[x].shape)
        if self.opset >= 13 or axis == rank - 1:
            self.node("Softmax", [x], [out], axis=axis)
            return
        order = [*(i for i in range(rank) if i != axis), axis]
        turned = self.node("Transpose", [x], [f"{out}/turned"], perm=order)
        soft = self.node("Softmax", [turned], [f"{out}/soft"], axis=rank - 1)
        self.node("Transpose", [soft], [out], perm=[order.index(i) for i in range(rank)])

    def lstm(self, layer: Layer) -> None:
        """torch keeps its gates in the order i f g o, ONNX in i o f c."""
        ways, hidden = layer.attrs["ways"], layer.attrs["hidden"]
        inner = self.graph.params[layer.params["weight_ih"]][1]
        names = [
            self.put(f"{layer.name}/W", (ways, 4 * hidden, inner), lambda: self._gates(layer, "weight_ih")),
            self.put(f"{layer.name}/R", (ways, 4 * hidden, hidden), lambda: self._gates(layer, "weight_hh")),
            "",
        ]
        if "bias_ih" in layer.params:
            names[2] = self.put(f"{layer.name}/B", (ways, 8 * hidden), lambda: self._gates(layer, "bias_ih", "bias_hh"))
        x, *state = layer.inputs
        y, h, c = layer.outputs
        direction = "bidirectional" if ways == 2 else "forward"
        inputs = [x, *names, "", *state] if state else [x, *names]
        self.node("LSTM", _trim(inputs), [f"{y}/ways", h, c], hidden_size=hidden, direction=direction)
        turned = self.node("Transpose", [f"{y}/ways"], [f"{y}/turned"], perm=[0, 2, 1, 3])
        self.node("Reshape", [turned, self.ints(f"{y}/shape", [0, 0, ways * hidden])], [y])

    def _gates(self, layer: Layer, *roles: str) -> Array:
        """The parameters of all directions, stacked, with the gates in ONNX's order."""
        ways = ("", "_reverse")[: layer.attrs["ways"]]
        rows = [[self._iofc(self.weights[layer.params[f"{role}{way}"]]) for role in roles] for way in ways]
        return np.stack([np.concatenate(row) for row in rows]).astype(np.float32)

    @staticmethod
    def _iofc(array: Array) -> Array:
        i, f, g, o = np.split(array, 4)
        return np.concatenate([i, o, f, g])

    def upsample_like(self, layer: Layer) -> None:
        """Resize to the other's height and width, which may be known only when it runs."""
        (x, other), out = layer.inputs, layer.outputs[0]
        ends = [(x, "own", 0, 2), (other, "wanted", 2, 4)]
        sizes = [
            self.node("Slice", [self.node("Shape", [v], [f"{out}/{n}"]), self.ints(f"{out}/{a}", [a]),
                                self.ints(f"{out}/{b}", [b])], [f"{out}/{n}_size"])
            for v, n, a, b in ends
        ]  # fmt: skip
        size = self.node("Concat", sizes, [f"{out}/size"], axis=0)
        none = "" if self.opset >= 13 else self.constant(f"{out}/none", np.zeros(0, np.float32))
        rule = {"coordinate_transformation_mode": "asymmetric", "mode": "nearest", "nearest_mode": "floor"}
        self.node("Resize", [x, none, none, size], [out], **rule)

    def upsample(self, layer: Layer) -> None:
        """Resize by scale, so that the batch stays free; coordinates as torch.nn.Upsample's."""
        x, out = self.graph.values[layer.inputs[0]], layer.outputs[0]
        size = self.graph.values[out].shape
        scales = [1.0, 1.0, *(float(n) / float(m) for n, m in zip(size[2:], x.shape[2:], strict=True))]
        linear = layer.attrs["mode"] == "linear"
        where = "align_corners" if layer.attrs["align_corners"] else "half_pixel" if linear else "asymmetric"
        mode = {"mode": "linear"} if linear else {"mode": "nearest", "nearest_mode": "floor"}
        empty = self.constant(f"{out}/roi", np.zeros(0, np.float32))
        ratio = self.constant(f"{out}/scales", np.array(scales, np.float32))
        self.node("Resize", [x.name, empty, ratio], [out], coordinate_transformation_mode=where, **mode)


def _window(layer: Layer, *extra: str) -> dict[str, Any]:
    """The attributes of a sliding window; `extra` "group" or "ceil_mode"."""
    attrs = layer.attrs
    found = {
        "kernel_shape": attrs["kernel"], "strides": attrs["stride"], "pads": attrs["padding"],
        "dilations": attrs["dilation"],
    }  # fmt: skip
    more = {"group": attrs.get("groups", 1), "ceil_mode": int(attrs.get("ceil", False))}
    return found | {name: more[name] for name in extra}


def _float32(values: Array | float, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(values, np.float64).reshape(shape), shape).astype(np.float32)


def _trim(names: list[str]) -> list[str]:
    while names and not names[-1]:
        names = names[:-1]
    return names
