"""Activations, as torch.nn.functional has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.form import Value
from ..recording.net import Net
from .arithmetic import clamp, compared, floating
from .bind import Number, Operand
from .refuse import in_training


def named(op: str, **attrs: Any) -> Callable[[Net, Value], Value]:
    """One operator of ONNX."""

    def function(t: Net, self: Value) -> Value:
        return t.emit(op, [floating(t, self)], **attrs)

    return function


def relu(t: Net, self: Value) -> Value:
    """max(x, 0)."""
    return t.emit("Relu", [self]) if self.dtype == "float32" else clamp(t, self, 0)


def silu(t: Net, self: Value) -> Value:
    """x * sigmoid(x)."""
    return t.blocks("Silu", [self], self.shape)


def gelu(t: Net, self: Value, approximate: str = "none") -> Value:
    """Exactly, or by tanh."""
    return t.blocks("Gelu", [self], self.shape, approximate="tanh" if approximate == "tanh" else "none")


def hardtanh(t: Net, self: Value, min_val: Number = -1, max_val: Number = 1) -> Value:
    """Between two limits."""
    return clamp(t, self, min_val, max_val)


def relu6(t: Net, self: Value) -> Value:
    """Between 0 and 6."""
    return clamp(t, self, 0, 6)


def leaky_relu(t: Net, self: Value, negative_slope: float = 0.01) -> Value:
    """max(x, slope * x)."""
    return t.emit("LeakyRelu", [self], alpha=float(negative_slope))


def rrelu(
    t: Net, self: Value, lower: float = 0.125, upper: float = 1 / 3, training: bool = False, generator: object = None
) -> Value:
    """In use, the mean of both slopes."""
    if training:
        raise in_training("", "rrelu(training=True)")
    return leaky_relu(t, self, (lower + upper) / 2)


def rrelu_with_noise(
    t: Net, self: Value, noise: Value, lower: float = 0.125, upper: float = 1 / 3, training: bool = False
) -> list[Value]:
    """As the core operators have it."""
    return [rrelu(t, self, lower, upper, training), noise]


def elu(t: Net, self: Value, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Value:
    """scale * (max(x, 0) + min(0, alpha * (exp(input_scale * x) - 1)))."""
    if input_scale == 1:
        found = t.emit("Elu", [self], alpha=float(alpha))
    else:
        low = t.emit("Exp", [t.emit("Mul", [t.emit("Min", [self, t.scalar(0.0)]), t.scalar(input_scale)])])
        low = t.emit("Mul", [t.emit("Sub", [low, t.scalar(1.0)]), t.scalar(alpha)])
        found = t.emit("Add", [t.emit("Relu", [self]), low])
    return found if scale == 1 else t.emit("Mul", [found, t.scalar(scale)])


def celu(t: Net, self: Value, alpha: float = 1.0) -> Value:
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))."""
    return elu(t, self, alpha, 1.0, 1 / alpha)


def selu(t: Net, self: Value) -> Value:
    """Klambauer et al. 2017."""
    return elu(t, self, 1.6732632423543772, 1.0507009873554805)


def prelu(t: Net, self: Value, weight: Value) -> Value:
    """One slope, or one for each channel of axis 1."""
    shape = (weight.shape[0], *[1] * (len(self.shape) - 2)) if len(self.shape) > 2 else weight.shape
    sizes = [n for n in shape if isinstance(n, int)]
    wide = weight if tuple(sizes) == weight.shape else t.emit("Reshape", [weight, t.whole(*sizes)])
    return t.emit("PRelu", [self, wide])


def softplus(t: Net, self: Value, beta: float = 1.0, threshold: float = 20.0) -> Value:
    """log(1 + exp(beta * x)) / beta; x itself where beta * x is above the threshold."""
    scaled = self if beta == 1 else t.emit("Mul", [self, t.scalar(beta)])
    soft = t.emit("Softplus", [scaled])
    soft = soft if beta == 1 else t.emit("Div", [soft, t.scalar(beta)])
    if threshold >= 20:  # a float32 has no digits for the difference
        return soft
    return t.emit("Where", [t.emit("Greater", [scaled, t.scalar(threshold)]), self, soft])


def mish(t: Net, self: Value) -> Value:
    """x * tanh(softplus(x))."""
    return t.emit("Mul", [self, t.emit("Tanh", [t.emit("Softplus", [self])])])


def log_sigmoid(t: Net, self: Value) -> Value:
    """-softplus(-x)."""
    return t.emit("Neg", [t.emit("Softplus", [t.emit("Neg", [self])])])


def softsign(t: Net, self: Value) -> Value:
    """x / (1 + |x|)."""
    return t.emit("Div", [self, t.emit("Add", [t.emit("Abs", [self]), t.scalar(1.0)])])


def tanhshrink(t: Net, self: Value) -> Value:
    """x - tanh(x)."""
    return t.emit("Sub", [self, t.emit("Tanh", [self])])


def hardshrink(t: Net, self: Value, lambd: float = 0.5) -> Value:
    """x, but 0 where |x| is at most this."""
    return t.emit("Where", [t.emit("Greater", [t.emit("Abs", [self]), t.scalar(lambd)]), self, t.scalar(0.0)])


def softshrink(t: Net, self: Value, lambd: float = 0.5) -> Value:
    """x, but nearer to 0 by this."""
    return t.emit("Sub", [self, clamp(t, self, -lambd, lambd)])


def threshold(t: Net, self: Value, threshold: Number, value: Number) -> Value:
    """x where it is above the threshold, else the value."""
    return t.emit("Where", [compared("Greater")(t, self, threshold), self, t.scalar(float(value), self.dtype)])  # type: ignore[arg-type]


def glu(t: Net, self: Value, dim: int = -1) -> Value:
    """The first half times the sigmoid of the second."""
    axis = t.axis(self, dim)
    half = self.shape[axis]
    assert isinstance(half, int)
    row = [t.whole(*numbers) for numbers in ((0,), (half // 2,), (half // 2,), (half,), (axis,))]
    first, second = (t.emit("Slice", [self, *ends, row[4]]) for ends in (row[:2], row[2:4]))
    return t.emit("Mul", [first, t.emit("Sigmoid", [second])])


def logit(t: Net, self: Value, eps: float | None = None) -> Value:
    """log(x / (1 - x))."""
    x = self if eps is None else clamp(t, self, eps, 1 - eps)
    return t.emit("Log", [t.emit("Div", [x, t.emit("Sub", [t.scalar(1.0), x])])])


def nan_to_num(
    t: Net, self: Value, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Value:
    """Other numbers in the place of what is none."""
    most = float(np.finfo(np.float32).max)
    found = t.emit("Where", [t.emit("IsNaN", [self]), t.scalar(nan or 0.0), self])
    high, low = most if posinf is None else posinf, -most if neginf is None else neginf
    found = t.emit("Where", [t.emit("Greater", [found, t.scalar(most)]), t.scalar(high), found])
    return t.emit("Where", [t.emit("Less", [found, t.scalar(-most)]), t.scalar(low), found])


def dropout(t: Net, input: Value, p: float, train: bool) -> Value:
    """Nothing, in use."""
    if train and p:
        raise in_training("", "dropout(train=True)")
    return input


def native_dropout(t: Net, input: Value, p: float, train: bool | None = None) -> list[Value | None]:
    """As the core operators have it, in training."""
    return [dropout(t, input, p, train is not False), None]


def heaviside(t: Net, self: Value, values: Operand) -> Value:
    """0 below zero, 1 above, the value at zero."""
    at = t.emit("Where", [compared("Equal")(t, self, 0.0), _wide(t, values), t.scalar(1.0)])
    return t.emit("Where", [compared("Less")(t, self, 0.0), t.scalar(0.0), at])


def _wide(t: Net, x: Operand) -> Value:
    return floating(t, x) if isinstance(x, Value) else t.scalar(float(x))  # type: ignore[arg-type]


ACTIVATIONS: dict[str, Callable[..., Value | list[Value] | list[Value | None]]] = {
    "rrelu_with_noise_functional": rrelu_with_noise,
    "native_dropout": native_dropout,
    "relu": relu, "relu6": relu6, "silu": silu, "gelu": gelu, "hardtanh": hardtanh, "leaky_relu": leaky_relu,
    "rrelu": rrelu, "elu": elu, "celu": celu, "selu": selu, "prelu": prelu, "_prelu_kernel": prelu,
    "softplus": softplus, "mish": mish, "log_sigmoid": log_sigmoid, "softsign": softsign, "tanhshrink": tanhshrink,
    "hardshrink": hardshrink, "softshrink": softshrink, "threshold": threshold, "glu": glu, "logit": logit,
    "nan_to_num": nan_to_num, "heaviside": heaviside, "hardswish": named("HardSwish"),
    "hardsigmoid": named("HardSigmoid", alpha=1 / 6, beta=0.5),
    **dict.fromkeys(("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"), dropout),
}  # fmt: skip
