"""Convolutions: kernels are (…k, in / groups, out), transposed ones (…k, out, in)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...errors import say
from ...files.refusals import short
from ...graph.form import Dim, Value
from .activations import activated
from .basic import adapted
from .layer import KerasNet, Kind, Layer
from .moves import channels_first, rank_of


def same_pads(
    t: KerasNet,
    layer: Layer,
    sizes: Sequence[Dim],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> tuple[int, ...]:
    """ceil(n / stride) positions, and the odd cell at the end: all starts, then all ends."""
    totals = []
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    for n, span, s in zip(sizes, spans, strides, strict=True):
        if isinstance(n, str) and s != 1:
            raise layer.refuse(
                "padding 'same' with a stride needs to know the size of its input, which is free",
                "带步长的 'same' 填充需要知道输入尺寸，而输入尺寸不固定",
                "Give the size of pictures with --input-size",
                "请用 --input-size 指定图片尺寸",
            )
        totals.append(span - 1 if isinstance(n, str) else max((-(-n // s) - 1) * s + span - n, 0))
    starts = [of_theano(layer, span) for span in spans] if t.theano else [n // 2 for n in totals]
    return (*starts, *(max(n - start, 0) for n, start in zip(totals, starts, strict=True)))


def of_theano(layer: Layer, span: int) -> int:
    """Where Theano starts, whatever the stride: half a kernel before, and for a pool of k cells k - 1, or k - 2 of an
    odd number. keras/backend/theano_backend.py of Keras 1 and 2, conv2d and pool2d.
    """
    if "Pool" not in layer.kind:
        return span // 2
    return span - 2 if span > 2 and span % 2 else span - 1


def pads_of(
    t: KerasNet, layer: Layer, x: Value, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[int, ...]:
    """What a layer's padding means for x (N, C, …)."""
    dims = len(kernel)
    match layer.text("padding", "valid").lower():
        case "valid":
            return (0,) * (2 * dims)
        case "same":
            return same_pads(t, layer, x.shape[2:], kernel, strides, dilations)
        case "causal" if dims == 1:
            return (dilations[0] * (kernel[0] - 1), 0)
    raise layer.garbled("padding")


def _attrs(t: KerasNet, layer: Layer, x: Value, kernel: tuple[int, ...], group: int) -> dict[str, Any]:
    dims = len(kernel)
    strides, dilations = layer.sizes("strides", dims, 1), layer.sizes("dilation_rate", dims, 1)
    pads = pads_of(t, layer, x, kernel, strides, dilations)
    return {"kernel_shape": kernel, "strides": strides, "pads": pads, "dilations": dilations, "group": group}


def _fits(layer: Layer, kernel: Value, shape: Sequence[int]) -> None:
    if kernel.shape != tuple(shape):
        raise layer.refuse(
            f"its kernel has the shape {list(kernel.shape)}, and {list(shape)} was expected",
            f"卷积核形状为 {list(kernel.shape)}，应为 {list(shape)}",
        )


def _channels(layer: Layer, x: Value) -> int:
    size = x.shape[1 if layer.first else -1]
    if not isinstance(size, int):
        raise layer.refuse("its input has a free number of channels", "输入的通道数不固定")
    return size


def _first(kernel: Value) -> tuple[int, ...]:
    """(…k, in, out) -> (out, in, …k)."""
    dims = len(kernel.shape) - 2
    return (dims + 1, dims, *range(dims))


def as_used(t: KerasNet, kernel: Value, dims: int) -> Value:
    """(…k, …) as TensorFlow takes it. Theano turns it by half a turn, but for what is depthwise: convert_kernel of
    keras/utils/conv_utils.py in Keras 2.
    """
    if not t.theano:
        return kernel
    ends = [t.whole(*[one] * dims) for one in (-1, -(2**63 - 1))]
    return t.emit("Slice", [kernel, *ends, t.whole(*range(dims)), t.whole(*[-1] * dims)])


def done(t: KerasNet, layer: Layer, found: Value) -> Value:
    """Activated; with a word where Keras 3 on TensorFlow adds the bias along the last axis, which is as long as the
    channels by chance: findings/keras-add-along-the-wrong-axis.sh.
    """
    if t.age == 3 and layer.first and _biased(layer) and found.shape[1] == found.shape[-1]:
        name, size = short(layer.name, 60), found.shape[1]
        t.notes.append(
            say(
                en=f"{name}: Keras 3 on TensorFlow adds the bias of this layer along its {size} columns, not to its "
                f"{size} channels; on JAX and PyTorch, and here, each channel has its own. If it was trained on "
                "TensorFlow, answers differ from those of training.",
                zh=f"{name}：Keras 3 在 TensorFlow 上会把这一层的偏置加到 {size} 列上，而不是 {size} 个通道上；"
                "在 JAX、PyTorch 以及这里，每个通道有自己的偏置。如果它是用 TensorFlow 训练的，结果会与训练时不同。",
            )
        )
    return activated(t, layer, found)


def _biased(layer: Layer) -> bool:
    return layer.flag("use_bias", True)


def conv(dims: int) -> Callable[[KerasNet, Layer, Value], Value]:
    """Conv1D, 2D and 3D, with groups."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        groups, filters = layer.whole("groups", 1), layer.whole("filters")
        size, channels = layer.sizes("kernel_size", dims), _channels(layer, x)
        kernel, *bias = layer.tensors(t, "kernel", *(["bias"] if _biased(layer) else []))
        if channels % groups or filters % groups:
            raise layer.garbled("groups")
        _fits(layer, kernel, (*size, channels // groups, filters))
        kernel = adapted(t, layer, kernel)
        turned = t.emit("Transpose", [as_used(t, kernel, dims)], perm=_first(kernel))
        found = channels_first(
            t, layer, x, lambda one: t.emit("Conv", [one, turned, *bias], **_attrs(t, layer, one, size, groups))
        )
        return done(t, layer, found)

    return run


def depthwise(dims: int) -> Callable[[KerasNet, Layer, Value], Value]:
    """Each channel by itself, `depth_multiplier` times."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        kernel, *bias = layer.tensors(t, "depthwise_kernel|kernel", *(["bias"] if _biased(layer) else []))
        found = channels_first(t, layer, x, lambda one: _depthwise(t, layer, one, kernel, bias))
        return done(t, layer, found)

    return run


def _depthwise(t: KerasNet, layer: Layer, x: Value, kernel: Value, bias: Sequence[Value]) -> Value:
    """x is (N, C, …), the kernel (…k, C, multiplier): channel c gives multiplier * c + m."""
    dims, channels = len(x.shape) - 2, x.channels
    size = layer.sizes("kernel_size", dims)
    many = layer.whole("depth_multiplier", 1)
    _fits(layer, kernel, (*size, channels, many))
    turned = t.emit("Transpose", [kernel], perm=(dims, dims + 1, *range(dims)))
    turned = t.emit("Reshape", [turned, t.whole(channels * many, 1, *size)])
    return t.emit("Conv", [x, turned, *bias], **_attrs(t, layer, x, size, channels))


def separable(dims: int) -> Callable[[KerasNet, Layer, Value], Value]:
    """Depthwise, then 1 x 1."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        roles = ["depthwise_kernel", "pointwise_kernel", *(["bias"] if _biased(layer) else [])]
        depth, point, *bias = layer.tensors(t, *roles)
        filters = layer.whole("filters")

        def inner(one: Value) -> Value:
            mixed = _depthwise(t, layer, one, depth, ())
            _fits(layer, point, (*[1] * dims, mixed.channels, filters))
            turned = t.emit("Transpose", [point], perm=_first(point))
            ones = (1,) * dims
            return t.emit(
                "Conv", [mixed, turned, *bias], kernel_shape=ones, strides=ones, pads=(0,) * (2 * dims),
                dilations=ones, group=1,
            )  # fmt: skip

        return done(t, layer, channels_first(t, layer, x, inner))

    return run


def transposed(dims: int) -> Callable[[KerasNet, Layer, Value], Value]:
    """Conv1D-, 2D- and 3DTranspose: the full result, cut as Keras cuts it, or with zeros at its end."""

    def run(t: KerasNet, layer: Layer, x: Value) -> Value:
        rank_of(layer, x, dims + 2)
        filters, size = layer.whole("filters"), layer.sizes("kernel_size", dims)
        strides, dilations = layer.sizes("strides", dims, 1), layer.sizes("dilation_rate", dims, 1)
        kernel, *bias = layer.tensors(t, "kernel", *(["bias"] if _biased(layer) else []))
        _fits(layer, kernel, (*size, filters, _channels(layer, x)))
        turned = t.emit("Transpose", [as_used(t, kernel, dims)], perm=_first(kernel))
        cuts = _cuts(layer, size, strides, dilations)
        starts = [max(n, 0) // 2 for n in cuts]
        if t.theano and layer.text("padding", "valid").lower() == "same":
            starts = [_half(layer, k) for k in size]
        pads = (*starts, *(max(n - start, 0) for n, start in zip(cuts, starts, strict=True)))
        more = tuple(max(start - n, 0) for n, start in zip(cuts, starts, strict=True))
        attrs: dict[str, Any] = {
            "kernel_shape": size, "strides": strides, "pads": pads, "dilations": dilations, "group": 1
        }  # fmt: skip
        if any(more):
            attrs["output_padding"] = more
        found = channels_first(t, layer, x, lambda one: t.emit("ConvTranspose", [one, turned, *bias], **attrs))
        wish = layer.get("output_shape")  # of Keras 1, which had it said
        if isinstance(wish, list) and tuple(wish[1:]) != found.shape[1:]:
            raise layer.refuse(
                f"its output_shape {wish} is not {list(found.shape)}",
                f"output_shape {wish} 与 {list(found.shape)} 不符",
            )
        return done(t, layer, found)

    return run


def _half(layer: Layer, size: int) -> int:
    """What Theano cuts off at the start; Keras refuses kernels of an even size there."""
    if size % 2 == 0:
        raise layer.refuse("its kernel has an even size, on Theano", "在 Theano 上，它的卷积核尺寸为偶数")
    return size // 2


def _cuts(layer: Layer, size: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> list[int]:
    """How much longer than what is asked for the full result is, (n - 1) * stride + span."""
    dims, same = len(size), layer.text("padding", "valid").lower() == "same"
    spans = [d * (k - 1) + 1 for k, d in zip(size, dilations, strict=True)]
    if layer.get("output_padding") is None:
        return [span - s if same else span - max(span, s) for span, s in zip(spans, strides, strict=True)]
    more = layer.sizes("output_padding", dims, low=0)
    if any(p >= s for p, s in zip(more, strides, strict=True)):
        raise layer.garbled("output_padding")
    return [2 * (span // 2) - p if same else -p for span, p in zip(spans, more, strict=True)]


CONVS: dict[str, Kind] = {
    **{f"Conv{n}D": Kind(conv(n), "drop") for n in (1, 2, 3)},
    **{f"Convolution{n}D": Kind(conv(n), "drop") for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": Kind(depthwise(n), "drop") for n in (1, 2)},
    **{f"SeparableConv{n}D": Kind(separable(n), "drop") for n in (1, 2)},
    **{f"SeparableConvolution{n}D": Kind(separable(n), "drop") for n in (1, 2)},
    **{f"Conv{n}DTranspose": Kind(transposed(n), "drop") for n in (1, 2, 3)},
    **{f"Convolution{n}DTranspose": Kind(transposed(n), "drop") for n in (2, 3)},
}
