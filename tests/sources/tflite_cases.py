"""Operators of TensorFlow Lite, one small file each, with what goes in: the answers are ai-edge-litert's.

tests/oracle/tflite/make.py asks it; test_tflite.py compares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tflite_files import Op, T, const, flow, model


@dataclass(frozen=True)
class Case:
    """A file and its inputs, by name; loose: how much its answers may differ, of integers in steps."""

    tensors: Mapping[str, T]
    ops: Sequence[Op]
    inputs: Mapping[str, Any]
    outputs: Sequence[str]
    loose: float = 2e-5

    def file(self) -> bytes:
        return model(self.tensors, self.ops, list(self.inputs), self.outputs)


def draw(seed: int, *shape: int, low: float = -2, high: float = 2) -> Any:
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def ints(seed: int, *shape: int, low: int = -128, high: int = 128, dtype: str = "int8") -> Any:
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def one(
    op: str,
    *given: Any,
    outs: Sequence[T] = (flow(1),),
    version: int = 1,
    loose: float = 2e-5,
    kind: str = "",
    steps: tuple[Any, ...] = (),
    **options: Any,
) -> Case:
    """One operator: arrays go in, T are constants (or variables), None is left out. steps: of all inputs that flow."""
    tensors: dict[str, T] = {}
    fed: dict[str, Any] = {}
    names = []
    for i, item in enumerate(given):
        name = "" if item is None else f"in{i}"
        names.append(name)
        if isinstance(item, T):
            tensors[name] = item
        elif item is not None:
            fed[name] = np.asarray(item)
            tensors[name] = flow(
                *fed[name].shape, dtype=fed[name].dtype.name, steps=steps if fed[name].itemsize == 1 else ()
            )
    results = {f"out{i}": out for i, out in enumerate(outs)}
    ops = [Op(op, names, list(results), options, version, kind)]
    return Case({**tensors, **results}, ops, fed, list(results), loose)


X = draw(1, 1, 6, 7, 4)
P = draw(2, 1, 6, 7, 4, low=0.2, high=3)
I32 = np.int32


def i32(*values: int) -> T:
    return const(np.array(values, np.int32))


def scalar(value: int) -> T:
    return const(np.array(value, np.int32))


def row(values: Any) -> T:
    return const(np.array(values, np.int32))


CASES: dict[str, Case] = {}
for name in (
    "ABS",
    "NEG",
    "EXP",
    "SIN",
    "COS",
    "FLOOR",
    "CEIL",
    "SQUARE",
    "TANH",
    "LOGISTIC",
    "ELU",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "RELU_0_TO_1",
    "HARD_SWISH",
    "LOG_SOFTMAX",
    "SIGN",
    "ZEROS_LIKE",
    "ROUND",
):
    CASES[name.lower()] = one(name, X * 3)
for name in ("LOG", "SQRT", "RSQRT"):
    CASES[name.lower()] = one(name, P)
for name in ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "FLOOR_DIV", "FLOOR_MOD"):
    CASES[name.lower()] = one(name, X, P, version=2 if name in ("FLOOR_DIV",) else 1)
    CASES[f"{name.lower()}_row"] = one(
        name, X, const(draw(5, 4, low=0.3, high=1)), version=2 if name in ("FLOOR_DIV",) else 1
    )
CASES["sub_relu"] = one("SUB", X, P, fused_activation_function=1)
CASES["mul_relu6"] = one("MUL", X * 3, P, fused_activation_function=3)
CASES["div_n1"] = one("DIV", X * 3, P, fused_activation_function=2)
CASES["pow"] = one("POW", P, draw(3, 1, 6, 7, 4))
CASES["add_n"] = one("ADD_N", X, P, draw(4, 1, 6, 7, 4))
CASES["int_floor_div"] = one(
    "FLOOR_DIV", ints(1, 3, 4, dtype="int32"), row([[3, -4, 5, 7]]), outs=[flow(1, dtype="int32")]
)
CASES["int_floor_mod"] = one(
    "FLOOR_MOD", ints(1, 3, 4, dtype="int32"), row([[3, -4, 5, 7]]), outs=[flow(1, dtype="int32")]
)
TRUTH = [flow(1, dtype="bool")]
for name in ("EQUAL", "NOT_EQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"):
    CASES[name.lower()] = one(name, np.round(X), np.round(P), outs=TRUTH)
CASES["logical_and"] = one("LOGICAL_AND", X > 0, P > 1, outs=TRUTH)
CASES["logical_or"] = one("LOGICAL_OR", X > 0, P > 1, outs=TRUTH)
CASES["logical_not"] = one("LOGICAL_NOT", X > 0, outs=TRUTH)
CASES["select"] = one("SELECT", X > 0, X, P)
CASES["select_rows"] = one("SELECT", np.array([True, False, True]), draw(1, 3, 4), draw(2, 3, 4))
CASES["select_v2"] = one("SELECT_V2", X[:, :, :1] > 0, X, const(np.float32(2.5)))
CASES["cast_int"] = one("CAST", X * 4, outs=[flow(1, dtype="int32")], in_data_type=0, out_data_type=2)
CASES["cast_bool"] = one("CAST", X > 0, outs=[flow(1)], in_data_type=6, out_data_type=0)
CASES["leaky_relu"] = one("LEAKY_RELU", X, alpha=0.3)
CASES["prelu"] = one("PRELU", X, const(draw(5, 1, 1, 4)))
CASES["prelu_all"] = one("PRELU", X, const(draw(5, 6, 7, 4)))
CASES["gelu"] = one("GELU", X, approximate=False)
CASES["gelu_tanh"] = one("GELU", X, approximate=True)
CASES["softmax"] = one("SOFTMAX", X, beta=1.0)
CASES["softmax_beta"] = one("SOFTMAX", X, beta=0.5)
CASES["l2_normalization"] = one("L2_NORMALIZATION", X, kind="L2NormOptions", fused_activation_function=0)
CASES["lrn"] = one("LOCAL_RESPONSE_NORMALIZATION", X, radius=1, bias=1.5, alpha=0.3, beta=0.75)

for pad in (0, 1):
    tag = ("same", "valid")[pad]
    w, b = const(draw(7, 5, 3, 2, 4)), const(draw(8, 5))
    CASES[f"conv_{tag}"] = one("CONV_2D", X, w, b, padding=pad, stride_w=1, stride_h=1)
    CASES[f"conv_{tag}_stride"] = one(
        "CONV_2D", X, w, b, padding=pad, stride_w=2, stride_h=3, fused_activation_function=1
    )
    CASES[f"conv_{tag}_dilated"] = one(
        "CONV_2D", X, w, b, padding=pad, stride_w=1, stride_h=1, dilation_w_factor=3, dilation_h_factor=2
    )
    d = const(draw(9, 1, 3, 2, 8))
    CASES[f"depthwise_{tag}"] = one(
        "DEPTHWISE_CONV_2D",
        X,
        d,
        const(draw(8, 8)),
        padding=pad,
        stride_w=2,
        stride_h=2,
        depth_multiplier=2,
        fused_activation_function=3,
    )
    for op in ("MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D"):
        CASES[f"{op.lower()}_{tag}"] = one(
            op, X, kind="Pool2DOptions", padding=pad, stride_w=2, stride_h=1, filter_width=3, filter_height=2
        )
CASES["average_pool_all"] = one(
    "AVERAGE_POOL_2D", X, kind="Pool2DOptions", padding=1, stride_w=1, stride_h=1, filter_width=7, filter_height=6
)
CASES["conv_grouped"] = one(
    "CONV_2D", X, const(draw(7, 6, 3, 2, 2)), const(draw(8, 6)), padding=0, stride_w=1, stride_h=1
)
CASES["depthwise_dilated"] = one(
    "DEPTHWISE_CONV_2D",
    X,
    const(draw(9, 1, 3, 2, 4)),
    const(draw(8, 4)),
    padding=1,
    stride_w=1,
    stride_h=1,
    depth_multiplier=1,
    dilation_h_factor=2,
    dilation_w_factor=2,
)
CASES["depthwise_one"] = one(
    "DEPTHWISE_CONV_2D",
    X[..., :1],
    const(draw(9, 1, 3, 2, 5)),
    const(draw(8, 5)),
    padding=1,
    stride_w=1,
    stride_h=1,
    depth_multiplier=5,
)
CASES["conv_3d"] = one(
    "CONV_3D",
    draw(1, 1, 4, 5, 6, 2),
    const(draw(7, 2, 3, 2, 2, 3)),
    const(draw(8, 3)),
    padding=0,
    kind="Conv3DOptions",
    stride_d=1,
    stride_h=2,
    stride_w=2,
)
for pad, k, s, size in (
    (0, 3, 2, (12, 14)),
    (1, 3, 2, (13, 15)),
    (0, 2, 3, (18, 21)),
    (1, 2, 3, (18, 21)),
    (0, 5, 3, (18, 21)),
    (0, 4, 2, (12, 14)),
    (1, 4, 1, (9, 10)),
):
    CASES[f"transpose_conv_{pad}{k}{s}"] = one(
        "TRANSPOSE_CONV",
        i32(1, *size, 5),
        const(draw(7, 5, k, k, 4)),
        X,
        const(draw(8, 5)),
        version=3,
        padding=pad,
        stride_w=s,
        stride_h=s,
    )
CASES["transpose_conv_plain"] = one(
    "TRANSPOSE_CONV", i32(1, 12, 14, 5), const(draw(7, 5, 3, 3, 4)), X, version=1, padding=0, stride_w=2, stride_h=2
)
DENSE = const(draw(7, 5, 28)), const(draw(8, 5))
CASES["dense_flat"] = one("FULLY_CONNECTED", X[:, :1], *DENSE, fused_activation_function=1)
CASES["dense_rows"] = one("FULLY_CONNECTED", draw(1, 3, 28), *DENSE)
CASES["dense_keep"] = one("FULLY_CONNECTED", draw(1, 1, 3, 28), *DENSE, version=5, keep_num_dims=True)
CASES["dense_bare"] = one("FULLY_CONNECTED", draw(1, 2, 28), DENSE[0], None, version=6)
CASES["dense_two"] = one("FULLY_CONNECTED", draw(1, 2, 28), draw(2, 5, 28), None, version=6)

for name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"):
    CASES[name.lower()] = one(name, X, i32(1, 2), kind="ReducerOptions", keep_dims=False)
    CASES[f"{name.lower()}_keep"] = one(name, X, i32(-1), kind="ReducerOptions", keep_dims=True)
CASES["mean_keep_hw"] = one("MEAN", X, i32(2, 1), kind="ReducerOptions", keep_dims=True)
CASES["mean_all"] = one("MEAN", X, i32(0, 1, 2, 3), kind="ReducerOptions", keep_dims=False)
CASES["reduce_any"] = one("REDUCE_ANY", X > 1.5, i32(1), kind="ReducerOptions", keep_dims=False, outs=TRUTH)
CASES["reduce_all"] = one("REDUCE_ALL", X > -1.5, i32(1), kind="ReducerOptions", keep_dims=True, outs=TRUTH)
WHOLE = [flow(1, dtype="int32")]
CASES["arg_max"] = one("ARG_MAX", X, scalar(-1), outs=WHOLE, output_type=2)
CASES["arg_min"] = one("ARG_MIN", X, scalar(1), outs=WHOLE, output_type=2)
CASES["topk"] = one("TOPK_V2", X, scalar(3), outs=[flow(1), flow(1, dtype="int32")])
CASES["cumsum"] = one("CUMSUM", X, scalar(1), exclusive=False, reverse=False)
CASES["cumsum_back"] = one("CUMSUM", X, scalar(-1), exclusive=True, reverse=True)
CASES["batch_matmul"] = one("BATCH_MATMUL", draw(1, 2, 3, 4), draw(2, 2, 4, 5), adj_x=False, adj_y=False)
CASES["batch_matmul_turned"] = one("BATCH_MATMUL", draw(1, 2, 4, 3), draw(2, 2, 5, 4), adj_x=True, adj_y=True)
CASES["batch_matmul_const"] = one("BATCH_MATMUL", draw(1, 2, 3, 4), const(draw(2, 4, 5)))

CASES["reshape"] = one("RESHAPE", X, i32(3, -1, 2), new_shape=[3, -1, 2])
CASES["reshape_old"] = one("RESHAPE", X, new_shape=[2, 3, 28])
CASES["squeeze"] = one("SQUEEZE", draw(1, 1, 3, 1, 2), squeeze_dims=[2])
CASES["squeeze_all"] = one("SQUEEZE", draw(1, 1, 3, 1, 2), squeeze_dims=[])
CASES["expand_dims"] = one("EXPAND_DIMS", X, scalar(-2))
CASES["transpose"] = one("TRANSPOSE", X, i32(3, 1, 0, 2))
CASES["shape"] = one("SHAPE", X, outs=WHOLE, out_type=2)
CASES["rank"] = one("RANK", X, outs=WHOLE)
CASES["fill"] = Case(
    {"x": flow(2, 3), "shape": i32(2, 3), "number": const(np.float32(1.5)), "y": flow(1), "z": flow(1)},
    [Op("FILL", ["shape", "number"], ["y"]), Op("ADD", ["x", "y"], ["z"])],
    {"x": draw(1, 2, 3)},
    ["z"],
)
CASES["broadcast_to"] = one("BROADCAST_TO", draw(1, 1, 3, 1), i32(2, 3, 4), version=2)
CASES["slice"] = one("SLICE", X, i32(0, 1, 2, 1), i32(1, 3, -1, 2), outs=[flow(1, 3, 5, 2)])
CASES["strided"] = one("STRIDED_SLICE", X, i32(0, 1, 0, -3), i32(1, 5, 7, -1), i32(1, 2, 3, 1))
CASES["strided_back"] = one(
    "STRIDED_SLICE", X, i32(0, 4, 0, 0), i32(1, 0, 7, 4), i32(1, -2, 1, 1), begin_mask=4, end_mask=8
)
CASES["strided_all_back"] = one("STRIDED_SLICE", X, i32(0, 0, 0), i32(0, 0, 0), i32(1, -1, 1), begin_mask=7, end_mask=7)
CASES["strided_shrink"] = one("STRIDED_SLICE", X, i32(0, -1, 2), i32(1, 0, 4), i32(1, 1, 1), shrink_axis_mask=2)
CASES["strided_new"] = one(
    "STRIDED_SLICE",
    X,
    i32(0, 0, 2, 0),
    i32(0, 0, 5, 0),
    i32(1, 1, 1, 1),
    begin_mask=1,
    end_mask=1,
    ellipsis_mask=8,
    new_axis_mask=2,
    version=2,
)
CASES["strided_dots"] = one("STRIDED_SLICE", X, i32(0, 1), i32(0, 3), i32(1, 1), ellipsis_mask=1)
CASES["split"] = one("SPLIT", scalar(-1), X, outs=[flow(1), flow(1)], num_splits=2)
CASES["split_v"] = one("SPLIT_V", X, i32(1, -1, 2), scalar(1), outs=[flow(1)] * 3, num_splits=3)
CASES["unpack"] = one("UNPACK", draw(1, 2, 3, 4), outs=[flow(1)] * 3, num=3, axis=1)
CASES["pack"] = one("PACK", X, P, values_count=2, axis=-1)
CASES["pack_first"] = one("PACK", X, P, values_count=2, axis=0)
CASES["concatenation"] = one("CONCATENATION", X, P, axis=-1)
CASES["tile"] = one("TILE", X, i32(1, 2, 1, 3))
CASES["tile_wide"] = one("TILE", draw(1, 1, 1, 3, 1), i32(1, 4, 1, 2))
CASES["pad"] = one("PAD", X, row([[0, 0], [1, 2], [0, 3], [2, 0]]))
CASES["padv2"] = one("PADV2", X, row([[0, 0], [1, 2], [0, 3], [2, 0]]), const(np.float32(-3)))
CASES["mirror_reflect"] = one("MIRROR_PAD", X, row([[0, 0], [1, 2], [3, 0], [0, 0]]), mode=0)
CASES["mirror_symmetric"] = one("MIRROR_PAD", X, row([[0, 0], [1, 2], [3, 0], [0, 1]]), mode=1)
CASES["space_to_depth"] = one("SPACE_TO_DEPTH", draw(1, 1, 6, 4, 3), block_size=2)
CASES["depth_to_space"] = one("DEPTH_TO_SPACE", draw(1, 1, 3, 2, 12), block_size=2)
CASES["space_to_batch"] = one("SPACE_TO_BATCH_ND", X, i32(2, 3), row([[1, 1], [0, 2]]))
CASES["batch_to_space"] = one("BATCH_TO_SPACE_ND", draw(1, 12, 3, 2, 2), i32(2, 3), row([[1, 0], [0, 2]]))
CASES["gather"] = one("GATHER", X, i32(2, 0, 2), axis=1, batch_dims=0)
CASES["gather_flow"] = one("GATHER", const(draw(3, 9, 4)), ints(1, 2, 3, low=0, high=9, dtype="int32"), axis=0)
CASES["gather_nd"] = one("GATHER_ND", draw(1, 3, 4, 2), row([[0, 1], [2, 3]]))
CASES["embedding"] = one("EMBEDDING_LOOKUP", ints(1, 5, low=0, high=9, dtype="int32"), const(draw(3, 9, 4)))
CASES["one_hot"] = one(
    "ONE_HOT",
    ints(1, 5, low=-1, high=7, dtype="int32"),
    scalar(6),
    const(np.float32(2)),
    const(np.float32(-1)),
    axis=-1,
)
CASES["reverse"] = one("REVERSE_V2", X, i32(2))
CASES["reverse_sequence"] = one("REVERSE_SEQUENCE", draw(1, 2, 5, 3), i32(3, 5), seq_dim=1, batch_dim=0)
CASES["scatter"] = one("SCATTER_ND", row([[3], [1]]), draw(1, 2, 3), i32(5, 3))
for corners, centres in ((False, False), (True, False), (False, True)):
    for size in ((12, 14), (4, 5), (9, 3), (13, 8)):
        tag = f"{int(corners)}{int(centres)}_{size[0]}"
        CASES[f"bilinear_{tag}"] = one(
            "RESIZE_BILINEAR", X, i32(*size), version=3, align_corners=corners, half_pixel_centers=centres
        )
        CASES[f"nearest_{tag}"] = one(
            "RESIZE_NEAREST_NEIGHBOR", X, i32(*size), version=3, align_corners=corners, half_pixel_centers=centres
        )
CASES["range"] = Case(
    {
        "x": flow(6),
        "a": const(np.float32(1)),
        "b": const(np.float32(4)),
        "c": const(np.float32(0.5)),
        "y": flow(1),
        "z": flow(1),
    },
    [Op("RANGE", ["a", "b", "c"], ["y"]), Op("ADD", ["x", "y"], ["z"])],
    {"x": draw(1, 6)},
    ["z"],
)


def lstm(time_major: bool = False, activation: int = 4, peepholes: bool = False) -> Case:
    shape = (6, 1, 5) if time_major else (1, 6, 5)
    states = [flow(1, 7, variable=True), flow(1, 7, variable=True)]
    holes = [const(draw(30 + i, 7)) if peepholes else None for i in range(3)]
    return one(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        draw(1, *shape),
        *(const(draw(2 + i, 7, 5)) for i in range(4)),
        *(const(draw(6 + i, 7, 7, low=-0.5, high=0.5)) for i in range(4)),
        *holes,
        *(const(draw(10 + i, 7)) for i in range(4)),
        None,
        None,
        *states,
        None,
        None,
        None,
        None,
        time_major=time_major,
        fused_activation_function=activation,
    )


def one_way(seed: int) -> list[T | None]:
    weights = [const(draw(seed + i, 3, 5 if i < 4 else 3)) for i in range(8)]
    return [*weights, None, None, None, *(const(draw(seed + 8 + i, 3)) for i in range(4)), None, None]


def both_ways(merged: bool) -> Case:
    return one(
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        draw(1, 1, 6, 5),
        *one_way(40),
        *one_way(60),
        *[flow(1, 3, variable=True)] * 4,
        *[None] * 9,
        outs=[flow(1)] * (1 if merged else 2),
        fused_activation_function=4,
        time_major=False,
        merge_outputs=merged,
    )


CASES["lstm"] = lstm()
CASES["lstm_time"] = lstm(time_major=True)
CASES["lstm_holes"] = lstm(peepholes=True)
CASES["lstm_both"] = both_ways(True)
CASES["lstm_both_apart"] = both_ways(False)
CASES["rnn"] = one(
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    draw(1, 1, 6, 5),
    const(draw(2, 4, 5)),
    const(draw(3, 4, 4, low=-0.5, high=0.5)),
    const(draw(4, 4)),
    flow(1, 4, variable=True),
    kind="SequenceRNNOptions",
    fused_activation_function=4,
)

# -- integers: answers differ by steps ---------------------------------------------------------------------------------

Q = ints(1, 1, 6, 7, 4)
S = (0.05, 3)


def out8(scale: float, zero: int, dtype: str = "int8") -> list[T]:
    return [flow(1, dtype=dtype, steps=(scale, zero))]


def w8(seed: int, *shape: int, axis: int = 0) -> T:
    scales = np.random.default_rng(seed).uniform(0.002, 0.02, shape[axis]).astype(np.float32)
    return const(ints(seed, *shape, low=-127), (scales, np.zeros(shape[axis], np.int64), axis))


def b8(seed: int, weight: T) -> T:
    scales = (np.float32(S[0]) * weight.steps[0]).astype(np.float32)
    return const(
        ints(seed, len(scales), low=-3000, high=3000, dtype="int32"), (scales, np.zeros(len(scales), np.int64), 0)
    )


CONV, DEEP, FULL = w8(7, 5, 3, 2, 4), w8(8, 1, 3, 2, 8, axis=3), w8(9, 5, 28)
CASES["q_conv"] = one(
    "CONV_2D", Q, CONV, b8(2, CONV), outs=out8(0.06, -10), steps=S, version=3, loose=1, stride_w=1, stride_h=1
)
CASES["q_conv_relu6"] = one(
    "CONV_2D",
    Q,
    CONV,
    b8(2, CONV),
    outs=out8(6 / 255, -128),
    steps=S,
    version=3,
    loose=1,
    stride_w=2,
    stride_h=2,
    fused_activation_function=3,
)
CASES["q_conv_relu_wide"] = one(
    "CONV_2D",
    Q,
    CONV,
    b8(2, CONV),
    outs=out8(0.06, -10),
    steps=S,
    version=3,
    loose=1,
    stride_w=1,
    stride_h=1,
    fused_activation_function=1,
)
CASES["q_depthwise"] = one(
    "DEPTHWISE_CONV_2D",
    Q,
    DEEP,
    b8(3, DEEP),
    outs=out8(0.03, 5),
    steps=S,
    version=3,
    loose=1,
    stride_w=1,
    stride_h=1,
    depth_multiplier=2,
)
CASES["q_dense"] = one("FULLY_CONNECTED", Q[:, :1], FULL, b8(4, FULL), outs=out8(0.08, 0), steps=S, version=5, loose=1)
CASES["q_dense_keep"] = one(
    "FULLY_CONNECTED",
    ints(5, 1, 3, 28),
    FULL,
    b8(4, FULL),
    outs=out8(0.08, 0),
    steps=S,
    version=5,
    loose=1,
    keep_num_dims=True,
)
TURN = w8(7, 5, 3, 3, 4)
CASES["q_transpose_conv"] = one(
    "TRANSPOSE_CONV",
    i32(1, 12, 14, 5),
    TURN,
    Q,
    outs=out8(0.06, -10),
    steps=S,
    version=3,
    loose=1,
    padding=0,
    stride_w=2,
    stride_h=2,
)
CASES["q_add"] = one("ADD", Q, ints(2, 1, 6, 7, 4), outs=out8(0.08, 1), steps=S, version=2, loose=1)
CASES["q_add_const"] = one("ADD", Q, const(ints(2, 4), (0.02, -4)), outs=out8(0.06, 1), steps=S, version=2, loose=1)
CASES["q_mul"] = one("MUL", Q, ints(2, 1, 6, 7, 4), outs=out8(0.2, -3), steps=S, version=2, loose=1)
CASES["q_sub"] = one("SUB", Q, ints(2, 1, 6, 7, 4), outs=out8(0.08, 1), steps=S, version=2, loose=1)
CASES["q_mean"] = one(
    "MEAN", Q, i32(1, 2), outs=out8(0.02, 1), steps=S, version=2, kind="ReducerOptions", loose=1, keep_dims=True
)
CASES["q_softmax"] = one("SOFTMAX", Q, outs=out8(1 / 256, -128), steps=S, version=2, loose=1, beta=1.0)
CASES["q_logistic"] = one("LOGISTIC", Q, outs=out8(1 / 256, -128), steps=S, version=2, loose=1)
CASES["q_tanh"] = one("TANH", Q, outs=out8(1 / 128, 0), steps=S, version=2, loose=1)
CASES["q_leaky"] = one("LEAKY_RELU", Q, outs=out8(0.05, 3), steps=S, version=2, loose=1, alpha=0.1)
CASES["q_hard_swish"] = one("HARD_SWISH", Q, outs=out8(0.05, -100), steps=S, loose=1)
CASES["q_average"] = one(
    "AVERAGE_POOL_2D",
    Q,
    outs=out8(*S),
    steps=S,
    version=2,
    kind="Pool2DOptions",
    loose=1,
    padding=0,
    stride_w=2,
    stride_h=2,
    filter_width=3,
    filter_height=3,
)
CASES["q_max"] = one(
    "MAX_POOL_2D",
    Q,
    outs=out8(*S),
    steps=S,
    version=2,
    kind="Pool2DOptions",
    loose=0,
    padding=0,
    stride_w=2,
    stride_h=2,
    filter_width=3,
    filter_height=3,
)
CASES["q_pad"] = one("PAD", Q, row([[0, 0], [1, 2], [0, 3], [0, 0]]), outs=out8(*S), steps=S, version=2, loose=0)
CASES["q_concat"] = one("CONCATENATION", Q, ints(2, 1, 6, 7, 3), outs=out8(*S), steps=S, version=2, loose=0, axis=3)
CASES["q_bilinear"] = one(
    "RESIZE_BILINEAR", Q, i32(12, 9), outs=out8(*S), steps=S, version=3, loose=1, half_pixel_centers=True
)
CASES["q_requantise"] = one("QUANTIZE", Q, outs=out8(0.049, 130, "uint8"), steps=S, version=2, loose=1)
CASES["q_quantise"] = one("QUANTIZE", X, outs=out8(0.03, -5), loose=1)
CASES["q_dequantise"] = one("DEQUANTIZE", Q, outs=[flow(1)], steps=S, version=2)
CASES["q_maximum"] = one("MAXIMUM", Q, ints(2, 1, 6, 7, 4), outs=out8(*S), steps=S, version=2, loose=0)
CASES["q_transpose"] = one("TRANSPOSE", Q, i32(0, 3, 1, 2), outs=out8(*S), steps=S, version=2, loose=0)
CASES["q_argmax"] = one("ARG_MAX", Q, scalar(3), outs=WHOLE, steps=S, version=2, output_type=2)
U = ints(1, 1, 6, 7, 4, low=0, high=256, dtype="uint8")
OLD = const(ints(7, 5, 3, 2, 4, low=0, high=256, dtype="uint8"), (0.01, 131))
CASES["u_conv"] = one(
    "CONV_2D",
    U,
    OLD,
    const(ints(2, 5, low=-3000, high=3000, dtype="int32"), (np.float32(0.05) * np.float32(0.01), 0)),
    outs=out8(0.06, 120, "uint8"),
    steps=(0.05, 121),
    loose=1,
    stride_w=1,
    stride_h=1,
)
CASES["u_dense"] = one(
    "FULLY_CONNECTED",
    U[:, :1],
    const(ints(7, 5, 28, low=0, high=256, dtype="uint8"), (0.01, 131)),
    const(ints(2, 5, low=-3000, high=3000, dtype="int32"), (np.float32(0.05) * np.float32(0.01), 0)),
    outs=out8(0.08, 100, "uint8"),
    steps=(0.05, 121),
    loose=1,
)


def dilated() -> Case:
    """A convolution with dilation as older converters spell it."""
    tensors = {
        "x": flow(1, 6, 7, 4),
        "blocks": i32(2, 2),
        "pads": row([[2, 2], [2, 3]]),
        "a": flow(1),
        "w": const(draw(7, 5, 3, 3, 4)),
        "b": const(draw(8, 5)),
        "c": flow(1),
        "crops": row([[0, 0], [0, 1]]),
        "y": flow(1),
    }
    ops = [
        Op("SPACE_TO_BATCH_ND", ["x", "blocks", "pads"], ["a"]),
        Op("CONV_2D", ["a", "w", "b"], ["c"], {"padding": 1, "stride_w": 1, "stride_h": 1}),
        Op("BATCH_TO_SPACE_ND", ["c", "blocks", "crops"], ["y"]),
    ]
    return Case(tensors, ops, {"x": X}, ["y"])


CASES["dilated"] = dilated()
