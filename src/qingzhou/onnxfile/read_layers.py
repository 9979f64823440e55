"""ONNX operators -> layers of a Graph: from_onnx.py's other half, the inverse of onnx.py operator by operator."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import NodeProto, helper, numpy_helper

from ..errors import EngineError, ModelError
from ..graph.record import Layer
from ..graph.weights import Array

if TYPE_CHECKING:
    from .read import Reader


def unread(what: str, zh: str = "") -> ModelError:
    """The error for what onnx.py does not write: an operator, or something in English and Chinese."""
    return ModelError(
        en=f"The model holds {what} in a form that cannot be read back: it was quantised, or changed by another tool. "
        "Export the .onnx as qingzhou convert wrote it, or the checkpoint.",
        zh=f"模型里的{zh or f' {what} '}无法还原：模型经过量化，或被其他工具修改。"
        "请导出 qingzhou convert 生成的 .onnx，或权重文件。",
    )


def attributes(node: NodeProto) -> dict[str, Any]:
    """By name, lists as tuples."""
    found = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    return {name: value if isinstance(value, (int, float, bytes)) else tuple(value) for name, value in found.items()}


def _window(node: NodeProto) -> dict[str, Any]:
    """Kernel, stride, padding and dilation of a sliding window."""
    found = attributes(node)
    ones = (1,) * len(found["kernel_shape"])
    return {
        "kernel": found["kernel_shape"], "stride": found.get("strides", ones),
        "padding": found.get("pads", tuple(0 for _ in ones * 2)), "dilation": found.get("dilations", ones),
    }  # fmt: skip


def conv(r: Reader, node: NodeProto) -> Layer:
    """Conv."""
    groups = attributes(node).get("group", 1)
    return r.layer("Conv", node, node.input[:1], r.weights(node), groups=groups, **_window(node))


def conv_transpose(r: Reader, node: NodeProto) -> Layer:
    """Kernel and stride alike."""
    kernel, stride = (attributes(node).get(name) for name in ("kernel_shape", "strides"))
    if kernel != stride or kernel is None or len(set(kernel)) != 1:
        raise unread("ConvTranspose")
    return r.layer("ConvTranspose", node, node.input[:1], r.weights(node), factor=kernel[0])


def gemm(r: Reader, node: NodeProto) -> Layer:
    """A linear layer."""
    if attributes(node) != {"transB": 1}:
        raise unread("Gemm")
    return r.layer("Linear", node, node.input[:1], r.weights(node))


def matmul(r: Reader, node: NodeProto) -> Layer:
    """A linear layer without bias."""
    return _linear(r, node, node, {})


def _linear(r: Reader, node: NodeProto, product: NodeProto, bias: dict[str, str]) -> Layer:
    """The weight was turned, (in, out)."""
    x, name = product.input
    if name not in r.constants:
        raise unread("MatMul")
    weight = r.param(name, r.shape(name)[::-1], np.transpose)
    return r.layer("Linear", node, [x], {"weight": weight, **bias})


def add(r: Reader, node: NodeProto) -> Layer:
    """A sum; or the end of a linear layer or a normalisation, whose last number is a constant."""
    left, right = node.input
    if right not in r.constants:
        return r.layer("Add", node, node.input)
    product, scaled = r.made_by(left, "MatMul"), r.made_by(left, "Mul")
    if product is not None:
        return _linear(r, node, product, {"bias": r.param(right)})
    if scaled is None or scaled.input[1] not in r.constants:
        raise unread("Add")
    return _affine(r, node, scaled.input[0], scaled.input[1], right)


def _affine(r: Reader, node: NodeProto, x: str, scale: str, shift: str) -> Layer:
    """One number per channel: of a GroupNorm, or else a BatchNorm of mean 0 and variance 1."""
    value, before = r.value(x), r.made_by(x, "Reshape")
    normed = r.made_by(before.input[0], "InstanceNormalization") if before is not None else None
    wide = (value.channels, *[1] * (len(value.shape) - 2))
    if not r.shape(scale) == r.shape(shift) == wide:
        raise unread("Mul")
    size, out = (value.channels,), node.output[0]
    params = {role: r.param(name, size, np.ravel) for role, name in (("weight", scale), ("bias", shift))}
    if normed is not None:
        return _group_norm(r, node, normed, params)
    params["mean"] = r.make(f"{out}/mean", size, lambda: np.zeros(size, np.float32))
    params["var"] = r.make(f"{out}/var", size, lambda: np.ones(size, np.float32))
    return r.layer("BatchNorm", node, [x], params, eps=0.0)


def mul(r: Reader, node: NodeProto) -> Layer:
    """A product; or x times the gate of an activation."""
    (x, gate), out = node.input, node.output[0]
    for name, kind in (("erf", "gelu"), ("tanh", "gelu_tanh")):
        half = r.made_by(x, "Mul")
        if half is not None and x == f"{out}/half" and f"{out}/{name}" in r.makers:
            return r.layer("Act", node, half.input[:1], kind=kind, slope=0.0)
    for op, kind in (("HardSigmoid", "hswish"), ("Sigmoid", "silu")):
        maker = r.made_by(gate, op)
        if maker is not None and maker.input[0] == x:
            return r.layer("Act", node, [x], kind=kind, slope=0.0)
    if x in r.constants or gate in r.constants:
        raise unread("Mul")
    return r.layer("Mul", node, node.input)


def act(kind: str) -> Callable[[Reader, NodeProto], Layer]:
    """An activation that is one operator; LeakyRelu's and Elu's slope is called alpha."""
    return lambda r, node: r.layer("Act", node, node.input[:1], kind=kind, slope=attributes(node).get("alpha", 0.0))


def hard_sigmoid(r: Reader, node: NodeProto) -> Layer:
    """Only the one of a sixth."""
    found = attributes(node)
    if abs(found.get("alpha", 0.2) - 1 / 6) > 1e-6 or found.get("beta", 0.5) != 0.5:
        raise unread("HardSigmoid")
    return r.layer("Act", node, node.input, kind="hsigmoid", slope=0.0)


def clip(r: Reader, node: NodeProto) -> Layer:
    """Only 0 to 6."""
    if [n for name in node.input[1:] for n in r.numbers(name)] != [0, 6]:
        raise unread("Clip")
    return r.layer("Act", node, node.input[:1], kind="relu6", slope=0.0)


def prelu(r: Reader, node: NodeProto) -> Layer:
    """Slopes, (n, 1, 1)."""
    slopes = math.prod(r.shape(node.input[1])) if node.input[1] in r.constants else 0
    return r.layer("PRelu", node, node.input[:1], {"weight": r.param(node.input[1], (slopes,), np.ravel)})


def softmax(r: Reader, node: NodeProto) -> Layer:
    """Along an axis."""
    rank = len(r.value(node.input[0]).shape)
    return r.layer("Softmax", node, node.input, axis=attributes(node).get("axis", -1) % rank)


def max_pool(r: Reader, node: NodeProto) -> Layer:
    """MaxPool."""
    return r.layer("MaxPool", node, node.input, ceil=bool(attributes(node).get("ceil_mode", 0)), **_window(node))


def avg_pool(r: Reader, node: NodeProto) -> Layer:
    """AveragePool."""
    ceil, count = (bool(attributes(node).get(name, 0)) for name in ("ceil_mode", "count_include_pad"))
    return r.layer("AvgPool", node, node.input, ceil=ceil, count_pad=count, **_window(node))


def global_pool(r: Reader, node: NodeProto) -> Layer:
    """GlobalAveragePool."""
    return r.layer("GlobalAvgPool", node, node.input)


def concat(r: Reader, node: NodeProto) -> Layer:
    """Along an axis."""
    rank = len(r.value(node.input[0]).shape)
    return r.layer("Concat", node, node.input, axis=attributes(node)["axis"] % rank)


def slice_(r: Reader, node: NodeProto) -> Layer:
    """One axis, every position."""
    found = [r.numbers(name) for name in node.input[1:]]
    if len(found) != 3 or any(len(one) != 1 for one in found):
        raise unread("Slice")
    (start,), (stop,), (axis,) = found
    rank = len(r.value(node.input[0]).shape)
    return r.layer("Slice", node, node.input[:1], axis=axis % rank, start=start, stop=stop)


def gather(r: Reader, node: NodeProto) -> Layer:
    """Rows of a constant, or one position of an axis."""
    source, index = node.input
    if source in r.constants:
        return r.layer("Embedding", node, [index], {"weight": r.param(source)})
    if index not in r.constants or r.shape(index):
        raise unread("Gather")
    axis = attributes(node).get("axis", 0) % len(r.value(source).shape)
    return r.layer("Select", node, [source], axis=axis, index=r.numbers(index)[0])


def one_axis(r: Reader, node: NodeProto) -> Layer:
    """Squeeze or Unsqueeze; the axis is an input since opset 13."""
    axes = r.numbers(node.input[1]) if len(node.input) > 1 else attributes(node).get("axes", ())
    if len(axes) != 1:
        raise unread(node.op_type)
    rank = len(r.value(node.input[0]).shape) + int(node.op_type == "Unsqueeze")
    return r.layer(node.op_type, node, node.input[:1], axis=axes[0] % rank)


def reshape(r: Reader, node: NodeProto) -> Layer:
    """Also the end of a GroupNorm, and of an LSTM."""
    x = node.input[0]
    normed, turned = r.made_by(x, "InstanceNormalization"), r.made_by(x, "Transpose")
    if normed is not None:
        return _group_norm(r, node, normed, {})
    cell = r.made_by(turned.input[0], "LSTM") if turned is not None else None
    if cell is not None:
        return _lstm(r, node, cell)
    r.numbers(node.input[1])  # known, not computed
    return r.layer("Reshape", node, [x])


def _group_norm(r: Reader, node: NodeProto, normed: NodeProto, params: dict[str, str]) -> Layer:
    grouped = r.made_by(normed.input[0], "Reshape")
    if grouped is None:
        raise unread("InstanceNormalization")
    _, groups, _ = r.numbers(grouped.input[1])
    eps = attributes(normed).get("epsilon", 1e-5)
    return r.layer("GroupNorm", node, grouped.input[:1], params, groups=groups, eps=eps)


def _lstm(r: Reader, node: NodeProto, cell: NodeProto) -> Layer:
    """ONNX keeps all directions in one array for each role, and both biases in one."""
    inputs = list(cell.input) + [""] * (7 - len(cell.input))
    ways, wide, _ = r.shape(inputs[1])
    parts = {"weight_ih": (inputs[1], 0), "weight_hh": (inputs[2], 0)}
    parts |= {"bias_ih": (inputs[3], 0), "bias_hh": (inputs[3], wide)} if inputs[3] else {}
    params = {
        f"{role}{suffix}": _gates(r, name, way, start, f"{name}.{role}{suffix}")
        for way, suffix in enumerate(("", "_reverse")[:ways])
        for role, (name, start) in parts.items()
    }
    state = [name for name in inputs[5:] if name]
    ends = [node.output[0], *cell.output[1:]]
    return r.layer("Lstm", node, [inputs[0], *state], params, ends, hidden=wide // 4, ways=ways)


def _gates(r: Reader, name: str, way: int, start: int, key: str) -> str:
    """One direction of one role, in torch's order i f g o; ONNX has them as i o f c."""
    wide = r.shape(name)[1] // (2 if len(r.shape(name)) == 2 else 1)

    def load() -> Array:
        i, o, f, g = np.split(numpy_helper.to_array(r.constants[name])[way][start : start + wide], 4)
        return np.concatenate([i, f, g, o])

    return r.make(key, (wide, *r.shape(name)[2:]), load)


def transpose(r: Reader, node: NodeProto) -> Layer:
    """Axes in another order."""
    return r.layer("Transpose", node, node.input, order=attributes(node)["perm"])


def resize(r: Reader, node: NodeProto) -> Layer:
    """To a known size."""
    found = attributes(node)
    if len(node.input) != 3:
        raise unread("Resize")
    mode = "linear" if found.get("mode") == b"linear" else "nearest"
    align = found.get("coordinate_transformation_mode") == b"align_corners"
    return r.layer("Upsample", node, node.input[:1], mode=mode, align_corners=align)


# What onnxfile/lower_heads.py writes, and no engine runs that reads a graph back
ONLY_ONNX = {
    "Pow": ("generalised mean pooling (GeM)", "广义均值池化（GeM）"),
    "Div": ("a head of cosines (ArcFace)", "余弦分类头（ArcFace）"),
    "ReduceSum": ("a head with attention (CSRA)", "注意力分类头（CSRA）"),
    "GlobalMaxPool": ("a head with attention (CSRA)", "注意力分类头（CSRA）"),
}


def check_operators(nodes: Sequence[NodeProto]) -> None:
    """EngineError for one of these, so that another engine is taken."""
    kinds = {node.op_type for node in nodes}
    for kind, (en, zh) in ONLY_ONNX.items():
        if kind in kinds:
            raise EngineError(
                en=f"The model holds {kind}, as {en} does, which ncnn does not run here. Choose another engine, "
                "such as onnxruntime.",
                zh=f"模型里有 {kind}（例如{zh}），这里的 ncnn 不能运行。请选择其他推理引擎，例如 onnxruntime。",
            )


OPERATORS: dict[str, Callable[[Reader, NodeProto], Layer]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "Gemm": gemm,
    "MatMul": matmul,
    "Add": add,
    "Mul": mul,
    "Relu": act("relu"),
    "Sigmoid": act("sigmoid"),
    "Tanh": act("tanh"),
    "LeakyRelu": act("leaky_relu"),
    "Elu": act("elu"),
    "HardSigmoid": hard_sigmoid,
    "Clip": clip,
    "PRelu": prelu,
    "Softmax": softmax,
    "MaxPool": max_pool,
    "AveragePool": avg_pool,
    "GlobalAveragePool": global_pool,
    "Concat": concat,
    "Slice": slice_,
    "Gather": gather,
    "Squeeze": one_axis,
    "Unsqueeze": one_axis,
    "Reshape": reshape,
    "Transpose": transpose,
    "Resize": resize,
}
