""".tflite files, written without TensorFlow, read by LiteRT and by our own reader: the same answers as torch's."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from litert_files import Net, layer_names, one_at_a_time
from test_ncnn_layers import layer, onnx_answers

from qingzhou.engines.litert.write import emit_litert
from qingzhou.errors import EngineError
from qingzhou.graph.form import Graph
from qingzhou.graph.record import Recorder

# What ONNX can express and this writer does not.
NO_FORM = {
    "act_08_ELU": "Elu (alpha 0.7)",
    "adaptive_uneven": "MatMul with known numbers that are no linear layer",
    "avg_pool_ceil": "AveragePool (padding that does not count)",
    "group_norm": "GroupNorm",
    "group_norm_on_steps": "GroupNorm",
    "lstm": "Lstm",
    "lstm_steps_first": "Lstm",
    "lstm_two_ways": "Lstm",
    "lstm_two_ways_steps_first": "Lstm",
    "max_pool": "MaxPool (dilation)",
    "reflect": "Pad (reflect)",
    "seldom": "Softplus",
    "seldom_1d": "Softplus",
    "seldom_2d": "DepthToSpace",
    "upsample_steps": "Resize (mode linear, half_pixel)",
}


def largest(found: list[Any], wanted: list[Any]) -> float:
    """The largest difference, as a share of the largest number if that is above 1."""
    assert [a.shape for a in found] == [b.shape for b in wanted]
    pairs = list(zip(found, wanted, strict=True))
    return max(float(np.abs(a - b).max()) / max(1.0, float(np.abs(b).max())) for a, b in pairs)


@pytest.mark.parametrize("name", [name for name in layer_names() if name not in NO_FORM])
def test_layers(name: str, tmp_path: Path) -> None:
    """As torch answers; and what our own reader makes of the file is the network that was written."""
    graph, x, wanted = layer(name)
    net = Net(graph, tmp_path, len(x))
    assert largest(net.run(x), [wanted]) <= 1e-5
    assert largest(net.read_back(x), [wanted]) <= 1e-5


@pytest.mark.parametrize("name", sorted(NO_FORM))
def test_what_is_not_written_is_named(name: str) -> None:
    graph, _, _ = layer(name)
    with pytest.raises(EngineError) as caught:
        emit_litert(one_at_a_time(graph))
    assert f" {NO_FORM[name]}," in caught.value.en and NO_FORM[name] in caught.value.zh != caught.value.en


def bound(graph: Graph) -> Graph:
    chance = np.random.default_rng(1)
    return graph.bound({key: chance.normal(size=shape).astype(np.float32) for key, shape in graph.tensors.items()})


def test_every_order_of_axes(tmp_path: Path) -> None:
    """Of 3 and 4 axes, behind a convolution that has its channels last, and straight from the input."""
    net = Recorder()
    image = net.input("input", (1, 6, 4, 5))
    wide = net.conv("c", image, 6, 3)
    outs = [net.transpose(x, (0, *(i + 1 for i in order))) for x in (wide, image) for order in orders(3)]
    outs += [net.transpose(net.reshape(wide, (1, 2, 3, 4, 5)), (0, *(i + 1 for i in order))) for order in orders(4)]
    graph = bound(net.freeze(*outs))
    x = np.random.default_rng(2).normal(size=(1, 6, 4, 5)).astype(np.float32)
    made = Net(graph, tmp_path, pictures=frozenset({"input"}))
    wanted = onnx_answers(graph, x, tmp_path)
    assert largest(made.run(x.transpose(0, 2, 3, 1)), wanted) <= 1e-5


def orders(axes: int) -> list[tuple[int, ...]]:
    return list(itertools.permutations(range(axes)))


def test_what_is_flattened_goes_into_the_weights(tmp_path: Path) -> None:
    """A linear layer behind it needs no Transpose, unless something else reads the row as well."""
    kinds = []
    for seen in (False, True):
        net = Recorder()
        x = net.conv("c", net.input("input", (1, 3, 5, 6)), 4, 3)
        flat = net.flatten(x)
        outs = [net.linear("l", flat, 7), *([flat] if seen else [])]
        graph = bound(net.freeze(*outs))
        picture = np.random.default_rng(3).normal(size=(1, 3, 5, 6)).astype(np.float32)
        made = Net(graph, tmp_path, pictures=frozenset({"input"}))
        assert largest(made.run(picture.transpose(0, 2, 3, 1)), onnx_answers(graph, picture, tmp_path)) <= 1e-5
        kinds.append([op.kind for op in made.network.operators])
    assert kinds[0] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"] and "TRANSPOSE" in kinds[1]


@pytest.mark.parametrize("size", [5, 6, 7, 8])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pads", [(0, 0), (1, 1), (0, 1), (2, 1)])
def test_padding_is_never_guessed(size: int, stride: int, pads: tuple[int, int], tmp_path: Path) -> None:
    """SAME adds the odd row at the end, and how much depends on the size: a PAD stands where that is another."""
    net = Recorder()
    x = net.input("input", (1, 2, size, size))
    around = (pads[0], pads[0], pads[1], pads[1])
    y = net.max_pool(net.conv("c", x, 3, 3), 3, stride, around)
    z = net.max_pool(x, 3, stride, around)
    graph = bound(net.freeze(y, z))
    picture = np.random.default_rng(4).normal(size=(1, 2, size, size)).astype(np.float32) - 2  # below zero
    made = Net(graph, tmp_path, pictures=frozenset({"input"}))
    assert largest(made.run(picture.transpose(0, 2, 3, 1)), onnx_answers(graph, picture, tmp_path)) <= 1e-5


def test_numbers_beyond_fp16_stay_fp32(tmp_path: Path) -> None:
    net = Recorder()
    x = net.input("input", (1, 3))
    graph = net.freeze(net.linear("large", net.linear("small", x, 1), 1))
    weights = {
        "small.weight": np.ones((1, 3)),
        "small.bias": np.ones(1),
        "large.weight": np.full((1, 1), 1e5),
        "large.bias": np.zeros(1),
    }
    made = Net(graph.bound(weights), tmp_path, half=True)
    kinds = sorted(one.dtype for one in made.network.tensors if one.data is not None)
    assert kinds == ["float16", "float32", "float32", "float32"]
    assert made.run(np.ones((1, 3), np.float32))[0].tolist() == [[4e5]]
