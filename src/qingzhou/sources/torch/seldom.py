"""Layers of torch.nn that few networks have: what they do is written down as for the operators of torch.export.

A network that has one of them is recorded by a Net, which knows shapes for itself.
"""

from __future__ import annotations

from typing import cast

from ...graph.form import Value
from ...graph.record import Recorder
from ..aten.table import OPS
from ..recording.net import Net
from .module import Function, Module
from .modules import conv

MODES = {"Reflection": "reflect", "Replication": "replicate", "Circular": "circular", "Constant": "constant"}


def calling(name: str, **settings: float) -> Function:
    """One operator, with the layer's numbers of these names, or their defaults."""

    def function(net: Recorder, m: Module, x: Value) -> Value:
        given = {key: m.number(key, default) for key, default in settings.items()}
        return done(net, m, name, x, **given)

    return function


def done(net: Recorder, m: Module, name: str, *given: object, **named: object) -> Value:
    """An operator's one result, called after the layer."""
    t = cast(Net, net)
    t.here = m.path or m.kind
    found = OPS[name](t, *given, **named)
    return cast(Value, found if isinstance(found, Value) else found[0])


def parameter(net: Recorder, m: Module, name: str) -> Value | None:
    """A weight or a bias; None where the layer has none."""
    shape = m.parameter_shape(name)
    return Value(net.param(f"{m.path}.{name}", shape), shape) if shape else None


def softplus(net: Recorder, m: Module, x: Value) -> Value:
    """log(1 + exp(beta * x)) / beta."""
    return done(net, m, "softplus", x, m.number("beta", 1.0), m.number("threshold", 20.0))


def along(name: str, setting: str, default: int | None) -> Function:
    """An operator along an axis."""

    def function(net: Recorder, m: Module, x: Value) -> Value:
        rank = len(x.shape)
        if m.get(setting) is None and default is None:  # torch's old rule, as of Softmax
            return done(net, m, name, x, 0 if rank in (1, 3) else 1)
        return done(net, m, name, x, m.whole(setting, low=-rank) if m.get(setting) is not None else default)

    return function


def conv_transpose(net: Recorder, m: Module, x: Value) -> Value:
    """(N, C, *size) -> (N, out, *size')."""
    dims = len(x.shape) - 2
    m.fits(x.shape[1], m.whole("in_channels"), "channels", "通道")
    weight, bias = parameter(net, m, "weight"), parameter(net, m, "bias")
    stride, dilation = m.sizes("stride", dims), m.sizes("dilation", dims)
    padding, more = m.sizes("padding", dims, low=0), m.sizes("output_padding", dims, low=0)
    return done(net, m, "convolution", x, weight, bias, stride, padding, dilation, True, more, m.whole("groups"))


def padded_conv(net: Recorder, m: Module, x: Value) -> Value:
    """Another padding than zeros stands before the convolution (torch/nn/modules/conv.py)."""
    dims = len(x.shape) - 2
    m.fits(x.shape[1], m.whole("in_channels"), "channels", "通道")
    ends = m.sizes("_reversed_padding_repeated_twice", 2 * dims, low=0)
    x = done(net, m, "pad", x, ends, str(m.get("padding_mode")))
    weight, bias = parameter(net, m, "weight"), parameter(net, m, "bias")
    stride, dilation, none = m.sizes("stride", dims), m.sizes("dilation", dims), (0,) * dims
    return done(net, m, "convolution", x, weight, bias, stride, none, dilation, False, none, m.whole("groups"))


def conv_of_any_padding(net: Recorder, m: Module, x: Value) -> Value:
    """Conv1d and Conv2d."""
    return (conv if m.get("padding_mode", "zeros") == "zeros" else padded_conv)(net, m, x)


def pad(net: Recorder, m: Module, x: Value) -> Value:
    """ReflectionPad2d, ConstantPad1d …: pairs of before and after, the last axis first."""
    dims = int(m.kind[-2])
    ends = m.sizes("padding", 2 * dims, low=0)
    mode = next(mode for kind, mode in MODES.items() if m.kind.startswith(kind))
    return done(net, m, "pad", x, ends, mode, m.number("value", 0.0) if mode == "constant" else None)


def instance_norm(net: Recorder, m: Module, x: Value) -> Value:
    """Each channel of each sample by itself, or with training's statistics where it keeps them."""
    m.fits(x.shape[1], m.whole("num_features"), "channels", "通道")
    if m.flag("track_running_stats"):
        return net.batch_norm(m.path, x, m.number("eps", 1e-5), m.has("weight"))
    weight, bias = parameter(net, m, "weight"), parameter(net, m, "bias")
    return done(net, m, "instance_norm", x, weight, bias, None, None, True, 0.1, m.number("eps", 1e-5))


def layer_norm(net: Recorder, m: Module, x: Value) -> Value:
    """Over the last axes."""
    shape = m.get("normalized_shape")
    count = len(shape) if isinstance(shape, (tuple, list)) else 1
    sizes = m.sizes("normalized_shape", count)
    m.fits(x.shape[-1], sizes[-1], "numbers in the last axis", "最后一维的数")
    weight, bias = parameter(net, m, "weight"), parameter(net, m, "bias")
    return done(net, m, "layer_norm", x, sizes, weight, bias, m.number("eps", 1e-5))


def local_response_norm(net: Recorder, m: Module, x: Value) -> Value:
    """Krizhevsky et al. 2012, section 3.3."""
    given = [m.number(name, default) for name, default in (("alpha", 1e-4), ("beta", 0.75), ("k", 1.0))]
    return done(net, m, "local_response_norm", x, m.whole("size"), *given)


def adaptive_max_pool(net: Recorder, m: Module, x: Value) -> Value:
    """To a size, where None keeps it."""
    dims, wanted = int(m.kind[-2]), m.get("output_size")
    if m.flag("return_indices"):
        raise m.refuse("return_indices gives a tuple", "return_indices 会输出元组")
    given = tuple(wanted) if isinstance(wanted, (tuple, list)) else (wanted,) * dims
    if len(given) != dims or not all(n is None or (type(n) is int and n > 0) for n in given):
        raise m.refuse(f"output_size={wanted!r:.60}", f"output_size={wanted!r:.60}")
    return done(net, m, f"adaptive_max_pool{dims}d", x, given)


def unflatten(net: Recorder, m: Module, x: Value) -> Value:
    """One axis as several."""
    sizes = m.get("unflattened_size")
    count = len(sizes) if isinstance(sizes, (tuple, list)) else 1
    return done(net, m, "unflatten", x, m.whole("dim", low=-len(x.shape)), m.sizes("unflattened_size", count, low=-1))


def shuffling(name: str, setting: str) -> Function:
    """Channels and pixels in another order."""
    return lambda net, m, x: done(net, m, name, x, m.whole(setting))


def _of(room: str, **functions: Function) -> dict[str, Function]:
    return {f"torch.nn.modules.{room}.{name}": function for name, function in functions.items()}


SELDOM: dict[str, Function] = {
    **_of("activation", Mish=calling("mish"), SELU=calling("selu"), Softsign=calling("softsign")),
    **_of("activation", CELU=calling("celu", alpha=1.0), LogSigmoid=calling("log_sigmoid"), Softplus=softplus),
    **_of("activation", Hardtanh=calling("hardtanh", min_val=-1.0, max_val=1.0)),
    **_of("activation", Hardshrink=calling("hardshrink", lambd=0.5), Softshrink=calling("softshrink", lambd=0.5)),
    **_of("activation", LogSoftmax=along("log_softmax", "dim", None), GLU=along("glu", "dim", -1)),
    **{f"torch.nn.modules.conv.ConvTranspose{n}d": conv_transpose for n in (1, 2)},
    **{f"torch.nn.modules.conv.Conv{n}d": conv_of_any_padding for n in (1, 2)},
    **{f"torch.nn.modules.padding.{kind}Pad{n}d": pad for kind in MODES for n in (1, 2)},
    **{f"torch.nn.modules.instancenorm.InstanceNorm{n}d": instance_norm for n in (1, 2)},
    **_of("normalization", LayerNorm=layer_norm, LocalResponseNorm=local_response_norm),
    **{f"torch.nn.modules.pooling.AdaptiveMaxPool{n}d": adaptive_max_pool for n in (1, 2)},
    **_of("flatten", Unflatten=unflatten),
    **_of("pixelshuffle", PixelShuffle=shuffling("pixel_shuffle", "upscale_factor")),
    **_of("pixelshuffle", PixelUnshuffle=shuffling("pixel_unshuffle", "downscale_factor")),
    **_of("channelshuffle", ChannelShuffle=shuffling("channel_shuffle", "groups")),
}
