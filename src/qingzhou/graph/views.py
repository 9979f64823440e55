"""Views of values whose axes lie in another order, and a graph that is written anew on what they are views of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .form import BLOCK, UNRANKED, Array, Constant, Graph, Node, Shape, Value

Perm = tuple[int, ...]
Move = Callable[["Mover", Node], bool]
MOVED = "/moved"  # after the name of a value, until it is known whether the value itself is needed, too


@dataclass(frozen=True)
class View:
    """A value that is another with its axes in another order: axis k of it is axis perm[k] of `base`.

    flat   of a view that was flattened behind its first axis: its shape before; then `base` is the flattened other
    """

    base: str
    perm: Perm
    flat: Shape = ()

    @property
    def plain(self) -> bool:
        """Whether it is the other, number by number."""
        if not self.flat:
            return self.perm == tuple(range(len(self.perm)))
        wide = [axis for axis, size in zip(self.perm, self.flat, strict=True) if size != 1]
        return wide == sorted(wide)


class Mover:
    """The new nodes, values and constants, and what is a view of what."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.makers = graph, graph.makers()
        self.nodes: list[Node] = []
        self.values = {value.name: value for value in graph.inputs}
        self.constants = dict(graph.constants)
        self.views: dict[str, View] = {}
        self.turned: dict[tuple[str, Perm], str] = {}  # what is computed of another with its axes in this order
        self.same: dict[str, str] = {}  # a value that is an output under another name -> that name
        self.fixed = {value.name for value in (*graph.inputs, *graph.outputs)}
        self.fixed |= {name for node in graph.nodes for name in node.reads}

    def moved(self, moves: Mapping[str, Move]) -> Graph:
        """The whole network. moves: operator -> whether it could work on what its input is a view of, and then does."""
        for node in self.graph.nodes:
            step = moves.get(node.op) if node.domain in ("", BLOCK) and self.known(node) else None
            if step is None or not step(self, node):
                self.keep(node)
        for value in self.graph.outputs:
            self.plain(value.name, final=True)
        graph = replace(self.graph, nodes=tuple(self.nodes), values=self.values, constants=self.constants)
        return _renamed(graph, self.names()).without_dead()

    def names(self) -> dict[str, str]:
        """What we called otherwise -> the name that was recorded, where that is free."""
        own = {name: name.removesuffix(MOVED) for name in self.values if name.endswith(MOVED)}
        return {**{name: old for name, old in own.items() if old not in self.values}, **self.same}

    def known(self, node: Node) -> bool:
        """Whether all shapes are known, and nothing is read from inside a Loop."""
        flowing = [name for name in (*node.inputs, *node.outputs) if name and name not in self.constants]
        found = [self.graph.values.get(name) for name in flowing]
        return not node.reads and all(value is not None and value.shape != UNRANKED for value in found)

    # -- what an operator reads --------------------------------------------------------------------------------------

    def view(self, name: str) -> View | None:
        """What a value is a view of, if its axes are in another order than there."""
        found = self.views.get(name)
        return None if found is None or found.plain else found

    def shape(self, name: str) -> Shape:
        """Of a value as the network was recorded."""
        return self.graph.values[name].shape

    def plain(self, name: str, final: bool = False) -> str:
        """The value with its axes as they were recorded, computed here if it is only a view so far; its name."""
        found = self.views.get(name)
        if found is None:
            return name
        if found.plain and not final:
            return found.base
        if not found.flat and not final and (found.base, found.perm) in self.turned:
            return self.turned[found.base, found.perm]
        del self.views[name]
        if found.plain and found.base not in self.fixed and found.base not in self.same:
            self.same[found.base] = name
        elif found.plain:
            self.make("Identity", (found.base,), name, self.shape(name), like=name)
        elif not found.flat:
            self.turn(found.base, found.perm, name, like=name)
        else:
            self._unflattened(name, found)
        return name

    def _unflattened(self, name: str, found: View) -> None:
        """As it was recorded: wide again, turned, flat."""
        inner = tuple(found.flat[k] for k in inverse(found.perm))
        wide, back = f"{name}/wide", f"{name}/shape"
        self.constants |= {f"{wide}/shape": ints([0, *(int(n) for n in inner[1:])]), back: ints([0, -1])}
        self.make("Reshape", (found.base, f"{wide}/shape"), wide, inner, like=name)
        self.make("Transpose", (wide,), f"{wide}/turned", found.flat, like=name, perm=found.perm)
        self.make("Reshape", (f"{wide}/turned", back), name, self.shape(name), like=name)

    def under(self, name: str, perm: Perm) -> str:
        """The value of which `name` is the view with these axes, computed if there is none yet."""
        found = self.views.get(name)
        if found and not found.flat and found.perm == perm:
            return found.base
        back = inverse(perm)
        source, new = self.plain(name), f"{name}/by{''.join(map(str, back))}"
        if (source, back) not in self.turned:
            self.turn(source, back, new, like=name)
        return self.turned[source, back]

    # -- what is written ---------------------------------------------------------------------------------------------

    def emit(self, node: Node, *values: Value) -> None:
        """One node with its values."""
        self.nodes.append(node)
        self.values |= {value.name: value for value in values}

    def make(self, op: str, inputs: tuple[str, ...], name: str, shape: Shape, like: str, **attrs: Perm) -> None:
        """One node of our own; its value has the dtype of that which is called `like`."""
        self.emit(Node(op, inputs, (name,), attrs, name=name), replace(self.graph.values[like], name=name, shape=shape))

    def turn(self, base: str, perm: Perm, name: str, like: str) -> None:
        """A Transpose; once for all that read the value so."""
        self.make("Transpose", (base,), name, tuple(self.values[base].shape[k] for k in perm), like, perm=perm)
        self.turned[base, perm] = name

    def keep(self, node: Node) -> bool:
        """As it was recorded."""
        for name in node.reads:
            self.plain(name, final=True)
        inputs = tuple(self.plain(name) for name in node.inputs)
        self.emit(replace(node, inputs=inputs), *(self.graph.values[n] for n in node.outputs if n in self.graph.values))
        return True

    def on_base(self, node: Node, inputs: Sequence[str], perm: Perm, flat: Shape = (), **attrs: object) -> bool:
        """The node on what its inputs are views of; its results are views in the same way."""
        names = tuple(name and name + MOVED for name in node.outputs)
        new = replace(node, inputs=tuple(inputs), outputs=names, attrs={**node.attrs, **attrs})
        self.emit(new, *(self._under(name, perm, flat) for name in node.outputs if name))
        self.views |= {name: View(name + MOVED, perm, flat) for name in node.outputs if name}
        return True

    def _under(self, name: str, perm: Perm, flat: Shape) -> Value:
        value = self.graph.values[name]
        shape = value.shape if flat else tuple(value.shape[k] for k in inverse(perm))
        return replace(value, name=name + MOVED, shape=shape)

    def number(self, name: str, load: Callable[[Array], Array], shape: tuple[int, ...], tag: str) -> str:
        """A constant made of another; its name, which `tag` tells from others of the same."""
        old, new = self.constants[name], f"{name}/{tag}"
        self.constants[new] = Constant(shape, old.dtype, lambda: load(old.load()), keys=old.keys)
        return new

    def row(self, name: str) -> list[int] | None:
        """A constant row of numbers; None if it is none."""
        found = self.constants.get(name)
        return None if found is None or math.prod(found.shape) > 64 else [int(n) for n in found.load().reshape(-1)]


def ints(row: Iterable[int]) -> Constant:
    array = np.array(list(row), np.int64)
    return Constant(array.shape, "int64", lambda: array)


def inverse(perm: Perm) -> Perm:
    return tuple(perm.index(k) for k in range(len(perm)))


def _renamed(graph: Graph, new: Mapping[str, str]) -> Graph:
    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new.get(name, name) for name in names)

    nodes = [replace(node, inputs=named(node.inputs), outputs=named(node.outputs)) for node in graph.nodes]
    values = {new.get(name, name): replace(value, name=new.get(name, name)) for name, value in graph.values.items()}
    return replace(graph, nodes=tuple(nodes), values=values)
