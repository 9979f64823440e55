"""Boxes: COCO's mean average precision, computed by COCO's own library (pycocotools)."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ExtraMissing, InputError
from ..labels import Matcher
from .ask import Count, Predicts
from .besides import LEAST, Besides
from .result import Box, Case, ClassPrecision, DetectionScore
from .scenes import Scenes

MOST = 100  # boxes of a class in a picture that count, as COCO has it
ANY_SIZE = [0.0, 1e10]
OfSome = Callable[[Sequence[int]], float]


def lowest(predictor: Predicts) -> Callable[[Any], Any]:
    """Ask for every box however unsure, where the predictor takes a threshold: the mean over all recalls needs them. Of
    models of Ultralytics, which give thousands, for those that its own judge looks at.

    What is built into the network stays: the score and IoU limits of its own suppression, and the most boxes that it
    gives for a picture (MMEdu: 0.05 and 100 for Faster R-CNN and YOLOv3; 200 for SSDLite).
    """
    card = predictor.card
    ultralytics = card.output.scores == "rows" or (card.decoding or {}).get("kind") == "ultralytics"
    if "threshold" in inspect.signature(predictor.predict).parameters:
        least = LEAST if ultralytics else 0.0
        return lambda picture: predictor.predict(picture, threshold=least)  # type: ignore[call-arg]  # it was looked up
    return predictor.predict


def placed(cases: Iterable[Case], matcher: Matcher, count: Count) -> Iterator[Case]:
    """The true boxes with positions in the card's labels; those of classes that the model does not know are counted."""
    for case in cases:
        boxes = []
        for box in case.truth:
            place = matcher.place(box.label)
            if place is None:
                count.unknown[matcher.title(box.label)] += 1
            else:
                boxes.append(box._replace(label=place))
        yield case._replace(truth=boxes)


def detect(answered: Iterable[tuple[Case, Any]], labels: Sequence[str], beside: bool = False) -> DetectionScore:
    """Detections beside true boxes -> mAP; `beside`: also of what they tell besides. Boxes are kept in memory, pictures
    are not.
    """
    return compared(answered, labels, beside)[0]


def compared(
    answered: Iterable[tuple[Case, Any]], labels: Sequence[str], beside: bool = False
) -> tuple[DetectionScore, OfSome]:
    """detect(), and the mAP of some of the same pictures, by their positions: no box is compared again for that."""
    parts = library()
    true: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    pictures, scenes, besides = 0, Scenes(), Besides()
    for case, answer in scenes.passing(answered):
        pictures += 1
        own = [_true(box, pictures, len(true) + i) for i, box in enumerate(case.truth, start=1)]
        seen = [_found(one, case, pictures, len(found) + i) for i, one in enumerate(answer, start=1)]
        if beside:
            besides.add(pictures, case, own, answer, seen)
        true += own
        found += seen
    judge = _judge(*parts, pictures, labels, true, found)
    precision = _precision(judge, judge.evalImgs, pictures)
    boxes = np.bincount([box["category_id"] for box in true if not box["iscrowd"]], minlength=len(labels))
    classes = [
        ClassPrecision(label, _mean(precision[:, :, i]), _mean(precision[0, :, i]), int(boxes[i]))
        for i, label in enumerate(labels)
    ]
    of_all, of_50, of_75 = (_mean(part) for part in (precision, precision[0], precision[5]))
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    for places, times in scenes.crossed.items():
        confusion[places] = times
    score = DetectionScore(
        pictures,
        of_all or 0.0,
        of_50 or 0.0,
        of_75 or 0.0,
        classes,
        int(boxes.sum()),
        len(found),
        confusion,
        scenes.worst,
        besides.scores(*parts, pictures, labels),
        besides.unjudged,
    )
    return score, _of_some(judge, pictures)


def _true(box: Box, picture: int, number: int) -> dict[str, Any]:
    x1, y1, x2, y2 = box.box
    return {
        "id": number,
        "image_id": picture,
        "category_id": box.label,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": box.area or (x2 - x1) * (y2 - y1),
        "iscrowd": int(box.crowd),
    }


def _found(one: Any, case: Case, picture: int, number: int) -> dict[str, Any]:
    """A Detection (label, index, confidence, box in pixels, …) as COCO's library takes it."""
    x1, y1, x2, y2 = (float(side) for side in one.box)
    if not np.isfinite([x1, y1, x2, y2, one.confidence]).all():
        raise InputError(
            en=f"For {case.source} the model gives a box that is no number. Convert the checkpoint again.",
            zh=f"模型对 {case.source} 给出的框不是有效数字。请重新转换权重文件。",
        )
    return {
        "id": number,
        "image_id": picture,
        "category_id": int(one.index),
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": (x2 - x1) * (y2 - y1),
        "iscrowd": 0,
        "score": float(one.confidence),
    }


def _judge(coco: Any, coco_eval: Any, pictures: int, labels: Sequence[str], true: Any, found: Any) -> Any:
    """COCO's judge, which has compared the boxes of every picture."""
    images = [{"id": number} for number in range(1, pictures + 1)]
    categories = [{"id": number, "name": label} for number, label in enumerate(labels)]
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
        sides = []
        for annotations in (true, found):
            side = coco()
            side.dataset = {"images": images, "categories": categories, "annotations": annotations}
            side.createIndex()
            sides.append(side)
        judge = coco_eval(*sides, "bbox")
        judge.params.maxDets = [MOST]
        judge.params.areaRng, judge.params.areaRngLbl = [ANY_SIZE], ["all"]
        judge.evaluate()
    return judge


def _precision(judge: Any, compared: Sequence[Any], pictures: int) -> Any:
    """(10 IoU limits, 101 recalls, classes) of so many pictures; -1 where a class has no true box.

    compared  class by class, and in each picture by picture, as the judge's `evalImgs` is
    """
    judge.params.imgIds = judge._paramsEval.imgIds = list(range(1, pictures + 1))
    judge.evalImgs = compared
    with contextlib.redirect_stdout(io.StringIO()):
        judge.accumulate()
    return judge.eval["precision"][..., 0, 0]


def _of_some(judge: Any, pictures: int) -> OfSome:
    every = judge.evalImgs

    def of_some(places: Sequence[int]) -> float:
        starts = range(0, len(every), pictures)
        return _mean(_precision(judge, [every[start + i] for start in starts for i in places], len(places))) or 0.0

    return of_some


def _mean(precision: Any) -> float | None:
    there = precision[precision > -1]
    return float(there.mean()) if there.size else None


def library() -> tuple[Any, Any]:
    """pycocotools' COCO and COCOeval: COCO's own code, BSD, which needs numpy only. ExtraMissing."""
    try:
        parts = [importlib.import_module(f"pycocotools.{name}") for name in ("coco", "cocoeval")]
    except ImportError as err:
        raise ExtraMissing(
            en=f"Boxes are judged by pycocotools, which is not there ({err}). Install it: "
            'pip install "qingzhou[evaluate]"',
            zh=f'评估目标检测需要 pycocotools，但没有找到（{err}）。请安装：pip install "qingzhou[evaluate]"',
        ) from None
    return parts[0].COCO, parts[1].COCOeval
