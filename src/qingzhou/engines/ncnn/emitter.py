"""The text and the numbers of ncnn's two files, collected layer by layer.

runtime/engine/ncnn_format.py says what both files are made of. ncnn has no batch axis: that of every Value is left
out, so a blob is (w), (h, w), (c, h, w) or (c, d, h, w). It is the first, but of what an LSTM reads and makes the
second.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...errors import EngineError
from ...graph.form import Array, Graph, Node, roles
from ...onnxfile.integers import Integers, Rounded
from ...runtime.engine.ncnn_format import MAGIC

Number = int | float | Sequence[int] | Sequence[float]
Params = dict[int, Number]

# Activation -> type and numbers inside a layer with weights: fused_activation() in src/layer/fused_activation.h.
FUSED: dict[str, Params] = {"Relu": {9: 1}, "Sigmoid": {9: 4}, "HardSwish": {9: 6, 10: [1 / 6, 0.5]}}
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

    def axis(self, node: Node, axis: int | None = None) -> int:
        """The axis that a node is about, without the batch axis of what it reads."""
        axis = int(node.attrs["axis"]) if axis is None else axis
        return without(axis % len(self.graph.values[node.inputs[0]].shape), self.batch[node.inputs[0]])

    def known(self, name: str) -> list[int]:
        """A constant's few numbers; EngineError where they are computed."""
        if name not in self.graph.constants:
            raise no_form(f"a size that is computed ({name[:60]})")
        found: list[int] = self.graph.constants[name].load().reshape(-1).tolist()
        return found

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
        blobs = [
            entry or (end if end and not self.readers[value] else f"b{self.count + i}")
            for i, (value, end) in enumerate(zip(values, ends, strict=True))
        ]
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

    def param(self, node: Node, role: str, tagged: bool = False) -> None:
        """Append one parameter, if the node has it."""
        names = roles(node)
        if role in names:
            self.numbers(self.graph.constants[names[role]].load, tagged)

    def array(self, node: Node, role: str) -> Array:
        """A parameter's numbers."""
        return self.graph.constants[roles(node)[role]].load()

    def rounded(self, node: Node) -> Rounded | None:
        """The integers of a node whose input is rounded too, where ncnn has INT8 for it: convolutions of two
        dimensions and with one scale for a group, linear layers.
        """
        if node.op not in ("Conv", "Linear"):
            return None
        if node.op == "Conv":
            groups, dims = node.attrs["group"], len(node.attrs["kernel_shape"])
            if dims != 2 or groups not in (1, self.shape(node, "weight")[0]):
                return None
        keys = self.graph.constants[roles(node)["weight"]].keys
        found = next((self.integers.weights[key] for key in keys if key in self.integers.weights), None)
        return found if node.inputs[0] in self.integers.scales else None

    def stays_int8(self, value: str) -> bool:
        """Whether only convolutions of INT8 read a value: then the layer that makes it rounds it, for all of them."""
        readers = self.readers[value]
        rounded = all(reader.op == "Conv" and self.rounded(reader) is not None for reader in readers)
        return bool(readers) and rounded and value not in self.ends

    def weight_and_bias(self, node: Node, rounded: Rounded | None, out: str = "") -> None:
        """Append them; of integers also the factors that made them: for each channel of the weight, for the input, and
        for the value `out`, if it stays INT8.
        https://github.com/Tencent/ncnn/blob/master/docs/how-to-use-and-FAQ/quantized-int8-inference.md
        """
        if rounded is None:
            self.param(node, "weight", tagged=True)
            self.param(node, "bias")
            return
        self.numbers(lambda: rounded.integers, tagged=True)
        self.param(node, "bias")
        self.numbers(lambda: 1 / rounded.scales)
        for value in (node.inputs[0], out):
            if value:
                self.numbers(functools.partial(np.array, [1 / self.integers.scales[value]]))

    def shape(self, node: Node, role: str) -> tuple[int, ...]:
        """Of a parameter."""
        return self.graph.constants[roles(node)[role]].shape

    def result(self, node: Node) -> tuple[str, Params]:
        """The value that a node with weights makes: of the activation that alone reads it, where ncnn can fuse it."""
        value = node.outputs[0]
        reader = self.readers[value][0] if len(self.readers[value]) == 1 and value not in self.ends else None
        fused = None if reader is None else self._fused(reader)
        if reader is None or fused is None:
            return value, {}
        self.fused.add(reader.outputs[0])
        return reader.outputs[0], fused

    def _fused(self, node: Node) -> Params | None:
        if node.op == "Clip" and not node.domain:
            low, high = self.limits(node)
            return {9: 3, 10: [low, high]}
        return FUSED.get(node.op) if not node.domain else None

    def limits(self, node: Node) -> tuple[float, float]:
        """Of a Clip; what is not said is the largest float32."""
        ends = (*node.inputs[1:], "", "")[:2]
        low, high = (self.known(name)[0] if name else None for name in ends)
        most = float(np.finfo(np.float32).max)
        return (-most if low is None else float(low), most if high is None else float(high))


def batch_axes(graph: Graph) -> dict[str, int | None]:
    """Where each value has its batch axis; None where a text network, which takes one word at a time, has dropped it.

    Networks with a state take (length, N) words, and it is (layers, N, hidden).
    """
    stateful = bool(graph.optional)
    found: dict[str, int | None] = {value.name: int(stateful) for value in graph.inputs}
    for node in graph.nodes:
        batch = found.get(flowing(node, graph))
        found |= dict.fromkeys(node.outputs, _batch_after(node, batch, graph))
    return found


def flowing(node: Node, graph: Graph) -> str:
    """The first input that is no constant: an embedding reads its words second. "" of what draws random numbers."""
    return next((name for name in node.inputs if name and name not in graph.constants), (*node.inputs, "")[0])


def _batch_after(node: Node, batch: int | None, graph: Graph) -> int | None:
    """Where it is in what a node makes."""
    if batch is None:
        return None
    match node.op:
        case "Transpose":
            return list(node.attrs["perm"]).index(batch)
        case "Reshape" if batch != 0:
            return None
        case "Gather" if node.inputs[0] not in graph.constants:
            return batch - int(node.attrs["axis"] < batch)
        case "Squeeze" | "Unsqueeze":
            return _without_or_with(node, batch, graph)
    return batch


def _without_or_with(node: Node, batch: int, graph: Graph) -> int | None:
    """Once axes are dropped or put in; None where that is the batch axis itself, or not known."""
    known = graph.constants.get(node.inputs[1]) if len(node.inputs) > 1 else None
    shapes = [graph.values.get(name) for name in (node.inputs[0], node.outputs[0])]
    wide = shapes[0 if node.op == "Squeeze" else 1]
    if known is None or wide is None:
        return None
    axes = sorted(int(axis) % len(wide.shape) for axis in known.load().reshape(-1))
    if node.op == "Squeeze":
        return None if batch in axes else batch - sum(axis < batch for axis in axes)
    for axis in axes:
        batch += int(axis <= batch)
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


def no_form(what: str, zh: str = "") -> EngineError:
    """The error for what ncnn has no layer for."""
    return EngineError(
        en=f"ncnn cannot express {what}, which this network needs. Run the .onnx with onnxruntime, or choose another "
        "engine.",
        zh=f"ncnn 无法表示这个网络需要的 {zh or what}。请用 onnxruntime 运行 .onnx，或换一个引擎。",
    )
