"""Where the features of a network are read off: before the last layer, channels and not rows, and said where not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from passengers import ORACLE
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx
from qingzhou.options import Options
from qingzhou.teaching.backbone import Backbone, open_backbone


def features(backbone: Backbone, pictures: np.ndarray, folder: Path) -> np.ndarray:
    write_onnx(folder / "features.onnx", emit(backbone.graph, 13, 8))
    session = onnxruntime.InferenceSession(str(folder / "features.onnx"))
    return np.asarray(session.run(None, {session.get_inputs()[0].name: pictures})[0])


def headless(path: Path, end: str) -> np.ndarray:
    """A network of one convolution that gives a map of 5 channels, (N, 6, 7, 5), as Keras does without its top; its
    weights.
    """
    weights = np.random.default_rng(3).normal(size=(5, 3, 3, 3)).astype(np.float32)
    shift = np.arange(5, dtype=np.float32)
    nodes = [
        helper.make_node("Conv", ["picture", "w"], ["map"], kernel_shape=[3, 3]),
        helper.make_node("Transpose", ["map"], ["turned"], perm=[0, 2, 3, 1]),
        helper.make_node("Add", ["turned", "shift"], ["shifted"]),
        helper.make_node(end, ["shifted"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "headless",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, 8, 9])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["n", 6, 7, 5])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(shift, "shift")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return weights


@pytest.mark.parametrize("end", ["Relu", "Identity"])
def test_a_map_with_channels_last_gives_its_channels(end: str, tmp_path: Path) -> None:
    """Not its rows: (N, H, W, C) is averaged over H and W, whatever axis they are."""
    headless(tmp_path / "headless.onnx", end)
    backbone = open_backbone(tmp_path / "headless.onnx", Options(preprocess="0-1"))
    assert backbone.width == 5 and len(backbone.notes) == 1
    pictures = np.random.default_rng(4).random((2, 3, 8, 9), np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "headless.onnx"))
    whole = np.asarray(session.run(None, {"picture": pictures})[0]).mean((1, 2))
    found = features(backbone, pictures, tmp_path)
    if end == "Relu":  # the last is no shift of features then
        assert found == pytest.approx(whole, abs=1e-5)
    assert np.ptp(whole - found, axis=0) == pytest.approx(np.zeros(5), abs=1e-5)  # up to a shift, which tells nothing


def pooled(path: Path, ends: list[onnx.NodeProto]) -> None:
    """A convolution, Relu and the mean of it, "row" (N, 8), and what follows."""
    chance = np.random.default_rng(3)
    weights = {"w": chance.normal(size=(8, 3, 3, 3)), "fc": chance.normal(size=(8, 5)), "k": np.array(0.5)}
    nodes = [
        helper.make_node("Conv", ["picture", "w"], ["map"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["map"], ["bent"]),
        helper.make_node("GlobalAveragePool", ["bent"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["row"]),
        *ends,
    ]
    graph = helper.make_graph(
        nodes,
        "pooled",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, 8, 9])],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["n", 5 if ends[:1] else 8])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))


SCORES = helper.make_node("MatMul", ["row", "fc"], ["scores"])
WARMER = helper.make_node("Mul", ["scores", "k"], ["warmer"])
SOFTMAX = helper.make_node("Softmax", ["warmer"], ["probs"], axis=1)


@pytest.mark.parametrize("ends", [[], [SCORES], [SCORES, WARMER], [SCORES, WARMER, SOFTMAX]])
def test_the_row_behind_a_relu_is_what_is_used(ends: list[onnx.NodeProto], tmp_path: Path) -> None:
    """Whether the network ends there, or has scores, a temperature, probabilities behind it."""
    pooled(tmp_path / "pooled.onnx", ends)
    pooled(tmp_path / "row.onnx", [])
    backbone = open_backbone(tmp_path / "pooled.onnx", Options(preprocess="0-1"))
    assert len(backbone.notes) == (not ends)
    pictures = np.random.default_rng(4).normal(size=(2, 3, 8, 9)).astype(np.float32)
    row = onnxruntime.InferenceSession(str(tmp_path / "row.onnx")).run(None, {"picture": pictures})[0]
    assert features(backbone, pictures, tmp_path) == pytest.approx(np.asarray(row), abs=1e-5)


@pytest.mark.parametrize(("name", "width"), [("k3_pools", 3), ("k3_transposed", 4), ("jax_prep", 3), ("k3_sizes", 3)])
def test_keras_without_a_top(name: str, width: int) -> None:
    assert open_backbone(ORACLE / "keras" / name / "model.keras", Options()).width == width


@pytest.mark.parametrize("file", ["paddle/unet/model.json", "keras/jax_tiny_unet/model.keras"])
def test_a_network_that_answers_for_places_is_said_to(file: str) -> None:
    assert any("many places" in note or "许多位置" in note for note in open_backbone(ORACLE / file, Options()).notes)
