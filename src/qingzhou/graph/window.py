"""Sliding windows: how many there are, and the ways to give their sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .form import Array, Dim, Shape

Numbers = int | Sequence[int]


def window(n: Dim, kernel: int, stride: int, before: int, after: int, dilation: int = 1, ceil: bool = False) -> Dim:
    """How many positions a sliding window has over n elements (torch's rule, also for ceil mode)."""
    if isinstance(n, str):
        return n
    span = n + before + after - dilation * (kernel - 1) - 1
    count = -(-span // stride) + 1 if ceil else span // stride + 1
    if ceil and (count - 1) * stride >= n + before:
        count -= 1
    return count


def windows(
    sizes: Shape,
    kernels: tuple[int, ...],
    strides: tuple[int, ...],
    pads: tuple[int, ...],
    dilations: tuple[int, ...],
    ceil: bool = False,
) -> list[Dim]:
    """How many positions there are along each axis."""
    starts, ends = pads[: len(sizes)], pads[len(sizes) :]
    settings = zip(sizes, kernels, strides, starts, ends, dilations, strict=True)
    return [window(n, k, s, before, after, d, ceil) for n, k, s, before, after, d in settings]


def padding_of(value: Numbers, dims: int) -> tuple[int, ...]:
    """All starts, then all ends."""
    pads = spread(value, dims)
    return pads if len(pads) == 2 * dims else pads * 2


def spread(value: Numbers, dims: int) -> tuple[int, ...]:
    """One number for each axis."""
    return (value,) * dims if isinstance(value, int) else tuple(value)


def same_ends(sizes: Shape, kernel: int, stride: int) -> tuple[int, ...]:
    """TensorFlow's padding SAME, all starts and then all ends: as many positions as a stride fits into the size, and
    the odd one at the end (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2).
    """
    totals = [max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in sizes if isinstance(n, int)]
    assert len(totals) == len(sizes), f"padding SAME needs sizes that are known: {sizes}"
    return (*(n // 2 for n in totals), *(n - n // 2 for n in totals))


def adaptive_means(n: int, wanted: int) -> Array:
    """(wanted, n) float32: the weight of each element in each of the windows of adaptive average pooling."""
    means = np.zeros((wanted, n), np.float32)
    for i in range(wanted):
        start, end = i * n // wanted, -(-(i + 1) * n // wanted)
        means[i, start:end] = 1 / (end - start)
    return means
