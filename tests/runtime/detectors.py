"""Cards and files of small detectors: raw heads of the oracle, and a network that gives boxes it was given."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from qingzhou.nets import ssdlite, yolov3
from qingzhou.nets.one_stage import OneStage
from qingzhou.runtime.model.card import KEY, Card, Input, Output
from qingzhou.runtime.model.sample import sample_picture

ORACLE = Path(__file__).parents[1] / "oracle" / "mmdet"
NORMAL = {"op": "normalize", "mean": [10.0] * 3, "std": [2.0] * 3}
LIMITS = {"score": 0.5, "iou": 0.45, "most": 200}


# -- raw heads --------------------------------------------------------------------------------------------------------


def raw_card(kind: str, how: OneStage, side: int, heads: str, deltas: str = "") -> Card:
    levels = [
        {
            "scores": heads % i,
            **({"deltas": deltas % i} if deltas else {}),
            "stride": stride,
            "anchors": [list(map(float, box)) for box in anchors],
        }
        for i, (anchors, stride) in enumerate(zip(how.anchors, how.strides, strict=True))
    ]
    decoding = {
        "kind": kind,
        "levels": levels,
        "stds": list(how.stds),
        "candidates": how.candidates,
        "confidence": how.confidence,
    }
    card = Card(
        "detection",
        "D",
        "MMEdu",
        Input("input", "image", [1, 3, side, side], "RGB"),
        Output(heads % 0, "raw"),
        thresholds={"score": how.score, "iou": how.iou, "most": how.most},
        decoding=decoding,
    )
    return Card.from_json(card.to_json())


RAW = {
    "SSD_Lite": raw_card("ssd", ssdlite.default_decoding(), 320, "cls_score_%d", "bbox_pred_%d"),
    "Yolov3": raw_card("yolo", yolov3.default_decoding(), 416, "pred_map_%d"),
}


def heads(name: str) -> dict[str, Any]:
    with np.load(ORACLE / name / "reference.npz") as file:
        return {key: file[key] for key in file.files}


def entry(shape: Any, *steps: dict[str, object]) -> Input:
    return Input("input", "image", [1, 3, *shape], "RGB", list(steps))


SQUASH = {"op": "resize", "size": [64, 96], "interpolation": "cv2"}


# -- the whole way ----------------------------------------------------------------------------------------------------

ROWS = np.float32([[8, 8, 24, 40, 0.9], [40, 8, 72, 24, 0.75], [0, 40, 100, 64, 0.6], [0, 0, 0, 0, 0]])[None]
NUMBERS = np.array([[1, 0, 2, 0]])
SAMPLE = {"encoding": "png", "data": base64.b64encode(sample_picture((64, 96), "RGB")).decode()}
ANSWER = [[*map(float, row), float(label)] for row, label in zip(ROWS[0], NUMBERS[0], strict=True)][:3]


def finished_card(**changes: object) -> Card:
    card = Card(
        "detection", "Tiny", "MMEdu", entry((64, 96), SQUASH), Output("dets", "boxes"), ["猫", "dog"], thresholds=LIMITS
    )
    return dataclasses.replace(card, **changes)


def write(path: Path, card: Card, **outputs: np.ndarray) -> Path:
    """A network that always answers the same."""
    kinds = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in outputs.items()}
    nodes = [helper.make_node("Identity", ["its_" + name], [name]) for name in outputs]
    ends = [helper.make_tensor_value_info(name, kinds[name], array.shape) for name, array in outputs.items()]
    shape = [n or name for n, name in zip(card.input.shape, "nchw", strict=True)]
    start = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)
    weights = [numpy_helper.from_array(array, "its_" + name) for name, array in outputs.items()]
    graph = helper.make_graph(nodes, "tiny", [start], ends, initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {KEY: card.to_json()})
    onnx.save(model, str(path))
    return path
