"""Activations: number by number, or over one axis."""

from __future__ import annotations

import numpy as np

from ...graph.form import Value
from .arithmetic import unary
from .walk import Call, Step


def relu6(c: Call) -> Value:
    """Between 0 and 6."""
    return c.t.emit("Clip", [c.x(), c.t.scalar(0.0), c.t.scalar(6.0)])


def silu(c: Call) -> Value:
    """x sigmoid(x)."""
    return c.t.blocks("Silu", [c.x()], c.x().shape)


def gelu(approximate: str) -> Step:
    """By erf, or by tanh."""
    return lambda c: c.t.blocks("Gelu", [c.x()], c.x().shape, approximate=approximate)


def gelu_ext(c: Call) -> Value:
    """mint's, which says what it is."""
    told = c.get(1, "approximate", 0)
    return gelu("tanh" if told in (1, "tanh") else "none")(c)  # type: ignore[no-any-return]


def fast_gelu(c: Call) -> Value:
    """x / (1 + exp(-1.702 |x|)) * exp(0.851 (x - |x|)), which is x sigmoid(1.702 x)."""
    x = c.x()
    return c.t.emit("Mul", [x, c.t.emit("Sigmoid", [c.t.emit("Mul", [x, c.t.scalar(1.702)])])])


def hsigmoid(c: Call) -> Value:
    """relu6(x + 3) / 6."""
    return c.t.emit("HardSigmoid", [c.x()], alpha=1 / 6, beta=0.5)


def mish(c: Call) -> Value:
    """x tanh(softplus(x))."""
    x = c.x()
    return c.t.emit("Mul", [x, c.t.emit("Tanh", [c.t.emit("Softplus", [x])])])


def elu(c: Call) -> Value:
    """Elu(x, alpha)."""
    return c.t.emit("Elu", [c.x()], alpha=float(c.number(1, "alpha", 1.0)))


def celu(c: Call) -> Value:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    return c.t.emit("Celu", [c.x()], alpha=float(c.number(1, "alpha", 1.0)))


def leaky(c: Call) -> Value:
    """LeakyReLU as an operation of its own."""
    return c.t.emit("LeakyRelu", [c.x()], alpha=float(c.number(1, "negative_slope", 0.01)))


def maximum(c: Call) -> Value:
    """The larger one; of x and a part of x a LeakyReLU, as MindSpore writes it."""
    slope = _slope(c)
    return c.t.emit("Max", c.pair()) if slope is None else slope


def _slope(c: Call) -> Value | None:
    a, b = c.x(0), c.x(1)
    made = {node.outputs[0]: node for node in c.t.nodes[-12:]}
    for part, whole in ((a, b), (b, a)):
        node = made.get(part.name)
        if node is None or node.op != "Mul" or whole.name not in node.inputs or whole.name in c.t.constants:
            continue
        other = next((name for name in node.inputs if name in c.t.constants), None)
        array = None if other is None else c.t.constants[other].load()
        if array is not None and array.ndim == 0 and 0 < float(array) < 1 and whole.dtype == "float32":
            return c.t.emit("LeakyRelu", [whole], alpha=float(array))
    return None


def prelu(c: Call) -> Value:
    """A slope for all, or for each channel of axis 1."""
    x, slope = c.x(0), c.x(1)
    if slope.shape not in ((), (1,)) and len(x.shape) > 2:
        slope = c.t.emit("Reshape", [slope, c.t.whole(-1, *[1] * (len(x.shape) - 2))])
    return c.t.emit("PRelu", [x, slope])


def hard_shrink(c: Call) -> Value:
    """0 between -lambda and lambda."""
    x, limit = c.x(), float(c.number(1, "lambd", 0.5))
    small = c.t.emit("Greater", [c.t.emit("Abs", [x]), c.t.scalar(limit)])
    return c.t.emit("Where", [small, x, c.t.scalar(0.0)])


def soft_shrink(c: Call) -> Value:
    """The same, and by lambda nearer to 0 outside."""
    x, limit = c.x(), float(c.number(1, "lambd", 0.5))
    inner = c.t.emit("Clip", [x, c.t.scalar(-limit), c.t.scalar(limit)])
    return c.t.emit("Sub", [x, inner])


def soft(op: str) -> Step:
    """Softmax and LogSoftmax over one axis."""

    def step(c: Call) -> Value:
        axes = c.ints(1, "axis", -1)
        x = c.x()
        c.only(len(axes) == 1, "its softmax is over several axes", "softmax 跨多个轴")
        return c.t.emit(op, [x], axis=c.axis(axes[0], len(x.shape)))

    return step


def glu(c: Call) -> Value:
    """One half times the sigmoid of the other."""
    x = c.x()
    axis = c.axis(int(c.number(1, "axis", -1)), len(x.shape))
    size = x.shape[axis]
    assert isinstance(size, int) and size % 2 == 0
    a, b = c.t.emits("Split", [x, c.t.whole(size // 2, size // 2)], 2, axis=axis)
    return c.t.emit("Mul", [a, c.t.emit("Sigmoid", [b])])


SELU = {"alpha": float(np.float32(1.67326324)), "gamma": float(np.float32(1.05070098))}
PLAIN = {
    "ReLU": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "HSwish": "HardSwish", "Softplus": "Softplus",
    "Softsign": "Softsign",
}  # fmt: skip
ACTIVATIONS: dict[str, Step] = {
    **{name: unary(op) for name, op in PLAIN.items()}, "Maximum": maximum, "ReLU6": relu6, "SiLU": silu, "Swish": silu,
    "GeLU": gelu("tanh"), "GeluExt": gelu_ext, "FastGeLU": fast_gelu, "HSigmoid": hsigmoid, "Mish": mish,
    "MishExt": mish, "Elu": elu, "EluExt": elu, "CeLU": celu, "SeLU": unary("Selu", **SELU),
    "SeLUExt": unary("Selu", **SELU), "LeakyReLUExt": leaky, "LeakyRelu": leaky, "PReLU": prelu, "HShrink": hard_shrink,
    "SoftShrink": soft_shrink, "Softmax": soft("Softmax"), "LogSoftmax": soft("LogSoftmax"), "GLU": glu, "Glu": glu,
}  # fmt: skip
