"""QDQ ONNX -> the float network inside it, with the integers set apart, for engines that write INT8 in their own way.

Between QuantizeLinear and DequantizeLinear a network stays the float one that was quantised: without these pairs, and
with weights made floats again, from_onnx.py reads it as before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from ..graph.weights import Array, Integers, Rounded


def has_zero_points(model: ModelProto) -> bool:
    """Whether activations have zero points, which ncnn and TensorRT do not know."""
    whole = {tensor.name for tensor in model.graph.initializer if tensor.data_type == TensorProto.UINT8}
    return any(node.op_type == "QuantizeLinear" and whole & set(node.input) for node in model.graph.node)


def set_apart(model: ModelProto) -> tuple[ModelProto, Integers]:
    """The float network and its integers, which have no zero points."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {name: node for node in model.graph.node for name in node.output}
    ends = {entry.name for entry in model.graph.output}
    turned = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}  # (in, out)
    names: dict[str, str] = {}
    weights: dict[str, Rounded] = {}
    steps: dict[str, float] = {}
    floats: list[TensorProto] = []
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear":
            continue
        (out,), source = node.output, node.input[0]
        if source in constants:
            weights[out], array = _weight(node, constants, out in turned)
            floats.append(numpy_helper.from_array(array, out))
            continue
        raw = makers[source].input[0]
        kept, gone = (out, raw) if out in ends else (raw, out)
        names[gone] = kept
        steps[kept] = float(numpy_helper.to_array(constants[node.input[1]]))
    return _rewritten(model, names, floats), Integers(weights, {names.get(name, name): s for name, s in steps.items()})


def _weight(node: NodeProto, constants: Mapping[str, TensorProto], turned: bool) -> tuple[Rounded, Array]:
    """Its integers, output channels first, and the floats that they stand for, as they lie in the network."""
    whole, steps = (numpy_helper.to_array(constants[name]) for name in node.input[:2])
    first = np.moveaxis(whole, -1, 0) if turned else whole
    floats = first * steps.reshape(-1, *[1] * (whole.ndim - 1)).astype(np.float32)
    return Rounded(first, steps), np.ascontiguousarray(np.moveaxis(floats, 0, -1) if turned else floats)


def _rewritten(model: ModelProto, names: Mapping[str, str], floats: list[TensorProto]) -> ModelProto:
    """Without the pairs; what they made is called as what they read."""
    found = ModelProto()
    found.CopyFrom(model)
    graph = found.graph
    nodes = [node for node in graph.node if node.op_type not in ("QuantizeLinear", "DequantizeLinear")]
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    del graph.node[:]
    graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend([*constants, *floats])
    return found
