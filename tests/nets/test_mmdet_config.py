"""Config texts inside checkpoints: what mmcv and mmengine write is understood, anything else does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from makers import write_checkpoint
from qingzhou.errors import UnsupportedCheckpoint
from qingzhou.labels import read_labels
from qingzhou.nets import ssdlite, yolov3
from qingzhou.nets.decodings import rcnn_thresholds, ssd_decoding, yolo_decoding
from qingzhou.nets.faster_rcnn import Thresholds
from qingzhou.nets.pictures import final_size
from qingzhou.nets.settings import Anchors, Picture, Settings, Stage
from qingzhou.sources.openmmlab.config import read_settings
from qingzhou.sources.openmmlab.config_text import DEEPEST, LONGEST, UNKNOWN, Unreadable, parse
from qingzhou.sources.table import read_network

SSD = {"anchors": [6] * 6}
YOLO = {"anchors": [3] * 3}
RCNN = {"anchors": 3}

# As mmcv 1.x dumps it (Config.pretty_text): in the order of writing, wrapped by yapf, img_norm_cfg written out.
MMCV_RCNN = """\
model = dict(
    type='FasterRCNN',
    backbone=dict(
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=False),
        norm_eval=True,
        style='caffe',
        init_cfg=dict(
            type='Pretrained',
            checkpoint='open-mmlab://detectron2/resnet50_caffe')),
    neck=dict(
        type='FPN',
        in_channels=[256, 512, 1024, 2048],
        out_channels=256,
        num_outs=5),
    rpn_head=dict(
        type='RPNHead',
        in_channels=256,
        feat_channels=256,
        anchor_generator=dict(
            type='AnchorGenerator',
            scales=[4, 8],
            ratios=[0.5, 1.0, 2.0],
            strides=[4, 8, 16, 32, 64]),
        bbox_coder=dict(
            type='DeltaXYWHBBoxCoder',
            target_means=[0.0, 0.0, 0.0, 0.0],
            target_stds=[1.0, 1.0, 1.0, 1.0]),
        loss_cls=dict(
            type='CrossEntropyLoss', use_sigmoid=True, loss_weight=1.0),
        loss_bbox=dict(type='L1Loss', loss_weight=1.0)),
    roi_head=dict(
        type='StandardRoIHead',
        bbox_roi_extractor=dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0),
            out_channels=256,
            featmap_strides=[4, 8, 16, 32]),
        bbox_head=dict(
            type='Shared2FCBBoxHead',
            in_channels=256,
            fc_out_channels=1024,
            roi_feat_size=7,
            num_classes=80,
            bbox_coder=dict(
                type='DeltaXYWHBBoxCoder',
                target_means=[0.0, 0.0, 0.0, 0.0],
                target_stds=[0.05, 0.05, 0.1, 0.1]),
            reg_class_agnostic=False)),
    train_cfg=dict(
        rpn_proposal=dict(
            nms_pre=2000,
            max_per_img=1000,
            nms=dict(type='nms', iou_threshold=0.9))),
    test_cfg=dict(
        rpn=dict(
            nms_pre=1500,
            max_per_img=500,
            nms=dict(type='nms', iou_threshold=0.65),
            min_bbox_size=0),
        rcnn=dict(
            score_thr=0.1,
            nms=dict(type='nms', iou_threshold=0.45),
            max_per_img=50)))
dataset_type = 'CocoDataset'
data_root = 'data/coco/'
img_norm_cfg = dict(
    mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], to_rgb=False)
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='MultiScaleFlipAug', img_scale=(640, 640), transforms=[])
]
data = dict(
    samples_per_gpu=2,
    workers_per_gpu=2,
    test=dict(
        type='CocoDataset',
        classes=('person', '狗'),
        ann_file='data/coco/annotations/instances_val2017.json',
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(
                type='MultiScaleFlipAug',
                img_scale=(1000, 600),
                flip=False,
                transforms=[
                    dict(type='Resize', keep_ratio=True),
                    dict(type='RandomFlip'),
                    dict(
                        type='Normalize',
                        mean=[103.53, 116.28, 123.675],
                        std=[1.0, 1.0, 1.0],
                        to_rgb=False),
                    dict(type='Pad', size_divisor=32),
                    dict(type='ImageToTensor', keys=['img']),
                    dict(type='Collect', keys=['img'])
                ])
        ]))
evaluation = dict(interval=1, metric='bbox')
optimizer = dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=0.0001)
lr_config = dict(
    policy='step',
    warmup='linear',
    warmup_iters=500,
    warmup_ratio=0.001,
    step=[8, 11])
log_level = 'INFO'
load_from = None
workflow = [('train', 1)]
gpu_ids = range(0, 1)
"""

# As mmengine dumps it: sorted by name, one number a line.
MMENGINE_SSD = """\
auto_scale_lr = dict(base_batch_size=192, enable=False)
data_preprocessor = dict(
    bgr_to_rgb=True,
    mean=[
        123.675,
        116.28,
        103.53,
    ],
    pad_size_divisor=1,
    std=[
        58.395,
        57.12,
        57.375,
    ],
    type='DetDataPreprocessor')
default_scope = 'mmdet'
input_size = 320
metainfo = dict(
    classes=(
        'cat',
        'dog',
    ), palette=[
        (
            220,
            20,
            60,
        ),
    ])
model = dict(
    backbone=dict(
        norm_cfg=dict(eps=0.001, momentum=0.03, type='BN'),
        out_indices=(
            4,
            7,
        ),
        type='MobileNetV2'),
    bbox_head=dict(
        act_cfg=dict(type='ReLU6'),
        anchor_generator=dict(
            max_sizes=[
                80,
                150,
                202,
                253,
                304,
                320,
            ],
            min_sizes=[
                30,
                80,
                150,
                202,
                253,
                304,
            ],
            ratios=[
                [
                    2,
                    3,
                ],
                [
                    2,
                    3,
                ],
                [
                    2,
                    3,
                ],
                [
                    2,
                    3,
                ],
                [
                    2,
                    3,
                ],
                [
                    2,
                    3,
                ],
            ],
            scale_major=False,
            strides=[
                16,
                32,
                64,
                107,
                160,
                320,
            ],
            type='SSDAnchorGenerator'),
        bbox_coder=dict(
            target_means=[
                0.0,
                0.0,
                0.0,
                0.0,
            ],
            target_stds=[
                0.2,
                0.2,
                0.3,
                0.3,
            ],
            type='mmdet.DeltaXYWHBBoxCoder'),
        norm_cfg=dict(eps=0.001, momentum=0.03, type='BN'),
        num_classes=2,
        type='SSDHead',
        use_depthwise=True),
    data_preprocessor=dict(
        bgr_to_rgb=True,
        mean=[
            120,
            116.28,
            103.53,
        ],
        pad_size_divisor=1,
        std=[
            58.395,
            57.12,
            57.375,
        ],
        type='DetDataPreprocessor'),
    neck=dict(
        level_paddings=(
            1,
            1,
        ),
        level_strides=(
            2,
            2,
        ),
        norm_cfg=dict(eps=0.001, momentum=0.03, type='BN'),
        type='SSDNeck',
        use_depthwise=True),
    test_cfg=dict(
        max_per_img=150,
        min_bbox_size=0,
        nms=dict(iou_threshold=0.4, type='nms'),
        nms_pre=800,
        score_thr=0.02),
    type='SingleStageDetector')
param_scheduler = [
    dict(
        begin=0, by_epoch=False, end=500, start_factor=0.001, type='LinearLR'),
]
test_cfg = dict(type='TestLoop')
test_dataloader = dict(
    batch_size=8,
    dataset=dict(
        dataset=dict(
            pipeline=[
                dict(backend_args=None, type='LoadImageFromFile'),
                dict(keep_ratio=False, scale=(
                    300,
                    320,
                ), type='Resize'),
                dict(type='LoadAnnotations', with_bbox=True),
                dict(
                    meta_keys=(
                        'img_id',
                        'scale_factor',
                    ),
                    type='PackDetInputs'),
            ],
            type='CocoDataset'),
        times=1,
        type='RepeatDataset'),
    num_workers=4)
test_pipeline = [
    dict(keep_ratio=True, scale=(
        1,
        1,
    ), type='Resize'),
]
"""

YOLO_HEAD = """\
model = dict(
    type='YOLOV3',
    backbone=dict(type='Darknet', depth=53, out_indices=(3, 4, 5)),
    bbox_head=dict(
        type='YOLOV3Head',
        num_classes=80,
        anchor_generator=dict(
            type='YOLOAnchorGenerator',
            base_sizes=[[(100, 90), (156, 198), (373, 326)],
                        [(30, 61), (62, 45), (59, 119)],
                        [(10, 13), (16, 30), (33, 23)]],
            strides=[32, 16, 8]),
        bbox_coder=dict(type='YOLOBBoxCoder'),
        featmap_strides=[32, 16, 8]),
    test_cfg=dict(
        nms_pre=1000,
        min_bbox_size=0,
        score_thr=0.06,
        conf_thr=0.01,
        nms=dict(type='nms', iou_threshold=0.45),
        max_per_img=80))
"""
SIZES_300 = ((21, 45, 99, 153, 207, 261), (45, 99, 153, 207, 261, 315))  # table in Liu et al.'s code for COCO


def of(text: str) -> Settings:
    return read_settings({"config": text})


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
    assert rcnn_thresholds({"anchors": 6}, found) == Thresholds(
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
    assert rcnn_thresholds(RCNN) == Thresholds()


def generator(text: str) -> str:
    return f"model = dict(bbox_head=dict(anchor_generator=dict({text})), rpn=dict())"


def test_sizes_of_ssd_from_their_range() -> None:
    """SSD300 and SSD512, whose configs give only smallest and largest share of the picture."""
    rest = (
        "type='SSDAnchorGenerator', ratios=[[2], [2, 3], [2, 3], [2, 3], [2], [2]], strides=[8, 16, 32, 64, 100, 300]"
    )
    found = of(generator(f"{rest}, input_size=300, basesize_ratio_range=(0.15, 0.9)")).anchors
    assert (found.smallest, found.largest) == SIZES_300
    assert ssd_decoding({"anchors": [4, 6, 6, 6, 4, 4]}, Settings(anchors=found)).strides == (8, 16, 32, 64, 100, 300)
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
        ssd_decoding({"anchors": [4] * 6})
    with pytest.raises(UnsupportedCheckpoint, match="YOLOv3"):
        yolo_decoding({"anchors": [4] * 3})


# -- from a checkpoint to the card -------------------------------------------------------------------------------------


def shapes_of_ssd(classes: int) -> Mapping[str, tuple[int, ...]]:
    from qingzhou.graph.record import Recorder

    net = Recorder()
    config = {"width": 0.1, "extras": [32, 16, 16, 16], "anchors": [6] * 6, "classes": classes}
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


# -- what nobody's training program writes -----------------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "320 / 2 + -3 * 2 % 4": 320 / 2 + -3 * 2 % 4,
    "{'a': [1, (2, None)], 3: True}": {"a": (1, (2, None)), 3: True},
    "dict(dict(a=1), b=2)": UNKNOWN,
    "dict(**dict(a=1), b=2)": {"a": 1, "b": 2},
    "[1] * 3": UNKNOWN,
    "9 ** 9": UNKNOWN,
    "1 / 0": UNKNOWN,
    "1e999": UNKNOWN,
    "-1e999 * 0": UNKNOWN,
    "9007199254740993": UNKNOWN,
    "1e300 * 1e300": UNKNOWN,
    "'a' 'b'": "ab",
    "'%s' % 1": UNKNOWN,
    "b'a'": UNKNOWN,
    "1j": UNKNOWN,
    "...": UNKNOWN,
    "{1, 2}": UNKNOWN,
    "{None: dict(a=1)}": UNKNOWN,
    "{(1, 2): 3}": UNKNOWN,
    "other": UNKNOWN,
    "__import__('os').system('x')": UNKNOWN,
    "[i for i in range(9)]": UNKNOWN,
    "lambda: 1": UNKNOWN,
    "1 if x else 2": UNKNOWN,
    "x[0]": UNKNOWN,
    "(y := 5)": UNKNOWN,
    "[open('x'), 1]": (UNKNOWN, 1),
    "range(0, 1)": UNKNOWN,
}


@pytest.mark.parametrize("text", VALUES)
def test_value(text: str) -> None:
    assert parse(f"x = {text}")["x"] == VALUES[text]


def test_names() -> None:
    found = parse("'''About it'''\nimport os.path as p, sys\na = 2\nb = [a, a]\na = 3\nc = dict(x=b, y=a, z=p)")
    assert found["c"] == {"x": (2, 2), "y": 3, "z": UNKNOWN}
    assert parse("dict = 1\na = dict(b=2)")["a"] is UNKNOWN


UNREADABLE = {
    "a call": "model = 1\nimport_all('x')",
    "a loop": "for i in range(9): x = i",
    "a condition": "if 1:\n    x = 1",
    "a class": "class A: pass",
    "a function": "def f(): return 1",
    "an attribute": "a = 1\na.b = 2",
    "an item": "a = dict()\na['b'] = 2",
    "two names": "a = b = 1",
    "a sum": "a = 1\na += 1",
    "a type": "a: int = 1",
    "del": "a = 1\ndel a",
    "half a text": "model = dict(a=[1, 2",
    "no Python": "model:\n  type: SSD",
    "a zero byte": "a = 1\0",
    "half a character": "a = '\ud800'",
    "a text with values": "a = f'{1 + 1}'",
    "an open string": "a = 'x",
    "a wrong indent": "a = 1\n  b = 2",
    "a tab": "\ta = 1",
    "too long": "a = 1\n" * (LONGEST // 6 + 1),
    "a giant number": "a = " + "9" * 5000,
    "deep brackets": "a = " + "[" * 5000 + "]" * 5000,
    "deep dicts": "a = " + "dict(a=" * 5000 + ")" * 5000,
    "many signs": "a = " + "-" * 100_000 + "1",
    "many nots": "a = " + "not " * 50_000 + "1",
    "a long sum": "a = 1" + " + 1" * 50_000,
    "a long power": "a = 1" + "**1" * 50_000,
    "many attributes": "a = b" + ".c" * 50_000,
    "many calls": "a = b" + "()" * 50_000,
    "many choices": "a = " + "1 if 1 else " * 20_000 + "1",
    "many functions": "a = " + "lambda: " * 20_000 + "1",
    "sums among commas": "a = " + "f(1, 1) + " * 20_000 + "1",
    "many branches": "if 1: a = 1\n" + "elif 1: a = 1\n" * 10_000,
    "just too deep": "a = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    "a long line": "a = [" + "0," * 10_000 + "]\n",
    "too many values": "a = [" + ("0," * 9000 + "\n") * 14 + "]\n",
    "copies": f"a = dict({', '.join(f'a{i}=1' for i in range(5000))})\n" + "b = dict(**a)\n" * 5000,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable(name: str) -> None:
    """No settings and a note; never anything else."""
    with pytest.raises(Unreadable):
        parse(UNREADABLE[name])
    [note] = of(UNREADABLE[name]).notes
    assert "cannot be read" in note


def test_as_deep_as_allowed() -> None:
    value = parse("a = " + "[" * (DEEPEST // 2) + "]" * (DEEPEST // 2))["a"]
    assert isinstance(value, tuple)


def laughs(name: str) -> str:
    """One value that contains 2**60 others."""
    return f"{name}0 = [1, 2]\n" + "".join(f"{name}{i} = [{name}{i - 1}, {name}{i - 1}]\n" for i in range(1, 60))


HOSTILE = {
    "aliases for anchors": laughs("a")
    + laughs("b")
    + generator(
        "type='AnchorGenerator', strides=a59, base_sizes=b59, ratios=a59, scales=b59, center_offset=a59, centers=b59"
    ),
    "aliases for a pipeline": laughs("a") + "s = dict(type='Resize', scale=a59)\n"
    "x = dict(type=a59, transforms=[s] * 5)\ny = dict(transforms=[x, x, x, s])\ntest_pipeline = [y, y, a59, s]",
    "many nested steps": "s = [dict(type='Resize')" + ", dict()" * 999 + "]\n"
    "t = [" + "dict(transforms=s), " * 999 + "]\n"
    "test_pipeline = [" + "dict(transforms=t), " * 999 + "]",
    "aliases for thresholds": laughs("a")
    + "model = dict(test_cfg=dict(nms=a59, score_thr=a59, nms_pre=a59), bbox_head=a59)",
    "wrong kinds": "model = [1]\ndata = dict(test=[dict(pipeline=1)])\ntest_pipeline = 'abc'",
    "texts for numbers": "model = dict(test_cfg=dict(score_thr='0.5', nms=dict(iou_threshold=True, type=7)), "
    "bbox_head=dict(anchor_generator=dict(type='SSDAnchorGenerator', strides='abc', min_sizes=dict(), ratios=[1])))",
    "numbers out of range": "model = dict(test_cfg=dict(score_thr=-1, nms_pre=-1, max_per_img=10**9, conf_thr=2, "
    "nms=dict(type='nms', iou_threshold=1.5)))",
    "control characters": "model = dict(backbone=dict(style='\\x1b[2J\\n" + "x" * 9999 + "'))",
    "a nested data set": "".join(f"d{i + 1} = dict(dataset=d{i})\n" for i in range(5000)) + "test_dataloader = d5000",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile(name: str) -> None:
    """Read to the end, and nothing is believed that no config says."""
    found = of(HOSTILE[name])
    assert found.only == Stage() and found.anchors == Anchors()
    assert final_size(found.picture.steps) is None
    assert all(note.isprintable() and len(note) < 1200 for note in found.notes)
