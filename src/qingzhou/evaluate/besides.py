"""Masks, keypoints and turned boxes: judged as COCO judges boxes, where the data have them too."""

from __future__ import annotations

import contextlib
import importlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import say
from ..runtime.model.image import size_of
from ..runtime.model.masks import paste_mask
from .polygons import overlaps
from .result import BesideScore, Box, Case

LEAST = 1e-3  # things below this score change no figure, and their masks cost time; Ultralytics leaves them out too
MOST = {"masks": 100, "keypoints": 20, "rotated": 100}  # of a class in a picture, as COCO has it
ANY_SIZE = [0.0, 1e10]
OF_A_BOX = 0.53  # what a person covers of his box, where the data do not say it, as Ultralytics takes it
Annotations = list[dict[str, Any]]


class Besides:
    """Collected picture by picture: `true` and `found` of detect.py, with what belongs to each kind."""

    def __init__(self) -> None:
        self.given: set[str] = set()  # kinds that the model tells
        self.lacking: set[str] = set()  # and that some true box does not have
        self._true: dict[str, Annotations] = {kind: [] for kind in MOST}
        self._found: dict[str, Annotations] = {kind: [] for kind in MOST}
        self._sizes: dict[int, tuple[int, int]] = {}  # of pictures whose outlines are kept, by number
        self._points: set[int] = set()  # how many numbers keypoints have, here or there

    def add(self, number: int, case: Case, true: Annotations, answer: Sequence[Any], found: Annotations) -> None:
        """One picture's."""
        if any(box.outline for box in case.truth) and "masks" not in self.lacking:
            self._sizes[number] = size_of(case.data)
        self._points |= {len(box.keypoints) for box in case.truth if box.keypoints is not None}
        self._points |= {3 * len(one.keypoints) for one in answer if one.keypoints is not None}
        sizes = [box.outline["size"] for box in case.truth if isinstance(box.outline, dict)]
        if any(tuple(size) != self._sizes.get(number) for size in sizes):
            self.lacking.add("masks")
        if len(self._points) > 1:
            self.lacking.add("keypoints")
        for kind, part_of in TRUE.items():
            parts = [part_of(box) for box in case.truth]
            if any(part is None for part in parts):
                self.lacking.add(kind)
            self._true[kind] += [{**one, **part} for one, part in zip(true, parts, strict=True) if part is not None]
        for kind in {kind for one in answer for kind in _kinds(one)}:
            self.given.add(kind)
            if kind not in self.lacking:
                sure = [(one, entry) for one, entry in zip(answer, found, strict=True) if one.confidence >= LEAST]
                self._found[kind] += FOUND[kind](case, sure)

    def scores(self, coco: Any, coco_eval: Any, pictures: int, labels: Sequence[str]) -> list[BesideScore]:
        """Of each kind that both sides have."""
        sides = (self._sizes.get(number, (1, 1)) for number in range(1, pictures + 1))
        images = [{"id": i, "height": high, "width": wide} for i, (high, wide) in enumerate(sides, start=1)]
        categories = [{"id": number, "name": label} for number, label in enumerate(labels)]
        done = []
        for kind in (kind for kind in MOST if kind in self.given - self.lacking and self._true[kind]):
            precision = _precision(coco, coco_eval, kind, images, categories, self._true[kind], self._found[kind])
            done.append(BesideScore(kind, *(_mean(part) for part in (precision, precision[0], precision[5]))))
        return done

    @property
    def unjudged(self) -> list[str]:
        """The kinds that the model tells and the data have not."""
        return sorted(self.given & self.lacking)


def note_of(unjudged: Iterable[str]) -> list[str]:
    """What is said of them; at most one note."""
    en = {
        "masks": "masks (the data have no outlines)",
        "keypoints": "keypoints (the data have none, or others)",
        "rotated": "turned boxes (the data have no four corners)",
    }
    zh = {
        "masks": "掩码（数据里没有轮廓）",
        "keypoints": "关键点（数据里没有，或数量不同）",
        "rotated": "旋转框（数据里没有四个角点）",
    }
    some = list(unjudged)
    text = say(
        f"Only the boxes were judged, not what the model tells besides: {', '.join(en[kind] for kind in some)}.",
        f"只评估了框，没有评估模型另外给出的{'、'.join(zh[kind] for kind in some)}。",
    )
    return [text] if some else []


def _kinds(one: Any) -> list[str]:
    fields = {"masks": "mask", "keypoints": "keypoints", "rotated": "rotated"}
    return [kind for kind, field in fields.items() if getattr(one, field, None) is not None]


# -- what the data have ----------------------------------------------------------------------------------------------


def _true_mask(box: Box) -> dict[str, Any] | None:
    return None if not box.outline else {"segmentation": box.outline}


def _true_points(box: Box) -> dict[str, Any] | None:
    """Crowds have none, and count for nothing."""
    points = [] if box.keypoints is None and box.crowd else box.keypoints
    if points is None:
        return None
    x1, y1, x2, y2 = box.box
    seen = sum(1 for mark in points[2::3] if mark > 0)
    area = box.area or OF_A_BOX * (x2 - x1) * (y2 - y1)
    return {"keypoints": list(points), "num_keypoints": seen, "area": area}


def _true_corners(box: Box) -> dict[str, Any] | None:
    if not isinstance(box.outline, Sequence) or len(box.outline) != 1 or len(box.outline[0]) != 8:
        return None
    return {"corners": np.reshape(box.outline[0], (4, 2))}


TRUE = {"masks": _true_mask, "keypoints": _true_points, "rotated": _true_corners}


# -- what was found --------------------------------------------------------------------------------------------------


def _found_masks(case: Case, some: Sequence[tuple[Any, dict[str, Any]]]) -> Annotations:
    """As COCO's own run lengths, which are small."""
    size = size_of(case.data)
    return [{**entry, "segmentation": _runs(one, size)} for one, entry in some]


def _runs(one: Any, size: tuple[int, int]) -> dict[str, Any]:
    coco_mask = importlib.import_module("pycocotools.mask")
    pixels = np.zeros(size, bool) if one.mask is None else paste_mask(one.mask, one.mask_box or one.box, size)
    runs: dict[str, Any] = coco_mask.encode(np.asfortranarray(pixels, np.uint8))
    return runs


def outline_of(one: Any, picture: Any) -> Any:
    """Box.outline of a thing that was found: of its mask or its corners; None where it has neither."""
    if one.rotated is not None:
        return [[float(n) for corner in one.corners for n in corner]]
    return None if one.mask is None else _runs(one, size_of(picture))


def _found_points(case: Case, some: Sequence[tuple[Any, dict[str, Any]]]) -> Annotations:
    """Flat x, y, sureness; those without count where they are."""
    points = [[n for point in one.keypoints or () for n in (*point, 1.0)[:3]] for one, _ in some]
    return [{**entry, "keypoints": found} for (_, entry), found in zip(some, points, strict=True)]


def _found_corners(case: Case, some: Sequence[tuple[Any, dict[str, Any]]]) -> Annotations:
    return [{**entry, "corners": np.array(one.corners)} for one, entry in some]


FOUND = {"masks": _found_masks, "keypoints": _found_points, "rotated": _found_corners}


# -- COCO's judge ----------------------------------------------------------------------------------------------------


def _precision(
    coco: Any,
    coco_eval: Any,
    kind: str,
    images: Sequence[Mapping[str, Any]],
    categories: Sequence[Mapping[str, Any]],
    true: Annotations,
    found: Annotations,
) -> Any:
    """(10 limits, 101 recalls, classes); -1 where a class has no true thing."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
        sides = []
        for annotations in (true, found):
            side = coco()
            side.dataset = {"images": images, "categories": categories, "annotations": annotations}
            side.createIndex()
            sides.append(side)
        judge = coco_eval(*sides, {"masks": "segm", "keypoints": "keypoints", "rotated": "bbox"}[kind])
        judge.params.maxDets = [MOST[kind]]
        judge.params.areaRng, judge.params.areaRngLbl = [ANY_SIZE], ["all"]
        if kind == "keypoints":
            count = max((len(one["keypoints"]) // 3 for one in true), default=17)
            if count != 17:  # COCO knows how far apart people put a person's only
                judge.params.kpt_oks_sigmas = np.full(count, 1 / count)
        if kind == "rotated":
            judge.computeIoU = lambda image, category: _turned(judge, image, category)
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][..., 0, 0]


def _turned(judge: Any, image: int, category: int) -> Any:
    """COCOeval.computeIoU for boxes that are turned."""
    true, found = judge._gts[image, category], judge._dts[image, category]
    if not true and not found:
        return []
    order = np.argsort([-one["score"] for one in found], kind="mergesort")[: judge.params.maxDets[-1]]
    return overlaps([found[i]["corners"] for i in order], [one["corners"] for one in true])


def _mean(precision: Any) -> float:
    there = precision[precision > -1]
    return float(there.mean()) if there.size else 0.0
