"""Smaller files of the same speed: weights stored as FP16 or int8, made floats again when the model is loaded.

An engine computes what depends on constants only once, at the start; so a Cast (and a Mul by the channels' scales)
costs nothing afterwards. All arithmetic stays in float.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .network import Array, Network, channel_axis, rebuilt

FEWEST = 1024  # numbers of a tensor that is worth it
LARGEST_HALF = 65504.0  # the largest finite number of FP16
LEAST = 1e-12  # of a scale: a channel of zeros must not divide by zero

Stored = tuple[list[TensorProto], list[NodeProto]]


def stored(network: Network, form: str) -> ModelProto | None:
    """A model with its large tensors of weights in another form: "fp16", or "int8-weights"; None where it has none."""
    put: Callable[[str, Array], Stored | None] = _half if form == "fp16" else _by_channel(network)
    constants: list[TensorProto] = []
    nodes: list[NodeProto] = []
    for tensor in network.proto.graph.initializer:
        parts = put(tensor.name, numpy_helper.to_array(tensor)) if is_large(tensor) else None
        constants += parts[0] if parts else [tensor]
        nodes += parts[1] if parts else []
    if not nodes:
        return None
    nodes += network.proto.graph.node
    return rebuilt(network.proto, nodes, constants)


def is_large(tensor: TensorProto) -> bool:
    """Whether a tensor is stored in another form: floats of weights, and enough of them."""
    return tensor.data_type == TensorProto.FLOAT and len(tensor.dims) >= 2 and np.prod(tensor.dims) >= FEWEST


def _half(name: str, array: Array) -> Stored | None:
    """None where a number is too large for FP16."""
    if not np.abs(array).max(initial=0.0) <= LARGEST_HALF:
        return None
    tensor = numpy_helper.from_array(array.astype(np.float16), f"{name}/half")
    return [tensor], [_cast(tensor.name, name)]


def _by_channel(network: Network) -> Callable[[str, Array], Stored]:
    """int8 with a scale for each output channel; of an LSTM for each gate's row, of an embedding for each word."""
    axes = {node.input[1]: channel_axis(node) for node in network.weighted}

    def put(name: str, array: Array) -> Stored:
        axis = axes.get(name, array.ndim - 2)
        others = tuple(n for n in range(array.ndim) if n != axis)
        scales = np.maximum(np.abs(array).max(axis=others, keepdims=True) / 127, LEAST).astype(np.float32)
        integers = np.clip(np.rint(array / scales), -127, 127).astype(np.int8)
        tensors = [numpy_helper.from_array(integers, f"{name}/q"), numpy_helper.from_array(scales, f"{name}/scales")]
        floats = helper.make_node("Mul", [f"{name}/floats", f"{name}/scales"], [name], name=f"Mul:{name}")
        return tensors, [_cast(f"{name}/q", f"{name}/floats"), floats]

    return put


def _cast(source: str, name: str) -> NodeProto:
    return helper.make_node("Cast", [source], [name], name=f"Cast:{name}", to=TensorProto.FLOAT)
