"""What of an ONNX network is made INT8: which nodes, and which of the tensors between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper

Array = np.ndarray[Any, Any]

WEIGHTED = ("Conv", "Gemm", "MatMul")  # nearly all the work and the weights, which become int8
JOINING = ("Add", "Mul", "Concat", "GlobalAveragePool", "AveragePool", "Sigmoid", "LeakyRelu")  # INT8 kernels exist
MOVING = ("MaxPool", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Resize", "Identity")
CHOOSING = ("NonMaxSuppression", "RoiAlign", "TopK")
CLIPPING = ("Relu", "Clip")  # cost nothing after a node of INT8: the ends of the output's range do the same


@dataclass(frozen=True)
class Network:
    """An ONNX model with what the quantiser asks of it."""

    proto: ModelProto

    @property
    def opset(self) -> int:
        """The version of ONNX's own operators; 0 where none is named."""
        return max((one.version for one in self.proto.opset_import if one.domain in ("", "ai.onnx")), default=0)

    @cached_property
    def constants(self) -> dict[str, TensorProto]:
        """The initializers by name."""
        return {tensor.name: tensor for tensor in self.proto.graph.initializer}

    @cached_property
    def producers(self) -> dict[str, NodeProto]:
        """For each tensor that is computed, the node that does it."""
        return {name: node for node in self.proto.graph.node for name in node.output}

    @cached_property
    def readers(self) -> dict[str, list[NodeProto]]:
        """For each tensor, the nodes that read it."""
        found: dict[str, list[NodeProto]] = {}
        for node in self.proto.graph.node:
            for name in node.input:
                found.setdefault(name, []).append(node)
        return found

    @cached_property
    def names(self) -> set[str]:
        """Of all its tensors."""
        return {*self.constants, *self.producers, *self.readers}

    @cached_property
    def ends(self) -> set[str]:
        """The outputs of the network."""
        return {output.name for output in self.proto.graph.output}

    @cached_property
    def weighted(self) -> list[NodeProto]:
        """The nodes whose weights become int8, in order of execution."""
        return [node for node in self.proto.graph.node if node.op_type in WEIGHTED and self._has_matrix(node)]

    @cached_property
    def users(self) -> dict[str, list[NodeProto]]:
        """For each weight, the weighted nodes that have it."""
        found: dict[str, list[NodeProto]] = {}
        for node in self.weighted:
            found.setdefault(node.input[1], []).append(node)
        return found

    def _has_matrix(self, node: NodeProto) -> bool:
        weight = self.constants.get(node.input[1])
        if weight is None or weight.data_type != TensorProto.FLOAT or len(weight.dims) < 2:
            return False
        if self._is_distribution(node.input[0]):  # their mean follows, which says where a box of YOLO ends
            return False
        users = [other for other in self.readers[weight.name] if other.op_type in WEIGHTED]
        return len({channel_axis(other) for other in users}) == 1  # scales have one axis

    def _is_distribution(self, name: str) -> bool:
        """Whether a Softmax made these numbers, wherever they were moved since."""
        node = self.producers.get(name)
        while node is not None and node.op_type in MOVING:
            node = self.producers.get(node.input[0])
        return node is not None and node.op_type == "Softmax"

    @cached_property
    def heads(self) -> list[str]:
        """What the last weighted nodes give: logits, or a detector's raw predictions; what follows is never rounded.

        Of a two-stage detector the first stage's only: the second looks at other places as soon as the first changes.
        """
        inner = {name for node in (*self.weighted, *self.between()) for name in self.data_of(node)}
        last = [node.output[0] for node in self.weighted if not self._leads_on(node.output[0], inner)]
        return [name for name in last if not self._chosen(name)]

    def _leads_on(self, name: str, inner: set[str]) -> bool:
        """Whether a tensor, or what becomes of it without any work, is read by a weighted node or on the way to one."""
        return name in inner or any(
            node.op_type in (*MOVING, *CLIPPING) and self._leads_on(node.output[0], inner)
            for node in self.readers.get(name, [])
        )

    def _chosen(self, name: str) -> bool:
        """Whether a tensor depends on boxes that were chosen before."""
        waiting, seen = [name], set[str]()
        while waiting:
            node = self.producers.get(waiting.pop())
            if node is None or node.output[0] in seen:
                continue
            if node.op_type in CHOOSING:
                return True
            seen.add(node.output[0])
            waiting += node.input
        return False

    def between(self, kept: frozenset[str] = frozenset()) -> list[NodeProto]:
        """The joining and moving nodes that lead to a weighted one; none after the last (softmax, decoding, NMS).

        Weighted nodes that are kept in float do not count. Only data are followed back: of a Resize, a Reshape or a
        Slice the first input; the others are sizes.
        """
        seen: dict[str, NodeProto] = {}
        waiting = [node.input[0] for node in self.weighted if node.output[0] not in kept]
        while waiting:
            node = self.producers.get(waiting.pop())
            if node is None or node.output[0] in seen or node.op_type in WEIGHTED:
                continue
            if node.op_type not in (*JOINING, *MOVING, *CLIPPING):
                continue
            seen[node.output[0]] = node
            waiting += self.data_of(node)
        return [node for node in self.proto.graph.node if node.output[0] in seen]

    def data_of(self, node: NodeProto) -> list[str]:
        """The inputs that are activations: computed or fed, not constant."""
        many = node.op_type in ("Add", "Mul", "Concat")
        return [name for name in (node.input if many else node.input[:1]) if name not in self.constants]

    def weight(self, node: NodeProto) -> Array:
        """The weights of a weighted node, output channels first: (out, in / groups, ...)."""
        array = numpy_helper.to_array(self.constants[node.input[1]])
        return array if channel_axis(node) == 0 else np.moveaxis(array, -1, 0)

    def bias(self, node: NodeProto) -> Array | None:
        """The bias of a weighted node, (out,); None where it has none."""
        if len(node.input) < 3 or node.input[2] not in self.constants:
            return None
        return numpy_helper.to_array(self.constants[node.input[2]])

    def clipped(self, name: str) -> str:
        """The tensor after the ReLU or Clip that alone reads this one; else itself."""
        readers = self.readers.get(name, [])
        alone = len(readers) == 1 and readers[0].op_type in CLIPPING and name not in self.ends
        return self.clipped(readers[0].output[0]) if alone else name

    def never_negative(self, name: str) -> bool:
        """Whether a tensor comes from a ReLU, or a Clip at 0 or above."""
        node = self.producers.get(name)
        if node is None or node.op_type == "Relu":
            return node is not None
        least = self.constants.get(node.input[1]) if node.op_type == "Clip" and len(node.input) > 1 else None
        return least is not None and bool(numpy_helper.to_array(least) >= 0)

    def is_shape_only(self, name: str) -> bool:
        """Whether a tensor is computed by moving another's numbers: it has that one's range."""
        node = self.producers.get(name)
        return node is not None and node.op_type in MOVING and not _interpolates(node)


def rebuilt(source: ModelProto, nodes: Iterable[NodeProto], constants: Iterable[TensorProto]) -> ModelProto:
    """A model of the same inputs, outputs, versions and metadata around other nodes; no large constant is copied in
    vain.
    """
    made = ModelProto(
        ir_version=source.ir_version,
        producer_name=source.producer_name,
        producer_version=source.producer_version,
        opset_import=source.opset_import,
        metadata_props=source.metadata_props,
        graph=GraphProto(name=source.graph.name, input=source.graph.input, output=source.graph.output),
    )
    made.graph.node.extend(nodes)  # in its place, since a graph that is put into a model is copied
    made.graph.initializer.extend(constants)
    return made


def channel_axis(node: NodeProto) -> int:
    """The axis of a weighted node's weights that holds the output channels."""
    transposed = node.op_type == "Conv" or any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if transposed else 1


def groups(node: NodeProto) -> int:
    """The groups of a convolution."""
    return next((int(a.i) for a in node.attribute if a.name == "group"), 1)


def activations(network: Network, kept: frozenset[str] = frozenset(), dense: bool = False) -> Iterator[str]:
    """The tensors that become uint8, once each: what the INT8 nodes read, and what they give.

    kept   weighted nodes that stay in float, by the name of their output
    dense  also what linear layers give, which can be float
    """
    in_int8 = {node.output[0] for node in (*network.between(kept), *network.weighted)} - kept
    found: dict[str, None] = {}
    for node in network.proto.graph.node:
        if node.output[0] not in in_int8 or node.op_type in CLIPPING:
            continue
        found |= dict.fromkeys(network.data_of(node))
        if dense or node.op_type not in ("Gemm", "MatMul"):
            found[network.clipped(node.output[0])] = None
    yield from found


def _interpolates(node: NodeProto) -> bool:
    return node.op_type == "Resize" and any(a.name == "mode" and a.s != b"nearest" for a in node.attribute)
