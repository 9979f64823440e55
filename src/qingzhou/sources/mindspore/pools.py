"""Windows without weights: poolings, also those that MindSpore spells with three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.form import Dim, Value
from ...graph.window import adaptive_means
from .layers import Pads, channels_first, ends, onnx_pads, padding, pairs
from .refuse import garbled
from .walk import Call, Step

SPATIAL = {4: 2, 5: 3}


def pooled(c: Call, op: str, x: Value, kernel: Sequence[int], pads: Pads | None, **attrs: Any) -> Value:
    """One operator over (N, C, *sizes)."""
    where = {"auto_pad": "SAME_UPPER"} if pads is None else {"pads": onnx_pads(pads)}
    return c.t.emit(op, [x], kernel_shape=tuple(kernel), **where, **attrs)


def _window(c: Call, x: Value, kernel: Sequence[int], strides: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    dims = SPATIAL.get(len(x.shape), 0)
    if not dims:
        raise garbled(f"a pooling reads {list(x.shape)}", f"池化的输入是 {list(x.shape)}")
    return ends(kernel, dims), ends(strides, dims), (1,) * dims


def simple(op: str) -> Step:
    """MaxPool, AvgPool and MaxPool3D: SAME or VALID; what is padded counts for nothing."""

    def step(c: Call) -> Value:
        channels_first(c)
        x = c.x()
        window = _window(c, x, c.ints(1, "kernel_size", 1), c.ints(2, "strides", 1))
        pads = padding(c, c.get(3, "pad_mode", "VALID"), x.shape[2:], window, c.node.attrs.get("pad_list", 0))
        ceil = bool(c.node.attrs.get("ceil_mode") or 0)
        counted = {"count_include_pad": 0} if op == "AveragePool" else {}
        return pooled(c, op, x, window[0], pads, strides=window[1], ceil_mode=int(ceil), **counted)

    return step


def max_pool_with_places(c: Call) -> tuple[Any, ...]:
    """MaxPoolWithArgmaxV2 and MaxPool3DWithArgmax: the numbers, and where they were, which is not known here."""
    x, attrs = c.x(), c.node.attrs
    dims = SPATIAL.get(len(x.shape), 0)
    kernel = c.ints(99, "kernel_size" if "kernel_size" in attrs else "ksize", 1)
    kernels, strides, _ = _window(c, x, kernel, c.ints(99, "strides", 1))
    dilations = ends(c.ints(99, "dilation", 1), dims)
    row = tuple(c.ints(99, "pads", 0))[-dims:]
    pads = pairs(row, dims)
    ceil = int(bool(attrs.get("ceil_mode")))
    return (pooled(c, "MaxPool", x, kernels, pads, strides=strides, dilations=dilations, ceil_mode=ceil), None)


def max_pool_with_mask(c: Call) -> tuple[Any, ...]:
    """MaxPoolWithArgmax: SAME or VALID."""
    return (simple("MaxPool")(c), None)


def avg_pool_3d(c: Call) -> Value:
    """AvgPool3D: what is padded may count, and another number may be divided by."""
    channels_first(c)
    x, attrs = c.x(), c.node.attrs
    window = _window(c, x, c.ints(99, "kernel_size", 1), c.ints(99, "strides", 1))
    told = attrs.get("pad_list") if -1 not in (attrs.get("pad_list") or (-1,)) else attrs.get("pad", 0)
    pads = padding(c, attrs.get("pad_mode", "VALID"), x.shape[2:], window, told)
    counted, ceil = bool(attrs.get("count_include_pad", True)), bool(attrs.get("ceil_mode"))
    divisor = int(attrs.get("divisor_override") or 0)
    flags: dict[str, Any] = {"strides": window[1], "ceil_mode": int(ceil)}
    if pads is None or not divisor:
        return pooled(c, "AveragePool", x, window[0], pads, count_include_pad=int(counted), **flags)
    c.only(not ceil, "its pooling rounds up and has a divisor of its own", "池化同时使用 ceil_mode 和 divisor_override")
    found = pooled(c, "AveragePool", x, window[0], pads, count_include_pad=1, **flags)
    size = 1
    for n in window[0]:
        size *= n
    return c.t.emit("Mul", [found, c.t.scalar(size / divisor)])


def _wished(c: Call, x: Value, sizes: Sequence[int]) -> list[Dim]:
    """The sizes of the result; -1 keeps that of x."""
    dims = len(x.shape) - 2
    row = list(sizes) if len(sizes) == dims else list(sizes) * dims
    if dims not in (1, 2, 3) or len(row) != dims or not all(n == -1 or 1 <= n < 1 << 16 for n in row):
        raise garbled(f"it pools {list(x.shape)} to {list(sizes)}", f"它把 {list(x.shape)} 池化到 {list(sizes)}")
    return [x.shape[i + 2] if n == -1 else n for i, n in enumerate(row)]


def adaptive_means_of(c: Call) -> Value:
    """AdaptiveAvgPool2D and 3D: windows from floor(i n / m) to ceil((i + 1) n / m)."""
    x = c.x()
    wish = _wished(c, x, c.ints(1, "output_size", 1))
    if all(n == 1 for n in wish):
        return c.t.emit("GlobalAveragePool", [x])
    sizes = x.shape[2:]
    if list(sizes) == wish:
        return x
    whole = [(n, m) for n, m in zip(sizes, wish, strict=True) if isinstance(n, int) and isinstance(m, int)]
    if len(whole) == len(wish) and all(n % m == 0 for n, m in whole):
        kernel = tuple(n // m for n, m in whole)
        return c.t.emit("AveragePool", [x], kernel_shape=kernel, strides=kernel)
    for axis, (n, m) in enumerate(zip(sizes, wish, strict=True), start=2):
        if n != m:
            x = _means_along(c, x, axis, n, m)
    return x


def _means_along(c: Call, x: Value, axis: int, n: Dim, m: Dim) -> Value:
    """Along one axis: a product with the weight of each number in each mean."""
    if m == 1:
        return c.t.emit("ReduceMean", [x], axes=(axis,), keepdims=1)
    c.only(
        isinstance(n, int) and isinstance(m, int), "it pools a free size to a fixed one", "它把可变尺寸池化到固定尺寸"
    )
    assert isinstance(n, int) and isinstance(m, int)
    rank = len(x.shape)
    means = c.t.array(adaptive_means(n, m).T.copy())
    if axis == rank - 1:
        return c.t.emit("MatMul", [x, means])
    turned = [*(i for i in range(rank) if i != axis), axis]
    back = [turned.index(i) for i in range(rank)]
    return c.turned(c.t.emit("MatMul", [c.turned(x, turned), means]), back)


def adaptive_largest(c: Call) -> tuple[Any, ...]:
    """AdaptiveMaxPool2D and 3D: the same windows."""
    x = c.x()
    wish = _wished(c, x, c.ints(1, "output_size", 1))
    sizes = x.shape[2:]
    if all(n == 1 for n in wish):
        return (c.t.emit("GlobalMaxPool", [x]), None)
    for axis, (n, m) in enumerate(zip(sizes, wish, strict=True), start=2):
        if n == m:
            continue
        c.only(
            isinstance(n, int) and isinstance(m, int),
            "it pools a free size to a fixed one",
            "它把可变尺寸池化到固定尺寸",
        )
        assert isinstance(n, int) and isinstance(m, int)
        x = _largest_along(c, x, axis, n, m)
    return (x, None)


def _largest_along(c: Call, x: Value, axis: int, n: int, m: int) -> Value:
    dims = len(x.shape) - 2
    if n % m == 0:
        kernel = tuple(n // m if i + 2 == axis else 1 for i in range(dims))
        return c.t.emit("MaxPool", [x], kernel_shape=kernel, strides=kernel)
    rows = [(i * n // m, -(-(i + 1) * n // m)) for i in range(m)]
    parts = []
    for start, end in rows:
        cut = c.t.emit("Slice", [x, c.t.whole(start), c.t.whole(end), c.t.whole(axis), c.t.whole(1)])
        parts.append(c.t.emit("ReduceMax", [cut], axes=(axis,), keepdims=1))
    return c.t.emit("Concat", parts, axis=axis)


POOLS: dict[str, Step] = {
    "MaxPool": simple("MaxPool"), "AvgPool": simple("AveragePool"), "MaxPool3D": simple("MaxPool"),
    "AvgPool3D": avg_pool_3d, "MaxPoolWithArgmaxV2": max_pool_with_places, "MaxPool3DWithArgmax": max_pool_with_places,
    "MaxPoolWithArgmax": max_pool_with_mask, "AdaptiveAvgPool2D": adaptive_means_of,
    "AdaptiveAvgPool2DExt": adaptive_means_of, "AdaptiveAvgPool3D": adaptive_means_of,
    "AdaptiveMaxPool2D": adaptive_largest, "AdaptiveMaxPool3D": adaptive_largest,
}  # fmt: skip
