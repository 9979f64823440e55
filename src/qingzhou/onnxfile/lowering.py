"""The building blocks of lowering: nodes and constants, collected in the order in which they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..graph.form import Array, Constant, Graph, Node

AXES_AN_INPUT = {"Squeeze": 13, "Unsqueeze": 13, "ReduceSum": 13}  # the opset of each; other reductions: 18


@dataclass
class Lowering:
    """A graph that is being lowered for an opset."""

    graph: Graph
    opset: int
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Constant] = field(default_factory=dict)
    own: frozenset[str] = frozenset()  # the outputs of the node that is being lowered

    def __post_init__(self) -> None:
        self.known = {"", *(value.name for value in self.graph.inputs)}

    # -- building blocks ---------------------------------------------------------------------------------------------

    def node(self, op: str, inputs: Sequence[str], outputs: Sequence[str], **attrs: Any) -> str:
        """Append a node; its inputs are made before it, its outputs by nobody else. What lies between them is called
        otherwise where the graph has that name already, as a file that was lowered before has; so use what is returned.
        """
        kept = {*self.own, *(value.name for value in self.graph.inputs)}
        names = [name if name in kept else self.free(name) for name in outputs] if len(outputs) == 1 else outputs
        return self.append(Node(op, tuple(inputs), tuple(names), attrs))

    def free(self, name: str) -> str:
        """The name, or one like it that the graph has not."""
        while name in self.graph.values or name in self.graph.constants:
            name += "'"
        return name

    def append(self, node: Node) -> str:
        """The same of a node that is one of ONNX's; it is named after its first output, which is returned."""
        for name in (*node.inputs, *node.reads):
            if name not in self.known and name not in self.constants:
                self.constants[name] = self.graph.constants[name]
        made = {name for name in node.outputs if name}
        assert self.known.isdisjoint(made), f"{node.op}: {made} are there already"
        self.known |= made
        self.nodes.append(replace(node, name=f"{node.op}:{node.outputs[0]}"))
        return node.outputs[0]

    def put(self, name: str, shape: tuple[int, ...], load: Callable[[], Array]) -> str:
        """Add float32 numbers that are computed when they are written."""
        name = self.free(name)
        self.constants.setdefault(name, Constant(shape, "float32", load))
        return name

    def constant(self, name: str, array: Array) -> str:
        """Add a few numbers."""
        name = self.free(name)
        self.constants.setdefault(name, Constant(array.shape, array.dtype.name, lambda: array))
        return name

    def ints(self, name: str, values: Sequence[int]) -> str:
        """Add a 1-D int64 constant."""
        return self.constant(name, np.array(values, np.int64))

    def number(self, value: float, near: str) -> str:
        """Add a float scalar, next to the value it is for."""
        return self.constant(f"{near}/{value:g}", np.array(value, np.float32))

    def rank(self, name: str) -> int:
        """Of a value, or a constant."""
        found = self.graph.values.get(name) or self.graph.constants[name]
        return len(found.shape)

    def numbers(self, name: str) -> Array:
        """Of a constant of the graph."""
        return self.graph.constants[name].load()

    def axes(self, op: str, x: str, out: str, axes: Sequence[int], **attrs: Any) -> str:
        """Some take their axes as an attribute before an opset, and as an input since."""
        if self.opset < AXES_AN_INPUT.get(op, 18):
            return self.node(op, [x], [out], axes=tuple(axes), **attrs)
        return self.node(op, [x, self.ints(f"{out}/axes", axes)], [out], **attrs)

    def reshape(self, x: str, out: str, shape: Sequence[int | str]) -> str:
        """Reshape with the free dimension, if any, left to the runtime."""
        sizes = [-1 if isinstance(n, str) else n for n in shape]
        return self.node("Reshape", [x, self.ints(f"{out}/shape", sizes)], [out])
