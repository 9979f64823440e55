"""Number by number: activations, and arithmetic of two."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ...graph.form import BLOCK, Node
from ...onnxfile.integers import Steps
from .emitter import FIXED, Emitter, no_form, plain
from .form import Order
from .layers import Rule

Options = Callable[[Node], dict[str, Any]]


def activation(kind: str, options: Options = lambda node: {}) -> Rule:
    """One that has INT8 with whatever steps."""

    def rule(e: Emitter, node: Node) -> None:
        x, value = node.inputs[0], node.outputs[0]
        goal = e.goal(value)
        steps = e.steps(x) if goal else None
        e.put(kind, [e.take(x, None, steps)], value, e.first(x).order, goal if steps else None, **options(node))

    return rule


def floating(kind: str, options: Options = lambda node: {}) -> Rule:
    """One of floats only."""
    return lambda e, node: e.put(
        kind, [e.take(node.inputs[0])], node.outputs[0], e.first(node.inputs[0]).order, None, **options(node)
    )


def fixed(kind: str) -> Rule:
    """One whose integers always have the same steps."""

    def rule(e: Emitter, node: Node) -> None:
        x = node.inputs[0]
        steps = fixed_steps(e, node)
        of = FIXED[kind] if steps else None
        e.put(kind, [e.take(x, None, steps)], node.outputs[0], e.first(x).order, of)

    return rule


def fixed_steps(e: Emitter, node: Node) -> Steps | None:
    """The steps of its input where it is INT8: where the network rounds what it gives, or ends with it as a row."""
    x, value = node.inputs[0], node.outputs[0]
    ends = value in e.ends and len(e.shape(value)) == 2 and e.first(x).steps is not None
    return e.steps(x) if e.goal(value) or ends else None


def softmax(e: Emitter, node: Node) -> None:
    """Along the last axis."""
    x, value = node.inputs[0], node.outputs[0]
    rank = len(e.shape(x))
    axis = int(node.attrs["axis"]) % rank
    order = e.first(x).order
    if order[-1] != axis:
        order = (*(other for other in range(rank) if other != axis), axis)
    steps = fixed_steps(e, node)
    e.put("SOFTMAX", [e.take(x, order, steps)], value, order, FIXED["SOFTMAX"] if steps else None, beta=1.0)


def clip(e: Emitter, node: Node) -> None:
    """Limits that have a name, or the lesser and the greater of two."""
    low, high = e.limits(node)
    named = {(0.0, math.inf): "RELU", (0.0, 6.0): "RELU6", (-1.0, 1.0): "RELU_N1_TO_1", (0.0, 1.0): "RELU_0_TO_1"}
    if (low, high) in named:
        activation(named[low, high])(e, node)
        return
    x, order, value = e.take(node.inputs[0]), e.first(node.inputs[0]).order, node.outputs[0]
    shape = e.tensors[x].shape
    if low > -math.inf and high < math.inf:
        x = e.inner("MAXIMUM", f"{value}/low", [x, e.single(f"{value}/least", low, None)], shape, None)
        low = -math.inf
    kind, limit = ("MAXIMUM", low) if low > -math.inf else ("MINIMUM", high)
    e.put(kind, [x, e.single(f"{value}/most", limit, None)], value, order, None)


def hard_sigmoid(e: Emitter, node: Node) -> None:
    """min(max(alpha x + beta, 0), 1), as relu6(x + beta / alpha) alpha where that is the same."""
    x, value, alpha, beta = node.inputs[0], node.outputs[0], float(node.attrs["alpha"]), float(node.attrs["beta"])
    goal = e.goal(value)
    steps = e.steps(x) if goal else None
    order, shift = e.first(x).order, beta / alpha
    taken = e.take(x, order, steps)
    shape = e.tensors[taken].shape
    if abs(alpha - 1 / 6) > 1e-6:
        scaled = e.inner("MUL", f"{value}/scaled", [e.take(x, order), e.single(f"{value}/a", alpha, None)], shape, None)
        moved = e.inner("ADD", f"{value}/moved", [scaled, e.single(f"{value}/b", beta, None)], shape, None)
        e.put("RELU_0_TO_1", [moved], value, order, None)
        return
    within = Steps(6 / 255, -128) if steps else None
    inputs = [taken, e.single(f"{value}/3", round(shift, 5), steps)]
    moved = e.inner("ADD", f"{value}/moved", inputs, shape, within, fused_activation_function=3)
    sixth = e.single(f"{value}/sixth", 1 / 6, steps)
    e.put("MUL", [moved, sixth], value, order, goal if steps else None, fused_activation_function=0)


def silu(e: Emitter, node: Node) -> None:
    """x times its sigmoid."""
    x, value = node.inputs[0], node.outputs[0]
    goal = e.goal(value)
    steps = e.steps(x) if goal else None
    order = e.first(x).order
    taken = e.take(x, order, steps)
    gate = e.inner("LOGISTIC", f"{value}/gate", [taken], e.tensors[taken].shape, FIXED["LOGISTIC"] if steps else None)
    e.put("MUL", [taken, gate], value, order, goal if steps else None, fused_activation_function=0)


def elu(e: Emitter, node: Node) -> None:
    """The format knows the usual one only."""
    if node.attrs["alpha"] != 1:
        raise no_form(f"Elu (alpha {node.attrs['alpha']:g})")
    floating("ELU")(e, node)


def prelu(e: Emitter, node: Node) -> None:
    """Its slopes have the axes of what it reads, but for the batch."""
    x, slope = node.inputs
    order, found = e.first(x).order, e.graph.constants.get(slope)
    if order[0] != 0 or found is None:
        raise no_form("PRelu (whose slopes are computed)")
    wide = (*[1] * (len(order) - len(found.shape)), *found.shape)
    shape = [wide[axis] for axis in order[1:]]
    load = found.load
    row = e.stored(slope, shape, "float32", lambda: load().reshape(wide).transpose(order)[0])
    e.put("PRELU", [e.take(x), row], node.outputs[0], order, None)


def binary(kind: str, integers: bool = False) -> Rule:
    """Of two values, or of one and known numbers; a single known number is exact in INT8 as well."""

    def rule(e: Emitter, node: Node) -> None:
        flowing = [name for name in node.inputs if name not in e.graph.constants]
        known = [name for name in node.inputs if name in e.graph.constants]
        if not flowing:
            raise no_form(f"{node.op} of known numbers only")
        alone = all(math.prod(e.shape(name)) == 1 for name in known)
        goal = e.goal(e.result_of(node)) if integers else None
        whole = goal is not None and alone and all(e.steps(name) for name in flowing)
        rank = len(e.shape(node.outputs[0]))
        same = all(len(e.shape(name)) == rank for name in flowing)
        order = e.first(flowing[0]).order if same else plain(rank)
        inputs = []
        for name in node.inputs:
            if name in known:
                inputs.append(_number(e, name, order, whole, alone))
            else:
                wanted = order if same else plain(len(e.shape(name)))
                inputs.append(e.take(name, wanted, e.steps(name) if whole else None))
        value, fused = e.ending(node) if kind in ("ADD", "SUB", "MUL", "DIV") else (node.outputs[0], None)
        options = {} if fused is None else {"fused_activation_function": fused}
        e.put(kind, inputs, value, order, goal if whole else None, **options)

    return rule


def _number(e: Emitter, name: str, order: Order, whole: bool, alone: bool) -> int:
    """Known numbers beside what flows."""
    if whole and alone:
        number = float(e.graph.constants[name].load().reshape(-1)[0])
        return e.single(f"{name}/int8", number, Steps(1, 0))
    return e.constant(name, order)


POINTWISE: dict[tuple[str, str], Rule] = {
    ("", "Relu"): activation("RELU"),
    ("", "Clip"): clip,
    ("", "LeakyRelu"): activation("LEAKY_RELU", lambda node: {"alpha": float(node.attrs["alpha"])}),
    ("", "HardSwish"): activation("HARD_SWISH"),
    ("", "HardSigmoid"): hard_sigmoid,
    ("", "Sigmoid"): fixed("LOGISTIC"),
    ("", "Tanh"): fixed("TANH"),
    ("", "Softmax"): softmax,
    ("", "Elu"): elu,
    ("", "PRelu"): prelu,
    **{
        ("", op): floating(kind)
        for op, kind in {
            "Abs": "ABS", "Neg": "NEG", "Exp": "EXP", "Log": "LOG", "Sqrt": "SQRT", "Floor": "FLOOR", "Ceil": "CEIL",
            "Sin": "SIN", "Cos": "COS",
        }.items()
    },
    (BLOCK, "Gelu"): floating("GELU", lambda node: {"approximate": node.attrs["approximate"] == "tanh"}),
    (BLOCK, "Silu"): silu,
    ("", "Add"): binary("ADD", integers=True),
    ("", "Sub"): binary("SUB", integers=True),
    ("", "Mul"): binary("MUL", integers=True),
    ("", "Div"): binary("DIV"),
    ("", "Max"): binary("MAXIMUM"),
    ("", "Min"): binary("MINIMUM"),
    ("", "Pow"): binary("POW"),
}  # fmt: skip
