"""Attention as Ultralytics' networks have it: over all positions (YOLOv10, YOLO11, YOLO26) or over areas (YOLO12)."""

from __future__ import annotations

from ...graph.form import Value
from ...graph.record import Recorder
from ..torch.module import Function, Module
from .blocks import added, chain, classes_of, halves, joined, sub


def attention(net: Recorder, m: Module, x: Value) -> Value:
    """Each position takes from all others, and its place from a convolution of what is taken (Wang et al. 2024)."""
    heads, key, size = m.whole("num_heads"), m.whole("key_dim"), m.whole("head_dim")
    y = sub(net, m, "qkv", x)
    m.fits(y.channels, heads * (2 * key + size), "channels", "通道")
    batch, _, height, width = y.shape
    parts = net.reshape(y, (batch, heads, 2 * key + size, _product(height, width)), f"{m.path}.heads")
    found, value = attended(net, m, parts, key, m.number("scale", key**-0.5))
    shape = (batch, heads * size, height, width)
    place = sub(net, m, "pe", net.reshape(value, shape, f"{m.path}.values"))
    return sub(net, m, "proj", added(net, m, net.reshape(found, shape, f"{m.path}.found"), place))


def attended(net: Recorder, m: Module, parts: Value, key: int, scale: float) -> tuple[Value, Value]:
    """(N, heads, 2 * key + size, positions): what is found, and the values, both (N, heads, size, positions)."""
    batch, heads, channels, count = parts.shape
    assert isinstance(channels, int)
    name, size = m.path, channels - 2 * key
    q, k, v = (
        net.slice(parts, 2, start, stop, f"{name}.{role}")
        for role, start, stop in (("q", 0, key), ("k", key, 2 * key), ("v", 2 * key, channels))
    )
    scaled = net.op("Mul", f"{name}.scaled", [q, net.number(scale, name)], q.shape)
    rows = net.transpose(scaled, (0, 1, 3, 2), f"{name}.queries")
    weights = net.softmax(net.matmul(rows, k, f"{name}.likeness"), -1, f"{name}.weights")
    taken = net.matmul(weights, net.transpose(v, (0, 1, 3, 2), f"{name}.taken"), f"{name}.sums")
    assert taken.shape == (batch, heads, count, size)
    return net.transpose(taken, (0, 1, 3, 2), f"{name}.attended"), v


def area_attention(net: Recorder, m: Module, x: Value) -> Value:
    """The same within each of `area` strips of the positions (Tian et al. 2025)."""
    areas, heads, size = m.whole("area"), m.whole("num_heads"), m.whole("head_dim")
    y = sub(net, m, "qkv", x)
    m.fits(y.channels, 3 * heads * size, "channels", "通道")
    batch, _, height, width = y.shape
    positions = _product(height, width)
    if positions % areas:
        raise m.refuse(f"{positions} positions in {areas} areas", f"{positions} 个位置无法分成 {areas} 个区域")
    each = positions // areas
    parts = net.reshape(y, (batch, heads, 3 * size, areas, each), f"{m.path}.areas")
    parts = net.transpose(parts, (0, 3, 1, 2, 4), f"{m.path}.by_area")
    parts = net.reshape(parts, (batch, areas * heads, 3 * size, each), f"{m.path}.heads")
    found, value = attended(net, m, parts, size, size**-0.5)

    def put_back(taken: Value, name: str) -> Value:
        taken = net.reshape(taken, (batch, areas, heads, size, each), f"{name}.areas")
        taken = net.transpose(taken, (0, 2, 3, 1, 4), f"{name}.by_head")
        return net.reshape(taken, (batch, heads * size, height, width), name)

    place = sub(net, m, "pe", put_back(value, f"{m.path}.values"))
    return sub(net, m, "proj", added(net, m, put_back(found, f"{m.path}.found"), place))


def _product(*sizes: int | str) -> int:
    count = 1
    for size in sizes:
        assert isinstance(size, int)  # of feature maps; only the batch is ever free
        count *= size
    return count


# -- blocks of it ------------------------------------------------------------------------------------------------------


def psa_block(net: Recorder, m: Module, x: Value) -> Value:
    """Attention, then two 1x1 convolutions; each is added to its input where the block says `add`."""
    for name in ("attn", "ffn"):
        y = sub(net, m, name, x)
        x = added(net, m, x, y) if m.flag("add", True) else y
    return x


def psa(net: Recorder, m: Module, x: Value) -> Value:
    """The second half of the channels through one such block (YOLOv10)."""
    first, second = halves(net, m, sub(net, m, "cv1", x))
    return sub(net, m, "cv2", joined(net, m, [first, psa_block(net, m, second)]))


def c2_psa(net: Recorder, m: Module, x: Value) -> Value:
    """The second half of the channels through several (YOLO11)."""
    first, second = halves(net, m, sub(net, m, "cv1", x))
    return sub(net, m, "cv2", joined(net, m, [first, sub(net, m, "m", second)]))


def area_block(net: Recorder, m: Module, x: Value) -> Value:
    """Attention and two 1x1 convolutions, each added to its input."""
    for name in ("attn", "mlp"):
        x = added(net, m, x, sub(net, m, name, x))
    return x


def a2_c2f(net: Recorder, m: Module, x: Value) -> Value:
    """Blocks in line, of which all results are kept; larger networks add a share of it to the input (YOLO12)."""
    first = sub(net, m, "cv1", x)
    y = sub(net, m, "cv2", joined(net, m, [first, *chain(net, m.child("m").children(), first)]))
    if not m.has("gamma"):
        return y
    m.fits(y.channels, (m.parameter_shape("gamma") or (0,))[0], "channels", "通道")
    gamma = net.param(f"{m.path}.gamma", (y.channels,), (1, y.channels, 1, 1))
    return added(net, m, x, net.op("Mul", f"{m.path}.share", [gamma, y], y.shape))


ATTENTION: dict[str, Function] = classes_of(
    "block",
    {
        "Attention": attention,
        "AAttn": area_attention,
        "PSABlock": psa_block,
        "PSA": psa,
        "C2PSA": c2_psa,
        "ABlock": area_block,
        "A2C2f": a2_c2f,
    },
)
