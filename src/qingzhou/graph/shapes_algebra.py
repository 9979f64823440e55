"""Shapes of arithmetic: element by element, over an axis, matrix products, recurrent layers, quantised integers."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from .form import Dim, Shape
from .shapes_axes import joined
from .shapes_call import UNKNOWN, Call, Rule, Typed

# -- element by element ----------------------------------------------------------------------------------------------


def same(c: Call) -> list[Typed]:
    """Shape and dtype of the first input."""
    x = c.value(0)
    return [(x.shape, x.dtype)]


def same_bool(c: Call) -> list[Typed]:
    """A truth for each element."""
    return [(c.shape(0), "bool")]


def per_channel(c: Call) -> list[Typed]:
    """(N, C, …) and vectors of C -> the same shape."""
    x = c.shape(0)
    if len(x) < 2:
        raise c.wrong(f"an input of {x} has no channels", f"输入 {x} 没有通道轴")
    for i in range(1, len(c.node.inputs)):
        c.equal(c.shape(i, 1)[0], x[1], "its vectors are not of the channels' number", "向量长度与通道数不同")
    return [(x, c.dtype())]


def normalised(c: Call) -> list[Typed]:
    """LayerNormalization: the same, and mean and 1 / deviation with 1 along the axes normalised over."""
    x = c.shape(0)
    axis = c.axis(-1, len(x))
    kept, dtype = (*x[:axis], *(1,) * (len(x) - axis)), c.named("stash_type", 1)
    return [(x, c.dtype()), (kept, dtype), (kept, dtype)]


def along(c: Call) -> list[Typed]:
    """The same shape; the axis must be there."""
    x = c.shape(0)
    c.axis(-1, len(x))
    return [(x, c.dtype())]


def elementwise(c: Call) -> list[Typed]:
    """All inputs, broadcast; before opset 7 the second to the first."""
    if "broadcast" in c.node.attrs:
        return same(c)
    return [(c.together(*c.shapes()), c.dtype())]


def comparison(c: Call) -> list[Typed]:
    """Both inputs, broadcast, to truths."""
    return [(elementwise(c)[0][0], "bool")]


def where(c: Call) -> list[Typed]:
    """condition, a, b, broadcast."""
    return [(elementwise(c)[0][0], c.dtype(1))]


def cast(c: Call) -> list[Typed]:
    """The same shape in the dtype `to`."""
    return [(c.shape(0), c.named("to", 1))]


def cast_like(c: Call) -> list[Typed]:
    """The same shape in the dtype of input 1."""
    return [(c.shape(0), c.dtype(1))]


def dropout(c: Call) -> list[Typed]:
    """The same, and the mask."""
    return [(c.shape(0), c.dtype()), (c.shape(0), "bool")]


def like(c: Call) -> list[Typed]:
    """Random numbers in the shape of the input, of `dtype` or its own."""
    return [(c.shape(0), c.named("dtype", 1) if "dtype" in c.node.attrs else c.dtype())]


def batch_norm(c: Call) -> list[Typed]:
    """(N, C, …) and four vectors of C -> the same shape; in training also mean and variance."""
    vector = c.shape(1, 1)
    return [*per_channel(c), *[(vector, c.dtype(3))] * 4]


# -- over an axis ----------------------------------------------------------------------------------------------------


def reduced(c: Call) -> list[Typed]:
    """Over `axes` (input or attribute), or over all of them; or none with noop_with_empty_axes."""
    x = c.shape(0)
    axes = c.axes(1, len(x))
    if not axes:
        axes = () if c.number("noop_with_empty_axes", 0) else tuple(range(len(x)))
    return [(_without(c, x, axes), c.dtype())]


def arg(c: Call) -> list[Typed]:
    """The position of the largest or smallest along an axis."""
    x = c.shape(0)
    return [(_without(c, x, (c.axis(0, len(x)),)), "int64")]


def _without(c: Call, x: Shape, axes: tuple[int, ...]) -> Shape:
    if c.number("keepdims", 1):
        return tuple(1 if i in axes else n for i, n in enumerate(x))
    return tuple(n for i, n in enumerate(x) if i not in axes)


# -- products --------------------------------------------------------------------------------------------------------


def _product(c: Call, a: Shape, b: Shape) -> Shape:
    """numpy.matmul."""
    if not a or not b:
        raise c.wrong(f"a matrix product of {a} and {b}", f"{a} 与 {b} 不能做矩阵乘法")
    left, right = (a if len(a) > 1 else (1, *a)), (b if len(b) > 1 else (*b, 1))
    c.equal(left[-1], right[-2], "the inner sizes of the product differ", "矩阵乘法的内侧尺寸不同")
    rows, columns = left[-2:-1] if len(a) > 1 else (), right[-1:] if len(b) > 1 else ()
    return (*c.together(left[:-2], right[:-2]), *rows, *columns)


def matmul(c: Call) -> list[Typed]:
    """(…, n, k), (…, k, m) -> (…, n, m)."""
    return [(_product(c, c.shape(0), c.shape(1)), c.dtype())]


def matmul_integer(c: Call) -> list[Typed]:
    """As matmul, of integers."""
    return [(_product(c, c.shape(0), c.shape(1)), "int32")]


def qlinear_matmul(c: Call) -> list[Typed]:
    """As matmul; each of a, b and result has a scale and a zero point."""
    return [(_product(c, c.shape(0), c.shape(3)), c.dtype(7))]


def gemm(c: Call) -> list[Typed]:
    """(n, k), (k, m), either transposed, and a bias that is broadcast -> (n, m)."""
    a, b = c.shape(0, 2), c.shape(1, 2)
    a, b = a[::-1] if c.number("transA", 0) else a, b[::-1] if c.number("transB", 0) else b
    shape = _product(c, a, b)
    if c.has(2):
        c.together(shape, c.shape(2))
    return [(shape, c.dtype())]


def einsum(c: Call) -> list[Typed]:
    """By the equation; https://onnx.ai/onnx/operators/onnx__Einsum.html."""
    left, _, right = c.text("equation").replace(" ", "").partition("->")
    sizes: dict[str, Dim] = {}
    spread: list[Shape] = [()]
    terms = left.split(",")
    if len(terms) != len(c.node.inputs):
        raise c.wrong(f"{len(c.node.inputs)} inputs for {left}", f"公式 {left} 与 {len(c.node.inputs)} 个输入不符")
    for i, term in enumerate(terms):
        spread.append(_einsum_term(c, term, c.shape(i), sizes))
    if "->" not in c.text("equation"):
        right = "..." * ("..." in left) + "".join(sorted(k for k in sizes if left.count(k) == 1))
    middle = c.together(*spread)
    parts = [middle if part == "..." else (sizes.get(part, UNKNOWN),) for part in _letters(right)]
    return [(tuple(itertools.chain.from_iterable(parts)), c.dtype())]


def _letters(term: str) -> list[str]:
    before, dots, behind = term.partition("...")
    return [*before, *filter(None, [dots]), *behind]


def _einsum_term(c: Call, term: str, shape: Shape, sizes: dict[str, Dim]) -> Shape:
    """Adds the sizes of a term's letters; returns the shape below its dots."""
    before, dots, behind = term.partition("...")
    rest = len(shape) - len(before) - len(behind)
    if rest < 0 or (rest and not dots):
        raise c.wrong(f"an input of {shape} for the term {term}", f"公式中的 {term} 与输入 {shape} 不符")
    lettered = (*shape[: len(before)], *shape[len(before) + rest :])
    for letter, size in zip(before + behind, lettered, strict=True):
        sizes[letter] = c.together((sizes.get(letter, 1),), (size,))[0]
    return shape[len(before) : len(before) + rest]


# -- recurrent layers ------------------------------------------------------------------------------------------------


def recurrent(states: int) -> Rule:
    """(time, batch, C) -> all steps (time, ways, batch, hidden), last states (ways, batch, hidden); see `layout`."""

    def rule(c: Call) -> list[Typed]:
        x, ways = c.shape(0, 3), 2 if c.text("direction") == "bidirectional" else 1
        c.equal(c.shape(1, 3)[0], ways, "the weights are for another number of directions", "权重的方向数不符")
        c.equal(c.shape(1)[2], x[2], "the weights are for another number of features", "权重的特征数不符")
        hidden: Dim = c.number("hidden_size", 0) or c.shape(2, 3)[2]
        time, batch = (x[1], x[0]) if c.number("layout", 0) else x[:2]
        steps: Shape = (time, ways, batch, hidden)
        last: Shape = (ways, batch, hidden)
        if c.number("layout", 0):
            steps, last = (batch, time, ways, hidden), (batch, ways, hidden)
        return [(steps, c.dtype()), *[(last, c.dtype())] * states]

    return rule


# -- integers in the place of numbers --------------------------------------------------------------------------------


def quantize(c: Call) -> list[Typed]:
    """x, scale, zero point -> integers of the zero point's dtype."""
    return [(c.shape(0), c.dtype(2) if c.has(2) else c.named("output_dtype", 2))]


def dequantize(c: Call) -> list[Typed]:
    """Integers, scale, zero point -> numbers of the scale's dtype."""
    return [(c.shape(0), c.dtype(1))]


def dynamic_quantize(c: Call) -> list[Typed]:
    """x -> uint8, its scale and zero point."""
    return [(c.shape(0), "uint8"), ((), c.dtype()), ((), "uint8")]


def qlinear_both(c: Call) -> list[Typed]:
    """com.microsoft.QLinearAdd and QLinearMul: a and b with scale and zero point each."""
    return [(c.together(c.shape(0), c.shape(3)), c.dtype())]


def qlinear_concat(c: Call) -> list[Typed]:
    """com.microsoft.QLinearConcat: the result's scale and zero point, then three inputs for each part."""
    return [(joined(c, c.shapes(3, first=2), c.number("axis", 0)), c.dtype(1))]


def _all(rule: Callable[[Call], list[Typed]], ops: str) -> dict[str, Rule]:
    return dict.fromkeys(ops.split(), rule)


ALGEBRA: dict[str, Rule] = {
    **_all(same, "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Erf Exp Floor Identity Log Neg Not Reciprocal"),
    **_all(same, "Round Sign Sin Sinh Sqrt Tan Tanh BitwiseNot Celu Clip Elu Gelu HardSigmoid HardSwish LeakyRelu"),
    **_all(same, "Mish Relu Selu Shrink Sigmoid Softplus Softsign Swish ThresholdedRelu"),
    **_all(same, "GroupNormalization LRN LpNormalization MeanVarianceNormalization RMSNormalization"),
    **_all(same, "CumSum ReverseSequence Scatter ScatterElements ScatterND Trilu"),
    **_all(along, "Softmax LogSoftmax Hardmax"),
    **_all(same_bool, "IsNaN IsInf"),
    **_all(like, "Bernoulli EyeLike RandomNormalLike RandomUniformLike"),
    **_all(elementwise, "Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Max Mean Min Mod Mul Or Pow Sub Sum Xor"),
    "PRelu": elementwise,  # onnx says that the slope is broadcast to the input; onnxruntime broadcasts both
    **_all(comparison, "Equal Greater GreaterOrEqual Less LessOrEqual"),
    **_all(reduced, "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd"),
    **_all(reduced, "ReduceSum ReduceSumSquare"),
    **_all(arg, "ArgMax ArgMin"),
    "Where": where,
    "Cast": cast,
    "CastLike": cast_like,
    "Dropout": dropout,
    "BatchNormalization": batch_norm,
    "InstanceNormalization": per_channel,
    "LayerNormalization": normalised,
    "MatMul": matmul,
    "MatMulInteger": matmul_integer,
    "QLinearMatMul": qlinear_matmul,
    "Gemm": gemm,
    "Einsum": einsum,
    "RNN": recurrent(1),
    "GRU": recurrent(1),
    "LSTM": recurrent(2),
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
    "DynamicQuantizeLinear": dynamic_quantize,
}
