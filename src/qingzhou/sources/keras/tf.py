"""Functions of TensorFlow that models of Keras 2 call between layers, by name; nothing of them is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph.form import Value
from . import activations as acts
from .arithmetic import (
    Run,
    arg,
    binary,
    compared,
    floor_divide,
    inverted,
    mod,
    named,
    power,
    reduced,
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
    normalize,
    one_hot,
    pad,
    repeated,
    reshape,
    resized,
    same,
    softmax,
    split_tf,
    squeeze,
    stack,
    take,
    tile,
    transpose,
    unstack,
    where,
)
from .layer import KerasNet, Layer
from .ops import ELEMENTS, PLAIN


def turned(op: str) -> Run:
    """2 - x, as Python calls it."""
    run = binary(op)
    return lambda t, layer, x, y, **more: run(t, layer, y, x)


def _tf_pad(
    t: KerasNet, layer: Layer, x: Value, paddings: Any, mode: Any = "constant", constant_values: Any = 0, **more: Any
) -> Value:
    return pad(t, layer, x, paddings, mode, constant_values)


def _tf_take(t: KerasNet, layer: Layer, x: Value, indices: Any, axis: Any = 0, **more: Any) -> Value:
    return take(t, layer, x, indices, axis)


# Functions of TensorFlow, without "math.", "nn.", "compat.v1." and "__operators__." before their names.
FUNCTIONS: Mapping[str, Run] = {
    **{name: unary(one) for name, one in ELEMENTS.items()}, **{name.lower(): named(name) for name in PLAIN},
    "add": binary("Add"), "subtract": binary("Sub"), "sub": binary("Sub"), "multiply": binary("Mul"),
    "mul": binary("Mul"), "divide": binary("Div"), "truediv": binary("Div"), "div": binary("Div"), "pow": power,
    "radd": turned("Add"), "rsub": turned("Sub"), "rmul": turned("Mul"), "rtruediv": turned("Div"),
    "floordiv": floor_divide, "floormod": mod, "mod": mod, "maximum": binary("Max"), "minimum": binary("Min"),
    "equal": compared("Equal"), "not_equal": compared("Equal", True), "greater": compared("Greater"),
    "less": compared("Less"), "greater_equal": compared("Less", True), "less_equal": compared("Greater", True),
    "eq": compared("Equal"), "ne": compared("Equal", True), "gt": compared("Greater"), "lt": compared("Less"),
    "ge": compared("Less", True), "le": compared("Greater", True),
    "reduce_mean": reduced("ReduceMean"), "reduce_sum": reduced("ReduceSum"), "reduce_max": reduced("ReduceMax"),
    "reduce_min": reduced("ReduceMin"), "reduce_prod": reduced("ReduceProd"), "reduce_variance": variance(False),
    "reduce_std": variance(True), "argmax": arg("ArgMax"), "argmin": arg("ArgMin"),
    "reshape": reshape, "transpose": transpose, "expand_dims": expand_dims, "squeeze": squeeze, "concat": concatenate,
    "stack": stack, "split": split_tf, "unstack": unstack, "getitem": get_item, "reverse": flipped, "tile": tile,
    "repeat": repeated, "pad": _tf_pad, "broadcast_to": broadcast_to, "matmul": matmul, "einsum": einsum,
    "clip_by_value": clip, "cast": cast, "where": where, "gather": _tf_take, "one_hot": one_hot,
    "l2_normalize": normalize, "resize": resized, "zeros_like": like(0.0), "ones_like": like(1.0), "identity": same,
    "stop_gradient": same, "softmax": softmax(acts.softmax), "log_softmax": softmax(acts.log_softmax), "gelu": gelu,
    "leaky_relu": leaky, "elu": elu, "bias_add": binary("Add"),
    "logical_and": binary("And"), "logical_or": binary("Or"), "logical_not": inverted,
}  # fmt: skip
PLACES = ("compat.v1.", "math.", "nn.", "linalg.", "image.", "__operators__.", "raw_ops.")


def function(name: str) -> Run | None:
    """By its name in the file."""
    known = name.startswith(PLACES) or "." not in name
    for place in PLACES:
        name = name.removeprefix(place)
    return FUNCTIONS.get(name) if known else None
