"""Small models in forms that torch's exporters, tf2onnx, paddle2onnx and older tools write: name -> (model, input)."""

from __future__ import annotations

import forms_of_pictures  # noqa: F401 - its forms stand in the table, too
import numpy as np
from form_parts import FORMS as FORMS
from form_parts import PICTURE, Made, form, model, node, numbers
from onnx import TensorProto, helper, numpy_helper


@form
def gemm_of_torch() -> Made:
    nodes = [node("Gemm", "x w b", "y", alpha=1.0, beta=1.0, transB=1)]
    return model(nodes, ["n", 5], w=numbers(4, 5), b=numbers(4))


@form
def gemm_not_turned_and_scaled() -> Made:
    return model([node("Gemm", "x w b", "y", alpha=0.5, beta=2.0)], ["n", 5], w=numbers(5, 4), b=numbers(4))


@form
def gemm_with_a_bias_for_all() -> Made:
    return model([node("Gemm", "x w b", "y", transB=1)], ["n", 5], w=numbers(4, 5), b=numbers(1))


@form
def matmul_and_bias_before() -> Made:
    nodes = [node("MatMul", "x w", "m"), node("Add", "b m", "y")]
    return model(nodes, ["n", 6, 5], w=numbers(5, 4), b=numbers(4))


@form
def split_and_add() -> Made:
    nodes = [node("Split", "x", "a b", axis=3), node("Add", "a b", "y")]
    return model(nodes, PICTURE)


@form
def split_of_opset_11() -> Made:
    nodes = [node("Split", "x", "a b", axis=1, split=[1, 2]), node("Concat", "b a", "y", axis=1)]
    return model(nodes, PICTURE, 11)


@form
def sub_and_div() -> Made:
    nodes = [node("Sub", "x m", "a"), node("Div", "a s", "y")]
    return model(nodes, PICTURE, m=numbers(1, 3, 1, 1), s=np.abs(numbers(1, 3, 1, 1)) + 1)


@form
def minus_x() -> Made:
    return model([node("Sub", "m x", "y")], PICTURE, m=numbers(1, 3, 1, 1))


@form
def one_over_x() -> Made:
    return model([node("Add", "x two", "a"), node("Div", "m a", "y")], PICTURE, m=numbers(3, 1, 1), two=np.float32(9))


@form
def scalar_times() -> Made:
    return model([node("Mul", "k x", "y")], PICTURE, k=np.float32(0.25))


@form
def a_number_for_each_pixel() -> Made:
    return model([node("Mul", "x k", "a"), node("Add", "a k", "y")], PICTURE, k=numbers(1, 9, 10))


@form
def identities() -> Made:
    return model([node("Identity", "x", "a"), node("Relu", "a", "b"), node("Identity", "b", "y")], PICTURE)


@form
def clip_by_constant_nodes() -> Made:
    low, high = (
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.float32(number)))
        for name, number in (("low", 0), ("high", 6))
    )
    return model([low, high, node("Clip", "x low high", "y")], PICTURE)


@form
def clip_of_opset_6() -> Made:
    return model([node("Clip", "x", "y", min=-0.5, max=0.25)], PICTURE, 9, 4)


@form
def clip_with_one_end() -> Made:
    return model([node("Clip", "x low", "y")], PICTURE, low=np.float32(-0.25))


@form
def leaky_relu_without_alpha() -> Made:
    return model([node("LeakyRelu", "x", "y")], PICTURE)


@form
def elu_without_alpha() -> Made:
    return model([node("Elu", "x", "y")], PICTURE)


@form
def hard_sigmoid_of_onnx() -> Made:
    return model([node("HardSigmoid", "x", "y")], PICTURE)


@form
def hard_swish_by_parts() -> Made:
    nodes = [
        node("Add", "x three", "a"),
        node("Clip", "a zero six", "c"),
        node("Mul", "x c", "m"),
        node("Div", "m six", "y"),
    ]
    return model(nodes, PICTURE, three=np.float32(3), zero=np.float32(0), six=np.float32(6))


@form
def gelu_of_torch() -> Made:
    nodes = [
        node("Div", "x root", "d"),
        node("Erf", "d", "e"),
        node("Add", "e one", "a"),
        node("Mul", "x a", "m"),
        node("Mul", "m half", "y"),
    ]
    return model(nodes, ["n", 4, 6], root=np.float32(2**0.5), one=np.float32(1), half=np.float32(0.5))


@form
def almost_gelu() -> Made:
    nodes = [
        node("Div", "x root", "d"),
        node("Erf", "d", "e"),
        node("Add", "e one", "a"),
        node("Mul", "x a", "m"),
        node("Mul", "m half", "y"),
    ]
    return model(nodes, ["n", 4, 6], root=np.float32(1.5), one=np.float32(1), half=np.float32(0.5))


@form
def softmax_of_opset_11() -> Made:
    return model([node("Softmax", "x", "y")], PICTURE, 11)


@form
def softmax_of_opset_11_on_the_last_axis() -> Made:
    return model([node("Softmax", "x", "y", axis=3)], PICTURE, 11)


@form
def softmax_of_opset_13() -> Made:
    return model([node("Softmax", "x", "y")], PICTURE)


@form
def reshape_by_computed_sizes() -> Made:
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n"),
        node("Unsqueeze", "n zeros", "nn"),
        node("Concat", "nn rest", "to", axis=0),
        node("Reshape", "x to", "y"),
    ]
    return model(nodes, PICTURE, zero=np.array(0), zeros=np.array([0]), rest=np.array([-1]))


@form
def squeeze_of_opset_11() -> Made:
    return model([node("GlobalAveragePool", "x", "g"), node("Squeeze", "g", "y", axes=[2, 3])], PICTURE, 11)


@form
def slice_of_opset_9() -> Made:
    return model([node("Slice", "x", "y", starts=[1, 2], ends=[3, 9], axes=[1, 3])], PICTURE, 9, 4)


@form
def slice_with_steps() -> Made:
    rows = {"s": [-1], "e": [-20], "a": [3], "t": [-2]}
    return model([node("Slice", "x s e a t", "y")], PICTURE, **{name: np.array(row) for name, row in rows.items()})


@form
def dropout_of_opset_9() -> Made:
    return model([node("Dropout", "x", "d mask", ratio=0.5), node("Relu", "d", "y")], PICTURE, 9, 4)


@form
def weights_among_the_inputs() -> Made:
    return model([node("Conv", "x w", "y", kernel_shape=[3, 3])], PICTURE, 7, 3, w=numbers(4, 3, 3, 3))


@form
def nhwc_of_tensorflow() -> Made:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "c", auto_pad="SAME_UPPER"),
        node("Transpose", "c", "u", perm=[0, 2, 3, 1]),
        node("Add", "u b", "y"),
    ]
    return model(nodes, ["n", 9, 10, 3], w=numbers(4, 3, 3, 3), b=numbers(4))


@form
def transpose_without_perm() -> Made:
    return model([node("Transpose", "x", "y")], [2, 3, 4])


@form
def lstm_of_torch() -> Made:
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r", "b"], ["ways", "h", "c"], hidden_size=4),
        node("Squeeze", "ways one", "y"),
    ]
    rows = {"w": numbers(1, 16, 5), "r": numbers(1, 16, 4), "b": numbers(1, 32)}
    return model(nodes, [6, "n", 5], one=np.array([1]), **rows)


@form
def lstm_backwards() -> Made:
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r"], ["ways"], hidden_size=4, direction="reverse"),
        node("Squeeze", "ways one", "y"),
    ]
    return model(nodes, [6, "n", 5], one=np.array([1]), w=numbers(1, 16, 5), r=numbers(1, 16, 4))


@form
def lstm_with_other_activations() -> Made:
    nodes = [
        helper.make_node("LSTM", ["x", "w", "r"], ["ways"], hidden_size=4, activations=["Sigmoid", "Tanh", "Relu"]),
        node("Squeeze", "ways one", "y"),
    ]
    return model(nodes, [6, "n", 5], one=np.array([1]), w=numbers(1, 16, 5), r=numbers(1, 16, 4))


@form
def normalised_by_hand() -> Made:
    nodes = [
        node("ReduceMean", "x", "m", axes=[-1]),
        node("Sub", "x m", "d"),
        node("Pow", "d two", "p"),
        node("ReduceMean", "p", "v", axes=[-1]),
        node("Add", "v eps", "e"),
        node("Sqrt", "e", "s"),
        node("Div", "d s", "q"),
        node("Mul", "q g", "t"),
        node("Add", "t b", "y"),
    ]
    return model(nodes, ["n", 6, 5], two=np.float32(2), eps=np.float32(1e-5), g=numbers(5), b=numbers(5))


@form
def where_and_cast() -> Made:
    nodes = [node("Greater", "x zero", "g"), node("Cast", "g", "f", to=1), node("Where", "g x f", "y")]
    return model(nodes, PICTURE, zero=np.float32(0))


@form
def an_if_inside() -> Made:
    ends = [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)]
    branches = [helper.make_graph([node(op, "r", "z")], op, [], ends) for op in ("Abs", "Neg")]
    nodes = [
        node("Relu", "x", "r"),
        helper.make_node("If", ["c"], ["y"], then_branch=branches[0], else_branch=branches[1]),
    ]
    return model(nodes, PICTURE, c=np.array(True))
