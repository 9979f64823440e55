"""What patterns ask of a graph, and the constants that they make."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .form import BLOCK, Array, Constant, Graph, Node, Value

CLOSE = 1e-5  # of a constant such as the root of two, which exporters round in their own ways


@dataclass
class Finder:
    """What patterns ask of a graph, and the constants that they make."""

    graph: Graph
    constants: dict[str, Constant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.makers = self.graph.makers()
        self.constants = dict(self.graph.constants)

    def made_by(self, name: str, *ops: str) -> Node | None:
        """The node that makes a value, if it is one of these."""
        node = self.makers.get(name)
        return node if node is not None and node.op in ops and node.domain == "" else None

    def constant(self, name: str) -> Constant | None:
        """Known numbers of this name."""
        return self.constants.get(name)

    def number(self, name: str) -> float | None:
        """A constant that is a single number."""
        found = self.constants.get(name)
        if found is None or math.prod(found.shape) != 1 or found.dtype == "str":
            return None
        return float(found.load().reshape(-1)[0])

    def numbers(self, name: str) -> list[Any] | None:
        """A row of a few numbers."""
        found = self.constants.get(name)
        return None if found is None or math.prod(found.shape) > 4096 else found.load().reshape(-1).tolist()

    def is_near(self, name: str, value: float) -> bool:
        """Whether a constant is this number."""
        found = self.number(name)
        return found is not None and abs(found - value) <= CLOSE * max(1.0, abs(value))

    def value(self, name: str) -> Value | None:
        """With its shape."""
        return self.graph.values.get(name)

    def make(self, name: str, shape: tuple[int, ...], load: Callable[[], Array], source: str = "") -> str:
        """A constant that is computed; its name."""
        keys = self.constants[source].keys if source in self.constants else {}
        self.constants[name] = Constant(shape, "float32", load, keys=keys)
        return name

    def pair(self, node: Node) -> list[tuple[str, str]]:
        """The two inputs of a node in both orders."""
        a, b = node.inputs
        return [(a, b), (b, a)]


Pattern = Callable[[Finder, Node], Node | None]


def block(op: str, node: Node, inputs: Sequence[str], outputs: Sequence[str] = (), **attrs: Any) -> Node:
    """A block in the place of the node that ends a pattern."""
    return Node(op, tuple(inputs), tuple(outputs or node.outputs[:1]), attrs, BLOCK)
