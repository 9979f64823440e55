"""Detectors whose metadata say what they are: those that Ultralytics exports, and those of the repository YOLOv5.

ultralytics/engine/exporter.py (8.4) writes `names`, `imgsz`, `stride`, `task`, `kpt_shape`, `end2end` and `args`, as
Python writes them. YOLOv5's export.py writes `names` and `stride`; its rows are (cx, cy, w, h, objectness, scores).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import LabelError, say
from ...files.types import LONGEST_FACT
from ...graph.form import Constant, Graph, Node, Value
from ...labels import read_labels
from ...labels.text import parse
from ...nets.detection import Thresholds
from ...runtime.model.card import Card, Input, Output
from ..network import AsItIs
from .entry import no_card

TITLE = re.compile(r"Ultralytics (YOLO[\w.-]+) model", re.IGNORECASE)
USUAL = Thresholds(score=0.25, most=300, iou=0.7)  # what Ultralytics predicts with
GREY = 114  # what it fills pictures up with
TASKS = ("detect", "segment", "pose", "obb", "classify")
FACTS = ("task", "date", "version", "license")
BEFORE = 5  # numbers of a YOLOv5 row that are no score


def literal(text: str) -> object:
    """A list, dict or number as Python or JSON writes it; None of anything else. Nothing is evaluated."""
    try:
        return parse(text) if text[:1] in "[{(" else int(text) if text.isdecimal() else None
    except (LabelError, ValueError):
        return None


def is_ultralytics(metadata: Mapping[str, str]) -> bool:
    """Whether the metadata are those of its exporter."""
    return metadata.get("task") in TASKS and "names" in metadata and "stride" in metadata


def is_yolov5(metadata: Mapping[str, str], graph: Graph) -> bool:
    """Whether they are those of YOLOv5's, and the rows are as long as they should be."""
    if "task" in metadata or not {"names", "stride"} <= metadata.keys():
        return False
    shape, count = graph.outputs[0].shape, len(names_of(metadata))
    return count > 0 and len(shape) == 3 and shape[2] == BEFORE + count


def names_of(metadata: Mapping[str, str]) -> Sequence[str]:
    """What the classes are called; () where they cannot be read."""
    try:
        return read_labels(literal(metadata["names"])).names
    except (LabelError, KeyError):
        return ()


def sides_of(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    """(height, width) of the pictures that the exporter was told."""
    found = literal(metadata.get("imgsz", ""))
    sides = [found, found] if isinstance(found, int) else found
    if isinstance(sides, list) and len(sides) == 2 and all(type(n) is int and 0 < n <= 8192 for n in sides):
        return sides[0], sides[1]
    return None


def card_of(metadata: Mapping[str, str], graph: Graph, entry: Input) -> Card:
    """All that these metadata say; UnsupportedCheckpoint where the outputs are other than they say."""
    task = metadata.get("task", "detect")
    title = TITLE.search(metadata.get("description", ""))
    name = title[1] if title else "YOLO" if "task" in metadata else "YOLOv5"
    facts: dict[str, object] = {key: metadata[key][:LONGEST_FACT] for key in FACTS if key in metadata}
    stride = literal(metadata.get("stride", ""))
    facts |= {"stride": stride} if isinstance(stride, int) else {}
    classify = task == "classify"
    steps = _squared(entry) if classify else _fitted(entry)
    entry = replace(entry, steps=[*steps, *_scaled(entry)])
    output = Output(graph.outputs[0].name, "probabilities")
    tool = "Ultralytics" if "task" in metadata else "YOLOv5"
    card = Card("classification" if classify else "detection", name, tool, entry, output, origin={"training": facts})
    return card if classify else _detecting(card, metadata, graph)


def _detecting(card: Card, metadata: Mapping[str, str], graph: Graph) -> Card:
    also = _also(metadata, graph, card.input)
    more = _numbers(also, graph)
    shape, count = graph.outputs[0].shape, len(names_of(metadata))
    rows = len(shape) == 3 and shape[2] == 6 + more and shape[1] != 4 + count + more
    if not rows and not (len(shape) == 3 and shape[1] in (4 + count + more, "?")):
        expected = f"[1, {4 + count + more}, N]"
        raise no_card(
            f"its output is {list(shape)}, and {expected} was expected of {count} classes",
            f"它的输出是 {list(shape)}，而 {count} 个类别应为 {expected}",
        )
    output = replace(card.output, scores="rows" if rows else "raw", also=also)
    how = USUAL._replace(iou=1.0) if rows and metadata.get("end2end") == "True" else USUAL
    decoding = None if rows else {"kind": "ultralytics"}
    return replace(card, output=output, thresholds=how.for_card(), decoding=decoding)


def _also(metadata: Mapping[str, str], graph: Graph, entry: Input) -> dict[str, Any]:
    task = metadata.get("task")
    if task == "obb":
        return {"rotated": True}
    points = literal(metadata.get("kpt_shape", ""))
    if task == "pose" and isinstance(points, list) and len(points) == 2:
        return {"keypoints": points}
    if task == "segment" and len(graph.outputs) > 1:
        shape, (height, _) = graph.outputs[1].shape, entry.sides()
        known = len(shape) == 4 and isinstance(shape[1], int)
        stride = height // shape[2] if known and height and isinstance(shape[2], int) else 4
        coefficients = shape[1] if known else 32
        return {"masks": {"prototypes": graph.outputs[1].name, "coefficients": coefficients, "stride": stride}}
    return {}


def _numbers(also: Mapping[str, Any], graph: Graph) -> int:
    from ...runtime.model.also import numbers

    return numbers(dict(also))


def _fitted(entry: Input) -> list[dict[str, Any]]:
    """As Ultralytics does it with exported models, its predict(): letterbox with grey around."""
    sides = [n or 640 for n in entry.sides()]
    pad = {"op": "pad_to", "size": sides, "value": [GREY] * (entry.channels or 3), "center": True}
    return [{"op": "resize", "letterbox": sides, "interpolation": "cv2"}, pad]


def _squared(entry: Input) -> list[dict[str, Any]]:
    height, width = (n or 224 for n in entry.sides())
    if height != width:
        return [{"op": "resize", "size": [height, width], "interpolation": "pillow"}]
    resize = {"op": "resize", "short": height, "interpolation": "pillow"}
    return [resize, {"op": "center_crop", "size": [height, width]}]


def _scaled(entry: Input) -> list[dict[str, Any]]:
    channels = entry.channels or 3
    return [{"op": "normalize", "mean": [0.0] * channels, "std": [255.0] * channels}]


def as_ultralytics(graph: Graph) -> tuple[Graph, AsItIs]:
    """YOLOv5's rows (1, N, 5 + classes) as Ultralytics has them, (1, 4 + classes, N): each score times the objectness.

    In operators whose meaning never changed, so that they can stand in a file of any opset.
    """
    value = graph.outputs[0]
    x, (batch, boxes, width) = value.name, value.shape
    classes = int(width) - BEFORE
    parts = {"boxes": np.arange(4), "object": np.array([4]), "classes": np.arange(BEFORE, BEFORE + classes)}
    constants = {
        f"{x}/{name}/places": Constant(row.shape, "int64", lambda row=row: row.astype(np.int64))  # type: ignore[misc]
        for name, row in parts.items()
    }
    nodes = [Node("Gather", (x, f"{x}/{name}/places"), (f"{x}/{name}",), {"axis": 2}) for name in parts]
    nodes += [
        Node("Mul", (f"{x}/classes", f"{x}/object"), (f"{x}/scores",)),
        Node("Concat", (f"{x}/boxes", f"{x}/scores"), (f"{x}/rows",), {"axis": 2}),
        Node("Transpose", (f"{x}/rows",), (f"{x}/decoded",), {"perm": (0, 2, 1)}),
    ]
    named = tuple(replace(node, name=f"qingzhou/{node.outputs[0]}") for node in nodes)
    end = Value(f"{x}/decoded", (batch, 4 + classes, boxes), value.dtype)
    added = AsItIs(named, constants, (end,))
    return added.put_on(replace(graph, outputs=(end, *graph.outputs))), added


def told(metadata: Mapping[str, str]) -> list[str]:
    """What is to be known of a detector that Ultralytics exported."""
    return [
        say(
            en="The metadata say how pictures are prepared: fitted in, grey around, divided by 255, as Ultralytics' "
            "own predict() does with exported models.",
            zh="文件里的信息说明了图片的预处理：按比例放入、四周填灰、除以 255，"
            "与 Ultralytics 的 predict() 使用导出模型时相同。",
        )
    ]
