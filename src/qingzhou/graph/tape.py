"""Tape: what a network does, written down operator by operator; the recording is frozen into a Graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .form import BLOCK, Array, Constant, Graph, Made, Node, Shape, Value
from .trained import Trained


class Tape:
    """The operators, their values and constants. A Recorder adds the layers that networks are made of."""

    def __init__(self, trained: Trained | None = None) -> None:
        self.trained = trained or Trained()
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self.values: dict[str, Value] = {}
        self.constants: dict[str, Constant] = {}
        self.optional: set[str] = set()
        self.taken: dict[str, int] = {}  # how often each name was asked for

    def freeze(self, *outputs: Value, names: Sequence[str] = ()) -> Graph:
        """The finished Graph; `names` renames the outputs, and the constants that are called after them."""
        ends = {value.name: new for value, new in zip(outputs, names, strict=False)}
        ours = (name for name, constant in self.constants.items() if not constant.keys)
        new = {**ends, **{name: _after(name, ends) for name in ours}}
        nodes = tuple(_renamed(node, new) for node in self.nodes)
        values = {new.get(n, n): replace(value, name=new.get(n, n)) for n, value in self.values.items()}
        constants = {new.get(name, name): constant for name, constant in self.constants.items()}
        finals = tuple(values[new.get(value.name, value.name)] for value in outputs)
        return Graph(tuple(self.inputs), finals, nodes, values, constants, frozenset(self.optional))

    def input(self, name: str, shape: Shape, dtype: str = "float32", optional: bool = False) -> Value:
        """An input of the network; an optional one is all zeros where nothing is fed."""
        value = self.values[name] = Value(name, shape, dtype)
        self.inputs.append(value)
        if optional:
            self.optional.add(name)
            self.constant(name, np.zeros([n for n in shape if isinstance(n, int)], np.float32))
        return value

    def op(
        self,
        op: str,
        name: str,
        inputs: Sequence[Value | str],
        shape: Shape,
        dtype: str = "float32",
        domain: str = "",
        **attrs: Any,
    ) -> Value:
        """Record one operation with one output of the given shape. inputs: values, and names of constants."""
        return self.ops(op, name, inputs, [shape], [dtype], domain, **attrs)[0]

    def block(
        self, op: str, name: str, inputs: Sequence[Value | str], shape: Shape, dtype: str = "float32", **attrs: Any
    ) -> Value:
        """The same of one of our own."""
        return self.op(op, name, inputs, shape, dtype, BLOCK, **attrs)

    def ops(
        self,
        op: str,
        name: str,
        inputs: Sequence[Value | str],
        shapes: Sequence[Shape],
        dtypes: Sequence[str],
        domain: str = "",
        **attrs: Any,
    ) -> list[Value]:
        """Record one operation with several outputs, of a dtype each."""
        first = self.unique(name or op.lower())
        names = [first if i == 0 else f"{first}:{i}" for i in range(len(shapes))]
        outs = [Value(*fields) for fields in zip(names, shapes, dtypes, strict=True)]
        self.values |= {value.name: value for value in outs}
        sources = _trimmed([x if isinstance(x, str) else x.name for x in inputs])
        self.nodes.append(Node(op, sources, tuple(names), attrs, domain, first))
        return outs

    def unique(self, name: str) -> str:
        """The name that a new value gets if it is asked to have this one."""
        new, n = name, self.taken.get(name, 1)
        while new in self.values:
            n += 1
            new = f"{name}_{n}"
        self.taken[name] = n
        return new

    def param(self, key: str, shape: tuple[int, ...], wide: tuple[int, ...] = ()) -> str:
        """Declare that the network needs the source's tensor `key` in this shape, and is to have it in the shape `wide`
        if that is another; the name of the constant.
        """
        key = key.removeprefix(".")  # of a network that is a single layer, whose own path is ""
        name, made = (f"{key}.wide", Made((key,), _reshaped(wide))) if wide else (key, Made((key,)))
        known = self.constants.setdefault(name, Constant(wide or shape, "float32", made, keys={key: shape}))
        assert known.keys[key] == shape, f"{key} is used as {known.keys[key]} and as {shape}"
        return name

    def constant(self, name: str, array: Array) -> str:
        """Numbers of the network's own; their name."""
        self.constants[name] = Constant(array.shape, array.dtype.name, lambda: array)
        return name

    def ints(self, name: str, *values: int) -> str:
        """A row of int64."""
        return self.constant(name, np.array(values, np.int64))


def _after(name: str, renamed: Mapping[str, str]) -> str:
    """The name of a constant that is called after a value, "dets/axes", once that has its new name."""
    owner, slash, rest = name.partition("/")
    return f"{renamed.get(owner, owner)}{slash}{rest}"


def _renamed(node: Node, new: Mapping[str, str]) -> Node:
    inputs, outputs = (tuple(new.get(name, name) for name in names) for names in (node.inputs, node.outputs))
    return replace(node, inputs=inputs, outputs=outputs)


def _reshaped(shape: tuple[int, ...]) -> Callable[[Array], Array]:
    return lambda array: array.reshape(shape)


def _trimmed(names: list[str]) -> tuple[str, ...]:
    """Without what is left out at the end."""
    while names and not names[-1]:
        names = names[:-1]
    return tuple(names)
