"""TimeDistributed: a layer or a model for each step by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph.form import Value
from ..aten.axes import sizes_of, view
from .layer import KerasNet, Kind, Layer
from .masks import carried, mask_of, values_in
from .model import MODELS, Planner

# Layers that do the same to each number, or along the last axis: the steps need not be laid together for them.
PLAIN = ("Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "GaussianNoise", "GaussianDropout", "Identity")


def time_distributed(t: KerasNet, layer: Layer, x: Any) -> Any:
    """(N, T, …): the samples and the steps are laid in one row, and taken apart again."""
    entry = layer.get("layer")
    if not isinstance(entry, Mapping) or not isinstance(x, Value) or len(x.shape) < 3:
        raise layer.refuse("it is not called on one tensor with steps", "调用时不是一个带时间步的张量")
    inner = layer.inner(entry, "layer")
    given = layer.call.get("mask")
    mask = given if isinstance(given, Value) else mask_of(t, x)
    if inner.kind in PLAIN and (t.age == 2 or inner.kind != "Embedding"):
        return carried(t, t.run_layer(inner, x), [mask])
    batch, length = sizes_of(t, x)[:2]
    flat = view(t, x, (-1, *sizes_of(t, x)[2:]))
    if mask is not None:
        t.masks[flat.name] = view(t, mask, (-1, *sizes_of(t, mask)[2:]))
    if inner.kind in MODELS:
        plan = Planner(t.weights, t.age).plan(entry, inner.place)
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


WRAPPED: dict[str, Kind] = {"TimeDistributed": Kind(time_distributed, "own")}
