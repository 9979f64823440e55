"""The first convolution's three colours as four channels, the fourth of zeros: what onnxruntime gathers faster on x86.

It collects each window's pixels one by one, and four bytes of a pixel in less time than three. The numbers stay the
same: the fourth channel's integers are the zero point, which means 0, and so are its weights. benchmarks/int8.py times
it beside the plain form: of 3 x 3 windows that layer becomes 1.1 to 1.7 times as fast without VNNI, the less the more
channels it makes; larger windows lose by the additional products (5 x 5 up to 0.74, 7 x 7 0.74 to 0.95).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .network import Network, groups, rebuilt

COLOURS, CHANNELS = 3, 4
LARGEST_WINDOW = 3  # of each side
MOST_MADE = 64  # channels that the convolution gives


class _First(NamedTuple):
    """What lies between the picture and its convolution: rounding, its way back, and the weights' integers."""

    rounding: NodeProto
    back: NodeProto
    weights: TensorProto


def widened(model: ModelProto) -> ModelProto:
    """The same QDQ model with a Pad behind the first QuantizeLinear where that helps; else the model itself."""
    first = _first(Network(model))
    if first is None:
        return model
    pads, made = _unused(model, "more_channels"), _unused(model, "four_channels")
    widths = np.zeros(8, np.int64)
    widths[5] = CHANNELS - COLOURS  # after the last of the second axis
    pad = helper.make_node("Pad", [first.rounding.output[0], pads, first.rounding.input[2]], [made], mode="constant")
    nodes = []
    for node in model.graph.node:
        nodes += [pad, _reading(node, made)] if node.output[0] == first.back.output[0] else [node]
    constants = [_with_zeros(t) if t.name == first.weights.name else t for t in model.graph.initializer]
    return rebuilt(model, nodes, [*constants, numpy_helper.from_array(widths, pads)])


def _first(network: Network) -> _First | None:
    """Those of a picture that one small convolution reads, and nothing else."""
    for rounding in (node for node in network.proto.graph.node if node.op_type == "QuantizeLinear"):
        back = _only_reader(network, rounding.output[0], "DequantizeLinear")
        conv = back and _only_reader(network, back.output[0], "Conv")
        weights = conv and _integers(network, conv)
        if back and weights and len(rounding.input) == 3:
            return _First(rounding, back, weights)
    return None


def _only_reader(network: Network, name: str, kind: str) -> NodeProto | None:
    """The one node that reads a tensor, where it is of that kind and nobody outside sees the tensor."""
    readers = network.readers.get(name, [])
    return readers[0] if len(readers) == 1 and readers[0].op_type == kind and name not in network.ends else None


def _integers(network: Network, conv: NodeProto) -> TensorProto | None:
    """The weights of a convolution that gains: of no other layer, of three channels, a small window, few outputs."""
    floats = network.producers.get(conv.input[1])
    found = floats and network.constants.get(floats.input[0])
    if floats is None or found is None or floats.op_type != "DequantizeLinear" or groups(conv) != 1:
        return None
    alone = len(network.readers[floats.output[0]]) == len(network.readers[found.name]) == 1
    return found if alone and gains(found.dims) and found.data_type == TensorProto.INT8 else None


def gains(shape: Sequence[int]) -> bool:
    """Whether a convolution with weights of this shape does: three channels, a small window, few outputs."""
    made, colours, *window = shape if len(shape) == 4 else (0, 0)
    return bool(window) and colours == COLOURS and max(window) <= LARGEST_WINDOW and made <= MOST_MADE


def _reading(node: NodeProto, name: str) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    copy.input[0] = name
    return copy


def _with_zeros(weights: TensorProto) -> TensorProto:
    integers = numpy_helper.to_array(weights)
    more = [(0, CHANNELS - COLOURS) if axis == 1 else (0, 0) for axis in range(integers.ndim)]
    return numpy_helper.from_array(np.pad(integers, more), weights.name)


def _unused(model: ModelProto, name: str) -> str:
    """The name, or one like it that no tensor of the model has."""
    taken = Network(model).names
    while name in taken:
        name += "_"
    return name
