"""The engines together: the verbs export and engines, onnxruntime's providers and .ort files, what processors can."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import qingzhou
from passengers import ORACLE, digits, mmedu
from qingzhou.cli import main
from qingzhou.engines import ENGINES, compile_for
from qingzhou.engines.machine import features
from qingzhou.errors import (
    CheckpointMissing,
    CheckpointTypeError,
    EngineError,
    ExtraMissing,
    FileMissing,
    ModelError,
    OptionError,
)

TRAINED = ORACLE / "trained" / "lenet_digits.pth"
HERE = [name for name, engine in ENGINES.items() if engine.tried and engine.offered]  # numpy runs no pictures


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> qingzhou.Model:
    return qingzhou.convert(TRAINED, tmp_path_factory.mktemp("engines") / "数字 1.onnx")


def cli(*words: object, status: int = 0, lang: str = "en") -> str:
    """What a command prints."""
    result = CliRunner().invoke(main, [*map(str, words), "--lang", lang])
    assert result.exit_code == status and isinstance(result.exception, SystemExit | None), result.output
    return result.output


# -- the verbs -------------------------------------------------------------------------------------------------------


def test_export_and_use(model: qingzhou.Model, tmp_path: Path) -> None:
    """run, check and evaluate take what export wrote, as they take the .onnx."""
    shown = cli("export", model.path, "--engine", "openvino", "-o", tmp_path, lang="zh")
    assert all(word in shown for word in ("数字 1.openvino.xml", "openvino 20", "fp32", "差异"))
    made = tmp_path / "数字 1.openvino.xml"
    picture, label = next(digits())
    assert json.loads(cli("run", made, picture, "--json"))["results"][0]["label"] == label
    assert json.loads(cli("check", made, "--json"))["passed"]
    before, after = (
        json.loads(cli("evaluate", path, ORACLE / "digits" / "test", "--json")) for path in (model.path, made)
    )
    assert before["accuracy"] == after["accuracy"] > 0.9


@pytest.mark.parametrize("engine", HERE)
def test_what_is_inside(engine: str, model: qingzhou.Model, tmp_path: Path) -> None:
    made = compile_for(engine, model.path, tmp_path)
    found = json.loads(cli("info", made.path, "--json"))
    assert (found["container"], found["bytes"], found["network"]) == (engine, made.size, "LeNet-5")
    assert found["labels"] == model.card.labels and "LeNet-5" in cli("info", made.path)


@pytest.mark.parametrize(("engine", "name"), [("openvino", "OpenVINO"), ("ncnn", "ncnn")])
def test_it_is_no_checkpoint(engine: str, name: str, model: qingzhou.Model, tmp_path: Path) -> None:
    made = compile_for(engine, model.path, tmp_path)
    assert name in cli("convert", made.path, "-o", tmp_path / "m.onnx", status=1)


@pytest.mark.parametrize("engine", HERE)
def test_a_checkpoint_at_once(engine: str, tmp_path: Path) -> None:
    """Nothing but the engine's own files is left."""
    found = json.loads(cli("export", TRAINED, "--engine", engine, "-o", tmp_path, "--json"))
    assert found["source"] == str(TRAINED) and found["same"] is True
    assert sorted(map(str, tmp_path.iterdir())) == sorted(found["files"])
    assert Path(found["model"]).name == f"lenet_digits{ENGINES[engine].suffix}"
    assert json.loads(cli("check", found["model"], "--json"))["passed"]


def test_what_json_says_of_an_export(model: qingzhou.Model, tmp_path: Path) -> None:
    found = json.loads(cli("export", model.path, "--engine", "openvino", "-o", tmp_path / "m.xml", "--json"))
    assert found["files"] == [str(tmp_path / "m.xml"), str(tmp_path / "m.bin")] and found["model"] == found["files"][0]
    assert found["bytes"] == sum(Path(path).stat().st_size for path in found["files"])
    assert found["difference"] < 1e-5 and found["same"] is True and found["notes"] == []
    assert (found["engine"], found["precision"], found["version"]) == (
        "openvino",
        "fp32",
        ENGINES["openvino"].version(),
    )


def test_engines() -> None:
    found = json.loads(cli("engines", "--json"))
    assert list(found["engines"]) == list(ENGINES) and "cpu" in found["engines"]["onnxruntime"]["providers"]
    assert found["engines"]["openvino"]["install"] == 'pip install "qingzhou[openvino]"'
    assert "cpu" in found["engines"]["openvino"]["devices"]
    assert "处理器" in cli("engines", lang="zh")


def test_engines_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", nothing)
    found = json.loads(cli("engines", "--json"))["engines"]
    assert found["openvino"]["version"] is found["ncnn"]["version"] is None and found["openvino"]["devices"] == []
    shown = cli("engines")
    assert all(f'pip install "qingzhou[{name}]"' in shown for name in ("openvino", "ncnn"))


def test_an_engine_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert json.loads(cli("engines", "--json"))["engines"]["openvino"]["devices"] == []


@pytest.mark.parametrize(
    ("source", "words", "kind"),
    [
        ("none.onnx", [], FileMissing),
        ("none.pth", [], CheckpointMissing),
        ("none.xml", [], FileMissing),
        ("junk.onnx", [], ModelError),
        ("junk.pth", [], CheckpointTypeError),
        ("junk.pth", ["--engine", "ncnn"], CheckpointTypeError),
        ("checkpoint", ["--precision", "bf16"], OptionError),
        ("checkpoint", ["--engine", "abacus"], OptionError),
        ("model", ["--precision", "bf16"], OptionError),
        ("model", ["--engine", "onnxruntime", "--precision", "fp16"], OptionError),
        ("model", ["--engine", "abacus"], OptionError),
    ],
)
def test_export_refuses(source: str, words: list[str], kind: type, model: qingzhou.Model, tmp_path: Path) -> None:
    (tmp_path / "junk.onnx").write_text("junk")
    (tmp_path / "junk.pth").write_text("junk")
    path = {"checkpoint": TRAINED, "model": model.path}.get(source, tmp_path / source)
    given = ["--engine", "openvino", "-o", tmp_path / "out.xml", *words]
    found = json.loads(cli("export", path, *given, "--json", status=1))
    assert found["error"] == kind.__name__
    assert any("\u4e00" <= letter <= "\u9fff" for letter in cli("export", path, *given, status=1, lang="zh"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junk.onnx", "junk.pth"]


# -- onnxruntime -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["LeNet", "SSD_Lite"])
def test_the_ort_form(name: str, tmp_path: Path) -> None:
    model = qingzhou.convert(mmedu(name, tmp_path))
    made = compile_for("onnxruntime", model.path)
    assert made.files == (tmp_path / f"{name}.ort",) and made.difference is not None and made.difference.small
    assert qingzhou.load(made.path).card == model.card and qingzhou.load(made.path).check() < 1e-3
    with pytest.raises(ModelError):
        compile_for("openvino", made.path)


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "directml", "openvino", "coreml"])
def test_providers_that_this_build_has_not(name: str, model: qingzhou.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ExtraMissing) as caught:
        qingzhou.load(model.path, device=name)
    for text in (caught.value.en, caught.value.zh):
        assert name in text and "cpu" in text and ("pip install onnxruntime-" in text or "macOS" in text)


def test_a_provider_that_does_not_start(model: qingzhou.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """onnxruntime goes on with the CPU then, and only prints something."""
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr("qingzhou.engines.onnxruntime.open_session", lambda path, threads, providers: OnlyCpu())
    with pytest.raises(EngineError, match="CUDAExecutionProvider"):
        qingzhou.load(model.path, device="cuda")


class OnlyCpu:
    """A session that fell back."""

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


def test_an_unknown_provider(model: qingzhou.Model) -> None:
    with pytest.raises(OptionError, match="toaster"):
        qingzhou.load(model.path, device="toaster")


# -- the processor ---------------------------------------------------------------------------------------------------

PROCESSORS: list[tuple[str, dict[str, Any]]] = [
    ("flags\t\t: fpu sse2 avx2 fma", {"AVX2": True, "AVX-512": False, "VNNI": False, "AMX": False, "FP16": False}),
    (
        "flags : avx2 avx512f avx512_vnni amx_tile amx_int8 avx512_fp16",
        {"AVX2": True, "AVX-512": True, "VNNI": True, "AMX": True, "FP16": True},
    ),
    ("processor : 0\nflags : avx2 avx_vnni", {"AVX2": True, "VNNI": True, "AVX-512": False}),
    ("Features\t: fp asimd fphp asimdhp asimddp", {"NEON": True, "dot product": True, "FP16": True}),
    ("model name : ARMv7\nFeatures : half thumb neon vfpv4", {"NEON": True, "dot product": False, "FP16": False}),
    ("isa : rv64imafdc", {}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "wanted"), PROCESSORS)
def test_features(text: str, wanted: dict[str, bool], tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    found = features(tmp_path / "cpuinfo")
    assert {name: found[name] for name in wanted} == wanted and bool(found) == bool(wanted)


def test_features_of_other_systems(tmp_path: Path) -> None:
    assert features(tmp_path / "none") == {}
