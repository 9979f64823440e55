"""Networks with MindSpore's own answers: `python make_models.py FOLDER SEED [version]`; a .mindir and an .npz each.

MindSpore compiles the source of construct(), so the cases are texts, of which a module is written and imported.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ["GLOG_v"] = "4"
import mindspore as ms
import numpy as np

INPUTS = {
    "image": (1, 4, 9, 11), "images": (2, 4, 9, 11), "row": (2, 6), "rows": (2, 6), "steps": (1, 5, 8), "line": (1, 4, 9),
    "cube": (1, 2, 4, 6, 8), "a": (2, 3, 4), "b": (2, 4, 5), "time": (1, 6, 5), "blocks": (1, 8, 3, 4), "even": (1, 4, 8, 12),
}  # fmt: skip
WHOLE = {"ids": (2, 7), "few": (2, 3)}  # numbers from 0 to 5
# name: what construct() gives; layers in it are made once. Its input has the name of the shape.
CASES = """
conv_same: nn.Conv2d(4, 6, 3, 2, has_bias=True)(image)
conv_even: nn.Conv2d(4, 6, 4, 2)(image)
conv_valid: nn.Conv2d(4, 6, (3, 2), (2, 1), pad_mode='valid')(images)
conv_four_sides: nn.Conv2d(4, 6, 3, pad_mode='pad', padding=(0, 2, 1, 3), group=2, has_bias=True)(image)
conv_dilated_same: nn.Conv2d(4, 6, (3, 5), (2, 1), dilation=(1, 2))(image)
conv_depthwise: nn.Conv2d(4, 8, 5, 2, group=4)(image)
conv_1d: nn.Conv1d(4, 6, 3, 2)(line)
conv_1d_pad: nn.Conv1d(4, 6, 4, pad_mode='pad', padding=2, has_bias=True)(line)
conv_3d: nn.Conv3d(2, 4, 3, 2, has_bias=True)(cube)
transposed_same: nn.Conv2dTranspose(4, 6, 3, 2)(image)
transposed_valid: nn.Conv2dTranspose(4, 6, 3, 2, pad_mode='valid', has_bias=True)(image)
transposed_pad: nn.Conv2dTranspose(4, 6, 4, 2, pad_mode='pad', padding=(0, 1, 2, 1))(image)
transposed_more: nn.Conv2dTranspose(4, 6, 3, 2, pad_mode='pad', padding=1, output_padding=1, group=2)(image)
transposed_1d: nn.Conv1dTranspose(4, 6, 3, 2)(line)
transposed_3d: nn.Conv3dTranspose(2, 3, 2, 2)(cube)
max_pool: nn.MaxPool2d((3, 2), (2, 1))(image)
max_pool_same: nn.MaxPool2d(3, 2, pad_mode='same')(image)
max_pool_pad: nn.MaxPool2d(3, 2, pad_mode='pad', padding=1, ceil_mode=True)(image)
max_pool_1d: nn.MaxPool1d(3, 2)(line)
max_pool_3d: nn.MaxPool3d(3, 2, pad_mode='same')(cube)
max_pool_function: ops.max_pool2d(image, 3, 2, 1)
avg_pool: nn.AvgPool2d(2, 2)(image)
avg_pool_same: nn.AvgPool2d(3, 2, pad_mode='same')(image)
avg_pool_pad: nn.AvgPool2d(3, 2, pad_mode='pad', padding=1)(image)
avg_pool_uncounted: nn.AvgPool2d(3, 2, pad_mode='pad', padding=1, count_include_pad=False, ceil_mode=True)(image)
avg_pool_ceil: nn.AvgPool2d(3, 2, pad_mode='pad', padding=1, ceil_mode=True)(image)
avg_pool_divisor: nn.AvgPool2d(3, 2, pad_mode='pad', padding=1, divisor_override=5)(image)
avg_pool_3d: nn.AvgPool3d(3, 2, pad_mode='pad', padding=1)(cube)
adaptive_mean: nn.AdaptiveAvgPool2d((3, 4))(image)
adaptive_mean_kept: nn.AdaptiveAvgPool2d((None, 2))(image)
adaptive_mean_3d: nn.AdaptiveAvgPool3d(2)(cube)
adaptive_max: nn.AdaptiveMaxPool2d((3, 2))(image)
batch_norm: nn.BatchNorm2d(4, eps=1e-3)(image)
batch_norm_row: nn.BatchNorm1d(6)(row)
batch_norm_line: nn.BatchNorm1d(4)(line)
batch_norm_3d: nn.BatchNorm3d(2)(cube)
conv_norm: nn.BatchNorm2d(6)(nn.Conv2d(4, 6, 3, has_bias=True)(image))
layer_norm: nn.LayerNorm((8,))(steps)
layer_norm_two: nn.LayerNorm((5, 8), begin_norm_axis=1, begin_params_axis=1, epsilon=1e-5)(steps)
layer_norm_odd: nn.LayerNorm((8,), begin_norm_axis=1, begin_params_axis=2)(steps)
group_norm: nn.GroupNorm(2, 4)(image)
local_response: ops.lrn(image, 2, 2.0, 0.1, 0.6)
l2_normalize: ops.L2Normalize(axis=1)(image)
dense: nn.Dense(6, 4)(row)
dense_steps: nn.Dense(8, 4, activation='relu')(steps)
two_dense: nn.BiDense(6, 6, 3)(row, rows)
embedding: nn.Embedding(6, 5)(ids)
embedding_one_hot: nn.Embedding(6, 5, use_one_hot=True)(ids)
dropout: nn.Conv2d(4, 4, 1)(nn.Dropout2d(0.3)(nn.Dropout(p=0.5)(image)))
pixel_shuffle: nn.PixelShuffle(2)(blocks)
channel_shuffle: nn.ChannelShuffle(2)(image)
depth_to_space: ops.DepthToSpace(2)(blocks)
space_to_depth: ops.SpaceToDepth(2)(even)
nearest: ops.interpolate(image, size=(7, 20), mode='nearest')
nearest_exact: ops.interpolate(image, size=(7, 20), mode='nearest-exact')
nearest_corners: ops.ResizeNearestNeighbor((18, 22), align_corners=True)(image)
linear: ops.interpolate(image, size=(7, 20), mode='bilinear')
linear_corners: ops.interpolate(image, size=(15, 17), mode='bilinear', align_corners=True)
linear_plain: ops.ResizeBilinearV2()(image, (18, 22))
linear_row: ops.interpolate(line, size=(7,), mode='linear')
cubic: ops.interpolate(image, size=(15, 17), mode='bicubic')
cubic_corners: ops.interpolate(image, size=(15, 17), mode='bicubic', align_corners=True)
area: ops.interpolate(image, size=(3, 4), mode='area')
pad_zero: nn.ZeroPad2d((1, 2, 0, 3))(image)
pad_constant: nn.ConstantPad2d((-1, 0, 2, 1), 0.5)(image)
pad_reflect: nn.ReflectionPad2d((1, 2, 2, 1))(image)
pad_edge: nn.ReplicationPad2d((1, 2, 0, 3))(image)
pad_symmetric: nn.Pad(((0, 0), (0, 0), (1, 1), (2, 1)), mode='SYMMETRIC')(image)
pad_circular: ops.pad(image, (1, 2, 3, 0), 'circular')
reshape: row.reshape(2, -1, 3)
flatten: nn.Flatten(start_dim=2)(image)
transpose: image.transpose(0, 2, 3, 1)
squeeze: ops.squeeze(line[:, :1])
broadcast: ops.broadcast_to(a[:, :1], (2, 3, 4))
tile: ops.tile(a, (1, 2, 3))
concat: ops.cat((row, rows, row), 1)
stack: ops.stack((row, rows), 1)
split: ops.split(row, 2, 1)
split_sizes: ops.split(row, [1, 2, 3], 1)
unbind: ops.unbind(a, 1)
slice_steps: image[:, 1:, ::2, -5:-1]
slice_last: image[:, -1]
slice_new: image[:, None, ..., 0]
slice_backwards: ops.strided_slice(image, (0, 3, 8, 0), (1, 0, 0, 5), (1, -1, -2, 1))
flip: ops.flip(image, (2,))
gather: ops.gather(row, few, 1)
gather_below_zero: ops.gather(row, Tensor([-1, 0]), 1)
gather_each: ops.gather_elements(row, 1, few.astype(ms.int64))
one_hot: ops.one_hot(ids, 7, Tensor(2.0, ms.float32), Tensor(-1.0, ms.float32))
triangle: ops.tril(a) + ops.triu(a, 1) * 2
mean_kept: image.mean((2, 3), keep_dims=True)
sum_last: a.sum(-1)
largest: ops.max(a, 1)
deviation: ops.std(a, 1)
variance: ops.var(a, 1)
any_all: ops.any(a > 0, 1).astype(ms.float32) + ops.all(a > 0, 1)
where_largest: ops.argmax(a, 1)
log_sum: ops.logsumexp(a, 1)
running_sum: ops.cumsum(a, 1)
top: ops.topk(row, 2)
sorted: ops.sort(row, 1)
product: ops.matmul(a, b)
product_turned: ops.BatchMatMul(transpose_b=True)(a, a)
add_product: ops.addmm(row[:, :2], row, ops.transpose(rows, (1, 0)))
arithmetic: (2 - row) * 3 / (row * row + 5) - row / 4 + row**2 + (-row)
mixed: ops.div(ids, few[:, :1] + 1) + ops.floor_div(ids, 2)
floor_rest: ops.remainder(row, ops.abs(rows) + 1) + ops.fmod(row, ops.abs(rows) + 1)
chosen: ops.select(row > 0.2, row, rows) + ops.where(row > rows, row, ops.zeros_like(row))
masked: ops.masked_fill(row, row > 0, -5.0)
clamped: ops.clamp(row, -0.3, 0.4) + ops.clamp(rows, min=0.1)
grown: ops.exp(row) + ops.log(ops.abs(row) + 1) + ops.sqrt(ops.abs(row)) + ops.rsqrt(ops.abs(row) + 1)
small: ops.log1p(ops.abs(row)) + ops.expm1(row)
angles: ops.sin(row) + ops.cos(row) + ops.tan(row / 4) + ops.atan(row) + ops.sinh(row) + ops.atan2(row, rows)
rounded: ops.floor(row) + ops.ceil(row) + ops.round(row * 2) + ops.trunc(row) + ops.sign(row)
compared: (row > rows).astype(ms.float32) + (row <= 0) - ops.logical_and(row > 0, rows > 0).astype(ms.float32)
erf: ops.erf(row) + ops.erfc(rows)
overwritten: _plus(ops.relu(row), rows)
act_celu: nn.CELU()(image)
act_elu: nn.ELU()(image)
act_fast_gelu: nn.FastGelu()(image)
act_gelu: nn.GELU()(image)
act_gelu_exact: nn.GELU(approximate=False)(image)
act_glu: nn.GLU(axis=1)(image)
act_hard: nn.HSwish()(image) + nn.HSigmoid()(image) + nn.Hardtanh()(image)
act_leaky: nn.LeakyReLU()(image) + nn.LeakyReLU(0.05)(image)
act_log_sigmoid: nn.LogSigmoid()(image)
act_log_softmax: nn.LogSoftmax(axis=1)(image)
act_mish: nn.Mish()(image)
act_prelu: nn.PReLU(4, 0.3)(image) + nn.PReLU()(image)
act_selu: nn.SeLU()(image)
act_shrink: nn.HShrink()(image) + nn.SoftShrink(0.3)(image) + nn.Tanhshrink()(image)
act_softmax: nn.Softmax(axis=1)(image)
act_soft: ops.softplus(image) + ops.softsign(image) + nn.SiLU()(image)
act_threshold: nn.Threshold(0.1, 0.5)(image)
lstm: nn.LSTM(5, 8, batch_first=True)(time)
lstm_two_ways: nn.LSTM(5, 8, 2, batch_first=True, bidirectional=True)(time)[0]
gru: nn.GRU(5, 8, batch_first=True, has_bias=False)(time)
rnn: nn.RNN(5, 8, batch_first=True, nonlinearity='relu')(time)
attention: nn.MultiheadAttention(8, 2, batch_first=True)(steps, steps, steps)[0]
encoder: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, activation='gelu', norm_first=True)(steps)
free_conv: nn.MaxPool2d(3, 2, pad_mode='same')(nn.Conv2d(4, 6, 3, 2)(images))
free_flat: nn.Dense(396, 3)(nn.Flatten()(images))
free_lstm: nn.LSTM(5, 8, batch_first=True)(time)[0][:, -1]
free_gru: nn.GRU(5, 8, batch_first=True)(time)[0]
free_heads: _heads(nn.Dense(8, 24)(steps))
"""
HELPERS = """
def _plus(x, y):
    x += y
    return x


def _heads(x):
    n, t, c = x.shape
    q = x.reshape(n, t, 3, 2, c // 6).transpose(2, 0, 3, 1, 4)
    return ops.matmul(ops.softmax(ops.matmul(q[0], q[1].swapaxes(-2, -1)), -1), q[2]).transpose(0, 2, 1, 3).reshape(n, t, c // 3)
"""


def layers_of(text: str) -> tuple[str, list[str]]:
    """construct()'s text with the layers in it as attributes, and the texts of these."""
    made: list[str] = []
    while (start := text.find("nn.")) >= 0:
        at, depth = text.index("(", start), 0
        for end in range(at, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if not depth:
                break
        made.append(text[start : end + 1])
        text = f"{text[:start]}self.layer{len(made) - 1}{text[end + 1 :]}"
    return text, made


def module(folder: Path) -> Any:
    """All cases as classes of a module."""
    parts = ["import mindspore as ms\nfrom mindspore import Tensor, nn, ops", HELPERS]
    for line in CASES.strip().splitlines():
        name, _, text = line.partition(": ")
        body, made = layers_of(text)
        inputs = [one for one in (*INPUTS, *WHOLE) if one in words(text)]
        fields = "".join(f"\n        self.layer{i} = {layer}" for i, layer in enumerate(made))
        parts.append(
            f"class {name}(nn.Cell):\n    names = {inputs}\n\n    def __init__(self):\n        super().__init__(){fields}\n\n"
            f"    def construct(self, {', '.join(inputs)}):\n        return {body}"
        )
    (folder / "cases_of_mindspore.py").write_text("\n\n".join(parts), "utf-8")
    sys.path.insert(0, str(folder))
    return importlib.import_module("cases_of_mindspore")


def words(text: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())


def filled(net: Any, rng: np.random.Generator) -> None:
    """Numbers that a mistake would show in."""
    for one in net.get_parameters():
        name, shape = one.name, one.shape
        new = rng.normal(0, 0.3, shape)
        if name.endswith(("gamma", "variance")):
            new = rng.uniform(0.6, 1.5, shape)
        one.set_data(ms.Tensor(new.astype("float32")))


def flat(found: Any) -> list[Any]:
    return [one for each in found for one in flat(each)] if isinstance(found, (tuple, list)) else [found]


def main(folder: Path, seed: int) -> None:
    rng, cases = np.random.default_rng(seed), module(folder)
    for line in CASES.strip().splitlines():
        name = line.partition(": ")[0]
        net = getattr(cases, name)()
        filled(net, rng)
        net.set_train(False)
        xs = [
            rng.integers(0, 6, WHOLE[one]).astype("int32")
            if one in WHOLE
            else rng.normal(size=INPUTS[one]).astype("float32")
            for one in net.names
        ]
        ys = [np.asarray(y.asnumpy()) for y in flat(net(*map(ms.Tensor, xs)))]
        free = name.startswith("free_")
        shapes = [[None, *x.shape[1:]] for x in xs]
        examples = [ms.Tensor(shape=s, dtype=ms.float32) for s in shapes] if free else [ms.Tensor(x) for x in xs]
        ms.export(net, *examples, file_name=str(folder / name), file_format="MINDIR")
        (folder / f"{name}.mindir").chmod(0o644)
        arrays = {f"x{i}": x for i, x in enumerate(xs)} | {f"y{i}": y for i, y in enumerate(ys)}
        np.savez_compressed(folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
