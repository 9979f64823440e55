"""The operations that are known: MindSpore's names, and the functions that write them down in ONNX's."""

from __future__ import annotations

from collections.abc import Mapping

from .layers import LAYERS
from .picking import PICKING
from .pointwise import POINTWISE
from .pools import POOLS
from .recurrent import RECURRENT
from .reductions import REDUCTIONS
from .shapes import SHAPES
from .walk import Step

TABLE: Mapping[str, Step] = {**LAYERS, **POOLS, **POINTWISE, **SHAPES, **REDUCTIONS, **PICKING, **RECURRENT}
