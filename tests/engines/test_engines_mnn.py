"""MNN: onnxruntime's answers from every network, the card inside, and a converter whose end is not ours."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import qingzhou
from dear import but_slow
from passengers import DIGITS, ORACLE, basenn, mmedu, photo, reference
from qingzhou.deploy import export_model
from qingzhou.engines import ENGINES, compile_for
from qingzhou.engines.mnn import convert as converter
from qingzhou.engines.table import is_compiled
from qingzhou.errors import EngineError, ExtraMissing, FileMissing, InputError, ModelError, OptionError
from qingzhou.onnxfile.facts import Facts
from qingzhou.runtime.model.detect import difference

pytest.importorskip("MNN")

LENET = ORACLE / "trained" / "lenet_digits.pth"
CLASSIFIERS = sorted({path.name for path in (ORACLE / "mmedu").iterdir()} - {"VGG16"})
LSTMS = {"npz_action_model", "npz_lstm_part0", "npz_lstm_stack"}
LARGE = ["RegNetX_400MF", "RepVGG_A0", "ResNet50", "ResNeXt50", "ShuffleNet_v2"]
TEXTS = {"em_lstm", "em_lstm1"}
CASES = sorted(
    {path.parent.name for path in ORACLE.glob("basenn/torch2*/*/reference.npz")} - {"custom_module"} - TEXTS - LSTMS
)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(LENET, tmp_path_factory.mktemp("digits") / "数字.onnx")


@pytest.fixture(scope="module")
def compiled(digits: qingzhou.Model) -> Path:
    return compile_for("mnn", digits.path).path


# -- the same answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", but_slow(CLASSIFIERS, LARGE))
def test_classifiers(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu(name, tmp_path))
    made = compile_for("mnn", model.path)
    assert made.difference is not None and made.difference.largest <= 2e-5 and made.notes == []
    other, picture = qingzhou.load(made.path), photo(tmp_path / "photo.png")
    np.testing.assert_allclose(other.predict(picture).scores, model.predict(picture).scores, atol=2e-5)
    assert other.check() <= 2e-5 and other.card.labels == model.card.labels


@pytest.mark.parametrize("name", ["SSD_Lite", "Yolov3"])
def test_detectors(name: str, tmp_path: Path) -> None:
    """From the checkpoint: the boxes are those of the .onnx that leaves decoding to the runtime as well."""
    source = mmedu(name, tmp_path)
    model = qingzhou.convert(source, tmp_path / "raw.onnx", form="raw")
    made = export_model(source, "mnn")
    assert made.difference is not None and made.difference.largest <= 1e-4
    assert made.files == (tmp_path / f"{name}.mnn",)
    other, picture = qingzhou.load(made.path), photo(tmp_path / "photo.png")
    found, expected = rows(other, picture), rows(model, picture)
    assert len(found) == len(expected) > 0 and difference(found, expected, 320) <= 1e-4


def rows(model: qingzhou.Model, picture: Path) -> np.ndarray:
    """A detector's answer as found().rows() has it."""
    return np.array([[*one.box, one.confidence, one.index] for one in model.predict(picture)]).reshape(-1, 6)


@pytest.mark.parametrize("case", CASES)
def test_basenn(case: str, tmp_path: Path) -> None:
    """BaseNN's own answers to a whole batch, one after another."""
    made = export_model(basenn(case), "mnn", tmp_path)
    assert made.difference is not None and made.difference.largest <= 1e-5
    found = qingzhou.load(made.path).predictor.outputs(reference(case))[0]
    np.testing.assert_allclose(found, reference(case, "y"), atol=1e-5)


@pytest.mark.parametrize("case", sorted(TEXTS | LSTMS))
def test_texts_and_sequences_are_refused(case: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="LSTM"):
        export_model(basenn(case), "mnn", tmp_path)
    assert not list(tmp_path.iterdir())


def test_weights_in_fp16(tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu("MobileNet", tmp_path))
    made = compile_for("mnn", model.path, precision="fp16")
    assert made.size < 0.55 * model.path.stat().st_size and made.precision == "fp16"
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
    for shape in ((1, 32, 32, 1), (1, 1, 16, 16), (0, 1, 32, 32), (1, 32, 32)):
        with pytest.raises(InputError):
            predictor.run({"input": np.zeros(shape, np.float32)})


def test_it_is_silent(compiled: Path) -> None:
    """MNN tells of the processor when it is imported, on stdout, where answers are."""
    code = "import sys, qingzhou; m = qingzhou.load(sys.argv[1]); print(m.predict(m.predictor.sample_input()).label)"
    done = subprocess.run([sys.executable, "-c", code, str(compiled)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        qingzhou.load(compiled).predict(qingzhou.load(compiled).predictor.sample_input()).label
    ]


# -- the converter ---------------------------------------------------------------------------------------------------


def network(path: Path, op: str, shape: tuple[int, ...] = (1, 2, 4, 4), **settings: object) -> Path:
    """An .onnx of one operator."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in "xy"]
    graph = helper.make_graph([helper.make_node(op, ["x"], ["y"], **settings)], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_int8_is_refused_before_the_converter_sees_it(digits: qingzhou.Model, tmp_path: Path) -> None:
    """Which would end its process over it."""
    small = qingzhou.quantize(digits.path, DIGITS / "test", tmp_path / "int8.onnx", any_speed=True, target="arm").path
    assert small is not None
    with pytest.raises(EngineError, match="fp16") as caught:
        compile_for("mnn", small, tmp_path / "m.mnn")
    assert "INT8" in caught.value.zh and not (tmp_path / "m.mnn").exists()
    with pytest.raises(OptionError, match="fp32, fp16"):
        compile_for("mnn", digits.path, tmp_path / "m.mnn", "int8")


def test_what_has_a_free_size_is_refused(tmp_path: Path) -> None:
    path = network(tmp_path / "m.onnx", "Relu", (1, 2, 4, 4))
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    onnx.save(model, path)
    found = ENGINES["mnn"].takes(Facts(path))
    assert found is not None and "free size" in found.en and "height" in found.zh


def test_a_converter_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    """Nothing is left."""
    path = network(tmp_path / "m.onnx", "Hardmax")
    with pytest.raises(EngineError, match=r"m\.onnx.*converter") as caught:
        compile_for("mnn", path, tmp_path / "out.mnn")
    assert "Hardmax" in caught.value.en and "Hardmax" in caught.value.zh
    assert [one.name for one in tmp_path.iterdir()] == ["m.onnx"]


def test_what_is_converted_is_run_before_it_is_believed(
    digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not in this process, which MNN might end: seen from a stand-in for its converter."""
    (tmp_path / "_tools.py").write_text("def mnnconvert(words):\n    open(words[6], 'wb').write(b'no network')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(EngineError, match="its converter"):
        compile_for("mnn", digits.path, tmp_path / "m.mnn")
    assert not (tmp_path / "m.mnn").exists()


ENDS = [
    ("import os; os.abort()", "SIGABRT"),
    ("raise SystemExit(3)", "status 3"),
    ("pass", "status 0"),
    ("print('[12:00:00] :46: Check failed: no such thing ==> m.onnx')", "Check failed: no such thing"),
]


@pytest.mark.parametrize(("code", "told"), ENDS)
def test_a_converter_that_ends_otherwise(
    code: str, told: str, digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converter, "START", code)
    with pytest.raises(EngineError) as caught:
        compile_for("mnn", digits.path, tmp_path / "m.mnn")
    assert told in caught.value.en and told in caught.value.zh and not list(tmp_path.iterdir())


def test_a_converter_that_never_ends(digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter, "START", "import time; time.sleep(600)")
    monkeypatch.setattr(converter, "SECONDS", 0.5)
    with pytest.raises(EngineError, match="seconds and was ended"):
        compile_for("mnn", digits.path, tmp_path / "m.mnn")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="the system confines")
def test_the_converter_is_confined(digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may write into its own folder only, and starts nothing: seen from a stand-in for MNN's module."""
    (tmp_path / "_tools.py").write_text(
        "def mnnconvert(words):\n"
        "    import os, subprocess\n"
        f"    for act in (lambda: open({str(tmp_path / 'outside')!r}, 'w'), lambda: subprocess.run(['true'])):\n"
        "        try:\n"
        "            act()\n"
        "        except OSError as err:\n"
        "            print('fail', type(err).__name__)\n"
        "        else:\n"
        "            print('fail: was done')\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(EngineError, match="fail PermissionError"):
        compile_for("mnn", digits.path, tmp_path / "m.mnn")
    assert not (tmp_path / "outside").exists()


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [0, 0.1, 0.5, 0.97, 0.999])
def test_a_damaged_file_never_reaches_it(part: float, compiled: Path, tmp_path: Path) -> None:
    """A letter of it is another, or the end is missing."""
    data = bytearray(compiled.read_bytes())
    place = int(part * len(data))
    for name, changed in (("a", data[:place]), ("b", data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])):
        path = tmp_path / f"{name}.mnn"
        path.write_bytes(changed)
        try:
            again = qingzhou.load(path).card  # what is between the parts of an archive says nothing
        except (ModelError, EngineError):
            continue
        assert part > 0.9 and again.labels == qingzhou.load(compiled).card.labels


def test_what_is_missing(compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_compiled(compiled)
    with pytest.raises(FileMissing):
        qingzhou.load(tmp_path / "none.mnn")
    with pytest.raises(OptionError, match="toaster"):
        qingzhou.load(compiled, device="toaster")
    monkeypatch.setitem(sys.modules, "MNN", None)
    with pytest.raises(ExtraMissing, match=r"qingzhou\[mnn\]"):
        qingzhou.load(compiled)


def test_without_mnn_nothing_is_converted(
    digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converter, "installed", lambda name: None)
    with pytest.raises(ExtraMissing, match=r"qingzhou\[mnn\]"):
        compile_for("mnn", digits.path, tmp_path / "m.mnn")
    assert not list(tmp_path.iterdir())
