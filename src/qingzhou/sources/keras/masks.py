"""Masks of padded steps: where they come from, what each layer makes of them, and steps that are skipped.

A mask is a bool (N, T) that Keras carries with a tensor. What becomes of it differs between versions of Keras, and the
one that wrote the file decides. A recurrent layer keeps its state and its output at a masked step, wherever that is:
`Skipped` moves the steps that count to the front, and takes from each result the one that was last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten.axes import cut, expand, sizes_of, squeeze_dims, unsqueeze
from ..aten.making import arange
from .layer import KerasNet, Kind, Layer, plain_value

OR_SINCE, HIDDEN_SINCE, TAKEN_SINCE, ZERO_SINCE = (3, 4), (3, 6), (3, 8), (3, 10)


def values_in(x: Any) -> list[Value]:
    """The tensors in arguments."""
    if isinstance(x, Value):
        return [x]
    if isinstance(x, (list, tuple)):
        return [one for part in x for one in values_in(part)]
    return [one for part in x.values() for one in values_in(part)] if isinstance(x, Mapping) else []


def mask_of(t: KerasNet, x: Any) -> Value | None:
    """The mask that a tensor carries."""
    return t.masks.get(x.name) if isinstance(x, Value) else None


def steps_mask(t: KerasNet, layer: Layer, mask: Any) -> Value | None:
    """A mask of steps, as bool (N, T); UnsupportedCheckpoint for any other."""
    if mask is None:
        return None
    if not isinstance(mask, Value) or len(mask.shape) != 2:
        shown = list(mask.shape) if isinstance(mask, Value) else "none of the network"
        raise layer.refuse(
            f"its mask has the shape {shown}, and what it does with such a one is not known here",
            f"它的掩码形状为 {shown}，这里不清楚如何处理",
        )
    return as_bool(t, mask)


def as_bool(t: KerasNet, mask: Value) -> Value:
    """Numbers as truths: all but 0 are true."""
    return mask if mask.dtype == "bool" else t.emit("Cast", [mask], to=9)


def flipped(t: KerasNet, x: Value, axis: int = 1) -> Value:
    """The steps from the last to the first."""
    return t.emit("Slice", [x, t.whole(-1), t.whole(-(2**31)), t.whole(axis), t.whole(-1)], x.shape)


def any_of(t: KerasNet, truths: Value, keep: bool) -> Value:
    """Whether one of the last axis is true."""
    numbers = t.emit("Cast", [truths], to=1)
    most = t.emit("ReduceMax", [numbers], axes=(len(truths.shape) - 1,), keepdims=int(keep))
    return t.emit("Greater", [most, t.scalar(0.5)])


def unlike(t: KerasNet, x: Value, value: float) -> Value:
    """x != value."""
    number = t.scalar(int(value), x.dtype) if x.dtype == "int64" else t.scalar(float(np.float32(value)))
    return t.emit("Not", [t.emit("Equal", [x, number])])


def masking(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Steps that are nothing but one value are masked, and become 0."""
    found: Any = layer.get("mask_value", 0.0)
    value = plain_value(found) if isinstance(found, Mapping) else found
    if isinstance(value, list) or len(x.shape) < 2:
        raise layer.garbled("mask_value")
    real = any_of(t, unlike(t, x, float(value)), keep=True)
    zero = t.scalar(0, "int64") if x.dtype == "int64" else t.scalar(0.0)
    out = t.emit("Where", [real, x, zero])
    t.masks[out.name] = squeeze_dims(t, real, (len(x.shape) - 1,))
    return out


# -- what becomes of a mask ------------------------------------------------------------------------------------------


def ends_at_lists(t: KerasNet) -> bool:
    """The first versions of Keras 3 carry no mask behind a layer that is called on a list."""
    return t.age == 3 and t.version < OR_SINCE


def merged_mask(t: KerasNet, layer: Layer, xs: Any) -> Value | None:
    """Of Add and its like. Since Keras 3.4 a step is real where it is for one of them, and only if all have a mask; in
    Keras 2 where it is for all that have one.
    """
    if ends_at_lists(t):
        return None
    masks = [mask_of(t, x) for x in xs] if isinstance(xs, (list, tuple)) else [mask_of(t, xs)]
    known = [mask for mask in masks if mask is not None]
    newer = t.version >= OR_SINCE
    if not known or (newer and len(known) < len(masks)):
        return None
    found = known[0]
    for mask in known[1:]:
        if mask.name != found.name:
            found = t.emit("Or" if newer else "And", [found, mask])
    return found


def merged_under(op: str, plain: Callable[[KerasNet, Layer, Any], Value]) -> Callable[[KerasNet, Layer, Any], Value]:
    """Multiply, Maximum and Minimum: since Keras 3.6 a hidden step of one of them leaves that of the other as it is."""

    def run(t: KerasNet, layer: Layer, xs: Any) -> Value:
        masks = [mask_of(t, x) for x in xs] if isinstance(xs, (list, tuple)) else []
        if t.version < HIDDEN_SINCE or not any(masks):
            return plain(t, layer, xs)
        rank = len(xs[0].shape)
        if any(
            len(x.shape) != rank or (mask and len(mask.shape) != rank - 1) for x, mask in zip(xs, masks, strict=True)
        ):
            raise _unknown(layer)
        wide = [None if mask is None else unsqueeze(t, mask, len(mask.shape)) for mask in masks]
        return (_product if op == "Mul" else _extreme(op))(t, xs, wide)

    return run


def _product(t: KerasNet, xs: Sequence[Value], masks: Sequence[Value | None]) -> Value:
    found, real = xs[0], masks[0]
    for i, (x, mask) in enumerate(zip(xs, masks, strict=True)):
        one = x if mask is None else t.emit("Where", [mask, x, t.scalar(1.0)])
        found = one if i == 0 else t.emit("Mul", [found, one])
        real = mask if i == 0 else None if real is None or mask is None else t.emit("Or", [real, mask])
    return found if real is None else t.emit("Where", [real, found, t.scalar(0.0)])


def _extreme(op: str) -> Callable[[KerasNet, Sequence[Value], Sequence[Value | None]], Value]:
    def run(t: KerasNet, xs: Sequence[Value], masks: Sequence[Value | None]) -> Value:
        found, real = xs[0], masks[0]
        for x, mask in zip(xs[1:], masks[1:], strict=True):
            one = x if mask is None else t.emit("Where", [mask, x, found])
            found = found if real is None else t.emit("Where", [real, found, one])
            real = None if real is None or mask is None else t.emit("Or", [real, mask])
            found = t.emit(op, [found, one])
        return found

    return run


def joined_mask(t: KerasNet, layer: Layer, xs: Any) -> Value | None:
    """Of Concatenate: along the last axis as of Add, but what has no mask counts as real; along the steps in turn."""
    if ends_at_lists(t):
        return None
    if not isinstance(xs, (list, tuple)) or not any(mask_of(t, x) for x in xs):
        return None if not isinstance(xs, Value) else mask_of(t, xs)
    axis, rank, newer = t.axis(xs[0], layer.get("axis", -1)), len(xs[0].shape), t.version >= OR_SINCE
    masks = [mask_of(t, x) for x in xs]
    known = [mask for mask in masks if mask is not None]
    if any(len(mask.shape) != rank - 1 for mask in known):
        raise _unknown(layer)
    if axis == rank - 1:
        if newer and len(known) < len(masks):
            return t.emit("Or", [known[0], t.emit("Not", [known[0]])])
        found = known[0]
        for mask in known[1:]:
            found = t.emit("Or" if newer else "And", [found, mask])
        return found
    if len(known) < len(masks) and not newer:  # there Keras itself joins what does not fit, unless it is one wide
        raise _unknown(layer)
    whole = [_all_true(t, x) if mask is None else mask for x, mask in zip(xs, masks, strict=True)]
    return t.emit("Concat", whole, axis=axis)


def _all_true(t: KerasNet, x: Value) -> Value:
    return expand(t, t.array(np.ones((1,) * (len(x.shape) - 1), bool)), sizes_of(t, x)[:-1])


def _unknown(layer: Layer) -> Exception:
    return layer.refuse(
        "a mask of padded steps (mask_zero, Masking) reaches it, and what it does with one is not known here",
        "填充步的掩码（mask_zero、Masking）传到了它，这里不清楚它如何处理掩码",
    )


RULES: Mapping[str, Callable[[KerasNet, Layer, Any], Value | None]] = {
    "pass": lambda t, layer, x: mask_of(t, next(iter(values_in(x)), None)),
    "drop": lambda t, layer, x: None,
    "three": lambda t, layer, x: mask_of(t, next(iter(values_in(x)), None)),
    "new": lambda t, layer, x: mask_of(t, next(iter(values_in(x)), None)) if t.age == 3 else None,
    "merge": merged_mask,
    "join": joined_mask,
}


def masked(t: KerasNet, kind: Kind, layer: Layer, x: Any, run: Callable[[], Any]) -> Any:
    """One layer, and the mask that its result carries."""
    if kind.mask == "own":
        return run()
    given = values_in([x, layer.call, list(layer.more)])
    unknown = kind.mask == "refuse" or (kind.mask == "three" and t.age == 2)
    if unknown and any(one.name in t.masks for one in given):
        raise _unknown(layer)
    told = layer.call.get("mask")
    mask = told if isinstance(told, Value) and kind.mask in ("pass", "new", "three") else None
    if mask is None and kind.mask in RULES:
        mask = RULES[kind.mask](t, layer, x)
    found = run()
    return carried(t, found, [mask] * len(values_in(found)))


def carried(t: KerasNet, found: Any, masks: Sequence[Value | None]) -> Any:
    """The results with these masks, and no others: one that is an input, too, is a value of its own then."""
    if isinstance(found, (tuple, list)):
        return tuple(carried(t, one, [mask]) for one, mask in zip(found, masks, strict=True))
    mask = masks[0]
    if isinstance(found, Value) and t.masks.get(found.name) != mask:
        if found.name in t.masks:
            found = t.emit("Identity", [found])
        if mask is not None:
            t.masks[found.name] = mask
    return found


def average_of(t: KerasNet, layer: Layer, x: Value, plain: Callable[[KerasNet, Layer, Value], Value]) -> Value:
    """GlobalAveragePooling1D: the mean over the steps that count."""
    mask = steps_mask(t, layer, layer.call.get("mask") or mask_of(t, x))
    if mask is None:
        return plain(t, layer, x)
    axis, keep = (2 if layer.first else 1), int(layer.flag("keepdims"))
    wide = unsqueeze(t, mask, 1 if layer.first else 2)
    kept = t.emit("Where", [wide, x, t.scalar(0.0)])
    total = t.emit("ReduceSum", [kept, t.whole(axis)], keepdims=keep)
    count = t.emit("ReduceSum", [t.emit("Cast", [wide], to=1), t.whole(axis)], keepdims=keep)
    return t.emit("Div", [total, count])


# -- recurrent layers ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Skipped:
    """Steps of which some are skipped.

    mask   (N, T);  order: (N, T, 1), which step comes as the first, second, … of those that count, and then the rest
    counts (N, T), how many count up to a step
    """

    mask: Value
    order: Value
    counts: Value

    @classmethod
    def of(cls, t: KerasNet, mask: Value) -> Skipped:
        """Of any mask, with padding before, behind or between."""
        length = t.size(mask, 1)
        numbers = t.emit("Cast", [mask], to=1)
        if isinstance(length, int):
            falling = t.array(np.arange(length, 0, -1, dtype=np.float32)[None])
        else:
            rising = t.emit("Cast", [arange(t, 0, length, 1, None)], to=1)
            falling = t.emit("Sub", [t.emit("Cast", [length.value], to=1), rising])
        _, order = t.emits(
            "TopK",
            [t.emit("Mul", [numbers, falling]), t.as_row(length)],
            2,
            axis=1,
            largest=1,
            sorted=1,
        )
        order = Value(order.name, mask.shape, "int64")
        counts = t.emit("CumSum", [t.emit("Cast", [mask], to=7), t.scalar(1, "int64")])
        return cls(mask, unsqueeze(t, order, 2), counts)

    def gathered(self, t: KerasNet, x: Value) -> Value:
        """The steps that count first, (N, T, C)."""
        return t.emit("GatherND", [x, self.order], batch_dims=1)

    def padding(self, t: KerasNet) -> Value:
        """1 for the steps that are left over behind those, as float (N, T, 1)."""
        length = t.size(self.mask, 1)
        if isinstance(length, int):
            rising = t.array(np.arange(length, dtype=np.int64)[None])
        else:
            rising = unsqueeze(t, arange(t, 0, length, 1, None), 0)
        real = t.emit("Less", [rising, self.last_count(t)])
        return unsqueeze(t, t.emit("Cast", [t.emit("Not", [real])], to=1), 2)

    def last_count(self, t: KerasNet) -> Value:
        """How many count in all, (N, 1)."""
        return last_step(t, self.counts)

    def spread(self, t: KerasNet, y: Value, zero: bool) -> Value:
        """Results of the steps in order, for all steps: at one that is skipped the one before, or zeros."""
        found = self._picked(t, y, self.counts)
        real = self.mask if zero else t.emit("Greater", [self.counts, t.scalar(0, "int64")])
        return t.emit("Where", [unsqueeze(t, real, 2), found, t.scalar(0.0)])

    def last(self, t: KerasNet, y: Value, zero: bool) -> Value:
        """The result at the last step, (N, C)."""
        found = self.after(t, y, None)
        if not zero:
            return found
        return t.emit("Where", [last_step(t, self.mask), found, t.scalar(0.0)])

    def after(self, t: KerasNet, y: Value, before: Value | None) -> Value:
        """The state after the last step that counts, (N, C); `before`, or zeros, where none does."""
        count = self.last_count(t)
        found = squeeze_dims(t, self._picked(t, y, count), (1,))
        some = t.emit("Greater", [count, t.scalar(0, "int64")])
        return t.emit("Where", [some, found, t.scalar(0.0) if before is None else before])

    def _picked(self, t: KerasNet, y: Value, counts: Value) -> Value:
        place = t.emit("Max", [t.emit("Sub", [counts, t.scalar(1, "int64")]), t.scalar(0, "int64")])
        return t.emit("GatherND", [y, unsqueeze(t, place, 2)], batch_dims=1)


def last_step(t: KerasNet, x: Value) -> Value:
    """The last of (N, T, …), as (N, 1, …)."""
    length = t.size(x, 1)
    if isinstance(length, int):
        return cut(t, x, 1, length - 1, length)
    shape = (x.shape[0], 1, *x.shape[2:])
    return t.emit("Slice", [x, t.whole(-1), t.whole(2**31), t.whole(1)], shape)


MASKS: dict[str, Kind] = {"Masking": Kind(masking, "own")}
