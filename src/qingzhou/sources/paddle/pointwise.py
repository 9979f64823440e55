"""Number by number: activations, arithmetic, comparisons and choices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten import activations as acts
from ..aten import arithmetic as sums
from ..aten.arithmetic import ARITHMETIC, cast, floating
from ..aten.axes import chunk, sizes_of, unsqueeze, view
from ..recording.net import plain
from .refuse import garbled, refused, training
from .walk import Call, Results, Step, one

LARGEST = 3.4e38  # an end of a clip that is open is written as the largest float


def pair(c: Call) -> tuple[Value, Value]:
    """x and y; the older generation may say at which axis of x those of y begin."""
    x, y = c.x(), c.x("y")
    axis = c.whole("axis", -1) if not c.has("axis") else -1
    if axis == -1 or len(x.shape) <= len(y.shape):
        return x, y
    sizes = [*sizes_of(c.t, y)]
    while len(sizes) > len(x.shape) - axis and sizes[-1] == 1:
        sizes.pop()
    more = len(x.shape) - axis - len(sizes)
    if not 0 <= axis <= len(x.shape) or more < 0:
        raise garbled(f"{list(y.shape)} does not lie at axis {axis} of {list(x.shape)}", "两个输入的形状不符")
    return x, view(c.t, y, (*sizes, *[1] * more)) if more or len(sizes) < len(y.shape) else y


def both(function: Callable[..., Value]) -> Step:
    """A function of x and y."""
    return lambda c: function(c.t, *pair(c))


def named(op: str, **attrs: Any) -> Step:
    """One operator of ONNX, of floats."""
    return lambda c: c.t.emit(op, [floating(c.t, c.x())], **attrs)


def ours(name: str) -> Step:
    """A function of PyTorch's table that has one argument."""
    return one(ARITHMETIC[name])


# -- activations -------------------------------------------------------------------------------------------------------


def hard_sigmoid(c: Call) -> Value:
    """clip(slope * x + offset, 0, 1)."""
    return c.t.emit("HardSigmoid", [c.x()], alpha=c.number("slope", 0.2), beta=c.number("offset", 0.5))


def hard_swish(c: Call) -> Value:
    """x * clip(x + offset, 0, threshold) / scale; nearly always with 3, 6 and 6."""
    threshold, scale, offset = c.number("threshold", 6.0), c.number("scale", 6.0), c.number("offset", 3.0)
    if (threshold, scale, offset) == (6, 6, 3):
        return c.t.emit("HardSwish", [c.x()])
    t, x = c.t, c.x()
    gate = t.emit("Clip", [t.emit("Add", [x, t.scalar(offset)]), t.scalar(0.0), t.scalar(threshold)])
    return t.emit("Mul", [t.emit("Mul", [x, gate]), t.scalar(1 / scale)])


def relu6(c: Call) -> Value:
    """Between 0 and 6, or what an older file says."""
    return sums.clamp(c.t, c.x(), 0, c.number("threshold", 6.0))


def swish(c: Call) -> Value:
    """x * sigmoid(beta * x)."""
    beta, x = c.number("beta", 1.0), c.x()
    if beta == 1:
        return acts.silu(c.t, x)
    return c.t.emit("Mul", [x, c.t.emit("Sigmoid", [c.t.emit("Mul", [x, c.t.scalar(beta)])])])


def gelu(c: Call) -> Value:
    """Exactly, or by tanh."""
    return acts.gelu(c.t, c.x(), "tanh" if c.flag("approximate") else "none")


def prelu(c: Call) -> Value:
    """One slope, one for each channel, or one for each number of a sample."""
    x, alpha, mode = c.first(c.x()), c.x("alpha"), c.text("mode", "all")
    if mode == "element":
        return c.back(c.t.emit("PRelu", [x, alpha]))
    flat = alpha if len(alpha.shape) == 1 else view(c.t, alpha, (-1,))
    if mode == "all" and flat.shape != (1,):
        raise garbled(f"its slopes are {list(alpha.shape)}", f"它的斜率形状是 {list(alpha.shape)}")
    return c.back(acts.prelu(c.t, x, flat))


def celu(c: Call) -> Value:
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))."""
    return acts.celu(c.t, c.x(), c.number("alpha", 1.0))


def selu(c: Call) -> Value:
    """Klambauer et al. 2017, with the numbers of the file."""
    return acts.elu(c.t, c.x(), c.number("alpha", 1.6732632423543772), c.number("scale", 1.0507009873554805))


def softplus(c: Call) -> Value:
    """log(1 + exp(beta * x)) / beta."""
    return acts.softplus(c.t, c.x(), c.number("beta", 1.0), c.number("threshold", 20.0))


def thresholded_relu(c: Call) -> Value:
    """x above the threshold, else the value."""
    return acts.threshold(c.t, c.x(), c.number("threshold", 1.0), c.number("value", 0.0))


def rrelu(c: Call) -> Results:
    """In use, the mean of both slopes."""
    lower, upper = c.number("lower", 0.125), c.number("upper", 1 / 3)
    if not c.flag("is_test", True) and lower != upper:
        raise training("rrelu(training=True)")
    return [acts.leaky_relu(c.t, c.x(), (lower + upper) / 2)]


def maxout(c: Call) -> Value:
    """The largest of each group of channels that stand side by side."""
    x, groups = c.x(), c.whole("groups", 1)
    axis = c.axis("axis", len(x.shape), 1)
    channels, sizes = x.shape[axis], sizes_of(c.t, x)
    if not isinstance(channels, int) or groups < 1 or channels % groups:
        raise garbled(f"{channels} channels in groups of {groups}", f"{channels} 个通道按 {groups} 分组")
    wide = view(c.t, x, (*sizes[:axis], channels // groups, groups, *sizes[axis + 1 :]))
    from ..aten.reductions import over

    return over(c.t, "ReduceMax", wide, (axis + 1,))


def stanh(c: Call) -> Value:
    """scale_b * tanh(scale_a * x)."""
    t = c.t
    inner = t.emit("Tanh", [t.emit("Mul", [c.x(), t.scalar(c.number("scale_a", 0.67))])])
    return t.emit("Mul", [inner, t.scalar(c.number("scale_b", 1.7159))])


def hardtanh(c: Call) -> Value:
    """Between two limits."""
    return sums.clamp(c.t, c.x(), c.number("t_min", 0.0), c.number("t_max", 24.0))


def dropout(c: Call) -> Results:
    """Nothing in use; but downgrade_in_infer keeps the share of all that training keeps of some."""
    share, mode, x = c.number("p", 0.5), c.text("mode", "downgrade_in_infer"), c.x()
    if not c.flag("is_test", True) and share:
        raise training("dropout(training=True)")
    if mode == "downgrade_in_infer" and share:
        return [c.t.emit("Mul", [x, c.t.scalar(1 - share)])]
    if mode not in ("downgrade_in_infer", "upscale_in_train"):
        raise garbled(f"its dropout is {mode[:40]}", f"dropout 的方式是 {mode[:40]}")
    return [x]


def softmax(c: Call) -> Value:
    """Sums to 1 along the axis."""
    x = floating(c.t, c.x())
    return c.t.emit("Softmax", [x], axis=c.axis("axis", len(x.shape), -1))


def log_softmax(c: Call) -> Value:
    """Its logarithm."""
    x = floating(c.t, c.x())
    return c.t.emit("LogSoftmax", [x], axis=c.axis("axis", len(x.shape), -1))


def fused_softmax(c: Call) -> Value:
    """softmax(x + mask)."""
    x = c.t.emit("Add", [c.x(), c.x("mask")])
    return c.t.emit("Softmax", [x], axis=len(x.shape) - 1)


# -- arithmetic --------------------------------------------------------------------------------------------------------


def divide(c: Call) -> Value:
    """A float; of whole numbers a whole one, towards zero, where the file says that the result is one."""
    x, y = pair(c)
    whole = "int" in c.result() and "float32" not in (x.dtype, y.dtype)
    return sums.div(c.t, x, y, "trunc" if whole else None)


def scale(c: Call) -> Value:
    """x * scale + bias, or (x + bias) * scale; whole numbers stay whole."""
    t, x = c.t, c.x()
    factor: Any = c.x("scale") if c.has("scale") else c.number("scale", 1.0)
    known = t.known(factor) if isinstance(factor, Value) else None
    if isinstance(factor, Value):
        factor = known.reshape(-1)[0].item() if known is not None and known.size == 1 else view(t, factor, ())
    bias = c.number("bias", 0.0)
    whole = x.dtype == "int64"
    if whole and not isinstance(factor, Value):
        if factor != int(factor) or bias != int(bias):
            raise refused(f"it scales whole numbers by {factor}", f"它把整数乘以 {factor}")
        factor, bias = int(factor), int(bias)
    x = x if whole else floating(t, x)
    steps = [("Mul", factor), ("Add", bias)]
    for op, number in steps if c.flag("bias_after_scale", True) else steps[::-1]:
        if isinstance(number, Value) or number != (1 if op == "Mul" else 0):
            x = t.emit(op, [x, cast(t, number, x.dtype) if isinstance(number, Value) else t.scalar(number, x.dtype)])
    return x


def power(c: Call) -> Value:
    """x to a number."""
    return sums.pow(c.t, c.x(), _as_whole(c.number("y", 1.0), c.x()))


def _as_whole(number: float, x: Value) -> float:
    return int(number) if x.dtype == "int64" and number == int(number) else number


def power_of(c: Call) -> Value:
    """x to the y."""
    x, y = pair(c)
    return sums.pow(c.t, x, y)


def clip(c: Call) -> Value:
    """Between two limits, each of which may be open, or computed."""
    limits: list[Any] = []
    for name, sign in (("min", -1), ("max", 1)):
        if c.has(name) and c.t.known(c.x(name)) is None:
            limits.append(view(c.t, c.x(name), ()))
            continue
        number = c.number(name, sign * math.inf)
        limits.append(None if sign * number > LARGEST else _as_whole(number, c.x()))
    if limits == [None, None]:
        return c.x()
    return sums.clamp(c.t, c.x(), *limits)


def add_all(c: Call) -> Value:
    """The sum of several."""
    found, *rest = c.xs("inputs")
    for more in rest:
        found = sums.add(c.t, found, more)
    return found


def increment(c: Call) -> Value:
    """x + a number."""
    x = c.x()
    return c.t.emit("Add", [x, c.t.scalar(_as_whole(c.number("value", 1.0), x), x.dtype)])


def lerp(c: Call) -> Value:
    """x + weight * (y - x)."""
    return sums.lerp(c.t, c.x(), c.x("y"), c.x("weight"))


def minus(t: Any, x: Value, y: Value) -> Value:
    """x - y."""
    return sums.sub(t, x, y)


def where(c: Call) -> Value:
    """x where the condition is true, else y."""
    return sums.where(c.t, c.x("condition"), c.x(), c.x("y"))


def masked_fill(c: Call) -> Value:
    """The value where the mask is true."""
    return sums.where(c.t, c.x("mask"), c.x("value"), c.x())


def copysign(c: Call) -> Value:
    """|x| with the sign of y."""
    t, (x, y) = c.t, pair(c)
    size = t.emit("Abs", [floating(t, x)])
    return t.emit("Where", [t.emit("Less", [floating(t, y), t.scalar(0.0)]), t.emit("Neg", [size]), size])


def swiglu(c: Call) -> Value:
    """silu(x) * y, or of both halves of x."""
    x = c.x()
    if c.has("y"):
        return c.t.emit("Mul", [acts.silu(c.t, x), c.x("y")])
    first, second = chunk(c.t, x, 2, -1)
    return c.t.emit("Mul", [acts.silu(c.t, first), second])


def sequence_mask(c: Call) -> Value:
    """Lengths -> (…, longest): whether each place is below them."""
    t, x, most = c.t, cast(c.t, c.x(), "int64"), c.whole("max_len" if c.has("max_len") else "maxlen", -1)
    if not 0 < most < 1 << 20:
        raise refused("the longest of its sequences is not said (sequence_mask)", "sequence_mask 没有给出最大长度")
    places = t.array(np.arange(most))
    return cast(t, t.emit("Less", [places, unsqueeze(t, x, -1)]), plain(c.dtype("out_dtype") or c.result() or "int64"))


def is_close(c: Call) -> Value:
    """|x - y| <= atol + rtol * |y|."""
    t, x, y = c.t, c.x(), c.x("y")
    apart = t.emit("Abs", [t.emit("Sub", [x, y])])
    most = t.emit("Mul", [t.emit("Abs", [y]), t.scalar(c.number("rtol", 1e-5))])
    return t.emit("Not", [t.emit("Greater", [apart, t.emit("Add", [most, t.scalar(c.number("atol", 1e-8))])])])


def assigned(c: Call) -> Value:
    """The same."""
    return c.x()


def converted(c: Call) -> Value:
    """As another kind of number; a float becomes a whole one towards zero, which small kinds of these may not hold."""
    kind, x = c.dtype(), c.x()
    kind = kind or c.result()
    if not kind:
        raise refused("it converts to a kind of number that is not known here", "它要转换成不支持的数值类型")
    if kind in sums.NARROW and x.dtype == "float32" and not c.t.is_constant(x):
        raise refused(f"it makes {kind} of numbers", f"它把数值转换成 {kind}")
    c.walk.rounded(kind)
    return cast(c.t, sums.wrapped(c.t, x, kind), plain(kind))


def round_(c: Call) -> Value:
    """To whole numbers, or to so many decimals: halves to the even one, which Paddle 2 rounds away from zero."""
    t, x, places = c.t, c.x(), c.whole("decimals", 0)
    if x.dtype != "float32":
        return x
    factor = 10.0**places if abs(places) < 30 else math.nan
    wide = x if places == 0 else t.emit("Mul", [x, t.scalar(factor)])
    found = t.emit("Round", [wide])
    if c.older:
        away = t.emit("Floor", [t.emit("Add", [t.emit("Abs", [wide]), t.scalar(0.5)])])
        found = t.emit("Mul", [t.emit("Sign", [wide]), away])
    return found if places == 0 else t.emit("Div", [found, t.scalar(factor)])


def heaviside(c: Call) -> Value:
    """0 below zero, 1 above, y at zero."""
    t, (x, y) = c.t, pair(c)
    zero = t.scalar(0.0)
    at = t.emit("Where", [t.emit("Equal", [x, zero]), y, t.scalar(1.0)])
    return t.emit("Where", [t.emit("Less", [x, zero]), zero, at])


def logit(c: Call) -> Value:
    """log(x / (1 - x)), of x kept away from both ends."""
    eps = c.number("eps", 1e-6)
    if eps:
        return acts.logit(c.t, c.x(), eps)
    t, x = c.t, c.x()
    inside = t.emit("And", [t.emit("Not", [t.emit("Less", [x, t.scalar(0.0)])]),
                            t.emit("Not", [t.emit("Greater", [x, t.scalar(1.0)])])])  # fmt: skip
    return t.emit("Where", [inside, acts.logit(t, x, None), t.scalar(math.nan)])


def bits(op: str) -> Step:
    """Of truths."""
    return lambda c: sums.bitwise(op)(c.t, *pair(c))


def label_smooth(c: Call) -> Value:
    """(1 - epsilon) * x + epsilon / classes."""
    t, x, eps = c.t, c.x("label"), c.number("epsilon", 0.0)
    classes = x.shape[-1]
    if c.has("prior_dist") or not isinstance(classes, int):
        raise refused("it smooths labels", "它对标签做平滑")
    return t.emit("Add", [t.emit("Mul", [x, t.scalar(1 - eps)]), t.scalar(eps / classes)])


POINTWISE: dict[str, Step] = {
    "relu": one(acts.relu), "relu6": relu6, "sigmoid": named("Sigmoid"), "silu": one(acts.silu), "swish": swish,
    "mish": one(acts.mish), "gelu": gelu, "hardswish": hard_swish, "hardsigmoid": hard_sigmoid, "prelu": prelu,
    "leaky_relu": one(acts.leaky_relu, negative_slope="negative_slope"), "elu": one(acts.elu, alpha="alpha"),
    "celu": celu, "selu": selu, "softplus": softplus, "hardtanh": hardtanh, "maxout": maxout, "stanh": stanh,
    "hardshrink": one(acts.hardshrink, lambd="threshold"), "softshrink": one(acts.softshrink, lambd="threshold"),
    "tanh_shrink": one(acts.tanhshrink), "thresholded_relu": thresholded_relu, "logsigmoid": one(acts.log_sigmoid),
    "softsign": one(acts.softsign), "rrelu": rrelu, "dropout": dropout, "softmax": softmax,
    "log_softmax": log_softmax, "fused_softmax_mask": fused_softmax, "clip": clip, "label_smooth": label_smooth,
    **{name: ours(name) for name in (
        "exp", "sqrt", "rsqrt", "log", "log2", "log10", "log1p", "expm1", "square", "reciprocal", "sin", "cos", "tan",
        "asin", "acos", "atan", "sinh", "cosh", "asinh", "acosh", "atanh", "floor", "ceil", "trunc", "erf", "tanh",
        "abs", "sign", "isnan", "isinf", "isfinite", "logical_not", "bitwise_not")},
    "round": round_, "logit": logit, "heaviside": heaviside,
    **{name: both(ARITHMETIC[other]) for name, other in {
        "add": "add", "subtract": "sub", "multiply": "mul", "maximum": "maximum", "minimum": "minimum",
        "fmax": "maximum", "fmin": "minimum", "remainder": "remainder", "floor_divide": "floor_divide",
        "atan2": "atan2", "equal": "eq", "not_equal": "ne", "less_than": "lt", "less_equal": "le",
        "greater_than": "gt", "greater_equal": "ge", "logical_and": "logical_and", "logical_or": "logical_or",
        "logical_xor": "logical_xor"}.items()},
    "bitwise_and": bits("And"), "bitwise_or": bits("Or"), "bitwise_xor": bits("Xor"),
    "divide": divide, "elementwise_pow": power_of, "pow": power, "scale": scale, "add_n": add_all, "minus": both(minus),
    "increment_": increment, "lerp": lerp, "copysign": copysign, "swiglu": swiglu, "sequence_mask": sequence_mask,
    "where": where, "masked_fill": masked_fill, "isclose": is_close,
    **dict.fromkeys(("assign", "share_data_", "memcpy", "conj", "real"), assigned), "cast": converted,
    "assign_out_": assigned, "print": lambda c: c.x("in"),
}  # fmt: skip
