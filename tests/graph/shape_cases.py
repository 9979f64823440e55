"""The table: operators as torch's exporters, tf2onnx, paddle2onnx and skl2onnx write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx_cases import Case, f, held, i, n, s, t

FAR = 2**63 - 1
SCALE, ZERO = np.float32(0.1), np.uint8(3)
B = t("bool", 2, 3)


def c(op: str, *given: object, outputs: int = 1, opset: int = 17, gives: Any = None, **attrs: Any) -> Case:
    given = tuple(np.asarray(g) if isinstance(g, np.generic) else g for g in given)
    return Case(op, given, attrs, outputs, opset, gives)


WINDOWS = [
    c("Conv", f(1, 3, 8, 8), f(4, 3, 3, 3), f(4), pads=(1, 1, 1, 1), strides=(2, 2)),
    c("Conv", f("n", 4, "h", 7), f(8, 2, 3, 3), group=2, pads=(1, 0, 1, 1), dilations=(1, 2)),
    c("Conv", f(2, 3, 9), f(4, 3, 2), auto_pad="SAME_UPPER", strides=(2,)),
    c("Conv", f(2, 3, 9, 9), f(4, 3, 3, 2), auto_pad="VALID", strides=(2, 3)),
    c("Conv", f(2, 3, 9, 9), f(4, 3, 3, 2), auto_pad="SAME_LOWER", strides=(2, 3), kernel_shape=(3, 2)),
    c("Conv", f(1, 2, 5, 6, 7), f(3, 2, 2, 2, 2), dilations=(2, 1, 3)),
    c("ConvInteger", t("uint8", 1, 3, 8, 8), t("uint8", 4, 3, 3, 3), ZERO, strides=(2, 1)),
    c("QLinearConv", t("uint8", 1, 3, 8, 8), SCALE, ZERO, t("uint8", 4, 3, 3, 3), SCALE, ZERO, SCALE, ZERO),
    c("ConvTranspose", f(1, 3, 5, 5), f(3, 4, 2, 2), strides=(2, 2)),
    c("ConvTranspose", f(1, 4, 5, 6), f(4, 2, 3, 3), group=2, strides=(2, 3), pads=(1, 1, 1, 0), output_padding=(1, 0)),
    c("ConvTranspose", f(1, 3, 5), f(3, 4, 3), dilations=(2,)),
    c("ConvTranspose", f(1, 3, 5, 5), f(3, 4, 3, 3), strides=(2, 2), output_shape=(10, 10)),
    c("ConvTranspose", f(1, 3, 5, 5), f(3, 4, 3, 3), strides=(2, 2), auto_pad="SAME_UPPER"),
    c("ConvTranspose", f("n", 3, 5, "w"), f(3, 4, 2, 2), strides=(2, 2), gives=("n", 4, 10, "?")),
    c("MaxPool", f(1, 3, 8, 9), kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1), outputs=2),
    c("MaxPool", f(1, 3, 8, 9), kernel_shape=(3, 3), strides=(2, 2), ceil_mode=1),
    c("MaxPool", f(1, 3, 8, 9), kernel_shape=(2, 3), dilations=(2, 3), strides=(3, 1)),
    c("MaxPool", f(1, 3, "h", "w"), kernel_shape=(3, 3), pads=(1, 1, 1, 1), gives=(1, 3, "h", "w")),
    c("AveragePool", f(1, 3, 8, 8), kernel_shape=(2, 2)),
    c("AveragePool", f(1, 3, 7, 8), kernel_shape=(3, 2), strides=(2, 2), auto_pad="SAME_UPPER"),
    c("AveragePool", f(1, 3, 7, 8), kernel_shape=(3, 2), strides=(2, 2), ceil_mode=1, count_include_pad=1),
    c("AveragePool", f(1, 3, 9, 9), kernel_shape=(2, 2), dilations=(2, 2), opset=19),
    c("LpPool", f(1, 3, 8, 8), kernel_shape=(3, 3), strides=(2, 2), p=2),
    c("LpPool", f(1, 3, 8, 8), kernel_shape=(3, 3), strides=(2, 2), auto_pad="SAME_LOWER", p=2),
    c("GlobalAveragePool", f("n", 3, 8, "w")),
    c("GlobalMaxPool", f(2, 3, 8)),
    c("GlobalLpPool", f(2, 3, 8, 8, 8)),
    c("MaxUnpool", f(1, 1, 2, 2), i(1, 1, 2, 2), kernel_shape=(2, 2), strides=(2, 2)),
    c(
        "MaxUnpool",
        f(1, 1, 2, 2),
        i(1, 1, 2, 2),
        n(1, 1, 5, 5),
        kernel_shape=(2, 2),
        strides=(2, 2),
        gives=(1, 1, 5, 5),
    ),
    c("MaxRoiPool", f(1, 3, 8, 8), f(6, 5), pooled_shape=(2, 3)),
    c("RoiAlign", f(1, 3, 8, 8), f(6, 4), i(6), output_height=7, output_width=5),
    c("Resize", f(1, 3, 5, 7), None, s(1, 1, 2, 1.5)),
    c("Resize", f(1, 3, 5, 7), None, None, n(1, 3, 11, 13), mode="linear"),
    c("Resize", f("n", 3, 5, 7), s(), s(1, 1, 0.5, 0.3), mode="cubic"),
    c("Resize", f(1, 3, 5, 7), s(1, 1, 2, 2), opset=10),
    c("Resize", f(1, 3, 5, 7), None, s(2, 0.6), axes=(2, 3), opset=18),
    c("Resize", f(1, 3, 5, 7), None, None, n(11, 11), axes=(2, 3), keep_aspect_ratio_policy="not_larger", opset=18),
    c("Resize", f(1, 3, 5, 7), None, None, n(11, 11), axes=(3, 2), keep_aspect_ratio_policy="not_smaller", opset=18),
    c("Upsample", f(1, 3, 5, 7), s(1, 1, 2, 3), opset=9),
    c("Upsample", f(1, 3, 5, 7), scales=(1.0, 1.0, 2.0, 3.0), opset=7),
    c("GridSample", f("n", 3, 5, 7), f("n", 4, 6, 2)),
    c("AffineGrid", f(2, 2, 3), n(2, 3, 5, 7), opset=20),
    c("DepthToSpace", f(1, 8, 3, 4), blocksize=2),
    c("DepthToSpace", f("n", 12, "h", 4), blocksize=2, mode="CRD", gives=("n", 3, "?", 8)),
    c("SpaceToDepth", f(1, 2, 6, 4), blocksize=2),
    c("Col2Im", f(1, 8, 9), n(4, 4), n(2, 2), opset=18),
]

SAME = [
    "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor",
    "Identity", "Log", "Neg", "Reciprocal", "Round", "Sign", "Sin", "Sinh", "Sqrt", "Tan", "Tanh", "Celu", "Clip",
    "Elu", "HardSigmoid", "HardSwish", "LeakyRelu", "Relu", "Selu", "Shrink", "Sigmoid", "Softplus", "Softsign",
    "ThresholdedRelu", "Softmax", "LogSoftmax", "Hardmax", "LpNormalization",
]  # fmt: skip
REDUCED = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]

ALGEBRA = [
    *(c(op, f("n", 3, 4)) for op in SAME),
    *(c(op, f("n", 3, 4), opset=20) for op in ("Mish", "Gelu")),
    c("Add", f("n", 3, 1, 5), f(4, 1)), c("Add", f("n", 3), f("n", 3)), c("Add", f("n", 3), f("m", 3)),
    c("Sub", f(2, 3), f()), c("Mul", f(), f(2, 1, 4)), c("Div", f(1), f("n", 1)), c("Pow", f(2, 3), i(3)),
    c("Mod", i(2, 3), n(2)), c("Max", f(2, 3), f(3), f(1, 1)), c("Min", f(2, 3)), c("Mean", f(2, 1), f(3)),
    c("Sum", f(2, 1), f(1, 3), f()), c("And", B, t("bool", 3)), c("Or", B, B), c("Xor", B, t("bool")), c("Not", B),
    c("BitShift", t("uint8", 2, 3), t("uint8", 3), direction="LEFT"),
    *(c(f"Bitwise{op}", t("int32", 2, 3), t("int32", 3), opset=18) for op in ("And", "Or", "Xor")),
    c("BitwiseNot", t("int32", 2, 3), opset=18),
    *(c(op, f(2, 3), f(4, 1, 3)) for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")),
    c("IsNaN", f(2, 3)), c("IsInf", f(2, 3)),
    c("Where", t("bool", 2, 1), f(3), f(4, 1, 1)), c("Where", t("bool"), i("n"), i("n")),
    c("PRelu", f(1, 3, 4, 4), f(3, 1, 1)), c("Clip", f(2, 3), np.float32(0), np.float32(6)),
    c("Cast", f(2, "n"), to=7), c("Cast", i(2), to=11), c("Cast", i(2), to=9), c("CastLike", f(2, 3), i(1)),
    c("Dropout", f(2, 3), outputs=2), c("Bernoulli", f(2, 3)), c("EyeLike", f(2, 3)), c("EyeLike", f(2, 3), dtype=7),
    c("RandomNormalLike", f(2, 3)), c("RandomUniformLike", i(2, 3), dtype=1),
    *(c(f"Reduce{op}", f(2, 3, 4), axes=(1, -1)) for op in REDUCED if op != "Sum"),
    c("ReduceSum", f(2, 3, 4), n(1, -1)), c("ReduceSum", f(2, 3, 4), n(0), keepdims=0),
    c("ReduceSum", f(2, 3, 4), n(), noop_with_empty_axes=1), c("ReduceSum", f(2, 3, 4), None, noop_with_empty_axes=1),
    c("ReduceSum", f(2, 3, 4), axes=(2,), opset=11), c("ReduceMean", f("n", 3, 4), n(2), keepdims=0, opset=18),
    c("ReduceMax", f("n", 3, 4), keepdims=0), c("ReduceMean", f(2, 3, 4)),
    c("ArgMax", f("n", 5, 4), axis=1), c("ArgMin", f(2, 5), axis=-1, keepdims=0), c("ArgMax", f(2, 5)),
    c("CumSum", f(2, 3), np.int64(1)), c("Trilu", f(2, 3, 4), np.int64(1)), c("LRN", f(1, 3, 4, 4), size=3),
    c("ReverseSequence", f(4, 2, 3), i(2)),
    c("BatchNormalization", f("n", 3, 4, 4), f(3), f(3), f(3), f(3)),
    c("BatchNormalization", f(2, 3), f(3), f(3), f(3), f(3), training_mode=1, outputs=3),
    c("InstanceNormalization", f(2, 3, 4), f(3), f(3)),
    c("LayerNormalization", f(2, 3, 4), f(4), outputs=3), c("LayerNormalization", f(2, 3, 4), f(3, 4), axis=1),
    c("GroupNormalization", f(2, 4, 3), f(2), f(2), num_groups=2, opset=18),
    c("MatMul", f(2, 3), f(3, 4)), c("MatMul", f(5, 1, 2, 3), f(6, 3, 4)), c("MatMul", f(3), f(3, 4)),
    c("MatMul", f(2, 3), f(3)), c("MatMul", f(3), f(3)), c("MatMul", f("n", 2, 3), f(3, "m")),
    c("MatMulInteger", t("uint8", 2, 3), t("int8", 3, 4)),
    c("QLinearMatMul", t("uint8", 2, 3), SCALE, ZERO, t("uint8", 3, 4), SCALE, ZERO, SCALE, ZERO),
    c("Gemm", f("n", 3), f(4, 3), f(4), transB=1), c("Gemm", f(3, 2), f(3, 4), transA=1),
    c("Einsum", f(2, 3, 4), f(2, 4, 5), equation="bij,bjk->bik"), c("Einsum", f(2, 3), f(3, 4), equation="ij,jk"),
    c("Einsum", f(7, 2, 3), f(7, 3, 4), equation="...ij,...jk->...ik"), c("Einsum", f(3, 3), equation="ii->i"),
    c("Einsum", f(2, 3, 4), equation="... j -> j ..."), c("Einsum", f(2, 3), equation="ij->"),
    c("LSTM", f(5, "n", 3), f(1, 16, 3), f(1, 16, 4), f(1, 32), hidden_size=4, outputs=3),
    c("LSTM", f(5, 2, 3), f(2, 16, 3), f(2, 16, 4), hidden_size=4, direction="bidirectional", outputs=3),
    c("GRU", f(5, 2, 3), f(1, 12, 3), f(1, 12, 4), hidden_size=4, direction="reverse", outputs=2),
    c("RNN", f(5, 2, 3), f(1, 4, 3), f(1, 4, 4), hidden_size=4, outputs=2),
    c("QuantizeLinear", f(2, 3), SCALE, np.int8(0)), c("QuantizeLinear", f(2, 3), SCALE),
    c("QuantizeLinear", f(2, 3), s(1, 1, 1), np.zeros(3, np.uint8), axis=1),
    c("DequantizeLinear", t("int8", 2, 3), SCALE, np.int8(0)), c("DynamicQuantizeLinear", f(2, 3), outputs=3),
]  # fmt: skip

AXES = [
    c("Reshape", f(2, 3, 4), n(0, -1)), c("Reshape", f(2, 3, 4), n(4, 6)), c("Reshape", f("n", 3, 4), n(0, 12)),
    c("Reshape", f("n", 3, 4), n(-1, 12), gives=("n", 12)), c("Reshape", f("n", 3, 4), n(-1, 6), gives=("?", 6)),
    c("Reshape", f(0, 3), n(0, 3), allowzero=1), c("Reshape", f(1, 1), n()),
    c("Reshape", f(2, "h", 4), n(2, -1, 4), gives=(2, "h", 4)),
    c("Flatten", f(2, 3, 4)), c("Flatten", f(2, 3, 4), axis=0), c("Flatten", f("n", 3, 4), axis=-1, gives=("?", 4)),
    c("Flatten", f("n", 3, 4)), c("Flatten", f(2, 3), axis=2),
    c("Squeeze", f(1, 3, 1), n(0, -1)), c("Squeeze", f(1, 3, 1)), c("Squeeze", f(1, "n", 1), axes=(0,), opset=11),
    c("Unsqueeze", f(2, 3), n(0, -1)), c("Unsqueeze", f(2, 3), axes=(1,), opset=11), c("Unsqueeze", f(), n(0)),
    c("Transpose", f("n", 3, 4)), c("Transpose", f("n", 3, 4), perm=(0, 2, 1)),
    c("Expand", f(3, 1), n(2, 1, 6)), c("Expand", f("n", 1), n(1, 6), gives=("n", 6)),
    c("Tile", f(2, 3), n(1, 4)), c("Tile", f("n", 3), n(1, 2)),
    c("Pad", f(2, 3), n(0, 1, 2, 3)), c("Pad", f(5, 3), n(-1, 0, -2, 0)), c("Pad", f("n", 3), n(0, 1, 0, 1)),
    c("Pad", f(2, 3), n(1, 2), None, n(-1), opset=18), c("Pad", f(2, 3), pads=(0, 1, 2, 3), opset=10),
    c("Concat", f("n", 3), f("n", 4), axis=1), c("Concat", f(2, 3), f("m", 3), axis=0, gives=("?", 3)),
    c("Concat", i(1), i(2), i(0), axis=-1), c("Concat", f("n", 3, 4), f(2, 3, 4), axis=2, gives=(2, 3, 8)),
    c("Split", f(2, 6), axis=1, outputs=3), c("Split", f(2, 6), n(1, 5), axis=-1, outputs=2),
    c("Split", f(2, 6), split=(2, 4), axis=1, outputs=2, opset=11),
    c("Split", f(2, 7), axis=1, num_outputs=3, outputs=3, opset=18),
    c("Slice", f(9, 5), n(1), n(FAR), n(0), n(2)), c("Slice", f(9, 5), n(-1), n(-FAR), n(1), n(-1)),
    c("Slice", f(9, 5), n(1, -3), n(-1, FAR)), c("Slice", f(9), n(20), n(3), n(0), n(-4)), c("Slice", f(9), n(5), n(2)),
    c("Slice", f("n", 5), n(0), n(FAR), n(0), gives=("n", 5)), c("Slice", f("n", 5), n(0), n(3), n(1)),
    c("Slice", f("n", 5), n(-1), n(-FAR), n(0), n(-1), gives=("n", 5)),
    c("Slice", f(9, 5), starts=(1,), ends=(3,), opset=9),
    c("Gather", f(5, 3), i(2, 4)), c("Gather", f(5, 3), np.int64(0), axis=1), c("Gather", f("n", 3), i("m"), axis=-1),
    c("GatherElements", f(5, 3), i(2, 3)), c("GatherND", f(2, 3, 4), i(5, 2)),
    c("GatherND", f(2, 3, 4), i(2, 1), batch_dims=1), c("ScatterND", f(4, 3), i(2, 1), f(2, 3)),
    c("ScatterElements", f(4, 3), i(2, 3), f(2, 3)), c("Scatter", f(4, 3), i(2, 3), f(2, 3), opset=9),
    c("Compress", f(3, 4), t("bool", 3), axis=0), c("Compress", f(3, 4), t("bool", 12)),
    c("NonZero", f(2, 3)), c("Unique", f(6), outputs=4), c("Unique", f(6, 2), axis=1),
    c("TopK", f(2, 9), n(4), outputs=2), c("TopK", f(9, 2), n(3), axis=0, outputs=2),
    c("TopK", f(2, 9), k=4, outputs=2, opset=1),
    c("NonMaxSuppression", f(1, 9, 4), f(1, 2, 9), n(3)),
    c("Shape", f(2, 3, 4)), c("Shape", f("n", 3, 4), start=1), c("Shape", f(2, 3, 4), start=-2, end=-1),
    c("Shape", f(2, 3), start=2, end=1), c("Size", f(2, 3)),
    c("ConstantOfShape", n(2, 3)), c("ConstantOfShape", n(2, 3), value=held(n(1))), c("ConstantOfShape", n()),
    c("Constant", value=held(np.ones((2, 3), np.float32))), c("Constant", value_float=1.0), c("Constant", value_int=1),
    c("Constant", value_ints=(1, 2)), c("Constant", value_floats=(1.0, 2.0, 3.0)), c("Constant", value_string="a"),
    c("Range", np.int64(0), np.int64(7), np.int64(2)), c("Range", np.int64(5), np.int64(-2), np.int64(-3)),
    c("Range", np.float32(0), np.float32(1), np.float32(0.3)),
    c("OneHot", i(2, 3), np.int64(5), f(2)), c("OneHot", i(2, 3), n(5), i(2), axis=0, gives=(5, 2, 3)),
    c("RandomNormal", shape=(2, 3)), c("RandomUniform", shape=(2,), dtype=11), c("Multinomial", f(2, 5), sample_size=4),
    c("HannWindow", np.int64(8)), c("HammingWindow", np.int64(8)), c("BlackmanWindow", np.int64(8)),
    c("TfIdfVectorizer", i(2, 5), max_gram_length=1, max_skip_count=0, min_gram_length=1, mode="TF",
      ngram_counts=(0,), ngram_indexes=(0, 2, 1), pool_int64s=(4, 5, 6), gives=(2, 3)),
]  # fmt: skip

TREE = {
    "nodes_treeids": (0, 0, 0),
    "nodes_nodeids": (0, 1, 2),
    "nodes_featureids": (0, 0, 0),
    "nodes_values": (0.5, 0.0, 0.0),
    "nodes_modes": ("BRANCH_LEQ", "LEAF", "LEAF"),
    "nodes_truenodeids": (1, 0, 0),
    "nodes_falsenodeids": (2, 0, 0),
    "nodes_hitrates": (1.0, 1.0, 1.0),
    "nodes_missing_value_tracks_true": (0, 0, 0),
}
LEAVES = {"class_treeids": (0, 0), "class_nodeids": (1, 2), "class_weights": (1.0, 1.0)}
PLANES = {"kernel_type": "LINEAR", "kernel_params": (1.0, 0.0, 3.0)}
ML = [
    c("TreeEnsembleClassifier", f("n", 4), **TREE, **LEAVES, class_ids=(0, 2), classlabels_int64s=(0, 1, 2), outputs=2),
    c("TreeEnsembleClassifier", f(5, 4), **TREE, **LEAVES, class_ids=(0, 0), classlabels_strings=("a", "b"), outputs=2),
    c("TreeEnsembleRegressor", f(5, 4), **TREE, n_targets=2, target_treeids=(0, 0), target_nodeids=(1, 2),
      target_ids=(0, 1), target_weights=(1.0, 2.0)),
    c("LinearClassifier", f(5, 2), coefficients=(1.0,) * 6, intercepts=(0.0,) * 3, classlabels_ints=(0, 1, 2),
      outputs=2),
    c("LinearClassifier", f(5, 2), coefficients=(1.0,) * 2, intercepts=(0.0,), classlabels_strings=("a", "b"),
      outputs=2),
    c("LinearRegressor", f("n", 2), coefficients=(1.0,) * 6, intercepts=(0.0,) * 3, targets=3),
    c("LinearRegressor", f(5, 2), coefficients=(1.0,) * 2, intercepts=(0.0,)),
    c("SVMClassifier", f(5, 2), **PLANES, classlabels_ints=(0, 1, 2), coefficients=(1.0,) * 8, rho=(0.0,) * 3,
      support_vectors=(1.0,) * 8, vectors_per_class=(1, 1, 2), prob_a=(1.0,) * 3, prob_b=(0.0,) * 3, outputs=2),
    c("SVMClassifier", f(5, 2), **PLANES, classlabels_ints=(0, 1, 2, 3), coefficients=(1.0,) * 12, rho=(0.0,) * 6,
      support_vectors=(1.0,) * 8, vectors_per_class=(1, 1, 1, 1), outputs=2),
    c("SVMClassifier", f(5, 2), **PLANES, classlabels_strings=("a", "b"), coefficients=(1.0,) * 2, rho=(0.0,),
      support_vectors=(1.0,) * 4, vectors_per_class=(1, 1), outputs=2),
    c("SVMRegressor", f(5, 2), **PLANES, coefficients=(1.0, 1.0), rho=(0.0,), support_vectors=(1.0,) * 4, n_supports=2),
    c("Scaler", i(5, 2), offset=(0.0, 0.0), scale=(1.0, 1.0)), c("Normalizer", f("n", 2), norm="L2"),
    c("Imputer", f(5, 2), imputed_value_floats=(1.0,), replaced_value_float=0.0), c("Binarizer", f(5, 2)),
    c("LabelEncoder", t("str", 5), keys_strings=("cat",), values_int64s=(1,)),
    c("LabelEncoder", i(5, 1), keys_int64s=(0,), values_floats=(1.0,)),
    c("LabelEncoder", i(5), keys_int64s=(0,), values_strings=("a",)),
    c("CategoryMapper", t("str", 5), cats_int64s=(0,), cats_strings=("cat",)),
    c("CategoryMapper", i(5, 2), cats_int64s=(0,), cats_strings=("cat",)),
    c("OneHotEncoder", i(5, 1), cats_int64s=(0, 1, 2), gives=(5, 1, 3)),
    c("OneHotEncoder", t("str", 5), cats_strings=("cat", "dog"), gives=(5, 2)),
    c("ArrayFeatureExtractor", f(5, 4), i(1, 2)), c("ArrayFeatureExtractor", f(4), i(1)),
    c("FeatureVectorizer", f(5, 2), f(5, 3), inputdimensions=(2, 3), gives=(5, 5)),
    c("FeatureVectorizer", i(5, 2), i(5, 1), inputdimensions=(2, 1), gives=(5, 3)),
]  # fmt: skip
ML = [Case(f"ai.onnx.ml:{x.op}", x.given, x.attrs, x.outputs, x.opset, x.gives) for x in ML]

Q = t("uint8", 1, 3, 4, 4)
MICROSOFT = [
    c("QLinearAdd", Q, SCALE, ZERO, t("uint8", 3, 1, 1), SCALE, ZERO, SCALE, ZERO),
    c("QLinearMul", Q, SCALE, ZERO, Q, SCALE, ZERO, SCALE, ZERO),
    c("QLinearSigmoid", Q, SCALE, ZERO, SCALE, ZERO),
    c("QLinearLeakyRelu", Q, SCALE, ZERO, SCALE, ZERO),
    Case("QLinearSoftmax", [Q, *map(np.asarray, (SCALE, ZERO, SCALE, ZERO))], {"opset": 13}),
    c("QLinearConcat", SCALE, ZERO, Q, SCALE, ZERO, Q, SCALE, ZERO, axis=1),
    c("QLinearGlobalAveragePool", Q, SCALE, ZERO, SCALE, ZERO),
    c("QLinearGlobalAveragePool", Q, SCALE, ZERO, SCALE, ZERO, channels_last=1),
    c("QLinearAveragePool", Q, SCALE, ZERO, SCALE, ZERO, kernel_shape=(2, 2), strides=(2, 2)),
]
MICROSOFT = [Case(f"com.microsoft:{x.op}", x.given, x.attrs, x.outputs, x.opset) for x in MICROSOFT]
ONLY_ONNXRUNTIME = [
    # onnx counts a last window that starts in the padding behind the picture; onnxruntime and torch do not.
    c("MaxPool", f(1, 3, 7), kernel_shape=(2,), strides=(3,), ceil_mode=1, pads=(1, 1), gives=(1, 3, 3)),
    # onnx infers it through the function that it is made of, and fails there.
    c("MeanVarianceNormalization", f(1, 3, 4, 4)),
]
CASES = [*WINDOWS, *ALGEBRA, *AXES, *ML]
