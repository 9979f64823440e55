"""Masks, keypoints and turned boxes on the picture: where they lie, in the colour of their class, at any size."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from qingzhou.runtime.draw import draw
from qingzhou.runtime.model.detection import Detection
from qingzhou.runtime.model.marks import COLORS, LIMBS

GROUND = Image.new("RGB", (200, 160), (10, 10, 10))
BOX = (40.0, 60.0, 140.0, 120.0)


def thing(**more: object) -> Detection:
    return Detection("a", 1, 0.5, BOX, **more)  # type: ignore[arg-type]


def changed(one: Detection, times: int = 1) -> np.ndarray:
    """Where the picture is another with the thing than with its box alone."""
    size = (200 * times, 160 * times)
    with_it, without = (np.asarray(draw(GROUND.resize(size), [seen])).astype(int) for seen in (one, thing()))
    return np.asarray(np.abs(with_it - without).sum(axis=2) > 0)


def test_a_mask_lies_where_its_own_box_is() -> None:
    mask = np.zeros((20, 50), bool)
    mask[:, 25:] = True
    found = changed(thing(mask=mask, mask_box=(50.0, 70.0, 100.0, 90.0)))
    assert found[70:90, 75:100].all() and found.sum() == 20 * 25


def test_keypoints_are_dots_and_a_persons_have_limbs() -> None:
    points = tuple((20.0 + 9 * i, 20.0 + 7 * i, 0.9) for i in range(17))
    person, dots = changed(thing(keypoints=points)), changed(thing(keypoints=points[:5]))
    assert sum(person[round(y), round(x)] for x, y, _ in points) >= 15, "but for those below the label"
    start, end = points[5], points[11]
    middle = round((start[1] + end[1]) / 2), round((start[0] + end[0]) / 2)
    assert person[middle] and dots[20, 20] and dots.sum() < 5 * 60
    assert {i for limb in LIMBS for i in limb} == set(range(17))


def test_keypoints_that_are_not_seen_are_left_out() -> None:
    points = [(20.0 + 9 * i, 20.0, 0.9) for i in range(17)]
    points[9] = (190.0, 150.0, 0.1)
    assert not changed(thing(keypoints=tuple(points)))[140:].any()
    assert changed(thing(keypoints=((190.0, 150.0),)))[150, 190], "nor is it known how surely"


def test_a_turned_box_is_drawn_turned() -> None:
    one = thing(rotated=(90.0, 90.0, 80.0, 20.0, math.pi / 4))
    drawn = np.asarray(draw(GROUND, [one]))
    for x, y in one.corners:
        assert (drawn[round(y), round(x)] == COLORS[1]).all()
    assert (drawn[60:64, 120:138] == 10).all(), "nothing where the box around it has its edge"
    assert one.corners[0] == pytest.approx((90 + (40 - 10) / math.sqrt(2), 90 + (40 + 10) / math.sqrt(2)))


@pytest.mark.parametrize("size", [(8, 6), (20, 16)])
def test_small_pictures_are_enlarged_with_all_of_it(size: tuple[int, int]) -> None:
    mask = np.ones((2, 2), bool)
    one = Detection("a", 2, 0.5, (1.0, 1.0, 6.0, 5.0), mask, (1.0, 1.0, 6.0, 5.0), ((2.0, 2.0, 1.0),))
    drawn = draw(Image.new("RGB", size), [one, one._replace(rotated=(4.0, 3.0, 2.0, 2.0, 1.0))], enlarge=True)
    times = drawn.width // size[0]
    assert times > 1 and drawn.getpixel((2 * times, 2 * times)) == (255, 255, 255)
    assert drawn.getpixel((round(5 * times), round(4 * times))) != (0, 0, 0)
