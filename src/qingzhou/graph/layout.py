"""Channels first: a network that was recorded with Transposes around each layer, without them.

Keras, TensorFlow and TFLite keep channels last, ONNX's layers take them first. Their readers therefore record a
Transpose before and after each layer that needs it. Here no Transpose is computed when it is met: its result is a view
of what it reads, and the operators behind it work on that, with their axes renamed. Two that undo each other are gone
by that; what is left where an operator needs the axes as they were is computed there. A view that is flattened goes
into the weights of the dense layer behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from .form import Array, Graph, Node
from .views import MOVED, Move, Mover, Perm, View, ints, inverse

UNARY = {
    *(
        "Relu",
        "LeakyRelu",
        "Elu",
        "Selu",
        "Celu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Tanh",
        "Softplus",
        "Softsign",
    ),
    *("Clip", "Abs", "Neg", "Exp", "Log", "Sqrt", "Reciprocal", "Floor", "Ceil", "Round", "Erf", "Sign", "Not"),
    *("Identity", "Dropout", "Cast", "Silu", "Gelu"),
}
BROADCAST = {
    *("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "PRelu", "Where", "Equal", "Greater", "Less", "And", "Or"),
}
REDUCE = {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare"}


def channels_first(graph: Graph, always: bool = False) -> Graph:
    """An equal network with fewer Transposes; the same object where there are none to spare, unless it is `always`
    wanted: those that are left stand as far behind as they can.
    """
    before = _transposes(graph)
    if not before:
        return graph
    moved = Mover(graph).moved(MOVES)
    return moved if always or _transposes(moved) < before else graph


def _transposes(graph: Graph) -> int:
    return sum(node.op == "Transpose" and not node.domain for node in graph.nodes)


# -- one function for each kind of operator: whether it could work on what its input is a view of --------------------


def transpose(m: Mover, node: Node) -> bool:
    """A view, or a view of what its input is a view of."""
    name, found = node.inputs[0], m.views.get(node.inputs[0])
    if name in m.constants or (found and found.flat):
        return False
    rank = len(m.shape(name))
    perm = tuple(node.attrs.get("perm", range(rank)[::-1]))
    if perm[0] != 0:  # the batch stays where it is; LSTM's sequences are another matter
        return False
    base, inner = (found.base, found.perm) if found else (name, tuple(range(rank)))
    m.views[node.outputs[0]] = View(base, tuple(inner[k] for k in perm))
    return True


def unary(m: Mover, node: Node) -> bool:
    """Number by number."""
    found = m.view(node.inputs[0])
    return found is not None and m.on_base(node, (found.base, *node.inputs[1:]), found.perm, found.flat)


def rounded(m: Mover, node: Node) -> bool:
    """The same where all numbers have one scale: to integers, and to what they stand for."""
    scale = m.constants.get(node.inputs[1])
    return scale is not None and math.prod(scale.shape) == 1 and unary(m, node)


def broadcast(m: Mover, node: Node) -> bool:
    """Number by number of several: all in the axes of the first view; constants are turned."""
    found = next((view for name in node.inputs if (view := m.view(name)) and not view.flat), None)
    rank = len(m.shape(node.outputs[0]))
    if found is None or len(found.perm) != rank:
        return False
    flowing = [name for name in node.inputs if name and name not in m.constants]
    if any(len(m.shape(name)) != rank for name in flowing):
        return False
    inputs = [
        _turned(m, name, found.perm) if name in m.constants else m.under(name, found.perm) for name in node.inputs
    ]
    return m.on_base(node, inputs, found.perm)


def _turned(m: Mover, name: str, perm: Perm) -> str:
    """A constant of which the old one is the view; one that is the same everywhere stays."""
    shape = m.constants[name].shape
    if math.prod(shape) == 1:
        return name
    wide = (*[1] * (len(perm) - len(shape)), *shape)
    back = inverse(perm)
    tag = "".join(map(str, back))
    return m.number(name, lambda array: array.reshape(wide).transpose(back), tuple(wide[k] for k in back), tag)


def along(m: Mover, node: Node) -> bool:
    """Concat, Split and Softmax: one axis, and all views alike."""
    found = m.view(node.inputs[0])
    if found is None or found.flat:
        return False
    names = node.inputs if node.op == "Concat" else node.inputs[:1]
    if any(name in m.constants for name in names):
        return False
    usual = -1 if "oftmax" in node.op else 0
    axis = found.perm[node.attrs.get("axis", usual)]
    bases = [m.under(name, found.perm) for name in names]
    return m.on_base(node, (*bases, *node.inputs[len(names) :]), found.perm, axis=axis)


def reduce(m: Mover, node: Node) -> bool:
    """Over some axes; without keepdims the others close up."""
    found = m.view(node.inputs[0])
    if found is None or found.flat:
        return False
    given = m.row(node.inputs[1]) if len(node.inputs) > 1 else node.attrs.get("axes")
    if not given:
        return False
    axes = sorted(k % len(found.perm) for k in given)
    bases = tuple(sorted(found.perm[k] for k in axes))
    perm = found.perm if node.attrs.get("keepdims", 1) else _without(found.perm, axes)
    if len(node.inputs) == 1:
        return m.on_base(node, (found.base,), perm, axes=bases)
    return m.on_base(node, (found.base, _put(m, node, "axes", bases)), perm)


def squeeze(m: Mover, node: Node) -> bool:
    """Axes of size 1 go."""
    found = m.view(node.inputs[0])
    given = m.row(node.inputs[1]) if len(node.inputs) > 1 else None
    if found is None or found.flat or not given:
        return False
    axes = sorted(k % len(found.perm) for k in given)
    new = _put(m, node, "axes", sorted(found.perm[k] for k in axes))
    return m.on_base(node, (found.base, new), _without(found.perm, axes))


def pad(m: Mover, node: Node) -> bool:
    """All starts, then all ends, in the order of the axes."""
    found, pads = m.view(node.inputs[0]), m.row(node.inputs[1])
    if found is None or found.flat or pads is None or len(node.inputs) > 3:
        return False
    rank, back = len(found.perm), inverse(found.perm)
    new = _put(m, node, "pads", [pads[k + end] for end in (0, rank) for k in back])
    return m.on_base(node, (found.base, new, *node.inputs[2:]), found.perm)


def resize(m: Mover, node: Node) -> bool:
    """Scales or sizes in the order of the axes; the region is only read in a mode of its own."""
    found = m.view(node.inputs[0])
    rows = node.inputs[2:]
    fine = "axes" not in node.attrs and node.attrs.get("coordinate_transformation_mode") != "tf_crop_and_resize"
    if found is None or found.flat or not fine or any(name and name not in m.constants for name in rows):
        return False
    index = list(inverse(found.perm))
    new = [
        m.number(name, lambda row: row[index], (len(index),), f"of/{node.outputs[0]}")
        if name and m.constants[name].shape == (len(index),)
        else name
        for name in rows
    ]
    region = node.inputs[1] if node.inputs[1] in m.constants else ""  # which opset 11 wants, empty
    return m.on_base(node, (found.base, region, *new), found.perm)


def cut(m: Mover, node: Node) -> bool:
    """Slice: its axes are named, or the first ones."""
    found = m.view(node.inputs[0])
    if found is None or found.flat:
        return False
    starts = m.row(node.inputs[1])
    named = len(node.inputs) > 3 and node.inputs[3]
    axes = m.row(node.inputs[3]) if named else list(range(len(starts or ())))
    if starts is None or axes is None:
        return False
    new = _put(m, node, "axes", [found.perm[k] for k in axes])
    return m.on_base(node, (found.base, *node.inputs[1:3], new, *node.inputs[4:]), found.perm)


def flatten(m: Mover, node: Node) -> bool:
    """(N, …) -> (N, all): the order of the numbers is left to the dense layer behind it."""
    found, shape = m.view(node.inputs[0]), m.shape(node.outputs[0])
    if found is None or found.flat or found.perm[0] != 0 or len(shape) != 2 or node.attrs.get("axis", 1) != 1:
        return False
    before = m.shape(node.inputs[0])
    fixed = [n for n in before[1:] if isinstance(n, int)]
    if len(fixed) < len(before) - 1 or shape[1] != math.prod(fixed) or shape[0] != before[0]:
        return False
    return m.on_base(node, (found.base, *node.inputs[1:]), found.perm, before)


def dense(m: Mover, node: Node) -> bool:
    """Gemm, MatMul and Linear take the numbers of a flattened view in the other order, and their weights likewise."""
    found, source = m.view(node.inputs[0]), _integers(m, node.inputs[1])
    name = source.inputs[0] if source else node.inputs[1]
    weight = m.constants.get(name)
    if found is None or not found.flat or weight is None or len(weight.shape) != 2 or node.attrs.get("transA"):
        return False
    last = node.op == "Linear" or bool(node.attrs.get("transB"))  # (out, in)
    if source and m.constants[source.inputs[1]].shape and source.attrs.get("axis", 1) % 2 != (0 if last else 1):
        return False
    sizes, order = [int(n) for n in found.flat[1:]], inverse(found.perm)

    def load(array: Array) -> Array:
        rows = array if last else array.T
        turned = rows.reshape(-1, *sizes).transpose(order).reshape(rows.shape)
        return turned if last else np.ascontiguousarray(turned.T)

    new = m.number(name, load, weight.shape, f"of/{node.outputs[0]}")
    if source:
        floats = replace(m.graph.values[node.inputs[1]], name=f"{new}/floats")
        m.emit(replace(source, inputs=(new, *source.inputs[1:]), outputs=(floats.name,), name=floats.name), floats)
        new = floats.name
    return m.keep(replace(node, inputs=(found.base, new, *node.inputs[2:])))


def _integers(m: Mover, name: str) -> Node | None:
    """What makes floats of constant integers, if these are such."""
    made = m.makers.get(name)
    return made if made and made.op == "DequantizeLinear" and set(made.inputs) <= m.constants.keys() else None


def _put(m: Mover, node: Node, role: str, row: Iterable[int]) -> str:
    """A constant row of the node's own; its name."""
    name = f"{node.outputs[0]}{MOVED}/{role}"
    m.constants[name] = ints(row)
    return name


def _without(perm: Perm, axes: Sequence[int]) -> Perm:
    """The order of the axes that stay, numbered anew."""
    kept = [base for k, base in enumerate(perm) if k not in axes]
    return tuple(sorted(kept).index(base) for base in kept)


MOVES: dict[str, Move] = {
    "Transpose": transpose,
    **dict.fromkeys(UNARY, unary),
    **dict.fromkeys(BROADCAST, broadcast),
    **dict.fromkeys(("Concat", "Split", "Softmax", "LogSoftmax"), along),
    **dict.fromkeys((*REDUCE, "ReduceSum"), reduce),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), rounded),
    "Squeeze": squeeze,
    "Pad": pad,
    "Resize": resize,
    "Slice": cut,
    "Flatten": flatten,
    "Reshape": flatten,
    **dict.fromkeys(("Gemm", "MatMul", "Linear"), dense),
}
