"""Operators of TensorFlow Lite, one small file each, with what goes in: the answers are ai-edge-litert's.

tests/oracle/tflite/make.py asks it; test_tflite.py compares. Layers are in tflite_layers.py, integers in
tflite_integers.py.
"""

from __future__ import annotations

import numpy as np
from tflite_case import Case, P, X, draw, i32, ints, one, row, scalar
from tflite_integers import CASES as INTEGERS
from tflite_layers import CASES as LAYERS

from tflite_files import Op, const, flow

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

CASES |= {**LAYERS, **INTEGERS}
