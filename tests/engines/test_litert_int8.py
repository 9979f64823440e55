"""LiteRT in INT8: all of it in integers, its answers against the definition of the rounded network, and on a chip."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from litert_files import asked, interpreter
from test_ncnn_int8 import feeds

import qingzhou
from dear import but_slow
from passengers import DIGITS, ORACLE, mmedu
from qingzhou.deploy import export_model
from qingzhou.engines import compile_for
from qingzhou.engines.litert.micro import PYTHON, advice, arena, is_int8, micro_python
from qingzhou.evaluate import evaluate
from qingzhou.quant.network import Network, activations
from qingzhou.quant.qdq import Scheme, to_qdq
from qingzhou.quant.ranges import calibrate
from qingzhou.runtime.engine.session import open_session

CHECKPOINT, DATA = ORACLE / "trained" / "lenet_digits.pth", DIGITS / "test"
NETWORKS = ["LeNet", "MobileNet", "MobileNetV3_small", "ResNet18", "SSD_Lite", "Yolov3"]
REFERENCE = interpreter.OpResolverType.BUILTIN_REF
# Read in the file: between the input's integers and the output's floats nothing else is in floats.
FLOATS = {"QUANTIZE", "DEQUANTIZE", "TRANSPOSE", "RESHAPE"}


def rounded(source: Path, out: Path, scheme: Scheme) -> Path:
    """A model in INT8, from its own sample and noise."""
    network = Network(onnx.load(source))
    seen = calibrate(network, activations(network, dense=scheme.dense), feeds(source))
    onnx.save(to_qdq(network, {name: one.range("minmax") for name, one in seen.items()}, scheme), out)
    return out


@pytest.fixture(scope="module", params=but_slow(NETWORKS, ["ResNet18", "SSD_Lite", "Yolov3"]))
def case(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A network, the same as INT8 in ONNX's form, and its .tflite."""
    name, folder = request.param, tmp_path_factory.mktemp("int8")
    form = {"form": "raw"} if name in ("SSD_Lite", "Yolov3") else {}
    source = qingzhou.convert(mmedu(name, folder), **form).path
    small = rounded(source, folder / "small.onnx", Scheme(dense=True))
    return source, small, compile_for("litert", small, folder / "m.tflite").path


def opened(path: Path, kind: Any = interpreter.OpResolverType.AUTO) -> Any:
    found = interpreter.Interpreter(str(path), experimental_op_resolver_type=kind)
    found.allocate_tensors()
    return found


def in_litert(path: Path, inputs: list[Any], kind: Any = interpreter.OpResolverType.AUTO) -> np.ndarray:
    found = opened(path, kind)
    return row([array for x in inputs for array in asked(found, x.transpose(0, 2, 3, 1))])


def row(arrays: list[Any]) -> np.ndarray:
    return np.concatenate([array.reshape(-1) for array in arrays])


def noise(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(np.square(one - other, dtype=np.float64).sum()))


def test_it_is_as_near_to_the_float_network_as_its_definition(case: tuple[Path, Path, Path]) -> None:
    """Which onnxruntime computes operator by operator, from the file in ONNX's form."""
    source, small, made = case
    inputs = [next(iter(feed.values())) for feed in feeds(source, 11)]
    exact = qingzhou.load(source).predictor
    floats = row([array for x in inputs for array in exact.run({exact.card.input.name: x})])
    session = open_session(small, once=True)
    defined = row([array for x in inputs for array in session.run(None, {exact.card.input.name: x})])
    for kind in (interpreter.OpResolverType.AUTO, REFERENCE):
        found = in_litert(made, inputs, kind)
        assert noise(found, floats) < 2 * noise(defined, floats)
        assert noise(found, defined) < 2 * noise(defined, floats)
    assert made.stat().st_size < 0.32 * source.stat().st_size


def test_all_of_it_is_in_integers(case: tuple[Path, Path, Path]) -> None:
    found = opened(case[2], REFERENCE)
    kinds = {one["index"]: one["dtype"] for one in found.get_tensor_details()}
    for op in found._get_ops_details():
        made = {kinds[i] for i in op["outputs"]}
        assert made == {np.int8} or op["op_name"] in FLOATS, op["op_name"]


def test_our_own_reader_reads_the_same(case: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """Its form of the file, computed operator by operator, is as near to the float network as well."""
    source, small, made = case
    model, exact = qingzhou.convert(made, tmp_path / "back.onnx"), qingzhou.load(source).predictor
    inputs = [next(iter(feed.values())) for feed in feeds(source, 5)]
    floats = row([array for x in inputs for array in exact.run({exact.card.input.name: x})])
    back, defined = (
        row([array for x in inputs for array in open_session(path, once=True).run(None, {name: x})])
        for path, name in ((model.path, model.card.input.name), (small, exact.card.input.name))
    )
    assert noise(back, floats) < 2 * noise(defined, floats)


def chip() -> str:
    """The Python with TensorFlow Lite Micro; skipped where none has it."""
    python = micro_python()
    if not python:
        pytest.skip(f"pip install --pre tflite-micro, for Linux only; {PYTHON} names the Python that has it")
    return python


IN_MICRO = """
import sys, numpy as np
from tflite_micro.python.tflite_micro import runtime
found = runtime.Interpreter.from_file(sys.argv[1])
rows = []
for x in np.load(sys.argv[2]):
    found.set_input(x, 0)
    found.invoke()
    rows.append(found.get_output(0))
np.save(sys.argv[3], rows)
"""


def test_on_a_chip_it_is_the_reference_bit_by_bit(case: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """TensorFlow Lite Micro, which is what a microcontroller runs."""
    source, _, made = case
    inputs = [next(iter(feed.values())) for feed in feeds(source, 5)]
    np.save(tmp_path / "x.npy", [x.transpose(0, 2, 3, 1).astype(np.float32) for x in inputs])
    words = [chip(), "-c", IN_MICRO, made, tmp_path / "x.npy", tmp_path / "y.npy"]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    found = opened(made, REFERENCE)
    wanted = [asked(found, x.transpose(0, 2, 3, 1))[0] for x in inputs]
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), wanted)


def test_what_a_chip_needs_is_told(tmp_path: Path) -> None:
    python = chip()
    source = qingzhou.convert(CHECKPOINT, tmp_path / "m.onnx").path
    small = rounded(source, tmp_path / "small.onnx", Scheme(dense=True))
    whole, made = (compile_for("litert", path, tmp_path / f"{path.stem}.tflite") for path in (source, small))
    found = arena(made.path, python)
    assert found is not None and 10_000 < found < 40_000
    assert not is_int8(whole.path) and not advice(whole.path) and is_int8(made.path)
    assert any(f"{found / 1024:.0f} KiB" in note for note in made.notes)
    (tmp_path / "junk.tflite").write_bytes(b"junk")
    assert arena(tmp_path / "junk.tflite", python) is None


def test_a_python_that_is_not_there_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = qingzhou.convert(CHECKPOINT, tmp_path / "m.onnx").path
    monkeypatch.setenv(PYTHON, str(tmp_path / "python"))
    assert not advice(compile_for("litert", rounded(source, tmp_path / "s.onnx", Scheme(dense=True)), tmp_path).path)


def test_digits_are_right_as_often(tmp_path: Path) -> None:
    made = export_model(CHECKPOINT, "litert", tmp_path, "int8", DATA)
    assert made.precision == "int8" and made.size < 0.33 * CHECKPOINT.stat().st_size
    assert any("397" in note for note in made.notes)
    assert evaluate(made.path, DATA).result.right >= 488 - 1
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name]
    assert qingzhou.load(made.path).check() < 1e-4


@pytest.mark.parametrize("scheme", [Scheme(), Scheme(symmetric=True), Scheme(narrow=True)])
def test_int8_for_other_targets_runs_too(scheme: Scheme, tmp_path: Path) -> None:
    """Whatever the zero points, and where what linear layers give stays in floats."""
    source = qingzhou.convert(CHECKPOINT, tmp_path / "m.onnx").path
    made = compile_for("litert", rounded(source, tmp_path / "small.onnx", scheme), tmp_path)
    assert made.difference is not None and made.difference.largest < 0.03
    assert evaluate(made.path, DATA).result.right >= 488 - 4
