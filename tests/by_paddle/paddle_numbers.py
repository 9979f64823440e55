"""Functions of numbers, as make_layers.py takes them: see paddle_layers.py."""

from __future__ import annotations

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

P = (None, 3, 9, 11)  # a picture
V = (None, 4, 6)  # rows of vectors
N = (None, 6)
D3 = (None, 2, 5, 6, 7)


def acts():
    x = {
        name: (N, getattr(F, name))
        for name in [
            "relu",
            "relu6",
            "sigmoid",
            "tanh",
            "hardsigmoid",
            "hardswish",
            "swish",
            "silu",
            "mish",
            "gelu",
            "leaky_relu",
            "elu",
            "softplus",
            "celu",
            "selu",
            "hardshrink",
            "softshrink",
            "tanhshrink",
            "thresholded_relu",
            "log_sigmoid",
            "softsign",
            "hardtanh",
            "softmax",
            "log_softmax",
        ]
    }
    x |= {
        "gelu_tanh": (N, lambda a: F.gelu(a, True)),
        "leaky_relu_03": (N, lambda a: F.leaky_relu(a, 0.3)),
        "elu_07": (N, lambda a: F.elu(a, 0.7)),
        "celu_07": (N, lambda a: F.celu(a, 0.7)),
        "softplus_2": (N, lambda a: F.softplus(a, 2.0, 3.0)),
        "hardsigmoid_odd": (N, lambda a: F.hardsigmoid(a, 0.3, 0.4)),
        "hardtanh_odd": (N, lambda a: F.hardtanh(a, -0.5, 0.7)),
        "thresholded_odd": (N, lambda a: F.thresholded_relu(a, 0.3)),
        "softmax_1": (P, lambda a: F.softmax(a, 1)),
        "log_softmax_2": (P, lambda a: F.log_softmax(a, 2)),
        "glu": (N, lambda a: F.glu(a)),
        "maxout": ((None, 6, 5, 5), lambda a: F.maxout(a, 3)),
        "maxout_last": ((None, 5, 5, 6), lambda a: F.maxout(a, 2, 3)),
        "prelu_all": (P, nn.PReLU()),
        "prelu_channel": (P, nn.PReLU(3)),
        "prelu_last": ((None, 5, 5, 3), nn.PReLU(3, data_format="NHWC")),
        "rrelu": (N, nn.RReLU()),
        "dropout": (N, nn.Dropout(0.4)),
        "dropout_down": (N, nn.Dropout(0.4, mode="downscale_in_infer")),
        "dropout2d": (P, nn.Dropout2D(0.4)),
        "alpha_dropout": (N, nn.AlphaDropout(0.4)),
        "stanh": (N, paddle.stanh),
        "hardshrink_odd": (N, lambda a: F.hardshrink(a, 0.8)),
        "softshrink_odd": (N, lambda a: F.softshrink(a, 0.2)),
        "glu_1": (P[:1] + (4,) + P[2:], lambda a: F.glu(a, 1)),
        "swish_layer": (N, nn.Swish()),
        "softmax2d": (P, nn.Softmax2D()),
    }
    return x


def arithmetic():
    x = {
        name: (N, getattr(paddle, name))
        for name in [
            "exp",
            "abs",
            "sin",
            "cos",
            "sinh",
            "cosh",
            "atan",
            "asinh",
            "floor",
            "ceil",
            "round",
            "sign",
            "erf",
            "expm1",
            "square",
            "tan",
            "neg",
            "trunc",
        ]
    }
    x |= {
        name: (("+", *N), getattr(paddle, name))
        for name in ["sqrt", "rsqrt", "log", "log2", "log10", "log1p", "reciprocal"]
    }
    x |= {name: (("u", *N), getattr(paddle, name)) for name in ["asin", "acos", "atanh", "logit"]}
    x |= {
        name: ((N, N), getattr(paddle, name))
        for name in [
            "add",
            "subtract",
            "multiply",
            "divide",
            "maximum",
            "minimum",
            "fmax",
            "fmin",
            "atan2",
            "heaviside",
        ]
    }
    x |= {
        "acosh": (("+", *N), lambda a: paddle.acosh(a + 1)),
        "logit_eps": (("u", *N), lambda a: paddle.logit(a, 1e-2)),
        "remainder": ((N, ("+", *N)), paddle.remainder),
        "remainder_int": ((("i", *N), ("i", *N)), lambda a, b: paddle.remainder(a - 3, b + 1)),
        "floor_divide": ((("i", *N), ("i", *N)), lambda a, b: paddle.floor_divide(a - 3, b + 1)),
        "true_divide_int": ((("i", *N), ("i", *N)), lambda a, b: a / (b + 1)),
        "int_sums": ((("i", *N), ("i", *N)), lambda a, b: a * 3 - b + 2),
        "pow_2": (N, lambda a: paddle.pow(a, 2)),
        "pow_half": (("+", *N), lambda a: a**0.5),
        "pow_of": ((("+", *N), N), paddle.pow),
        "pow_int": (("i", *N), lambda a: a**2),
        "rpow": (N, lambda a: 2.0**a),
        "scale_after": (N, lambda a: paddle.scale(a, 2.5, 0.5, False)),
        "clip": (N, lambda a: paddle.clip(a, -0.3, 0.6)),
        "clip_min": (N, lambda a: paddle.clip(a, min=0.1)),
        "clip_max": (N, lambda a: paddle.clip(a, max=0.1)),
        "clip_int": (("i", *N), lambda a: paddle.clip(a, 2, 5)),
        "broadcast": ((P, (3, 1, 1)), lambda a, b: a * b),
        "broadcast_row": ((P, (11,)), lambda a, b: a + b),
        "add_n": ((N, N, N), lambda a, b, c: paddle.add_n([a, b, c])),
        "lerp": ((N, N), lambda a, b: paddle.lerp(a, b, 0.3)),
        "lerp_of": ((N, N, N), paddle.lerp),
        "round_2": (N, lambda a: paddle.round(a * 3) / 3),
        "logsumexp": (V, lambda a: paddle.logsumexp(a, -1)),
        "logsumexp_all": (V, lambda a: paddle.logsumexp(a)),
        "logaddexp": ((N, N), paddle.logaddexp),
        "cumsum": (V, lambda a: paddle.cumsum(a, 1)),
        "cumsum_last": (V, lambda a: paddle.cumsum(a, -1)),
        "cumprod": (V, lambda a: paddle.cumprod(a, 1)),
        "logcumsumexp": (V, lambda a: paddle.logcumsumexp(a, 1)),
        "kron": (((2, 3), (4, 2)), paddle.kron),
        "cross": (((None, 3), (None, 3)), lambda a, b: paddle.cross(a, b, 1)),
        "outer": (((5,), (4,)), paddle.outer),
        "inner": ((N, (2, 6)), paddle.inner),
        "dot": ((N, N), paddle.dot),
        "sigmoid_log": (N, lambda a: paddle.log(F.sigmoid(a))),
        "isclose": ((N, N), lambda a, b: paddle.isclose(a, a + (b > 0).astype("float32")).astype("float32")),
        "nan_to_num": (N, lambda a: paddle.nan_to_num(paddle.log(a))),
        "isnan": (N, lambda a: paddle.isnan(paddle.log(a)).astype("float32")),
        "isinf": (N, lambda a: paddle.isinf(a / (a - a)).astype("float32")),
        "isfinite": (N, lambda a: paddle.isfinite(paddle.log(a)).astype("float32")),
        "deg2rad": (N, paddle.deg2rad),
        "frac": (N, paddle.frac),
        "diff": (V, lambda a: paddle.diff(a, axis=1)),
        "normalize": (P, lambda a: F.normalize(a, axis=1)),
        "normalize_1": (N, lambda a: F.normalize(a, p=1.0, axis=-1)),
        "cosine": ((N, N), lambda a, b: F.cosine_similarity(a, b, axis=1)),
        "distance": ((N, N), nn.PairwiseDistance()),
        "label_smooth": (("u", *N), lambda a: F.label_smooth(a, epsilon=0.2)),
    }
    for name in ["equal", "not_equal", "less_than", "less_equal", "greater_than", "greater_equal"]:
        x[name] = ((N, N), lambda a, b, f=getattr(paddle, name): f(paddle.round(a), paddle.round(b)).astype("float32"))
        x[f"{name}_int"] = ((("i", *N), ("i", *N)), lambda a, b, f=getattr(paddle, name): f(a, b).astype("int64"))
    for name in ["logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor"]:
        x[name] = ((("b", *N), ("b", *N)), lambda a, b, f=getattr(paddle, name): f(a, b).astype("float32"))
    x["logical_not"] = (("b", *N), lambda a: paddle.logical_not(a).astype("float32"))
    x["where"] = ((N, N), lambda a, b: paddle.where(a > b, a, b * 2))
    x["where_mask"] = ((N, ("b", *N)), lambda a, m: paddle.where(m, a, paddle.zeros_like(a)))
    x["masked_fill"] = ((N, ("b", *N)), lambda a, m: paddle.masked_fill(a, m, -3.0))
    x["cast"] = (N, lambda a: (a * 3).astype("int32").astype("float32") + (a > 0).astype("float32"))
    x["cast_64"] = (N, lambda a: (a * 3).astype("int64"))
    return x


def reductions():
    x = {}
    for name in ["mean", "sum", "max", "min", "prod", "amax", "amin", "std", "var"]:
        function = getattr(paddle, name)
        x[f"{name}_all"] = ((3, 4), lambda a, f=function: f(a))
        x[f"{name}_axis"] = (V, lambda a, f=function: f(a, axis=1))
        x[f"{name}_keep"] = (V, lambda a, f=function: f(a, axis=-1, keepdim=True))
        if name not in ("prod",):
            x[f"{name}_two"] = (P, lambda a, f=function: f(a, axis=[2, 3]))
    x |= {
        "any": (("b", *N), lambda a: paddle.any(a, 1).astype("float32")),
        "all": (("b", *N), lambda a: paddle.all(a, 1, keepdim=True).astype("float32")),
        "argmax": (V, lambda a: paddle.argmax(a, 1)),
        "argmin": (V, lambda a: paddle.argmin(a, -1, keepdim=True)),
        "argmax_all": ((3, 4), lambda a: paddle.argmax(a)),
        "argmax_i32": (V, lambda a: paddle.argmax(a, -1, dtype="int32")),
        "topk": (V, lambda a: paddle.topk(a, 3)),
        "topk_small": (V, lambda a: paddle.topk(a, 2, axis=1, largest=False)),
        "sort": (V, lambda a: paddle.sort(a, 1)),
        "argsort": (V, lambda a: paddle.argsort(a, -1, descending=True)),
        "kthvalue": (V, lambda a: paddle.kthvalue(a, 2)[0]),
        "norm": (V, lambda a: paddle.norm(a)),
        "norm_1": (V, lambda a: paddle.norm(a, p=1, axis=-1)),
        "norm_inf": (V, lambda a: paddle.norm(a, p=float("inf"), axis=-1)),
        "norm_3": (V, lambda a: paddle.norm(a, p=3, axis=1, keepdim=True)),
        "norm_fro": (V, lambda a: paddle.norm(a, p="fro", axis=[1, 2])),
        "norm_2": (V, lambda a: paddle.norm(a, p=2, axis=2)),
        "count": (("b", *N), lambda a: paddle.sum(a.astype("int64"), axis=1)),
        "sum_bool": (("b", *N), lambda a: paddle.sum(a, axis=1)),
        "sum_int": (("i", *N), lambda a: paddle.sum(a, axis=1)),
        "max_int": (("i", *N), lambda a: paddle.max(a, axis=1)),
        "median": ((None, 5), lambda a: paddle.median(a, axis=1)),
        "nanmean": (N, lambda a: paddle.nanmean(a, axis=1)),
        "mean_neg": (P, lambda a: paddle.mean(a, axis=-1)),
    }
    return x
