"""Passes change what a network costs, never what it says: small networks, run in onnxruntime before and after."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph, Value
from qingzhou.graph.record import Recorder
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx

Network = Callable[[Recorder, Value], Value | tuple[Value, ...]]


def plain(net: Recorder, x: Value) -> Value:
    return net.batch_norm("bn", net.conv("conv", x, 6, 3, stride=2, bias=False))


def with_bias(net: Recorder, x: Value) -> Value:
    return net.batch_norm("bn", net.conv("conv", x, 8, 3, groups=4), affine=False)


def twice(net: Recorder, x: Value) -> Value:
    return net.batch_norm("last", plain(net, x))


def read_twice(net: Recorder, x: Value) -> Value:
    y = net.conv("conv", x, 4, 3)
    return net.add(net.batch_norm("bn", y), y)


def an_output(net: Recorder, x: Value) -> tuple[Value, ...]:
    y = net.conv("conv", x, 4, 3)
    return y, net.batch_norm("bn", y)


def repvgg(net: Recorder, x: Value) -> Value:
    wide = net.batch_norm("bn3", net.conv("conv3", x, 4, 3, bias=False))
    narrow = net.batch_norm("bn1", net.conv("conv1", x, 4, 1, bias=False))
    return net.add(net.add(wide, narrow), net.batch_norm("bn0", x))


def repvgg_groups(net: Recorder, x: Value) -> Value:
    wide = net.batch_norm("bn3", net.conv("conv3", x, 4, 3, groups=2))
    return net.add(net.batch_norm("bn0", x), wide)


def strided(net: Recorder, x: Value) -> Value:
    return net.add(net.conv("conv3", x, 4, 3, 2), net.conv("conv1", x, 4, 1, 2))


def without_bias(net: Recorder, x: Value) -> Value:
    return net.add(net.conv("a", x, 4, 3, bias=False), net.conv("b", x, 4, 5, bias=False))


def of_two_values(net: Recorder, x: Value) -> Value:
    return net.add(net.conv("a", x, 4, 3), net.conv("b", net.act("relu", x), 4, 3))


def broadcasting(net: Recorder, x: Value) -> Value:
    return net.add(net.conv("a", x, 1, 3), net.conv("b", x, 4, 3))


def inner_sum_is_an_output(net: Recorder, x: Value) -> tuple[Value, ...]:
    inner = net.add(net.conv("a", x, 4, 3), net.conv("b", x, 4, 1))
    return inner, net.add(inner, net.conv("c", x, 4, 1))


CASES: list[tuple[Network, dict[str, int]]] = [
    (plain, {"Conv": 1}),
    (with_bias, {"Conv": 1}),
    (twice, {"Conv": 1, "BatchNormalization": 1}),
    (read_twice, {"Conv": 1, "BatchNormalization": 1, "Add": 1}),
    (an_output, {"Conv": 1, "BatchNormalization": 1}),
    (repvgg, {"Conv": 1}),
    (repvgg_groups, {"Conv": 1}),
    (strided, {"Conv": 1}),
    (without_bias, {"Conv": 1}),
    (of_two_values, {"Conv": 2, "Relu": 1, "Add": 1}),
    (broadcasting, {"Conv": 2, "Add": 1}),
    (inner_sum_is_an_output, {"Conv": 2, "Add": 1}),
]


@pytest.mark.parametrize(("network", "layers"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_the_answer_stays_the_same(network: Network, layers: dict[str, int], tmp_path: Path) -> None:
    graph, tensors = record(network)
    graph = graph.bound(tensors)
    small = simplify(graph)
    ops = [node.op for node in small.nodes]
    assert {op: ops.count(op) for op in ops} == layers
    before, after = run(graph, tmp_path), run(small, tmp_path)
    assert len(before) == len(after)
    for expected, found in zip(before, after, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_folding_is_done_in_float64() -> None:
    """A running variance of 1e-8 and a mean of 1e4: in float32 the bias would be off by more than the result."""
    graph, tensors = record(plain)
    values = {**tensors, "bn.running_var": np.full(6, 1e-8, np.float32), "bn.running_mean": np.full(6, 1e4, np.float32)}
    small = simplify(graph.bound(values))
    exact = {key: value.astype(np.float64) for key, value in values.items()}
    scale = exact["bn.weight"] / np.sqrt(exact["bn.running_var"] + 1e-5)
    made = [constant.load() for constant in small.constants.values()]
    kernel, bias = sorted(made, key=np.ndim, reverse=True)
    np.testing.assert_array_equal(kernel, (exact["conv.weight"] * scale.reshape(-1, 1, 1, 1)).astype(np.float32))
    np.testing.assert_array_equal(bias, (exact["bn.bias"] - exact["bn.running_mean"] * scale).astype(np.float32))


def record(network: Network) -> tuple[Graph, dict[str, np.ndarray]]:
    """The network for (N, 4, 9, 9) with random weights."""
    net = Recorder()
    ends = network(net, net.input("input", ("batch", 4, 9, 9)))
    graph = net.freeze(*(ends if isinstance(ends, tuple) else (ends,)))
    random = np.random.Generator(np.random.PCG64(3))
    tensors = {
        key: (random.uniform(0.5, 2, shape) if key.endswith("var") else random.normal(size=shape)).astype(np.float32)
        for key, shape in graph.tensors.items()
    }
    return graph, tensors


def run(graph: Graph, folder: Path) -> list[np.ndarray]:
    """What the network says to a fixed input, as it was written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    write_onnx(folder / "net.onnx", emit(graph, 13, 8))
    session = onnxruntime.InferenceSession(str(folder / "net.onnx"), options, providers=["CPUExecutionProvider"])
    x = np.random.Generator(np.random.PCG64(4)).normal(size=(2, 4, 9, 9)).astype(np.float32)
    return list(session.run(None, {"input": x}))
