"""MMEdu's and mmdet's detectors, as the table of architectures holds them: graph, pre-processing, decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import OptionError
from ..runtime.card import Input, Output
from . import faster_rcnn, resnet, ssdlite, yolov3
from .decodings import rcnn_thresholds, ssd_decoding, yolo_decoding
from .detector import Levels
from .faster_rcnn import Thresholds
from .graph import Graph, Recorder, Value
from .network import MEAN, STD, Config, Shapes, with_channels
from .one_stage import Decoding, ssd_boxes, yolo_boxes
from .recorded import Recorded, Wanted
from .settings import Picture

Step = dict[str, Any]


@dataclass(frozen=True)
class Detector:
    """One family of detectors; the same three questions as of a classifier's Network."""

    name: str
    configs: Callable[[Shapes], Iterable[Config]]
    title: Callable[[Config], str]
    record: Callable[[Config, Wanted], Recorded]


# -- one stage ------------------------------------------------------------------------------------------------------


def record_ssd(config: Config, wanted: Wanted) -> Recorded:
    """Pictures squashed to the input's size."""
    picture = wanted.settings.picture
    size = wanted.picture or _height_width(picture) or (320, 320)
    entry = fixed_input(picture, size, size, bool(picture.keep_ratio))
    how = ssd_decoding(config, wanted.settings)
    return _one_stage(config, wanted, entry, ssdlite.ssdlite, ssd_boxes, how, "ssd")


def record_yolo(config: Config, wanted: Wanted) -> Recorded:
    """Pictures keep their ratio, with zeros at the right and bottom."""
    size = wanted.picture or (416, 416)
    if any(n % 32 for n in size):
        raise OptionError(
            en=f"--input-size is {size[0]},{size[1]}, but YOLOv3 needs multiples of 32, such as 416,416 or 320,320.",
            zh=f"--input-size 的值是 {size[0]},{size[1]}，而 YOLOv3 需要 32 的倍数，例如 416,416 或 320,320。",
        )
    picture = wanted.settings.picture
    if config["darknet"] and picture.mean is None:  # as in all of mmdet's configs; MMEdu has none of these
        picture = replace(picture, mean=(0, 0, 0), std=(255, 255, 255), rgb=True)
    inside = wanted.picture or _height_width(picture) or size
    entry = fixed_input(picture, inside, rounded_up(inside, 32), picture.keep_ratio is not False)
    how = yolo_decoding(config, wanted.settings)
    return _one_stage(config, wanted, entry, yolov3.yolov3, yolo_boxes, how, "yolo")


def _one_stage(
    config: Config, wanted: Wanted, entry: Input, build: Callable[[Recorder, Value, Config], Levels],
    boxes: Callable[[Recorder, Value, Levels, Decoding], tuple[Value, Value]], how: Decoding, kind: str,
) -> Recorded:  # fmt: skip
    how = replace(how, **_asked(wanted, how))
    net, entry = Recorder(), with_channels(entry, wanted.channels)
    image = net.input(entry.name, tuple(1 if n is None else n for n in entry.shape))
    levels = build(net, image, config)
    heads = _heads(net, levels)
    limits = {"score": how.score, "iou": how.iou, "most": how.most}
    if wanted.form == "raw":
        decoding = _decoding(levels, how, kind)
        return Recorded(heads, entry, "detection", Output("scores0", "raw"), limits, decoding, heads)
    graph = net.freeze(*boxes(net, image, levels, how), names=["dets", "labels"])
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads)


def _heads(net: Recorder, levels: Levels) -> Graph:
    """The predictions of each level as outputs scores0, deltas0, scores1, …."""
    found = [(f"{name}{i}", value) for i, level in enumerate(levels)
             for name, value in (("scores", level.scores), ("deltas", level.deltas)) if value is not None]  # fmt: skip
    return net.freeze(*(value for _, value in found), names=[name for name, _ in found])


def _decoding(levels: Levels, how: Decoding, kind: str) -> dict[str, Any]:
    """What the runtime needs to do the same."""
    described = []
    for i, (level, anchors, stride) in enumerate(zip(levels, how.anchors, how.strides, strict=True)):
        deltas = {"deltas": f"deltas{i}"} if level.deltas is not None else {}
        boxes = [list(map(float, box)) for box in anchors]
        described.append({"scores": f"scores{i}", **deltas, "anchors": boxes, "stride": stride})
    return {
        "kind": kind, "levels": described, "stds": list(how.stds), "candidates": how.candidates,
        "confidence": how.confidence,
    }  # fmt: skip


# -- two stages -----------------------------------------------------------------------------------------------------


def record_rcnn(config: Config, wanted: Wanted) -> Recorded:
    """Pictures keep their ratio and orientation: 800 pixels high or wide, at most 1333 the other way."""
    if wanted.form == "raw":
        raise OptionError(
            en="The form raw is not possible for two-stage detectors, whose second stage needs boxes inside the "
            "network. Leave --form out.",
            zh="两阶段检测网络不支持 raw 形式：第二阶段需要在网络内部得到候选框。请不要使用 --form。",
        )
    how = rcnn_thresholds(config, wanted.settings)
    how = replace(how, **_asked(wanted, how))
    entry = with_channels(_rcnn_input(wanted.settings.picture, wanted.picture), wanted.channels)
    net = Recorder()
    names = ("height", "width")
    sizes = [name if n is None else n for name, n in zip(names, entry.shape[2:], strict=True)]
    image = net.input(entry.name, (1, entry.shape[1] or 3, *sizes))
    features = faster_rcnn.pyramid(net, image, config)
    levels = faster_rcnn.rpn(net, features, config)
    heads = _heads(net, levels)
    outs = faster_rcnn.boxes(net, image, features, levels, config, how)
    graph = net.freeze(*outs, names=["dets", "labels", "masks"][: len(outs)])
    limits = {"score": how.score, "iou": how.iou, "most": how.most}
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads)


def _rcnn_input(picture: Picture, size: tuple[int, int] | None) -> Input:
    scale, multiple = picture.scale or (1333, 800), picture.multiple or 32
    if size is not None:
        return fixed_input(picture, size, size, True)
    if picture.keep_ratio is False:
        return fixed_input(picture, scale[::-1], rounded_up(scale[::-1], multiple), False)
    within = {"op": "resize", "within": sorted(scale, reverse=True), "interpolation": "cv2"}
    steps = [within, normalised(picture), {"op": "pad_to", "multiple": multiple}]
    return Input("input", "image", [1, 3, None, None], _color(picture), steps)


# -- pieces ---------------------------------------------------------------------------------------------------------


def fixed_input(picture: Picture, inside: Sequence[int], size: Sequence[int], keep_ratio: bool) -> Input:
    """Pictures of one (height, width): as large as fits inside, or squashed to that; zeros at the right and bottom.

    For squares that is mmcv's rule; it turns other rectangles with the picture.
    """
    resize = {"op": "resize", "inside" if keep_ratio else "size": list(inside), "interpolation": "cv2"}
    steps = [resize, normalised(picture)]
    if keep_ratio or list(inside) != list(size):
        steps.append({"op": "pad_to", "size": list(size)})
    return Input("input", "image", [1, 3, *size], _color(picture), steps)


def normalised(picture: Picture) -> Step:
    """As trained; else with ImageNet's mean and deviation, for RGB."""
    mean, std = (picture.mean, picture.std) if picture.mean and picture.std else (MEAN, STD)
    return {"op": "normalize", "mean": list(map(float, mean)), "std": list(map(float, std))}


def _color(picture: Picture) -> str:
    return "BGR" if picture.mean and picture.rgb is False else "RGB"


def _height_width(picture: Picture) -> tuple[int, int] | None:
    return picture.scale and picture.scale[::-1]


def rounded_up(size: Sequence[int], multiple: int) -> list[int]:
    """To a multiple."""
    return [-(-n // multiple) * multiple for n in size]


def _asked(wanted: Wanted, how: Decoding | Thresholds) -> dict[str, Any]:
    """The settings that the user gave."""
    given = {"score": wanted.score, "iou": wanted.iou, "most": wanted.most}
    return {name: value for name, value in given.items() if value is not None}


def _backbone(config: Config) -> str:
    return {True: "Darknet-53", False: "MobileNetV2"}[bool(config["darknet"])]


def _rcnn_title(config: Config) -> str:
    return f"{'Mask' if config['masks'] else 'Faster'} R-CNN {resnet.family(config).title(config)} FPN"


DETECTORS = (
    Detector("SSD_Lite", ssdlite.configs, lambda config: f"SSDLite MobileNetV2 {config['width']:g}x", record_ssd),
    Detector("Yolov3", yolov3.configs, lambda config: f"YOLOv3 {_backbone(config)}", record_yolo),
    Detector(
        "FasterRCNN", lambda s: (c for c in faster_rcnn.configs(s) if not c["masks"]), _rcnn_title, record_rcnn
    ),
    Detector("Mask_RCNN", lambda s: (c for c in faster_rcnn.configs(s) if c["masks"]), _rcnn_title, record_rcnn),
)  # fmt: skip
