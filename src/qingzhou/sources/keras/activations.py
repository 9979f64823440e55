"""Activations: by name, as settings of a layer, and as layers of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...files.refusals import short
from ...graph.form import Value
from ..aten.activations import elu as torch_elu
from .layer import KerasNet, Kind, Layer, plain_value
from .refuse import Unfit, custom_activation

Act = Callable[[KerasNet, Value], Value]


def _op(op: str, **attrs: Any) -> Act:
    return lambda t, x: t.emit(op, [x], **attrs)


def number(t: KerasNet, op: str, x: Value, value: float) -> Value:
    """x op value."""
    return t.emit(op, [x, t.scalar(float(value))])


def clipped(t: KerasNet, x: Value, low: float | None, high: float | None) -> Value:
    """Between two limits."""
    if low is None or high is None:
        return (
            x
            if low is high
            else number(t, "Max", x, low)
            if high is None and low is not None
            else number(t, "Min", x, high or 0.0)
        )
    return t.emit("Clip", [x, t.scalar(float(low)), t.scalar(float(high))])


def relu6(t: KerasNet, x: Value) -> Value:
    """Between 0 and 6."""
    return clipped(t, x, 0, 6)


def hard_sigmoid(t: KerasNet, x: Value) -> Value:
    """Keras 2: clip(0.2 x + 0.5, 0, 1); Keras 3: relu6(x + 3) / 6. The file's age decides, not who opens it."""
    return t.emit("HardSigmoid", [x], alpha=0.2 if t.age == 2 else 1 / 6, beta=0.5)


def silu(t: KerasNet, x: Value) -> Value:
    """x * sigmoid(x)."""
    return t.blocks("Silu", [x], x.shape)


def gelu(approximate: bool) -> Act:
    """Exactly, or by tanh."""
    return lambda t, x: t.blocks("Gelu", [x], x.shape, approximate="tanh" if approximate else "none")


def selu(t: KerasNet, x: Value) -> Value:
    """Klambauer et al. 2017."""
    return torch_elu(t, x, 1.6732632423543772, 1.0507009873554805)


def mish(t: KerasNet, x: Value) -> Value:
    """x * tanh(softplus(x))."""
    return t.emit("Mul", [x, t.emit("Tanh", [t.emit("Softplus", [x])])])


def log_sigmoid(t: KerasNet, x: Value) -> Value:
    """-softplus(-x)."""
    return t.emit("Neg", [t.emit("Softplus", [t.emit("Neg", [x])])])


def tanh_shrink(t: KerasNet, x: Value) -> Value:
    """x - tanh(x)."""
    return t.emit("Sub", [x, t.emit("Tanh", [x])])


def soft_shrink(t: KerasNet, x: Value, threshold: float = 0.5) -> Value:
    """Nearer to 0 by the threshold."""
    return t.emit("Sub", [x, clipped(t, x, -threshold, threshold)])


def hard_shrink(t: KerasNet, x: Value, threshold: float = 0.5) -> Value:
    """0 within the threshold."""
    return t.emit("Where", [t.emit("Greater", [t.emit("Abs", [x]), t.scalar(threshold)]), x, t.scalar(0.0)])


def threshold_by_name(t: KerasNet, x: Value) -> Value:
    """x above 0 and 0 below."""
    return t.emit("Relu", [x])


def squareplus(t: KerasNet, x: Value, b: float = 4) -> Value:
    """(x + sqrt(x² + b)) / 2."""
    root = t.emit("Sqrt", [number(t, "Add", t.emit("Mul", [x, x]), b)])
    return number(t, "Mul", t.emit("Add", [x, root]), 0.5)


def sparse_plus(t: KerasNet, x: Value) -> Value:
    """0 below -1, ((x + 1) / 2)² between, x above 1."""
    inner = clipped(t, x, -1, 1)
    half = number(t, "Mul", number(t, "Add", inner, 1), 0.5)
    return t.emit("Add", [t.emit("Mul", [half, half]), t.emit("Sub", [number(t, "Max", x, 1), t.scalar(1.0)])])


def sparse_sigmoid(t: KerasNet, x: Value) -> Value:
    """clip((x + 1) / 2, 0, 1)."""
    return t.emit("HardSigmoid", [x], alpha=0.5, beta=0.5)


def glu(t: KerasNet, x: Value, axis: int = -1) -> Value:
    """The first half times the sigmoid of the second."""
    axis = t.axis(x, axis)
    size = x.shape[axis]
    if not isinstance(size, int) or size % 2:
        raise Unfit(f"{size} numbers have no halves", f"{size} 个数无法分成两半")
    first, second = (
        t.emit("Slice", [x, t.whole(start), t.whole(stop), t.whole(axis)])
        for start, stop in ((0, size // 2), (size // 2, size))
    )
    return t.emit("Mul", [first, t.emit("Sigmoid", [second])])


def softmax(t: KerasNet, x: Value, axis: int = -1) -> Value:
    """Sums to 1 along an axis."""
    return t.emit("Softmax", [x], axis=t.axis(x, axis))


def log_softmax(t: KerasNet, x: Value, axis: int = -1) -> Value:
    """Its logarithm."""
    return t.emit("LogSoftmax", [x], axis=t.axis(x, axis))


def exponential(t: KerasNet, x: Value) -> Value:
    """e to the power of x."""
    return t.emit("Exp", [x])


def linear(t: KerasNet, x: Value) -> Value:
    """The same."""
    return x


NAMED: Mapping[str, Act] = {
    "linear": linear, "relu": _op("Relu"), "relu6": relu6, "sigmoid": _op("Sigmoid"), "tanh": _op("Tanh"),
    "hard_sigmoid": hard_sigmoid, "silu": silu, "swish": silu, "hard_silu": _op("HardSwish"),
    "hard_swish": _op("HardSwish"), "gelu": gelu(False), "gelu_new": gelu(True), "elu": _op("Elu", alpha=1.0),
    "selu": selu, "celu": _op("Elu", alpha=1.0), "softplus": _op("Softplus"), "softsign": _op("Softsign"),
    "exponential": exponential, "exp": exponential, "leaky_relu": _op("LeakyRelu", alpha=0.2), "mish": mish,
    "log_softmax": log_softmax, "softmax": softmax, "log_sigmoid": log_sigmoid,
    "hard_tanh": lambda t, x: clipped(t, x, -1, 1), "tanh_shrink": tanh_shrink, "soft_shrink": soft_shrink,
    "hard_shrink": hard_shrink, "threshold": threshold_by_name, "squareplus": squareplus, "sparse_plus": sparse_plus,
    "sparse_sigmoid": sparse_sigmoid, "glu": glu,
}  # fmt: skip
# Classes that an "activation" may be, too: {"class_name": "ReLU", "config": {…}}


def activated(t: KerasNet, layer: Layer, x: Value, key: str = "activation") -> Value:
    """What a layer's setting says; none where it says nothing."""
    return by_setting(t, layer, x, layer.get(key))


def by_setting(t: KerasNet, layer: Layer, x: Value, found: Any) -> Value:
    """A name, or a dict of one; UnsupportedCheckpoint for the author's own."""
    if found is None:
        return x
    name = found
    if isinstance(found, Mapping):
        registered = found.get("registered_name")
        if isinstance(registered, str) and ">" in registered:
            raise custom_activation(layer.name, registered)
        if found.get("class_name") in LAYERS_OF and isinstance(found.get("config"), Mapping):
            inner = Layer(str(found["class_name"]), layer.name, found["config"], layer.age, layer.place)
            return _value(LAYERS_OF[inner.kind].run(t, inner, x))
        name = found.get("config") if found.get("class_name") == "function" else found.get("class_name")
        if isinstance(name, Mapping):
            name = name.get("name")
    act = NAMED.get(name) if isinstance(name, str) else None
    if act is None:
        raise custom_activation(layer.name, short(str(name), 60))
    return act(t, x)


def _value(x: Any) -> Value:
    assert isinstance(x, Value)
    return x


# -- layers of their own ----------------------------------------------------------------------------------------------


def activation(t: KerasNet, layer: Layer, x: Value) -> Value:
    """One by its name."""
    return activated(t, layer, x)


def relu_layer(t: KerasNet, layer: Layer, x: Value) -> Value:
    """max_value above, x from the threshold on, negative_slope * (x - threshold) below."""
    top, slope, threshold = layer.get("max_value"), layer.number("negative_slope", 0.0), layer.number("threshold", 0.0)
    top = plain_value(top) if isinstance(top, Mapping) else top
    if not threshold:
        found = t.emit("LeakyRelu", [x], alpha=slope) if slope else t.emit("Relu", [x])
        if slope == 0 and top is not None:
            return clipped(t, x, 0, float(top))
    else:
        low = number(t, "Mul", number(t, "Sub", x, threshold), slope)
        is_low = t.emit("Less", [x, t.scalar(threshold)])
        found = t.emit("Where", [is_low, low, x])
    return found if top is None else number(t, "Min", found, float(top))


def leaky_relu(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Keras 3 calls it negative_slope, Keras 2 alpha."""
    key = "negative_slope" if "negative_slope" in layer.config else "alpha"
    return t.emit("LeakyRelu", [x], alpha=layer.number(key, 0.3))


def prelu(t: KerasNet, layer: Layer, x: Value) -> Value:
    """A slope for each number, or shared along axes."""
    (alpha,) = layer.tensors(t, "alpha")
    return t.emit("PRelu", [x, alpha])


def elu(t: KerasNet, layer: Layer, x: Value) -> Value:
    """alpha * (exp(x) - 1) below 0."""
    return t.emit("Elu", [x], alpha=layer.number("alpha", 1.0))


def thresholded(t: KerasNet, layer: Layer, x: Value) -> Value:
    """x above theta, else 0."""
    above = t.emit("Greater", [x, t.scalar(layer.number("theta", 1.0))])
    return t.emit("Where", [above, x, t.scalar(0.0)])


def softmax_layer(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Along one axis, or several together."""
    axis = layer.get("axis", -1)
    if not isinstance(axis, list) or len(axis) == 1:
        return softmax(t, x, axis[0] if isinstance(axis, list) else axis)
    axes = tuple(sorted(t.axis(x, one) for one in axis))
    high = t.emit("ReduceMax", [x], axes=axes, keepdims=1)
    powers = t.emit("Exp", [t.emit("Sub", [x, high])])
    return t.emit("Div", [powers, t.emit("ReduceSum", [powers, t.whole(*axes)], keepdims=1)])


LAYERS_OF: dict[str, Kind] = {
    "ReLU": Kind(relu_layer, "pass"), "LeakyReLU": Kind(leaky_relu, "pass"), "ELU": Kind(elu, "pass"),
    "ThresholdedReLU": Kind(thresholded, "pass"), "Softmax": Kind(softmax_layer, "refuse"),
}  # fmt: skip
ACTIVATIONS: dict[str, Kind] = {**LAYERS_OF, "Activation": Kind(activation, "pass"), "PReLU": Kind(prelu, "pass")}
