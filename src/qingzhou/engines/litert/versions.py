"""The version of each operator, which tells a runtime whether it knows this use of it.

https://github.com/google-ai-edge/LiteRT/blob/main/tflite/tools/versioning/op_version.cc
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .form import Tensor

# Of int8, and of floats; what is not here is 1.
INT8 = {
    "CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4,
    **dict.fromkeys((
        "ADD", "SUB", "MUL", "AVERAGE_POOL_2D", "MAX_POOL_2D", "MEAN", "SOFTMAX", "LOGISTIC", "TANH", "PAD", "PADV2",
        "CONCATENATION", "TRANSPOSE", "RELU", "RELU6", "LEAKY_RELU", "DEQUANTIZE", "QUANTIZE", "SLICE", "STRIDED_SLICE",
        "RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR", "GATHER", "MAXIMUM", "MINIMUM", "RELU_0_TO_1",
    ), 2),
}  # fmt: skip


def version_of(kind: str, inputs: Sequence[Tensor], output: Tensor, options: Mapping[str, Any]) -> int:
    """Of one operator, by the types of what it reads and makes."""
    first = inputs[0].dtype
    if kind == "TRANSPOSE_CONV":
        return 3  # with a bias
    if kind == "CONV_2D" and inputs[0].shape[-1] != inputs[1].shape[-1]:
        return 6  # in groups
    if kind == "DEPTHWISE_CONV_2D" and first == "float32":
        return 2 if options.get("dilation_w_factor", 1) > 1 or options.get("dilation_h_factor", 1) > 1 else 1
    if kind == "FULLY_CONNECTED" and options.get("keep_num_dims"):
        return 5
    if kind == "DEQUANTIZE" and first == "float16":
        return 3
    if kind == "QUANTIZE" and first == "float32":
        return 1
    if kind.startswith("RESIZE") and (options.get("half_pixel_centers") or options.get("align_corners")):
        return 3
    return INT8.get(kind, 1) if first == "int8" else 1
