"""A network that also gives what calibration wants to know of its activations: little numbers, computed on the way.

The activations themselves never leave the engine, so its memory is that of an ordinary run.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .network import Array, Network, rebuilt
from .signal import Feed, session

SAMPLED = 4096  # about so many numbers of a tensor are drawn from each picture, or all it has
OFFSET = "watched/offset"  # where drawing begins: another place in every picture
CHANNELS_AS_INPUT = 18  # the opset from which ReduceMean takes its axes as an input
LIGHT = 4_000_000  # bytes of an input: of such a network's activations many have room at once
MOST_AT_ONCE = 8


class Glance(NamedTuple):
    """One activation in one picture: its ends (0 for one that is never negative), the means of its channels (C,) where
    a layer reads them, and some of its numbers, (K,).
    """

    low: float
    high: float
    means: Array | None
    sample: Array


Glances = dict[str, Glance]  # by the tensor's name


def watched(network: Network, names: Iterable[str], feeds: Iterable[Feed]) -> Iterator[dict[str, Glance]]:
    """Run the network on every feed; a glance at each of the tensors."""
    feeds = iter(feeds)
    first = next(feeds, None)
    if first is None:
        return
    graph = _Writer(network)
    for name in names:
        graph.watch(name)
    wanted = [output for outputs in graph.outputs.values() for output in outputs if output]
    # Looking is many small nodes, which more threads do not make faster: of light inputs each thread takes one.
    light = sum(array.nbytes for array in first.values()) <= LIGHT
    running = session(graph.model(), wanted, frugal=not light, threads=1 if light else 0)

    def run(feed: Feed, number: int) -> dict[str, Glance]:
        found = dict(zip(wanted, running.run(wanted, {**feed, OFFSET: np.array([number], np.int64)}), strict=True))
        return {name: _glance(found, *outputs) for name, outputs in graph.outputs.items()}

    yield from _at_once(min(os.cpu_count() or 1, MOST_AT_ONCE) if light else 1, run, chain([first], feeds))


def _at_once(count: int, run: Callable[[Feed, int], Glances], feeds: Iterable[Feed]) -> Iterator[Glances]:
    """What run(feed, number) gives, in the feeds' order; so many run at a time, and no more are prepared."""
    with ThreadPoolExecutor(count) as pool:
        waiting: deque[Future[Glances]] = deque()
        for number, feed in enumerate(feeds):
            waiting.append(pool.submit(run, feed, number))
            if len(waiting) > count:
                yield waiting.popleft().result()
        yield from (future.result() for future in waiting)


def _glance(found: Mapping[str, Array], low: str, high: str, sample: str, means: str) -> Glance:
    return Glance(float(found[low]) if low else 0.0, float(found[high]), found.get(means), found[sample])


class _Writer:
    """The nodes that look at tensors, and what they give: low, high, sample and, of layers' inputs, means."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.outputs: dict[str, tuple[str, str, str, str]] = {}  # "": not computed
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, Array] = {}
        self._ranks = {node.input[0]: len(network.constants[node.input[1]].dims) for node in network.weighted}

    def watch(self, name: str) -> None:
        """Look at one more tensor."""
        low = "" if self.network.never_negative(name) else self._end("ReduceMin", name)  # 0 is in every range
        means = self._means(name, self._ranks[name]) if self._ranks.get(name, 0) >= 2 else ""
        self.outputs[name] = low, self._end("ReduceMax", name), self._sample(name), means

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
        axes = [n for n in range(rank) if n != 1]
        out = f"watched/{name}/means"
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
