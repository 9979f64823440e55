"""MultiHeadAttention, GroupedQueryAttention, Attention and AdditiveAttention.

Which masks act is decided as in the version of Keras that wrote the file: those of query, value and key that are
carried with them, attention_mask, use_causal_mask and sliding_window, all of which have to allow a pair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.form import Value
from ..aten.axes import permute, sizes_of, unsqueeze, view
from ..aten.making import arange
from .basic import times, weights
from .layer import KerasNet, Kind, Layer
from .masks import TAKEN_SINCE, ZERO_SINCE, as_bool, carried, ends_at_lists, mask_of, steps_mask, values_in

LOW, FUSED_LOW = -1e9, float(np.float32(-0.7) * np.finfo(np.float32).max)
FUSED_SINCE = (3, 7)


def _inputs(layer: Layer, x: Any) -> tuple[Value, Value, Value, bool]:
    """query, value, key, and whether a key was given."""
    call, given = dict(layer.call), [x, *layer.more]
    names = ("query", "value", "key")
    for name, one in zip(names, given, strict=False):
        if one is not None:
            call.setdefault(name, one)
    if isinstance(x, (list, tuple)) and "value" not in call:  # Keras 2 may give all in a row
        call |= dict(zip(names, x, strict=False))
    query, value, key = (call.get(name) for name in names)
    if not isinstance(query, Value) or not isinstance(value, Value):
        raise layer.refuse("its query or value is none of the network's tensors", "query 或 value 不是网络中的张量")
    return query, value, key if isinstance(key, Value) else value, isinstance(key, Value)


def _argument(layer: Layer, name: str, place: int) -> Any:
    """An argument of the call by its name, or at its place: query, value, key, query_mask, …"""
    found = layer.call.get(name)
    if found is None and len(layer.more) >= place:
        found = layer.more[place - 1]
    return found


def _projected(t: KerasNet, layer: Layer, x: Value, at: str, biased: bool) -> Value:
    """(…, d) -> (…, heads, dim)."""
    kernel, *bias = weights(t, layer, ("kernel", "bias") if biased else ("kernel",), at)
    if len(kernel.shape) != 3 or kernel.shape[0] != x.shape[-1]:
        raise layer.refuse(
            f"the {at} has the shape {list(kernel.shape)}, and its input {list(x.shape)}",
            f"{at} 的形状为 {list(kernel.shape)}，输入形状为 {list(x.shape)}",
        )
    d, heads, dim = (int(n) for n in kernel.shape)
    flat = t.emit("Reshape", [kernel, t.whole(d, heads * dim)])
    row = t.emit("Reshape", [bias[0], t.whole(heads * dim)]) if bias else None
    return view(t, times(t, x, flat, row), (*sizes_of(t, x)[:-1], heads, dim))


def _repeated(t: KerasNet, x: Value, repeats: int) -> Value:
    """(N, T, heads, dim), each head as often as there are heads of queries that it serves."""
    heads = t.array(np.repeat(np.arange(int(x.shape[2])), repeats))
    return x if repeats == 1 else t.emit("Gather", [x, heads], axis=2)


def _output(t: KerasNet, layer: Layer, x: Value, biased: bool) -> Value:
    """(…, heads, dim) -> (…, *output_shape)."""
    kernel, *bias = weights(t, layer, ("kernel", "bias") if biased else ("kernel",), "output_dense")
    heads, dim, *out = (int(n) for n in kernel.shape)
    wide = math.prod(out)
    flat = t.emit("Reshape", [kernel, t.whole(heads * dim, wide)])
    row = t.emit("Reshape", [bias[0], t.whole(wide)]) if bias else None
    found = times(t, view(t, x, (*sizes_of(t, x)[:-2], heads * dim)), flat, row)
    return found if len(out) == 1 else view(t, found, (*sizes_of(t, x)[:-2], *out))


def _counted(t: KerasNet, x: Value) -> Value:
    return arange(t, 0, t.size(x, 1), 1, None)


def _pairs(t: KerasNet, query: Value, value: Value) -> tuple[Value, Value]:
    """Positions of queries (T, 1) and of values (1, S)."""
    return unsqueeze(t, _counted(t, query), 1), unsqueeze(t, _counted(t, value), 0)


def _causal(t: KerasNet, query: Value, value: Value) -> Value:
    """(1, T, S): no position sees a later one."""
    rows, columns = _pairs(t, query, value)
    return unsqueeze(t, t.emit("Not", [t.emit("Less", [rows, columns])]), 0)


def _window(t: KerasNet, query: Value, value: Value, width: int) -> Value:
    """(1, T, S): positions that are nearer than the width."""
    rows, columns = _pairs(t, query, value)
    far = t.emit("Abs", [t.emit("Sub", [rows, columns])])
    return unsqueeze(t, t.emit("Less", [far, t.scalar(width, "int64")]), 0)


def _both(t: KerasNet, masks: Sequence[Value | None]) -> Value | None:
    known = [mask for mask in masks if mask is not None]
    found = known[0] if known else None
    for mask in known[1:]:
        assert found is not None
        found = t.emit("And", [found, mask])
    return found


def _allowed(
    t: KerasNet, layer: Layer, query: Value, value: Value, key: Value | None, taken: bool
) -> tuple[Value | None, Value | None]:
    """What may see what, (N, T, S), and the mask of the queries."""
    given = [_argument(layer, f"{name}_mask", place) for name, place in (("query", 3), ("value", 4), ("key", 5))]
    own = [mask_of(t, query), mask_of(t, value), None if key is None else mask_of(t, key)]
    if t.age == 2:
        given = [None] * 3  # there only those that are carried act
    of_query, of_value, of_key = (
        steps_mask(t, layer, mask if one is None else one) for one, mask in zip(given, own, strict=True)
    )
    if taken:
        of_query = steps_mask(t, layer, own[0])
    explicit = _argument(layer, "attention_mask", 6 if t.age == 3 else 3)
    if explicit is not None and not isinstance(explicit, Value):
        raise layer.refuse("its attention_mask is none of the network's tensors", "attention_mask 不是网络中的张量")
    causal = bool(_argument(layer, "use_causal_mask", 9 if t.age == 3 else 6))
    window = layer.get("sliding_window")
    parts = [
        None if of_query is None else unsqueeze(t, of_query, 2),
        None if of_value is None else unsqueeze(t, of_value, 1),
        None if of_key is None else unsqueeze(t, of_key, 1),
        _causal(t, query, value) if causal else None,
        _window(t, query, value, int(window)) if window else None,
    ]
    if isinstance(explicit, Value):
        explicit = as_bool(t, explicit)
        automatic = _both(t, parts)
        if automatic is not None:
            for _ in range(len(automatic.shape) - len(explicit.shape)):
                explicit = unsqueeze(t, explicit, 0)
        return _both(t, [explicit, automatic]), of_query
    return _both(t, parts), of_query


def _softmax(t: KerasNet, scores: Value, mask: Value | None, fused: bool) -> Value:
    """Over the last axis. A row of which nothing may be seen: every version has its own way."""
    last = len(scores.shape) - 1
    if mask is None:
        return t.emit("Softmax", [scores], axis=last)
    if fused:
        return t.emit("Softmax", [t.emit("Where", [mask, scores, t.scalar(FUSED_LOW)])], axis=last)
    if t.age == 3 and t.version >= (3, 14):
        scores = t.emit("Where", [mask, scores, t.scalar(LOW)])
    else:
        zero = t.emit("Cast", [mask], to=1)
        adder = t.emit("Mul", [t.emit("Sub", [t.scalar(1.0), zero]), t.scalar(LOW)])
        scores = t.emit("Add", [scores, adder])
    found = t.emit("Softmax", [scores], axis=last)
    return t.emit("Where", [mask, found, t.scalar(0.0)]) if t.version >= ZERO_SINCE else found


def multi_head(t: KerasNet, layer: Layer, x: Any) -> Any:
    """softmax(q k^T / sqrt(key_dim)) v for each head, over one or several axes; Vaswani et al. 2017."""
    query, value, key, keyed = _inputs(layer, x)
    rank, biased = len(query.shape), layer.flag("use_bias", True)
    if not len(value.shape) == len(key.shape) == rank or rank < 3:
        raise layer.refuse(f"its query has the shape {list(query.shape)}", f"query 的形状为 {list(query.shape)}")
    axes = _axes(t, layer, query, rank)
    taken = t.version >= TAKEN_SINCE
    mask, of_query = _allowed(t, layer, query, value, key if keyed else None, taken)
    if taken:
        for one in (query, value, key):
            t.masks.pop(one.name, None)
    scoring = _wants_scores(layer)
    fused = t.version >= FUSED_SINCE and not layer.number("dropout", 0.0) and not scoring and rank == 3
    q = _projected(t, layer, query, "query_dense", biased)
    k = _projected(t, layer, key, "key_dense", biased)
    v = _projected(t, layer, value, "value_dense", biased)
    scale = t.scalar(1 / math.sqrt(layer.whole("key_dim")))
    out, soft = _attended(t, layer, t.emit("Mul", [q, scale]), k, v, mask, fused, axes)
    if layer.flag("use_gate"):
        out = t.emit("Mul", [out, t.emit("Sigmoid", [_projected(t, layer, query, "gate_dense", biased)])])
    found = _output(t, layer, out, biased)
    return carried(t, (found, soft), [of_query, None]) if scoring else carried(t, found, [of_query])


def _wants_scores(layer: Layer) -> bool:
    return bool(_argument(layer, "return_attention_scores", 7 if layer.age == 3 else 4))


def _axes(t: KerasNet, layer: Layer, x: Value, rank: int) -> tuple[int, ...]:
    found = layer.get("attention_axes")
    if found is None:
        return tuple(range(1, rank - 1))
    row = [found] if type(found) is int else found
    if not isinstance(row, (list, tuple)) or not all(type(n) is int for n in row):
        raise layer.garbled("attention_axes")
    axes = tuple(t.axis(x, n) for n in row)
    if not axes or len(set(axes)) < len(axes) or not all(0 < n < rank - 1 for n in axes):
        raise layer.garbled("attention_axes")
    return axes


def _attended(
    t: KerasNet, layer: Layer, q: Value, k: Value, v: Value, mask: Value | None, fused: bool, axes: tuple[int, ...]
) -> tuple[Value, Value]:
    """(N, …, heads, dim) each -> the same for the queries, and the weights (N, others, heads, …, …)."""
    rank = len(q.shape)
    others = tuple(i for i in range(1, rank - 2) if i not in axes)
    order = (0, *others, rank - 2, *axes, rank - 1)
    turned = [permute(t, one, order) for one in (q, k, v)]
    front = 2 + len(others)
    lengths = [sizes_of(t, one)[front:-1] for one in turned]
    if len(axes) > 1:
        if mask is not None:
            raise layer.refuse("it has a mask over several axes", "它在多个轴上带有掩码")
        if not all(isinstance(n, int) for each in lengths for n in each):
            raise layer.refuse("it attends over axes of free size", "注意力的轴大小不固定")
        turned = [
            view(t, one, (*sizes_of(t, one)[:front], math.prod(each), one.shape[-1]))  # type: ignore[arg-type]
            for one, each in zip(turned, lengths, strict=True)
        ]
    q, k, v = turned
    scores = t.emit("MatMul", [q, permute(t, k, (*range(front), front + 1, front))])
    if mask is not None:
        for _ in range(len(scores.shape) - len(mask.shape)):
            mask = unsqueeze(t, mask, len(mask.shape) - 2)
    soft = _softmax(t, scores, mask, fused)
    out = t.emit("MatMul", [soft, v])
    if len(axes) > 1:
        out = view(t, out, (*sizes_of(t, out)[:front], *lengths[0], v.shape[-1]))  # type: ignore[arg-type]
        soft = view(t, soft, (*sizes_of(t, soft)[:front], *lengths[0], *lengths[1]))
    back = tuple(order.index(i) for i in range(rank))
    return permute(t, out, back), soft


def grouped(t: KerasNet, layer: Layer, x: Any) -> Any:
    """GroupedQueryAttention: a head of keys and values serves several of queries; Ainslie et al. 2023."""
    query, value, key, keyed = _inputs(layer, x)
    biased, heads, groups = (
        layer.flag("use_bias", True),
        layer.whole("num_query_heads"),
        layer.whole("num_key_value_heads"),
    )
    if heads % groups or not len(query.shape) == len(value.shape) == len(key.shape) == 3:
        raise layer.garbled("num_query_heads")
    carried_on = mask_of(t, query)
    mask, _ = _allowed(t, layer, query, value, key if keyed else None, False)
    scoring = _wants_scores(layer)
    fused = t.version >= FUSED_SINCE and not layer.number("dropout", 0.0) and not scoring
    q = _projected(t, layer, query, "query_dense", biased)
    k = _repeated(t, _projected(t, layer, key, "key_dense", biased), heads // groups)
    v = _repeated(t, _projected(t, layer, value, "value_dense", biased), heads // groups)
    scale = t.scalar(1 / math.sqrt(layer.whole("head_dim")))
    out, soft = _attended(t, layer, t.emit("Mul", [q, scale]), k, v, mask, fused, (1,))
    if layer.flag("use_gate"):
        out = t.emit("Mul", [out, t.emit("Sigmoid", [_projected(t, layer, query, "gate_dense", biased)])])
    found = _output(t, layer, out, biased)
    return carried(t, (found, soft), [carried_on, None]) if scoring else carried(t, found, [carried_on])


# -- without weights of its own ---------------------------------------------------------------------------------------


def attention(additive: bool) -> Any:
    """Luong's and Bahdanau's: [query, value] or [query, value, key]."""

    def run(t: KerasNet, layer: Layer, x: Any) -> Any:
        xs = values_in(x)
        if not 2 <= len(xs) <= 3 or len({len(one.shape) for one in xs}) > 1 or len(xs[0].shape) < 3:
            raise layer.refuse(
                "it is not called on [query, value] or [query, value, key]",
                "调用时不是 [query, value] 或 [query, value, key]",
            )
        q, v, k = xs[0], xs[1], xs[-1] if len(xs) > 2 else xs[1]
        given = layer.call.get("mask")
        if given is None and layer.more:
            given = layer.more[0]
        masks = list(given) if isinstance(given, (list, tuple)) else [mask_of(t, one) for one in xs]
        of_query, of_value = ([*masks, None, None])[:2]
        if given is not None and not isinstance(given, (list, tuple)):
            raise layer.garbled("mask")
        scores = _added(t, layer, q, k) if additive else _scored(t, layer, q, k)
        out, soft = _weighed(t, layer, scores, v, q, of_query, of_value)
        kept = None if ends_at_lists(t) else of_query
        if layer.call.get("return_attention_scores"):
            return carried(t, (out, soft), [kept, None])
        return carried(t, out, [kept])

    return run


def _weighed(
    t: KerasNet, layer: Layer, scores: Value, v: Value, q: Value, of_query: Any, of_value: Any
) -> tuple[Value, Value]:
    rank = len(q.shape)
    of_query, of_value = (steps_mask(t, layer, one) for one in (of_query, of_value))
    if rank != 3 and (of_query is not None or of_value is not None):
        raise layer.refuse(
            f"it has a mask and a query of {list(q.shape)}", f"它带有掩码，query 的形状为 {list(q.shape)}"
        )
    causal = bool(layer.call.get("use_causal_mask")) or layer.flag("causal")
    if causal and rank != 3:
        raise layer.refuse(
            f"it is causal with a query of {list(q.shape)}", f"它是因果的，query 的形状为 {list(q.shape)}"
        )
    allowed = _both(t, [None if of_value is None else unsqueeze(t, of_value, 1), _causal(t, q, v) if causal else None])
    if allowed is not None:
        scores = t.emit("Where", [allowed, scores, t.emit("Sub", [scores, t.scalar(1e9)])])
    soft = t.emit("Softmax", [scores], axis=rank - 1)
    out = t.emit("MatMul", [soft, v])
    if of_query is not None:
        out = t.emit("Where", [unsqueeze(t, of_query, 2), out, t.scalar(0.0)])
    return out, soft


def _scored(t: KerasNet, layer: Layer, q: Value, k: Value) -> Value:
    """dot, or concat: the sum over tanh(q + k)."""
    rank, mode = len(q.shape), layer.text("score_mode", "dot")
    roles = [*(["scale"] if layer.flag("use_scale") else []), *(["concat_score_weight"] if mode == "concat" else [])]
    numbers = layer.tensors(t, *roles) if roles else []
    scale = numbers[0] if layer.flag("use_scale") else None
    if mode == "dot":
        scores = t.emit("MatMul", [q, permute(t, k, (*range(rank - 2), rank - 1, rank - 2))])
        return scores if scale is None else t.emit("Mul", [scores, scale])
    if mode != "concat":
        raise layer.garbled("score_mode")
    sums = _each_pair(t, q, k)
    tanh = t.emit("Tanh", [sums if scale is None else t.emit("Mul", [sums, scale])])
    return t.emit("Mul", [t.emit("ReduceSum", [tanh, t.whole(rank)], keepdims=0), numbers[-1]])


def _each_pair(t: KerasNet, q: Value, k: Value) -> Value:
    rank = len(q.shape)
    return t.emit("Add", [unsqueeze(t, q, rank - 1), unsqueeze(t, k, rank - 2)])


def _added(t: KerasNet, layer: Layer, q: Value, k: Value) -> Value:
    """The sum over scale * tanh(q + k)."""
    tanh = t.emit("Tanh", [_each_pair(t, q, k)])
    if layer.flag("use_scale", True):
        (scale,) = layer.tensors(t, "scale")
        tanh = t.emit("Mul", [tanh, scale])
    return t.emit("ReduceSum", [tanh, t.whole(len(q.shape))], keepdims=0)


ATTENTION: dict[str, Kind] = {
    "MultiHeadAttention": Kind(multi_head, "own"), "GroupedQueryAttention": Kind(grouped, "own"),
    "GroupQueryAttention": Kind(grouped, "own"), "Attention": Kind(attention(False), "own"),
    "AdditiveAttention": Kind(attention(True), "own"),
}  # fmt: skip
