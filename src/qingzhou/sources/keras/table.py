"""Every class of Keras' layers that is known, and every operator, by name."""

from __future__ import annotations

from collections.abc import Mapping

from .activations import ACTIVATIONS
from .basic import BASIC
from .layer import Kind
from .ops import LAMBDAS, OPERATORS

__all__ = ["LAMBDAS", "LAYERS", "OPERATORS"]

# A new class: one function in one of the pages, one line in the dict at that page's end; a new page: one line here.
LAYERS: Mapping[str, Kind] = {
    **BASIC, **ACTIVATIONS,
}  # fmt: skip
