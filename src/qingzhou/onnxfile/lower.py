"""Blocks and late operators -> operators that any opset from 11 to 21 has with one meaning.

A rule below is one function for one operator; what has none is written as it is. lower_detection.py has the blocks of
detectors, lower_heads.py those of classifiers' heads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from ..graph.fold import scale_and_shift
from ..graph.form import BLOCK, Array, Constant, Graph, Node, roles
from . import lower_axes, lower_detection, lower_heads, lower_rotated
from .lowering import Lowering

Rule = Callable[[Lowering, Node], object]
Rules = Mapping[tuple[str, str], Rule]  # by domain and operator


def lower(graph: Graph, opset: int, other: Rules | None = None) -> Graph:
    """The same network for an opset, 11 to 21, without blocks; `other` rules come before those here."""
    lowering = Lowering(graph, opset)
    defaults = (value.name for value in graph.inputs if value.name in graph.optional)
    lowering.constants |= {name: graph.constants[name] for name in defaults}
    rules = {**RULES, **(other or {})}
    for node in graph.nodes:
        lowering.own = frozenset(node.outputs)
        rules.get((node.domain, node.op), _as_it_is)(lowering, node)
    used = {node.domain for node in lowering.nodes if node.domain}
    opsets = {"": opset, **{domain: graph.opsets.get(domain, 1) for domain in sorted(used)}}
    return replace(graph, nodes=tuple(lowering.nodes), constants=lowering.constants, opsets=opsets)


def _as_it_is(e: Lowering, node: Node) -> None:
    assert node.domain != BLOCK, f"{node.op} has no rule"
    e.append(node)


# -- layers ------------------------------------------------------------------------------------------------------------


def linear(e: Lowering, node: Node) -> None:
    """Gemm for (N, C); MatMul for any other rank, since Gemm takes no other."""
    (x, key, *bias), out = node.inputs, node.outputs[0]
    if e.rank(x) == 2:
        e.node("Gemm", node.inputs, [out], transB=1)
        return
    weight = e.graph.constants[key]
    turned = e.put(f"{key}.T", weight.shape[::-1], lambda: weight.load().T)
    product = e.node("MatMul", [x, turned], [f"{out}/product" if bias else out])
    if bias:
        e.node("Add", [product, *bias], [out])


def batch_norm(e: Lowering, node: Node) -> None:
    """scale * x + shift, computed in float64: exact for every rank, and without the operator's rank rules."""
    x, out = node.inputs[0], node.outputs[0]
    if x not in e.graph.values or any(name not in e.graph.constants for name in node.inputs[1:]):
        e.append(node)
        return
    shape = (e.graph.values[x].channels, *[1] * (e.rank(x) - 2))

    def numbers(i: int) -> Callable[[], Array]:
        return lambda: _float32(scale_and_shift(node, e.graph)[i], shape)

    names = [e.put(f"{node.name}/{role}", shape, numbers(i)) for i, role in enumerate(("scale", "shift"))]
    scaled = e.node("Mul", [x, names[0]], [f"{out}/scaled"])
    e.node("Add", [scaled, names[1]], [out])


def group_norm(e: Lowering, node: Node) -> None:
    """Groups laid side by side and normalised as instances: GroupNormalization itself only came with opset 18."""
    (x, *keys), out, groups = node.inputs, node.outputs[0], node.attrs["groups"]
    shape = e.graph.values[x].shape
    ones = e.constant(f"{node.name}/ones", np.ones(groups, np.float32))
    zeros = e.constant(f"{node.name}/zeros", np.zeros(groups, np.float32))
    grouped = e.node("Reshape", [x, e.ints(f"{out}/groups", [0, groups, -1])], [f"{out}/grouped"])
    eps = node.attrs["eps"]
    normed = e.node("InstanceNormalization", [grouped, ones, zeros], [f"{out}/normed"], epsilon=eps)
    back = e.reshape(normed, f"{out}/back" if keys else out, shape)
    if keys:
        wide = (e.graph.values[x].channels, *[1] * (len(shape) - 2))
        names = [e.put(f"{key}.wide", wide, _wide(e.graph.constants[key], wide)) for key in keys]
        e.node("Add", [e.node("Mul", [back, names[0]], [f"{out}/scaled"]), names[1]], [out])


def _wide(constant: Constant, shape: tuple[int, ...]) -> Callable[[], Array]:
    return lambda: constant.load().reshape(shape)


def hard_swish(e: Lowering, node: Node) -> None:
    """x * hardsigmoid(x): the operator came with opset 14."""
    x, out = node.inputs[0], node.outputs[0]
    gate = e.node("HardSigmoid", [x], [f"{out}/gate"], alpha=1 / 6, beta=0.5)
    e.node("Mul", [x, gate], [out])


def silu(e: Lowering, node: Node) -> None:
    """x * sigmoid(x), which ONNX calls Swish since opset 24."""
    x, out = node.inputs[0], node.outputs[0]
    e.node("Mul", [x, e.node("Sigmoid", [x], [f"{out}/gate"])], [out])


def gelu(e: Lowering, node: Node) -> None:
    """x / 2 * (1 + erf(x / sqrt 2)), Hendrycks and Gimpel 2016; or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)) for the
    erf. The operator came with opset 20.
    """
    x, out = node.inputs[0], node.outputs[0]
    erf = _by_tanh(e, x, out) if node.attrs["approximate"] == "tanh" else _by_erf(e, x, out)
    gate = e.node("Add", [erf, e.number(1, out)], [f"{out}/gate"])
    half = e.node("Mul", [x, e.number(0.5, out)], [f"{out}/half"])
    e.node("Mul", [half, gate], [out])


def _by_erf(e: Lowering, x: str, out: str) -> str:
    scaled = e.node("Mul", [x, e.number(0.5**0.5, out)], [f"{out}/scaled"])
    return e.node("Erf", [scaled], [f"{out}/erf"])


def _by_tanh(e: Lowering, x: str, out: str) -> str:
    cube = e.node("Mul", [e.node("Mul", [x, x], [f"{out}/square"]), x], [f"{out}/cube"])
    small = e.node("Mul", [cube, e.number(0.044715, out)], [f"{out}/small"])
    inner = e.node("Add", [x, small], [f"{out}/inner"])
    root = e.constant(f"{out}/k", np.array((2 / np.pi) ** 0.5, np.float32))
    return e.node("Tanh", [e.node("Mul", [inner, root], [f"{out}/scaled"])], [f"{out}/tanh"])


def softmax(e: Lowering, node: Node) -> None:
    """Before opset 13 Softmax flattens everything after its axis, so it is only done on the last one."""
    x, out, axis = node.inputs[0], node.outputs[0], node.attrs["axis"]
    if e.opset >= 13 or axis in (-1, e.rank(x) - 1):
        e.node("Softmax", [x], [out], axis=axis)
        return
    rank = e.rank(x)
    order = [*(i for i in range(rank) if i != axis), axis]
    turned = e.node("Transpose", [x], [f"{out}/turned"], perm=tuple(order))
    soft = e.node("Softmax", [turned], [f"{out}/soft"], axis=rank - 1)
    e.node("Transpose", [soft], [out], perm=tuple(order.index(i) for i in range(rank)))


def one_axis(e: Lowering, node: Node) -> None:
    """Squeeze and Unsqueeze."""
    x, *axes = node.inputs
    if e.opset >= 13 or not axes:  # without axes Squeeze takes all that are 1
        e.node(node.op, node.inputs, node.outputs)
    else:
        e.node(node.op, [x], node.outputs, axes=tuple(e.numbers(axes[0]).tolist()))


def reduce_max(e: Lowering, node: Node) -> None:
    """With its axes where the opset has them."""
    (x,), (out,), rest = node.inputs, node.outputs, {**node.attrs}
    axes = rest.pop("axes", None)
    if axes is None:
        e.append(node)
    else:
        e.axes(node.op, x, out, axes, **rest)


def lstm(e: Lowering, node: Node) -> None:
    """torch keeps its gates in the order i f g o, ONNX in i o f c."""
    ways, hidden, names = node.attrs["ways"], node.attrs["hidden"], roles(node)
    inner = e.graph.constants[names["weight_ih"]].shape[1]
    kinds = {
        "W": ((ways, 4 * hidden, inner), ["weight_ih"]),
        "R": ((ways, 4 * hidden, hidden), ["weight_hh"]),
        "B": ((ways, 8 * hidden), ["bias_ih", "bias_hh"]),
    }
    weights = [
        e.put(f"{node.name}/{kind}", shape, _gates(e, node, *wanted)) if wanted[0] in names else ""
        for kind, (shape, wanted) in kinds.items()
    ]
    (x, *state), (y, h, c) = node.inputs[:3], node.outputs
    inputs = [x, *weights, "", *state] if any(state) else [x, *weights] if weights[2] else [x, *weights[:2]]
    direction = "bidirectional" if ways == 2 else "forward"
    e.node("LSTM", inputs, [f"{y}/ways", h, c], hidden_size=hidden, direction=direction)
    turned = e.node("Transpose", [f"{y}/ways"], [f"{y}/turned"], perm=(0, 2, 1, 3))
    e.node("Reshape", [turned, e.ints(f"{y}/shape", [0, 0, ways * hidden])], [y])


def _gates(e: Lowering, node: Node, *wanted: str) -> Callable[[], Array]:
    """The parameters of all directions, stacked, with the gates in ONNX's order."""
    names = roles(node)

    def load() -> Array:
        ways = ("", "_reverse")[: node.attrs["ways"]]
        return np.stack([np.concatenate([_iofc(e.numbers(names[role + way])) for role in wanted]) for way in ways])

    return load


def _iofc(array: Array) -> Array:
    i, f, g, o = np.split(array, 4)
    return np.concatenate([i, o, f, g])


def upsample_like(e: Lowering, node: Node) -> None:
    """Resize to the other's height and width, which may be known only when it runs."""
    (x, other), out = node.inputs, node.outputs[0]
    ends = [(x, "own", 0, 2), (other, "wanted", 2, 4)]
    sizes = [
        e.node(
            "Slice",
            [e.node("Shape", [v], [f"{out}/{n}"]), e.ints(f"{out}/{a}", [a]), e.ints(f"{out}/{b}", [b])],
            [f"{out}/{n}_size"],
        )
        for v, n, a, b in ends
    ]
    size = e.node("Concat", sizes, [f"{out}/size"], axis=0)
    none = "" if e.opset >= 13 else e.constant(f"{out}/none", np.zeros(0, np.float32))
    rule = {"coordinate_transformation_mode": "asymmetric", "mode": "nearest", "nearest_mode": "floor"}
    e.node("Resize", [x, none, none, size], [out], **rule)


def _float32(values: Array | float, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(np.asarray(values, np.float64).reshape(shape), shape).astype(np.float32)


RULES: Rules = {
    ("", "BatchNormalization"): batch_norm,
    ("", "HardSwish"): hard_swish,
    ("", "ReduceMax"): reduce_max,
    ("", "Softmax"): softmax,
    ("", "Squeeze"): one_axis,
    ("", "Unsqueeze"): one_axis,
    **lower_axes.RULES,
    (BLOCK, "Linear"): linear,
    (BLOCK, "GroupNorm"): group_norm,
    (BLOCK, "Silu"): silu,
    (BLOCK, "Gelu"): gelu,
    (BLOCK, "Lstm"): lstm,
    (BLOCK, "UpsampleLike"): upsample_like,
    **{(BLOCK, op): rule for op, rule in (lower_detection.RULES | lower_heads.RULES | lower_rotated.RULES).items()},
}
