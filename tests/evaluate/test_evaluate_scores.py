"""The numbers, against numbers that were worked out by hand, published, or computed in another way."""

from __future__ import annotations

import contextlib
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from fakes import Boxes, Eye, coco, paint
from onnx import TensorProto, helper, numpy_helper

from qingzhou.errors import InputError
from qingzhou.evaluate import Box, Case, DetectionScore, evaluate
from qingzhou.evaluate.ask import Count, asked
from qingzhou.evaluate.classify import classify, rank, wilson
from qingzhou.evaluate.detect import detect
from qingzhou.evaluate.regress import regress
from qingzhou.labels import Matcher
from qingzhou.runtime.model.card import KEY, Card, Input, Output
from qingzhou.runtime.model.detect import Detection
from qingzhou.runtime.predict import Prediction


def answer(index: int, classes: int = 3) -> Prediction:
    return Prediction(f"c{index}", index, 0.5, np.eye(classes, dtype=np.float32)[index])


@pytest.mark.parametrize(
    ("right", "judged", "low", "high"),
    [(8, 10, 0.4901625, 0.9433178), (0, 10, 0.0, 0.2775328), (10, 10, 0.7224672, 1.0), (81, 263, 0.2552690, 0.3662097)],
)
def test_wilson(right: int, judged: int, low: float, high: float) -> None:
    """The last: Newcombe 1998, table I (0.2553, 0.3662)."""
    assert wilson(right, judged) == (pytest.approx(low, abs=2e-5), pytest.approx(high, abs=2e-5))


def test_precision_and_recall_by_hand() -> None:
    """c0: 3 of which 2 right, 1 taken for c1; c1: 1 right; c2: 1, taken for c1; nothing is ever called c2."""
    pairs = [(0, 0), (0, 0), (0, 1), (1, 1), (2, 1)]
    result = classify([(Case(str(i), None, t), answer(a)) for i, (t, a) in enumerate(pairs)], ["c0", "c1", "c2"])
    assert result.confusion.tolist() == [[2, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert (result.judged, result.right, result.wrong, result.accuracy, result.top5) == (5, 3, 2, 0.6, None)
    assert [tuple(score) for score in result.classes] == [
        ("c0", 1.0, 2 / 3, 3),
        ("c1", 1 / 3, 1.0, 1),
        ("c2", None, 0.0, 1),
    ]
    assert [tuple(example) for example in result.examples] == [("2", "c0", "c1", 0.5), ("4", "c2", "c1", 0.5)]
    assert result.mistakes == [("c0", "c1", 1), ("c2", "c1", 1)]


def test_among_five_with_six_classes() -> None:
    scores = np.float32([6, 5, 4, 3, 2, 1])
    cases = [(Case("", None, truth), Prediction("c0", 0, 1.0, scores)) for truth in range(6)]
    assert classify(cases, list("abcdef")).top5 == 5 / 6


def test_equal_scores_rank_as_argmax_takes_them() -> None:
    scores = np.float32([1, 3, 3, 2, 3])
    assert [rank(scores, place) for place in range(5)] == [4, 0, 1, 3, 2]
    assert rank(scores, int(scores.argmax())) == 0


def test_at_most_48_examples_all_counted() -> None:
    result = classify([(Case("", None, 0), answer(1)) for _ in range(50)], ["c0", "c1", "c2"])
    assert (result.wrong, len(result.examples)) == (50, 48)


def test_memory_does_not_grow_with_the_pictures() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)

    def peak(pictures: int) -> int:
        cases = (Case(f"picture {i}", picture + np.uint8(i % 2), i % 3) for i in range(pictures))
        tracemalloc.start()
        classify(asked(cases, Eye(), Count()), ["red", "green", "blue"])
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(100)
    assert peak(4000) < peak(400) + 100_000


def test_several_values_and_large_ones() -> None:
    """Two outputs, far from zero; against numpy on the whole arrays."""
    rng = np.random.Generator(np.random.PCG64(3))
    truth = rng.normal(1e6, 1, (500, 2))
    found = truth + rng.normal(0, 0.5, (500, 2))
    result = regress((Case("", None, t), Prediction("", 0, float("nan"), f)) for t, f in zip(truth, found, strict=True))
    errors = found - truth
    assert result.mae == pytest.approx(np.abs(errors).mean())
    assert result.rmse == pytest.approx(np.sqrt((errors**2).mean()))
    r2 = 1 - (errors**2).sum(axis=0) / ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    assert result.r2 == pytest.approx(r2.mean(), rel=1e-6)
    same = regress([(Case("", None, np.array([2.0])), Prediction("", 0, float("nan"), np.array([2.5])))])
    assert (same.mae, same.r2) == (0.5, None)


# -- labels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "names", "truth", "place"),
    [
        (["cat", "dog"], [], "dog", 1),
        (["cat", "dog"], [], " dog", 1),
        (["cat", "dog"], [], "Dog", None),
        (["cat", "dog"], [], "1", None),  # a folder called 1 is not the class dog
        (["cat", "dog"], [], 1, 1),
        (["cat", "dog"], [], 2, None),
        (["cat", "dog"], [], -1, None),
        (["cat", "dog"], ["dog", "cat"], 0, 1),  # the data's own numbers
        (["cat", "dog"], ["dog", "bird"], 1, None),
        (["cat", "dog"], ["dog", "bird"], 5, None),
        (["0", "1", "10"], [], "01", 1),
        (["0", "1", "10"], [], 10, 2),
        (["1", "2", "3"], [], 1, 0),
        (["1", "2", "3"], [], 0, None),
        (["e\u0301cole"], [], "\u00e9cole", 0),
        (["猫", "狗"], [], "狗", 1),
    ],
)
def test_labels_are_matched(labels: list[str], names: list[str], truth: Any, place: int | None) -> None:
    assert Matcher(labels, names).place(truth) == place


# -- boxes ----------------------------------------------------------------------------------------------------------

CAT = (10.0, 10.0, 30.0, 30.0)


def judged(true: list[Box], found: list[Detection]) -> Any:
    return detect([(Case("", None, true), found)], ["cat", "dog"])


def test_average_precision_by_hand() -> None:
    """One of two cats found: precision 1 up to recall 0.5, that is at 51 of 101 recalls. Dogs: none there, no AP."""
    result = judged([Box(0, CAT), Box(0, (50, 50, 60, 60))], [Detection("cat", 0, 0.9, CAT)])
    assert (result.map, result.map50, result.map75) == (pytest.approx(51 / 101),) * 3
    assert [tuple(score) for score in result.classes] == [
        ("cat", pytest.approx(51 / 101), pytest.approx(51 / 101), 2),
        ("dog", None, None, 0),
    ]


def test_overlap_decides_at_which_limits_a_box_counts() -> None:
    """Overlap 15.6 x 20 of 20 x 20: IoU 0.78, enough for 0.50 to 0.75, six of the ten limits."""
    result = judged([Box(0, CAT)], [Detection("cat", 0, 0.9, (10, 10, 25.6, 30))])
    assert (result.map, result.map50, result.map75) == (pytest.approx(0.6), pytest.approx(1), pytest.approx(1))


def test_a_wrong_box_above_the_right_one_halves_the_precision() -> None:
    wrong = Detection("cat", 0, 0.95, (60, 60, 80, 80))
    assert judged([Box(0, CAT)], [wrong, Detection("cat", 0, 0.9, CAT)]).map == pytest.approx(0.5)
    assert judged([Box(0, CAT)], [wrong._replace(confidence=0.1), Detection("cat", 0, 0.9, CAT)]).map == pytest.approx(
        1
    )
    assert judged([Box(0, CAT)], [Detection("dog", 1, 0.9, CAT)]).map == 0
    assert judged([Box(0, CAT)], []).map == 0


def test_boxes_in_a_crowd_count_neither_way() -> None:
    crowd = Box(0, (50, 50, 90, 90), crowd=True)
    result = judged([Box(0, CAT), crowd], [Detection("cat", 0, 0.95, (55, 55, 65, 65)), Detection("cat", 0, 0.9, CAT)])
    assert (result.map, result.boxes) == (pytest.approx(1), 1)


def random_pictures(pictures: int) -> Iterator[tuple[Case, list[Detection]]]:
    rng = np.random.Generator(np.random.PCG64(5))

    def box() -> tuple[float, float, float, float]:
        x, y, w, h = rng.uniform(4, 60, 4)
        return (x, y, x + w, y + h)

    for number in range(pictures):
        true = [Box(int(rng.integers(2)), box(), bool(rng.random() < 0.1)) for _ in range(rng.integers(0, 6))]
        found = []
        for one in true:
            moved = tuple(np.add(one.box, rng.normal(0, 3, 4)))
            index = one.label if rng.random() < 0.9 else 1 - one.label  # type: ignore[operator]
            found.append(Detection("", index, float(rng.random()), moved))  # type: ignore[arg-type]
        found += [Detection("", int(rng.integers(2)), float(rng.random()) / 2, box()) for _ in range(3)]
        yield Case(str(number), None, true), found


def test_as_the_library_itself_summarises() -> None:
    """COCO's own path: files, loadRes, summarize with all areas and 1, 10 and 100 boxes."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    true, found = [], []
    for image, (case, answers) in enumerate(random_pictures(60), start=1):
        for box in case.truth:
            x1, y1, x2, y2 = box.box
            true.append(
                {
                    "id": len(true) + 1,
                    "image_id": image,
                    "category_id": box.label,
                    "iscrowd": int(box.crowd),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                }
            )
        for one in answers:
            x1, y1, x2, y2 = one.box
            found.append([image, x1, y1, x2 - x1, y2 - y1, one.confidence, one.index])
    with contextlib.redirect_stdout(io.StringIO()):
        side = COCO()
        side.dataset = {
            "images": [{"id": i} for i in range(1, 61)],
            "annotations": true,
            "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
        }
        side.createIndex()
        judge = COCOeval(side, side.loadRes(np.array(found)), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    result = detect(random_pictures(60), ["cat", "dog"])
    assert 0.05 < result.map < 0.95
    assert [result.map, result.map50, result.map75] == pytest.approx(list(judge.stats[:3]), abs=1e-12)
    assert np.mean([score.ap for score in result.classes]) == pytest.approx(result.map)


def test_a_box_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        judged([Box(0, CAT)], [Detection("cat", 0, 0.9, (0, 0, float("nan"), 1))])
    assert "no number" in caught.value.en and "不是有效数字" in caught.value.zh


def test_a_real_network_with_boxes(tmp_path: Path) -> None:
    """It always says: a dog, and a cat below its threshold, in pixels of the 64 x 64 made from a picture of 32 x 16."""
    rows = np.float32([[20, 20, 60, 60, 0.9], [0, 0, 20, 40, 0.1], [0, 0, 0, 0, 0]])[None]
    values = {"rows": rows, "numbers": np.int64([[1, 0, 0]]), "zero": np.float32(0)}
    weights = [numpy_helper.from_array(value, name) for name, value in values.items()]
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["rows", "nothing"], ["dets"]),
        helper.make_node("Identity", ["numbers"], ["labels"]),
    ]
    ends = (
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 64, 64])],
        [
            helper.make_tensor_value_info("dets", TensorProto.FLOAT, [1, 3, 5]),
            helper.make_tensor_value_info("labels", TensorProto.INT64, [1, 3]),
        ],
    )
    graph = helper.make_graph(nodes, "tiny", *ends, initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    steps = [{"op": "resize", "size": [64, 64], "interpolation": "cv2"}]
    text = Card(
        "detection",
        "Tiny",
        "MMEdu",
        Input("input", "image", [1, 3, 64, 64], "RGB", steps),
        Output("dets", "boxes"),
        ["cat", "dog"],
        thresholds={"score": 0.3, "iou": 0.5, "most": 3},
    )
    helper.set_model_props(model, {KEY: text.to_json()})
    onnx.save(model, str(tmp_path / "tiny.onnx"))
    paint(tmp_path / "images" / "1.png", size=(32, 16))
    boxes = [(1, 1, [10, 5, 20, 10], 0), (1, 2, [0, 0, 10, 10], 0)]
    file = coco(tmp_path / "annotations" / "a.json", [(1, "1.png", 32, 16)], boxes, {1: "dog", 2: "cat"})
    result = evaluate(tmp_path / "tiny.onnx", file).result
    assert isinstance(result, DetectionScore)
    assert (result.found, result.map) == (2, pytest.approx(1))


def test_a_detector_is_asked_without_a_threshold(tmp_path: Path) -> None:
    paint(tmp_path / "images" / "1.png", size=(100, 50))
    file = coco(tmp_path / "annotations" / "a.json", [(1, "1.png", 100, 50)], [(1, 1, [0, 0, 9, 9], 0)], {1: "cat"})
    detector = Boxes({"1.png": [Detection("cat", 0, 0.01, (0, 0, 9, 9))]})
    assert evaluate(detector, file).result.as_dict()["map"] == pytest.approx(1)
    assert detector.thresholds == [0.0]
