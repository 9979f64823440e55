"""Passes: Graph and Weights in, an equal but cheaper Graph and its Weights out. All arithmetic is done in float64."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..runtime.card import Input
from .record import Graph, Layer
from .weights import Array, Weights

Numbers = Callable[[], Array]


@dataclass(frozen=True)
class Kernel:
    """What computes the weight (out, in / groups, *kernel) and the bias (out,) of a convolution, each on its own."""

    weight: Numbers
    bias: Numbers


def simplify(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Fold every BatchNorm that follows a convolution, and every sum of parallel convolutions (RepVGG), into one."""
    return merge_branches(*fold_batch_norm(without_dead(graph), weights))


def without_dead(graph: Graph) -> Graph:
    """Only the layers that an output depends on: detectors do not use all of their backbone."""
    needed, kept = {value.name for value in graph.outputs}, []
    for layer in reversed(graph.layers):
        if needed & set(layer.outputs):
            needed |= set(layer.inputs)
            kept.append(layer)
    params = {key: graph.params[key] for layer in kept for key in layer.params.values()}
    return replace(graph, layers=tuple(reversed(kept)), params=params)


def fold_batch_norm(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """Conv -> BatchNorm becomes Conv, where nothing else reads the Conv's result."""
    makers = {layer.outputs[0]: layer for layer in graph.layers}
    readers, ends = graph.consumers(), {v.name for v in graph.outputs}
    folder = _Folder(graph, weights)
    for norm in graph.layers:
        conv = makers.get(norm.inputs[0]) if norm.op == "BatchNorm" else None
        if conv and conv.op == "Conv" and len(readers[norm.inputs[0]]) == 1 and norm.inputs[0] not in ends:
            folder.put(norm, conv, [conv], _fold(conv, norm, weights))
    return folder.done()


def merge_branches(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """A sum of branches that are each one convolution or BatchNorm of the same value becomes one convolution."""
    makers = {layer.outputs[0]: layer for layer in graph.layers}
    folder = _Folder(graph, weights)
    for layer in graph.layers:
        branches = _branches(layer, makers, graph) if layer.op == "Add" else []
        widest = max((b for b in branches if b.op == "Conv"), key=_reach, default=None)
        if widest and all(_mergeable(b, branches[0], widest) for b in branches):
            folder.put(layer, widest, branches, _sum(branches, widest, weights))
    return folder.done()


def normalise_inside(graph: Graph, weights: Weights, entry: Input) -> tuple[Graph, Weights, Input]:
    """Move (x - mean) / std from the pre-processing into the network, which then takes raw pixels of 0 to 255."""
    step = next((step for step in entry.steps if step["op"] == "normalize"), None)
    if step is None:
        return graph, weights, entry
    mean, std = (np.array(step[name], np.float64) for name in ("mean", "std"))
    picture, raw = graph.inputs[0], "pixels"
    ones = np.ones_like(mean)
    numbers = {"weight": ones, "bias": 0 * ones, "mean": mean, "var": std**2}
    keys = {role: f"{raw}.{role}" for role in numbers}
    norm = Layer("BatchNorm", raw, (picture.name,), (raw,), keys, {"eps": 0.0})
    layers = tuple(replace(la, inputs=tuple(raw if n == picture.name else n for n in la.inputs)) for la in graph.layers)
    values = {**graph.values, raw: replace(picture, name=raw)}
    params = {**graph.params, **{key: mean.shape for key in keys.values()}}
    made = {keys[role]: (lambda array=array: array) for role, array in numbers.items()}
    entry = replace(entry, steps=[s for s in entry.steps if s is not step])
    return replace(graph, layers=(norm, *layers), values=values, params=params), weights.adding(made), entry


@dataclass
class _Folder:
    """Collects replacements: `last` becomes a Conv shaped like `conv`, and `gone` layers disappear."""

    graph: Graph
    weights: Weights

    def __post_init__(self) -> None:
        self.new: dict[str, Layer] = {}
        self.gone: set[str] = set()
        self.made: dict[str, Numbers] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}

    def put(self, last: Layer, conv: Layer, gone: list[Layer], kernel: Kernel) -> None:
        """Replace `last` by a convolution with the attributes of `conv`, whose kernel is computed on demand."""
        names = {"weight": f"{last.name}.folded.weight", "bias": f"{last.name}.folded.bias"}
        shape = self.graph.params[conv.params["weight"]]
        self.shapes |= {names["weight"]: shape, names["bias"]: (shape[0],)}
        self.made[names["weight"]] = lambda: kernel.weight().astype(np.float32, copy=False)
        self.made[names["bias"]] = lambda: np.broadcast_to(kernel.bias(), shape[:1]).astype(np.float32)
        self.new[last.name] = replace(conv, name=last.name, inputs=gone[0].inputs, outputs=last.outputs, params=names)
        self.gone |= {layer.name for layer in gone} - {last.name}

    def done(self) -> tuple[Graph, Weights]:
        """The graph with all replacements, and only the parameters that it still needs."""
        absorbed = self._absorbed()
        layers = tuple(self.new.get(layer.name, layer) for layer in self.graph.layers if layer.name not in absorbed)
        kept = {v.name: v for v in self.graph.inputs} | {
            n: self.graph.values[n] for layer in layers for n in layer.outputs
        }
        shapes = {**self.graph.params, **self.shapes}
        params = {key: shapes[key] for layer in layers for key in layer.params.values()}
        return replace(self.graph, layers=layers, values=kept, params=params), self.weights.adding(self.made)

    def _absorbed(self) -> set[str]:
        """Layers to leave out: the folded ones, and inner sums whose result only a replaced sum read."""
        gone = set(self.gone)
        readers = self.graph.consumers()
        for layer in reversed(self.graph.layers):
            users = [u for name in layer.outputs for u in readers[name]]
            swallowed = users and all(u.name in gone or u.name in self.new for u in users)
            if layer.op == "Add" and swallowed and layer.name not in self._still_read():
                gone.add(layer.name)
        return gone

    def _still_read(self) -> set[str]:
        return {name for layer in self.new.values() for name in layer.inputs}


def _branches(layer: Layer, makers: dict[str, Layer], graph: Graph) -> list[Layer]:
    """The layers whose results a (nested) sum adds up; empty unless each is read by that sum alone, in its shape."""
    readers, found, todo = graph.consumers(), [], list(layer.inputs)
    shape, ends = graph.values[layer.outputs[0]].shape, {v.name for v in graph.outputs}
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


def _mergeable(branch: Layer, first: Layer, widest: Layer) -> bool:
    """Same input, and a kernel that can be zero-padded to the widest one's."""
    if branch.inputs != first.inputs or branch.op not in ("Conv", "BatchNorm"):
        return False
    if branch.op == "BatchNorm":
        return set(widest.attrs["stride"]) == {1}
    same = all(branch.attrs[name] == widest.attrs[name] for name in ("stride", "groups", "dilation"))
    offsets = {p - k // 2 for p, k in zip(branch.attrs["padding"], branch.attrs["kernel"] * 2, strict=True)}
    return same and offsets == {0} and all(k % 2 for k in branch.attrs["kernel"])


def _reach(conv: Layer) -> int:
    return int(np.prod(conv.attrs["kernel"]))


def scale_and_shift(norm: Layer, weights: Weights) -> tuple[Array, Array]:
    """BatchNorm at inference as y = scale * x + shift, in float64."""
    value = {role: weights[key].astype(np.float64) for role, key in norm.params.items()}
    scale = value.get("weight", 1.0) / np.sqrt(value["var"] + norm.attrs["eps"])
    return scale, value.get("bias", 0.0) - value["mean"] * scale


def _fold(conv: Layer, norm: Layer, weights: Weights) -> Kernel:
    """The kernel of Conv -> BatchNorm. Scale and shift are kept between weight and bias: they are only vectors."""
    affine = functools.cache(lambda: scale_and_shift(norm, weights))

    def weight() -> Array:
        kernel = weights[conv.params["weight"]]
        return _times(kernel, affine()[0].reshape(-1, *[1] * (kernel.ndim - 1)))

    def bias() -> Array:
        scale, shift = affine()
        return _bias(conv, weights) * scale + shift

    return Kernel(weight, bias)


def _sum(branches: list[Layer], widest: Layer, weights: Weights) -> Kernel:
    """The kernel of a sum of branches."""
    return Kernel(
        lambda: _total(_widened(branch, widest, weights) for branch in branches),
        lambda: _total(_bias(branch, weights) for branch in branches),
    )


def _total(terms: Iterable[Array]) -> Array:
    return functools.reduce(np.add, terms)


def _times(kernel: Array, scale: Array) -> Array:
    """kernel * scale in float64, rounded to float32 piece by piece: no large array of float64 is made."""
    out: Array = np.empty(kernel.shape, np.float32)
    np.multiply(kernel, scale, out=out, dtype=np.float64, casting="same_kind")
    return out


def _bias(branch: Layer, weights: Weights) -> Array:
    """What a branch adds to every position, in float64."""
    if branch.op == "BatchNorm":
        return scale_and_shift(branch, weights)[1]
    found = branch.params.get("bias")
    return weights[found].astype(np.float64) if found else np.zeros(1)  # for every channel


def _widened(branch: Layer, widest: Layer, weights: Weights) -> Array:
    """A branch's kernel in float64, zero-padded around its centre to the size of the widest."""
    size: tuple[int, ...] = widest.attrs["kernel"]
    if branch.op == "Conv":
        weight = weights[branch.params["weight"]].astype(np.float64)
        margins = [((big - small) // 2,) * 2 for big, small in zip(size, weight.shape[2:], strict=True)]
        return np.pad(weight, [(0, 0), (0, 0), *margins])
    scale, _ = scale_and_shift(branch, weights)
    channels = len(scale)
    weight = np.zeros((channels, channels // widest.attrs["groups"], *size))
    out: Any = np.arange(channels)
    weight[(out, out % weight.shape[1], *[n // 2 for n in size])] = scale
    return weight
