"""Numbers picked by their place: gathered, sorted, turned round; and pictures in another size."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph.form import Array, Value
from ..recording.windows import nearest_places, resized
from .refuse import garbled, refused
from .walk import Call, Step, casted


def gather(c: Call) -> Value:
    """Gather(x, places, axis, batch_dims); places below zero count from the end, as in ONNX."""
    x, at = c.x(0), casted(c.t, c.x(1), "int64")
    axis = c.axis(int(c.number(2, "axis", 0)), len(x.shape))
    batch = int(c.number(3, "batch_dims", 0))
    if batch % max(len(at.shape), 1) == 0 and not batch:
        return c.t.emit("Gather", [x, at], axis=axis)
    if batch == 1 and axis == 1 and len(at.shape) == 2:
        return c.t.emit("GatherND", [x, c.t.emit("Unsqueeze", [at, c.t.whole(2)])], batch_dims=1)
    raise refused("it gathers within each sample (batch_dims)", "它在每个样本内部按索引取值（batch_dims）")


def embedding(c: Call) -> Value:
    """EmbeddingLookup(table, places, offset)."""
    c.only(int(c.number(2, "offset", 0)) == 0, "its table is a part of one (offset)", "查找表带有偏移")
    return c.t.emit("Gather", [c.x(0), casted(c.t, c.x(1), "int64")], axis=0)


def embedding_ext(c: Call) -> Value:
    """mint's Embedding(places, table)."""
    return c.t.emit("Gather", [c.x(1), casted(c.t, c.x(0), "int64")], axis=0)


def gather_along(c: Call) -> Value:
    """GatherD(x, axis, places): one of each row."""
    axis = c.axis(int(c.number(1, "dim", 0)), len(c.x(0).shape))
    return c.t.emit("GatherElements", [c.x(0), casted(c.t, c.x(2), "int64")], axis=axis)


def gather_nd(c: Call) -> Value:
    """Parts by their places along the first axes."""
    return c.t.emit("GatherND", [c.x(0), casted(c.t, c.x(1), "int64")])


def index_select(c: Call) -> Value:
    """IndexSelect(x, axis, places)."""
    axis = c.axis(int(c.number(1, "dim", 0)), len(c.x(0).shape))
    return c.t.emit("Gather", [c.x(0), casted(c.t, c.x(2), "int64")], axis=axis)


def one_hot(c: Call) -> Value:
    """OneHot(places, how many, on, off, axis)."""
    at, many = casted(c.t, c.x(0), "int64"), int(c.number(1, "depth"))
    below = c.t.emit("Less", [at, c.t.scalar(0, "int64")])  # which is no place here, and counts from the end in ONNX
    at = c.t.emit("Where", [below, c.t.scalar(many, "int64"), at])
    both = [c.t.emit("Reshape", [c.x(i), c.t.whole(1)]) for i in (3, 2)]
    axis = int(c.number(4, "axis", -1))
    return c.t.emit("OneHot", [at, c.t.whole(many), c.t.emit("Concat", both, axis=0)], axis=axis)


def scatter(c: Call) -> Value:
    """TensorScatterElements(x, places, updates, axis, reduction)."""
    x, at = c.x(0), casted(c.t, c.x(1), "int64")
    reduction = c.get(4, "reduction", 0)
    c.only(reduction in (0, "none"), "it adds up numbers at the same place", "它在同一位置累加数值")
    axis = c.axis(int(c.number(3, "axis", 0)), len(x.shape))
    return c.t.emit("ScatterElements", [x, at, c.x(2)], axis=axis)


def scatter_update(c: Call) -> Value:
    """TensorScatterUpdate(x, places, updates)."""
    return c.t.emit("ScatterND", [c.x(0), casted(c.t, c.x(1), "int64"), c.x(2)])


def reverse(c: Call) -> Value:
    """ReverseV2, ReverseExt: backwards along some axes."""
    x = c.x()
    axes = tuple(sorted({c.axis(n, len(x.shape)) for n in c.ints(1, "axis")}))
    rows = [[-1] * len(axes), [-(1 << 62)] * len(axes), axes, [-1] * len(axes)]
    return c.t.emit("Slice", [x, *(c.t.whole(*row) for row in rows)])


def triangle(upper: int) -> Step:
    """Tril and Triu: zeros on one side of a diagonal."""

    def step(c: Call) -> Value:
        x = c.x()
        where = c.t.scalar(int(c.number(1, "diagonal", 0)), "int64")
        if all(isinstance(n, int) for n in x.shape[-2:]) and len(x.shape) >= 2:
            rows, columns = (int(n) for n in x.shape[-2:])
            ones = (np.triu if upper else np.tril)(np.ones((rows, columns)), int(c.number(1, "diagonal", 0))) > 0
            return c.t.emit("Where", [c.t.array(ones), x, c.t.scalar(0, x.dtype)])
        return c.t.emit("Trilu", [x, where], upper=upper)

    return step


def largest(c: Call) -> tuple[Value, ...]:
    """TopK: the largest of the last axis, or of another one, and where they are."""
    x = c.x()
    count, axis = int(c.number(1, "k", 1)), c.axis(int(c.number(2, "dim", -1)), len(x.shape))
    if count < 1:
        raise garbled(f"it takes the largest {count}", f"它取最大的 {count} 个")
    high = int(bool(c.get(3, "largest", True)))
    return tuple(c.t.emits("TopK", [x, c.t.whole(count)], 2, axis=axis, largest=high, sorted=1))


def sorted_(c: Call) -> tuple[Value, ...]:
    """Sort along an axis, and where the numbers were; equal ones stay in order in neither."""
    x, attrs = c.x(), c.node.attrs
    axis = c.axis(int(c.number(1, "dim", attrs.get("axis", -1))), len(x.shape))
    size = x.shape[axis]
    if not isinstance(size, int):
        raise refused("it sorts a free number of values", "它对数量可变的值排序")
    down = int(bool(c.get(2, "descending", attrs.get("descending", False))))
    return tuple(c.t.emits("TopK", [x, c.t.whole(size)], 2, axis=axis, largest=down, sorted=1))


# -- pictures in another size ------------------------------------------------------------------------------------------


def _sizes(c: Call, x: Value, told: Any) -> tuple[list[int], list[int]]:
    """Of the picture, and of the result; both are known."""
    own, size = x.shape[2:], [int(n) for n in told]
    if len(size) != len(own) or min(size, default=0) < 1:
        raise garbled(f"it resizes {list(x.shape)} to {size}", f"它把 {list(x.shape)} 缩放到 {size}")
    if not all(isinstance(n, int) for n in own):
        raise refused("it resizes pictures of any size to a fixed one", "它把任意尺寸的图片缩放到固定尺寸")
    return [int(n) for n in own], size


def linear(c: Call) -> Value:
    """ResizeBilinearV2(x, size, align_corners, half_pixel_centers)."""
    x = c.x()
    own, size = _sizes(c, x, c.ints(1, "size"))
    return _resized(c, x, own, size, {"mode": "linear", "coordinate_transformation_mode": _where(c, own, size)})


def cubic(c: Call) -> Value:
    """ResizeBicubic, as TensorFlow's: Keys' weights for each row and column, looked up in a table of 1024 steps."""
    x = c.x()
    own, size = _sizes(c, x, c.ints(1, "size"))
    where = _where(c, own, size)
    rows, columns = (c.t.array(cubic_weights(n, m, where)) for n, m in zip(own, size, strict=True))
    return c.t.emit("MatMul", [rows, c.t.emit("MatMul", [x, c.turned(columns, (1, 0))])])


def cubic_weights(n: int, m: int, where: str) -> Array:
    """(m, n): how much of each number goes into each result; beyond the edge lies the edge, or nothing by centres.

    https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/core/kernels/image/resize_bicubic_op.cc
    """
    centres, corners = where == "half_pixel", where == "align_corners" and m > 1
    scale = np.float32(n - 1) / np.float32(m - 1) if corners else np.float32(n) / np.float32(m)
    keys = -0.5 if centres else -0.75
    found = np.zeros((m, n), np.float64)
    for i in range(m):
        at = (np.float32(i) + np.float32(0.5)) * scale - np.float32(0.5) if centres else np.float32(i) * scale
        start = int(np.floor(at))
        step = np.rint((at - np.float32(start)) * np.float32(1024)) / 1024
        for k, far in zip(range(start - 1, start + 3), (1 + step, step, 1 - step, 2 - step), strict=True):
            if not centres or 0 <= k < n:
                found[i, min(max(k, 0), n - 1)] += _keys(float(far), keys)
    return np.asarray(found / found.sum(axis=1, keepdims=True) if centres else found, np.float32)


def _keys(x: float, a: float) -> float:
    """Of a number that lies so far away: Keys 1981."""
    return ((a + 2) * x - (a + 3)) * x * x + 1 if x <= 1 else ((a * x - 5 * a) * x + 8 * a) * x - 4 * a


def linear_row(c: Call) -> Value:
    """ResizeLinear1D(x, size, mode): 0 is align_corners, 1 asymmetric, 2 by centres."""
    x = c.x()
    own, size = _sizes(c, x, c.ints(1, "size"))
    told = c.get(2, "coordinate_transformation_mode", "align_corners")
    names = {0: "align_corners", 1: "asymmetric", 2: "half_pixel"}
    where = names.get(told, "") if isinstance(told, int) else str(told)
    c.only(where in names.values(), f"its coordinates are {where}", f"坐标方式是 {where}")
    return _resized(c, x, own, size, {"mode": "linear", "coordinate_transformation_mode": where})


def _where(c: Call, own: list[int], size: list[int]) -> str:
    corners, centres = bool(c.get(2, "align_corners", False)), bool(c.get(3, "half_pixel_centers", False))
    if corners and centres:
        raise refused("it aligns both corners and centres", "同时使用 align_corners 和 half_pixel_centers")
    return "align_corners" if corners else "half_pixel" if centres else "asymmetric"


def nearest(c: Call) -> Value:
    """ResizeNearestNeighbor and V2: the number at floor(i n / m), at a corner, or at the centre of a pixel."""
    x = c.x()
    own, size = _sizes(c, x, c.ints(1, "size"))
    corners, centres = bool(c.get(2, "align_corners", False)), bool(c.get(3, "half_pixel_centers", False))
    return picked(c, x, own, size, corners, centres)


def upsample_nearest(c: Call) -> Value:
    """UpsampleNearest1D … 3D(x, size, scales)."""
    x = c.x()
    told = c.get(1, "size")
    if told is None:
        scales = c.get(2, "scales")
        own = [n for n in x.shape[2:] if isinstance(n, int)]
        told = [int(n * s) for n, s in zip(own, scales, strict=True)]
        c.only(all(float(s).is_integer() for s in scales), "it scales by parts", "缩放比例不是整数")
    own, size = _sizes(c, x, told)
    return picked(c, x, own, size, corners=False, centres=False)


def picked(c: Call, x: Value, own: list[int], size: list[int], corners: bool, centres: bool) -> Value:
    """By a Resize where every number is repeated as often, else by a list of places."""
    if own == size:
        return x
    if all(m % n == 0 for n, m in zip(own, size, strict=True)) and not corners:
        rule = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        return _resized(c, x, own, size, rule)
    for axis, (n, m) in enumerate(zip(own, size, strict=True), start=2):
        if n != m:
            x = c.t.emit("Gather", [x, c.t.array(nearest_places(n, m, corners, centres))], axis=axis)
    return x


def _resized(c: Call, x: Value, own: list[int], size: list[int], rule: dict[str, Any]) -> Value:
    return x if own == size else resized(c.t, x, own, size, rule)


PICKING: dict[str, Step] = {
    "Gather": gather, "GatherV2": gather, "EmbeddingLookup": embedding, "Embedding": embedding_ext,
    "GatherD": gather_along, "GatherNd": gather_nd, "IndexSelect": index_select, "OneHot": one_hot,
    "TensorScatterElements": scatter, "TensorScatterUpdate": scatter_update, "ReverseV2": reverse,
    "ReverseExt": reverse, "Tril": triangle(0), "TrilExt": triangle(0), "Triu": triangle(1), "TopK": largest,
    "TopkExt": largest, "Sort": sorted_, "SortExt": sorted_, "ResizeBilinearV2": linear, "ResizeBilinear": linear,
    "ResizeBicubic": cubic, "ResizeLinear1D": linear_row, "ResizeNearestNeighbor": nearest,
    "ResizeNearestNeighborV2": nearest, "UpsampleNearest1D": upsample_nearest, "UpsampleNearest2D": upsample_nearest,
    "UpsampleNearest3D": upsample_nearest,
}  # fmt: skip
