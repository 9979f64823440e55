"""Cross-layer equalisation: the same function, and steps that are not wasted on one large channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from networks import Array, model, pictures, residual
from onnx import ModelProto, helper, numpy_helper

import qingzhou
from passengers import DIGITS
from qingzhou.quant import observe
from qingzhou.quant.equalize import equalized
from qingzhou.quant.network import Network
from qingzhou.quant.observe import observed
from qingzhou.quant.qdq import Scheme
from qingzhou.quant.signal import session

FEEDS = pictures(8)


def row(scale: float, grouped: bool = False) -> ModelProto:
    """Conv, ReLU, MaxPool, Conv; the channels' sizes lie apart, which the second layer makes up for."""
    rng = np.random.default_rng(2)
    spread = np.geomspace(1, scale, 6).reshape(-1, 1, 1, 1)
    first, second = rng.normal(0, 0.3, (6, 3, 3, 3)), rng.normal(0, 0.3, (6, 1, 3, 3) if grouped else (4, 6, 3, 3))
    constants = {
        "w1": first * spread,
        "b1": rng.normal(0, 0.2, 6) * spread.ravel(),
        "w2": second / (spread if grouped else spread.reshape(1, -1, 1, 1)),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c"], name="c"),
        helper.make_node("Relu", ["c"], ["r"], name="r"),
        helper.make_node("MaxPool", ["r"], ["p"], name="p", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p", "w2"], ["y"], name="d", group=6 if grouped else 1),
    ]
    return model(nodes, constants, (1, 3, 12, 12), {"y": (1, 6 if grouped else 4, 3, 3)})


def weights(network: Network) -> dict[str, Array]:
    return {name: numpy_helper.to_array(tensor) for name, tensor in network.constants.items()}


@pytest.mark.parametrize("grouped", [False, True])
def test_the_network_computes_the_same(grouped: bool) -> None:
    before = row(1000, grouped)
    after = equalized(Network(before))
    assert after is not None
    assert not np.allclose(weights(after)["w1"], weights(Network(before))["w1"])
    for feed in FEEDS:
        expected, found = (session(proto).run(None, feed)[0] for proto in (before, after.proto))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_channels_have_the_range_of_the_weights_that_read_them() -> None:
    after = equalized(Network(row(1000)))
    assert after is not None
    made, read = weights(after)["w1"], weights(after)["w2"]
    np.testing.assert_allclose(np.abs(made).max(axis=(1, 2, 3)), np.abs(read).max(axis=(0, 2, 3)), rtol=1e-4)


def test_it_is_taken_where_it_helps() -> None:
    network = Network(row(1000))
    assert observed(network, FEEDS, lambda: FEEDS, Scheme(), True).network is not network


def test_where_channels_are_read_twice_or_bent_otherwise_nothing_is_done() -> None:
    """A residual sum reads the channels too, and a ReLU6 is not linear."""
    assert equalized(Network(residual())) is None
    network = Network(residual())
    assert observed(network, FEEDS, lambda: FEEDS, Scheme(), True).network is network


def test_dead_channels_stay_dead() -> None:
    proto = row(10)
    for tensor in proto.graph.initializer:
        array = numpy_helper.to_array(tensor).copy()
        array[0] = 0
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    after = equalized(Network(proto))
    assert after is not None
    assert all(np.isfinite(array).all() for array in weights(after).values())
    assert not weights(after)["w1"][0].any()


def test_a_trained_network_that_would_collapse_keeps_its_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BaseNN's digits with a layer's channels pulled apart, which FP32 does not notice; without this INT8 is blind."""
    path = qingzhou.convert(Path(DIGITS / "basenn.pth"), tmp_path / "digits.onnx").path
    apart(path)
    found = qingzhou.quantize(path, DIGITS / "test", any_speed=True)
    assert found.verdict is not None and found.plan is not None
    before, after = found.verdict.figures()
    assert before > 0.97 and after > before - 0.005
    assert not found.plan.kept
    monkeypatch.setattr(observe, "equalized", lambda network: None)
    blind = qingzhou.quantize(path, DIGITS / "test", tmp_path / "blind.onnx", any_speed=True, max_drop=100)
    assert blind.verdict is not None and blind.verdict.figures()[1] < after - 0.02


def apart(path: Path) -> None:
    """Scale the channels between the two matrices of a saved model by up to 100,000."""
    import onnx

    proto = onnx.load(path)
    network = Network(proto)
    first, second = (node for node in network.weighted if node.op_type == "Gemm")
    arrays = {name: numpy_helper.to_array(tensor).copy() for name, tensor in network.constants.items()}
    spread = np.geomspace(1, 1e5, len(arrays[first.input[1]])).astype(np.float32)
    arrays[first.input[1]] *= spread.reshape(-1, 1)
    arrays[first.input[2]] *= spread
    arrays[second.input[1]] /= spread
    for tensor in proto.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name], tensor.name))
    onnx.save(proto, path)
