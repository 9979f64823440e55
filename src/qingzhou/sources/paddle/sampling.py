"""Pictures sampled where a grid says; windows laid back into a picture."""

from __future__ import annotations

import numpy as np

from ...graph.form import Value
from ..aten.axes import cut, permute, squeeze_dims, unsqueeze, view
from ..aten.picking import pad
from .layers import settings
from .refuse import garbled, refused
from .walk import Call, Step, fixed


def grid_sample(c: Call) -> Value:
    """(N, C, H, W) and (N, h, w, 2) of x and y from -1 to 1 -> (N, C, h, w). ONNX has it only from opset 16 on."""
    x, grid, mode = c.x(), c.x("grid"), c.text("mode", "bilinear")
    size, wanted = fixed(x.shape[2:]), fixed(grid.shape[1:3])
    if size is None or wanted is None or len(x.shape) != 4 or grid.shape[3:] != (2,):
        raise refused("it samples pictures of a free size by a grid", "grid_sample 的图片尺寸不固定")
    if mode not in ("bilinear", "nearest"):
        raise garbled(f"it samples by {mode[:40]}", f"它按 {mode[:40]} 采样")
    across, down = (_places(c, _part(c, grid, i), size[1 - i]) for i in range(2))
    if mode == "nearest":
        return _picked(c, x, c.t.emit("Round", [across]), c.t.emit("Round", [down]), size, wanted)
    t = c.t
    left, top = t.emit("Floor", [across]), t.emit("Floor", [down])
    shares = [t.emit("Sub", [across, left]), t.emit("Sub", [down, top])]
    found: Value | None = None
    for dx in (0, 1):
        for dy in (0, 1):
            weight = t.emit("Mul", [_share(c, shares[0], dx), _share(c, shares[1], dy)])
            near = _picked(c, x, _moved(c, left, dx), _moved(c, top, dy), size, wanted)
            term = t.emit("Mul", [near, unsqueeze(t, weight, 1)])
            found = term if found is None else t.emit("Add", [found, term])
    assert found is not None
    return found


def _part(c: Call, grid: Value, i: int) -> Value:
    return squeeze_dims(c.t, cut(c.t, grid, 3, i, i + 1), (3,))


def _share(c: Call, x: Value, there: int) -> Value:
    return x if there else c.t.emit("Sub", [c.t.scalar(1.0), x])


def _moved(c: Call, x: Value, step: int) -> Value:
    return c.t.emit("Add", [x, c.t.scalar(1.0)]) if step else x


def _places(c: Call, x: Value, size: int) -> Value:
    """From -1 to 1 as positions among so many, kept inside as the file says."""
    t, corners, fill = c.t, c.flag("align_corners", True), c.text("padding_mode", "zeros")
    scale, shift = ((size - 1) / 2, (size - 1) / 2) if corners else (size / 2, (size - 1) / 2)
    found = t.emit("Add", [t.emit("Mul", [x, t.scalar(scale)]), t.scalar(shift)])
    if fill == "reflection":
        found = _reflected(c, found, size, corners)
    if fill in ("border", "reflection"):
        return t.emit("Clip", [found, t.scalar(0.0), t.scalar(float(size - 1))])
    if fill != "zeros":
        raise garbled(f"it fills by {fill[:40]}", f"它的填充方式是 {fill[:40]}")
    return found


def _reflected(c: Call, x: Value, size: int, corners: bool) -> Value:
    """Mirrored at both ends again and again."""
    t, low, span = c.t, (0.0 if corners else -0.5), float(size - 1 if corners else size)
    if span == 0:
        return t.emit("Mul", [x, t.scalar(0.0)])
    apart = t.emit("Abs", [t.emit("Sub", [x, t.scalar(low)])])
    turns = t.emit("Floor", [t.emit("Div", [apart, t.scalar(2 * span)])])
    rest = t.emit("Sub", [apart, t.emit("Mul", [turns, t.scalar(2 * span)])])
    back = t.emit("Min", [rest, t.emit("Sub", [t.scalar(2 * span), rest])])
    return t.emit("Add", [back, t.scalar(low)])


def _picked(c: Call, x: Value, across: Value, down: Value, size: tuple[int, ...], wanted: tuple[int, ...]) -> Value:
    """The numbers at whole positions; 0 outside."""
    t, (high, wide) = c.t, size
    inside: Value | None = None
    places = []
    for at, n in ((across, wide), (down, high)):
        kept = t.emit("Clip", [at, t.scalar(0.0), t.scalar(float(n - 1))])
        same = t.emit("Equal", [t.emit("Cast", [at], to=7), t.emit("Cast", [kept], to=7)])
        inside = same if inside is None else t.emit("And", [inside, same])
        places.append(kept)
    flat = t.emit("Add", [t.emit("Mul", [places[1], t.scalar(float(wide))]), places[0]])
    count, (channels, batch) = wanted[0] * wanted[1], (x.shape[1], t.size(x, 0))
    at = view(t, t.emit("Cast", [flat], to=7), (batch, 1, count))
    assert isinstance(channels, int) and inside is not None
    at = t.emit("Expand", [at, t.row((1, channels, 1))])
    found = view(t, t.emit("GatherElements", [view(t, x, (batch, channels, high * wide)), at], axis=2),
                 (batch, channels, *wanted))  # fmt: skip
    return t.emit("Mul", [found, t.emit("Cast", [unsqueeze(t, inside, 1)], to=1)])


def affine_grid(c: Call) -> Value:
    """(N, 2, 3) -> (N, h, w, 2): where each pixel of (N, C, h, w) comes from."""
    theta, sizes, t = c.x("input"), c.ints("output_shape"), c.t
    if len(sizes) != 4 or theta.shape[1:] != (2, 3) or not all(1 <= n < 1 << 12 for n in sizes[2:]):
        raise refused(f"a grid for {list(sizes)}", f"affine_grid 的输出形状是 {list(sizes)}")
    high, wide = sizes[2:]
    corners = c.flag("align_corners", True)
    rows, columns = (_between(n, corners) for n in (high, wide))
    base = np.stack([np.tile(columns, high), np.repeat(rows, wide), np.ones(high * wide)], 1).astype(np.float32)
    found = t.emit("MatMul", [t.array(base[None]), permute(t, theta, (0, 2, 1))])
    return view(t, found, (t.size(theta, 0), high, wide, 2))


def _between(n: int, corners: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if corners:
        return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
    return (np.arange(n) * 2 + 1) / n - 1


def fold(c: Call) -> Value:
    """(N, C * kernel, windows) -> (N, C, H, W): what lies on each other is added."""
    x, t = c.x(), c.t
    sizes, kernel = settings(c, "output_sizes", 2, 1), settings(c, "kernel_sizes", 2, 1)
    strides, dilations, pads = settings(c, "strides", 2, 1), settings(c, "dilations", 2, 1), c.ints("paddings", (0,))
    pads = pads * 4 if len(pads) == 1 else (*pads, *pads) if len(pads) == 2 else pads
    whole = [n + a + b for n, a, b in zip(sizes, pads[:2], pads[2:], strict=True)]
    counts = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(whole, kernel, strides, dilations, strict=True)]
    share = kernel[0] * kernel[1]
    if not isinstance(x.shape[1], int) or x.shape[1] % share or x.shape[2] != counts[0] * counts[1]:
        raise garbled(f"{list(x.shape)} windows are no {list(sizes)}", f"{list(x.shape)} 个窗口与 {list(sizes)} 不符")
    if share > 256:
        raise refused(f"it lays {share} windows on each other", f"fold 的窗口有 {share} 个数")
    rows = view(t, x, (t.size(x, 0), x.shape[1] // share, share, *counts))
    found: Value | None = None
    for i in range(share):
        place = (i // kernel[1] * dilations[0], i % kernel[1] * dilations[1])
        part = squeeze_dims(t, cut(t, rows, 2, i, i + 1), (2,))
        for axis, (n, start, step) in enumerate(zip(whole, place, strides, strict=True)):
            spread = np.zeros((counts[axis], n), np.float32)
            spread[np.arange(counts[axis]), start + np.arange(counts[axis]) * step] = 1
            part = t.emit("MatMul", [part, t.array(spread)] if axis else [t.array(spread.T), part])
        found = part if found is None else t.emit("Add", [found, part])
    assert found is not None
    return pad(t, found, (-pads[1], -pads[3], -pads[0], -pads[2])) if any(pads) else found


SAMPLING: dict[str, Step] = {"grid_sample": grid_sample, "affine_grid": affine_grid, "fold": fold}
