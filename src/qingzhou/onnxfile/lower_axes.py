"""Operators whose axes, lengths or very existence depend on the opset."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..graph.form import Node
from .lowering import Lowering


def reduction(e: Lowering, node: Node) -> None:
    """With its axes where the opset has them: an attribute, or an input."""
    attrs = dict(node.attrs)
    axes = attrs.pop("axes", None)
    if len(node.inputs) > 1:
        axes = e.numbers(node.inputs[1]).tolist()
    if axes is None:
        e.append(node)
    else:
        e.axes(node.op, node.inputs[0], node.outputs[0], axes, **attrs)


def split(e: Lowering, node: Node) -> None:
    """The lengths are an attribute before opset 13."""
    if e.opset >= 13 or len(node.inputs) < 2:
        e.append(node)
    else:
        lengths = tuple(e.numbers(node.inputs[1]).tolist())
        e.node("Split", node.inputs[:1], node.outputs, split=lengths, **node.attrs)


def log_softmax(e: Lowering, node: Node) -> None:
    """Before opset 13 it flattens everything after its axis, so it is only done on the last one."""
    x, out, axis = node.inputs[0], node.outputs[0], node.attrs["axis"]
    last = e.rank(x) - 1
    if e.opset >= 13 or axis in (-1, last):
        e.node("LogSoftmax", [x], [out], axis=axis)
        return
    order = [*(i for i in range(last + 1) if i != axis), axis]
    turned = e.node("Transpose", [x], [f"{out}/turned"], perm=tuple(order))
    soft = e.node("LogSoftmax", [turned], [f"{out}/soft"], axis=last)
    e.node("Transpose", [soft], [out], perm=tuple(order.index(i) for i in range(last + 1)))


def layer_norm(e: Lowering, node: Node) -> None:
    """As its definition says where the opset has no such operator."""
    (x, weight, *bias), out = node.inputs, node.outputs[0]
    if e.opset >= 17:
        e.append(node)
        return
    axes = list(range(node.attrs.get("axis", -1) % e.rank(x), e.rank(x)))
    centred = e.node("Sub", [x, e.axes("ReduceMean", x, f"{out}/mean", axes, keepdims=1)], [f"{out}/centred"])
    square = e.node("Mul", [centred, centred], [f"{out}/square"])
    variance = e.axes("ReduceMean", square, f"{out}/variance", axes, keepdims=1)
    safe = e.node("Add", [variance, e.number(node.attrs.get("epsilon", 1e-5), out)], [f"{out}/safe"])
    scaled = e.node("Div", [centred, e.node("Sqrt", [safe], [f"{out}/deviation"])], [f"{out}/scaled"])
    product = e.node("Mul", [scaled, weight], [f"{out}/product" if bias else out])
    if bias:
        e.node("Add", [product, *bias], [out])


def reshape(e: Lowering, node: Node) -> None:
    """Before opset 14 a 0 keeps a size. A size that is computed is 0 only of an input without numbers."""
    computed = node.inputs[1] not in e.graph.constants
    older = e.opset < 14 and computed and "allowzero" in node.attrs
    e.node("Reshape", node.inputs, node.outputs, **({} if older else node.attrs))


def shape_of(e: Lowering, node: Node) -> None:
    """A part of a shape is cut out where the opset has only the whole one."""
    x, out = node.inputs[0], node.outputs[0]
    start, end = node.attrs.get("start", 0), node.attrs.get("end")
    if e.opset >= 15 or (not start and end is None):
        e.node("Shape", [x], [out], **(node.attrs if e.opset >= 15 else {}))
        return
    whole = e.node("Shape", [x], [f"{out}/whole"])
    ends = [e.ints(f"{out}/start", [start]), e.ints(f"{out}/end", [np.iinfo(np.int64).max if end is None else end])]
    e.node("Slice", [whole, *ends], [out])


REDUCTIONS = (
    "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
    "ReduceSum", "ReduceSumSquare",
)  # fmt: skip
RULES: dict[tuple[str, str], Callable[[Lowering, Node], None]] = {
    **{("", op): reduction for op in REDUCTIONS},
    ("", "Reshape"): reshape,
    ("", "Shape"): shape_of,
    ("", "Split"): split,
    ("", "LogSoftmax"): log_softmax,
    ("", "LayerNormalization"): layer_norm,
}
