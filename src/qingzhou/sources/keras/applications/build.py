"""Builder: a network of keras.applications as Keras' own settings, and the shapes of its weights.

Files of weights alone number their layers in Keras' own order, so that is found here as Keras finds it:
https://github.com/keras-team/keras/blob/v3.15.0/keras/src/ops/function.py (map_graph)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]
Pads = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Map:
    """What a layer gives: its name, and (height, width, channels); of a row the first two are 0."""

    name: str
    height: int
    width: int
    channels: int


@dataclass
class Builder:
    """Layers as they are called; `shapes` of those that have weights."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    shapes: dict[str, tuple[Shape, ...]] = field(default_factory=dict)
    last: str = ""

    def layer(
        self,
        kind: str,
        given: Sequence[Map],
        size: tuple[int, int, int],
        weights: Sequence[Shape] = (),
        name: str = "",
        **config: Any,
    ) -> Map:
        """Any layer: what it reads, what it gives, the shapes of its weights."""
        name = name or f"{kind.lower()}_{len(self.entries)}"
        assert name not in self.entries, name
        calls = [[[one.name, 0, 0, {}] for one in given]] if given else []
        self.entries[name] = {
            "class_name": kind,
            "name": name,
            "config": {"name": name, **config},
            "inbound_nodes": calls,
        }
        self.parents[name] = tuple(one.name for one in given)
        if weights:
            self.shapes[name] = tuple(weights)
        self.last = name
        return Map(name, *size)

    def picture(self, height: int, width: int) -> Map:
        """The input: (N, height, width, 3)."""
        return self.layer("InputLayer", [], (height, width, 3), name="input", batch_shape=[None, height, width, 3])

    # -- windows -----------------------------------------------------------------------------------------------------

    def conv(
        self,
        x: Map,
        filters: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: str = "valid",
        bias: bool = False,
        act: str = "linear",
        name: str = "",
    ) -> Map:
        """Conv2D."""
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        weights = [(*sides, x.channels, filters), *([(filters,)] if bias else [])]
        return self.layer(
            "Conv2D", [x], (*_windows(x, sides, stride, padding), filters), weights, name, filters=filters,
            kernel_size=list(sides), strides=[stride] * 2, padding=padding, use_bias=bias, activation=act,
        )  # fmt: skip

    def depthwise(self, x: Map, kernel: int, stride: int = 1, padding: str = "same", name: str = "") -> Map:
        """DepthwiseConv2D without a bias."""
        size = (*_windows(x, (kernel, kernel), stride, padding), x.channels)
        return self.layer(
            "DepthwiseConv2D", [x], size, [(kernel, kernel, x.channels, 1)], name, kernel_size=[kernel] * 2,
            strides=[stride] * 2, padding=padding, use_bias=False, depth_multiplier=1, activation="linear",
        )  # fmt: skip

    def separable(self, x: Map, filters: int, kernel: int, stride: int = 1, padding: str = "same") -> Map:
        """SeparableConv2D without a bias."""
        weights = [(kernel, kernel, x.channels, 1), (1, 1, x.channels, filters)]
        return self.layer(
            "SeparableConv2D", [x], (*_windows(x, (kernel, kernel), stride, padding), filters), weights,
            filters=filters, kernel_size=[kernel] * 2, strides=[stride] * 2, padding=padding, use_bias=False,
            depth_multiplier=1, activation="linear",
        )  # fmt: skip

    def pool(self, kind: str, x: Map, size: int, stride: int, padding: str = "valid") -> Map:
        """MaxPooling2D or AveragePooling2D."""
        sides = _windows(x, (size, size), stride, padding)
        return self.layer(
            f"{kind}Pooling2D", [x], (*sides, x.channels), pool_size=[size] * 2, strides=[stride] * 2, padding=padding
        )

    def pad(self, x: Map, pads: Pads) -> Map:
        """ZeroPadding2D: ((top, bottom), (left, right))."""
        size = (x.height + sum(pads[0]), x.width + sum(pads[1]), x.channels)
        return self.layer("ZeroPadding2D", [x], size, padding=[list(side) for side in pads])

    def crop(self, x: Map, pads: Pads) -> Map:
        """Cropping2D."""
        size = (x.height - sum(pads[0]), x.width - sum(pads[1]), x.channels)
        return self.layer("Cropping2D", [x], size, cropping=[list(side) for side in pads])

    def halving(self, x: Map, kernel: int) -> Map:
        """The zeros before a convolution of stride 2 (imagenet_utils.correct_pad): by whether the sides are even."""
        half = kernel // 2
        before = [half - 1 + side % 2 for side in (x.height, x.width)]
        return self.pad(x, ((before[0], half), (before[1], half)))

    # -- the rest ----------------------------------------------------------------------------------------------------

    def norm(self, x: Map, epsilon: float = 1e-3, scale: bool = True, name: str = "") -> Map:
        """BatchNormalization."""
        weights = [(x.channels,)] * (4 if scale else 3)
        size = (x.height, x.width, x.channels)
        return self.layer(
            "BatchNormalization", [x], size, weights, name, axis=-1, epsilon=epsilon, center=True, scale=scale
        )

    def act(self, x: Map, activation: str) -> Map:
        """Activation."""
        return self.layer("Activation", [x], (x.height, x.width, x.channels), activation=activation)

    def relu(self, x: Map, most: float | None = None) -> Map:
        """ReLU."""
        return self.layer("ReLU", [x], (x.height, x.width, x.channels), max_value=most)

    def rescale(self, x: Map, scale: float | list[float], offset: float = 0.0) -> Map:
        """Rescaling."""
        return self.layer("Rescaling", [x], (x.height, x.width, x.channels), scale=scale, offset=offset)

    def joined(self, kind: str, given: Sequence[Map], name: str = "") -> Map:
        """Add, Multiply or Concatenate."""
        first = given[0]
        channels = sum(one.channels for one in given) if kind == "Concatenate" else first.channels
        options: dict[str, Any] = {"axis": -1} if kind == "Concatenate" else {}
        return self.layer(kind, given, (first.height, first.width, channels), name=name, **options)

    def average(self, x: Map, keepdims: bool = False) -> Map:
        """GlobalAveragePooling2D."""
        size = (1, 1, x.channels) if keepdims else (0, 0, x.channels)
        return self.layer("GlobalAveragePooling2D", [x], size, keepdims=keepdims)

    def dense(self, x: Map, units: int, act: str) -> Map:
        """Dense."""
        weights = [(x.channels, units), (units,)]
        return self.layer("Dense", [x], (0, 0, units), weights, units=units, use_bias=True, activation=act)

    def classes(self, x: Map, count: int) -> Map:
        """The usual end: the mean of each channel, then scores; x itself for 0."""
        return self.dense(self.average(x), count, "softmax") if count else x

    # -- as Keras orders it ------------------------------------------------------------------------------------------

    def order(self) -> list[str]:
        """The names of the layers as Keras numbers them: the farther from the output the earlier, then as met."""
        depth = dict.fromkeys(self.entries, 0)
        for name in reversed(self.entries):
            for one in self.parents[name]:
                depth[one] = max(depth[one], depth[name] + 1)
        met: dict[str, int] = {}
        stack = [self.last]
        while stack:
            name = stack.pop()
            if name not in met:
                met[name] = len(met)
                stack += reversed(self.parents[name])
        return sorted(met, key=lambda name: (-depth[name], met[name]))

    def entry(self, name: str) -> dict[str, Any]:
        """The model as a file would have it."""
        ends = {"input_layers": [["input", 0, 0]], "output_layers": [[self.last, 0, 0]]}
        layers = [self.entries[one] for one in self.order()]
        return {"class_name": "Functional", "config": {"name": name, "layers": layers, **ends}}


def _windows(x: Map, kernel: tuple[int, int], stride: int, padding: str) -> tuple[int, int]:
    if padding == "same":
        return -(-x.height // stride), -(-x.width // stride)
    return (x.height - kernel[0]) // stride + 1, (x.width - kernel[1]) // stride + 1
