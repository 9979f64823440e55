"""YOLOv3 as the table of networks holds it: what is recorded, and how pictures and boxes are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import OptionError
from ..spelling import option
from . import yolov3
from .architecture import Architecture
from .detectors import check_anchors, one_stage, rounded_up, said_or
from .one_stage import OneStage, yolo_boxes
from .pictures import fixed_input, keeps_ratio, said_size
from .recorded import Recorded, Wanted
from .settings import Settings, Step


def record_yolo(config: yolov3.Sizes, wanted: Wanted) -> Recorded:
    """Pictures keep their ratio, with zeros at the right and bottom."""
    size = wanted.picture or (416, 416)
    if any(n % 32 for n in size):
        raise OptionError(
            en=f"{option('input_size')} is {size[0]},{size[1]}, but YOLOv3 needs multiples of 32, such as 416,416 or "
            "320,320.",
            zh=f"{option('input_size')} 的值是 {size[0]},{size[1]}，"
            "而 YOLOv3 需要 32 的倍数，例如 416,416 或 320,320。",
        )
    picture = wanted.settings.picture
    if config.darknet and not picture.values:  # as in all of mmdet's configs; MMEdu has none of these
        scaled: Step = {"op": "normalize", "mean": [0.0], "std": [255.0]}
        picture = replace(picture, steps=(*picture.steps, scaled), color="RGB", values=True)
    inside = wanted.picture or said_size(picture) or size
    entry = fixed_input(
        picture, inside, rounded_up(inside, 32), keeps_ratio(picture) is not False, wanted.channels or 3
    )
    how = yolo_decoding(config.anchors, wanted.settings)
    return one_stage(lambda net, x: yolov3.yolov3(net, x, config), wanted, entry, yolo_boxes, how, "yolo")


def yolo_decoding(anchors: Sequence[int], settings: Settings = Settings()) -> OneStage:  # noqa: B008  # frozen
    """YOLOv3's anchors and thresholds; UnsupportedCheckpoint if the network has other anchors than these."""
    how, said = yolov3.default_decoding(), settings.anchors
    if said.kind == "YOLO":
        boxes = [yolov3.base_boxes(*level) for level in zip(said.strides, said.sizes, strict=True)]
        how = replace(how, anchors=boxes, strides=said.strides)
    check_anchors("YOLOv3", how.anchors, anchors)
    told = settings.only
    return replace(
        how,
        score=said_or(told.score, how.score),
        iou=said_or(told.iou, how.iou),
        most=said_or(told.most, how.most),
        confidence=said_or(told.confidence, how.confidence),
    )


YOLOV3 = Architecture(
    "Yolov3",
    yolov3.configs,
    lambda config: f"YOLOv3 {'Darknet-53' if config.darknet else 'MobileNetV2'}",
    record_yolo,
)
