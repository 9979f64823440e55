"""Layers with weights, and poolings: what each becomes in TensorFlow Lite, with channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...files.tflite_schema import SAME, VALID
from ...graph.fold import scale_and_shift
from ...graph.form import BLOCK, Array, Node
from ...onnxfile.integers import Steps
from .emitter import LAST, Emitter, no_form, plain

Rule = Callable[[Emitter, Node], None]
Pads = list[tuple[int, int]]  # of each axis, before and after


def conv(e: Emitter, node: Node) -> None:
    """Weights (out, kernel, in / groups); of one group for each channel (1, kernel, out)."""
    attrs, rounded = node.attrs, e.rounded(node)
    weight, dims = e.shape(node.inputs[1]), len(attrs["kernel_shape"])
    if dims != 2:
        raise no_form(f"{node.op} of {dims} dimensions")
    steps = e.steps(node.inputs[0]) if rounded else None
    x, padding = _entered(e, node, steps, _pads(e, node), 0.0)
    value, activation = e.ending(node)
    goal = e.goal(value) if rounded else None
    options = {
        "padding": padding,
        "stride_h": attrs["strides"][0],
        "stride_w": attrs["strides"][1],
        "dilation_h_factor": attrs["dilations"][0],
        "dilation_w_factor": attrs["dilations"][1],
        "fused_activation_function": activation,
    }
    channels = e.shape(node.inputs[0])[1]
    kernel = tuple(attrs["kernel_shape"])
    if attrs["group"] == channels and weight[1] == 1 and channels > 1:
        shape = (1, *kernel, weight[0])
        w = e.weight(node, shape, lambda array: array.transpose(1, 2, 3, 0), 3)
        options["depth_multiplier"] = weight[0] // channels
        kind = "DEPTHWISE_CONV_2D"
    else:
        w = e.weight(node, (weight[0], *kernel, weight[1]), lambda array: array.transpose(0, 2, 3, 1), 0)
        kind = "CONV_2D"
    e.put(kind, [x, w, e.bias(node, weight[0])], value, LAST, goal, **options)


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
    attrs, x, average = node.attrs, node.inputs[0], node.op == "AveragePool"
    dims = len(attrs["kernel_shape"])
    if dims != 2 or set(attrs.get("dilations", (1,))) != {1}:
        raise no_form(f"{node.op} of {dims} dimensions" if dims != 2 else f"{node.op} (dilation)")
    steps = e.steps(x) if e.first(x).steps or e.goal(node.outputs[0]) else None
    pads = _pads(e, node)
    if average and any(map(any, pads)) and not attrs["count_include_pad"] and not _is_same(e, node, pads):
        raise no_form("AveragePool (padding that does not count)")
    if average and attrs["count_include_pad"] and attrs["ceil_mode"] and pads != _given(node):
        raise no_form("AveragePool (ceil_mode, count_include_pad)")
    counts = average and bool(attrs["count_include_pad"])
    fill = 0.0 if average or _never_negative(e, x) else -np.inf
    found, padding = _entered(e, node, steps, pads, fill, same=not counts)
    value, activation = e.ending(node) if steps is None else (node.outputs[0], 0)
    options = {
        "padding": padding,
        "stride_h": attrs["strides"][0],
        "stride_w": attrs["strides"][1],
        "filter_height": attrs["kernel_shape"][0],
        "filter_width": attrs["kernel_shape"][1],
        "fused_activation_function": activation,
    }
    e.put("AVERAGE_POOL_2D" if average else "MAX_POOL_2D", [found], value, LAST, steps, **options)


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


def _given(node: Node) -> Pads:
    pads, dims = node.attrs["pads"], len(node.attrs["kernel_shape"])
    return list(zip(pads[:dims], pads[dims:], strict=True))


def _pads(e: Emitter, node: Node) -> Pads:
    """As given, and after each axis as much more as makes as many windows as the graph has."""
    if not node.attrs.get("ceil_mode"):
        return _given(node)
    found = []
    places = zip(_given(node), e.shape(node.inputs[0])[2:], e.shape(node.outputs[0])[2:], strict=True)
    for i, ((before, after), size, count) in enumerate(places):
        reach = (count - 1) * node.attrs["strides"][i] + node.attrs["kernel_shape"][i]
        found.append((before, max(after, reach - size - before)))
    return found


def _is_same(e: Emitter, node: Node, pads: Pads) -> bool:
    """Whether it is what the padding SAME means: so much that ceil(size / stride) windows fit, the odd one after."""
    settings = zip(
        e.shape(node.inputs[0])[2:],
        node.attrs["kernel_shape"],
        node.attrs["strides"],
        node.attrs.get("dilations", (1, 1)),
        strict=True,
    )
    wanted = []
    for n, kernel, stride, dilation in settings:
        total = max((-(-n // stride) - 1) * stride + dilation * (kernel - 1) + 1 - n, 0)
        wanted.append((total // 2, total - total // 2))
    return wanted == pads


def _entered(
    e: Emitter, node: Node, steps: Steps | None, pads: Pads, fill: float, same: bool = True
) -> tuple[int, int]:
    """The input of a window, channels last, and the word for its padding; what no word says is padded before."""
    x = e.take(node.inputs[0], LAST, steps)
    if not any(map(any, pads)):
        return x, VALID
    if any(n < 0 for pair in pads for n in pair):
        raise no_form(f"{node.op} (negative padding)")
    if same and _is_same(e, node, pads):
        return x, SAME
    sizes = e.tensors[x].shape
    rows = [(0, 0), *pads, (0, 0)]
    shape = [n + sum(row) for n, row in zip(sizes, rows, strict=True)]
    return padded(e, x, f"{node.outputs[0]}/padded", rows, shape, fill), VALID


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
    (BLOCK, "Linear"): linear,
    ("", "BatchNormalization"): batch_norm,
    ("", "MaxPool"): pool,
    ("", "AveragePool"): pool,
    ("", "GlobalAveragePool"): global_pool,
}
