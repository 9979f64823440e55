"""The blocks of Ultralytics' networks: one small function each. What they are made of and how is in the file.

Sources: ultralytics/nn/modules/conv.py and block.py of version 8.4 (https://docs.ultralytics.com/reference/nn/modules/block/),
and the papers of the networks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from ...graph.form import Value
from ...graph.record import Recorder
from ..torch.module import Function, Module, show

T = TypeVar("T")

# -- pieces ------------------------------------------------------------------------------------------------------------


def chain(net: Recorder, layers: Iterable[Module], x: Value) -> list[Value]:
    """What each of the layers makes of what the one before it made."""
    found: list[Value] = []
    for layer in layers:
        x = layer.value(net, x)
        found.append(x)
    return found


def sub(net: Recorder, m: Module, name: str, x: Value) -> Value:
    """What the layer inside with this name makes of a value."""
    return m.child(name).value(net, x)


def added(net: Recorder, m: Module, a: Value, b: Value) -> Value:
    """The sum of two results of one shape; UnsupportedCheckpoint."""
    if a.shape != b.shape:
        text = f"{show(a.shape)} + {show(b.shape)}"
        raise m.refuse(f"its parts do not fit together ({text})", f"各部分的大小不相符（{text}）")
    return net.add(a, b, f"{m.path}.add")


def joined(net: Recorder, m: Module, values: Sequence[Value], axis: int = 1) -> Value:
    """Results of one shape but for an axis, side by side; UnsupportedCheckpoint."""
    rests = {(*value.shape[:axis], *value.shape[axis + 1 :]) for value in values}
    if len(rests) != 1:
        text = ", ".join(show(value.shape) for value in values)
        raise m.refuse(f"its parts do not fit together ({text})", f"各部分的大小不相符（{text}）")
    return net.concat(values, axis, f"{m.path}.cat") if len(values) > 1 else values[0]


def halves(net: Recorder, m: Module, x: Value) -> tuple[Value, Value]:
    """Both halves of the channels; UnsupportedCheckpoint."""
    if x.channels % 2:
        raise m.refuse(f"{x.channels} channels have no halves", f"{x.channels} 个通道无法平分")
    half = x.channels // 2
    return net.slice(x, 1, 0, half, f"{m.path}.first"), net.slice(x, 1, half, 2 * half, f"{m.path}.second")


def maybe_added(net: Recorder, m: Module, x: Value, y: Value, default: bool = False) -> Value:
    """y, with its input where the block says `add`."""
    return added(net, m, x, y) if m.flag("add", default) else y


# -- convolutions ------------------------------------------------------------------------------------------------------


def conv(net: Recorder, m: Module, x: Value) -> Value:
    """Convolution, BatchNorm unless it was fused, activation."""
    return _normalised(net, m, sub(net, m, "conv", x))


def _normalised(net: Recorder, m: Module, y: Value) -> Value:
    if m.has_child("bn") and not m.is_fused:
        y = sub(net, m, "bn", y)
    return sub(net, m, "act", y)


def conv_transpose(net: Recorder, m: Module, x: Value) -> Value:
    """The same of a transposed convolution."""
    return _normalised(net, m, sub(net, m, "conv_transpose", x))


def rep_conv(net: Recorder, m: Module, x: Value) -> Value:
    """3x3, 1x1 and normalised input, added up (Ding et al. 2021); one convolution once it was fused."""
    if m.is_fused or m.has_child("conv"):
        return conv(net, m, x)
    y = added(net, m, sub(net, m, "conv1", x), sub(net, m, "conv2", x))
    if m.has_child("bn"):
        y = added(net, m, y, sub(net, m, "bn", x))
    return sub(net, m, "act", y)


def rep_depthwise(net: Recorder, m: Module, x: Value) -> Value:
    """7x7 and 3x3 depthwise, added up (YOLOv10); one convolution once it was fused."""
    y = sub(net, m, "conv", x)
    if m.has_child("conv1") and not m.is_fused:
        y = added(net, m, y, sub(net, m, "conv1", x))
    return sub(net, m, "act", y)


def ghost_conv(net: Recorder, m: Module, x: Value) -> Value:
    """Half of the channels, and what a cheap convolution makes of them (Han et al. 2020)."""
    return joined(net, m, chain(net, [m.child("cv1"), m.child("cv2")], x))


def ghost_bottleneck(net: Recorder, m: Module, x: Value) -> Value:
    """conv(x) + shortcut(x)."""
    return added(net, m, sub(net, m, "conv", x), sub(net, m, "shortcut", x))


def a_conv(net: Recorder, m: Module, x: Value) -> Value:
    """The mean of each 2x2, then a convolution of stride 2 (YOLOv9)."""
    return sub(net, m, "cv1", net.avg_pool(x, 2, 1, name=f"{m.path}.mean"))


def a_down(net: Recorder, m: Module, x: Value) -> Value:
    """The same with one half of the channels, and the largest of each 3x3 of the other (YOLOv9)."""
    first, second = halves(net, m, net.avg_pool(x, 2, 1, name=f"{m.path}.mean"))
    second = net.max_pool(second, 3, 2, 1, name=f"{m.path}.max")
    return joined(net, m, [sub(net, m, "cv1", first), sub(net, m, "cv2", second)])


# -- bottlenecks -------------------------------------------------------------------------------------------------------


def in_line(*names: str) -> Function:
    """Layers one after the other; the input is added where the block says `add`."""
    return lambda net, m, x: maybe_added(net, m, x, chain(net, [m.child(name) for name in names], x)[-1])


def c1(net: Recorder, m: Module, x: Value) -> Value:
    """y + m(y)."""
    y = sub(net, m, "cv1", x)
    return added(net, m, sub(net, m, "m", y), y)


def c2(net: Recorder, m: Module, x: Value) -> Value:
    """One half of the channels through m."""
    first, second = halves(net, m, sub(net, m, "cv1", x))
    return sub(net, m, "cv2", joined(net, m, [sub(net, m, "m", first), second]))


def c2f(net: Recorder, m: Module, x: Value) -> Value:
    """The second half goes through the blocks of m; all that is on the way is kept. Also C3k2 and C2fCIB."""
    y = sub(net, m, "cv1", x)
    kept = chain(net, m.child("m").children(), halves(net, m, y)[1])
    return sub(net, m, "cv2", joined(net, m, [y, *kept]))


def c3(net: Recorder, m: Module, x: Value) -> Value:
    """Two ways, of which one has the blocks of m (CSP)."""
    through = sub(net, m, "m", sub(net, m, "cv1", x))
    return sub(net, m, "cv3", joined(net, m, [through, sub(net, m, "cv2", x)]))


def c3f(net: Recorder, m: Module, x: Value) -> Value:
    """The same; all that is on the way is kept."""
    first = sub(net, m, "cv1", x)
    kept = chain(net, m.child("m").children(), first)
    return sub(net, m, "cv3", joined(net, m, [sub(net, m, "cv2", x), first, *kept]))


def rep_c3(net: Recorder, m: Module, x: Value) -> Value:
    """The two ways added up."""
    both = added(net, m, sub(net, m, "m", sub(net, m, "cv1", x)), sub(net, m, "cv2", x))
    return sub(net, m, "cv3", both)


def csp(net: Recorder, m: Module, x: Value) -> Value:
    """BottleneckCSP: the two ways normalised together."""
    through = sub(net, m, "cv3", sub(net, m, "m", sub(net, m, "cv1", x)))
    both = joined(net, m, [through, sub(net, m, "cv2", x)])
    return sub(net, m, "cv4", sub(net, m, "act", sub(net, m, "bn", both)))


def elan(net: Recorder, m: Module, x: Value) -> Value:
    """YOLOv9's: both halves, and what two blocks make of the second. Also ELAN1."""
    y = sub(net, m, "cv1", x)
    kept = chain(net, [m.child("cv2"), m.child("cv3")], halves(net, m, y)[1])
    return sub(net, m, "cv4", joined(net, m, [y, *kept]))


def residual(net: Recorder, m: Module, x: Value) -> Value:
    """ResNetBlock: He et al. 2016, figure 5 right."""
    y = chain(net, [m.child(f"cv{i}") for i in (1, 2, 3)], x)[-1]
    return net.act("relu", added(net, m, y, sub(net, m, "shortcut", x)), m.path)


# -- pooling -----------------------------------------------------------------------------------------------------------


def spp(net: Recorder, m: Module, x: Value) -> Value:
    """Poolings of several sizes beside each other (He et al. 2015)."""
    y = sub(net, m, "cv1", x)
    return sub(net, m, "cv2", joined(net, m, [y, *(pool.value(net, y) for pool in m.child("m").children())]))


def sppf(net: Recorder, m: Module, x: Value) -> Value:
    """One pooling n times; n and add came with YOLO26."""
    y, times = sub(net, m, "cv1", x), m.sizes("n", 1, default=3)[0]
    kept = chain(net, (m.child("m") for _ in range(times)), y)
    return maybe_added(net, m, x, sub(net, m, "cv2", joined(net, m, [y, *kept])))


def spp_elan(net: Recorder, m: Module, x: Value) -> Value:
    """Three poolings in line (YOLOv9)."""
    kept = chain(net, [m.child(f"cv{i}") for i in (1, 2, 3, 4)], x)
    return sub(net, m, "cv5", joined(net, m, kept))


def inner(name: str) -> Function:
    """A class that only runs one layer of its own."""
    return lambda net, m, x: sub(net, m, name, x)


def classes_of(module: str, table: Mapping[str, T]) -> dict[str, T]:
    """By the names of the classes in a module of Ultralytics; the first versions had all in one."""
    places = (f"ultralytics.nn.modules.{module}", "ultralytics.nn.modules")
    return {f"{place}.{name}": function for place in places for name, function in table.items()}


def _each(function: Function, *names: str) -> dict[str, Function]:
    return dict.fromkeys(names, function)


BLOCKS: dict[str, Function] = {
    **classes_of(
        "conv",
        {
            **_each(conv, "Conv", "DWConv"),
            "ConvTranspose": conv_transpose,
            "RepConv": rep_conv,
            "GhostConv": ghost_conv,
            "LightConv": in_line("conv1", "conv2"),
        },
    ),
    **classes_of(
        "block",
        {
            **_each(in_line("cv1", "cv2"), "Bottleneck", "RepBottleneck", "SCDown"),
            "CIB": in_line("cv1"),
            "C1": c1,
            "C2": c2,
            **_each(c2f, "C2f", "C3k2", "C2fCIB", "C2fPSA"),
            **_each(c3, "C3", "C3k", "C3x", "C3Ghost", "RepCSP"),
            "C3f": c3f,
            "RepC3": rep_c3,
            "BottleneckCSP": csp,
            **_each(elan, "RepNCSPELAN4", "ELAN1"),
            "AConv": a_conv,
            "ADown": a_down,
            "GhostBottleneck": ghost_bottleneck,
            "ResNetBlock": residual,
            "ResNetLayer": inner("layer"),
            "RepVGGDW": rep_depthwise,
            "SPP": spp,
            "SPPF": sppf,
            "SPPELAN": spp_elan,
        },
    ),
}
