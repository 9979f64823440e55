"""Layers of TensorFlow Lite as small files: see tflite_cases.py."""

from __future__ import annotations

from tflite_case import Case, X, draw, i32, one, row

from tflite_files import Op, T, const, flow

CASES: dict[str, Case] = {}
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
