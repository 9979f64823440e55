"""How many axes the values of an .onnx can have, known before its shapes are inferred.

onnx copies every axis of a value to what comes of it, and makes as many as a shape's own length says, whatever that
takes. So a bound is worked out first, and only models whose values stay small are inferred.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..files.limits import MOST_AXES

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TypeProto

MOST_LISTED = 1024  # numbers of a vector that is put together
GROWS = {"Gather": -1, "GatherND": 0}  # the axes of all inputs, and so many more
PLUS_ONE = {"OneHot", "ConcatFromSequence", "LSTM", "GRU", "RNN", "If", "Loop", "Scan"}
BY_SHAPE = {"Reshape": 1, "Expand": 1, "ConstantOfShape": 0, "Col2Im": 1}  # which input is a shape
VECTORS = {
    "Shape", "Concat", "Gather", "Slice", "Unsqueeze", "Squeeze", "Cast", "Floor", "Ceil", "Mul", "Add", "Sub", "Div",
    "Max", "Min", "Where", "Abs", "Mod", "Neg", "Equal", "Identity", "Sqrt",
}  # what shapes are computed with: as many numbers as the longest input has  # fmt: skip
KEEPS = VECTORS | {
    "Acos", "And", "ArgMax", "ArgMin", "Asin", "Atan", "AveragePool", "BatchNormalization", "BitShift", "CastLike",
    "Celu", "Clip", "Compress", "Conv", "ConvInteger", "ConvTranspose", "Cos", "Cosh", "CumSum", "DepthToSpace",
    "DequantizeLinear", "Det", "Dropout", "DynamicQuantizeLinear", "Elu", "Erf", "Exp", "EyeLike", "Flatten",
    "GatherElements", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GridSample",
    "GroupNormalization", "HardSigmoid", "HardSwish", "Hardmax", "InstanceNormalization", "IsInf", "IsNaN", "LRN",
    "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "LpPool",
    "MatMul", "MatMulInteger", "MaxPool", "MaxRoiPool", "MaxUnpool", "Mean", "MeanVarianceNormalization", "Mish",
    "NonMaxSuppression", "NonZero", "Not", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul",
    "QuantizeLinear", "RandomNormalLike", "RandomUniformLike", "Range", "Reciprocal", "ReduceL1", "ReduceL2",
    "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
    "ReduceSumSquare", "Relu", "Resize", "ReverseSequence", "RoiAlign", "Round", "Scatter", "ScatterElements",
    "ScatterND", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Softmax", "Softplus", "Softsign",
    "SpaceToDepth", "Split", "Sum", "Tan", "Tanh", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unique",
    "Upsample", "Xor",
}  # fmt: skip
USUAL = 4  # axes that these make by themselves, at most

Bound = ChainMap[str, int]  # of values, those of the graphs around included


class Unbounded(Exception):
    """Values may have very many axes, or nothing is known of an operator."""


def check_ranks(model: ModelProto) -> None:
    """Unbounded unless every value of the model has at most MOST_AXES axes, whatever onnx infers."""
    _Axes(model.graph, ChainMap(), ChainMap()).follow()


class _Axes:
    """Of the values of a graph: the most axes, and of vectors the most numbers, where that is known."""

    def __init__(self, graph: GraphProto, ranks: Bound, lengths: Bound) -> None:
        self.graph, self.ranks, self.lengths = graph, ranks, lengths

    def follow(self) -> int:
        """All nodes; the most axes that an output has."""
        graph = self.graph
        for info in (*graph.input, *graph.value_info, *graph.output):
            self.declare(info.name, list(_sizes(info.type)))
        for item in graph.initializer:
            self.declare(item.name, item.dims[: MOST_AXES + 1] or [1])  # a number alone is as long as a vector of one
        for sparse in graph.sparse_initializer:
            self.declare(sparse.values.name, sparse.dims[: MOST_AXES + 1])
        for node in graph.node:
            self.node(node)
        return max((self.ranks.get(entry.name, 0) for entry in graph.output), default=0)

    def declare(self, name: str, sizes: Sequence[int]) -> None:
        """What the file says of a value; a free size is 0."""
        self.ranks[name] = max(self.ranks.get(name, 0), _small(len(sizes)))
        if len(sizes) == 1 and sizes[0] > 0:
            self.lengths[name] = max(self.lengths.get(name, 0), sizes[0])

    def node(self, node: NodeProto) -> None:
        """One further."""
        if node.domain not in ("", "ai.onnx"):  # of which onnx infers nothing
            return
        rank = _small(self.rank(node))
        length = self.length(node)
        for name in node.output:
            self.ranks[name] = max(self.ranks.get(name, 0), rank)
            if length is not None:
                self.lengths[name] = max(self.lengths.get(name, 0), length)

    def rank(self, node: NodeProto) -> int:
        """The most axes that a node makes; Unbounded."""
        kind, most = node.op_type, max((self.ranks.get(name, 0) for name in node.input), default=0)
        if kind in ("Constant", "RandomNormal", "RandomUniform"):
            return _of_attributes(node)
        if kind in BY_SHAPE:
            listed = self.listed(node, BY_SHAPE[kind])
            return max(most, listed) if kind == "Expand" else listed + 2 if kind == "Col2Im" else listed
        if kind == "Unsqueeze":
            axes = _attribute(node, "axes", lambda entry: len(entry.ints))
            return most + (self.listed(node, 1) if axes is None else axes)
        if kind in GROWS:
            return sum(self.ranks.get(name, 0) for name in node.input[:2]) + GROWS[kind]
        if kind in PLUS_ONE:
            inner = [_Axes(graph, self.ranks.new_child(), self.lengths.new_child()).follow() for graph in _graphs(node)]
            return max(most, USUAL - 1, *inner) + 1
        if kind not in KEEPS:
            raise Unbounded(kind)
        return max(most, USUAL)

    def listed(self, node: NodeProto, place: int) -> int:
        """The length of an input that is a shape; Unbounded where it is not known."""
        length = self.lengths.get(node.input[place]) if len(node.input) > place else None
        if length is None:
            kind = node.op_type
            raise Unbounded(f"a setting that is computed ({kind})", f"运行时才计算的参数（{kind}）")
        return length

    def length(self, node: NodeProto) -> int | None:
        """The most numbers of a vector that a node makes; None where that is not known, or it is none."""
        if node.op_type == "Constant":
            return _attribute(node, "value", _elements) or _attribute(node, "value_ints", lambda e: len(e.ints)) or 1
        if node.op_type == "Shape":
            return max(1, self.ranks.get(node.input[0], 0)) if node.input else None
        found = [self.lengths.get(name) for name in node.input if name]
        known = [length for length in found if length is not None]
        if node.op_type not in VECTORS or len(known) < len(found) or not known:
            return None
        total = sum(known) if node.op_type == "Concat" else max(known)
        if node.op_type == "Concat" and total > MOST_LISTED:
            raise Unbounded(node.op_type)
        return total


def _small(rank: int) -> int:
    if rank > MOST_AXES:
        raise Unbounded(f"{rank} axes")
    return rank


def _sizes(kind: TypeProto) -> Iterator[int]:
    """Of a declared tensor or sequence; one more than there may be is enough."""
    while kind.WhichOneof("value") in ("sequence_type", "optional_type"):
        kind = getattr(kind, kind.WhichOneof("value") or "").elem_type
    kinds = (kind.tensor_type, kind.sparse_tensor_type)
    for dim in max((found.shape.dim for found in kinds), key=len)[: MOST_AXES + 1]:
        yield dim.dim_value


def _attribute(node: NodeProto, name: str, read: Callable[..., int | None]) -> int | None:
    return next((read(entry) for entry in node.attribute if entry.name == name), None)


def _of_attributes(node: NodeProto) -> int:
    """The axes that the attributes of a node without inputs say."""
    shapes = {"value": lambda e: len(e.t.dims), "shape": lambda e: len(e.ints),
              "sparse_value": lambda e: len(e.sparse_tensor.dims)}  # fmt: skip
    return max([1, *(shapes[entry.name](entry) for entry in node.attribute if entry.name in shapes)])


def _elements(entry: object) -> int | None:
    """The length of a constant vector."""
    dims = entry.t.dims  # type: ignore[attr-defined]
    return int(dims[0]) if len(dims) == 1 else 1 if not dims else None


def _graphs(node: NodeProto) -> list[GraphProto]:
    return [entry.g for entry in node.attribute if entry.HasField("g")]
