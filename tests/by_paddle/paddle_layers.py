"""Small networks of Paddle's layers and functions, by name: what goes in, and what is computed. Paddle's own code.

Each entry is (shapes of its inputs, function or layer). A shape begins with None where the batch is free; "i" before it
stands for whole numbers below 8, "b" for truths, "+" for numbers above zero, "u" for numbers from 0 to 1.
"""

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


def shapes():
    return {
        "reshape": (V, lambda a: a.reshape([-1, 24])),
        "reshape_0": (V, lambda a: a.reshape([0, 0, 2, -1])),
        "reshape_free": (V, lambda a: a.reshape([a.shape[0], 3, 8])),
        "reshape_shape": (V, lambda a: a.reshape([paddle.shape(a)[0], 3, 8])),
        "flatten": (P, lambda a: a.flatten(1)),
        "flatten_12": (P, lambda a: a.flatten(1, 2)),
        "flatten_all": ((3, 4), lambda a: a.flatten()),
        "squeeze": ((None, 1, 5, 1), lambda a: a.squeeze([1, 3])),
        "squeeze_last": ((None, 1, 5, 1), lambda a: a.squeeze(-1)),
        "unsqueeze": (N, lambda a: a.unsqueeze([1, 3])),
        "unsqueeze_last": (N, lambda a: a.unsqueeze(-1)),
        "transpose": (P, lambda a: a.transpose([0, 2, 3, 1])),
        "t": ((4, 5), lambda a: a.t()),
        "moveaxis": (P, lambda a: paddle.moveaxis(a, 1, -1)),
        "swapaxes": (P, lambda a: paddle.swapaxes(a, 1, 3)),
        "concat": ((V, V), lambda a, b: paddle.concat([a, b, a], 1)),
        "concat_last": ((V, V), lambda a, b: paddle.concat([a, b], -1)),
        "stack": ((N, N), lambda a, b: paddle.stack([a, b], 1)),
        "stack_last": ((N, N), lambda a, b: paddle.stack([a, b], -1)),
        "split": (N, lambda a: paddle.split(a, 3, 1)),
        "split_sizes": (N, lambda a: paddle.split(a, [1, 3, -1], 1)),
        "chunk": (N, lambda a: paddle.chunk(a, 2, -1)),
        "unbind": (V, lambda a: paddle.unbind(a, 1)),
        "unstack": (V, lambda a: paddle.unstack(a, 2)[1]),
        "slice": (P, lambda a: a[:, 1:, 2:-1, ::1]),
        "slice_step": (P, lambda a: a[:, :, ::2, 1::3]),
        "slice_back": (P, lambda a: a[:, :, ::-1]),
        "slice_back_2": (P, lambda a: a[:, :, 7:1:-2]),
        "slice_one": (P, lambda a: a[:, -1, 0]),
        "slice_last": (P, lambda a: a[..., -1]),
        "slice_none": (N, lambda a: a[:, None, 2:]),
        "slice_over": (N, lambda a: a[:, 2:100]),
        "slice_before": (N, lambda a: a[:, -100:3]),
        "expand": ((None, 1, 5), lambda a: a.expand([-1, 4, 5])),
        "expand_front": ((4, 5), lambda a: a.expand([3, 4, 5])),
        "expand_as": (((None, 1), N), lambda a, b: a.expand_as(b)),
        "broadcast_to": ((None, 1, 5), lambda a: paddle.broadcast_to(a, [2, 4, 5])),
        "tile": (N, lambda a: paddle.tile(a, [1, 2])),
        "tile_front": (N, lambda a: paddle.tile(a, [2, 1, 1])),
        "repeat_interleave": (N, lambda a: paddle.repeat_interleave(a, 2, 1)),
        "flip": (P, lambda a: paddle.flip(a, [2, 3])),
        "roll": (P, lambda a: paddle.roll(a, [1, -2], [2, 3])),
        "rot90": (P, lambda a: paddle.rot90(a, 1, [2, 3])),
        "tril": ((None, 5, 6), lambda a: paddle.tril(a, 1)),
        "triu": ((None, 5, 6), lambda a: paddle.triu(a, -1)),
        "diagonal": ((None, 5, 6), lambda a: paddle.diagonal(a, 1, 1, 2)),
        "diag": ((5,), lambda a: paddle.diag(a, 1)),
        "diag_of": ((5, 5), lambda a: paddle.diag(a)),
        "diag_embed": ((None, 4), lambda a: paddle.diag_embed(a)),
        "meshgrid": (((3,), (4,)), lambda a, b: paddle.meshgrid(a, b)),
        "arange": ((None, 5), lambda a: a + paddle.arange(5, dtype="float32")),
        "arange_free": ((None, 5), lambda a: a + paddle.arange(0, paddle.shape(a)[0]).unsqueeze(1).astype("float32")),
        "linspace": ((None, 5), lambda a: a + paddle.linspace(0, 1, 5)),
        "eye": ((None, 5, 5), lambda a: a + paddle.eye(5)),
        "full": (N, lambda a: a + paddle.full([1, 6], 0.5)),
        "ones_like": (N, lambda a: a + paddle.ones_like(a) * 2),
        "full_like": (N, lambda a: a + paddle.full_like(a, 1.5)),
        "zeros_free": (N, lambda a: paddle.concat([a, paddle.zeros([paddle.shape(a)[0], 2])], 1)),
        "constant": (N, lambda a: a * paddle.to_tensor([1.0, 2, 3, 4, 5, 6])),
        "constant_int": (("i", *N), lambda a: a * paddle.to_tensor([1, 2, 3, 4, 5, 6])),
        "numel": (N, lambda a: a.mean() * paddle.numel(a).astype("float32")),
        "one_hot": (("i", None, 3), lambda a: F.one_hot(a, 8)),
        "crop": (P, lambda a: paddle.crop(a, [-1, 2, 5, 5], [0, 1, 2, 3])),
        "as_complex_free": (N, lambda a: a.reshape([-1, 2, 3]).transpose([0, 2, 1]).flatten(1)),
        "atleast": (N, lambda a: paddle.atleast_3d(a)),
        "masked": (N, lambda a: a * (paddle.arange(6) < 4).astype("float32")),
        "set_value": (P, set_value),
        "set_tensor": (P, set_tensor),
        "tensor_split": (N, lambda a: paddle.tensor_split(a, 3, 1)),
        "identity": (N, lambda a: a),
        "assign": (N, lambda a: paddle.assign(a) + 1),
        "unflatten": (N, lambda a: paddle.unflatten(a, 1, [2, 3])),
        "view_of_scalar": ((3, 4), lambda a: a.sum().reshape([1])),
    }


def set_value(a):
    a = a.clone()
    a[:, 1, 2:4] = 0.5
    return a


def set_tensor(a):
    b = paddle.zeros_like(a)
    b[:, 0:2, ::2] = a[:, 1:3, ::2] * 2
    return b


def picking():
    return {
        "gather": ((V,), lambda a: paddle.gather(a, paddle.to_tensor([2, 0, 1]), axis=1)),
        "gather_of": (((5, 4), ("i4", 3)), lambda a, i: paddle.gather(a, i)),
        "gather_nd": (((5, 4, 2), ("i4", 3, 2)), lambda a, i: paddle.gather_nd(a, i)),
        "index_select": (V, lambda a: paddle.index_select(a, paddle.to_tensor([3, 1]), axis=1)),
        "index_sample": ((N, ("i6", None, 3)), paddle.index_sample),
        "index_list": (V, lambda a: a[:, [0, 2, 3]]),
        "take_along_axis": ((N, ("i6", None, 3)), lambda a, i: paddle.take_along_axis(a, i, 1)),
        "put_along_axis": (((2, 6), ("i6", 2, 1)), lambda a, i: paddle.put_along_axis(a, i, 9.0, 1)),
        "scatter": (((5, 4), (2, 4)), lambda a, u: paddle.scatter(a, paddle.to_tensor([3, 1]), u)),
        "scatter_add": (((5, 4), (2, 4)), lambda a, u: paddle.scatter(a, paddle.to_tensor([3, 1]), u, overwrite=False)),
        "scatter_nd_add": (((5, 4), (2, 4)), lambda a, u: paddle.scatter_nd_add(a, paddle.to_tensor([[3], [1]]), u)),
        "embedding": (("i", None, 5), nn.Embedding(8, 6)),
        "embedding_pad": (("i", None, 5), nn.Embedding(8, 6, padding_idx=2)),
        "embedding_pad_last": (("i", None, 5), nn.Embedding(8, 6, padding_idx=-1)),
        "pad_constant": (P, lambda a: F.pad(a, [1, 2, 3, 0], value=0.5)),
        "pad_reflect": (P, lambda a: F.pad(a, [1, 2, 3, 0], mode="reflect")),
        "pad_replicate": (P, lambda a: F.pad(a, [1, 2, 3, 0], mode="replicate")),
        "pad_circular": (P, lambda a: F.pad(a, [1, 2, 3, 0], mode="circular")),
        "pad_all_axes": (P, lambda a: F.pad(a, [0, 0, 1, 0, 0, 2, 3, 1], value=1.0)),
        "pad_1d": (V, lambda a: F.pad(a, [1, 2], data_format="NCL")),
        "pad_3d": (D3, lambda a: F.pad(a, [1, 2, 0, 1, 2, 0])),
        "pad_last": ((None, 5, 6, 3), lambda a: F.pad(a, [1, 2, 3, 0], data_format="NHWC")),
        "zeropad": (P, nn.ZeroPad2D([1, 2, 3, 0])),
        "pad2d_layer": (P, nn.Pad2D([1, 0, 2, 1], mode="reflect")),
        "pixel_shuffle": ((None, 12, 4, 5), nn.PixelShuffle(2)),
        "pixel_shuffle_last": ((None, 4, 5, 12), nn.PixelShuffle(2, "NHWC")),
        "pixel_unshuffle": ((None, 3, 4, 6), nn.PixelUnshuffle(2)),
        "channel_shuffle": ((None, 6, 4, 5), nn.ChannelShuffle(3)),
        "unfold": (P, nn.Unfold([3, 2], 2, [1, 0], 1)),
        "unfold_plain": (P, nn.Unfold(3)),
        "unfold_pads": (P, lambda a: F.unfold(a, [3, 3], 2, [1, 0, 2, 1])),
        "fold": ((2, 12, 12), nn.Fold([4, 5], [2, 2])),
        "fold_odd": ((2, 18, 6), nn.Fold([5, 6], [3, 3], strides=2, paddings=1)),
        "grid_reflect": (
            (P, (None, 4, 5, 2)),
            lambda a, g: F.grid_sample(a, g * 2, padding_mode="reflection", align_corners=False),
        ),
        "grid_reflect_corners": ((P, (None, 4, 5, 2)), lambda a, g: F.grid_sample(a, g * 2, padding_mode="reflection")),
        "affine_half": (
            (P, (2, 2, 3)),
            lambda a, m: F.grid_sample(a, F.affine_grid(m, [2, 3, 5, 6], False), align_corners=False),
        ),
        "temporal_shift": ((6, 8, 3, 3), lambda a: F.temporal_shift(a, 3, 0.25)),
        "grid_sample": ((P, (None, 4, 5, 2)), lambda a, g: F.grid_sample(a, g)),
        "grid_nearest": ((P, (None, 4, 5, 2)), lambda a, g: F.grid_sample(a, g, mode="nearest", align_corners=False)),
        "grid_border": ((P, (None, 4, 5, 2)), lambda a, g: F.grid_sample(a, g, padding_mode="border")),
        "affine_grid": ((P, (2, 2, 3)), lambda a, m: F.grid_sample(a, F.affine_grid(m, [2, 3, 5, 6]))),
    }


def layers():
    C = nn.Conv2D
    return {
        "conv1d": (V, nn.Conv1D(4, 6, 3, padding=1)),
        "conv1d_same": (V, nn.Conv1D(4, 6, 4, padding="SAME", stride=2)),
        "conv1d_last": (V, nn.Conv1D(6, 5, 3, data_format="NLC")),
        "conv2d": (P, C(3, 5, 3)),
        "conv2d_full": (P, C(3, 6, [3, 2], [2, 1], [1, 2], [1, 2], groups=3)),
        "conv2d_four": (P, C(3, 5, 3, padding=[1, 2, 0, 1])),
        "conv2d_pairs": (P, C(3, 5, 3, padding=[[0, 0], [0, 0], [1, 2], [0, 1]])),
        "conv2d_same": (P, C(3, 5, 4, 2, "SAME")),
        "conv2d_same_dilated": (P, C(3, 5, 3, 1, "SAME", 2)),
        "conv2d_valid": (P, C(3, 5, 3, 1, "VALID", 2)),
        "conv2d_last": ((None, 9, 11, 3), C(3, 5, 3, 2, 1, data_format="NHWC")),
        "conv2d_reflect": (P, C(3, 5, 3, padding=2, padding_mode="reflect")),
        "conv2d_circular": (P, C(3, 5, 3, padding=1, padding_mode="circular")),
        "conv2d_nobias": (P, C(3, 5, 3, bias_attr=False)),
        "depthwise": (P, C(3, 3, 3, groups=3)),
        "depthwise_twice": (P, C(3, 6, 3, groups=3)),
        "conv3d": (D3, nn.Conv3D(2, 4, 3, 2, 1)),
        "conv3d_same": (D3, nn.Conv3D(2, 4, 3, 2, "SAME")),
        "conv1d_transpose": (V, nn.Conv1DTranspose(4, 5, 3, 2, 1)),
        "conv2d_transpose": (P, nn.Conv2DTranspose(3, 5, 3, 2, 1, 1)),
        "conv2d_transpose_groups": ((None, 4, 5, 6), nn.Conv2DTranspose(4, 6, 3, 2, 1, 0, groups=2)),
        "conv2d_transpose_dilated": (P, nn.Conv2DTranspose(3, 5, 3, 1, 1, 0, dilation=2)),
        "conv2d_transpose_same": (P, nn.Conv2DTranspose(3, 5, 4, 2, "SAME")),
        "conv2d_transpose_sized": (P, SizedTranspose()),
        "conv2d_transpose_last": ((None, 5, 6, 3), nn.Conv2DTranspose(3, 5, 3, 2, data_format="NHWC")),
        "conv3d_transpose": (D3, nn.Conv3DTranspose(2, 3, 3, 2, 1)),
        "linear": (N, nn.Linear(6, 4)),
        "linear_3d": (V, nn.Linear(6, 4)),
        "linear_nobias": (N, nn.Linear(6, 4, bias_attr=False)),
        "bilinear": ((N, (None, 5)), nn.Bilinear(6, 5, 3)),
        "matmul": ((V, (None, 6, 3)), paddle.matmul),
        "matmul_t": ((V, (None, 3, 6)), lambda a, b: paddle.matmul(a, b, transpose_y=True)),
        "matmul_tx": ((V, (None, 4, 3)), lambda a, b: paddle.matmul(a, b, transpose_x=True)),
        "bmm": ((V, (None, 6, 3)), paddle.bmm),
        "mv": (((4, 6), (6,)), paddle.mv),
        "addmm": (((4, 5), (4, 6), (6, 5)), lambda i, a, b: paddle.addmm(i, a, b, 0.5, 2.0)),
        "einsum": ((V, (None, 6, 3)), lambda a, b: paddle.einsum("bij,bjk->bik", a, b)),
        "einsum_heads": (((None, 4, 2, 3), (None, 5, 2, 3)), lambda a, b: paddle.einsum("bqhd,bkhd->bhqk", a, b)),
        "batch_norm1d": (N, nn.BatchNorm1D(6)),
        "batch_norm1d_3d": (V, nn.BatchNorm1D(4, epsilon=1e-3)),
        "batch_norm2d": (P, nn.BatchNorm2D(3)),
        "batch_norm2d_last": ((None, 5, 6, 3), nn.BatchNorm2D(3, data_format="NHWC")),
        "batch_norm2d_plain": (P, nn.BatchNorm2D(3, weight_attr=False, bias_attr=False)),
        "batch_norm3d": (D3, nn.BatchNorm3D(2)),
        "batch_norm_old": (P, nn.BatchNorm(3, act="relu")),
        "layer_norm": (V, nn.LayerNorm(6)),
        "layer_norm_two": (V, nn.LayerNorm([4, 6], epsilon=1e-3)),
        "layer_norm_plain": (V, nn.LayerNorm(6, weight_attr=False, bias_attr=False)),
        "group_norm": ((None, 6, 5, 5), nn.GroupNorm(3, 6)),
        "group_norm_plain": ((None, 6, 5, 5), nn.GroupNorm(2, 6, weight_attr=False, bias_attr=False)),
        "group_norm_last": ((None, 5, 5, 6), nn.GroupNorm(2, 6, data_format="NHWC")),
        "instance_norm1d": (V, nn.InstanceNorm1D(4)),
        "instance_norm2d": (P, nn.InstanceNorm2D(3)),
        "instance_norm2d_plain": (P, nn.InstanceNorm2D(3, weight_attr=False, bias_attr=False)),
        "instance_norm3d": (D3, nn.InstanceNorm3D(2)),
        "local_response": ((None, 6, 5, 5), nn.LocalResponseNorm(3, 0.02, 0.6, 1.5)),
        "spectral_norm": (P, Spectral()),
        "weight_norm": (P, nn.utils.weight_norm(nn.Conv2D(3, 5, 3))),
        "conv_bn_act": (P, nn.Sequential(nn.Conv2D(3, 6, 3), nn.BatchNorm2D(6), nn.Hardswish())),
        "attention": (V, nn.MultiHeadAttention(6, 2)),
        "encoder": (V, nn.TransformerEncoderLayer(6, 2, 12, 0.1, activation="gelu")),
        "encoder_first": (V, nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 3, 12, normalize_before=True), 2)),
        "decoder": ((V, V), nn.TransformerDecoderLayer(6, 2, 12)),
        "sdpa": (
            ((None, 5, 2, 4), (None, 5, 2, 4), (None, 5, 2, 4)),
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, training=False),
        ),
        "sdpa_causal": (
            ((None, 5, 2, 4), (None, 5, 2, 4), (None, 5, 2, 4)),
            lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True, training=False),
        ),
    }


class SizedTranspose(nn.Layer):
    def __init__(self):
        super().__init__()
        self.up = nn.Conv2DTranspose(3, 5, 3, 2, 1)

    def forward(self, x):
        return self.up(x, output_size=[18, 21])


class Spectral(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.utils.spectral_norm(nn.Conv2D(3, 5, 3))

    def forward(self, x):
        return self.conv(x)


def pools():
    x = {}
    for name, kinds in {
        "max": {"": {}, "_ceil": {"ceil_mode": True}, "_mask": {}},
        "avg": {
            "": {},
            "_ceil": {"ceil_mode": True},
            "_counted": {"exclusive": False},
            "_both": {"exclusive": False, "ceil_mode": True},
        },
    }.items():
        for kind, more in kinds.items():
            for dims, shape in ((1, (None, 3, 11)), (2, (None, 3, 9, 12)), (3, D3)):
                if kind == "_mask":
                    continue
                for k, s, p in ((3, 2, 0), (3, 2, 1), (2, 2, 0), (2, 1, 1), (3, 3, 1)):
                    function = getattr(F, f"{name}_pool{dims}d")
                    x[f"{name}{dims}d_{k}{s}{p}{kind}"] = (
                        shape,
                        lambda a, f=function, k=k, s=s, p=p, m=more: f(a, k, s, p, **m),
                    )
    for dims, shape in ((1, (None, 3, 11)), (2, (None, 3, 9, 12)), (3, D3)):
        for size in (1, 2, 3, 4):
            for name in ("avg", "max"):
                function = getattr(F, f"adaptive_{name}_pool{dims}d")
                x[f"adaptive_{name}{dims}d_{size}"] = (shape, lambda a, f=function, n=size: f(a, n))
    x |= {
        "adaptive_avg_keep": (P, lambda a: F.adaptive_avg_pool2d(a, [None, 3])),
        "adaptive_avg_last": ((None, 9, 11, 3), lambda a: F.adaptive_avg_pool2d(a, 3, data_format="NHWC")),
        "max_same": (P, lambda a: F.max_pool2d(a, 3, 2, "SAME")),
        "avg_same": (P, lambda a: F.avg_pool2d(a, 3, 2, "SAME")),
        "avg_same_counted": (P, lambda a: F.avg_pool2d(a, 3, 2, "SAME", exclusive=False)),
        "max_valid": (P, lambda a: F.max_pool2d(a, 3, 2, "VALID")),
        "max_four": (P, lambda a: F.max_pool2d(a, 3, 2, [1, 0, 0, 1])),
        "max_last": ((None, 9, 11, 3), lambda a: F.max_pool2d(a, 3, 2, 1, data_format="NHWC")),
        "max_masked": (P, lambda a: F.max_pool2d(a, 2, 2, return_mask=True)[0]),
        "avg_divisor": (P, lambda a: F.avg_pool2d(a, 3, 2, 0, divisor_override=5)),
        "lp_pool": (("+", *P), lambda a: F.lp_pool2d(a, 2.0, 3, 2)),
    }
    return x


def more():
    """What is seldom."""
    return {
        "median_even": ((None, 6), lambda a: paddle.median(a, axis=1, keepdim=True)),
        "median_min": ((None, 6), lambda a: paddle.median(a, axis=1, mode="min")[0]),
        "nanmedian": ((None, 5), lambda a: paddle.nanmedian(a, axis=1)),
        "nansum": (N, lambda a: paddle.nansum(paddle.log(a), axis=1)),
        "quantile": ((None, 6), lambda a: paddle.quantile(a, 0.3, axis=1)),
        "count_nonzero": (("i", *N), lambda a: paddle.count_nonzero(a, axis=1)),
        "hypot": ((N, N), lambda a, b: paddle.hypot(a, b)),
        "copysign": ((N, N), lambda a, b: paddle.copysign(a, b)),
        "ldexp": ((N, ("i", *N)), paddle.ldexp),
        "sgn": (N, paddle.sgn),
        "sinc": (N, lambda a: paddle.sinc(a)),
        "rad2deg": (N, paddle.rad2deg),
        "cdist": (((None, 4, 3), (None, 5, 3)), lambda a, b: paddle.cdist(a, b)),
        "dist": ((N, N), lambda a, b: paddle.dist(a, b, 2)),
        "tensordot": ((V, (6, 4, 3)), lambda a, b: paddle.tensordot(a, b, [[2, 1], [0, 1]])),
        "trace": ((None, 4, 4), lambda a: paddle.trace(a, axis1=1, axis2=2)),
        "vecdot": ((N, N), lambda a, b: paddle.vecdot(a, b)),
        "multi_dot": (((3, 4), (4, 5), (5, 2)), lambda a, b, c: paddle.linalg.multi_dot([a, b, c])),
        "index_add": (((5, 4), (2, 4)), lambda a, u: paddle.index_add(a, paddle.to_tensor([3, 1]), 0, u)),
        "index_fill": ((5, 4), lambda a: paddle.index_fill(a, paddle.to_tensor([3, 1]), 0, 2.0)),
        "index_put": (((5, 4), (2, 4)), lambda a, u: paddle.index_put(a, [paddle.to_tensor([3, 1])], u)),
        "take": (((5, 4), ("i", 3)), paddle.take),
        "unfold_axis": ((None, 8), lambda a: paddle.unfold(a, 1, 3, 2)),
        "vander": ((4,), lambda a: paddle.vander(a, 3)),
        "renorm": ((4, 5), lambda a: paddle.renorm(a, 2.0, 0, 1.0)),
        "searchsorted": ((("i", 2, 3),), lambda i: paddle.searchsorted(paddle.to_tensor([1, 3, 5, 6]), i)),
        "bucketize": ((("i", 2, 3),), lambda i: paddle.bucketize(i, paddle.to_tensor([1, 3, 5, 6]))),
        "masked_scatter": (((2, 6), ("b", 2, 6)), lambda a, m: paddle.where(m, a, a * 0)),
        "cummax": (V, lambda a: paddle.cummax(a, 1)[0]),
        "cummin": (V, lambda a: paddle.cummin(a, 1)[0]),
        "trapezoid": (V, lambda a: paddle.trapezoid(a, axis=1)),
        "erfinv": (("u", *N), paddle.erfinv),
        "lgamma": (("+", *N), paddle.lgamma),
        "digamma": (("+", *N), paddle.digamma),
        "polygon": (N, lambda a: paddle.polygamma(a.abs() + 1, 1)),
        "mode": (("i", *N), lambda a: paddle.mode(a, 1)[0]),
        "inverse": ((3, 3), paddle.inverse),
        "as_strided": ((4, 6), lambda a: paddle.as_strided(a, [3, 2], [6, 2])),
        "view": ((2, 6), lambda a: paddle.view(a, [3, 4])),
        "slice_scatter": (
            ((4, 6), (4, 2)),
            lambda a, b: paddle.slice_scatter(a, b, axes=[1], starts=[1], ends=[5], strides=[2]),
        ),
        "select_scatter": (((4, 6), (4,)), lambda a, b: paddle.select_scatter(a, b, 1, 2)),
        "cartesian": (((3,), (4,)), lambda a, b: paddle.cartesian_prod([a, b])),
        "combinations": ((5,), lambda a: paddle.combinations(a, 2)),
        "max_unpool": (P, lambda a: F.max_unpool2d(*F.max_pool2d(a[:, :, :8, :8], 2, 2, return_mask=True), 2, 2)),
        "log_loss": (("u", *N), lambda a: F.log_loss(a, a)),
        "sequence_mask": ((("i", 3),), lambda a: F.sequence_mask(a, 8)),
        "gumbel_off": (N, lambda a: F.softmax(a, -1)),
        "upsample_nearest": (P, nn.UpsamplingNearest2D(scale_factor=2)),
        "upsample_bilinear": (P, nn.UpsamplingBilinear2D(size=[7, 8])),
        "unflatten_layer": (N, nn.Unflatten(1, [2, 3])),
        "sync_batch_norm": (P, nn.SyncBatchNorm(3)),
        "birnn": ((2, 3, 6), nn.BiRNN(nn.GRUCell(6, 5), nn.GRUCell(6, 5))),
        "rnn_of_cell": ((2, 3, 6), nn.RNN(nn.LSTMCell(6, 5))),
        "lstm_lengths": ((V, ("i", 2)), Lengths()),
        "swiglu": (N, lambda a: paddle.incubate.nn.functional.swiglu(a)),
        "rms_norm": (V, lambda a: F.rms_norm(a, [6], paddle.ones([6]) * 1.5)),
        "deform_conv": ((P, (None, 18, 7, 9)), Deform()),
        "softmax_mask": (((None, 2, 4, 4), (None, 1, 4, 4)), lambda a, m: F.softmax(a + m)),
        "hinge": ((N, N), lambda a, b: F.relu(1 - a * b).mean()),
        "l1": ((N, N), F.l1_loss),
        "mse": ((N, N), F.mse_loss),
        "smooth_l1": ((N, N), F.smooth_l1_loss),
        "kl_div": ((N, ("u", *N)), F.kl_div),
        "cross_entropy": ((N, ("i6", 2)), F.cross_entropy),
        "bce": ((("u", *N), ("u", *N)), F.binary_cross_entropy),
        "floor_mod": ((N, ("+", *N)), paddle.floor_mod),
        "bitwise_ints": ((("i", *N), ("i", *N)), lambda a, b: paddle.bitwise_and(a, b)),
        "half": (N, lambda a: a.astype("float16").astype("float32") * 2),
        "double": (N, lambda a: (a.astype("float64") * 2).astype("float32")),
        "uint8": (N, lambda a: (a.abs() * 3).astype("uint8").astype("float32")),
        "divide_int": ((("i", *N), ("i", *N)), lambda a, b: paddle.divide(a, b + 1)),
        "pool_int": (N, lambda a: paddle.topk(a, paddle.to_tensor([2]))[0]),
        "free_softmax": ((None, None, 6), lambda a: F.softmax(a, 1)),
        "free_mean": ((None, None, 6), lambda a: a.mean(1)),
        "free_linear": ((None, None, 6), nn.Linear(6, 4)),
        "free_concat": (((None, None, 6), (None, None, 6)), lambda a, b: paddle.concat([a, b], 1)),
        "free_flat": ((None, 3, None, None), lambda a: a.flatten(2).transpose([0, 2, 1])),
        "free_pool": ((None, 3, None, None), lambda a: F.adaptive_avg_pool2d(a, 1)),
        "free_max": ((None, 3, None, None), lambda a: F.max_pool2d(a, 3, 2, 1)),
        "free_lstm": ((None, None, 6), nn.LSTM(6, 5)),
        "free_attention": ((None, None, 6), nn.MultiHeadAttention(6, 2)),
        "free_embedding": (("i", None, None), nn.Embedding(8, 6)),
        "free_reshape": ((None, 3, None, None), lambda a: a.reshape([paddle.shape(a)[0], 3, -1])),
        "free_slice": ((None, None, 6), lambda a: a[:, 1:]),
        "free_last": ((None, None, 6), lambda a: a[:, -1]),
        "free_conv": ((None, 3, None, None), nn.Conv2D(3, 4, 3, 2, 1)),
        "free_same": ((None, 3, None, None), nn.Conv2D(3, 4, 3, 1, "SAME")),
    }


class Lengths(nn.Layer):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(6, 5)

    def forward(self, x, n):
        return self.rnn(x, sequence_length=n)[0]


class Deform(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = paddle.vision.ops.DeformConv2D(3, 4, 3)

    def forward(self, x, offset):
        return self.conv(x, offset)


def sizes():
    x = {}
    one, three = (None, 3, 7), (None, 2, 3, 4, 5)
    for mode, shape in {
        "nearest": P,
        "bilinear": P,
        "bicubic": P,
        "linear": one,
        "trilinear": three,
        "area": P,
    }.items():
        data = {3: "NCW", 4: "NCHW", 5: "NCDHW"}[len(shape)]
        for scale in (2, 0.5, 1.5, 2.3):
            x[f"{mode}_by_{scale}"] = (
                shape,
                lambda a, m=mode, s=scale, d=data: F.interpolate(
                    a, scale_factor=s if len(a.shape) == 4 else [s] * (len(a.shape) - 2), mode=m, data_format=d
                ),
            )
        for size in (4, 13, 18):
            x[f"{mode}_to_{size}"] = (
                shape,
                lambda a, m=mode, n=size, d=data: F.interpolate(
                    a, size=[n] * (len(a.shape) - 2), mode=m, data_format=d
                ),
            )
        if mode not in ("nearest", "area"):
            x[f"{mode}_corners"] = (
                shape,
                lambda a, m=mode, d=data: F.interpolate(
                    a, size=[13] * (len(a.shape) - 2), mode=m, align_corners=True, data_format=d
                ),
            )
            x[f"{mode}_mode1"] = (
                shape,
                lambda a, m=mode, d=data: F.interpolate(
                    a, size=[13] * (len(a.shape) - 2), mode=m, align_mode=1, data_format=d
                ),
            )
            x[f"{mode}_mode1_by"] = (
                shape,
                lambda a, m=mode, d=data: F.interpolate(
                    a, scale_factor=[2] * (len(a.shape) - 2), mode=m, align_mode=1, data_format=d
                ),
            )
    x |= {
        "nearest_last": ((None, 5, 6, 3), lambda a: F.interpolate(a, scale_factor=2, data_format="NHWC")),
        "bilinear_last": (
            (None, 5, 6, 3),
            lambda a: F.interpolate(a, size=[7, 9], mode="bilinear", data_format="NHWC"),
        ),
        "upsample": (P, nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)),
        "nearest_like": ((P, (None, 3, 18, 22)), lambda a, b: F.interpolate(a, size=b.shape[2:]) + b),
        "bilinear_shape": (
            (P, (None, 3, 18, 22)),
            lambda a, b: F.interpolate(a, size=paddle.shape(b)[2:], mode="bilinear") + b,
        ),
        "nearest_free": ((None, 3, None, None), lambda a: F.interpolate(a, scale_factor=2, mode="nearest")),
        "bilinear_free": ((None, 3, None, None), lambda a: F.interpolate(a, scale_factor=2, mode="bilinear")),
        "free_like": (
            ((None, 3, None, None), (None, 3, None, None)),
            lambda a, b: F.interpolate(a, size=paddle.shape(b)[2:], mode="bilinear"),
        ),
    }
    return x


def recurrent():
    x = {}
    for kind in ("LSTM", "GRU", "SimpleRNN"):
        x[f"{kind}"] = (V, nn.__dict__[kind](6, 5))
        x[f"{kind}_two"] = (V, nn.__dict__[kind](6, 5, 2, direction="bidirect", dropout=0.2))
        x[f"{kind}_time"] = ((4, None, 6), nn.__dict__[kind](6, 5, time_major=True))
        states = (N, (None, 5), (None, 5)) if kind == "LSTM" else (N, (None, 5))
        x[f"{kind}_cell"] = (states, cell(getattr(nn, f"{kind}Cell")(6, 5)))
    x["SimpleRNN_relu"] = (V, nn.SimpleRNN(6, 5, activation="relu"))
    x["LSTM_states"] = (
        (V, (1, None, 5), (1, None, 5)),
        Stated(nn.LSTM(6, 5)),
    )
    x["GRU_last"] = (V, Last(nn.GRU(6, 5, 2)))
    x["LSTM_last"] = (V, Last(nn.LSTM(6, 5, 1, direction="bidirect")))
    return x


def cell(inner):
    if isinstance(inner, nn.LSTMCell):
        return lambda x, h, c: inner(x, (h, c))
    return lambda x, h: inner(x, h)


class Stated(nn.Layer):
    def __init__(self, rnn):
        super().__init__()
        self.rnn = rnn

    def forward(self, x, h, c):
        return self.rnn(x, (h, c))[0]


class Last(nn.Layer):
    def __init__(self, rnn):
        super().__init__()
        self.rnn, self.fc = rnn, nn.Linear(10 if rnn.num_directions == 2 else 5, 3)

    def forward(self, x):
        return self.fc(self.rnn(x)[0][:, -1])


GROUPS = (acts, arithmetic, reductions, shapes, picking, layers, pools, sizes, recurrent, more)
