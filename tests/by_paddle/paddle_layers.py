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
