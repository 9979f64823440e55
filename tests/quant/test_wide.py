"""Three colours as four channels: the same answers bit by bit, only where it helps, and read as before."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import album, model, pictures, residual, saved
from onnx import ModelProto, helper, numpy_helper
from test_qdq import made, optimised

import qingzhou
from qingzhou.engines import ENGINES, open_predictor
from qingzhou.engines.artifact import compile_for
from qingzhou.errors import EngineError
from qingzhou.quant.brief import brief
from qingzhou.quant.network import Network
from qingzhou.quant.qdq import Scheme
from qingzhou.quant.signal import session
from qingzhou.quant.signed import signed
from qingzhou.quant.wide import widened

NARROW = Scheme(narrow=True)


def kinds(proto: ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in proto.graph.node)


def first_conv(window: int = 3, colours: int = 3, made_channels: int = 8, group: int = 1) -> ModelProto:
    """A convolution of a picture and what reads it."""
    weights = np.random.default_rng(3).normal(0, 0.3, (made_channels, colours // group, window, window))
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[window // 2] * 4, group=group),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["y"]),
    ]
    return model(nodes, {"w": weights}, (1, colours, 12, 12), {"y": (1, made_channels, 1, 1)})


def feeds_of(colours: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(4)
    return [{"x": rng.normal(0, 1, (1, colours, 12, 12)).astype(np.float32)} for _ in range(3)]


# -- the same numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme, emulated", [(NARROW, False), (NARROW, True), (Scheme(), True)])
def test_answers_are_equal_bit_by_bit(scheme: Scheme, emulated: bool) -> None:
    """Also of pictures brighter and darker than any that calibrated, and of one colour alone."""
    plain = made(residual(), scheme)
    wide = widened(plain)
    onnx.checker.check_model(wide, full_check=True)
    assert kinds(wide) - kinds(plain) == Counter(Pad=1)
    one, other = session(plain, emulated=emulated), session(wide, emulated=emulated)
    given = [feed["x"] * size for feed in pictures(16) for size in (1, 9)]
    given += [np.full((1, 3, 12, 12), level, np.float32) for level in (-3, 0, 0.01, 5)]
    for x in given:
        np.testing.assert_array_equal(one.run(None, {"x": x})[0], other.run(None, {"x": x})[0])


def test_the_fourth_channel_means_nothing() -> None:
    """By hand: what is filled up is the zero point, the weights there are zeros, the others as they were."""
    plain = made(residual(), NARROW)
    wide = Network(widened(plain))
    pad = next(node for node in wide.proto.graph.node if node.op_type == "Pad")
    rounding = wide.producers[pad.input[0]]
    assert rounding.op_type == "QuantizeLinear" and rounding.input[0] == "x"
    assert pad.input[2] == rounding.input[2]
    assert numpy_helper.to_array(wide.constants[pad.input[1]]).tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    conv = next(node for node in wide.proto.graph.node if node.op_type == "Conv")
    integers = wide.constants[wide.producers[conv.input[1]].input[0]]
    before = Network(plain).constants[integers.name]
    np.testing.assert_array_equal(numpy_helper.to_array(integers)[:, :3], numpy_helper.to_array(before))
    assert tuple(integers.dims) == (8, 4, 3, 3) and not numpy_helper.to_array(integers)[:, 3].any()


def test_it_computes_in_integers_as_before() -> None:
    """A Pad between would be of no use if onnxruntime then made the convolution float."""
    plain = made(residual(), NARROW)
    before, after = optimised(plain), optimised(widened(plain))
    assert after["QLinearConv"] == before["QLinearConv"] == 2
    assert after["DequantizeLinear"] == before["DequantizeLinear"]


def test_short_names_and_int8_zero_points_keep_the_answers() -> None:
    proto = residual()
    wide = widened(made(proto, NARROW))
    for other in (brief(wide, Network(proto)), signed(wide)):
        onnx.checker.check_model(other, full_check=True)
        for feed in pictures(4):
            np.testing.assert_array_equal(session(wide).run(None, feed)[0], session(other).run(None, feed)[0])


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
def test_at_every_opset_that_int8_has(opset: int) -> None:
    proto = residual()
    proto.opset_import[0].version = opset
    plain = made(proto, NARROW)
    for feed in pictures(2):
        one, other = session(plain).run(None, feed), session(widened(plain)).run(None, feed)
        np.testing.assert_array_equal(one[0], other[0])


# -- only where it helps --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "proto, colours, helps",
    [
        (first_conv(), 3, True),
        (first_conv(window=1), 3, True),
        (first_conv(made_channels=64), 3, True),
        (first_conv(window=5), 3, False),  # the additional products cost more
        (first_conv(window=7), 3, False),
        (first_conv(made_channels=65), 3, False),
        (first_conv(colours=1), 1, False),
        (first_conv(colours=4), 4, False),
        (first_conv(made_channels=3, group=3), 3, False),
    ],
)
def test_small_windows_of_three_colours(proto: ModelProto, colours: int, helps: bool) -> None:
    plain = made(proto, NARROW, feeds=feeds_of(colours))
    assert kinds(widened(plain))["Pad"] == helps


def test_a_picture_that_others_read_stays() -> None:
    """Two convolutions of one picture, or an output that is its rounded form."""
    proto = first_conv()
    proto.graph.node.insert(1, helper.make_node("Conv", ["x", "w2"], ["c2"], pads=[1] * 4))
    proto.graph.node.insert(2, helper.make_node("Add", ["c", "c2"], ["s"]))
    proto.graph.node[3].input[0] = "s"
    weights = np.random.default_rng(5).normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32)
    proto.graph.initializer.append(numpy_helper.from_array(weights, "w2"))
    plain = made(proto, NARROW, feeds=feeds_of(3))
    assert widened(plain) is plain


def test_a_first_layer_in_float_stays() -> None:
    plain = made(residual(), NARROW, kept=frozenset(["c1"]))
    assert widened(plain) is plain


def test_names_that_the_network_has_already() -> None:
    proto = residual()
    for node in proto.graph.node:
        node.input[:] = ["four_channels" if name == "c2" else name for name in node.input]
        node.output[:] = ["four_channels" if name == "c2" else name for name in node.output]
    onnx.checker.check_model(widened(made(proto, NARROW)), full_check=True)


# -- whoever reads the file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target, wide", [("x86", True), ("vnni", True), ("arm", False), ("ncnn", False)])
def test_the_file_has_it_for_x86_only(tmp_path: Path, target: str, wide: bool) -> None:
    source, data = saved(tmp_path, residual()), album(tmp_path / "album")
    found = qingzhou.quantize(source, data, target=target, any_speed=True, max_drop=100, min_agreement=0)
    assert found.path is not None
    assert kinds(onnx.load(found.path))["Pad"] == wide
    assert onnx.load(found.path).ir_version == 8


def test_openvino_gives_the_same(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    plain = made(residual(), NARROW)
    one, other = (
        open_predictor(compile_for("openvino", saved(folder, proto), folder / "m.xml").path)
        for folder, proto in ((new(tmp_path / "plain"), plain), (new(tmp_path / "wide"), widened(plain)))
    )
    for feed in pictures(4):
        np.testing.assert_array_equal(one.outputs(feed["x"])[0], other.outputs(feed["x"])[0])


@pytest.mark.parametrize("engine", ["ncnn", "tensorrt"])
def test_engines_without_zero_points_refuse_it_as_before(tmp_path: Path, engine: str) -> None:
    path = saved(tmp_path, widened(made(residual(), NARROW)))
    with pytest.raises(EngineError, match="zero points"):
        compile_for(ENGINES[engine].name, path, tmp_path / "m")


def new(folder: Path) -> Path:
    folder.mkdir()
    return folder
