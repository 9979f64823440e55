"""Graph -> ncnn: a .param file that lists the layers, and a .bin file with their numbers one after another.

Parameter numbers are from ncnn's docs/developer-guide/operators.md; both files from its
docs/developer-guide/param-and-model-file-structure.md; which numbers carry a tag from load_model() in its src/layer.
ncnn has no batch axis: that of every Value is left out, so a blob is (w), (h, w), (c, h, w) or (c, d, h, w). It is the
first, but of what an LSTM reads and makes the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import EngineError
from ..nets.graph import Graph, Layer
from .passes import scale_and_shift
from .weights import NOTHING, Array, Integers, Rounded, Weights

MAGIC = 7767517
# What ModelBin::load(…, 0) reads before the numbers (src/modelbin.cpp)
TAG_FLOAT32, TAG_FLOAT16, TAG_INT8 = 0, 0x01306B47, 0x000D4B38
MOST_AXES = 4  # of a blob
Number = int | float | Sequence[int] | Sequence[float]
Params = dict[int, Number]

# Activation -> its layer and parameters. leaky_relu and elu also have a slope.
ACTIVATIONS: dict[str, tuple[str, Params]] = {
    "relu": ("ReLU", {}),
    "relu6": ("Clip", {0: 0.0, 1: 6.0}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("TanH", {}),
    "silu": ("Swish", {}),
    "hsigmoid": ("HardSigmoid", {0: 1 / 6, 1: 0.5}),
    "hswish": ("HardSwish", {0: 1 / 6, 1: 0.5}),
    "gelu": ("GELU", {0: 0}),
    "gelu_tanh": ("GELU", {0: 1}),
    "leaky_relu": ("ReLU", {}),
    "elu": ("ELU", {}),
}
SLOPED = {"leaky_relu", "elu"}
# Activation -> type and numbers inside a layer with weights: fused_activation() in src/layer/fused_activation.h.
FUSED: dict[str, Params] = {
    "relu": {9: 1},
    "relu6": {9: 3, 10: [0.0, 6.0]},
    "sigmoid": {9: 4},
    "hswish": {9: 6, 10: [1 / 6, 0.5]},
}
# Permute's order_type by the axes that become w, h, …, as operators.md writes them.
ORDERS = {
    1: ["W"],
    2: ["WH", "HW"],
    3: ["WHC", "HWC", "WCH", "CWH", "HCW", "CHW"],
    4: [
        "WHDC", "HWDC", "WDHC", "DWHC", "HDWC", "DHWC", "WHCD", "HWCD", "WCHD", "CWHD", "HCWD", "CHWD",
        "WDCH", "DWCH", "WCDH", "CWDH", "DCWH", "CDWH", "HDCW", "DHCW", "HCDW", "CHDW", "DCHW", "CDHW",
    ],
}  # fmt: skip
# What knows of a batch axis that is not the first.
ANY_BATCH_AXIS = {
    "Lstm", "Embedding", "Linear", "Act", "Softmax", "Concat", "Slice", "Select", "Squeeze", "Unsqueeze", "Transpose",
    "Reshape", "Add", "Mul",
}  # fmt: skip
AXES = {1: "W", 2: "HW", 3: "CHW", 4: "CDHW"}  # names of a blob's axes, outermost first
SIZES = {1: (0,), 2: (1, 0), 3: (2, 1, 0), 4: (2, 11, 1, 0)}  # Reshape's and Input's numbers for them


@dataclass(frozen=True)
class Blob:
    """Numbers of the .bin file, made when they are written; tagged: they say how they are stored, and may be FP16, or
    are int8.
    """

    load: Callable[[], Array]
    tagged: bool = False


@dataclass(frozen=True)
class NcnnModel:
    """The text of the .param file, and what goes into the .bin file. Blobs: in0, in1, …; out0, out1, …"""

    param: str
    blobs: tuple[Blob, ...]


def emit_ncnn(graph: Graph, weights: Weights, integers: Integers = NOTHING) -> NcnnModel:
    """The graph for one input at a time; EngineError names the operation that ncnn cannot express."""
    emitter = Emitter(graph, weights, integers)
    emitter.check()
    for i, value in enumerate(graph.inputs):
        sizes = emitter.sizes(value.name)
        emitter.put("Input", [], value.name, dict(zip(SIZES[len(sizes)], sizes, strict=True)), f"in{i}")
    for layer in graph.layers:
        if layer.name not in emitter.fused:
            emitter.emit(layer)
    return emitter.model()


def write_ncnn(param: Path, numbers: Path, model: NcnnModel, half: bool = False) -> None:
    """Write both files; with `half`, the weights of convolutions and linear layers are stored as FP16."""
    with numbers.open("wb") as file:
        for blob in model.blobs:
            _write_blob(file, blob, half)
    param.write_text(model.param, "utf-8", newline="\n")


def _write_blob(file: BinaryIO, blob: Blob, half: bool) -> None:
    array = np.ascontiguousarray(blob.load())
    if blob.tagged and array.dtype == np.int8:
        file.write(TAG_INT8.to_bytes(4, "little"))
    elif blob.tagged:
        array = array.astype("<f4")
        # What FP16 cannot hold stays FP32: each blob has a tag of its own.
        small = half and float(np.abs(array).max(initial=0)) <= float(np.finfo(np.float16).max)
        array = array.astype("<f2") if small else array
        file.write((TAG_FLOAT16 if small else TAG_FLOAT32).to_bytes(4, "little"))
    else:
        array = array.astype("<f4")
    data = array.tobytes()
    file.write(data + bytes(-len(data) % 4))


@dataclass
class Emitter:
    """Collects the lines and numbers of a graph."""

    graph: Graph
    weights: Weights
    integers: Integers
    lines: list[str] = field(default_factory=list)
    blobs: list[Blob] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.readers = self.graph.consumers()
        self.ends = {value.name: i for i, value in enumerate(self.graph.outputs)}
        self.batch = batch_axes(self.graph)
        self.fused: set[str] = set()  # layers that are part of another
        self.waiting: dict[str, Iterator[str]] = {}  # of each value, the blobs that are left for its readers
        self.count = 0  # of blobs

    def check(self) -> None:
        """EngineError for operations, sizes and axes that ncnn does not know."""
        for layer in self.graph.layers:
            if layer.op not in OPERATORS:
                raise _no_form(layer.op)
            batch = self.batch[layer.inputs[0]]
            if layer.op in WITH_AXIS and layer.attrs["axis"] == batch:
                raise _no_form(f"{layer.op} (axis {batch})")
            if (batch != 0 and layer.op not in ANY_BATCH_AXIS) or (batch != 1 and layer.op in ("Lstm", "Embedding")):
                raise _no_form(f"{layer.op} (batch axis {batch})")
        for value in self.graph.values.values():
            at = self.batch[value.name]
            size = 1 if at is None else value.shape[at]
            inner = [n for i, n in enumerate(value.shape) if i != at]
            fits = 1 <= len(inner) <= MOST_AXES and all(isinstance(n, int) for n in inner)
            if not fits or not (size == 1 or isinstance(size, str)):
                raise _no_form(f"a value of shape {value.shape}")

    def emit(self, layer: Layer) -> None:
        """Append what one layer becomes."""
        OPERATORS[layer.op](self, layer)

    def model(self) -> NcnnModel:
        """Everything that was collected."""
        head = f"{MAGIC}\n{len(self.lines)} {self.count}\n"
        return NcnnModel(head + "".join(f"{line}\n" for line in self.lines), tuple(self.blobs))

    # -- building blocks ---------------------------------------------------------------------------------------------

    def sizes(self, value: str) -> tuple[int, ...]:
        """A value's shape without its batch axis."""
        return tuple(int(n) for i, n in enumerate(self.graph.values[value].shape) if i != self.batch[value])

    def axis(self, layer: Layer) -> int:
        """The axis that a layer is about, without the batch axis of what it reads."""
        return without(int(layer.attrs["axis"]), self.batch[layer.inputs[0]])

    def take(self, value: str) -> str:
        """The blob from which the next reader of a value reads it."""
        return next(self.waiting[value])

    def put(self, kind: str, sources: Sequence[str], value: str, params: Params, entry: str = "") -> None:
        """Append the layer that makes a value."""
        self.put_all(kind, sources, [value], params, entry)

    def put_all(
        self, kind: str, sources: Sequence[str], values: Sequence[str], params: Params, entry: str = ""
    ) -> None:
        """The same of some values. In ncnn a blob has one reader: where there are more, a Split follows."""
        ends = [f"out{self.ends[value]}" if value in self.ends else "" for value in values]
        blobs = [entry or (end if end and not self.readers[value] else f"b{self.count + i}")
                 for i, (value, end) in enumerate(zip(values, ends, strict=True))]  # fmt: skip
        self.line(kind, values[0], sources, blobs, params)
        for value, blob, end in zip(values, blobs, ends, strict=True):
            readers, copies = len(self.readers[value]), [blob]
            if readers + bool(end) > 1 or (entry and end):
                names = [f"{blob}.{i}" for i in range(readers)] + [end] * bool(end)
                copies = self.line("Split", blob, [blob], names, {})
            self.waiting[value] = iter(copies)

    def inner(self, kind: str, name: str, source: str, params: Params) -> str:
        """Append a layer whose result is no value of the graph; the blob it is in."""
        return self.line(kind, name, [source], [f"b{self.count}"], params)[0]

    def line(self, kind: str, name: str, inputs: Sequence[str], outputs: list[str], params: Params) -> list[str]:
        """Append a layer from blobs to blobs; ncnn reads names of at most 255 letters, without spaces."""
        clean = re.sub(r"[^\w.:/-]", "_", name, flags=re.ASCII)[-200:]
        sizes, numbers = [str(len(inputs)), str(len(outputs))], [_number(*item) for item in params.items()]
        self.lines.append(" ".join([kind, f"{len(self.lines)}/{clean}", *sizes, *inputs, *outputs, *numbers]))
        self.count += len(outputs)
        return outputs

    def numbers(self, load: Callable[[], Array], tagged: bool = False) -> None:
        """Append numbers to the .bin file, in the order in which the layer reads them."""
        self.blobs.append(Blob(load, tagged))

    def param(self, layer: Layer, role: str, tagged: bool = False) -> None:
        """Append one parameter, if the layer has it."""
        if role in layer.params:
            self.numbers(lambda: self.weights[layer.params[role]], tagged)

    def rounded(self, layer: Layer) -> Rounded | None:
        """The integers of a layer whose input is rounded too, where ncnn has INT8 for it: convolutions of two
        dimensions and with one scale for a group, linear layers.
        """
        if layer.op == "Conv":
            groups, dims = layer.attrs["groups"], len(layer.attrs["kernel"])
            if dims != 2 or groups not in (1, self.shape(layer, "weight")[0]):
                return None
        return self.integers.weights.get(layer.params["weight"]) if layer.inputs[0] in self.integers.steps else None

    def stays_whole(self, value: str) -> bool:
        """Whether only convolutions of INT8 read a value: then the layer that makes it rounds it, for all of them."""
        readers = self.readers[value]
        whole = all(reader.op == "Conv" and self.rounded(reader) is not None for reader in readers)
        return bool(readers) and whole and value not in self.ends

    def weight_and_bias(self, layer: Layer, rounded: Rounded | None, out: str = "") -> None:
        """Append them; of integers also the factors that made them: for each channel of the weight, for the input, and
        for the value `out`, if it stays whole.
        https://github.com/Tencent/ncnn/blob/master/docs/how-to-use-and-FAQ/quantized-int8-inference.md
        """
        if rounded is None:
            self.param(layer, "weight", tagged=True)
            self.param(layer, "bias")
            return
        self.numbers(lambda: rounded.whole, tagged=True)
        self.param(layer, "bias")
        self.numbers(lambda: 1 / rounded.steps)
        for value in (layer.inputs[0], out):
            if value:
                self.numbers(lambda step=self.integers.steps[value]: np.array([1 / step]))  # type: ignore[misc]

    def shape(self, layer: Layer, role: str) -> tuple[int, ...]:
        """Of a parameter."""
        return self.graph.params[layer.params[role]]

    def result(self, layer: Layer) -> tuple[str, Params]:
        """The value that a layer with weights makes: of the activation that alone reads it, where ncnn can fuse it."""
        value = layer.outputs[0]
        reader = self.readers[value][0] if len(self.readers[value]) == 1 and value not in self.ends else None
        if reader is None or reader.op != "Act" or reader.attrs["kind"] not in FUSED:
            return value, {}
        self.fused.add(reader.name)
        return reader.outputs[0], FUSED[reader.attrs["kind"]]


# -- layers ----------------------------------------------------------------------------------------------------------


def conv(e: Emitter, layer: Layer) -> None:
    """Weight (out, in / groups, *kernel), as in torch; groups, and one dimension, are layers of their own."""
    attrs, shape = layer.attrs, e.shape(layer, "weight")
    kind = "Convolution" if attrs["groups"] == 1 else "ConvolutionDepthWise"
    value, activation = e.result(layer)
    window = _window({1: "kernel", 2: "dilation", 3: "stride"}, (4, 14, 15, 16), layer)
    params = {0: shape[0], **window, 5: int("bias" in layer.params), 6: int(np.prod(shape))}
    params |= {7: attrs["groups"]} if attrs["groups"] > 1 else {}
    whole = e.rounded(layer)
    out = value if whole is not None and e.stays_whole(value) else ""
    params |= {} if whole is None else {8: 101 if out else 1}
    e.put(f"{kind}{_dimensions(layer)}", [e.take(layer.inputs[0])], value, params | activation)
    e.weight_and_bias(layer, whole, out)


def conv_transpose(e: Emitter, layer: Layer) -> None:
    """torch's weight is (in, out, *kernel), ncnn's (out, in, *kernel)."""
    factor, shape = layer.attrs["factor"], e.shape(layer, "weight")
    params: Params = {0: shape[1], 1: factor, 3: factor, 5: 1, 6: int(np.prod(shape))}
    e.put("Deconvolution", [e.take(layer.inputs[0])], layer.outputs[0], params)
    e.numbers(lambda: np.swapaxes(e.weights[layer.params["weight"]], 0, 1), tagged=True)
    e.param(layer, "bias")


def linear(e: Emitter, layer: Layer) -> None:
    """InnerProduct takes one row, or a matrix of rows: other shapes become a matrix and are put back."""
    x, shape = e.take(layer.inputs[0]), e.shape(layer, "weight")
    rows = e.sizes(layer.inputs[0])[:-1]
    value, activation = e.result(layer)
    whole = e.rounded(layer)
    params: Params = {0: shape[0], 1: int("bias" in layer.params), 2: int(np.prod(shape)), **activation}
    params |= {} if whole is None else {8: 1}
    if rows:
        x = e.inner("Reshape", f"{layer.name}/rows", x, _sizes((int(np.prod(rows)), shape[1])))
        x = e.inner("InnerProduct", layer.name, x, params)
        e.put("Reshape", [x], value, _sizes((*rows, shape[0])))
    else:
        e.put("InnerProduct", [x], value, params)
    e.weight_and_bias(layer, whole)


def batch_norm(e: Emitter, layer: Layer) -> None:
    """slope, mean, variance and bias; all but slope and bias are done here, in float64."""
    channels = e.graph.values[layer.inputs[0]].channels
    e.put("BatchNorm", [e.take(layer.inputs[0])], layer.outputs[0], {0: channels, 1: 0.0})
    e.numbers(lambda: np.broadcast_to(scale_and_shift(layer, e.weights)[0], channels))
    e.numbers(lambda: np.zeros(channels))
    e.numbers(lambda: np.ones(channels))
    e.numbers(lambda: np.broadcast_to(scale_and_shift(layer, e.weights)[1], channels))


def group_norm(e: Emitter, layer: Layer) -> None:
    """Groups of channels."""
    channels, affine = e.graph.values[layer.inputs[0]].channels, int("weight" in layer.params)
    params: Params = {0: layer.attrs["groups"], 1: channels, 2: float(layer.attrs["eps"]), 3: affine}
    e.put("GroupNorm", [e.take(layer.inputs[0])], layer.outputs[0], params)
    e.param(layer, "weight")
    e.param(layer, "bias")


def act(e: Emitter, layer: Layer) -> None:
    """One activation."""
    name = layer.attrs["kind"]
    kind, params = ACTIVATIONS[name]
    params = {0: float(layer.attrs["slope"])} if name in SLOPED else params
    e.put(kind, [e.take(layer.inputs[0])], layer.outputs[0], params)


def prelu(e: Emitter, layer: Layer) -> None:
    """One slope, or one per channel."""
    e.put("PReLU", [e.take(layer.inputs[0])], layer.outputs[0], {0: e.shape(layer, "weight")[0]})
    e.param(layer, "weight")


def softmax(e: Emitter, layer: Layer) -> None:
    """1=1 says that the axis is meant as written: src/layer/softmax.cpp, fixbug0."""
    e.put("Softmax", [e.take(layer.inputs[0])], layer.outputs[0], {0: e.axis(layer), 1: 1})


def pool(e: Emitter, layer: Layer) -> None:
    """Pad mode 1 does no rounding up: what ceil mode adds becomes padding at the end."""
    attrs, average = layer.attrs, layer.op == "AvgPool"
    if set(attrs["dilation"]) != {1}:
        raise _no_form("MaxPool (dilation)")
    ends = _ends(e, layer)
    padded, longer = any(attrs["padding"]), ends != attrs["padding"][len(ends) :]
    counts = average and attrs["count_pad"] and padded
    if counts and longer:
        raise _no_form("AvgPool (ceil_mode, count_include_pad)")
    window = _window({1: "kernel", 2: "stride"}, (3, 13, 14, 15), layer, ends)
    params: Params = {0: int(average), **window, 5: 1, 6: int(counts)}
    e.put(f"Pooling{_dimensions(layer)}", [e.take(layer.inputs[0])], layer.outputs[0], params)


def global_pool(e: Emitter, layer: Layer) -> None:
    """Global pooling drops the axes; they are put back, so that what follows may broadcast along them."""
    kind = "Pooling1D" if len(e.sizes(layer.inputs[0])) == 2 else "Pooling"
    x = e.inner(kind, f"{layer.name}/mean", e.take(layer.inputs[0]), {0: 1, 4: 1})
    e.put("Reshape", [x], layer.outputs[0], _sizes(e.sizes(layer.outputs[0])))


def add(e: Emitter, layer: Layer) -> None:
    """Operation 0."""
    e.put("BinaryOp", [e.take(x) for x in layer.inputs], layer.outputs[0], {0: 0})


def mul(e: Emitter, layer: Layer) -> None:
    """Operation 2."""
    e.put("BinaryOp", [e.take(x) for x in layer.inputs], layer.outputs[0], {0: 2})


def concat(e: Emitter, layer: Layer) -> None:
    """Along an axis."""
    e.put("Concat", [e.take(x) for x in layer.inputs], layer.outputs[0], {0: e.axis(layer)})


def slice_(e: Emitter, layer: Layer) -> None:
    """Crop: starts, ends and axes as lists."""
    axis = e.axis(layer)
    size = e.sizes(layer.inputs[0])[axis]
    start, stop, _ = slice(layer.attrs["start"], layer.attrs["stop"]).indices(size)
    e.put("Crop", [e.take(layer.inputs[0])], layer.outputs[0], {9: [start], 10: [stop], 11: [axis]})


def select(e: Emitter, layer: Layer) -> None:
    """A slice of one position, without its axis."""
    axis = e.axis(layer)
    size = e.sizes(layer.inputs[0])[axis]
    start = layer.attrs["index"] % size
    cut: Params = {9: [start], 10: [start + 1], 11: [axis]}
    x = e.inner("Crop", f"{layer.name}/cut", e.take(layer.inputs[0]), cut)
    e.put("Reshape", [x], layer.outputs[0], _sizes(e.sizes(layer.outputs[0])))


def reshape(e: Emitter, layer: Layer) -> None:
    """Also Squeeze and Unsqueeze."""
    x, out = layer.inputs[0], layer.outputs[0]
    first = e.batch[out] == 0 and e.graph.values[x].shape[0] != e.graph.values[out].shape[0]
    if first or (e.batch[out] is None and e.sizes(x) != e.sizes(out)):
        raise _no_form(f"{layer.op} (axis {e.batch[x]})")
    e.put("Reshape", [e.take(layer.inputs[0])], layer.outputs[0], _sizes(e.sizes(layer.outputs[0])))


def transpose(e: Emitter, layer: Layer) -> None:
    """ncnn names an order by its axes, w first."""
    batch = e.batch[layer.inputs[0]]
    order = [without(i, batch) for i in layer.attrs["order"] if i != batch]
    axes = AXES[len(order)]
    wanted = "".join(axes[i] for i in reversed(order))
    e.put("Permute", [e.take(layer.inputs[0])], layer.outputs[0], {0: ORDERS[len(axes)].index(wanted)})


def upsample(e: Emitter, layer: Layer) -> None:
    """To a fixed size: nearest is type 1, bilinear 2. ncnn's coordinates are torch's; a height of 0 would mean that
    the size is not fixed, also where there is none (src/layer/interp.cpp).
    """
    *height, width = e.sizes(layer.outputs[0])[1:]
    kind, align = 2 if layer.attrs["mode"] == "linear" else 1, int(layer.attrs["align_corners"])
    params: Params = {0: kind, 3: height[0] if height else 1, 4: width, 6: align}
    e.put("Interp", [e.take(layer.inputs[0])], layer.outputs[0], params)


def embedding(e: Emitter, layer: Layer) -> None:
    """A row for each whole number, which are int32 in ncnn; of networks with a state, whose words come one by one."""
    words, features = e.shape(layer, "weight")
    params: Params = {0: features, 1: words, 2: 0, 3: words * features}
    e.put("Embed", [e.take(layer.inputs[0])], layer.outputs[0], params)
    e.param(layer, "weight", tagged=True)


def lstm(e: Emitter, layer: Layer) -> None:
    """torch keeps its gates in the order i f g o, ncnn in i f o g, and one bias for the two."""
    ways, hidden = layer.attrs["ways"], layer.attrs["hidden"]
    values = [value for i, value in enumerate(layer.outputs) if not i or e.readers[value] or value in e.ends]
    params: Params = {0: hidden, 1: ways * int(np.prod(e.shape(layer, "weight_ih"))), 2: 2 * (ways - 1)}
    e.put_all("LSTM", [e.take(x) for x in layer.inputs], layer.outputs if len(values) > 1 else values, params)
    e.numbers(lambda: _gates(e, layer, "weight_ih"), tagged=True)
    e.numbers(lambda: _gates(e, layer, "bias_ih", "bias_hh"), tagged=True)
    e.numbers(lambda: _gates(e, layer, "weight_hh"), tagged=True)


def _gates(e: Emitter, layer: Layer, *roles: str) -> Array:
    """The sum of some roles in all directions, one after another; zeros where there are none."""
    if roles[0] not in layer.params:
        return np.zeros(layer.attrs["ways"] * 4 * layer.attrs["hidden"])
    rows = []
    for way in ("", "_reverse")[: layer.attrs["ways"]]:
        total = sum(
            (e.weights[layer.params[f"{role}{way}"]] for role in roles[1:]), e.weights[layer.params[roles[0] + way]]
        )
        i, f, g, o = np.split(total, 4)
        rows += [i, f, o, g]
    return np.concatenate([row.reshape(-1) for row in rows])


OPERATORS: dict[str, Callable[[Emitter, Layer], None]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Linear": linear,
    "Lstm": lstm,
    "Embedding": embedding,
    "BatchNorm": batch_norm,
    "GroupNorm": group_norm,
    "Act": act,
    "PRelu": prelu,
    "Softmax": softmax,
    "MaxPool": pool,
    "AvgPool": pool,
    "GlobalAvgPool": global_pool,
    "Add": add,
    "Mul": mul,
    "Concat": concat,
    "Slice": slice_,
    "Select": select,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Reshape": reshape,
    "Transpose": transpose,
    "Upsample": upsample,
}


WITH_AXIS = {"Softmax", "Concat", "Slice", "Select", "Squeeze"}


def batch_axes(graph: Graph) -> dict[str, int | None]:
    """Where each value has its batch axis; None where a text network, which takes one word at a time, has dropped it.

    Networks with a state take (length, N) words, and it is (layers, N, hidden).
    """
    stateful = any(value.optional for value in graph.inputs)
    found: dict[str, int | None] = {value.name: int(stateful) for value in graph.inputs}
    for layer in graph.layers:
        batch = found[layer.inputs[0]]
        found |= dict.fromkeys(layer.outputs, _batch_after(layer, batch))
    return found


def _batch_after(layer: Layer, batch: int | None) -> int | None:
    """Where it is in what a layer makes."""
    match layer.op:
        case "Transpose" if batch is not None:
            return list(layer.attrs["order"]).index(batch)
        case "Reshape" if batch != 0:
            return None
        case "Select" | "Squeeze" if batch is not None:
            return batch - int(layer.attrs["axis"] < batch)
        case "Unsqueeze" if batch is not None:
            return batch + int(layer.attrs["axis"] <= batch)
    return batch


def without(axis: int, batch: int | None) -> int:
    """An axis's number once the batch axis is gone."""
    return axis - int(batch is not None and axis > batch)


def _dimensions(layer: Layer) -> str:
    """What follows a layer's kind."""
    return "1D" if len(layer.attrs["kernel"]) == 1 else ""


def _window(keys: dict[int, str], pads: Sequence[int], layer: Layer, ends: Sequence[int] = ()) -> Params:
    """Parameters of a sliding window: of the width under `keys`, of the height under ten more.

    pads: the keys of left, top, right and bottom;  ends: the padding at the ends, where it is not the layer's own
    """
    attrs = layer.attrs
    dims = len(attrs["kernel"])
    starts, ends = attrs["padding"][:dims], ends or attrs["padding"][dims:]
    left, top, right, bottom = pads
    params: Params = {key: attrs[name][-1] for key, name in keys.items()}
    params |= {left: starts[-1], right: ends[-1]}
    if dims == 2:
        params |= {key + 10: attrs[name][0] for key, name in keys.items()}
        params |= {top: starts[0], bottom: ends[0]}
    return params


def _ends(e: Emitter, layer: Layer) -> tuple[int, ...]:
    """Padding after each axis that makes as many windows as the graph has."""
    attrs = layer.attrs
    dims = len(attrs["kernel"])
    if not attrs["ceil"]:
        return tuple(attrs["padding"][dims:])
    places = zip(e.sizes(layer.inputs[0])[1:], e.sizes(layer.outputs[0])[1:], attrs["kernel"], attrs["stride"],
                 attrs["padding"], strict=False)  # fmt: skip
    return tuple(max(0, (count - 1) * step + kernel - size - start) for size, count, kernel, step, start in places)


def _sizes(shape: Sequence[int]) -> Params:
    return dict(zip(SIZES[len(shape)], shape, strict=True))


def _number(key: int, value: Number) -> str:
    """One parameter; a list is numbered -23300 - key, and its length comes first."""
    if isinstance(value, (int, float)):
        return f"{key}={_text(value)}"
    return f"{-23300 - key}={','.join([str(len(value)), *map(_text, value)])}"


def _text(value: float) -> str:
    """A float has a point or an exponent. Older ncnn reads at most 15 letters and nine decimals
    (src/paramdict.cpp), so a longer one is rounded to what tells every float32 from its neighbours.
    """
    text = repr(value)
    return text if isinstance(value, int) or len(text) <= 8 else f"{value:.8e}"


def _no_form(what: str) -> EngineError:
    return EngineError(
        en=f"ncnn cannot express {what}, which this network needs. Run the .onnx with onnxruntime, or choose another "
        "engine.",
        zh=f"ncnn 无法表示这个网络需要的 {what}。请用 onnxruntime 运行 .onnx，或换一个引擎。",
    )
