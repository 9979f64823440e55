"""The operations of classifiers' necks and heads -> ONNX, from opset 11 on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph.form import Array, Node
from .lowering import Lowering

SHORTEST = 1e-12  # torch's normalize divides by no less


def general_mean(e: Lowering, node: Node) -> None:
    """mean(max(x, least) ** order) ** (1 / order)."""
    (x, key), out = node.inputs, node.outputs[0]
    if node.attrs["least"] > -np.inf:
        x = e.node("Max", [x, e.number(node.attrs["least"], out)], [f"{out}/least"])
    inverse = e.put(f"{key}.inverse", (1,), lambda: 1 / e.numbers(key))
    powers = e.node("Pow", [x, key], [f"{out}/powers"])
    mean = e.node("GlobalAveragePool", [powers], [f"{out}/mean"])
    e.node("Pow", [mean, inverse], [out])


def cosines(e: Lowering, node: Node) -> None:
    """A linear layer between vectors of length 1, whose weight is made so beforehand."""
    (x, key), out = node.inputs, node.outputs[0]
    squares = e.node("Mul", [x, x], [f"{out}/squares"])
    root = e.node("Sqrt", [e.axes("ReduceSum", squares, f"{out}/square", [1], keepdims=1)], [f"{out}/root"])
    length = e.node("Max", [root, e.number(SHORTEST, out)], [f"{out}/length"])
    unit = e.node("Div", [x, length], [f"{out}/unit"])

    def rows() -> Array:
        weight = e.numbers(key).astype(np.float64)
        lengths = np.maximum(np.linalg.norm(weight, axis=1, keepdims=True), SHORTEST)
        found: Array = (node.attrs["scale"] * weight / lengths).astype(np.float32)
        return found

    e.node("Gemm", [unit, e.put(f"{key}.rows", e.graph.constants[key].shape, rows)], [out], transB=1)


def attentive(e: Lowering, node: Node) -> None:
    """Scores of each position by a 1x1 convolution of unit length; their mean, and what attention picks out of them."""
    (x, key), out = node.inputs, node.outputs[0]
    classes, residual = e.graph.constants[key].shape[0], e.number(node.attrs["residual"], f"{out}/residual")

    def rows() -> Array:
        weight = e.numbers(key).astype(np.float64)
        found: Array = (weight / np.linalg.norm(weight, axis=1, keepdims=True)).astype(np.float32)
        return found

    kernel = e.put(f"{key}.rows", e.graph.constants[key].shape, rows)
    scores = e.node("Conv", [x, kernel], [f"{out}/scores"], kernel_shape=(1, 1))
    mean = e.node("GlobalAveragePool", [scores], [f"{out}/mean"])
    more = e.node("Mul", [_picked(e, node, scores, classes), residual], [f"{out}/more"])
    total = e.node("Add", [mean, more], [f"{out}/sum"])
    e.node("Reshape", [total, e.ints(f"{out}/row", [0, classes])], [out])


def _picked(e: Lowering, node: Node, scores: str, classes: int) -> str:
    """(N, classes, H, W) -> (N, classes, 1, 1): the mean by a softmax over positions, or their maximum."""
    out = node.outputs[0]
    if node.attrs["hardest"]:
        return e.node("GlobalMaxPool", [scores], [f"{out}/picked"])
    flat = e.node("Reshape", [scores, e.ints(f"{out}/places", [0, classes, -1])], [f"{out}/flat"])
    sharp = e.node("Mul", [flat, e.number(node.attrs["temperature"], f"{out}/times")], [f"{out}/sharp"])
    soft = e.node("Softmax", [sharp], [f"{out}/soft"], axis=2)
    weighed = e.node("Mul", [flat, soft], [f"{out}/weighed"])
    total = e.axes("ReduceSum", weighed, f"{out}/total", [2], keepdims=1)
    return e.node("Reshape", [total, e.ints(f"{out}/square", [0, classes, 1, 1])], [f"{out}/picked"])


RULES: dict[str, Callable[[Lowering, Node], None]] = {
    "GeneralMean": general_mean,
    "Cosines": cosines,
    "Attentive": attentive,
}
