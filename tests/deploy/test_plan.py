"""The planner: facts of a file, the forms that a device allows, and what is refused before anything is compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import qingzhou
from passengers import DIGITS, ORACLE, mmedu
from qingzhou.bundle.form import Wish, best_form
from qingzhou.deploy import export_model
from qingzhou.deploy.make import Maker
from qingzhou.deploy.plan import Form, cheapest_first, forms_on, int8_target, kind_of, precisions, refusal, too_new
from qingzhou.devices import all_devices, load
from qingzhou.engines import ENGINES
from qingzhou.engines.table import engine_on_devices
from qingzhou.errors import EngineError
from qingzhou.graph.count import NOTHING
from qingzhou.onnxfile.facts import Facts
from qingzhou.targets import TARGETS

LENET = ORACLE / "trained" / "lenet_digits.pth"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return qingzhou.convert(LENET, tmp_path_factory.mktemp("plan") / "lenet.onnx").path


@pytest.fixture(scope="module")
def small(model: Path) -> Path:
    path = qingzhou.quantize(model, DIGITS / "test", model.with_name("int8.onnx"), any_speed=True, target="arm").path
    assert path is not None
    return path


def test_facts(model: Path, small: Path) -> None:
    facts = Facts(model)
    assert (facts.quantized, facts.zero_points, facts.opset, facts.ir) == (
        False,
        False,
        13,
        8,
    )
    assert facts.is_onnx and not facts.boxes and not facts.two_stages and facts.work.macs > 0
    assert Facts(small).quantized and Facts(small).zero_points
    assert not Facts(LENET).is_onnx and not Facts(LENET).quantized


def test_facts_of_what_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    path.write_bytes(b"no model")
    assert not Facts(path).quantized and too_new(Facts(path), load("pi5")) is None
    assert all(refusal(engine, Facts(path)) is None for engine in ENGINES.values())


def test_kinds() -> None:
    assert [kind_of(Path(name)) for name in ("a.onnx", "A.ONNX", "a.pth", "a.param", "a.xml", "a.ort")] == [
        "onnx",
        "onnx",
        "checkpoint",
        *["compiled"] * 3,
    ]


def test_precisions(model: Path, small: Path) -> None:
    told = {
        name: (precisions(engine, Facts(model)), precisions(engine, Facts(small))) for name, engine in ENGINES.items()
    }
    assert told == {
        "onnxruntime": (("fp32", "int8"), ("int8",)),
        "openvino": (("fp32", "fp16", "int8"), ("int8",)),
        "ncnn": (("fp32", "fp16", "int8"), ()),  # there are zero points
        "litert": (("fp32", "fp16", "int8"), ("int8",)),
        "mnn": (("fp32", "fp16"), ()),
        "tensorrt": (("fp32", "fp16", "int8"), ()),
        "numpy": (("fp32",), ()),
    }


def test_forms_on_a_device(model: Path, small: Path) -> None:
    pi, browser, facts = load("pi4-64"), load("browser"), Facts(model)
    assert forms_on(pi, facts) == [Form("ncnn", "fp32"), Form("onnxruntime", "fp32"), Form("litert", "fp32")]
    assert [form.name for form in forms_on(pi, facts, data=True)] == [
        "ncnn int8",
        "ncnn fp32",
        "onnxruntime int8",
        "onnxruntime fp32",
        "litert int8",
        "litert fp32",
    ]
    assert forms_on(pi, facts, "mnn") == [Form("mnn", "fp32")]  # only if it is asked for
    assert [form.name for form in forms_on(pi, facts, every=True)] == [
        f"{engine} {precision}" for engine in ("ncnn", "onnxruntime", "litert", "mnn")
        for precision in ("fp16", "fp32") if engine != "onnxruntime" or precision == "fp32"
    ] + ["numpy fp32"]  # fmt: skip
    assert forms_on(pi, facts, precision="fp16") == [Form("ncnn", "fp16"), Form("litert", "fp16")]
    assert forms_on(pi, facts, "onnxruntime", "fp16") == []
    assert forms_on(pi, facts, "numpy") == [Form("numpy", "fp32")]  # only if it is asked for
    assert forms_on(pi, Facts(small), data=True) == [Form("onnxruntime", "int8"), Form("litert", "int8")]
    assert forms_on(browser, facts, data=True) == [Form("onnxruntime-web", "fp32")]  # INT8 only if it is asked for
    assert forms_on(browser, facts, precision="int8", data=True) == [Form("onnxruntime-web", "int8")]
    assert forms_on(browser, Facts(small)) == [Form("onnxruntime-web", "int8")]


def test_the_cheapest_first(model: Path) -> None:
    pi, facts = load("unihiker"), Facts(model)
    found = cheapest_first(forms_on(pi, facts), pi, facts.work)
    told = [pi.instructions_for(facts.work, form.engine, form.precision) for form in found]
    assert told == sorted(told, key=lambda one: one or 0)
    pc = load("pc")  # nothing is known of it: the order of its profile
    assert cheapest_first(forms_on(pc, facts), pc, NOTHING) == forms_on(pc, facts)


def test_whose_arithmetic() -> None:
    pi, pc = load("pi5"), load("pc")
    assert [int8_target(engine_on_devices(name), pi) for name in ("ncnn", "onnxruntime")] == ["ncnn", "arm"]
    assert int8_target(engine_on_devices("onnxruntime-web"), load("browser")) == "x86"
    assert (int8_target(None, pc), int8_target(None, None)) == ("x86", "auto")


def test_every_engine_of_a_profile_is_there() -> None:
    names = {name for device in all_devices() for name in device.engines} - {*TARGETS}
    assert all(engine_on_devices(name).name == name for name in names)


def test_a_file_for_a_newer_onnxruntime(tmp_path: Path) -> None:
    model = qingzhou.convert(LENET, tmp_path / "new.onnx", opset=21, ir_version=10).path
    found = too_new(Facts(model), load("unihiker"))
    assert found is not None and "opset 21 and IR version 10" in found.en and "opset 是 21" in found.zh
    assert too_new(Facts(model), load("pc")) is None


@pytest.mark.parametrize("op", ["ai.onnx.ml.Scaler", "ai.onnx.ml.TreeEnsembleRegressor"])
def test_operators_that_an_engine_does_not_know(op: str, tmp_path: Path) -> None:
    """Named before anything is compiled, whether the engine is installed or not."""
    domain, _, kind = op.rpartition(".")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in "xy"]
    node = helper.make_node(kind, ["x"], ["y"], domain=domain)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(domain, 3)]
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), opset_imports=opsets), path)
    for name in ("openvino", "tensorrt", "ncnn"):
        found = refusal(ENGINES[name], Facts(path))
        assert found is not None and kind in found.en and kind in found.zh, name
    assert refusal(ENGINES["onnxruntime"], Facts(path)) is None


@pytest.mark.slow
def test_a_two_stage_checkpoint_stays_with_onnxruntime(tmp_path: Path) -> None:
    """Straight from the checkpoint, which ncnn comes first for: refused for what it is, and not for an option."""
    (tmp_path / "work").mkdir()
    made = best_form(mmedu("FasterRCNN", tmp_path), load("pi4-64"), Wish(), tmp_path / "work")
    assert made.engine == "onnxruntime"
    assert any("ncnn fp32" in note and "two-stage" in note for note in made.notes)


def test_what_an_engine_cannot_run_is_not_made_int8_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take minutes, and then be refused."""
    from qingzhou.deploy import make

    monkeypatch.setattr(make, "quantize", None)
    boxes = qingzhou.convert(mmedu("SSD_Lite", tmp_path), tmp_path / "boxes.onnx").path
    (tmp_path / "work").mkdir()
    with pytest.raises(EngineError, match="makes its boxes inside"):
        best_form(boxes, load("pi4-64"), Wish("ncnn", "int8", DIGITS / "test"), tmp_path / "work")
    with pytest.raises(EngineError, match="makes its boxes inside"):
        export_model(boxes, "ncnn", tmp_path / "out", "int8", DIGITS / "test")


def test_what_lies_between_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier is the same file for every engine; of a detector there are two forms."""
    from qingzhou.deploy import make

    asked: list[str] = []

    def counting(*given: object, form: str) -> qingzhou.Model:
        asked.append(form)
        return qingzhou.convert(*given, form=form)  # type: ignore[arg-type]

    monkeypatch.setattr(make, "convert", counting)
    for source, forms in ((LENET, ["boxes"]), (mmedu("SSD_Lite", tmp_path), ["raw", "boxes"])):
        maker = Maker(source, tmp_path)
        for name in ("ncnn", "onnxruntime", "tensorrt", "openvino"):
            assert maker.onnx(ENGINES[name]).opset == 13
        assert asked == forms
        asked.clear()


def test_planning_imports_no_quantizer() -> None:
    """bench measures the memory of processes that plan."""
    code = "import sys, qingzhou.bench.worker; sys.exit('onnx' in sys.modules or 'qingzhou.quant' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
