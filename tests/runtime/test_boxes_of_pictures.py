"""From the network's picture back to the pixels of the user's: boxes and masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from detectors import NORMAL, SQUASH, entry
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from qingzhou.answers import run_lengths
from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.detect import Found, locate, paste_mask
from qingzhou.runtime.model.prepare import View, fit_within, prepare, prepare_view, resize

# -- pictures ---------------------------------------------------------------------------------------------------------


with np.load(str(Path(__file__).with_name("keep_ratio.npz"))) as golden:
    RATIO = {name: golden[name] for name in golden.files}


def pattern(height: int, width: int) -> np.ndarray:
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


def within(long: int, short: int) -> dict[str, object]:
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
def test_boxes_return_to_where_they_were(size: tuple[int, int], steps: list[dict[str, object]]) -> None:
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


def grid_sampled(mask: np.ndarray, box: np.ndarray, size: tuple[int, int]) -> np.ndarray:
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
def test_masks_are_pasted_as_torch_does(box: np.ndarray) -> None:
    mask = np.random.default_rng(3).random((28, 28), np.float32)
    exact = grid_sampled(mask, box, (50, 70))
    found = paste_mask(mask, box, (50, 70))
    assert found.shape == (50, 70) and found.dtype == bool
    certain = np.abs(exact - 0.5) > 1e-4
    np.testing.assert_array_equal(found[certain], exact[certain] >= 0.5)


@pytest.mark.parametrize("box", [(5, 5, 5, 20), (9, 9, 3, 3), (np.nan, 0, 9, 9), (0, 0, np.inf, 9), (80, 80, 99, 99)])
def test_masks_of_no_area_are_empty(box: np.ndarray) -> None:
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
