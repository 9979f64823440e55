"""Layers with weights: convolutions, linear layers, normalisations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...graph.form import Dim, Value
from ..recording.windows import same_pads
from .refuse import garbled, training
from .walk import Call, Step

Pads = Sequence[tuple[int, int]]


def ends(row: Sequence[int], dims: int) -> tuple[int, ...]:
    """The last numbers of a row that also has those of batch and channels; one stands for all."""
    found = tuple(row[-dims:]) if len(row) >= dims else tuple(row) * dims
    if len(found) != dims or not all(1 <= n < 1 << 16 for n in found):
        raise garbled(f"a window's settings are {list(row)}", f"窗口参数是 {list(row)}")
    return found


def pairs(row: Sequence[int], dims: int) -> Pads:
    """Top, bottom, left, right: before and after of each axis in turn; one number for all, or one for each axis."""
    if len(row) == 1:
        row = tuple(row) * 2 * dims
    elif len(row) == dims:
        row = [n for n in row for _ in (0, 1)]
    if len(row) != 2 * dims or not all(0 <= n < 1 << 16 for n in row):
        raise garbled(f"its padding is {list(row)}", f"填充是 {list(row)}")
    return [(row[2 * i], row[2 * i + 1]) for i in range(dims)]


def padding(c: Call, mode: Any, sizes: Sequence[Dim], window: Sequence[Sequence[int]], told: Any) -> Pads | None:
    """By the mode: "same", "valid", or "pad" with the numbers that are told."""
    mode = str(mode).lower()
    if mode in ("same", "1"):
        return same_pads(sizes, *window)
    if mode in ("valid", "2"):
        return [(0, 0)] * len(sizes)
    if mode in ("pad", "0", "calculated"):
        row = told if isinstance(told, tuple) else (told,)
        return pairs([int(n) for n in row], len(sizes))
    raise garbled(f"its padding is {mode}", f"填充方式是 {mode}")


def onnx_pads(pads: Pads) -> tuple[int, ...]:
    """All before, then all after."""
    return (*(before for before, _ in pads), *(after for _, after in pads))


def channels_first(c: Call) -> None:
    """UnsupportedCheckpoint for channels that come last."""
    form = c.node.attrs.get("format", c.node.attrs.get("data_format", "NCHW"))
    c.only(
        form in ("NCHW", "NCDHW", 0, "DefaultFormat"),
        f"its layers have channels last ({form})",
        f"通道在最后（{form}）",
    )


def conv(dims: int) -> Step:
    """(N, C, *sizes) with (out, C / groups, *kernel) -> (N, out, *sizes')."""

    def step(c: Call) -> Value:
        channels_first(c)
        x, w, attrs = c.x(0), c.x(1), c.node.attrs
        c.only(attrs.get("mode", 1) in (1, -1), "its convolution is of another mode", "卷积模式不支持")
        kernel = _kernel(x, w, dims)
        strides, dilations = ends(c.ints(99, "stride", 1), dims), ends(c.ints(99, "dilation", 1), dims)
        told = attrs.get("pad", attrs.get("pad_list", 0))
        pads = padding(c, attrs.get("pad_mode", "valid"), x.shape[2:], (kernel, strides, dilations), told)
        where = {"auto_pad": "SAME_UPPER"} if pads is None else {"pads": onnx_pads(pads)}
        inputs = [x, w, *([c.x(2)] if c.has(2) and isinstance(c.item(2), Value) else [])]
        groups = int(attrs.get("group", attrs.get("groups", 1)))
        return c.t.emit(
            "Conv", inputs, kernel_shape=kernel, strides=strides, dilations=dilations, group=groups, **where
        )

    return step


def _kernel(x: Value, w: Value, dims: int) -> tuple[int, ...]:
    kernel = [n for n in w.shape[2:] if isinstance(n, int)]
    if len(x.shape) != dims + 2 or len(w.shape) != dims + 2 or len(kernel) != dims:
        raise garbled(
            f"a weight of {list(w.shape)} meets {list(x.shape)}", f"权重 {list(w.shape)} 与输入 {list(x.shape)} 不符"
        )
    return tuple(kernel)


def conv_transpose(dims: int) -> Step:
    """(N, C, *sizes) with (C, out / groups, *kernel) -> (N, out, *sizes'), whose size is told."""

    def step(c: Call) -> Value:
        channels_first(c)
        x, w, attrs = c.x(0), c.x(1), c.node.attrs
        kernel = _kernel(x, w, dims)
        strides, dilations = ends(c.ints(99, "stride", 1), dims), ends(c.ints(99, "dilation", 1), dims)
        pads = _transposed_pads(c, kernel, strides, dilations, _size_told(c, dims))
        groups = int(attrs.get("group", attrs.get("groups", 1)))
        window = {"kernel_shape": kernel, "strides": strides, "dilations": dilations}
        return c.t.emit("ConvTranspose", [x, w], group=groups, **window, **pads)

    return step


def _size_told(c: Call, dims: int) -> Sequence[Any]:
    """The sizes of the result: an input, an attribute, or what the file states of it."""
    sizes: Any = c.sizes(2) if c.has(2) else c.node.attrs.get("input_size")
    if sizes is None or len(sizes) != dims + 2:
        sizes = getattr(c.node.told, "shape", ())
    return tuple(sizes)[-dims:]


def _transposed_pads(
    c: Call, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], sizes: Sequence[Any]
) -> dict[str, Any]:
    """What is cut off before and after: a forward convolution over the result would have that as its padding."""
    attrs = c.node.attrs
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads = padding(
        c,
        attrs.get("pad_mode", "valid"),
        sizes,
        (kernel, strides, dilations),
        attrs.get("pad", attrs.get("pad_list", 0)),
    )
    if pads is None:  # the size is free: as many as a stride for each
        pads = [(max(n - s, 0) // 2, max(n - s, 0) - max(n - s, 0) // 2) for n, s in zip(spans, strides, strict=True)]
    more = []
    for i, (n, span, s) in enumerate(zip(c.x(0).shape[2:], spans, strides, strict=True)):
        whole = (n - 1) * s + span - sum(pads[i]) if isinstance(n, int) else None
        wanted = sizes[i] if i < len(sizes) and isinstance(sizes[i], int) else None
        extra = wanted - whole if whole is not None and wanted is not None and wanted > 0 else max(s - span, 0)
        if not 0 <= extra < max(s, 2):
            raise garbled(f"its result would be {wanted} long, not {whole}", f"输出尺寸应为 {whole}，而不是 {wanted}")
        more.append(extra)
    found: dict[str, Any] = {"pads": onnx_pads(pads)}
    return {**found, "output_padding": tuple(more)} if any(more) else found


# -- products ----------------------------------------------------------------------------------------------------------


def product(c: Call) -> Value:
    """MatMul and BatchMatMul: of the last two axes, either of which may be turned."""
    a, b = c.pair()
    first = c.get(2, "transpose_a", c.node.attrs.get("transpose_x1", False))
    second = c.get(3, "transpose_b", c.node.attrs.get("transpose_x2", False))
    if (first or second) and min(len(a.shape), len(b.shape)) < 2:
        raise garbled("it turns a row", "它转置了一个向量")
    if not first and second and len(b.shape) == 2 and c.t.is_constant(b) and a.shape[-1:] == b.shape[1:]:
        return c.t.blocks("Linear", [a, b], (*a.shape[:-1], b.shape[0]))
    a, b = (_turned(c, x) if turn else x for x, turn in ((a, first), (b, second)))
    return c.t.emit("MatMul", [a, b])


def _wrong(a: Value, b: Value) -> Value:
    raise garbled(f"{list(a.shape)} meets {list(b.shape)} in a product", f"{list(a.shape)} 与 {list(b.shape)} 不能相乘")


def _turned(c: Call, x: Value) -> Value:
    rank = len(x.shape)
    return c.turned(x, (*range(rank - 2), rank - 1, rank - 2))


def dense(c: Call) -> Value:
    """Dense: x times a turned weight, and a bias."""
    x, w = c.x(0), c.x(1)
    if len(w.shape) != 2 or not x.shape or x.shape[-1] != w.shape[1]:
        return _wrong(x, w)
    rest = [c.x(2)] if c.has(2) else []
    if c.t.is_constant(w):
        return c.t.blocks("Linear", [x, w, *rest], (*x.shape[:-1], w.shape[0]))
    found = c.t.emit("MatMul", [x, _turned(c, w)])
    return c.t.emit("Add", [found, *rest]) if rest else found


def bias(c: Call) -> Value:
    """BiasAdd along axis 1; behind a product, or a convolution, it is theirs."""
    x, b = c.x(0), c.x(1)
    channels_first(c)
    last = c.t.nodes[-1] if c.t.nodes else None
    if last is not None and last.outputs[0] == x.name and len(last.inputs) == 2 and c.t.is_constant(b) and _alone(c):
        takes = (last.op == "Linear" and len(x.shape) == 2) or last.op in ("Conv", "ConvTranspose")
        if takes and b.shape == (x.shape[1],):
            c.t.nodes[-1] = replace(last, inputs=(*last.inputs, b.name))
            return x
    if len(x.shape) > 2:
        b = c.t.emit("Reshape", [b, c.t.whole(-1, *[1] * (len(x.shape) - 2))])
    return c.t.emit("Add", [x, b])


def _alone(c: Call) -> bool:
    """Whether nothing else reads what the bias is added to."""
    name = c.node.inputs[0]
    return c.walk.readers[name] == 1 and name not in c.walk.model.outputs


def bilinear(c: Call) -> Value:
    """BatchMatMul that is spelled MatMulExt: as numpy's."""
    return c.t.emit("MatMul", c.pair())


def add_product(c: Call) -> Value:
    """Addmm, Baddbmm: beta * input + alpha * a b."""
    found = c.t.emit("MatMul", [c.x(1), c.x(2)])
    beta, alpha = (c.get(i, name, 1) for i, name in ((3, "beta"), (4, "alpha")))
    found = found if alpha == 1 else c.t.emit("Mul", [found, c.t.scalar(float(alpha))])
    x = c.x(0) if beta == 1 else c.t.emit("Mul", [c.x(0), c.t.scalar(float(beta))])
    return c.t.emit("Add", [x, found])


# -- normalisations ----------------------------------------------------------------------------------------------------


def batch_norm(c: Call) -> tuple[Any, ...]:
    """BatchNorm as it is used: five results, of which one is the numbers."""
    if c.get(5, "is_training", False) is not False:
        raise training(
            "a BatchNorm takes mean and variance of its batch (is_training)",
            "BatchNorm 使用当前批次的统计量（is_training）",
        )
    channels_first(c)
    eps = float(c.number(6, "epsilon", 1e-5))
    x = c.t.emit("BatchNormalization", [c.x(i) for i in range(5)], epsilon=eps)
    return (x, *(c.x(i) for i in range(1, 5)))


def layer_norm(c: Call) -> tuple[Any, ...]:
    """LayerNorm: over all axes from one on; its gamma and beta over all from another on."""
    x, gamma, beta = c.x(0), c.x(1), c.x(2)
    rank = len(x.shape)
    begin = c.axis(int(c.number(3, "begin_norm_axis", 1)), rank)
    own = c.axis(int(c.number(4, "begin_params_axis", 1)), rank)
    eps = float(c.number(5, "epsilon", 1e-7))
    if begin == own and gamma.shape == x.shape[begin:]:
        return (c.t.emit("LayerNormalization", [x, gamma, beta], axis=begin - rank, epsilon=eps), None, None)
    return (_spelled(c, x, gamma, beta, range(begin, rank), eps), None, None)


def _spelled(c: Call, x: Value, gamma: Value, beta: Value, axes: Sequence[int], eps: float) -> Value:
    found = standardised(c, x, axes, eps)
    return c.t.emit("Add", [c.t.emit("Mul", [found, gamma]), beta])


def standardised(c: Call, x: Value, axes: Sequence[int], eps: float) -> Value:
    """Less the mean over these axes, through the deviation."""
    t, axes = c.t, tuple(axes)
    apart = t.emit("Sub", [x, t.emit("ReduceMean", [x], axes=axes, keepdims=1)])
    spread = t.emit("ReduceMean", [t.emit("Mul", [apart, apart])], axes=axes, keepdims=1)
    return t.emit("Div", [apart, t.emit("Sqrt", [t.emit("Add", [spread, t.scalar(eps)])])])


def group_norm(c: Call) -> tuple[Any, ...]:
    """GroupNorm(x, groups, gamma, beta, eps)."""
    x, groups = c.x(0), int(c.number(1, "num_groups", 1))
    affine = [c.x(i) for i in (2, 3) if c.has(i)]
    channels = x.shape[1] if len(x.shape) > 2 else 0
    if not isinstance(channels, int) or groups < 1 or not channels or channels % groups or len(affine) == 1:
        raise garbled(f"it has {groups} groups of {channels} channels", f"{channels} 个通道不能分成 {groups} 组")
    found = c.t.blocks("GroupNorm", [x, *affine], x.shape, groups=groups, eps=float(c.number(4, "epsilon", 1e-5)))
    return (found, None, None)


def instance_norm(c: Call) -> tuple[Any, ...]:
    """InstanceNorm as it is used: with its own mean and variance, or with those of the picture."""
    live = c.get(5, "is_training", c.node.attrs.get("is_training", True)) is not False
    eps = float(c.number(6, "epsilon", 1e-5))
    if not live:
        return (c.t.emit("BatchNormalization", [c.x(i) for i in range(5)], epsilon=eps), None, None)
    return (c.t.emit("InstanceNormalization", [c.x(i) for i in range(3)], epsilon=eps), None, None)


def rms_norm(c: Call) -> tuple[Any, ...]:
    """RmsNorm(x, gamma, eps) over the axes of gamma."""
    t, x, gamma = c.t, c.x(0), c.x(1)
    axes = tuple(range(len(x.shape) - len(gamma.shape), len(x.shape)))
    mean = t.emit("ReduceMean", [t.emit("Mul", [x, x])], axes=axes, keepdims=1)
    root = t.emit("Sqrt", [t.emit("Add", [mean, t.scalar(float(c.number(2, "epsilon", 1e-6)))])])
    return (t.emit("Mul", [t.emit("Div", [x, root]), gamma]), None)


def local_response(c: Call) -> Value:
    """LRN: through the power of a sum over neighbouring channels."""
    attrs = c.node.attrs
    radius = int(attrs.get("depth_radius", 5))
    c.only(attrs.get("norm_region", "ACROSS_CHANNELS") == "ACROSS_CHANNELS", "its LRN is within channels", "LRN 不支持")
    if not 0 <= radius < 1 << 12:
        raise garbled(f"its radius is {radius}", f"半径是 {radius}")
    size = 2 * radius + 1
    alpha, beta, least = (
        float(attrs.get(name, usual)) for name, usual in (("alpha", 1.0), ("beta", 0.5), ("bias", 1.0))
    )
    return c.t.emit("LRN", [c.x()], size=size, bias=least, alpha=alpha * size, beta=beta)


def l2_normalize(c: Call) -> Value:
    """L2Normalize: through the root of the sum of squares, which is at least epsilon."""
    t, x = c.t, c.x()
    axes = tuple(sorted({c.axis(n, len(x.shape)) for n in c.ints(99, "axis", 0)}))
    total = t.emit("ReduceSum", [t.emit("Mul", [x, x]), t.whole(*axes)], keepdims=1)
    least = t.emit("Max", [total, t.scalar(float(c.node.attrs.get("epsilon", 1e-4)))])
    return t.emit("Div", [x, t.emit("Sqrt", [least])])


def dropout(c: Call) -> tuple[Any, ...]:
    """Dropout with anything to drop: only a network in training has it."""
    keep = float(c.get(1, "keep_prob", 1.0))
    if keep < 1:
        raise training(f"a Dropout keeps {keep:g} of its numbers", f"Dropout 只保留 {keep:g} 的数值")
    return (c.x(0), None)


LAYERS: dict[str, Step] = {
    "Conv2D": conv(2), "Conv3D": conv(3), "Conv2DTranspose": conv_transpose(2),
    "Conv2DBackpropInput": conv_transpose(2), "Conv3DTranspose": conv_transpose(3), "MatMul": product,
    "BatchMatMul": product, "MatMulV2": product, "MatMulExt": bilinear, "BatchMatMulExt": bilinear, "Mm": bilinear,
    "Dot": bilinear, "Dense": dense, "BiasAdd": bias, "Addmm": add_product, "Baddbmm": add_product,
    "Addbmm": add_product, "BatchNorm": batch_norm, "LayerNorm": layer_norm, "LayerNormV3": layer_norm,
    "GroupNorm": group_norm, "InstanceNorm": instance_norm, "RmsNorm": rms_norm, "LRN": local_response,
    "L2Normalize": l2_normalize, "Dropout": dropout,
}  # fmt: skip
