"""Poolings, resizing, recurrent layers, and what is seldom, as make_layers.py takes them: see paddle_layers.py."""

from __future__ import annotations

import paddle
import paddle.nn as nn
import paddle.nn.functional as F

P = (None, 3, 9, 11)  # a picture
V = (None, 4, 6)  # rows of vectors
N = (None, 6)
D3 = (None, 2, 5, 6, 7)


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
        "avg_same_counted_even": ((None, 3, 8, 10), lambda a: F.avg_pool2d(a, 3, 2, "SAME", exclusive=False)),
        "avg_four_counted": ((None, 3, 8, 10), lambda a: F.avg_pool2d(a, 3, 2, [0, 1, 1, 2], exclusive=False)),
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
