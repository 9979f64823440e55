"""Each weight of an INT8 file is a byte, and so of a small network the rest is a good part: it is shortened."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from .network import CLIPPING, Network, rebuilt

SMALL = 128  # bytes of a constant that is compared with others
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def brief(model: ModelProto, before: Network) -> ModelProto:
    """The same model: equal small constants are there once, what `before` has not got has short names, and rounding
    does the work of a ReLU.

    What its layers give keeps the name, so that people find their way in the file.
    """
    model = _straightened(model)
    kept = {name for node in before.proto.graph.node for name in node.output}
    kept |= {entry.name for entry in (*model.graph.input, *model.graph.output)}
    names = {"": "", **{name: name for name in kept}}
    free = (name for name in _counted() if name not in kept)
    constants = list(_once(model, names, free))
    nodes = [_renamed(node, names, free) for node in model.graph.node]
    return rebuilt(model, nodes, constants)


def _straightened(model: ModelProto) -> ModelProto:
    """Without each ReLU or Clip after which numbers are rounded to integers that end where it cuts off."""
    network, left_out = Network(model), dict[str, str]()
    for node in model.graph.node:
        readers = network.readers.get(node.output[0], [])
        rounded = len(readers) == 1 and readers[0].op_type == "QuantizeLinear" and node.output[0] not in network.ends
        if node.op_type in CLIPPING and rounded and _is_cut_off(node, readers[0], network):
            left_out[node.output[0]] = node.input[0]
    nodes = [node for node in model.graph.node if node.output[0] not in left_out]
    read = {name for node in nodes for name in node.input}
    short = rebuilt(model, nodes, [tensor for tensor in model.graph.initializer if tensor.name in read])
    for node in short.graph.node:
        node.input[:] = [left_out.get(name, name) for name in node.input]
    return short


def _is_cut_off(clip: NodeProto, rounding: NodeProto, network: Network) -> bool:
    """Whether all that a ReLU or Clip changes becomes the first or the last of the integers in any case."""
    scale, zero = (numpy_helper.to_array(network.constants[name]) for name in rounding.input[1:3])
    if zero.dtype != np.uint8 or int(zero) != 0:
        return False
    if clip.op_type == "Relu":
        return True
    if len(clip.input) < 3 or not set(clip.input[1:]) <= set(network.constants):
        return False
    low, high = (numpy_helper.to_array(network.constants[name]) for name in clip.input[1:])
    return float(low) == 0 and float(np.rint(high / scale)) >= np.iinfo(np.uint8).max


def _once(model: ModelProto, names: dict[str, str], free: Iterator[str]) -> Iterator[TensorProto]:
    """The constants under their new names, which are put down."""
    known: dict[bytes, str] = {}
    for tensor in model.graph.initializer:
        copy = TensorProto()
        copy.CopyFrom(tensor)
        copy.name = ""
        content = copy.SerializeToString() if copy.ByteSize() <= SMALL else b""
        if tensor.name not in names and content in known:
            names[tensor.name] = known[content]
            continue
        copy.name = names[tensor.name] if tensor.name in names else next(free)
        names[tensor.name] = copy.name
        if content:
            known.setdefault(content, copy.name)
        yield copy


def _renamed(node: NodeProto, names: dict[str, str], free: Iterator[str]) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    for name in node.output:
        if name not in names:
            names[name] = next(free)
    copy.input[:] = [names[name] for name in node.input]
    copy.output[:] = [names[name] for name in node.output]
    return copy


def _counted() -> Iterator[str]:
    """0, 1, … z, 00, 01, …"""
    for length in itertools.count(1):
        yield from map("".join, itertools.product(DIGITS, repeat=length))
