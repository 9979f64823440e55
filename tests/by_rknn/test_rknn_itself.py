"""Rockchip's own compiler and simulator: trained networks for each chip, within a point of ONNX Runtime's FP32."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import qingzhou
from environments import python_of
from passengers import DIGITS, ORACLE
from qingzhou.bundle.build import build
from qingzhou.deploy.export import export_for_chip
from qingzhou.errors import EngineError
from qingzhou.targets import TARGETS

pytestmark = pytest.mark.rknn
RKNN, DATA = TARGETS["rknn"], DIGITS / "test"
NETWORKS = {"lenet": "lenet_digits.pth", "mobilenet": "mobilenet_digits.pth"}
# MobileNetV2 takes a minute a chip: once for each kind of NPU.
CASES = [*(("lenet", chip) for chip in RKNN.chips), ("mobilenet", "rk3566"), ("mobilenet", "rk3588")]


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("QINGZHOU_TARGET_RKNN", str(python_of("rknn")))
        yield


@pytest.mark.parametrize(("network", "chip"), CASES)
def test_answers_are_those_of_fp32(network: str, chip: str, tmp_path: Path) -> None:
    made = export_for_chip(ORACLE / "trained" / NETWORKS[network], RKNN, chip, tmp_path, DATA, max_drop=1.0)
    before, after = made.verdict.figures()
    print(
        network, chip, made.size, f"{before:.2%} {after:.2%} {made.agreement:.2%} {made.far[0]:.4f} {made.far[1]:.5f}"
    )
    assert made.verdict.labelled and made.verdict.judged == 100 and made.calibrated == 100
    assert before - after <= 0.01 and made.agreement is not None and made.agreement >= 0.98
    assert made.far[0] < 0.1
    assert made.versions == {"rknn-toolkit2": "2.5.0"}
    assert made.path.read_bytes()[:4] == b"RKNN"


def test_a_detector_without_its_boxes(tmp_path: Path) -> None:
    """A trained SSDLite: the NPU runs the network, the program makes the boxes; mAP by pycocotools."""
    source = ORACLE / "trained_ssd"
    model = qingzhou.convert(source / "checkpoint.pth", tmp_path / "ssd.onnx", input_size=(160, 160), form="raw").path
    made = export_for_chip(model, RKNN, "rk3588", tmp_path, source, max_drop=3.0)
    before, after = made.verdict.figures()
    print("ssd", made.size, f"{before:.2%} {after:.2%}", made.verdict.judged)
    assert made.verdict.measure == "mAP" and before > 0.4 and before - after <= 0.03


def test_a_layer_that_it_cannot_take_is_named(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(np.random.default_rng(0).normal(size=(8, 1, 3, 3)).astype(np.float32), "w")
    lenet = qingzhou.convert(ORACLE / "trained" / NETWORKS["lenet"], tmp_path / "lenet.onnx").path
    nodes = [
        helper.make_node("Conv", ["input", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Unique", ["a"], ["b"], "unique"),
        helper.make_node("ReduceMax", ["b"], ["c"], keepdims=0),
        helper.make_node("Mul", ["c", "a"], ["d"]),
        helper.make_node("ReduceMean", ["d"], ["e"], axes=[2, 3], keepdims=0),
        helper.make_node("Concat", ["e", "e"], ["f"], axis=1),
        helper.make_node("Slice", ["f", "from", "to", "axis"], ["probs"]),
    ]
    rows = {"from": [0], "to": [10], "axis": [1]}
    constants = [weights, *(numpy_helper.from_array(np.array(row, np.int64), name) for name, row in rows.items())]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("input", [1, 1, 32, 32]), ("probs", [1, 10]))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    model.metadata_props.extend(onnx.load(lenet).metadata_props)
    onnx.save(model, tmp_path / "unique.onnx")
    with pytest.raises(EngineError, match="cannot take the layer Unique: ValueError: The input 0 of Unique"):
        export_for_chip(tmp_path / "unique.onnx", RKNN, "rk3588", f"{tmp_path}/out/", DATA, max_drop=100)
    assert not (tmp_path / "out").exists()


def test_a_bundle(tmp_path: Path) -> None:
    """Each program of it parses as Python 3.8 does, the oldest that the board's library has wheels for."""
    import ast

    made = build(ORACLE / "trained" / NETWORKS["lenet"], "orangepi5", "camera", data=DATA, out=tmp_path / "b")
    assert made.form.engine == "rknn" and made.form.accuracy == 1.0
    for path in made.path.rglob("*.py"):
        ast.parse(path.read_text("utf-8"), feature_version=(3, 8))
