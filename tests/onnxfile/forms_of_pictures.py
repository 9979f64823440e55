"""Forms of what is done with pictures: convolutions, windows, sizes."""

from __future__ import annotations

import numpy as np
from form_parts import PICTURE, Made, form, model, node, numbers
from onnx import helper


@form
def batch_normalization() -> Made:
    rows = {name: np.abs(numbers(3)) + 0.5 for name in "sbmv"}
    return model([node("BatchNormalization", "x s b m v", "y", epsilon=1e-3)], PICTURE, **rows)


@form
def batch_normalization_without_epsilon() -> Made:
    rows = {name: np.abs(numbers(3)) + 0.5 for name in "sbmv"}
    return model([node("BatchNormalization", "x s b m v", "y")], PICTURE, opset=15, **rows)


@form
def flatten() -> Made:
    return model([node("Flatten", "x", "f"), node("Gemm", "f w", "y", transB=1)], PICTURE, w=numbers(4, 270))


@form
def mean_over_positions() -> Made:
    return model([node("ReduceMean", "x", "y", axes=[2, 3], keepdims=1)], PICTURE)


@form
def mean_over_positions_and_no_axes_left() -> Made:
    return model([node("ReduceMean", "x", "y", axes=[-1, -2], keepdims=0)], PICTURE)


@form
def mean_with_axes_as_an_input() -> Made:
    return model([node("ReduceMean", "x a", "y")], PICTURE, opset=18, a=np.array([2, 3]))


@form
def pad_before_a_convolution() -> Made:
    nodes = [node("Pad", "x p", "q"), node("Conv", "q w", "y")]
    return model(nodes, PICTURE, p=np.array([0, 0, 1, 2, 0, 0, 3, 4]), w=numbers(4, 3, 3, 3))


@form
def pad_of_opset_9() -> Made:
    nodes = [node("Pad", "x", "q", pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.5), node("Conv", "q w", "y")]
    return model(nodes, PICTURE, 9, 4, w=numbers(4, 3, 3, 3))


@form
def same_upper() -> Made:
    nodes = [node("Conv", "x w", "y", auto_pad="SAME_UPPER", strides=[2, 2])]
    return model(nodes, PICTURE, w=numbers(4, 3, 3, 3))


@form
def same_lower() -> Made:
    nodes = [node("Conv", "x w", "y", auto_pad="SAME_LOWER", strides=[2, 2])]
    return model(nodes, PICTURE, w=numbers(4, 3, 2, 4))


@form
def same_upper_pool() -> Made:
    return model([node("MaxPool", "x", "y", auto_pad="SAME_UPPER", kernel_shape=[3, 3], strides=[2, 2])], PICTURE)


@form
def valid() -> Made:
    return model([node("Conv", "x w", "y", auto_pad="VALID")], PICTURE, w=numbers(4, 3, 3, 3))


@form
def resize_cubic() -> Made:
    return model(
        [node("Resize", "x r s", "y", mode="cubic")],
        PICTURE,
        r=np.zeros(0, np.float32),
        s=np.array([1, 1, 2, 2], np.float32),
    )


@form
def resize_with_onnxs_own_rules() -> Made:
    return model(
        [node("Resize", "x r s", "y")], PICTURE, r=np.zeros(0, np.float32), s=np.array([1, 1, 1.5, 1.5], np.float32)
    )


@form
def resize_linear_to_sizes() -> Made:
    nodes = [helper.make_node("Resize", ["x", "", "", "s"], ["y"], mode="linear")]
    return model(nodes, [1, 3, 9, 10], s=np.array([1, 3, 17, 21]))


@form
def resize_linear_asymmetric() -> Made:
    nodes = [
        helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="asymmetric")
    ]
    return model(nodes, PICTURE, s=np.array([1, 1, 2, 2], np.float32))


@form
def upsample_of_opset_9() -> Made:
    return model([node("Upsample", "x s", "y", mode="nearest")], PICTURE, 9, 4, s=np.array([1, 1, 2, 2], np.float32))


@form
def upsample_of_opset_7() -> Made:
    return model([node("Upsample", "x", "y", mode="nearest", scales=[1.0, 1.0, 2.0, 2.0])], PICTURE, 8, 4)


@form
def depthwise_without_kernel_shape() -> Made:
    return model([node("Conv", "x w b", "y", group=3, pads=[1, 1, 1, 1])], PICTURE, w=numbers(3, 1, 3, 3), b=numbers(3))


@form
def conv_transpose_of_torch() -> Made:
    nodes = [
        node(
            "ConvTranspose",
            "x w b",
            "y",
            dilations=[1, 1],
            group=1,
            kernel_shape=[2, 2],
            pads=[0, 0, 0, 0],
            strides=[2, 2],
        )
    ]
    return model(nodes, PICTURE, w=numbers(3, 4, 2, 2), b=numbers(4))


@form
def conv_transpose_with_padding() -> Made:
    nodes = [node("ConvTranspose", "x w", "y", kernel_shape=[4, 4], pads=[1, 1, 1, 1], strides=[2, 2])]
    return model(nodes, PICTURE, w=numbers(3, 4, 4, 4))


@form
def average_pool_that_counts_padding() -> Made:
    nodes = [node("AveragePool", "x", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)]
    return model(nodes, PICTURE)


@form
def average_pool_that_rounds_up() -> Made:
    return model([node("AveragePool", "x", "y", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)], PICTURE)


@form
def prelu_for_each_channel() -> Made:
    return model([node("PRelu", "x s", "y")], PICTURE, s=numbers(3, 1, 1))
