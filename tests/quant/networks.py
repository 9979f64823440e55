"""Small networks for the quantiser, built by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from PIL import Image

from qingzhou.runtime.model.card import KEY, Card, Input, Output

Array = np.ndarray[Any, Any]
WEIGHTS = np.random.default_rng(0).normal(0, 1, (5, 3, 3, 3))  # of classifier()


def model(
    nodes: Sequence[NodeProto],
    constants: dict[str, Array],
    shape: Sequence[int],
    outputs: dict[str, Sequence[int]],
    opset: int = 13,
) -> ModelProto:
    """A model of one input "x"; shapes by name of the outputs."""
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(size)) for name, size in outputs.items()]
    tensors = [numpy_helper.from_array(array.astype(np.float32), name) for name, array in constants.items()]
    graph = helper.make_graph(list(nodes), "g", [entry], ends, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def residual(seed: int = 0) -> ModelProto:
    """Conv, ReLU6, depthwise Conv, Add of both, pooling, Gemm, Softmax: what classifiers are made of."""
    rng = np.random.default_rng(seed)
    constants = {
        "w1": rng.normal(0, 0.3, (8, 3, 3, 3)),
        "b1": rng.normal(0, 0.1, 8),
        "w2": rng.normal(0, 0.4, (8, 1, 3, 3)),
        "b2": rng.normal(0, 0.1, 8),
        "w3": rng.normal(0, 0.5, (5, 8)),
        "b3": rng.normal(0, 0.1, 5),
        "zero": np.array(0.0),
        "six": np.array(6.0),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], name="c1", pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["c1", "zero", "six"], ["r1"], name="r1"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], name="c2", pads=[1, 1, 1, 1], group=8),
        helper.make_node("Add", ["r1", "c2"], ["sum"], name="sum"),
        helper.make_node("GlobalAveragePool", ["sum"], ["pool"], name="pool"),
        helper.make_node("Flatten", ["pool"], ["flat"], name="flat"),
        helper.make_node("Gemm", ["flat", "w3", "b3"], ["logits"], name="fc", transB=1),
        helper.make_node("Softmax", ["logits"], ["y"], name="soft", axis=1),
    ]
    return model(nodes, constants, (1, 3, 12, 12), {"y": (1, 5)})


def pictures(count: int, seed: int = 1) -> list[dict[str, Array]]:
    """Feeds of the network above."""
    rng = np.random.default_rng(seed)
    return [{"x": rng.normal(0, 1, (1, 3, 12, 12)).astype(np.float32)} for _ in range(count)]


def saved(tmp_path: Path, proto: ModelProto, labels: list[str] | None = None) -> Path:
    """A model file of ours around a network whose input is x (1, 3, 12, 12), with five labels by default."""
    card = Card(
        "classification",
        "Tiny",
        "BaseNN",
        Input("x", "image", [1, 3, 12, 12], "RGB"),
        Output("y", "values"),
        labels if labels is not None else list("abcde"),
    )
    proto.metadata_props.add(key=KEY, value=card.to_json())
    path = tmp_path / "tiny.onnx"
    onnx.save(proto, path)
    return path


def classifier(weights: Array, opset: int = 13) -> ModelProto:
    """One layer, whose channels' means are the scores."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="c"),
        helper.make_node("Relu", ["c"], ["r"], name="r"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], name="p"),
        helper.make_node("Flatten", ["p"], ["y"]),
    ]
    return model(nodes, {"w": weights}, (1, 3, 12, 12), {"y": (1, len(weights))}, opset)


def album(folder: Path, count: int = 12) -> Path:
    """A new folder of small noisy pictures without answers, each of another tint."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(count):
        noise = rng.integers(0, 255, (12, 12, 3)) * rng.uniform(0, 1, 3)
        Image.fromarray(noise.astype(np.uint8)).save(folder / f"{number}.png")
    return folder
