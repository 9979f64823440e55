"""BaseNN's own layers, as in its versions 0.3.1 and 2.0.0, and the whole table of classes that can be recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...files.types import Opaque
from ...graph.form import Value
from ...graph.record import Recorder
from ..torch.module import MAX_DEPTH, Flow, Function, Module, entries
from ..torch.modules import TORCH, lstm, sequential
from ..torch.vision import BASIC, BOTTLENECK, VISION, residual

LSTM_NETWORK = "BaseNN.BaseNN.lstm"


def record_module(
    net: Recorder, module: Opaque, x: Value, prefix: str = "", steps: Iterator[int] | None = None
) -> Value:
    """Record a pickled module; parameter keys are dotted paths below `prefix`; `steps` as in Module.of().

    UnsupportedCheckpoint for a class that is not known, TensorMismatch where the sizes do not fit together.
    """
    return Module.of(module, table_of(module), prefix, steps).value(net, x)


def recorder_of(module: Opaque) -> Recorder:
    """What a network is recorded by: for layers that few have, one that knows shapes for itself."""
    if not has_seldom(module):
        return Recorder()
    from ..aten.refuse import TORCH
    from ..recording.net import Net

    return Net(TORCH)


def table_of(module: Opaque) -> Mapping[str, Function]:
    """The layers that it may have; those that few networks have are imported for these."""
    if not has_seldom(module):
        return LAYERS
    from ..torch.learner import FASTAI
    from ..torch.seldom import SELDOM

    return {**LAYERS, **SELDOM, **FASTAI}


def has_seldom(module: Opaque) -> bool:
    """Whether it has a layer that is not in LAYERS, or one with another padding than zeros."""
    return any(one.name not in LAYERS or mode(one) != "zeros" for one in layers_in(module))


def mode(layer: Opaque) -> object:
    """A convolution's padding_mode."""
    return entries(layer.state).get("padding_mode", "zeros") if ".conv." in layer.name else "zeros"


def layers_in(module: Opaque, depth: int = 0) -> Iterator[Opaque]:
    """It, and every layer in it."""
    yield module
    for child in entries(entries(module.state).get("_modules")).values():
        if isinstance(child, Opaque) and depth < MAX_DEPTH:
            yield from layers_in(child, depth + 1)


# -- shapes --------------------------------------------------------------------------------------------------------


def reshape(net: Recorder, m: Module, x: Value) -> Value:
    """(N, …) -> (N, everything)."""
    return x if len(x.shape) == 2 else net.flatten(x, m.path or "reshape")


def part0(net: Recorder, m: Module, x: Flow) -> Value:
    """The outputs of an LSTM, without its state; of anything else the first sample."""
    return x[0] if isinstance(x, tuple) else net.select(x, 0, 0, m.path)


def last_step(net: Recorder, m: Module, x: Value) -> Value:
    """x[:, -1, :]."""
    m.rank(x, 3, 4)
    return net.select(x, 1, -1, m.path)


def unsqueeze(net: Recorder, m: Module, x: Value) -> Value:
    """x[:, -1, :].unsqueeze(1)."""
    return net.unsqueeze(last_step(net, m, x), 1, f"{m.path}.axis")


def squeeze(net: Recorder, m: Module, x: Value) -> Value:
    """x.squeeze(1), which does nothing where the size is not 1."""
    m.rank(x, 2, 3, 4)
    return net.squeeze(x, 1, m.path) if x.shape[1] == 1 else x


# -- residual networks ---------------------------------------------------------------------------------------------


def resnet(net: Recorder, m: Module, x: Value) -> Value:
    """BaseNN's ResNet is one stage of blocks."""
    return m.child("layer1").value(net, x)


def mobilenet_v2(net: Recorder, m: Module, x: Value) -> Value:
    """Picture -> classes."""
    return m.child("classifier").value(net, mobilenet_v2_backbone(net, m, x))


def mobilenet_v2_backbone(net: Recorder, m: Module, x: Value) -> Value:
    """Picture -> features."""
    x = m.child("avgpool").value(net, m.child("features").value(net, x))
    return net.flatten(x, f"{m.path}.flatten")


# -- text ----------------------------------------------------------------------------------------------------------


def lstm_network(net: Recorder, m: Module, tokens: Value, state: tuple[Value, Value] | None) -> tuple[Value, ...]:
    """em_lstm: int64 (length, 1), h and c -> scores of the next token (length, words), and the new h and c."""
    x = m.child("embedding").value(net, tokens)
    x, h, c = lstm(net, m.child("lstm"), x, state)
    x = net.reshape(x, (x.shape[0], x.shape[2]), "steps")
    return m.child("linear").value(net, x), h, c


# What seldom.py has for more cases
MORE_GENERAL = ("torch.nn.modules.conv.ConvTranspose2d",)
LAYERS: dict[str, Function] = {
    **{name: function for name, function in {**TORCH, **VISION}.items() if name not in MORE_GENERAL},
    "BaseNN.BaseNN.Reshape": reshape,
    "BaseNN.BaseNN.Part0": part0,  # the one that takes a tuple
    "BaseNN.BaseNN.dim2": last_step,
    "BaseNN.BaseNN.Unsqueeze": unsqueeze,
    "BaseNN.BaseNN.Squeeze": squeeze,
    "BaseNN.BaseNN.BasicBlock": BASIC,
    "BaseNN.BaseNN.Bottleneck": BOTTLENECK,
    "BaseNN.BaseNN.ResNet": resnet,
    "BaseNN.blocks.mobilenetv2.ConvBNReLU": sequential,
    "BaseNN.blocks.mobilenetv2.InvertedResidual": residual("conv", "use_shortcut"),
    "BaseNN.blocks.mobilenetv2.MobileNetV2": mobilenet_v2,
    "BaseNN.blocks.mobilenetv2.MobileNetV2_backbone": mobilenet_v2_backbone,
}
