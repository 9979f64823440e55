"""What each layer becomes in ncnn. Parameter numbers are from its docs/developer-guide/operators.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...graph.fold import scale_and_shift
from ...graph.record import Layer
from ...graph.weights import Array
from ...runtime.ncnn_format import ORDERS, SIZES
from .emitter import AXES, Emitter, Params, no_form, without

# Activation -> its layer and parameters. leaky_relu and elu also have a slope.
ACTIVATIONS: dict[str, tuple[str, Params]] = {
    "relu": ("ReLU", {}),
    "relu6": ("Clip", {0: 0.0, 1: 6.0}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("TanH", {}),
    "silu": ("Swish", {}),
    "hsigmoid": ("HardSigmoid", {0: 1 / 6, 1: 0.5}),
    "hswish": ("HardSwish", {0: 1 / 6, 1: 0.5}),
    "gelu": ("GELU", {0: 0}),
    "gelu_tanh": ("GELU", {0: 1}),
    "leaky_relu": ("ReLU", {}),
    "elu": ("ELU", {}),
}
SLOPED = {"leaky_relu", "elu"}
WITH_AXIS = {"Softmax", "Concat", "Slice", "Select", "Squeeze"}
# What knows of a batch axis that is not the first.
ANY_BATCH_AXIS = {
    "Lstm", "Embedding", "Linear", "Act", "Softmax", "Concat", "Slice", "Select", "Squeeze", "Unsqueeze", "Transpose",
    "Reshape", "Add", "Mul",
}  # fmt: skip


def conv(e: Emitter, layer: Layer) -> None:
    """Weight (out, in / groups, *kernel), as in torch; groups, and one dimension, are layers of their own."""
    attrs, shape = layer.attrs, e.shape(layer, "weight")
    kind = "Convolution" if attrs["groups"] == 1 else "ConvolutionDepthWise"
    value, activation = e.result(layer)
    window = _window({1: "kernel", 2: "dilation", 3: "stride"}, (4, 14, 15, 16), layer)
    params = {0: shape[0], **window, 5: int("bias" in layer.params), 6: int(np.prod(shape))}
    params |= {7: attrs["groups"]} if attrs["groups"] > 1 else {}
    whole = e.rounded(layer)
    out = value if whole is not None and e.stays_whole(value) else ""
    params |= {} if whole is None else {8: 101 if out else 1}
    e.put(f"{kind}{_dimensions(layer)}", [e.take(layer.inputs[0])], value, params | activation)
    e.weight_and_bias(layer, whole, out)


def conv_transpose(e: Emitter, layer: Layer) -> None:
    """torch's weight is (in, out, *kernel), ncnn's (out, in, *kernel)."""
    factor, shape = layer.attrs["factor"], e.shape(layer, "weight")
    params: Params = {0: shape[1], 1: factor, 3: factor, 5: 1, 6: int(np.prod(shape))}
    e.put("Deconvolution", [e.take(layer.inputs[0])], layer.outputs[0], params)
    e.numbers(lambda: np.swapaxes(e.weights[layer.params["weight"]], 0, 1), tagged=True)
    e.param(layer, "bias")


def linear(e: Emitter, layer: Layer) -> None:
    """InnerProduct takes one row, or a matrix of rows: other shapes become a matrix and are put back."""
    x, shape = e.take(layer.inputs[0]), e.shape(layer, "weight")
    rows = e.sizes(layer.inputs[0])[:-1]
    value, activation = e.result(layer)
    whole = e.rounded(layer)
    params: Params = {0: shape[0], 1: int("bias" in layer.params), 2: int(np.prod(shape)), **activation}
    params |= {} if whole is None else {8: 1}
    if rows:
        x = e.inner("Reshape", f"{layer.name}/rows", x, _sizes((int(np.prod(rows)), shape[1])))
        x = e.inner("InnerProduct", layer.name, x, params)
        e.put("Reshape", [x], value, _sizes((*rows, shape[0])))
    else:
        e.put("InnerProduct", [x], value, params)
    e.weight_and_bias(layer, whole)


def batch_norm(e: Emitter, layer: Layer) -> None:
    """slope, mean, variance and bias; all but slope and bias are done here, in float64."""
    channels = e.graph.values[layer.inputs[0]].channels
    e.put("BatchNorm", [e.take(layer.inputs[0])], layer.outputs[0], {0: channels, 1: 0.0})
    e.numbers(lambda: np.broadcast_to(scale_and_shift(layer, e.weights)[0], channels))
    e.numbers(lambda: np.zeros(channels))
    e.numbers(lambda: np.ones(channels))
    e.numbers(lambda: np.broadcast_to(scale_and_shift(layer, e.weights)[1], channels))


def group_norm(e: Emitter, layer: Layer) -> None:
    """Groups of channels."""
    channels, affine = e.graph.values[layer.inputs[0]].channels, int("weight" in layer.params)
    params: Params = {0: layer.attrs["groups"], 1: channels, 2: float(layer.attrs["eps"]), 3: affine}
    e.put("GroupNorm", [e.take(layer.inputs[0])], layer.outputs[0], params)
    e.param(layer, "weight")
    e.param(layer, "bias")


def act(e: Emitter, layer: Layer) -> None:
    """One activation."""
    name = layer.attrs["kind"]
    kind, params = ACTIVATIONS[name]
    params = {0: float(layer.attrs["slope"])} if name in SLOPED else params
    e.put(kind, [e.take(layer.inputs[0])], layer.outputs[0], params)


def prelu(e: Emitter, layer: Layer) -> None:
    """One slope, or one per channel."""
    e.put("PReLU", [e.take(layer.inputs[0])], layer.outputs[0], {0: e.shape(layer, "weight")[0]})
    e.param(layer, "weight")


def softmax(e: Emitter, layer: Layer) -> None:
    """1=1 says that the axis is meant as written: src/layer/softmax.cpp, fixbug0."""
    e.put("Softmax", [e.take(layer.inputs[0])], layer.outputs[0], {0: e.axis(layer), 1: 1})


def pool(e: Emitter, layer: Layer) -> None:
    """Pad mode 1 does no rounding up: what ceil mode adds becomes padding at the end."""
    attrs, average = layer.attrs, layer.op == "AvgPool"
    if set(attrs["dilation"]) != {1}:
        raise no_form("MaxPool (dilation)")
    ends = _ends(e, layer)
    padded, longer = any(attrs["padding"]), ends != attrs["padding"][len(ends) :]
    counts = average and attrs["count_pad"] and padded
    if counts and longer:
        raise no_form("AvgPool (ceil_mode, count_include_pad)")
    window = _window({1: "kernel", 2: "stride"}, (3, 13, 14, 15), layer, ends)
    params: Params = {0: int(average), **window, 5: 1, 6: int(counts)}
    e.put(f"Pooling{_dimensions(layer)}", [e.take(layer.inputs[0])], layer.outputs[0], params)


def global_pool(e: Emitter, layer: Layer) -> None:
    """Global pooling drops the axes; they are put back, so that what follows may broadcast along them."""
    kind = "Pooling1D" if len(e.sizes(layer.inputs[0])) == 2 else "Pooling"
    x = e.inner(kind, f"{layer.name}/mean", e.take(layer.inputs[0]), {0: 1, 4: 1})
    e.put("Reshape", [x], layer.outputs[0], _sizes(e.sizes(layer.outputs[0])))


def add(e: Emitter, layer: Layer) -> None:
    """Operation 0."""
    e.put("BinaryOp", [e.take(x) for x in layer.inputs], layer.outputs[0], {0: 0})


def mul(e: Emitter, layer: Layer) -> None:
    """Operation 2."""
    e.put("BinaryOp", [e.take(x) for x in layer.inputs], layer.outputs[0], {0: 2})


def concat(e: Emitter, layer: Layer) -> None:
    """Along an axis."""
    e.put("Concat", [e.take(x) for x in layer.inputs], layer.outputs[0], {0: e.axis(layer)})


def slice_(e: Emitter, layer: Layer) -> None:
    """Crop: starts, ends and axes as lists."""
    axis = e.axis(layer)
    size = e.sizes(layer.inputs[0])[axis]
    start, stop, _ = slice(layer.attrs["start"], layer.attrs["stop"]).indices(size)
    e.put("Crop", [e.take(layer.inputs[0])], layer.outputs[0], {9: [start], 10: [stop], 11: [axis]})


def select(e: Emitter, layer: Layer) -> None:
    """A slice of one position, without its axis."""
    axis = e.axis(layer)
    size = e.sizes(layer.inputs[0])[axis]
    start = layer.attrs["index"] % size
    cut: Params = {9: [start], 10: [start + 1], 11: [axis]}
    x = e.inner("Crop", f"{layer.name}/cut", e.take(layer.inputs[0]), cut)
    e.put("Reshape", [x], layer.outputs[0], _sizes(e.sizes(layer.outputs[0])))


def reshape(e: Emitter, layer: Layer) -> None:
    """Also Squeeze and Unsqueeze."""
    x, out = layer.inputs[0], layer.outputs[0]
    first = e.batch[out] == 0 and e.graph.values[x].shape[0] != e.graph.values[out].shape[0]
    if first or (e.batch[out] is None and e.sizes(x) != e.sizes(out)):
        raise no_form(f"{layer.op} (axis {e.batch[x]})")
    e.put("Reshape", [e.take(layer.inputs[0])], layer.outputs[0], _sizes(e.sizes(layer.outputs[0])))


def transpose(e: Emitter, layer: Layer) -> None:
    """ncnn names an order by its axes, w first."""
    batch = e.batch[layer.inputs[0]]
    order = [without(i, batch) for i in layer.attrs["order"] if i != batch]
    axes = AXES[len(order)]
    wanted = "".join(axes[i] for i in reversed(order))
    e.put("Permute", [e.take(layer.inputs[0])], layer.outputs[0], {0: ORDERS[len(axes)].index(wanted)})


def upsample(e: Emitter, layer: Layer) -> None:
    """To a fixed size: nearest is type 1, bilinear 2. ncnn's coordinates are torch's; a height of 0 would mean that
    the size is not fixed, also where there is none (src/layer/interp.cpp).
    """
    *height, width = e.sizes(layer.outputs[0])[1:]
    kind, align = 2 if layer.attrs["mode"] == "linear" else 1, int(layer.attrs["align_corners"])
    params: Params = {0: kind, 3: height[0] if height else 1, 4: width, 6: align}
    e.put("Interp", [e.take(layer.inputs[0])], layer.outputs[0], params)


def embedding(e: Emitter, layer: Layer) -> None:
    """A row for each whole number, which are int32 in ncnn; of networks with a state, whose words come one by one."""
    words, features = e.shape(layer, "weight")
    params: Params = {0: features, 1: words, 2: 0, 3: words * features}
    e.put("Embed", [e.take(layer.inputs[0])], layer.outputs[0], params)
    e.param(layer, "weight", tagged=True)


def lstm(e: Emitter, layer: Layer) -> None:
    """torch keeps its gates in the order i f g o, ncnn in i f o g, and one bias for the two."""
    ways, hidden = layer.attrs["ways"], layer.attrs["hidden"]
    values = [value for i, value in enumerate(layer.outputs) if not i or e.readers[value] or value in e.ends]
    params: Params = {0: hidden, 1: ways * int(np.prod(e.shape(layer, "weight_ih"))), 2: 2 * (ways - 1)}
    e.put_all("LSTM", [e.take(x) for x in layer.inputs], layer.outputs if len(values) > 1 else values, params)
    e.numbers(lambda: _gates(e, layer, "weight_ih"), tagged=True)
    e.numbers(lambda: _gates(e, layer, "bias_ih", "bias_hh"), tagged=True)
    e.numbers(lambda: _gates(e, layer, "weight_hh"), tagged=True)


def _gates(e: Emitter, layer: Layer, *roles: str) -> Array:
    """The sum of some roles in all directions, one after another; zeros where there are none."""
    if roles[0] not in layer.params:
        return np.zeros(layer.attrs["ways"] * 4 * layer.attrs["hidden"])
    rows = []
    for way in ("", "_reverse")[: layer.attrs["ways"]]:
        total = sum(
            (e.weights[layer.params[f"{role}{way}"]] for role in roles[1:]), e.weights[layer.params[roles[0] + way]]
        )
        i, f, g, o = np.split(total, 4)
        rows += [i, f, o, g]
    return np.concatenate([row.reshape(-1) for row in rows])


def _dimensions(layer: Layer) -> str:
    """What follows a layer's kind."""
    return "1D" if len(layer.attrs["kernel"]) == 1 else ""


def _window(keys: dict[int, str], pads: Sequence[int], layer: Layer, ends: Sequence[int] = ()) -> Params:
    """Parameters of a sliding window: of the width under `keys`, of the height under ten more.

    pads: the keys of left, top, right and bottom;  ends: the padding at the ends, where it is not the layer's own
    """
    attrs = layer.attrs
    dims = len(attrs["kernel"])
    starts, ends = attrs["padding"][:dims], ends or attrs["padding"][dims:]
    left, top, right, bottom = pads
    params: Params = {key: attrs[name][-1] for key, name in keys.items()}
    params |= {left: starts[-1], right: ends[-1]}
    if dims == 2:
        params |= {key + 10: attrs[name][0] for key, name in keys.items()}
        params |= {top: starts[0], bottom: ends[0]}
    return params


def _ends(e: Emitter, layer: Layer) -> tuple[int, ...]:
    """Padding after each axis that makes as many windows as the graph has."""
    attrs = layer.attrs
    dims = len(attrs["kernel"])
    if not attrs["ceil"]:
        return tuple(attrs["padding"][dims:])
    places = zip(e.sizes(layer.inputs[0])[1:], e.sizes(layer.outputs[0])[1:], attrs["kernel"], attrs["stride"],
                 attrs["padding"], strict=False)  # fmt: skip
    return tuple(max(0, (count - 1) * step + kernel - size - start) for size, count, kernel, step, start in places)


def _sizes(shape: Sequence[int]) -> Params:
    return dict(zip(SIZES[len(shape)], shape, strict=True))


OPERATORS: dict[str, Callable[[Emitter, Layer], None]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Linear": linear,
    "Lstm": lstm,
    "Embedding": embedding,
    "BatchNorm": batch_norm,
    "GroupNorm": group_norm,
    "Act": act,
    "PRelu": prelu,
    "Softmax": softmax,
    "MaxPool": pool,
    "AvgPool": pool,
    "GlobalAvgPool": global_pool,
    "Add": add,
    "Mul": mul,
    "Concat": concat,
    "Slice": slice_,
    "Select": select,
    "Squeeze": reshape,
    "Unsqueeze": reshape,
    "Reshape": reshape,
    "Transpose": transpose,
    "Upsample": upsample,
}
