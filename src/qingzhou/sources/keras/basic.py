"""Layers that multiply, and those that do nothing at inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph.form import Value
from .activations import activated, number
from .layer import KerasNet, Kind, Layer
from .masks import unlike
from .weights import Named


def dense(t: KerasNet, layer: Layer, x: Value) -> Value:
    """(..., in) -> (..., units): the kernel is (in, out)."""
    units, biased = layer.whole("units"), layer.flag("use_bias", True)
    roles = ("kernel", "bias") if biased else ("kernel",)
    kernel, *bias = weights(t, layer, roles)
    if kernel.shape != (x.shape[-1], units):
        raise layer.refuse(
            f"its kernel has the shape {list(kernel.shape)}, and its input {list(x.shape)}",
            f"权重形状为 {list(kernel.shape)}，输入形状为 {list(x.shape)}",
        )
    return activated(t, layer, times(t, x, kernel, bias[0] if bias else None))


def times(t: KerasNet, x: Value, kernel: Value, bias: Value | None) -> Value:
    """(..., in) times (in, out), plus the bias."""
    turned = t.emit("Transpose", [kernel], perm=(1, 0))
    shape = (*x.shape[:-1], kernel.shape[1])
    return t.blocks("Linear", [x, turned, *([bias] if bias else [])], shape)


def weights(t: KerasNet, layer: Layer, roles: tuple[str, ...], at: str = "") -> list[Value]:
    """The kernel and what follows it, in float32; of a layer that was quantised, without the scale behind them."""
    mode = quantised(layer)
    if not mode:
        kernel, *rest = layer.tensors(t, *roles, at=at)
        return [adapted(t, layer, kernel, roles[0]), *rest]
    if mode != "int8":
        raise layer.quantised(mode)
    kernel, *rest, scale = layer.tensors(t, *roles, f"{roles[0]}_scale", at=at, dtype="float32")
    if len(scale.shape) < len(kernel.shape) and layer.kind == "Embedding":
        scale = t.emit("Unsqueeze", [scale, t.whole(len(scale.shape))])
    if len(scale.shape) > len(kernel.shape):
        scale = t.emit("Reshape", [scale, t.whole(*(int(n) for n in scale.shape[-len(kernel.shape) :]))])
    return [adapted(t, layer, t.emit("Div", [kernel, scale]), roles[0]), *rest]


def adapted(t: KerasNet, layer: Layer, kernel: Value, role: str = "kernel") -> Value:
    """With what layer.enable_lora() has learned beside it: + A B alpha / rank. A .keras has the sum."""
    if not layer.get("lora_rank") or not isinstance(t.weights, Named):
        return kernel
    rank = layer.whole("lora_rank")
    parts = layer.tensors(t, f"lora_{role}_a", f"lora_{role}_b")
    if parts[0].shape != (*kernel.shape[:-1], rank) or parts[1].shape != (rank, kernel.shape[-1]):
        raise layer.garbled("lora_rank")
    return t.emit("Add", [kernel, number(t, "Mul", t.emit("MatMul", parts), layer.number("lora_alpha", rank) / rank)])


def quantised(layer: Layer) -> str:
    """ "int8", "int4/128" and the like for weights that Keras has quantised; "" for all others."""
    policy: Any = layer.get("dtype")
    config = policy.get("config") if isinstance(policy, Mapping) else None
    mode = config.get("mode") if isinstance(config, Mapping) else None
    if not isinstance(policy, Mapping) or not (mode or "Quantized" in str(policy.get("class_name"))):
        return ""
    return str(mode or layer.get("quantization_mode") or "?")


def einsum_dense(t: KerasNet, layer: Layer, x: Value) -> Value:
    """As the equation says; "..." stands for the axes that it does not name."""
    equation = layer.text("equation").replace(" ", "")
    left, _, result = equation.partition("->")
    first, _, second = left.partition(",")
    bias_axes = layer.get("bias_axes")
    kernel, *bias = weights(t, layer, ("kernel", "bias") if bias_axes else ("kernel",))
    if "..." in equation:
        free = [c for c in "ABCDEFGH" if c not in equation][: len(x.shape) - len(first.replace("...", ""))]
        first, result = (side.replace("...", "".join(free)) for side in (first, result))
    if len(second) != len(kernel.shape):
        raise layer.garbled("equation")
    x = t.emit("Einsum", [x, kernel], equation=f"{first},{second}->{result}")
    if bias:
        wide = _bias_shape(result, str(bias_axes), bias[0])
        x = t.emit("Add", [x, t.emit("Reshape", [bias[0], t.whole(*wide)])])
    return activated(t, layer, x)


def _bias_shape(result: str, axes: str, bias: Value) -> list[int]:
    sizes = iter([int(n) for n in bias.shape])
    named = [c for c in result if c in axes]
    if len(bias.shape) > len(named):  # (out, 1, 1), as wide as from its first axis on
        sizes = iter([int(n) for n, c in zip(bias.shape, result[-len(bias.shape) :], strict=True) if c in axes])
    return [next(sizes) if c in axes else 1 for c in result]


def embedding(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Whole numbers -> rows; mask_zero makes a mask of what is not 0."""
    (table,) = weights(t, layer, ("embeddings",))
    ids = x if x.dtype == "int64" else t.emit("Cast", [x], to=7)
    found = t.emit("Gather", [table, ids], axis=0)
    if layer.flag("mask_zero"):
        t.masks[found.name] = unlike(t, x, 0)
    return found


def nothing(t: KerasNet, layer: Layer, x: Value) -> Value:
    """What only acts in training."""
    return x


def random_crop(t: KerasNet, layer: Layer, x: Value) -> Value:
    """Versions of Keras do different things here at inference, unless there is nothing to do."""
    height, width = layer.whole("height"), layer.whole("width")
    if x.shape[-3:-1] != (height, width):
        raise layer.refuse(
            f"what it does with pictures of {x.shape[-3]} x {x.shape[-2]} in use differs between versions of Keras",
            f"对 {x.shape[-3]} x {x.shape[-2]} 的图片，不同版本的 Keras 推理结果不同",
            "Put CenterCrop or Resizing in its place, and save the model again",
            "请换成 CenterCrop 或 Resizing，再重新保存",
        )
    return x


RANDOM = (
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "GaussianDropout", "GaussianNoise",
    "AlphaDropout", "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom",
    "RandomTranslation", "RandomContrast", "RandomBrightness", "RandomHeight", "RandomWidth", "RandomShear",
    "RandomColorJitter", "RandomColorDegeneration", "RandomGrayscale", "RandomHue", "RandomSaturation",
    "RandomSharpness", "RandomPosterization", "RandomInvert", "RandomErasing", "RandomPerspective",
    "RandomGaussianBlur", "RandomElasticTransform", "RandAugment", "AugMix", "CutMix", "MixUp",
)  # fmt: skip
BASIC: dict[str, Kind] = {
    "Dense": Kind(dense, "pass"),
    "EinsumDense": Kind(einsum_dense, "drop"),
    "Embedding": Kind(embedding, "own"),
    **{name: Kind(nothing, "pass") for name in RANDOM},
    "Identity": Kind(nothing, "new"),
    "RandomCrop": Kind(random_crop, "drop"),
}
