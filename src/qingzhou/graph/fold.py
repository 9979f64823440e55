"""Passes: a Graph in, an equal but cheaper Graph out. Arithmetic is done in float64, when the numbers are written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..runtime.model.card import Input
from .form import Array, Constant, Graph, Node, roles
from .layout import channels_first

Numbers = Callable[[], Array]
Makers = Mapping[str, Node]


class Kernel(NamedTuple):
    """What computes the weight (out, in / groups, *kernel) and the bias (out,) of a convolution, each on its own."""

    weight: Numbers
    bias: Numbers


def simplify(graph: Graph) -> Graph:
    """Spare Transposes; fold every BatchNorm that follows a convolution, and every sum of parallel ones (RepVGG)."""
    return merge_branches(fold_batch_norm(channels_first(graph.without_dead())))


def fold_batch_norm(graph: Graph) -> Graph:
    """Conv -> BatchNorm becomes Conv, where nothing else reads the Conv's result."""
    makers, readers, ends = graph.makers(), graph.consumers(), {v.name for v in graph.outputs}
    folder = _Folder(graph)
    for norm in graph.nodes:
        x = norm.inputs[0]
        conv = makers.get(x) if norm.op == "BatchNormalization" else None
        if conv and conv.op == "Conv" and _known(conv, graph) and len(readers[x]) == 1 and x not in ends:
            folder.put(norm, conv, [conv], _fold(conv, norm, graph))
    return folder.done()


def _known(node: Node, graph: Graph) -> bool:
    """Whether its parameters are numbers, and not computed."""
    return all(name in graph.constants for name in node.inputs[1:])


def merge_branches(graph: Graph) -> Graph:
    """A sum of branches that are each one convolution or BatchNorm of the same value becomes one convolution."""
    makers, readers, folder = graph.makers(), graph.consumers(), _Folder(graph)
    for node in graph.nodes:
        branches = _branches(node, makers, readers, graph) if node.op == "Add" else []
        widest = max((b for b in branches if b.op == "Conv"), key=_reach, default=None)
        if widest and all(_known(b, graph) and _mergeable(b, branches[0], widest) for b in branches):
            folder.put(node, widest, branches, _sum(branches, widest, graph))
    return folder.done()


def normalise_inside(graph: Graph, entry: Input) -> tuple[Graph, Input]:
    """Move (x - mean) / std from the pre-processing into the network, which then takes raw pixels of 0 to 255."""
    step = next((step for step in entry.steps if step["op"] == "normalize"), None)
    if step is None:
        return graph, entry
    mean, std = (np.array(step[name], np.float64) for name in ("mean", "std"))
    picture, raw = graph.inputs[0], "pixels"
    numbers = {"weight": np.ones_like(mean), "bias": np.zeros_like(mean), "mean": mean, "var": std**2}
    made = {
        f"{raw}.{role}": Constant(array.shape, "float64", functools.partial(np.copy, array))
        for role, array in numbers.items()
    }
    norm = Node("BatchNormalization", (picture.name, *made), (raw,), {"epsilon": 0.0}, name=raw)
    nodes = [replace(n, inputs=tuple(raw if x == picture.name else x for x in n.inputs)) for n in graph.nodes]
    values = {**graph.values, raw: replace(picture, name=raw)}
    entry = replace(entry, steps=[s for s in entry.steps if s is not step])
    return replace(graph, nodes=(norm, *nodes), values=values, constants={**graph.constants, **made}), entry


class _Folder:
    """Collects replacements: `last` becomes a Conv shaped like `conv`, and `gone` nodes disappear."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.new: dict[str, Node] = {}  # by the output of the node that is replaced
        self.gone: set[str] = set()
        self.made: dict[str, Constant] = {}

    def put(self, last: Node, conv: Node, gone: list[Node], kernel: Kernel) -> None:
        """Replace `last` by a convolution with the attributes of `conv`, whose kernel is computed on demand."""
        names = [f"{last.name}.folded.{role}" for role in ("weight", "bias")]
        shape, keys = self.graph.constants[conv.inputs[1]].shape, self._keys([*gone, last])
        wanted = {names[0]: (shape, kernel.weight), names[1]: (shape[:1], kernel.bias)}
        self.made |= {
            name: Constant(size, "float32", _float32(load, size), keys=keys) for name, (size, load) in wanted.items()
        }
        new = replace(conv, name=last.name, inputs=(gone[0].inputs[0], *names), outputs=last.outputs)
        self.new[last.outputs[0]] = new
        self.gone |= {node.outputs[0] for node in gone} - {last.outputs[0]}

    def _keys(self, nodes: Iterable[Node]) -> dict[str, tuple[int, ...]]:
        """The tensors of the source that go into these nodes."""
        used = [self.graph.constants[name] for node in nodes for name in node.inputs if name in self.graph.constants]
        return {key: shape for constant in used for key, shape in constant.keys.items()}

    def done(self) -> Graph:
        """The graph with all replacements, and only what it still needs."""
        absorbed = self._absorbed()
        nodes = [self.new.get(n.outputs[0], n) for n in self.graph.nodes if n.outputs[0] not in absorbed]
        graph = replace(self.graph, nodes=tuple(nodes), constants={**self.graph.constants, **self.made})
        made = {name for node in nodes for name in node.outputs} | {value.name for value in graph.inputs}
        values = {name: value for name, value in graph.values.items() if name in made}
        return replace(graph, values=values).without_dead()

    def _absorbed(self) -> set[str]:
        """Nodes to leave out: the folded ones, and inner sums whose result only a replaced sum read."""
        gone, readers = set(self.gone), self.graph.consumers()
        still_read = {name for node in self.new.values() for name in node.inputs}
        for node in reversed(self.graph.nodes):
            users = [user.outputs[0] for name in node.outputs for user in readers[name]]
            swallowed = users and all(user in gone or user in self.new for user in users)
            if node.op == "Add" and swallowed and node.outputs[0] not in still_read:
                gone.add(node.outputs[0])
        return gone


def _branches(node: Node, makers: Makers, readers: Mapping[str, list[Node]], graph: Graph) -> list[Node]:
    """The nodes whose results a (nested) sum adds up; empty unless each is read by that sum alone, in its shape."""
    found, todo = [], list(node.inputs)
    shape, ends = graph.values[node.outputs[0]].shape, {v.name for v in graph.outputs}
    while todo:
        name = todo.pop(0)
        maker = makers.get(name)
        if maker is None or len(readers[name]) != 1 or name in ends or graph.values[name].shape != shape:
            return []
        if maker.op == "Add":
            todo = [*maker.inputs, *todo]
        else:
            found.append(maker)
    return found


def _mergeable(branch: Node, first: Node, widest: Node) -> bool:
    """Same input, and a kernel that can be zero-padded to the widest one's."""
    if branch.inputs[0] != first.inputs[0] or branch.op not in ("Conv", "BatchNormalization"):
        return False
    if branch.op == "BatchNormalization":
        return set(widest.attrs["strides"]) == {1}
    same = all(branch.attrs[name] == widest.attrs[name] for name in ("strides", "group", "dilations"))
    kernel = branch.attrs["kernel_shape"]
    offsets = {p - k // 2 for p, k in zip(branch.attrs["pads"], kernel * 2, strict=True)}
    return same and offsets == {0} and all(k % 2 for k in kernel)


def _reach(conv: Node) -> int:
    return int(np.prod(conv.attrs["kernel_shape"]))


def scale_and_shift(norm: Node, graph: Graph) -> tuple[Array, Array]:
    """BatchNormalization at inference as y = scale * x + shift, in float64."""
    value = {role: graph.constants[name].load().astype(np.float64) for role, name in roles(norm).items()}
    scale = value["weight"] / np.sqrt(value["var"] + norm.attrs["epsilon"])
    return scale, value["bias"] - value["mean"] * scale


def _fold(conv: Node, norm: Node, graph: Graph) -> Kernel:
    """The kernel of Conv -> BatchNorm. Scale and shift are kept between weight and bias: they are only vectors."""
    affine = functools.cache(lambda: scale_and_shift(norm, graph))

    def weight() -> Array:
        kernel = graph.constants[conv.inputs[1]].load()
        return _times(kernel, affine()[0].reshape(-1, *[1] * (kernel.ndim - 1)))

    def bias() -> Array:
        scale, shift = affine()
        return _bias(conv, graph) * scale + shift

    return Kernel(weight, bias)


def _sum(branches: list[Node], widest: Node, graph: Graph) -> Kernel:
    """The kernel of a sum of branches."""
    return Kernel(
        lambda: _total(_widened(branch, widest, graph) for branch in branches),
        lambda: _total(_bias(branch, graph) for branch in branches),
    )


def _float32(load: Numbers, shape: tuple[int, ...]) -> Numbers:
    return lambda: np.broadcast_to(load(), shape).astype(np.float32, copy=False)


def _total(terms: Iterable[Array]) -> Array:
    return functools.reduce(np.add, terms)


def _times(kernel: Array, scale: Array) -> Array:
    """kernel * scale in float64, rounded to float32 piece by piece: no large array of float64 is made."""
    out: Array = np.empty(kernel.shape, np.float32)
    np.multiply(kernel, scale, out=out, dtype=np.float64, casting="same_kind")
    return out


def _bias(branch: Node, graph: Graph) -> Array:
    """What a branch adds to every position, in float64."""
    if branch.op == "BatchNormalization":
        return scale_and_shift(branch, graph)[1]
    found = roles(branch).get("bias")
    return graph.constants[found].load().astype(np.float64) if found else np.zeros(1)  # for every channel


def _widened(branch: Node, widest: Node, graph: Graph) -> Array:
    """A branch's kernel in float64, zero-padded around its centre to the size of the widest."""
    size: tuple[int, ...] = widest.attrs["kernel_shape"]
    if branch.op == "Conv":
        weight = graph.constants[branch.inputs[1]].load().astype(np.float64)
        margins = [((big - small) // 2,) * 2 for big, small in zip(size, weight.shape[2:], strict=True)]
        return np.pad(weight, [(0, 0), (0, 0), *margins])
    scale, _ = scale_and_shift(branch, graph)
    channels = len(scale)
    weight = np.zeros((channels, channels // widest.attrs["group"], *size))
    out: Any = np.arange(channels)
    weight[(out, out % weight.shape[1], *[n // 2 for n in size])] = scale
    return weight
