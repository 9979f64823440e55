"""A network that also gives what calibration wants to know of its activations: little numbers, computed on the way.

The activations themselves never leave the engine, so its memory is that of an ordinary run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .hands import LIGHT, hands, in_order
from .network import Array, Network, rebuilt
from .signal import Feed, session

SAMPLED = 4096  # about so many numbers of a tensor are drawn from each picture, or all it has
OFFSET = "watched/offset"  # where drawing begins: another place in every picture
CHANNELS_AS_INPUT = 18  # the opset from which ReduceMean takes its axes as an input


class Glance(NamedTuple):
    """One activation in one picture: its ends (0 for one that is never negative), the means of its channels (C,) where
    a layer reads them, and some of its numbers, (K,).
    """

    low: float
    high: float
    means: Array | None
    sample: Array


class Sight(NamedTuple):
    """What was seen in one picture: glances by the tensors' names, and some tensors as they are."""

    glances: dict[str, Glance]
    whole: list[Array]


def watched(
    network: Network,
    names: Iterable[str],
    feeds: Iterable[Feed],
    *,
    whole: Sequence[str] = (),
    start: int = 0,
    only_drawn: bool = False,
) -> Iterator[Sight]:
    """Run the network on every feed; a glance at each of the tensors.

    whole       small tensors that are given as they are
    start       the number of the first input, on which it depends what is drawn
    only_drawn  whether nothing but the sample is
    """
    feeds = iter(feeds)
    first = next(feeds, None)
    if first is None:
        return
    graph = _Writer(network)
    for name in names:
        graph.watch(name, only_drawn)
    wanted = [*whole, *(output for outputs in graph.outputs.values() for output in outputs if output)]
    # Looking is many small nodes, which more threads do not make faster: of light inputs each thread takes one.
    size = sum(array.nbytes for array in first.values())
    count, threads = hands(size)
    running = session(graph.model(), wanted, frugal=size > LIGHT, threads=threads)

    def run(numbered: tuple[int, Feed]) -> Sight:
        number, feed = numbered
        given = running.run(wanted, {**feed, OFFSET: np.array([number], np.int64)})
        found = dict(zip(wanted, map(np.array, given), strict=True))  # copies: the engine's keep all its memory
        glances = {name: _glance(found, *outputs) for name, outputs in graph.outputs.items()}
        return Sight(glances, [found[name] for name in whole])

    yield from in_order(count, run, enumerate(chain([first], feeds), start))


def places(size: int, number: int) -> tuple[int, int]:
    """Where drawing begins in a tensor of so many numbers in the picture of that number, and its step."""
    step = 2 * (size // (2 * SAMPLED)) + 1
    return number % step, step


def _glance(found: Mapping[str, Array], low: str, high: str, sample: str, means: str) -> Glance:
    least, most = (float(found[end]) if end else 0.0 for end in (low, high))
    return Glance(least, most, found.get(means), found[sample])


class _Writer:
    """The nodes that look at tensors, and what they give: low, high, sample, and, of layers' inputs, means."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.outputs: dict[str, tuple[str, str, str, str]] = {}  # "": not computed
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Array] = {}
        self._ranks = {node.input[0]: len(network.constants[node.input[1]].dims) for node in network.weighted}

    def watch(self, name: str, only_drawn: bool = False) -> None:
        """Look at one more tensor."""
        before, self.nodes = self.nodes, []
        low = high = means = ""
        if not only_drawn:
            low = "" if self.network.never_negative(name) else self._end("ReduceMin", name)  # 0 is inside
            high = self._end("ReduceMax", name)
            rank = self._ranks.get(name, 0)
            means = self._means(name, rank) if rank >= 2 else ""
        self.outputs[name] = low, high, self._sample(name), means
        # The engine runs what ends a path in the reverse order, and keeps a tensor until its last reader has run.
        self.nodes += before

    def model(self) -> ModelProto:
        """The network with these nodes."""
        source = self.network.proto
        constants = [numpy_helper.from_array(array, name) for name, array in self.constants.items()]
        model = rebuilt(source, [*source.graph.node, *self.nodes], [*source.graph.initializer, *constants])
        model.graph.input.append(helper.make_tensor_value_info(OFFSET, TensorProto.INT64, [1]))
        return model

    def _end(self, kind: str, name: str) -> str:
        return self._node(kind, [name], f"watched/{name}/{kind}", keepdims=0)

    def _means(self, name: str, rank: int) -> str:
        """Of every channel, which is the second axis."""
        axes, out = [n for n in range(rank) if n != 1], f"watched/{name}/means"
        if self.network.opset >= CHANNELS_AS_INPUT:
            return self._node("ReduceMean", [name, self._constant(*axes)], out, keepdims=0)
        return self._node("ReduceMean", [name], out, axes=axes, keepdims=0)

    def _sample(self, name: str) -> str:
        """Every n-th number, n odd: so it does not always meet the same column."""
        at = f"watched/{name}"  # no name that the network may have itself
        flat = self._node("Reshape", [name, self._constant(-1)], f"{at}/flat")
        size = self._node("Shape", [flat], f"{at}/size")
        half = self._node("Div", [size, self._constant(2 * SAMPLED)], f"{at}/half")
        even = self._node("Mul", [half, self._constant(2)], f"{at}/even")
        step = self._node("Add", [even, self._constant(1)], f"{at}/step")
        start = self._node("Mod", [OFFSET, step], f"{at}/start")
        return self._node("Slice", [flat, start, size, self._constant(0), step], f"{at}/sample")

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def _constant(self, *numbers: int) -> str:
        name = f"watched/{numbers}"
        self.constants[name] = np.array(numbers, np.int64)
        return name
