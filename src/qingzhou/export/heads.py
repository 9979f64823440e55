"""The operations of classifiers' necks and heads -> ONNX, from opset 11 on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..nets.graph import Layer
from .weights import Array

if TYPE_CHECKING:
    from .onnx import Emitter

SHORTEST = 1e-12  # torch's normalize divides by no less


def general_mean(e: Emitter, layer: Layer) -> None:
    """mean(max(x, least) ** order) ** (1 / order)."""
    x, out, key = layer.inputs[0], layer.outputs[0], layer.params["order"]
    if layer.attrs["least"] > -np.inf:
        x = e.node("Max", [x, e.number(layer.attrs["least"], out)], [f"{out}/least"])
    inverse = e.put(f"{key}.inverse", (1,), lambda: (1 / e.weights[key]).astype(np.float32))
    powers = e.node("Pow", [x, e.param(key)], [f"{out}/powers"])
    mean = e.node("GlobalAveragePool", [powers], [f"{out}/mean"])
    e.node("Pow", [mean, inverse], [out])


def cosines(e: Emitter, layer: Layer) -> None:
    """A linear layer between vectors of length 1, whose weight is made so beforehand."""
    x, out, key = layer.inputs[0], layer.outputs[0], layer.params["weight"]
    squares = e.node("Mul", [x, x], [f"{out}/squares"])
    root = e.node("Sqrt", [e.axes("ReduceSum", squares, f"{out}/square", [1], keepdims=1)], [f"{out}/root"])
    length = e.node("Max", [root, e.number(SHORTEST, out)], [f"{out}/length"])
    unit = e.node("Div", [x, length], [f"{out}/unit"])

    def rows() -> Array:
        weight = e.weights[key].astype(np.float64)
        lengths = np.maximum(np.linalg.norm(weight, axis=1, keepdims=True), SHORTEST)
        found: Array = (layer.attrs["scale"] * weight / lengths).astype(np.float32)
        return found

    e.node("Gemm", [unit, e.put(f"{key}.rows", e.graph.params[key], rows)], [out], transB=1)


HEADS: dict[str, Callable[[Emitter, Layer], None]] = {"GeneralMean": general_mean, "Cosines": cosines}
