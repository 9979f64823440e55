"""Habits of exporters that an engine, a program or INT8 could trip over: weights among the inputs, sizes that are
reckoned while it runs, sizes that are all left open, newer forms of old operators.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

import foreign_files as files
import qingzhou
from qingzhou.bare import check_bare, run_arrays
from qingzhou.cli import main
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.engines.base import Settings
from qingzhou.engines.table import ENGINES
from qingzhou.errors import EngineError, ModelError, QingzhouError, UnsupportedCheckpoint
from qingzhou.onnxfile.read import read_onnx
from qingzhou.onnxfile.rewrite import is_near
from qingzhou.quant import quantize
from qingzhou.runtime.predict import Predictor


def theirs(path: Path, *arrays: np.ndarray) -> list[np.ndarray]:
    """What onnxruntime itself says."""
    session = onnxruntime.InferenceSession(str(path))
    return session.run(None, dict(zip([one.name for one in session.get_inputs()], arrays, strict=True)))


def pixels(shape: tuple[int, ...] = (32, 32, 3)) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)


def test_weights_among_the_inputs_are_what_they_are(tmp_path: Path) -> None:
    path = files.kept_as_inputs(tmp_path / "net.onnx")
    model = qingzhou.convert(path)
    picture = pixels()
    (expected,) = theirs(path, (picture.transpose(2, 0, 1)[None] / 255).astype(np.float32))
    shares = np.exp(expected[0]) / np.exp(expected[0]).sum()
    found = model.predict(picture)
    np.testing.assert_allclose(found.scores, shares, atol=1e-5)
    assert np.abs(expected).max() > 0.05 and check_bare(path).agree


@pytest.mark.parametrize("engine", ["openvino", "ncnn", "litert", "onnxruntime"])
def test_engines_keep_them_too(tmp_path: Path, engine: str) -> None:
    path = files.kept_as_inputs(tmp_path / "net.onnx")
    model = qingzhou.convert(path)
    made = compile_for(engine, model.path, tmp_path / "out")
    there = Predictor(made.path, session=ENGINES[engine].open(made.path, Settings()))
    np.testing.assert_allclose(there.predict(pixels()).scores, model.predict(pixels()).scores, atol=1e-5)
    assert len(there.session.get_inputs()) == 1


def test_int8_of_them(tmp_path: Path) -> None:
    from test_adopted_int8 import pictures, wide

    model = qingzhou.convert(wide(files.kept_as_inputs, tmp_path / "net.onnx"), labels="a,b,c")
    found = quantize(model.path, pictures(tmp_path, model), any_speed=True, max_drop=100)
    assert found.path is not None and [one.name for one in onnx.load(found.path).graph.input] == ["x"]


@pytest.mark.parametrize("engine", ["ncnn", "litert"])
@pytest.mark.parametrize("batch", ["batch", 1, None])
def test_sizes_that_are_reckoned_are_numbers_once_they_are_known(tmp_path: Path, engine: str, batch: object) -> None:
    made = export_model(files.reckoning(tmp_path / "net.onnx", batch), engine)
    assert made.difference is not None and made.difference.largest < 1e-5
    text = made.path.read_bytes()
    assert b"Shape" not in text.replace(b"Reshape", b"").replace(b"RESHAPE", b"")


@pytest.mark.parametrize("engine", ["ncnn", "litert"])
def test_sizes_that_are_open_are_asked_for(tmp_path: Path, engine: str) -> None:
    path = files.torch_classifier(tmp_path / "net.onnx", ("batch", 3, "height", "width"))
    with pytest.raises(EngineError, match=r"height, width.*--input-size"):
        export_model(path, engine)
    model = qingzhou.convert(path, input_size=(32, 32))
    made = export_model(model.path, engine)
    assert made.difference is not None and made.difference.small


def test_all_sizes_are_open(tmp_path: Path) -> None:
    """As optimum exports: the convolution says how many channels there are."""
    path = files.torch_classifier(tmp_path / "net.onnx", ("batch_size", "num_channels", "height", "width"))
    assert check_bare(path).inputs == {"x": "float32 [1, 3, 64, 64]"}
    model = qingzhou.convert(path, input_size=(32, 32))
    assert (model.card.input.kind, model.card.input.shape) == ("image", [None, 3, 32, 32])


@pytest.mark.parametrize("opset", [11, 13, 14])
@pytest.mark.parametrize(("start", "end"), [(0, 1), (1, None), (-2, None)])
def test_a_part_of_a_shape_in_an_older_opset(tmp_path: Path, opset: int, start: int, end: int | None) -> None:
    part = {"start": start} | ({} if end is None else {"end": end})
    nodes = [
        helper.make_node("Shape", ["x"], ["sizes"], **part),
        helper.make_node("Cast", ["sizes"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["floats"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    made = files.model(nodes, [files.value("x", ["n", 3, "m"])], [files.value("y", ["n", 3, "m"])], opset=20, ir=10)
    path = files.kept(tmp_path / "net.onnx", made)
    model = qingzhou.convert(path, opset=opset)
    x = np.ones((2, 3, 5), np.float32)
    np.testing.assert_array_equal(theirs(model.path, x)[0], theirs(path, x)[0])


def test_an_lstm_of_today_in_opset_13(tmp_path: Path) -> None:
    """torch's newer exporter says layout=0, which is older than the attribute, and squeezes without axes."""
    shapes = {"w": (1, 16, 4), "r": (1, 16, 4), "b": (1, 32)}
    weights = [numpy_helper.from_array(files.array(i, *one), name) for i, (name, one) in enumerate(shapes.items())]
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r", "b"], ["steps", "", ""], hidden_size=4, layout=0),
        helper.make_node("Squeeze", ["steps"], ["y"]),
    ]
    made = files.model(nodes, [files.value("x", [6, 1, 4])], [files.value("y", [6, 4])], weights, opset=20, ir=10)
    path = files.kept(tmp_path / "net.onnx", made)
    model = qingzhou.convert(path, opset=13)
    x = files.array(9, 6, 1, 4)
    np.testing.assert_allclose(theirs(model.path, x)[0], theirs(path, x)[0], atol=1e-6)


def test_scikit_learns_table_stays_behind_in_another_opset(tmp_path: Path) -> None:
    path = files.scikit(tmp_path / "net.onnx")
    model = qingzhou.convert(path, opset=11, ir_version=8)
    row = np.array([[5.1, 3.5, 1.4, 0.2]], np.float32)
    (table,) = theirs(path, row)[1]
    found = model.predict(row)[0]
    assert found.label == max(table, key=table.get)
    np.testing.assert_allclose(max(found.scores), max(table.values()), atol=1e-6)


def test_numbers_of_tables_and_lists_may_be_rounded() -> None:
    one, two = [{"a": 0.1, "b": 0.9}], [{"a": 0.1 + 1e-8, "b": 0.9 - 1e-8}]
    assert is_near(one, two) and not is_near(one, [{"a": 0.2, "b": 0.8}])
    assert not is_near(one, [{"a": 0.1}]) and not is_near(["x"], ["y"]) and is_near(["x"], ["x"])


def test_functions_of_the_file_are_not_written_in_another_opset(tmp_path: Path) -> None:
    nodes, weights = files.layers("twice", "y")
    own = helper.make_node("Twice", ["x"], ["twice"], domain="my")
    made = files.model([own, *nodes], [files.value("x", [1, 3, 32, 32])], [files.value("y", [1, 3])], weights,
                       domains={"my": 1})  # fmt: skip
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    made.functions.append(helper.make_function("my", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 17)]))
    path = files.kept(tmp_path / "net.onnx", made)
    assert qingzhou.convert(path).check() < 1e-6
    with pytest.raises(UnsupportedCheckpoint, match="functions"):
        qingzhou.convert(path, tmp_path / "old.onnx", opset=13)


@pytest.mark.parametrize("precision", ["int8-weights", "fp16"])
@pytest.mark.parametrize("make", [files.torch_classifier, files.state, files.two_inputs])
def test_smaller_weights_never_succeed_at_nothing(tmp_path: Path, make: Callable[[Path], Path], precision: str) -> None:
    model = qingzhou.convert(make(tmp_path / "net.onnx"))
    with pytest.raises(ModelError, match="no large weights"):
        quantize(model.path, precision=precision)
    assert not list(tmp_path.glob("*.int8w.onnx")) and not list(tmp_path.glob("*.fp16.onnx"))


def test_a_bundle_of_several_inputs_has_a_sample_of_each(tmp_path: Path) -> None:
    model = qingzhou.convert(files.two_inputs(tmp_path / "net.onnx"))
    engine = ("--engine", "onnxruntime")
    done = CliRunner().invoke(main, ["bundle", str(model.path), "--device", "pi5", *engine, "-o", str(tmp_path / "b")])
    assert done.exit_code == 0, done.output
    assert set(np.load(tmp_path / "b" / "sample.npz")) == {"a", "b"}


def test_a_number_without_axes_goes_in_alone(tmp_path: Path) -> None:
    square = helper.make_node("Mul", ["x", "x"], ["y"])
    path = files.kept(tmp_path / "net.onnx", files.model([square], [files.value("x", [])], [files.value("y", [])]))
    model = qingzhou.convert(path)
    assert model.check() == 0 and model.path.with_suffix(".py").exists()
    assert CliRunner().invoke(main, ["info", str(path)]).exit_code == 0
    for engine in ("ncnn", "litert"):
        with pytest.raises(EngineError, match="without axes"):
            export_model(path, engine)


@pytest.mark.parametrize("engine", ["ncnn", "litert"])
def test_a_form_that_no_rule_foresaw_has_a_name(tmp_path: Path, engine: str) -> None:
    """An LSTM whose first state is computed of its input."""
    shapes = {"w": (1, 16, 4), "r": (1, 16, 4), "b": (1, 32)}
    weights = [numpy_helper.from_array(files.array(i, *one), name) for i, (name, one) in enumerate(shapes.items())]
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["h"], axes=[0]),
        helper.make_node("LSTM", ["x", "w", "r", "b", "", "h3", "h3"], ["steps"], hidden_size=4),
    ]
    nodes.insert(1, helper.make_node("Reshape", ["h", "three"], ["h3"]))
    weights.append(numpy_helper.from_array(np.array([1, 1, 4], np.int64), "three"))
    made = files.model(nodes, [files.value("x", [6, 1, 4])], [files.value("steps", [6, 1, 1, 4])], weights)
    with pytest.raises(EngineError, match=r"ReduceMean|LSTM|Reshape"):
        export_model(files.kept(tmp_path / "net.onnx", made), engine)


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """An .ort that onnxruntime made, without a card."""
    path, out = files.torch_classifier(tmp_path / "net.onnx"), tmp_path / "net.ort"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(out)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return out


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_ort_of_somebody_else_says_what_it_is(compiled: Path, lang: str) -> None:
    def say(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--lang", lang])
        assert isinstance(done.exception, SystemExit | None)
        return " ".join(done.output.split())

    assert all(text in say("info", str(compiled)) for text in ("x: float32 [1, 3, 32, 32]", "qingzhou convert"))
    assert "(.ort)" in say("convert", str(compiled)) or "（.ort）" in say("convert", str(compiled))
    for verb in (["check"], ["run"], ["export", "--engine", "openvino"]):
        assert ".onnx" in say(verb[0], str(compiled), *verb[1:])


def test_what_onnxruntime_has_no_code_for_is_not_called_broken(tmp_path: Path) -> None:
    made = onnx.load(files.torch_classifier(tmp_path / "net.onnx"))
    for tensor in made.graph.initializer:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    for end in (*made.graph.input, *made.graph.output):
        end.type.tensor_type.elem_type = TensorProto.DOUBLE
    double = files.kept(tmp_path / "double.onnx", made)
    node = helper.make_node("Foo", ["x"], ["y"], domain="acme.ai")
    ends = [files.value("x", [1, 4])], [files.value("y", [1, 4])]
    custom = files.kept(tmp_path / "custom.onnx", files.model([node], *ends, domains={"acme.ai": 1}))
    for path, name in ((double, "Conv"), (custom, "Foo")):
        with pytest.raises(ModelError, match=f"onnxruntime lacks.*{name}"):
            check_bare(path)


def test_numbers_of_four_bits_are_not_called_broken(tmp_path: Path) -> None:
    weight = helper.make_tensor("w", TensorProto.INT4, [32, 8], np.zeros(256, np.int8))
    scale = numpy_helper.from_array(np.float32(0.1), "s")
    nodes = [helper.make_node("DequantizeLinear", ["w", "s"], ["f"]), helper.make_node("MatMul", ["x", "f"], ["y"])]
    ends = [files.value("x", [1, 32])], [files.value("y", [1, 8])]
    path = files.kept(tmp_path / "net.onnx", files.model(nodes, *ends, [weight, scale], opset=21, ir=10))
    assert qingzhou.convert(path).check() < 1e-4
    with pytest.raises(QingzhouError, match="of a type that is not read"):
        export_model(path, "ncnn")
    with pytest.raises(UnsupportedCheckpoint, match="a type that it does not have"):
        qingzhou.convert(path, tmp_path / "old.onnx", opset=13)


def test_an_input_of_unknown_shape_is_run_with_arrays(tmp_path: Path) -> None:
    ends = [files.value("x", None)], [files.value("y", None)]
    path = files.kept(tmp_path / "net.onnx", files.model([helper.make_node("Relu", ["x"], ["y"])], *ends))
    with pytest.raises(ModelError, match=r"how many axes.*arrays.npz"):
        check_bare(path)
    np.savez(tmp_path / "arrays.npz", x=np.float32([[-1, 2]]))
    (found,) = run_arrays(path, [tmp_path / "arrays.npz"])
    np.testing.assert_array_equal(found.outputs["y"], [[0, 2]])


@pytest.mark.parametrize("flat", [True, False])
def test_sparse_weights(tmp_path: Path, flat: bool) -> None:
    dense = np.zeros((8, 3), np.float32)
    dense[[0, 1, 7], [0, 2, 1]] = [1, 2, 3]
    places = np.flatnonzero(dense) if flat else np.argwhere(dense)
    tensor = onnx.SparseTensorProto(dims=dense.shape)
    tensor.values.CopyFrom(numpy_helper.from_array(dense[dense != 0], "w"))
    tensor.indices.CopyFrom(numpy_helper.from_array(places.astype(np.int64), ""))
    ends = [files.value("x", [1, 8])], [files.value("y", [1, 3])]
    made = files.model([helper.make_node("MatMul", ["x", "w"], ["y"])], *ends)
    made.graph.sparse_initializer.append(tensor)
    path, x = files.kept(tmp_path / "net.onnx", made), files.array(1, 1, 8)
    np.testing.assert_array_equal(read_onnx(path).graph.constants["w"].load(), dense)
    for engine in ("ncnn", "litert"):
        found = export_model(path, engine)
        assert found.difference is not None and found.difference.largest < 1e-6
    model = qingzhou.convert(path, opset=13)
    np.testing.assert_allclose(theirs(model.path, x)[0], x @ dense, atol=1e-6)
    with pytest.raises(ModelError, match="sparsely"):
        quantize(qingzhou.convert(path, tmp_path / "same.onnx").path, precision="fp16")


def test_sparse_weights_that_lie(tmp_path: Path) -> None:
    for places, shape in (([0, 99], (8, 3)), ([0], (8, 3)), ([-1, 0], (8, 3)), ([0, 1], (1 << 20, 1 << 20))):
        tensor = onnx.SparseTensorProto(dims=shape)
        tensor.values.CopyFrom(numpy_helper.from_array(np.float32([1, 2]), "w"))
        tensor.indices.CopyFrom(numpy_helper.from_array(np.array(places, np.int64), ""))
        made = files.model([helper.make_node("MatMul", ["x", "w"], ["y"])], [files.value("x", [1, 8])],
                           [files.value("y", [1, 3])])  # fmt: skip
        made.graph.sparse_initializer.append(tensor)
        graph = read_onnx(files.kept(tmp_path / "net.onnx", made)).graph
        with pytest.raises(ModelError):
            graph.constants["w"].load()


@pytest.mark.parametrize(("rows", "number", "fits"), [
    ([0, 0, 0, 0, 0, 0, 1, 1], 0, True), ([0, 0, 1, 2, 0, 0, 3, 0], 0, True),
    ([0, 0, 0, 0, 0, 0, 1, 1], 1, False), ([0, 1, 0, 0, 0, 0, 0, 0], 0, False), ([0, 0, -1, 0, 0, 0, 0, 0], 0, False),
])  # fmt: skip
def test_zeros_around_a_picture_are_the_convolutions_padding(
    tmp_path: Path, rows: list[int], number: int, fits: bool
) -> None:
    """As tf2onnx writes Keras' ZeroPadding2D before a stride; any other Pad is none, and refused by its name."""
    channels = 3 + rows[1]
    weights = [
        numpy_helper.from_array(files.array(1, 4, channels, 3, 3), "w"),
        numpy_helper.from_array(np.array(rows, np.int64), "rows"),
        numpy_helper.from_array(np.float32(number), "number"),
    ]
    nodes = [
        helper.make_node("Pad", ["x", "rows", "number"], ["padded"]),
        helper.make_node("Conv", ["padded", "w"], ["y"], strides=[2, 2]),
    ]
    made = files.model(nodes, [files.value("x", [1, 3, 16, 16])], [files.value("y", [1, 4, None, None])], weights)
    path = files.kept(tmp_path / "net.onnx", made)
    if not fits:
        with pytest.raises(EngineError, match=r"Pad"):
            export_model(path, "ncnn")
        return
    found = export_model(path, "ncnn")
    assert found.difference is not None and found.difference.largest < 1e-5


@pytest.mark.parametrize("engine", ["ncnn", "litert"])
@pytest.mark.parametrize("make", [files.half, files.caffe2, files.paddle])
def test_weights_that_are_made_of_others(tmp_path: Path, make: Callable[[Path], Path], engine: str) -> None:
    """float16, one number again and again, Constant nodes."""
    found = export_model(make(tmp_path / "net.onnx"), engine)
    assert found.difference is not None and found.difference.largest < 2e-3
