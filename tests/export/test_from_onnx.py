"""Our .onnx files read back: the same layers, and the same answers once written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from rebuild import rebuild

from qingzhou.errors import ModelError
from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph
from qingzhou.graph.weights import Weights
from qingzhou.nets.match import recognise
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.lower import emit
from qingzhou.onnxfile.read import read_graph
from qingzhou.onnxfile.write import write_onnx
from qingzhou.sources.openmmlab.state import recognise_checkpoint
from qingzhou.sources.torch.container import read_checkpoint

ORACLE = Path(__file__).parents[1] / "oracle"
NETWORKS = sorted(path for path in (ORACLE / "mmedu").iterdir() if path.name != "VGG16")  # VGG: as plain, but large
DETECTORS = [ORACLE / "mmdet" / name for name in ("SSD_Lite", "Yolov3")]
BASENN = [path.parent for path in sorted(ORACLE.glob("basenn/torch2*/*/reference.npz"))
          if path.parent.name != "custom_module"]  # fmt: skip
LAYERS = np.load(ORACLE / "torch_modules" / "references.npz")
NAMES = sorted({key[:-2] for key in LAYERS.files if key.endswith(".y")})


def written(graph: Graph, weights: Weights, path: Path, opset: int = 13) -> onnx.ModelProto:
    write_onnx(path, emit(graph, weights, opset, 8))
    return onnx.load(path)


def answers(path: Path, graph: Graph, length: int = 1) -> list[Any]:
    """Of a network whose free axes become 1, for a random input."""
    chance = np.random.default_rng(3)
    feed = {}
    for value in graph.inputs:
        shape = [n if isinstance(n, int) else 1 for n in value.shape]
        numbers = chance.normal(size=shape).astype(np.float32)
        feed[value.name] = numbers if value.dtype == "float32" else np.full(shape, 2, np.int64)
    return list(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feed))


def same(graph: Graph, weights: Weights, folder: Path, opset: int = 13) -> None:
    model = written(graph, weights, folder / "a.onnx", opset)
    again, numbers = read_graph(model)
    assert [layer.op for layer in again.layers] == [layer.op for layer in graph.layers]
    assert [value.name for value in again.outputs] == [value.name for value in graph.outputs]
    written(again, numbers, folder / "b.onnx", opset)
    for left, right in zip(answers(folder / "a.onnx", graph), answers(folder / "b.onnx", graph), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("folder", [*NETWORKS, *DETECTORS], ids=lambda path: path.name)
def test_networks(folder: Path, tmp_path: Path) -> None:
    tensors = rebuild(json.loads((folder / "manifest.json").read_text("utf-8")))
    found = recognise({key: array.shape for key, array in tensors.items()}).recorded
    same(*simplify(found.heads or found.graph, Weights(tensors)), tmp_path)


@pytest.mark.parametrize("folder", BASENN, ids=lambda path: path.name)
@pytest.mark.parametrize("opset", [11, 13, 21])
def test_basenn(folder: Path, opset: int, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(folder / "checkpoint.pth")
    same(*simplify(recognise_checkpoint(checkpoint).graph, Weights(checkpoint.tensors)), tmp_path, opset)


@pytest.mark.parametrize("name", NAMES)
def test_layers(name: str, tmp_path: Path) -> None:
    checkpoint = read_checkpoint(ORACLE / "torch_modules" / f"{name}.pth")
    found = recognise_checkpoint(checkpoint, Wanted(input_size=LAYERS[f"{name}.x"].shape[1:]))
    graph, weights = simplify(found.graph, Weights(checkpoint.tensors))
    same(graph, weights, tmp_path)


def network(nodes: list[onnx.NodeProto], **constants: Any) -> onnx.ModelProto:
    """x (n, 3, 4, 4) -> y."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in
            (("x", ["n", 3, 4, 4]), ("y", None))]  # fmt: skip
    numbers = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], numbers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def node(kind: str, *names: str, **attrs: Any) -> onnx.NodeProto:
    return helper.make_node(kind, names, ["y"], **attrs)


FLOATS = {
    "a": np.ones((3, 1, 1), np.float32),
    "b": np.ones((1, 4, 4), np.float32),
    "q": np.float32(0.1),
    "k": np.ones((2, 3, 1, 1), np.float32),
}
FOREIGN = {  # what it is called, the node, and what is named
    "quantised": (node("QuantizeLinear", "x", "q"), "QuantizeLinear"),
    "unknown": (node("Abs", "x"), "Abs"),
    "no such operator": (node("Abacus", "x"), "Abacus"),
    "a computed weight": (node("Conv", "x", "x"), "weight"),
    "a sum with a number": (node("Add", "x", "a"), "Add"),
    "a product with a number": (node("Mul", "x", "a"), "Mul"),
    "another clip": (node("Clip", "x", "q", "q"), "Clip"),
    "another sigmoid": (node("HardSigmoid", "x"), "HardSigmoid"),
    "a matrix": (node("MatMul", "x", "x"), "MatMul"),
    "several places": (node("Gather", "x", "i"), "Gather"),
    "computed sizes": (node("Reshape", "x", "s"), "setting"),
    "no kernel": (node("MaxPool", "x", strides=[1, 1]), "fit together"),
    "a convolution that leaves its kernel to its weight": (node("Conv", "x", "k"), "Conv"),
    "one input too few": (node("Slice", "x", "i", "i"), "Slice"),
    "no value": (node("Relu", "nothing"), "fit together"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_what_is_not_ours_is_named(case: str) -> None:
    made, name = FOREIGN[case]
    with pytest.raises(ModelError) as caught:
        read_graph(network([made], **FLOATS, i=np.array([0, 1])))
    assert name in caught.value.en and caught.value.en != caught.value.zh


def test_a_number_for_each_pixel_is_no_normalisation() -> None:
    nodes = [helper.make_node("Mul", ["x", "b"], ["m"]), node("Add", "m", "b")]
    with pytest.raises(ModelError, match="Mul"):
        read_graph(network(nodes, **FLOATS))
