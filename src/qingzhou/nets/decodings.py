"""How predictions become boxes: the usual settings of MMEdu and mmdet, and what the config in a file changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from ..errors import UnsupportedCheckpoint
from . import ssdlite, yolov3
from .detector import Box
from .faster_rcnn import STRIDES, TwoStages, base_boxes
from .one_stage import OneStage
from .settings import Settings

T = TypeVar("T")
LARGEST_SIDE = 1 << 13  # of an anchor, in pixels; cards hold no larger ones


def ssd_decoding(anchors: Sequence[int], settings: Settings = Settings()) -> OneStage:  # noqa: B008  # frozen
    """SSD's anchors and thresholds; UnsupportedCheckpoint if the network has other anchors than these."""
    how, said = ssdlite.default_decoding(), settings.anchors
    if said.kind == "SSD":
        columns = (said.strides, said.smallest, said.largest, said.ratios)
        boxes = [ssdlite.base_boxes(*level) for level in zip(*columns, strict=True)]
        how = replace(how, anchors=boxes, strides=said.strides)
    _check("SSDLite", how.anchors, anchors)
    told = settings.only
    return replace(
        how,
        stds=settings.stds or how.stds,
        score=_or(told.score, how.score),
        iou=_or(told.iou, how.iou),
        candidates=_or(told.candidates, how.candidates),
        most=_or(told.most, how.most),
    )


def yolo_decoding(anchors: Sequence[int], settings: Settings = Settings()) -> OneStage:  # noqa: B008  # frozen
    """YOLOv3's anchors and thresholds; UnsupportedCheckpoint if the network has other anchors than these."""
    how, said = yolov3.default_decoding(), settings.anchors
    if said.kind == "YOLO":
        boxes = [yolov3.base_boxes(*level) for level in zip(said.strides, said.sizes, strict=True)]
        how = replace(how, anchors=boxes, strides=said.strides)
    _check("YOLOv3", how.anchors, anchors)
    told = settings.only
    return replace(
        how,
        score=_or(told.score, how.score),
        iou=_or(told.iou, how.iou),
        most=_or(told.most, how.most),
        confidence=_or(told.confidence, how.confidence),
    )


def rcnn_thresholds(anchors: int, settings: Settings = Settings()) -> TwoStages:  # noqa: B008  # frozen
    """Both stages of Faster and Mask R-CNN; UnsupportedCheckpoint if RPN has other anchors than these.

    MMEdu sets both NMS thresholds to 0.3 when it trains, mmdet's own configs to 0.7 and 0.5.
    """
    first, second, said, usual = settings.proposals, settings.regions, settings.anchors, TwoStages()
    how = TwoStages(
        candidates=_or(first.candidates, usual.candidates),
        proposals=_or(first.most, usual.proposals),
        proposal_iou=_or(first.iou, usual.proposal_iou),
        score=_or(second.score, usual.score),
        iou=_or(second.iou, usual.iou),
        most=_or(second.most, usual.most),
        stds=_or(settings.stds, usual.stds),
        proposal_stds=_or(settings.proposal_stds, usual.proposal_stds),
    )
    if said.kind == "RPN":
        how = replace(how, ratios=said.ratios[0], scales=said.scales, strides=said.strides)
    boxes = [base_boxes(stride, how.ratios, how.scales) for stride in how.strides]
    _check("R-CNN", boxes, [anchors] * len(STRIDES))
    return how


def _or(said: T | None, usual: T) -> T:
    return usual if said is None else said


def _check(title: str, levels: Sequence[Sequence[Box]], expected: Sequence[int]) -> None:
    """UnsupportedCheckpoint unless there are as many anchors as the network predicts, and of a size that can be."""
    counts = [len(level) for level in levels]
    sides = [abs(n) for level in levels for box in level for n in box]
    if counts != list(expected) or max(sides, default=0) > 2 * LARGEST_SIDE:
        raise UnsupportedCheckpoint(
            en=f"This is {title}, whose levels predict {_list(expected)} boxes at each position, but the anchors known "
            f"for them are {_list(counts)}. The anchors of mmdet or MMEdu were expected, or a config inside the file. "
            "Save it with mmdet's own training program, which writes its config into the file.",
            zh=f"这是 {title}，各层在每个位置预测 {_list(expected)} 个框，而已知的锚框数为 {_list(counts)}。"
            "应使用 mmdet 或 MMEdu 的锚框，或在文件中带有训练配置。请用 mmdet 自带的训练程序保存，它会把配置写入文件。",
        )


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
