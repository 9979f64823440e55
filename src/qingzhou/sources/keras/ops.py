"""Operators of Keras 3 between layers (keras.ops, +, [...]), by the names of their classes.

Each takes what the file calls it with; what is kept among the settings of the operator comes as a named argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...graph.form import Value
from . import activations as acts
from .activations import clipped
from .arithmetic import (
    Run,
    arg,
    binary,
    compared,
    floor_divide,
    inverted,
    logical,
    mod,
    named,
    power,
    reduced,
    rsqrt,
    some,
    square,
    unary,
    variance,
)
from .axes import (
    broadcast_to,
    cast,
    clip,
    concatenate,
    einsum,
    elu,
    expand_dims,
    flipped,
    gelu,
    get_item,
    leaky,
    like,
    matmul,
    moved,
    normalize,
    one_hot,
    pad,
    repeated,
    reshape,
    resized,
    same,
    softmax,
    split,
    squeeze,
    stack,
    swapped,
    take,
    tile,
    transpose,
    unstack,
    where,
)
from .layer import KerasNet, Layer


def _settings(run: Run) -> Run:
    """Keras 3 keeps some arguments among the settings of the operator."""

    def called(t: KerasNet, layer: Layer, *args: Any, **kwargs: Any) -> Any:
        left = {"name", "dtype", "trainable", "function", *kwargs}
        more = {key: one for key, one in layer.config.items() if key not in left and one is not None}
        return run(t, layer, *args, **{**_plain(more), **kwargs})

    return called


def _plain(more: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key): one for key, one in more.items() if not isinstance(one, Mapping)}


ELEMENTS: Mapping[str, Callable[[KerasNet, Value], Value]] = {
    "relu": lambda t, x: t.emit("Relu", [x]), "relu6": acts.relu6, "sigmoid": lambda t, x: t.emit("Sigmoid", [x]),
    "tanh": lambda t, x: t.emit("Tanh", [x]), "silu": acts.silu, "swish": acts.silu, "selu": acts.selu,
    "softplus": lambda t, x: t.emit("Softplus", [x]), "softsign": lambda t, x: t.emit("Softsign", [x]),
    "hard_sigmoid": acts.hard_sigmoid, "hard_silu": lambda t, x: t.emit("HardSwish", [x]),
    "hard_swish": lambda t, x: t.emit("HardSwish", [x]), "mish": acts.mish, "log_sigmoid": acts.log_sigmoid,
    "hard_tanh": lambda t, x: clipped(t, x, -1, 1), "tanh_shrink": acts.tanh_shrink, "squareplus": acts.squareplus,
    "sparse_plus": acts.sparse_plus, "sparse_sigmoid": acts.sparse_sigmoid, "square": square, "rsqrt": rsqrt,
    "absolute": lambda t, x: t.emit("Abs", [x]), "abs": lambda t, x: t.emit("Abs", [x]),
    "expm1": lambda t, x: acts.number(t, "Sub", t.emit("Exp", [x]), 1),
    "log1p": lambda t, x: t.emit("Log", [acts.number(t, "Add", x, 1)]),
    "negative": lambda t, x: t.emit("Neg", [x]), "neg": lambda t, x: t.emit("Neg", [x]),
}  # fmt: skip
PLAIN = ("Sqrt", "Exp", "Log", "Sin", "Cos", "Tan", "Tanh", "Sinh", "Cosh", "Floor", "Ceil", "Sign", "Round",
         "Reciprocal", "Erf", "Asin", "Acos", "Atan")  # fmt: skip
BOTH: Mapping[str, str] = {"Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Maximum": "Max", "Minimum": "Min"}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


RUNS: dict[str, Run] = {
    **{_camel(name): unary(one) for name, one in ELEMENTS.items()}, **{name: named(name) for name in PLAIN},
    **{name: binary(op) for name, op in BOTH.items()}, "TrueDivide": binary("Div"), "Divide": binary("Div"),
    "Power": power, "FloorDivide": floor_divide, "Mod": mod, "Arcsin": named("Asin"), "Arccos": named("Acos"),
    "Arctan": named("Atan"), "Rsqrt": unary(rsqrt),
    "Equal": compared("Equal"), "NotEqual": compared("Equal", True), "Greater": compared("Greater"),
    "Less": compared("Less"), "GreaterEqual": compared("Less", True), "LessEqual": compared("Greater", True),
    "LogicalAnd": logical("And"), "LogicalOr": logical("Or"), "LogicalNot": inverted,
    "Any": some("ReduceMax"), "All": some("ReduceMin"),
    "Mean": reduced("ReduceMean"), "Sum": reduced("ReduceSum"), "Max": reduced("ReduceMax"),
    "Min": reduced("ReduceMin"), "Prod": reduced("ReduceProd"), "Var": variance(False), "Std": variance(True),
    "Argmax": arg("ArgMax"), "Argmin": arg("ArgMin"), "Amax": reduced("ReduceMax"), "Amin": reduced("ReduceMin"),
    "Reshape": reshape, "Transpose": transpose, "Moveaxis": moved, "Swapaxes": swapped, "ExpandDims": expand_dims,
    "Squeeze": squeeze, "Concatenate": concatenate, "Stack": stack, "Split": split, "Unstack": unstack,
    "GetItem": get_item, "Flip": flipped, "Tile": tile, "Repeat": repeated, "Pad": pad, "BroadcastTo": broadcast_to,
    "Matmul": matmul, "Einsum": einsum, "Clip": clip, "Cast": cast, "Where": where, "Take": take, "OneHot": one_hot,
    "Normalize": normalize, "Resize": resized, "ZerosLike": like(0.0), "OnesLike": like(1.0), "Copy": same,
    "ConvertToTensor": same,
    "StopGradient": same, "Identity": same, "Softmax": softmax(acts.softmax), "LogSoftmax": softmax(acts.log_softmax),
    "Gelu": gelu, "LeakyRelu": leaky, "Elu": elu, "Glu": softmax(acts.glu),
}  # fmt: skip
OPERATORS: Mapping[str, Run] = {name: _settings(run) for name, run in RUNS.items()}
