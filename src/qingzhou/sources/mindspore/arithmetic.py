"""Number by number: arithmetic, comparisons, choices."""

from __future__ import annotations

import functools
import math
from typing import Any

from ...errors import say
from ...graph.form import Value
from ..aten.arithmetic import NARROW, wrapped
from ..recording.net import plain
from .refuse import refused
from .walk import Call, Step, casted

# mindspore/core/include/ir/dtype/type_id.h
TYPE_IDS = {
    30: "bool", 31: "int64", 32: "int8", 33: "int16", 34: "int32", 35: "int64", 37: "uint8", 38: "uint16",
    39: "uint32", 40: "uint64", 41: "float32", 42: "float16", 43: "float32", 44: "float64", 45: "bfloat16",
}  # fmt: skip


def unary(op: str, **attrs: Any) -> Step:
    """One operator of ONNX."""
    return lambda c: c.t.emit(op, [c.x()], **attrs)


def floats(op: str, **attrs: Any) -> Step:
    """One that ONNX has for floats only."""
    return lambda c: c.t.emit(op, [casted(c.t, c.x(), "float32")], **attrs)


def binary(op: str) -> Step:
    """Of two; a plain number is one of them in Adds, Muls and the like."""
    return lambda c: c.t.emit(op, c.pair())


def swapped(op: str) -> Step:
    """The opposite of a comparison."""
    return lambda c: c.t.emit("Not", [c.t.emit(op, c.pair())])


def equal(c: Call) -> Value:
    """Equal; ONNX compares truths as well."""
    return c.t.emit("Equal", c.pair())


def divided(c: Call) -> Value:
    """Div: whole numbers become fractions."""
    return c.t.emit("Div", [casted(c.t, x, "float32") for x in c.pair()])


def floor_div(c: Call) -> Value:
    """Down to the next whole number, also below zero."""
    a, b = c.pair()
    if a.dtype == "float32":
        return c.t.emit("Floor", [c.t.emit("Div", [a, b])])
    return c.t.emit("Div", [c.t.emit("Sub", [a, c.t.emit("Mod", [a, b])]), b])


def div_mod(c: Call) -> Value:
    """DivMod: through each other, cut towards zero (1) or down (2)."""
    mode = c.get(2, "rounding_mode")
    if mode in (2, "floor"):
        return floor_div(c)
    a, b = c.pair()
    if a.dtype == "int64" and mode in (1, "trunc"):
        return c.t.emit("Div", [a, b])
    found = c.t.emit("Div", [casted(c.t, a, "float32"), casted(c.t, b, "float32")])
    return truncated(c, found) if mode in (1, "trunc") else found


def truncated(c: Call, x: Value) -> Value:
    """Cut towards zero."""
    return c.t.emit("Mul", [c.t.emit("Sign", [x]), c.t.emit("Floor", [c.t.emit("Abs", [x])])])


def floor_mod(c: Call) -> Value:
    """The rest that has the sign of the divisor."""
    a, b = c.pair()
    if a.dtype != "float32":
        return c.t.emit("Mod", [a, b])
    down = c.t.emit("Floor", [c.t.emit("Div", [a, b])])
    return c.t.emit("Sub", [a, c.t.emit("Mul", [down, b])])


def trunc_mod(c: Call) -> Value:
    """The rest that has the sign of the dividend."""
    return c.t.emit("Mod", c.pair(), fmod=1)


def scaled(op: str) -> Step:
    """AddScalar and SubScalar: x ± alpha * other."""

    def step(c: Call) -> Value:
        x, other = c.pair()
        alpha = c.number(2, "alpha", 1)
        if alpha != 1:
            other = c.t.emit("Mul", [other, c.t.scalar(type(alpha)(alpha), other.dtype)])
        return c.t.emit(op, [x, other])

    return step


def square(c: Call) -> Value:
    """x²."""
    return c.t.emit("Mul", [c.x(), c.x()])


def squared_difference(c: Call) -> Value:
    """(a - b)²."""
    apart = c.t.emit("Sub", c.pair())
    return c.t.emit("Mul", [apart, apart])


def rsqrt(c: Call) -> Value:
    """1 / √x."""
    return c.t.emit("Reciprocal", [c.t.emit("Sqrt", [c.x()])])


def plus_one(c: Call) -> Value:
    """Log1p, no more exact near zero than MindSpore's own on a CPU."""
    return c.t.emit("Log", [c.t.emit("Add", [c.x(), c.t.scalar(1.0)])])


def minus_one(c: Call) -> Value:
    """Expm1, likewise."""
    return c.t.emit("Sub", [c.t.emit("Exp", [c.x()]), c.t.scalar(1.0)])


def erfc(c: Call) -> Value:
    """1 - erf(x)."""
    return c.t.emit("Sub", [c.t.scalar(1.0), c.t.emit("Erf", [c.x()])])


def logged(c: Call) -> Value:
    """Log, of older files with a base, a scale and a shift."""
    base, scale, shift = (
        c.node.attrs.get(name, usual) for name, usual in (("base", -1.0), ("scale", 1.0), ("shift", 0.0))
    )
    c.only((base, scale, shift) == (-1.0, 1.0, 0.0), "its logarithm has a base of its own", "对数的底数不是 e")
    return c.t.emit("Log", [c.x()])


def exponent(c: Call) -> Value:
    """Exp, of older files with a base, a scale and a shift."""
    attrs = c.node.attrs
    fine = (attrs.get("base", -1.0), attrs.get("scale", 1.0), attrs.get("shift", 0.0)) == (-1.0, 1.0, 0.0)
    c.only(fine, "its power has a base of its own", "指数的底数不是 e")
    return c.t.emit("Exp", [c.x()])


def power(c: Call) -> Value:
    """Pow; of a square the product, which is what it is."""
    a, b = c.pair()
    known = c.t.known(b)
    if known is not None and known.ndim == 0 and known == 2:
        return c.t.emit("Mul", [a, a])
    return c.t.emit("Pow", [a, b])


def added(c: Call) -> Value:
    """The sum of them all."""
    return functools.reduce(lambda a, b: c.t.emit("Add", [a, b]), c.xs())


def addcmul(c: Call) -> Value:
    """input + value * a * b."""
    product = c.t.emit("Mul", [c.t.emit("Mul", [c.x(1), c.x(2)]), c.x(3)])
    return c.t.emit("Add", [c.x(), product])


def addcdiv(c: Call) -> Value:
    """input + value * a / b."""
    product = c.t.emit("Mul", [c.t.emit("Div", [c.x(1), c.x(2)]), c.x(3)])
    return c.t.emit("Add", [c.x(), product])


def lerp(c: Call) -> Value:
    """a + weight * (b - a)."""
    apart = c.t.emit("Sub", [c.x(1), c.x(0)])
    return c.t.emit("Add", [c.x(0), c.t.emit("Mul", [casted(c.t, c.x(2), "float32"), apart])])


def hypot(c: Call) -> Value:
    """√(a² + b²)."""
    squares = [c.t.emit("Mul", [x, x]) for x in c.pair()]
    return c.t.emit("Sqrt", [c.t.emit("Add", squares)])


def xlogy(c: Call) -> Value:
    """x log(y), which is 0 where x is."""
    x, y = c.pair()
    product = c.t.emit("Mul", [x, c.t.emit("Log", [y])])
    return c.t.emit("Where", [c.t.emit("Equal", [x, c.t.scalar(0.0)]), c.t.scalar(0.0), product])


def select(c: Call) -> Value:
    """Select(condition, a, b)."""
    return c.t.emit("Where", [casted(c.t, c.x(0), "bool"), *c.pair(1, 2)])


def masked_fill(c: Call) -> Value:
    """MaskedFill(x, mask, value)."""
    x = c.x(0)
    return c.t.emit("Where", [casted(c.t, c.x(1), "bool"), casted(c.t, c.x(2), x.dtype), x])


def clamp(c: Call) -> Value:
    """ClampScalar and ClampTensor: between two limits, either of which may be missing."""
    x = c.x()
    low, high = ((c.x(i) if c.has(i) else None) for i in (1, 2))
    if low is not None:
        x = c.t.emit("Max", [x, casted(c.t, low, x.dtype)])
    return x if high is None else c.t.emit("Min", [x, casted(c.t, high, x.dtype)])


def clipped(c: Call) -> Value:
    """ClampScalar with two numbers: a Clip."""
    x = c.x()
    ends = [c.item(i) if i < len(c.node.inputs) else None for i in (1, 2)]
    plain = all(one is None or isinstance(one, (int, float)) for one in ends)
    if x.dtype != "float32" or not plain or ends == [None, None]:
        return clamp(c)
    if ends[0] == 0 and ends[1] is None:
        return c.t.emit("Relu", [x])
    limits = [None if one is None else c.t.scalar(float(one)) for one in ends]
    return c.t.emit("Clip", [x, *limits] if limits[1] is not None else [x, limits[0]])


def cast(c: Call) -> Value:
    """To another kind of number: float32, int64 and bool are all that there are here."""
    x, told = c.x(), getattr(c.node.told, "dtype", "")
    wish = told or TYPE_IDS.get(c.get(1, "dst_type", 43), "")
    if not wish or (wish in NARROW and x.dtype == "float32" and not c.t.is_constant(x)):
        raise refused(
            f"it makes {wish or 'another kind of number'} of its values", f"它把数值转换成 {wish or '其他类型'}"
        )
    if wish in ("float16", "bfloat16") and x.dtype == "float32":
        c.walk.notes[wish] = say(
            en=f"Parts of the network are of {wish} in MindSpore; here they are computed in float32, which has "
            "more digits.",
            zh=f"网络的一部分在 MindSpore 中用 {wish} 计算；这里用精度更高的 float32。",
        )
    return casted(c.t, wrapped(c.t, x, wish), plain(wish))


def filled(value: float) -> Step:
    """As many zeros or ones as there are numbers."""

    def step(c: Call) -> Value:
        x = c.x()
        sizes = c.t.row(tuple(c.t.size(x, i) for i in range(len(x.shape))))
        return c.t.emit("Expand", [c.t.scalar(value, x.dtype), sizes]) if x.shape else c.t.scalar(value, x.dtype)

    return step


def same(c: Call) -> Any:
    """What is the same when it is used."""
    return c.item(0)


def is_infinite(c: Call) -> Value:
    """IsInf."""
    return c.t.emit("IsInf", [casted(c.t, c.x(), "float32")])


def is_finite(c: Call) -> Value:
    """Neither infinite nor no number."""
    x = casted(c.t, c.x(), "float32")
    return c.t.emit("Not", [c.t.emit("Or", [c.t.emit("IsInf", [x]), c.t.emit("IsNaN", [x])])])


def truth(op: str) -> Step:
    """And, Or, Xor."""
    return lambda c: c.t.emit(op, [casted(c.t, c.x(i), "bool") for i in (0, 1)])


def atan2(c: Call) -> Value:
    """The angle of (x, y) to the axis, in all four quarters."""
    t, (y, x) = c.t, c.pair()
    zero = t.scalar(0.0)
    flat = t.emit("Atan", [t.emit("Div", [y, x])])
    half = t.emit("Where", [t.emit("Less", [y, zero]), t.scalar(-math.pi), t.scalar(math.pi)])
    found = t.emit("Where", [t.emit("Less", [x, zero]), t.emit("Add", [flat, half]), flat])
    both = t.emit("And", [t.emit("Equal", [y, zero]), t.emit("Equal", [x, zero])])
    return t.emit("Where", [both, zero, found])


def in_place(step: Step) -> Step:
    """An operation that overwrites its first input: the same where nobody reads that later."""

    def changed(c: Call) -> Any:
        name, walk = c.node.inputs[0], c.walk
        maker = next((node.op for node in walk.nodes if node.output == name), "")
        before = walk.behind(c.node.inputs)
        others = [node for node in walk.nodes if name in node.inputs and node.op not in ("UpdateState", "MakeTuple")]
        later = [node.op for node in others if node is not c.node and node.output not in before]
        if later or not maker or maker.endswith("View") or maker == "Load":
            raise refused(
                f"it overwrites a value that {later[0] if later else 'others'} may read ({c.node.op})",
                f"它原地修改了其他算子可能使用的数值（{c.node.op}）",
            )
        return step(c)

    return changed


REMAINDERS = ("RemainderTensorTensor", "RemainderTensorScalar", "RemainderScalarTensor")
ALIASES = {
    "Add": ("Add", "Adds", "ScalarAdd"), "Sub": ("Sub", "Subs"), "Mul": ("Mul", "Muls"),
    "Min": ("Minimum",), "Less": ("Less", "LessScalar"), "Greater": ("Greater", "GreaterScalar"),
}  # fmt: skip
PLAIN = {
    "Abs": "Abs", "Neg": "Neg", "Sqrt": "Sqrt", "Floor": "Floor", "Ceil": "Ceil", "Round": "Round", "Sign": "Sign",
    "Reciprocal": "Reciprocal", "Inv": "Reciprocal", "Erf": "Erf", "Sin": "Sin", "Cos": "Cos", "Tan": "Tan",
    "Asin": "Asin", "ACos": "Acos", "Atan": "Atan", "Sinh": "Sinh", "Cosh": "Cosh", "Asinh": "Asinh", "Acosh": "Acosh",
    "Atanh": "Atanh", "IsNan": "IsNaN",
}  # fmt: skip
ARITHMETIC: dict[str, Step] = {
    **{name: binary(op) for op, names in ALIASES.items() for name in names},
    **{name: unary(op) for name, op in PLAIN.items()},
    "Div": divided, "Divs": divided, "RealDiv": divided, "FloorDiv": floor_div, "DivMod": div_mod, "DivMods": div_mod,
    "FloorMod": floor_mod, "Mod": trunc_mod, "TruncateMod": trunc_mod, "Trunc": lambda c: truncated(c, c.x()),
    "AddScalar": scaled("Add"), "SubScalar": scaled("Sub"), "AddExt": scaled("Add"), "SubExt": scaled("Sub"),
    **dict.fromkeys(REMAINDERS, floor_mod),
    "Square": square, "SquaredDifference": squared_difference, "Rsqrt": rsqrt, "Log1p": plus_one, "Expm1": minus_one,
    "Erfc": erfc, "Log": logged, "Exp": exponent, "Pow": power, "PowTensorScalar": power, "PowScalarTensor": power,
    "AddN": added, "Addcmul": addcmul, "Addcdiv": addcdiv, "Lerp": lerp, "LerpScalar": lerp, "Hypot": hypot,
    "Xlogy": xlogy, "Equal": equal, "NotEqual": swapped("Equal"), "LessEqual": swapped("Greater"),
    "GreaterEqual": swapped("Less"), "LogicalNot": lambda c: c.t.emit("Not", [casted(c.t, c.x(), "bool")]),
    "LogicalAnd": truth("And"), "LogicalOr": truth("Or"), "LogicalXor": truth("Xor"), "IsInf": is_infinite,
    "IsFinite": is_finite, "Atan2": atan2, "Select": select, "SelectV2": select, "MaskedFill": masked_fill,
    "MaskedFillScalar": masked_fill, "ClampScalar": clipped, "ClampTensor": clamp, "Cast": cast,
    "ZerosLike": filled(0), "OnesLike": filled(1), "ZerosLikeExt": filled(0), "OnesLikeExt": filled(1),
    "InplaceAddExt": in_place(scaled("Add")), "InplaceAddsExt": in_place(scaled("Add")),
    "InplaceSubExt": in_place(scaled("Sub")), "InplaceSubScalar": in_place(scaled("Sub")),
    "InplaceMul": in_place(binary("Mul")), "InplaceMuls": in_place(binary("Mul")), "InplaceDiv": in_place(divided),
    "InplaceDivs": in_place(divided), "InplaceExp": in_place(unary("Exp")), "InplaceReLU": in_place(unary("Relu")),
    **dict.fromkeys(("Identity", "StopGradient", "stop_gradient", "Copy", "TensorMove", "Contiguous"), same),
}  # fmt: skip
