"""What a model answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Tuple

from .errors import say

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]


class Named(NamedTuple):
    """One of the classes that a picture is in."""

    label: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    confidence: float


class Prediction(NamedTuple):
    """One answer.

    label       the likeliest class; "" where there are no classes (regression, raw values), or none reaches the least
                confidence of a model that may name several
    index       the position of the largest score
    confidence  its score, 0 to 1; NaN where there are no classes
    scores      all scores in the order of the labels, or the values, as one row of float32
    named       where each class is judged by itself (card.output.scores is "sigmoids"), all that are there, the surest
                first; else None
    """

    label: str
    index: int  # type: ignore[assignment]  # as above
    confidence: float
    scores: Array
    named: Optional[Tuple[Named, ...]] = None


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


def nothing() -> str:
    """What is said where a model that may name several classes names none."""
    return str(say("none of its classes", "没有符合的类别"))
