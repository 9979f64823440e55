"""The steps in one go give the numbers that they give one after another, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qingzhou.runtime.model import prepare, quick
from qingzhou.runtime.model.card import Input

SIDE = st.integers(2, 300)
IMAGENET = {"op": "normalize", "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
CROP = {"op": "center_crop", "size": [224, 224]}


def entry(*steps: dict[str, Any], size: tuple[int, int] = (224, 224), layout: str = "NCHW") -> Input:
    shape = [1, 3, *size] if layout == "NCHW" else [1, *size, 3]
    return Input("input", "image", shape, "RGB", list(steps), layout)


def resize(**how: object) -> dict[str, Any]:
    return {"op": "resize", "interpolation": "pillow", **how}


def picture(height: int, width: int) -> np.ndarray:
    """Noise, and an edge from black to white, where sums are largest."""
    drawn = np.random.default_rng(height * width).integers(0, 256, (height, width, 3)).astype(np.uint8)
    drawn[:, : width // 3] = 0
    drawn[:, width // 2 :] |= 255 * (np.arange(width - width // 2)[:, None] % 2).astype(np.uint8)
    return drawn


def assert_same(shown: np.ndarray, about: Input) -> None:
    found, view = prepare.prepare_view(shown, about)
    expected, where = prepare.step_by_step(shown, about)
    expected = prepare._laid_out(expected, about)
    assert found.dtype == expected.dtype and found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)
    assert view == pytest.approx(where)


@pytest.mark.parametrize("size", [(480, 640), (240, 320), (640, 480), (28, 28), (255, 257), (600, 601), (720, 1280)])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_what_mmcls_prepares(size: tuple[int, int], layout: str) -> None:
    assert_same(picture(*size), entry(resize(short=256), CROP, IMAGENET, layout=layout))
    assert_same(picture(*size), entry(resize(size=[224, 224]), layout=layout))


@settings(deadline=None)
@given(SIDE, SIDE, SIDE, SIDE, st.booleans())
def test_any_size(height: int, width: int, high: int, wide: int, normal: bool) -> None:
    steps = [resize(size=[high, wide]), IMAGENET][: 1 + normal]
    assert_same(picture(height, width), entry(*steps, size=(high, wide)))


@settings(deadline=None)
@given(SIDE, SIDE, st.integers(1, 64), st.integers(1, 64))
def test_any_part_of_the_middle(height: int, width: int, high: int, wide: int) -> None:
    crop = {"op": "center_crop", "size": [high, wide]}
    assert_same(picture(height, width), entry(resize(short=64), crop, IMAGENET, size=(high, wide)))


def test_the_camera_goes_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing here would have been compared."""
    monkeypatch.setattr(prepare, "step_by_step", lambda *_: pytest.fail("the slow way"))
    for size in ((480, 640), (240, 320)):
        prepare.prepare_view(picture(*size), entry(resize(short=256), CROP, IMAGENET))


@pytest.mark.parametrize(
    "steps",
    [
        [resize(size=[224, 224], interpolation="cv2")],
        [IMAGENET, resize(size=[224, 224])],
        [],
        [resize(inside=[224, 224]), IMAGENET, {"op": "pad_to", "size": [224, 224]}],
    ],
)
def test_other_steps_go_one_by_one(steps: list[dict[str, Any]]) -> None:
    assert quick._plan(picture(100, 90), entry(*steps), (224, 224)) is None
    assert_same(picture(100, 90), entry(*steps))
