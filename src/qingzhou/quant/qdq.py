"""An ONNX model with QuantizeLinear and DequantizeLinear around what becomes INT8 ("QDQ").

uint8 activations with a zero point, int8 weights for each output channel: the one form that onnxruntime, OpenVINO and
ARM all run fast. For ncnn and TensorRT, which know no zero points, activations are int8 around zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from .network import Array, Network, activations, channel_axis, groups, rebuilt
from .ranges import Range

LEAST = 1e-8  # of a scale: a channel of zeros must not divide by zero
BIAS_MOST = 2**30  # of an int32 bias, leaving room for the sum it is added to


@dataclass(frozen=True)
class Scheme:
    """How numbers become integers.

    symmetric  activations as int8 around zero (ncnn, TensorRT), instead of uint8 with a zero point
    narrow     weights of 7 bits: processors without VNNI add two products in 16 bits, which 8 bits overflow
    dense      what linear layers give is rounded too, which others than LiteRT can give as floats
    """

    symmetric: bool = False
    narrow: bool = False
    dense: bool = False

    @property
    def weight_most(self) -> int:
        """The largest integer of a weight."""
        return 64 if self.narrow else 127


def to_qdq(
    network: Network,
    ranges: Mapping[str, Range],
    scheme: Scheme,
    kept: frozenset[str] = frozenset(),
    means: Mapping[str, Array] | None = None,
    known: Known | None = None,
) -> ModelProto:
    """The INT8 form of a network.

    ranges  of every activation; kept: weighted nodes that stay in float, by the name of their output
    means   of the channels of activations: where given, biases make up for what rounding the weights adds on average
            (Nagel et al. 2019, https://arxiv.org/abs/1906.04721, section 4.2)
    known   what other forms of the same network have in common with this one
    """
    return _Writer(network, ranges, scheme, kept, means or {}, known or Known()).model()


@dataclass
class Known:
    """What forms of one network have in common that have the same scheme, and the same means if any.

    scales    by the float weights' name, of each output channel: what the weights alone ask for
    integers  by the weights' name, with the scales that they were rounded by
    shifts    by the layer's output: what rounding adds, with the scales
    """

    scales: dict[str, Array] = field(default_factory=dict)
    integers: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    shifts: dict[str, tuple[Array, Array]] = field(default_factory=dict)


@dataclass
class _Writer:
    """raw, rounded  an activation's name before and after rounding
    scales        the constant with its scale
    weights       by the float weights' name that of the rounded ones, and that of their scales
    used          how often a name was given
    """

    network: Network
    ranges: Mapping[str, Range]
    scheme: Scheme
    kept: frozenset[str]
    means: Mapping[str, Array]
    known: Known
    nodes: list[NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)
    raw: dict[str, str] = field(default_factory=dict)
    rounded: dict[str, str] = field(default_factory=dict)
    scales: dict[str, str] = field(default_factory=dict)
    weights: dict[str, tuple[str, str]] = field(default_factory=dict)
    used: Counter[str] = field(default_factory=Counter)

    def model(self) -> ModelProto:
        """Everything, in order: a tensor's pair follows the node that makes it."""
        wanted = set(activations(self.network, self.kept, self.scheme.dense))
        ends = wanted & self.network.ends  # outputs keep their names; what was computed before rounding gets another
        self.raw = {name: self._new(f"{name}/float") for name in ends}
        self.rounded = {name: name if name in ends else self._new(f"{name}/int8") for name in wanted}
        weighted = {node.output[0] for node in self.network.weighted} - self.kept
        for entry in self.network.proto.graph.input:
            if entry.name in wanted:
                self._pair(entry.name)
        for node in self.network.proto.graph.node:
            self._node(node, node.output[0] in weighted)
            for name in node.output:
                if name in wanted:
                    self._pair(name)
        return self._assembled()

    def _node(self, node: NodeProto, weighted: bool) -> None:
        copy = NodeProto()
        copy.CopyFrom(node)
        if weighted:
            self._weights(copy)
        names = self.raw if node.output[0] in self.kept else self.rounded  # layers in float read what was not rounded
        copy.input[:] = [names.get(name, name) for name in copy.input]
        copy.output[:] = [self.raw.get(name, name) for name in copy.output]
        self.nodes.append(copy)

    def _pair(self, name: str) -> None:
        """Round a tensor to integers and back."""
        scale, zero = self._parameters(name)
        self.scales[name] = self._constant("scale", np.array(scale, np.float32))
        ends = [self.scales[name], self._constant(f"zero{zero}", zero, shared=True)]
        integers = self._new("integers")
        self._add("QuantizeLinear", [self.raw.get(name, name), *ends], integers)
        self._add("DequantizeLinear", [integers, *ends], self.rounded[name])

    def _parameters(self, name: str) -> tuple[float, Array]:
        """Scale and zero point. What only moves numbers keeps those of its source, so that it can run on integers."""
        source = name
        while self.network.is_shape_only(source) and self.network.producers[source].input[0] in self.ranges:
            source = self.network.producers[source].input[0]
        low, high = self.ranges[source]
        if self.scheme.symmetric:
            return max(-low, high, LEAST * 127) / 127, np.array(0, np.int8)
        scale = float(np.float32(max(high - low, LEAST * 255) / 255))
        return scale, np.array(np.clip(round(-low / scale), 0, 255), np.uint8)

    def _weights(self, node: NodeProto) -> None:
        """int8 weights with a scale for each output channel; an int32 bias in the scale of the products."""
        name, bias = node.input[1], self.network.bias(node)
        scales = self._channel_scales(name)
        integers = self._integers(node, scales)
        shift = self._shift(node, integers, scales)
        node.input[1], stored = self._stored(name, integers, scales, channel_axis(node))
        if bias is None and node.op_type == "MatMul":
            return
        floats = (np.zeros(len(integers)) if bias is None else bias) - shift
        del node.input[2:]
        node.input.append(self._bias(node, floats, stored))

    def _integers(self, node: NodeProto, scales: Array) -> Array:
        """The weights of a layer, rounded to int8, output channels first."""
        known = self.known.integers.get(node.input[1])
        if known is not None and np.array_equal(known[0], scales):
            return known[1]
        weight, most = self.network.weight(node), self.scheme.weight_most
        integers = np.clip(np.rint(weight / _wide(scales, weight)), -most, most).astype(np.int8)
        self.known.integers[node.input[1]] = scales, integers
        return integers

    def _stored(self, name: str, integers: Array, scales: Array, axis: int) -> tuple[str, str]:
        """The weights as floats again, from integers, and their scales; those that layers share are there once."""
        if name not in self.weights:
            laid = integers if axis == 0 else np.ascontiguousarray(np.moveaxis(integers, 0, -1))
            ends = [self._constant("weight", laid), self._constant("scales", scales)]
            ends.append(self._constant(f"zeros{len(scales)}", np.zeros(len(scales), np.int8), shared=True))
            self.weights[name] = self._add("DequantizeLinear", ends, self._new(f"{name}/int8"), axis=axis), ends[1]
        return self.weights[name]

    def _bias(self, node: NodeProto, bias: Array, scales: str) -> str:
        """Its scale is the weight's times the input's: engines add it to the sum of the products as it is. That scale
        is not stored, but multiplied once, when the model is loaded.
        """
        if self.scheme.symmetric:  # ncnn and TensorRT take no integers for a bias
            return self._constant("bias", bias.astype(np.float32))
        parts = [self.scales[node.input[0]], scales]
        one, many = (numpy_helper.to_array(self.constants[part]) for part in parts)
        products = one * many  # float32, as the engine multiplies
        integers = np.clip(np.rint(bias / products.astype(np.float64)), -BIAS_MOST, BIAS_MOST).astype(np.int32)
        ends = [self._constant("bias", integers), self._add("Mul", parts, self._new("products"))]
        return self._add("DequantizeLinear", ends, self._new(f"{node.output[0]}/bias"), axis=0)

    def _channel_scales(self, name: str) -> Array:
        """Of each output channel, (out,), the same for every layer that shares these weights; large enough that
        their biases fit into 32 bits.
        """
        users = [node for node in self.network.users[name] if node.output[0] not in self.kept]
        if name not in self.known.scales:
            weight = self.network.weight(users[0])
            most = np.abs(weight).reshape(len(weight), -1).max(axis=1).astype(np.float64)
            self.known.scales[name] = np.maximum(most / self.scheme.weight_most, LEAST)
        scales = self.known.scales[name]
        for node in users:
            bias = self.network.bias(node)
            if bias is not None:
                source, _ = self._parameters(node.input[0])
                scales = np.maximum(scales, np.abs(bias) / (source * BIAS_MOST))
        return np.asarray(scales.astype(np.float32))

    def _shift(self, node: NodeProto, integers: Array, scales: Array) -> Array | float:
        """What the rounded weights add to each output channel on average, borders apart."""
        means = self.means.get(node.input[0])
        if means is None or node.op_type == "MatMul":
            return 0.0
        known = self.known.shifts.get(node.output[0])
        if known is not None and np.array_equal(known[0], scales):
            return known[1]
        weight = self.network.weight(node)
        error = integers * _wide(scales, weight) - weight
        sums = error.reshape(*error.shape[:2], -1).sum(axis=2)  # (out, in / groups)
        parts = means.reshape(groups(node), -1)
        out = sums.reshape(groups(node), -1, sums.shape[1])
        shift = np.asarray(np.einsum("goi,gi->go", out, parts).reshape(-1))
        self.known.shifts[node.output[0]] = scales, shift
        return shift

    def _add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _constant(self, kind: str, array: Array, shared: bool = False) -> str:
        """A new constant, or the one of that kind that is there."""
        name = kind if shared and kind in self.constants else self._new(kind)
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def _new(self, name: str) -> str:
        """A name that nothing in the network has: short ones with a number, since there are hundreds of them."""
        self.used[name] += 1
        unique = name if self.used[name] == 1 else f"{name}{self.used[name]}"
        return unique if unique not in self.network.names else self._new(name)

    def _assembled(self) -> ModelProto:
        """The model around the new nodes: of the old constants only what is still read."""
        source = self.network.proto
        read = {name for node in self.nodes for name in node.input}
        constants = [tensor for tensor in source.graph.initializer if tensor.name in read]
        return rebuilt(source, self.nodes, [*constants, *self.constants.values()])


def _wide(scales: Array, weight: Array) -> Array:
    """The scales of output channels, float64, beside weights that have these first."""
    return scales.astype(np.float64).reshape(-1, *[1] * (weight.ndim - 1))
