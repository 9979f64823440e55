"""TensorFlow Lite: what its own interpreter answers, network by network and operator by operator."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflite_case import Case, X
from tflite_cases import CASES

from qingzhou.conversion import run_conversion
from qingzhou.errors import CheckpointDamaged, OptionError, QingzhouError, UnsupportedCheckpoint
from qingzhou.graph.fold import simplify
from qingzhou.info import read_info
from qingzhou.model import load
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.facts import Facts
from qingzhou.onnxfile.write import write_onnx
from qingzhou.options import Options
from qingzhou.quant import quantize
from qingzhou.runtime.engine.session import open_session
from qingzhou.sources.network import Network
from qingzhou.sources.read import read_network
from qingzhou.sources.source import Opened
from qingzhou.sources.tflite.model import Tensor
from qingzhou.sources.tflite.read import model_in
from tflite_files import Op, T, const, flatbuffer, flow, model

ORACLE = Path(__file__).parents[1] / "oracle" / "tflite"
DIGITS = Path(__file__).parents[1] / "oracle" / "digits" / "test"
ANSWERS = np.load(ORACLE / "operators.npz")
TOLD: Mapping[str, Any] = json.loads((ORACLE / "cases.json").read_text("utf-8"))
NETWORKS = sorted(name for name in TOLD if (ORACLE / f"{name}.npz").is_file())
COLORS = (1, 3)


def fed(array: Any, steps: tuple[float, int] | None) -> Any:
    """As our network takes it: what integers stand for, pictures with their channels first."""
    if steps is not None:
        array = (array.astype(np.float32) - np.float32(steps[1])) * np.float32(steps[0])
    return array.transpose(0, 3, 1, 2) if array.ndim == 4 and array.shape[3] in COLORS else array


def counted(array: Any, steps: tuple[float, int] | None) -> Any:
    """Numbers as the integers that stand for them."""
    return array if steps is None else np.round(array / np.float32(steps[0])) + steps[1]


def one_of(tensor: Tensor) -> tuple[float, int] | None:
    steps = tensor.steps if tensor.integer else None
    return None if steps is None else (float(steps.scales[0]), int(steps.zeros[0]))


def opened(network: Network, path: Path, opset: int) -> Any:
    write_onnx(path, emit(simplify(network.graph), opset, 8))
    return open_session(path)


def asked(session: Any, inputs: list[Any]) -> list[Any]:
    """Its answers to all samples, one by one where it takes only one."""
    names = [entry.name for entry in session.get_inputs()]
    kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
    given = {
        entry.name: array.astype(kinds[entry.type]) for entry, array in zip(session.get_inputs(), inputs, strict=True)
    }
    if isinstance(session.get_inputs()[0].shape[0], str):
        return list(session.run(None, given))
    rows = [session.run(None, {name: given[name][i : i + 1] for name in names}) for i in range(len(inputs[0]))]
    return [np.concatenate(row) for row in zip(*rows, strict=True)]


@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_answer_as_the_interpreter_does(name: str, opset: int, tmp_path: Path) -> None:
    path, expected = ORACLE / f"{name}.tflite", np.load(ORACLE / f"{name}.npz")
    file = model_in(Opened.at(path))
    given = [fed(expected[f"x{i}"], one_of(file.tensors[at])) for i, at in enumerate(file.inputs)]
    found = asked(opened(read_network(path), tmp_path / "net.onnx", opset), given)
    for i, (answer, at) in enumerate(zip(found, file.outputs, strict=True)):
        wanted = expected[f"y{i}"]
        assert answer.shape == wanted.shape
        apart = np.abs(counted(answer, one_of(file.tensors[at])).astype(np.float64) - wanted)
        assert apart.max() <= TOLD[name]["tolerance"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_operators_answer_as_the_interpreter_does(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    (tmp_path / "net.tflite").write_bytes(case.file())
    network = read_network(tmp_path / "net.tflite")
    for opset in (13, 17):
        session = opened(network, tmp_path / "net.onnx", opset)
        given = [fed(array, steps_of(case, key)) for key, array in case.inputs.items()]
        kinds = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
        entries = session.get_inputs()
        found = session.run(None, {e.name: a.astype(kinds[e.type]) for e, a in zip(entries, given, strict=True)})
        for i, (answer, key) in enumerate(zip(found, case.outputs, strict=True)):
            wanted = ANSWERS[f"{name}.{i}"]
            assert answer.shape == wanted.shape
            apart = np.abs(counted(answer, steps_of(case, key)).astype(np.float64) - wanted.astype(np.float64))
            assert apart.max(initial=0) <= case.loose, opset


def steps_of(case: Case, key: str) -> tuple[float, int] | None:
    tensor = case.tensors[key]
    return (tensor.steps[0], tensor.steps[1]) if tensor.steps else None


@pytest.mark.parametrize("name", ["detector", "detector_regular"])
def test_detectors(name: str, tmp_path: Path) -> None:
    """Boxes in pixels of the network's input, as its own operator gives them in shares of 1."""
    expected = np.load(ORACLE / f"{name}.npz")
    done = run_conversion(ORACLE / f"{name}.tflite", tmp_path / "x.onnx", Options(score_threshold=0.1))
    dets, labels = open_session(done.model.path).run(None, {"picture": fed(expected["x0"], None)})
    count = int(expected["y3"][0])
    boxes = expected["y0"][0][:count, [1, 0, 3, 2]] * [8, 6, 8, 6]
    assert count == 10 and np.abs(dets[0][:count, :4] - boxes).max() < 1e-4
    assert np.abs(dets[0][:count, 4] - expected["y2"][0][:count]).max() < 1e-5
    assert labels[0][:count].tolist() == expected["y1"][0][:count].tolist()
    card = read_network(ORACLE / f"{name}.tflite").card
    assert card.thresholds is not None and card.thresholds["score"] == 0.5
    assert any("0.1" in note for note in card.notes)


# -- from pictures to classes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["float", "dynamic", "float16", "int8"])
def test_digits_from_pictures(form: str, tmp_path: Path) -> None:
    """Pixels go in as they are, since the network scales them; the trained network is right in 99.8 % of them."""
    labels = sorted(folder.name for folder in DIGITS.iterdir())
    done = run_conversion(ORACLE / f"digits_{form}.tflite", tmp_path / "digits.onnx", Options(labels=labels))
    reader = load(done.model.path)
    paths = sorted(DIGITS.glob("*/*"))
    right = sum(reader.predict(path).label == path.parent.name for path in paths)
    assert len(paths) == 497 and right / len(paths) > 0.9975
    assert "equals_original" in done.checks and "normalize" not in done.model.card.assumed
    assert Facts(done.model.path).quantized == (form == "int8")


def test_what_is_int8_already_is_not_quantised_again(tmp_path: Path) -> None:
    done = run_conversion(ORACLE / "digits_int8.tflite", tmp_path / "digits.onnx")
    assert any("INT8 already" in note for note in done.notes) and done.model.card.sample.tolerance == 0.02  # type: ignore[union-attr]
    with pytest.raises(QingzhouError, match="INT8 already"):
        quantize(done.model.path, DIGITS)


def test_int8_needs_a_scale_for_each_channel(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="opset"):
        run_conversion(ORACLE / "int8.tflite", tmp_path / "x.onnx", Options(opset=11))
    assert not list(tmp_path.iterdir())


def test_integers_are_those_of_the_file(tmp_path: Path) -> None:
    """Weights, scales and zero points, so that engines compute with the same integers."""
    file, graph = model_in(Opened.at(ORACLE / "int8.tflite")), read_network(ORACLE / "int8.tflite").graph
    kept = {name: one.load() for name, one in graph.constants.items() if one.dtype in ("int8", "int32") and one.keys}
    told = [one for one in file.tensors if one.numbers is not None and one.steps is not None]
    assert sorted(map(np.size, kept.values())) == sorted(one.numbers().size for one in told)  # type: ignore[misc]
    assert sum(int(np.sort(a.reshape(-1)).astype(np.int64) @ np.arange(a.size)) for a in kept.values()) == sum(
        int(np.sort(one.numbers().reshape(-1)).astype(np.int64) @ np.arange(one.numbers().size))  # type: ignore[misc]
        for one in told
    )
    scales = {float(one.load()) for name, one in graph.constants.items() if name.startswith("scale")}
    assert scales == {float(one.steps.scales[0]) for one in file.tensors if one.integer and one.numbers is None}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["float", "int8", "digits_int8"])
def test_no_transpose_is_left(name: str) -> None:
    """Channels last are gone inside, also through integers, and behind a flattening in the dense layer's weights."""
    graph = simplify(read_network(ORACLE / f"{name}.tflite").graph)
    assert not [node for node in graph.nodes if node.op == "Transpose"]


# -- names and what else the file says ---------------------------------------------------------------------------------


def test_outputs_are_in_the_order_of_the_signature() -> None:
    names = [value.name for value in read_network(ORACLE / "float_many.tflite").graph.outputs]
    assert names == [f"output_{i}" for i in range(32)]


def test_labels_that_stand_behind_the_file(tmp_path: Path) -> None:
    done = run_conversion(ORACLE / "labels.tflite", tmp_path / "x.onnx")
    assert done.model.card.labels == ["猫", "狗", "bird", "fish", "horse"]


def test_labels_whose_places_are_counted_from_the_start(tmp_path: Path) -> None:
    """As zipfile in the mode "a" writes them, and so TFLite Support."""
    path = Path(shutil.copy(ORACLE / "float.tflite", tmp_path))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("labelmap.txt", "a\nb\nc\nd\ne\n")
    assert read_network(path).named == ("a", "b", "c", "d", "e")


def test_labels_that_do_not_fit_are_left_out(tmp_path: Path) -> None:
    path = Path(shutil.copy(ORACLE / "float.tflite", tmp_path))
    (tmp_path / "labels.txt").write_text("0 a\n1 b\n", "utf-8")
    network = read_network(path)
    assert network.named is None and any("does not fit" in note for note in network.card.notes)


def net(*more: Op, sides: tuple[int, ...] = (-1, 6, 7, 3), **given: Any) -> bytes:
    """A picture of 6 x 7, a convolution and a mean: two classes."""
    tensors = {
        "x": T(None, tuple(max(n, 1) for n in sides), "float32", (), sides), "w": const(np.ones((2, 1, 1, 3), "f4")),
        "b": const(np.zeros(2, "f4")), "y": flow(1), "axes": const(np.array([1, 2], "i4")), "z": flow(1), "p": flow(1),
    }  # fmt: skip
    ops = [
        Op("CONV_2D", ["x", "w", "b"], ["y"], {"stride_w": 1, "stride_h": 1}),
        Op("MEAN", ["y", "axes"], ["z"], {"keep_dims": False}, kind="ReducerOptions"),
        Op("SOFTMAX", ["z"], ["p"], {"beta": 1.0}),
    ]
    return model(tensors, [*ops, *more], ["x"], ["p"], **given)


def metadata(mean: list[float], std: list[float]) -> bytes:
    picture = {
        "process_units": [{"options_type": 1, "options": ("NormalizationOptions", {"mean": mean, "std": std})}],
        "content": {"content_properties_type": 2, "content_properties": ("ImageProperties", {"color_space": 1})},
    }
    scores = {"associated_files": [{"name": "these.txt", "type": 2}, {"name": "others.txt", "type": 1}]}
    graph = {"input_tensor_metadata": [picture], "output_tensor_metadata": [scores]}
    said = {"name": "Beans", "version": "v1", "author": "A class", "subgraph_metadata": [graph]}
    return flatbuffer("ModelMetadata", said, b"M001")


def test_metadata(tmp_path: Path) -> None:
    path = tmp_path / "beans.tflite"
    path.write_bytes(net(metadata=metadata([127.5], [100])))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("others.txt", "no\nlabels\n")
        archive.writestr("these.txt", "bad\ngood\n")
    done = run_conversion(path, tmp_path / "x.onnx")
    card = done.model.card
    assert (card.labels, card.network, card.tool) == (["bad", "good"], "Beans", "TensorFlow Lite")
    assert card.input.steps[-1] == {"op": "normalize", "mean": [127.5] * 3, "std": [100.0] * 3}
    assert card.assumed == ["resize"] and card.origin["training"]["author"] == "A class"


@pytest.mark.parametrize("packed", [False, True])
def test_teachable_machine(packed: bool, tmp_path: Path) -> None:
    """The square in the middle, -1 to 1, and labels without their numbers, as its page does it."""
    path = tmp_path / "converted_tflite.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        archive.writestr("model_unquant.tflite", net(sides=(1, 6, 6, 3)))
        archive.writestr("labels.txt", "0 石头\n1 布\n")
    done = run_conversion(path, tmp_path / "x.onnx")
    card = done.model.card
    assert (card.labels, card.assumed, card.tool) == (["石头", "布"], [], "Teachable Machine")
    assert [step["op"] for step in card.input.steps] == ["resize", "center_crop", "normalize"]
    assert card.input.steps[-1]["mean"] == [127.5] * 3
    assert read_info(path).labels == ["石头", "布"]


def test_teachable_machine_unpacked(tmp_path: Path) -> None:
    (tmp_path / "model_unquant.tflite").write_bytes(net(sides=(1, 6, 6, 3)))
    (tmp_path / "labels.txt").write_text("0 a\n1 b\n", "utf-8")
    card = run_conversion(tmp_path / "model_unquant.tflite", tmp_path / "x.onnx").model.card
    assert (card.labels, card.tool) == (["a", "b"], "Teachable Machine")


def test_bytes_say_what_they_stand_for(tmp_path: Path) -> None:
    """A uint8 model is fed pixels: its scale and zero point are the mean and deviation of its training."""
    tensors = {
        "x": flow(1, 6, 7, 3, dtype="uint8", steps=(1 / 128, 128)), "axes": const(np.array([1, 2], "i4")),
        "y": flow(1, dtype="uint8", steps=(1 / 128, 128)),
    }  # fmt: skip
    path = tmp_path / "net.tflite"
    path.write_bytes(model(tensors, [Op("MEAN", ["x", "axes"], ["y"], {}, 2, "ReducerOptions")], ["x"], ["y"]))
    card = read_network(path).card
    assert card.input.steps[-1] == {"op": "normalize", "mean": [128.0] * 3, "std": [128.0] * 3}
    assert "normalize" not in card.assumed


def test_free_sizes(tmp_path: Path) -> None:
    path = tmp_path / "net.tflite"
    path.write_bytes(net(sides=(-1, -1, -1, 3)))
    assert read_network(path).graph.inputs[0].shape == ("batch", 3, "height", "width")
    assert read_network(path, Wanted(input_size=(10, 12))).graph.inputs[0].shape == ("batch", 3, 10, 12)
    path.write_bytes(net())
    with pytest.raises(OptionError, match="made for inputs of 6 x 7"):
        read_network(path, Wanted(input_size=(10, 12)))


def test_info(tmp_path: Path) -> None:
    info = read_info(ORACLE / "int8.tflite")
    assert (info.container, info.tool, info.task, info.classes) == ("tflite", "TensorFlow Lite", "classification", 5)
    assert info.facts["precision"] == "int8" and len(info.parts) > 5
    assert "WHILE" in str(read_info(ORACLE / "lstm.tflite").problem)


# -- refused by name ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "words"),
    [
        ("edgetpu-custom-op", "Edge TPU"),
        ("FlexErf", "SELECT_TF_OPS"),
        ("my_own", "my_own"),
        ("NON_MAX_SUPPRESSION_V5", "NON_MAX_SUPPRESSION_V5"),
        ("IF", "Keras 3"),
    ],
)
def test_operators_that_are_not_known(op: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(net(Op(op, ["p"], ["z"])))
    with pytest.raises(UnsupportedCheckpoint, match=words) as caught:
        read_network(tmp_path / "net.tflite")
    assert words in caught.value.zh or words == "Edge TPU"


def test_loops_of_keras_3_are_refused_with_the_way_out() -> None:
    with pytest.raises(UnsupportedCheckpoint, match=r"WHILE.*\.keras"):
        read_network(ORACLE / "lstm.tflite")


def test_a_compiled_edgetpu_model_of_teachable_machine(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "converted_edgetpu.zip", "w") as archive:
        archive.writestr("model_edgetpu.tflite", net(Op("edgetpu-custom-op", ["p"], ["z"])))
        archive.writestr("labels.txt", "0 a\n1 b\n")
    with pytest.raises(UnsupportedCheckpoint, match="without _edgetpu"):
        read_network(tmp_path / "converted_edgetpu.zip")


def test_what_depends_on_numbers_that_are_not_known(tmp_path: Path) -> None:
    tensors = {"x": flow(1, 4), "n": flow(2, dtype="int32"), "y": flow(1)}
    content = model(tensors, [Op("TILE", ["x", "n"], ["y"]), Op("RANGE", ["x", "x", "x"], ["y"])], ["x", "n"], ["y"])
    (tmp_path / "net.tflite").write_bytes(content)
    with pytest.raises(UnsupportedCheckpoint, match="only known when it runs"):
        read_network(tmp_path / "net.tflite")


def test_a_tensor_that_nobody_makes(tmp_path: Path) -> None:
    content = model({"x": flow(1, 4), "y": flow(1, 4), "z": flow(1)}, [Op("ADD", ["x", "y"], ["z"])], ["x"], ["z"])
    (tmp_path / "net.tflite").write_bytes(content)
    with pytest.raises(CheckpointDamaged, match="before it is made"):
        read_network(tmp_path / "net.tflite")


def test_every_case_has_its_answer() -> None:
    assert X.shape == (1, 6, 7, 4) and all(f"{name}.0" in ANSWERS for name in CASES) and len(CASES) > 200


@pytest.mark.parametrize("turned", [False, True])
def test_which_axis_has_the_colours(turned: bool, tmp_path: Path) -> None:
    """The last one: (1, 3, 6, 8) is a picture only where the file itself turns it first, as files made from PyTorch."""
    perm = {"perm": const(np.array([0, 2, 3, 1], "i4")), "last": flow(1, 6, 8, 3)} if turned else {}
    start = [Op("TRANSPOSE", ["x", "perm"], ["last"])] if turned else []
    pool = Op("AVERAGE_POOL_2D", ["last" if turned else "x"], ["y"], {"filter_height": 1, "filter_width": 1,
              "stride_h": 1, "stride_w": 1, "padding": 1}, kind="Pool2DOptions")  # fmt: skip
    tensors = {"x": flow(1, 3, 6, 8), **perm, "y": flow(1, 6, 8, 3) if turned else flow(1, 3, 6, 8)}
    path = tmp_path / "pool.tflite"
    path.write_bytes(model(tensors, [*start, pool], ["x"], ["y"]))
    entry = read_network(path, Wanted()).card.input
    assert (entry.kind, entry.shape) == ("image" if turned else "array", [1, 3, 6, 8])


def test_a_softplus_in_three_steps_does_not_overflow(tmp_path: Path) -> None:
    x = np.array([[-90.0, 0.0, 1.5, 200.0]], np.float32)
    tensors = {"x": flow(1, 4), "e": flow(1, 4), "one": const(np.float32(1)), "s": flow(1, 4), "y": flow(1, 4)}
    ops = [Op("EXP", ["x"], ["e"]), Op("ADD", ["e", "one"], ["s"]), Op("LOG", ["s"], ["y"])]
    (tmp_path / "net.tflite").write_bytes(model(tensors, ops, ["x"], ["y"]))
    session = opened(read_network(tmp_path / "net.tflite"), tmp_path / "net.onnx", 13)
    (found,) = asked(session, [x])
    assert np.allclose(found, np.logaddexp(0, x), atol=1e-6)


@pytest.mark.parametrize("same", [True, False])
def test_one_hot_of_8_bits_is_what_its_integers_stand_for(same: bool, tmp_path: Path) -> None:
    """TensorFlow's converter gives 0 other steps than the result, and TensorFlow Lite then answers 0.5 for it."""
    steps = (1 / 255, -128)
    off = const(np.array(-128, np.int8), steps) if same else const(np.array(0, np.int8), (4e-9, 0))
    tensors = {
        "at": flow(1, 3, dtype="int32"), "many": const(np.array(4, np.int32)), "off": off,
        "on": const(np.array(127, np.int8), steps), "out": flow(1, 3, 4, dtype="int8", steps=steps),
    }  # fmt: skip
    path = tmp_path / "hot.tflite"
    path.write_bytes(
        model(tensors, [Op("ONE_HOT", ["at", "many", "on", "off"], ["out"], {"axis": -1})], ["at"], ["out"])
    )
    network = read_network(path, Wanted())
    write_onnx(tmp_path / "hot.onnx", emit(simplify(network.graph), 13, 8))
    (found,) = open_session(tmp_path / "hot.onnx", once=True).run(None, {"at": np.array([[1, 3, 0]])})
    assert np.abs(found - np.eye(4)[[1, 3, 0]][None]).max() < 0.005
    assert any("ONE_HOT" in note for note in network.card.notes) != same
