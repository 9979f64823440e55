"""A network as plain data: printable, frozen, and made of ONNX's operators.

An operator means what ONNX's opset 17 says (https://onnx.ai/onnx/operators/), with its attributes; "ai.onnx.ml" has
those of classical models. Blocks are what ONNX has late, or not as one operator: a closed list of our own in the domain
"qingzhou", each with one function that lowers it to ONNX (onnxfile/). A file is only one spelling of this.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

Array = np.ndarray[Any, Any]
if TYPE_CHECKING:
    Many = array[Any]
else:
    Many = array  # numbers of an attribute that are very many: in a tuple each would be an object
Dim = int | str  # a str names a dimension that is free, such as "batch"; "?" is one of which nothing is known
Shape = tuple[Dim, ...]
ML, BLOCK = "ai.onnx.ml", "qingzhou"
DOUBLE = "needs float64"  # a training fact of a card: whose answers are lost in float32
OPSET = 17
UNRANKED: Shape = ("*",)  # the shape of a value whose number of axes is not known


@dataclass(frozen=True)
class Value:
    """A tensor that flows: its name, shape and dtype (numpy's name, or "str")."""

    name: str
    shape: Shape
    dtype: str = "float32"

    @property
    def channels(self) -> int:
        """Size of axis 1, which is always known."""
        size = self.shape[1]
        assert isinstance(size, int), f"{self.name} has no fixed channel count: {self.shape}"
        return size


@dataclass(frozen=True)
class Constant:
    """Numbers that are known; made when they are asked for, so that a large network never lies in memory twice.

    dtype   numpy's name, or "str"
    chunks  the same as bytes, as they lie in a file, piece by piece; None where they lie in none
    keys    the tensors of the source that go into it, with their shapes there
    """

    shape: tuple[int, ...]
    dtype: str
    load: Callable[[], Array]
    chunks: Callable[[], Iterator[memoryview] | None] | None = None
    keys: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """An attribute that is not read, such as the body of a Loop: its bytes in the file, and the names of outer values
    that it may read.
    """

    data: bytes
    reads: tuple[str, ...] = ()


Attr = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | Many | Constant | Raw


@dataclass(frozen=True)
class Node:
    """One operation. inputs: names of values and of constants, "" for what is left out."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)  # name -> Attr
    domain: str = ""
    name: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """Values that it reads beside its inputs, inside a Loop or an If."""
        bodies = [value for value in self.attrs.values() if isinstance(value, Raw)]
        return tuple(dict.fromkeys(name for body in bodies for name in body.reads)) if bodies else ()


@dataclass(frozen=True)
class Graph:
    """A whole network: its nodes in order of execution, the shapes of all values, and the numbers that are known.

    optional  inputs that are a constant of the same name where nothing is fed
    opsets    domain -> version; ours are written in the meaning of OPSET
    """

    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    nodes: tuple[Node, ...]
    values: Mapping[str, Value]
    constants: Mapping[str, Constant]
    optional: frozenset[str] = frozenset()
    opsets: Mapping[str, int] = field(default_factory=lambda: {"": OPSET})

    def __str__(self) -> str:
        return "\n".join(f"{node.op:<20} {node.outputs[0]:<40} {self._shape(node)}" for node in self.nodes)

    def _shape(self, node: Node) -> str:
        value = self.values.get(node.outputs[0])
        return "?" if value is None else str(value.shape)

    @property
    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The tensors of the source that the network needs, with their shapes."""
        return {key: shape for constant in self.constants.values() for key, shape in constant.keys.items()}

    def with_names(self, names: Mapping[str, str]) -> Graph:
        """With other names for some values, which no other has; no body of a Loop reads them."""
        assert not set(names.values()) & {*self.values, *self.constants}
        of = {**{name: name for name in ("", *self.values, *self.constants)}, **names}
        nodes = [
            replace(node, inputs=tuple(map(of.__getitem__, node.inputs)), outputs=tuple(of[o] for o in node.outputs))
            for node in self.nodes
        ]
        values = {of[name]: replace(value, name=of[name]) for name, value in self.values.items()}
        inputs, outputs = (tuple(replace(o, name=of[o.name]) for o in side) for side in (self.inputs, self.outputs))
        return replace(self, inputs=inputs, outputs=outputs, nodes=tuple(nodes), values=values)

    def consumers(self) -> dict[str, list[Node]]:
        """For each value and constant, the nodes that read it; a graph output counts as no node."""
        readers: dict[str, list[Node]] = {name: [] for name in (*self.values, *self.constants)}
        for node in self.nodes:
            for name in (*node.inputs, *node.reads):
                if name:
                    readers.setdefault(name, []).append(node)
        return readers

    def makers(self) -> dict[str, Node]:
        """For each value that is computed, the node that makes it."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    def without_dead(self) -> Graph:
        """Only what an output depends on: detectors do not use all of their backbone."""
        needed, kept = {value.name for value in self.outputs}, []
        for node in reversed(self.nodes):
            if needed & set(node.outputs):
                needed |= {*node.inputs, *node.reads}
                kept.append(node)
        used = needed | self.optional
        constants = {name: constant for name, constant in self.constants.items() if name in used}
        return replace(self, nodes=tuple(reversed(kept)), constants=constants)

    def without_optional(self) -> Graph:
        """Constants alone are what could be fed otherwise."""
        inputs = tuple(value for value in self.inputs if value.name not in self.optional)
        values = {name: value for name, value in self.values.items() if name not in self.optional}
        return replace(self, inputs=inputs, values=values, optional=frozenset())

    def bound(self, tensors: Mapping[str, Array]) -> Graph:
        """The same network with the numbers of these tensors."""
        constants = {name: _bound(constant, tensors) for name, constant in self.constants.items()}
        return replace(self, constants=constants)

    def renamed(self, name: Callable[[str], str]) -> Graph:
        """The same network made of the same tensors, as another source calls them."""
        constants = {key: _renamed(constant, name) for key, constant in self.constants.items()}
        return replace(self, constants=constants)


@dataclass(frozen=True)
class Made:
    """How a constant is made of tensors of the source: of the one tensor as it is, or by `change` of them all."""

    keys: tuple[str, ...]
    change: Callable[..., Array] | None = None
    tensors: Mapping[str, Array] = field(default_factory=dict)

    def __call__(self) -> Array:
        """In float32, whatever the source keeps."""
        arrays = [self.tensors[key] for key in self.keys]
        array: Array = arrays[0] if self.change is None else self.change(*arrays)
        return array.astype(np.float32, copy=False)


def _bound(constant: Constant, tensors: Mapping[str, Array]) -> Constant:
    made = constant.load
    if not isinstance(made, Made):
        return constant
    pieces = getattr(tensors, "chunks", None) if made.change is None else None
    chunks = None if pieces is None else functools.partial(pieces, made.keys[0])
    return replace(constant, load=Made(made.keys, made.change, tensors), chunks=chunks)


def _renamed(constant: Constant, name: Callable[[str], str]) -> Constant:
    made = constant.load
    if not isinstance(made, Made):
        return constant
    keys = {name(key): shape for key, shape in constant.keys.items()}
    return replace(constant, keys=keys, load=replace(made, keys=tuple(map(name, made.keys))))


# What the inputs of an operator with parameters are for; an input without a role flows.
ROLES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "Conv"): ("", "weight", "bias"),
    ("", "ConvTranspose"): ("", "weight", "bias"),
    ("", "Gemm"): ("", "weight", "bias"),
    ("", "BatchNormalization"): ("", "weight", "bias", "mean", "var"),
    ("", "InstanceNormalization"): ("", "weight", "bias"),
    ("", "LayerNormalization"): ("", "weight", "bias"),
    ("", "PRelu"): ("", "weight"),
    ("", "LSTM"): ("", "weight_ih", "weight_hh", "bias"),
    ("", "GRU"): ("", "weight_ih", "weight_hh", "bias"),
    (BLOCK, "Linear"): ("", "weight", "bias"),
    (BLOCK, "GroupNorm"): ("", "weight", "bias"),
    (BLOCK, "Lstm"): (
        "",
        "",
        "",
        "weight_ih",
        "weight_hh",
        "bias_ih",
        "bias_hh",
        "weight_ih_reverse",
        "weight_hh_reverse",
        "bias_ih_reverse",
        "bias_hh_reverse",
    ),
    (BLOCK, "GeneralMean"): ("", "order"),
    (BLOCK, "Cosines"): ("", "weight"),
    (BLOCK, "Attentive"): ("", "weight"),
}


def roles(node: Node) -> dict[str, str]:
    """Role -> the name of the input, of those that the node has."""
    names = zip(ROLES.get((node.domain, node.op), ()), node.inputs, strict=False)
    return {role: name for role, name in names if role and name}
