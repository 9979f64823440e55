"""SSDLite as the table of networks holds it: what is recorded, and how pictures and boxes are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from . import ssdlite
from .architecture import Architecture
from .detectors import check_anchors, one_stage, said_or
from .one_stage import OneStage, ssd_boxes
from .pictures import fixed_input, keeps_ratio, said_size
from .recorded import Recorded, Wanted
from .settings import Settings


def record_ssd(config: ssdlite.Sizes, wanted: Wanted) -> Recorded:
    """Pictures squashed to the input's size."""
    picture = wanted.settings.picture
    size = wanted.picture or said_size(picture) or (320, 320)
    entry = fixed_input(picture, size, size, bool(keeps_ratio(picture)), wanted.channels or 3)
    how = ssd_decoding(config.anchors, wanted.settings)
    return one_stage(lambda net, x: ssdlite.ssdlite(net, x, config), wanted, entry, ssd_boxes, how, "ssd")


def ssd_decoding(anchors: Sequence[int], settings: Settings = Settings()) -> OneStage:  # noqa: B008  # frozen
    """SSD's anchors and thresholds; UnsupportedCheckpoint if the network has other anchors than these."""
    how, said = ssdlite.default_decoding(), settings.anchors
    if said.kind == "SSD":
        columns = (said.strides, said.smallest, said.largest, said.ratios)
        boxes = [ssdlite.base_boxes(*level) for level in zip(*columns, strict=True)]
        how = replace(how, anchors=boxes, strides=said.strides)
    check_anchors("SSDLite", how.anchors, anchors)
    told = settings.only
    return replace(
        how,
        stds=settings.stds or how.stds,
        score=said_or(told.score, how.score),
        iou=said_or(told.iou, how.iou),
        candidates=said_or(told.candidates, how.candidates),
        most=said_or(told.most, how.most),
    )


SSD_LITE = Architecture(
    "SSD_Lite", ssdlite.configs, lambda config: f"SSDLite MobileNetV2 {config.width:g}x", record_ssd
)
