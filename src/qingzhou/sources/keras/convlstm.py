"""ConvLSTM1D, 2D and 3D, written step by step: their number of steps has to be known."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph.form import Value
from ..aten.axes import chunk, permute, select, stack, view
from .activations import by_setting
from .cells import MOST_STEPS
from .conv import as_used, same_pads
from .layer import KerasNet, Layer


def conv_over(
    t: KerasNet, layer: Layer, x: Value, mask: Value | None, states: Sequence[Value], zero: bool
) -> tuple[Value, Value, list[Value]]:
    """(N, T, …, C), or (N, T, C, …): gates i f c o of a convolution of the input and one of the state."""
    dims, length = int(layer.kind[-2]), x.shape[1]
    if len(x.shape) != dims + 3 or not isinstance(length, int) or length > MOST_STEPS:
        raise layer.refuse(
            f"its input has the shape {list(x.shape)}; at most {MOST_STEPS} steps are written one by one",
            f"它的输入形状为 {list(x.shape)}；最多逐步展开 {MOST_STEPS} 步",
            "Give the input a fixed number of steps",
            "请固定输入的步数",
        )
    first = layer.first
    last_axis = tuple(range(2, dims + 2))
    wide = x if first else permute(t, x, (0, 1, dims + 2, *last_axis))
    roles = ("kernel", "recurrent_kernel", *(["bias"] if layer.flag("use_bias", True) else []))
    numbers = layer.tensors(t, *roles, at="cell")
    kernels = [t.emit("Transpose", [as_used(t, one, dims)], perm=(dims + 1, dims, *range(dims))) for one in numbers[:2]]
    bias = numbers[2:]
    filters, size = layer.whole("filters"), layer.sizes("kernel_size", dims)
    if kernels[0].shape != (4 * filters, wide.shape[2], *size) or kernels[1].shape != (4 * filters, filters, *size):
        raise layer.garbled("kernel_size")
    entered = _entered(t, layer, wide, kernels[0], bias, size)
    given = [one if first else permute(t, one, (0, dims + 1, *range(1, dims + 1))) for one in states]
    h, c = (given[0], given[1]) if len(given) == 2 else (None, None)
    ones = (1,) * dims
    out: Value | None = None
    steps = []
    for i in range(length):
        gates = select(t, entered, 1, i)
        if h is not None:
            pads = same_pads(t, layer, h.shape[2:], size, ones, ones)
            back = t.emit("Conv", [h, kernels[1]], kernel_shape=size, strides=ones, pads=pads, dilations=ones, group=1)
            gates = t.emit("Add", [gates, back])
        new_h, new_c = _step(t, layer, gates, c)
        if mask is not None:
            real = view(t, select(t, mask, 1, i), (t.size(mask, 0), *[1] * (dims + 1)))
            none = t.scalar(0.0)
            out = t.emit("Where", [real, new_h, none if zero or out is None else out])
            h, c = (t.emit("Where", [real, a, none if b is None else b]) for a, b in ((new_h, h), (new_c, c)))
        else:
            h, c, out = new_h, new_c, new_h
        steps.append(out)
    assert h is not None and c is not None and out is not None
    whole = stack(t, tuple(steps), 1)
    if first:
        return whole, out, [h, c]
    back_axes = (0, *range(2, dims + 2), 1)
    return (
        permute(t, whole, (0, 1, *range(3, dims + 3), 2)),
        permute(t, out, back_axes),
        [permute(t, one, back_axes) for one in (h, c)],
    )


def _entered(t: KerasNet, layer: Layer, x: Value, kernel: Value, bias: Sequence[Value], size: tuple[int, ...]) -> Value:
    """The input's convolution, of all steps at once."""
    length, dims = x.shape[1], len(size)
    strides, dilations = layer.sizes("strides", dims, 1), layer.sizes("dilation_rate", dims, 1)
    assert isinstance(length, int)
    flat = view(t, x, (-1, *x.shape[2:]))  # type: ignore[arg-type]
    pads = (0,) * (2 * dims)
    if layer.text("padding", "valid").lower() == "same":
        pads = same_pads(t, layer, x.shape[3:], size, strides, dilations)
    found = t.emit(
        "Conv", [flat, kernel, *bias], kernel_shape=size, strides=strides, pads=pads, dilations=dilations, group=1
    )
    shape = (-1, length, *found.shape[1:])
    return t.emit("Reshape", [found, t.whole(*(int(n) for n in shape))], (x.shape[0], *shape[1:]))


def _step(t: KerasNet, layer: Layer, gates: Value, c: Value | None) -> tuple[Value, Value]:
    i, f, g, o = chunk(t, gates, 4, 1)
    act, gate = layer.config.get("activation", "tanh"), layer.config.get("recurrent_activation", "hard_sigmoid")
    i, f, o = (by_setting(t, layer, one, gate) for one in (i, f, o))
    new = t.emit("Mul", [i, by_setting(t, layer, g, act)])
    new = new if c is None else t.emit("Add", [t.emit("Mul", [f, c]), new])
    return t.emit("Mul", [o, by_setting(t, layer, new, act)]), new
