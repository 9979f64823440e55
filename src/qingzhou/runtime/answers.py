"""What a model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Tuple

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Prediction(NamedTuple):
    """One answer.

    label       the likeliest class; "" where there are no classes (regression, raw values)
    index       the position of the largest score
    confidence  its score, 0 to 1; NaN where there are no classes
    scores      all scores in the order of the labels, or the values, as one row of float32
    """

    label: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    confidence: float
    scores: Array


class Detection(NamedTuple):
    """One thing that was found.

    label       its class;  index: the number of the class
    confidence  0 to 1
    box         x1, y1, x2, y2 in pixels of the upright picture, inside it
    mask        (28, 28) float32, spread over the box: how likely each part of it shows the thing; None if not known.
                paste_mask(mask, box, (height, width)) makes it as large as the picture
    """

    label: str
    index: int  # type: ignore[assignment]  # as above
    confidence: float
    box: Tuple[float, float, float, float]
    mask: Optional[Array] = None
