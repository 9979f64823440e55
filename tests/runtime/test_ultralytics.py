"""Answers of Ultralytics' models: what its own predict() makes of the same outputs, and the same letterbox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qingzhou.errors import ModelError
from qingzhou.runtime.model.card import Card, Input, Output
from qingzhou.runtime.model.cv2_linear import linear
from qingzhou.runtime.model.detect import locate, paste_mask, read
from qingzhou.runtime.model.detection import Detection
from qingzhou.runtime.model.letterbox import halved
from qingzhou.runtime.model.prepare import View, prepare_view
from qingzhou.runtime.model.ultralytics import rotated_nms

ORACLE = Path(__file__).parents[1] / "oracle" / "ultralytics"
sys.path.insert(0, str(ORACLE))
from seeded import CASES, CLASSES, Case, outputs, picture  # noqa: E402

with np.load(ORACLE / "references.npz") as file:
    REFERENCES = {name: file[name] for name in file.files}
BOXES = [name for name, case in CASES.items() if case.task != "obb"]


def steps(side: tuple[int, int], pad: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"op": "resize", "letterbox": list(side), "interpolation": "cv2"},
        {"op": "pad_to", **pad, "value": [114.0] * 3, "center": True},
    ]


def card_of(case: Case, score: float = 0.25) -> Card:
    also = {
        "detect": {},
        "segment": {"masks": {"prototypes": "output1", "coefficients": 32, "stride": 4}},
        "pose": {"keypoints": list(case.points)},
        "obb": {"rotated": True},
    }[case.task]
    card = Card(
        "detection",
        "YOLO11n",
        "Ultralytics",
        Input("images", "image", [1, 3, *case.side], "RGB", steps(case.side, {"size": list(case.side)})),
        Output("output0", "rows" if case.rows else "raw", also),
        [*"abc"],
        thresholds={"score": score, "iou": 0.7, "most": 300},
        decoding=None if case.rows else {"kind": "ultralytics"},
    )
    return Card.from_json(card.to_json())


def answered(case: Case) -> tuple[list[Detection], View]:
    card = card_of(case)
    _, view = prepare_view(picture(case), card.input)
    return locate(read(outputs(case), card), card.labels, view), view


def seen(boxes: Any) -> Any:
    """Whether there is anything of a box in the picture: what lies in the grey around it is no answer."""
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


@pytest.mark.parametrize("name", BOXES)
def test_boxes(name: str) -> None:
    found, _ = answered(CASES[name])
    expected = REFERENCES[f"{name}.boxes"]
    expected = expected[seen(expected)]
    assert len(expected) > 20 and len(found) == len(expected)
    np.testing.assert_allclose([one.box for one in found], expected[:, :4], atol=2e-3)
    np.testing.assert_allclose([one.confidence for one in found], expected[:, 4], atol=1e-6)
    assert [one.index for one in found] == expected[:, 5].tolist()
    assert {one.label for one in found} <= {*"abc"}


def letterbox_masks(name: str) -> Any:
    case, count = CASES[name], len(REFERENCES[f"{name}.boxes"])
    bits = np.unpackbits(REFERENCES[f"{name}.masks"])
    return bits[: count * case.side[0] * case.side[1]].reshape(count, *case.side).astype(bool)


@pytest.mark.parametrize("name", ["segment", "segment_rect", "segment_rows"])
def test_masks(name: str) -> None:
    """The very pixels of what the network sees; those without any are no things. In the picture where they belong."""
    case, expected = CASES[name], letterbox_masks(name)
    card = card_of(case)
    inside = locate(read(outputs(case), card), card.labels)
    assert len(inside) == len(expected)
    for one, mask in zip(inside, expected, strict=True):
        assert one.mask is not None and one.mask_box is not None
        pasted = paste_mask(one.mask, one.mask_box, case.side)
        assert np.count_nonzero(pasted != mask) <= 2, "logits of nearly 0"
    found, view = answered(case)
    centres = [np.arange(count) + 0.5 for count in case.picture]
    rows = (centres[0] * view.scale_y + view.top).astype(int)
    columns = (centres[1] * view.scale_x + view.left).astype(int)
    masks = iter(expected[seen(REFERENCES[f"{name}.boxes"])])
    there, apart = 0, 0
    for one, mask in zip(found, masks, strict=True):
        assert one.mask is not None and one.mask_box is not None
        pasted = paste_mask(one.mask, one.mask_box, case.picture)
        there += np.count_nonzero(pasted)
        apart += np.count_nonzero(pasted != mask[np.ix_(rows, columns)])
    assert apart <= 0.015 * there, "but for edges"


@pytest.mark.parametrize("name", [name for name in BOXES if name.startswith("pose")])
def test_keypoints(name: str) -> None:
    found, _ = answered(CASES[name])
    expected = REFERENCES[f"{name}.keypoints"][seen(REFERENCES[f"{name}.boxes"])]
    np.testing.assert_allclose([one.keypoints for one in found], expected, atol=2e-3)


@pytest.mark.parametrize("name", ["obb", "obb_rows"])
def test_rotated_boxes(name: str) -> None:
    case = CASES[name]
    found, _ = answered(case)
    expected, hulls = REFERENCES[f"{name}.rotated"], REFERENCES[f"{name}.hulls"]
    high, wide = case.picture
    hulls = hulls.clip(0, [wide, high, wide, high])
    expected, hulls = expected[seen(hulls)], hulls[seen(hulls)]
    assert len(found) == len(expected) > 20
    np.testing.assert_allclose([one.rotated for one in found], expected[:, :5], atol=2e-3)
    np.testing.assert_allclose([one.confidence for one in found], expected[:, 5], atol=1e-6)
    assert [one.index for one in found] == expected[:, 6].tolist()
    np.testing.assert_allclose([one.box for one in found], hulls, atol=0.3)  # sides of the letterbox are whole pixels
    corners = np.array([one.corners for one in found]).reshape(len(found), 4, 2)
    around = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).clip(0, [wide, high, wide, high])
    np.testing.assert_allclose(around, hulls, atol=2e-3)


@pytest.mark.parametrize("name", [name for name in REFERENCES if name.startswith(("squares", "rects"))])
def test_letterboxes(name: str) -> None:
    """Pixel for pixel, wherever its halves are rounded to; a box of the whole picture finds back."""
    kind, size = name.split(".")
    high, wide = map(int, size.split("x"))
    pad = {"size": [160, 160]} if kind == "squares" else {"multiple": 32}
    shape = [1, 3, 160, 160] if kind == "squares" else [1, 3, None, None]
    pixels = picture(Case("detect", picture=(high, wide)))
    batch, view = prepare_view(pixels, Input("images", "image", shape, "RGB", steps((160, 160), pad)))
    image = batch[0].transpose(1, 2, 0).astype(np.int64)
    found = [*image.shape, *image.sum((0, 1)), *(image[::7, ::5] @ [1, 3, 7]).ravel()]
    assert found == REFERENCES[name].tolist()
    assert view.left >= 0 and view.left + view.scale_x * wide <= image.shape[1]


@pytest.mark.parametrize("size", [(1, 1), (60, 80), (7, 160)])
def test_half_the_size_is_the_mean_of_four(size: tuple[int, int]) -> None:
    """In less time, and the same as OpenCV's linear."""
    pixels = picture(Case("detect", picture=(2 * size[0], 2 * size[1])))
    np.testing.assert_array_equal(halved(pixels, size), linear(pixels, *size))
    assert halved(pixels[:-1], size) is None and halved(pixels[..., 0], size) is None


def test_a_turned_box_goes_with_one_that_has_gone() -> None:
    """Of three in a row, each overlapping the next alone: upright two stay, turned one (findings/)."""
    boxes = np.array([[x, 50, 40, 20, 0] for x in (50, 62, 74)], np.float32)
    scores, labels = np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, np.int64)
    assert rotated_nms(boxes, scores, labels, 0.5, 300).tolist() == [0]
    assert rotated_nms(boxes, scores, np.array([0, 1, 0]), 0.5, 300).tolist() == [0, 1, 2]
    assert rotated_nms(boxes, scores[::-1], labels, 0.5, 300).tolist() == [2]
    assert rotated_nms(np.tile(boxes, (400, 1)), np.tile(scores, 400), np.arange(1200), 0.5, 7).tolist() == [
        *range(0, 21, 3)
    ]


def test_any_threshold_can_be_set() -> None:
    """Rows come whatever their score, and so do raw predictions."""
    for name in ("detect", "detect_rows"):
        case = CASES[name]
        few, many = (read(outputs(case), card_of(case), threshold) for threshold in (0.9, 0.0))
        assert 0 < len(few.scores) < len(read(outputs(case), card_of(case)).scores) < len(many.scores)
        assert (np.diff(many.scores) <= 0).all() and (few.scores > 0.9).all()


def test_what_does_not_fit_the_card() -> None:
    case = CASES["segment"]
    given, card = outputs(case), card_of(case)
    for wrong in (
        {**given, "output0": given["output0"][:, :-1]},
        {**given, "output0": given["output0"][:, :20]},
        {**given, "output1": given["output1"][:, :9]},
    ):
        with pytest.raises(ModelError, match="sizes"):
            read(wrong, card)
    rows = CASES["pose_rows"]
    with pytest.raises(ModelError, match="sizes"):
        read({"output0": outputs(rows)["output0"][:, :, :-1]}, card_of(rows))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("name", CASES)
def test_numbers_that_are_none(name: str, number: float) -> None:
    """Whatever a network gives: boxes in the picture, or none."""
    case, rng = CASES[name], np.random.default_rng(3)
    given = outputs(case)
    for array in given.values():
        array.reshape(-1)[rng.integers(0, array.size, array.size // 20)] = number
    card = card_of(case)
    _, view = prepare_view(picture(case), card.input)
    high, wide = case.picture
    for one in locate(read(given, card), card.labels, view):
        assert 0 <= one.box[0] < one.box[2] <= wide and 0 <= one.box[1] < one.box[3] <= high
        assert 0 <= one.index < CLASSES
