"""Number by number: arithmetic, comparisons, activations, and the activations that other operators end with."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...files.tflite_schema import ACTIVATIONS, TYPES
from ...graph.form import Value
from ..recording.net import plain
from .model import Tensor
from .refuse import garbled, refused
from .walk import Call, Step

LIMITS = {"RELU": (0.0, math.inf), "RELU_N1_TO_1": (-1.0, 1.0), "RELU6": (0.0, 6.0), "RELU_0_TO_1": (0.0, 1.0)}


def activated(c: Call, x: Value) -> Value:
    """With the activation that is fused into the operator; one that the output's integers cannot miss is left out."""
    kind = c.option("fused_activation_function")
    name = ACTIVATIONS[kind] if 0 <= kind < len(ACTIVATIONS) else str(kind)
    if name == "NONE":
        return x
    if name == "TANH":
        return c.t.emit("Tanh", [x])
    if name not in LIMITS:
        raise refused(f"it ends in the activation {name}", f"它使用了激活函数 {name}")
    low, high = LIMITS[name]
    least, most = _reach(c.out())
    return clipped(c, x, low if least < low else -math.inf, high if most > high else math.inf)


def _reach(tensor: Tensor) -> tuple[float, float]:
    """Between which numbers the integers of a tensor lie, to half a step."""
    if not tensor.integer or tensor.steps is None:
        return -math.inf, math.inf
    low, high = (0, 255) if tensor.dtype == "uint8" else (-128, 127)
    scale, zero = float(tensor.steps.scales[0]), int(tensor.steps.zeros[0])
    half = 0.5 * scale
    return (low - zero) * scale + half * 0.99, (high - zero) * scale - half * 0.99


def clipped(c: Call, x: Value, low: float, high: float) -> Value:
    """Between two limits, either of which may be infinite."""
    if low == 0 and high == math.inf:
        return c.t.emit("Relu", [x])
    if low == -math.inf and high == math.inf:
        return x
    ends = [None if abs(one) == math.inf else c.t.scalar(one) for one in (low, high)]
    return c.t.emit("Clip", [x, *ends] if ends[1] is not None else [x, ends[0]])


def within(name: str) -> Step:
    """A limit as an operator of its own."""

    def step(c: Call) -> Value:
        low, high = LIMITS[name]
        least, most = _reach(c.out())
        return clipped(c, c.x(), low if least < low else -math.inf, high if most > high else math.inf)

    return step


def unary(op: str, **attrs: Any) -> Step:
    """One operator of ONNX."""
    return lambda c: c.t.emit(op, [c.x()], **attrs)


def binary(op: str) -> Step:
    """The same of two, with a fused activation if it has one."""
    return lambda c: activated(c, c.t.emit(op, [c.x(0), c.x(1)]))


def swapped(op: str) -> Step:
    """The opposite of a comparison."""
    return lambda c: c.t.emit("Not", [c.t.emit(op, [c.x(0), c.x(1)])])


def divided(c: Call) -> Value:
    """DIV; whole numbers are cut towards zero there and here."""
    return activated(c, c.t.emit("Div", [c.x(0), c.x(1)]))


def floor_div(c: Call) -> Value:
    """Down to the next whole number, also below zero."""
    a, b = c.x(0), c.x(1)
    if a.dtype == "float32":
        return c.t.emit("Floor", [c.t.emit("Div", [a, b])])
    return c.t.emit("Div", [c.t.emit("Sub", [a, c.t.emit("Mod", [a, b])]), b])


def floor_mod(c: Call) -> Value:
    """The rest that has the sign of the divisor."""
    a, b = c.x(0), c.x(1)
    if a.dtype != "float32":
        return c.t.emit("Mod", [a, b])
    down = c.t.emit("Floor", [c.t.emit("Div", [a, b])])
    return c.t.emit("Sub", [a, c.t.emit("Mul", [down, b])])


def squared_difference(c: Call) -> Value:
    """(a - b)²."""
    apart = c.t.emit("Sub", [c.x(0), c.x(1)])
    return c.t.emit("Mul", [apart, apart])


def square(c: Call) -> Value:
    """x²."""
    return c.t.emit("Mul", [c.x(), c.x()])


def rsqrt(c: Call) -> Value:
    """1 / √x."""
    return c.t.emit("Reciprocal", [c.t.emit("Sqrt", [c.x()])])


def add_n(c: Call) -> Value:
    """The sum of them all."""
    return functools.reduce(lambda a, b: c.t.emit("Add", [a, b]), c.xs())


def select(c: Call) -> Value:
    """SELECT and SELECT_V2; a row of truths chooses whole rows."""
    truth, a, b = c.xs()
    if c.op.name == "SELECT" and len(truth.shape) == 1 and len(a.shape) > 1:
        truth = c.t.emit("Unsqueeze", [truth, c.t.whole(*range(1, len(a.shape)))])
    return c.t.emit("Where", [truth, a, b])


def cast(c: Call) -> Value:
    """To another kind of number: float32, int64 and bool are all that there are here."""
    x, dtype = c.x(), c.out().dtype
    if dtype not in TYPES:
        raise refused(f"it makes {dtype} of numbers", f"它把数值转换成 {dtype}")
    if dtype in ("uint8", "int8", "uint16", "int16") and x.dtype == "float32" and not c.t.is_constant(x):
        raise refused(f"it makes {dtype} of numbers", f"它把数值转换成 {dtype}")
    return casted(c, x, plain(dtype))


def casted(c: Call, x: Value, dtype: str) -> Value:
    """In one of these three."""
    numbers = {"float32": 1, "int64": 7, "bool": 9}
    return x if x.dtype == dtype else c.t.emit("Cast", [x], to=numbers[dtype])


def same(c: Call) -> Value:
    """QUANTIZE and DEQUANTIZE: what integers stand for is the same; its output may round it to others."""
    x = c.x()
    return x if x.dtype == "float32" else casted(c, x, "float32")


# -- activations -------------------------------------------------------------------------------------------------------


def leaky(c: Call) -> Value:
    """x, or alpha times that below zero."""
    return c.t.emit("LeakyRelu", [c.x()], alpha=float(c.option("alpha")))


def prelu(c: Call) -> Value:
    """The same with a slope for each channel, or for each number."""
    return c.t.emit("PRelu", [c.x(), c.x(1)])


def log(c: Call) -> Value:
    """LOG; log(1 + exp(x)), as TensorFlow writes a softplus, is one that does not overflow from 89 on."""
    x = c.x()
    x_of_exp = _one_more_than_exp(c, x)
    return c.t.emit("Log", [x]) if x_of_exp is None else c.t.emit("Softplus", [x_of_exp])


def _one_more_than_exp(c: Call, x: Value) -> Value | None:
    """Of what, where x is exp(that) + 1."""
    made = {name: node for node in c.t.nodes[-8:] for name in node.outputs}
    last = made.get(x.name)
    if last is None or last.op != "Add" or last.inputs[1] not in c.t.constants:
        return None
    before, one = made.get(last.inputs[0]), c.t.constants[last.inputs[1]]
    if before is None or before.op != "Exp" or one.shape not in ((), (1,)) or float(one.load().reshape(())) != 1:
        return None
    return c.t.values[before.inputs[0]]


def gelu(c: Call) -> Value:
    """By erf, or by tanh."""
    return c.t.blocks("Gelu", [c.x()], c.x().shape, approximate="tanh" if c.option("approximate") else "none")


def softmax(c: Call) -> Value:
    """Over the last axis."""
    x, beta = c.x(), float(c.option("beta", 1))
    if not x.shape:
        raise garbled("a softmax of a single number", "对单个数做 softmax")
    x = x if beta in (0, 1) else c.t.emit("Mul", [x, c.t.scalar(float(np.float32(beta)))])
    return c.t.emit("Softmax", [x], axis=len(x.shape) - 1)


def log_softmax(c: Call) -> Value:
    """Its logarithm."""
    return c.t.emit("LogSoftmax", [c.x()], axis=len(c.x().shape) - 1)


def normalised(c: Call) -> Value:
    """L2_NORMALIZATION: through the length along the last axis."""
    x = c.x()
    length = c.t.emit("ReduceL2", [x], axes=(len(x.shape) - 1,), keepdims=1)
    return activated(c, c.t.emit("Div", [x, c.t.emit("Max", [length, c.t.scalar(1e-6)])]))


def local_response(c: Call) -> Value:
    """Through the power of a sum over neighbouring channels (Krizhevsky et al. 2012)."""
    radius = c.option("radius")
    if not 0 <= radius < 1 << 12 or len(c.x().shape) != 4:
        raise garbled(f"its radius is {radius}", f"半径是 {radius}")
    size = 2 * radius + 1
    attrs = {"alpha": float(c.option("alpha")) * size, "beta": float(c.option("beta")), "bias": float(c.option("bias"))}
    return c.turned(c.t.emit("LRN", [c.turned(c.x(), (0, 3, 1, 2))], size=size, **attrs), (0, 2, 3, 1))


def zeros_like(c: Call) -> Value:
    """As many zeros."""
    x = c.x()
    return c.t.emit("Expand", [c.t.scalar(0, x.dtype), c.t.row(tuple(c.t.size(x, i) for i in range(len(x.shape))))])


Unary = Callable[[Call], Value]
POINTWISE: dict[str, Step] = {
    "ADD": binary("Add"), "SUB": binary("Sub"), "MUL": binary("Mul"), "DIV": divided, "POW": binary("Pow"),
    "MAXIMUM": binary("Max"), "MINIMUM": binary("Min"), "FLOOR_DIV": floor_div, "FLOOR_MOD": floor_mod,
    "SQUARED_DIFFERENCE": squared_difference, "SQUARE": square, "RSQRT": rsqrt, "ADD_N": add_n,
    "ABS": unary("Abs"), "NEG": unary("Neg"), "EXP": unary("Exp"), "LOG": log, "SQRT": unary("Sqrt"),
    "SIN": unary("Sin"), "COS": unary("Cos"), "FLOOR": unary("Floor"), "CEIL": unary("Ceil"), "ROUND": unary("Round"),
    "SIGN": unary("Sign"), "LOGICAL_NOT": unary("Not"), "LOGICAL_AND": binary("And"), "LOGICAL_OR": binary("Or"),
    "EQUAL": binary("Equal"), "NOT_EQUAL": swapped("Equal"), "LESS": binary("Less"), "GREATER": binary("Greater"),
    "LESS_EQUAL": swapped("Greater"), "GREATER_EQUAL": swapped("Less"), "SELECT": select, "SELECT_V2": select,
    "CAST": cast, "QUANTIZE": same, "DEQUANTIZE": same, "ZEROS_LIKE": zeros_like,
    **{name: within(name) for name in LIMITS}, "TANH": unary("Tanh"), "LOGISTIC": unary("Sigmoid"),
    "ELU": unary("Elu", alpha=1.0), "LEAKY_RELU": leaky, "PRELU": prelu, "GELU": gelu, "HARD_SWISH": unary("HardSwish"),
    "SOFTMAX": softmax, "LOG_SOFTMAX": log_softmax, "L2_NORMALIZATION": normalised,
    "LOCAL_RESPONSE_NORMALIZATION": local_response,
}  # fmt: skip
