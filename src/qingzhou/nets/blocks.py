"""Pieces of networks that several pages share."""

from __future__ import annotations

from ..graph.form import Value
from ..graph.record import Recorder


def divisible(channels: float, by: int = 8) -> int:
    """Channels rounded to a multiple, never below 90 % (Sandler et al. 2018, the reference implementation's rule)."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def squeeze_excite(net: Recorder, key: str, x: Value, squeezed: int) -> Value:
    """Hu et al. 2018 with the hard sigmoid of MobileNetV3; `key`.conv1 and .conv2 as mmcls names them."""
    gate = net.global_pool(x, f"{key}.pool", keep=True)
    gate = net.act("relu", net.conv(f"{key}.conv1.conv", gate, squeezed, 1), f"{key}.conv1")
    return gate_with(net, key, x, net.conv(f"{key}.conv2.conv", gate, x.channels, 1), "hsigmoid")


def gate_with(net: Recorder, key: str, x: Value, gate: Value, act: str) -> Value:
    """x times the activated gate."""
    return net.mul(x, net.act(act, gate, f"{key}.gate"), f"{key}.scaled")
