"""What MMEdu's and mmdet's detectors share before the table of networks holds them: recording, anchors, thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from ..errors import UnsupportedCheckpoint
from ..graph.form import Graph, Value
from ..graph.record import Recorder
from ..runtime.model.card import Input, Output
from .detection import Decoding, RawLevel, Thresholds
from .detector import Box, Levels
from .one_stage import OneStage
from .pictures import unsaid
from .recorded import Recorded, Wanted
from .two_stages import TwoStages

T = TypeVar("T")
Chosen = TypeVar("Chosen", OneStage, TwoStages)
Boxes = Callable[[Recorder, Value, Levels, OneStage], tuple[Value, Value]]
LARGEST_SIDE = 1 << 13  # of an anchor, in pixels; cards hold no larger ones


def one_stage(
    build: Callable[[Recorder, Value], Levels], wanted: Wanted, entry: Input, boxes: Boxes, how: OneStage, kind: str
) -> Recorded:
    how = as_asked(how, wanted)
    net = Recorder()
    image = net.input(entry.name, tuple(1 if n is None else n for n in entry.shape))
    levels = build(net, image)
    heads = heads_of(net, levels)
    limits = Thresholds(how.score, how.most, how.iou)
    assumed = unsaid(wanted.settings.picture, wanted.picture is not None, wanted.channels or 3)
    if wanted.form == "raw":
        decoding = _decoding(levels, how, kind)
        return Recorded(heads, entry, "detection", Output("scores0", "raw"), limits, decoding, heads, assumed)
    graph = net.freeze(*boxes(net, image, levels, how), names=["dets", "labels"])
    return Recorded(graph, entry, "detection", Output("dets", "boxes"), limits, None, heads, assumed)


def heads_of(net: Recorder, levels: Levels) -> Graph:
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


def rounded_up(size: Sequence[int], multiple: int) -> list[int]:
    """To a multiple."""
    return [-(-n // multiple) * multiple for n in size]


def as_asked(how: Chosen, wanted: Wanted) -> Chosen:
    """With the thresholds that the user gave."""
    return replace(
        how,
        score=how.score if wanted.score is None else wanted.score,
        iou=how.iou if wanted.iou is None else wanted.iou,
        most=how.most if wanted.most is None else wanted.most,
    )


def said_or(said: T | None, usual: T) -> T:
    return usual if said is None else said


def check_anchors(title: str, levels: Sequence[Sequence[Box]], expected: Sequence[int]) -> None:
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
