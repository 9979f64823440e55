"""Detectors that find much, and nothing of what the labels say: judged by their own answers, and in few passes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.cocoeval import COCOeval

import qingzhou
from qingzhou.evaluate import detect as judging
from qingzhou.evaluate.detect import detect
from qingzhou.evaluate.result import Box, Case, Dataset
from qingzhou.evaluate.scenes import OVERLAP, in_place, mistakes
from qingzhou.quant.judge import judge
from qingzhou.quant.pair import Both, jackknifed_drop
from qingzhou.quant.search import Search
from qingzhou.quant.split import Split
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.detect import Detection
from yolos import checkpoint

RNG = np.random.default_rng(5)
LABELS = ["cat", "dog", "owl"]
PICTURES = 24


def boxes(count: int, score: float = 0.9) -> list[Detection]:
    """Anywhere in a picture of 200 x 200."""
    found = []
    for _ in range(count):
        (x, y), (w, h), label = RNG.uniform(0, 150, 2), RNG.uniform(5, 50, 2), int(RNG.integers(3))
        found.append(Detection(LABELS[label], label, score * RNG.uniform(0.5, 1), (x, y, x + w, y + h)))
    return found


def moved(found: list[Detection], by: float) -> list[Detection]:
    return [one._replace(box=tuple(side + RNG.normal(0, by) for side in one.box)) for one in found]


class Told:
    """Two detectors whose answers are written down."""

    card = Card("detection", "Tiny", "MMEdu", Input("x", "image", [1, 3, 8, 8], "RGB"), Output("y", "values"), LABELS)

    def __init__(self, answers: dict[str, Both]) -> None:
        self.answers = answers

    def predict(self, data: Any, threshold: float | None = None) -> Both:
        return self.answers[data]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often COCO's judge compared boxes."""
    counted: list[int] = []

    class Counted(COCOeval):  # type: ignore[misc]  # it has no types
        def evaluate(self) -> None:
            counted.append(1)
            super().evaluate()

    whole = judging.library()
    monkeypatch.setattr(judging, "library", lambda: (whole[0], Counted))
    return counted


def told() -> tuple[Told, Split]:
    """Each finds twenty boxes, the labels say one elsewhere."""
    answers = {}
    for n in range(PICTURES):
        first = boxes(20)
        answers[str(n)] = Both(first, moved(first, 1.0))
    cases = [Case(name, name, [Box(0, (190.0, 190.0, 199.0, 199.0))]) for name in answers]
    return Told(answers), Split(Dataset(Path("d"), "yolo", "all", "boxes", lambda: iter(cases)), [], cases, True)


def test_boxes_are_compared_once_for_each_model(passes: list[int]) -> None:
    """And once more by the labels, before it is seen that these say nothing."""
    pair, split = told()
    found = judge(pair, split)
    assert not found.labelled and found.why
    assert len(passes) == 3


def test_the_spread_is_that_of_judging_without_each_part() -> None:
    pair, split = told()
    found = judge(pair, split)
    own = [[Box(one.index, one.box) for one in both.before] for both in pair.answers.values()]
    every = [(Case(name, name, truth), both) for (name, both), truth in zip(pair.answers.items(), own, strict=True)]

    def lost(some: Any) -> float:
        first, second = (detect([(case, both[side]) for case, both in some], LABELS).map for side in (0, 1))
        return first - second

    assert found.drop == pytest.approx(jackknifed_drop(every, lost), abs=1e-12)


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0.0) * max(height, 0.0)
    whole = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - both
    return both / whole if whole > 0 else 0.0


def one_by_one(true: list[Box], found: list[Detection]) -> tuple[list[Any], tuple[int, int]]:
    """As the rule is told: in_place() and mistakes() of scenes.py."""
    crossed = []
    for box in true:
        near = [one for one in found if not box.crowd and overlap(box.box, one.box) >= OVERLAP]
        if near:
            crossed.append((box.label, int(max(near, key=lambda one: one.confidence).index)))
    left, surplus = list(true), 0
    for one in sorted(found, key=lambda one: -one.confidence):
        near_ones = [(overlap(box.box, one.box), i) for i, box in enumerate(left) if box.label == one.index]
        share, place = max(near_ones, key=lambda pair: pair[0], default=(0.0, 0))
        if share < OVERLAP:
            surplus += 1
        elif not left[place].crowd:
            del left[place]
    return crossed, (sum(not box.crowd for box in left), surplus)


@pytest.mark.parametrize("crowds", [0.0, 0.2])
def test_mistakes_are_those_of_the_rule(crowds: float) -> None:
    for _ in range(40):
        found = boxes(30)
        true = [Box(one.index, one.box, bool(RNG.uniform() < crowds)) for one in moved(found, 4.0)[:20] + boxes(5)]
        found += found[:3]  # equally sure, and in the same place
        true.append(Box(0, (3.0, 3.0, 3.0, 3.0)))
        crossed, missed = one_by_one(true, found)
        assert list(in_place(true, found)) == crossed
        assert mistakes(true, found) == missed


def test_boxes_that_fit_nothing_end_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels that no box fits: more layers in float would prove nothing, so none are tried, and that is said."""

    def tried(*_: Any) -> None:
        raise AssertionError("layers were tried")

    monkeypatch.setattr(Search, "gentler", tried)
    model, data = qingzhou.convert(checkpoint("11", tmp_path), form="raw", input_size=(64, 96)), tmp_path / "data"
    for place in ("images", "labels"):
        (data / place).mkdir(parents=True)
    (data / "data.yaml").write_text("path: .\nval: images\nnames: [a, b, c]\n")
    for n in range(8):
        noise = np.random.default_rng(n).integers(0, 256, (8, 12, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((96, 64)).save(data / f"images/{n}.png")
        (data / f"labels/{n}.txt").write_text("0 0.01 0.01 0.01 0.01\n")
    found = qingzhou.quantize(model.path, data, tmp_path / "new" / "small.onnx", min_agreement=100.0, any_speed=True)
    assert found.path is None and not found.kept_promise
    assert found.verdict is not None and found.verdict.why
    assert found.explanation.count("layer") + found.explanation.count("层") == 1
    assert "see to data and labels" in found.explanation or "请先检查数据和标签" in found.explanation
