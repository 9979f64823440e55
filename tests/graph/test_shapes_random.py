"""Shape rules against what onnxruntime gives for random attributes and small sizes.

Where we refuse, onnxruntime must refuse; what it gives must be what we say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_cases import Case, f, i, n, s, t

from qingzhou.errors import ModelError

Draw = Any


def size(draw: Draw, low: int = 1, high: int = 7) -> int:
    return draw(st.integers(low, high))


def sizes(draw: Draw, count: int, low: int = 1, high: int = 7) -> tuple[int, ...]:
    return tuple(size(draw, low, high) for _ in range(count))


def one_of(draw: Draw, *options: Any) -> Any:
    return draw(st.sampled_from(options))


def window(draw: Draw, dims: int, ceil: bool = False) -> dict[str, Any]:
    """Attributes of a window, by pads or by auto_pad."""
    attrs: dict[str, Any] = {"strides": sizes(draw, dims, 1, 3), "dilations": sizes(draw, dims, 1, 2)}
    auto = one_of(draw, "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    if auto != "NOTSET":
        attrs["auto_pad"] = auto
    else:
        attrs["pads"] = sizes(draw, 2 * dims, 0, 1)
    return attrs | ({"ceil_mode": size(draw, 0, 1)} if ceil else {})


def conv(draw: Draw) -> Case:
    dims, group = size(draw, 1, 2), size(draw, 1, 2)
    weight = f(2 * group, 3, *sizes(draw, dims, 1, 3))
    return Case("Conv", [f(1, 3 * group, *sizes(draw, dims, 2, 9)), weight], {**window(draw, dims), "group": group})


def conv_transpose(draw: Draw) -> Case:
    dims, group = size(draw, 1, 2), size(draw, 1, 2)
    attrs = {**window(draw, dims), "group": group}
    attrs["output_padding"] = tuple(size(draw, 0, max(stride - 1, 0)) for stride in attrs["strides"])
    return Case(
        "ConvTranspose", [f(1, 2 * group, *sizes(draw, dims)), f(2 * group, 2, *sizes(draw, dims, 1, 3))], attrs
    )


def pool(draw: Draw) -> Case:
    dims, op = size(draw, 1, 2), one_of(draw, "MaxPool", "AveragePool", "LpPool")
    attrs = {**window(draw, dims, ceil=True), "kernel_shape": sizes(draw, dims, 1, 3)}
    return Case(op, [f(1, 2, *sizes(draw, dims, 2, 9))], attrs, opset=19)


def resize(draw: Draw) -> Case:
    x, attrs = f(1, 2, *sizes(draw, 2, 1, 60)), {"mode": one_of(draw, "nearest", "linear")}
    if draw(st.booleans()):
        return Case("Resize", [x, None, s(1, 1, *(draw(st.floats(0.125, 4, width=32)) for _ in "hw"))], attrs)
    attrs["keep_aspect_ratio_policy"] = one_of(draw, "stretch", "not_larger", "not_smaller")
    return Case("Resize", [x, None, None, n(*sizes(draw, 2, 1, 60))], {**attrs, "axes": (2, 3)}, opset=18)


def broadcast(draw: Draw) -> Case:
    whole = sizes(draw, size(draw, 0, 4), 1, 3)
    parts = [f(*(one_of(draw, 1, n) for n in whole[size(draw, 0, len(whole)) :])) for _ in range(2)]
    return Case(one_of(draw, "Add", "Less", "Max", "Pow"), parts)


def odd_broadcast(draw: Draw) -> Case:
    return Case("Mul", [f(*sizes(draw, size(draw, 0, 3), 0, 3)) for _ in range(2)])


def matmul(draw: Draw) -> Case:
    n, k, m = sizes(draw, 3, 1, 3)
    a, b = one_of(draw, (k,), (n, k), (2, n, k), (2, 1, n, k)), one_of(draw, (k,), (k, m), (2, k, m), (3, k, m))
    return Case("MatMul", [f(*a), f(*b)])


def gemm(draw: Draw) -> Case:
    (n, k, m), ways = sizes(draw, 3, 1, 3), sizes(draw, 2, 0, 1)
    a, b = (f(k, n) if ways[0] else f(n, k)), (f(m, k) if ways[1] else f(k, m))
    return Case(
        "Gemm", [a, b, f(*one_of(draw, (), (m,), (n, 1), (1, m), (2, 2)))], {"transA": ways[0], "transB": ways[1]}
    )


def einsum(draw: Draw) -> Case:
    equation, *shapes = one_of(
        draw,
        ("ij,jk->ki", (2, 3), (3, 4)),
        ("bhid,bhjd->bhij", (1, 2, 3, 4), (1, 2, 5, 4)),
        ("i,j", (2,), (3,)),
        ("...ij->...ji", (2, 3, 4)),
        ("b...,b...", (2, 3), (2, 3)),
        ("zi,ai->za", (2, 3), (4, 3)),
        ("ij,kj", (2, 3), (4, 5)),
    )
    return Case("Einsum", [f(*shape) for shape in shapes], {"equation": equation})


def reduce(draw: Draw) -> Case:
    rank = size(draw, 1, 4)
    axes = draw(st.lists(st.integers(-rank, rank - 1), max_size=rank, unique_by=lambda a: a % rank))
    attrs = {"keepdims": size(draw, 0, 1), "noop_with_empty_axes": size(draw, 0, 1)}
    return Case("ReduceSum", [f(*sizes(draw, rank, 1, 3)), n(*axes)], attrs)


def arg(draw: Draw) -> Case:
    rank = size(draw, 1, 3)
    attrs = {"axis": draw(st.integers(-rank, rank - 1)), "keepdims": size(draw, 0, 1)}
    return Case(one_of(draw, "ArgMax", "ArgMin"), [f(*sizes(draw, rank))], attrs)


def reshape(draw: Draw) -> Case:
    x = one_of(draw, (2, 3, 4), (6, 1, 2), (0, 4), (12,), ())
    wish = draw(st.lists(st.sampled_from([-1, 0, 1, 2, 3, 4, 6, 12, 24]), max_size=4))
    return Case("Reshape", [f(*x), n(*wish)], {"allowzero": size(draw, 0, 1)})


def slices(draw: Draw) -> Case:
    x, numbers = (
        sizes(draw, 3, 0, 7),
        st.sampled_from([-(2**63) + 1, -9, -8, -3, -1, 0, 1, 2, 5, 9, 2**31 - 1, 2**63 - 1]),
    )
    axes = draw(st.lists(st.sampled_from([0, 1, -1]), min_size=1, max_size=3, unique=True))
    starts, ends = ([draw(numbers) for _ in axes] for _ in range(2))
    return Case("Slice", [f(*x), n(*starts), n(*ends), n(*axes), n(*(one_of(draw, -3, -1, 1, 2) for _ in axes))])


def gather(draw: Draw) -> Case:
    rank = size(draw, 1, 3)
    return Case(
        "Gather", [f(*sizes(draw, rank)), i(*sizes(draw, size(draw, 0, 2)))], {"axis": size(draw, -rank, rank - 1)}
    )


def gather_nd(draw: Draw) -> Case:
    x, batch = (2, 3, *sizes(draw, size(draw, 0, 2))), size(draw, 0, 1)
    return Case(
        "GatherND", [f(*x), i(*x[:batch], *sizes(draw, size(draw, 0, 2)), size(draw, 1, 3))], {"batch_dims": batch}
    )


def concat(draw: Draw) -> Case:
    rank = size(draw, 1, 3)
    shape, axis = sizes(draw, rank), size(draw, -rank, rank - 1)
    parts = [
        [n if k != axis % rank else size(draw, 0, 4) for k, n in enumerate(shape)] for _ in range(size(draw, 1, 3))
    ]
    return Case("Concat", [f(*part) for part in parts], {"axis": axis})


def split(draw: Draw) -> Case:
    x, outputs = (2, size(draw, 1, 9)), size(draw, 1, 3)
    if draw(st.booleans()):
        return Case("Split", [f(*x), n(*sizes(draw, outputs, 0, 4))], {"axis": -1}, outputs)
    if draw(st.booleans()):
        return Case("Split", [f(*x)], {"axis": 1, "num_outputs": outputs}, outputs, 18)
    return Case("Split", [f(*x)], {"axis": 1}, outputs)


def pad(draw: Draw) -> Case:
    rank = size(draw, 1, 3)
    return Case(
        "Pad", [f(*sizes(draw, rank, 2)), n(*sizes(draw, 2 * rank, -1, 2))], {"mode": one_of(draw, "constant", "edge")}
    )


def tile(draw: Draw) -> Case:
    rank = size(draw, 1, 3)
    return Case("Tile", [f(*sizes(draw, rank)), n(*sizes(draw, one_of(draw, rank, rank, rank + 1), 0, 3))])


def expand(draw: Draw) -> Case:
    return Case("Expand", [f(*sizes(draw, size(draw, 0, 3), 1, 2)), n(*sizes(draw, size(draw, 0, 3), 1, 2))])


def squeeze(draw: Draw) -> Case:
    x = sizes(draw, size(draw, 0, 4), 1, 2)
    ones = [k for k, n in enumerate(x) if n == 1]
    axes = draw(st.lists(st.sampled_from(ones), unique=True)) if ones else []
    return Case("Squeeze", [f(*x), *([n(*axes)] if axes else [])])


def unsqueeze(draw: Draw) -> Case:
    axes = draw(st.lists(st.integers(-3, 3), min_size=1, max_size=3, unique=True))
    return Case("Unsqueeze", [f(*sizes(draw, size(draw, 0, 3))), n(*axes)])


def transpose(draw: Draw) -> Case:
    x = sizes(draw, size(draw, 1, 4))
    return Case(
        "Transpose", [f(*x)], {"perm": tuple(draw(st.permutations(range(len(x)))))} if draw(st.booleans()) else {}
    )


def flatten(draw: Draw) -> Case:
    x = sizes(draw, size(draw, 1, 4))
    return Case("Flatten", [f(*x)], {"axis": size(draw, -len(x), len(x) + 1)})


def depth(draw: Draw) -> Case:
    b, op = size(draw, 1, 3), one_of(draw, "DepthToSpace", "SpaceToDepth")
    x = (
        (1, b * b * size(draw, 1, 2), *sizes(draw, 2))
        if op == "DepthToSpace"
        else (1, 2, *(b * k for k in sizes(draw, 2, 1, 3)))
    )
    return Case(op, [f(*x)], {"blocksize": b})


def shape(draw: Draw) -> Case:
    return Case("Shape", [f(*sizes(draw, size(draw, 0, 4)))], {"start": size(draw, -5, 5), "end": size(draw, -5, 5)})


def top_k(draw: Draw) -> Case:
    return Case("TopK", [f(2, size(draw)), n(size(draw, 0, 8))], {"axis": one_of(draw, 1, -1)}, 2)


def arange(draw: Draw) -> Case:
    kind = one_of(draw, np.float32, np.int64, np.int32)
    numbers = [
        draw(st.floats(-5, 5, width=16)),
        draw(st.floats(-5, 5, width=16)),
        one_of(draw, -2.0, -1.0, -0.3, 0.7, 1.0, 3.0),
    ]
    numbers = [kind(k or 1) if kind is np.float32 else kind(int(k) or 1) for k in numbers]
    return Case("Range", [np.asarray(k) for k in numbers])


def one_hot(draw: Draw) -> Case:
    rank = size(draw, 1, 2)
    return Case("OneHot", [i(*sizes(draw, rank)), n(size(draw)), f(2)], {"axis": size(draw, -rank - 1, rank)})


def nonzero(draw: Draw) -> Case:
    array = np.array(draw(st.lists(st.integers(0, 1), min_size=6, max_size=6)), np.int64)
    return Case("NonZero", [array.reshape(one_of(draw, (6,), (2, 3), (1, 2, 3)))])


def recurrent(draw: Draw) -> Case:
    op, gates, outputs = one_of(draw, ("LSTM", 4, 3), ("GRU", 3, 2), ("RNN", 1, 2))
    hidden, features, direction = (
        size(draw, 1, 3),
        size(draw, 1, 3),
        one_of(draw, "forward", "reverse", "bidirectional"),
    )
    ways = 2 if direction == "bidirectional" else 1
    weights = [f(ways, gates * hidden, features), f(ways, gates * hidden, hidden)]
    attrs = {"hidden_size": hidden, "direction": direction}
    return Case(op, [f(*sizes(draw, 2, 1, 4), features), *weights], attrs, outputs)


def norm(draw: Draw) -> Case:
    rank = size(draw, 2, 4)
    x, axis = sizes(draw, rank), size(draw, -rank, rank - 1)
    return Case("LayerNormalization", [f(*x), f(*x[axis % rank :])], {"axis": axis}, 3)


def quantized_conv(draw: Draw) -> Case:
    scale, zero = np.asarray(np.float32(0.1)), np.asarray(np.uint8(3))
    x, weight = t("uint8", 1, 3, *sizes(draw, 2, 3, 9)), t("uint8", 2, 3, *sizes(draw, 2, 1, 3))
    return Case("QLinearConv", [x, scale, zero, weight, scale, zero, scale, zero], window(draw, 2))


def grid(draw: Draw) -> Case:
    return Case("GridSample", [f(2, 3, *sizes(draw, 2)), f(one_of(draw, 2, 2, 3), *sizes(draw, 2), 2)])


MAKERS = [
    conv, conv_transpose, pool, resize, broadcast, odd_broadcast, matmul, gemm, einsum, reduce, arg, reshape, slices,
    gather, gather_nd, concat, split, pad, tile, expand, squeeze, unsqueeze, transpose, flatten, depth, shape, top_k,
    arange, one_hot, nonzero, recurrent, norm, quantized_conv, grid,
]  # fmt: skip
EXAMPLES = {conv: 60, conv_transpose: 60, pool: 80, resize: 60, slices: 60, reshape: 60}


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_as_onnxruntime_computes(maker: Callable[[Draw], Case]) -> None:
    @settings(max_examples=EXAMPLES.get(maker, 25), derandomize=True, database=None, deadline=None)
    @given(st.composite(maker)())
    def holds(case: Case) -> None:
        try:
            theirs = case.computed()
        except Exception:  # onnxruntime refuses it; we may as well, but need not
            return
        try:
            ours = case.ours()
        except ModelError as err:
            raise AssertionError(f"{case} gives {theirs}") from err
        assert ours == theirs, case

    holds()
