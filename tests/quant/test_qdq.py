"""The INT8 form of a network: its numbers against their definition, its shape against what engines run on integers."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from networks import model, pictures, residual
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from qingzhou.quant.network import Network, activations
from qingzhou.quant.qdq import Scheme, to_qdq
from qingzhou.quant.ranges import calibrate
from qingzhou.quant.signal import Signal, given, session

FEEDS = pictures(16)
FULL = Scheme()


def made(
    proto: ModelProto,
    scheme: Scheme = FULL,
    kept: frozenset[str] = frozenset(),
    means: bool = False,
    feeds: list[dict[str, np.ndarray]] = FEEDS,
) -> ModelProto:
    network = Network(proto)
    seen = calibrate(network, activations(network), feeds)
    ranges = {name: one.range("minmax") for name, one in seen.items()}
    averages = {name: one.mean for name, one in seen.items() if one.mean is not None} if means else None
    found = to_qdq(network, ranges, scheme, kept, averages)
    onnx.checker.check_model(found, full_check=True)
    return found


def constants(proto: ModelProto) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}


def integers(proto: ModelProto, name: str) -> list[np.ndarray]:
    """What a DequantizeLinear reads: integers (of activations nothing), scales, zero points."""
    known, made = constants(proto), {node.output[0]: node for node in proto.graph.node}
    for node in made.values():
        if node.op_type == "Mul" and set(node.input) <= set(known):  # the engine multiplies when it loads the model
            known[node.output[0]] = known[node.input[0]] * known[node.input[1]]
    return [known.get(part, np.zeros(0)) for part in made[f"{name}/int8" if name[-4:] != "bias" else name].input]


def newer(proto: ModelProto) -> ModelProto:
    """The same for onnx's evaluator, which knows DequantizeLinear since opset 19 only; its meaning is the same."""
    found = ModelProto()
    found.CopyFrom(proto)
    found.opset_import[0].version = 19
    return found


def optimised(proto: ModelProto) -> Counter[str]:
    """The operators that are left when onnxruntime has joined what it can."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(Path(folder, "m.onnx"))
        options.log_severity_level = 3
        onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


@pytest.mark.parametrize("scheme", [Scheme(), Scheme(narrow=True), Scheme(symmetric=True)])
def test_answers_are_near_and_the_reference_agrees(scheme: Scheme) -> None:
    """onnx's own evaluator, which knows QuantizeLinear from its definition, and our emulation give the same."""
    proto = residual()
    small = made(proto, scheme)
    for feed in FEEDS[:4]:
        expected = ReferenceEvaluator(proto).run(None, feed)[0]
        defined = ReferenceEvaluator(newer(small)).run(None, feed)[0]
        ours = session(small, emulated=True).run(None, feed)[0]
        np.testing.assert_allclose(ours, defined, atol=2e-3)
        np.testing.assert_allclose(ours, expected, atol=0.03)


def test_weights_are_the_nearest_of_their_channels_steps() -> None:
    proto = residual()
    was, small = constants(proto), made(proto)
    for name in ("w1", "w2", "w3"):
        stored, scales, zeros = integers(small, name)
        wide = scales.reshape(-1, *[1] * (was[name].ndim - 1))
        assert stored.dtype == zeros.dtype == np.int8 and not zeros.any()
        assert len(scales) == len(was[name])
        assert np.abs(was[name] - stored * wide).max() <= scales.max() / 2 * 1.0001
        assert np.abs(stored).max() == 127


def test_seven_bits_where_sixteen_bit_sums_would_overflow() -> None:
    small = made(residual(), Scheme(narrow=True))
    assert max(np.abs(integers(small, f"w{n}")[0].astype(int)).max() for n in (1, 2, 3)) == 64  # 255 * 64 * 2 < 2 ** 15


def test_symmetric_has_no_zero_points_and_biases_of_floats() -> None:
    """TensorRT knows no zero points, and takes no DequantizeLinear of 32 bits."""
    small = made(residual(), Scheme(symmetric=True))
    known = constants(small)
    ends = [node.input for node in small.graph.node if node.op_type.endswith("izeLinear")]
    assert ends and not any(known[part[2]].any() for part in ends)
    assert {known[part[2]].dtype for part in ends} == {np.dtype(np.int8)}
    assert not [tensor for tensor in small.graph.initializer if tensor.data_type == TensorProto.INT32]
    assert np.array_equal(known["bias"], constants(residual())["b1"])


def test_biases_are_in_steps_of_the_products() -> None:
    proto = residual()
    was, small = constants(proto), made(proto)
    for number, layer, source in (("1", "c1", "x"), ("2", "c2", "r1"), ("3", "logits", "pool")):
        stored, products = integers(small, f"{layer}/bias")
        np.testing.assert_allclose(products, integers(small, f"w{number}")[1] * integers(small, source)[1], rtol=1e-6)
        assert stored.dtype == np.int32
        assert np.abs(stored * products - was[f"b{number}"]).max() <= products.max() / 2 * 1.0001


def test_bias_correction_makes_up_for_the_mean_error() -> None:
    """What rounding the weights adds to a channel on average nearly vanishes, borders apart."""
    proto = residual(3)
    feeds = [{"x": feed["x"] + 2} for feed in FEEDS]  # without a mean there is no mean error
    signal = [session(proto, ["c1"]).run(["c1"], feed)[0] for feed in feeds]
    off = []
    for means in (False, True):
        small = made(proto, Scheme(narrow=True), means=means, feeds=feeds)
        stored, scales, _ = integers(small, "w1")
        bias = np.multiply(*integers(small, "c1/bias"))
        rounded = ModelProto()
        rounded.CopyFrom(proto)
        for tensor in rounded.graph.initializer:
            if tensor.name == "w1":
                tensor.CopyFrom(
                    numpy_helper.from_array((stored * scales.reshape(-1, 1, 1, 1)).astype(np.float32), "w1")
                )
            if tensor.name == "b1":
                tensor.CopyFrom(numpy_helper.from_array(bias.astype(np.float32), "b1"))
        run = session(rounded, ["c1"])
        errors = [run.run(["c1"], feed)[0] - one for feed, one in zip(feeds, signal, strict=True)]
        off.append(float(np.abs(np.mean([e[:, :, 1:-1, 1:-1].mean(axis=(0, 2, 3)) for e in errors], axis=0)).max()))
    assert off[1] < off[0] / 2


def test_all_of_it_runs_on_integers() -> None:
    kinds = optimised(made(residual(), Scheme(narrow=True)))
    assert kinds["QLinearConv"] == 2 and kinds["QGemm"] == 1 and kinds["QLinearAdd"] == 1
    assert not kinds["Conv"] and not kinds["Gemm"] and not kinds["Clip"] and not kinds["DequantizeLinear"]


def test_the_softmax_stays_float() -> None:
    small = made(residual())
    readers = [node for node in small.graph.node if node.op_type == "Softmax"]
    assert readers[0].input[0] == "logits" and readers[0].output[0] == "y"
    probabilities = session(small, emulated=True).run(None, FEEDS[0])[0]
    assert np.abs(probabilities * 255 - np.rint(probabilities * 255)).max() > 1e-3  # no multiples of 1/255


def test_a_convolution_that_ends_the_network_keeps_the_outputs_name_and_runs_on_integers() -> None:
    rng = np.random.default_rng(5)
    head = model(
        [helper.make_node("Conv", ["x", "w"], ["y"], name="head")],
        {"w": rng.normal(0, 1, (4, 3, 1, 1))},
        (1, 3, 12, 12),
        {"y": (1, 4, 12, 12)},
    )
    small = made(head, Scheme(narrow=True))
    assert [output.name for output in small.graph.output] == ["y"]
    assert optimised(small)["QLinearConv"] == 1
    expected, found = (session(m).run(["y"], FEEDS[0])[0] for m in (head, small))
    np.testing.assert_allclose(found, expected, atol=np.ptp(expected) / 100)


def test_layers_that_are_kept_compute_what_they_did() -> None:
    """With all but the first kept, that one is all that is rounded."""
    proto = residual()
    weighted = {node.output[0] for node in Network(proto).weighted}
    assert weighted == {"c1", "c2", "logits"}
    small = made(proto, Scheme(), frozenset(weighted - {"c1"}))
    kinds = Counter(node.op_type for node in small.graph.node)
    was, now = constants(proto), constants(small)
    assert np.array_equal(now["w2"], was["w2"]) and np.array_equal(now["w3"], was["w3"]) and "w1" not in now
    assert kinds["QuantizeLinear"] == 2  # of the picture and of what the first layer gives


def test_fewer_rounded_layers_are_nearer() -> None:
    proto = residual()
    heads = Network(proto).heads
    signal = Signal(heads, FEEDS, list(given(proto, heads, FEEDS)))
    none, one, all_of_them = (
        signal.sqnr(made(proto, Scheme(), frozenset(kept)), True) for kept in ((), ("c1",), ("c1", "c2", "logits"))
    )
    assert none < one < all_of_them


def test_only_what_is_heavy_and_what_leads_to_it() -> None:
    network = Network(residual())
    assert [node.name for node in network.weighted] == ["c1", "c2", "fc"]
    assert [node.name for node in network.between()] == ["r1", "sum", "pool", "flat"]
    assert network.heads == ["logits"]
    assert set(activations(network)) == {"x", "r1", "c2", "sum", "pool", "flat"}


def test_weights_that_two_layers_share_are_there_once_each_layer_with_a_bias_of_its_own() -> None:
    """As a detector's head that looks at several levels."""
    rng = np.random.default_rng(6)
    shared = model(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["near"], name="near"),
            helper.make_node("MaxPool", ["near"], ["half"], name="half", kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Conv", ["half", "w", "b"], ["y"], name="far"),
        ],
        {"w": rng.normal(0, 0.3, (3, 3, 1, 1)), "b": rng.normal(0, 1, 3)},
        (1, 3, 12, 12),
        {"y": (1, 3, 6, 6)},
    )
    small = made(shared)
    assert [tensor.name for tensor in small.graph.initializer if tensor.data_type == TensorProto.INT8][0:1] == [
        "weight"
    ]
    assert sum(tensor.data_type == TensorProto.INT32 for tensor in small.graph.initializer) == 2
    assert not np.array_equal(integers(small, "near/bias")[0], integers(small, "y/bias")[0])
    expected, found = (session(m, emulated=True).run(["y"], FEEDS[0])[0] for m in (shared, small))
    np.testing.assert_allclose(found, expected, atol=np.ptp(expected) / 100)


def test_a_matrix_used_both_ways_round_stays_float() -> None:
    """Scales have one axis, so the two could not share integers."""
    both = model(
        [
            helper.make_node("Flatten", ["x"], ["flat"], name="flat"),
            helper.make_node("MatMul", ["flat", "w"], ["there"], name="there"),
            helper.make_node("Gemm", ["there", "w"], ["y"], name="back", transB=1),
        ],
        {"w": np.random.default_rng(6).normal(0, 1, (432, 5))},
        (1, 3, 12, 12),
        {"y": (1, 432)},
    )
    assert not Network(both).weighted


def test_a_network_may_have_our_names_itself() -> None:
    rng = np.random.default_rng(6)
    named = model(
        [
            helper.make_node("Conv", ["x", "weight"], ["whole"]),
            helper.make_node("Conv", ["whole", "scale"], ["x/int8"]),
        ],
        {"weight": rng.normal(0, 1, (3, 3, 1, 1)), "scale": rng.normal(0, 1, (3, 3, 1, 1))},
        (1, 3, 12, 12),
        {"x/int8": (1, 3, 12, 12)},
    )
    expected, found = (session(m, emulated=True).run(None, FEEDS[0])[0] for m in (named, made(named)))
    np.testing.assert_allclose(found, expected, atol=np.ptp(expected) / 50)


def test_no_new_domains_and_the_same_versions() -> None:
    small = made(residual())
    assert [(entry.domain, entry.version) for entry in small.opset_import] == [("", 13)]
    assert small.ir_version == 8
