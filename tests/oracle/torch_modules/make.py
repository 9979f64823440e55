"""Small networks of torch's own layers, saved whole by torch, with what torch answers: NAME.pth and references.npz.

    python -m venv v; v/bin/pip install torch==2.13.0 numpy; v/bin/python tests/oracle/torch_modules/make.py

Every class and every setting that src/qingzhou/sources/torch/modules.py knows occurs in one of them at least. The names
that begin with "refused" cannot be converted; they have no answer.
"""

import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent


class Part0(nn.Module):
    """BaseNN's: the outputs of an LSTM without its state."""

    def forward(self, x: tuple) -> torch.Tensor:
        return x[0]


class dim2(nn.Module):
    """BaseNN's: the last step."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, -1, :]


class Own(nn.Module):
    """A class whose program is not in the file."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


def as_basenn(*classes: type) -> None:
    """Let these classes be pickled as BaseNN's own."""
    module = sys.modules["BaseNN"] = sys.modules["BaseNN.BaseNN"] = types.ModuleType("BaseNN.BaseNN")
    for one in classes:
        one.__module__ = "BaseNN.BaseNN"
        setattr(module, one.__name__, one)


def randomised(net: nn.Module) -> nn.Module:
    """Parameters and statistics as after training: nothing is 0 or 1, some slopes and scales are negative."""
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.3, 2)
        elif tensor.is_floating_point() and tensor.ndim <= 1:
            tensor.normal_(0.3, 0.5)
    return net


def activations() -> list[nn.Module]:
    return [
        nn.ReLU(),
        nn.ReLU6(),
        nn.Sigmoid(),
        nn.Tanh(),
        nn.SiLU(),
        nn.Hardswish(),
        nn.Hardsigmoid(),
        nn.LeakyReLU(0.2),
        nn.ELU(0.7),
        nn.GELU(),
        nn.GELU("tanh"),
        nn.ReLU(inplace=True),
    ]


def after_linear(act: nn.Module) -> nn.Module:
    """An activation on numbers from about -20 to 20, so that every branch of it counts."""
    linear = nn.Linear(6, 8)
    with torch.no_grad():
        linear.weight *= 12
    return nn.Sequential(linear, act)


def shared() -> nn.Module:
    relu, conv = nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)
    return nn.Sequential(nn.Conv2d(3, 4, 1), relu, conv, relu, conv, relu)


def tied() -> nn.Module:
    """Two layers of one parameter, and one whose memory is laid out the other way round."""
    net = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 5), nn.Linear(5, 3, bias=False))
    net[2].weight = net[0].weight
    net[3].weight = nn.Parameter(torch.randn(5, 3).t())
    return net


def hooked() -> nn.Module:
    return nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 3)))


def lstm(*rest: nn.Module, **settings: object) -> nn.Module:
    return nn.Sequential(nn.LSTM(5, 6, **settings), Part0(), *rest)


# name: (network, shape of its input)
Made = tuple[Callable[[], nn.Module], tuple[int, ...]]


def seldom() -> nn.Module:
    layers = [nn.Conv2d(3, 8, 3, padding="same"), nn.BatchNorm2d(8), nn.Mish()]
    layers += [
        nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"),
        nn.Hardtanh(-2, 3),
        nn.ConvTranspose2d(8, 6, 2, 2),
    ]
    layers += [nn.InstanceNorm2d(6, affine=True), nn.PixelShuffle(1), nn.AdaptiveMaxPool2d((3, 2)), nn.Flatten()]
    layers += [
        nn.LayerNorm(36),
        nn.Linear(36, 12),
        nn.Softplus(),
        nn.Unflatten(1, (3, 4)),
        nn.Flatten(),
        nn.LogSoftmax(1),
    ]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def seldom_1d() -> nn.Module:
    layers = [nn.Conv1d(3, 8, 3, padding=2, padding_mode="replicate"), nn.SELU()]
    layers += [
        nn.ConvTranspose1d(8, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
        nn.CELU(0.7),
        nn.LogSigmoid(),
    ]
    layers += [nn.InstanceNorm1d(6, affine=True, track_running_stats=True), nn.Softshrink(0.2), nn.Hardshrink(0.1)]
    layers += [nn.Softsign(), nn.ReflectionPad1d((1, 2)), nn.ConstantPad1d(1, 0.5), nn.GLU(1), nn.AdaptiveMaxPool1d(5)]
    layers += [nn.Flatten(), nn.LayerNorm(15), nn.Linear(15, 4), nn.Softplus(2.0, 10.0)]
    return nn.Sequential(*layers)


def seldom_2d() -> nn.Module:
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReplicationPad2d((1, 0, 2, 1)), nn.PixelShuffle(2), nn.CircularPad2d(1)]
    layers += [
        nn.LocalResponseNorm(3),
        nn.ChannelShuffle(2),
        nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, dilation=2),
    ]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool2d((3, None)))


NETWORKS: dict[str, Made] = {
    "conv2d": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 6, (3, 5), stride=(2, 1), padding=(1, 2), bias=False),
            nn.Conv2d(6, 9, 3, padding=2, dilation=2, groups=3),
            nn.Conv2d(9, 9, (1, 3), padding="valid", groups=9),
        ),
        (2, 3, 17, 14),
    ),
    "conv2d_same": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 2, padding="same"),
            nn.Conv2d(4, 4, (4, 3), padding="same", dilation=(1, 2)),
            nn.Conv2d(4, 4, 6, padding="same", dilation=3, groups=2),
        ),
        (2, 3, 19, 18),
    ),
    "conv1d": (
        lambda: nn.Sequential(
            nn.Conv1d(4, 8, 4, padding="same"),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.Conv1d(8, 8, 3, stride=2, padding=1, groups=4),
            nn.Conv1d(8, 5, 2, dilation=3, bias=False),
        ),
        (3, 4, 21),
    ),
    "linear_on_steps": (lambda: nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3, bias=False)), (3, 4, 5)),
    "linear_on_pictures": (lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)), (2, 3, 4, 5)),
    "table": (
        lambda: nn.Sequential(
            nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3), nn.Softmax()
        ),
        (5, 4),
    ),
    "one_feature": (lambda: nn.Sequential(nn.Linear(1, 4), nn.ReLU(), nn.Linear(4, 1)), (3, 1)),
    "batch_norm": (
        lambda: nn.Sequential(
            nn.BatchNorm2d(3),
            nn.Conv2d(3, 4, 3),
            nn.BatchNorm2d(4, eps=0.1),
            nn.ReLU(),
            nn.BatchNorm2d(4, affine=False),
            nn.Conv2d(4, 2, 1),
            nn.Flatten(),
            nn.BatchNorm1d(50),
        ),
        (2, 3, 7, 7),
    ),
    "batch_norm_on_steps": (
        lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Sigmoid(), nn.BatchNorm1d(4, affine=False)),
        (3, 4, 6),
    ),
    "group_norm": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.GroupNorm(4, 8),
            nn.Tanh(),
            nn.GroupNorm(2, 8, affine=False),
            nn.GroupNorm(1, 8, eps=0.1),
            nn.GroupNorm(8, 8),
        ),
        (2, 3, 8, 7),
    ),
    "group_norm_on_steps": (
        lambda: nn.Sequential(nn.GroupNorm(3, 6), nn.Tanh(), nn.GroupNorm(2, 6, affine=False)),
        (2, 6, 9),
    ),
    **{
        f"act_{i:02}_{act.__class__.__name__}": (lambda act=act: after_linear(act), (7, 6))
        for i, act in enumerate(activations())
    },
    "prelu": (lambda: nn.Sequential(nn.Conv2d(3, 5, 3), nn.PReLU(5), nn.Conv2d(5, 4, 3), nn.PReLU()), (2, 3, 9, 9)),
    "prelu_on_rows": (lambda: nn.Sequential(nn.Linear(4, 6), nn.PReLU(6), nn.Linear(6, 6), nn.PReLU()), (4, 4)),
    "prelu_on_steps": (lambda: nn.Sequential(nn.Conv1d(2, 3, 2), nn.PReLU(3)), (2, 2, 8)),
    "softmax_channels": (lambda: nn.Sequential(nn.Conv2d(3, 5, 1), nn.Softmax(dim=1)), (2, 3, 4, 5)),
    "softmax_rows": (lambda: nn.Sequential(nn.Conv2d(3, 5, 1), nn.Softmax(dim=2)), (2, 3, 4, 5)),
    "softmax_last": (lambda: nn.Sequential(nn.Linear(4, 5), nn.Softmax(dim=-1)), (2, 3, 4)),
    "softmax_implicit": (lambda: nn.Sequential(nn.Conv2d(3, 5, 1), nn.Softmax()), (2, 3, 4, 5)),
    "softmax_over_the_batch": (lambda: nn.Sequential(nn.Linear(4, 5), nn.Softmax()), (3, 2, 4)),
    "max_pool": (
        lambda: nn.Sequential(
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(3, 3, 1),
            nn.MaxPool2d((2, 3), stride=(1, 2), dilation=(2, 1), padding=(1, 1), ceil_mode=True),
        ),
        (2, 3, 23, 27),
    ),
    "max_pool_past_the_end": (lambda: nn.MaxPool2d(2, stride=3, padding=1, ceil_mode=True), (2, 3, 10, 8)),
    "max_pool_of_steps": (
        lambda: nn.Sequential(
            nn.MaxPool1d(3), nn.Conv1d(2, 2, 1), nn.MaxPool1d(2, stride=3, padding=1, ceil_mode=True)
        ),
        (2, 2, 26),
    ),
    "avg_pool": (
        lambda: nn.Sequential(
            nn.AvgPool2d(3, stride=2, padding=1),
            nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
            nn.Conv2d(3, 3, 1),
            nn.AvgPool2d((2, 3)),
        ),
        (2, 3, 17, 20),
    ),
    "avg_pool_ceil": (
        lambda: nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Conv2d(3, 3, 1),
            nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        ),
        (2, 3, 17, 20),
    ),
    "avg_pool_past_the_end": (lambda: nn.AvgPool2d(2, stride=3, ceil_mode=True), (2, 3, 10, 8)),
    "avg_pool_of_steps": (
        lambda: nn.Sequential(
            nn.AvgPool1d(3, padding=1), nn.Conv1d(2, 2, 1), nn.AvgPool1d(2, stride=3, ceil_mode=True)
        ),
        (2, 2, 26),
    ),
    "adaptive_one": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
        (2, 3, 9, 8),
    ),
    "adaptive_divisors": (lambda: nn.Sequential(nn.AdaptiveAvgPool2d((3, 4)), nn.Conv2d(3, 2, 1)), (2, 3, 9, 8)),
    "adaptive_uneven": (lambda: nn.AdaptiveAvgPool2d(4), (2, 3, 6, 6)),
    "adaptive_none": (lambda: nn.Sequential(nn.AdaptiveAvgPool2d((None, 1)), nn.Conv2d(3, 2, 1)), (2, 3, 9, 8)),
    "adaptive_of_steps": (
        lambda: nn.Sequential(nn.AdaptiveAvgPool1d(4), nn.Conv1d(2, 2, 1), nn.AdaptiveAvgPool1d(1)),
        (2, 2, 12),
    ),
    "upsample_twice": (lambda: nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 2, 1)), (2, 3, 4, 5)),
    "upsample_scales": (lambda: nn.Sequential(nn.Upsample(scale_factor=(1.5, 3)), nn.Conv2d(3, 2, 1)), (2, 3, 4, 5)),
    "upsample_size": (lambda: nn.Sequential(nn.Upsample(size=(7, 11)), nn.Conv2d(3, 2, 1)), (2, 3, 4, 5)),
    "upsample_smaller": (lambda: nn.Sequential(nn.Upsample(size=(3, 29)), nn.Conv2d(3, 2, 1)), (2, 3, 7, 13)),
    "upsample_bilinear": (
        lambda: nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(3, 2, 1)),
        (2, 3, 4, 5),
    ),
    "upsample_bilinear_size": (
        lambda: nn.Sequential(nn.Upsample(size=(7, 3), mode="bilinear"), nn.Conv2d(3, 2, 1)),
        (2, 3, 4, 5),
    ),
    "upsample_corners": (
        lambda: nn.Sequential(nn.Upsample(size=(7, 11), mode="bilinear", align_corners=True), nn.Conv2d(3, 2, 1)),
        (2, 3, 4, 5),
    ),
    "upsample_steps": (
        lambda: nn.Sequential(nn.Upsample(size=11, mode="linear"), nn.Conv1d(3, 2, 1), nn.Upsample(scale_factor=2)),
        (2, 3, 5),
    ),
    "flatten": (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 2), nn.Flatten(2), nn.Linear(20, 3), nn.Flatten(1, -1), nn.Linear(12, 2)),
        (2, 3, 5, 6),
    ),
    "flatten_middle": (
        lambda: nn.Sequential(nn.Flatten(1, 2), nn.Linear(6, 3), nn.Flatten(-2, -1), nn.Flatten(1)),
        (2, 3, 5, 6),
    ),
    "lstm": (lambda: lstm(dim2(), nn.Linear(6, 3), batch_first=True), (2, 7, 5)),
    "lstm_steps_first": (lambda: lstm(nn.Linear(6, 3)), (7, 2, 5)),
    "lstm_two_ways": (lambda: lstm(nn.Linear(12, 3), num_layers=2, bidirectional=True, batch_first=True), (2, 7, 5)),
    "lstm_two_ways_steps_first": (lambda: lstm(num_layers=2, bidirectional=True, bias=False, dropout=0.5), (7, 2, 5)),
    "dropouts": (
        lambda: nn.Sequential(
            nn.Dropout2d(0.9),
            nn.Conv2d(3, 4, 3),
            nn.Identity(),
            nn.Dropout(0.9),
            nn.AlphaDropout(0.9),
            nn.Flatten(2),
            nn.Dropout1d(0.9),
            nn.ReLU(),
        ),
        (2, 3, 6, 6),
    ),
    "nested": (
        lambda: nn.Sequential(
            OrderedDict(
                stem=nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), act=nn.ReLU())),
                empty=nn.Sequential(),
                head=nn.Sequential(nn.Flatten(), nn.Linear(64, 3)),
            )
        ),
        (2, 3, 6, 6),
    ),
    "single_layer": (lambda: nn.Linear(4, 3), (2, 4)),
    "data_parallel": (lambda: nn.DataParallel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())), (2, 3, 6, 6)),
    "shared": (shared, (2, 3, 6, 6)),
    "tied": (tied, (2, 5)),
    "half": (lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).half().float(), (2, 4)),
    "legacy": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)),
        (2, 1, 6, 6),
    ),
    "legacy_tied": (tied, (2, 5)),
    "reflect": (lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), (2, 3, 6, 6)),
    "transposed": (lambda: nn.ConvTranspose2d(3, 4, 2), (2, 3, 6, 6)),
    "seldom": (seldom, (2, 3, 16, 20)),
    "seldom_1d": (seldom_1d, (2, 3, 11)),
    "seldom_2d": (seldom_2d, (2, 3, 6, 7)),
}

REFUSED: dict[str, Made] = {
    "own_class": (lambda: nn.Sequential(nn.Linear(4, 3), Own()), (2, 4)),
    "module_list": (lambda: nn.ModuleList([nn.Linear(4, 3)]), (2, 4)),
    "hooks": (hooked, (2, 4)),
    "no_statistics": (lambda: nn.BatchNorm2d(3, track_running_stats=False), (2, 3, 6, 6)),
    "avg_pool_ceil_counted": (lambda: nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True), (2, 3, 10, 8)),
    "indices": (lambda: nn.MaxPool2d(2, return_indices=True), (2, 3, 6, 6)),
    "divisor": (lambda: nn.AvgPool2d(2, divisor_override=3), (2, 3, 6, 6)),
    "bicubic": (lambda: nn.Upsample(scale_factor=2, mode="bicubic"), (2, 3, 6, 6)),
    "lstm_alone": (lambda: nn.LSTM(5, 6), (2, 4, 5)),
    "lstm_projected": (lambda: nn.Sequential(nn.LSTM(5, 6, proj_size=3), Part0()), (2, 4, 5)),
    "flattens_the_batch": (lambda: nn.Sequential(nn.Linear(4, 3), nn.Flatten(0)), (2, 4)),
    "embedding_of_floats": (lambda: nn.Embedding(5, 4), (2, 4)),
}


def main() -> None:
    as_basenn(Part0, dim2)
    references = {}
    for number, (name, (build, shape)) in enumerate(
        (NETWORKS | {f"refused_{k}": v for k, v in REFUSED.items()}).items()
    ):
        torch.manual_seed(number)
        net, x = randomised(build()), torch.randn(shape)
        references[f"{name}.x"] = x.numpy()
        saved = net.half() if name == "half" else net
        torch.save(saved, HERE / f"{name}.pth", _use_new_zipfile_serialization=not name.startswith("legacy"))
        if not name.startswith("refused"):
            with torch.no_grad():
                references[f"{name}.y"] = net.float().eval()(x).numpy()
    np.savez_compressed(HERE / "references.npz", **references)


if __name__ == "__main__":
    main()
