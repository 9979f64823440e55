"""The operators that are known: their names in Paddle 3, and the functions that write them down in ONNX's."""

from __future__ import annotations

from collections.abc import Mapping

from .layers import LAYERS
from .norms import NORMS
from .picking import PICKING
from .pointwise import POINTWISE
from .products import PRODUCTS
from .reductions import REDUCTIONS
from .resize import RESIZE
from .sampling import SAMPLING
from .shapes import SHAPES
from .walk import Step

TABLE: Mapping[str, Step] = {
    **LAYERS, **NORMS, **POINTWISE, **SHAPES, **REDUCTIONS, **PICKING, **PRODUCTS, **RESIZE, **SAMPLING,
}  # fmt: skip
