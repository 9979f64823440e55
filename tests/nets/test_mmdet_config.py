"""Config texts inside checkpoints: what mmcv and mmengine write is understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmdet_configs import MMCV_RCNN, MMENGINE_SSD, RCNN, SIZES_300, SSD, YOLO, YOLO_HEAD, generator, of

from makers import write_checkpoint
from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.labels import read_labels
from qingzhou.nets import ssdlite, yolov3
from qingzhou.nets.rcnn import rcnn_thresholds
from qingzhou.nets.settings import Anchors, Picture, Settings, Stage
from qingzhou.nets.ssd import ssd_decoding
from qingzhou.nets.two_stages import TwoStages
from qingzhou.nets.yolo import yolo_decoding
from qingzhou.sources.openmmlab.config import read_settings
from qingzhou.sources.read import read_network

# -- what training programs write --------------------------------------------------------------------------------------


def test_two_stages_of_mmcv() -> None:
    found = of(MMCV_RCNN)
    assert found == Settings(
        proposals=Stage(iou=0.65, candidates=1500, most=500),
        regions=Stage(score=0.1, iou=0.45, most=50),
        anchors=Anchors("RPN", (4, 8, 16, 32, 64), ((0.5, 1.0, 2.0),), (4, 8)),
        stds=(0.05, 0.05, 0.1, 0.1),
        proposal_stds=(1, 1, 1, 1),
        picture=Picture(
            (
                {"op": "resize", "within": [1000, 600], "interpolation": "cv2"},
                {"op": "normalize", "mean": [103.53, 116.28, 123.675], "std": [1, 1, 1]},
                {"op": "pad_to", "multiple": 32},
            ),
            "BGR",
            True,
            True,
        ),
        caffe=True,
    )
    assert rcnn_thresholds(6, found) == TwoStages(
        candidates=1500,
        proposals=500,
        proposal_iou=0.65,
        score=0.1,
        iou=0.45,
        most=50,
        scales=(4, 8),
        stds=(0.05, 0.05, 0.1, 0.1),
    )


def test_one_stage_of_mmengine() -> None:
    """The model's own preprocessor and the pipeline of the data set count, not their copies beside them."""
    found = read_settings({"cfg": MMENGINE_SSD})
    assert found.only == Stage(score=0.02, iou=0.4, candidates=800, most=150)
    assert found.picture == Picture(
        (
            {"op": "resize", "size": [320, 300], "interpolation": "cv2"},
            {"op": "normalize", "mean": [120, 116.28, 103.53], "std": [58.395, 57.12, 57.375]},
        ),
        "RGB",
        True,
        True,
    )
    assert found.notes == ()
    how = ssd_decoding(SSD, found)
    assert (how.score, how.iou, how.candidates, how.most, how.stds) == (0.02, 0.4, 800, 150, (0.2, 0.2, 0.3, 0.3))
    usual = ssdlite.default_decoding()
    assert how.anchors[0] == ssdlite.base_boxes(16, 30, 80) != usual.anchors[0]
    assert how.anchors[2:] == usual.anchors[2:] and tuple(how.strides) == tuple(usual.strides)


def test_yolo() -> None:
    how = yolo_decoding(YOLO, of(YOLO_HEAD))
    assert (how.score, how.iou, how.most, how.confidence) == (0.06, 0.45, 80, 0.01)
    assert how.anchors[0][0] == (-34, -29, 66, 61)
    assert how.anchors[1:] == yolov3.default_decoding().anchors[1:]


def test_without_a_text_everything_is_as_usual() -> None:
    for meta in ({}, {"config": ""}, {"config": None}, {"CLASSES": ("a",)}):
        assert read_settings(meta) == Settings()
    assert ssd_decoding(SSD) == ssdlite.default_decoding()
    assert yolo_decoding(YOLO) == yolov3.default_decoding()
    assert rcnn_thresholds(RCNN) == TwoStages()


def test_sizes_of_ssd_from_their_range() -> None:
    """SSD300 and SSD512, whose configs give only smallest and largest share of the picture."""
    rest = (
        "type='SSDAnchorGenerator', ratios=[[2], [2, 3], [2, 3], [2, 3], [2], [2]], strides=[8, 16, 32, 64, 100, 300]"
    )
    found = of(generator(f"{rest}, input_size=300, basesize_ratio_range=(0.15, 0.9)")).anchors
    assert (found.smallest, found.largest) == SIZES_300
    assert ssd_decoding([4, 6, 6, 6, 4, 4], Settings(anchors=found)).strides == (8, 16, 32, 64, 100, 300)
    for other in ("(0.3, 0.9)", "(0.15, 1e9)", "(0.15, 0.1)", "'x'", "()"):
        text = generator(f"{rest}, input_size=301, basesize_ratio_range={other}")
        assert of(text).anchors == Anchors() and "anchor_generator" in of(text).notes[0]


def test_scales_in_steps_of_an_octave() -> None:
    text = "type='AnchorGenerator', strides=[8, (16, 16)], ratios=[1.0], octave_base_scale=4, scales_per_octave=2"
    assert of(generator(text)).anchors == Anchors("RPN", (8, 16), ((1.0,),), (4, 4 * 2**0.5))


def test_earlier_names_of_thresholds() -> None:
    """mmdet before 2.4: test_cfg outside the model, nms_thr and max_num."""
    found = of(
        "model = dict(rpn_head=dict())\n"
        "test_cfg = dict(rpn=dict(nms_pre=2000, max_num=900, nms_thr=0.6),"
        " rcnn=dict(score_thr=0.2, nms=dict(type='nms', iou_thr=0.4), max_per_img=7))"
    )
    assert found.proposals == Stage(iou=0.6, candidates=2000, most=900)
    assert found.regions == Stage(score=0.2, iou=0.4, most=7)


STRANGE = {
    "soft_nms": "model = dict(test_cfg=dict(nms=dict(type='soft_nms', iou_threshold=0.5)))",
    "LegacyAnchorGenerator": generator("type='LegacyAnchorGenerator', strides=[8]"),
    "TBLRBBoxCoder": "model = dict(bbox_head=dict(bbox_coder=dict(type='TBLRBBoxCoder')))",
    "center_offset": generator("type='AnchorGenerator', strides=[8], ratios=[1], scales=[1], center_offset=0.5"),
    "target_means": "model = dict(bbox_head=dict(bbox_coder=dict(target_means=(0., 0., 0.1, 0.))))",
    "RoIPool": "model = dict(roi_head=dict(bbox_roi_extractor=dict(roi_layer=dict(type='RoIPool'))))",
    "eps = 0.1": "model = dict(backbone=dict(norm_cfg=dict(eps=0.1)), neck=dict(type='FPN'))",
    "bbox_head.norm_cfg.eps = 1e-05": "model = dict(neck=dict(type='SSDNeck'))",
    "bicubic": "test_pipeline = [dict(type='Resize', interpolation='bicubic')]",
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_not_followed_is_said(name: str) -> None:
    [note] = of(STRANGE[name]).notes
    assert name in note


@pytest.mark.parametrize(
    "settings",
    [
        Settings(anchors=Anchors("RPN", (4, 8, 16, 32, 64), ((1.0,),), (8,))),
        Settings(anchors=Anchors("RPN", (4, 8, 16, 32), ((0.5, 1.0, 2.0),), (8,))),
        Settings(anchors=Anchors("RPN", (4, 8, 16, 32, 8000), ((0.5, 1.0, 2.0),), (8000,))),
    ],
)
def test_anchors_that_the_network_does_not_have(settings: Settings) -> None:
    with pytest.raises(UnsupportedCheckpoint, match="R-CNN"):
        rcnn_thresholds(RCNN, settings)
    with pytest.raises(UnsupportedCheckpoint, match="SSDLite"):
        ssd_decoding([4] * 6)
    with pytest.raises(UnsupportedCheckpoint, match="YOLOv3"):
        yolo_decoding([4] * 3)


# -- from a checkpoint to the card -------------------------------------------------------------------------------------


def shapes_of_ssd(classes: int) -> Mapping[str, tuple[int, ...]]:
    from qingzhou.graph.record import Recorder

    net = Recorder()
    config = ssdlite.Sizes(classes=classes, width=0.1, extras=(32, 16, 16, 16), anchors=(6,) * 6)
    levels = ssdlite.ssdlite(net, net.input("input", (1, 3, 64, 64)), config)
    return net.freeze(levels[0].scores).tensors


@pytest.mark.parametrize(
    ("key", "labels"),
    [
        ("config", {"CLASSES": ("cat", "dog")}),
        ("cfg", {"dataset_meta": {"classes": ("cat", "dog"), "palette": [(1, 2, 3)]}}),
        ("cfg", {"dataset_meta": {"CLASSES": ["cat", "dog"]}}),
    ],
)
def test_a_checkpoint_with_a_config(key: str, labels: dict[str, Any], tmp_path: Path) -> None:
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes_of_ssd(2).items()}
    preprocessor = {"data_preprocessor.mean": np.zeros((3, 1, 1), np.float32)}
    meta = {key: MMENGINE_SSD, **labels}
    path = write_checkpoint(tmp_path / "x.pth", {"meta": meta, "state_dict": {**preprocessor, **tensors}})
    found = read_network(path)
    card = found.card
    assert (card.network, card.tool, card.input.shape) == ("SSDLite MobileNetV2 0.1x", "MMDetection", [1, 3, 320, 300])
    assert read_labels(found.named).names == ("cat", "dog")
    assert card.thresholds == {"score": 0.02, "iou": 0.4, "most": 150}
    assert card.input.steps[-1] == {"op": "normalize", "mean": [120.0, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}


def test_a_checkpoint_with_an_unreadable_config(tmp_path: Path) -> None:
    tensors = {name: np.zeros(shape, np.float32) for name, shape in shapes_of_ssd(2).items()}
    path = write_checkpoint(tmp_path / "x.pth", {"meta": {"config": "model = ("}, "state_dict": tensors})
    found = read_network(path).card
    assert found.thresholds == {"score": 0.5, "iou": 0.45, "most": 200}
    assert any("cannot be read" in note for note in found.notes)
