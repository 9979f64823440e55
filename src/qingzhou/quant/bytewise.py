"""Pixels that go into an INT8 convolution as the bytes they are: no normalisation and no rounding before it.

(x - mean) / std is linear, so weights and bias could do it, but for the border: the convolution fills up with 0, which
means the mean, and bytes have no such level. So a fourth channel says what is picture: it is 255 there, and 0 in the
border. Its weights take the mean away, so that a border of zeros means what it did:

    sum_c w_c (x_c - mean_c) / std_c  =  sum_c (w_c / std_c) x_c  +  255 v,   v = -sum_c w_c mean_c / std_c / 255

Four channels are also what onnxruntime gathers faster; so it is done where wide.py would do that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .network import Array, Network, groups, rebuilt
from .qdq import BIAS_MOST, LEAST, Scheme
from .wide import gains

THERE = 255  # what the fourth channel holds where there is picture
PADS, VALUE, ZERO, PIXELS = "pixels/pads", "pixels/there", "pixels/zero", "pixels/four"


@dataclass(frozen=True)
class _Way:
    """From the input to its convolution: what is left out, the pair's second half, the convolution, (C,) mean and std;
    activation: what the pair rounds.
    """

    left_out: list[str]
    back: NodeProto
    conv: NodeProto
    mean: Array
    std: Array
    activation: str


def bytewise(model: ModelProto, network: Network, means: Mapping[str, Array], scheme: Scheme) -> ModelProto:
    """The QDQ form of a network with its first convolution on bytes, if it takes them and that helps; else as it is.

    means  of the channels of activations, from the calibration: the bias makes up for what rounding the weights adds
    """
    made = Network(model)
    way = _way(made)
    first = None if way is None else network.producers.get(way.conv.output[0])
    if way is None or first is None or not gains(network.weight(first).shape):
        return model
    weights, bias = _on_bytes(network, first, way)
    scales = _scales(weights, bias, scheme)
    wide = scales.astype(np.float64).reshape(-1, 1, 1, 1)
    usual = np.append(means.get(way.activation, np.zeros(len(way.mean))) * way.std + way.mean, THERE)
    integers = np.clip(np.rint(weights / wide), -scheme.weight_most, scheme.weight_most)
    bias = bias - (integers * wide - weights).sum(axis=(2, 3)) @ usual
    new = {
        **_numbers(made, way, integers.astype(np.int8), scales),
        _bias_of(made, way.conv): np.rint(bias / scales.astype(np.float64)).astype(np.int32),
        PADS: np.array([0, 0, 0, 0, 0, 1, 0, 0], np.int64),
        VALUE: np.array(THERE, np.uint8),
        ZERO: np.array(0, np.uint8),
    }
    return _assembled(made, way, new)


def _way(made: Network) -> _Way | None:
    """None where no uint8 input leads to a convolution that alone reads it, through no more than a normalisation."""
    for entry in made.proto.graph.input:
        if entry.type.tensor_type.elem_type != TensorProto.UINT8:
            continue
        nodes = _line(made, entry.name)
        numbers = {node.op_type: _row(made, node) for node in nodes if node.op_type in ("Sub", "Div")}
        if [n.op_type for n in nodes if n.op_type not in numbers] != [
            "Cast",
            "QuantizeLinear",
            "DequantizeLinear",
            "Conv",
        ]:
            return None
        *before, rounding, back, conv = nodes
        plain = groups(conv) == 1 and len(conv.input) == 3 and len(made.readers[conv.input[1]]) == 1
        mean, std = numbers.get("Sub", np.zeros(3)), numbers.get("Div", np.ones(3))
        if plain and mean is not None and std is not None and mean.shape == std.shape == (3,):
            gone = [node.output[0] for node in (*before, rounding)]
            return _Way(gone, back, conv, mean, std, rounding.input[0])
    return None


def _line(made: Network, name: str) -> list[NodeProto]:
    """The nodes that read one another, up to the first convolution; [] where a value has several readers."""
    found: list[NodeProto] = []
    while not found or found[-1].op_type != "Conv":
        readers = made.readers.get(name, [])
        if len(readers) != 1 or name in made.ends or len(found) > 5 or readers[0].input[0] != name:
            return []
        found.append(readers[0])
        name = readers[0].output[0]
    return found


def _row(made: Network, node: NodeProto) -> Array | None:
    """The numbers of a Sub or Div, one for each channel; None where they are no such constant."""
    tensor = made.constants.get(node.input[1])
    array = None if tensor is None else numpy_helper.to_array(tensor).astype(np.float64)
    return array.reshape(-1) if array is not None and array.shape == (3, 1, 1) else None


def _on_bytes(network: Network, first: NodeProto, way: _Way) -> tuple[Array, Array]:
    """Weights (out, 4, kh, kw) and bias (out,) of the same convolution on bytes and on what says where they are."""
    weights = network.weight(first).astype(np.float64) / way.std.reshape(-1, 1, 1)
    there = -(weights * way.mean.reshape(-1, 1, 1)).sum(axis=1, keepdims=True) / THERE
    bias = network.bias(first)
    return np.concatenate([weights, there], axis=1), np.zeros(len(weights)) if bias is None else bias.astype(np.float64)


def _scales(weights: Array, bias: Array, scheme: Scheme) -> Array:
    """Of each output channel, large enough for its weights and its bias."""
    scales = np.maximum(np.abs(weights).max(axis=(1, 2, 3)) / scheme.weight_most, LEAST)
    return np.asarray(np.maximum(scales, np.abs(bias) / BIAS_MOST).astype(np.float32))


def _numbers(made: Network, way: _Way, integers: Array, scales: Array) -> dict[str, Array]:
    """The new numbers of the constants that the weights and the bytes are made floats with."""
    stored = made.producers[way.conv.input[1]]
    return {stored.input[0]: integers, stored.input[1]: scales, way.back.input[1]: np.array(1, np.float32)}


def _bias_of(made: Network, conv: NodeProto) -> str:
    return str(made.producers[conv.input[2]].input[0])


def _assembled(made: Network, way: _Way, new: Mapping[str, Array]) -> ModelProto:
    """The model with a Pad in the place of what is left out, and with the new numbers."""
    source = next(node.input[0] for node in made.proto.graph.node if node.output[0] == way.left_out[0])
    back = NodeProto()
    back.CopyFrom(way.back)
    back.input[0], back.input[2] = PIXELS, ZERO
    pad = helper.make_node("Pad", [source, PADS, VALUE], [PIXELS], mode="constant")
    nodes: list[NodeProto] = []
    for node in made.proto.graph.node:
        if node.output[0] == way.back.output[0]:
            nodes += [pad, back]
        elif node.output[0] not in way.left_out:
            nodes.append(node)
    read = {name for node in nodes for name in node.input}
    kept = [tensor for name, tensor in made.constants.items() if name in read and name not in new]
    return rebuilt(made.proto, nodes, [*kept, *(numpy_helper.from_array(array, name) for name, array in new.items())])
