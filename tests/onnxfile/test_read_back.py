"""Our .onnx files read back: the same layers, and the same answers once written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from rebuild import rebuild

from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph
from qingzhou.graph.infer import inferred
from qingzhou.graph.recognise import recognised
from qingzhou.nets.match import recognise
from qingzhou.nets.recorded import Wanted
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.read import read_graph
from qingzhou.onnxfile.write import write_onnx
from qingzhou.sources.read import read_network

ORACLE = Path(__file__).parents[1] / "oracle"
NETWORKS = sorted(path for path in (ORACLE / "mmedu").iterdir() if path.name != "VGG16")  # VGG: as plain, but large
DETECTORS = [ORACLE / "mmdet" / name for name in ("SSD_Lite", "Yolov3")]
BASENN = [
    path.parent for path in sorted(ORACLE.glob("basenn/torch2*/*/reference.npz")) if path.parent.name != "custom_module"
]
LAYERS = np.load(ORACLE / "torch_modules" / "references.npz")
NAMES = sorted({key[:-2] for key in LAYERS.files if key.endswith(".y")})


def answers(path: Path, graph: Graph) -> list[Any]:
    """Of a network whose free axes become 1, for a random input."""
    chance = np.random.default_rng(3)
    feed = {}
    for value in graph.inputs:
        shape = [n if isinstance(n, int) else 1 for n in value.shape]
        numbers = chance.normal(size=shape).astype(np.float32)
        feed[value.name] = numbers if value.dtype == "float32" else np.full(shape, 2, np.int64)
    return list(onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feed))


def same(graph: Graph, folder: Path, opset: int = 13, alike: bool = True) -> None:
    """alike: operator by operator; else what was lowered is read as it was lowered, and only answers the same."""
    write_onnx(folder / "a.onnx", emit(graph, opset, 8))
    again = recognised(inferred(read_graph(folder / "a.onnx")))
    assert not alike or [node.op for node in again.nodes] == [node.op for node in graph.nodes]
    assert again.outputs == graph.outputs
    assert not alike or {name: again.values[name].shape for name in again.makers()} == {
        name: graph.values[name].shape for name in graph.makers()
    }
    write_onnx(folder / "b.onnx", emit(again, opset, 8))
    for left, right in zip(answers(folder / "a.onnx", graph), answers(folder / "b.onnx", graph), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("folder", [*NETWORKS, *DETECTORS], ids=lambda path: path.name)
def test_networks(folder: Path, tmp_path: Path) -> None:
    tensors = rebuild(json.loads((folder / "manifest.json").read_text("utf-8")))
    found = recognise({key: array.shape for key, array in tensors.items()}).recorded
    same(simplify((found.heads or found.graph).bound(tensors)), tmp_path)


@pytest.mark.parametrize("folder", BASENN, ids=lambda path: path.name)
@pytest.mark.parametrize("opset", [11, 13, 21])
def test_basenn(folder: Path, opset: int, tmp_path: Path) -> None:
    same(simplify(read_network(folder / "checkpoint.pth").graph), tmp_path, opset)


@pytest.mark.parametrize("name", NAMES)
def test_layers(name: str, tmp_path: Path) -> None:
    found = read_network(ORACLE / "torch_modules" / f"{name}.pth", Wanted(input_size=LAYERS[f"{name}.x"].shape[1:]))
    same(simplify(found.graph), tmp_path, alike=name not in ("adaptive_uneven", "seldom", "seldom_1d"))
