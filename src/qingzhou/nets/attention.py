"""What transformers share: attention of several heads, and the two layers after it."""

from __future__ import annotations

from ..graph.form import Value
from ..graph.record import Recorder

# Width -> heads of the published vision transformers; no file says them. All others have 64 features in each.
HEADS = {1152: 16, 1280: 16, 1408: 16}


def heads_of(width: int) -> int:
    """As many as networks of this width have; 0 where that is not known."""
    return HEADS.get(width) or (width // 64 if width % 64 == 0 else 0)


def attention(net: Recorder, key: str, x: Value, heads: int, bias: str = "", apart: bool = False) -> Value:
    """(N, L, C) -> the same; `bias` (1, heads, L, L) is added to the scores. `key`.qkv gives queries, keys and values,
    or with `apart` three layers do.
    """
    batch, length, width = x.shape[0], x.shape[1], net.last(x)
    each = width // heads
    query, keys, values = (apart_of if apart else together)(net, key, x, heads)
    small = net.op("Mul", f"{key}.scaled", [query, net.number(each**-0.5, f"{key}.scaled")], query.shape)
    scores = product(net, f"{key}.scores", small, net.transpose(keys, (0, 1, 3, 2), f"{key}.turned"))
    if bias:
        scores = net.op("Add", f"{key}.biased", [scores, bias], scores.shape)
    x = product(net, f"{key}.mixed", net.softmax(scores, -1, f"{key}.softmax"), values)
    x = net.reshape(net.transpose(x, (0, 2, 1, 3), f"{key}.joined"), (batch, length, width), f"{key}.join")
    return net.linear(f"{key}.proj", x, width)


def together(net: Recorder, key: str, x: Value, heads: int) -> list[Value]:
    """Queries, keys and values (N, heads, L, C / heads) of one layer."""
    (batch, length), width = x.shape[:2], net.last(x)
    x = net.reshape(net.linear(f"{key}.qkv", x, 3 * width), (batch, length, 3, heads, width // heads), f"{key}.split")
    x = net.transpose(x, (2, 0, 3, 1, 4), f"{key}.heads")
    return [net.select(x, 0, i, f"{key}.{name}") for i, name in enumerate("qkv")]


def apart_of(net: Recorder, key: str, x: Value, heads: int) -> list[Value]:
    """The same of three."""
    (batch, length), width, found = x.shape[:2], net.last(x), []
    for name in ("query", "key", "value"):
        y = net.reshape(
            net.linear(f"{key}.{name}", x, width), (batch, length, heads, width // heads), f"{key}.{name}.split"
        )
        found.append(net.transpose(y, (0, 2, 1, 3), f"{key}.{name}.heads"))
    return found


def product(net: Recorder, key: str, a: Value, b: Value) -> Value:
    """Of the matrices in the last two axes."""
    return net.op("MatMul", key, [a, b], (*a.shape[:-1], b.shape[-1]))


def mlp(net: Recorder, keys: tuple[str, str], x: Value, inner: int) -> Value:
    """(..., C) -> the same, through `inner` features and GELU."""
    wide = net.act("gelu", net.linear(keys[0], x, inner), keys[0])
    return net.linear(keys[1], wide, net.last(x))


def scaled(net: Recorder, key: str, x: Value) -> Value:
    """Each feature of the last axis times a trained number."""
    return net.op("Mul", f"{key}.scaled", [x, net.param(key, (net.last(x),))], x.shape)
