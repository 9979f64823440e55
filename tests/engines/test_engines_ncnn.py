"""ncnn: onnxruntime's answers from every network, the card inside, and files that would harm ncnn never reach it."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

import qingzhou
from dear import but_slow
from passengers import ORACLE, basenn, mmedu, photo, reference
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.errors import InputError
from qingzhou.evaluate import evaluate
from qingzhou.runtime.model.detect import difference

pytest.importorskip("ncnn")


DIGITS, SHAPES = ORACLE / "trained" / "lenet_digits.pth", ORACLE / "trained_ssd"
CLASSIFIERS = sorted({path.name for path in (ORACLE / "mmedu").iterdir()} - {"VGG16"})  # large; see test_ncnn_layers.py
OTHERS = {"custom_module", "em_lstm", "em_lstm1"}
CASES = sorted({path.parent.name for path in ORACLE.glob("basenn/torch2*/*/reference.npz")} - OTHERS)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(DIGITS, tmp_path_factory.mktemp("digits") / "数字.onnx")


@pytest.fixture(scope="module")
def compiled(digits: qingzhou.Model) -> Path:
    return compile_for("ncnn", digits.path).path


# -- the same answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", but_slow(CLASSIFIERS, ["RegNetX_400MF", "ResNet50", "ResNeXt50"]))
def test_classifiers(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu(name, tmp_path))
    made = compile_for("ncnn", model.path)
    assert made.difference is not None and made.difference.largest <= 2e-5 and made.notes == []
    other, picture = qingzhou.load(made.path), photo(tmp_path / "photo.png")
    np.testing.assert_allclose(other.predict(picture).scores, model.predict(picture).scores, atol=2e-5)
    assert other.check() <= 2e-5 and other.card.labels == model.card.labels


@pytest.mark.parametrize("name", ["SSD_Lite", "Yolov3"])
def test_detectors(name: str, tmp_path: Path) -> None:
    """From the checkpoint: the boxes are those of the .onnx that leaves decoding to the runtime as well."""
    source = mmedu(name, tmp_path)
    model = qingzhou.convert(source, tmp_path / "raw.onnx", form="raw")
    made = export_model(source, "ncnn")
    assert made.difference is not None and made.difference.largest <= 1e-4 and made.notes == model.card.notes
    assert made.source == source and made.files == (tmp_path / f"{name}.ncnn.param", tmp_path / f"{name}.ncnn.bin")
    other, picture = qingzhou.load(made.path), photo(tmp_path / "photo.png")
    found, expected = rows(other, picture), rows(model, picture)
    assert len(found) == len(expected) > 0 and difference(found, expected, 320) <= 1e-4
    assert sorted(path.suffix for path in tmp_path.iterdir()) == sorted(
        [".png", ".pth", ".onnx", ".py", ".param", ".bin", ""]  # "": qingzhou_runtime
    )


def rows(model: qingzhou.Model, picture: Path) -> np.ndarray:
    """A detector's answer as found().rows() has it."""
    return np.array([[*one.box, one.confidence, one.index] for one in model.predict(picture)]).reshape(-1, 6)


@pytest.mark.parametrize("case", CASES)
def test_basenn(case: str, tmp_path: Path) -> None:
    """BaseNN's own answers to a whole batch, one after another."""
    made = export_model(basenn(case), "ncnn", tmp_path)
    assert made.difference is not None and made.difference.largest <= 1e-5
    predictor = qingzhou.load(made.path).predictor
    found = predictor.outputs(reference(case))[0]
    np.testing.assert_allclose(found, reference(case, "y"), atol=1e-5)


def test_weights_in_fp16(tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu("MobileNet", tmp_path))
    made = compile_for("ncnn", model.path, precision="fp16")
    assert made.size < 0.52 * model.path.stat().st_size and made.precision == "fp16"
    assert made.difference is not None and 0 < made.difference.largest < 5e-3
    assert qingzhou.load(made.path).check() < 1e-6  # the file's own answer


@pytest.mark.slow
def test_a_trained_detector_is_as_good(tmp_path: Path) -> None:
    model = qingzhou.convert(SHAPES / "checkpoint.pth", tmp_path / "m.onnx", input_size=(160, 160), form="raw")
    whole, half = (compile_for("ncnn", model.path, tmp_path / f"{p}.param", p) for p in ("fp32", "fp16"))
    assert half.files[1].stat().st_size < 0.55 * whole.files[1].stat().st_size
    maps = [evaluate(qingzhou.load(path), SHAPES).result.map for path in (model.path, whole.path, half.path)]
    assert maps[0] > 0.4 and maps[1] == pytest.approx(maps[0], abs=1e-3) and maps[2] == pytest.approx(maps[0], abs=0.02)


@pytest.mark.parametrize("case", ["em_lstm", "em_lstm1"])
def test_text_keeps_its_state(case: str, tmp_path: Path) -> None:
    model = qingzhou.convert(basenn(case), tmp_path / "m.onnx")
    other = qingzhou.load(compile_for("ncnn", model.path).path)
    words = "".join(list(model.card.vocabulary)[:3])
    assert other.predictor.generate(words, 8) == model.predictor.generate(words, 8)
    np.testing.assert_allclose(other.predict(words).scores, model.predict(words).scores, atol=1e-6)
    for tokens in ([[len(model.card.vocabulary) + 9]], [[-1]], [[0, 0]], np.zeros((0, 1))):
        with pytest.raises(InputError):
            other.predictor.outputs(np.array(tokens, np.int64))


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


def test_an_input_that_lies_otherwise_in_memory(compiled: Path) -> None:
    """ncnn points into the array that it is given."""
    predictor = qingzhou.load(compiled).predictor
    picture = np.random.default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32)
    (wanted,) = predictor.run({"in0": picture})
    for other in (np.asfortranarray(picture), picture.astype(np.float64), np.repeat(picture, 2, axis=3)[..., ::2]):
        (found,) = predictor.run({"in0": other})
        np.testing.assert_array_equal(found, wanted)


def test_another_shape_is_refused(compiled: Path) -> None:
    """ncnn would read beyond what it was given."""
    predictor = qingzhou.load(compiled).predictor
    for shape in ((1, 1, 16, 16), (1, 1, 64, 64), (1, 3, 32, 32), (0, 1, 32, 32), (1, 32, 32)):
        with pytest.raises(InputError):
            predictor.run({"in0": np.zeros(shape, np.float32)})
