"""MMEdu's and mmdet's detectors, as the table of architectures holds them: graph, pre-processing, decoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ..errors import OptionError
from ..graph.form import Graph, Value
from ..graph.record import Recorder
from ..runtime.model.card import Input, Output
from ..spelling import option
from . import faster_rcnn, resnet, ssdlite, yolov3
from .architecture import Architecture
from .decodings import rcnn_thresholds, ssd_decoding, yolo_decoding
from .detection import Decoding, RawLevel, Thresholds
from .detector import Levels
from .faster_rcnn import TwoStages
from .one_stage import OneStage, ssd_boxes, yolo_boxes
from .pictures import fixed_input, free_input, keeps_ratio, said_size, unsaid
from .recorded import Recorded, Wanted
from .settings import Picture, Step

Chosen = TypeVar("Chosen", OneStage, TwoStages)
Boxes = Callable[[Recorder, Value, Levels, OneStage], tuple[Value, Value]]

# -- one stage ------------------------------------------------------------------------------------------------------


def record_ssd(config: ssdlite.Sizes, wanted: Wanted) -> Recorded:
    """Pictures squashed to the input's size."""
    picture = wanted.settings.picture
    size = wanted.picture or said_size(picture) or (320, 320)
    entry = fixed_input(picture, size, size, bool(keeps_ratio(picture)), wanted.channels or 3)
    how = ssd_decoding(config.anchors, wanted.settings)
    return _one_stage(lambda net, x: ssdlite.ssdlite(net, x, config), wanted, entry, ssd_boxes, how, "ssd")


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
    return _one_stage(lambda net, x: yolov3.yolov3(net, x, config), wanted, entry, yolo_boxes, how, "yolo")


def _one_stage(
    build: Callable[[Recorder, Value], Levels], wanted: Wanted, entry: Input, boxes: Boxes, how: OneStage, kind: str
) -> Recorded:
    how = _as_asked(how, wanted)
    net = Recorder()
    image = net.input(entry.name, tuple(1 if n is None else n for n in entry.shape))
    levels = build(net, image)
    heads = _heads(net, levels)
    limits = Thresholds(how.score, how.most, how.iou)
    assumed = unsaid(wanted.settings.picture, wanted.picture is not None, wanted.channels or 3)
    if wanted.form == "raw":
        decoding = _decoding(levels, how, kind)
        return Recorded(heads, entry, "detection", Output("scores0", "raw"), limits, decoding, heads, assumed)
    graph = net.freeze(*boxes(net, image, levels, how), names=["dets", "labels"])
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads, assumed)


def _heads(net: Recorder, levels: Levels) -> Graph:
    """The predictions of each level as outputs scores0, deltas0, scores1, …."""
    found = [
        (f"{name}{i}", value)
        for i, level in enumerate(levels)
        for name, value in (("scores", level.scores), ("deltas", level.deltas))
        if value is not None
    ]
    return net.freeze(*(value for _, value in found), names=[name for name, _ in found])


def _decoding(levels: Levels, how: OneStage, kind: str) -> Decoding:
    """What the runtime needs to do the same."""
    described = [
        RawLevel(f"scores{i}", None if level.deltas is None else f"deltas{i}", anchors, stride)
        for i, (level, anchors, stride) in enumerate(zip(levels, how.anchors, how.strides, strict=True))
    ]
    return Decoding(kind, described, how.stds, how.candidates, how.confidence)


# -- two stages -----------------------------------------------------------------------------------------------------


def record_rcnn(config: faster_rcnn.Sizes, wanted: Wanted) -> Recorded:
    """Pictures keep their ratio and orientation: 800 pixels high or wide, at most 1333 the other way."""
    if wanted.form == "raw":
        raise OptionError(
            en="The form raw is not possible for two-stage detectors, whose second stage needs boxes inside the "
            f"network. Leave {option('form')} out.",
            zh=f"两阶段检测网络不支持 raw 形式：第二阶段需要在网络内部得到候选框。请不要使用 {option('form')}。",
        )
    how = _as_asked(rcnn_thresholds(config.anchors, wanted.settings), wanted)
    entry = _rcnn_input(wanted.settings.picture, wanted.picture, wanted.channels or 3)
    net = Recorder()
    names = ("height", "width")
    sizes = [name if n is None else n for name, n in zip(names, entry.shape[2:], strict=True)]
    image = net.input(entry.name, (1, entry.shape[1] or 3, *sizes))
    features = faster_rcnn.pyramid(net, image, config)
    levels = faster_rcnn.rpn(net, features, config)
    heads = _heads(net, levels)
    outs = faster_rcnn.boxes(net, image, features, levels, config, how)
    graph = net.freeze(*outs, names=["dets", "labels", "masks"][: len(outs)])
    limits = Thresholds(how.score, how.most, how.iou)
    assumed = unsaid(wanted.settings.picture, wanted.picture is not None, wanted.channels or 3)
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads, assumed)


def _rcnn_input(picture: Picture, size: tuple[int, int] | None, channels: int) -> Input:
    if size is not None:
        return fixed_input(picture, size, size, True, channels)
    height, width = said_size(picture) or (800, 1333)
    multiple = next((step["multiple"] for step in picture.steps if "multiple" in step), 32)
    if keeps_ratio(picture) is False:
        return fixed_input(picture, (height, width), rounded_up((height, width), multiple), False, channels)
    return free_input(picture, (height, width), multiple, channels)


# -- pieces ---------------------------------------------------------------------------------------------------------


def rounded_up(size: Sequence[int], multiple: int) -> list[int]:
    """To a multiple."""
    return [-(-n // multiple) * multiple for n in size]


def _as_asked(how: Chosen, wanted: Wanted) -> Chosen:
    """With the thresholds that the user gave."""
    return replace(
        how,
        score=how.score if wanted.score is None else wanted.score,
        iou=how.iou if wanted.iou is None else wanted.iou,
        most=how.most if wanted.most is None else wanted.most,
    )


def _rcnn_title(config: faster_rcnn.Sizes) -> str:
    return f"{'Mask' if config.masks else 'Faster'} R-CNN {resnet.title_of(config.trunk)} FPN"


SSD_LITE = Architecture(
    "SSD_Lite", ssdlite.configs, lambda config: f"SSDLite MobileNetV2 {config.width:g}x", record_ssd
)
YOLOV3 = Architecture(
    "Yolov3",
    yolov3.configs,
    lambda config: f"YOLOv3 {'Darknet-53' if config.darknet else 'MobileNetV2'}",
    record_yolo,
)
FASTER_RCNN = Architecture(
    "FasterRCNN",
    lambda shapes: (config for config in faster_rcnn.configs(shapes) if not config.masks),
    _rcnn_title,
    record_rcnn,
)
MASK_RCNN = Architecture(
    "Mask_RCNN",
    lambda shapes: (config for config in faster_rcnn.configs(shapes) if config.masks),
    _rcnn_title,
    record_rcnn,
)
