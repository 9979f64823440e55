"""TensorRT without a GPU: what is prepared for it, and every call of its API on a stand-in that computes the same."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from fake_tensorrt import Cuda, module

import qingzhou
from passengers import DIGITS, ORACLE, basenn, digits, mmedu
from qingzhou.cli import main
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.engines.tensorrt.prepare import trtexec
from qingzhou.errors import EngineError, ExtraMissing, FileMissing, ModelError, OptionError, OutputError
from qingzhou.evaluate import evaluate

LENET, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"


@pytest.fixture(scope="module")
def lenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(LENET, tmp_path_factory.mktemp("lenet") / "lenet.onnx").path


@pytest.fixture(autouse=True)
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT is not here, even if it is."""
    monkeypatch.setattr("qingzhou.engines.tensorrt.engine.installed", lambda name: None)
    monkeypatch.setitem(sys.modules, "tensorrt", None)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """A machine with two GPUs and TensorRT."""
    return install(monkeypatch, Cuda())


def install(monkeypatch: pytest.MonkeyPatch, cuda: Cuda, version: str = "11.4.0.106") -> Cuda:
    monkeypatch.setattr("qingzhou.engines.tensorrt.engine.installed", lambda name: version)
    monkeypatch.setitem(sys.modules, "tensorrt", module(cuda, version))
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", cuda)
    return cuda


# -- without TensorRT --------------------------------------------------------------------------------------------------


def test_what_is_prepared_without_it(lenet: Path, tmp_path: Path) -> None:
    made = compile_for("tensorrt", lenet, tmp_path)
    assert [path.name for path in made.files] == ["lenet.tensorrt.onnx", "lenet.tensorrt.json"] and made.kept == ()
    assert sorted(tmp_path.iterdir()) == sorted(made.files)
    assert made.difference is not None and made.difference.small
    line = (
        'trtexec --onnx="lenet.tensorrt.onnx" --saveEngine="lenet.tensorrt.engine" '
        '--timingCacheFile="lenet.tensorrt.timing" --stronglyTyped --noTF32 --skipInference'
    )
    assert line in made.notes[0] and "not installed" in made.notes[0]
    model = onnx.load(made.path)
    onnx.checker.check_model(model, full_check=True)
    assert all(
        dim.dim_value > 0
        for entry in (*model.graph.input, *model.graph.output)
        for dim in entry.type.tensor_type.shape.dim
    )


def test_fp16_is_fp16_throughout(tmp_path: Path) -> None:
    source = qingzhou.convert(mmedu("MobileNet", tmp_path)).path
    made = compile_for("tensorrt", source, tmp_path / "out.onnx", "fp16")
    model = onnx.load(made.path)
    kinds = {tensor.data_type for tensor in model.graph.initializer if len(tensor.dims) > 1}
    assert kinds == {onnx.TensorProto.FLOAT16} and made.size < 0.53 * source.stat().st_size
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT  # the runtime feeds what it did
    assert made.difference is not None and made.difference.largest < 1e-3


def test_int8_is_made_for_it(lenet: Path, tmp_path: Path) -> None:
    made = export_model(lenet, "tensorrt", tmp_path, "int8", DATA)
    zeros = [tensor for tensor in onnx.load(made.path).graph.initializer if tensor.data_type == onnx.TensorProto.UINT8]
    assert made.precision == "int8" and not zeros
    assert any("397" in note for note in made.notes) and any("trtexec" in note for note in made.notes)
    assert evaluate(made.path, DATA).result.right >= 488 - 2


def test_int8_for_other_devices_is_refused(lenet: Path, tmp_path: Path) -> None:
    small = qingzhou.quantize(lenet, DATA, tmp_path / "small.onnx", any_speed=True, target="arm")
    with pytest.raises(EngineError, match="--target tensorrt"):
        compile_for("tensorrt", small.path, tmp_path, "int8")


def test_detectors_in_the_form_without_boxes(tmp_path: Path) -> None:
    source = mmedu("SSD_Lite", tmp_path)
    made = export_model(source, "tensorrt", tmp_path / "ssd.onnx")
    assert qingzhou.load(made.path).card.output.scores == "raw"
    with pytest.raises(EngineError, match="--form raw"):
        compile_for("tensorrt", qingzhou.convert(source).path)


def test_two_stages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="two-stage"):
        export_model(mmedu("FasterRCNN", tmp_path), "tensorrt")


def test_texts_are_refused(tmp_path: Path) -> None:
    source = qingzhou.convert(basenn("em_lstm"), tmp_path / "text.onnx").path
    with pytest.raises(EngineError, match="word by word"):
        compile_for("tensorrt", source)


def test_an_engine_without_tensorrt(tmp_path: Path) -> None:
    for suffix in (".engine", ".json"):
        (tmp_path / f"m{suffix}").write_text("{}")
    with pytest.raises(ExtraMissing, match="qingzhou\\[tensorrt\\]"):
        qingzhou.load(tmp_path / "m.engine")


def test_what_the_verbs_say() -> None:
    found = json.loads(CliRunner().invoke(main, ["engines", "--json"]).stdout)["engines"]["tensorrt"]
    assert found == {
        "version": None,
        "install": 'pip install "qingzhou[tensorrt]"',
        "run_on_hardware": False,
        "gpus": [],
    }
    assert "not run on hardware" in CliRunner().invoke(main, ["engines", "--lang", "en"]).stdout
    assert "我们未在硬件上运行过" in CliRunner().invoke(main, ["engines", "--lang", "zh"]).stdout


def test_the_gpu_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Cuda())
    assert "NVIDIA Orin 8.7" in CliRunner().invoke(main, ["engines", "--lang", "en"]).stdout


# -- with it ----------------------------------------------------------------------------------------------------------


def test_an_engine_is_built_and_run(lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    made = export_model(LENET, "tensorrt", tmp_path)
    assert {path.name: path for path in (*made.files, *made.kept)}.keys() == {
        "lenet_digits.tensorrt.engine",
        "lenet_digits.tensorrt.json",
        "lenet_digits.tensorrt.onnx",
        "lenet_digits.tensorrt.timing",
    }
    assert sorted(tmp_path.iterdir()) == sorted((*made.files, *made.kept))
    assert made.difference is not None and made.difference.largest < 1e-6
    assert any("not run on hardware" in note for note in made.notes)
    assert any(trtexec(made.path) in note for note in made.notes)
    facts = json.loads(made.files[1].read_text())
    assert {key: facts[key] for key in facts if key != "card"} == {
        "tensorrt": "11.4.0.106",
        "gpu": "NVIDIA Orin",
        "compute_capability": "8.7",
    }
    assert evaluate(made.path, DATA).result.right == 488
    picture = next(path for path, digit in digits() if digit == "3")
    assert qingzhou.load(made.path, device="gpu.1").predict(picture).label == "3" and cuda.device == 1


def test_what_lies_beside_it_is_not_the_source(tmp_path: Path, cuda: Cuda) -> None:
    """best.engine's prepared model would be best.onnx itself."""
    model = qingzhou.convert(LENET, tmp_path / "best.onnx").path
    before = model.read_bytes()
    with pytest.raises(OutputError, match="over"):
        compile_for("tensorrt", model, tmp_path / "best.engine")
    assert model.read_bytes() == before and not (tmp_path / "best.engine").exists()


def test_batches_row_by_row(lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    made = compile_for("tensorrt", lenet, tmp_path)
    rows = np.random.default_rng(0).normal(size=(3, 1, 32, 32)).astype(np.float32)
    session, other = qingzhou.load(made.path).predictor, qingzhou.load(lenet).predictor
    (found,) = session.run({"input": rows})
    wanted = [other.run({"input": row[None]})[0][0] for row in rows]
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    for wrong in (rows[:, :, :31], rows[:0]):
        with pytest.raises(qingzhou.errors.InputError):
            session.run({"input": wrong})


def test_memory_on_the_gpu_is_given_back(lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    made = compile_for("tensorrt", lenet, tmp_path)
    model = qingzhou.load(made.path)
    model.check()
    assert cuda.given and cuda.queues
    del model
    gc.collect()
    assert not cuda.given and not cuda.queues


def test_timings_are_used_again(lenet: Path, tmp_path: Path, cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> None:
    timing = compile_for("tensorrt", lenet, tmp_path).kept[1]
    assert timing.read_bytes() == b"11.4.0.106|first"
    compile_for("tensorrt", lenet, tmp_path)
    assert timing.read_bytes() == b"11.4.0.106|again"
    install(monkeypatch, cuda, "12.0.0.1")
    compile_for("tensorrt", lenet, tmp_path)
    assert timing.read_bytes() == b"12.0.0.1|first"


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_smaller_precisions(precision: str, lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    made = export_model(lenet, "tensorrt", tmp_path, precision, DATA)
    assert made.precision == precision and evaluate(made.path, DATA).result.right >= 488 - 2


def test_an_engine_of_another_version(lenet: Path, tmp_path: Path, cuda: Cuda, monkeypatch: pytest.MonkeyPatch) -> None:
    made = compile_for("tensorrt", lenet, tmp_path)
    install(monkeypatch, cuda, "12.0.0.1")
    with pytest.raises(EngineError, match=r"TensorRT 11\.4\.0\.106, NVIDIA Orin \(8\.7\).*12\.0\.0\.1"):
        qingzhou.load(made.path)


def test_an_engine_that_trtexec_built(lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    """Its .json was made before, and says nothing of a version."""
    made = compile_for("tensorrt", lenet, tmp_path)
    facts = json.loads(made.files[1].read_text())
    made.files[1].write_text(json.dumps({"card": facts["card"]}))
    assert qingzhou.load(made.path).check() < 1e-6
    made.path.write_bytes(b"built by another version")
    with pytest.raises(EngineError, match="stdVersionRead"):
        qingzhou.load(made.path)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        (".json", None, FileMissing),
        (".engine", None, FileMissing),
        (".json", b"junk", ModelError),
        (".json", b"[]", ModelError),
        (".json", b"[" * 100_000, ModelError),
        (".json", b'{"card": {"network": 3}}', ModelError),
        (".engine", b"", EngineError),
    ],
)
def test_damage(name: str, data: bytes | None, kind: type, lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    made = compile_for("tensorrt", lenet, tmp_path)
    made.path.with_suffix(name).unlink() if data is None else made.path.with_suffix(name).write_bytes(data)
    with pytest.raises(kind):
        qingzhou.load(made.path).check()


def test_no_gpu(lenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Cuda(gpus=0))
    with pytest.raises(EngineError, match="nvidia-smi"):
        compile_for("tensorrt", lenet, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_builder_that_does_not_start(lenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA finds a GPU, TensorRT does not."""
    install(monkeypatch, Cuda())
    monkeypatch.setitem(sys.modules, "tensorrt", module(Cuda(gpus=0)))
    with pytest.raises(EngineError, match="CUDA initialization failure"):
        compile_for("tensorrt", lenet, tmp_path)


def test_too_old(lenet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Cuda(), "8.6.1")
    with pytest.raises(EngineError, match="too old"):
        compile_for("tensorrt", lenet, tmp_path)


@pytest.mark.parametrize(("device", "kind"), [("cpu", OptionError), ("gpu.x", OptionError), ("gpu.7", EngineError)])
def test_devices_that_are_not_there(device: str, kind: type, lenet: Path, tmp_path: Path, cuda: Cuda) -> None:
    made = compile_for("tensorrt", lenet, tmp_path)
    with pytest.raises(kind):
        qingzhou.load(made.path, device=device)


def test_a_network_that_it_cannot_build(
    lenet: Path, tmp_path: Path, cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fake_tensorrt._can_build", lambda model: False)
    with pytest.raises(EngineError, match="Could not find any implementation"):
        compile_for("tensorrt", lenet, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_network_that_it_cannot_read(
    lenet: Path, tmp_path: Path, cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(self: Any, model: bytes, path: str | None = None) -> bool:
        return False

    monkeypatch.setattr(sys.modules["tensorrt"].OnnxParser, "parse", parse)
    with pytest.raises(EngineError, match="no importer, error 0"):
        compile_for("tensorrt", lenet, tmp_path)
