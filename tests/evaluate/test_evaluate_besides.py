"""Masks, keypoints and turned boxes: judged where the data have them, and said where they have not."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import Boxes, paint, write

from qingzhou.errors import use_language
from qingzhou.evaluate import DetectionScore, evaluate
from qingzhou.evaluate.polygons import overlaps
from qingzhou.runtime.model.detection import Detection

SIZE = (100, 60)  # width, height
POINTS = [(10.0 + 3 * i, 10.0 + 2 * i, 2.0) for i in range(17)]
SQUARE = np.array([[20.0, 10.0], [60.0, 10.0], [60.0, 40.0], [20.0, 40.0]])


def yolo(root: Path, line: str, yaml: str = "") -> Path:
    paint(root / "images/val/1.png", size=SIZE)
    write(root / "labels/val/1.txt", line + "\n")
    write(root / "data.yaml", f"val: images/val\nnames: [cat, dog]\n{yaml}")
    return root


def shares(numbers: Any) -> str:
    """Of the picture, as YOLO's texts have them."""
    flat = np.asarray(numbers, float).reshape(-1, 2) / SIZE
    return " ".join(f"{n:.6f}" for n in flat.ravel())


def coco(root: Path, **more: Any) -> Path:
    paint(root / "1.png", size=SIZE)
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 10, 40, 30], "area": 1200, **more}
    image = {"id": 1, "file_name": "1.png", "width": SIZE[0], "height": SIZE[1]}
    content = {"images": [image], "annotations": [annotation], "categories": [{"id": 1, "name": "cat"}]}
    write(root / "instances_val.json", json.dumps(content))
    return root


def thing(**more: Any) -> Detection:
    return Detection("cat", 0, 0.9, (20.0, 10.0, 60.0, 40.0), **more)


def judged(data: Path, one: Detection) -> tuple[DetectionScore, str]:
    use_language("en")
    found = evaluate(Boxes({"1.png": [one]}), data)
    assert isinstance(found.result, DetectionScore) and found.result.map == pytest.approx(1)
    return found.result, " ".join(found.notes)


def masked(wide: int) -> Detection:
    """The left part of the box."""
    mask = np.zeros((30, 40), bool)
    mask[:, :wide] = True
    return thing(mask=mask, mask_box=(20.0, 10.0, 60.0, 40.0))


RUNS = {"size": [60, 100], "counts": [60 * 20 + 10, *([30, 30] * 39), 30, 60 * 40 + 20]}


@pytest.mark.parametrize("kind", ["yolo", "polygon", "runs"])
def test_masks(kind: str, tmp_path: Path) -> None:
    """COCO's rule: of the ten limits from 0.5 to 0.95 an overlap of 3 / 4 meets six."""
    segmentation = {"polygon": [SQUARE.ravel().tolist()], "runs": RUNS}
    data = yolo(tmp_path, f"0 {shares(SQUARE)}") if kind == "yolo" else coco(tmp_path, segmentation=segmentation[kind])
    for wide, limits in ((40, 10), (30, 6), (10, 0)):
        result, notes = judged(data, masked(wide))
        (score,) = result.besides
        assert score.kind == "masks" and score.map == pytest.approx(limits / 10, abs=0.11)
        assert score.map50 == pytest.approx(float(limits > 0))
        assert "Only the boxes" not in notes
    assert "masks" in result.as_dict()


@pytest.mark.parametrize("each", [2, 3])
@pytest.mark.parametrize("count", [17, 5])
def test_keypoints(each: int, count: int, tmp_path: Path) -> None:
    points = [point[:each] for point in POINTS[:count]]
    text = " ".join(f"{n:.6f}" for x, y, *seen in points for n in (x / SIZE[0], y / SIZE[1], *seen))
    data = yolo(tmp_path, f"0 0.4 0.416667 0.4 0.5 {text}", f"kpt_shape: [{count}, {each}]\n")
    found = tuple((x, y, 0.8)[:each] for x, y, *_ in points)
    result, _ = judged(data, thing(keypoints=found))
    assert [(one.kind, one.map) for one in result.besides] == [("keypoints", pytest.approx(1))]
    far = tuple((x + 40, y, *rest) for x, y, *rest in found)
    assert judged(data, thing(keypoints=far))[0].besides[0].map == 0


def test_keypoints_of_coco(tmp_path: Path) -> None:
    data = coco(tmp_path, keypoints=[n for point in POINTS for n in point], num_keypoints=17)
    found = tuple((x, y, 0.8) for x, y, _ in POINTS)
    assert judged(data, thing(keypoints=found))[0].besides[0].map == pytest.approx(1)
    result, notes = judged(data, thing(keypoints=found[:5]))
    assert not result.besides and "keypoints (the data have none, or others)" in notes


def test_turned_boxes(tmp_path: Path) -> None:
    one = thing(rotated=(40.0, 25.0, 30.0, 16.0, 0.5))
    data = yolo(tmp_path, f"0 {shares(one.corners)}")
    around = np.array(one.corners)
    one = one._replace(box=(*around.min(axis=0).tolist(), *around.max(axis=0).tolist()))
    result, _ = judged(data, one)
    assert [(score.kind, score.map) for score in result.besides] == [("rotated", pytest.approx(1))]
    turned = one._replace(rotated=(40.0, 25.0, 30.0, 16.0, -0.5))
    assert judged(data, turned)[0].besides[0].map < 0.3, "the box around it is the same, and the thing another"


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (masked(40), "masks (the data have no outlines)"),
        (thing(keypoints=((1.0, 2.0, 0.5),)), "keypoints (the data have none"),
        (thing(rotated=(40.0, 25.0, 40.0, 30.0, 0.0)), "turned boxes (the data have no four corners)"),
    ],
)
def test_what_the_data_have_not_is_said(one: Detection, said: str, tmp_path: Path) -> None:
    result, notes = judged(yolo(tmp_path, "0 0.4 0.416667 0.4 0.5"), one)
    assert not result.besides and said in notes and len(result.unjudged) == 1


@pytest.mark.parametrize(
    "segmentation",
    [[], [[1]], [["x"] * 6], [[1e300] * 6], {}, {"size": [1], "counts": [1]}, {"size": [60, 100], "counts": [1]},
     {"size": [60, 100], "counts": "x" * 9}, {"size": [2, 3], "counts": [6]}, {"size": [10**9] * 2, "counts": []}, 5],
)  # fmt: skip
def test_outlines_that_are_none(segmentation: Any, tmp_path: Path) -> None:
    """Nothing of them reaches COCO's library: only the boxes are judged, which is said."""
    result, notes = judged(coco(tmp_path, segmentation=segmentation), masked(40))
    assert not result.besides and "no outlines" in notes


def test_what_turned_boxes_share() -> None:
    unit = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    diamond = unit @ np.array([[1, 1], [-1, 1]]) / math.sqrt(2) + np.array(
        [1, 1 - math.sqrt(2)]
    )  # turned by 45 degrees
    octagon = 8 * (math.sqrt(2) - 1)
    cases = [unit, unit[::-1], unit + np.array([1, 0]), unit + np.array([2, 0]), unit * 0.5 + 0.5, diamond]
    expected = [1, 1, 2 / 6, 0, 1 / 4, octagon / (8 - octagon)]
    np.testing.assert_allclose(overlaps([unit], cases)[0], expected, atol=1e-9)
    np.testing.assert_allclose(overlaps(cases, [unit])[:, 0], expected, atol=1e-9)
