"""The operations of classifiers' necks and heads -> ONNX, from opset 11 on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..graph.record import Layer
from ..graph.weights import Array

if TYPE_CHECKING:
    from .lower import Emitter

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


def attentive(e: Emitter, layer: Layer) -> None:
    """Scores of each position by a 1x1 convolution of unit length; their mean, and what attention picks out of them."""
    x, out, key = layer.inputs[0], layer.outputs[0], layer.params["weight"]
    classes, residual = e.graph.params[key][0], e.number(layer.attrs["residual"], f"{out}/residual")

    def rows() -> Array:
        weight = e.weights[key].astype(np.float64)
        found: Array = (weight / np.linalg.norm(weight, axis=1, keepdims=True)).astype(np.float32)
        return found

    kernel = e.put(f"{key}.rows", e.graph.params[key], rows)
    scores = e.node("Conv", [x, kernel], [f"{out}/scores"], kernel_shape=[1, 1])
    mean = e.node("GlobalAveragePool", [scores], [f"{out}/mean"])
    more = e.node("Mul", [_picked(e, layer, scores, classes), residual], [f"{out}/more"])
    total = e.node("Add", [mean, more], [f"{out}/sum"])
    e.node("Reshape", [total, e.ints(f"{out}/row", [0, classes])], [out])


def _picked(e: Emitter, layer: Layer, scores: str, classes: int) -> str:
    """(N, classes, H, W) -> (N, classes, 1, 1): the mean by a softmax over positions, or their maximum."""
    out = layer.outputs[0]
    if layer.attrs["hardest"]:
        return e.node("GlobalMaxPool", [scores], [f"{out}/picked"])
    flat = e.node("Reshape", [scores, e.ints(f"{out}/places", [0, classes, -1])], [f"{out}/flat"])
    sharp = e.node("Mul", [flat, e.number(layer.attrs["temperature"], f"{out}/times")], [f"{out}/sharp"])
    soft = e.node("Softmax", [sharp], [f"{out}/soft"], axis=2)
    weighed = e.node("Mul", [flat, soft], [f"{out}/weighed"])
    total = e.axes("ReduceSum", weighed, f"{out}/total", [2], keepdims=1)
    return e.node("Reshape", [total, e.ints(f"{out}/square", [0, classes, 1, 1])], [f"{out}/picked"])


HEADS: dict[str, Callable[[Emitter, Layer], None]] = {
    "GeneralMean": general_mean, "Cosines": cosines, "Attentive": attentive,
}  # fmt: skip
