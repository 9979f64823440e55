"""Operators of TensorFlow Lite on integers, as small files: answers differ by steps. See tflite_cases.py."""

from __future__ import annotations

import numpy as np
from tflite_case import Case, X, i32, ints, one, row, scalar

from tflite_files import T, const, flow

CASES: dict[str, Case] = {}
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
CASES["q_argmax"] = one("ARG_MAX", Q, scalar(3), outs=[flow(1, dtype="int32")], steps=S, version=2, output_type=2)
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
