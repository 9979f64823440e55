"""The tables of a .tflite, for reading and for writing: names in the order of their numbers in the file.

From https://github.com/tensorflow/tensorflow/blob/v2.21.0/tensorflow/compiler/mlir/lite/schema/schema.fbs (version 3)
and https://github.com/tensorflow/tflite-support/blob/v0.4.4/tensorflow_lite_support/metadata/metadata_schema.fbs; a
table says the fields up to the last that is used, as flatbuffer.py reads them. Options that hold nothing are not
listed.
"""

from __future__ import annotations

from .flatbuffer import schema

IDENTIFIER, VERSION = b"TFL3", 3
METADATA_NAME, METADATA_IDENTIFIER = "TFLITE_METADATA", b"M001"
SAME, VALID = 0, 1  # paddings
ACTIVATIONS = ("NONE", "RELU", "RELU_N1_TO_1", "RELU6", "TANH", "SIGN_BIT")
LABELS_OF_AXIS, LABELS_OF_VALUE = 2, 3  # kinds of associated files
FEATURES, IMAGE = 1, 2  # what a tensor is of
RGB, GREY = 1, 2  # colours of pictures; 0 is not said
NORMALIZATION = 1  # what is done with a tensor before or after
CUSTOM = 32  # the operator whose name stands in the file

# numpy's names of the types of numbers; "" of those that no operator here takes
TYPES = (
    "float32", "float16", "int32", "uint8", "int64", "str", "bool", "int16", "", "int8", "float64", "", "uint64", "",
    "", "uint32", "uint16", "int4",
)  # fmt: skip
TYPE_NAMES = (
    "FLOAT32", "FLOAT16", "INT32", "UINT8", "INT64", "STRING", "BOOL", "INT16", "COMPLEX64", "INT8", "FLOAT64",
    "COMPLEX128", "UINT64", "RESOURCE", "VARIANT", "UINT32", "UINT16", "INT4", "BFLOAT16", "INT2", "UINT4",
    "FLOAT8_E4M3FN", "FLOAT8_E5M2",
)  # fmt: skip

OPERATORS: tuple[str, ...] = (
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU",
    "RELU_N1_TO_1", "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH",
    "CONCAT_EMBEDDINGS", "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER", "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB",
    "DIV", "SQUEEZE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2",
    "SPLIT", "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX",
    "MINIMUM", "LESS", "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN",
    "TRANSPOSE_CONV", "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT",
    "SHAPE", "POW", "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT",
    "LOGICAL_AND", "LOGICAL_NOT", "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL",
    "FLOOR_MOD", "RANGE", "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS",
    "SPLIT_V", "UNIQUE", "CEIL", "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU",
    "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE", "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE",
    "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5", "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM",
    "BATCH_MATMUL", "PLACEHOLDER_FOR_GREATER_OP_CODES", "CUMSUM", "CALL_ONCE", "BROADCAST_TO", "RFFT2D", "CONV_3D",
    "IMAG", "REAL", "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND", "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "REDUCE_ALL",
    "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "BROADCAST_ARGS", "RANDOM_STANDARD_NORMAL",
    "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL", "GELU", "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1",
    "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_SUM", "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN",
    "BITCAST", "BITWISE_XOR", "RIGHT_SHIFT", "STABLEHLO_LOGISTIC", "STABLEHLO_ADD", "STABLEHLO_DIVIDE",
    "STABLEHLO_MULTIPLY", "STABLEHLO_MAXIMUM", "STABLEHLO_RESHAPE", "STABLEHLO_CLAMP", "STABLEHLO_CONCATENATE",
    "STABLEHLO_BROADCAST_IN_DIM", "STABLEHLO_CONVOLUTION", "STABLEHLO_SLICE", "STABLEHLO_CUSTOM_CALL",
    "STABLEHLO_REDUCE", "STABLEHLO_ABS", "STABLEHLO_AND", "STABLEHLO_COSINE", "STABLEHLO_EXPONENTIAL",
    "STABLEHLO_FLOOR", "STABLEHLO_LOG", "STABLEHLO_MINIMUM", "STABLEHLO_NEGATE", "STABLEHLO_OR", "STABLEHLO_POWER",
    "STABLEHLO_REMAINDER", "STABLEHLO_RSQRT", "STABLEHLO_SELECT", "STABLEHLO_SUBTRACT", "STABLEHLO_TANH",
    "STABLEHLO_SCATTER", "STABLEHLO_COMPARE", "STABLEHLO_CONVERT", "STABLEHLO_DYNAMIC_SLICE",
    "STABLEHLO_DYNAMIC_UPDATE_SLICE", "STABLEHLO_PAD", "STABLEHLO_IOTA", "STABLEHLO_DOT_GENERAL",
    "STABLEHLO_REDUCE_WINDOW", "STABLEHLO_SORT", "STABLEHLO_WHILE", "STABLEHLO_GATHER", "STABLEHLO_TRANSPOSE",
    "DILATE", "STABLEHLO_RNG_BIT_GENERATOR", "REDUCE_WINDOW", "STABLEHLO_COMPOSITE", "STABLEHLO_SHIFT_LEFT",
    "STABLEHLO_CBRT", "STABLEHLO_CASE",
)  # fmt: skip

# Which table an operator's options are, by the number that stands before them
OPTIONS: tuple[str, ...] = (
    "NONE", "Conv2DOptions", "DepthwiseConv2DOptions", "ConcatEmbeddingsOptions", "LSHProjectionOptions",
    "Pool2DOptions", "SVDFOptions", "RNNOptions", "FullyConnectedOptions", "SoftmaxOptions", "ConcatenationOptions",
    "AddOptions", "L2NormOptions", "LocalResponseNormalizationOptions", "LSTMOptions", "ResizeBilinearOptions",
    "CallOptions", "ReshapeOptions", "SkipGramOptions", "SpaceToDepthOptions", "EmbeddingLookupSparseOptions",
    "MulOptions", "PadOptions", "GatherOptions", "BatchToSpaceNDOptions", "SpaceToBatchNDOptions", "TransposeOptions",
    "ReducerOptions", "SubOptions", "DivOptions", "SqueezeOptions", "SequenceRNNOptions", "StridedSliceOptions",
    "ExpOptions", "TopKV2Options", "SplitOptions", "LogSoftmaxOptions", "CastOptions", "DequantizeOptions",
    "MaximumMinimumOptions", "ArgMaxOptions", "LessOptions", "NegOptions", "PadV2Options", "GreaterOptions",
    "GreaterEqualOptions", "LessEqualOptions", "SelectOptions", "SliceOptions", "TransposeConvOptions",
    "SparseToDenseOptions", "TileOptions", "ExpandDimsOptions", "EqualOptions", "NotEqualOptions", "ShapeOptions",
    "PowOptions", "ArgMinOptions", "FakeQuantOptions", "PackOptions", "LogicalOrOptions", "OneHotOptions",
    "LogicalAndOptions", "LogicalNotOptions", "UnpackOptions", "FloorDivOptions", "SquareOptions", "ZerosLikeOptions",
    "FillOptions", "BidirectionalSequenceLSTMOptions", "BidirectionalSequenceRNNOptions",
    "UnidirectionalSequenceLSTMOptions", "FloorModOptions", "RangeOptions", "ResizeNearestNeighborOptions",
    "LeakyReluOptions", "SquaredDifferenceOptions", "MirrorPadOptions", "AbsOptions", "SplitVOptions",
    "UniqueOptions", "ReverseV2Options", "AddNOptions", "GatherNdOptions", "CosOptions", "WhereOptions",
    "RankOptions", "ReverseSequenceOptions", "MatrixDiagOptions", "QuantizeOptions", "MatrixSetDiagOptions",
    "HardSwishOptions", "IfOptions", "WhileOptions", "DepthToSpaceOptions", "NonMaxSuppressionV4Options",
    "NonMaxSuppressionV5Options", "ScatterNdOptions", "SelectV2Options", "DensifyOptions", "SegmentSumOptions",
    "BatchMatMulOptions", "CumsumOptions", "CallOnceOptions", "BroadcastToOptions", "Rfft2dOptions", "Conv3DOptions",
    "HashtableOptions", "HashtableFindOptions", "HashtableImportOptions", "HashtableSizeOptions", "VarHandleOptions",
    "ReadVariableOptions", "AssignVariableOptions", "RandomOptions", "BucketizeOptions", "GeluOptions",
    "DynamicUpdateSliceOptions", "UnsortedSegmentProdOptions", "UnsortedSegmentMaxOptions",
    "UnsortedSegmentMinOptions", "UnsortedSegmentSumOptions", "ATan2Options", "SignOptions", "BitcastOptions",
    "BitwiseXorOptions", "RightShiftOptions",
)  # fmt: skip

SCHEMA = schema(
    {
        "Model": "version u4, operator_codes [OperatorCode], subgraphs [SubGraph], description text, buffers [Buffer], "
        "metadata_buffer [i4], metadata [Metadata], signature_defs [SignatureDef]",
        "OperatorCode": "deprecated_builtin_code i1, custom_code text, version i4=1, builtin_code i4",
        "SubGraph": "tensors [Tensor], inputs [i4], outputs [i4], operators [Operator], name text",
        "Buffer": "data [u1], offset u8, size u8",
        "Metadata": "name text, buffer u4",
        "SignatureDef": "inputs [TensorMap], outputs [TensorMap], signature_key text, _, subgraph_index u4",
        "TensorMap": "name text, tensor_index u4",
        "Tensor": "shape [i4], type i1, buffer u4, name text, quantization QuantizationParameters, is_variable ?, "
        "sparsity SparsityParameters, shape_signature [i4], has_rank ?, _, external_buffer u4",
        "QuantizationParameters": "min [f4], max [f4], scale [f4], zero_point [i8], details_type u1, _, "
        "quantized_dimension i4",
        "SparsityParameters": "traversal_order [i4], block_map [i4]",
        "Operator": "opcode_index u4, inputs [i4], outputs [i4], builtin_options_type u1, builtin_options union, "
        "custom_options [u1], custom_options_format i1, _, _, large_custom_options_offset u8, "
        "large_custom_options_size u8, builtin_options_2_type u1, builtin_options_2 union",
        # -- options of operators
        "Conv2DOptions": "padding i1, stride_w i4, stride_h i4, fused_activation_function i1, dilation_w_factor i4=1, "
        "dilation_h_factor i4=1",
        "DepthwiseConv2DOptions": "padding i1, stride_w i4, stride_h i4, depth_multiplier i4, "
        "fused_activation_function i1, dilation_w_factor i4=1, dilation_h_factor i4=1",
        "Conv3DOptions": "padding i1, stride_d i4, stride_w i4, stride_h i4, fused_activation_function i1, "
        "dilation_d_factor i4=1, dilation_w_factor i4=1, dilation_h_factor i4=1",
        "TransposeConvOptions": "padding i1, stride_w i4, stride_h i4, fused_activation_function i1",
        "Pool2DOptions": "padding i1, stride_w i4, stride_h i4, filter_width i4, filter_height i4, "
        "fused_activation_function i1",
        "FullyConnectedOptions": "fused_activation_function i1, weights_format i1, keep_num_dims ?",
        "SoftmaxOptions": "beta f4",
        "ConcatenationOptions": "axis i4, fused_activation_function i1",
        **{
            name: "fused_activation_function i1"
            for name in ("AddOptions", "MulOptions", "SubOptions", "DivOptions", "L2NormOptions")
        },
        "LocalResponseNormalizationOptions": "radius i4, bias f4, alpha f4, beta f4",
        "LSTMOptions": "fused_activation_function i1, cell_clip f4, proj_clip f4, kernel_type i1",
        "UnidirectionalSequenceLSTMOptions": "fused_activation_function i1, cell_clip f4, proj_clip f4, time_major ?",
        "BidirectionalSequenceLSTMOptions": "fused_activation_function i1, cell_clip f4, proj_clip f4, "
        "merge_outputs ?, time_major ?=1",
        "SequenceRNNOptions": "time_major ?, fused_activation_function i1",
        "ResizeBilinearOptions": "_, _, align_corners ?, half_pixel_centers ?",
        "ResizeNearestNeighborOptions": "align_corners ?, half_pixel_centers ?",
        "ReshapeOptions": "new_shape [i4]",
        "SpaceToDepthOptions": "block_size i4",
        "DepthToSpaceOptions": "block_size i4",
        "GatherOptions": "axis i4, batch_dims i4",
        "ReducerOptions": "keep_dims ?",
        "SqueezeOptions": "squeeze_dims [i4]",
        "SplitOptions": "num_splits i4",
        "SplitVOptions": "num_splits i4",
        "StridedSliceOptions": "begin_mask i4, end_mask i4, ellipsis_mask i4, new_axis_mask i4, shrink_axis_mask i4, "
        "offset ?",
        "CastOptions": "in_data_type i1, out_data_type i1",
        "ArgMaxOptions": "output_type i1",
        "ArgMinOptions": "output_type i1",
        "ShapeOptions": "out_type i1",
        "PackOptions": "values_count i4, axis i4",
        "UnpackOptions": "num i4, axis i4",
        "OneHotOptions": "axis i4",
        "LeakyReluOptions": "alpha f4",
        "MirrorPadOptions": "mode i1",
        "ReverseSequenceOptions": "seq_dim i4, batch_dim i4",
        "BatchMatMulOptions": "adj_x ?, adj_y ?",
        "CumsumOptions": "exclusive ?, reverse ?",
        "GeluOptions": "approximate ?",
        # -- metadata
        "ModelMetadata": "name text, description text, version text, subgraph_metadata [SubGraphMetadata], "
        "author text, license text, associated_files [AssociatedFile], min_parser_version text",
        "SubGraphMetadata": "name text, description text, input_tensor_metadata [TensorMetadata], "
        "output_tensor_metadata [TensorMetadata]",
        "TensorMetadata": "name text, description text, _, content Content, process_units [ProcessUnit], stats Stats, "
        "associated_files [AssociatedFile]",
        "AssociatedFile": "name text, description text, type i1, locale text",
        "Content": "content_properties_type u1, content_properties union",
        "FeatureProperties": "",
        "ImageProperties": "color_space i1, default_size ImageSize",
        "ImageSize": "width u4, height u4",
        "ProcessUnit": "options_type u1, options union",
        "NormalizationOptions": "mean [f4], std [f4]",
        "Stats": "max [f4], min [f4]",
    }
)
