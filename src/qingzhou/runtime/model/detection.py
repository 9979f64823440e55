"""One thing that a detector found."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Tuple

if TYPE_CHECKING:
    from ..typed import Array


SURE = 0.25  # keypoints that are seen less surely count as not seen, as Ultralytics draws them


class Detection(NamedTuple):
    """One thing that was found.

    label       its class;  index: the number of the class
    confidence  0 to 1
    box         x1, y1, x2, y2 in pixels of the upright picture, inside it
    mask        what of mask_box, over which it is spread, shows the thing, None if not known: (28, 28) float32, how
                likely each part does, or of models of Ultralytics (h, w) booleans, one for each pixel that the network
                saw. paste_mask(mask, mask_box, (height, width)) makes it as large as the picture
    mask_box    x1, y1, x2, y2 as above; of models of Ultralytics perhaps a little more or less than the box
    keypoints   (x, y, how sure it is seen, 0 to 1) of each, always as many in the same order, or (x, y) alone; None if
                the model knows none
    rotated     cx, cy, w, h of a box that is turned, in pixels, and the angle in radians, clockwise; `box` is around it
    """

    label: str
    index: int  # type: ignore[assignment]  # as above
    confidence: float
    box: Tuple[float, float, float, float]
    mask: Optional[Array] = None
    mask_box: Optional[Tuple[float, float, float, float]] = None
    keypoints: Optional[Tuple[Tuple[float, ...], ...]] = None
    rotated: Optional[Tuple[float, float, float, float, float]] = None

    @property
    def corners(self) -> Tuple[Tuple[float, float], ...]:
        """(x, y) of the four corners, one after the other around the box, turned where it is."""
        if self.rotated is None:
            x1, y1, x2, y2 = self.box
            return (x1, y1), (x2, y1), (x2, y2), (x1, y2)
        x, y, w, h, angle = self.rotated
        cos, sin = math.cos(angle) / 2, math.sin(angle) / 2
        signs = (1, 1), (1, -1), (-1, -1), (-1, 1)
        return tuple((x + i * w * cos - j * h * sin, y + i * w * sin + j * h * cos) for i, j in signs)

    def scaled(self, times: float) -> Detection:
        """The same in a picture that is so many times as large."""
        box, frame, points, turned = self.box, self.mask_box, self.keypoints, self.rotated
        return self._replace(
            box=_times(box, times),
            mask_box=None if frame is None else _times(frame, times),
            keypoints=None if points is None else tuple((*_times(one[:2], times), *one[2:]) for one in points),
            rotated=None if turned is None else (*_times(turned[:4], times), turned[4]),
        )


def _times(numbers: Tuple[float, ...], times: float) -> Any:
    return tuple(times * n for n in numbers)
