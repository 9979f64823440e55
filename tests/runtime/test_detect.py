"""Boxes: decoding against torch's, suppression against one box at a time, and back into the pixels of the picture."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from qingzhou.errors import InputError, ModelError, SelfTestFailed
from qingzhou.nets import ssdlite, yolov3
from qingzhou.nets.one_stage import Decoding
from qingzhou.runtime import draw as drawing
from qingzhou.runtime import load
from qingzhou.runtime.model.card import KEY, Card, Input, Output, Sample
from qingzhou.runtime.model.detect import Detection, Found, locate, nms, paste_mask, read, run_lengths
from qingzhou.runtime.model.image import read_image
from qingzhou.runtime.model.overlap import BLOCK
from qingzhou.runtime.model.prepare import View, fit_within, prepare, prepare_view, resize
from qingzhou.runtime.model.sample import sample_picture
from qingzhou.scenes import write_sample

ORACLE = Path(__file__).parents[1] / "oracle" / "mmdet"
NORMAL = {"op": "normalize", "mean": [10.0] * 3, "std": [2.0] * 3}
LIMITS = {"score": 0.5, "iou": 0.45, "most": 200}


def iou(a: Any, b: Any) -> Any:
    """(n, m) of the boxes (n, 4) and (m, 4); plainly."""
    sides = (np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])).clip(0)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (a, b)]
    shared = sides.prod(axis=2)
    with np.errstate(all="ignore"):
        return shared / (areas[0][:, None] + areas[1] - shared)


# -- raw heads --------------------------------------------------------------------------------------------------------


def raw_card(kind: str, how: Decoding, side: int, heads: str, deltas: str = "") -> Card:
    levels = [
        {
            "scores": heads % i,
            **({"deltas": deltas % i} if deltas else {}),
            "stride": stride,
            "anchors": [list(map(float, box)) for box in anchors],
        }
        for i, (anchors, stride) in enumerate(zip(how.anchors, how.strides, strict=True))
    ]
    decoding = {
        "kind": kind,
        "levels": levels,
        "stds": list(how.stds),
        "candidates": how.candidates,
        "confidence": how.confidence,
    }
    card = Card(
        "detection",
        "D",
        "MMEdu",
        Input("input", "image", [1, 3, side, side], "RGB"),
        Output(heads % 0, "raw"),
        thresholds={"score": how.score, "iou": how.iou, "most": how.most},
        decoding=decoding,
    )
    return Card.from_json(card.to_json())


RAW = {
    "SSD_Lite": raw_card("ssd", ssdlite.default_decoding(), 320, "cls_score_%d", "bbox_pred_%d"),
    "Yolov3": raw_card("yolo", yolov3.default_decoding(), 416, "pred_map_%d"),
}


def heads(name: str) -> dict[str, Any]:
    with np.load(ORACLE / name / "reference.npz") as file:
        return {key: file[key] for key in file.files}


@pytest.mark.parametrize("name", RAW)
def test_raw_heads_give_torchs_boxes(name: str) -> None:
    outputs = heads(name)
    boxes, labels = outputs.pop("torch_boxes"), outputs.pop("torch_labels")
    found = read(outputs, RAW[name])
    assert len(found.boxes) == len(boxes) and (np.diff(found.scores) <= 0).all()
    same = iou(boxes[:, :4], found.boxes) >= 0.999
    same &= (labels[:, None] == found.labels) & (np.abs(boxes[:, 4:] - found.scores) <= 1e-4)
    assert same.any(axis=1).all() and same.any(axis=0).all()


@pytest.mark.parametrize("name", RAW)
def test_another_threshold(name: str) -> None:
    """A higher one leaves the surest; the suppression is not touched, since only better boxes suppress."""
    outputs, card = heads(name), RAW[name]
    usual, sure = read(outputs, card), read(outputs, card, 0.6)
    np.testing.assert_array_equal(sure.rows(), usual.take(usual.scores > 0.6).rows())
    assert not len(read(outputs, card, 1.0).boxes)
    assert (read(outputs, card, 0.4).scores > 0.4).all()
    for wrong in (-0.1, 1.5, float("nan")):
        with pytest.raises(InputError):
            read(outputs, card, wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30])
@pytest.mark.parametrize("name", RAW)
def test_heads_of_nonsense_give_no_nonsense(name: str, value: float) -> None:
    outputs = {key: np.full_like(array, value) for key, array in heads(name).items() if array.ndim == 4}
    found = read(outputs, RAW[name])
    assert np.isfinite(found.rows()).all() and len(found.boxes) <= 200


@pytest.mark.parametrize("name", RAW)
def test_heads_of_other_sizes_are_refused(name: str) -> None:
    outputs = heads(name)
    for shape in ((1,), (1, 7, 2, 2), (2, 24, 3, 3), (1, 24, 0, 0), ()):
        key = RAW[name].output.name
        try:
            found = read({**outputs, key: np.zeros(shape, np.float32)}, RAW[name])
        except ModelError:
            continue
        assert shape == (1, 24, 0, 0) and np.isfinite(found.rows()).all()
    with pytest.raises(ModelError):
        read({**outputs, RAW[name].output.name: np.array(["a"])}, RAW[name])


# -- suppression ------------------------------------------------------------------------------------------------------


def one_by_one(boxes: Any, scores: Any, labels: Any, limit: float) -> list[int]:
    """Greedy, as every book describes it."""
    apart = iou(boxes, boxes)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable").tolist():
        if not any(labels[i] == labels[j] and apart[j, i] > np.float32(limit) for j in kept):
            kept.append(i)
    return kept


def some_boxes(seed: int, count: int, classes: int, ties: bool) -> tuple[Any, Any, Any]:
    """Boxes around a few things; in 16ths of pixels, so that every order of computing gives the same overlaps."""
    chance = np.random.default_rng(seed)
    corner, size = chance.integers(0, 600, (12, 2)), chance.integers(8, 200, (12, 2))
    things = np.hstack([corner, corner + size])[chance.integers(12, size=count)]
    boxes = (things + chance.integers(-96, 96, (count, 4)) / 16).astype(np.float32)
    scores = chance.integers(1, 20, count) / 20 if ties else chance.permutation(count) / count
    return boxes, scores.astype(np.float32), chance.integers(0, classes, count)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(0, 900),
    classes=st.sampled_from([1, 3, 80]),
    limit=st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]),
)
def test_nms_is_one_by_one(seed: int, count: int, classes: int, limit: float) -> None:
    boxes, scores, labels = some_boxes(seed, count, classes, ties=False)
    expected = one_by_one(boxes, scores, labels, limit)
    assert nms(boxes, scores, labels, limit, 10**6).tolist() == expected
    assert nms(boxes, scores, labels, limit, 7).tolist() == expected[:7]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 900), classes=st.sampled_from([1, 3, 80]))
def test_nms_with_equal_scores(seed: int, count: int, classes: int) -> None:
    """Within a label the first of equals stays; the order among labels is free."""
    boxes, scores, labels = some_boxes(seed, count, classes, ties=True)
    assert sorted(nms(boxes, scores, labels, 0.5, 10**6)) == sorted(one_by_one(boxes, scores, labels, 0.5))


def test_nms_of_many_alike() -> None:
    count = 30_000
    scores, labels = np.linspace(0, 1, count).astype(np.float32), np.arange(count) % 3
    equal = np.tile(np.float32([5, 5, 50, 50]), (count, 1))
    assert nms(equal, scores, labels, 0.5, 100).tolist() == [count - 1, count - 2, count - 3]
    assert nms(equal, np.ones(count), labels, 0.5, 100).tolist() == [0, 1, 2]
    empty = np.zeros((count, 4), np.float32)
    assert nms(empty, scores, labels, 0.5, 100).tolist() == list(range(count - 1, count - 101, -1))
    assert len(nms(empty[: 3 * BLOCK], scores[: 3 * BLOCK], labels[: 3 * BLOCK], 0.0, 10**6)) == 3 * BLOCK
    assert nms(empty[:0], scores[:0], labels[:0], 0.5, 100).tolist() == []


def test_nms_of_odd_numbers() -> None:
    boxes = np.float32([[0, 0, 9, 9], [0, 0, np.nan, 9], [0, 0, np.inf, 9], [0, 0, 9, 9], [9, 9, 0, 0]])
    kept = nms(boxes, np.float32([0.9, 0.8, 0.7, np.nan, 0.5]), np.array([2**40, 0, 0, 2**40, -5]), 0.5, 9)
    assert kept.tolist() == [0, 1, 2, 4]


# -- pictures ---------------------------------------------------------------------------------------------------------


with np.load(str(Path(__file__).with_name("keep_ratio.npz"))) as golden:
    RATIO = {name: golden[name] for name in golden.files}


def pattern(height: int, width: int) -> Any:
    y, x, k = np.mgrid[:height, :width, :3]
    return ((x * x * 7 + y * y * 13 + x * y * 5 + k * 91 + (x * 31 ^ y * 17)) % 256).astype(np.uint8)


@pytest.mark.parametrize("name", sorted(name[:-5] for name in RATIO if name.endswith("_size")))
def test_resize_within(name: str) -> None:
    """Sizes by mmcv 1.4's rule, pixels by cv2.resize 5.0.0; made by themselves, without this package."""
    before, within = ([int(n) for n in part.split("x")] for part in name.split("_"))
    height, width = fit_within(within, *before)
    assert [height, width] == RATIO[name + "_size"].tolist() and fit_within(within[::-1], *before) == (height, width)
    found = resize(pattern(*before), height, width, "cv2")
    assert found.sum(dtype=np.int64) == RATIO[name + "_sum"][0]
    np.testing.assert_array_equal(found[:: max(1, height // 5), :: max(1, width // 20)], RATIO[name + "_rows"])


def entry(shape: Any, *steps: Any) -> Input:
    return Input("input", "image", [1, 3, *shape], "RGB", list(steps))


def within(long: int, short: int) -> Any:
    return {"op": "resize", "within": [long, short], "interpolation": "cv2"}


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(1, 5000, (32, 1344)), (5000, 1, (1344, 32)), (3, 2, (1216, 800)), (480, 640, (800, 1088)), (1, 1, (800, 800))],
)
def test_padding_to_a_multiple(height: int, width: int, expected: Any) -> None:
    steps = within(1333, 800), NORMAL, {"op": "pad_to", "multiple": 32}
    batch, view = prepare_view(np.full((height, width, 3), 250, np.uint8), entry((None, None), *steps))
    assert batch.shape == (1, 3, *expected) and batch.dtype == np.float32
    inside = round(height * view.scale_y), round(width * view.scale_x)
    assert (batch[0, :, : inside[0], : inside[1]] == 120).all()
    assert not batch[0, :, inside[0] :].any() and not batch[0, :, :, inside[1] :].any()


def test_padding_to_a_size() -> None:
    steps = within(64, 64), NORMAL, {"op": "pad_to", "size": [64, 64]}
    assert prepare(pattern(30, 60), entry((64, 64), *steps)).shape == (1, 3, 64, 64)
    grey = Input("input", "image", [1, 1, 8, 9], "GRAY", [{"op": "pad_to", "size": [8, 9]}])
    batch = prepare(np.full((4, 5), 7, np.uint8), grey)
    assert batch.shape == (1, 1, 8, 9) and batch.sum() == 7 * 20


SQUASH = {"op": "resize", "size": [64, 96], "interpolation": "cv2"}
WAYS = [
    [SQUASH],
    [within(90, 60), {"op": "pad_to", "size": [64, 96]}],
    [{"op": "resize", "short": 64, "interpolation": "cv2"}, {"op": "center_crop", "size": [64, 96]}],
    [{"op": "center_crop", "size": [101, 203]}, SQUASH],
    [{"op": "center_crop", "size": [32, 31]}],
    [{"op": "pad", "border": [7, 5, 3, 2], "value": 0}, within(96, 96), {"op": "pad_to", "multiple": 32}],
    [],
]


@pytest.mark.parametrize("steps", WAYS)
@pytest.mark.parametrize("size", [(100, 200), (200, 100), (63, 95)])
def test_boxes_return_to_where_they_were(size: Any, steps: Any) -> None:
    """A white rectangle is drawn, prepared, found in the array, and brought back."""
    picture = np.zeros((*size, 3), np.uint8)
    top, left = size[0] // 2 - 10, size[1] // 2 - 8
    picture[top : top + 24, left : left + 15] = 255
    batch, view = prepare_view(picture, entry((64, 96), *steps))
    ys, xs = (np.flatnonzero((batch[0, 0] > 127).any(axis=axis)) for axis in (1, 0))
    box = np.float32([[xs[0], ys[0], xs[-1] + 1, ys[-1] + 1]])
    [found] = locate(Found(box, np.float32([0.9]), np.array([0])), ["a"], view)
    slack = 1.01 * max(1, 1 / view.scale_x, 1 / view.scale_y)
    np.testing.assert_allclose(found.box, [left, top, left + 15, top + 24], atol=slack)


def test_boxes_are_cut_off_at_the_picture() -> None:
    boxes = np.float32([[-50, -50, 20, 20], [150, 10, 300, 30], [10, 90, 20, 200], [5, 5, 5, 9], [0, 0, 400, 400]])
    found = Found(boxes, np.linspace(0.9, 0.5, 5), np.array([0, 1, 2, 0, 7]))
    seen = locate(found, ["a", "b"], View(100, 50, 2.0, 2.0))
    assert [(one.label, one.box) for one in seen] == [
        ("a", (0, 0, 10, 10)),
        ("2", (5, 45, 10, 100)),
        ("7", (0, 0, 50, 100)),
    ]
    assert [one.box for one in locate(found, [])][1] == (150, 10, 300, 30)


# -- masks ------------------------------------------------------------------------------------------------------------


def grid_sampled(mask: Any, box: Any, size: Any) -> Any:
    """The same by onnxruntime's GridSample, which is torch's grid_sample."""
    node = helper.make_node("GridSample", ["x", "grid"], ["y"], mode="bilinear", align_corners=0, padding_mode="zeros")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in ("x", "grid", "y")]
    model = helper.make_model(
        helper.make_graph([node], "g", ends[:2], ends[2:]), ir_version=8, opset_imports=[helper.make_opsetid("", 16)]
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    places = [(np.arange(n) + 0.5 - box[i]) / (box[i + 2] - box[i]) * 2 - 1 for i, n in ((0, size[1]), (1, size[0]))]
    grid = np.stack(np.meshgrid(*places), axis=-1)[None].astype(np.float32)
    return session.run(None, {"x": mask[None, None], "grid": grid})[0][0, 0]


@pytest.mark.parametrize(
    "box",
    [
        (3, 4, 40, 30),
        (3.3, 4.7, 11.2, 9.1),
        (-20, -10, 15, 25),
        (50, 40, 90, 99),
        (10.2, 10.2, 10.9, 40),
        (-500, -500, 900, 900),
    ],
)
def test_masks_are_pasted_as_torch_does(box: Any) -> None:
    mask = np.random.default_rng(3).random((28, 28), np.float32)
    exact = grid_sampled(mask, box, (50, 70))
    found = paste_mask(mask, box, (50, 70))
    assert found.shape == (50, 70) and found.dtype == bool
    certain = np.abs(exact - 0.5) > 1e-4
    np.testing.assert_array_equal(found[certain], exact[certain] >= 0.5)


@pytest.mark.parametrize("box", [(5, 5, 5, 20), (9, 9, 3, 3), (np.nan, 0, 9, 9), (0, 0, np.inf, 9), (80, 80, 99, 99)])
def test_masks_of_no_area_are_empty(box: Any) -> None:
    assert not paste_mask(np.ones((28, 28), np.float32), box, (50, 70)).any()


def test_a_mask_that_is_cut_off_stays_in_its_place() -> None:
    y, x = np.mgrid[:28, :28]
    mask = np.exp(-((x - 16) ** 2 + (y - 10) ** 2) / 60).astype(np.float32)
    box = np.float32([[-30.0, -10.0, 80.0, 70.0]])
    [cut] = locate(Found(box, np.float32([1]), np.array([0]), mask[None]), ["a"], View(50, 60))
    assert cut.box == (0, 0, 60, 50) and cut.mask is not None and cut.mask.shape == (28, 28)
    one, other = paste_mask(mask, box[0], (50, 60)), paste_mask(cut.mask, cut.box, (50, 60))
    assert one.sum() > 200 and (one != other).mean() < 0.01


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), height=st.integers(1, 9), width=st.integers(1, 9), share=st.floats(0, 1))
def test_run_lengths(seed: int, height: int, width: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    coded = run_lengths(mask)
    values = np.arange(len(coded["counts"])) % 2
    assert coded["size"] == [height, width] and 0 not in coded["counts"][1:]
    np.testing.assert_array_equal(np.repeat(values, coded["counts"]).reshape(width, height).T, mask)


def test_run_lengths_as_coco_counts_them() -> None:
    mask = np.array([[0, 1], [1, 1], [0, 0]], bool)
    assert run_lengths(mask) == {"size": [3, 2], "counts": [1, 1, 1, 2, 1]}
    assert run_lengths(~mask) == {"size": [3, 2], "counts": [0, 1, 1, 1, 2, 1]}
    json.dumps(run_lengths(mask))


# -- the whole way ----------------------------------------------------------------------------------------------------

ROWS = np.float32([[8, 8, 24, 40, 0.9], [40, 8, 72, 24, 0.75], [0, 40, 100, 64, 0.6], [0, 0, 0, 0, 0]])[None]
NUMBERS = np.array([[1, 0, 2, 0]])
SAMPLE = {"encoding": "png", "data": base64.b64encode(sample_picture((64, 96), "RGB")).decode()}
ANSWER = [[*map(float, row), float(label)] for row, label in zip(ROWS[0], NUMBERS[0], strict=True)][:3]


def finished_card(**changes: Any) -> Card:
    card = Card(
        "detection", "Tiny", "MMEdu", entry((64, 96), SQUASH), Output("dets", "boxes"), ["猫", "dog"], thresholds=LIMITS
    )
    return dataclasses.replace(card, **changes)


def write(path: Path, card: Card, **outputs: Any) -> Path:
    """A network that always answers the same."""
    kinds = {name: helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in outputs.items()}
    nodes = [helper.make_node("Identity", ["its_" + name], [name]) for name in outputs]
    ends = [helper.make_tensor_value_info(name, kinds[name], array.shape) for name, array in outputs.items()]
    shape = [n or name for n, name in zip(card.input.shape, "nchw", strict=True)]
    start = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)
    weights = [numpy_helper.from_array(array, "its_" + name) for name, array in outputs.items()]
    graph = helper.make_graph(nodes, "tiny", [start], ends, initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {KEY: card.to_json()})
    onnx.save(model, str(path))
    return path


def finished(folder: Path, card: Card | None = None, **outputs: Any) -> Any:
    outputs = {"dets": ROWS, "labels": NUMBERS, **outputs}
    return load(write(folder / "盒.onnx", card or finished_card(), **outputs))


def test_predict(tmp_path: Path) -> None:
    model, picture = finished(tmp_path), Image.new("RGB", (192, 64))
    found = model.predict(picture)
    assert [(one.label, one.index) for one in found] == [("dog", 1), ("猫", 0), ("2", 2)]
    assert found[0].box == (16, 8, 48, 40) and found[2].box == (0, 40, 192, 64) and found[0].mask is None
    assert found[0].confidence == pytest.approx(0.9) and isinstance(found[0], Detection)
    assert [one.label for one in model.predict(picture, threshold=0.7)] == ["dog", "猫"]
    assert [len(one) for one in model.predict([picture, picture], threshold=0.8)] == [1, 1]
    picture.save(tmp_path / "a.png")
    assert len(model.predict(tmp_path)[0]) == 3 and len(model.predict_file(tmp_path / "a.png")) == 3
    assert model.answer(model.outputs(model.prepare(picture)))[0].box == (8, 8, 24, 40)
    with pytest.raises(InputError):
        model.predict(picture, threshold=2)


def test_boxes_are_of_the_upright_picture(tmp_path: Path) -> None:
    file, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 192)).save(file, "JPEG", exif=exif)
    assert finished(tmp_path).predict(file.getvalue())[2].box == (0, 40, 192, 64)


def test_masks(tmp_path: Path) -> None:
    masks = np.random.default_rng(1).random((1, 4, 28, 28), np.float32)
    found = finished(tmp_path, masks=masks).predict(Image.new("RGB", (96, 64)))
    np.testing.assert_array_equal(found[1].mask, masks[0, 1])
    assert found[2].mask.shape == (28, 28) and found[2].box == (0, 40, 96, 64)  # the box ended outside


def test_raw_form_on_any_picture(tmp_path: Path) -> None:
    outputs = heads("SSD_Lite")
    outputs = {name: array for name, array in outputs.items() if not name.startswith("torch")}
    steps = [{"op": "resize", "size": [320, 320], "interpolation": "cv2"}]
    card = dataclasses.replace(RAW["SSD_Lite"], input=entry((320, 320), *steps), labels=["a", "b", "c"])
    model = load(write(tmp_path / "raw.onnx", card, **outputs))
    for size in ((640, 480), (5000, 1), (3, 2)):
        found = model.predict(Image.new("RGB", size))
        assert 0 < len(found) <= 200 and all(0 <= x1 < x2 <= size[0] for x1, _, x2, _ in (one.box for one in found))
    assert len(model.predict(Image.new("RGB", (9, 9)), threshold=0.05)) > len(found) - 20


def test_nothing_found(tmp_path: Path) -> None:
    for rows in (ROWS * 0, ROWS[:, :0], np.full_like(ROWS, np.nan), np.full_like(ROWS, np.inf)):
        model = finished(
            tmp_path, finished_card(sample=Sample(SAMPLE, [])), dets=rows, labels=NUMBERS[:, : rows.shape[1]]
        )
        assert model.predict(Image.new("RGB", (40, 30))) == [] and model.check() == 0


@pytest.mark.parametrize(
    "outputs",
    [{"dets": ROWS[..., :4]}, {"labels": NUMBERS[:, :2]}, {"dets": np.full(ROWS.shape, "x")}, {"masks": ROWS[0, 0]}],
)
def test_outputs_that_do_not_fit(tmp_path: Path, outputs: Any) -> None:
    with pytest.raises(ModelError):
        finished(tmp_path, **outputs).predict(Image.new("RGB", (40, 30)))


def test_networks_without_the_outputs_of_the_card(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="labels"):
        load(write(tmp_path / "a.onnx", finished_card(), dets=ROWS))
    with pytest.raises(ModelError, match="pred_map_0"):
        load(write(tmp_path / "a.onnx", RAW["Yolov3"], dets=ROWS))


def moved(place: int, by: float, row: int = 0) -> list[list[float]]:
    answer = [list(one) for one in ANSWER]
    answer[row][place] += by
    return answer


@pytest.mark.parametrize(
    ("answer", "worst"),
    [
        (ANSWER, 0.0),
        (ANSWER[::-1], 0.0),
        (moved(0, 0.05), 0.05 / 96),
        (moved(4, 5e-4), 5e-4),
        (ANSWER[:2], None),
        ([*ANSWER, ANSWER[0]], None),
        (moved(5, 1), None),
        (moved(2, 0.2), None),
        (moved(4, 0.01), None),
        ([], None),
    ],
)
def test_the_self_test(tmp_path: Path, answer: Any, worst: Any) -> None:
    model = finished(tmp_path, finished_card(sample=Sample(SAMPLE, answer)))
    if worst is None:
        with pytest.raises(SelfTestFailed):
            model.check()
    else:
        assert model.check() == pytest.approx(worst, abs=1e-6)
    assert model.found(model.run(model.feed(model.card.sample))).rows() == pytest.approx(np.array(ANSWER))


def test_threshold_is_for_detectors(tmp_path: Path) -> None:
    card = Card("classification", "T", "T", entry((64, 96), SQUASH), Output("dets", "values"))
    with pytest.raises(InputError, match="threshold"):
        load(write(tmp_path / "a.onnx", card, dets=ROWS)).predict(Image.new("RGB", (40, 30)), threshold=0.5)


# -- cards ------------------------------------------------------------------------------------------------------------

PLAIN = json.loads(RAW["SSD_Lite"].to_json())
STEPS = "input.steps"
HOSTILE: Any = [
    ("task", "classification"), ("task", "values"), ("output.scores", "boxes"), ("output.scores", "logits"),
    ("thresholds", None), ("thresholds", {}), ("thresholds", []), ("thresholds.score", -0.1), ("thresholds.score", 1.1),
    ("thresholds.score", "0.5"), ("thresholds.iou", 2), ("thresholds.iou", None), ("thresholds.most", 0),
    ("thresholds.most", 10**9), ("thresholds.most", 1.5), ("thresholds.most", True), ("thresholds.extra", 1),
    ("decoding", None), ("decoding", {}), ("decoding", "ssd"), ("decoding.kind", "rcnn"), ("decoding.kind", "yolo"),
    ("decoding.levels", []), ("decoding.levels", {}), ("decoding.levels", [1]), ("decoding.levels", None),
    ("decoding.stds", [0.1] * 3), ("decoding.stds", [0.1, 0.1, 0.2, 0]), ("decoding.stds", [1e300] * 4),
    ("decoding.candidates", 0), ("decoding.candidates", 10**9), ("decoding.confidence", -1),
    ("decoding.confidence", "x"), ("decoding.extra", 1), ("decoding.levels.0.scores", 1),
    ("decoding.levels.0.deltas", None), ("decoding.levels.0.stride", 0), ("decoding.levels.0.stride", -16),
    ("decoding.levels.0.stride", 1e9), ("decoding.levels.0.stride", "16"), ("decoding.levels.0.anchors", []),
    ("decoding.levels.0.anchors", [[0, 0, 1]]), ("decoding.levels.0.anchors", [[0, 0, 0, 1]]),
    ("decoding.levels.0.anchors", [[5, 0, 0, 1]]), ("decoding.levels.0.anchors", [[0, 0, 1e9, 1]]),
    ("decoding.levels.0.anchors", [[0, 0, 1, 1]] * 65), ("decoding.levels.0.anchors", 5),
    ("decoding.levels.0.extra", 1), ("input.shape", [1, 3, None, 320]), ("input.kind", "array"),
    ("sample", {"input": SAMPLE, "output": [[1, 2, 3]]}), ("sample", {"input": SAMPLE, "output": [0.5]}),
    ("sample", {"input": SAMPLE, "output": [[1, 2, 3, 4, [5], 6]]}),
    (STEPS, [{"op": "resize", "within": [9], "interpolation": "cv2"}]), (STEPS, [{"op": "resize", "within": [9, 9]}]),
    (STEPS, [{"op": "resize", "within": [0, 9], "interpolation": "cv2"}]),
    (STEPS, [{"op": "resize", "within": [10**6, 9], "interpolation": "cv2"}]),
    (STEPS, [{"op": "resize", "within": [9, 9], "short": 9, "interpolation": "cv2"}]),
    (STEPS, [{"op": "resize", "within": [9, 9], "size": [9, 9], "interpolation": "cv2"}]),
    (STEPS, [{"op": "pad_to"}]), (STEPS, [{"op": "pad_to", "size": [9]}]), (STEPS, [{"op": "pad_to", "multiple": 0}]),
    (STEPS, [{"op": "pad_to", "size": [9, 9], "multiple": 2}]), (STEPS, [{"op": "pad_to", "multiple": 10**9}]),
    (STEPS, [{"op": "pad_to", "size": [9, 9], "value": 2}]), (STEPS, [{"op": "pad_to", "multiple": 2.0}]),
]  # fmt: skip


def changed(path: str, value: Any) -> str:
    card = json.loads(json.dumps(PLAIN))
    inner, names = card, [int(name) if name.isdigit() else name for name in path.split(".")]
    for name in names[:-1]:
        inner = inner[name]
    inner[names[-1]] = value
    return json.dumps(card)


@pytest.mark.parametrize(("path", "value"), HOSTILE)
def test_hostile_cards(path: str, value: Any) -> None:
    with pytest.raises(ModelError):
        Card.from_json(changed(path, value))


def test_cards_that_hold_boxes_come_back_as_they_were() -> None:
    for card in (*RAW.values(), finished_card(sample=Sample(SAMPLE, ANSWER)), finished_card(input=entry((None, None)))):
        assert Card.from_json(card.to_json()) == card
    for card in (finished_card(task="values"), dataclasses.replace(finished_card(), thresholds=None)):
        with pytest.raises(ModelError):
            Card.from_json(card.to_json())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from(sorted({path for path, _ in HOSTILE})), value=JSON)
def test_any_value_anywhere_is_read_or_refused(path: str, value: Any) -> None:
    try:
        card = Card.from_json(changed(path, value))
    except ModelError:
        return
    assert Card.from_json(card.to_json()) == card


# -- drawing, and the program beside the model ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (5, 300), (48, 40), (640, 480)])
@pytest.mark.parametrize("masks", [True, False])
def test_drawing(size: Any, masks: bool) -> None:
    width, height = size
    picture, mask = Image.new("RGB", size, (9, 9, 9)), np.ones((28, 28), np.float32) if masks else None
    boxes = [(0.0, 0.0, width / 2, height / 2), (width / 3, height / 3, 1.0 * width, 1.0 * height)]
    found = [Detection("x" * 9 * i, i, 0.5, box, mask) for i, box in enumerate(boxes * 15)]
    drawn = drawing.draw(picture, found)
    assert drawn.size == size and picture.getpixel((0, 0)) == (9, 9, 9) != drawn.getpixel((width - 1, height - 1))
    assert drawing.draw(picture, []).tobytes() == picture.tobytes()
    assert min(drawing.draw(picture, found, enlarge=True).size) >= 160


def test_every_class_has_the_colour_of_its_box() -> None:
    drawn = drawing.draw(Image.new("RGB", (200, 200)), [Detection("a", 1, 0.5, (40, 60, 160, 180))])
    assert drawn.getpixel((40, 120)) == drawing.COLORS[1] and drawn.getpixel((100, 120)) == (0, 0, 0)


def test_without_a_font_it_says_so_once(monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(drawing, "chinese_font", lambda: None)
    drawing._tell_once.cache_clear()
    for _ in range(3):
        drawing.draw(Image.new("RGB", (90, 90)), [Detection("猫", 0, 0.5, (1, 1, 80, 80))] * 2)
    assert capsys.readouterr().err.count("fonts-wqy-zenhei") == 1
    drawing._tell_once.cache_clear()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_program(tmp_path: Path, monkeypatch: Any, lang: str) -> None:
    monkeypatch.setenv("QINGZHOU_LANG", lang)
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    card = finished_card(sample=Sample(SAMPLE, ANSWER))
    program = write_sample(write(tmp_path / "盒.onnx", card, dets=ROWS, labels=NUMBERS), card)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, cwd=tmp_path, check=False)
    text = done.stdout.decode("utf-8")
    assert done.returncode == 0, done.stderr.decode("utf-8")
    assert "90.0%" in text and "猫" in text and text.count("(") == 6
    sample = read_image(base64.b64decode(SAMPLE["data"]), "RGB")
    assert read_image(tmp_path / "盒_result.png", "RGB").shape == sample.shape, "what is drawn on keeps its size"
