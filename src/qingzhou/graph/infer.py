"""The shapes of all values of a network, from those of its inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .form import Array, Constant, Dim, Graph, Node, Value
from .propagate import NUMERIC, OF_SHAPES, propagate
from .shapes import answer
from .shapes_call import FEW, UNKNOWN, Call, Typed

MOST = 1 << 20  # numbers that are computed in all; what comes after them is not known


@dataclass
class _Known:
    """What is known so far: values by name, and the numbers of those that are few."""

    constants: Mapping[str, Constant]
    values: dict[str, Value]
    numbers: dict[str, Array] = field(default_factory=dict)
    computed: int = 0

    def value(self, name: str) -> Value | None:
        """A value or a constant."""
        constant = self.constants.get(name)
        return self.values.get(name) or (Value(name, constant.shape, constant.dtype) if constant else None)

    def has(self, name: str) -> bool:
        """Whether there are numbers; nothing is loaded."""
        constant = self.constants.get(name)
        few = constant is not None and constant.dtype in NUMERIC and math.prod(constant.shape) <= FEW
        return name in self.numbers or few

    def array(self, name: str) -> Array | None:
        """The numbers, if there are."""
        if name not in self.numbers and name and self.has(name):
            self.numbers[name] = self.constants[name].load()
        return self.numbers.get(name)


def inferred(graph: Graph, sizes: Mapping[str, int] | None = None) -> Graph:
    """The graph with the shapes of all values that can be known. Raises ModelError where inputs do not fit a node.

    sizes  free size -> what it is, such as {"batch": 1}
    What has no rule keeps the shape that the graph states. An optional input counts as what it is where nothing is fed.
    """
    return reckoned(graph, sizes)[0]


def reckoned(graph: Graph, sizes: Mapping[str, int] | None = None) -> tuple[Graph, Mapping[str, Array]]:
    """The same, and the numbers that were computed on the way, by the names of their values: those of which shapes are
    made. One that is not known is a name in an array of objects.
    """
    told = {**graph.values, **{value.name: value for value in graph.outputs}}
    stated = {name: _fixed(value, sizes or {}) for name, value in told.items()}
    inputs = tuple(_fixed(value, sizes or {}) for value in graph.inputs)
    known = _Known(graph.constants, {value.name: value for value in inputs})
    for node in graph.nodes:
        for value in _outputs(node, known, stated):
            known.values[value.name] = value
    values = {**stated, **known.values}
    outputs = tuple(values[v.name] for v in graph.outputs)
    return replace(graph, inputs=inputs, outputs=outputs, values=values), known.numbers


def _fixed(value: Value, sizes: Mapping[str, int]) -> Value:
    shape = tuple(_size(n, sizes) for n in value.shape)
    return value if shape == value.shape else replace(value, shape=shape)


def _size(size: Dim, sizes: Mapping[str, int]) -> Dim:
    if isinstance(size, int):
        return size if size >= 0 else UNKNOWN  # Paddle2ONNX writes -1
    return sizes.get(size, size)


def _outputs(node: Node, known: _Known, stated: Mapping[str, Value]) -> list[Value]:
    """The values that a node makes, as far as they are known; their numbers are added to `known`."""
    names = node.inputs
    call = Call(
        node, [known.value(name) for name in names], lambda i: known.array(names[i]) if i < len(names) else None
    )
    typed = answer(call)
    if typed is None:
        return [stated[name] for name in node.outputs if name in stated]
    if known.computed < MOST and all(map(known.has, filter(None, names[: 0 if node.op in OF_SHAPES else None]))):
        arrays = propagate(call, typed) or []
        known.computed += sum(array.size for array in arrays)
        known.numbers.update(zip(node.outputs, arrays, strict=False))
    return [_merged(name, one, stated.get(name)) for name, one in zip(node.outputs, typed, strict=False) if name]


def _merged(name: str, typed: Typed, stated: Value | None) -> Value:
    """As inferred; where nothing is known of a size, as stated."""
    shape, dtype = typed
    if stated is None or UNKNOWN not in shape or len(stated.shape) != len(shape):
        return Value(name, shape, dtype)
    return Value(name, tuple(b if a == UNKNOWN else a for a, b in zip(shape, stated.shape, strict=True)), dtype)
