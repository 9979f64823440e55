"""MMEdu's and mmdet's detectors, as the table of architectures holds them: graph, pre-processing, decoding."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..errors import OptionError
from ..runtime.card import Input, Output
from . import faster_rcnn, resnet, ssdlite, yolov3
from .detector import Levels
from .faster_rcnn import Thresholds
from .graph import Graph, Recorder, Value
from .network import MEAN, STD, Config, Shapes
from .one_stage import Decoding, ssd_boxes, yolo_boxes
from .recorded import Recorded, Wanted

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
    size = list(wanted.picture or (320, 320))
    steps: list[Step] = [{"op": "resize", "size": size, "interpolation": "cv2"}, normalised()]
    entry = Input("input", "image", [1, 3, *size], "RGB", steps)
    return _one_stage(config, wanted, entry, ssdlite.ssdlite, ssd_boxes, ssdlite.default_decoding(), "ssd")


def record_yolo(config: Config, wanted: Wanted) -> Recorded:
    """Pictures keep their ratio, with zeros at the right and bottom."""
    size = list(wanted.picture or (416, 416))
    if any(n % 32 for n in size):
        raise OptionError(
            en=f"--input-size is {size[0]},{size[1]}, but YOLOv3 needs multiples of 32, such as 416,416 or 320,320.",
            zh=f"--input-size 的值是 {size[0]},{size[1]}，而 YOLOv3 需要 32 的倍数，例如 416,416 或 320,320。",
        )
    steps: list[Step] = [fitting(size), normalised(), {"op": "pad_to", "size": size}]
    entry = Input("input", "image", [1, 3, *size], "RGB", steps)
    return _one_stage(config, wanted, entry, yolov3.yolov3, yolo_boxes, yolov3.default_decoding(), "yolo")


def _one_stage(
    config: Config, wanted: Wanted, entry: Input, build: Callable[[Recorder, Value, Config], Levels],
    boxes: Callable[[Recorder, Value, Levels, Decoding], tuple[Value, Value]], how: Decoding, kind: str,
) -> Recorded:  # fmt: skip
    how = replace(how, **_asked(wanted, how))
    net = Recorder()
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
    how = replace(Thresholds(), **_asked(wanted, Thresholds()))
    entry = _rcnn_input(wanted.picture)
    net = Recorder()
    names = ("height", "width")
    sizes = [name if n is None else n for name, n in zip(names, entry.shape[2:], strict=True)]
    image = net.input(entry.name, (1, 3, *sizes))
    features = faster_rcnn.pyramid(net, image, config)
    levels = faster_rcnn.rpn(net, features)
    heads = _heads(net, levels)
    outs = faster_rcnn.boxes(net, image, features, levels, config, how)
    graph = net.freeze(*outs, names=["dets", "labels", "masks"][: len(outs)])
    limits = {"score": how.score, "iou": how.iou, "most": how.most}
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads)


def _rcnn_input(size: tuple[int, int] | None) -> Input:
    if size is None:
        steps = [{"op": "resize", "within": [1333, 800], "interpolation": "cv2"}, normalised(),
                 {"op": "pad_to", "multiple": 32}]  # fmt: skip
        return Input("input", "image", [1, 3, None, None], "RGB", steps)
    fixed: list[Step] = [fitting(list(size)), normalised(), {"op": "pad_to", "size": list(size)}]
    return Input("input", "image", [1, 3, *size], "RGB", fixed)


# -- pieces ---------------------------------------------------------------------------------------------------------


def normalised() -> Step:
    """ImageNet's mean and deviation, for RGB."""
    return {"op": "normalize", "mean": MEAN, "std": STD}


def fitting(size: list[int]) -> Step:
    """Keep the ratio, inside height x width; for squares that is mmcv's rule."""
    return {"op": "resize", "inside": size, "interpolation": "cv2"}


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
