"""The walk through an Ultralytics network: each layer says from which others it takes what it works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...graph.form import Value
from ...graph.record import Recorder
from ..torch.module import Flow, Function, Module
from ..torch.modules import TORCH
from .attention import ATTENTION
from .blocks import BLOCKS, added, classes_of, joined

LAYERS: dict[str, Function] = {**TORCH, **BLOCKS, **ATTENTION}


def features(net: Recorder, network: Module, image: Value) -> tuple[Module, list[Value]]:
    """The last layer, which is the head, and what it works on; UnsupportedCheckpoint, TensorMismatch."""
    *layers, head = _layers(network)
    done: list[Flow] = []
    for layer in layers:
        done.append(_record(net, layer, _taken(layer, done, image)))
    found = _taken(head, done, image)
    return head, [value for value in found if isinstance(value, Value)]


def _layers(network: Module) -> list[Module]:
    found = network.child("model").children()
    if len(found) < 2:
        raise network.refuse(f"it has {len(found)} layers", f"它只有 {len(found)} 层")
    return found


def _taken(layer: Module, done: Sequence[Flow], image: Value) -> list[Flow]:
    """What a layer works on: its `f` is the number of an earlier layer, or several; -1 is the one before it."""
    places = layer.get("f")
    found: list[Flow] = []
    for place in places if isinstance(places, (list, tuple)) else [places]:
        if type(place) is not int or not -max(len(done), 1) <= place < max(len(done), 1):
            raise layer.refuse(f"it takes the result of layer {place!r:.20}", f"它取用第 {place!r:.20} 层的结果")
        found.append(done[place] if done else image)
    return found


def _record(net: Recorder, layer: Module, taken: list[Flow]) -> Flow:
    """One layer; those that put several results together have functions of their own."""
    if layer.name in JOINS:
        return layer.run(JOINS[layer.name], net, taken)
    if len(taken) != 1:
        raise layer.refuse(f"it takes {len(taken)} results", f"它取用 {len(taken)} 个结果")
    return layer.record(net, taken[0])


# -- layers that take or give several ----------------------------------------------------------------------------------


def concat(net: Recorder, m: Module, values: list[Flow]) -> Value:
    """Along `d`."""
    axis = m.sizes("d", 1, default=1)[0]
    plain = [value for value in values if isinstance(value, Value)]
    if len(plain) != len(values) or not plain or axis >= len(plain[0].shape):
        raise m.refuse(f"its axis is {axis}", f"拼接的维度是 {axis}")
    return joined(net, m, plain, axis)


def cb_linear(net: Recorder, m: Module, values: list[Flow]) -> Flow:
    """A convolution whose channels are divided among several results (YOLOv9)."""
    y = m.child("conv").value(net, values[0])
    sizes, start = m.get("c2s"), 0
    parts: list[Value] = []
    for size in sizes if isinstance(sizes, (list, tuple)) else []:
        stop = start + (size if type(size) is int and size > 0 else y.channels + 1)
        if stop > y.channels:
            break
        parts.append(net.slice(y, 1, start, stop, f"{m.path}.part{len(parts)}"))
        start = stop
    if start != y.channels:
        raise m.refuse(
            f"its parts {sizes!r:.60} are not {y.channels} channels", f"{sizes!r:.60} 与 {y.channels} 个通道不符"
        )
    return tuple(parts)


def cb_fuse(net: Recorder, m: Module, values: list[Flow]) -> Value:
    """One result of each, as large as the last one, added up (YOLOv9)."""
    *earlier, last = values
    chosen = m.get("idx")
    if not isinstance(last, Value) or not isinstance(chosen, (list, tuple)) or len(chosen) < len(earlier):
        raise m.refuse(f"its choice is {chosen!r:.60}", f"它的选择是 {chosen!r:.60}")
    total: Value | None = None
    for parts, index in zip(earlier, chosen, strict=False):
        if not isinstance(parts, tuple) or type(index) is not int or not 0 <= index < len(parts):
            raise m.refuse(f"its choice is {chosen!r:.60}", f"它的选择是 {chosen!r:.60}")
        part = parts[index]
        if part.shape[2:] != last.shape[2:]:
            part = net.upsample(part, last.shape[2:], "nearest", False, f"{m.path}.larger")
        total = part if total is None else added(net, m, total, part)
    return last if total is None else added(net, m, total, last)


JOINS: dict[str, Callable[..., Any]] = {
    **classes_of("conv", {"Concat": concat}),
    **classes_of("block", {"CBLinear": cb_linear, "CBFuse": cb_fuse}),
}
