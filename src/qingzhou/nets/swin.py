"""Swin Transformer (Liu et al. 2021), names as in torchvision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..graph.form import Array, Value
from ..graph.record import Recorder
from ..runtime.model.card import Input
from .architecture import Architecture, Config, classifier, imagenet_input
from .attention import attention, mlp
from .shapes import Shapes, children, class_counts, size

NAMES: dict[tuple[tuple[int, ...], int], str] = {
    ((2, 2, 6, 2), 96): "T",
    ((2, 2, 18, 2), 96): "S",
    ((2, 2, 18, 2), 128): "B",
    ((2, 2, 18, 2), 192): "L",
}
STAGES = (1, 3, 5, 7)
OUTSIDE = -100.0  # added to the score of what was not beside it before the picture was rolled


@dataclass(frozen=True, kw_only=True)
class Sizes(Config):
    """Blocks and heads of the four stages, features of the first, and the side of a window."""

    blocks: tuple[int, ...]
    heads: tuple[int, ...]
    width: int
    window: int


def swin(net: Recorder, x: Value, config: Sizes) -> Value:
    """(N, 3, H, W) -> (N, classes) logits."""
    x = net.conv("features.0.0", x, config.width, 4, 4, 0)
    x = net.layer_norm("features.0.2", net.transpose(x, (0, 2, 3, 1), "features.0.last"))
    for i, (blocks, heads) in enumerate(zip(config.blocks, config.heads, strict=True)):
        if i:
            x = merge(net, f"features.{STAGES[i] - 1}", x)
        for j in range(blocks):
            x = block(net, f"features.{STAGES[i]}.{j}", x, heads, config.window, shifted=j % 2 == 1)
    x = net.transpose(net.layer_norm("norm", x), (0, 3, 1, 2), "first")
    return net.linear("head", net.global_pool(x), config.classes)


def merge(net: Recorder, key: str, x: Value) -> Value:
    """(N, H, W, C) -> (N, H / 2, W / 2, 2 C): of each 2x2 the four, side by side."""
    _, high, wide, width = sides(x)
    x = padded(net, f"{key}.even", x, high % 2, wide % 2)
    parts = [strided(net, f"{key}.part{i}", x, start) for i, start in enumerate(((0, 0), (1, 0), (0, 1), (1, 1)))]
    x = net.layer_norm(f"{key}.norm", net.concat(parts, 3, f"{key}.parts"))
    return net.linear(f"{key}.reduction", x, 2 * width, bias=False)


def block(net: Recorder, key: str, x: Value, heads: int, window: int, shifted: bool) -> Value:
    """Attention inside windows and two linear layers, each after a LayerNorm and beside a shortcut."""
    y = windowed(net, f"{key}.attn", net.layer_norm(f"{key}.norm1", x), heads, window, shifted)
    x = net.add(x, y, f"{key}.add1")
    y = mlp(net, (f"{key}.mlp.0", f"{key}.mlp.3"), net.layer_norm(f"{key}.norm2", x), 4 * net.last(x))
    return net.add(x, y, f"{key}.add2")


def windowed(net: Recorder, key: str, x: Value, heads: int, window: int, shifted: bool) -> Value:
    """(N, H, W, C) -> the same. A picture that is no larger than a window is not rolled (torchvision's rule)."""
    _, high, wide, width = sides(x)
    down, right = -high % window, -wide % window
    y = padded(net, f"{key}.pad", x, down, right)
    rows, columns = (high + down) // window, (wide + right) // window
    steps = tuple(window // 2 if shifted and window < n else 0 for n in (high + down, wide + right))
    y = rolled(net, f"{key}.roll", y, steps)
    y = net.reshape(y, (1, rows, window, columns, window, width), f"{key}.split")
    y = net.reshape(
        net.transpose(y, (0, 1, 3, 2, 4, 5), f"{key}.part"), (rows * columns, window**2, width), f"{key}.windows"
    )
    y = attention(net, key, y, heads, biases(net, key, heads, window, (rows, columns), steps))
    y = net.reshape(y, (1, rows, columns, window, window, width), f"{key}.rows")
    y = net.transpose(y, (0, 1, 3, 2, 4, 5), f"{key}.join")
    y = net.reshape(y, (1, rows * window, columns * window, width), f"{key}.whole")
    y = rolled(net, f"{key}.back", y, tuple(-n for n in steps))
    return net.slice(net.slice(y, 1, 0, high, f"{key}.high"), 2, 0, wide, f"{key}.wide") if down or right else y


def biases(net: Recorder, key: str, heads: int, window: int, counts: tuple[int, int], steps: tuple[int, ...]) -> str:
    """What is added to the scores: by how positions of a window lie to each other, and OUTSIDE."""
    table, place = (2 * window - 1) ** 2, np.stack(np.meshgrid(*[np.arange(window)] * 2, indexing="ij")).reshape(2, -1)
    apart = place[:, :, None] - place[:, None, :] + window - 1
    index, area = apart[0] * (2 * window - 1) + apart[1], window**2
    masks = masks_of(window, counts, steps) if any(steps) else None
    windows = 1 if masks is None else len(masks)

    def numbers(bias: Array) -> Array:
        found: Array = bias[index.reshape(-1)].reshape(area, area, heads).transpose(2, 0, 1)[None]
        return found if masks is None else found + masks[:, None]

    name = f"{key}.relative_position_bias_table"
    return net.derived(f"{key}/biases", name, ((table, heads), (windows, heads, area, area)), numbers)


def masks_of(window: int, counts: tuple[int, int], steps: tuple[int, ...]) -> Array:
    """(windows, window², window²) float32: OUTSIDE between positions of different parts of a rolled picture."""
    sides = [count * window for count in counts]
    parts = [
        np.searchsorted([n - window, n - step], np.arange(n), "right") if step else np.zeros(n, int)
        for n, step in zip(sides, steps, strict=True)
    ]
    of = (parts[0][:, None] * 3 + parts[1]).reshape(counts[0], window, counts[1], window)
    of = of.transpose(0, 2, 1, 3).reshape(-1, window**2)
    apart: Array = of[:, :, None] != of[:, None, :]
    return apart.astype(np.float32) * np.float32(OUTSIDE)


def sides(x: Value) -> tuple[int, ...]:
    """All of them, which are known: the picture has one size."""
    found = tuple(n for n in x.shape if isinstance(n, int))
    assert len(found) == len(x.shape), f"{x.name} has sizes that are not known: {x.shape}"
    return found


def padded(net: Recorder, key: str, x: Value, down: int, right: int) -> Value:
    """(N, H, W, C) with zeros below and to the right."""
    if not down and not right:
        return x
    batch, high, wide, width = sides(x)
    ends = net.ints(f"{key}/pads", 0, 0, 0, 0, 0, down, right, 0)
    return net.op("Pad", key, [x, ends], (batch, high + down, wide + right, width))


def rolled(net: Recorder, key: str, x: Value, steps: tuple[int, ...]) -> Value:
    """(N, H, W, C) with rows and columns moved to the front by so many; what falls out comes back at the end."""
    for axis, step in enumerate(steps, start=1):
        n = sides(x)[axis]
        if step % n:
            cut = step % n
            ends = [net.slice(x, axis, cut, n, f"{key}.{axis}.rest"), net.slice(x, axis, 0, cut, f"{key}.{axis}.first")]
            x = net.concat(ends, axis, f"{key}.{axis}")
    return x


def strided(net: Recorder, key: str, x: Value, start: tuple[int, int]) -> Value:
    """Every second row and column of (N, H, W, C)."""
    batch, high, wide, width = sides(x)
    names = [
        net.ints(f"{key}/{name}", *values)
        for name, values in (("starts", start), ("ends", (high, wide)), ("axes", (1, 2)), ("steps", (2, 2)))
    ]
    return net.op("Slice", key, [x, *names], (batch, high // 2, wide // 2, width))


def configs(shapes: Shapes) -> Iterable[Sizes]:
    """All of it shows: heads and windows in the tables of biases."""
    tables = [f"features.{stage}.0.attn.relative_position_bias_table" for stage in STAGES]
    window = (round(size(shapes, tables[0]) ** 0.5) + 1) // 2
    found = Sizes(
        classes=0,
        blocks=tuple(len(children(shapes, f"features.{stage}.")) for stage in STAGES),
        heads=tuple(size(shapes, table, 1) for table in tables),
        width=size(shapes, "features.0.0.weight"),
        window=window,
    )
    if all((*found.blocks, *found.heads, found.width, window)) and "features.1.0.attn.logit_scale" not in shapes:
        yield from (replace(found, classes=classes) for classes in class_counts(shapes, "head"))


def title(config: Sizes) -> str:
    """Swin-T."""
    return f"Swin-{NAMES.get((config.blocks, config.width), config.width)}"


def entry(config: Sizes) -> Input:
    """torchvision's short side is 232, 246 or 238."""
    return imagenet_input(short={"Swin-T": 232, "Swin-S": 246, "Swin-B": 238}.get(title(config), 256))


SWIN = Architecture("Swin", configs, title, classifier(swin, entry))
