"""What each operation becomes in ncnn. Parameter numbers are from its docs/developer-guide/operators.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...graph.fold import scale_and_shift
from ...graph.form import BLOCK, Array, Node, roles
from ...runtime.engine.ncnn_format import ORDERS, SIZES
from .emitter import AXES, Emitter, Params, no_form, without

WITH_AXIS = {"Softmax", "Concat", "Gather"}
# What knows of a batch axis that is not the first.
ANY_BATCH_AXIS = {
    "Lstm", "Linear", "Relu", "Clip", "Sigmoid", "Tanh", "Silu", "HardSigmoid", "HardSwish", "Gelu", "LeakyRelu", "Elu",
    "Softmax", "Concat", "Slice", "Gather", "Squeeze", "Unsqueeze", "Transpose", "Reshape", "Flatten", "Add", "Mul",
    "Identity",
}  # fmt: skip


def conv(e: Emitter, node: Node) -> None:
    """Weight (out, in / groups, *kernel), as in torch; groups, and one dimension, are layers of their own."""
    groups, shape = node.attrs["group"], e.shape(node, "weight")
    kind = "Convolution" if groups == 1 else "ConvolutionDepthWise"
    value, activation = e.result(node)
    window = _window({1: "kernel_shape", 2: "dilations", 3: "strides"}, (4, 14, 15, 16), node)
    params = {0: shape[0], **window, 5: int("bias" in roles(node)), 6: int(np.prod(shape))}
    params |= {7: groups} if groups > 1 else {}
    rounded = e.rounded(node)
    out = value if rounded is not None and e.stays_int8(value) else ""
    params |= {} if rounded is None else {8: 101 if out else 1}
    e.put(f"{kind}{_dimensions(node)}", [e.take(node.inputs[0])], value, params | activation)
    e.weight_and_bias(node, rounded, out)


def conv_transpose(e: Emitter, node: Node) -> None:
    """torch's weight is (in, out, *kernel), ncnn's (out, in, *kernel)."""
    attrs, shape = node.attrs, e.shape(node, "weight")
    kernel, plain = attrs["kernel_shape"], attrs.get("group", 1) == 1 and not any(attrs["pads"])
    unusual = {"output_padding", "output_shape"} & set(attrs)
    if not plain or unusual or len(set(kernel)) != 1 or kernel != attrs["strides"] or set(attrs["dilations"]) != {1}:
        raise no_form("ConvTranspose (other than a kernel like its stride)")
    params: Params = {0: shape[1], 1: kernel[0], 3: kernel[0], 5: int("bias" in roles(node)), 6: int(np.prod(shape))}
    e.put("Deconvolution", [e.take(node.inputs[0])], node.outputs[0], params)
    e.numbers(lambda: np.swapaxes(e.array(node, "weight"), 0, 1), tagged=True)
    e.param(node, "bias")


def linear(e: Emitter, node: Node) -> None:
    """InnerProduct takes one row, or a matrix of rows: other shapes become a matrix and are put back."""
    x, shape = e.take(node.inputs[0]), e.shape(node, "weight")
    rows = e.sizes(node.inputs[0])[:-1]
    value, activation = e.result(node)
    rounded = e.rounded(node)
    params: Params = {0: shape[0], 1: int("bias" in roles(node)), 2: int(np.prod(shape)), **activation}
    params |= {} if rounded is None else {8: 1}
    if rows:
        x = e.inner("Reshape", f"{node.name}/rows", x, _sizes((int(np.prod(rows)), shape[1])))
        x = e.inner("InnerProduct", node.name, x, params)
        e.put("Reshape", [x], value, _sizes((*rows, shape[0])))
    else:
        e.put("InnerProduct", [x], value, params)
    e.weight_and_bias(node, rounded)


def batch_norm(e: Emitter, node: Node) -> None:
    """slope, mean, variance and bias; all but slope and bias are done here, in float64."""
    channels = e.graph.values[node.inputs[0]].channels
    e.put("BatchNorm", [e.take(node.inputs[0])], node.outputs[0], {0: channels, 1: 0.0})
    e.numbers(lambda: np.broadcast_to(scale_and_shift(node, e.graph)[0], channels))
    e.numbers(lambda: np.zeros(channels))
    e.numbers(lambda: np.ones(channels))
    e.numbers(lambda: np.broadcast_to(scale_and_shift(node, e.graph)[1], channels))


def group_norm(e: Emitter, node: Node) -> None:
    """Groups of channels."""
    channels, affine = e.graph.values[node.inputs[0]].channels, int("weight" in roles(node))
    params: Params = {0: node.attrs["groups"], 1: channels, 2: float(node.attrs["eps"]), 3: affine}
    e.put("GroupNorm", [e.take(node.inputs[0])], node.outputs[0], params)
    e.param(node, "weight")
    e.param(node, "bias")


def activation(kind: str, params: Callable[[Emitter, Node], Params] = lambda e, node: {}) -> Rule:
    """An activation, with its numbers."""
    return lambda e, node: e.put(kind, [e.take(node.inputs[0])], node.outputs[0], params(e, node))


def _clip(e: Emitter, node: Node) -> Params:
    low, high = e.limits(node)
    return {0: low, 1: high}


def _alpha(e: Emitter, node: Node) -> Params:
    return {0: float(node.attrs["alpha"])}


def _hard_sigmoid(e: Emitter, node: Node) -> Params:
    """A file keeps a sixth as float32."""
    alpha = node.attrs["alpha"]
    return {0: 1 / 6 if abs(alpha - 1 / 6) < 1e-6 else float(alpha), 1: float(node.attrs["beta"])}


def prelu(e: Emitter, node: Node) -> None:
    """One slope, or one per channel."""
    shape, value = e.shape(node, "weight"), e.graph.values[node.inputs[0]]
    slopes = int(np.prod(shape))
    wide = (1,) * (len(value.shape) - len(shape)) + shape
    if slopes != 1 and (slopes != value.channels or wide[1] != slopes):
        raise no_form("PRelu (other than one slope for each channel)")
    e.put("PReLU", [e.take(node.inputs[0])], node.outputs[0], {0: slopes})
    e.param(node, "weight")


def softmax(e: Emitter, node: Node) -> None:
    """1=1 says that the axis is meant as written: src/layer/softmax.cpp, fixbug0."""
    e.put("Softmax", [e.take(node.inputs[0])], node.outputs[0], {0: e.axis(node), 1: 1})


def pool(e: Emitter, node: Node) -> None:
    """Pad mode 1 does no rounding up: what ceil mode adds becomes padding at the end."""
    attrs, average = node.attrs, node.op == "AveragePool"
    if set(attrs.get("dilations", (1,))) != {1}:
        raise no_form(f"{node.op} (dilation)")
    ends = _ends(e, node)
    padded, longer = any(attrs["pads"]), ends != attrs["pads"][len(ends) :]
    counts = average and attrs["count_include_pad"] and padded
    if counts and longer:
        raise no_form("AveragePool (ceil_mode, count_include_pad)")
    window = _window({1: "kernel_shape", 2: "strides"}, (3, 13, 14, 15), node, ends)
    params: Params = {0: int(average), **window, 5: 1, 6: int(counts)}
    e.put(f"Pooling{_dimensions(node)}", [e.take(node.inputs[0])], node.outputs[0], params)


def global_pool(e: Emitter, node: Node) -> None:
    """Global pooling drops the axes; they are put back, so that what follows may broadcast along them."""
    kind = "Pooling1D" if len(e.sizes(node.inputs[0])) == 2 else "Pooling"
    x = e.inner(kind, f"{node.name}/mean", e.take(node.inputs[0]), {0: 1, 4: 1})
    e.put("Reshape", [x], node.outputs[0], _sizes(e.sizes(node.outputs[0])))


def mean(e: Emitter, node: Node) -> None:
    """Over all places of a picture, which is global pooling."""
    rank = len(e.graph.values[node.inputs[0]].shape)
    axes = sorted(int(axis) % rank for axis in node.attrs.get("axes", range(rank)))
    if rank not in (3, 4) or axes != list(range(2, rank)):
        raise no_form(f"ReduceMean (axes {axes})")
    global_pool(e, node)


def binary(operation: int, turned: int) -> Rule:
    """Of two values, or of one and known numbers; `turned`: the operation that takes them the other way round."""

    def rule(e: Emitter, node: Node) -> None:
        known = [name for name in node.inputs if name in e.graph.constants]
        if len(known) == 1 and np.prod(e.graph.constants[known[0]].shape) == 1:
            number = float(e.graph.constants[known[0]].load().reshape(-1)[0])
            value = node.inputs[1 if node.inputs[0] in known else 0]
            way = turned if node.inputs[0] in known else operation
            e.put("BinaryOp", [e.take(value)], node.outputs[0], {0: way, 1: 1, 2: number})
            return
        ranks = {len(e.graph.values[name].shape) for name in node.inputs if name not in known}
        if len(ranks) != 1 or len(known) > 1:
            raise no_form(f"{node.op} of values with another number of axes")
        sources = [_known(e, node, name) if name in known else e.take(name) for name in node.inputs]
        e.put("BinaryOp", sources, node.outputs[0], {0: operation})

    return rule


def _known(e: Emitter, node: Node, name: str) -> str:
    """The blob of known numbers as large as what the node makes: older ncnn broadcasts along some axes only."""
    constant, shape = e.graph.constants[name], e.graph.values[node.outputs[0]].shape
    wide = tuple(int(n) if isinstance(n, int) else 1 for n in shape)
    if constant.dtype != "float32" or len(constant.shape) > len(wide):
        raise no_form(f"{node.op} with known numbers of another form")
    blob = e.line("MemoryData", name, [], [f"b{e.count}"], _sizes(e.sizes(node.outputs[0])))
    e.numbers(lambda: np.broadcast_to(constant.load(), wide))
    return blob[0]


def matmul(e: Emitter, node: Node) -> None:
    """Of two values with as many axes."""
    if any(name in e.graph.constants for name in node.inputs):
        raise no_form("MatMul with known numbers that are no linear layer")
    shapes = [e.graph.values[name].shape for name in node.inputs]
    if len(shapes[0]) != len(shapes[1]) or shapes[0][:-2] != shapes[1][:-2] or len(shapes[0]) < 3:
        raise no_form("MatMul of values with other axes before the last two")
    e.put("MatMul", [e.take(x) for x in node.inputs], node.outputs[0], {0: 0})


def concat(e: Emitter, node: Node) -> None:
    """Along an axis."""
    if any(name in e.graph.constants for name in node.inputs):
        raise no_form("Concat with known numbers")
    e.put("Concat", [e.take(x) for x in node.inputs], node.outputs[0], {0: e.axis(node)})


def slice_(e: Emitter, node: Node) -> None:
    """Crop: starts, ends and axes as lists."""
    found = [e.known(name) for name in node.inputs[1:]]
    if len(found) < 3 or any(len(row) != 1 for row in found) or (len(found) == 4 and found[3] != [1]):
        raise no_form("Slice (of several axes, or with steps)")
    (start,), (stop,), (along,) = found[:3]
    if along % len(e.graph.values[node.inputs[0]].shape) == e.batch[node.inputs[0]]:
        raise no_form(f"Slice (axis {along})")
    axis = e.axis(node, along)
    start, stop, _ = slice(start, stop).indices(e.sizes(node.inputs[0])[axis])
    e.put("Crop", [e.take(node.inputs[0])], node.outputs[0], {9: [start], 10: [stop], 11: [axis]})


def gather(e: Emitter, node: Node) -> None:
    """Rows of known numbers, which are an embedding; or one position of an axis, which goes away."""
    source, index = node.inputs
    if source in e.graph.constants:
        _embedding(e, node)
        return
    if e.graph.constants[index].shape if index in e.graph.constants else True:
        raise no_form("Gather (of several positions)")
    axis, [place] = e.axis(node), e.known(index)
    start = place % e.sizes(source)[axis]
    cut: Params = {9: [start], 10: [start + 1], 11: [axis]}
    x = e.inner("Crop", f"{node.name}/cut", e.take(source), cut)
    e.put("Reshape", [x], node.outputs[0], _sizes(e.sizes(node.outputs[0])))


def _embedding(e: Emitter, node: Node) -> None:
    """A row for each whole number, which are int32 in ncnn; of networks with a state, whose words come one by one."""
    weight, ids = e.graph.constants[node.inputs[0]], node.inputs[1]
    if len(weight.shape) != 2 or node.attrs["axis"] != 0:
        raise no_form("Gather (of known numbers, other than rows)")
    words, features = weight.shape
    params: Params = {0: features, 1: words, 2: 0, 3: words * features}
    e.put("Embed", [e.take(ids)], node.outputs[0], params)
    e.numbers(weight.load, tagged=True)


def reshape(e: Emitter, node: Node) -> None:
    """Also Squeeze, Unsqueeze and Flatten."""
    x, out = node.inputs[0], node.outputs[0]
    first = e.batch[out] == 0 and e.graph.values[x].shape[0] != e.graph.values[out].shape[0]
    if first or (e.batch[out] is None and e.sizes(x) != e.sizes(out)):
        raise no_form(f"{node.op} (axis {e.batch[x]})")
    e.put("Reshape", [e.take(node.inputs[0])], node.outputs[0], _sizes(e.sizes(node.outputs[0])))


def transpose(e: Emitter, node: Node) -> None:
    """ncnn names an order by its axes, w first."""
    batch = e.batch[node.inputs[0]]
    order = [without(i, batch) for i in node.attrs["perm"] if i != batch]
    axes = AXES[len(order)]
    wanted = "".join(axes[i] for i in reversed(order))
    e.put("Permute", [e.take(node.inputs[0])], node.outputs[0], {0: ORDERS[len(axes)].index(wanted)})


def resize(e: Emitter, node: Node) -> None:
    """To a fixed size: nearest is type 1, bilinear 2. ncnn's coordinates are torch's; a height of 0 would mean that
    the size is not fixed, also where there is none (src/layer/interp.cpp).
    """
    mode, where = node.attrs["mode"], node.attrs["coordinate_transformation_mode"]
    nearest = mode == "nearest" and where == "asymmetric" and node.attrs["nearest_mode"] == "floor"
    linear = mode == "linear" and where in ("half_pixel", "pytorch_half_pixel", "align_corners")
    channels = {e.sizes(name)[0] for name in (node.inputs[0], node.outputs[0])}
    if not (nearest or linear) or node.attrs.get("antialias") or len(channels) > 1:
        raise no_form(f"Resize (mode {mode}, {where})")
    *height, width = e.sizes(node.outputs[0])[1:]
    params: Params = {0: 2 if linear else 1, 3: height[0] if height else 1, 4: width, 6: int(where == "align_corners")}
    e.put("Interp", [e.take(node.inputs[0])], node.outputs[0], params)


def lstm(e: Emitter, node: Node) -> None:
    """torch keeps its gates in the order i f g o, ncnn in i f o g, and one bias for the two."""
    ways, hidden = node.attrs["ways"], node.attrs["hidden"]
    values = [value for i, value in enumerate(node.outputs) if not i or e.readers.get(value) or value in e.ends]
    params: Params = {0: hidden, 1: ways * int(np.prod(e.shape(node, "weight_ih"))), 2: 2 * (ways - 1)}
    sources = [e.take(x) for x in node.inputs[:3] if x]
    e.put_all("LSTM", sources, node.outputs if len(values) > 1 else values, params)
    e.numbers(lambda: _gates(e, node, "weight_ih"), tagged=True)
    e.numbers(lambda: _gates(e, node, "bias_ih", "bias_hh"), tagged=True)
    e.numbers(lambda: _gates(e, node, "weight_hh"), tagged=True)


def _gates(e: Emitter, node: Node, *wanted: str) -> Array:
    """The sum of some roles in all directions, one after another; zeros where there are none."""
    if wanted[0] not in roles(node):
        return np.zeros(node.attrs["ways"] * 4 * node.attrs["hidden"])
    rows = []
    for way in ("", "_reverse")[: node.attrs["ways"]]:
        total = sum((e.array(node, f"{role}{way}") for role in wanted[1:]), e.array(node, wanted[0] + way))
        i, f, g, o = np.split(total, 4)
        rows += [i, f, o, g]
    return np.concatenate([row.reshape(-1) for row in rows])


def _dimensions(node: Node) -> str:
    """What follows a layer's kind."""
    return "1D" if len(node.attrs["kernel_shape"]) == 1 else ""


def _window(keys: dict[int, str], pads: Sequence[int], node: Node, ends: Sequence[int] = ()) -> Params:
    """Parameters of a sliding window: of the width under `keys`, of the height under ten more.

    pads: the keys of left, top, right and bottom;  ends: the padding at the ends, where it is not the node's own
    """
    attrs = node.attrs
    dims = len(attrs["kernel_shape"])
    if dims > 2:
        raise no_form(f"{node.op} of {dims} dimensions")
    starts, ends = attrs["pads"][:dims], ends or attrs["pads"][dims:]
    left, top, right, bottom = pads
    params: Params = {key: attrs[name][-1] for key, name in keys.items()}
    params |= {left: starts[-1], right: ends[-1]}
    if dims == 2:
        params |= {key + 10: attrs[name][0] for key, name in keys.items()}
        params |= {top: starts[0], bottom: ends[0]}
    return params


def _ends(e: Emitter, node: Node) -> tuple[int, ...]:
    """Padding after each axis that makes as many windows as the graph has."""
    attrs = node.attrs
    dims = len(attrs["kernel_shape"])
    if not attrs["ceil_mode"]:
        return tuple(attrs["pads"][dims:])
    places = zip(
        e.sizes(node.inputs[0])[1:],
        e.sizes(node.outputs[0])[1:],
        attrs["kernel_shape"],
        attrs["strides"],
        attrs["pads"],
        strict=False,
    )
    return tuple(max(0, (count - 1) * step + kernel - size - start) for size, count, kernel, step, start in places)


def _sizes(shape: Sequence[int]) -> Params:
    return dict(zip(SIZES[len(shape)], shape, strict=True))


Rule = Callable[[Emitter, Node], None]
OPERATORS: dict[tuple[str, str], Rule] = {
    ("", "Conv"): conv,
    ("", "ConvTranspose"): conv_transpose,
    ("", "BatchNormalization"): batch_norm,
    ("", "Relu"): activation("ReLU"),
    ("", "Clip"): activation("Clip", _clip),
    ("", "Sigmoid"): activation("Sigmoid"),
    ("", "Tanh"): activation("TanH"),
    ("", "HardSigmoid"): activation("HardSigmoid", _hard_sigmoid),
    ("", "HardSwish"): activation("HardSwish", lambda e, node: {0: 1 / 6, 1: 0.5}),
    ("", "LeakyRelu"): activation("ReLU", _alpha),
    ("", "Elu"): activation("ELU", _alpha),
    ("", "PRelu"): prelu,
    ("", "Softmax"): softmax,
    ("", "MaxPool"): pool,
    ("", "AveragePool"): pool,
    ("", "GlobalAveragePool"): global_pool,
    ("", "ReduceMean"): mean,
    ("", "Add"): binary(0, 0),
    ("", "Sub"): binary(1, 7),
    ("", "Mul"): binary(2, 2),
    ("", "Sin"): activation("UnaryOp", lambda e, node: {0: 9}),
    ("", "Cos"): activation("UnaryOp", lambda e, node: {0: 10}),
    ("", "MatMul"): matmul,
    ("", "Concat"): concat,
    ("", "Slice"): slice_,
    ("", "Gather"): gather,
    ("", "Squeeze"): reshape,
    ("", "Unsqueeze"): reshape,
    ("", "Reshape"): reshape,
    ("", "Flatten"): reshape,
    ("", "Transpose"): transpose,
    ("", "Resize"): resize,
    (BLOCK, "Linear"): linear,
    (BLOCK, "Lstm"): lstm,
    (BLOCK, "GroupNorm"): group_norm,
    (BLOCK, "Silu"): activation("Swish"),
    (BLOCK, "Gelu"): activation("GELU", lambda e, node: {0: int(node.attrs["approximate"] == "tanh")}),
}
