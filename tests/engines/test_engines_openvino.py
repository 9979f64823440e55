"""OpenVINO: onnxruntime's answers, the card inside, damage and traps are errors, nothing is reported to anyone."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

import qingzhou
from passengers import ORACLE, basenn, mmedu, photo, reference
from qingzhou.engines import compile_for
from qingzhou.errors import EngineError, ExtraMissing, FileMissing, ModelError, OutputError
from qingzhou.evaluate import evaluate
from qingzhou.runtime.model.detect import difference

DIGITS, SHAPES = ORACLE / "trained" / "lenet_digits.pth", ORACLE / "trained_ssd"
# The largest difference of probabilities, or of boxes in scores and sides of the input, that rounding may make.
NETWORKS = [
    ("LeNet", {}, 1e-5),
    ("MobileNet", {}, 2e-5),
    ("ResNet18", {}, 2e-5),
    pytest.param("ResNet50", {}, 2e-5, marks=pytest.mark.slow),
    ("SSD_Lite", {}, 1e-4),
    ("SSD_Lite", {"form": "raw"}, 1e-4),
    pytest.param("Yolov3", {}, 1e-4, marks=pytest.mark.slow),
    ("Yolov3", {"form": "raw"}, 1e-4),
]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(DIGITS, tmp_path_factory.mktemp("digits") / "digits.onnx")


@pytest.fixture(scope="module")
def compiled(digits: qingzhou.Model) -> Path:
    return compile_for("openvino", digits.path).path


# -- the same answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "options", "bound"), NETWORKS)
def test_its_answers_are_those_of_onnxruntime(name: str, options: dict[str, Any], bound: float, tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu(name, tmp_path), **options)
    made = compile_for("openvino", model.path)
    assert made.difference is not None and made.difference.largest <= bound and made.notes == []
    other = qingzhou.load(made.path)
    picture = photo(tmp_path / "photo.png")
    if model.card.task == "classification":
        np.testing.assert_allclose(other.predict(picture).scores, model.predict(picture).scores, atol=bound)
        return
    found, expected = rows(other, picture), rows(model, picture)
    assert len(found) == len(expected) > 0 and difference(found, expected, 320) <= bound


def rows(model: qingzhou.Model, picture: Path) -> np.ndarray:
    """A detector's answer as found().rows() has it."""
    return np.array([[*one.box, one.confidence, one.index] for one in model.predict(picture)]).reshape(-1, 6)


@pytest.mark.slow
def test_two_stages(tmp_path: Path) -> None:
    """Recreated weights rank many regions almost equally, so that one of a hundred boxes may be another."""
    model = qingzhou.convert(mmedu("FasterRCNN", tmp_path))
    made = compile_for("openvino", model.path)
    sample = model.predictor.sample_input()
    found, expected = qingzhou.load(made.path).predict(sample), model.predict(sample)
    left = np.array([[*one.box, 100 * one.confidence, 1e4 * one.index] for one in found])
    right = np.array([[*one.box, 100 * one.confidence, 1e4 * one.index] for one in expected])
    near = (np.abs(left[:, None] - right).max(axis=2) < 0.1).any(axis=1)
    assert len(found) == len(expected) > 90 and near.sum() >= len(expected) - 2  # those in the padding are no answers


@pytest.mark.parametrize("case", ["tab_iris", "tab_reg", "npz_conv1d", "npz_lstm_stack"])
def test_tables_and_arrays_of_any_length(case: str, tmp_path: Path) -> None:
    model = qingzhou.convert(basenn(case), tmp_path / "m.onnx")
    other = qingzhou.load(compile_for("openvino", model.path).path)
    for expected, found in zip(model.predict(reference(case)), other.predict(reference(case)), strict=True):
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_text_keeps_its_state(tmp_path: Path) -> None:
    """The state has a value of its own in the .onnx; as a constant, every word would be the first."""
    model = qingzhou.convert(basenn("em_lstm"), tmp_path / "m.onnx")
    other = qingzhou.load(compile_for("openvino", model.path).path)
    word = next(iter(model.card.vocabulary))
    assert other.predictor.generate(word, 8) == model.predictor.generate(word, 8)


@pytest.mark.slow
def test_a_trained_detector_in_fp16_is_as_good(tmp_path: Path) -> None:
    model = qingzhou.convert(SHAPES / "checkpoint.pth", tmp_path / "m.onnx", input_size=(160, 160), form="raw")
    whole, half = (compile_for("openvino", model.path, tmp_path / f"{p}.xml", p) for p in ("fp32", "fp16"))
    assert half.files[1].stat().st_size < 0.55 * whole.files[1].stat().st_size
    maps = [evaluate(path, SHAPES).result.map for path in (model.path, whole.path, half.path)]
    assert maps[0] > 0.4 and maps[1] == pytest.approx(maps[0], abs=1e-3) and maps[2] == pytest.approx(maps[0], abs=0.02)
    assert qingzhou.load(half.path).check() < 1e-3


@pytest.mark.parametrize("form", ["boxes", "raw"])
def test_a_sample_with_nothing_in_it(form: str, tmp_path: Path) -> None:
    """Two empty lists of boxes are no proof: predictions are compared, or it is said that nothing was."""
    model = qingzhou.convert(SHAPES / "checkpoint.pth", tmp_path / "m.onnx", input_size=(160, 160), form=form)
    assert model.predict(model.predictor.sample_input()) == []
    made = compile_for("openvino", model.path)
    if form == "raw":
        assert made.difference is not None and 0 < made.difference.largest < 1e-3 and not made.notes
    else:
        assert made.difference is None and made.notes and made.as_dict()["same"] is None


def test_a_quantized_model(digits: qingzhou.Model, tmp_path: Path) -> None:
    """QDQ operators run in INT8; the file's card records OpenVINO's own answer."""
    feed = digits.predictor.feed(digits.card.sample)

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = [feed] * 3

        def get_next(self) -> Any:
            return self.left.pop() if self.left else None

    quantize_static(str(digits.path), str(tmp_path / "q.onnx"), Reader(), quant_format=QuantFormat.QDQ)
    made = compile_for("openvino", tmp_path / "q.onnx")
    assert made.precision == "int8" and made.difference is not None and made.difference.largest < 0.1
    assert qingzhou.load(made.path).check() < 1e-3


# -- files -----------------------------------------------------------------------------------------------------------


def test_the_card_travels_inside(digits: qingzhou.Model, compiled: Path) -> None:
    assert qingzhou.load(compiled).card == digits.card


@pytest.mark.parametrize("out", ["数字 模型.xml", "我 的/m.xml", "M.XML", "folder", "v1.2"])
def test_where_it_goes(out: str, digits: qingzhou.Model, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    made = compile_for("openvino", digits.path, tmp_path / out)
    wanted = {"folder": "folder/digits.openvino.xml", "v1.2": "v1.2.xml"}.get(out, out)
    assert made.path == tmp_path / wanted and qingzhou.load(made.path).check() < 1e-3
    there = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert there == {made.path, made.path.with_suffix(".bin")} == set(made.files)


def test_saved_elsewhere_with_both_files(compiled: Path, tmp_path: Path) -> None:
    assert qingzhou.load(compiled).save(tmp_path / "c.xml").check() < 1e-3
    assert qingzhou.load(tmp_path / "c.xml").check() < 1e-3


def test_nothing_is_left_of_a_failure(digits: qingzhou.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.bin").mkdir()  # so that the second file cannot be put there
    with pytest.raises(OutputError):
        compile_for("openvino", digits.path, tmp_path / "m.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["m.bin"]
    monkeypatch.setattr("qingzhou.engines.openvino._read_onnx", lambda core, source: core.read_model("none.onnx"))
    with pytest.raises(EngineError, match="OpenVINO"):
        compile_for("openvino", digits.path, tmp_path / "n.xml")
    assert [path.name for path in tmp_path.iterdir()] == ["m.bin"]


def test_a_folder_for_what_was_prepared(compiled: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert qingzhou.load(compiled, cache=tmp_path / "cache", threads=1).check() < 1e-3
    assert list((tmp_path / "cache").glob("*.blob"))


def test_a_device_that_is_not_there(compiled: Path) -> None:
    with pytest.raises(EngineError) as caught:
        qingzhou.load(compiled, device="toaster")
    assert "it has cpu" in caught.value.en and "只有 cpu" in caught.value.zh


def test_not_installed(digits: qingzhou.Model, compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "openvino"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openvino", None)
    for action in (lambda: compile_for("openvino", digits.path), lambda: qingzhou.load(compiled)):
        with pytest.raises(ExtraMissing) as caught:
            action()
        assert all('pip install "qingzhou[openvino]"' in text for text in (caught.value.en, caught.value.zh))


# -- damage and traps ------------------------------------------------------------------------------------------------

CARD = re.compile(r'<card value="[^"]*" */>')
CODE = html.escape("__import__('pathlib').Path('ran').touch()")


def card(text: str) -> Callable[[str], str]:
    return lambda xml: CARD.sub(lambda _: text, xml)


TRAPS: dict[str, Callable[[str], str]] = {
    "no card": card(""),
    "code": card(f'<card value="{CODE}" />'),
    "not a text": card('<card><a value="1" /></card>'),
    "deep": card(f'<card value="{"[" * 100_000}" />'),
    "other fields": card('<card value="{}" />'),
    "an entity": lambda xml: '<!DOCTYPE a [<!ENTITY b SYSTEM "/etc/passwd">]>' + card("<card value='&b;' />")(xml),
    "cut": lambda xml: xml[: len(xml) // 2],
    "empty": lambda xml: "",
    "HTML": lambda xml: "<html><body>404</body></html>",
    "weights beyond the end": lambda xml: re.sub(r'offset="\d+"', 'offset="99999999999"', xml),
    "weights before the start": lambda xml: re.sub(r'offset="\d+"', 'offset="-5"', xml),
    "a huge size": lambda xml: re.sub(r'size="\d+"', 'size="18446744073709551615"', xml),
    "a huge input": lambda xml: re.sub('(<dim>|,)32(?=<|,|")', r"\g<1>9999999999", xml),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps(trap: str, compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changed = TRAPS[trap](before := compiled.read_text("utf-8"))
    assert changed != before
    Path("m.xml").write_text(changed, "utf-8")
    Path("m.bin").write_bytes(compiled.with_suffix(".bin").read_bytes())
    with pytest.raises(ModelError):
        qingzhou.load("m.xml")
    assert not Path("ran").exists()


@pytest.mark.parametrize("left", [0, 100])
def test_weights_cut_short(left: int, compiled: Path, tmp_path: Path) -> None:
    (tmp_path / "m.xml").write_bytes(compiled.read_bytes())
    with pytest.raises(FileMissing, match=r"m\.bin"):
        qingzhou.load(tmp_path / "m.xml")
    (tmp_path / "m.bin").write_bytes(compiled.with_suffix(".bin").read_bytes()[:left])
    with pytest.raises(ModelError):
        qingzhou.load(tmp_path / "m.xml")


def test_no_other_file_is_read(digits: qingzhou.Model, tmp_path: Path) -> None:
    """Weights in a file of the model's choosing, outside of its folder."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_bytes(bytes(4_000_000))
    proto = digits.proto
    onnx.external_data_helper.set_external_data(proto.graph.initializer[0], "../secret")
    proto.graph.initializer[0].ClearField("raw_data")
    proto.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    (tmp_path / "in" / "m.onnx").write_bytes(proto.SerializeToString())
    with pytest.raises((ModelError, EngineError)):  # newer onnxruntimes refuse it, else OpenVINO does
        compile_for("openvino", tmp_path / "in" / "m.onnx")


def test_nothing_is_reported(digits: qingzhou.Model, tmp_path: Path) -> None:
    """Both engines keep an identifier in the user's folder before they send anything; a look-up of a name fails."""
    code = (
        "import socket\n"
        "def caught(*args, **kwargs): raise SystemExit('the network was asked')\n"
        "socket.getaddrinfo = socket.socket.connect = caught\n"
        "import sys, qingzhou\nfrom qingzhou.engines import compile_for\n"
        "qingzhou.load(compile_for('openvino', sys.argv[1], sys.argv[2]).path).check()\n"
        "assert 'openvino' in sys.modules and 'openvino_telemetry' not in sys.modules"
    )
    (tmp_path / "home").mkdir()
    homes = {name: str(tmp_path / "home") for name in ("HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE")}
    env = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(digits.path), str(tmp_path / "m.xml")],
        env={**env, **homes, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "home").rglob("*"))
