"""InceptionV3 and NASNetMobile as keras.applications 3.15 builds them: several ways side by side."""

from __future__ import annotations

from collections.abc import Sequence

from .build import Builder, Map

Kernel = int | tuple[int, int]


def _conv(b: Builder, x: Map, filters: int, kernel: Kernel, stride: int = 1, padding: str = "same") -> Map:
    return b.act(b.norm(b.conv(x, filters, kernel, stride, padding), scale=False), "relu")


def _chain(b: Builder, x: Map, steps: Sequence[tuple[int, Kernel]]) -> Map:
    for filters, kernel in steps:
        x = _conv(b, x, filters, kernel)
    return x


def _mixed(b: Builder, x: Map, ways: Sequence[Sequence[tuple[int, Kernel]]], pooled: int) -> Map:
    """Ways of convolutions, and one that begins with a mean."""
    found = [_chain(b, x, steps) for steps in ways]
    pool = _conv(b, b.pool("Average", x, 3, 1, "same"), pooled, 1)
    return b.joined("Concatenate", [*found, pool])


def inception_v3(b: Builder, x: Map, classes: int) -> Map:
    """Szegedy et al. 2015."""
    x = _conv(b, x, 32, 3, 2, "valid")
    x = _conv(b, _conv(b, x, 32, 3, padding="valid"), 64, 3)
    x = b.pool("Max", x, 3, 2)
    x = _conv(b, _conv(b, x, 80, 1, padding="valid"), 192, 3, padding="valid")
    x = b.pool("Max", x, 3, 2)
    for pooled in (32, 64, 64):
        x = _mixed(b, x, [[(64, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)]], pooled)
    single = _conv(b, x, 384, 3, 2, "valid")
    double = _conv(b, _chain(b, x, [(64, 1), (96, 3)]), 96, 3, 2, "valid")
    x = b.joined("Concatenate", [single, double, b.pool("Max", x, 3, 2)])
    for n in (128, 160, 160, 192):
        once: list[tuple[int, Kernel]] = [(n, 1), (n, (1, 7)), (192, (7, 1))]
        twice: list[tuple[int, Kernel]] = [(n, 1), (n, (7, 1)), (n, (1, 7)), (n, (7, 1)), (192, (1, 7))]
        x = _mixed(b, x, [[(192, 1)], once, twice], 192)
    single = _conv(b, _conv(b, x, 192, 1), 320, 3, 2, "valid")
    double = _conv(b, _chain(b, x, [(192, 1), (192, (1, 7)), (192, (7, 1))]), 192, 3, 2, "valid")
    x = b.joined("Concatenate", [single, double, b.pool("Max", x, 3, 2)])
    for _ in range(2):
        one = _conv(b, x, 320, 1)
        wide = _forked(b, _conv(b, x, 384, 1))
        deep = _forked(b, _chain(b, x, [(448, 1), (384, 3)]))
        pool = _conv(b, b.pool("Average", x, 3, 1, "same"), 192, 1)
        x = b.joined("Concatenate", [one, wide, deep, pool])
    return b.classes(x, classes)


def _forked(b: Builder, x: Map) -> Map:
    return b.joined("Concatenate", [_conv(b, x, 384, (1, 3)), _conv(b, x, 384, (3, 1))])


# -- NASNet-A (Zoph et al. 2017) ------------------------------------------------------------------------------------


def nasnet_mobile(b: Builder, x: Map, classes: int) -> Map:
    """4 @ 1056."""
    filters = 44
    x, last = b.norm(b.conv(x, 32, 3, 2)), None
    x, last = _reduction(b, x, last, filters // 4)
    x, last = _reduction(b, x, last, filters // 2)
    for stage in range(3):
        if stage:
            x, last = _reduction(b, x, last, filters << stage)
        for _ in range(4):
            x, last = _normal(b, x, last, filters << stage)
    return b.classes(b.act(x, "relu"), classes)


def _separable(b: Builder, x: Map, filters: int, kernel: int = 3, stride: int = 1) -> Map:
    x = b.act(x, "relu")
    x = b.halving(x, kernel) if stride == 2 else x
    x = b.norm(b.separable(x, filters, kernel, stride, "valid" if stride == 2 else "same"))
    return b.norm(b.separable(b.act(x, "relu"), filters, kernel))


def _fitted(b: Builder, p: Map | None, x: Map, filters: int) -> Map:
    """The cell before the last one, in the size of the last."""
    if p is None:
        return x
    if p.width != x.width:
        p = b.act(p, "relu")
        one = b.conv(b.pool("Average", p, 1, 2), filters // 2, 1, padding="same")
        two = b.crop(b.pad(p, ((0, 1), (0, 1))), ((1, 0), (1, 0)))
        two = b.conv(b.pool("Average", two, 1, 2), filters // 2, 1, padding="same")
        return b.norm(b.joined("Concatenate", [one, two]))
    if p.channels != filters:
        return b.norm(b.conv(b.act(p, "relu"), filters, 1, padding="same"))
    return p


def _normal(b: Builder, x: Map, p: Map | None, filters: int) -> tuple[Map, Map]:
    p = _fitted(b, p, x, filters)
    h = b.norm(b.conv(b.act(x, "relu"), filters, 1, padding="same"))
    x1 = b.joined("Add", [_separable(b, h, filters, 5), _separable(b, p, filters)])
    x2 = b.joined("Add", [_separable(b, p, filters, 5), _separable(b, p, filters)])
    x3 = b.joined("Add", [b.pool("Average", h, 3, 1, "same"), p])
    x4 = b.joined("Add", [b.pool("Average", p, 3, 1, "same"), b.pool("Average", p, 3, 1, "same")])
    x5 = b.joined("Add", [_separable(b, h, filters), h])
    return b.joined("Concatenate", [p, x1, x2, x3, x4, x5]), x


def _reduction(b: Builder, x: Map, p: Map | None, filters: int) -> tuple[Map, Map]:
    p = _fitted(b, p, x, filters)
    h = b.norm(b.conv(b.act(x, "relu"), filters, 1, padding="same"))
    h3 = b.halving(h, 3)
    x1 = b.joined("Add", [_separable(b, h, filters, 5, 2), _separable(b, p, filters, 7, 2)])
    x2 = b.joined("Add", [b.pool("Max", h3, 3, 2), _separable(b, p, filters, 7, 2)])
    x3 = b.joined("Add", [b.pool("Average", h3, 3, 2), _separable(b, p, filters, 5, 2)])
    x4 = b.joined("Add", [x2, b.pool("Average", x1, 3, 1, "same")])
    x5 = b.joined("Add", [_separable(b, x1, filters), b.pool("Max", h3, 3, 2)])
    return b.joined("Concatenate", [x2, x3, x4, x5]), x
