"""ncnn in INT8: its answers against the definition of the rounded network, what is written, damage and traps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from letters import survives

import qingzhou
from dear import but_slow
from passengers import DIGITS, ORACLE, basenn, mmedu
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.errors import EngineError, ModelError
from qingzhou.evaluate import evaluate
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.integers import set_apart
from qingzhou.onnxfile.read import read_graph
from qingzhou.onnxfile.write import write_onnx
from qingzhou.quant.network import Network, activations
from qingzhou.quant.qdq import Scheme, to_qdq
from qingzhou.quant.ranges import calibrate
from qingzhou.runtime.engine.ncnn_file import parse
from qingzhou.runtime.engine.ncnn_row import Damaged
from qingzhou.runtime.engine.session import open_session
from qingzhou.runtime.model.card import KEY

CHECKPOINT, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"


def rounded(source: Path, out: Path, scheme: Scheme) -> Path:
    """A model in INT8, from its own sample and noise."""
    network = Network(onnx.load(source))
    seen = calibrate(network, activations(network), feeds(source))
    found = to_qdq(network, {name: one.range("minmax") for name, one in seen.items()}, scheme)
    assert KEY in {entry.key for entry in found.metadata_props}
    onnx.save(found, out)
    return out


def feeds(source: Path, count: int = 5) -> list[dict[str, np.ndarray]]:
    """Its own sample, and so often noise of the same strength."""
    predictor, chance = qingzhou.load(source).predictor, np.random.default_rng(3)
    sample = predictor.feed(predictor.card.sample)
    strength = float(np.std(sample[predictor.card.input.name])) or 1.0
    noise = [
        {name: chance.normal(0, strength, array.shape).astype(array.dtype) for name, array in sample.items()}
        for _ in range(count)
    ]
    return [sample, *noise]


def layers(param: Path) -> list[str]:
    return [line for line in param.read_text("ascii").split("\n")[2:] if line and not line.startswith("#")]


# -- its answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", but_slow(["MobileNet", "ResNet18", "SSD_Lite"], ["ResNet18", "SSD_Lite"]))
def test_it_is_as_near_to_the_float_network_as_its_definition(name: str, tmp_path: Path) -> None:
    """Which onnxruntime computes operator by operator, from the same file. ncnn does not round after sums and pools."""
    form = {"form": "raw"} if name == "SSD_Lite" else {}
    source = qingzhou.convert(mmedu(name, tmp_path), **form).path
    small = rounded(source, tmp_path / "small.onnx", Scheme(symmetric=True))
    made = compile_for("ncnn", small, tmp_path)
    exact, ncnn = qingzhou.load(source).predictor, qingzhou.load(made.path).predictor
    definition = open_session(small, once=True)
    inputs = feeds(source, 5 if form else 23)  # two numbers a picture say little: of six the noise varies threefold
    floats = [array for feed in inputs for array in exact.run(feed)]
    defined = [array for feed in inputs for array in definition.run(None, feed)]
    found = [array for feed in inputs for array in ncnn.run({"in0": next(iter(feed.values()))})]
    assert _noise(found, floats) < 1.5 * _noise(defined, floats)
    assert _noise(found, defined) < 2 * _noise(defined, floats)
    assert made.precision == "int8" and made.size < 0.30 * source.stat().st_size


def _noise(some: list[np.ndarray], others: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(np.square(a - b, dtype=np.float64).sum() for a, b in zip(some, others, strict=True))))


def test_digits_are_right_as_often(tmp_path: Path) -> None:
    made = export_model(CHECKPOINT, "ncnn", tmp_path, "int8", DATA)
    assert made.precision == "int8" and made.size < 0.29 * CHECKPOINT.stat().st_size
    assert any("397" in note for note in made.notes)
    assert evaluate(made.path, DATA).result.right >= 488 - 1
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in made.files}
    assert qingzhou.load(made.path).check() < 1e-4


@pytest.mark.parametrize("size", [7, 28])
@pytest.mark.parametrize("channels", [16, 512])
def test_convolutions_are_exact(channels: int, size: int, tmp_path: Path) -> None:
    """Also Winograd's, with 8 bits of weights: what overflows in between comes back."""
    chance = np.random.default_rng(0)
    weight = chance.integers(-127, 128, (channels, channels, 3, 3)).astype(np.float32)
    weight[:, 0, 0, 0] = 127
    picture = chance.integers(-127, 128, (1, channels, size, size)).astype(np.float32)
    picture[0, 0, 0, 0] = 127
    proto = _convolution(weight, picture.shape)
    small = to_qdq(Network(proto), {"x": (-127.0, 127.0), "y": (-2e6, 2e6)}, Scheme(symmetric=True))
    kept = [name for name in ("y", "y/float") if any(name in node.output for node in small.graph.node)]
    wanted = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": picture})[0]
    assert kept and np.array_equal(_in_ncnn(small, picture, tmp_path), wanted)


def _convolution(weight: np.ndarray, shape: tuple[int, ...]) -> onnx.ModelProto:
    helper = onnx.helper
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], [onnx.numpy_helper.from_array(weight, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def _in_ncnn(proto: onnx.ModelProto, picture: np.ndarray, folder: Path) -> np.ndarray:
    """As other programs run the files: with ncnn's own options."""
    import ncnn

    from qingzhou.engines.ncnn.write import emit_ncnn, write_ncnn
    from qingzhou.graph.infer import inferred

    onnx.save(proto, folder / "m.onnx")
    graph, integers = set_apart(read_graph(folder / "m.onnx"))
    write_ncnn(folder / "m.param", folder / "m.bin", emit_ncnn(inferred(graph, {"batch": 1}), integers))
    net = ncnn.Net()
    assert net.load_param(str(folder / "m.param")) == net.load_model(str(folder / "m.bin")) == 0
    extractor = net.create_extractor()
    held = np.ascontiguousarray(picture[0])
    extractor.input("in0", ncnn.Mat(held).clone())
    return np.array(extractor.extract("out0")[1])[None]


# -- what is written -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["res_block", "npz_conv1d", "npz_action_model", "tab_iris"])
def test_without_the_integers_it_is_the_float_network(case: str, tmp_path: Path) -> None:
    """Of the weights only what rounding takes; the outputs keep their names."""
    source = qingzhou.convert(basenn(case), tmp_path / "m.onnx").path
    small = rounded(source, tmp_path / "small.onnx", Scheme(symmetric=True))
    floats, integers = set_apart(read_graph(small))
    before = read_graph(source)
    assert [node.op for node in floats.nodes] == [node.op for node in before.nodes]
    assert [value.name for value in floats.outputs] == [value.name for value in before.outputs]
    assert integers.weights and integers.scales
    write_onnx(tmp_path / "floats.onnx", emit(floats, 13, 8))
    predictor = qingzhou.load(source).predictor
    feed = predictor.feed(predictor.card.sample)
    other = onnxruntime.InferenceSession(str(tmp_path / "floats.onnx")).run(None, feed)
    for found, wanted in zip(other, predictor.run(feed), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.02 * max(1, np.abs(wanted).max()))


def test_between_convolutions_numbers_stay_whole(tmp_path: Path) -> None:
    source = qingzhou.convert(mmedu("MobileNet", tmp_path)).path
    made = compile_for("ncnn", rounded(source, tmp_path / "small.onnx", Scheme(symmetric=True)), tmp_path)
    convolutions = [line for line in layers(made.path) if line.startswith("Convolution")]
    whole = [line for line in convolutions if line.endswith(" 8=101") or " 8=101 " in line]
    assert len(convolutions) == 52 and len(whole) >= 30  # not before the sums of inverted residuals
    assert all(" 8=1" in line for line in convolutions)
    assert sum(line.startswith("InnerProduct") and " 8=1" in line for line in layers(made.path)) == 1


def test_groups_of_several_channels_stay_floats(tmp_path: Path) -> None:
    """ncnn has one scale for a group, and rounds no convolution of one dimension."""
    weight = np.random.default_rng(0).normal(size=(8, 4, 3, 3)).astype(np.float32)
    helper = onnx.helper
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], kernel_shape=[3, 3], group=2)
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, (1, 8, 5, 5)) for name in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], [onnx.numpy_helper.from_array(weight, "w")])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    small = to_qdq(Network(proto), {"x": (-3.0, 3.0), "y": (-9.0, 9.0)}, Scheme(symmetric=True))
    picture = np.random.default_rng(1).normal(size=(1, 8, 5, 5)).astype(np.float32)
    wanted = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, {"x": picture})[0]
    np.testing.assert_allclose(_in_ncnn(small, picture, tmp_path), wanted, atol=0.15)
    assert not any(" 8=" in line for line in layers(tmp_path / "m.param"))


def test_zero_points_are_refused(tmp_path: Path) -> None:
    source = qingzhou.convert(CHECKPOINT, tmp_path / "m.onnx").path
    small = rounded(source, tmp_path / "small.onnx", Scheme())
    with pytest.raises(EngineError, match="--target ncnn"):
        compile_for("ncnn", small, tmp_path / "out.param")
    assert not list(tmp_path.glob("out*"))


# -- damage and traps ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compiled")
    source = qingzhou.convert(basenn("res_block"), folder / "m.onnx").path
    return compile_for("ncnn", rounded(source, folder / "small.onnx", Scheme(symmetric=True)), folder).path


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(" 8=1\n", "\n"),
        lambda text: text.replace(" 8=1\n", " 8=2\n", 1),
        lambda text: text.replace(" 8=1\n", " 8=101\n", 1),
        lambda text: text.replace(" 8=1\n", " 8=1000000\n", 1),
        lambda text: text.replace(" 8=1\n", " 8=1.5\n", 1),
    ],
)
def test_other_numbers_of_factors(change: object, compiled: Path, tmp_path: Path) -> None:
    text = change(before := compiled.read_text("ascii"))  # type: ignore[operator]
    assert text != before
    (tmp_path / "m.param").write_text(text, "ascii")
    (tmp_path / "m.bin").write_bytes(compiled.with_suffix(".bin").read_bytes())
    with pytest.raises(ModelError):
        qingzhou.load(tmp_path / "m.param")


CONV = "0=4 1=1 11=1 2=1 12=1 3=1 13=1 4=0 14=0 15=0 16=0 5=0 6=16"
FIRST = f"Convolution c 1 1 in0 b1 {CONV} 8=101\n"
DEPTHWISE = CONV.replace("6=16", "6=4") + " 7=4"
FLOWS = {
    f"{FIRST}Convolution d 1 1 b1 out0 {CONV} 8=1": True,
    f"{FIRST}Convolution d 1 1 b1 out0 {CONV} 8=101": False,  # what is given is int8
    f"{FIRST}Convolution d 1 1 b1 out0 {CONV}": False,  # floats would be read
    f"{FIRST}ReLU d 1 1 b1 out0": False,
    f"{FIRST}ConvolutionDepthWise d 1 1 b1 out0 {DEPTHWISE} 8=1": True,
    f"{FIRST}ConvolutionDepthWise d 1 1 b1 out0 {CONV.replace('=16', '=8')} 7=2 8=1": False,  # not depthwise
    f"Convolution c 1 1 in0 b1 {CONV} 8=1\nReLU d 1 1 b1 out0": True,
    f"{FIRST}Split s 1 1 b1 b2\nReLU d 1 1 b2 out0": False,
    f"{FIRST}Split s 1 1 b1 b2\nConvolution d 1 1 b2 out0 {CONV} 8=1": True,
}


@pytest.mark.parametrize("lines", FLOWS)
def test_only_convolutions_read_whole_numbers(lines: str) -> None:
    count = lines.count("\n") + 2
    text = f"7767517\n{count} {count}\nInput i 0 1 in0 2=4 1=5 0=5\n{lines}\n"
    if FLOWS[lines]:
        assert parse(text).outputs == ((4, 5, 5),)
    else:
        with pytest.raises(Damaged):
            parse(text)


def test_no_change_of_a_letter_ends_the_process(compiled: Path) -> None:
    survives(compiled, 7)
