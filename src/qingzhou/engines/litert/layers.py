"""Layers with weights, and poolings: what each becomes in TensorFlow Lite, with channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...files.tflite_schema import SAME, VALID
from ...graph.fold import scale_and_shift
from ...graph.form import BLOCK, Array, Node
from ...onnxfile.integers import Steps
from .emitter import LAST, Emitter, no_form, plain
from .form import Held

Rule = Callable[[Emitter, Node], None]
Pads = list[tuple[int, int]]  # of each axis, before and after
ROW = (0, 2, 1)  # of what has one dimension, channels last


def conv(e: Emitter, node: Node) -> None:
    """Weights (out, kernel, in / groups); of one group for each channel (1, kernel, out)."""
    w, rounded = _window(e, node), e.rounded(node)
    out, inner, *_ = e.shape(node.inputs[1])
    x, padding = _entered(e, w, e.steps(node.inputs[0]) if rounded else None, 0.0)
    value, activation = e.ending(node)
    options = {"padding": padding, **w.strides_as_options(), "fused_activation_function": activation}
    options |= {"dilation_h_factor": w.dilations[0], "dilation_w_factor": w.dilations[1]}
    channels = e.shape(node.inputs[0])[1]
    if node.attrs["group"] == channels > 1 and inner == 1:
        kind, shape, perm, axis = "DEPTHWISE_CONV_2D", (1, *w.kernel, out), (1, 2, 3, 0), 3
        options["depth_multiplier"] = out // channels
    else:
        kind, shape, perm, axis = "CONV_2D", (out, *w.kernel, inner), (0, 2, 3, 1), 0
    weight = e.weight(node, shape, lambda array: array.reshape(out, inner, *w.kernel).transpose(perm), axis)
    goal = e.goal(value) if rounded else None
    _left(e, kind, [x, weight, e.bias(node, out)], value, goal, options)


def conv_transpose(e: Emitter, node: Node) -> None:
    """Weights (out, kernel, in), in floats; the padding of the graph is cut off from what the whole of it makes."""
    attrs, (inner, out, *kernel) = node.attrs, e.shape(node.inputs[1])
    odd = attrs["group"] != 1 or set(attrs["dilations"]) != {1} or len(kernel) != 2 or "output_shape" in attrs
    if odd or any(n < 0 for n in attrs["pads"]):
        raise no_form("ConvTranspose (in groups, with dilation, or of other dimensions than two)")
    x, value, load = node.inputs[0], node.outputs[0], e.graph.constants[node.inputs[1]].load
    batch, _, *sizes = e.shape(x)
    whole = [(n - 1) * stride + k for n, stride, k in zip(sizes, attrs["strides"], kernel, strict=True)]
    starts, ends = attrs["pads"][:2], e.shape(value)[2:]
    if any(start + n > full for start, n, full in zip(starts, ends, whole, strict=True)):
        raise no_form("ConvTranspose (output_padding)")
    weight = e.stored(node.inputs[1], (out, *kernel, inner), "float32", lambda: load().transpose(1, 2, 3, 0))
    shape = (batch, *whole, out)
    inputs = [e.numbers(shape), weight, e.take(x, LAST), e.bias(node, out)]
    options = {"padding": VALID, "stride_h": attrs["strides"][0], "stride_w": attrs["strides"][1]}
    made = e.inner("TRANSPOSE_CONV", f"{value}/whole", inputs, shape, None, **options)
    if whole != list(ends):
        begin, size = e.numbers([0, *starts, 0]), e.numbers([batch, *ends, out])
        made = e.inner("SLICE", value, [made, begin, size], (batch, *ends, out), None)
    e.held[value] = [Held(made, LAST, None)]


def linear(e: Emitter, node: Node) -> None:
    """FULLY_CONNECTED, with weights (out, in); what was flattened in another order is met by theirs."""
    name, (out, features) = node.inputs[0], e.shape(node.inputs[1])
    rounded = e.rounded(node)
    steps = e.steps(name) if rounded else None
    rank = len(e.shape(name))
    x = e.take(name, plain(rank), steps)

    def change(array: Array) -> Array:
        if name not in e.flat:
            return array
        sizes, order = e.flat[name]
        return array.reshape(-1, *sizes).transpose(0, *(axis + 1 for axis in order)).reshape(array.shape)

    value, activation = e.ending(node)
    inputs = [x, e.weight(node, (out, features), change, 0), e.bias(node, out)]
    more = {"keep_num_dims": True} if rank > 2 else {}
    goal = e.goal(value) if rounded else None
    e.put("FULLY_CONNECTED", inputs, value, plain(rank), goal, fused_activation_function=activation, **more)


def batch_norm(e: Emitter, node: Node) -> None:
    """A product and a sum for each channel."""
    x, value = node.inputs[0], node.outputs[0]
    order, sizes = e.first(x).order, e.shape(x)
    parts = scale_and_shift(node, e.graph)
    shape = [sizes[axis] if axis == 1 else 1 for axis in order]

    def row(tag: str, part: Array) -> int:
        return e.stored(f"{value}/{tag}", shape, "float32", lambda: np.broadcast_to(part, sizes[1]).reshape(shape))

    scale, shift = row("scale", parts[0]), row("shift", parts[1])
    scaled = e.inner("MUL", f"{value}/scaled", [e.take(x), scale], [sizes[axis] for axis in order], None)
    value, activation = e.ending(node)
    e.put("ADD", [scaled, shift], value, order, None, fused_activation_function=activation)


# -- windows -----------------------------------------------------------------------------------------------------------


def pool(e: Emitter, node: Node) -> None:
    """A pooling keeps the steps of what it reads."""
    w, x, average = _window(e, node), node.inputs[0], node.op == "AveragePool"
    if set(w.dilations) != {1}:
        raise no_form(f"{node.op} (dilation)")
    counts = average and bool(node.attrs["count_include_pad"])
    if average and any(map(any, w.pads)) and not counts and not w.is_same():
        raise no_form("AveragePool (padding that does not count)")
    if counts and w.pads != w.given:
        raise no_form("AveragePool (ceil_mode, count_include_pad)")
    steps = e.steps(x) if e.first(x).steps or e.goal(node.outputs[0]) else None
    fill = 0.0 if average or _never_negative(e, x) else -np.inf
    found, padding = _entered(e, w, steps, fill, same=not counts)
    value, activation = e.ending(node) if steps is None else (node.outputs[0], 0)
    options = {"padding": padding, **w.strides_as_options(), "fused_activation_function": activation}
    options |= {"filter_height": w.kernel[0], "filter_width": w.kernel[1]}
    _left(e, "AVERAGE_POOL_2D" if average else "MAX_POOL_2D", [found], value, steps, options)


def global_pool(e: Emitter, node: Node) -> None:
    """The mean over all positions."""
    x, value = node.inputs[0], node.outputs[0]
    order = e.first(x).order
    goal = e.goal(value)
    steps = e.steps(x) if goal else None
    axes = sorted(order.index(axis) for axis in range(2, len(order)))
    e.put("MEAN", [e.take(x, order, steps), e.numbers(axes)], value, order, goal if steps else None, keep_dims=True)


def _never_negative(e: Emitter, value: str) -> bool:
    """Whether a value comes from a ReLU: then a padding of zeros is less than nothing else."""
    maker = e.makers.get(value)
    return maker is not None and not maker.domain and maker.op in ("Relu", "Clip") and e.limits(maker)[0] >= 0


@dataclass(frozen=True)
class Window:
    """A sliding window over (height, width); one of a single dimension has a height of 1.

    sizes  of what it slides over;  pads: what is added, as given, and after each axis as much more as makes as many
           windows as the graph has
    """

    node: Node
    sizes: tuple[int, int]
    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    given: Pads
    pads: Pads

    def is_same(self) -> bool:
        """Whether that is what the padding SAME means: ceil(size / stride) windows, the odd row after the others."""
        wanted = []
        for n, kernel, stride, dilation in zip(self.sizes, self.kernel, self.strides, self.dilations, strict=True):
            total = max((-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
            wanted.append((total // 2, total - total // 2))
        return wanted == self.pads

    def strides_as_options(self) -> dict[str, int]:
        """As all windows of the format say them."""
        return {"stride_h": self.strides[0], "stride_w": self.strides[1]}


def _window(e: Emitter, node: Node) -> Window:
    """What a node says of its window; EngineError for more dimensions than two."""
    attrs, dims = node.attrs, len(node.attrs["kernel_shape"])
    if dims > 2:
        raise no_form(f"{node.op} of {dims} dimensions")
    sizes, counts = e.shape(node.inputs[0])[2:], e.shape(node.outputs[0])[2:]
    given = list(zip(attrs["pads"][:dims], attrs["pads"][dims:], strict=True))
    pads = given
    if attrs.get("ceil_mode"):
        places = zip(given, sizes, counts, attrs["kernel_shape"], attrs["strides"], strict=True)
        pads = [(a, max(b, (m - 1) * step + k - n - a)) for (a, b), n, m, k, step in places]
    rows = [sizes, attrs["kernel_shape"], attrs["strides"], attrs.get("dilations", (1,) * dims)]
    high, k, s, d = (_two(row) for row in rows)
    more = [(0, 0)] * (2 - dims)
    return Window(node, high, k, s, d, more + given, more + pads)


def _two(row: Sequence[int]) -> tuple[int, int]:
    return (1, int(row[0])) if len(row) == 1 else (int(row[0]), int(row[1]))


def _entered(e: Emitter, w: Window, steps: Steps | None, fill: float, same: bool = True) -> tuple[int, int]:
    """The input of a window, channels last, and the word for its padding; what no word says is padded before."""
    name, out = w.node.inputs[0], w.node.outputs[0]
    sizes = e.shape(name)
    x = e.take(name, LAST if len(sizes) == 4 else ROW, steps)
    if len(sizes) == 3:
        x = e.reshaped(x, f"{out}/entered", (sizes[0], *w.sizes, sizes[1]))
    if not any(map(any, w.pads)):
        return x, VALID
    if any(n < 0 for pair in w.pads for n in pair):
        raise no_form(f"{w.node.op} (negative padding)")
    if same and w.is_same():
        return x, SAME
    rows = [(0, 0), *w.pads, (0, 0)]
    shape = [n + sum(row) for n, row in zip(e.tensors[x].shape, rows, strict=True)]
    return padded(e, x, f"{out}/padded", rows, shape, fill), VALID


def _left(
    e: Emitter, kind: str, inputs: Sequence[int], value: str, steps: Steps | None, options: dict[str, int]
) -> None:
    """What a window makes; of a single dimension without its height."""
    sizes = e.shape(value)
    if len(sizes) == 4:
        e.put(kind, inputs, value, LAST, steps, **options)
        return
    batch, channels, length = sizes
    made = e.inner(kind, f"{value}/wide", inputs, (batch, 1, length, channels), steps, **options)
    e.held[value] = [Held(e.reshaped(made, value, (batch, length, channels)), ROW, steps)]


def padded(e: Emitter, x: int, name: str, rows: Sequence[tuple[int, int]], shape: Sequence[int], fill: float) -> int:
    """With so many numbers more before and after each axis; integers are padded by the one that stands for `fill`."""
    steps, inputs = e.steps_in(x), [x, e.numbers([n for row in rows for n in row], (len(rows), 2))]
    if not fill:
        return e.inner("PAD", name, inputs, shape, steps)
    if steps is None:
        least = float(np.finfo(np.float32).min)
        inputs.append(e.stored(f"{name}/fill", (1,), "float32", lambda: np.array([max(fill, least)])))
    else:
        number = int(np.clip(np.rint(max(fill, -1e9) / steps.scale) + steps.zero, -128, 127))
        scales, zero = [steps.scale], steps.zero
        inputs.append(e.stored(f"{name}/fill", (1,), "int8", lambda: np.array([number]), scales, zero=zero))
    return e.inner("PADV2", name, inputs, shape, steps)


LAYERS: dict[tuple[str, str], Rule] = {
    ("", "Conv"): conv,
    ("", "ConvTranspose"): conv_transpose,
    (BLOCK, "Linear"): linear,
    ("", "BatchNormalization"): batch_norm,
    ("", "MaxPool"): pool,
    ("", "AveragePool"): pool,
    ("", "GlobalAveragePool"): global_pool,
}
