"""Every class of Keras' layers that is known, and every operator, by name."""

from __future__ import annotations

from collections.abc import Mapping

from .activations import ACTIVATIONS
from .basic import BASIC
from .conv import CONVS
from .layer import Kind
from .norms import NORMS
from .ops import LAMBDAS, OPERATORS
from .pictures import PICTURES
from .pools import POOLS
from .shapes import SHAPES

__all__ = ["LAMBDAS", "LAYERS", "OPERATORS"]

# A new class: one function in one of the pages, one line in the dict at that page's end; a new page: one line here.
LAYERS: Mapping[str, Kind] = {
    **BASIC, **ACTIVATIONS, **CONVS, **POOLS, **NORMS, **SHAPES, **PICTURES,
}  # fmt: skip
