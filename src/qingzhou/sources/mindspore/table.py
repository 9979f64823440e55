"""The operations that are known: MindSpore's names, and the functions that write them down in ONNX's."""

from __future__ import annotations

from collections.abc import Mapping

from .activations import ACTIVATIONS
from .arithmetic import ARITHMETIC
from .layers import LAYERS
from .picking import PICKING
from .pieces import PIECES
from .pools import POOLS
from .recurrent import RECURRENT
from .reductions import REDUCTIONS
from .shapes import SHAPES
from .walk import Step

TABLE: Mapping[str, Step] = {
    **LAYERS, **POOLS, **ARITHMETIC, **ACTIVATIONS, **SHAPES, **PIECES, **REDUCTIONS, **PICKING, **RECURRENT,
}  # fmt: skip
