"""Each weight of an INT8 file is a byte, and so of a small network names are a good part: they are shortened."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from onnx import ModelProto, NodeProto, TensorProto

from .network import Network, rebuilt

SMALL = 128  # bytes of a constant that is compared with others
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def brief(model: ModelProto, before: Network) -> ModelProto:
    """The same model: equal small constants are there once, and what `before` has not got has short names.

    What its layers give keeps the name, so that people find their way in the file.
    """
    kept = {name for node in before.proto.graph.node for name in node.output}
    kept |= {entry.name for entry in (*model.graph.input, *model.graph.output)}
    names = {"": "", **{name: name for name in kept}}
    free = (name for name in _counted() if name not in kept)
    constants = list(_once(model, names, free))
    nodes = [_renamed(node, names, free) for node in model.graph.node]
    return rebuilt(model, nodes, constants)


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
