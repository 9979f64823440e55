"""--input uint8: pixels as they are, normalised inside. The same answers to the last bit, everywhere; or a clear no."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from click.testing import CliRunner
from PIL import Image

import qingzhou
from passengers import DIGITS, ORACLE, basenn, mmedu
from qingzhou.bench import bench
from qingzhou.cli import main
from qingzhou.doors.engine import normalized
from qingzhou.engines.artifact import compile_for
from qingzhou.errors import EngineError, ModelError, OptionError, QingzhouError, use_language
from qingzhou.evaluate import evaluate
from qingzhou.onnxfile.read import read_graph
from qingzhou.runtime.model.card import KEY, Card
from qingzhou.sources.as_bytes import as_bytes
from qingzhou.sources.read import read_network

LENET, SSD = ORACLE / "trained" / "lenet_digits.pth", ORACLE / "trained_ssd" / "checkpoint.pth"
MODELS: dict[str, tuple[Path, dict[str, Any]]] = {
    "mobilenet": (ORACLE / "trained" / "mobilenet_digits.pth", {}),  # resize, crop, ImageNet's mean and std
    "lenet": (LENET, {}),  # grey
    "basenn": (ORACLE / "digits" / "basenn.pth", {}),  # divided by 255: no mean
    "raw": (LENET, {"preprocess": "raw"}),  # nothing but a Cast
    "detector": (SSD, {"input_size": (160, 160), "score_threshold": 0.05}),
}


@pytest.fixture(autouse=True)
def english() -> None:
    use_language("en")


def both(tmp_path: Path, name: str) -> tuple[qingzhou.Model, qingzhou.Model]:
    source, asked = MODELS[name]
    return (
        qingzhou.convert(source, tmp_path / "float.onnx", **asked),
        qingzhou.convert(source, tmp_path / "bytes.onnx", input_type="uint8", **asked),
    )


def photo(seed: int, size: tuple[int, int] = (301, 400)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3)).astype(np.uint8))


# -- the same answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_answers_are_those_of_the_usual_form(name: str, tmp_path: Path) -> None:
    usual, bytewise = both(tmp_path, name)
    for seed in range(3):
        one, other = usual.predictor.prepare(photo(seed)), bytewise.predictor.prepare(photo(seed))
        assert (one.dtype, other.dtype, one.shape) == (np.float32, np.uint8, other.shape)
        for a, b in zip(usual.predictor.outputs(one), bytewise.predictor.outputs(other), strict=True):
            np.testing.assert_allclose(np.asarray(a, np.float64), b, rtol=0, atol=1e-5)
    assert bytewise.check() <= 1e-5


def test_onnxruntime_alone_gives_them_too(tmp_path: Path) -> None:
    """Nothing of ours between: bytes of a picture that has the network's size, by the numbers of the usual card."""
    usual, bytewise = both(tmp_path, "lenet")
    pixels = np.random.default_rng(7).integers(0, 256, (1, 1, 32, 32)).astype(np.uint8)
    normal = usual.card.input.steps[-1]
    floats = (pixels.astype(np.float32) - np.float32(normal["mean"][0])) / np.float32(normal["std"][0])
    answers = [
        onnxruntime.InferenceSession(model.path, providers=["CPUExecutionProvider"]).run(None, {"input": given})[0]
        for model, given in ((usual, floats), (bytewise, pixels))
    ]
    np.testing.assert_allclose(*answers, rtol=0, atol=1e-5)


def test_the_file_says_it(tmp_path: Path) -> None:
    usual, bytewise = both(tmp_path, "mobilenet")
    proto = onnx.load(bytewise.path)
    onnx.checker.check_model(proto, full_check=True)
    assert proto.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [node.op_type for node in proto.graph.node[:3]] == ["Cast", "Sub", "Div"]
    card = bytewise.card
    assert card.input.dtype == "uint8" and "normalize" not in [step["op"] for step in card.input.steps]
    assert any("uint8" in note for note in card.notes)
    assert card.input.steps == usual.card.input.steps[:-1]
    told = {entry.key for entry in proto.metadata_props}
    assert KEY in told and "MODEL_INFO" not in told  # the original XEduHub would feed it floats
    assert "dtype" not in json.loads(usual.card.to_json())["input"]


@pytest.mark.parametrize("opset", [11, 21])
def test_at_every_opset(opset: int, tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8", opset=opset)
    assert made.check() <= 1e-5


def test_channels_last() -> None:
    """Where channels lie last, so do mean and std."""
    from qingzhou.graph.pixels import normalising_bytes

    found = read_network(LENET)
    graph = replace(
        found.graph, inputs=(replace(found.graph.inputs[0], shape=(1, 32, 32, 3)),), values={**found.graph.values}
    )
    name, row = graph.inputs[0].name, np.array([1.0, 2.0, 3.0], np.float32)
    made = normalising_bytes(graph, name, [("Sub", row)], 3)
    assert made.constants[f"{name}/Sub/numbers"].shape == (3,)
    assert normalising_bytes(graph, name, [("Sub", row)], 1).constants[f"{name}/Sub/numbers"].shape == (3, 1, 1)


def test_a_border_of_whole_numbers_stays_exact(tmp_path: Path) -> None:
    """Pictures that are fitted in and filled up after the normalisation: with 0, if 0 is what a black pixel becomes."""
    source = mmedu("Yolov3", tmp_path)
    usual = qingzhou.convert(source, tmp_path / "a.onnx", preprocess="0-1", check=False)
    other = qingzhou.convert(source, tmp_path / "b.onnx", preprocess="0-1", input_type="uint8", check=False)
    one, two = (model.predictor.prepare(photo(1)) for model in (usual, other))
    np.testing.assert_array_equal(one, two.astype(np.float32) / np.float32(255))


# -- all that follows from the card ---------------------------------------------------------------------------------


def test_the_program_beside_it_runs(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["convert", str(LENET), "-o", str(tmp_path / "m.onnx"), "--input", "uint8"])
    assert done.exit_code == 0, done.output
    program = next(tmp_path.glob("*.py"))
    picture = next((DIGITS / "test" / "3").iterdir())
    ran = subprocess.run([sys.executable, program, picture], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0 and "3" in ran.stdout, ran.stderr
    usual = qingzhou.convert(LENET, tmp_path / "usual" / "m.onnx")
    assert qingzhou.load(tmp_path / "m.onnx").predict(picture).label == usual.predict(picture).label


def test_evaluate_quantize_and_bench(tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8")
    judged = evaluate(made.predictor, DIGITS / "test")
    assert round(judged.result.accuracy * 497) == 488  # as docs/en/bench.md has it of the usual form
    small = qingzhou.quantize(made.path, DIGITS / "test", target="x86", any_speed=True)
    assert small.path is not None and small.verdict is not None and small.verdict.drop.drop <= 0.005
    assert qingzhou.load(small.path).card.input.dtype == "uint8" and qingzhou.load(small.path).check() < 0.02
    rows = bench([made.path], ["onnxruntime"]).rows
    assert rows[0].error is None and rows[0].network is not None


def test_openvino_takes_it(tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8")
    done = compile_for("openvino", made.path, tmp_path)
    assert done.path.is_file()


def test_info_says_it(tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8")
    said = CliRunner().invoke(main, ["info", str(made.path), "--lang", "en"])
    assert "uint8" in said.output and "normalise" not in said.output.split("prepared")[1].splitlines()[0]
    assert json.loads(CliRunner().invoke(main, ["info", str(made.path), "--json"]).output)["input"]["dtype"] == "uint8"


def test_pixels_of_the_networks_own_shape() -> None:
    entry = as_bytes(read_network(LENET)).card.input
    pixels = np.arange(1024, dtype=np.uint8).reshape(1, 1, 32, 32)
    found = normalized(pixels, entry)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, pixels)


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["ncnn", "tensorrt"])
def test_engines_of_floats_say_so(engine: str, tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8")
    with pytest.raises(EngineError, match="--input uint8") as told:
        compile_for(engine, made.path, tmp_path / "out")
    assert "uint8" in told.value.zh and not list(tmp_path.glob("out*"))


def test_what_takes_no_picture(tmp_path: Path) -> None:
    for source in (basenn("tab_iris"), basenn("em_lstm")):
        with pytest.raises(OptionError, match="is for pictures"):
            qingzhou.convert(source, tmp_path / "m.onnx", input_type="uint8")
    assert not list(tmp_path.iterdir())


def test_a_border_that_no_byte_has(tmp_path: Path) -> None:
    """Yolov3 fills up with the mean of ImageNet, which lies between two levels."""
    with pytest.raises(OptionError, match=r"123\.675, 116\.28, 103\.53") as told:
        qingzhou.convert(mmedu("Yolov3", tmp_path), tmp_path / "m.onnx", input_type="uint8")
    assert "整数" in told.value.zh and not (tmp_path / "m.onnx").exists()


def test_steps_after_the_normalisation(tmp_path: Path) -> None:
    found = read_network(LENET)
    resize, normal = found.card.input.steps
    for steps in ([normal, resize], [resize, normal, {"op": "gray"}], [{**resize, "size": [40, 40]}, normal]):
        card = replace(found.card, input=replace(found.card.input, steps=steps))
        with pytest.raises(OptionError, match="normalised last"):
            as_bytes(replace(found, card=card))


def test_other_words_and_other_forms(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="float32 or uint8"):
        qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="int8")
    with pytest.raises(OptionError, match="feeds float32"):
        qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8", xeduhub=True)
    done = CliRunner().invoke(main, ["convert", str(LENET), "--input", "bytes", "--lang", "en"])
    assert done.exit_code == 1 and "--input is bytes; it can be float32 or uint8." in " ".join(done.output.split())


def test_a_card_of_bytes_that_normalises_is_none(tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8")
    data = json.loads(made.card.to_json())
    assert Card.from_json(json.dumps(data)) == made.card
    normal = {"op": "normalize", "mean": [1.0], "std": [2.0]}
    for change in ({"steps": [normal]}, {"dtype": "int8"}, {"kind": "array", "color": "", "steps": []}):
        with pytest.raises(ModelError):
            Card.from_json(json.dumps({**data, "input": {**data["input"], **change}}))


def test_the_door_of_xeduhub_feeds_bytes(tmp_path: Path) -> None:
    from qingzhou.doors.engine import _prepared

    card = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8").card
    pixels = np.arange(1024).reshape(1, 1, 32, 32) % 256
    for given in (pixels.astype(np.uint8), pixels.astype(np.float32)):
        found = _prepared(given, card)
        assert found is not None and found.dtype == np.uint8
        np.testing.assert_array_equal(found, pixels)
    with pytest.raises(QingzhouError, match="no pixels"):
        _prepared(pixels / 255, card)


def test_the_reader_knows_it_again(tmp_path: Path) -> None:
    made = qingzhou.convert(LENET, tmp_path / "m.onnx", input_type="uint8")
    assert read_graph(made.path).inputs[0].dtype == "uint8"
