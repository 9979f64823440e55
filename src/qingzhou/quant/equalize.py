"""Cross-layer equalisation: channels that are much larger than others waste the levels of all, so they change places
with the weights that read them.

Between two layers with nothing but a ReLU or a pooling, a channel may be divided by any number if the weights that read
it are multiplied by it: the network computes the same. Nagel et al. 2019, https://arxiv.org/abs/1906.04721, section
4.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from onnx import NodeProto, TensorProto, numpy_helper

from .network import Array, Network, channel_axis, groups, rebuilt

PASSING = ("Relu", "MaxPool", "AveragePool", "GlobalAveragePool")  # a factor of a channel goes through
ROUNDS = 3  # a layer belongs to two pairs, so one round is not the end
LEAST = 1e-9  # of a channel's range: dead ones stay as they are


def equalized(network: Network) -> Network | None:
    """The same network with channels of like ranges; None where no two layers follow each other that way."""
    pairs = list(_pairs(network))
    if not pairs:
        return None
    arrays = {name: numpy_helper.to_array(tensor).copy() for name, tensor in _read(network, pairs).items()}
    for _ in range(ROUNDS):
        for first, second in pairs:
            _equalize(arrays, first, second)
    constants = [
        numpy_helper.from_array(arrays[tensor.name], tensor.name) if tensor.name in arrays else tensor
        for tensor in network.proto.graph.initializer
    ]
    return Network(rebuilt(network.proto, network.proto.graph.node, constants))


def _pairs(network: Network) -> Iterator[tuple[NodeProto, NodeProto]]:
    """Layers whose channels only the second reads, each with weights of its own."""
    weighted = {node.output[0]: node for node in network.weighted if channel_axis(node) == 0 and _alone(network, node)}
    for second in weighted.values():
        name = second.input[0]
        while len(network.readers[name]) == 1 and name not in network.ends and name not in weighted:
            node = network.producers.get(name)
            if node is None or node.op_type not in PASSING:
                break
            name = node.input[0]
        if name in weighted and len(network.readers[name]) == 1 and name not in network.ends:
            yield weighted[name], second


def _alone(network: Network, node: NodeProto) -> bool:
    """Whether the layer's weights and bias are constants that nothing else reads."""
    return all(name in network.constants and len(network.readers[name]) == 1 for name in node.input[1:])


def _read(network: Network, pairs: list[tuple[NodeProto, NodeProto]]) -> Mapping[str, TensorProto]:
    return {name: network.constants[name] for pair in pairs for node in pair for name in node.input[1:]}


def _equalize(arrays: Mapping[str, Array], first: NodeProto, second: NodeProto) -> None:
    """Both ranges of a channel, where it is made and where it is read, become their geometric mean."""
    made, read = arrays[first.input[1]], arrays[second.input[1]]
    parts = read.reshape(groups(second), -1, *read.shape[1:])  # (groups, out, in / groups, ...): a view
    before = np.abs(made).reshape(len(made), -1).max(axis=1)
    after = np.moveaxis(np.abs(parts), 2, 1).reshape(len(made), -1).max(axis=1)
    alive = (before > LEAST) & (after > LEAST)
    factors = np.where(alive, np.sqrt(after / np.where(alive, before, 1)), 1).astype(np.float32)
    made *= factors.reshape(-1, *[1] * (made.ndim - 1))
    for bias in first.input[2:]:
        arrays[bias][...] *= factors
    parts /= factors.reshape(groups(second), 1, -1, *[1] * (read.ndim - 2))
