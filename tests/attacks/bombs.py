"""Models of ours, changed so that they would take memory or time without bound: {what: change of the ModelProto}.

Each computes a number that is added to the scores, so that no optimiser throws it away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HUGE = 1 << 40
FOREVER = np.iinfo(np.int64).max
Change = Callable[[onnx.ModelProto], None]


def node(kind: str, inputs: Sequence[str], output: str, **attributes: object) -> onnx.NodeProto:
    """With one output."""
    return helper.make_node(kind, list(inputs), [output], **attributes)


def fill(*shape: int) -> list[onnx.NodeProto]:
    """ "big": a tensor of this shape, made while the model runs."""
    return [constant("shape", np.array(shape, np.int64)), node("ConstantOfShape", ["shape"], "big")]


def constant(name: str, value: np.ndarray) -> onnx.NodeProto:
    """A value in the graph."""
    return node("Constant", [], name, value=numpy_helper.from_array(value, name))


def summed(*nodes: onnx.NodeProto) -> Change:
    """The sum of "big", from these nodes, is added to the scores."""

    def change(proto: onnx.ModelProto) -> None:
        graph, output = proto.graph, proto.graph.output[0].name
        maker = next(node for node in graph.node if output in node.output)
        maker.output[:] = ["scores before"]
        total = node("ReduceSum", ["big"], "total", keepdims=0)
        graph.node.extend([*nodes, total, node("Add", ["scores before", "total"], output)])

    return change


def loop(trips: int, body: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """A Loop that carries "x" -> "y" and never wants to stop; its last value is "big"."""
    inputs = [
        helper.make_tensor_value_info("i", TensorProto.INT64, []),
        helper.make_tensor_value_info("go", TensorProto.BOOL, []),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
    ]
    outputs = [
        helper.make_tensor_value_info("on", TensorProto.BOOL, []),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
    ]
    inner = helper.make_graph([node("Identity", ["go"], "on"), *body], "body", inputs, outputs)
    values = {"trips": np.array(trips, np.int64), "yes": np.array(True), "start": np.ones(8, np.float32)}
    return [*map(constant, values, values.values()), node("Loop", list(values), "big", body=inner)]


def doubling_functions(levels: int) -> Change:
    """Each function calls the one below twice: inlined, 2^levels nodes."""

    def change(proto: onnx.ModelProto) -> None:
        imports, domain = [helper.make_opsetid("", 13), helper.make_opsetid("bomb", 1)], "bomb"
        for level in range(levels):
            kind = f"f{level - 1}" if level else "Neg"
            inside = [
                helper.make_node(kind, ["a"], ["b"], domain=domain if level else ""),
                helper.make_node(kind, ["b"], ["c"], domain=domain if level else ""),
            ]
            proto.functions.append(helper.make_function(domain, f"f{level}", ["a"], ["c"], inside, imports))
        proto.opset_import.append(helper.make_opsetid(domain, 1))
        start = constant("one", np.ones(1, np.float32))
        summed(start, helper.make_node(f"f{levels - 1}", ["one"], ["big"], domain=domain))(proto)

    return change


def itself(proto: onnx.ModelProto) -> None:
    """A function that calls itself."""
    call = helper.make_node("f", ["a"], ["b"], domain="bomb")
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("bomb", 1)]
    proto.functions.append(helper.make_function("bomb", "f", ["a"], ["b"], [call], imports))
    proto.opset_import.append(helper.make_opsetid("bomb", 1))
    start = constant("one", np.ones(1, np.float32))
    summed(start, helper.make_node("f", ["one"], ["big"], domain="bomb"))(proto)


def declared(dims: Sequence[int], data: bytes) -> Change:
    """Weights said to be large, of which only so much is there."""

    def change(proto: onnx.ModelProto) -> None:
        tensor = TensorProto(name="big", data_type=TensorProto.FLOAT, dims=dims, raw_data=data)
        proto.graph.initializer.append(tensor)
        summed()(proto)

    return change


def nested(levels: int) -> Change:
    """An If in an If in an If: deeper than protobuf reads, or than a stack is."""

    def change(proto: onnx.ModelProto) -> None:
        leaf = inner = helper.make_graph(
            [constant("v", np.ones(1, np.float32))],
            "leaf",
            [],
            [helper.make_tensor_value_info("v", TensorProto.FLOAT, [1])],
        )
        for level in range(levels):
            name = f"v{level}"
            branch = helper.make_node("If", ["yes"], [name], then_branch=inner, else_branch=leaf)
            inner = helper.make_graph(
                [branch], f"g{level}", [], [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])]
            )
        yes = constant("yes", np.array(True))
        summed(yes, helper.make_node("If", ["yes"], ["big"], then_branch=inner, else_branch=leaf))(proto)

    return change


def sparse(proto: onnx.ModelProto) -> None:
    """A sparse weight of one number in a very large room."""
    values = TensorProto(name="big", data_type=TensorProto.FLOAT, dims=[1], float_data=[1.0])
    places = TensorProto(name="places", data_type=TensorProto.INT64, dims=[1], int64_data=[HUGE - 1])
    proto.graph.sparse_initializer.append(onnx.SparseTensorProto(values=values, indices=places, dims=[HUGE]))
    summed()(proto)


ONE = constant("one", np.ones(1, np.float32))
SLOW = [*fill(512, 512), node("MatMul", ["big", "big"], "y")]
BOMBS: dict[str, Change] = {
    "ConstantOfShape": summed(*fill(HUGE)),
    "ConstantOfShape of a negative size": summed(*fill(-5, HUGE)),
    "ConstantOfShape that overflows": summed(*fill(1 << 33, 1 << 33)),
    "ConstantOfShape of what memory may just hold": summed(*fill(1 << 29)),
    "Expand": summed(ONE, constant("to", np.array([HUGE])), node("Expand", ["one", "to"], "big")),
    "Tile": summed(ONE, constant("times", np.array([HUGE])), node("Tile", ["one", "times"], "big")),
    "Range": summed(constant("a", np.array(0, np.float32)), constant("b", np.array(2.0**40, np.float32)),
                    constant("c", np.array(1, np.float32)), node("Range", ["a", "b", "c"], "big")),
    "Pad": summed(ONE, constant("by", np.array([HUGE, HUGE])), node("Pad", ["one", "by"], "big")),
    "Resize": summed(constant("small", np.ones((1, 1, 8, 8), np.float32)),
                     constant("scales", np.array([1, 1, 1e6, 1e6], np.float32)),
                     node("Resize", ["small", "", "scales"], "big")),
    "OneHot": summed(constant("at", np.array([0])), constant("depth", np.array([HUGE])),
                     constant("two", np.array([0, 1], np.float32)), node("OneHot", ["at", "depth", "two"], "big")),
    "RandomNormal": summed(node("RandomNormal", [], "big", shape=[HUGE])),
    "EyeLike": summed(*fill(1 << 20, 1 << 20)[:1], constant("thin", np.ones((1, 1), np.float32)),
                      node("Expand", ["thin", "shape"], "wide"), node("EyeLike", ["wide"], "big")),
    "a convolution's padding": summed(constant("small", np.ones((1, 1, 4, 4), np.float32)),
                                      constant("k", np.ones((1, 1, 1, 1), np.float32)),
                                      node("Conv", ["small", "k"], "big", pads=[1 << 20] * 4)),
    "a Loop without end": summed(*loop(FOREVER, [node("Neg", ["x"], "y")])),
    "a Loop without end that works hard": summed(*loop(FOREVER, SLOW)),
    "a Loop that doubles": summed(*loop(FOREVER, [node("Concat", ["x", "x"], "y", axis=0)])),
    "functions that double": doubling_functions(40),
    "a function that calls itself": itself,
    "If in If": nested(20),
    "weights that are not there": declared([HUGE], b""),
    "weights of which a part is there": declared([1 << 20, 1 << 20], bytes(64)),
    "weights of a negative size": declared([-4], bytes(16)),
    "weights whose size overflows": declared([1 << 33, 1 << 33], bytes(4)),
    "sparse weights": sparse,
}  # fmt: skip


def bomb(good: onnx.ModelProto, what: str) -> bytes:
    """The file."""
    altered = onnx.ModelProto()
    altered.CopyFrom(good)
    BOMBS[what](altered)
    return altered.SerializeToString()
