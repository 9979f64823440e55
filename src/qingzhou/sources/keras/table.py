"""Every class of Keras' layers that is known, and every operator, by name."""

from __future__ import annotations

from collections.abc import Mapping

from .activations import ACTIVATIONS
from .attention import ATTENTION
from .basic import BASIC
from .conv import CONVS
from .layer import Kind
from .masks import MASKS
from .norms import NORMS
from .ops import OPERATORS
from .pictures import PICTURES
from .pools import POOLS
from .recurrent import RECURRENT
from .shapes import SHAPES
from .tables import TABLES
from .tf import function
from .wrapped import WRAPPED

__all__ = ["LAYERS", "OPERATORS", "function"]

# A new class: one function in one of the pages, one line in the dict at that page's end; a new page: one line here.
LAYERS: Mapping[str, Kind] = {
    **BASIC, **ACTIVATIONS, **CONVS, **POOLS, **NORMS, **SHAPES, **PICTURES,
    **RECURRENT, **ATTENTION, **MASKS, **WRAPPED, **TABLES,
}  # fmt: skip
