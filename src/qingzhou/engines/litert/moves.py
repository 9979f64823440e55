"""What moves numbers and changes none: they keep the steps of what they read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...graph.form import BLOCK, Node
from .emitter import LAST, Emitter, no_form, plain
from .form import Held
from .layers import Rule, padded


def transpose(e: Emitter, node: Node) -> None:
    """The same tensors, in another order."""
    perm, value = list(node.attrs["perm"]), node.outputs[0]
    e.held[value] = [
        Held(one.index, tuple(perm.index(axis) for axis in one.order), one.steps) for one in e.held[node.inputs[0]]
    ]


def reshape(e: Emitter, node: Node) -> None:
    """Also Flatten, Squeeze and Unsqueeze. What only linear layers read may stay in the order in which it lies."""
    x, value = node.inputs[0], node.outputs[0]
    first, before, after = e.first(x), e.shape(x), e.shape(value)
    if e.same_row(before, first.order, plain(len(before))):
        index = first.index
    elif _only_linear(e, value, before, after):
        index = first.index
        e.flat[value] = (before[1:], tuple(axis - 1 for axis in first.order[1:]))
    else:
        index = e.take(x, plain(len(before)), first.steps)
    made = e.reshaped(index, value, after)
    e.held[value] = [Held(made, plain(len(after)), first.steps)]


def _only_linear(e: Emitter, value: str, before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether each sample becomes a row that linear layers alone read."""
    readers = e.readers[value]
    linear = all(node.op == "Linear" and node.domain == BLOCK and node.inputs[0] == value for node in readers)
    row = len(after) == 2 and after[0] == before[0] and after[1] == math.prod(before[1:])
    return row and linear and bool(readers) and value not in e.ends


def concat(e: Emitter, node: Node) -> None:
    """All have the steps of the result."""
    value = node.outputs[0]
    flowing = [name for name in node.inputs if name not in e.graph.constants]
    if not flowing:
        raise no_form("Concat of known numbers only")
    first = e.first(flowing[0])
    whole = len(flowing) == len(node.inputs) and all(e.first(name).steps for name in flowing)
    steps = (e.goal(value) or first.steps) if whole else None
    inputs = [e.take(name, first.order, steps) for name in node.inputs]
    axis = first.order.index(int(node.attrs["axis"]) % len(first.order))
    e.put("CONCATENATION", inputs, value, first.order, steps, axis=axis, fused_activation_function=0)


def slice_(e: Emitter, node: Node) -> None:
    """Starts, ends, axes and steps that are known."""
    x = node.inputs[0]
    sizes, given = e.shape(x), [e.known(name) if name else None for name in (*node.inputs[1:], "", "")[:4]]
    starts, stops = given[0] or [], given[1] or []
    axes, strides = given[2] or range(len(starts)), given[3] or [1] * len(starts)
    begin, end, step = [0] * len(sizes), list(sizes), [1] * len(sizes)
    for start, stop, axis, stride in zip(starts, stops, axes, strides, strict=True):
        if stride < 1:
            raise no_form("Slice (with steps backwards)")
        begin[axis], end[axis], step[axis] = slice(start, stop, stride).indices(sizes[axis])
    _cut(e, x, node.outputs[0], begin, end, step)


def _cut(e: Emitter, x: str, value: str, begin: Sequence[int], end: Sequence[int], step: Sequence[int]) -> None:
    first = e.first(x)
    rows = [e.numbers([row[axis] for axis in first.order]) for row in (begin, end, step)]
    e.put("STRIDED_SLICE", [first.index, *rows], value, first.order, first.steps)


def split(e: Emitter, node: Node) -> None:
    """A slice for each part."""
    x = node.inputs[0]
    sizes = e.shape(x)
    axis, start = int(node.attrs["axis"]) % len(sizes), 0
    for value in node.outputs:
        begin, end = [0] * len(sizes), list(sizes)
        begin[axis] = start
        start = end[axis] = start + e.shape(value)[axis]
        _cut(e, x, value, begin, end, [1] * len(sizes))


def gather(e: Emitter, node: Node) -> None:
    """Known positions of an axis; a single one takes the axis away."""
    x, index = node.inputs
    if x in e.graph.constants or index not in e.graph.constants or len(e.graph.constants[index].shape) > 1:
        raise no_form("Gather (of known numbers, or at computed positions)")
    rank, first = len(e.shape(x)), e.first(x)
    axis = int(node.attrs["axis"]) % rank
    size = e.shape(x)[axis]
    places = e.numbers([place % size for place in e.known(index)], e.graph.constants[index].shape or (1,))
    several = bool(e.graph.constants[index].shape)
    order, value = first.order, node.outputs[0]
    shape = [len(e.known(index)) if one == axis else e.shape(x)[one] for one in order]
    found = e.inner(
        "GATHER", f"{value}/places", [first.index, places], shape, first.steps, axis=order.index(axis), batch_dims=0
    )
    if several:
        e.held[value] = [Held(found, order, first.steps)]
        return
    left = tuple(one - (one > axis) for one in order if one != axis)
    made = e.reshaped(found, value, [e.shape(value)[one] for one in left])
    e.held[value] = [Held(made, left, first.steps)]


def pad(e: Emitter, node: Node) -> None:
    """By one number; reflections are not written."""
    x, value = node.inputs[0], node.outputs[0]
    if node.attrs["mode"] != "constant" or len(node.inputs) > 3:
        raise no_form(f"Pad ({node.attrs['mode']})")
    pads = e.known(node.inputs[1])
    fill = float(e.known(node.inputs[2])[0]) if len(node.inputs) > 2 and node.inputs[2] else 0.0
    if min(pads, default=0) < 0:
        raise no_form("Pad (negative)")
    first, rank = e.first(x), len(e.shape(x))
    rows = [(int(pads[axis]), int(pads[axis + rank])) for axis in first.order]
    made = padded(e, first.index, value, rows, [e.shape(value)[axis] for axis in first.order], fill)
    e.held[value] = [Held(made, first.order, first.steps)]


def resize(e: Emitter, node: Node) -> None:
    """Of pictures, to a size that is known: to the nearest number, or bilinear."""
    mode, where = node.attrs["mode"], node.attrs["coordinate_transformation_mode"]
    nearest = mode == "nearest" and where == "asymmetric" and node.attrs["nearest_mode"] == "floor"
    linear = mode == "linear" and where in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    x, value = node.inputs[0], node.outputs[0]
    if not (nearest or linear) or node.attrs.get("antialias") or len(e.shape(x)) != 4:
        raise no_form(f"Resize (mode {mode}, {where})")
    if e.shape(x)[:2] != e.shape(value)[:2]:
        raise no_form("Resize (of channels)")
    steps = e.first(x).steps
    options = {"align_corners": where == "align_corners", "half_pixel_centers": where.endswith("half_pixel")}
    kind = "RESIZE_NEAREST_NEIGHBOR" if nearest else "RESIZE_BILINEAR"
    e.put(kind, [e.take(x, LAST, steps), e.numbers(e.shape(value)[2:])], value, LAST, steps, **options)


def reduce(kind: str) -> Rule:
    """Over axes that are known."""

    def rule(e: Emitter, node: Node) -> None:
        x, value = node.inputs[0], node.outputs[0]
        rank, order = len(e.shape(x)), e.first(x).order
        given = e.known(node.inputs[1]) if len(node.inputs) > 1 and node.inputs[1] else node.attrs.get("axes")
        axes = {int(axis) % rank for axis in given or range(rank)}
        keep = bool(node.attrs["keepdims"])
        left = [axis for axis in order if axis not in axes]
        after = order if keep else tuple(sorted(left).index(axis) for axis in left)
        places = e.numbers([order.index(axis) for axis in sorted(axes)])
        e.put(kind, [e.take(x), places], value, after, None, keep_dims=keep)

    return rule


def matmul(e: Emitter, node: Node) -> None:
    """Of two values."""
    if any(name in e.graph.constants for name in node.inputs):
        raise no_form("MatMul with known numbers that are no linear layer")
    inputs = [e.take(name, plain(len(e.shape(name)))) for name in node.inputs]
    value = node.outputs[0]
    e.put("BATCH_MATMUL", inputs, value, plain(len(e.shape(value))), None, adj_x=False, adj_y=False)


MOVES: dict[tuple[str, str], Rule] = {
    ("", "Transpose"): transpose,
    **{("", op): reshape for op in ("Reshape", "Flatten", "Squeeze", "Unsqueeze")},
    ("", "Concat"): concat,
    ("", "Slice"): slice_,
    ("", "Split"): split,
    ("", "Gather"): gather,
    ("", "Pad"): pad,
    ("", "Resize"): resize,
    ("", "ReduceMean"): reduce("MEAN"),
    ("", "ReduceSum"): reduce("SUM"),
    ("", "ReduceMax"): reduce("REDUCE_MAX"),
    ("", "MatMul"): matmul,
}
