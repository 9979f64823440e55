"""LiteRT: onnxruntime's answers from every network, the card and metadata inside, and only whole files are opened."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import qingzhou
from dear import but_slow
from passengers import ORACLE, basenn, mmedu, photo, reference
from qingzhou.cli import main
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.engines.table import is_compiled
from qingzhou.errors import EngineError, ExtraMissing, FileMissing, InputError, ModelError, OptionError
from qingzhou.files.flatbuffer import Buffer
from qingzhou.files.tflite_schema import SCHEMA
from qingzhou.runtime.model.detect import difference

pytest.importorskip("ai_edge_litert")

DIGITS = ORACLE / "trained" / "lenet_digits.pth"
CLASSIFIERS = sorted({path.name for path in (ORACLE / "mmedu").iterdir()} - {"VGG16"})
LARGE = ["RegNetX_400MF", "ResNet50", "ResNeXt50"]
LSTM = {"em_lstm", "em_lstm1", "npz_action_model", "npz_lstm_part0", "npz_lstm_stack"}
OTHERS = {"custom_module"} | LSTM
CASES = sorted({path.parent.name for path in ORACLE.glob("basenn/torch2*/*/reference.npz")} - OTHERS)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(DIGITS, tmp_path_factory.mktemp("digits") / "数字.onnx")


@pytest.fixture(scope="module")
def compiled(digits: qingzhou.Model) -> Path:
    return compile_for("litert", digits.path).path


def read_back(path: Path, x: np.ndarray) -> list[np.ndarray]:
    """What our own reader makes of the file, with pictures as onnxruntime is given them."""
    model = qingzhou.convert(path, path.with_name("back.onnx"))
    return list(model.predictor.run({model.card.input.name: x}))


# -- the same answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", but_slow(CLASSIFIERS, LARGE))
def test_classifiers(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu(name, tmp_path))
    made = compile_for("litert", model.path)
    assert made.difference is not None and made.difference.largest <= 2e-5 and made.notes == []
    other, picture = qingzhou.load(made.path), photo(tmp_path / "photo.png")
    np.testing.assert_allclose(other.predict(picture).scores, model.predict(picture).scores, atol=2e-5)
    assert other.check() <= 2e-5 and other.card.labels == model.card.labels
    feed = model.predictor.feed(model.card.sample)
    (wanted,), (found,) = model.predictor.run(feed), read_back(made.path, feed[model.card.input.name])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("name", ["SSD_Lite", "Yolov3"])
def test_detectors(name: str, tmp_path: Path) -> None:
    """From the checkpoint: the boxes are those of the .onnx that leaves decoding to the runtime as well."""
    source = mmedu(name, tmp_path)
    model = qingzhou.convert(source, tmp_path / "raw.onnx", form="raw")
    made = export_model(source, "litert")
    assert made.difference is not None and made.difference.largest <= 1e-4
    assert made.files == (tmp_path / f"{name}.litert.tflite",)
    other, picture = qingzhou.load(made.path), photo(tmp_path / "photo.png")
    found, expected = rows(other, picture), rows(model, picture)
    assert len(found) == len(expected) > 0 and difference(found, expected, 320) <= 1e-4


def rows(model: qingzhou.Model, picture: Path) -> np.ndarray:
    """A detector's answer as found().rows() has it."""
    return np.array([[*one.box, one.confidence, one.index] for one in model.predict(picture)]).reshape(-1, 6)


@pytest.mark.parametrize("case", CASES)
def test_basenn(case: str, tmp_path: Path) -> None:
    """BaseNN's own answers to a whole batch, one after another."""
    made = export_model(basenn(case), "litert", tmp_path)
    assert made.difference is not None and made.difference.largest <= 1e-5
    predictor, x = qingzhou.load(made.path).predictor, reference(case)
    if predictor.card.input.kind == "image":
        x = x.transpose(0, 2, 3, 1)
    found = predictor.outputs(x)[0]
    np.testing.assert_allclose(found, reference(case, "y"), atol=1e-5)


def test_weights_in_fp16(tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu("MobileNet", tmp_path))
    made = compile_for("litert", model.path, precision="fp16")
    assert made.size < 0.52 * model.path.stat().st_size and made.precision == "fp16"
    assert made.difference is not None and 0 < made.difference.largest < 5e-3
    assert qingzhou.load(made.path).check() < 1e-6  # the file's own answer


def test_threads(compiled: Path) -> None:
    """Several ask at once, with one core or all."""
    models = [qingzhou.load(compiled, threads=n) for n in (1, 2, None)]
    sample = models[0].predictor.sample_input()
    wanted, wrong = models[0].predict(sample).scores, []

    def ask(model: qingzhou.Model) -> None:
        wrong.extend(1 for _ in range(20) if np.abs(model.predict(sample).scores - wanted).max() > 1e-5)

    askers = [threading.Thread(target=ask, args=[model]) for model in models * 2]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert not wrong


def test_another_shape_is_refused(compiled: Path) -> None:
    predictor = qingzhou.load(compiled).predictor
    for shape in ((1, 16, 16, 1), (1, 1, 32, 32), (0, 32, 32, 1), (1, 32, 32)):
        with pytest.raises(InputError):
            predictor.run({"input": np.zeros(shape, np.float32)})


# -- what is in the file ---------------------------------------------------------------------------------------------


def test_pictures_have_their_channels_last(digits: qingzhou.Model, compiled: Path) -> None:
    """In the file, and in the card that it carries; to whoever asks it nothing is different."""
    card = qingzhou.load(compiled).card
    assert (card.input.layout, card.input.shape) == ("NHWC", [1, 32, 32, 1]) != (digits.card.input.layout, [])
    assert card.input.steps == digits.card.input.steps and card.labels == digits.card.labels


def test_metadata_as_phones_read_it(digits: qingzhou.Model, compiled: Path) -> None:
    """Read from the file's bytes: how pixels are normalised, and the labels in a text that is stored as it is."""
    data = compiled.read_bytes()
    root = Buffer(data, SCHEMA).root("Model")
    (entry,) = (one for one in root["metadata"] if one["name"] == "TFLITE_METADATA")
    place, size = root["buffers"][entry["buffer"]].bytes("data")
    assert place % 16 == 0 and data[place + 4 : place + 8] == b"M001"
    found = Buffer(data[place : place + size], SCHEMA).root("ModelMetadata")["subgraph_metadata"][0]
    picture = found["input_tensor_metadata"][0]
    image = picture["content"].union("content_properties", "ImageProperties")
    normal = picture["process_units"][0].union("options", "NormalizationOptions")
    step = next(one for one in digits.card.input.steps if one["op"] == "normalize")
    assert (image["color_space"], image["default_size"]["width"]) == (2, 32)
    assert normal["mean"] == pytest.approx(step["mean"]) and normal["std"] == pytest.approx(step["std"])
    (labels,) = found["output_tensor_metadata"][0]["associated_files"]
    assert (labels["name"], labels["type"]) == ("labels.txt", 2)
    with zipfile.ZipFile(compiled) as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert archive.read("labels.txt").decode().split() == list(digits.card.labels)


def test_our_own_reader_takes_what_it_says(digits: qingzhou.Model, compiled: Path, tmp_path: Path) -> None:
    """As of any other tool's file: labels, colours and normalisation are known and not assumed."""
    card = qingzhou.convert(compiled, tmp_path / "back.onnx").card
    assert card.labels == digits.card.labels and card.input.color == "GRAY"
    assert not {"normalize", "labels", "color"} & set(card.assumed)
    steps = [{one["op"]: one for one in each.input.steps}["normalize"] for each in (card, digits.card)]
    assert steps[0]["mean"] == pytest.approx(steps[1]["mean"]) and steps[0]["std"] == pytest.approx(steps[1]["std"])


def test_every_row_of_numbers_is_aligned(compiled: Path) -> None:
    """To 16 bytes, as the format demands: runtimes read them where they lie."""
    data = compiled.read_bytes()
    places = [one.bytes("data")[0] for one in Buffer(data, SCHEMA).root("Model")["buffers"]]
    assert len(places) > 10 and all(place % 16 == 0 for place in places)


def test_the_same_model_gives_the_same_bytes(digits: qingzhou.Model, compiled: Path, tmp_path: Path) -> None:
    assert compile_for("litert", digits.path, tmp_path).path.read_bytes() == compiled.read_bytes()


# -- what is no file of ours -----------------------------------------------------------------------------------------


def test_a_tflite_of_another_tool_is_a_model_to_convert(compiled: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.tflite"
    with zipfile.ZipFile(compiled) as archive:
        size = int(archive.read("crc32.txt").split()[0])
    other.write_bytes(compiled.read_bytes()[:size])
    assert is_compiled(compiled) and not is_compiled(other)
    with pytest.raises(ModelError, match="qingzhou convert other"):
        qingzhou.load(other)
    assert export_model(other, "litert", tmp_path / "again.tflite").path.is_file()


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.97, 0.999])
def test_a_damaged_file_never_reaches_it(part: float, compiled: Path, tmp_path: Path) -> None:
    """A letter of it is another, or the end is missing."""
    data = bytearray(compiled.read_bytes())
    place = int(part * len(data))
    for name, changed in (("a", data[:place]), ("b", data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])):
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(changed)
        try:
            again = qingzhou.load(path).card  # what is between the parts of an archive says nothing
        except ModelError:
            continue
        assert part > 0.9 and again.labels == qingzhou.load(compiled).card.labels


def test_what_is_missing(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileMissing):
        qingzhou.load(tmp_path / "none.tflite")
    with pytest.raises(OptionError, match="toaster"):
        qingzhou.load(compiled, device="toaster")
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ExtraMissing) as caught:
        qingzhou.load(compiled)
    assert 'pip install "qingzhou[litert]"' in caught.value.en and "qingzhou[litert]" in caught.value.zh


def test_an_export_without_it_leaves_nothing(
    digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ExtraMissing):
        compile_for("litert", digits.path, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("case", "word"),
    [("em_lstm", " Lstm"), ("npz_lstm_stack", " Lstm"), ("boxes", "--form raw"), ("bytes", "--input uint8")],
)
def test_what_it_cannot_run_is_named(case: str, word: str, tmp_path: Path) -> None:
    if case in LSTM:
        model = qingzhou.convert(basenn(case), tmp_path / "m.onnx")
    elif case == "boxes":
        model = qingzhou.convert(mmedu("SSD_Lite", tmp_path), tmp_path / "m.onnx")
    else:
        model = qingzhou.convert(DIGITS, tmp_path / "m.onnx", input_type="uint8")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(EngineError) as caught:
        compile_for("litert", model.path, tmp_path / "out")
    assert word in caught.value.en and word in caught.value.zh
    assert sorted(tmp_path.iterdir()) == before


def test_nothing_is_printed_and_nothing_reported(compiled: Path) -> None:
    """LiteRT tells of its XNNPACK on the standard error; and it asks nobody on the net."""
    code = (
        "import socket, sys, qingzhou; socket.socket.connect = None; model = qingzhou.load(sys.argv[1]);"
        "model.predict(model.predictor.sample_input())"
    )
    done = subprocess.run([sys.executable, "-c", code, str(compiled)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_verbs(compiled: Path) -> None:
    """info, check and run take it as they take the .onnx."""
    for words in (["info"], ["check"]):
        result = CliRunner().invoke(main, [*words, str(compiled), "--json"])
        assert result.exit_code == 0 and json.loads(result.stdout), result.output
