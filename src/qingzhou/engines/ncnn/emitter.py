"""The text and the numbers of ncnn's two files, collected layer by layer.

runtime/ncnn_format.py says what both files are made of. ncnn has no batch axis: that of every Value is left out, so a
blob is (w), (h, w), (c, h, w) or (c, d, h, w). It is the first, but of what an LSTM reads and makes the second.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...errors import EngineError
from ...graph.form import Graph
from ...graph.record import Layer
from ...graph.weights import Array, Integers, Rounded, Weights
from ...runtime.ncnn_format import MAGIC

Number = int | float | Sequence[int] | Sequence[float]
Params = dict[int, Number]

# Activation -> type and numbers inside a layer with weights: fused_activation() in src/layer/fused_activation.h.
FUSED: dict[str, Params] = {
    "relu": {9: 1},
    "relu6": {9: 3, 10: [0.0, 6.0]},
    "sigmoid": {9: 4},
    "hswish": {9: 6, 10: [1 / 6, 0.5]},
}
AXES = {1: "W", 2: "HW", 3: "CHW", 4: "CDHW"}  # names of a blob's axes, outermost first


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


def no_form(what: str) -> EngineError:
    """The error for what ncnn has no layer for."""
    return EngineError(
        en=f"ncnn cannot express {what}, which this network needs. Run the .onnx with onnxruntime, or choose another "
        "engine.",
        zh=f"ncnn 无法表示这个网络需要的 {what}。请用 onnxruntime 运行 .onnx，或换一个引擎。",
    )
