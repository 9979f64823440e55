"""How much of a network's signal rounding leaves: the SQNR of its heads, in decibels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from onnx import ModelProto, ValueInfoProto

from ..errors import ModelError, is_of_memory, memory_full
from ..runtime.engine.session import onnxruntime_package, start
from .hands import give_back, hands, in_order
from .network import Array

Feed = Mapping[str, Array]
CLOSE = 1e-9  # dB, by which numbers that are the same may differ in their last digits


def session(
    model: ModelProto, also: Sequence[str] = (), emulated: bool = False, threads: int = 0, frugal: bool = False
) -> Any:
    """A session of onnxruntime for a model in memory; its threads sleep while another session works.

    also      tensors to give besides the outputs
    emulated  compute what INT8 means in float, operator by operator: as a processor with VNNI or an ARM does it, also
              on one whose own INT8 arithmetic overflows
    frugal    run a node as soon as it can be, so that no activation waits long for its last reader. Other layouts of
              activations would: what brings them back runs last
    """
    give_back()  # of the session before
    ort = onnxruntime_package()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.enable_mem_pattern = False  # one block for all activations: they would take more, and stay
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Else int8 activations are made uint8, which onnxruntime 1.32 does in opset 21 to some nodes by half, and refuses.
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    if frugal:
        options.execution_order = ort.ExecutionOrder.PRIORITY_BASED
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    if emulated:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        opened = start(_serialised(model, also), options)
    except Exception as err:  # onnxruntime has a class of its own for every kind of refusal
        if is_of_memory(err):
            raise memory_full() from None
        raise ModelError(
            en=f"onnxruntime does not take a form of this model that quantising needs: {str(err)[:300]}",
            zh=f"onnxruntime 不接受量化所需的一种模型形式：{str(err)[:300]}",
        ) from None
    give_back()
    return opened


def _serialised(model: ModelProto, also: Sequence[str]) -> bytes:
    """With more outputs for a moment: a copy of a large model would cost its size once more."""
    outputs, own = model.graph.output, len(model.graph.output)
    there = {output.name for output in outputs}
    outputs.extend(ValueInfoProto(name=name) for name in also if name not in there)
    try:
        return bytes(model.SerializeToString())
    finally:
        del outputs[own:]


@dataclass(frozen=True)
class Signal:
    """What a float network gives at its heads for a few inputs, to compare others with."""

    heads: Sequence[str]
    feeds: Sequence[Feed]
    expected: Sequence[Sequence[Array]]

    def share(self, each: int) -> Signal:
        """Of one input in so many."""
        return Signal(self.heads, self.feeds[::each], self.expected[::each])

    def sqnr(self, model: ModelProto, emulated: bool, least: float = -inf) -> float | None:
        """Mean over the heads of signal to error, in dB; larger is better. None as soon as it is less than `least`,
        since every further input adds to the error.
        """
        made = {name for node in model.graph.node for name in node.output}
        names = [f"{name}/int8" if f"{name}/int8" in made else name for name in self.heads]
        signal, error = np.zeros(len(names)), np.zeros(len(names))
        for expected in self.expected:
            signal += [float(np.square(a, dtype=np.float64).sum()) for a in expected]
        for expected, found in zip(self.expected, given(model, names, self.feeds, emulated), strict=True):
            error += [float(np.square(a - b, dtype=np.float64).sum()) for a, b in zip(expected, found, strict=True)]
            if float(np.mean(decibels(signal, error))) < least - CLOSE:
                return None
        return float(np.mean(decibels(signal, error)))


def given(model: ModelProto, names: Sequence[str], feeds: Sequence[Feed], emulated: bool = False) -> Iterator[Any]:
    """These tensors of a model for each input."""
    count, threads = hands(sum(array.nbytes for array in feeds[0].values()))
    running = session(model, names, emulated, threads=threads)
    yield from in_order(count, lambda feed: running.run(list(names), dict(feed)), feeds)


def decibels(signal: Array, error: Array) -> Array:
    """10 log10 of signal over error; 200 at most, where nothing was lost."""
    return np.asarray(10 * np.log10(np.maximum(signal, 1e-30) / np.maximum(error, signal * 1e-20 + 1e-30)))
