"""Sizes of a network, read from the shapes of its tensors so that one damaged tensor does not decide."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

MOST_CHILDREN = 256  # of one stage; ResNet-1202 has 200

Shapes = Mapping[str, tuple[int, ...]]


def children(shapes: Shapes, prefix: str) -> list[int]:
    """The numbers n for which keys `prefix`n.* exist, in order; as many as a network may have."""
    pattern = re.compile(re.escape(prefix) + r"(\d{1,6})\.")
    found = {int(matched[1]) for key in shapes if key.startswith(prefix) and (matched := pattern.match(key))}
    return sorted(found)[:MOST_CHILDREN]


def size(shapes: Shapes, key: str, axis: int = 0) -> int:
    """One size of a tensor; 0 where the tensor is missing or has no such axis."""
    shape = shapes.get(key, ())
    return shape[axis] if axis < len(shape) else 0


def agreed(shapes: Shapes, *places: tuple[str, int]) -> int:
    """The size that most of these (key, axis) have, so that one damaged tensor does not decide; 0 if there is none."""
    found = [n for key, axis in places if (n := size(shapes, key, axis))]
    return commonest(found) or 0


def commonest(found: Sequence[int]) -> int | None:
    """The value that stands there most often, the first of several; None of nothing."""
    return Counter(found).most_common(1)[0][0] if found else None


def norm_places(key: str) -> list[tuple[str, int]]:
    """Where the channels of a BatchNorm show."""
    return [(f"{key}.{name}", 0) for name in ("weight", "bias", "running_mean", "running_var")]


def class_counts(shapes: Shapes, key: str) -> list[int]:
    """The classes of a last linear layer: two numbers if its weight and bias disagree, 0 if it is missing."""
    return [n for n in dict.fromkeys(size(shapes, f"{key}.{name}") for name in ("weight", "bias")) if n] or [0]


def outputs(shapes: Shapes, key: str) -> int:
    """Of a layer with a bias."""
    return agreed(shapes, (f"{key}.weight", 0), (f"{key}.bias", 0))


def channels_of(shapes: Shapes, key: str) -> int:
    """Of mmcv's ConvModule, a convolution with its BatchNorm."""
    return agreed(shapes, (f"{key}.conv.weight", 0), *norm_places(f"{key}.bn"))
