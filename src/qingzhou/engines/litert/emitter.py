"""Tensors and operators of a .tflite, collected node by node.

TensorFlow Lite has channels last, ONNX first. So each value may be held by several tensors, which differ in the order
of their axes and in whether they are integers; a rule takes it in the form that its operator wants, and what that form
lacks is made once. A Transpose of the graph costs nothing: the same tensors hold its result, by another order.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...errors import EngineError
from ...files.flatbuffer_write import Later
from ...files.tflite_schema import ACTIVATIONS
from ...graph.form import Array, Graph, Node, roles
from ...onnxfile.integers import Integers, Rounded, Steps
from .form import Held, Operator, Order, Tensor
from .versions import version_of

LAST: Order = (0, 2, 3, 1)  # of pictures, channels last
FIXED = {"TANH": Steps(1 / 128, 0), "LOGISTIC": Steps(1 / 256, -128), "SOFTMAX": Steps(1 / 256, -128)}
FUSED = {(0.0, math.inf): "RELU", (0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1"}
HALF_MOST = float(np.finfo(np.float16).max)


@dataclass
class Emitter:
    """Collects the tensors and operators of a graph.

    pictures  inputs that the file has with channels last;  half: weights are stored as FP16
    """

    graph: Graph
    integers: Integers
    pictures: frozenset[str] = frozenset()
    half: bool = False
    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    held: dict[str, list[Held]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.readers, self.makers = self.graph.consumers(), self.graph.makers()
        self.ends = {value.name for value in self.graph.outputs}
        self.fused: set[str] = set()  # what is part of another operator
        self.flat: dict[str, tuple[tuple[int, ...], Order]] = {}  # in another order than they should be, and from what
        self.kept: dict[Any, int] = {}  # constants that several read

    # -- what the graph says -----------------------------------------------------------------------------------------

    def shape(self, value: str) -> tuple[int, ...]:
        """Of a value or a constant; EngineError where it is not known."""
        found = self.graph.constants.get(value) or self.graph.values[value]
        if any(isinstance(n, str) for n in found.shape):
            name = value[:60]
            raise no_form(f"a size that is not known before it runs ({name})", f"运行前未知的尺寸（{name}）")
        return tuple(int(n) for n in found.shape)

    def known(self, name: str) -> list[Any]:
        """A constant's few numbers; EngineError where they are computed."""
        if name not in self.graph.constants:
            raise no_form(f"a size that is computed ({name[:60]})")
        found: list[Any] = self.graph.constants[name].load().reshape(-1).tolist()
        return found

    def goal(self, value: str) -> Steps | None:
        """The steps that the INT8 network has for a value."""
        return self.integers.steps.get(value)

    def steps(self, value: str) -> Steps | None:
        """The steps in which a value is there, or would be."""
        return self.first(value).steps or self.goal(value)

    def first(self, value: str) -> Held:
        """The tensor in which a value was made."""
        return self.held[value][0]

    def rounded(self, node: Node) -> Rounded | None:
        """The integers of a layer's weights, where all of it is INT8."""
        if (
            node.op not in ("Conv", "Linear")
            or self.steps(node.inputs[0]) is None
            or self.goal(self.result_of(node)) is None
        ):
            return None
        keys = self.graph.constants[roles(node)["weight"]].keys
        return next((self.integers.weights[key] for key in keys if key in self.integers.weights), None)

    # -- activations that an operator ends with ----------------------------------------------------------------------

    def result_of(self, node: Node) -> str:
        """The value that a node makes: that of the activation which alone reads it, where it can be fused."""
        reader = self._activation(node)
        return reader.outputs[0] if reader else node.outputs[0]

    def ending(self, node: Node) -> tuple[str, int]:
        """The same with the number of the activation; it is emitted no more."""
        reader = self._activation(node)
        if reader is None:
            return node.outputs[0], 0
        self.fused.add(reader.outputs[0])
        return reader.outputs[0], ACTIVATIONS.index(FUSED[self.limits(reader)])

    def _activation(self, node: Node) -> Node | None:
        value = node.outputs[0]
        readers = self.readers[value]
        if len(readers) != 1 or value in self.ends or readers[0].domain or readers[0].op not in ("Relu", "Clip"):
            return None
        return readers[0] if self.limits(readers[0]) in FUSED else None

    def limits(self, node: Node) -> tuple[float, float]:
        """Of a Relu or a Clip."""
        if node.op == "Relu":
            return 0.0, math.inf
        low, high = (self.known(name)[0] if name else None for name in (*node.inputs[1:], "", "")[:2])
        return -math.inf if low is None else float(low), math.inf if high is None else float(high)

    # -- building blocks ---------------------------------------------------------------------------------------------

    def add(self, tensor: Tensor) -> int:
        """Its number."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def flowing(self, name: str, shape: Sequence[int], steps: Steps | None) -> int:
        """A new tensor, float32 or int8."""
        if steps is None:
            return self.add(Tensor(name, tuple(shape), "float32"))
        return self.add(Tensor(name, tuple(shape), "int8", None, (steps.scale,), (steps.zero,)))

    def op(self, kind: str, inputs: Sequence[int], output: int, **options: Any) -> int:
        """Append an operator; the number of what it makes."""
        version = version_of(kind, [self.tensors[i] for i in inputs if i >= 0], self.tensors[output], options)
        self.operators.append(Operator(kind, version, tuple(inputs), (output,), options))
        return output

    def inner(
        self, kind: str, name: str, inputs: Sequence[int], shape: Sequence[int], steps: Steps | None, **options: Any
    ) -> int:
        """Append an operator whose result is no value of the graph."""
        return self.op(kind, inputs, self.flowing(name, shape, steps), **options)

    def put(
        self, kind: str, inputs: Sequence[int], value: str, order: Order, steps: Steps | None, **options: Any
    ) -> None:
        """Append the operator that makes a value."""
        sizes = self.shape(value)
        index = self.inner(kind, value, inputs, [sizes[axis] for axis in order], steps, **options)
        self.held.setdefault(value, []).append(Held(index, order, steps))

    def take(self, value: str, order: Order | None = None, steps: Steps | None = None) -> int:
        """The tensor that has a value in an order of axes, by default as it is there, and in these steps or floats."""
        if value in self.graph.constants:
            return self.constant(value, order)
        order = order or self.first(value).order
        found = min(self.held[value], key=lambda held: (held.steps != steps, held.order != order))
        if found.steps != steps:
            found = self._stepped(value, found, steps)
        return self._turned(value, found, order).index

    def _stepped(self, value: str, found: Held, steps: Steps | None) -> Held:
        kind = "DEQUANTIZE" if steps is None else "QUANTIZE"
        tag = "float" if steps is None else "int8"
        shape = self.tensors[found.index].shape
        made = replace(found, index=self.inner(kind, f"{value}/{tag}", [found.index], shape, steps), steps=steps)
        self.held[value].append(made)
        return made

    def _turned(self, value: str, found: Held, order: Order) -> Held:
        if found.order == order:
            return found
        sizes = self.shape(value)
        shape, name = [sizes[axis] for axis in order], f"{value}/{''.join(map(str, order))}"
        if self.same_row(sizes, found.order, order):
            index = self.reshaped(found.index, name, shape)
        else:
            perm = self.numbers([found.order.index(axis) for axis in order])
            index = self.inner("TRANSPOSE", name, [found.index, perm], shape, found.steps)
        made = Held(index, order, found.steps)
        self.held[value].append(made)
        return made

    def reshaped(self, index: int, name: str, shape: Sequence[int]) -> int:
        """The same numbers in another shape."""
        steps = self.steps_in(index)
        sizes = self.numbers(shape)
        return self.inner("RESHAPE", name, [index, sizes], shape, steps, new_shape=list(shape))

    def steps_in(self, index: int) -> Steps | None:
        """Those of a tensor that flows."""
        tensor = self.tensors[index]
        return Steps(float(tensor.scales[0]), int(tensor.zeros[0])) if tensor.dtype == "int8" else None

    @staticmethod
    def same_row(sizes: Sequence[int], one: Order, other: Order) -> bool:
        """Whether two orders differ by axes of size 1 only, so that the numbers lie in the same row."""
        return [axis for axis in one if sizes[axis] > 1] == [axis for axis in other if sizes[axis] > 1]

    # -- constants ---------------------------------------------------------------------------------------------------

    def numbers(self, row: Sequence[int], shape: Sequence[int] = ()) -> int:
        """A few int32, which all that want the same share."""
        key = (tuple(row), tuple(shape))
        if key not in self.kept:
            array = np.array(row, np.int32).reshape(shape or -1)
            self.kept[key] = self.stored(f"sizes{len(self.kept)}", array.shape, "int32", lambda: array)
        return self.kept[key]

    def stored(
        self,
        name: str,
        shape: Sequence[int],
        dtype: str,
        load: Callable[[], Array],
        scales: Sequence[float] = (),
        axis: int = 0,
        zero: int = 0,
    ) -> int:
        """A constant, made when it is written; integers stand for numbers by scales and one zero point."""
        kind = np.dtype(dtype).newbyteorder("<")
        size = math.prod(shape) * kind.itemsize

        def data() -> bytes:
            return np.ascontiguousarray(load(), kind).tobytes()

        return self.add(Tensor(name, tuple(shape), dtype, Later(size, data), scales, [zero] * len(scales), axis))

    def constant(self, name: str, order: Order | None = None) -> int:
        """A constant of the graph, with as many axes as the order has, the missing ones first."""
        found = self.graph.constants[name]
        if found.dtype != "float32":
            raise no_form(f"known numbers of {found.dtype} ({name[:60]})")
        order = order or tuple(range(len(found.shape)))
        wide = (*[1] * (len(order) - len(found.shape)), *found.shape)
        key = (name, order)
        if key not in self.kept:
            shape = [wide[axis] for axis in order]
            load = functools.partial(_laid, found.load, wide, order)
            self.kept[key] = self.stored(name, shape, "float32", load)
        return self.kept[key]

    def single(self, name: str, number: float, steps: Steps | None) -> int:
        """One number, which integers of its own scale say exactly."""
        if steps is None:
            return self.stored(name, (), "float32", lambda: np.array(number))
        scale = abs(number) / 127 or 1.0
        return self.stored(name, (), "int8", lambda: np.array(round(number / scale)), [scale])

    def weight(self, node: Node, shape: Sequence[int], change: Callable[[Array], Array], axis: int) -> int:
        """The weights of a layer, changed into this shape: integers, FP16 or floats. axis: of the output channels."""
        name = roles(node)["weight"]
        rounded = self.rounded(node)
        if rounded is not None:
            scales = np.broadcast_to(rounded.scales.reshape(-1), shape[axis]).tolist()
            return self.stored(name, shape, "int8", lambda: change(rounded.integers), scales, axis)
        load = self.graph.constants[name].load
        if self.half and float(np.abs(load()).max(initial=0)) <= HALF_MOST:
            stored = self.stored(f"{name}/half", shape, "float16", lambda: change(load()))
            return self.inner("DEQUANTIZE", name, [stored], shape, None)
        return self.stored(name, shape, "float32", lambda: change(load()))

    def bias(self, node: Node, channels: int) -> int:
        """The biases of a layer, zeros where it has none; of INT8 in the scale of its products, as the runtime takes
        them, whatever scale they say.
        """
        names, rounded = roles(node), self.rounded(node)
        name, found = f"{node.outputs[0]}/bias", self.graph.constants.get(names.get("bias", ""))
        load: Callable[[], Array] = (lambda: np.zeros(channels)) if found is None else found.load
        if rounded is None:
            return self.stored(name, (channels,), "float32", load)
        steps = self.steps(node.inputs[0])
        assert steps is not None
        products = (np.float32(steps.scale) * np.broadcast_to(rounded.scales.reshape(-1), channels)).astype(np.float64)

        def integers() -> Array:
            return np.clip(np.rint(load() / products), -(2**31) + 1, 2**31 - 1)

        return self.stored(name, (channels,), "int32", integers, products.tolist())


def _laid(load: Callable[[], Array], wide: tuple[int, ...], order: Order) -> Array:
    return load().reshape(wide).transpose(order)


def plain(rank: int) -> Order:
    """The axes as they are."""
    return tuple(range(rank))


def no_form(what: str, zh: str = "") -> EngineError:
    """The error for what TensorFlow Lite has no operator for, or this writer none yet."""
    return EngineError(
        en=f"LiteRT is not given {what}, which this network needs. Run the .onnx with onnxruntime, or choose another "
        "engine.",
        zh=f"这个网络需要的 {zh or what} 暂时不能写成 LiteRT 的形式。请用 onnxruntime 运行 .onnx，或换一个引擎。",
    )
