"""Bytes into an INT8 convolution: the border means what it did, and nothing but bytes is left before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from networks import Array, album, saved
from onnx import ModelProto, TensorProto, helper, numpy_helper

import qingzhou
from qingzhou.engines import open_predictor
from qingzhou.engines.artifact import compile_for
from qingzhou.quant.brief import brief
from qingzhou.quant.bytewise import bytewise
from qingzhou.quant.network import Network, activations
from qingzhou.quant.qdq import Scheme, to_qdq
from qingzhou.quant.ranges import calibrate
from qingzhou.quant.signal import session
from qingzhou.quant.signed import signed
from qingzhou.runtime.model.card import KEY, Card

MEAN, STD = np.array([123.675, 116.28, 103.53], np.float32), np.array([58.395, 57.12, 57.375], np.float32)
NARROW = Scheme(narrow=True)


def network(window: int = 3, mean: Array | None = MEAN, std: Array | None = STD, bias: bool = True) -> ModelProto:
    """uint8 (1, 3, 12, 12) -> Cast, Sub, Div -> Conv with a border -> Relu -> Conv."""
    rng = np.random.default_rng(2)
    constants = {"w": rng.normal(0, 0.3, (8, 3, window, window)), "v": rng.normal(0, 0.3, (5, 8, 1, 1))}
    nodes, at = [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)], "f"
    for op, row in (("Sub", mean), ("Div", std)):
        if row is not None:
            nodes.append(helper.make_node(op, [at, f"{op}/row"], [op]))
            constants[f"{op}/row"], at = row.reshape(3, 1, 1), op
    if bias:
        constants["b"] = rng.normal(0, 0.2, 8)
    nodes += [
        helper.make_node("Conv", [at, "w", *(["b"] if bias else [])], ["c"], pads=[window // 2] * 4),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Conv", ["r", "v"], ["y"]),
    ]
    tensors = [numpy_helper.from_array(np.asarray(array, np.float32), name) for name, array in constants.items()]
    entry = helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 3, 12, 12])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 12, 12])
    graph = helper.make_graph(nodes, "g", [entry], [out], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def pictures(count: int = 12, seed: int = 0) -> list[dict[str, Array]]:
    rng = np.random.default_rng(seed)
    return [{"x": rng.integers(0, 256, (1, 3, 12, 12)).astype(np.uint8)} for _ in range(count)]


def both(
    proto: ModelProto, scheme: Scheme = NARROW, kept: frozenset[str] = frozenset()
) -> tuple[ModelProto, ModelProto]:
    """The usual INT8 form, and that on bytes."""
    of = Network(proto)
    seen = calibrate(of, activations(of), pictures())
    means = {name: one.mean for name, one in seen.items() if one.mean is not None}
    usual = to_qdq(of, {name: one.range("minmax") for name, one in seen.items()}, scheme, kept)
    return usual, bytewise(usual, of, means, scheme)


def kinds(proto: ModelProto) -> list[str]:
    return [node.op_type for node in proto.graph.node]


def error(model: ModelProto, proto: ModelProto, where: tuple[slice | int, ...]) -> float:
    """Root mean square of what INT8 changes there, on pictures that did not calibrate, as a share of the answers'."""
    one, other = session(proto), session(model, emulated=True)
    pairs = [[s.run(None, feed)[0][(..., *where)] for s in (one, other)] for feed in pictures(8, seed=9)]
    return float(np.sqrt(np.mean([(a - b) ** 2 for a, b in pairs]) / np.mean([a**2 for a, _ in pairs])))


@pytest.mark.parametrize("scheme", [NARROW, Scheme()])
@pytest.mark.parametrize("how", [{}, {"bias": False}, {"mean": None}, {"std": None}, {"mean": None, "std": None}])
def test_the_border_is_as_right_as_the_middle(how: dict[str, None], scheme: Scheme) -> None:
    """Nearly: what rounding the fourth channel adds is corrected where the window is whole. With 7 bits that is up to
    twice the usual form's error, but no more than 6 % anywhere.
    """
    proto = network(**how)  # type: ignore[arg-type]
    usual, made = both(proto, scheme)
    onnx.checker.check_model(made, full_check=True)
    assert kinds(made)[0] == "Pad" and not {"Cast", "Sub", "Div"} & set(kinds(made))
    inside = slice(1, -1)
    assert error(made, proto, (inside, inside)) <= max(0.01, 1.3 * error(usual, proto, (inside, inside)))
    for where in ((0, slice(None)), (slice(None), -1), (0, 0)):
        assert error(made, proto, where) <= 0.06


def test_without_the_fourth_channel_the_border_would_be_wrong() -> None:
    """What the test above would notice: the same model with 0 where the fourth channel says that there is picture."""
    proto = network()
    _, made = both(proto)
    broken = ModelProto()
    broken.CopyFrom(made)
    corner = error(made, proto, (0, 0))
    weights = next(t for t in broken.graph.initializer if list(t.dims) == [8, 4, 3, 3])
    array = numpy_helper.to_array(weights).copy()
    array[:, 3] = array[:, 3].mean(axis=(1, 2), keepdims=True).astype(np.int8)  # the sum stays, the places do not
    weights.CopyFrom(numpy_helper.from_array(array, weights.name))
    assert error(broken, proto, (0, 0)) > 5 * corner


def test_the_processor_computes_the_same() -> None:
    _, made = both(network())
    for feed in pictures(4, seed=5):
        fast, slow = session(made).run(None, feed)[0], session(made, emulated=True).run(None, feed)[0]
        np.testing.assert_allclose(fast, slow, rtol=0, atol=0.1)


def test_short_names_and_int8_zero_points_keep_the_answers() -> None:
    """What boards may make of it: bytes that come in stay bytes."""
    proto = network()
    _, made = both(proto)
    for other in (brief(made, Network(proto)), signed(made), signed(brief(made, Network(proto)))):
        onnx.checker.check_model(other, full_check=True)
        for feed in pictures(3, seed=6):
            one, two = (session(m, emulated=True).run(None, feed)[0] for m in (made, other))
            np.testing.assert_allclose(one, two, rtol=0, atol=1e-6)


def test_what_stays() -> None:
    """A larger window, a first layer in float, and a network of floats."""
    for proto, kept in ((network(window=5), frozenset[str]()), (network(), frozenset(["c"]))):
        usual, made = both(proto, kept=kept)
        assert made is usual
    proto = network()
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    of = Network(proto)
    usual = to_qdq(of, dict.fromkeys(activations(of), (-3.0, 3.0)), NARROW)
    assert bytewise(usual, of, {}, NARROW) is usual


@pytest.mark.parametrize("target, first", [("x86", "Pad"), ("arm", "Cast")])
def test_the_file(tmp_path: Path, target: str, first: str) -> None:
    """quantize() of a model of bytes: on x86 they go straight in, elsewhere through the normalisation."""
    source = of_bytes(tmp_path, network())
    found = qingzhou.quantize(
        source, album(tmp_path / "album"), target=target, any_speed=True, max_drop=100, min_agreement=0
    )
    assert found.path is not None and kinds(onnx.load(found.path))[0] == first
    assert qingzhou.load(found.path).card.input.dtype == "uint8"


def test_openvino_is_near(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    proto = network()
    _, made = both(proto)
    model = open_predictor(compile_for("openvino", of_bytes(tmp_path, made), tmp_path / "m.xml").path)
    for feed in pictures(3, seed=7):
        found, wanted = model.outputs(feed["x"])[0], session(proto).run(None, feed)[0]
        assert np.sqrt(np.mean((found - wanted) ** 2) / np.mean(wanted**2)) < 0.05


def of_bytes(folder: Path, proto: ModelProto) -> Path:
    """The model's file with a card that says what it takes and gives."""
    path = saved(folder, proto, [])
    text = next(entry.value for entry in onnx.load(path).metadata_props if entry.key == KEY)
    data = Card.from_json(text).to_json().replace('"color": "RGB"', '"color": "RGB", "dtype": "uint8"')
    data = data.replace('"classification"', '"values"')
    changed = onnx.load(path)
    del changed.metadata_props[:]
    changed.metadata_props.add(key=KEY, value=data)
    onnx.save(changed, path)
    return path
