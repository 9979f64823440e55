"""Networks as readers of channels-last files record them: the same answers without the Transposes around each layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph, Value
from qingzhou.graph.layout import channels_first
from qingzhou.graph.record import Recorder
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)
Network = Callable[[Recorder, Value], Value | tuple[Value, ...]]


def first(net: Recorder, x: Value) -> Value:
    return net.transpose(x, FIRST, "to_first")


def last(net: Recorder, x: Value) -> Value:
    return net.transpose(x, LAST, "to_last")


def conv(net: Recorder, key: str, x: Value, channels: int, kernel: int = 3, stride: int = 1) -> Value:
    return last(net, net.conv(key, first(net, x), channels, kernel, stride))


def norm(net: Recorder, key: str, x: Value) -> Value:
    return last(net, net.batch_norm(key, first(net, x)))


def block(net: Recorder, key: str, x: Value, channels: int, stride: int = 1) -> Value:
    return net.act("relu6", norm(net, f"{key}.bn", conv(net, key, x, channels, 3, stride)), f"{key}.act")


def row(net: Recorder, name: str, *numbers: float) -> str:
    return net.constant(name, np.array(numbers, np.float32))


def chain(net: Recorder, x: Value) -> Value:
    return block(net, "b", block(net, "a", x, 6), 5, 2)


def residual(net: Recorder, x: Value) -> Value:
    y = block(net, "a", x, 3)
    z = net.act("relu", net.add(y, conv(net, "b", y, 3), "sum"), "r")
    return net.add(z, x, "with_input")


def pools(net: Recorder, x: Value) -> Value:
    y = last(net, net.max_pool(first(net, block(net, "a", x, 4)), 3, 2, 1))
    return last(net, net.avg_pool(first(net, net.act("hswish", y, "h")), 2))


def concat(net: Recorder, x: Value) -> Value:
    y = net.concat([conv(net, "a", x, 3), conv(net, "b", x, 5)], 3, "joined")
    return conv(net, "c", y, 2, 1)


def split(net: Recorder, x: Value) -> Value:
    y = conv(net, "a", x, 6)
    sizes = net.ints("sizes", 2, 4)
    a, b = net.ops("Split", "parts", [y, sizes], [(*y.shape[:3], 2), (*y.shape[:3], 4)], ["float32"] * 2, axis=-1)
    return net.concat([conv(net, "b", b, 2), a], 3, "joined")


def mean(net: Recorder, x: Value) -> Value:
    y = block(net, "a", x, 6)
    y = net.op("ReduceMean", "mean", [y], (y.shape[0], 6), axes=(1, 2), keepdims=0)
    return net.softmax(net.linear("fc", y, 3))


def squeeze_excite(net: Recorder, x: Value) -> Value:
    y = block(net, "a", x, 6)
    gate = net.op("ReduceMean", "mean", [y], (y.shape[0], 1, 1, 6), axes=(1, 2), keepdims=1)
    gate = net.act("relu", conv(net, "down", gate, 2, 1), "down.act")
    return conv(net, "out", net.mul(y, net.act("hsigmoid", conv(net, "up", gate, 6, 1), "gate"), "scaled"), 2)


def squeezed(net: Recorder, x: Value) -> Value:
    y = conv(net, "a", x, 6)
    y = last(net, net.global_pool(first(net, y), keep=True))
    axes = net.ints("axes", 1, 2)
    return net.linear("fc", net.op("Squeeze", "squeezed", [y, axes], (y.shape[0], 6)), 3)


def flatten(net: Recorder, x: Value) -> Value:
    y = net.act("relu", net.flatten(block(net, "a", x, 5), "flat"), "after")
    return net.softmax(net.linear("fc", y, 3))


def flatten_for_matmul(net: Recorder, x: Value) -> Value:
    y = net.flatten(conv(net, "a", x, 5), "flat")
    size = y.shape[1]
    assert isinstance(size, int)
    weight = net.param("dense.weight", (size, 4))
    y = net.op("MatMul", "dense", [y, weight], (y.shape[0], 4))
    return net.op("Add", "biased", [y, row(net, "bias", 1, 2, 3, 4)], y.shape)


def flatten_twice_read(net: Recorder, x: Value) -> tuple[Value, ...]:
    y = net.flatten(conv(net, "a", x, 5), "flat")
    return net.linear("fc", y, 3), net.act("relu", y, "as_it_was")


def pad(net: Recorder, x: Value) -> Value:
    y = conv(net, "a", x, 3)
    pads = net.ints("pads", 0, 1, 0, 0, 0, 2, 3, 0)
    y = net.op("Pad", "padded", [y, pads], (y.shape[0], 9 + 3, 7 + 3, 3), mode="constant")
    return last(net, net.conv("b", first(net, y), 4, 3, padding=0))


def resize(net: Recorder, x: Value) -> Value:
    y = conv(net, "a", x, 3)
    scales = row(net, "scales", 1, 2, 3, 1)
    shape = (y.shape[0], 18, 21, 3)
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return conv(net, "b", net.op("Resize", "larger", [y, "", scales], shape, **how), 2)


def softmax(net: Recorder, x: Value) -> Value:
    return net.softmax(conv(net, "a", x, 3), 3)


def constants(net: Recorder, x: Value) -> Value:
    """For each channel, for each column and channel, and one for all."""
    y = net.op("Mul", "scaled", [conv(net, "a", x, 3), row(net, "each", 1, -2, 3)], (*x.shape[:3], 3))
    rows = net.constant("rows", np.arange(21, dtype=np.float32).reshape(7, 3))
    y = net.op("Add", "shifted", [rows, y], y.shape)
    return conv(net, "b", net.op("Sub", "less", [y, net.constant("one", np.float32(1))], y.shape), 2)


def cut(net: Recorder, x: Value) -> Value:
    y = net.slice(conv(net, "a", x, 5), 3, 1, 4, "channels")
    return conv(net, "b", net.slice(y, 1, 2, 8, "rows"), 2)


def two_outputs(net: Recorder, x: Value) -> tuple[Value, ...]:
    y = block(net, "a", x, 4)
    return y, net.act("tanh", conv(net, "b", y, 2), "end")


CASES: list[tuple[Network, int]] = [  # with the Transposes that are left: one at the input, one before outputs of maps
    (chain, 2), (residual, 2), (pools, 2), (concat, 2), (split, 2), (mean, 1), (squeeze_excite, 2), (squeezed, 1),
    (flatten, 1), (flatten_for_matmul, 1), (flatten_twice_read, 2), (pad, 2), (resize, 2), (softmax, 2), (constants, 2),
    (cut, 2), (two_outputs, 3),
]  # fmt: skip


@pytest.mark.parametrize(("network", "left"), CASES, ids=lambda case: getattr(case, "__name__", ""))
@pytest.mark.parametrize("picture_first", [False, True], ids=["rows_first", "channels_first"])
def test_the_answer_stays_the_same(network: Network, left: int, picture_first: bool, tmp_path: Path) -> None:
    """Of pictures that enter channels first, as readers record it, one Transpose less is left."""
    graph = recorded(network, picture_first)
    small = channels_first(graph)
    assert count(small) == left - picture_first <= count(graph)
    assert [value.name for value in small.outputs] == [value.name for value in graph.outputs]
    shape = (2, 3, 9, 7) if picture_first else (2, 9, 7, 3)
    for before, after in ((graph, small), (graph, simplify(graph))):
        for expected, found in zip(run(before, shape, tmp_path), run(after, shape, tmp_path), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6 * max(1, np.abs(expected).max()))


def test_none_is_left_between_pictures_that_enter_and_maps_that_leave_channels_first(tmp_path: Path) -> None:
    graph = recorded(lambda net, x: first(net, block(net, "a", x, 4)), True)
    small = channels_first(graph)
    assert count(small) == 0 and not any(node.op == "Identity" for node in small.nodes)
    for expected, found in zip(run(graph, (2, 3, 9, 7), tmp_path), run(small, (2, 3, 9, 7), tmp_path), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("nodes", ["shuffle", "sequences", "none"])
def test_a_network_with_none_to_spare_is_the_same_object(nodes: str) -> None:
    """So what is written for it stays the same to the byte."""
    net = Recorder()
    x = net.input("input", ("batch", 4, 6, 6))
    if nodes == "shuffle":
        x = net.transpose(net.reshape(x, ("batch", 2, 2, 6, 6), "halves"), (0, 2, 1, 3, 4), "shuffled")
        x = net.reshape(x, ("batch", 4, 6, 6), "joined")
    if nodes == "sequences":
        x = net.transpose(net.transpose(x, (1, 0, 2, 3), "time_first"), (1, 0, 2, 3), "batch_first")
    graph = net.freeze(net.conv("conv", x, 2, 1))
    assert channels_first(graph) is graph


def any_step(net: Recorder, random: np.random.Generator, values: list[Value]) -> Value:
    """One more operation on some value so far, whatever its axes are."""
    x = values[random.integers(max(0, len(values) - 3), len(values))]
    axis, order = int(random.integers(4)), [0, *(int(n) + 1 for n in random.permutation(3))]
    sizes = [n for n in x.shape if isinstance(n, int)]
    steps: list[Callable[[], Value]] = [
        *[lambda: net.transpose(x, order), lambda: net.transpose(x, FIRST), lambda: net.transpose(x, LAST)],
        *[lambda: net.act("relu", x, "r"), lambda: net.add(x, x), lambda: net.softmax(x, axis)],
        lambda: net.op("Mul", "m", [x, array(net, random, sizes[-1])], x.shape),
        lambda: net.op("Add", "a", [x, array(net, random, sizes[2], 1)], x.shape),
        lambda: net.op("ReduceMean", "mean", [x], (*sizes[:axis], 1, *sizes[axis + 1 :]), axes=(axis,)),
        lambda: net.slice(x, axis, 0, max(1, sizes[axis] - 1)),
        lambda: net.concat([x, net.act("tanh", x, "t")], axis) if sizes[axis] < 9 else x,
        lambda: net.conv(f"conv{len(net.nodes)}", x, 3, 1),
        lambda: next((net.add(x, y) for y in values if y.shape == x.shape), x),
        lambda: net.op("Pad", "p", [x, net.ints(f"pads{len(net.nodes)}", *order, 0, 1, 0, 1)], padded(sizes, order)),
    ]
    return steps[random.integers(len(steps))]()


def array(net: Recorder, random: np.random.Generator, *shape: int) -> str:
    return net.constant(f"numbers{len(net.nodes)}", random.normal(size=shape).astype(np.float32))


def padded(sizes: list[int], starts: list[int]) -> tuple[int, ...]:
    return tuple(n + start + end for n, start, end in zip(sizes, starts, (0, 1, 0, 1), strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_any_network_says_the_same(seed: int, tmp_path: Path) -> None:
    """Operators of axes in any order, with several readers and several outputs."""
    random, net = np.random.Generator(np.random.PCG64(seed)), Recorder()
    values = [net.input("input", (2, 9, 7, 3))]
    for _ in range(14):
        values.append(any_step(net, random, values))
    ends = [value for value in dict.fromkeys(values[-2:]) if value.name != "input"]
    features = net.linear("fc", net.flatten(values[-3], "flat"), 2)
    graph = filled(net.freeze(*ends, features))
    small = channels_first(graph)
    assert count(small) <= count(graph)
    for expected, found in zip(run(graph, (2, 9, 7, 3), tmp_path), run(small, (2, 9, 7, 3), tmp_path), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1, np.abs(expected).max()))


def count(graph: Graph) -> int:
    return sum(node.op == "Transpose" for node in graph.nodes)


def recorded(network: Network, picture_first: bool) -> Graph:
    """The network for pictures of 9 x 7 with 3 channels, with random weights."""
    net = Recorder()
    x = net.input("input", ("batch", 3, 9, 7) if picture_first else ("batch", 9, 7, 3))
    ends = network(net, last(net, x) if picture_first else x)
    return filled(net.freeze(*(ends if isinstance(ends, tuple) else (ends,))))


def filled(graph: Graph) -> Graph:
    """With random weights."""
    random = np.random.Generator(np.random.PCG64(3))
    tensors = {
        key: (random.uniform(0.5, 2, shape) if key.endswith("var") else random.normal(size=shape) / 4)
        for key, shape in graph.tensors.items()
    }
    return graph.bound({key: array.astype(np.float32) for key, array in tensors.items()})


def run(graph: Graph, shape: tuple[int, ...], folder: Path) -> list[np.ndarray]:
    """What the network says to a fixed input, as it was written."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    write_onnx(folder / "net.onnx", emit(graph, 13, 8))
    session = onnxruntime.InferenceSession(str(folder / "net.onnx"), options, providers=["CPUExecutionProvider"])
    x = np.random.Generator(np.random.PCG64(4)).normal(size=shape).astype(np.float32)
    return list(session.run(None, {"input": x}))
