"""Networks of other tools as .tflite: MobileNet V1 to V3 of Keras, EfficientNet-Lite of timm, YOLO of Ultralytics."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from litert_files import Net
from test_ncnn_layers import onnx_answers

import qingzhou
from dear import but_slow
from qingzhou.engines import compile_for
from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph
from qingzhou.nets.match import recognise
from qingzhou.nets.recorded import Wanted
from qingzhou.sources.keras.applications.known import APPLICATIONS
from yolos import CASES, checkpoint

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))
sys.path.insert(0, str(Path(__file__).parents[1] / "nets"))
from test_keras_applications import TITLES, by_rule, network
from test_layouts import filled, read, shapes

KERAS = ["mobilenet", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"]
TIMM = ["timm_efficientnet_lite0", "timm_tf_efficientnet_lite1"]
YOLO = ["v5", "v8", "11", "11_segment", "11_pose", "26", "v10", "12", "11_classify"]


def answers_alike(graph: Graph, shape: tuple[int, ...], folder: Path) -> list[str]:
    """LiteRT answers as onnxruntime does; the operators of the file."""
    x = np.random.default_rng(5).normal(size=shape).astype(np.float32)
    made = Net(graph, folder, pictures=frozenset({graph.inputs[0].name}))
    found, wanted = made.run(x.transpose(0, 2, 3, 1)), onnx_answers(made.graph, x, folder)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5 * max(1.0, float(np.abs(other).max())))
    return [op.kind for op in made.network.operators]


@pytest.mark.parametrize("name", but_slow(KERAS, ["mobilenet_v3_large"]))
def test_mobilenets_of_keras(name: str, tmp_path: Path) -> None:
    """Whose padding is TensorFlow's own: hardly anything is padded that the word SAME would not say, nothing turned."""
    application = next(one for one in APPLICATIONS if one.title == TITLES[name])
    found = network(by_rule(application, 7, 96, 1.0), True, 96, tmp_path)
    kinds = answers_alike(simplify(found.graph), (1, 3, 96, 96), tmp_path)
    assert "TRANSPOSE" not in kinds and kinds.count("PAD") <= 5


@pytest.mark.parametrize("name", but_slow(TIMM, TIMM[1:]))
def test_efficientnets_for_phones(name: str, tmp_path: Path) -> None:
    reference = read(name)
    tensors = filled(reference)
    match = recognise(shapes(tensors), Wanted((64, 64)))
    kinds = answers_alike(simplify(match.graph.bound(tensors)), (1, 3, 64, 64), tmp_path)
    assert "TRANSPOSE" not in kinds and set(kinds) >= {"DEPTHWISE_CONV_2D", "SOFTMAX"}


@pytest.mark.parametrize("name", but_slow(YOLO, [one for one in YOLO if one not in ("v8", "11_segment")]))
def test_networks_of_ultralytics(name: str, tmp_path: Path) -> None:
    """In the form `raw`; also as our own reader reads the file."""
    form: dict[str, Any] = {} if CASES[name]["task"] == "classify" else {"form": "raw"}
    model = qingzhou.convert(checkpoint(name, tmp_path), tmp_path / "m.onnx", **form)
    made = compile_for("litert", model.path, tmp_path)
    assert made.difference is not None and made.difference.small
    back = qingzhou.convert(made.path, tmp_path / "back.onnx")
    feed = model.predictor.feed(model.card.sample)
    found = back.predictor.run({back.card.input.name: next(iter(feed.values()))})
    for one, other in zip(found, model.predictor.run(feed), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)
