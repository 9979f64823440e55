"""Pictures that keep their ratio inside a fixed size."""

import numpy as np
import pytest

from qingzhou.runtime.model.card import Input
from qingzhou.runtime.model.prepare import fit_inside, prepare, prepare_view


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((100, 200), (160, 320)),
        ((200, 100), (320, 160)),
        ((480, 640), (240, 320)),
        ((1, 5000), (1, 320)),
        ((7, 7), (320, 320)),
    ],
)
def test_as_large_as_fits(before: tuple[int, int], after: tuple[int, int]) -> None:
    assert fit_inside((320, 320), *before) == after


@pytest.mark.parametrize("size", [(40, 90), (90, 40), (64, 64)])
def test_the_whole_picture_is_there_and_boxes_find_back(size: tuple[int, int]) -> None:
    steps = [
        {"op": "resize", "inside": [48, 96], "interpolation": "cv2"},
        {"op": "normalize", "mean": [0.0] * 3, "std": [1.0] * 3},
        {"op": "pad_to", "size": [48, 96]},
    ]
    entry = Input("input", "image", [1, 3, 48, 96], "RGB", steps)
    picture = np.full((*size, 3), 200, np.uint8)
    batch, view = prepare_view(picture, entry)
    high, wide = fit_inside((48, 96), *size)
    assert batch.shape == (1, 3, 48, 96) and (batch[0, :, :high, :wide] == 200).all()
    assert batch[0, :, high:].sum() == 0 and batch[0, :, :, wide:].sum() == 0
    assert (view.scale_x, view.scale_y) == (wide / size[1], high / size[0])
    assert (prepare(picture, entry) == batch).all()
