"""Configs as mmcv and mmengine dump them, and their settings."""

from __future__ import annotations

from qingzhou.nets.settings import Settings
from qingzhou.sources.openmmlab.config import read_settings

SSD = [6] * 6
YOLO = [3] * 3
RCNN = 3

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


def generator(text: str) -> str:
    return f"model = dict(bbox_head=dict(anchor_generator=dict({text})), rpn=dict())"
