"""TimeDistributed: a layer or a model for each step by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import say
from ...files.refusals import short
from ...graph.form import Value
from ..aten.axes import sizes_of, view
from .basic import quantised
from .layer import KerasNet, Kind, Layer
from .masks import carried, mask_of, values_in
from .model import MODELS

# Layers that do the same to each number, or along the last axis: the steps need not be laid together for them.
PLAIN = ("Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "GaussianNoise", "GaussianDropout", "Identity")


def _of_scales(name: str) -> str:
    """findings/keras-quantised-time-distributed.sh."""
    name = short(name, 60)
    return say(
        en=f"{name}: Keras 3.15 forgets the scales of what it has quantised there, and answers with numbers some "
        "hundred times too large. Here they are used: the answers are those of the model before model.quantize().",
        zh=f"{name}：Keras 3.15 在这里会漏掉量化的缩放系数，结果大几百倍。"
        "这里用上了这些系数，结果与 model.quantize() 之前的模型一致。",
    )


def time_distributed(t: KerasNet, layer: Layer, x: Any) -> Any:
    """(N, T, …): the samples and the steps are laid in one row, and taken apart again."""
    entry = layer.get("layer")
    if not isinstance(entry, Mapping) or not isinstance(x, Value) or len(x.shape) < 3:
        raise layer.refuse("it is not called on one tensor with steps", "调用时不是一个带时间步的张量")
    inner = layer.inner(entry, "layer")
    if quantised(inner) and inner.kind not in MODELS:
        t.notes.append(_of_scales(layer.name))
    given = layer.call.get("mask")
    mask = given if isinstance(given, Value) else mask_of(t, x)
    if inner.kind in PLAIN and (t.age == 2 or inner.kind != "Embedding"):
        return carried(t, t.run_layer(inner, x), [mask])
    batch, length = sizes_of(t, x)[:2]
    flat = view(t, x, (-1, *sizes_of(t, x)[2:]))
    if mask is not None:
        t.masks[flat.name] = view(t, mask, (-1, *sizes_of(t, mask)[2:]))
    if inner.kind in MODELS:
        plan = t.planner.inner(inner, entry)
        here = t.here
        found = t.run_model(plan, [flat], f"{here}/")
        t.here = here
    else:
        found = values_in(t.run_layer(inner, flat))
    if len(found) != 1:
        raise layer.refuse(f"its layer gives {len(found)} results", f"它包装的层有 {len(found)} 个输出")
    out = view(t, found[0], (batch, length, *sizes_of(t, found[0])[1:]))
    made = mask_of(t, found[0]) if t.age == 2 else None
    if made is not None and made.name != getattr(t.masks.get(flat.name), "name", ""):
        mask = view(t, made, (batch, length, *sizes_of(t, made)[1:]))
    return carried(t, out, [mask])


def spectral_normalization(t: KerasNet, layer: Layer, x: Any) -> Any:
    """The layer inside: training has divided its kernel already; vector_u beside it is for the next step only."""
    entry = layer.get("layer")
    if not isinstance(entry, Mapping):
        raise layer.garbled("layer")
    return t.run_layer(layer.inner(entry, "layer"), x)


WRAPPED: dict[str, Kind] = {
    "TimeDistributed": Kind(time_distributed, "own"),
    "SpectralNormalization": Kind(spectral_normalization, "own"),
}
