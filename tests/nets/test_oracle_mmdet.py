"""MMEdu's detectors against the boxes and predictions of mmdet itself, with the weights that its manifests recreate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from rebuild import rebuild

from qingzhou.graph.fold import simplify
from qingzhou.graph.form import Graph
from qingzhou.graph.record import Recorder
from qingzhou.nets import faster_rcnn, ssdlite, yolov3
from qingzhou.nets.detector import Levels
from qingzhou.nets.one_stage import ssd_boxes, yolo_boxes
from qingzhou.onnxfile.emit import emit
from qingzhou.onnxfile.write import write_onnx

ORACLE = Path(__file__).parents[1] / "oracle" / "mmdet"
OPSETS = ((11, 6), (13, 8), (17, 8))
ONE_STAGE: Any = {"SSD_Lite": (ssdlite, ssdlite.ssdlite, ssd_boxes), "Yolov3": (yolov3, yolov3.yolov3, yolo_boxes)}


class Original:
    """One of the oracle's detectors: weights, input, and what mmdet says."""

    def __init__(self, name: str) -> None:
        manifest = json.loads((ORACLE / name / "manifest.json").read_text("utf-8"))
        self.tensors = rebuild(manifest)
        self.shapes = {key: array.shape for key, array in self.tensors.items()}
        self.picture = picture(manifest["input_seed"], *manifest["input_shape"][2:])
        with np.load(ORACLE / name / "reference.npz") as file:
            self.expected = {key: file[key] for key in file.files}

    def run(self, graph: Graph, path: Path, opset: int = 13, ir_version: int = 8) -> dict[str, Any]:
        """The graph's outputs for the oracle's input, by name."""
        write_onnx(path, emit(simplify(graph.bound(self.tensors)), opset, ir_version))
        onnx.checker.check_model(path, full_check=True)
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"input": self.picture}), strict=True))

    def found_again(self, outputs: dict[str, Any]) -> int:
        """How many of mmdet's boxes are there: of their label, IoU at least 0.999, scores within 1e-4; each once."""
        boxes, labels = self.expected["torch_boxes"], self.expected["torch_labels"]
        dets = outputs["dets"][0]
        same = (overlap(boxes, dets) >= 0.999) & (np.abs(boxes[:, 4:] - dets[:, 4]) <= 1e-4)
        same &= labels[:, None] == outputs["labels"][0]
        used: set[int] = set()
        for row in same:
            used.update([free[0]] if (free := [i for i in np.flatnonzero(row).tolist() if i not in used]) else [])
        return len(used)


def picture(seed: int, height: int, width: int) -> np.ndarray:
    """The oracle's input, by its recipe: blocks of 40 x 40 with a little noise."""
    chance = np.random.Generator(np.random.PCG64(seed))
    blocks = chance.normal(size=(1, 3, -(-height // 40), -(-width // 40))).repeat(40, 2).repeat(40, 3)
    return (blocks[:, :, :height, :width] + 0.25 * chance.normal(size=(1, 3, height, width))).astype(np.float32)


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """IoU (n, m) of boxes (n, 4 or more) and (m, 4 or more)."""
    sides = (np.minimum(a[:, None, 2:4], b[:, 2:4]) - np.maximum(a[:, None, :2], b[:, :2])).clip(0)
    shared = sides.prod(axis=2)
    areas = [(boxes[:, 2:4] - boxes[:, :2]).prod(axis=1) for boxes in (a, b)]
    return shared / np.maximum(areas[0][:, None] + areas[1] - shared, 1e-9)


@pytest.fixture(scope="module", params=ONE_STAGE)
def one_stage(request: pytest.FixtureRequest) -> tuple[Original, Any]:
    return Original(request.param), ONE_STAGE[request.param]


def recorded(original: Original, module: Any, build: Any) -> tuple[Recorder, Any, Levels]:
    [config] = module.configs(original.shapes)
    net = Recorder()
    image = net.input("input", original.picture.shape)
    return net, image, build(net, image, config)


def test_predictions_of_one_stage_equal_mmdets(one_stage: Any, tmp_path: Path) -> None:
    original, (module, build, _) = one_stage
    net, _, levels = recorded(original, module, build)
    names = [
        name
        for i, level in enumerate(levels)
        for name in ([f"pred_map_{i}"] if level.deltas is None else [f"cls_score_{i}", f"bbox_pred_{i}"])
    ]
    heads = [value for level in levels for value in (level.scores, level.deltas) if value is not None]
    found = original.run(net.freeze(*heads, names=names), tmp_path / "raw.onnx")
    for name in names:
        expected = original.expected[name]
        assert np.abs(found[name] - expected).max() <= 2e-4 * np.abs(expected).max(), name


@pytest.mark.parametrize(("opset", "ir_version"), OPSETS)
def test_boxes_of_one_stage_equal_mmdets(one_stage: Any, tmp_path: Path, opset: int, ir_version: int) -> None:
    original, (module, build, boxes) = one_stage
    net, image, levels = recorded(original, module, build)
    graph = net.freeze(*boxes(net, image, levels, module.default_decoding()), names=["dets", "labels"])
    found = original.run(graph, tmp_path / "boxes.onnx", opset, ir_version)
    count = len(original.expected["torch_boxes"])
    assert original.found_again(found) == (found["dets"][0, :, 4] > 0).sum() == count


TWO_STAGES = [
    *(pytest.param("FasterRCNN", opset, marks=pytest.mark.slow) for opset in (11, 13, 17, 21)),
    ("Mask_RCNN", 17),  # which is a Faster R-CNN, too
]


@pytest.mark.parametrize(("name", "opset"), TWO_STAGES)
def test_boxes_of_two_stages_equal_mmdets(name: str, opset: int, tmp_path: Path) -> None:
    """98 of a hundred at least: regions that score nearly the same may change places between two frameworks."""
    original = Original(name)
    [config] = faster_rcnn.configs(original.shapes)
    net = Recorder()
    image = net.input("input", (1, 3, "height", "width"))
    features = faster_rcnn.pyramid(net, image, config)
    levels = faster_rcnn.rpn(net, features, config)
    outs = faster_rcnn.boxes(net, image, features, levels, config, faster_rcnn.TwoStages())
    graph = net.freeze(*outs, names=["dets", "labels", "masks"][: len(outs)])
    found = original.run(graph, tmp_path / "boxes.onnx", opset)
    assert original.found_again(found) >= 98
    if name == "Mask_RCNN":
        assert found["masks"].shape == (1, 100, 28, 28)
        assert found["masks"].min() >= 0 and found["masks"].max() <= 1


def test_ssd_lite_answers_as_the_original_onnx_file(tmp_path: Path) -> None:
    """What MMEdu's own converter wrote gave this in onnxruntime, so XEduHub says the same of either file."""
    original = Original("SSD_Lite")
    with np.load(ORACLE / "SSD_Lite" / "export_reference.npz") as file:
        dets, labels = file["dets"][0], file["labels"][0]
    real = dets[:, 4] > 0
    original.expected = {"torch_boxes": dets[real], "torch_labels": labels[real]}
    net, image, levels = recorded(original, ssdlite, ssdlite.ssdlite)
    outs = ssd_boxes(net, image, levels, ssdlite.default_decoding())
    found = original.run(net.freeze(*outs, names=["dets", "labels"]), tmp_path / "boxes.onnx", 11, 6)
    assert found["dets"].shape == (1, len(dets), 5) and found["labels"].shape == (1, len(labels))
    assert original.found_again(found) == (found["dets"][0, :, 4] > 0).sum() == real.sum() > 0
