"""Pictures and rows in another size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...graph.form import Array, Dim, Value
from ..aten.axes import squeeze_dims, unsqueeze
from ..aten.windows import by_axes
from ..recording.net import Ints, dim
from .refuse import garbled, refused
from .walk import Call, Step, fixed

MODES = {"nearest": "nearest", "bilinear": "linear", "linear": "linear", "trilinear": "linear", "bicubic": "cubic"}
MORE: dict[str, dict[str, Any]] = {"nearest": {"nearest_mode": "floor"}, "cubic": {"cubic_coeff_a": -0.75}}
MOST_WEIGHTS = 1 << 22  # of one matrix


def resize(c: Call) -> Value:
    """(N, C, *size) -> (N, C, *size'), by sizes or else by scales.

    paddle/phi/kernels/cpu/interpolate_kernel.cc: a scale that is given is the ratio between positions, and not the
    quotient of the sizes.
    """
    x = c.first(c.x())
    dims = len(x.shape) - 2
    if not 1 <= dims <= 3:
        raise garbled(f"it resizes {list(x.shape)}", f"它要缩放 {list(x.shape)}")
    sizes, scales = _asked(c, x, dims)
    mode = MODES.get(c.text("interp_method", "bilinear"), "")
    if not mode:
        raise refused(f"it resizes by {c.text('interp_method')[:40]}", f"缩放方式 {c.text('interp_method')[:40]}")
    own, new = fixed(x.shape[2:]), fixed(tuple(map(dim, sizes))) if sizes else None
    if own is None or (sizes and new is None):
        return c.back(_free(c, x, mode, sizes, scales))
    wanted = new or tuple(int(n * s) for n, s in zip(own, scales, strict=True))
    if any(not 1 <= n < 1 << 16 for n in wanted):
        raise garbled(f"it resizes {list(own)} to {list(wanted)}", f"它要把 {list(own)} 缩放到 {list(wanted)}")
    return c.back(_fixed(c, x, mode, own, wanted, scales))


def _asked(c: Call, x: Value, dims: int) -> tuple[Ints, tuple[float, ...]]:
    """Sizes, or scales; a tensor goes before what is written down."""
    if c.has("size_tensor"):
        return c.sizes("size_tensor"), ()
    if c.has("out_size"):
        return c.sizes("out_size"), ()
    scales = _scales(c, dims)
    written = [c.whole(f"out_{name}", -1) for name in "dhw"[3 - dims :]]
    if all(n > 0 for n in written):
        return tuple(written), scales
    if not scales:
        raise garbled("it resizes to nothing", "它要缩放到的尺寸不明")
    return (), scales


def _scales(c: Call, dims: int) -> tuple[float, ...]:
    if c.has("scale_tensor"):
        array = c.t.known(c.x("scale_tensor"))
        if array is None:
            raise refused("its scale is only known when it runs", "缩放比例运行时才知道")
        row = [float(n) for n in array.reshape(-1)]
    else:
        said = c.op.attrs.get("scale")
        row = [float(n) for n in said] if isinstance(said, list) else [float(said)] if said else []
    row = row * dims if len(row) == 1 else row
    fine = len(row) == dims and all(math.isfinite(n) and n > 0 for n in row)
    return tuple(row) if fine else ()


def _fixed(
    c: Call, x: Value, mode: str, own: tuple[int, ...], wanted: tuple[int, ...], scales: tuple[float, ...]
) -> Value:
    """Of sizes that are known: whole factors as ONNX has them, all else by the positions that Paddle computes."""
    corners, edge = c.flag("align_corners"), c.whole("align_mode", 1) == 0
    ratios = scales or tuple(m / n for n, m in zip(own, wanted, strict=True))
    if own == wanted and (not scales or all(s == 1 for s in scales)):
        return x
    exact = all(m == n * s for n, m, s in zip(own, wanted, ratios, strict=True))
    if len(own) == 1:
        wide = _fixed(c, unsqueeze(c.t, x, 2), mode, (1, *own), (1, *wanted), (1.0, *scales) if scales else ())
        return squeeze_dims(c.t, wide, (2,))
    whole = all(m % n == 0 for n, m in zip(own, wanted, strict=True))
    single = c.older and 1 in wanted
    if exact and not single and (mode != "nearest" or (whole and not corners)) and len(own) == 2:
        return _by_resize(c, x, mode, wanted, corners, edge)
    places = [_positions(c, *sides, corners, edge, mode) for sides in zip(own, wanted, ratios, strict=True)]
    if mode == "nearest":
        for i, (n, at) in enumerate(zip(own, places, strict=True)):
            if at.tolist() != list(range(n)):
                x = c.t.emit("Gather", [x, c.t.array(at.astype(np.int64))], axis=2 + i)
        return x
    matrices = [_matrix(at, n, mode) for n, at in zip(own, places, strict=True)]
    return by_axes(c.t, x, matrices)


def _by_resize(c: Call, x: Value, mode: str, wanted: tuple[int, ...], corners: bool, edge: bool) -> Value:
    half = mode != "nearest" and (edge or mode == "cubic")
    way = "align_corners" if corners else "half_pixel" if half else "asymmetric"
    more = MORE.get(mode, {})
    shape = (*x.shape[:2], *wanted)
    scales = [np.float32(1), np.float32(1), *(_safe(n, m) for n, m in zip(x.shape[2:], wanted, strict=True))]
    given = [x, _nothing(c), c.t.array(np.array(scales, np.float32))]
    return c.t.emit("Resize", given, shape, mode=mode, coordinate_transformation_mode=way, **more)


def _safe(size: Dim, wanted: int) -> np.float32:
    """The scale, such that the floor of its product in float32 is the new size."""
    assert isinstance(size, int)
    ratio = np.float32(wanted) / np.float32(size)
    while int(np.float32(size) * ratio) < wanted:
        ratio = np.nextafter(ratio, np.float32(np.inf))
    return ratio


def _nothing(c: Call) -> Value:
    if "resize/none" not in c.t.constants:
        return c.t.array(np.zeros(0, np.float32), "resize/none")
    return Value("resize/none", (0,), "float32")


def _positions(c: Call, n: int, m: int, scale: float, corners: bool, edge: bool, mode: str) -> Array:
    """Where each of m numbers lies among n, computed in float32 as there."""
    at = np.arange(m, dtype=np.float32)
    if m == 1 and c.older:  # the ratio 0, and with it the first of all
        ratio = np.float32(0)
    elif corners:
        ratio = np.float32((n - 1) / (m - 1)) if m > 1 else np.float32(0)
    else:
        ratio = np.float32(1 / scale)
    if mode == "nearest":
        return np.asarray(np.clip(np.floor(at * ratio + np.float32(0.5 if corners else 0)), 0, n - 1))
    half = not corners and (edge or mode == "cubic")
    found = (at + np.float32(0.5)) * ratio - np.float32(0.5) if half else at * ratio
    return np.asarray(found if mode == "cubic" else np.clip(found, 0, None))


def _matrix(at: Array, n: int, mode: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]] | None:
    """(m, n): the weights of the neighbours of each position; None where nothing changes."""
    if len(at) == n and np.array_equal(at, np.arange(n)):
        return None
    if len(at) * n > MOST_WEIGHTS:
        raise refused(f"it resizes {n} numbers to {len(at)}", f"它要把 {n} 个数缩放到 {len(at)} 个")
    matrix, first = np.zeros((len(at), n)), np.floor(at).astype(int)
    share = (at - np.floor(at)).astype(np.float64)
    rows = np.arange(len(at))
    weights = {0: 1 - share, 1: share} if mode == "linear" else _cubic(share)
    for offset, weight in weights.items():
        np.add.at(matrix, (rows, np.clip(first + offset, 0, n - 1)), weight)
    return matrix.astype(np.float32)


def _cubic(share: Array) -> dict[int, Array]:
    """Keys 1981 with a = -3/4."""
    a = -0.75

    def near(x: Array) -> Array:
        return np.asarray(((a + 2) * x - (a + 3)) * x * x + 1)

    def far(x: Array) -> Array:
        return np.asarray(((a * x - 5 * a) * x + 8 * a) * x - 4 * a)

    return {-1: far(share + 1), 0: near(share), 1: near(1 - share), 2: far(2 - share)}


def _free(c: Call, x: Value, mode: str, sizes: Ints, scales: tuple[float, ...]) -> Value:
    """Of sizes that are free: by scales, or to sizes that are computed."""
    corners, edge, t = c.flag("align_corners"), c.whole("align_mode", 1) == 0, c.t
    if len(x.shape) != 4 or (mode == "nearest" and corners):
        raise refused("it resizes rows or volumes of a free size", "它要缩放的尺寸不固定")
    half = mode != "nearest" and (edge or mode == "cubic")
    way = "align_corners" if corners else "half_pixel" if half else "asymmetric"
    more = MORE.get(mode, {})
    options: dict[str, Any] = {"mode": mode, "coordinate_transformation_mode": way, **more}
    if not sizes:
        row = t.array(np.array([1, 1, *scales], np.float32))
        return t.emit("Resize", [x, _nothing(c), row], **options)
    row = t.row((t.size(x, 0), t.size(x, 1), *sizes))
    return t.emit("Resize", [x, _nothing(c), _nothing(c), row], (*x.shape[:2], *map(dim, sizes)), **options)


RESIZE: dict[str, Step] = dict.fromkeys(
    ("bilinear_interp", "nearest_interp", "bicubic_interp", "linear_interp", "trilinear_interp", "old_bilinear_interp",
     "old_nearest_interp"),
    resize,
)  # fmt: skip
