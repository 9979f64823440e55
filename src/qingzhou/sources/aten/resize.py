"""Pictures and rows in another size: nearest, linear, cubic, and the same with antialiasing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...graph.form import Array, Dim, Value
from ..recording.net import Ints, Net, dim
from .axes import squeeze_dims, unsqueeze
from .refuse import garbled, refused
from .windows import by_axes

Scales = Sequence[float | None]
RULES: dict[str, dict[str, Any]] = {
    "nearest": {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"},
    "exact": {"mode": "nearest", "nearest_mode": "round_prefer_ceil", "coordinate_transformation_mode": "half_pixel"},
    "linear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    "cubic": {"mode": "cubic", "cubic_coeff_a": -0.75, "coordinate_transformation_mode": "half_pixel"},
}


def resized(t: Net, x: Value, mode: str, size: Ints | None, scales: Scales, corners: bool = False) -> Value:
    """(N, C, *size) -> (N, C, *size'), by sizes or else by scales."""
    dims = len(x.shape) - 2
    if size is None and (len(scales) != dims or any(not one or one <= 0 for one in scales)):
        raise garbled("it resizes to nothing", "它要缩放到的尺寸不明")
    if dims == 1:
        wide = resized(t, unsqueeze(t, x, 2), mode, None if size is None else (1, *size), (1.0, *scales), corners)
        return squeeze_dims(t, wide, (2,))
    wanted = [_times(n, s) for n, s in zip(x.shape[2:], scales, strict=True)] if size is None else list(map(dim, size))
    if len(wanted) != dims:
        raise garbled(f"it resizes to {wanted}", f"它要缩放到 {wanted}")
    if tuple(wanted) == x.shape[2:] and "?" not in wanted and all(one in (None, 1) for one in scales):
        return x
    whole = all(isinstance(n, int) for n in (*x.shape[2:], *wanted))
    if mode in ("nearest", "exact") and whole and not _doubled(x.shape[2:], wanted):
        return _picked(t, x, mode, wanted, scales)
    return _by_resize(t, x, mode, size, wanted, scales, corners)


def _times(size: Dim, scale: float | None) -> Dim:
    return math.floor(size * (scale or 1)) if isinstance(size, int) else "?" if scale != 1 else size


def _doubled(own: Sequence[Dim], wanted: Sequence[Dim]) -> bool:
    """Whether each size is a whole multiple: then no rounding decides which number is the nearest."""
    return all(isinstance(n, int) and isinstance(m, int) and m % n == 0 for n, m in zip(own, wanted, strict=True))


def _picked(t: Net, x: Value, mode: str, wanted: Sequence[Dim], scales: Scales) -> Value:
    """By the positions that torch computes in float32."""
    for i, (n, m) in enumerate(zip(x.shape[2:], wanted, strict=True)):
        assert isinstance(n, int) and isinstance(m, int)
        given = scales[i] if i < len(scales) else None
        step = np.float32(1 / given) if given else np.float32(n) / np.float32(m)
        at = np.arange(m, dtype=np.float32)
        found = np.floor((at + np.float32(0.5)) * step if mode == "exact" else at * step).astype(np.int64)
        if n != m:
            x = t.emit("Gather", [x, t.array(np.minimum(found, n - 1))], axis=2 + i)
    return x


def _by_resize(
    t: Net, x: Value, mode: str, size: Ints | None, wanted: Sequence[Dim], scales: Scales, corners: bool
) -> Value:
    rule = dict(RULES[mode])
    if corners:
        rule["coordinate_transformation_mode"] = "align_corners"
    none = t.array(np.zeros(0, np.float32), "resize/none") if "resize/none" not in t.constants else None
    none = none or Value("resize/none", (0,), "float32")
    shape = (*x.shape[:2], *wanted)
    given = [s for s in scales if s]
    if size is not None and (len(given) < len(wanted)) and not _fixed(x.shape[2:], wanted):
        row = t.row((t.size(x, 0), t.size(x, 1), *size))
        return t.emit("Resize", [x, none, none, row], shape, **rule)
    ratios = [_ratio(n, m, s) for n, m, s in zip(x.shape[2:], wanted, (*scales, *[None] * 3), strict=False)]
    return t.emit("Resize", [x, none, t.array(np.array([1, 1, *ratios], np.float32))], shape, **rule)


def _fixed(own: Sequence[Dim], wanted: Sequence[Dim]) -> bool:
    return all(isinstance(n, int) for n in (*own, *wanted))


def _ratio(size: Dim, new: Dim, scale: float | None) -> np.float32:
    """The scale, such that the floor of its product in float32 is the new size."""
    if not (isinstance(size, int) and isinstance(new, int)):
        return np.float32(scale or 1)
    if size < 1 or new < 1:
        raise garbled(f"it resizes {size} to {new}", f"它要把 {size} 缩放到 {new}")
    ratio = np.float32(scale) if scale else np.float32(new) / np.float32(size)
    while int(np.float32(size) * ratio) < new:
        ratio = np.nextafter(ratio, np.float32(np.inf))
    return ratio


# -- antialiased ------------------------------------------------------------------------------------------------------


def _triangle(x: Array) -> Array:
    found: Array = np.maximum(0, 1 - np.abs(x))
    return found


def _cubic(x: Array) -> Array:
    """Keys 1981 with a = -1/2."""
    x = np.abs(x)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    found: Array = np.where(x < 1, near, np.where(x < 2, far, 0))
    return found


def smoothed(t: Net, x: Value, size: Ints, cubic: bool) -> Value:
    """Each number a weighted mean of all that it stands for, as Pillow does it."""
    if not all(isinstance(n, int) for n in (*x.shape[2:], *size)):
        raise refused("it resizes pictures of any size with antialiasing", "抗锯齿缩放的尺寸不固定")
    return by_axes(t, x, [_weights(n, m, cubic) for n, m in zip(x.shape[2:], size, strict=True)])


def _weights(size: Dim, new: object, cubic: bool) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert isinstance(size, int) and isinstance(new, int)
    scale = size / new
    wide = max(scale, 1.0)
    matrix = np.zeros((new, size))
    for i in range(new):
        centre, reach = scale * (i + 0.5), (2 if cubic else 1) * wide
        start, end = max(int(centre - reach + 0.5), 0), min(int(centre + reach + 0.5), size)
        row = (_cubic if cubic else _triangle)((np.arange(start, end) - centre + 0.5) / wide)
        matrix[i, start:end] = row / row.sum()
    return matrix.astype(np.float32)


# -- as torch calls them ----------------------------------------------------------------------------------------------


def nearest(mode: str) -> dict[str, Callable[..., Value]]:
    """upsample_nearest and _upsample_nearest_exact, in both forms."""

    def by_sizes(
        t: Net, self: Value, output_size: Ints, a: float | None = None, b: float | None = None, c: float | None = None
    ) -> Value:
        return resized(t, self, mode, output_size, _given(self, a, b, c))

    def vec(t: Net, input: Value, output_size: Ints | None, scale_factors: tuple[float, ...] | None) -> Value:
        return resized(t, input, mode, output_size, scale_factors or ())

    return {"": by_sizes, ".vec": vec}


def smooth(mode: str) -> dict[str, Callable[..., Value]]:
    """upsample_linear, _bilinear, _trilinear and _bicubic, in both forms."""

    def by_sizes(
        t: Net,
        self: Value,
        output_size: Ints,
        align_corners: bool,
        a: float | None = None,
        b: float | None = None,
        c: float | None = None,
    ) -> Value:
        return resized(t, self, mode, output_size, _given(self, a, b, c), align_corners)

    def vec(
        t: Net,
        input: Value,
        output_size: Ints | None,
        align_corners: bool,
        scale_factors: tuple[float, ...] | None,
    ) -> Value:
        return resized(t, input, mode, output_size, scale_factors or (), align_corners)

    return {"": by_sizes, ".vec": vec}


def _given(x: Value, *scales: float | None) -> Scales:
    """The scales that are given; none where one is missing."""
    found = scales[: len(x.shape) - 2]
    return found if all(found) else ()


def antialiased(cubic: bool) -> dict[str, Callable[..., Value]]:
    """_upsample_bilinear2d_aa and _upsample_bicubic2d_aa, in both forms."""

    def by_sizes(
        t: Net, self: Value, output_size: Ints, align_corners: bool, a: float | None = None, b: float | None = None
    ) -> Value:
        return smoothed(t, self, output_size, cubic)

    def vec(
        t: Net,
        input: Value,
        output_size: Ints | None,
        align_corners: bool,
        scale_factors: tuple[float, ...] | None,
    ) -> Value:
        if output_size is None:
            raise refused("it resizes by scale with antialiasing", "按比例的抗锯齿缩放")
        return smoothed(t, input, output_size, cubic)

    return {"": by_sizes, ".vec": vec}


RESIZE: dict[str, Callable[..., Value]] = {
    **{f"upsample_nearest{n}d{form}": f for n in (1, 2, 3) for form, f in nearest("nearest").items()},
    **{f"_upsample_nearest_exact{n}d{form}": f for n in (1, 2, 3) for form, f in nearest("exact").items()},
    **{
        f"upsample_{name}{form}": f
        for name in ("linear1d", "bilinear2d", "trilinear3d")
        for form, f in smooth("linear").items()
    },
    **{f"upsample_bicubic2d{form}": f for form, f in smooth("cubic").items()},
    **{f"_upsample_bilinear2d_aa{form}": f for form, f in antialiased(False).items()},
    **{f"_upsample_bicubic2d_aa{form}": f for form, f in antialiased(True).items()},
}
