"""Relatives of MMEdu's detectors that mmdet trains, against its own predictions (tests/oracle/mmdet_families/make.py).

Predictions only, before anything is chosen among them: what happens then is tested with MMEdu's own detectors.
"""

from __future__ import annotations

import functools
import gzip
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

ORACLE = Path(__file__).parents[1] / "oracle"
FAMILIES = ORACLE / "mmdet_families"
sys.path.insert(0, str(ORACLE / "families"))

from recipe import fill, picture  # noqa: E402

from dear import but_slow  # noqa: E402
from makers import write_checkpoint  # noqa: E402
from qingzhou.errors import TensorMismatch, UnsupportedCheckpoint  # noqa: E402
from qingzhou.graph.fold import simplify  # noqa: E402
from qingzhou.graph.form import Graph  # noqa: E402
from qingzhou.graph.record import Recorder  # noqa: E402
from qingzhou.nets import faster_rcnn  # noqa: E402
from qingzhou.nets.match import Match, recognise  # noqa: E402
from qingzhou.nets.recorded import Wanted  # noqa: E402
from qingzhou.onnxfile.emit import emit  # noqa: E402
from qingzhou.onnxfile.write import write_onnx  # noqa: E402
from qingzhou.sources.openmmlab.config import read_settings  # noqa: E402
from qingzhou.sources.read import read_network  # noqa: E402

NAMES = sorted(path.name.removesuffix(".json.gz") for path in FAMILIES.glob("*.json.gz"))
LARGE = {"faster_3.2gf", "faster_r101", "faster_r101_agnostic", "faster_r50_caffe", "faster_x50", "mask_r101"}
LARGE |= {"yolov3_d53_416", "yolov3_d53_608", "faster_400mf"}
CAFFE = "model = dict(backbone=dict(style='caffe'))"
TWO_ANCHORS = """\
model = dict(neck=dict(type='SSDNeck'), bbox_head=dict(anchor_generator=dict(
    type='SSDAnchorGenerator', strides=[16, 32, 64, 107, 160, 320], ratios=[[2]] * 6,
    min_sizes=[48, 100, 150, 202, 253, 304], max_sizes=[100, 150, 202, 253, 304, 320])))
""".replace("[[2]] * 6", str([[2]] * 6))


class Original:
    """One detector: its weights, and what mmdet predicts for its input."""

    def __init__(self, name: str) -> None:
        with gzip.open(FAMILIES / f"{name}.json.gz", "rt", encoding="utf-8") as file:
            self.manifest = json.load(file)
        self.shapes = {key: tuple(shape) for key, shape, _ in self.manifest["entries"]}
        self.picture = picture(self.manifest)
        text = CAFFE if self.manifest["caffe"] else TWO_ANCHORS if name == "ssdlite_anchors" else ""
        self.settings = read_settings({"config": text})

    @functools.cached_property
    def tensors(self) -> dict[str, np.ndarray]:
        return fill(self.manifest)

    def recognised(self) -> Match:
        height, width = self.picture.shape[2:]
        return recognise(self.shapes, Wanted((height, width), settings=self.settings))

    def run(self, graph: Graph, path: Path, given: np.ndarray) -> dict[str, np.ndarray]:
        """The graph's outputs by name; the file, which may be large, is removed."""
        write_onnx(path, emit(simplify(graph.bound(self.tensors)), 16, 8))
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        path.unlink()
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"input": given}), strict=True))

    def check(self, name: str, found: np.ndarray) -> None:
        """The values that were kept, to 1e-4 of the largest."""
        expected = self.manifest["outputs"].pop(name)
        assert list(found.shape) == expected["shape"], name
        some = found.reshape(-1)[:: expected["step"]]
        assert np.abs(some - np.array(expected["kept"])).max() <= 1e-4 * expected["largest"], name


def regions(seed: int, side: int) -> np.ndarray:
    return np.random.Generator(np.random.PCG64(seed)).normal(size=(3, 256, side, side)).astype(np.float32)


def test_references_are_there() -> None:
    assert len(NAMES) >= 19


@pytest.mark.parametrize("name", but_slow(NAMES, LARGE))
def test_predictions_equal_mmdets(name: str, tmp_path: Path) -> None:
    original = Original(name)
    match = original.recognised()
    assert match.title == original.manifest["title"]
    assert match.recorded.heads is not None
    found = original.run(match.recorded.heads, tmp_path / "heads.onnx", original.picture)
    for key, value in found.items():
        original.check(key, value)
    if "logits" in original.manifest["outputs"]:
        check_second_stage(original, match, tmp_path)
    assert not original.manifest["outputs"]


def check_second_stage(original: Original, match: Match, folder: Path) -> None:
    """Classes, deltas and masks of three regions; then the whole network runs."""
    net, seed, config = Recorder(), original.manifest["seed"], match.config
    assert isinstance(config, faster_rcnn.Sizes)
    logits, deltas = faster_rcnn.region_predictions(net, net.input("input", ("n", 256, 7, 7)), config)
    found = original.run(net.freeze(logits, deltas, names=["logits", "deltas"]), folder / "x.onnx", regions(seed, 7))
    original.check("logits", found["logits"])
    classes = config.classes
    assert found["deltas"].shape == (3, classes, 4)
    if config.agnostic:
        assert (found["deltas"] == found["deltas"][:, :1]).all()
        original.check("region_deltas", found["deltas"][:, 0])
    else:
        original.check("region_deltas", found["deltas"].reshape(3, 4 * classes))
    if config.masks:
        net = Recorder()
        masks = faster_rcnn.mask_predictions(net, net.input("input", ("n", 256, 14, 14)), config)
        found = original.run(net.freeze(masks, names=["masks"]), folder / "x.onnx", regions(seed, 14))
        original.check("masks", found["masks"])
    whole = original.run(match.graph, folder / "x.onnx", original.picture)
    assert whole["dets"].shape == (1, 100, 5) and np.isfinite(whole["dets"]).all()
    assert whole["labels"].min() >= 0 and whole["labels"].max() < classes
    assert ("masks" in whole) == bool(config.masks)


@pytest.mark.parametrize("name", ["ssdlite_0.1", "yolov3_d53_320", "faster_400mf", "mask_800mf_agnostic"])
def test_saved_by_mmengine(name: str, tmp_path: Path) -> None:
    """With the preprocessor's numbers among the weights."""
    original = Original(name)
    preprocessor = {f"data_preprocessor.{key}": np.ones((3, 1, 1), np.float32) for key in ("mean", "std")}
    content = {"meta": {}, "state_dict": {**preprocessor, **original.tensors}}
    found = read_network(write_checkpoint(tmp_path / "x.pth", content))
    card = found.card
    assert (card.network, card.tool, card.task) == (original.manifest["title"], "MMDetection", "detection")


def test_anchors_that_no_config_tells() -> None:
    with pytest.raises(UnsupportedCheckpoint, match="predict 4, 4, 4, 4, 4, 4 boxes"):
        recognise(Original("ssdlite_anchors").shapes)


DAMAGED = {
    "ssdlite_0.35": (
        "backbone.conv1.conv.weight backbone.layer3.0.expand_conv.conv.weight neck.extra_layers.1.0.conv.weight "
        "neck.extra_layers.1.1.pointwise_conv.conv.weight bbox_head.cls_convs.0.0.conv.weight "
        "bbox_head.cls_convs.0.1.weight bbox_head.cls_convs.2.1.weight bbox_head.reg_convs.0.1.weight"
    ),
    "yolov3_d53_320": (
        "backbone.conv1.conv.weight backbone.conv_res_block2.res1.conv2.conv.weight neck.detect2.conv1.conv.weight "
        "bbox_head.convs_bridge.0.conv.weight bbox_head.convs_pred.0.weight bbox_head.convs_pred.2.bias"
    ),
    "faster_400mf": (
        "backbone.conv1.weight neck.lateral_convs.2.conv.weight rpn_head.rpn_conv.weight rpn_head.rpn_cls.weight "
        "roi_head.bbox_head.shared_fcs.0.weight roi_head.bbox_head.fc_cls.weight roi_head.bbox_head.fc_reg.weight"
    ),
    "mask_800mf_agnostic": "roi_head.mask_head.conv_logits.weight roi_head.mask_head.convs.0.conv.weight",
}


@pytest.mark.parametrize(("name", "key"), [(name, key) for name in DAMAGED for key in DAMAGED[name].split()])
def test_a_missing_tensor_is_named(name: str, key: str) -> None:
    original = Original(name)
    with pytest.raises(TensorMismatch) as caught:
        recognise({k: shape for k, shape in original.shapes.items() if k != key})
    assert caught.value.en.startswith(f"This is {original.manifest['title']}, but {key} is missing.")
