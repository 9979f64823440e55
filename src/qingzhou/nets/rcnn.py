"""Faster and Mask R-CNN as the table of networks holds them: what is recorded, and how pictures and boxes are told."""

from __future__ import annotations

from dataclasses import replace

from ..errors import OptionError
from ..graph.record import Recorder
from ..runtime.model.card import Input, Output
from ..spelling import option
from . import faster_rcnn, resnet
from .architecture import Architecture
from .detection import Thresholds
from .detectors import as_asked, check_anchors, heads_of, rounded_up, said_or
from .pictures import fixed_input, free_input, keeps_ratio, said_size, unsaid
from .recorded import Recorded, Wanted
from .settings import Picture, Settings
from .two_stages import STRIDES, TwoStages


def record_rcnn(config: faster_rcnn.Sizes, wanted: Wanted) -> Recorded:
    """Pictures keep their ratio and orientation: 800 pixels high or wide, at most 1333 the other way."""
    if wanted.form == "raw":
        raise OptionError(
            en="The form raw is not possible for two-stage detectors, whose second stage needs boxes inside the "
            f"network. Leave {option('form')} out.",
            zh=f"两阶段检测网络不支持 raw 形式：第二阶段需要在网络内部得到候选框。请不要使用 {option('form')}。",
        )
    how = as_asked(rcnn_thresholds(config.anchors, wanted.settings), wanted)
    entry = _input(wanted.settings.picture, wanted.picture, wanted.channels or 3)
    net = Recorder()
    names = ("height", "width")
    sizes = [name if n is None else n for name, n in zip(names, entry.shape[2:], strict=True)]
    image = net.input(entry.name, (1, entry.shape[1] or 3, *sizes))
    features = faster_rcnn.pyramid(net, image, config)
    levels = faster_rcnn.rpn(net, features, config)
    heads = heads_of(net, levels)
    outs = faster_rcnn.boxes(net, image, features, levels, config, how)
    graph = net.freeze(*outs, names=["dets", "labels", "masks"][: len(outs)])
    limits = Thresholds(how.score, how.most, how.iou)
    assumed = unsaid(wanted.settings.picture, wanted.picture is not None, wanted.channels or 3)
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads, assumed)


def _input(picture: Picture, size: tuple[int, int] | None, channels: int) -> Input:
    if size is not None:
        return fixed_input(picture, size, size, True, channels)
    height, width = said_size(picture) or (800, 1333)
    multiple = next((step["multiple"] for step in picture.steps if "multiple" in step), 32)
    if keeps_ratio(picture) is False:
        return fixed_input(picture, (height, width), rounded_up((height, width), multiple), False, channels)
    return free_input(picture, (height, width), multiple, channels)


def rcnn_thresholds(anchors: int, settings: Settings = Settings()) -> TwoStages:  # noqa: B008  # frozen
    """Both stages of Faster and Mask R-CNN; UnsupportedCheckpoint if RPN has other anchors than these.

    MMEdu sets both NMS thresholds to 0.3 when it trains, mmdet's own configs to 0.7 and 0.5.
    """
    first, second, said, usual = settings.proposals, settings.regions, settings.anchors, TwoStages()
    how = TwoStages(
        candidates=said_or(first.candidates, usual.candidates),
        proposals=said_or(first.most, usual.proposals),
        proposal_iou=said_or(first.iou, usual.proposal_iou),
        score=said_or(second.score, usual.score),
        iou=said_or(second.iou, usual.iou),
        most=said_or(second.most, usual.most),
        stds=said_or(settings.stds, usual.stds),
        proposal_stds=said_or(settings.proposal_stds, usual.proposal_stds),
    )
    if said.kind == "RPN":
        how = replace(how, ratios=said.ratios[0], scales=said.scales, strides=said.strides)
    boxes = [faster_rcnn.base_boxes(stride, how.ratios, how.scales) for stride in how.strides]
    check_anchors("R-CNN", boxes, [anchors] * len(STRIDES))
    return how


def _title(config: faster_rcnn.Sizes) -> str:
    return f"{'Mask' if config.masks else 'Faster'} R-CNN {resnet.title_of(config.trunk)} FPN"


FASTER_RCNN = Architecture(
    "FasterRCNN",
    lambda shapes: (config for config in faster_rcnn.configs(shapes) if not config.masks),
    _title,
    record_rcnn,
)
MASK_RCNN = Architecture(
    "Mask_RCNN",
    lambda shapes: (config for config in faster_rcnn.configs(shapes) if config.masks),
    _title,
    record_rcnn,
)
